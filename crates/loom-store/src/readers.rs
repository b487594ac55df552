//! The connections that read, each on a thread of its own.
//!
//! A question is one message to such a thread, and its answer one message back, however many rows it
//! is made of.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use futures_executor::block_on;
use loom_core::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::connection::Options;
use crate::error::{Fault, store_error};
use crate::hand::{Hand, Question};
use crate::raw::Raw;

/// Connections that read.
const READERS_MAX: u32 = 3;

/// The readers of a database. They are started as they are needed.
pub(crate) struct Readers {
    /// The database, for errors to name.
    path: PathBuf,
    options: Options,
    /// One for each reader that may be at work.
    permits: Arc<Semaphore>,
    idle: Arc<Idle>,
}

/// Those who have nothing to do. Whoever was at work last comes first: what was read last is at hand.
#[derive(Default)]
struct Idle(Mutex<Vec<Reader>>);

/// The way to a thread, which ends when this is dropped.
struct Reader {
    questions: Sender<Question>,
    /// Answered when the thread has ended.
    ended: oneshot::Receiver<()>,
}

/// A reader that was asked something: idle again when this is dropped.
struct Busy {
    reader: Option<Reader>,
    idle: Arc<Idle>,
    /// Given back after the reader, so that who gets it finds one.
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, options: Options) -> Self {
        let permits = Arc::new(Semaphore::new(READERS_MAX as usize));
        Self { path, options, permits, idle: Arc::default() }
    }

    /// Asks a reader. If nobody waits for the answer any more, it is read in vain.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Hand<'_>) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| StoreError::Closed)?;
        let reader = match self.idle.take() {
            Some(reader) => reader,
            None => self.start().map_err(|source| StoreError::Unavailable { source })?,
        };
        let questions = reader.questions.clone();
        let busy = Busy { reader: Some(reader), idle: Arc::clone(&self.idle), _permit: permit };
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |hand| {
            // The reader goes along with the answer: who has got it finds the reader idle.
            let _ = answer.send((hand.map(question), busy));
        });
        // A question that cannot be sent is dropped, which is noticed below.
        let _ = questions.send(question);
        match answered.await {
            Ok((found, _idle)) => found,
            Err(lost) => Err(StoreError::Unavailable { source: lost.into() }),
        }
    }

    fn start(&self) -> Result<Reader, Box<dyn std::error::Error + Send + Sync>> {
        let (questions, asked) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let desk = Desk { path: self.path.clone(), options: self.options.clone(), asked };
        let thread = thread::Builder::new().name("loom-reader".to_owned());
        thread.spawn(move || {
            desk.run();
            let _ = end.send(());
        })?;
        Ok(Reader { questions, ended })
    }

    /// Closes the connections, once they have answered. Every later question is answered by
    /// [`StoreError::Closed`].
    pub(crate) async fn close(&self) {
        let all = self.permits.acquire_many(READERS_MAX).await;
        self.permits.close();
        drop(all);
        while let Some(Reader { questions, ended }) = self.idle.take() {
            drop(questions);
            // A thread that has ended has closed its connection.
            let _ = ended.await;
        }
    }
}

impl Idle {
    fn lock(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of those who are still there.
    fn take(&self) -> Option<Reader> {
        let mut idle = self.lock();
        std::iter::from_fn(|| idle.pop()).find_map(Reader::alive)
    }
}

impl Reader {
    fn alive(mut self) -> Option<Self> {
        matches!(self.ended.try_recv(), Err(oneshot::error::TryRecvError::Empty)).then_some(self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.idle.lock().extend(self.reader.take());
    }
}

/// What a thread works with.
struct Desk {
    /// The database, for errors to name.
    path: PathBuf,
    options: Options,
    asked: Receiver<Question>,
}

impl Desk {
    /// The thread's work: questions, until nobody can ask any more.
    fn run(self) {
        while let Ok(first) = self.asked.recv() {
            match block_on(self.options.connect()) {
                Ok(connection) => self.read(Raw::new(connection), first),
                Err(error) => self.refuse(first, error),
            }
        }
    }

    /// Answers questions for as long as the connection is sound. The next one gets a new connection.
    fn read(&self, mut raw: Raw, first: Question) {
        match raw.hold() {
            Ok((_locked, view)) => {
                let mut next = Some(first);
                while let Some(question) = next {
                    // The thread outlives a question that panics: the next one may be on its way. What
                    // that one has left of the connection is not used again.
                    let asked = catch_unwind(AssertUnwindSafe(|| question(Ok(Hand(view)))));
                    let sound = asked.is_ok() && Hand(view).roll_back();
                    next = if sound { self.asked.recv().ok() } else { None };
                }
            }
            Err(fault) => self.refuse(first, fault),
        }
        raw.close();
    }

    fn refuse(&self, question: Question, fault: impl Into<Fault>) {
        question(Err(store_error(&self.path, fault)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use tempfile::TempDir;

    use super::*;
    use crate::options::Durability;
    use crate::row::Fields;
    use crate::sql;

    async fn readers(directory: &TempDir) -> Readers {
        let path = directory.path().join("tasks.db");
        std::fs::File::create(&path).unwrap();
        let options = Options::file(&path, Durability::Full, Duration::from_secs(5)).before_wal();
        Readers::new(path, options.read_only())
    }

    async fn ask(readers: &Readers) -> Result<bool, StoreError> {
        let version = |hand: Hand<'_>| {
            hand.first(sql::LIBRARY, [], |row| Ok(Fields::of(row).take::<String>()?))
        };
        Ok(readers.ask(version).await?.is_ok_and(|version| version.is_some()))
    }

    #[tokio::test]
    async fn there_are_as_many_readers_as_are_needed_at_once_up_to_a_limit() {
        let directory = TempDir::new().unwrap();
        let readers = readers(&directory).await;
        for _ in 0..10 {
            assert!(ask(&readers).await.unwrap());
        }
        assert_eq!(readers.idle.lock().len(), 1, "one after the other needs one");
        let answers = join_all((0..20).map(|_| ask(&readers))).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap()));
        assert_eq!(readers.idle.lock().len(), READERS_MAX as usize);
        readers.close().await;
        assert!(matches!(ask(&readers).await, Err(StoreError::Closed)));
        assert!(readers.idle.lock().is_empty());
    }

    #[tokio::test]
    async fn a_question_that_panics_is_lost_and_the_next_one_is_answered() {
        let directory = TempDir::new().unwrap();
        let readers = readers(&directory).await;
        let lost = readers.ask(|_| panic!("as a question should not")).await;
        let lost: Result<(), StoreError> = lost;
        assert!(matches!(lost, Err(StoreError::Unavailable { .. })));
        assert!(ask(&readers).await.unwrap());
        readers.close().await;
    }
}
