//! How to test what you build on loom: the store is in memory, the clock is moved by the test, and
//! workers do as the test says, so that nothing waits and nothing is left to chance.
//!
//! The tests are at the end. In a program of your own, `loom` with the feature `testing` is a
//! dev-dependency.
//!
//! Prints:
//! ```text
//! June: 3 sold
//! ```

use async_trait::async_trait;
use loom::{
    Engine, SqliteStore, Task, TaskContext, TaskRequest, TaskStatus, Worker, WorkerError,
    WorkerResult,
};

/// The worker: counts what was sold.
struct Accountant;

#[async_trait]
impl Worker for Accountant {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        if task.prompt.is_empty() {
            return Err(WorkerError::permanent("of which month?"));
        }
        cx.progress("counting");
        Ok(format!("{}: 3 sold", task.prompt).into())
    }
}

/// The program: asks for a month's report, and makes do without.
async fn report(engine: &Engine, month: &str) -> loom::Result<String> {
    let submitted = engine.submit(TaskRequest::new("report", month)).await?;
    let task = engine.wait(submitted.id).await?;
    Ok(match task.status {
        TaskStatus::Completed => task.result,
        status => format!("{month}: no report ({status} after {} attempts)", task.attempt),
    })
}

#[tokio::main]
async fn main() -> loom::Result<()> {
    let store = SqliteStore::open("tasks.db");
    let engine = Engine::builder("shop", store).worker("report", Accountant).start().await?;
    println!("{}", report(&engine, "June").await?);
    engine.close().await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use loom::testing::{
        MemoryStore, SequenceWorker, as_time_passes, assert_ended, scripted, within,
    };
    use loom::{Clock, FakeClock};

    use super::*;

    /// How long a test that waits in vain goes on before it fails.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// An engine with nothing outside the test: its tasks are in memory, its time is `clock`'s.
    async fn engine_at(clock: &Arc<FakeClock>, worker: impl Worker) -> Engine {
        let builder = Engine::builder("test", MemoryStore::new()).worker("report", worker);
        builder.time(clock.clone(), clock.clone()).start().await.unwrap()
    }

    #[tokio::test]
    async fn the_accountant_wants_a_month() {
        let clock = Arc::new(FakeClock::default());
        let engine = engine_at(&clock, Accountant).await;
        let submitted = engine.submit(TaskRequest::new("report", "")).await.unwrap();
        let task = assert_ended(engine.wait(submitted.id), TaskStatus::Failed).await;
        assert_eq!(task.error.as_deref(), Some("of which month?"));
        assert_eq!(task.attempt, 1, "asking again would not help");
    }

    #[tokio::test]
    async fn a_report_that_comes_late_is_a_report() {
        let busy = || Err(WorkerError::retry_after(Duration::from_secs(3600), "busy"));
        let worker = SequenceWorker::new([busy(), busy(), Ok("May: 5 sold".into())]);
        let clock = Arc::new(FakeClock::default());
        let engine = engine_at(&clock, worker).await;
        let begun = clock.now();
        let told = as_time_passes(&clock, report(&engine, "May")).await.unwrap();
        assert_eq!(told, "May: 5 sold");
        assert!(clock.now().since(begun) >= Duration::from_secs(7200)); // in no time at all
    }

    #[tokio::test]
    async fn a_report_that_keeps_failing_is_given_up() {
        let down = || Err(WorkerError::transient("the till is down"));
        let clock = Arc::new(FakeClock::default());
        let engine = engine_at(&clock, SequenceWorker::new([down(), down(), down()])).await;
        let told = as_time_passes(&clock, report(&engine, "May")).await.unwrap();
        assert_eq!(told, "May: no report (failed after 3 attempts)");
    }

    #[tokio::test]
    async fn a_report_under_way_can_be_cancelled() {
        let (worker, mut script) = scripted();
        let engine = engine_at(&Arc::default(), worker).await;
        let (asking, other) = (engine.clone(), engine.clone());
        let told = tokio::spawn(async move { report(&asking, "May").await });

        let attempt = within(PATIENCE, script.next()).await; // it runs, until the test ends it
        assert_eq!(attempt.task.prompt, "May");
        other.cancel(&attempt.task.id).await.unwrap();
        within(PATIENCE, attempt.cancelled()).await;
        attempt.finish(Err(WorkerError::cancelled()));

        let told = within(PATIENCE, told).await.unwrap().unwrap();
        assert_eq!(told, "May: no report (cancelled after 1 attempts)");
    }
}
