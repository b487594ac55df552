-- Of a table that the Go library has, too.
SELECT name FROM pragma_table_info('tasks');
