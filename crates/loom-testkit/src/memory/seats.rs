//! Who has joined a place, and who of them is alive.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use loom_core::{Batch, Committed, Dead, Instance, InstanceId, Membership, StoreError, WorkerType};

use super::Place;

/// Every instance that has joined and is not buried.
#[derive(Default)]
pub(super) struct Seats(BTreeMap<InstanceId, Seat>);

struct Seat {
    instance: Instance,
    alive: bool,
    /// Somebody takes care of this dead instance.
    tended: bool,
    worker_types: Vec<WorkerType>,
    /// The number of the latest batch and the answer to it.
    latest: Option<(u64, Committed)>,
}

impl Seats {
    pub(super) fn join(&mut self, instance: &Instance) -> Result<(), StoreError> {
        if self.0.contains_key(&instance.id) {
            return Err(StoreError::Refused {
                path: PathBuf::from("memory"),
                problem: format!("an instance {} has joined before", instance.id),
                hint: "give every start of an engine an id of its own".to_owned(),
                source: None,
            });
        }
        let seat = Seat {
            instance: instance.clone(),
            alive: true,
            tended: false,
            worker_types: Vec::new(),
            latest: None,
        };
        self.0.insert(instance.id.clone(), seat);
        Ok(())
    }

    /// The answer that was given to `batch` before, if it was.
    pub(super) fn answered(&self, batch: &Batch) -> Result<Option<Committed>, StoreError> {
        let seat = self.0.get(&batch.instance).filter(|seat| seat.alive);
        let seat = seat.ok_or_else(|| StoreError::NotJoined(batch.instance.clone()))?;
        match &seat.latest {
            Some((latest, answer)) if batch.number == *latest => Ok(Some(answer.clone())),
            Some((latest, _)) if batch.number < *latest => Err(StoreError::Unavailable {
                source: format!("batch {} comes after batch {latest}", batch.number).into(),
            }),
            _ => Ok(None),
        }
    }

    pub(super) fn remember(&mut self, batch: &Batch, committed: &Committed) {
        if let Some(seat) = self.0.get_mut(&batch.instance) {
            seat.latest = Some((batch.number, committed.clone()));
        }
    }

    fn of_engine<'a>(&'a mut self, name: &'a str) -> impl Iterator<Item = &'a mut Seat> {
        self.0.values_mut().filter(move |seat| seat.instance.engine_name == name)
    }
}

/// The standing of an instance: alive until it is dropped.
pub(super) struct Member {
    place: Arc<Place>,
    id: InstanceId,
    engine_name: String,
}

impl Member {
    pub(super) fn new(place: Arc<Place>, instance: &Instance) -> Self {
        Self { place, id: instance.id.clone(), engine_name: instance.engine_name.clone() }
    }

    fn hold(&self, seat: &mut Seat) -> Dead {
        seat.tended = true;
        let hold = Hold { place: Arc::clone(&self.place), id: seat.instance.id.clone() };
        Dead::new(seat.instance.clone(), hold)
    }
}

#[async_trait]
impl Membership for Member {
    async fn announce(&self, worker_types: &[WorkerType]) -> Result<(), StoreError> {
        if let Some(seat) = self.place.lock().seats.0.get_mut(&self.id) {
            seat.worker_types = worker_types.to_vec();
        }
        Ok(())
    }

    async fn elsewhere(&self, worker_type: &WorkerType) -> Result<bool, StoreError> {
        let mut state = self.place.lock();
        let mut others = state.seats.of_engine(&self.engine_name);
        Ok(others.any(|seat| {
            seat.alive && seat.instance.id != self.id && seat.worker_types.contains(worker_type)
        }))
    }

    async fn dead(&self) -> Result<Vec<Dead>, StoreError> {
        let mut state = self.place.lock();
        let died =
            state.seats.of_engine(&self.engine_name).filter(|seat| !seat.alive && !seat.tended);
        Ok(died.map(|seat| self.hold(seat)).collect())
    }

    async fn bury(&self, dead: Dead) -> Result<(), StoreError> {
        self.place.lock().seats.0.remove(&dead.instance.id);
        Ok(())
    }

    async fn leave(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(seat) = self.place.lock().seats.0.get_mut(&self.id) {
            seat.alive = false;
        }
    }
}

/// Keeps others away from a dead instance until it is dropped.
struct Hold {
    place: Arc<Place>,
    id: InstanceId,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(seat) = self.place.lock().seats.0.get_mut(&self.id) {
            seat.tended = false;
        }
    }
}
