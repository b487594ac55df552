-- From here on the batch is durable.
COMMIT;
