//! Asserting how tasks end.

use std::time::Duration;

use loom_core::{
    Ended, Error, FailureCode, NewTask, ProgressReport, Result, Task, TaskId, TaskRequest,
    TaskStatus, Transition,
};
use loom_deps::{Clock, FakeClock, Timer, Timestamp};
use loom_testkit::{as_time_passes, assert_completed, assert_ended, within};

const NOW: Timestamp = Timestamp::from_micros(0);

/// A task that said something and then ended like this.
fn ended(end: fn(&Task, Timestamp, Ended) -> Transition, ended: Ended) -> Task {
    let new = NewTask {
        id: TaskId::new("id-7").unwrap(),
        engine_name: "default".to_owned(),
        request: TaskRequest::new("work", "do it"),
        created_at: NOW,
        pinned_to: None,
        daemon_id: None,
    };
    let mut task = new.into_task(1);
    let me = "me".parse().unwrap();
    task.claim(&me, NOW);
    task.report(&ProgressReport::of(&task, "one\ntwo", NOW));
    task.apply(&end(&task, NOW, ended), &me);
    task
}

fn failed() -> Task {
    let error = Some("the till is down".to_owned());
    let failure = Some(FailureCode::WorkerError);
    ended(Transition::fail, Ended { error, failure, ..Ended::default() })
}

/// The message with which an assertion about a task fails.
async fn complaint(waiting: impl Future<Output = Result<Task>> + Send + 'static) -> String {
    let asserting = tokio::spawn(async { assert_completed(waiting).await });
    let panic = within(Duration::from_secs(60), asserting).await.unwrap_err().into_panic();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn a_task_that_ended_as_it_should_is_handed_back() {
    let done = ended(Transition::complete, Ended { result: "done".into(), ..Ended::default() });
    assert_eq!(assert_completed(async { Ok(done) }).await.result, "done");
    let task = assert_ended(async { Ok(failed()) }, TaskStatus::Failed).await;
    assert_eq!(task.failure, Some(FailureCode::WorkerError));
}

#[tokio::test]
async fn a_task_that_ended_otherwise_is_told_of_with_error_progress_and_attempts() {
    let said = complaint(async { Ok(failed()) }).await;
    let expected = "wanted a completed task, but task id-7 is failed after 1 attempts and 0 \
                    retries\n  error: the till is down\n  code: worker_error\n  progress: two (2 \
                    lines)";
    let (place, said) = said.split_once(": ").unwrap();
    assert_eq!(said, expected);
    assert!(place.contains("ends.rs"), "{place}");
}

#[tokio::test]
async fn a_task_that_cannot_be_waited_for_fails_the_assertion() {
    let said = complaint(async { Err(Error::Closed) }).await;
    assert!(said.ends_with("wanted a completed task, but: the engine is closed"), "{said}");
}

#[tokio::test]
async fn time_passes_from_one_moment_to_the_next_and_no_further() {
    let clock = FakeClock::default();
    let begun = clock.now();
    let after = |seconds| clock.sleep_until(begun.saturating_add(Duration::from_secs(seconds)));
    let (late, mut moments) = (after(7200), Vec::new());
    as_time_passes(&clock, async {
        for seconds in [10, 3600] {
            after(seconds).await;
            moments.push(clock.now().since(begun).as_secs());
        }
    })
    .await;
    assert_eq!(moments, [10, 3600]);
    drop(late);
}
