-- One look at one state of things, which waits for nobody.
BEGIN;
