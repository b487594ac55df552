//! The tasks of a place, and what a batch does to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use loom_core::{
    Applied, Attempt, Batch, Claim, ClaimScope, Committed, Cursor, Held, InstanceId, Op, Order,
    Page, Prune, StatusCounts, Task, TaskId, TaskQuery, WorkerType, limits,
};
use loom_deps::Timestamp;

use super::holds::Holds;

/// Every task by its number, and what finds them quickly.
#[derive(Default)]
pub(super) struct Tables {
    rows: BTreeMap<i64, Row>,
    numbers: HashMap<TaskId, i64>,
    /// Waiting tasks, the longest due first.
    waiting: BTreeSet<(Timestamp, i64)>,
    /// Tasks in somebody's hands whose end has been asked for.
    asked: BTreeSet<i64>,
    latest: i64,
    pub(super) holds: Holds,
}

struct Row {
    task: Task,
    /// Those that were repeated, the oldest first.
    attempts: VecDeque<Attempt>,
}

/// When within its batch an operation takes effect.
fn phase(op: &Op) -> u8 {
    match op {
        Op::Hold(_) => 0,
        Op::Insert(_) => 1,
        Op::Import(_) => 2,
        Op::Progress(_) => 3,
        Op::Apply(_) | Op::Cancel(_) => 4,
        Op::Prune(_) => 5,
        _ => 6,
    }
}

impl Tables {
    /// Does what `batch` says. Nothing in here can fail.
    pub(super) fn commit(&mut self, batch: &Batch) -> Committed {
        let mut committed = Committed::default();
        let mut ops: Vec<(usize, &Op)> = batch.ops.iter().enumerate().collect();
        ops.sort_by_key(|(_, op)| phase(op));
        let mut applied: Vec<(usize, Applied)> = ops
            .into_iter()
            .map(|(place, op)| (place, self.apply(op, &batch.instance, &mut committed)))
            .collect();
        applied.sort_by_key(|(place, _)| *place);
        committed.applied = applied.into_iter().map(|(_, applied)| applied).collect();
        committed
    }

    fn apply(&mut self, op: &Op, by: &InstanceId, committed: &mut Committed) -> Applied {
        match op {
            Op::Insert(new) => self.insert(&new.id, |seq| (**new).clone().into_task(seq)),
            Op::Import(task) => self.insert(task.id(), |seq| (**task).clone().into_task(seq)),
            Op::Progress(report) => {
                let reported = self.change(&report.task, |row| row.task.report(report));
                reported.unwrap_or(Applied::Stale)
            }
            Op::Apply(transition) => {
                let changed = self.change(&transition.task, |row| {
                    let (applied, repeated) = row.task.apply(transition, by);
                    row.keep(repeated);
                    applied
                });
                changed.unwrap_or(Applied::Stale)
            }
            Op::Cancel(cancel) => {
                let cancelled = self.change(&cancel.task, |row| row.task.cancel(cancel));
                cancelled.unwrap_or(Applied::NotFound)
            }
            Op::Prune(prune) => self.prune(prune),
            Op::Hold(hold) => Applied::Held(self.holds.apply(hold)),
            Op::Claim(claim) => {
                self.claim(claim, by, committed);
                Applied::Claimed
            }
            // Operations that are added later need a capability that this store does not name, so
            // their batch has been refused.
            _ => Applied::Stale,
        }
    }

    /// Adds the task that `make` makes of a number, unless there is one of its id.
    fn insert(&mut self, id: &TaskId, make: impl FnOnce(i64) -> Task) -> Applied {
        if let Some(&seq) = self.numbers.get(id) {
            return Applied::Duplicate { seq };
        }
        self.latest += 1;
        let seq = self.latest;
        let row = Row { task: make(seq), attempts: VecDeque::new() };
        self.numbers.insert(id.clone(), seq);
        self.index(&row.task);
        self.rows.insert(seq, row);
        Applied::Inserted { seq }
    }

    /// The one way in which a task changes: what finds it follows.
    fn change<T>(&mut self, id: &TaskId, change: impl FnOnce(&mut Row) -> T) -> Option<T> {
        let seq = *self.numbers.get(id)?;
        let mut row = self.rows.remove(&seq)?;
        self.unindex(&row.task);
        let answer = change(&mut row);
        self.index(&row.task);
        self.rows.insert(seq, row);
        Some(answer)
    }

    fn index(&mut self, task: &Task) {
        if task.status.is_waiting() {
            self.waiting.insert((due(task), task.seq));
        }
        if task.status.is_owned() && task.cancel_requested_at.is_some() {
            self.asked.insert(task.seq);
        }
    }

    fn unindex(&mut self, task: &Task) {
        self.waiting.remove(&(due(task), task.seq));
        self.asked.remove(&task.seq);
    }

    fn prune(&mut self, prune: &Prune) -> Applied {
        let mut ended: Vec<(Timestamp, i64)> = self
            .tasks()
            .filter(|task| matches(prune.engine_name.as_ref(), &task.engine_name))
            .filter_map(|task| Some((task.completed_at?, task.seq)))
            .filter(|(completed_at, _)| *completed_at < prune.completed_before)
            .collect();
        ended.sort_unstable();
        ended.truncate(prune.limit.try_into().unwrap_or(usize::MAX));
        let rows = ended.iter().filter_map(|(_, seq)| self.rows.remove(seq));
        let mut removed: Vec<TaskId> = rows.map(|row| row.task.id).collect();
        removed.sort_unstable();
        for id in &removed {
            self.numbers.remove(id);
        }
        Applied::Pruned(removed)
    }

    fn claim(&mut self, claim: &Claim, by: &InstanceId, committed: &mut Committed) {
        let held = self.holds.of(claim);
        let (chosen, next_due) = self.choose(claim, by, &held);
        for id in chosen {
            let claimed = self.change(&id, |row| {
                row.task.claim(by, claim.now);
                row.task.clone()
            });
            committed.claimed.extend(claimed);
        }
        committed.next_due = next_due;
        committed.held = held;
        let asked = self.asked.iter().filter_map(|seq| self.rows.get(seq));
        committed.cancels = asked
            .filter(|row| row.task.instance.as_ref() == Some(by))
            .map(|row| (row.task.id.clone(), row.task.epoch))
            .collect();
    }

    /// Which tasks a claim takes, and when the first falls due that was not due yet.
    fn choose(
        &self,
        claim: &Claim,
        by: &InstanceId,
        held: &[Held],
    ) -> (Vec<TaskId>, Option<Timestamp>) {
        let mut rooms: HashMap<&WorkerType, (u32, Option<Timestamp>)> = HashMap::new();
        for lane in &claim.lanes {
            rooms.insert(&lane.worker_type, (lane.limit, lane.held_until(held)));
        }
        let mut left = claim.limit;
        let mut chosen = Vec::new();
        let mut next_due: Option<Timestamp> = None;
        for (due, seq) in &self.waiting {
            if next_due.is_some_and(|next| next <= *due) {
                break;
            }
            let row = self.rows.get(seq).filter(|row| in_scope(&row.task, claim, by));
            let Some(Row { task, .. }) = row else {
                continue;
            };
            let Some((room, held_until)) = rooms.get_mut(&task.worker_type) else {
                continue;
            };
            let due = held_until.map_or(*due, |until| until.max(*due));
            if due > claim.now {
                next_due = next_due.into_iter().chain([due]).min();
            } else if left > 0 && *room > 0 {
                left -= 1;
                *room -= 1;
                chosen.push(task.id.clone());
            }
        }
        (chosen, next_due)
    }

    fn tasks(&self) -> impl DoubleEndedIterator<Item = &Task> {
        self.rows.values().map(|row| &row.task)
    }

    fn row(&self, id: &TaskId) -> Option<&Row> {
        self.rows.get(self.numbers.get(id)?)
    }

    pub(super) fn get(&self, ids: &[TaskId]) -> Vec<Task> {
        let rows = ids.iter().filter_map(|id| self.row(id));
        rows.map(|row| row.task.clone()).collect()
    }

    pub(super) fn attempts(&self, id: &TaskId) -> Vec<Attempt> {
        let Some(row) = self.row(id) else {
            return Vec::new();
        };
        Attempt::history(row.attempts.iter().cloned().collect(), &row.task)
    }

    pub(super) fn list(&self, query: &TaskQuery) -> Page {
        let limit = query.limit.clamp(1, limits::PAGE_MAX) as usize;
        let after = query.after.map(|cursor| cursor.seq);
        let wanted = |task: &&Task| asks_for(query, task);
        // One more than fits tells whether there is another page.
        let mut tasks: Vec<&Task> = match query.order {
            Order::OldestFirst => {
                let rest = self.tasks().filter(|task| after.is_none_or(|seq| task.seq > seq));
                rest.filter(wanted).take(limit + 1).collect()
            }
            _ => {
                let rest = self.tasks().rev();
                let rest = rest.filter(|task| after.is_none_or(|seq| task.seq < seq));
                rest.filter(wanted).take(limit + 1).collect()
            }
        };
        let more = tasks.len() > limit;
        tasks.truncate(limit);
        let last = tasks.last().map(|task| Cursor { seq: task.seq });
        Page {
            tasks: tasks.into_iter().map(Task::summary).collect(),
            unreadable: Vec::new(),
            next: last.filter(|_| more),
        }
    }

    pub(super) fn count(&self, query: &TaskQuery) -> StatusCounts {
        let mut counts = StatusCounts::default();
        for task in self.tasks().filter(|task| asks_for(query, task)) {
            counts.add(task.status, 1);
        }
        counts
    }
}

impl Row {
    /// Keeps a repeated attempt, in place of the oldest if there are too many.
    fn keep(&mut self, attempt: Option<Attempt>) {
        self.attempts.extend(attempt);
        while self.attempts.len() > limits::ATTEMPTS_KEPT_MAX as usize {
            self.attempts.pop_front();
        }
    }
}

/// A waiting task always has a due time.
fn due(task: &Task) -> Timestamp {
    task.run_at.unwrap_or(task.created_at)
}

fn in_scope(task: &Task, claim: &Claim, by: &InstanceId) -> bool {
    match (&task.pinned_to, claim.scope) {
        (Some(owner), _) => owner == by,
        (None, ClaimScope::Shared) => task.engine_name == claim.engine_name,
        (None, _) => false,
    }
}

/// A condition that is not set always holds.
fn matches<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

fn asks_for(query: &TaskQuery, task: &Task) -> bool {
    let held_by = |instance| {
        task.instance.as_ref() == Some(instance) || task.pinned_to.as_ref() == Some(instance)
    };
    matches(query.engine_name.as_ref(), &task.engine_name)
        && matches(query.project_id.as_ref(), &task.project_id)
        && matches(query.worker_type.as_ref(), &task.worker_type)
        && matches(query.seq.as_ref(), &task.seq)
        && (query.statuses.is_empty() || query.statuses.contains(&task.status))
        && query.instance.as_ref().is_none_or(held_by)
}
