//! What a batch has done.

use loom_core::{
    Applied, Batch, Committed, Held, InstanceId, NewTask, Op, Task, TaskId, Unreadable,
};
use loom_deps::Timestamp;

use crate::plan;

/// What a batch has done: enough to answer it, as often as it is sent again.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// By operation.
    pub(crate) applied: Vec<Applied>,
    /// The operations whose tasks went in as claimed, the longest due first.
    pub(crate) started: Vec<usize>,
    pub(crate) claimed: Vec<Task>,
    pub(crate) unreadable: Vec<Unreadable>,
    pub(crate) asked: Vec<(TaskId, u64)>,
    pub(crate) next_due: Option<Timestamp>,
    /// The accounts of the claim's lanes that are held.
    pub(crate) held: Vec<Held>,
}

impl Outcome {
    /// The answer to `batch`, which has had this outcome.
    pub(crate) fn answer(&self, batch: &Batch) -> Committed {
        let mut committed = Committed { applied: self.applied.clone(), ..Committed::default() };
        let Some(claim) = plan::claim(batch) else { return committed };
        let started = self.started.iter().filter_map(|&op| {
            let (Op::Insert(new), Applied::Inserted { seq }) =
                (batch.ops.get(op)?, self.applied.get(op)?)
            else {
                return None;
            };
            Some(started(new, *seq, &batch.instance, claim.now))
        });
        committed.claimed = started.collect();
        committed.claimed.extend_from_slice(&self.claimed);
        committed.unreadable.clone_from(&self.unreadable);
        committed.cancels.clone_from(&self.asked);
        committed.next_due = self.next_due;
        committed.held.clone_from(&self.held);
        committed
    }
}

fn started(new: &NewTask, seq: i64, by: &InstanceId, now: Timestamp) -> Task {
    let mut task = new.clone().into_task(seq);
    task.claim(by, now);
    task
}
