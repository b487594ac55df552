//! Attempts that end in unusual ways.

use loom_core::{EventType, FailureCode, Task, TaskStatus, WorkerError, worker_fn};

use crate::rig::{Rig, end_of, soon_enough, until, work};

#[tokio::test]
async fn a_panic_ends_its_task_alone() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let mut stream = engine.events().stream();
    let bad = engine.submit(work("bad")).await.unwrap();
    let good = engine.submit(work("good")).await.unwrap();
    soon_enough(script.next()).await.panic("out of cheese");
    soon_enough(script.next()).await.finish(Ok("fine".into()));
    let task = end_of(&engine, bad.id).await;
    assert_eq!((task.status, task.failure), (TaskStatus::FailedCrash, Some(FailureCode::Panic)));
    assert_eq!(task.error.as_deref(), Some("the worker panicked: out of cheese"));
    assert_eq!(end_of(&engine, good.id).await.status, TaskStatus::Completed);
    let crashed = until(&mut stream, EventType::FailedCrash).await;
    assert_eq!(crashed.last().unwrap().reason, Some("panic"));
}

#[tokio::test]
async fn the_payload_of_a_panic_may_itself_panic_when_dropped() {
    struct Vicious;
    impl Drop for Vicious {
        fn drop(&mut self) {
            std::panic::panic_any("even the drop");
        }
    }
    let rig = Rig::new();
    let worker = worker_fn(async |_, task: Task| match task.prompt.as_str() {
        "bad" => std::panic::panic_any(Vicious),
        _ => Ok("fine"),
    });
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let bad = engine.submit(work("bad")).await.unwrap();
    assert_eq!(end_of(&engine, bad.id).await.status, TaskStatus::FailedCrash);
    let good = engine.submit(work("good")).await.unwrap();
    assert_eq!(end_of(&engine, good.id).await.status, TaskStatus::Completed);
}

#[tokio::test]
async fn an_error_of_the_worker_becomes_the_error_of_the_task_with_its_causes() {
    let rig = Rig::new();
    let worker = worker_fn(async |_, _| {
        let number: u32 = "many".parse()?;
        Ok(number.to_string())
    });
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let task = end_of(&engine, submitted.id).await;
    assert_eq!((task.status, task.failure), (TaskStatus::Failed, Some(FailureCode::WorkerError)));
    assert_eq!(task.error.as_deref(), Some("invalid digit found in string"));
}

#[tokio::test]
async fn an_error_without_words_still_says_something() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    soon_enough(script.next()).await.finish(Err(WorkerError::permanent(" ")));
    assert_eq!(end_of(&engine, submitted.id).await.error.as_deref(), Some("worker_error"));
}

#[tokio::test]
async fn the_worker_is_told_what_it_may_want_to_know() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x").request_id("req-1")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    assert_eq!(attempt.cx.request_id(), Some("req-1"));
    assert_eq!((attempt.cx.attempt(), attempt.cx.deadline()), (1, None));
    assert_eq!(attempt.task.id, submitted.id);
}
