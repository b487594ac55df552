-- All pages are read from one state of the database.
BEGIN DEFERRED;
