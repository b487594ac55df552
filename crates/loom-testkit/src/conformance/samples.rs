//! Tasks, times and changes to test with.

use loom_core::{
    Cancel, Claim, ClaimScope, Ended, FailureCode, Kind, Lane, NewTask, Op, ProgressReport,
    RetryReason, Task, TaskId, TaskRequest, Transition,
};
use loom_deps::Timestamp;

use super::harness::must;

/// The worker type of most tasks here.
pub(super) const WORK: &str = "work";

/// So many seconds after a moment that all cases count from.
pub(super) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000)
}

pub(super) fn id(text: &str) -> TaskId {
    must(TaskId::new(text), "an id of the suite is an id")
}

pub(super) fn request() -> TaskRequest {
    TaskRequest::new(WORK, "do it")
}

/// A task of the engine `default`, submitted at second 0.
pub(super) fn new_task(name: &str, request: TaskRequest) -> NewTask {
    NewTask {
        id: id(name),
        engine_name: "default".to_owned(),
        request,
        created_at: at(0),
        pinned_to: None,
        daemon_id: None,
    }
}

pub(super) fn plain(name: &str) -> NewTask {
    new_task(name, request())
}

/// A plain task that is due at second `seconds`.
pub(super) fn due(name: &str, seconds: i64) -> NewTask {
    new_task(name, request().run_at(at(seconds)))
}

pub(super) fn insert(new: NewTask) -> Op {
    Op::Insert(Box::new(new))
}

pub(super) fn apply(transition: Transition) -> Op {
    Op::Apply(Box::new(transition))
}

pub(super) fn cancel(task: &TaskId, seconds: i64) -> Op {
    Op::Cancel(Cancel { task: task.clone(), at: at(seconds) })
}

pub(super) fn progress(task: &Task, line: &str, lines: u64, seconds: i64) -> ProgressReport {
    ProgressReport {
        task: task.id.clone(),
        epoch: task.epoch,
        line: line.to_owned(),
        lines,
        at: at(seconds),
    }
}

/// A claim of the engine `default` for plain tasks, at second `seconds`.
pub(super) fn claim(limit: u32, seconds: i64) -> Claim {
    Claim {
        engine_name: "default".to_owned(),
        scope: ClaimScope::Shared,
        lanes: vec![lane(WORK, u32::MAX)],
        limit,
        now: at(seconds),
    }
}

pub(super) fn lane(worker_type: &str, limit: u32) -> Lane {
    Lane::new(worker_type, limit)
}

/// An attempt that went well.
pub(super) fn well() -> Ended {
    Ended { result: "done".to_owned(), ..Ended::default() }
}

/// An attempt that did not, and left something of everything.
pub(super) fn badly() -> Ended {
    let mut metadata = loom_core::Metadata::new();
    metadata.insert("exit_code".to_owned(), 7.into());
    Ended {
        result: "half of it".to_owned(),
        error: Some("it broke".to_owned()),
        failure: Some(FailureCode::WorkerError),
        metadata: Some(metadata),
    }
}

/// A change of this kind to `task` as it is. Of a claim there is none, so it says `None`.
pub(super) fn transition(kind: Kind, task: &Task, seconds: i64) -> Option<Transition> {
    let now = at(seconds);
    Some(match kind {
        Kind::Dispatch => Transition::dispatch(task, now),
        Kind::Start => Transition::start(task, now),
        Kind::Complete => Transition::complete(task, now, well()),
        Kind::Retry => Transition::retry(task, now, at(seconds + 30), RetryReason::Failed, badly()),
        Kind::Fail => Transition::fail(task, now, badly()),
        Kind::Crash => Transition::crash(task, now, badly()),
        Kind::Abandon => Transition::abandon(task, now, badly()),
        Kind::Cancel => Transition::cancel(task, now, badly()),
        _ => return None,
    })
}
