//! Of what something is told, and what.

use std::time::Duration;

use loom_core::{NewTask, Task, TaskId, TaskSummary, WorkerType};
use loom_deps::Timestamp;

/// The task that something is told of.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) id: &'a TaskId,
    pub(super) project_id: &'a str,
    pub(super) request_id: Option<&'a str>,
    pub(super) worker_type: Option<&'a WorkerType>,
    pub(super) attempt: u32,
}

/// What is told of a subject.
#[derive(Clone, Copy, Default)]
pub(super) struct Telling<'a> {
    pub(super) at: Timestamp,
    pub(super) reason: Option<&'static str>,
    pub(super) error: Option<&'a str>,
    pub(super) line: Option<&'a str>,
    pub(super) took: Option<Duration>,
}

impl<'a> Subject<'a> {
    pub(super) fn of_task(task: &'a Task) -> Self {
        Self {
            id: &task.id,
            project_id: &task.project_id,
            request_id: task.request_id.as_deref(),
            worker_type: Some(&task.worker_type),
            attempt: task.attempt,
        }
    }

    pub(super) fn of_summary(task: &'a TaskSummary) -> Self {
        Self {
            id: &task.id,
            project_id: &task.project_id,
            request_id: task.request_id.as_deref(),
            worker_type: Some(&task.worker_type),
            attempt: task.attempt,
        }
    }

    pub(super) fn of_new(task: &'a NewTask) -> Self {
        Self {
            id: &task.id,
            project_id: &task.request.project_id,
            request_id: task.request.request_id.as_deref(),
            worker_type: Some(&task.request.worker_type),
            attempt: 0,
        }
    }

    /// A task of which nothing but the id is known.
    pub(super) const fn of_id(id: &'a TaskId) -> Self {
        Self { id, project_id: "", request_id: None, worker_type: None, attempt: 0 }
    }
}
