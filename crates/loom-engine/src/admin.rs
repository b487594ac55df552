//! What operators do: ending tasks by hand, and reporting progress from outside an attempt.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use loom_core::limits::{ERROR_BYTES_MAX, PAGE_MAX};
use loom_core::{
    Applied, CancelReason, Ended, FailureCode, Order, ProgressReport, Result, TaskId, TaskQuery,
    TaskStatus, TaskSummary, Transition, head_and_tail,
};
use loom_deps::Timestamp;

use crate::engine::Engine;

/// How often a task that changes meanwhile is looked at again.
const LOOKS_MAX: usize = 8;

impl Engine {
    /// Ends a task as failed, whatever it is about, with `error` as its error and without a result.
    /// An attempt at it, if it runs here, is told to stop, and what it returns is dropped.
    ///
    /// Returns the status that the task had, or `None` if it had ended already.
    ///
    /// # Errors
    /// [`Error::NotFound`](loom_core::Error::NotFound) for an unknown id,
    /// [`Error::Store`](loom_core::Error::Store) if the store failed.
    pub async fn fail_active(
        &self,
        id: impl AsRef<str>,
        error: impl Into<String>,
    ) -> Result<Option<TaskStatus>> {
        let (id, cx) = (id.as_ref(), self.cx());
        let error = error.into();
        for _ in 0..LOOKS_MAX {
            let task = self.get(id).await?;
            if task.status.is_terminal() {
                return Ok(None);
            }
            let (task_id, former) = (task.id.clone(), task.status);
            let error = cx.redactor(&task).redact(&error).into_owned();
            let transition = Transition::fail(&task, cx.now(), by_hand(error));
            let receipt = cx.writer.apply(Some(Arc::new(task)), transition).await?;
            if let Applied::Changed { .. } = receipt.applied {
                cx.dispatch.cancel(&task_id, CancelReason::Lost);
                return Ok(Some(former));
            }
        }
        Ok(None)
    }

    /// Ends every task of a project of this engine that has not ended, as
    /// [`fail_active`](Engine::fail_active) does, and returns how many.
    ///
    /// # Errors
    /// As [`fail_active`](Engine::fail_active); some may have been ended then.
    pub async fn fail_active_for_project(
        &self,
        project_id: impl Into<String>,
        error: impl Into<String>,
    ) -> Result<u64> {
        let query = TaskQuery::all().project(project_id).statuses(active());
        self.fail_listed(query, error.into(), |_| true).await
    }

    /// Ends every task of this engine that has not ended, as [`fail_active`](Engine::fail_active)
    /// does, and returns how many.
    ///
    /// # Errors
    /// As [`fail_active`](Engine::fail_active); some may have been ended then.
    pub async fn fail_all_active(&self, error: impl Into<String>) -> Result<u64> {
        self.fail_listed(TaskQuery::all().statuses(active()), error.into(), |_| true).await
    }

    /// Ends every running task of this engine that has shown no sign of life for `silence`: neither
    /// reported progress nor been started since. Returns how many.
    ///
    /// Silence alone is no proof that a command is stuck; a timeout of the task is the better tool.
    ///
    /// # Errors
    /// As [`fail_active`](Engine::fail_active); some may have been ended then.
    pub async fn fail_stale_running(
        &self,
        silence: Duration,
        error: impl Into<String>,
    ) -> Result<u64> {
        let before = self.cx().now().saturating_sub(silence);
        let query = TaskQuery::all().statuses([TaskStatus::Running]);
        self.fail_listed(query, error.into(), |task| last_sign(task) < before).await
    }

    async fn fail_listed(
        &self,
        query: TaskQuery,
        error: String,
        meant: impl Fn(&TaskSummary) -> bool,
    ) -> Result<u64> {
        let mut failed = 0;
        let mut query = query.order(Order::OldestFirst).limit(PAGE_MAX);
        loop {
            let page = self.list(query.clone()).await?;
            let tasks = page.tasks.into_iter().filter(&meant);
            let mut ends: FuturesUnordered<_> =
                tasks.map(|task| self.fail_active(task.id, error.clone())).collect();
            while let Some(former) = ends.next().await {
                failed += u64::from(former?.is_some());
            }
            if page.next.is_none() {
                return Ok(failed);
            }
            query = query.after(page.next);
        }
    }

    /// Reports progress of a task from outside its attempt. Each line counts, and the last one that
    /// is not blank is kept. A task that does not run, or is unknown, is left as it is.
    ///
    /// Returns the project of the task if the report was taken.
    ///
    /// # Errors
    /// [`Error::Store`](loom_core::Error::Store) if the store failed.
    pub async fn append_progress(&self, id: impl AsRef<str>, text: &str) -> Result<Option<String>> {
        let cx = self.cx();
        let Ok(id) = TaskId::new(id.as_ref()) else { return Ok(None) };
        let Some(task) = cx.store.get(&[id]).await?.pop() else { return Ok(None) };
        let text = cx.redactor(&task).redact(text).into_owned();
        let report = ProgressReport::of(&task, &text, cx.now());
        let task = Arc::new(task);
        let taken = cx.writer.report(&task, report).await?;
        Ok(matches!(taken.applied, Applied::Reported).then(|| task.project_id.clone()))
    }
}

fn active() -> impl Iterator<Item = TaskStatus> {
    TaskStatus::ALL.into_iter().filter(|status| status.is_active())
}

fn by_hand(error: String) -> Ended {
    let error = head_and_tail(error, ERROR_BYTES_MAX);
    Ended { error: Some(error), failure: Some(FailureCode::Interrupted), ..Ended::default() }
}

fn last_sign(task: &TaskSummary) -> Timestamp {
    let begun = task.started_at.or(task.dispatched_at).unwrap_or(task.created_at);
    task.progress.at.map_or(begun, |at| at.max(begun))
}
