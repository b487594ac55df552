//! Inserts that can go in as claimed.
//!
//! A task that is inserted and claimed by one batch would be written twice. Where it is certain
//! which of its inserts a claim takes, they are written once, as the claim would leave them.

use std::collections::HashSet;

use loom_core::{Batch, Claim, ClaimScope, Kind, NewTask, Op, TaskId};
use loom_deps::Timestamp;

use super::rooms;

/// The inserts of `batch` that go in as claimed, by their place among its operations, and when each
/// starts; the longest due first.
///
/// Holds if nothing that the claim could take was there before, and if no account is held that one of
/// them may be charged to, which only the database can tell.
pub(super) fn starts(batch: &Batch, claim: Option<&Claim>) -> Vec<(usize, Timestamp)> {
    let mut new: Vec<(usize, &NewTask)> = new_tasks(batch).collect();
    let Some(claim) = claim.filter(|claim| is_certain(batch, &new, claim)) else {
        return Vec::new();
    };
    new.sort_by_key(|(_, task)| task.due_at());
    let mut rooms = rooms(claim, &[]);
    let mut left = claim.limit;
    let mut starts = Vec::with_capacity(new.len());
    for (op, task) in new {
        let room = rooms.get_mut(&task.request.worker_type).filter(|room| **room > 0);
        let Some(room) = room.filter(|_| left > 0 && is_claimable(task, batch, claim)) else {
            continue;
        };
        *room -= 1;
        left -= 1;
        starts.push((op, claim.now.max(task.created_at).max(Timestamp::default())));
    }
    starts
}

fn new_tasks(batch: &Batch) -> impl Iterator<Item = (usize, &NewTask)> {
    batch.ops.iter().enumerate().filter_map(|(index, op)| match op {
        Op::Insert(new) => Some((index, &**new)),
        _ => None,
    })
}

fn is_claimable(task: &NewTask, batch: &Batch, claim: &Claim) -> bool {
    let in_scope = match &task.pinned_to {
        Some(instance) => *instance == batch.instance,
        None => claim.scope == ClaimScope::Shared && task.engine_name == claim.engine_name,
    };
    in_scope && task.due_at() <= claim.now
}

/// Whether nothing else in the batch meddles with its inserts or comes before them: no op is about
/// one of them, none is there twice, and no retry of the batch is due.
fn is_certain(batch: &Batch, new: &[(usize, &NewTask)], claim: &Claim) -> bool {
    let mut ids: HashSet<&TaskId> = HashSet::with_capacity(new.len());
    new.iter().all(|(_, task)| ids.insert(&task.id))
        && batch.ops.iter().all(|op| match op {
            Op::Progress(report) => !ids.contains(&report.task),
            Op::Cancel(cancel) => !ids.contains(&cancel.task),
            Op::Apply(change) => {
                let waits = change.kind == Kind::Retry;
                let is_first = waits && change.due.unwrap_or(change.at) <= claim.now;
                !is_first && !ids.contains(&change.task)
            }
            // A task that comes in with them may be due before them.
            Op::Import(_) => false,
            _ => true,
        })
}
