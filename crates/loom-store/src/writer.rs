//! The connection that writes, on a thread of its own.
//!
//! Commits run on the raw handle of the connection, a statement for each row: through sqlx every
//! statement and every row would be a message between threads. Everything else that needs this
//! connection borrows it from the thread for a while.

mod desk;
mod memory;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc as returns;
use std::thread;

use loom_core::StoreError;
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use self::desk::{Desk, Job};
pub(crate) use self::memory::Memory;
use crate::connection::{self, Args, Options, Part};
use crate::error::store_error;
use crate::hand::Hand;
use crate::membership::Seat;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::sql::Text;

/// Jobs that wait for the connection; beyond it, asking for another waits.
const JOBS_MAX: usize = 64;

/// The way to the thread of the connection that writes.
pub(crate) struct Writer {
    /// The database, for errors to name.
    path: PathBuf,
    jobs: mpsc::Sender<Job>,
}

/// The connection, lent by its thread, which waits until it is given back by being dropped.
pub(crate) struct Lent {
    connection: Option<SqliteConnection>,
    back: returns::Sender<SqliteConnection>,
}

impl Lent {
    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.connection.as_mut().ok_or(StoreError::Closed)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Without its thread the connection has nobody to go back to, and is closed.
            let _ = self.back.send(connection);
        }
    }
}

impl Writer {
    /// Gives `connection` to a thread of its own. `keeps`: it must never be given up, for a database
    /// in memory would be lost with it.
    pub(crate) fn start(
        path: PathBuf,
        options: Options,
        connection: SqliteConnection,
        keeps: bool,
    ) -> Result<Self, StoreError> {
        let (jobs, mut work) = mpsc::channel(JOBS_MAX);
        let desk = Desk::new(path.clone(), options, connection, keeps);
        let thread = thread::Builder::new().name("loom-store".to_owned());
        let started = thread.spawn(move || desk.run(&mut work));
        started.map_err(|source| StoreError::Unavailable { source: source.into() })?;
        Ok(Self { path, jobs })
    }

    /// Hands a job over and waits for its answer. Once handed over the job is done, even if nobody
    /// waits for the answer.
    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)
    }

    /// Commits a batch of the instance in `seat`, unless that is known to have been done.
    pub(crate) async fn commit(
        &self,
        plan: Plan,
        seat: Arc<Seat>,
    ) -> Result<Arc<Outcome>, StoreError> {
        self.ask(|answer| Job::Commit { plan: Box::new(plan), seat, answer }).await?
    }

    /// Whether another connection has committed something since this was last asked.
    pub(crate) async fn has_news(&self) -> Result<bool, StoreError> {
        self.ask(Job::News).await?
    }

    /// Reads through the connection that writes.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(Hand<'_>) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let ask = |answer: oneshot::Sender<_>| {
            Job::Read(Box::new(move |hand| {
                let _ = answer.send(hand.map(question));
            }))
        };
        self.ask(ask).await?
    }

    /// Borrows the connection.
    pub(crate) async fn lend(&self) -> Result<Lent, StoreError> {
        self.ask(Job::Lend).await?
    }

    /// Runs a text of one statement.
    pub(crate) async fn run_one(&self, text: Text, args: Args) -> Result<Part, StoreError> {
        let mut lent = self.lend().await?;
        let part = connection::run_one(lent.connection()?, text, args).await;
        part.map_err(|error| store_error(&self.path, error))
    }

    /// Closes the connection. Every later call answers that the store is closed.
    pub(crate) async fn close(&self) {
        // A thread that has ended has closed its connection.
        let _ = self.ask(Job::Close).await;
    }
}

#[cfg(test)]
mod tests {
    use loom_core::{
        Batch, Claim, ClaimScope, Instance, InstanceId, Lane, NewTask, Op, TaskId, TaskRequest,
    };
    use loom_deps::Timestamp;

    use super::*;
    use crate::membership::Member;
    use crate::open::Open;
    use crate::options::{Location, SqliteStoreBuilder};
    use crate::sql;

    async fn open() -> Arc<Open> {
        let settings = SqliteStoreBuilder::new(Location::Memory).settings();
        Arc::new(crate::setup::open(&settings).await.unwrap())
    }

    fn batch(number: u64) -> Batch {
        let new = NewTask {
            id: TaskId::new("t").unwrap(),
            engine_name: "default".to_owned(),
            request: TaskRequest::new("work", "do it"),
            created_at: Timestamp::from_micros(0),
            pinned_to: None,
            daemon_id: None,
        };
        let instance = InstanceId::new("one").unwrap();
        Batch { instance, number, ops: vec![Op::Insert(Box::new(new))] }
    }

    #[tokio::test]
    async fn a_commit_that_did_happen_is_confirmed() {
        let open = open().await;
        let batch = batch(7);
        let instance = Instance::new(batch.instance.clone(), "default", Timestamp::from_micros(0));
        let _member = Member::join(Arc::clone(&open), &instance).await.unwrap();
        let seat = open.seats.get(&instance.id).unwrap();
        let send =
            async || open.writer.commit(Plan::new(&batch, seat.row), Arc::clone(&seat)).await;
        let outcome = send().await.unwrap();
        // As if the commit had been answered with an error.
        seat.memory.keep(7, &outcome, false);
        let confirmed = send().await.unwrap();
        assert_eq!(confirmed.answer(&batch), outcome.answer(&batch), "it tells what it has done");
        assert!(seat.memory.known(7).unwrap().is_some(), "and from now on it is known");
        assert!(seat.memory.known(6).is_err(), "what came before is not done again");
    }

    #[tokio::test]
    async fn a_claim_that_did_happen_is_confirmed_with_what_it_took() {
        let open = open().await;
        let insert = batch(1);
        let instance = Instance::new(insert.instance.clone(), "default", Timestamp::from_micros(0));
        let _member = Member::join(Arc::clone(&open), &instance).await.unwrap();
        let seat = open.seats.get(&instance.id).unwrap();
        let send = async |batch: &Batch| {
            open.writer.commit(Plan::new(batch, seat.row), Arc::clone(&seat)).await.unwrap()
        };
        send(&insert).await;
        let claim = Op::Claim(Claim {
            engine_name: "default".to_owned(),
            scope: ClaimScope::Shared,
            lanes: vec![Lane::new("work", 1)],
            limit: 1,
            now: Timestamp::from_micros(1),
        });
        let claim = Batch { number: 2, ops: vec![claim], ..insert };
        let outcome = send(&claim).await;
        assert_eq!(outcome.answer(&claim).claimed.len(), 1);
        seat.memory.keep(2, &outcome, false);
        assert_eq!(send(&claim).await.answer(&claim), outcome.answer(&claim));
    }

    #[tokio::test]
    async fn a_connection_that_was_lent_goes_back_to_work() {
        let open = open().await;
        let mut lent = open.writer.lend().await.unwrap();
        let first = connection::run_one(lent.connection().unwrap(), sql::LIBRARY, Args::default());
        assert_eq!(first.await.unwrap().rows.len(), 1);
        drop(lent);
        assert!(!open.writer.has_news().await.unwrap());
        let again = open.writer.run_one(sql::LIBRARY, Args::default()).await;
        assert_eq!(again.unwrap().rows.len(), 1);
        open.writer.close().await;
        assert!(matches!(open.writer.lend().await, Err(StoreError::Closed)));
    }
}
