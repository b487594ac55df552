//! Which worker does which type of work.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use loom_core::{Error, Lane, Result, Worker, WorkerType};

/// The workers of an engine, by type.
#[derive(Default)]
pub(crate) struct Registry {
    workers: RwLock<BTreeMap<WorkerType, Arc<dyn Worker>>>,
}

impl Registry {
    /// Adds a worker for a type that has none.
    pub(crate) fn add(&self, worker_type: WorkerType, worker: Arc<dyn Worker>) -> Result<()> {
        check(&worker_type, &*worker)?;
        let mut workers = self.workers.write().unwrap_or_else(PoisonError::into_inner);
        if workers.contains_key(&worker_type) {
            return Err(Error::WorkerExists(worker_type));
        }
        workers.insert(worker_type, worker);
        Ok(())
    }

    /// Sets the worker of a type, whether it has one or not.
    pub(crate) fn replace(&self, worker_type: WorkerType, worker: Arc<dyn Worker>) -> Result<()> {
        check(&worker_type, &*worker)?;
        let mut workers = self.workers.write().unwrap_or_else(PoisonError::into_inner);
        workers.insert(worker_type, worker);
        Ok(())
    }

    pub(crate) fn get(&self, worker_type: &WorkerType) -> Option<Arc<dyn Worker>> {
        self.read(|workers| workers.get(worker_type).cloned())
    }

    pub(crate) fn has(&self, worker_type: &WorkerType) -> bool {
        self.read(|workers| workers.contains_key(worker_type))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.read(BTreeMap::is_empty)
    }

    pub(crate) fn types(&self) -> Vec<WorkerType> {
        self.read(|workers| workers.keys().cloned().collect())
    }

    /// What a claim may take: every registered type, up to `limit` of each.
    pub(crate) fn lanes(&self, limit: u32) -> Vec<Lane> {
        let lane = |worker_type: &WorkerType| Lane { worker_type: worker_type.clone(), limit };
        self.read(|workers| workers.keys().map(lane).collect())
    }

    fn read<T>(&self, look: impl FnOnce(&BTreeMap<WorkerType, Arc<dyn Worker>>) -> T) -> T {
        look(&self.workers.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn check(worker_type: &WorkerType, worker: &dyn Worker) -> Result<()> {
    worker_type
        .check()
        .map_err(|problem| loom_core::InvalidRequest::new("worker_type", problem.to_string()))?;
    match worker.worker_type() {
        Some(declared) if declared != *worker_type => {
            Err(Error::WorkerMismatch { asked: worker_type.clone(), declared })
        }
        _ => Ok(()),
    }
}
