//! W1: tasks from the first submission until the last is durably completed.

use std::time::{Duration, Instant};

use apalis::prelude::{BackendExt as _, BoxDynError, TaskSink as _, WorkerBuilder, WorkerContext};
use apalis_sqlite::{Config, SqliteStorage};
use kit::{Asked, Durability, Result, TEXT, load, report};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// Tasks in one fetch. Its own default is 10.
const FETCH_TASKS: usize = 100;

/// How often it looks for tasks. By itself it looks only when a heartbeat is due.
const POLL: Duration = Duration::from_millis(1);

/// Some runs never end: after so long without progress, what was done until then counts.
const STALLED: Duration = Duration::from_secs(3);

pub async fn run(asked: &Asked) -> Result {
    let (submitters, count) = (asked.value("submitters")?, asked.value("count")?);
    let pool = pool(asked).await?;
    let config = Config::default().queue("echo").batch_size(FETCH_TASKS);
    let storage = SqliteStorage::<String>::new(&pool).with_config(config);
    let worker = WorkerBuilder::new("bench");
    let worker = worker.backend(storage.clone().poll_with_interval(POLL));
    let worker =
        worker.build(|text: String, _: WorkerContext| async move { Ok::<_, BoxDynError>(text) });
    let working = tokio::spawn(worker.run());
    let begun = Instant::now();
    let submit = move || {
        let mut storage = storage.clone();
        async move {
            // A task that is refused, as some are when the database is busy, is one that is undone.
            let _ = storage.push(TEXT.to_owned()).await;
            Ok(())
        }
    };
    let took = load::submit_all(submitters, count, submit).await?;
    let (done, elapsed) = last_change(&pool, begun, count).await?;
    working.abort();
    report::rate(done, elapsed);
    report::latency("submit", took);
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    report::value("undone", (count - done) as f64);
    Ok(())
}

/// Every connection is set up, where apalis sets up only the first.
async fn pool(asked: &Asked) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new().create_if_missing(true);
    let options = options.filename(asked.dir()?.join("tasks.db"));
    let options =
        options.journal_mode(SqliteJournalMode::Wal).synchronous(match asked.durability()? {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Normal => SqliteSynchronous::Normal,
        });
    let pool = SqlitePool::connect_with(options).await?;
    SqliteStorage::migrations().run(&pool).await?;
    Ok(pool)
}

/// Waits until all is done or the time is over. How many were done, and when the last of them was.
async fn last_change(pool: &SqlitePool, begun: Instant, count: usize) -> Result<(usize, Duration)> {
    let mut last = (0, begun.elapsed());
    while last.0 < count && begun.elapsed() < last.1 + STALLED {
        let done = "SELECT count(*) FROM Jobs WHERE status = 'Done'";
        let done: i64 = sqlx::query_scalar(done).fetch_one(pool).await?;
        if usize::try_from(done)? > last.0 {
            last = (usize::try_from(done)?, begun.elapsed());
        }
        #[expect(clippy::disallowed_methods, reason = "a rest between two looks")]
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(last)
}
