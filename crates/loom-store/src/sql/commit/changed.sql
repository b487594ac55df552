-- Asked before the change, because nothing tells afterwards which status a task has left.
SELECT op, before, after FROM change;
