//! What the parts of one engine share.

use std::sync::Arc;
use std::time::Duration;

use loom_core::{
    Capability, ClaimScope, Error, InstanceId, Membership, OutputStore, QualityGate, Reaper,
    Redactor, Result, RetryPolicy, Task, TaskId, TaskStore,
};
use loom_deps::{Clock, IdGen, Rng, Timer, Timestamp};
use opentelemetry::global::BoxedTracer;
use tokio::runtime::Handle;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::close::Closing;
use crate::dispatch::Dispatch;
use crate::record::Recorder;
use crate::registry::Registry;
use crate::waiters::Waiters;
use crate::writer::Writer;

/// One started engine, as its parts see it.
pub(crate) struct Context {
    /// Where the engine was started, and where all that it spawns runs.
    pub(crate) runtime: Handle,
    pub(crate) name: String,
    pub(crate) instance: InstanceId,
    pub(crate) store: Box<dyn TaskStore>,
    /// Where what tasks print is kept, if the store keeps it.
    pub(crate) output: Option<Arc<dyn OutputStore>>,
    /// Gone once the engine has left.
    pub(crate) membership: RwLock<Option<Box<dyn Membership>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) ids: Arc<dyn IdGen>,
    pub(crate) rng: Rng,
    pub(crate) settings: Settings,
    pub(crate) tracer: BoxedTracer,
    pub(crate) reaper: Option<Box<dyn Reaper>>,
    pub(crate) registry: Registry,
    pub(crate) writer: Writer,
    pub(crate) dispatch: Dispatch,
    pub(crate) recorder: Recorder,
    pub(crate) waiters: Waiters,
    pub(crate) closing: Closing,
}

/// What the builder of an engine can set.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) gate: QualityGate,
    pub(crate) redactor: Redactor,
    pub(crate) retry: RetryPolicy,
    pub(crate) cancel_grace: Duration,
    pub(crate) scope: ClaimScope,
    pub(crate) submit_only: bool,
    pub(crate) refuse_unknown_types: bool,
    pub(crate) daemon_id: Option<String>,
}

impl Context {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Knows the secrets of this process, and those in the environment of `task`.
    pub(crate) fn redactor(&self, task: &Task) -> Redactor {
        let redactor = self.settings.redactor.clone();
        if task.env.is_empty() {
            return redactor;
        }
        redactor.with_env(&task.env, |name| std::env::var(name).ok())
    }

    pub(crate) fn can_hold(&self) -> bool {
        self.store.capabilities().contains(&Capability::Hold)
    }

    /// A task of any engine, as it is now.
    pub(crate) async fn task(&self, id: &TaskId) -> Result<Task> {
        let mut found = self.store.get(std::slice::from_ref(id)).await?;
        found.pop().ok_or_else(|| Error::NotFound(id.clone()))
    }

    /// Returns when a moment has come; never, if there is none.
    pub(crate) async fn passes(&self, at: Option<Timestamp>) {
        match at {
            Some(at) => self.timer.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Returns after `wait`.
    pub(crate) async fn sleep(&self, wait: Duration) {
        self.timer.sleep_until(self.now().saturating_add(wait)).await;
    }

    /// The future's output, or nothing if `wait` is over first.
    pub(crate) async fn within<F: Future>(&self, wait: Duration, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.sleep(wait) => None,
        }
    }

    /// The standing of this instance, unless the engine has left.
    pub(crate) async fn membership(&self) -> Result<RwLockReadGuard<'_, dyn Membership>> {
        let membership = self.membership.read().await;
        let standing = RwLockReadGuard::try_map(membership, |standing| standing.as_deref());
        standing.map_err(|_| Error::Closed)
    }
}
