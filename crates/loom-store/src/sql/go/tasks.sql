-- Whatever columns there are: every version of the Go library has more of them.
SELECT rowid, * FROM tasks WHERE rowid >= $1 ORDER BY rowid;
