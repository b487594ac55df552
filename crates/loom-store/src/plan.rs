//! What a batch comes to before the database is asked. Pure: nothing here touches a database.

mod fuse;

use std::collections::BTreeMap;

use loom_core::{Batch, Claim, Held, Lane, Metadata, Op, WorkerType};
use loom_deps::Timestamp;

use crate::record::Record;

/// A batch, ready to be applied.
pub(crate) struct Plan {
    pub(crate) batch: Batch,
    /// The row of the instance that sends it.
    pub(crate) instance: i64,
    /// What goes with each operation.
    pub(crate) notes: Vec<Note>,
}

/// What is worked out for an operation before it is its turn.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Note {
    /// When the task of an insert starts, if the claim of its batch is sure to take it.
    pub(crate) starts: Option<Timestamp>,
    /// The JSON of the parts of a task that have no column; `None` if there is nothing of it.
    pub(crate) request: Option<String>,
    /// The JSON of the metadata that are stored.
    pub(crate) metadata: Option<String>,
}

impl Plan {
    /// The plan of `batch`, which comes from the instance in row `instance`.
    pub(crate) fn new(batch: &Batch, instance: i64) -> Self {
        let mut notes: Vec<Note> = batch.ops.iter().map(note).collect();
        for (op, start) in fuse::starts(batch, claim(batch)) {
            if let Some(note) = notes.get_mut(op) {
                note.starts = Some(start);
            }
        }
        Self { batch: batch.clone(), instance, notes }
    }

    /// Whether there are inserts that can go in as claimed while these accounts are held. If some of
    /// them may not start, all are left to the claim.
    pub(crate) fn can_fuse(&self, held: &[Held]) -> bool {
        let ops = self.batch.ops.iter().zip(&self.notes);
        let mut starts = ops.filter(|(_, note)| note.starts.is_some()).peekable();
        let Some(claim) = claim(&self.batch).filter(|_| starts.peek().is_some()) else {
            return false;
        };
        held.is_empty() || {
            let open = rooms(claim, held);
            starts.all(|(op, _)| match op {
                Op::Insert(new) => open.contains_key(&new.request.worker_type),
                _ => true,
            })
        }
    }

    /// The batch is a claim and nothing else: it may turn out that there is nothing to write.
    pub(crate) fn only_claims(&self) -> bool {
        self.batch.ops.iter().all(|op| matches!(op, Op::Claim(_)))
    }
}

fn note(op: &Op) -> Note {
    match op {
        Op::Insert(new) => Note {
            starts: None,
            request: json(&Record::of(new)),
            metadata: json(&new.request.metadata),
        },
        Op::Import(imported) => {
            let task = imported.as_task();
            let (request, metadata) = (json(&Record::of_task(task)), json(&task.metadata));
            Note { starts: None, request, metadata }
        }
        Op::Apply(change) => {
            // Metadata that are emptied are written, too.
            let whole = |metadata: &Metadata| serde_json::to_string(metadata).ok();
            Note { metadata: change.ended.metadata.as_ref().and_then(whole), ..Note::default() }
        }
        _ => Note::default(),
    }
}

/// The JSON of a value, unless it is that of nothing.
fn json(value: &impl serde::Serialize) -> Option<String> {
    // Neither requests nor metadata hold anything that JSON cannot.
    serde_json::to_string(value).ok().filter(|json| json != "{}")
}

/// The claim of a batch, of which there is at most one.
pub(crate) fn claim(batch: &Batch) -> Option<&Claim> {
    batch.ops.iter().find_map(|op| match op {
        Op::Claim(claim) => Some(claim),
        _ => None,
    })
}

/// The lanes of a claim. Of two for one worker type the last counts.
pub(crate) fn lanes(claim: &Claim) -> BTreeMap<&WorkerType, &Lane> {
    claim.lanes.iter().map(|lane| (&lane.worker_type, lane)).collect()
}

/// How much room the lanes of a claim have that are open while these accounts are held.
pub(crate) fn rooms<'c>(claim: &'c Claim, held: &[Held]) -> BTreeMap<&'c WorkerType, u32> {
    let open = lanes(claim).into_iter().filter(|(_, lane)| lane.held_until(held).is_none());
    open.map(|(worker_type, lane)| (worker_type, lane.limit)).collect()
}
