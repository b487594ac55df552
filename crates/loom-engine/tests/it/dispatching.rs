//! Handing tasks to attempts.

use std::time::Duration;

use loom_core::{QualityGate, RetryPolicy, Task, TaskRequest, TaskStatus, WorkerError, worker_fn};
use loom_deps::Clock;
use loom_engine::WorkerOptions;
use loom_testkit::{CountingWorker, FaultyStore, scripted};

use crate::rig::{Rig, as_time_passes, end_of, sleepers, soon_enough, work};
use crate::stubborn::Stubborn;

#[tokio::test]
async fn no_more_attempts_run_than_there_are_slots_and_the_rest_waits_in_order() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().worker("work", worker).max_running(2).start().await.unwrap();
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(engine.submit(work(&number.to_string())).await.unwrap().id);
    }
    for (index, id) in ids.iter().enumerate() {
        let status = engine.get(id).await.unwrap().status;
        assert_eq!(status == TaskStatus::Running, index < 2, "task {index} is {status}");
    }
    for id in &ids {
        let attempt = soon_enough(script.next()).await;
        assert_eq!(attempt.task.id, *id);
        attempt.finish(Ok("done".into()));
        end_of(&engine, id).await;
    }
}

#[tokio::test]
async fn hundreds_of_tasks_pass_through_a_few_slots() {
    let rig = Rig::new();
    let echo = worker_fn(async |_, task: Task| {
        tokio::task::yield_now().await;
        Ok(task.prompt)
    });
    let (worker, counts) = CountingWorker::new(echo);
    let engine = rig.builder().worker("work", worker).max_running(3).start().await.unwrap();
    let mut submitted = Vec::new();
    for number in 0..300 {
        submitted.push(engine.submit(work(&format!("task {number}"))).await.unwrap().id);
    }
    for (number, id) in submitted.iter().enumerate() {
        assert_eq!(end_of(&engine, id).await.result, format!("task {number}"));
    }
    assert_eq!(counts.started(), 300);
    assert!(counts.most_at_once() <= 3, "{} at once", counts.most_at_once());
}

#[tokio::test]
async fn what_waits_in_the_store_runs_at_the_next_start() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let submitted = engine.submit(work("later")).await.unwrap();
    engine.close().await.unwrap();
    let (engine, mut script) = rig.scripted().await;
    soon_enough(script.next()).await.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "done");
}

#[tokio::test]
async fn a_task_for_later_is_started_when_its_time_has_come() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let at = rig.clock.now().saturating_add(Duration::from_secs(3600));
    let submitted = engine.submit(work("later").run_at(at)).await.unwrap();
    assert_eq!(engine.get(&submitted.id).await.unwrap().status, TaskStatus::Pending);
    let meanwhile = engine.submit(work("meanwhile")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    assert_eq!(attempt.task.id, meanwhile.id);
    attempt.finish(Ok("done".into()));
    end_of(&engine, meanwhile.id).await;
    while rig.clock.now() < at {
        // The dispatcher and nobody else waits for the moment.
        soon_enough(sleepers(&rig)).await;
        rig.skip();
    }
    let attempt = soon_enough(script.next()).await;
    assert_eq!(attempt.task.id, submitted.id);
    assert_eq!(attempt.task.started_at, Some(at));
}

#[tokio::test]
async fn a_task_submitted_by_another_engine_is_noticed() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let other = rig.builder().submit_only().start().await.unwrap();
    let submitted = other.submit(work("from there")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done here".into()));
    assert_eq!(end_of(&other, submitted.id).await.result, "done here");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_type_with_a_limit_of_its_own_keeps_to_it_and_leaves_the_rest_to_others() {
    let rig = Rig::new();
    let (narrow, mut narrow_script) = scripted();
    let (wide, mut wide_script) = scripted();
    let engine = rig
        .builder()
        .max_running(4)
        .worker_with("narrow", narrow, WorkerOptions::new().max_running(1))
        .worker("wide", wide)
        .start()
        .await
        .unwrap();
    let mut narrow_ids = Vec::new();
    for _ in 0..3 {
        narrow_ids.push(engine.submit(TaskRequest::new("narrow", "x")).await.unwrap().id);
    }
    for _ in 0..4 {
        engine.submit(TaskRequest::new("wide", "x")).await.unwrap();
    }
    let mut wide_attempts = Vec::new();
    for _ in 0..3 {
        wide_attempts.push(soon_enough(wide_script.next()).await);
    }
    assert!(wide_script.started().is_none(), "the engine's own limit holds");
    for id in narrow_ids {
        let attempt = soon_enough(narrow_script.next()).await;
        assert_eq!(attempt.task.id, id);
        assert!(narrow_script.started().is_none(), "one at a time");
        attempt.finish(Ok("done".into()));
        end_of(&engine, id).await;
    }
    soon_enough(wide_script.next()).await;
}

#[tokio::test]
async fn a_type_may_have_its_own_timeout_gate_and_retries() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let none = RetryPolicy { max_retries: 0, ..RetryPolicy::default() };
    let options = WorkerOptions::new()
        .timeout(Duration::from_secs(7))
        .gate(QualityGate::accept_all())
        .retry_policy(none);
    let engine = rig.builder().worker_with("work", worker, options).start().await.unwrap();
    let first = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let deadline = rig.clock.now().saturating_add(Duration::from_secs(7));
    assert_eq!(attempt.cx.deadline(), Some(deadline));
    attempt.finish(Ok("".into()));
    assert_eq!(end_of(&engine, first.id).await.status, TaskStatus::Completed);
    let second = engine.submit(work("x").timeout(Duration::from_secs(2))).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let deadline = rig.clock.now().saturating_add(Duration::from_secs(2));
    assert_eq!(attempt.cx.deadline(), Some(deadline), "the task's own wins");
    attempt.finish(Err(WorkerError::transient("no")));
    assert_eq!(end_of(&engine, second.id).await.attempt, 1);
}

#[tokio::test]
async fn a_task_that_falls_due_while_a_claim_is_being_committed_is_not_forgotten() {
    let rig = Rig::new();
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let (worker, mut script) = scripted();
    let engine = rig.builder_on(store).worker("work", worker).start().await.unwrap();
    // The claim says what the time is when the commit begins; it comes back after the due time.
    let gate = faults.hold();
    let at = rig.clock.now().saturating_add(Duration::from_millis(5));
    let submitting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.submit(work("soon").run_at(at)).await }
    });
    soon_enough(faults.waiting(1)).await;
    rig.clock.advance(Duration::from_millis(10));
    gate.open();
    let submitted = soon_enough(submitting).await.unwrap().unwrap();
    assert_eq!(soon_enough(script.next()).await.task.id, submitted.id);
}

#[tokio::test]
async fn what_falls_due_while_the_store_is_away_runs_once_it_is_back() {
    let rig = Rig::new();
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let (worker, mut script) = scripted();
    let engine = rig.builder_on(store).worker("work", worker).start().await.unwrap();
    let at = rig.clock.now().saturating_add(Duration::from_secs(1));
    engine.submit(work("soon").run_at(at)).await.unwrap();
    let before = faults.commits();
    faults.go_away();
    let away = async {
        faults.reached(before + 3).await;
        faults.back();
        script.next().await
    };
    assert_eq!(as_time_passes(&rig, away).await.task.prompt, "soon");
    assert!(faults.commits() < before + 100, "it is not tried without pause");
}

#[tokio::test]
async fn a_full_lane_does_not_hide_when_another_falls_due() {
    let rig = Rig::new();
    let (narrow, mut narrow_script) = scripted();
    let (wide, mut wide_script) = scripted();
    let engine = rig
        .builder()
        .worker_with("narrow", narrow, WorkerOptions::new().max_running(1))
        .worker("wide", wide)
        .start()
        .await
        .unwrap();
    for _ in 0..2 {
        engine.submit(TaskRequest::new("narrow", "x")).await.unwrap();
    }
    let _busy = soon_enough(narrow_script.next()).await;
    let at = rig.clock.now().saturating_add(Duration::from_secs(5));
    let later = engine.submit(TaskRequest::new("wide", "x").run_at(at)).await.unwrap();
    let attempt = as_time_passes(&rig, wide_script.next()).await;
    assert_eq!((attempt.task.id, attempt.task.started_at), (later.id, Some(at)));
}

#[tokio::test]
async fn a_store_that_refuses_claims_for_good_is_not_asked_without_pause() {
    let rig = Rig::new();
    let (store, mood) = Stubborn::new(rig.store.reopen());
    let (worker, _script) = scripted();
    let engine = rig.builder_on(store).worker("work", worker).start().await.unwrap();
    let at = rig.clock.now().saturating_add(Duration::from_secs(1));
    engine.submit(work("soon").run_at(at)).await.unwrap();
    mood.refuse_commits();
    let before = mood.commits();
    rig.clock.advance(Duration::from_secs(2));
    soon_enough(mood.reached(before + 1)).await;
    for seconds in 0..5 {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        let asked = mood.commits() - before;
        assert!(asked <= 1 + seconds, "asked {asked} times within {seconds} s");
        rig.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn an_end_elsewhere_that_could_not_be_read_is_looked_for_again() {
    let rig = Rig::new();
    let (store, mood) = Stubborn::new(rig.store.reopen());
    let here = rig.builder_on(store).submit_only().start().await.unwrap();
    let (engine, mut script) = rig.scripted().await;
    let submitted = here.submit(work("x")).await.unwrap();
    let waiting = tokio::spawn({
        let id = submitted.id.clone();
        async move { here.wait(id).await }
    });
    let attempt = soon_enough(script.next()).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    mood.fail_gets(1);
    attempt.finish(Ok("done there".into()));
    end_of(&engine, &submitted.id).await;
    soon_enough(mood.failed_gets(1)).await;
    let task = as_time_passes(&rig, waiting).await.unwrap().unwrap();
    assert_eq!(task.result, "done there");
}
