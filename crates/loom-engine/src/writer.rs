//! The one writer: gathers what is to be stored, commits it together, and answers afterwards.
//!
//! It takes one request, then whatever else is waiting up to a limit, commits once, hands the
//! commit to the recorder, starts what the commit claimed, and only then answers: an answer is a
//! promise. The writer is a task of its own, so nobody who stops waiting can stop a commit.

mod commit;
mod inbox;

use std::sync::Arc;

use loom_core::limits::WRITE_QUEUE_MAX;
use loom_core::{
    Applied, Cancel, Hold, Imported, NewTask, Op, ProgressReport, Prune, StoreError, Task,
    Transition,
};
use loom_deps::Timestamp;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::inbox::Inbox;
use crate::slots::Slot;

/// The way to the writer.
pub(crate) struct Writer {
    /// Ends, cancels and progress: they never wait behind new tasks.
    changes: mpsc::Sender<Request>,
    inserts: mpsc::Sender<Request>,
    polls: mpsc::Sender<Poll>,
}

/// Something to be stored.
struct Request {
    op: Op,
    /// The task that it is about, where that is known.
    about: Option<Arc<Task>>,
    /// Since when it waits; `None` if it waits however long the store is away.
    since: Option<Timestamp>,
    /// The slot of the attempt that it ends; free once the end is durable.
    slot: Option<Slot>,
    answer: Option<Answer>,
    /// What is to be done in the same commit, so that neither is stored without the other.
    then: Option<Box<Request>>,
}

type Answer = oneshot::Sender<Result<Receipt, StoreError>>;

/// Asks for a claim, although there may be nothing to store; told when it has been made.
type Poll = oneshot::Sender<()>;

/// What became of an operation.
pub(crate) struct Receipt {
    pub(crate) applied: Applied,
    /// The number of the last event that had been told by then.
    pub(crate) sequence: u64,
}

/// The end of an attempt.
pub(crate) struct Ended {
    pub(crate) task: Option<Arc<Task>>,
    pub(crate) transition: Transition,
    /// Who is to be held back because of what the attempt has met.
    pub(crate) hold: Option<Hold>,
    pub(crate) slot: Slot,
}

impl Writer {
    pub(crate) fn new() -> (Self, Inbox) {
        let (changes, changes_inbox) = mpsc::channel(WRITE_QUEUE_MAX);
        let (inserts, inserts_inbox) = mpsc::channel(WRITE_QUEUE_MAX);
        let (polls, polls_inbox) = mpsc::channel(1);
        let inbox = Inbox::new(changes_inbox, inserts_inbox, polls_inbox);
        (Self { changes, inserts, polls }, inbox)
    }

    /// Stores a new task. Once it waits in the queue it is stored even if nobody waits for it.
    pub(crate) async fn insert(&self, task: NewTask) -> Result<Receipt, StoreError> {
        ask(&self.inserts, Request::insert(task)).await
    }

    /// Stores a new task and changes it at once, in one commit.
    pub(crate) async fn insert_changed(
        &self,
        new: NewTask,
        task: Arc<Task>,
        transition: Transition,
    ) -> Result<Receipt, StoreError> {
        let then = Some(Box::new(Request::apply(Some(task), transition)));
        ask(&self.inserts, Request { then, ..Request::insert(new) }).await
    }

    /// Puts a task of another system into the queue, from where on it is stored even if nobody waits.
    /// What is returned waits for the answer.
    pub(crate) async fn import(
        &self,
        task: Imported,
        since: Timestamp,
    ) -> Result<impl Future<Output = Result<Receipt, StoreError>> + Send + use<>, StoreError> {
        let request = Request::new(Op::Import(Box::new(task)), None, since);
        enqueue(&self.inserts, request).await
    }

    /// Hands over the end of an attempt. It is stored however long the store is away.
    pub(crate) async fn end(&self, ended: Ended) {
        let Ended { task, transition, hold, slot } = ended;
        let held = hold.map(|hold| Request { since: None, ..Request::hold(hold) });
        let (slot, then) = (Some(slot), held.map(Box::new));
        let request = Request { slot, since: None, then, ..Request::apply(task, transition) };
        // The writer outlives every attempt: it stops only when no slot is taken.
        let _ = self.changes.send(request).await;
    }

    /// Changes a task that no attempt here is at.
    pub(crate) async fn apply(
        &self,
        task: Option<Arc<Task>>,
        transition: Transition,
    ) -> Result<Receipt, StoreError> {
        ask(&self.changes, Request::apply(task, transition)).await
    }

    /// Records a cancel.
    pub(crate) async fn cancel(&self, cancel: Cancel) -> Result<Receipt, StoreError> {
        let since = cancel.at;
        ask(&self.changes, Request::new(Op::Cancel(cancel), None, since)).await
    }

    /// Removes tasks that have ended.
    pub(crate) async fn prune(
        &self,
        prune: Prune,
        since: Timestamp,
    ) -> Result<Receipt, StoreError> {
        ask(&self.changes, Request::new(Op::Prune(prune), None, since)).await
    }

    /// Holds an account back, or releases it.
    pub(crate) async fn hold(&self, hold: Hold) -> Result<Receipt, StoreError> {
        ask(&self.changes, Request::hold(hold)).await
    }

    /// Records progress.
    pub(crate) async fn report(
        &self,
        task: &Arc<Task>,
        report: ProgressReport,
    ) -> Result<Receipt, StoreError> {
        let (about, since) = (Some(Arc::clone(task)), report.at);
        ask(&self.changes, Request::new(Op::Progress(report), about, since)).await
    }

    /// Claims what is due. Returns when that has been done, or cannot be: then it says so.
    pub(crate) async fn poll(&self) -> bool {
        let (poll, polled) = oneshot::channel();
        self.polls.send(poll).await.is_ok() && polled.await.is_ok()
    }
}

impl Request {
    fn new(op: Op, about: Option<Arc<Task>>, since: Timestamp) -> Self {
        Self { op, about, since: Some(since), slot: None, answer: None, then: None }
    }

    fn insert(task: NewTask) -> Self {
        let since = task.created_at;
        Self::new(Op::Insert(Box::new(task)), None, since)
    }

    fn apply(task: Option<Arc<Task>>, transition: Transition) -> Self {
        let since = transition.at;
        Self::new(Op::Apply(Box::new(transition)), task, since)
    }

    fn hold(hold: Hold) -> Self {
        let since = hold.at;
        Self::new(Op::Hold(hold), None, since)
    }
}

async fn ask(queue: &mpsc::Sender<Request>, request: Request) -> Result<Receipt, StoreError> {
    enqueue(queue, request).await?.await
}

async fn enqueue(
    queue: &mpsc::Sender<Request>,
    mut request: Request,
) -> Result<impl Future<Output = Result<Receipt, StoreError>> + Send + use<>, StoreError> {
    let (answer, answered) = oneshot::channel();
    request.answer = Some(answer);
    queue.send(request).await.map_err(|_| StoreError::Closed)?;
    Ok(async move { answered.await.unwrap_or(Err(StoreError::Closed)) })
}
