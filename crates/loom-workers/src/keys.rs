//! The names under which a task's metadata tells of its command.

/// What to run, as a list of texts: the program and its arguments. Read by
/// [`CommandLine`](crate::CommandLine).
pub const ARGV: &str = "argv";
/// The status with which the command ended by itself, 0 to 255.
pub const EXIT_CODE: &str = "exit_code";
/// The number of the signal that ended the command.
pub const SIGNAL: &str = "signal";
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
pub(crate) const OF_AN_ATTEMPT: [&str; 7] =
    [EXIT_CODE, SIGNAL, SPAWN_ERROR, STDERR, DURATION_MS, OUTPUT_TRUNCATED, OUTPUT_BYTES];
