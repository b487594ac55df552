//! Every bound that loom has by default, by name, with its unit last.
//!
//! A bound that can be changed says where. The others are part of the contract.

use std::time::Duration;

/// Longest task id.
pub const TASK_ID_BYTES_MAX: usize = 64;
/// Longest worker type, project id, request id, engine name, cli, role, model or effort.
pub const NAME_BYTES_MAX: usize = 256;
/// Longest prompt.
pub const PROMPT_BYTES_MAX: usize = 1 << 20;
/// Longest working directory.
pub const CWD_BYTES_MAX: usize = 4096;
/// Largest sum of all names and values of a task's environment.
pub const ENV_BYTES_MAX: usize = 128 << 10;
/// Largest metadata, as JSON.
pub const METADATA_BYTES_MAX: usize = 1 << 20;
/// Longest result that a task keeps; beyond it head and tail stay.
pub const RESULT_BYTES_MAX: usize = 8 << 20;
/// Longest error text that a task keeps.
pub const ERROR_BYTES_MAX: usize = 8 << 10;
/// Longest progress line that a task keeps.
pub const PROGRESS_LINE_BYTES_MAX: usize = 100;
/// Shortest time between two writes of one task's progress.
pub const PROGRESS_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Attempts at once in one engine. Builder: `max_running`.
pub const RUNNING_MAX: usize = 1024;
/// Submissions that wait for a commit; beyond it `submit` waits.
pub const WRITE_QUEUE_MAX: usize = 10_000;
/// Operations in one commit.
pub const BATCH_OPS_MAX: usize = 1000;
/// Sum of the texts in one commit, beyond which it takes no further operation.
pub const BATCH_BYTES_MAX: usize = 32 << 20;

/// Retries after the first attempt. Builder and request: `max_retries`.
pub const RETRIES_DEFAULT: u32 = 2;
/// Most retries a request may ask for.
pub const RETRIES_MAX: u32 = 1000;
/// Longest wait for a limit to reset; a later reset fails the task at once.
pub const PARKED_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Most times that one task waits for a limit to reset, is given back or is re-run after a crash,
/// each counted alone.
pub const UNCOUNTED_MAX: u32 = 100;
/// Earlier attempts that stay readable.
pub const ATTEMPTS_KEPT_MAX: u32 = 100;
/// How much of an earlier attempt's output is kept.
pub const ATTEMPT_OUTPUT_BYTES_MAX: usize = 64 << 10;

/// How much of a task's output is kept on disk while it comes; beyond it beginning and end stay.
/// Store: `output_max`.
pub const OUTPUT_BYTES_MAX: usize = 16 << 20;
/// How much of a task's output a store in memory keeps.
pub const OUTPUT_MEMORY_BYTES_MAX: usize = 1 << 20;
/// How much of the latest output is kept of a task that has printed more than its cap.
pub const OUTPUT_TAIL_BYTES_MAX: usize = 256 << 10;
/// Longest wait at the end of an attempt for its output to be kept.
pub const OUTPUT_WAIT_MAX: Duration = Duration::from_secs(5);
/// How much of the latest lines of an attempt is looked at to choose what its progress shows.
pub const PROGRESS_SEEN_BYTES_MAX: usize = 8 << 10;

/// How long an attempt may take to return after it was told to stop. Builder: `cancel_grace`.
pub const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// How long a submission waits for a store that is away.
pub const STORE_WAIT_MAX: Duration = Duration::from_secs(30);

/// Tasks in a page, unless the query says otherwise.
pub const PAGE_DEFAULT: u32 = 100;
/// Most tasks in a page.
pub const PAGE_MAX: u32 = 1000;

/// Events that wait for callbacks; beyond it new submissions wait.
pub const CALLBACK_QUEUE_MAX: usize = 65_536;
/// Events that wait for one reader of a stream; beyond it the reader learns what it missed.
pub const EVENT_STREAM_MAX: usize = 4096;
/// How long `submit` waits for its `created` event to be delivered to callbacks.
pub const CREATED_DELIVERY_MAX: Duration = Duration::from_secs(1);
