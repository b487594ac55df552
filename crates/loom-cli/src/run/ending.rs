//! What the end of a task means for the process that watched it.

use loom::{FailureCode, Task, TaskStatus};

use crate::say;

const TIMEOUT: u8 = 124;
const LOOM_FAILED: u8 = 125;
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;
const BY_SIGNAL: u8 = 128;

/// An exit code, and the word that says why it is not the command's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) code: u8,
    word: Option<&'static str>,
}

impl Ending {
    /// How `task` ended; `stopped_by` is the signal on which its end was asked for.
    pub(super) fn of(task: &Task, stopped_by: Option<u8>) -> Self {
        let loom = |code, word| Self { code, word: Some(word) };
        match (task.status, task.failure) {
            (TaskStatus::Completed, _) => Self { code: 0, word: None },
            (TaskStatus::Cancelled, _) => {
                let code = stopped_by.map_or(LOOM_FAILED, |signal| BY_SIGNAL + signal);
                loom(code, "cancelled")
            }
            (_, Some(FailureCode::ExitStatus)) => {
                Self { code: number(task, "exit_code").unwrap_or(LOOM_FAILED), word: None }
            }
            (_, Some(FailureCode::Signal)) => {
                let signal = number(task, "signal").unwrap_or_default();
                loom(BY_SIGNAL.saturating_add(signal), "signal")
            }
            (_, Some(FailureCode::Timeout)) => loom(TIMEOUT, "timeout"),
            (_, Some(FailureCode::SpawnFailed)) => match spawn_error(task) {
                Some("not_found") => loom(NOT_FOUND, "not_found"),
                _ => loom(CANNOT_RUN, "cannot_run"),
            },
            (_, code) => loom(LOOM_FAILED, code.map_or("failed", FailureCode::as_str)),
        }
    }

    /// Says what the exit code alone does not.
    pub(super) fn print(&self, task: &Task) {
        let Some(word) = self.word else { return };
        match &task.error {
            Some(error) => say::error(&format!("{error} [{word}]")),
            None => say::line(&format!("task {} {} [{word}]", task.seq, task.status)),
        }
    }
}

fn number(task: &Task, name: &str) -> Option<u8> {
    task.metadata.get(name)?.as_u64()?.try_into().ok()
}

fn spawn_error(task: &Task) -> Option<&str> {
    task.metadata.get("spawn_error")?.as_str()
}
