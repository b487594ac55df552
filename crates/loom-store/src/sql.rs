//! The statements, each from its file, put together at compile time.
//!
//! A text may hold several statements; it is sent to the connection's thread in one hop, because
//! hops cost more than what SQLite does for a small batch.

/// Statements that are sent together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) sql: &'static str,
    /// How many there are: an answer that holds fewer was cut off.
    pub(crate) statements: usize,
    /// Which statements it lacks of those that the longest text of its kind has.
    pub(crate) left_out: &'static [usize],
}

impl Text {
    pub(crate) const fn new(sql: &'static str, statements: usize) -> Self {
        Self { sql, statements, left_out: &[] }
    }
}

macro_rules! file {
    ($path:literal) => {
        include_str!(concat!("sql/", $path, ".sql"))
    };
}

/// One statement, of one or several files.
macro_rules! one {
    ($($path:literal),+) => {
        Text::new(concat!($(file!($path), "\n"),+), 1)
    };
}

macro_rules! begin {
    () => {
        concat!(file!("commit/begin"), file!("commit/number"))
    };
}

macro_rules! inserts {
    () => {
        concat!(file!("commit/insert"), file!("commit/present"))
    };
}

macro_rules! changed {
    () => {
        concat!(file!("parts/change"), file!("commit/changed"))
    };
}

macro_rules! change {
    () => {
        concat!(file!("parts/change"), file!("commit/change"))
    };
}

macro_rules! head {
    () => {
        concat!(begin!(), inserts!(), file!("commit/progress"))
    };
}

macro_rules! changes {
    () => {
        concat!(
            changed!(),
            file!("commit/attempt"),
            file!("commit/trim"),
            change!(),
            file!("commit/asked_for"),
            file!("commit/cancel"),
            file!("parts/summary"),
            ";\n",
            file!("commit/prune"),
        )
    };
}

macro_rules! tail {
    () => {
        concat!(
            file!("parts/chosen"),
            "SELECT\n",
            file!("parts/summary"),
            file!("parts/details"),
            file!("commit/claimed"),
            file!("parts/chosen"),
            file!("commit/claim"),
            file!("commit/asked"),
            file!("commit/next_due"),
            file!("commit/commit"),
        )
    };
}

/// Begins a batch: its number, inserts, progress.
pub(crate) const HEAD: Text = Text::new(head!(), 5);
/// Changes, cancels and a prune; those of one text touch each task at most once.
pub(crate) const CHANGES: Text = Text::new(changes!(), 7);
/// Ends a batch: the claim, what it tells, and the commit.
pub(crate) const TAIL: Text = Text::new(tail!(), 5);
/// A whole batch in one hop.
pub(crate) const BATCH: Text = Text::new(concat!(head!(), changes!(), tail!()), 17);

// Most batches need less, and every statement that is sent costs a message back.

/// A batch that inserts and changes, without progress, retries, cancels and prunes.
pub(crate) const INSERTS_AND_CHANGES: Text = Text {
    sql: concat!(begin!(), inserts!(), changed!(), change!(), tail!()),
    statements: 11,
    left_out: &[4, 6, 7, 9, 10, 11],
};
/// A batch that only inserts.
pub(crate) const INSERTS_ONLY: Text = Text {
    sql: concat!(begin!(), inserts!(), tail!()),
    statements: 9,
    left_out: &[4, 5, 6, 7, 8, 9, 10, 11],
};
/// A batch that only changes.
pub(crate) const CHANGES_ONLY: Text = Text {
    sql: concat!(begin!(), changed!(), change!(), tail!()),
    statements: 9,
    left_out: &[2, 3, 4, 6, 7, 9, 10, 11],
};
/// Tasks of another system: their inserts, and what of them was there.
pub(crate) const IMPORTS: Text =
    Text::new(concat!(file!("commit/import"), file!("commit/imported")), 2);
/// A look at what a claim would find.
pub(crate) const LOOK: Text = Text::new(
    concat!(
        file!("commit/begin_read"),
        file!("parts/chosen"),
        file!("commit/claimable"),
        file!("commit/asked"),
        file!("commit/next_due"),
        file!("commit/commit"),
    ),
    5,
);

pub(crate) const GET: Text = Text::new(
    concat!("SELECT\n", file!("parts/summary"), file!("parts/details"), file!("read/get")),
    1,
);
pub(crate) const ATTEMPTS: Text = one!("read/attempts");
pub(crate) const DATA_VERSION: Text = one!("read/version");

macro_rules! list {
    ($from:literal, $order:literal) => {
        Text::new(
            concat!(
                "SELECT\n",
                file!("parts/summary"),
                file!($from),
                file!("parts/filters"),
                file!($order)
            ),
            1,
        )
    };
}

/// Lists by what leads to their tasks: the oldest first, then the newest first.
pub(crate) const LIST_ALL: [Text; 2] =
    [list!("parts/from_all", "parts/oldest_first"), list!("parts/from_all", "parts/newest_first")];
pub(crate) const LIST_PROJECT: [Text; 2] = [
    list!("parts/from_project", "parts/oldest_first"),
    list!("parts/from_project", "parts/newest_first"),
];
pub(crate) const LIST_INSTANCE: [Text; 2] = [
    list!("parts/from_instance", "parts/oldest_first"),
    list!("parts/from_instance", "parts/newest_first"),
];
pub(crate) const COUNT_ALL: Text =
    one!("parts/count", "parts/from_all", "parts/filters", "parts/by_status");
pub(crate) const COUNT_PROJECT: Text =
    one!("parts/count", "parts/from_project", "parts/filters", "parts/by_status");
pub(crate) const COUNT_INSTANCE: Text =
    one!("parts/count", "parts/from_instance", "parts/filters", "parts/by_status");

pub(crate) const GO_SNAPSHOT: Text = one!("go/snapshot");
pub(crate) const GO_COUNT: Text = one!("go/count");
pub(crate) const GO_TASKS: Text = one!("go/tasks");

pub(crate) const JOIN: Text = one!("instances/join");
pub(crate) const ANNOUNCE: Text = one!("instances/announce");
pub(crate) const OTHERS: Text = one!("instances/others");
pub(crate) const BURY: Text = one!("instances/bury");

pub(crate) const TABLES: Text = one!("setup/tables");
pub(crate) const COLUMNS: Text = one!("setup/columns");
pub(crate) const APPLIED: Text = one!("setup/applied");
pub(crate) const ENCODING: Text = one!("setup/encoding");
pub(crate) const LIBRARY: Text = one!("setup/library");
pub(crate) const WAL: Text = one!("setup/wal");
pub(crate) const PRAGMAS: Text = Text::new(file!("setup/pragmas"), 7);
pub(crate) const ROLLBACK: Text = one!("setup/rollback");

/// The migrations: number, name and text. Never changed once released, only added to.
pub(crate) const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "tasks", file!("migrations/0001_tasks"))];

#[cfg(test)]
mod tests;
