//! The names under which a task's metadata tells of its command.

/// What to run, as a list of texts: the program and its arguments. Read by
/// [`CommandLine`](crate::CommandLine).
pub const ARGV: &str = "argv";
/// The status with which the command ended by itself, 0 to 255.
pub const EXIT_CODE: &str = "exit_code";
/// The number of the signal that ended the command.
pub const SIGNAL: &str = "signal";
/// `true` if a signal ended the command and its memory was written to a file, a core dump.
pub const CORE_DUMPED: &str = "core_dumped";
/// How long processors worked in the code of the command and of those of its descendants that it
/// waited for, in milliseconds.
pub const USER_TIME_MS: &str = "user_time_ms";
/// The same for the work of the system on their behalf.
pub const SYSTEM_TIME_MS: &str = "system_time_ms";
/// The most memory that one process among them held, in bytes. Left out if that is less than what
/// the program that ran the command has held itself: the system counts that in.
pub const PEAK_MEMORY_BYTES: &str = "peak_memory_bytes";
/// Why the command was not started: `not_found` or `cannot_run`.
pub const SPAWN_ERROR: &str = "spawn_error";
/// What the command wrote to standard error, its head and tail if it was much.
pub const STDERR: &str = "stderr";
/// How long the attempt took, in milliseconds.
pub const DURATION_MS: &str = "duration_ms";
/// `true` if the result is only the head and the tail of what the command wrote.
pub const OUTPUT_TRUNCATED: &str = "output_truncated";
/// How many bytes the command wrote to standard output. Set together with [`OUTPUT_TRUNCATED`].
pub const OUTPUT_BYTES: &str = "output_bytes";

/// The names that each attempt sets or leaves out anew.
pub(crate) const OF_AN_ATTEMPT: [&str; 11] = [
    EXIT_CODE,
    SIGNAL,
    CORE_DUMPED,
    USER_TIME_MS,
    SYSTEM_TIME_MS,
    PEAK_MEMORY_BYTES,
    SPAWN_ERROR,
    STDERR,
    DURATION_MS,
    OUTPUT_TRUNCATED,
    OUTPUT_BYTES,
];
