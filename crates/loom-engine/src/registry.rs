//! Which worker does which type of work, and how.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use loom_core::{
    Account, CrashPolicy, Error, InvalidRequest, Lane, QualityGate, Result, RetryPolicy, Task,
    Worker, WorkerType,
};

use crate::panics::caught;

/// How an engine treats the tasks of one worker type. What is not set is as the worker says, and
/// else as the engine does with all.
///
/// ```
/// use std::time::Duration;
/// use loom_core::CrashPolicy;
/// use loom_engine::WorkerOptions;
///
/// let options = WorkerOptions::new()
///     .max_running(2)
///     .timeout(Duration::from_secs(600))
///     .crash_policy(CrashPolicy::Rerun);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
pub struct WorkerOptions {
    gate: Option<QualityGate>,
    retry: Option<RetryPolicy>,
    timeout: Option<Duration>,
    crash_policy: Option<CrashPolicy>,
    max_running: Option<usize>,
    account: Option<Account>,
}

impl WorkerOptions {
    /// Nothing is set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how results are judged.
    #[must_use]
    pub fn gate(mut self, gate: QualityGate) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Sets how often and how patiently failed attempts are repeated.
    #[must_use]
    pub const fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Sets how long each attempt may take, for tasks that do not say themselves.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets what becomes of a task whose process died.
    #[must_use]
    pub const fn crash_policy(mut self, policy: CrashPolicy) -> Self {
        self.crash_policy = Some(policy);
        self
    }

    /// Sets how many attempts of this type may run at once, within the engine's limit. At least 1.
    #[must_use]
    pub const fn max_running(mut self, max_running: usize) -> Self {
        self.max_running = Some(max_running);
        self
    }

    /// Sets who the tasks of this type are charged to. When one of them meets a usage limit that
    /// says when it resets, no task of the account is started before, of whatever type.
    #[must_use]
    pub fn account(mut self, account: impl Into<Account>) -> Self {
        self.account = Some(account.into());
        self
    }
}

/// A worker and its options.
pub(crate) struct Registered {
    pub(crate) worker: Arc<dyn Worker>,
    options: WorkerOptions,
    /// Who tasks of the type may be charged to.
    accounts: Arc<[Account]>,
}

impl Registered {
    fn new(
        worker_type: &WorkerType,
        worker: Arc<dyn Worker>,
        options: WorkerOptions,
    ) -> Result<Arc<Self>> {
        let own = options.account.clone().map(|account| vec![account]);
        let accounts = own.unwrap_or_else(|| worker.accounts());
        check(worker_type, &*worker, &options, &accounts)?;
        Ok(Arc::new(Self { worker, options, accounts: accounts.into() }))
    }

    /// The gate for this type, if it has one of its own.
    pub(crate) fn gate(&self) -> Option<QualityGate> {
        self.options.gate.clone().or_else(|| self.worker.gate())
    }

    pub(crate) fn retry(&self) -> Option<RetryPolicy> {
        self.options.retry
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.options.timeout
    }

    pub(crate) fn max_running(&self) -> Option<usize> {
        self.options.max_running
    }

    /// Who `task` is charged to. A worker that panics over it charges nobody.
    pub(crate) fn account(&self, task: &Task) -> Option<Account> {
        let own = self.options.account.clone();
        own.or_else(|| caught(|| self.worker.account(task)).ok().flatten())
    }

    pub(crate) fn crash_policy(&self) -> CrashPolicy {
        self.options.crash_policy.unwrap_or_else(|| self.worker.crash_policy())
    }
}

/// The workers of an engine, by type.
#[derive(Default)]
pub(crate) struct Registry {
    workers: RwLock<BTreeMap<WorkerType, Arc<Registered>>>,
}

impl Registry {
    /// Adds a worker for a type that has none.
    pub(crate) fn add(
        &self,
        worker_type: WorkerType,
        worker: Arc<dyn Worker>,
        options: WorkerOptions,
    ) -> Result<()> {
        let registered = Registered::new(&worker_type, worker, options)?;
        let mut workers = self.write();
        if workers.contains_key(&worker_type) {
            return Err(Error::WorkerExists(worker_type));
        }
        workers.insert(worker_type, registered);
        Ok(())
    }

    /// Sets the worker of a type, whether it has one or not.
    pub(crate) fn replace(
        &self,
        worker_type: WorkerType,
        worker: Arc<dyn Worker>,
        options: WorkerOptions,
    ) -> Result<()> {
        let registered = Registered::new(&worker_type, worker, options)?;
        self.write().insert(worker_type, registered);
        Ok(())
    }

    pub(crate) fn get(&self, worker_type: &WorkerType) -> Option<Arc<Registered>> {
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

    /// Each registered type, with what room it has: `room` is told its limit, if it has one of its own.
    pub(crate) fn lanes(&self, room: impl Fn(&WorkerType, Option<usize>) -> u32) -> Vec<Lane> {
        let lane = |(worker_type, registered): (&WorkerType, &Arc<Registered>)| Lane {
            worker_type: worker_type.clone(),
            limit: room(worker_type, registered.options.max_running),
            accounts: Arc::clone(&registered.accounts),
        };
        self.read(|workers| workers.iter().map(lane).collect())
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<WorkerType, Arc<Registered>>> {
        self.workers.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, look: impl FnOnce(&BTreeMap<WorkerType, Arc<Registered>>) -> T) -> T {
        look(&self.workers.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn check(
    worker_type: &WorkerType,
    worker: &dyn Worker,
    options: &WorkerOptions,
    accounts: &[Account],
) -> Result<()> {
    worker_type
        .check()
        .map_err(|problem| InvalidRequest::new("worker_type", problem.to_string()))?;
    accounts.iter().try_for_each(check_account)?;
    if options.max_running == Some(0) {
        let hint = "with none, no task of the type would ever run";
        return Err(InvalidRequest::new("max_running", hint).into());
    }
    if options.timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(InvalidRequest::new("timeout", "zero leaves no time to run").into());
    }
    match worker.worker_type() {
        Some(declared) if declared != *worker_type => {
            Err(Error::WorkerMismatch { asked: worker_type.clone(), declared })
        }
        _ => Ok(()),
    }
}

pub(crate) fn check_account(account: &Account) -> Result<(), InvalidRequest> {
    account.check().map_err(|problem| InvalidRequest::new("account", problem.to_string()))
}
