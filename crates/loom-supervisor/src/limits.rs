//! How long and how much, at most.

use std::time::Duration;

/// How long processes may take to end after they were asked to, unless the [`Spec`](crate::Spec)
/// says otherwise.
pub const TERM_GRACE: Duration = Duration::from_secs(10);
/// How long a program may take to prove that it is a supervisor, and then to start the command.
pub const HANDSHAKE_WAIT: Duration = Duration::from_secs(5);
/// How long killed processes may take to be gone before the supervisor gives up on them.
pub const KILL_WAIT: Duration = Duration::from_secs(10);
/// How long [`adopt`](crate::adopt) waits for a supervisor that is just starting or just ending.
pub const ADOPT_WAIT: Duration = Duration::from_secs(2);
/// The most bytes of arguments, environment and paths. The system's own limit is lower.
pub const COMMAND_BYTES_MAX: usize = 8 << 20;

/// The most bytes of the part of a message that is JSON.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// The most open files that come with a message: standard input, output and error.
pub(crate) const FILES_MAX: usize = 3;
/// The most adopters at a time.
pub(crate) const ADOPTERS_MAX: usize = 8;
/// How often the members of a tree are killed again until they are gone.
pub(crate) const KILL_INTERVAL: Duration = Duration::from_millis(10);
/// How often a tree is looked through for members that have not been asked to end.
pub(crate) const ASK_ROUNDS_MAX: u32 = 10;
/// How often it is looked whether a supervisor can be adopted by now.
pub(crate) const ADOPT_INTERVAL: Duration = Duration::from_millis(5);
/// What is read of a pipe at once.
pub(crate) const READ_BYTES: usize = 64 << 10;
/// How often in a row one pipe is read before others get their turn.
pub(crate) const READS_MAX: u32 = 16;
/// The same when everything that wrote to it has ended. A pipe holds 1 MiB at most as a rule, so
/// more than that comes only from a stranger who was handed its other end.
pub(crate) const LAST_READS_MAX: u32 = 256;
/// How long a report that cannot be written is kept for when it can be, if nobody listens.
pub(crate) const REPORT_WAIT: Duration = Duration::from_secs(60 * 60);
/// How often it is tried.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_secs(1);
