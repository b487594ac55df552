//! Telling of what happens.

use std::sync::{Arc, Mutex};

use loom_core::limits::EVENT_STREAM_MAX;
use loom_core::{EventType, Task, TaskEvent, TaskStatus, worker_fn};
use loom_testkit::Signal;

use crate::rig::{Rig, end_of, kinds, sleepers, soon_enough, until, work};

#[tokio::test]
async fn a_stream_tells_the_whole_life_of_a_task_in_order_and_without_gaps() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("x").project("p").request_id("r")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done".into()));
    let events = until(&mut stream, EventType::Completed).await;
    use EventType::{Completed, Created, Dispatched, Running};
    assert_eq!(kinds(&events), [Created, Dispatched, Running, Completed]);
    for (event, sequence) in events.iter().zip(1..) {
        assert_eq!((&event.task_id, event.project_id.as_str()), (&submitted.id, "p"));
        assert_eq!((event.request_id.as_deref(), event.sequence), (Some("r"), sequence));
    }
    let statuses: Vec<TaskStatus> = events.iter().map(|event| event.status).collect();
    use TaskStatus as S;
    assert_eq!(statuses, [S::Pending, S::Dispatched, S::Running, S::Completed]);
}

#[tokio::test]
async fn an_event_is_about_something_already_stored() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("x")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done".into()));
    until(&mut stream, EventType::Completed).await;
    assert_eq!(engine.get(submitted.id).await.unwrap().result, "done");
}

#[tokio::test]
async fn callbacks_are_called_in_order_and_the_created_one_before_submit_returns() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let subscribe = |name: &'static str| {
        let seen = Arc::clone(&seen);
        engine.events().subscribe(move |event: &TaskEvent| {
            seen.lock().unwrap().push((name, event.kind));
        })
    };
    let _first = subscribe("first");
    let _second = subscribe("second");
    engine.submit(work("x")).await.unwrap();
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen[..2], [("first", EventType::Created), ("second", EventType::Created)]);
}

#[tokio::test]
async fn a_callback_that_panics_harms_no_other_and_is_called_again() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let (called, others) = (Signal::new(), Signal::new());
    let count = called.clone();
    let _bad = engine.events().subscribe(move |_: &TaskEvent| {
        count.raise();
        std::panic::panic_any(17);
    });
    let count = others.clone();
    let _good = engine.events().subscribe(move |_: &TaskEvent| count.raise());
    let submitted = engine.submit(work("x")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done".into()));
    end_of(&engine, submitted.id).await;
    soon_enough(called.times(4)).await;
    soon_enough(others.times(4)).await;
    let logged = rig.logger.records();
    assert!(logged.iter().any(|record| record.message == "an event callback panicked"));
}

#[tokio::test]
async fn after_unsubscribing_no_call_begins_and_it_is_safe_to_repeat() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let calls = Signal::new();
    let count = calls.clone();
    let subscription = engine.events().subscribe(move |_: &TaskEvent| count.raise());
    engine.submit(work("x")).await.unwrap();
    subscription.unsubscribe();
    let before = calls.count();
    subscription.unsubscribe();
    engine.submit(work("y")).await.unwrap();
    drop(subscription);
    engine.close_within(std::time::Duration::ZERO).await.unwrap_err();
    assert_eq!(calls.count(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_works_from_inside_a_callback() {
    let rig = Rig::new();
    let echo = worker_fn(async |_, task: Task| Ok(task.prompt));
    let engine = rig.builder().worker("work", echo).start().await.unwrap();
    let done = Signal::new();
    let (inner, told) = (engine.clone(), done.clone());
    let runtime = tokio::runtime::Handle::current();
    let _subscription = engine.events().subscribe(move |event: &TaskEvent| {
        if event.kind == EventType::Created && event.project_id == "outer" {
            let submitted = runtime.block_on(inner.submit(work("inner"))).unwrap();
            runtime.block_on(inner.get(&submitted.id)).unwrap();
            inner.events().subscribe(|_: &TaskEvent| {}).unsubscribe();
            told.raise();
        }
    });
    engine.submit(work("outer").project("outer")).await.unwrap();
    soon_enough(done.wait()).await;
}

#[tokio::test]
async fn a_slow_reader_learns_how_much_it_missed_and_reads_on() {
    let rig = Rig::new();
    let echo = worker_fn(async |_, task: Task| Ok(task.prompt));
    let engine = rig.builder().worker("work", echo).start().await.unwrap();
    let mut stream = engine.events().stream();
    let tasks = EVENT_STREAM_MAX / 4 + 50;
    for _ in 0..tasks {
        let submitted = engine.submit(work("x")).await.unwrap();
        end_of(&engine, submitted.id).await;
    }
    let lagged = soon_enough(stream.next()).await.unwrap().unwrap_err();
    assert_eq!(lagged.0, u64::try_from(tasks * 4 - EVENT_STREAM_MAX).unwrap());
    assert_eq!(soon_enough(stream.next()).await.unwrap().unwrap().sequence, lagged.0 + 1);
}

#[tokio::test]
async fn a_stream_ends_with_its_engine() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let mut stream = engine.events().stream();
    engine.close().await.unwrap();
    assert!(soon_enough(stream.next()).await.is_none());
    assert!(soon_enough(engine.events().stream().next()).await.is_none());
}

#[tokio::test]
async fn a_callback_that_never_returns_holds_nobody_up_for_long() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let _stuck = engine.events().subscribe(move |_: &TaskEvent| {
        let _ = held.lock().unwrap().recv();
    });
    let submit = engine.submit(work("x"));
    let time_passes = async {
        sleepers(&rig).await;
        rig.skip();
    };
    let (submitted, ()) = soon_enough(async { tokio::join!(submit, time_passes) }).await;
    // From now on nobody waits for it.
    let second = soon_enough(engine.submit(work("y"))).await.unwrap();
    for _ in 0..2 {
        soon_enough(script.next()).await.finish(Ok("done".into()));
    }
    end_of(&engine, submitted.unwrap().id).await;
    end_of(&engine, second.id).await;
    drop(release);
}

#[tokio::test]
async fn a_callback_is_not_told_what_was_waiting_before_it_subscribed() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let _slow = engine.events().subscribe(move |_: &TaskEvent| {
        let _ = held.lock().unwrap().recv();
    });
    let submit = engine.submit(work("before"));
    let time_passes = async {
        sleepers(&rig).await;
        rig.skip();
    };
    let (before, ()) = soon_enough(async { tokio::join!(submit, time_passes) }).await;
    // All three events of that task wait, the first of them for the callback to return.
    let (told, seen) = (Arc::new(Mutex::new(Vec::new())), Signal::new());
    let (tell, count) = (Arc::clone(&told), seen.clone());
    let _late = engine.events().subscribe(move |event: &TaskEvent| {
        tell.lock().unwrap().push(event.task_id.clone());
        count.raise();
    });
    let after = soon_enough(engine.submit(work("after"))).await.unwrap();
    drop(release);
    soon_enough(seen.times(3)).await;
    assert_eq!(*told.lock().unwrap(), vec![after.id.clone(); 3]);
    assert_ne!(before.unwrap().id, after.id);
}
