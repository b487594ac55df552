//! What is wrong with the end of a case. Pure: everything has been seen before.

use std::fmt;

use crate::zoo::case::Case;
use crate::zoo::proc::Holdings;
use crate::zoo::talk::Ended;

/// How much more memory an engine may hold after a task than before: the store's last statement holds
/// a result, of 8 MiB at most, and the database has its cache. What an endless output would leave is
/// far more.
pub const MEMORY_OVER_KIB_MAX: u64 = 16 << 10;
/// The most that a task may keep of what was printed.
pub const RESULT_BYTES_MAX: usize = loom::limits::RESULT_BYTES_MAX;
/// The same for all beside the result: 64 KiB of standard error, where six bytes of JSON may stand
/// for one.
pub const METADATA_BYTES_MAX: usize = (64 << 10) * 6 + 4096;
/// The most that an engine may leave on the disk for one task that prints without end.
pub const DISK_BYTES_MAX: u64 = 64 << 20;

/// What was seen at the end of a case.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How the task ended.
    pub ended: Option<Ended>,
    /// Processes that were alive when the end was told, and were gone soon after.
    pub late: Vec<String>,
    /// Processes that stayed.
    pub survivors: Vec<String>,
    /// What the engine held before and after. Nothing if it was killed.
    pub held: Option<(Holdings, Holdings)>,
    /// What the engine has on the disk, in bytes.
    pub disk_bytes: u64,
    /// What hindered the trial.
    pub trouble: Vec<String>,
}

/// Something that should not be so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A process that stayed.
    Survivor(String),
    /// Children of the engine that nobody has reaped.
    Zombies(usize),
    /// More open files, threads or children, or much more memory, than before.
    Held {
        /// Of what.
        what: &'static str,
        /// Before.
        before: u64,
        /// After.
        after: u64,
    },
    /// The task stands as it should not.
    Status(String),
    /// More was kept than may be.
    Unbounded(&'static str, u64),
    /// The trial could not be made.
    Trouble(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Survivor(process) => write!(f, "lives: {process}"),
            Self::Zombies(count) => write!(f, "{count} zombies"),
            Self::Held { what, before, after } => write!(f, "{what}: {after}, before {before}"),
            Self::Status(status) => write!(f, "the task is {status}"),
            Self::Unbounded(what, bytes) => write!(f, "{what} has {bytes} bytes"),
            Self::Trouble(trouble) => f.write_str(trouble),
        }
    }
}

/// Everything that is wrong with what was seen.
#[must_use]
pub fn judge(case: &Case, seen: &Seen) -> Vec<Finding> {
    let survivors = seen.survivors.iter().cloned().map(Finding::Survivor);
    let trouble = seen.trouble.iter().cloned().map(Finding::Trouble);
    let status = seen.ended.as_ref().map(|ended| judge_end(case, ended)).unwrap_or_default();
    let held = seen.held.iter().flat_map(|(before, after)| judge_holdings(before, after));
    let disk = (seen.disk_bytes > DISK_BYTES_MAX)
        .then_some(Finding::Unbounded("the engine's directory", seen.disk_bytes));
    survivors.chain(trouble).chain(status).chain(held).chain(disk).collect()
}

fn judge_end(case: &Case, ended: &Ended) -> Vec<Finding> {
    let is = (ended.status.as_str(), ended.failure.as_deref());
    let status = (!case.ending.allowed(case.animal.end).contains(&is)).then(|| {
        let error = ended.error.as_deref().unwrap_or("no error");
        Finding::Status(format!("{} ({}): {error}", is.0, is.1.unwrap_or("no code")))
    });
    let sizes = [
        ("the result", ended.result_bytes, RESULT_BYTES_MAX),
        ("the metadata", ended.metadata_bytes, METADATA_BYTES_MAX),
    ];
    let over = sizes.into_iter().filter(|(_, bytes, max)| bytes > max);
    let over = over.map(|(what, bytes, _)| Finding::Unbounded(what, bytes as u64));
    status.into_iter().chain(over).collect()
}

fn judge_holdings(before: &Holdings, after: &Holdings) -> Vec<Finding> {
    let counts = [
        ("open files", before.files, after.files),
        ("threads", before.threads, after.threads),
        ("children", before.children, after.children),
    ];
    let counts = counts.map(|(what, before, after)| (what, before as u64, after as u64, 0));
    let memory = ("KiB of memory", before.memory_kib, after.memory_kib, MEMORY_OVER_KIB_MAX);
    let grown = counts.into_iter().chain([memory]).filter(|(_, b, a, room)| *a > b + room);
    let grown = grown.map(|(what, before, after, _)| Finding::Held { what, before, after });
    let zombies = (after.zombies > 0).then_some(Finding::Zombies(after.zombies));
    grown.chain(zombies).collect()
}

/// Whether nothing is wrong with what an engine holds.
#[must_use]
pub fn is_back(before: &Holdings, after: &Holdings) -> bool {
    judge_holdings(before, after).is_empty()
}
