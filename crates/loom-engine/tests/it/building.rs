//! Putting an engine together wrongly.

use async_trait::async_trait;
use loom_core::{Error, Task, TaskContext, Worker, WorkerError, WorkerResult, WorkerType};
use loom_engine::Engine;
use loom_testkit::{MemoryStore, scripted};

use crate::rig::Rig;

#[tokio::test]
async fn a_setting_that_cannot_be_used_is_refused_at_the_start() {
    let nameless = Engine::builder("", MemoryStore::new()).start().await.unwrap_err();
    assert!(matches!(nameless, Error::Build(problem) if problem.field() == "engine_name"));
    let idle = Engine::builder("idle", MemoryStore::new()).max_running(0).start().await;
    assert!(matches!(idle, Err(Error::Build(problem)) if problem.field() == "max_running"));
}

#[tokio::test]
async fn a_type_has_one_worker_unless_it_is_replaced_on_purpose() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let (second, _) = scripted();
    let refused = engine.register("work", second.clone()).unwrap_err();
    assert!(matches!(refused, Error::WorkerExists(_)));
    engine.replace("work", second).unwrap();
}

struct Insists;

#[async_trait]
impl Worker for Insists {
    async fn execute(&self, _: &TaskContext, _: &Task) -> Result<WorkerResult, WorkerError> {
        Ok("fine".into())
    }

    fn worker_type(&self) -> Option<WorkerType> {
        Some("mine".into())
    }
}

#[tokio::test]
async fn a_worker_that_insists_on_a_type_is_not_registered_for_another() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let refused = engine.register("yours", Insists).unwrap_err();
    assert!(matches!(refused, Error::WorkerMismatch { .. }));
    engine.register("mine", Insists).unwrap();
    assert!(matches!(engine.register("", scripted().0), Err(Error::Invalid(_))));
}

fn is_shareable<T: Send + Sync + Clone + 'static>() {}

#[test]
fn an_engine_can_be_shared_between_threads() {
    is_shareable::<Engine>();
    is_shareable::<loom_engine::Events>();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_can_be_registered_from_any_thread() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let (worker, _script) = scripted();
    let registering = std::thread::spawn({
        let engine = engine.clone();
        move || engine.register("work", worker)
    });
    registering.join().unwrap().unwrap();
    engine.close().await.unwrap();
}

#[test]
fn debug_shows_no_content() {
    use loom_core::{Attempt, Ended, Outcome, TaskStatus};
    let result = || WorkerResult::new("the content");
    let ended = Ended { result: "the content".into(), ..Ended::default() };
    let attempt = Attempt {
        number: 1,
        started_at: loom_deps::Timestamp::default(),
        ended_at: None,
        status: TaskStatus::Running,
        reason: None,
        failure: None,
        error: None,
        output: "the content".into(),
    };
    let outcome = Outcome::Cancelled(Some(result()));
    let shown = format!("{:?} {ended:?} {attempt:?} {outcome:?}", result());
    assert!(!shown.contains("the content"), "{shown}");
}
