//! Taking tasks.

use loom_core::{
    Error, EventType, FailureCode, TaskQuery, TaskRequest, TaskStatus, TaskStore, limits,
};
use loom_testkit::{FaultyStore, MemoryStore, scripted};

use crate::rig::{Rig, as_time_passes, end_of, kinds, sleepers, soon_enough, until, work};

#[tokio::test]
async fn a_submitted_task_is_running_in_the_store_before_submit_returns() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let submitted = engine.submit(work("now")).await.unwrap();
    let stored = rig.store.get(&[submitted.id]).await.unwrap().pop().unwrap();
    assert_eq!(stored.status, TaskStatus::Running);
    assert_eq!((stored.seq, stored.attempt, stored.epoch), (submitted.seq, 1, 1));
    assert_eq!(stored.instance.as_ref(), Some(engine.instance()));
}

#[tokio::test]
async fn the_result_of_the_worker_becomes_the_result_of_the_task() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("greet")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("hello".into()));
    let task = end_of(&engine, &submitted.id).await;
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Completed, "hello"));
    assert!(task.completed_at.is_some() && task.error.is_none() && task.instance.is_none());
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_its_task_along() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let (sender, received) = tokio::sync::oneshot::channel();
    let caller = tokio::spawn({
        let engine = engine.clone();
        async move {
            let submitted = engine.submit(work("on")).await.unwrap();
            sender.send(submitted.id.clone()).unwrap();
            engine.wait(submitted.id).await
        }
    });
    let id = received.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    soon_enough(script.next()).await.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, id).await.status, TaskStatus::Completed);
}

#[tokio::test]
async fn ids_and_times_are_those_of_the_generator_and_the_clock() {
    use loom_deps::Clock;
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let first = engine.submit(work("a")).await.unwrap();
    let second = engine.submit(work("b")).await.unwrap();
    // The first id went to the instance.
    assert_eq!((first.id.as_str(), second.id.as_str()), ("id-1", "id-2"));
    assert_eq!(engine.get(first.id).await.unwrap().created_at, rig.clock.now());
}

#[tokio::test]
async fn a_task_of_a_type_without_worker_ends_as_failed() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let submitted = engine.submit(TaskRequest::new("unknown", "x")).await.unwrap();
    let task = end_of(&engine, &submitted.id).await;
    assert_eq!((task.status, task.failure), (TaskStatus::Failed, Some(FailureCode::NoWorker)));
    assert!(task.error.unwrap().contains("unknown"));
}

#[tokio::test]
async fn a_task_of_a_type_without_worker_is_stored_and_failed_in_one_step() {
    let rig = Rig::new();
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let (worker, _script) = scripted();
    let engine = rig.builder_on(store).worker("work", worker).start().await.unwrap();
    let mut stream = engine.events().stream();
    // The process dies as soon as the first commit has come about: nothing more is stored.
    faults.lose_answer(1);
    let before = faults.commits();
    let submitting = tokio::spawn(async move {
        let _ = engine.submit(TaskRequest::new("unknown", "x")).await;
    });
    soon_enough(sleepers(&rig)).await;
    assert_eq!(faults.commits(), before + 1);
    let stored = rig.store.list(&TaskQuery::all()).await.unwrap().tasks;
    assert_eq!((stored.len(), stored[0].status), (1, TaskStatus::Failed));
    // This one lives on, and tells of both steps once it knows.
    as_time_passes(&rig, submitting).await.unwrap();
    let events = until(&mut stream, EventType::Failed).await;
    assert_eq!(kinds(&events), [EventType::Created, EventType::Failed]);
    assert_eq!(events[1].reason, Some("no_worker"));
}

#[tokio::test]
async fn a_type_without_worker_is_refused_without_a_trace_if_the_engine_is_set_so() {
    let rig = Rig::new();
    let (worker, _script) = scripted();
    let engine = rig.builder().worker("work", worker).refuse_unknown_types().start().await.unwrap();
    let refused = engine.submit(TaskRequest::new("unknown", "x")).await.unwrap_err();
    assert!(matches!(refused, Error::NoWorker(worker_type) if worker_type.as_str() == "unknown"));
    assert_eq!(engine.count_all(TaskQuery::all()).await.unwrap().total(), 0);
}

#[tokio::test]
async fn a_task_waits_while_another_live_engine_of_the_name_has_the_worker() {
    let rig = Rig::new();
    let (other, mut script) = scripted();
    let elsewhere = rig.builder().worker("elsewhere", other).start().await.unwrap();
    let (engine, _script) = rig.scripted().await;
    let submitted = engine.submit(TaskRequest::new("elsewhere", "x")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done there".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "done there");
    elsewhere.close().await.unwrap();
}

#[tokio::test]
async fn a_task_waits_for_the_first_worker_that_is_registered() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let submitted = engine.submit(work("early")).await.unwrap();
    assert_eq!(engine.get(&submitted.id).await.unwrap().status, TaskStatus::Pending);
    let (worker, mut script) = scripted();
    engine.register("work", worker).unwrap();
    soon_enough(script.next()).await.finish(Ok("late".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "late");
}

#[tokio::test]
async fn an_engine_that_only_submits_neither_judges_nor_runs() {
    let rig = Rig::new();
    let submitter = rig.builder().submit_only().start().await.unwrap();
    let submitted = submitter.submit(work("for others")).await.unwrap();
    assert_eq!(submitter.get(&submitted.id).await.unwrap().status, TaskStatus::Pending);
    let (engine, mut script) = rig.scripted().await;
    soon_enough(script.next()).await.finish(Ok("done".into()));
    assert_eq!(end_of(&submitter, submitted.id).await.result, "done");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_request_beyond_a_limit_is_refused_without_a_trace() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let wrong = [
        TaskRequest::new("", "no type"),
        work(&"x".repeat(limits::PROMPT_BYTES_MAX + 1)),
        work("x").cwd("a\0b"),
        work("x").env("A=B", "c"),
        work("x").project("p".repeat(limits::NAME_BYTES_MAX + 1)),
        work("x").max_retries(limits::RETRIES_MAX + 1),
    ];
    for request in wrong {
        let refused = engine.submit(request).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused}");
    }
    assert_eq!(engine.count_all(TaskQuery::all()).await.unwrap().total(), 0);
}

#[tokio::test]
async fn lists_and_counts_are_scoped_by_engine_and_get_is_not() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let (worker, _others) = scripted();
    let other =
        rig.named("other", rig.store.reopen()).worker("work", worker).start().await.unwrap();
    let mine = engine.submit(work("mine").project("p")).await.unwrap();
    let theirs = other.submit(work("theirs").project("p")).await.unwrap();
    let listed = engine.list(TaskQuery::all().project("p")).await.unwrap().tasks;
    assert_eq!(listed.iter().map(|task| &task.id).collect::<Vec<_>>(), [&mine.id]);
    assert_eq!(engine.count(TaskQuery::all()).await.unwrap().total(), 1);
    assert_eq!(engine.list_all(TaskQuery::all()).await.unwrap().tasks.len(), 2);
    assert_eq!(engine.count_all(TaskQuery::all()).await.unwrap().total(), 2);
    assert_eq!(engine.get(theirs.id).await.unwrap().engine_name, "other");
}

#[tokio::test]
async fn an_unknown_or_impossible_id_is_said_to_be_so() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    assert!(matches!(engine.get("nobody").await, Err(Error::NotFound(_))));
    assert!(matches!(engine.wait("nobody").await, Err(Error::NotFound(_))));
    assert!(matches!(engine.cancel("nobody").await, Err(Error::NotFound(_))));
    assert!(matches!(engine.get("").await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_pinned_task_is_run_by_the_engine_it_was_submitted_to_alone() {
    let rig = Rig::new();
    let (shared, mut others) = rig.scripted().await;
    let (worker, mut script) = scripted();
    let own =
        rig.builder().worker("work", worker).own_tasks_only().max_running(1).start().await.unwrap();
    let first = own.submit(work("one")).await.unwrap();
    let second = own.submit(work("two")).await.unwrap();
    let common = shared.submit(work("common")).await.unwrap();
    assert_eq!(soon_enough(others.next()).await.task.id, common.id);
    for id in [first.id, second.id] {
        let attempt = soon_enough(script.next()).await;
        assert_eq!(attempt.task.id, id);
        attempt.finish(Ok("done".into()));
        end_of(&own, id).await;
    }
    assert!(others.started().is_none());
}

#[tokio::test]
async fn a_memory_store_of_its_own_needs_no_place() {
    let engine = loom_engine::Engine::builder("alone", MemoryStore::new()).start().await.unwrap();
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_task_carries_the_request_it_was_submitted_for_unless_it_names_one() {
    use loom_engine::with_request_id;
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let submit = |request| Box::pin(async { engine.submit(request).await.unwrap().id });
    let ambient = with_request_id("outer", with_request_id("inner", submit(work("x")))).await;
    assert_eq!(engine.get(ambient).await.unwrap().request_id.as_deref(), Some("inner"));
    let own = with_request_id("ambient", submit(work("x").request_id("own"))).await;
    assert_eq!(engine.get(own).await.unwrap().request_id.as_deref(), Some("own"));
    let empty = with_request_id("", submit(work("x"))).await;
    assert_eq!(engine.get(empty).await.unwrap().request_id, None);
}

#[tokio::test]
async fn several_tasks_can_be_waited_for_together() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(engine.submit(work(&number.to_string())).await.unwrap().id);
    }
    let mut attempts = Vec::new();
    for _ in 0..3 {
        attempts.push(soon_enough(script.next()).await);
    }
    attempts.remove(1).finish(Ok("the second".into()));
    assert_eq!(soon_enough(engine.wait_any(&ids)).await.unwrap().id, ids[1]);
    for attempt in attempts {
        attempt.finish(Ok("another".into()));
    }
    let ended = soon_enough(engine.wait_all(&ids)).await.unwrap();
    assert_eq!(
        ended.iter().map(|task| &task.id).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn an_engine_that_only_submits_runs_nothing_even_if_it_has_a_worker() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().submit_only().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    engine.close().await.unwrap();
    assert!(script.started().is_none());
    let stored = rig.store.get(&[submitted.id]).await.unwrap().pop().unwrap();
    assert_eq!(stored.status, TaskStatus::Pending);
}
