//! The thread of the connection that writes: takes one job after the other.

use std::hint;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc as returns;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use loom_core::StoreError;
use rusqlite::Connection;
use sqlx::SqliteConnection;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;

use super::{Lent, Memory};
use crate::commit::{self, Failed};
use crate::connection::Options;
use crate::error::{Fault, store_error};
use crate::hand::{Hand, Question};
use crate::membership::Seat;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::raw::Raw;
use crate::sql;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// How long the thread looks out for the next job after a commit before it goes to sleep: about as
/// long as it takes to wake a thread or two. Whoever learns of a commit often has the next one at
/// once.
const LOOKOUT: Duration = Duration::from_micros(100);
/// After how many commits is looked again, if it was in vain: others may need the processor.
const PAUSE: u32 = 8;

/// What the thread is asked to do. Nobody need wait for an answer.
pub(super) enum Job {
    /// The seat is held until the commit is done.
    Commit {
        plan: Box<Plan>,
        seat: Arc<Seat>,
        answer: Answer<Arc<Outcome>>,
    },
    /// Whether another connection has committed something since this was last asked.
    News(Answer<bool>),
    /// Something to be read, where there is no connection but this.
    Read(Question),
    Lend(Answer<Lent>),
    Close(oneshot::Sender<()>),
}

impl Job {
    fn refuse(self, error: StoreError) {
        // Somebody who has stopped waiting is answered in vain.
        match self {
            Self::Commit { answer, .. } => {
                let _ = answer.send(Err(error));
            }
            Self::News(answer) => {
                let _ = answer.send(Err(error));
            }
            Self::Read(question) => question(Err(error)),
            Self::Lend(answer) => {
                let _ = answer.send(Err(error));
            }
            Self::Close(answer) => {
                let _ = answer.send(());
            }
        }
    }
}

/// What the thread works with.
pub(super) struct Desk {
    /// The database, for errors to name.
    path: PathBuf,
    options: Options,
    /// A database in memory would be lost with its connection.
    keeps: bool,
    open: Option<Raw>,
    /// What is known of the commits of others.
    seen: Option<i64>,
}

impl Desk {
    pub(super) fn new(
        path: PathBuf,
        options: Options,
        connection: SqliteConnection,
        keeps: bool,
    ) -> Self {
        Self { path, options, keeps, open: Some(Raw::new(connection)), seen: None }
    }

    /// The thread's work: jobs, until it is told to close or nobody can send any more.
    pub(super) fn run(mut self, jobs: &mut Receiver<Job>) {
        let mut next = jobs.blocking_recv();
        while let Some(job) = next.take() {
            next = match job {
                Job::Close(closed) => {
                    self.give_up();
                    let _ = closed.send(());
                    return;
                }
                Job::Lend(answer) => {
                    self.lend(answer);
                    jobs.blocking_recv()
                }
                job => self.work(job, jobs),
            };
        }
        self.give_up();
    }

    /// Does jobs on the raw handle, up to the first that is not for it.
    fn work(&mut self, first: Job, jobs: &mut Receiver<Job>) -> Option<Job> {
        if let Err(error) = self.connect() {
            first.refuse(error);
            return jobs.blocking_recv();
        }
        let Self { path, open, seen, keeps, .. } = self;
        let sound = match open.as_mut().map(Raw::hold) {
            Some(Ok((_locked, view))) => match (Service { path, view, seen }).serve(first, jobs) {
                Served::Until(next) => return next,
                Served::Broken => *keeps,
            },
            Some(Err(fault)) => {
                first.refuse(store_error(path, fault));
                false
            }
            None => true,
        };
        if !sound {
            self.give_up();
        }
        jobs.blocking_recv()
    }

    /// Opens the connection anew if the one before had to be given up.
    fn connect(&mut self) -> Result<(), StoreError> {
        if self.open.is_none() && self.keeps {
            return Err(StoreError::Closed);
        }
        if self.open.is_none() {
            let opened = block_on(self.options.connect());
            let connection = opened.map_err(|error| store_error(&self.path, error))?;
            self.open = Some(Raw::new(connection));
        }
        Ok(())
    }

    /// Lends the connection, and waits until it is back.
    fn lend(&mut self, answer: Answer<Lent>) {
        if answer.is_closed() {
            return;
        }
        if let Err(error) = self.connect() {
            let _ = answer.send(Err(error));
            return;
        }
        let Some(Raw { view, connection }) = self.open.take() else { return };
        let (back, returned) = returns::channel();
        let _ = answer.send(Ok(Lent { connection: Some(connection), back }));
        if let Ok(connection) = returned.recv() {
            self.open = Some(Raw { view, connection });
        }
    }

    /// Lets go of the connection.
    fn give_up(&mut self) {
        if let Some(raw) = self.open.take() {
            raw.close();
            // The next connection does not know what it has missed: that is news.
            self.seen = self.seen.map(|_| i64::MIN);
        }
    }
}

/// Whether it is worthwhile to look out for the next job.
#[derive(Default)]
struct Lookout {
    /// For so many commits it is not.
    pause: u32,
}

impl Lookout {
    /// The next job, if it comes within moments.
    fn soon(&mut self, jobs: &mut Receiver<Job>) -> Option<Job> {
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let begun = Instant::now();
        while begun.elapsed() < LOOKOUT {
            if let Ok(job) = jobs.try_recv() {
                return Some(job);
            }
            hint::spin_loop();
        }
        self.pause = PAUSE;
        None
    }
}

/// How a row of jobs on the raw handle has ended.
enum Served {
    /// With a job that is not for it, or with the last one.
    Until(Option<Job>),
    /// With a transaction that cannot be ended.
    Broken,
}

/// Does jobs on the raw handle.
struct Service<'a> {
    path: &'a Path,
    view: &'a Connection,
    seen: &'a mut Option<i64>,
}

impl Service<'_> {
    fn serve(mut self, first: Job, jobs: &mut Receiver<Job>) -> Served {
        let mut lookout = Lookout::default();
        let mut next = Some(first);
        while let Some(job) = next.take() {
            next = match job {
                Job::Commit { plan, seat, answer } => {
                    let done = self.commit(&plan, &seat.memory);
                    let sound = Hand(self.view).roll_back();
                    let _ = answer.send(done);
                    // Not held while the thread waits: the instance may be gone meanwhile.
                    drop(seat);
                    if !sound {
                        return Served::Broken;
                    }
                    lookout.soon(jobs).or_else(|| jobs.blocking_recv())
                }
                Job::News(answer) => {
                    let news = self.has_news().map_err(|error| store_error(self.path, error));
                    let _ = answer.send(news);
                    jobs.blocking_recv()
                }
                Job::Read(question) => {
                    question(Ok(Hand(self.view)));
                    if !Hand(self.view).roll_back() {
                        return Served::Broken;
                    }
                    jobs.blocking_recv()
                }
                other => return Served::Until(Some(other)),
            };
        }
        Served::Until(None)
    }

    /// Commits a batch, unless `memory` knows that it has been.
    fn commit(&self, plan: &Plan, memory: &Memory) -> Result<Arc<Outcome>, StoreError> {
        let number = plan.batch.number;
        if let Some(outcome) = memory.known(number)? {
            return Ok(outcome);
        }
        match commit::commit(self.view, plan, memory.may_have_sent(number)) {
            Ok(outcome) => {
                let outcome = Arc::new(outcome);
                memory.keep(number, &outcome, true);
                Ok(outcome)
            }
            Err(Failed::Repeated) => memory.confirm(number),
            Err(Failed::NotJoined) => Err(StoreError::NotJoined(plan.batch.instance.clone())),
            Err(Failed::Before(fault)) => Err(store_error(self.path, fault)),
            Err(Failed::At(fault, _)) if fault.is_undone() => Err(store_error(self.path, fault)),
            Err(Failed::At(fault, outcome)) => {
                memory.keep(number, &Arc::new(*outcome), false);
                Err(StoreError::Unknown { number, source: fault.into_source() })
            }
        }
    }

    fn has_news(&mut self) -> Result<bool, Fault> {
        let mut statement = self.view.prepare_cached(sql::DATA_VERSION.sql)?;
        let version: i64 = statement.query_row([], |row| row.get(0))?;
        Ok(self.seen.replace(version).is_some_and(|seen| seen != version))
    }
}
