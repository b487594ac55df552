//! Tasks and times to test with.

use loom_core::{InstanceId, NewTask, Task, TaskId, TaskRequest, TaskStatus, Transition};
use loom_deps::Timestamp;

pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000)
}

pub(crate) fn task_of(request: TaskRequest) -> Task {
    let new = NewTask {
        id: TaskId::new("id-0").unwrap(),
        engine_name: "default".to_owned(),
        request,
        created_at: at(0),
        pinned_to: None,
        daemon_id: None,
    };
    new.into_task(1)
}

pub(crate) fn task() -> Task {
    task_of(TaskRequest::new("work", "do it"))
}

pub(crate) fn me() -> InstanceId {
    InstanceId::new("me").unwrap()
}

/// A task that was claimed at second 1 and runs.
pub(crate) fn running() -> Task {
    let mut task = task();
    task.claim(&me(), at(1));
    assert_eq!(task.status, TaskStatus::Running);
    task
}

/// A task that was taken at second 1 and has not started.
pub(crate) fn dispatched() -> Task {
    let mut task = task();
    let taken = Transition::dispatch(&task, at(1));
    task.apply(&taken, &me());
    assert_eq!(task.status, TaskStatus::Dispatched);
    task
}
