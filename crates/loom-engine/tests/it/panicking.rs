//! A user's code that panics where nobody expects it.

#![expect(clippy::panic, reason = "what is tested is what becomes of a panic")]

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use loom_core::{
    CrashPolicy, FailureCode, QualityGate, Task, TaskContext, TaskRequest, TaskStatus, Worker,
    WorkerError, WorkerResult, WorkerType, worker_fn,
};
use loom_deps::{Level, LogRecord, Logger};
use loom_engine::Engine;

use crate::recovery::Gone;
use crate::rig::{Rig, end_of, sleepers, soon_enough, work};

/// Where a worker panics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    BeforeTheFuture,
    Gate,
    CrashPolicy,
    Reap,
    WorkerType,
    WhenDropped,
}

use Place::{BeforeTheFuture, Gate, Reap, WhenDropped};

/// Panics in one place and otherwise waits until it is told to stop.
struct Rude(Place);

impl Rude {
    fn panic_in(&self, place: Place) {
        if self.0 == place {
            std::panic::panic_any("how rude");
        }
    }
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        std::panic::panic_any("how rude");
    }
}

type Returned<'a> = Pin<Box<dyn Future<Output = Result<WorkerResult, WorkerError>> + Send + 'a>>;

impl Rude {
    async fn work(&self, cx: &TaskContext) -> Result<WorkerResult, WorkerError> {
        if self.0 == Gate {
            return Ok("done".into());
        }
        if self.0 == WhenDropped {
            let _rude = PanicsWhenDropped;
            std::future::pending::<()>().await;
        }
        cx.cancellation().cancelled().await;
        Err(WorkerError::cancelled())
    }
}

impl Worker for Rude {
    fn execute<'a, 'b, 'c, 'd>(&'a self, cx: &'b TaskContext, _task: &'c Task) -> Returned<'d>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        self.panic_in(BeforeTheFuture);
        Box::pin(self.work(cx))
    }

    fn worker_type(&self) -> Option<WorkerType> {
        self.panic_in(Place::WorkerType);
        None
    }

    fn gate(&self) -> Option<QualityGate> {
        self.panic_in(Gate);
        None
    }

    fn crash_policy(&self) -> CrashPolicy {
        self.panic_in(Place::CrashPolicy);
        CrashPolicy::Fail
    }

    fn reap<'a, 'b, 'c>(
        &'a self,
        _task: &'b Task,
    ) -> Pin<Box<dyn Future<Output = Result<(), WorkerError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.panic_in(Reap);
        Box::pin(async { Ok(()) })
    }
}

/// An engine with one slot, a rude worker for `rude` and a good one for `work`.
async fn with_rude(rig: &Rig, place: Place) -> Engine {
    let echo = worker_fn(async |_, task: Task| Ok(task.prompt));
    let builder = rig.builder().worker("rude", Rude(place)).worker("work", echo);
    builder.cancel_grace(Duration::from_secs(1)).max_running(1).start().await.unwrap()
}

async fn submit_rude(engine: &Engine) -> loom_core::TaskId {
    engine.submit(TaskRequest::new("rude", "x")).await.unwrap().id
}

/// The slot is free, and the engine comes to its end.
async fn is_unharmed(engine: &Engine) {
    let good = engine.submit(work("good")).await.unwrap();
    assert_eq!(end_of(engine, good.id).await.result, "good");
    soon_enough(engine.close()).await.unwrap();
}

fn crashed(task: &Task) {
    assert_eq!((task.status, task.failure), (TaskStatus::FailedCrash, Some(FailureCode::Panic)));
    assert_eq!(task.error.as_deref(), Some("the worker panicked: how rude"));
}

#[tokio::test]
async fn a_worker_that_panics_before_there_is_a_future_ends_its_task_alone() {
    let rig = Rig::new();
    let engine = with_rude(&rig, BeforeTheFuture).await;
    let rude = submit_rude(&engine).await;
    crashed(&end_of(&engine, rude).await);
    is_unharmed(&engine).await;
}

#[tokio::test]
async fn an_attempt_that_panics_when_it_is_dropped_ends_its_task_alone() {
    let rig = Rig::new();
    let engine = with_rude(&rig, WhenDropped).await;
    let request = TaskRequest::new("rude", "x").timeout(Duration::from_secs(1));
    let rude = engine.submit(request).await.unwrap();
    for _ in 0..2 {
        soon_enough(sleepers(&rig)).await;
        rig.skip();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    crashed(&end_of(&engine, rude.id).await);
    is_unharmed(&engine).await;
}

#[tokio::test]
async fn a_crash_policy_that_panics_ends_the_interrupted_task_as_crashed() {
    let rig = Rig::new();
    let engine = with_rude(&rig, Place::CrashPolicy).await;
    let rude = submit_rude(&engine).await;
    soon_enough(engine.shutdown(Duration::ZERO)).await.unwrap();
    let next = rig.builder().start().await.unwrap();
    crashed(&next.get(rude).await.unwrap());
}

#[tokio::test]
async fn a_gate_that_cannot_be_asked_for_rejects_and_keeps_what_was_produced() {
    let rig = Rig::new();
    let engine = with_rude(&rig, Gate).await;
    let rude = submit_rude(&engine).await;
    let task = end_of(&engine, rude).await;
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Failed, "done"));
    assert_eq!(task.error.as_deref(), Some("gate rejected: gate_panicked"));
    is_unharmed(&engine).await;
}

#[tokio::test]
async fn recovery_goes_on_past_a_worker_that_panics() {
    for place in [Reap, Place::CrashPolicy] {
        let rig = Rig::new();
        Gone::leave(&rig, "test", &["a", "b"], &[]).await;
        let engine = rig.builder().worker("work", Rude(place)).start().await.unwrap();
        for id in ["a", "b"] {
            let task = engine.get(id).await.unwrap();
            assert_eq!(task.failure, Some(FailureCode::Crashed), "{place:?}");
        }
        let logged = rig.logger.records();
        let said = logged.iter().filter_map(|record| record.text("error"));
        let panics = said.filter(|error| error == "it panicked: how rude").count();
        assert_eq!(panics, if place == Reap { 2 } else { 0 });
    }
}

#[tokio::test]
async fn a_worker_that_panics_when_it_is_registered_does_so_to_whoever_registers_it() {
    let rig = Rig::new();
    let engine = with_rude(&rig, Gate).await;
    let registering = tokio::spawn({
        let engine = engine.clone();
        async move { engine.register("other", Rude(Place::WorkerType)) }
    });
    assert!(registering.await.unwrap_err().is_panic());
    is_unharmed(&engine).await;
}

/// A logger that panics, of what it is told or already when it is asked what it wants.
#[derive(Debug)]
struct Grumpy {
    when_asked: bool,
}

impl Logger for Grumpy {
    fn log(&self, _record: LogRecord<'_>) {
        std::panic::panic_any("do not talk to me");
    }

    fn wants(&self, _level: Level) -> bool {
        if self.when_asked {
            std::panic::panic_any("do not even ask");
        }
        true
    }
}

#[tokio::test]
async fn a_logger_that_panics_harms_nothing() {
    for when_asked in [false, true] {
        let rig = Rig::new();
        let worker = worker_fn(async |_, task: Task| match task.prompt.as_str() {
            "good" => Ok(task.prompt),
            _ => Err(WorkerError::permanent("no")),
        });
        let builder = rig.builder().logger(Arc::new(Grumpy { when_asked }));
        let engine = builder.worker("work", worker).max_running(1).start().await.unwrap();
        let told = loom_testkit::Signal::new();
        let count = told.clone();
        let _subscription = engine.events().subscribe(move |_| {
            count.raise();
            std::panic::panic_any("a callback");
        });
        let bad = engine.submit(work("bad")).await.unwrap();
        assert_eq!(end_of(&engine, bad.id).await.status, TaskStatus::Failed);
        soon_enough(told.times(4)).await;
        is_unharmed(&engine).await;
        assert_eq!(told.count(), 8, "all events of both tasks");
    }
}
