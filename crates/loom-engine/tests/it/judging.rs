//! The quality gate at work.

use std::time::Duration;

use loom_core::{
    Case, EventType, FailureCode, GateDecision, QualityGate, Task, TaskStatus, WorkerError,
    WorkerResult,
};
use loom_deps::Clock;
use loom_engine::Engine;
use loom_testkit::{SequenceWorker, scripted};

use crate::rig::{Rig, as_time_passes, end_of, sleepers, soon_enough, until, work};

async fn through(rig: &Rig, engine: &Engine, id: impl AsRef<str>) -> Task {
    as_time_passes(rig, engine.wait(id)).await.unwrap()
}

fn outputs<const N: usize>(outputs: [&str; N]) -> SequenceWorker {
    SequenceWorker::new(outputs.map(|output| Ok(WorkerResult::new(output))))
}

#[tokio::test]
async fn an_empty_result_is_tried_again_and_a_good_one_taken() {
    let rig = Rig::new();
    let worker = outputs(["  \n", "an answer"]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let task = through(&rig, &engine, submitted.id).await;
    assert_eq!((task.result.as_str(), task.retries), ("an answer", 1));
}

#[tokio::test]
async fn an_output_that_stays_empty_ends_as_rejected() {
    let rig = Rig::new();
    let engine = rig.builder().worker("work", outputs(["", "", "", ""])).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let task = through(&rig, &engine, submitted.id).await;
    assert_eq!((task.status, task.attempt), (TaskStatus::Failed, 3));
    assert_eq!(task.error.as_deref(), Some("gate rejected: empty_output"));
    assert_eq!(task.failure, Some(FailureCode::GateRejected));
}

#[tokio::test]
async fn the_message_of_a_rate_limit_is_no_answer() {
    let rig = Rig::new();
    let worker = outputs(["429 Too Many Requests", "the answer"]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    assert_eq!(through(&rig, &engine, submitted.id).await.result, "the answer");
}

#[tokio::test]
async fn thrashing_ends_a_task_also_across_a_restart() {
    let rig = Rig::new();
    let again =
        |case: &Case<'_>| (case.previous.len() < 2).then(|| GateDecision::retry("not_good_enough"));
    let gate =
        QualityGate::accept_all().with_rule(loom_core::Thrashing::default()).with_rule(again);
    let start = |answers: SequenceWorker| {
        rig.builder().gate(gate.clone()).max_retries(9).worker("work", answers).start()
    };
    let engine = start(outputs(["the same words again"])).await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    soon_enough(sleepers(&rig)).await;
    engine.close().await.unwrap();
    let engine = start(outputs(["the same words again", "again the same words"])).await.unwrap();
    let task = through(&rig, &engine, submitted.id).await;
    assert_eq!((task.status, task.attempt), (TaskStatus::Failed, 3));
    assert_eq!(task.error.as_deref(), Some("gate rejected: thrashing"));
}

#[tokio::test]
async fn a_worker_may_bring_its_own_gate() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let worker = worker.with_gate(QualityGate::accept_all());
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("".into()));
    assert_eq!(end_of(&engine, submitted.id).await.status, TaskStatus::Completed);
}

#[tokio::test]
async fn a_gate_that_panics_rejects_and_harms_nothing_else() {
    let rig = Rig::new();
    let gate = QualityGate::accept_all().with_rule(|case: &Case<'_>| {
        assert_ne!(case.output, "bad", "a rule with a mistake");
        None
    });
    let engine =
        rig.builder().gate(gate).worker("work", outputs(["bad", "good"])).start().await.unwrap();
    let bad = engine.submit(work("x")).await.unwrap();
    let task = end_of(&engine, bad.id).await;
    assert_eq!(task.error.as_deref(), Some("gate rejected: gate_panicked"));
    let good = engine.submit(work("x")).await.unwrap();
    assert_eq!(end_of(&engine, good.id).await.status, TaskStatus::Completed);
}

#[tokio::test]
async fn a_failure_that_names_a_reset_is_waited_for_without_being_counted() {
    let rig = Rig::new();
    let limited = WorkerError::permanent("exit status 1")
        .with_output("Error: 429 Too Many Requests. Please try again in 20s.".into());
    let worker = SequenceWorker::new([Err(limited), Ok("the answer".into())]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("x")).await.unwrap();
    until(&mut stream, EventType::Retrying).await;
    let waiting = engine.get(&submitted.id).await.unwrap();
    let due = rig.clock.now().saturating_add(Duration::from_secs(20));
    assert_eq!(waiting.run_at, Some(due));
    let task = through(&rig, &engine, submitted.id).await;
    assert_eq!((task.status, task.retries, task.parked()), (TaskStatus::Completed, 0, 1));
}

#[tokio::test]
async fn plain_commands_may_fail_with_any_words() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let worker = worker.with_gate(QualityGate::accept_all());
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let error = WorkerError::permanent("429 Too Many Requests. Please try again in 20s.");
    soon_enough(script.next()).await.finish(Err(error));
    let task = end_of(&engine, submitted.id).await;
    assert_eq!((task.status, task.failure), (TaskStatus::Failed, Some(FailureCode::WorkerError)));
}
