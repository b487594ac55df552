//! From what SQLite has answered to the answer to a batch.

use std::collections::{HashMap, HashSet};

use loom_core::{
    Applied, Batch, Claim, Committed, InstanceId, NewTask, Op, Task, TaskId, TaskStatus,
    TaskSummary, Unreadable,
};
use loom_deps::Timestamp;
use sqlx::sqlite::SqliteRow;

use crate::connection::Part;
use crate::plan::{self, Plan};
use crate::row::{self, Extent, Fields};

/// What a batch has done, as far as only the database could tell.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Tasks that were inserted: their numbers, and whether they went in as claimed.
    inserted: HashMap<String, (i64, bool)>,
    /// The numbers of tasks that were to be inserted, in case some were there before.
    present: HashMap<String, i64>,
    /// The numbers of tasks that were imported.
    imported: HashMap<String, i64>,
    /// The attempts whose progress was taken in.
    reported: HashSet<(String, u64)>,
    /// By op: the status that its task has left, and the one it has now.
    changed: HashMap<usize, (TaskStatus, TaskStatus)>,
    /// By op.
    cancelled: HashMap<usize, Applied>,
    /// By op.
    pruned: HashMap<usize, u64>,
    claimed: Vec<Task>,
    unreadable: Vec<Unreadable>,
    asked: Vec<(TaskId, u64)>,
    next_due: Option<Timestamp>,
}

/// The tasks that a batch adds, as far as it has been gone through: of two of one id the first is
/// added.
#[derive(Default)]
struct Firsts<'b> {
    inserts: HashSet<&'b TaskId>,
    imports: HashSet<&'b TaskId>,
}

/// The answer does not have the form that its text gives it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("SQLite answered in a form that its statements do not have")]
struct Misshapen;

/// What is read of answers. Fails only if SQLite answers what it was not asked.
type Read<T> = Result<T, sqlx::Error>;

fn misshapen() -> sqlx::Error {
    sqlx::Error::Decode(Misshapen.into())
}

impl Outcome {
    /// Takes in what [`HEAD`](crate::sql::HEAD) has answered.
    pub(crate) fn head(&mut self, parts: &[Part]) -> Read<()> {
        let [_begin, _number, inserted, present, reported] = parts else {
            return Err(misshapen());
        };
        for row in &inserted.rows {
            let mut fields = Fields::of(row);
            let (seq, id, claimed) = (fields.take()?, fields.take()?, fields.take()?);
            self.inserted.insert(id, (seq, claimed));
        }
        for row in &present.rows {
            let mut fields = Fields::of(row);
            let (seq, id) = (fields.take()?, fields.take()?);
            self.present.insert(id, seq);
        }
        for row in &reported.rows {
            let mut fields = Fields::of(row);
            self.reported.insert((fields.take()?, epoch(fields.take()?)));
        }
        Ok(())
    }

    /// Takes in what [`IMPORTS`](crate::sql::IMPORTS) has answered.
    pub(crate) fn imports(&mut self, parts: &[Part]) -> Read<()> {
        let [imported, present] = parts else {
            return Err(misshapen());
        };
        for (part, numbers) in [(imported, &mut self.imported), (present, &mut self.present)] {
            for row in &part.rows {
                let mut fields = Fields::of(row);
                let (seq, id) = (fields.take()?, fields.take()?);
                numbers.insert(id, seq);
            }
        }
        Ok(())
    }

    /// Takes in what [`CHANGES`](crate::sql::CHANGES) has answered.
    pub(crate) fn changes(&mut self, prune_op: Option<usize>, parts: &[Part]) -> Read<()> {
        let [changed, _attempt, _trim, _change, asked_for, cancelled, pruned] = parts else {
            return Err(misshapen());
        };
        for row in &changed.rows {
            let mut fields = Fields::of(row);
            let (op, from, to) = (op(fields.take()?)?, status(&mut fields)?, status(&mut fields)?);
            self.changed.insert(op, (from, to));
        }
        let summaries: HashMap<TaskId, TaskSummary> =
            cancelled.rows.iter().filter_map(|row| summary(row).ok()).collect();
        for row in &asked_for.rows {
            let (op, applied) = cancel(row, &summaries)?;
            self.cancelled.insert(op, applied);
        }
        self.pruned.extend(prune_op.map(|op| (op, pruned.changes)));
        Ok(())
    }

    /// Takes in what [`TAIL`](crate::sql::TAIL) has answered. The commit itself has no answer.
    pub(crate) fn tail(&mut self, plan: &Plan, parts: &[Part]) -> Read<()> {
        let [claimed, _claim, asked, next_due, ..] = parts else {
            return Err(misshapen());
        };
        for row in &claimed.rows {
            match row::task(row, Extent::Whole) {
                Ok(mut task) => {
                    task.claim(&plan.by, plan.now);
                    self.claimed.push(task);
                }
                Err(mut unreadable) => {
                    unreadable.epoch += 1;
                    self.unreadable.push(unreadable);
                }
            }
        }
        self.told(asked, next_due)
    }

    /// Takes in what [`LOOK`](crate::sql::LOOK) has answered; whether there is something to claim.
    pub(crate) fn look(&mut self, parts: &[Part]) -> Read<bool> {
        let [_begin, claimable, asked, next_due, _commit] = parts else {
            return Err(misshapen());
        };
        self.told(asked, next_due)?;
        Fields::of(claimable.one()?).take()
    }

    fn told(&mut self, asked: &Part, next_due: &Part) -> Read<()> {
        for row in &asked.rows {
            let mut fields = Fields::of(row);
            let id: &str = fields.take()?;
            // What is no id was not given out as one, so nobody here can end it.
            let Ok(id) = TaskId::new(id) else { continue };
            self.asked.push((id, epoch(fields.take()?)));
        }
        let micros: Option<i64> = Fields::of(next_due.one()?).take()?;
        self.next_due = micros.map(Timestamp::from_micros);
        Ok(())
    }

    /// The answer to `batch`, which has had this outcome.
    pub(crate) fn answer(&self, batch: &Batch) -> Committed {
        let mut new = Firsts::default();
        let applied = batch.ops.iter().enumerate();
        let applied = applied.map(|(index, op)| self.applied(index, op, &mut new)).collect();
        let mut committed = Committed { applied, ..Committed::default() };
        let Some(claim) = plan::claim(batch) else { return committed };
        committed.claimed = self.fused(batch, claim);
        committed.claimed.extend_from_slice(&self.claimed);
        committed.unreadable.clone_from(&self.unreadable);
        committed.cancels.clone_from(&self.asked);
        committed.next_due = self.next_due;
        committed
    }

    fn applied<'b>(&self, index: usize, op: &'b Op, new: &mut Firsts<'b>) -> Applied {
        match op {
            Op::Insert(task) => {
                let inserted = self.inserted.get(task.id.as_str()).map(|&(seq, _)| seq);
                self.insertion(&task.id, inserted, new.inserts.insert(&task.id))
            }
            Op::Import(task) => {
                let imported = self.imported.get(task.id().as_str()).copied();
                self.insertion(task.id(), imported, new.imports.insert(task.id()))
            }
            Op::Progress(report) => {
                let attempt = (report.task.as_str().to_owned(), report.epoch);
                if self.reported.contains(&attempt) { Applied::Reported } else { Applied::Stale }
            }
            Op::Apply(_) => {
                let changed = self.changed.get(&index);
                changed.map_or(Applied::Stale, |&(from, to)| Applied::Changed { from, to })
            }
            Op::Cancel(_) => self.cancelled.get(&index).cloned().unwrap_or(Applied::NotFound),
            Op::Prune(_) => Applied::Pruned(self.pruned.get(&index).copied().unwrap_or(0)),
            Op::Claim(_) => Applied::Claimed,
            // Operations that are added later need a capability that this store does not name, so
            // their batch has been refused.
            _ => Applied::Stale,
        }
    }

    fn insertion(&self, task: &TaskId, inserted: Option<i64>, is_first: bool) -> Applied {
        match inserted.or_else(|| self.present.get(task.as_str()).copied()) {
            Some(seq) if is_first && inserted.is_some() => Applied::Inserted { seq },
            Some(seq) => Applied::Duplicate { seq },
            None => Applied::Stale,
        }
    }

    /// The tasks that went in as claimed, the longest due first.
    fn fused(&self, batch: &Batch, claim: &Claim) -> Vec<Task> {
        let mut tasks: Vec<(Timestamp, Task)> = batch
            .ops
            .iter()
            .filter_map(|op| {
                let Op::Insert(new) = op else { return None };
                let &(seq, claimed) = self.inserted.get(new.id.as_str())?;
                claimed.then(|| (new.due_at(), started(new, seq, &batch.instance, claim.now)))
            })
            .collect();
        tasks.sort_by_key(|(due, task)| (*due, task.seq));
        tasks.into_iter().map(|(_, task)| task).collect()
    }
}

fn started(new: &NewTask, seq: i64, by: &InstanceId, now: Timestamp) -> Task {
    let mut task = new.clone().into_task(seq);
    task.claim(by, now);
    task
}

/// What became of a cancel: which op asked for it, and what the task was before.
fn cancel(row: &SqliteRow, summaries: &HashMap<TaskId, TaskSummary>) -> Read<(usize, Applied)> {
    let mut fields = Fields::of(row);
    let (op, id) = (op(fields.take()?)?, fields.take::<&str>()?);
    let Ok(status) = status(&mut fields) else {
        return Ok((op, Applied::Stale));
    };
    if status.is_terminal() {
        return Ok((op, Applied::Ended(status)));
    }
    if status.is_owned() {
        return Ok((op, Applied::CancelRequested));
    }
    let summary = TaskId::new(id).ok().and_then(|id| summaries.get(&id));
    let cancelled = summary.map(|summary| Applied::Cancelled(Box::new(summary.clone())));
    // Who cannot read the task can still be told that it has ended.
    Ok((op, cancelled.unwrap_or(Applied::Ended(TaskStatus::Cancelled))))
}

fn summary(row: &SqliteRow) -> Result<(TaskId, TaskSummary), Unreadable> {
    let task = row::task(row, Extent::Summary)?;
    Ok((task.id.clone(), task.summary()))
}

fn op(number: i64) -> Read<usize> {
    usize::try_from(number).map_err(|_| misshapen())
}

fn epoch(number: i64) -> u64 {
    number.try_into().unwrap_or(0)
}

fn status(fields: &mut Fields<'_>) -> Read<TaskStatus> {
    fields.take::<&str>()?.parse().map_err(|_| misshapen())
}
