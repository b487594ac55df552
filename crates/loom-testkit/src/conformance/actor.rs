//! An instance that has joined the store under test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loom_core::{
    Applied, Batch, Claim, Committed, Instance, InstanceId, Membership, NewTask, Op, StoreError,
    Task, TaskId, TaskStatus, TaskStore, Transition,
};

use super::harness::{broken, must, only};
use super::samples::{apply, at, badly, insert, plain, transition, well};

/// An instance that has joined, numbers its batches and expects them to be taken.
pub(super) struct Actor {
    pub(super) instance: Instance,
    pub(super) membership: Box<dyn Membership>,
    store: Arc<dyn TaskStore>,
    batches: AtomicU64,
}

impl Actor {
    pub(super) async fn join(store: Arc<dyn TaskStore>, engine_name: &str, number: u64) -> Self {
        let id = InstanceId::new(format!("instance-{number}"));
        let id = must(id, "an id of the suite is an id");
        let instance = Instance::new(id, engine_name, at(0));
        let membership = must(store.join(&instance).await, "an instance can join");
        Self { instance, membership, store, batches: AtomicU64::new(0) }
    }

    pub(super) fn id(&self) -> &InstanceId {
        &self.instance.id
    }

    /// A batch with the next number.
    pub(super) fn batch(&self, ops: Vec<Op>) -> Batch {
        Batch {
            instance: self.instance.id.clone(),
            number: self.batches.fetch_add(1, Ordering::Relaxed) + 1,
            ops,
        }
    }

    pub(super) async fn send(&self, batch: &Batch) -> Result<Committed, StoreError> {
        self.store.commit(batch).await
    }

    /// Commits, and expects an answer to each op.
    pub(super) async fn commit(&self, ops: Vec<Op>) -> Committed {
        let batch = self.batch(ops);
        let committed = must(self.send(&batch).await, "a sound batch is taken");
        let (ops, answers) = (batch.ops.len(), committed.applied.len());
        assert_eq!(answers, ops, "every op of a batch has an answer");
        committed
    }

    pub(super) async fn answer(&self, op: Op) -> Applied {
        let committed = self.commit(vec![op]).await;
        only(committed.applied, "every op of a batch has an answer")
    }

    /// Inserts a task that was not there; its number.
    pub(super) async fn insert(&self, new: NewTask) -> i64 {
        match self.answer(insert(new)).await {
            Applied::Inserted { seq } => seq,
            other => broken(&format!("a new task is inserted (the answer was {other:?})")),
        }
    }

    pub(super) async fn insert_all(&self, tasks: impl IntoIterator<Item = NewTask>) {
        self.commit(tasks.into_iter().map(insert).collect()).await;
    }

    pub(super) async fn claim(&self, claim: Claim) -> Committed {
        self.commit(vec![Op::Claim(claim)]).await
    }

    /// Claims; the ids of what was taken.
    pub(super) async fn take(&self, claim: Claim) -> Vec<TaskId> {
        let claimed = self.claim(claim).await.claimed;
        claimed.into_iter().map(|task| task.id).collect()
    }

    /// Applies a change that must be possible; the task as it is then.
    pub(super) async fn change(&self, change: Transition) -> Task {
        let id = change.task.clone();
        let kind = change.kind;
        match self.answer(apply(change)).await {
            Applied::Changed { .. } => self.read(&id).await,
            other => broken(&format!("{kind:?} is applied (the answer was {other:?})")),
        }
    }

    pub(super) async fn read(&self, id: &TaskId) -> Task {
        let found = self.store.get(std::slice::from_ref(id)).await;
        only(must(found, "tasks can be read by their ids"), "a stored task can be read")
    }

    /// A task of this name that is in the hands of this actor and runs since second 2.
    pub(super) async fn running(&self, name: &str) -> Task {
        self.bring(plain(name), TaskStatus::Running).await
    }

    /// A new task that has been brought to `status` by this actor, within the first three seconds.
    pub(super) async fn bring(&self, new: NewTask, status: TaskStatus) -> Task {
        let id = new.id.clone();
        self.insert(new).await;
        let mut task = self.read(&id).await;
        if matches!(status, TaskStatus::Pending) {
            return task;
        }
        task = self.change(Transition::dispatch(&task, at(1))).await;
        if matches!(status, TaskStatus::Dispatched) {
            return task;
        }
        task = self.change(Transition::start(&task, at(2))).await;
        let Some(last) = last_step(&task, status) else {
            return task;
        };
        self.change(last).await
    }
}

/// What takes a running task to `status` at second 3.
fn last_step(task: &Task, status: TaskStatus) -> Option<Transition> {
    match status {
        TaskStatus::Completed => Some(Transition::complete(task, at(3), well())),
        TaskStatus::Failed => Some(Transition::fail(task, at(3), badly())),
        TaskStatus::FailedCrash => Some(Transition::crash(task, at(3), badly())),
        TaskStatus::Cancelled => Some(Transition::cancel(task, at(3), badly())),
        TaskStatus::Retrying => transition(loom_core::Kind::Retry, task, 3),
        _ => None,
    }
}
