//! What the end of a command means for its attempt.

use std::time::Duration;

use loom_core::{CancelReason, FailureCode, Task, WorkerError, WorkerResult, first_bytes};
use serde_json::Value;

use crate::capture::Capture;
use crate::keys;
use crate::runner::{Exit, ExitStatus};
use crate::signals;

/// How much of what a command said last an error repeats.
const LAST_WORDS_BYTES_MAX: usize = 512;

/// What a command has produced.
pub(crate) struct Produced {
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
    pub(crate) took: Duration,
}

impl Produced {
    /// The result that this makes for `task`, and what was said on standard error.
    fn into_result(self, task: &Task, more: WorkerResult) -> (WorkerResult, String) {
        let (is_cut, bytes) = (self.stdout.is_cut(), self.stdout.total());
        let said = self.stderr.into_text();
        let mut result =
            WorkerResult::new(self.stdout.into_text()).with(keys::DURATION_MS, millis(self.took));
        if is_cut {
            result = result.with(keys::OUTPUT_TRUNCATED, true).with(keys::OUTPUT_BYTES, bytes);
        }
        if !said.is_empty() {
            result = result.with(keys::STDERR, said.as_str());
        }
        result.metadata.extend(more.metadata);
        forget_earlier(&mut result, task);
        (result, said)
    }
}

/// Metadata is merged: what an earlier attempt has said must be taken back expressly.
fn forget_earlier(result: &mut WorkerResult, task: &Task) {
    for key in keys::OF_AN_ATTEMPT {
        if task.metadata.contains_key(key) && !result.metadata.contains_key(key) {
            result.metadata.insert(key.to_owned(), Value::Null);
        }
    }
}

/// The result of an attempt whose command ended.
pub(crate) fn ended(
    task: &Task,
    exit: Exit,
    reason: Option<CancelReason>,
    retries: bool,
    produced: Produced,
) -> Result<WorkerResult, WorkerError> {
    let took = produced.took;
    let (result, said) = produced.into_result(task, told_by(exit));
    if exit.stopped {
        return Err(stopped(reason, task.timeout.unwrap_or(took)).with_output(result));
    }
    let (code, message) = match exit.status {
        ExitStatus::Code(0) => return Ok(result),
        ExitStatus::Code(code) => (FailureCode::ExitStatus, format!("exit status {code}")),
        ExitStatus::Signal(number) => {
            let message = format!("ended by {}", signals::name(number));
            (FailureCode::Signal, message)
        }
    };
    let message = with_last_words(message, &said);
    let error =
        if retries { WorkerError::transient(message) } else { WorkerError::permanent(message) };
    Err(error.with_code(code).with_output(result))
}

/// The error of an attempt whose command could not be run, or not to its end.
pub(crate) fn not_run(task: &Task, mut error: WorkerError, produced: Produced) -> WorkerError {
    let more = error.take_output().unwrap_or_default();
    let (result, _) = produced.into_result(task, more);
    error.with_output(result)
}

/// The error of an attempt that was told to stop, for `reason`, `after` a time.
pub(crate) fn stopped(reason: Option<CancelReason>, after: Duration) -> WorkerError {
    match reason {
        Some(CancelReason::Timeout) => WorkerError::timeout(format!("timed out after {after:?}")),
        _ => WorkerError::cancelled(),
    }
}

/// What the end itself tells.
fn told_by(exit: Exit) -> WorkerResult {
    let mut result = match exit.status {
        ExitStatus::Code(code) => WorkerResult::default().with(keys::EXIT_CODE, code),
        ExitStatus::Signal(number) => WorkerResult::default().with(keys::SIGNAL, number),
    };
    if exit.core_dumped {
        result = result.with(keys::CORE_DUMPED, true);
    }
    let Some(usage) = exit.usage else { return result };
    result = result.with(keys::USER_TIME_MS, millis(usage.user));
    result = result.with(keys::SYSTEM_TIME_MS, millis(usage.system));
    match usage.peak_memory_bytes {
        Some(bytes) => result.with(keys::PEAK_MEMORY_BYTES, bytes),
        None => result,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Adds the last line of standard error that is not blank: most programs say there what is wrong.
fn with_last_words(message: String, said: &str) -> String {
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    match last {
        Some(line) => format!("{message}: {}", first_bytes(line, LAST_WORDS_BYTES_MAX)),
        None => message,
    }
}
