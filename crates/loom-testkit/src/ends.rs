//! Asserting how tasks end.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use loom_core::{Result, Task, TaskStatus};

use crate::within::within;

/// How long a task may take to end, in real time. Longer than anything takes on a busy machine.
const END_MAX: Duration = Duration::from_secs(60);

/// Waits for a task's end and asserts that it completed. Returns the task.
///
/// Takes what waits for the end: `engine.wait(id)`, `engine.cancel_and_wait(id)` and the like.
/// Needs a tokio runtime with time.
///
/// # Panics
/// If the task ended otherwise, with its error, its progress and its attempts; if it cannot be
/// waited for; if it has not ended within a minute.
///
/// ```
/// use loom_testkit::assert_completed;
///
/// # use loom_core::{NewTask, TaskId, TaskRequest, Transition, Ended};
/// # use loom_deps::Timestamp;
/// # let now = Timestamp::from_micros(0);
/// # let id = TaskId::new("id-0").unwrap();
/// # let new = NewTask {
/// #     id: id.clone(),
/// #     engine_name: "default".into(),
/// #     request: TaskRequest::new("greet", "world"),
/// #     created_at: now,
/// #     pinned_to: None,
/// #     daemon_id: None,
/// # };
/// # let mut task = new.into_task(1);
/// # let me = "me".parse().unwrap();
/// # task.claim(&me, now);
/// # let ended = Ended { result: "hello world".into(), ..Ended::default() };
/// # task.apply(&Transition::complete(&task, now, ended), &me);
/// # struct Engine(loom_core::Task);
/// # impl Engine {
/// #     async fn wait(&self, _: &TaskId) -> loom_core::Result<loom_core::Task> {
/// #         Ok(self.0.clone())
/// #     }
/// # }
/// # let engine = Engine(task);
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let task = assert_completed(engine.wait(&id)).await;
/// assert_eq!(task.result, "hello world");
/// # });
/// ```
#[track_caller]
pub fn assert_completed(waiting: impl Future<Output = Result<Task>>) -> impl Future<Output = Task> {
    assert_ended(waiting, TaskStatus::Completed)
}

/// Waits for a task's end and asserts that it has this status then. Returns the task.
///
/// # Panics
/// As [`assert_completed`].
#[track_caller]
pub fn assert_ended(
    waiting: impl Future<Output = Result<Task>>,
    status: TaskStatus,
) -> impl Future<Output = Task> {
    let caller = Location::caller();
    let ending = within(END_MAX, waiting);
    async move {
        match ending.await {
            Ok(task) if task.status == status => task,
            Ok(task) => fail(caller, &format!("wanted a {status} task, but {}", Told(&task))),
            Err(error) => fail(caller, &format!("wanted a {status} task, but: {error}")),
        }
    }
}

fn fail(caller: &Location<'_>, said: &str) -> ! {
    #[expect(clippy::panic, reason = "a task that ends otherwise fails its test")]
    {
        panic!("{caller}: {said}")
    }
}

/// A task in the words of a failed test.
struct Told<'a>(&'a Task);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = self.0;
        write!(f, "task {} is {} after {} attempts", task.id, task.status, task.attempt)?;
        write!(f, " and {} retries", task.retries)?;
        if let Some(error) = &task.error {
            write!(f, "\n  error: {error}")?;
        }
        if let Some(failure) = task.failure {
            write!(f, "\n  code: {failure}")?;
        }
        if !task.progress.is_none() {
            write!(f, "\n  progress: {} ({} lines)", task.progress.line, task.progress.lines)?;
        }
        Ok(())
    }
}
