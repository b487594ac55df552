//! One batch, in one transaction: holds, inserts and progress, changes, prunes, the claim.
//!
//! A statement for each row, prepared once: what SQLite does for a row costs less than to have it
//! take rows out of a long argument.

mod add;
mod change;
mod claim;
mod hold;
mod ledger;

use loom_core::{Applied, Op, ProgressReport, Prune, TaskId};
use loom_deps::Timestamp;
use rusqlite::{Connection, params};

use self::claim::Claims;
use self::ledger::Ledger;
use crate::error::Fault;
use crate::hand::Hand;
use crate::outcome::Outcome;
use crate::plan::{self, Plan};
use crate::row::Fields;
use crate::sql;

/// A batch that was not committed, or perhaps not. The transaction may still be open.
pub(crate) enum Failed {
    /// The number of the batch was used before.
    Repeated,
    /// There is no row for the instance.
    NotJoined,
    /// Before the commit itself.
    Before(Fault),
    /// At the commit itself: what the outcome is if it has happened.
    At(Fault, Box<Outcome>),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Before(fault)
    }
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Before(error.into())
    }
}

/// Commits a batch, if there is anything to commit. One that may have been `sent` before is looked
/// up by its number first: what its claim would take, it may have taken.
pub(crate) fn commit(connection: &Connection, plan: &Plan, sent: bool) -> Result<Outcome, Failed> {
    let hand = Hand(connection);
    let claims = plan::claim(&plan.batch).map(|claim| Claims { hand, claim, plan });
    if plan.only_claims()
        && !sent
        && let Some(claims) = &claims
        && let Some(outcome) = claims.look()?
    {
        return Ok(outcome);
    }
    hand.run(sql::BEGIN, [])?;
    hand.note_number(plan)?;
    let outcome = apply(hand, plan, claims.as_ref())?;
    match hand.run(sql::COMMIT, []) {
        Ok(_) => Ok(outcome),
        Err(error) => Err(Failed::At(error.into(), Box::new(outcome))),
    }
}

fn apply(hand: Hand<'_>, plan: &Plan, claims: Option<&Claims<'_>>) -> Result<Outcome, Fault> {
    let ops = &plan.batch.ops;
    let mut outcome = Outcome { applied: vec![Applied::Stale; ops.len()], ..Outcome::default() };
    let mut ledger = Ledger::default();
    for (index, op) in ops.iter().enumerate() {
        if let Op::Hold(hold) = op {
            set(&mut outcome, index, hand.hold(hold)?);
        }
    }
    let mut fuses = false;
    if let Some(claims) = claims {
        outcome.held = claims.held()?;
        fuses = plan.can_fuse(&outcome.held) && !claims.finds_due(&outcome.held)?;
    }
    for (index, (op, note)) in ops.iter().zip(&plan.notes).enumerate() {
        let applied = match op {
            Op::Insert(new) => hand.insert(plan, new, note, fuses, &mut ledger)?,
            Op::Progress(report) => hand.progress(report)?,
            _ => continue,
        };
        let started = note.starts.is_some() && fuses;
        if started && matches!(applied, Applied::Inserted { .. }) {
            outcome.started.push(index);
        }
        set(&mut outcome, index, applied);
    }
    outcome.started.sort_by_key(|&index| match ops.get(index) {
        Some(Op::Insert(new)) => new.due_at(),
        _ => Timestamp::default(),
    });
    for (index, (op, note)) in ops.iter().zip(&plan.notes).enumerate() {
        if let Op::Import(imported) = op {
            set(&mut outcome, index, hand.import(imported, note, &mut ledger)?);
        }
    }
    for (index, (op, note)) in ops.iter().zip(&plan.notes).enumerate() {
        let applied = match op {
            Op::Apply(transition) => hand.change(plan, transition, note, &mut ledger)?,
            Op::Cancel(cancel) => hand.cancel(cancel, &mut ledger)?,
            _ => continue,
        };
        set(&mut outcome, index, applied);
    }
    for (index, op) in ops.iter().enumerate() {
        let applied = match op {
            Op::Prune(prune) => hand.prune(prune, &mut ledger)?,
            Op::Claim(_) => Applied::Claimed,
            _ => continue,
        };
        set(&mut outcome, index, applied);
    }
    if let Some(claims) = claims {
        claims.take(&mut outcome, &mut ledger)?;
    }
    ledger.write(hand)?;
    Ok(outcome)
}

fn set(outcome: &mut Outcome, index: usize, applied: Applied) {
    if let Some(place) = outcome.applied.get_mut(index) {
        *place = applied;
    }
}

impl Hand<'_> {
    fn note_number(self, plan: &Plan) -> Result<(), Failed> {
        let number = i64::try_from(plan.batch.number).unwrap_or(i64::MAX);
        if self.run(sql::NUMBER, params![plan.instance, number])? > 0 {
            return Ok(());
        }
        let joined = self.first(sql::JOINED, [plan.instance], |row| Ok(Fields::of(row).take()?))?;
        Err(if joined.unwrap_or(false) { Failed::Repeated } else { Failed::NotJoined })
    }

    fn progress(self, report: &ProgressReport) -> Result<Applied, Fault> {
        let values = params![
            report.task.as_str(),
            epoch(report.epoch),
            Some(&report.line).filter(|line| !line.trim().is_empty()),
            i64::try_from(report.lines).unwrap_or(i64::MAX),
            report.at.as_micros(),
        ];
        let taken = self.run(sql::PROGRESS, values)? > 0;
        Ok(if taken { Applied::Reported } else { Applied::Stale })
    }

    fn prune(self, prune: &Prune, ledger: &mut Ledger) -> Result<Applied, Fault> {
        let values = params![prune.engine_name, prune.completed_before.as_micros(), prune.limit];
        let removed = self.each(sql::PRUNE, values, |row| {
            let mut fields = Fields::of(row);
            let (engine, status): (&str, &str) = (fields.take()?, fields.take()?);
            // A status that no program of this version writes belongs to no count.
            if let Ok(status) = status.parse() {
                ledger.removed(engine, status);
            }
            // Nor is anything kept elsewhere under what no such program takes for an id.
            Ok(TaskId::new(fields.take::<&str>()?).ok())
        })?;
        let mut removed: Vec<TaskId> = removed.into_iter().flatten().collect();
        removed.sort_unstable();
        Ok(Applied::Pruned(removed))
    }
}

/// An epoch as SQL has it. One beyond its numbers is none that any task has.
fn epoch(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(-1)
}
