//! The standing of an instance in a database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use loom_core::{Dead, Instance, InstanceId, Membership, StoreError, WorkerType};
use loom_deps::Timestamp;
use rusqlite::{Row, params};

use crate::connection::Args;
use crate::error::{Fault, Misshapen, refused, refused_by_system, store_error};
use crate::hand::Hand;
use crate::locks::Hold;
use crate::open::Open;
use crate::origin::Origin;
use crate::row::Fields;
use crate::sql;
use crate::writer::Memory;

/// The instances that have joined through one handle and have not left.
#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<HashMap<InstanceId, Arc<Seat>>>);

/// An instance that may commit. Whoever commits for it holds this meanwhile, and with it the lock:
/// a membership that is dropped during a commit must not look dead before the commit has ended.
#[derive(Debug)]
pub(crate) struct Seat {
    /// The number of the instance's row.
    pub(crate) row: i64,
    pub(crate) memory: Memory,
    _alive: Hold,
}

impl Seats {
    pub(crate) fn get(&self, id: &InstanceId) -> Result<Arc<Seat>, StoreError> {
        let seat = self.lock().get(id).cloned();
        seat.ok_or_else(|| StoreError::NotJoined(id.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, Arc<Seat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Member {
    open: Arc<Open>,
    instance: Instance,
    row: i64,
}

/// Another instance of the same engine.
struct Other {
    row: i64,
    instance: Instance,
    lock: String,
    worker_types: String,
}

impl Member {
    /// Takes the lock first, so that the row is never seen without it.
    pub(crate) async fn join(open: Arc<Open>, instance: &Instance) -> Result<Self, StoreError> {
        let place = open.locks.place(&instance.id);
        let alive = open.locks.take(&instance.id, &place);
        let alive = alive.map_err(|e| refused_by_system(&open.path, "no lock can be taken", e))?;
        let alive = alive.ok_or_else(|| joined_before(&open, &instance.id))?;
        let row = insert(&open, instance, &place).await?;
        let seat = Seat { row, memory: Memory::default(), _alive: alive };
        open.seats.lock().insert(instance.id.clone(), Arc::new(seat));
        Ok(Self { open, instance: instance.clone(), row })
    }

    async fn others(&self) -> Result<Vec<Other>, StoreError> {
        let (engine, row) = (self.instance.engine_name.clone(), self.row);
        let read = move |hand: Hand<'_>| {
            hand.each(sql::OTHERS, params![engine, row], |row| Ok(other(row).ok()))
        };
        Ok(self.open.ask(read).await?.into_iter().flatten().collect())
    }

    /// The lock of another instance, if that is dead and nobody else takes care of it.
    fn take(&self, other: &Other) -> Result<Option<Hold>, StoreError> {
        let hold = self.open.locks.take(&other.instance.id, &other.lock);
        hold.map_err(|source| StoreError::Unavailable { source: source.into() })
    }

    /// Deletes the row of an instance and its lock, if nothing leads to either any more.
    async fn forget(&self, row: i64, id: &InstanceId) -> Result<(), StoreError> {
        let args = Args::default().with(row).with(id.as_str());
        let part = self.open.writer.run_one(sql::BURY, args).await?;
        if part.changes > 0 {
            self.open.locks.remove(id);
        }
        Ok(())
    }
}

#[async_trait]
impl Membership for Member {
    async fn announce(&self, worker_types: &[WorkerType]) -> Result<(), StoreError> {
        let names: Vec<&str> = worker_types.iter().map(WorkerType::as_str).collect();
        let names = serde_json::to_string(&names).unwrap_or_default();
        let args = Args::default().with(self.row).with(names);
        self.open.writer.run_one(sql::ANNOUNCE, args).await.map(|_| ())
    }

    async fn elsewhere(&self, worker_type: &WorkerType) -> Result<bool, StoreError> {
        for other in self.others().await? {
            let types: Vec<String> = serde_json::from_str(&other.worker_types).unwrap_or_default();
            let has_worker = types.iter().any(|name| name == worker_type.as_str());
            if has_worker && self.take(&other)?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn dead(&self) -> Result<Vec<Dead>, StoreError> {
        let mut held = Vec::new();
        for other in self.others().await? {
            if let Some(hold) = self.take(&other)? {
                held.push((other, hold));
            }
        }
        if held.is_empty() {
            return Ok(Vec::new());
        }
        // Whom somebody has buried between the look at the rows and the locks is gone, though its
        // lock could be taken. From here on the locks keep everybody else from burying.
        let left: Vec<i64> = self.others().await?.iter().map(|other| other.row).collect();
        let mut dead = Vec::new();
        for (other, hold) in held {
            if left.contains(&other.row) {
                dead.push(Dead::new(other.instance, hold));
            } else {
                self.open.locks.remove(&other.instance.id);
            }
        }
        Ok(dead)
    }

    async fn bury(&self, dead: Dead) -> Result<(), StoreError> {
        let id = &dead.instance.id;
        let others = self.others().await?;
        match others.iter().find(|other| other.instance.id == *id) {
            Some(other) => self.forget(other.row, id).await,
            None => Ok(()),
        }
    }

    async fn leave(self: Box<Self>) -> Result<(), StoreError> {
        let seat = self.open.seats.lock().remove(&self.instance.id);
        let left = self.forget(self.row, &self.instance.id).await;
        // The lock goes last: until then the row, if it stays, is that of a live instance.
        drop(seat);
        left
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.open.seats.lock().remove(&self.instance.id);
    }
}

fn joined_before(open: &Open, id: &InstanceId) -> StoreError {
    let problem = format!("an instance {id} has joined before");
    refused(&open.path, problem, "give every start of an engine an id of its own")
}

async fn insert(open: &Open, instance: &Instance, place: &str) -> Result<i64, StoreError> {
    let origin = Origin::of_this_process();
    let args = Args::default()
        .with(instance.id.as_str())
        .with(instance.engine_name.as_str())
        .with(instance.started_at.as_micros())
        .with(instance.pid)
        .with(origin.boot)
        .with(origin.pid_namespace)
        .with(env!("CARGO_PKG_VERSION"))
        .with(place);
    let mut lent = open.writer.lend().await?;
    let inserted = crate::connection::run_one(lent.connection()?, sql::JOIN, args).await;
    let row = inserted.map_err(Fault::from).and_then(|part| Ok(Fields::of(part.one()?).take()?));
    row.map_err(|fault| match fault.is_duplicate() {
        true => joined_before(open, &instance.id),
        false => store_error(&open.path, fault),
    })
}

fn other(row: &Row<'_>) -> Result<Other, Misshapen> {
    let mut fields = Fields::of(row);
    let seat = fields.take()?;
    let id: &str = fields.take()?;
    let id = InstanceId::new(id).map_err(|_| Misshapen)?;
    let engine_name: String = fields.take()?;
    let started_at = Timestamp::from_micros(fields.take()?);
    let mut instance = Instance::new(id, engine_name, started_at);
    instance.pid = fields.take()?;
    Ok(Other { row: seat, instance, lock: fields.take()?, worker_types: fields.take()? })
}
