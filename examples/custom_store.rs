//! A store of your own, complete: tasks in a list, in memory. What a change does to a task is
//! decided in loom's model (`Task::apply`, `claim`, `cancel`, `report`), and the conformance suite
//! at the end tells whether the store keeps what engines rely on.
//!
//! It looks through all tasks for every answer; a real one has indexes, and outlives its process.
//!
//! Prints:
//! ```text
//! task 1: completed: hello world
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use loom::{
    Applied, Attempt, Batch, Capability, Claim, ClaimScope, Committed, Cursor, Dead, Engine,
    Instance, InstanceId, Membership, NewTask, Op, Order, Page, StatusCounts, StoreError, Task,
    TaskId, TaskQuery, TaskRequest, TaskStore, WorkerType, limits, worker_fn,
};

/// The store. Clones are the same store.
#[derive(Clone, Default)]
struct ListStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The task of number 1 is the first.
    rows: Vec<Row>,
    seats: HashMap<InstanceId, Seat>,
    closed: bool,
}

struct Row {
    task: Task,
    /// The attempts that were repeated.
    kept: Vec<Attempt>,
}

/// An instance that has joined. What others hold is watched through weak pointers.
struct Seat {
    instance: Instance,
    /// Held by the membership: while it is, the instance is alive.
    alive: Weak<()>,
    /// Held by who takes care of the dead instance.
    tended: Weak<()>,
    worker_types: Vec<WorkerType>,
    /// The number of the latest batch and its answer, in case it is sent again.
    latest: Option<(u64, Committed)>,
}

fn is_held(pointer: &Weak<()>) -> bool {
    pointer.strong_count() > 0
}

impl ListStore {
    fn open(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed { Err(StoreError::Closed) } else { Ok(state) }
    }
}

#[async_trait]
impl TaskStore for ListStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.open().map(|_| ())
    }

    /// Nothing beyond what every store must.
    fn capabilities(&self) -> &[Capability] {
        &[]
    }

    async fn join(&self, instance: &Instance) -> Result<Box<dyn Membership>, StoreError> {
        let alive = Arc::new(());
        let seat = Seat {
            instance: instance.clone(),
            alive: Arc::downgrade(&alive),
            tended: Weak::new(),
            worker_types: Vec::new(),
            latest: None,
        };
        self.open()?.seats.insert(instance.id.clone(), seat);
        Ok(Box::new(Member { store: self.clone(), instance: instance.clone(), _alive: alive }))
    }

    async fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        self.open()?.commit(batch)
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
        let mut state = self.open()?;
        Ok(ids.iter().filter_map(|id| Some(state.row(id)?.task.clone())).collect())
    }

    async fn list(&self, query: &TaskQuery) -> Result<Page, StoreError> {
        Ok(self.open()?.list(query))
    }

    async fn count(&self, query: &TaskQuery) -> Result<StatusCounts, StoreError> {
        let mut counts = StatusCounts::default();
        self.open()?.asked_for(query).for_each(|task| counts.add(task.status, 1));
        Ok(counts)
    }

    async fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
        let mut state = self.open()?;
        let history = state.row(task).map(|row| Attempt::history(row.kept.clone(), &row.task));
        Ok(history.unwrap_or_default())
    }

    /// No other process can change anything.
    async fn changed(&self) -> Result<(), StoreError> {
        drop(self.open()?);
        std::future::pending().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.open()?.closed = true;
        Ok(())
    }
}

/// The operations of a batch take effect in three steps, whatever their order in it.
fn step(op: &Op) -> u8 {
    match op {
        Op::Insert(_) | Op::Progress(_) => 0,
        Op::Claim(_) => 2,
        _ => 1,
    }
}

impl State {
    /// All or nothing: what may be refused is refused before anything is changed.
    fn commit(&mut self, batch: &Batch) -> Result<Committed, StoreError> {
        if let Some(capability) = batch.ops.iter().find_map(Op::requires) {
            return Err(StoreError::Unsupported(capability));
        }
        if let Some(before) = self.answered(batch)? {
            return Ok(before);
        }
        let mut committed = Committed::default();
        let mut answers = vec![Applied::Stale; batch.ops.len()];
        for now in 0..=2 {
            let ops = batch.ops.iter().zip(&mut answers).filter(|(op, _)| step(op) == now);
            for (op, answer) in ops {
                *answer = self.apply(op, &batch.instance, &mut committed);
            }
        }
        committed.applied = answers;
        if let Some(seat) = self.seats.get_mut(&batch.instance) {
            seat.latest = Some((batch.number, committed.clone()));
        }
        Ok(committed)
    }

    /// The answer that was given to the batch before, if it was.
    fn answered(&self, batch: &Batch) -> Result<Option<Committed>, StoreError> {
        let seat = self.seats.get(&batch.instance).filter(|seat| is_held(&seat.alive));
        let seat = seat.ok_or_else(|| StoreError::NotJoined(batch.instance.clone()))?;
        match &seat.latest {
            Some((number, answer)) if batch.number == *number => Ok(Some(answer.clone())),
            Some((number, _)) if batch.number < *number => {
                let source = format!("batch {} comes after batch {number}", batch.number).into();
                Err(StoreError::Unavailable { source })
            }
            _ => Ok(None),
        }
    }

    fn apply(&mut self, op: &Op, by: &InstanceId, committed: &mut Committed) -> Applied {
        match op {
            Op::Insert(new) => self.insert(new),
            Op::Progress(report) => {
                self.row(&report.task).map_or(Applied::Stale, |row| row.task.report(report))
            }
            Op::Apply(transition) => {
                let Some(row) = self.row(&transition.task) else { return Applied::Stale };
                let (applied, repeated) = row.task.apply(transition, by);
                row.kept.extend(repeated);
                let too_many = row.kept.len().saturating_sub(limits::ATTEMPTS_KEPT_MAX as usize);
                row.kept.drain(..too_many);
                applied
            }
            Op::Cancel(cancel) => {
                self.row(&cancel.task).map_or(Applied::NotFound, |row| row.task.cancel(cancel))
            }
            Op::Claim(claim) => {
                self.claim(claim, by, committed);
                Applied::Claimed
            }
            // All others require a capability, so their batch was refused.
            _ => Applied::Stale,
        }
    }

    fn row(&mut self, id: &TaskId) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.task.id == *id)
    }

    fn insert(&mut self, new: &NewTask) -> Applied {
        if let Some(row) = self.row(&new.id) {
            return Applied::Duplicate { seq: row.task.seq };
        }
        let seq = self.rows.last().map_or(1, |row| row.task.seq + 1);
        self.rows.push(Row { task: new.clone().into_task(seq), kept: Vec::new() });
        Applied::Inserted { seq }
    }

    /// Takes due tasks, the longest due first, as far as their lanes have room.
    fn claim(&mut self, claim: &Claim, by: &InstanceId, committed: &mut Committed) {
        let mut lanes = claim.lanes.clone();
        let mut left = claim.limit;
        let tasks = self.rows.iter_mut().map(|row| &mut row.task);
        let mut waiting: Vec<&mut Task> =
            tasks.filter(|task| task.status.is_waiting() && in_scope(task, claim, by)).collect();
        waiting.sort_by_key(|task| (task.run_at, task.seq));
        for task in waiting {
            let lane = lanes.iter_mut().find(|lane| lane.worker_type == task.worker_type);
            let Some(lane) = lane else { continue };
            if left > 0 && lane.limit > 0 && task.run_at <= Some(claim.now) {
                left -= 1;
                lane.limit -= 1;
                task.claim(by, claim.now);
                committed.claimed.push(task.clone());
            } else {
                let falls_due = task.run_at.filter(|due| *due > claim.now);
                committed.next_due = committed.next_due.or(falls_due);
            }
        }
        // What the claimer has in hand and is to end.
        let in_hand = self.rows.iter().map(|row| &row.task);
        let in_hand = in_hand.filter(|task| task.instance.as_ref() == Some(by));
        let asked = in_hand.filter(|task| task.cancel_requested_at.is_some());
        committed.cancels = asked.map(|task| (task.id.clone(), task.epoch)).collect();
    }

    fn asked_for(&self, query: &TaskQuery) -> impl Iterator<Item = &Task> {
        self.rows.iter().map(|row| &row.task).filter(move |task| asks_for(query, task))
    }

    fn list(&self, query: &TaskQuery) -> Page {
        let limit = query.limit.clamp(1, limits::PAGE_MAX) as usize;
        let oldest_first = query.order == Order::OldestFirst;
        let is_next = |task: &&Task| match query.after {
            Some(last) if oldest_first => task.seq > last.seq,
            Some(last) => task.seq < last.seq,
            None => true,
        };
        let mut tasks: Vec<&Task> = self.asked_for(query).filter(is_next).collect();
        if !oldest_first {
            tasks.reverse();
        }
        let more = tasks.len() > limit;
        tasks.truncate(limit);
        let next = tasks.last().filter(|_| more).map(|task| Cursor { seq: task.seq });
        Page { tasks: tasks.into_iter().map(Task::summary).collect(), next, ..Page::default() }
    }
}

fn in_scope(task: &Task, claim: &Claim, by: &InstanceId) -> bool {
    match &task.pinned_to {
        Some(owner) => owner == by,
        None => claim.scope == ClaimScope::Shared && task.engine_name == claim.engine_name,
    }
}

/// A condition that is not set always holds.
fn asks_for(query: &TaskQuery, task: &Task) -> bool {
    query.engine_name.as_ref().is_none_or(|name| *name == task.engine_name)
        && query.project_id.as_ref().is_none_or(|project| *project == task.project_id)
        && query.worker_type.as_ref().is_none_or(|kind| *kind == task.worker_type)
        && query.seq.is_none_or(|seq| seq == task.seq)
        && (query.statuses.is_empty() || query.statuses.contains(&task.status))
        && (query.instance.is_none()
            || [&task.instance, &task.pinned_to].contains(&&query.instance))
}

/// The standing of an instance: it is alive until this is dropped.
struct Member {
    store: ListStore,
    instance: Instance,
    _alive: Arc<()>,
}

impl Member {
    /// The other instances of the same engine.
    fn others<'a>(&self, state: &'a mut State) -> impl Iterator<Item = &'a mut Seat> {
        let Instance { id, engine_name, .. } = &self.instance;
        let is_other =
            |seat: &&mut Seat| seat.instance.id != *id && seat.instance.engine_name == *engine_name;
        state.seats.values_mut().filter(is_other)
    }
}

#[async_trait]
impl Membership for Member {
    async fn announce(&self, worker_types: &[WorkerType]) -> Result<(), StoreError> {
        if let Some(seat) = self.store.open()?.seats.get_mut(&self.instance.id) {
            seat.worker_types = worker_types.to_vec();
        }
        Ok(())
    }

    async fn elsewhere(&self, worker_type: &WorkerType) -> Result<bool, StoreError> {
        let mut state = self.store.open()?;
        let mut alive = self.others(&mut state).filter(|seat| is_held(&seat.alive));
        Ok(alive.any(|seat| seat.worker_types.contains(worker_type)))
    }

    async fn dead(&self) -> Result<Vec<Dead>, StoreError> {
        let mut state = self.store.open()?;
        let dead = self.others(&mut state).filter(|seat| !is_held(&seat.alive));
        let take_care = |seat: &mut Seat| {
            let hold = Arc::new(());
            seat.tended = Arc::downgrade(&hold);
            Dead::new(seat.instance.clone(), hold)
        };
        Ok(dead.filter(|seat| !is_held(&seat.tended)).map(take_care).collect())
    }

    async fn bury(&self, dead: Dead) -> Result<(), StoreError> {
        self.store.open()?.seats.remove(&dead.instance.id);
        Ok(())
    }

    async fn leave(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> loom::Result<()> {
    let greet = worker_fn(async |_, task: Task| Ok(format!("hello {}", task.prompt)));
    let engine = Engine::builder("demo", ListStore::default()).worker("greet", greet);
    let engine = engine.start().await?;
    let submitted = engine.submit(TaskRequest::new("greet", "world")).await?;
    let task = engine.wait(submitted.id).await?;
    println!("task {}: {}: {}", task.seq, task.status, task.result);
    engine.close().await
}

/// One test for each guarantee that engines rely on.
#[cfg(test)]
mod conformance {
    use super::*;

    struct Fresh;

    #[async_trait]
    impl loom::testing::StoreFactory for Fresh {
        type Store = ListStore;

        async fn create(&self) -> ListStore {
            ListStore::default()
        }
    }

    loom::testing::store_conformance!(Fresh);
}
