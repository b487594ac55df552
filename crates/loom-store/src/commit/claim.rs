//! What a claim takes, and what it tells.

use std::collections::BTreeMap;

use loom_core::TaskStatus::Running;
use loom_core::{Applied, Claim, ClaimScope, Held, Op, TaskId, WorkerType};
use loom_deps::Timestamp;
use rusqlite::params;

use super::ledger::Ledger;
use super::{Failed, Hand};
use crate::error::Fault;
use crate::outcome::Outcome;
use crate::plan::{self, Plan};
use crate::row::{self, Cells, Extent, Fields};
use crate::sql;

/// The claim of a batch.
pub(super) struct Claims<'c> {
    pub(super) hand: Hand<'c>,
    pub(super) claim: &'c Claim,
    pub(super) plan: &'c Plan,
}

impl Claims<'_> {
    /// Looks whether the claim would take anything. If not, there is nothing to write, and this is
    /// the outcome: processes that watch each other's commits would wake each other without end.
    pub(super) fn look(&self) -> Result<Option<Outcome>, Failed> {
        self.hand.at_once(|| {
            let waits = self.anything_waits()?;
            let mut outcome = Outcome { held: self.held()?, ..Outcome::default() };
            let due = waits && self.any_is_due(&outcome.held)?;
            outcome.applied.push(Applied::Claimed);
            if !due {
                self.tell(&mut outcome, waits)?;
            }
            Ok((!due).then_some(outcome))
        })
    }

    /// The accounts of the claim's lanes that are held. Nothing is asked where there are none.
    pub(super) fn held(&self) -> Result<Vec<Held>, Fault> {
        let lanes = &self.claim.lanes;
        if lanes.iter().all(|lane| lane.accounts.is_empty()) {
            return Ok(Vec::new());
        }
        let mut held = self.hand.holds(self.claim.now)?;
        held.retain(|held| lanes.iter().any(|lane| lane.accounts.contains(&held.account)));
        Ok(held)
    }

    /// Whether there is a task that the claim could take while these accounts are held.
    pub(super) fn finds_due(&self, held: &[Held]) -> Result<bool, Fault> {
        Ok(self.anything_waits()? && self.any_is_due(held)?)
    }

    fn any_is_due(&self, held: &[Held]) -> Result<bool, Fault> {
        if self.claim.limit == 0 {
            return Ok(false);
        }
        for (worker_type, room) in plan::rooms(self.claim, held) {
            if room > 0 && !self.due(worker_type, 1)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes what is due, and tells what else there is to know.
    pub(super) fn take(&self, outcome: &mut Outcome, ledger: &mut Ledger) -> Result<(), Fault> {
        // Asked once: what the claim takes can only make it less.
        let waits = self.anything_waits()?;
        for seq in self.chosen(outcome, waits)? {
            let found = self.hand.first(sql::TASK, [seq], |row| {
                let engine = row.text(row::ENGINE)?.unwrap_or_default();
                // A status that no program of this version writes belongs to no count.
                match row.text(row::STATUS)?.and_then(|text| text.parse().ok()) {
                    Some(from) => ledger.moved(engine, from, Running),
                    None => ledger.added(engine, Running),
                }
                Ok(row::task(row, Extent::Whole))
            })?;
            match found {
                Some(Ok(mut task)) => {
                    task.claim(&self.plan.batch.instance, self.claim.now);
                    outcome.claimed.push(task);
                }
                Some(Err(mut unreadable)) => {
                    unreadable.epoch += 1;
                    outcome.unreadable.push(unreadable);
                }
                None => continue,
            }
            let now = self.claim.now.as_micros();
            self.hand.run(sql::CLAIM, params![seq, self.plan.instance, now])?;
        }
        self.tell(outcome, waits)
    }

    /// The numbers of the tasks that are taken, the longest due first.
    fn chosen(&self, outcome: &Outcome, waits: bool) -> Result<Vec<i64>, Fault> {
        let (rooms, left) = self.left(outcome);
        if left == 0 || !waits {
            return Ok(Vec::new());
        }
        let mut due = Vec::new();
        for (worker_type, room) in rooms.into_iter().filter(|(_, room)| *room > 0) {
            due.extend(self.due(worker_type, room.min(left))?);
        }
        due.sort_unstable();
        due.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        Ok(due.into_iter().map(|(_, seq)| seq).collect())
    }

    /// What room there still is, beside the tasks that went in as claimed.
    fn left(&self, outcome: &Outcome) -> (BTreeMap<&WorkerType, u32>, u32) {
        let mut rooms = plan::rooms(self.claim, &outcome.held);
        let mut left = self.claim.limit;
        for &started in &outcome.started {
            let Some(Op::Insert(new)) = self.plan.batch.ops.get(started) else { continue };
            left = left.saturating_sub(1);
            if let Some(room) = rooms.get_mut(&new.request.worker_type) {
                *room = room.saturating_sub(1);
            }
        }
        (rooms, left)
    }

    fn anything_waits(&self) -> Result<bool, Fault> {
        if !self.is_shared() {
            // Tasks keep their pin when they have ended, so that a look at all of them costs more
            // than a look at each lane.
            return Ok(true);
        }
        let named = params![self.claim.engine_name, self.plan.batch.instance.as_str()];
        let waits = self.hand.first(sql::WAITS, named, |row| {
            let mut fields = Fields::of(row);
            Ok((fields.take()?, fields.take()?))
        })?;
        let (shared, pinned) = waits.unwrap_or_default();
        Ok(shared || pinned)
    }

    fn is_shared(&self) -> bool {
        self.claim.scope == ClaimScope::Shared
    }

    /// When tasks of one worker type were due and their numbers, the longest first.
    fn due(&self, worker_type: &WorkerType, limit: u32) -> Result<Vec<(i64, i64)>, Fault> {
        let named = params![
            self.claim.engine_name,
            self.plan.batch.instance.as_str(),
            worker_type.as_str(),
            self.claim.now.as_micros(),
            self.is_shared(),
            limit,
        ];
        self.hand.each(sql::DUE, named, |row| {
            let mut fields = Fields::of(row);
            let seq = fields.take()?;
            Ok((fields.take()?, seq))
        })
    }

    /// Tells which tasks of the instance should end, and when the next one falls due.
    fn tell(&self, outcome: &mut Outcome, waits: bool) -> Result<(), Fault> {
        let asked = self.hand.each(sql::ASKED, [self.plan.instance], |row| {
            let mut fields = Fields::of(row);
            let id: &str = fields.take()?;
            let epoch: i64 = fields.take()?;
            // What is no id was not given out as one, so nobody here can end it.
            Ok(TaskId::new(id).ok().map(|id| (id, u64::try_from(epoch).unwrap_or(0))))
        })?;
        outcome.asked = asked.into_iter().flatten().collect();
        outcome.next_due = if waits { self.next_due(&outcome.held)? } else { None };
        Ok(())
    }

    fn next_due(&self, held: &[Held]) -> Result<Option<Timestamp>, Fault> {
        let mut next: Option<i64> = None;
        for (worker_type, lane) in plan::lanes(self.claim) {
            // Where a lane is held, what is due already falls due with its end.
            let held_until = lane.held_until(held).map(Timestamp::as_micros);
            let after = held_until.map_or(self.claim.now.as_micros(), |_| i64::MIN);
            let named = params![
                self.claim.engine_name,
                self.plan.batch.instance.as_str(),
                worker_type.as_str(),
                after,
                self.is_shared(),
            ];
            let due = self.hand.first(sql::NEXT_DUE, named, |row| Ok(Fields::of(row).take()?))?;
            let due = due.flatten().map(|due: i64| due.max(held_until.unwrap_or(due)));
            next = next.into_iter().chain(due).min();
        }
        Ok(next.map(Timestamp::from_micros))
    }
}
