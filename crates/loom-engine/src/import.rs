//! Taking over tasks of another system.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use futures_util::{TryFutureExt, TryStreamExt};
use loom_core::limits::BATCH_OPS_MAX;
use loom_core::{Env, FailureCode, Imported, InvalidRequest, Redactor, Result, Submitted, Task};
use loom_deps::Clock;

use crate::context::Context;
use crate::engine::{Engine, submitted, unstored};

/// What an import of many tasks has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Tasks that were added.
    pub added: u64,
    /// Tasks that were there already and were left as they are.
    pub present: u64,
    /// Of those that were added: ended with the code `crashed`, for nobody has them in hand.
    pub crashed: u64,
    /// Of those that were added: wait, by the name of the engine that is to run them.
    pub waiting: BTreeMap<String, u64>,
}

/// What of a task is counted.
struct Counted {
    has_crashed: bool,
    waits_for: Option<String>,
}

impl Counted {
    fn of(task: &Task) -> Self {
        let waits = task.status.is_waiting();
        Self {
            has_crashed: task.failure == Some(FailureCode::Crashed),
            waits_for: waits.then(|| task.engine_name.clone()),
        }
    }
}

impl ImportReport {
    /// Takes in what another import has done.
    pub fn add(&mut self, other: Self) {
        self.added += other.added;
        self.present += other.present;
        self.crashed += other.crashed;
        for (engine_name, count) in other.waiting {
            *self.waiting.entry(engine_name).or_default() += count;
        }
    }

    /// Takes in a task that was added, or nothing for one that was there.
    fn count(&mut self, added: Option<Counted>) {
        let Some(task) = added else {
            self.present += 1;
            return;
        };
        self.added += 1;
        self.crashed += u64::from(task.has_crashed);
        if let Some(engine_name) = task.waits_for {
            *self.waiting.entry(engine_name).or_default() += 1;
        }
    }
}

impl Engine {
    /// The clock that the engine goes by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.cx().clock
    }

    /// Stores a task of another system as it was there. Secrets are taken out of its error; nothing
    /// else is changed. If there is a task of its id, that one is left as it is and the receipt
    /// says that this is a duplicate, so that an import can be repeated.
    ///
    /// The task keeps its engine name. If it is this engine's and waits, it is run when it is due.
    /// What is imported is history: it makes no events and counts in no metrics.
    ///
    /// Cancel safety: if the future is dropped, the task may be stored or not.
    ///
    /// # Errors
    /// [`Error::Closed`](loom_core::Error::Closed), [`Error::Invalid`](loom_core::Error::Invalid)
    /// for a worker type that is none and [`Error::Store`](loom_core::Error::Store) leave no task
    /// behind; [`Error::Unconfirmed`](loom_core::Error::Unconfirmed) may.
    pub async fn import(&self, task: Imported) -> Result<Submitted> {
        self.enqueue(redacted(self.cx(), task, &mut None)).await?.await
    }

    /// Hands a redacted task to the writer. What is returned waits until it is stored.
    async fn enqueue(
        &self,
        task: Imported,
    ) -> Result<impl Future<Output = Result<Submitted>> + Send + '_> {
        let cx = self.cx();
        let importing = cx.closing.submit()?;
        let checked = task.worker_type().check();
        checked.map_err(|error| InvalidRequest::new("worker_type", error.to_string()))?;
        let id = task.id().clone();
        let stored = cx.writer.import(task, cx.now()).await?;
        Ok(async move {
            let receipt = stored.await;
            drop(importing);
            submitted(id.clone(), &receipt.map_err(|error| unstored(&id, error))?)
        })
    }

    /// Stores many tasks, as [`import`](Engine::import) does each, in their order. Up to 1,000 are
    /// under way at a time, so that commits are large.
    ///
    /// # Errors
    /// As [`import`](Engine::import), at the first task that could not be stored. Those before it
    /// may be stored, and some behind it: repeat the import.
    pub async fn import_all(
        &self,
        tasks: impl IntoIterator<Item = Imported, IntoIter: Send> + Send,
    ) -> Result<ImportReport> {
        let mut report = ImportReport::default();
        let mut latest = None;
        let mut under_way = FuturesUnordered::new();
        for task in tasks {
            if under_way.len() >= MANY
                && let Some(added) = under_way.try_next().await?
            {
                report.count(added);
            }
            let counted = Counted::of(task.as_task());
            // One after the other into the queue, so that they are stored in their order.
            let stored = self.enqueue(redacted(self.cx(), task, &mut latest)).await?;
            under_way.push(stored.map_ok(|it| (!it.duplicate).then_some(counted)));
        }
        while let Some(added) = under_way.try_next().await? {
            report.count(added);
        }
        Ok(report)
    }
}

/// Secrets of this process and of the task's environment do not get into the store by its error.
fn redacted(cx: &Context, imported: Imported, latest: &mut Option<(Env, Redactor)>) -> Imported {
    let task = imported.as_task();
    if task.error.is_none() {
        return imported;
    }
    // Often a program gives all of its tasks the same environment, and a redactor is dear to make.
    if latest.as_ref().is_none_or(|(env, _)| *env != task.env) {
        *latest = Some((task.env.clone(), cx.redactor(task)));
    }
    match latest {
        Some((_, redactor)) => imported.redacted(redactor),
        None => imported,
    }
}

/// Imports under way at a time: as many as one commit takes.
const MANY: usize = BATCH_OPS_MAX;
