//! Workers do what the test says.

use std::sync::Arc;
use std::time::Duration;

use loom_core::{
    CancelReason, Cancellation, CrashPolicy, ErrorKind, NewTask, QualityGate, Task, TaskContext,
    TaskId, TaskRequest, Worker, WorkerError, worker_fn,
};
use loom_deps::Timestamp;
use loom_testkit::{CountingWorker, SequenceWorker, Signal, scripted, within};

const SOON: Duration = Duration::from_secs(10);

fn task() -> Task {
    let new = NewTask {
        id: TaskId::new("id-0").unwrap(),
        engine_name: "default".to_owned(),
        request: TaskRequest::new("work", "do it"),
        created_at: Timestamp::from_micros(0),
        pinned_to: None,
        daemon_id: None,
    };
    new.into_task(1)
}

#[tokio::test]
async fn a_script_sees_attempts_as_they_start_and_decides_their_ends() {
    let (worker, mut script) = scripted();
    assert!(script.started().is_none());
    let worker = Arc::new(worker);
    let run = |worker: Arc<loom_testkit::ScriptedWorker>| {
        tokio::spawn(async move { worker.execute(&TaskContext::new(), &task()).await })
    };
    let first = run(Arc::clone(&worker));
    let one = within(SOON, script.next()).await;
    let second = run(Arc::clone(&worker));
    let two = within(SOON, script.next()).await;
    two.finish(Err(WorkerError::transient("not yet")));
    one.finish(Ok("done".into()));
    assert_eq!(first.await.unwrap().unwrap().content, "done");
    assert_eq!(second.await.unwrap().unwrap_err().kind(), ErrorKind::Transient);

    let third = run(worker);
    within(SOON, script.next()).await.panic("on purpose");
    let panic = third.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("on purpose"));
}

#[tokio::test]
async fn a_script_learns_that_its_attempt_is_told_to_stop() {
    let (worker, mut script) = scripted();
    let cancellation = Cancellation::new();
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let attempt = tokio::spawn(async move { worker.execute(&cx, &task()).await });
    let mut handle = within(SOON, script.next()).await;
    cancellation.cancel(CancelReason::Shutdown);
    let reason = within(SOON, handle.cancelled()).await;
    assert_eq!(reason, Some(CancelReason::Shutdown));
    assert!(!attempt.is_finished(), "the worker itself takes no notice");
    attempt.abort();
    within(SOON, handle.dropped()).await;
    handle.finish(Ok("too late".into()));
}

#[tokio::test]
async fn an_attempt_without_a_script_fails() {
    let (worker, mut script) = scripted();
    let attempt = async { worker.execute(&TaskContext::new(), &task()).await };
    let lose = async { drop(script.next().await) };
    let (outcome, ()) = tokio::join!(attempt, lose);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Permanent);
    drop(script);
    let outcome = worker.execute(&TaskContext::new(), &task()).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Permanent);
}

#[tokio::test]
async fn a_scripted_worker_has_the_policy_and_the_gate_it_was_given() {
    let (worker, _script) = scripted();
    assert_eq!(worker.crash_policy(), CrashPolicy::Fail);
    assert!(worker.gate().is_none());
    let worker = worker.with_crash_policy(CrashPolicy::Rerun).with_gate(QualityGate::accept_all());
    assert_eq!(worker.crash_policy(), CrashPolicy::Rerun);
    assert!(worker.gate().is_some());
}

#[tokio::test]
async fn a_sequence_gives_its_answers_in_order_and_then_fails() {
    let worker = SequenceWorker::new([Err(WorkerError::transient("no")), Ok("yes".into())]);
    let run = || async { worker.execute(&TaskContext::new(), &task()).await };
    assert_eq!(run().await.unwrap_err().message(), "no");
    assert_eq!(run().await.unwrap().content, "yes");
    assert_eq!(worker.left(), 0);
    assert_eq!(run().await.unwrap_err().kind(), ErrorKind::Permanent);
}

#[tokio::test]
async fn a_counting_worker_counts_what_starts_runs_and_ends() {
    let (inner, mut script) = scripted();
    let (worker, counts) = CountingWorker::new(inner.with_crash_policy(CrashPolicy::Rerun));
    assert_eq!(worker.crash_policy(), CrashPolicy::Rerun);
    let worker = Arc::new(worker);
    let attempts: Vec<_> = (0..3)
        .map(|_| {
            let worker = Arc::clone(&worker);
            tokio::spawn(async move { worker.execute(&TaskContext::new(), &task()).await })
        })
        .collect();
    within(SOON, counts.reached(3)).await;
    assert_eq!((counts.running(), counts.most_at_once()), (3, 3));
    within(SOON, script.next()).await.finish(Ok("done".into()));
    within(SOON, script.next()).await.panic("on purpose");
    attempts[2].abort();
    within(SOON, counts.idle()).await;
    assert_eq!((counts.started(), counts.running(), counts.most_at_once()), (3, 0, 3));
    worker.reap(&task()).await.unwrap();
    assert_eq!(counts.reaped(), 1);
}

#[tokio::test]
async fn a_signal_is_awaited_any_number_of_times() {
    let signal = Signal::new();
    let told = signal.clone();
    let worker = worker_fn(move |_, _: Task| {
        told.raise();
        async { Ok("done") }
    });
    let waiting = tokio::spawn({
        let signal = signal.clone();
        async move { signal.times(3).await }
    });
    for _ in 0..3 {
        assert!(!waiting.is_finished());
        worker.execute(&TaskContext::new(), &task()).await.unwrap();
    }
    within(SOON, waiting).await.unwrap();
    within(SOON, signal.wait()).await;
    assert_eq!(signal.count(), 3);
}

#[tokio::test]
async fn a_wait_in_vain_ends_with_a_panic_that_says_where() {
    let wait = tokio::spawn(within(Duration::from_millis(1), std::future::pending::<()>()));
    let panic = wait.await.unwrap_err().into_panic();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("workers.rs") && text.contains("1ms"), "{text}");
}
