-- Whether the claim would take anything.
SELECT EXISTS (SELECT 1 FROM chosen);
