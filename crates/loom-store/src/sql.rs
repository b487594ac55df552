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
}

macro_rules! file {
    ($path:literal) => {
        include_str!(concat!("sql/", $path, ".sql"))
    };
}

/// One statement, of one or several files.
macro_rules! one {
    ($($path:literal),+) => {
        Text { sql: concat!($(include_str!(concat!("sql/", $path, ".sql")), "\n"),+), statements: 1 }
    };
}

macro_rules! head {
    () => {
        concat!(
            file!("commit/begin"),
            file!("commit/number"),
            file!("commit/insert"),
            file!("commit/present"),
            file!("commit/progress"),
        )
    };
}

macro_rules! changes {
    () => {
        concat!(
            file!("parts/change"),
            file!("commit/changed"),
            file!("commit/attempt"),
            file!("commit/trim"),
            file!("parts/change"),
            file!("commit/change"),
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
pub(crate) const HEAD: Text = Text { sql: head!(), statements: 5 };
/// Changes, cancels and a prune; those of one text touch each task at most once.
pub(crate) const CHANGES: Text = Text { sql: changes!(), statements: 7 };
/// Ends a batch: the claim, what it tells, and the commit.
pub(crate) const TAIL: Text = Text { sql: tail!(), statements: 5 };
/// A whole batch in one hop.
pub(crate) const BATCH: Text = Text { sql: concat!(head!(), changes!(), tail!()), statements: 17 };
/// A look at what a claim would find.
pub(crate) const LOOK: Text = Text {
    sql: concat!(
        file!("commit/begin_read"),
        file!("parts/chosen"),
        file!("commit/claimable"),
        file!("commit/asked"),
        file!("commit/next_due"),
        file!("commit/commit"),
    ),
    statements: 5,
};

pub(crate) const GET: Text = Text {
    sql: concat!("SELECT\n", file!("parts/summary"), file!("parts/details"), file!("read/get")),
    statements: 1,
};
pub(crate) const ATTEMPTS: Text = one!("read/attempts");
pub(crate) const DATA_VERSION: Text = one!("read/version");

macro_rules! list {
    ($from:literal, $order:literal) => {
        Text {
            sql: concat!(
                "SELECT\n",
                file!("parts/summary"),
                file!($from),
                file!("parts/filters"),
                file!($order)
            ),
            statements: 1,
        }
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
pub(crate) const PRAGMAS: Text = Text { sql: file!("setup/pragmas"), statements: 7 };
pub(crate) const ROLLBACK: Text = one!("setup/rollback");

/// The migrations: number, name and text. Never changed once released, only added to.
pub(crate) const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "tasks", file!("migrations/0001_tasks"))];

#[cfg(test)]
mod tests;
