//! Who runs tasks, and who of them is alive.

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use loom_deps::Timestamp;

use crate::ids::{InstanceId, WorkerType};
use crate::store::StoreError;
use crate::task::Task;
use crate::worker::WorkerError;

/// One start of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Instance {
    /// Names this start; never used again.
    pub id: InstanceId,
    /// The engine that was started.
    pub engine_name: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// The process that started it.
    pub pid: u32,
}

impl Instance {
    /// A start of the engine `engine_name` in this process.
    #[must_use]
    pub fn new(id: InstanceId, engine_name: impl Into<String>, started_at: Timestamp) -> Self {
        Self { id, engine_name: engine_name.into(), started_at, pid: std::process::id() }
    }
}

/// An instance that has died. Nobody else can take care of it while this value is held.
pub struct Dead {
    /// The instance as it joined.
    pub instance: Instance,
    _hold: Box<dyn Any + Send + Sync>,
}

impl Dead {
    /// A dead instance; `hold` keeps others away until it is dropped.
    pub fn new(instance: Instance, hold: impl Any + Send + Sync) -> Self {
        Self { instance, _hold: Box::new(hold) }
    }
}

impl fmt::Debug for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dead").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// The standing of an instance in a store: while it is held, the instance is alive.
///
/// Its end, by [`leave`](Membership::leave), by drop or by the death of the process, makes the
/// instance dead in the eyes of all others.
#[async_trait]
pub trait Membership: Send + Sync {
    /// Tells others which worker types this instance has workers for.
    async fn announce(&self, worker_types: &[WorkerType]) -> Result<(), StoreError>;

    /// Whether another live instance of the same engine has a worker for `worker_type`.
    async fn elsewhere(&self, worker_type: &WorkerType) -> Result<bool, StoreError>;

    /// The instances of the same engine that have died and that nobody else takes care of.
    async fn dead(&self) -> Result<Vec<Dead>, StoreError>;

    /// Forgets a dead instance, once nothing is left in its hands.
    async fn bury(&self, dead: Dead) -> Result<(), StoreError>;

    /// Ends the standing.
    async fn leave(self: Box<Self>) -> Result<(), StoreError>;
}

/// Ends what dead processes left running, for tasks that have no worker registered yet.
#[async_trait]
pub trait Reaper: Send + Sync + 'static {
    /// Ends what a dead process left running for `task`. Called before the task is closed.
    ///
    /// # Errors
    /// The error is logged, and the task is closed all the same.
    async fn reap(&self, task: &Task) -> Result<(), WorkerError>;
}
