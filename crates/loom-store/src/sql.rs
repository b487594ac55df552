//! The statements, each from its file, put together at compile time.

/// Statements that are sent together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) sql: &'static str,
    /// How many there are: an answer that holds fewer was cut off.
    pub(crate) statements: usize,
}

impl Text {
    pub(crate) const fn new(sql: &'static str, statements: usize) -> Self {
        Self { sql, statements }
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

/// What a commit is made of; each is run as often as the batch needs it.
pub(crate) const BEGIN: Text = one!("commit/begin");
pub(crate) const BEGIN_READ: Text = one!("commit/begin_read");
pub(crate) const NUMBER: Text = one!("commit/number");
pub(crate) const JOINED: Text = one!("commit/joined");
pub(crate) const LATEST: Text = one!("commit/latest");
pub(crate) const GIVEN: Text = one!("commit/given");
pub(crate) const MOVED: Text = one!("commit/moved");
pub(crate) const INSERT: Text = one!("commit/insert");
pub(crate) const IMPORT: Text = one!("commit/import");
pub(crate) const PRESENT: Text = one!("commit/present");
pub(crate) const PROGRESS: Text = one!("commit/progress");
pub(crate) const ADMITTED: Text = one!("commit/admitted");
pub(crate) const DISPATCH: Text = one!("commit/dispatch");
pub(crate) const START: Text = one!("commit/start");
pub(crate) const RETRY: Text = one!("commit/retry");
pub(crate) const END: Text = one!("commit/end");
pub(crate) const ATTEMPT: Text = one!("commit/attempt");
pub(crate) const TRIM: Text = one!("commit/trim");
pub(crate) const STANDING: Text = one!("commit/standing");
pub(crate) const CANCEL: Text = one!("commit/cancel");
pub(crate) const PRUNE: Text = one!("commit/prune");
pub(crate) const HOLD: Text = one!("commit/hold");
pub(crate) const RELEASE: Text = one!("commit/release");
pub(crate) const HOLDS: Text = one!("commit/holds");
pub(crate) const WAITS: Text = one!("commit/waits");
pub(crate) const DUE: Text = one!("commit/due");
pub(crate) const NEXT_DUE: Text = one!("commit/next_due");
pub(crate) const CLAIM: Text = one!("commit/claim");
pub(crate) const ASKED: Text = one!("commit/asked");
pub(crate) const COMMIT: Text = one!("commit/commit");
/// The columns of a task, without and with its long parts.
macro_rules! summary {
    () => {
        file!("parts/summary")
    };
}
macro_rules! whole {
    () => {
        concat!(file!("parts/summary"), file!("parts/details"))
    };
}

/// A task by its number.
pub(crate) const SUMMARY: Text =
    Text::new(concat!("SELECT\n", summary!(), file!("commit/of_seq")), 1);
pub(crate) const TASK: Text = Text::new(concat!("SELECT\n", whole!(), file!("commit/of_seq")), 1);

pub(crate) const GET: Text = Text::new(concat!("SELECT\n", whole!(), file!("read/get")), 1);
pub(crate) const ATTEMPTS: Text = one!("read/attempts");
pub(crate) const DATA_VERSION: Text = one!("read/version");

/// Tasks by one way that leads to them, or by two.
macro_rules! list {
    ($columns:ident, $from:literal $(and $more:literal)?, $order:literal) => {
        Text::new(
            concat!(
                "SELECT\n",
                $columns!(),
                file!($from),
                file!("parts/filters"),
                $(
                    "UNION ALL SELECT\n",
                    $columns!(),
                    file!($more),
                    file!("parts/filters"),
                )?
                file!($order)
            ),
            1,
        )
    };
}

/// Lists by what leads to their tasks: the oldest first, then the newest first.
pub(crate) const LIST_ALL: [Text; 2] = [
    list!(summary, "parts/from_all", "parts/oldest_first"),
    list!(summary, "parts/from_all", "parts/newest_first"),
];
pub(crate) const LIST_PROJECT: [Text; 2] = [
    list!(summary, "parts/from_project", "parts/oldest_first"),
    list!(summary, "parts/from_project", "parts/newest_first"),
];
pub(crate) const LIST_INSTANCE: [Text; 2] = [
    list!(summary, "parts/from_owned" and "parts/from_pinned", "parts/oldest_first"),
    list!(summary, "parts/from_owned" and "parts/from_pinned", "parts/newest_first"),
];
pub(crate) const LEFT_BY: Text =
    list!(whole, "parts/from_owned" and "parts/from_pinned", "parts/oldest_first");
pub(crate) const COUNT_KEPT: Text = one!("read/kept");
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
pub(crate) const PRAGMAS: Text = Text::new(file!("setup/pragmas"), 8);
pub(crate) const ROLLBACK: Text = one!("setup/rollback");

/// The migrations: number, name and text. Never changed once released, only added to.
pub(crate) const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "tasks", file!("migrations/0001_tasks")),
    (2, "numbers", file!("migrations/0002_numbers")),
];

#[cfg(test)]
mod tests;
