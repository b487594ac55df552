//! What those who come from the Go library rely on, where no other module is about it.

use std::time::Duration;

use loom_core::limits::PAGE_MAX;
use loom_core::{
    Batch, EventType, Imported, Instance, InstanceId, NewTask, Op, StoreCalls, StoreSession, Task,
    TaskEvent, TaskQuery, TaskRequest, TaskStatus, TaskStore, WorkerError, worker_fn,
};
use loom_deps::{Clock, SystemClock};
use loom_engine::Engine;
use loom_testkit::{CountingWorker, MemoryStore, SequenceWorker, Signal, scripted};

use crate::rig::{Rig, as_time_passes, end_of, next, soon_enough, until, work};

#[tokio::test]
async fn a_task_is_readable_at_once_and_its_worker_runs_once() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let (worker, counts) = CountingWorker::new(worker);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    assert!(!submitted.id.as_str().is_empty());
    assert_eq!(engine.get(&submitted.id).await.unwrap().id, submitted.id);
    soon_enough(script.next()).await.finish(Ok("the worker's words".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "the worker's words");
    engine.close().await.unwrap();
    assert_eq!(counts.started(), 1);
}

#[tokio::test]
async fn a_task_with_metadata_outlives_the_caller_that_submitted_it() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let (sender, received) = tokio::sync::oneshot::channel();
    let submitting = engine.clone();
    let caller = tokio::spawn(async move {
        let submitted = submitting.submit(work("x").metadata("client", "mcp")).await.unwrap();
        sender.send(submitted.id.clone()).unwrap();
        submitting.wait(submitted.id).await
    });
    let id = received.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    let attempt = soon_enough(script.next()).await;
    assert!(!attempt.cx.cancellation().is_cancelled());
    attempt.finish(Ok("done".into()));
    let task = end_of(&engine, id).await;
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Completed, "done"));
    assert_eq!(task.metadata["client"], "mcp");
}

#[tokio::test]
async fn a_project_lists_its_own_tasks_while_they_run() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    for project in ["a", "b", "a"] {
        engine.submit(work("x").project(project)).await.unwrap();
    }
    for (project, count) in [("a", 2), ("b", 1), ("nobody's", 0)] {
        let tasks = engine.list(TaskQuery::all().project(project)).await.unwrap().tasks;
        assert_eq!(tasks.len(), count, "{project}");
        assert!(tasks.iter().all(|task| task.status == TaskStatus::Running), "{project}");
    }
}

#[tokio::test]
async fn an_engine_with_nothing_injected_works() {
    let machine = SystemClock::new();
    let begun = machine.now();
    let echo = worker_fn(async |_, task: Task| Ok(task.prompt));
    let engine = Engine::builder("plain", MemoryStore::new()).worker("echo", echo).start().await;
    let engine = engine.unwrap();
    let submitted = engine.submit(TaskRequest::new("echo", "hello")).await.unwrap();
    let id = submitted.id.as_str();
    assert_eq!((id.len(), &id[14..15]), (36, "7"), "ids are UUIDs of version 7");
    let task = end_of(&engine, submitted.id).await;
    assert_eq!(task.result, "hello");
    let ended = task.completed_at.unwrap();
    assert!(begun <= task.created_at && task.created_at <= ended, "times are the machine's");
    assert!(ended.saturating_sub(Duration::from_secs(60)) <= machine.now());
    engine.close().await.unwrap();
}

/// A session under an engine's name, which ends like a process that dies when it is dropped.
async fn process<'s>(
    rig: &Rig,
    store: &'s MemoryStore,
    name: &str,
    engine: &str,
) -> StoreSession<'s, MemoryStore> {
    let id = InstanceId::new(name).unwrap();
    let instance = Instance::new(id, engine, rig.clock.now());
    store.session(instance, rig.clock.clone()).await.unwrap()
}

/// Creates a task of a type that has no worker, and takes it along `path`.
async fn bring(calls: &mut StoreSession<'_, MemoryStore>, id: &str, path: &[TaskStatus]) {
    let new = NewTask {
        id: id.parse().unwrap(),
        engine_name: "any".to_owned(),
        request: TaskRequest::new("nobody's", "x"),
        created_at: loom_deps::Timestamp::from_micros(0),
        pinned_to: None,
        daemon_id: None,
    };
    let id = calls.create(new).await.unwrap().id;
    let mut from = TaskStatus::Pending;
    for &to in path {
        calls.update_status(&id, from, to).await.unwrap();
        from = to;
    }
}

#[tokio::test]
async fn recovery_ends_what_was_dispatched_or_running_and_leaves_what_was_pending() {
    use TaskStatus::{Dispatched, FailedCrash, Pending, Running};
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let store = rig.store.reopen();
    let mut gone = process(&rig, &store, "gone", "test").await;
    bring(&mut gone, "dispatched", &[Dispatched]).await;
    bring(&mut gone, "running", &[Dispatched, Running]).await;
    bring(&mut gone, "pending", &[]).await;
    drop(gone);
    assert_eq!(engine.recover_crashed().await.unwrap(), 2);
    for (id, status) in
        [("dispatched", FailedCrash), ("running", FailedCrash), ("pending", Pending)]
    {
        assert_eq!(engine.get(id).await.unwrap().status, status, "{id}");
    }
}

#[tokio::test]
async fn recovery_reads_as_many_pages_as_there_are_and_takes_no_others_tasks() {
    use TaskStatus::{Dispatched, FailedCrash};
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let store = rig.store.reopen();
    let mut gone = process(&rig, &store, "gone", "test").await;
    let left = u64::from(PAGE_MAX) * 2 + 1;
    for number in 0..left {
        bring(&mut gone, &format!("ours-{number}"), &[Dispatched]).await;
    }
    let mut others = process(&rig, &store, "others", "other").await;
    bring(&mut others, "theirs", &[Dispatched]).await;
    drop((gone, others));
    assert_eq!(engine.recover_crashed().await.unwrap(), left);
    let counts = engine.count_all(TaskQuery::all()).await.unwrap();
    assert_eq!((counts.of(FailedCrash), counts.of(Dispatched)), (left, 1));
}

#[tokio::test]
async fn a_retryable_result_of_a_task_that_was_ended_meanwhile_does_not_bring_it_back() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    engine.fail_active(&submitted.id, "given up").await.unwrap();
    attempt.finish(Ok("".into()));
    engine.close().await.unwrap();
    let (engine, mut script) = rig.scripted().await;
    let task = engine.get(submitted.id).await.unwrap();
    assert_eq!((task.status, task.retries), (TaskStatus::Failed, 0));
    assert_eq!(task.error.as_deref(), Some("given up"));
    assert!(script.started().is_none());
}

#[tokio::test]
async fn a_task_that_waits_for_its_retry_can_be_failed_by_hand() {
    let rig = Rig::new();
    let half = WorkerError::transient("not yet").with_output("half".into());
    let worker = SequenceWorker::new([Err(half)]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("x")).await.unwrap();
    until(&mut stream, EventType::Retrying).await;
    let former = engine.fail_active(&submitted.id, "no longer needed").await.unwrap();
    assert_eq!(former, Some(TaskStatus::Retrying));
    let task = end_of(&engine, &submitted.id).await;
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Failed, ""));
    assert_eq!(task.error.as_deref(), Some("no longer needed"));
    assert_eq!(engine.fail_active(&submitted.id, "again").await.unwrap(), None);
    assert_eq!(engine.get(submitted.id).await.unwrap().error.as_deref(), Some("no longer needed"));
}

#[tokio::test]
async fn cancelling_a_project_tells_of_each_task_once_when_it_has_ended() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let mut attempts = Vec::new();
    for _ in 0..3 {
        engine.submit(work("x").project("p")).await.unwrap();
        attempts.push(soon_enough(script.next()).await);
    }
    let mut stream = engine.events().stream();
    assert_eq!(engine.cancel_all_for_project("p").await.unwrap(), 3);
    for attempt in attempts {
        attempt.finish(Err(WorkerError::cancelled()));
    }
    let mut told = Vec::new();
    for _ in 0..3 {
        let event = next(&mut stream).await;
        assert_eq!((event.kind, event.status), (EventType::Cancelled, TaskStatus::Cancelled));
        told.push(event.task_id);
    }
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 3);
    engine.close().await.unwrap();
    assert!(soon_enough(stream.next()).await.is_none(), "and of nothing else");
}

#[tokio::test]
async fn without_a_timeout_an_attempt_may_take_as_long_as_it_likes() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    for _ in 0..10 {
        rig.clock.advance(Duration::from_secs(24 * 3600));
        tokio::task::yield_now().await;
    }
    assert!(!attempt.cx.cancellation().is_cancelled());
    attempt.finish(Ok("at last".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "at last");
}

#[tokio::test]
async fn every_subscriber_is_told_of_each_event_once_and_of_nothing_that_was_before() {
    let rig = Rig::new();
    let echo = worker_fn(async |_, task: Task| Ok(task.prompt));
    let engine = rig.builder().worker("work", echo).start().await.unwrap();
    let before = engine.submit(work("before")).await.unwrap();
    end_of(&engine, &before.id).await;
    let five: Vec<_> = (0..5).map(|_| (Signal::new(), Signal::new())).collect();
    let subscriptions: Vec<_> = five
        .iter()
        .map(|(heard, old)| {
            let (heard, old, before) = (heard.clone(), old.clone(), before.id.clone());
            engine.events().subscribe(move |event: &TaskEvent| match event.task_id == before {
                true => old.raise(),
                false => heard.raise(),
            })
        })
        .collect();
    let mut stream = engine.events().stream();
    engine.submit(work("now")).await.unwrap();
    until(&mut stream, EventType::Completed).await;
    engine.close().await.unwrap();
    for (heard, old) in &five {
        assert_eq!((heard.count(), old.count()), (4, 0));
    }
    drop(subscriptions);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_may_come_and_go_while_events_are_told() {
    let rig = Rig::new();
    let echo = worker_fn(async |_, task: Task| Ok(task.prompt));
    let engine = rig.builder().worker("work", echo).start().await.unwrap();
    let heard = Signal::new();
    let count = heard.clone();
    let _stays = engine.events().subscribe(move |_: &TaskEvent| count.raise());
    let comers: Vec<_> = (0..4)
        .map(|_| {
            let events = engine.events();
            std::thread::spawn(move || {
                (0..200).for_each(|_| events.subscribe(|_: &TaskEvent| {}).unsubscribe());
            })
        })
        .collect();
    let submitting: Vec<_> = (0..50)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.submit(work("x")).await })
        })
        .collect();
    for submit in submitting {
        let submitted = soon_enough(submit).await.unwrap().unwrap();
        end_of(&engine, submitted.id).await;
    }
    engine.close().await.unwrap();
    assert!(comers.into_iter().all(|comer| comer.join().is_ok()));
    assert_eq!(heard.count(), 200, "four events of each of 50 tasks");
}

#[tokio::test]
async fn every_judgement_is_logged_with_the_canonical_fields() {
    let rig = Rig::new();
    let worker = SequenceWorker::new([Ok("".into()), Ok("an answer".into())]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x").project("p").request_id("r")).await.unwrap();
    let ended = as_time_passes(&rig, engine.wait(&submitted.id)).await.unwrap();
    assert_eq!(ended.status, TaskStatus::Completed);
    let records = rig.logger.records();
    let verdicts =
        [("gate rejected", "empty_output", Some("empty_output")), ("gate passed", "pass", None)];
    for (message, reason, code) in verdicts {
        let record = records.iter().find(|record| record.message == message).unwrap();
        let fields = [
            ("module", "loom"),
            ("task_id", submitted.id.as_str()),
            ("project_id", "p"),
            ("worker_type", "work"),
            ("request_id", "r"),
            ("reason", reason),
        ];
        for (field, value) in fields {
            assert_eq!(record.text(field).as_deref(), Some(value), "{field} of {message}");
        }
        assert!(record.text("task_status").is_some());
        assert_eq!(record.text("error_code").as_deref(), code, "error_code of {message}");
    }
}

#[tokio::test]
async fn every_report_from_outside_is_one_event_and_counts_its_lines() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let submitted = engine.submit(work("x").project("p")).await.unwrap();
    assert!(engine.get(&submitted.id).await.unwrap().progress.at.is_none());
    let mut stream = engine.events().stream();
    rig.clock.advance(Duration::from_secs(30));
    for line in ["one", "two", "three", "four", "five"] {
        let project = engine.append_progress(&submitted.id, line).await.unwrap();
        assert_eq!(project.as_deref(), Some("p"));
        let event = next(&mut stream).await;
        assert_eq!((event.kind, event.status), (EventType::Progress, TaskStatus::Running));
        assert_eq!((&event.task_id, event.project_id.as_str()), (&submitted.id, "p"));
        assert_eq!(event.line.as_deref(), Some(line));
    }
    let progress = engine.get(&submitted.id).await.unwrap().progress;
    assert_eq!((progress.line.as_str(), progress.lines), ("five", 5));
    assert_eq!(progress.at, Some(rig.clock.now()));
    engine.append_progress("nobody", "who").await.unwrap();
    engine.append_progress(&submitted.id, "six").await.unwrap();
    let event = next(&mut stream).await;
    assert_eq!(event.task_id, submitted.id, "of an unknown task there is no event");
}

#[tokio::test]
async fn a_task_that_waited_long_and_has_just_started_is_not_stale() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().worker("work", worker).max_running(1).start().await.unwrap();
    engine.submit(work("first")).await.unwrap();
    let waited = engine.submit(work("waits")).await.unwrap();
    let first = soon_enough(script.next()).await;
    rig.clock.advance(Duration::from_secs(3600));
    first.finish(Ok("done".into()));
    let _attempt = soon_enough(script.next()).await;
    let silence = Duration::from_secs(15 * 60);
    assert_eq!(engine.fail_stale_running(silence, "stale").await.unwrap(), 0);
    assert_eq!(engine.get(&waited.id).await.unwrap().status, TaskStatus::Running);
}

#[tokio::test]
async fn a_request_id_is_that_of_the_innermost_call_and_ends_with_it() {
    use loom_engine::{current_request_id, with_request_id};
    assert_eq!(current_request_id(), None);
    with_request_id("outer", async {
        assert_eq!(current_request_id().as_deref(), Some("outer"));
        with_request_id("inner", async {
            assert_eq!(current_request_id().as_deref(), Some("inner"));
        })
        .await;
        with_request_id("", async { assert_eq!(current_request_id(), None) }).await;
        assert_eq!(current_request_id().as_deref(), Some("outer"));
    })
    .await;
    assert_eq!(current_request_id(), None);
}

#[tokio::test]
async fn a_task_that_ended_as_crashed_stays_so_and_what_is_submitted_again_is_another() {
    let rig = Rig::new();
    let store = rig.store.reopen();
    let mut gone = process(&rig, &store, "gone", "test").await;
    bring(&mut gone, "crashed", &[TaskStatus::Dispatched, TaskStatus::Running]).await;
    drop(gone);
    let (engine, mut script) = rig.scripted().await;
    let (late, mut lates) = scripted();
    engine.register("nobody's", late).unwrap();
    let again = engine.submit(TaskRequest::new("nobody's", "x")).await.unwrap();
    assert_eq!(soon_enough(lates.next()).await.task.id, again.id);
    assert_ne!(again.id.as_str(), "crashed");
    assert!(lates.started().is_none() && script.started().is_none());
    assert_eq!(engine.get("crashed").await.unwrap().status, TaskStatus::FailedCrash);
}

#[tokio::test]
async fn a_task_carries_the_daemon_id_of_the_engine_that_took_it_if_it_has_one() {
    let rig = Rig::new();
    let named = rig.builder().daemon_id("daemon-1").start().await.unwrap();
    let plain = rig.builder().start().await.unwrap();
    let from_named = named.submit(work("x")).await.unwrap();
    let from_plain = plain.submit(work("x")).await.unwrap();
    let task = plain.get(from_named.id).await.unwrap();
    assert_eq!(task.daemon_id.as_deref(), Some("daemon-1"));
    assert_eq!(named.get(from_plain.id).await.unwrap().daemon_id, None);
}

#[tokio::test]
async fn a_task_imported_without_an_engine_is_listed_only_among_all() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let store = rig.store.reopen();
    let me = Instance::new(InstanceId::new("importer").unwrap(), "test", rig.clock.now());
    let _membership = store.join(&me).await.unwrap();
    let new = NewTask {
        id: "old".parse().unwrap(),
        engine_name: String::new(),
        request: work("x").project("p"),
        created_at: rig.clock.now(),
        pinned_to: None,
        daemon_id: None,
    };
    let import = Op::Import(Box::new(Imported::pending(new)));
    store.commit(&Batch { instance: me.id, number: 1, ops: vec![import] }).await.unwrap();
    let query = || TaskQuery::all().project("p");
    assert!(engine.list(query()).await.unwrap().tasks.is_empty());
    let all = engine.list_all(query()).await.unwrap().tasks;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].id.as_str(), all[0].engine_name.as_str()), ("old", ""));
    engine.close().await.unwrap();
    assert!(script.started().is_none(), "and nobody runs it");
}
