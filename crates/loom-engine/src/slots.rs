//! How many attempts may run at once, in all and of each type.
//!
//! The writer takes slots for the tasks that its commits claim. An attempt that waits for another
//! task gives its slot back and queues for one afterwards. Those in the queue go before any claim:
//! what they could take is left out of the room that a claim is offered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loom_core::WorkerType;
use tokio::sync::Notify;

use crate::record::Running;

/// A fixed number of places for attempts.
#[derive(Clone)]
pub(crate) struct Slots(Arc<Places>);

struct Places {
    max: usize,
    state: Mutex<State>,
    freed: Notify,
    running: Running,
}

#[derive(Default)]
struct State {
    taken: usize,
    by_type: HashMap<WorkerType, usize>,
    /// A claim is under way: what is free is promised to it.
    promised: bool,
    /// Those who want a place again, the first to ask first. Nearly always empty.
    returning: Vec<Arc<Ticket>>,
}

/// A taken place.
pub(crate) struct Slot {
    places: Arc<Places>,
    worker_type: Option<WorkerType>,
}

/// Somebody's standing in the queue for a place.
pub(crate) struct Ticket {
    worker_type: WorkerType,
    limit: Option<usize>,
    granted: Mutex<Option<Slot>>,
    called: Notify,
}

/// How much room there is for a claim, once those attempts have ended whose ends it comes with.
pub(crate) struct Room<'a> {
    /// In all.
    pub(crate) free: usize,
    state: MutexGuard<'a, State>,
    ending: &'a [&'a Slot],
    /// The types of those in the queue that come first.
    before: Vec<WorkerType>,
}

impl Slots {
    pub(crate) fn new(max: usize, running: Running) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Places { max, state, freed: Notify::new(), running }))
    }

    pub(crate) fn taken(&self) -> usize {
        self.0.lock().taken
    }

    /// Promises what is free to a claim whose commit also ends the attempts of `ending`. Until the
    /// claim is [settled](Self::settled) nobody else is let in.
    pub(crate) fn promise<'a>(&'a self, ending: &'a [&'a Slot]) -> Room<'a> {
        let mut state = self.0.lock();
        state.promised = true;
        let before = state.first_in(ending);
        let places = self.0.max.saturating_add(ending.len());
        let free = places.saturating_sub(state.taken.saturating_add(before.len()));
        Room { free, state, ending, before }
    }

    /// The claim has been made, or will not be.
    pub(crate) fn settled(&self) {
        let mut state = self.0.lock();
        state.promised = false;
        self.0.let_in(&mut state);
    }

    /// Takes a place, whether one is free or not, until the answer is dropped.
    pub(crate) fn take(&self, worker_type: Option<WorkerType>) -> Slot {
        self.0.take(&mut self.0.lock(), worker_type)
    }

    /// Queues for a place of a type of which `limit` attempts may run at once.
    pub(crate) fn queue(&self, worker_type: WorkerType, limit: Option<usize>) -> Arc<Ticket> {
        let (granted, called) = (Mutex::default(), Notify::new());
        let ticket = Arc::new(Ticket { worker_type, limit, granted, called });
        let mut state = self.0.lock();
        state.returning.push(Arc::clone(&ticket));
        self.0.let_in(&mut state);
        ticket
    }

    /// Gives up a standing in the queue, and the place if there is one by now.
    pub(crate) fn withdraw(&self, ticket: &Arc<Ticket>) {
        let mut state = self.0.lock();
        state.returning.retain(|queued| !Arc::ptr_eq(queued, ticket));
        self.0.let_in(&mut state);
        drop(state);
        // Dropped without the lock that its end wants.
        let granted = ticket.granted();
        drop(granted);
        ticket.called.notify_one();
    }

    /// Returns when `done` says so, which is asked at first and whenever a place has become free.
    pub(crate) async fn until(&self, mut done: impl FnMut() -> bool) {
        loop {
            let freed = self.0.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if done() {
                return;
            }
            freed.await;
        }
    }
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, state: &mut State, worker_type: Option<WorkerType>) -> Slot {
        state.taken += 1;
        if let Some(worker_type) = &worker_type {
            match state.by_type.get_mut(worker_type) {
                Some(taken) => *taken += 1,
                None => drop(state.by_type.insert(worker_type.clone(), 1)),
            }
            self.running.change(worker_type, 1);
        }
        Slot { places: Arc::clone(self), worker_type }
    }

    /// Gives those in the queue what is free, unless it is promised.
    fn let_in(self: &Arc<Self>, state: &mut State) {
        while !state.promised
            && state.taken < self.max
            && let Some(index) = state.first_that_fits()
        {
            let ticket = state.returning.remove(index);
            let slot = self.take(state, Some(ticket.worker_type.clone()));
            *ticket.lock() = Some(slot);
            ticket.called.notify_one();
        }
    }
}

impl State {
    fn of_type(&self, worker_type: &WorkerType) -> usize {
        self.by_type.get(worker_type).copied().unwrap_or_default()
    }

    /// Who in the queue finds room in its type.
    fn first_that_fits(&self) -> Option<usize> {
        self.returning.iter().position(|ticket| ticket.fits(self.of_type(&ticket.worker_type)))
    }

    /// The types of those in the queue who could take a place once `ending` are over.
    fn first_in(&self, ending: &[&Slot]) -> Vec<WorkerType> {
        let mut first: Vec<WorkerType> = Vec::new();
        for ticket in &self.returning {
            let worker_type = &ticket.worker_type;
            let before = first.iter().filter(|before| *before == worker_type).count();
            let busy = self.of_type(worker_type).saturating_add(before);
            if ticket.fits(busy.saturating_sub(count(ending, worker_type))) {
                first.push(worker_type.clone());
            }
        }
        first
    }
}

impl Room<'_> {
    /// How many attempts of a type will still be busy when the claim is made.
    pub(crate) fn busy(&self, worker_type: &WorkerType) -> usize {
        let before = self.before.iter().filter(|before| *before == worker_type).count();
        let busy = self.state.of_type(worker_type).saturating_add(before);
        busy.saturating_sub(count(self.ending, worker_type))
    }
}

fn count(ending: &[&Slot], worker_type: &WorkerType) -> usize {
    ending.iter().filter(|slot| slot.worker_type.as_ref() == Some(worker_type)).count()
}

impl Ticket {
    fn fits(&self, busy: usize) -> bool {
        self.limit.is_none_or(|limit| busy < limit)
    }

    /// The place, if it has been granted.
    pub(crate) fn granted(&self) -> Option<Slot> {
        self.lock().take()
    }

    /// Returns when the place has been granted, or the standing given up. Cancel safe.
    pub(crate) async fn called(&self) {
        self.called.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Slot>> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.places.lock();
        state.taken = state.taken.saturating_sub(1);
        if let Some(worker_type) = &self.worker_type {
            if let Some(taken) = state.by_type.get_mut(worker_type) {
                *taken = taken.saturating_sub(1);
            }
            self.places.running.change(worker_type, -1);
        }
        self.places.let_in(&mut state);
        drop(state);
        self.places.freed.notify_waiters();
    }
}
