//! The connection that writes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use loom_core::{InstanceId, StoreError};
use sqlx::{Row, SqliteConnection};

use crate::connection::{self, Args, Broken, Options, Part, run};
use crate::error::{Verdict, is_undone, store_error, verdict};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::sql;

/// The one connection of a store that writes. Whoever holds it has it for themselves.
pub(crate) struct Writer {
    /// The database, for errors to name.
    path: PathBuf,
    options: Options,
    connection: Option<SqliteConnection>,
    /// A database in memory would be lost with its connection.
    keeps: bool,
    /// What is known of the commits of others.
    seen: Option<i64>,
    closed: bool,
}

/// What an instance has sent last, so that it can be sent again.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Option<Sent>>);

#[derive(Clone, Debug)]
struct Sent {
    number: u64,
    outcome: Arc<Outcome>,
    /// Whether the commit is known to have happened.
    committed: bool,
}

impl Memory {
    fn get(&self) -> Option<Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, number: u64, outcome: &Arc<Outcome>, committed: bool) {
        let sent = Sent { number, outcome: Arc::clone(outcome), committed };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
    }

    /// The outcome of batch `number`, if it is known to have been committed.
    fn known(&self, number: u64) -> Result<Option<Arc<Outcome>>, StoreError> {
        match self.get().filter(|sent| sent.committed) {
            Some(sent) if sent.number == number => Ok(Some(sent.outcome)),
            Some(sent) if sent.number > number => Err(out_of_order(number)),
            _ => Ok(None),
        }
    }

    /// The outcome that batch `number` must have had, now that it turns out to be committed.
    fn confirm(&self, number: u64) -> Result<Arc<Outcome>, StoreError> {
        let sent = self.get().filter(|sent| sent.number == number);
        let outcome = sent.ok_or_else(|| out_of_order(number))?.outcome;
        self.keep(number, &outcome, true);
        Ok(outcome)
    }
}

fn out_of_order(number: u64) -> StoreError {
    let why = format!("the number {number} was used before, for a batch that is not the latest");
    StoreError::Unavailable { source: why.into() }
}

/// A batch that was not committed, or perhaps not.
enum Failed {
    Before(sqlx::Error),
    /// At the commit itself: what the outcome is if it has happened.
    At(sqlx::Error, Box<Outcome>),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Before(error)
    }
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Self::Before(broken.error)
    }
}

impl Writer {
    pub(crate) fn new(
        path: PathBuf,
        options: Options,
        connection: SqliteConnection,
        keeps: bool,
    ) -> Self {
        Self { path, options, connection: Some(connection), keeps, seen: None, closed: false }
    }

    /// The connection, opened anew if the one before had to be given up.
    pub(crate) async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        if self.connection.is_none() {
            let opened = self.options.connect().await;
            self.connection = Some(opened.map_err(|error| store_error(&self.path, error))?);
            self.seen = None;
        }
        self.connection.as_mut().ok_or(StoreError::Closed)
    }

    pub(crate) async fn close(&mut self) {
        self.closed = true;
        if let Some(connection) = self.connection.take() {
            connection::close(connection).await;
        }
    }

    /// Runs a text of one statement.
    pub(crate) async fn run_one(
        &mut self,
        text: sql::Text,
        args: Args,
    ) -> Result<Part, StoreError> {
        let connection = self.connection().await?;
        let part = connection::run_one(connection, text, args).await;
        part.map_err(|error| store_error(&self.path, error))
    }

    /// Whether another connection has committed something since this was last asked.
    pub(crate) async fn has_news(&mut self) -> Result<bool, StoreError> {
        // A new connection does not know what it has missed.
        let missed = self.connection.is_none();
        let part = self.run_one(sql::DATA_VERSION, Args::default()).await?;
        let version = part.one().and_then(|row| row.try_get(0));
        let version: i64 = version.map_err(|error| store_error(&self.path, error))?;
        let seen = self.seen.replace(version);
        Ok(missed || seen.is_some_and(|seen| seen != version))
    }

    /// Commits a batch, unless `memory` knows that it has been.
    pub(crate) async fn commit(
        &mut self,
        plan: Plan,
        memory: &Memory,
    ) -> Result<Arc<Outcome>, StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        let (number, by) = (plan.number, plan.by.clone());
        if let Some(outcome) = memory.known(number)? {
            return Ok(outcome);
        }
        self.connection().await?;
        let failed = match self.send(plan).await {
            Ok(outcome) => {
                let outcome = Arc::new(outcome);
                memory.keep(number, &outcome, true);
                return Ok(outcome);
            }
            Err(failed) => failed,
        };
        self.recover().await;
        self.explain(failed, number, by, memory)
    }

    fn explain(
        &self,
        failed: Failed,
        number: u64,
        by: InstanceId,
        memory: &Memory,
    ) -> Result<Arc<Outcome>, StoreError> {
        match failed {
            Failed::Before(error) => match verdict(&error) {
                Verdict::Repeated => memory.confirm(number),
                Verdict::NotJoined => Err(StoreError::NotJoined(by)),
                Verdict::Other => Err(store_error(&self.path, error)),
            },
            Failed::At(error, _) if is_undone(&error) => Err(store_error(&self.path, error)),
            Failed::At(error, outcome) => {
                memory.keep(number, &Arc::new(*outcome), false);
                Err(StoreError::Unknown { number, source: error.into() })
            }
        }
    }

    /// Brings the connection out of what has failed; gives it up if that is not possible.
    async fn recover(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if connection::roll_back(connection).await || self.keeps {
            return;
        }
        if let Some(connection) = self.connection.take() {
            connection::close(connection).await;
        }
    }

    /// Sends a batch, if there is anything to send.
    async fn send(&mut self, plan: Plan) -> Result<Outcome, Failed> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
        if plan.only_claims
            && let Some(outcome) = look(connection, &plan).await?
        {
            return Ok(outcome);
        }
        send(connection, plan).await
    }
}

/// Looks whether a claim would take anything. If not, there is nothing to write: processes that
/// watch each other's commits would wake each other without end.
async fn look(connection: &mut SqliteConnection, plan: &Plan) -> Result<Option<Outcome>, Failed> {
    let parts = run(connection, sql::LOOK, plan.args.clone()).await?;
    let mut outcome = Outcome::default();
    let is_claimable = outcome.look(&parts)?;
    Ok((!is_claimable).then_some(outcome))
}

/// Sends a batch: in one hop if it is of one step and imports nothing, as most are.
async fn send(connection: &mut SqliteConnection, mut plan: Plan) -> Result<Outcome, Failed> {
    let shared = std::mem::take(&mut plan.args);
    let mut steps = std::mem::take(&mut plan.steps);
    let mut outcome = Outcome::default();
    let imports = plan.imports.take();
    if steps.len() > 1 || imports.is_some() {
        outcome.head(&run(connection, sql::HEAD, shared.clone()).await?)?;
        if let Some(args) = imports {
            outcome.imports(&run(connection, sql::IMPORTS, args).await?)?;
        }
        for step in steps.into_iter().filter(|step| !step.is_empty()) {
            let prune_op = step.prune_op;
            let parts = run(connection, sql::CHANGES, step.args(shared.clone())).await?;
            outcome.changes(prune_op, &parts)?;
        }
        let answer = run(connection, sql::TAIL, shared).await;
        return settle(answer, sql::TAIL, outcome, |outcome, parts| outcome.tail(&plan, parts));
    }
    let step = steps.pop().unwrap_or_default();
    let prune_op = step.prune_op;
    let answer = run(connection, plan.text, step.args(shared)).await;
    settle(answer, plan.text, outcome, |outcome, parts| {
        let (head, rest) = parts.split_at(sql::HEAD.statements.min(parts.len()));
        let (changes, tail) = rest.split_at(sql::CHANGES.statements.min(rest.len()));
        outcome.head(head)?;
        outcome.changes(prune_op, changes)?;
        outcome.tail(&plan, tail)
    })
}

/// Reads the answer to a text that ends with the commit. If every statement before the commit has
/// answered, the outcome is known even where the commit itself has failed.
fn settle(
    answer: Result<Vec<Part>, Broken>,
    text: sql::Text,
    mut outcome: Outcome,
    read: impl FnOnce(&mut Outcome, &[Part]) -> Result<(), sqlx::Error>,
) -> Result<Outcome, Failed> {
    let (mut parts, error) = match answer {
        Ok(parts) => (parts, None),
        Err(Broken { parts, error }) => (parts, Some(error)),
    };
    match error {
        Some(error) if parts.len() + 1 < text.statements => return Err(Failed::Before(error)),
        _ => {}
    }
    for &index in text.left_out {
        parts.insert(index.min(parts.len()), Part::default());
    }
    let read = read(&mut outcome, &parts);
    match error.or(read.err()) {
        Some(error) => Err(Failed::At(error, Box::new(outcome))),
        None => Ok(outcome),
    }
}

#[cfg(test)]
mod tests {
    use loom_core::{Batch, Instance, NewTask, Op, TaskId, TaskRequest};
    use loom_deps::Timestamp;

    use super::*;
    use crate::membership::Member;
    use crate::open::Open;
    use crate::options::{Location, SqliteStoreBuilder};

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
        let send = async || {
            let plan = Plan::new(&batch, seat.row);
            open.writer.lock().await.commit(plan, &seat.memory).await
        };
        let outcome = send().await.unwrap();
        // As if the commit had been answered with an error.
        seat.memory.keep(7, &outcome, false);
        let confirmed = send().await.unwrap();
        assert_eq!(confirmed.answer(&batch), outcome.answer(&batch), "it tells what it has done");
        assert!(seat.memory.known(7).unwrap().is_some(), "and from now on it is known");
        assert!(seat.memory.known(6).is_err(), "what came before is not done again");
    }
}
