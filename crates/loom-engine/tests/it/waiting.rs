//! Tasks that wait for other tasks.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use loom_core::{
    CancelReason, Error, FailureCode, Task, TaskContext, TaskId, TaskRequest, TaskStatus,
    WaitError, WorkerError, worker_fn,
};
use loom_deps::Clock;
use loom_engine::{Engine, WorkerOptions};
use loom_testkit::{AttemptHandle, FaultyStore, Script, scripted};
use tokio::task::JoinHandle;

use crate::rig::{Rig, end_of, sleepers, soon_enough, work};

pub(crate) type Waiting = JoinHandle<Result<Task, WaitError>>;

/// An engine with `max_running` slots and a scripted worker, and an attempt that has one of them.
pub(crate) async fn parent_in(rig: &Rig, max_running: usize) -> (Engine, Script, AttemptHandle) {
    let (worker, mut script) = scripted();
    let builder = rig.builder().worker("work", worker).max_running(max_running);
    let engine = builder.start().await.unwrap();
    engine.submit(work("parent")).await.unwrap();
    let parent = soon_enough(script.next()).await;
    (engine, script, parent)
}

pub(crate) async fn submit(engine: &Engine, prompt: &str) -> TaskId {
    engine.submit(work(prompt)).await.unwrap().id
}

pub(crate) fn wait(attempt: &AttemptHandle, id: &TaskId) -> Waiting {
    let (cx, id) = (attempt.cx.clone(), id.clone());
    tokio::spawn(async move { cx.wait(id).await })
}

/// A worker that makes a child of each word of its prompt, and puts their results together.
async fn join_children(
    engine: &Engine,
    cx: &TaskContext,
    task: &Task,
) -> Result<String, WorkerError> {
    let mut ids = Vec::new();
    for word in task.prompt.split(' ') {
        ids.push(engine.submit(work(word)).await?.id);
    }
    let children = cx.wait_all(ids).await?;
    Ok(children.into_iter().map(|child| child.result).collect::<Vec<_>>().join("+"))
}

#[tokio::test]
async fn a_task_can_wait_for_those_that_it_submits_though_only_one_may_run() {
    let rig = Rig::new();
    let handle = Arc::new(OnceLock::<Engine>::new());
    let known = Arc::clone(&handle);
    let parent = worker_fn(move |cx: TaskContext, task: Task| {
        let engine = known.get().unwrap().clone();
        async move { join_children(&engine, &cx, &task).await }
    });
    let echo = worker_fn(async |_, task: Task| Ok(task.prompt));
    let builder = rig.builder().worker("parent", parent).worker("work", echo).max_running(1);
    let engine = builder.start().await.unwrap();
    handle.set(engine.clone()).unwrap();
    let first = engine.submit(TaskRequest::new("parent", "a b c")).await.unwrap();
    let second = engine.submit(TaskRequest::new("parent", "d e")).await.unwrap();
    assert_eq!(end_of(&engine, first.id).await.result, "a+b+c");
    assert_eq!(end_of(&engine, second.id).await.result, "d+e");
    soon_enough(engine.close()).await.unwrap();
}

#[tokio::test]
async fn whoever_has_waited_goes_before_tasks_that_have_still_to_start() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let child = submit(&engine, "child").await;
    let other = submit(&engine, "other").await;
    assert!(script.started().is_none(), "the parent has the only slot");
    let waiting = wait(&parent, &child);
    let attempt = soon_enough(script.next()).await;
    assert_eq!(attempt.task.id, child);
    attempt.finish(Ok("done".into()));
    assert_eq!(soon_enough(waiting).await.unwrap().unwrap().result, "done");
    assert_eq!(engine.get(&other).await.unwrap().status, TaskStatus::Pending);
    assert!(script.started().is_none(), "the parent has the slot again");
    parent.finish(Ok("done".into()));
    assert_eq!(soon_enough(script.next()).await.task.id, other);
}

#[tokio::test]
async fn whoever_has_waited_for_several_goes_first_though_they_end_in_one_commit() {
    let rig = Rig::new();
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let (worker, mut script) = scripted();
    let builder = rig.builder_on(store).worker("work", worker).max_running(2);
    let engine = builder.start().await.unwrap();
    engine.submit(work("parent")).await.unwrap();
    let parent = soon_enough(script.next()).await;
    let children = vec![submit(&engine, "one").await, submit(&engine, "two").await];
    let cx = parent.cx.clone();
    let waiting = tokio::spawn(async move { cx.wait_all(children).await });
    let (one, two) = (soon_enough(script.next()).await, soon_enough(script.next()).await);
    let backlog = [submit(&engine, "third").await, submit(&engine, "fourth").await];
    // Both end while a commit is under way, and so in the next one.
    let gate = faults.hold();
    let submitting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.submit(work("fifth")).await }
    });
    soon_enough(faults.waiting(1)).await;
    one.finish(Ok("1".into()));
    two.finish(Ok("2".into()));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    gate.open();
    soon_enough(submitting).await.unwrap().unwrap();
    let ended = soon_enough(waiting).await.unwrap().unwrap();
    assert_eq!(ended.iter().map(|task| task.result.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(soon_enough(script.next()).await.task.id, backlog[0]);
    assert!(script.started().is_none(), "of two slots the parent has one");
    assert_eq!(engine.get(&backlog[1]).await.unwrap().status, TaskStatus::Pending);
    drop(parent);
}

#[tokio::test]
async fn the_first_slot_that_comes_free_is_for_whoever_has_waited() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 2).await;
    let child = submit(&engine, "child").await;
    let attempt = soon_enough(script.next()).await;
    let waiting = wait(&parent, &child);
    // The slot of the parent and that of the child go to others.
    let first = submit(&engine, "first").await;
    let other = soon_enough(script.next()).await;
    assert_eq!(other.task.id, first);
    let second = submit(&engine, "second").await;
    assert!(script.started().is_none());
    attempt.finish(Ok("done".into()));
    end_of(&engine, &child).await;
    // Now the parent wants one slot, and there is one: the second task is still to wait.
    soon_enough(waiting).await.unwrap().unwrap();
    assert!(script.started().is_none());
    other.finish(Ok("done".into()));
    assert_eq!(soon_enough(script.next()).await.task.id, second);
    drop(parent);
}

#[tokio::test]
async fn an_attempt_that_waits_does_not_count_for_its_type_and_does_again_afterwards() {
    let rig = Rig::new();
    let (narrow, mut narrow_script) = scripted();
    let (worker, mut script) = scripted();
    let one = WorkerOptions::new().max_running(1);
    let builder = rig.builder().worker_with("narrow", narrow, one).worker("work", worker);
    let engine = builder.start().await.unwrap();
    engine.submit(TaskRequest::new("narrow", "parent")).await.unwrap();
    let parent = soon_enough(narrow_script.next()).await;
    let next = engine.submit(TaskRequest::new("narrow", "next")).await.unwrap();
    let last = engine.submit(TaskRequest::new("narrow", "last")).await.unwrap();
    assert!(narrow_script.started().is_none());
    let child = submit(&engine, "child").await;
    let waiting = wait(&parent, &child);
    let meanwhile = soon_enough(narrow_script.next()).await;
    assert_eq!(meanwhile.task.id, next.id);
    soon_enough(script.next()).await.finish(Ok("done".into()));
    end_of(&engine, &child).await;
    assert!(!waiting.is_finished(), "the type has room for one");
    meanwhile.finish(Ok("done".into()));
    soon_enough(waiting).await.unwrap().unwrap();
    assert!(narrow_script.started().is_none());
    parent.finish(Ok("done".into()));
    assert_eq!(soon_enough(narrow_script.next()).await.task.id, last.id);
}

#[tokio::test]
async fn what_has_ended_already_costs_no_slot() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let ended = engine.submit(TaskRequest::new("unknown", "x")).await.unwrap();
    submit(&engine, "other").await;
    let task = soon_enough(parent.cx.wait(&ended.id)).await.unwrap();
    assert_eq!(task.status, TaskStatus::Failed);
    assert!(script.started().is_none());
}

#[tokio::test]
async fn a_cancel_ends_the_wait_and_leaves_the_other_task_alone() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let id = parent.task.id.clone();
    let child = submit(&engine, "child").await;
    let waiting = wait(&parent, &child);
    let attempt = soon_enough(script.next()).await;
    engine.cancel(&id).await.unwrap();
    let stopped = soon_enough(waiting).await.unwrap().unwrap_err();
    assert!(matches!(stopped, WaitError::Stopped(CancelReason::Requested)), "{stopped}");
    parent.finish(Err(stopped.into()));
    assert_eq!(end_of(&engine, &id).await.status, TaskStatus::Cancelled);
    attempt.finish(Ok("unharmed".into()));
    assert_eq!(end_of(&engine, &child).await.result, "unharmed");
}

#[tokio::test]
async fn a_cancel_also_ends_the_wait_for_a_slot() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let id = parent.task.id.clone();
    let narrow = submit(&engine, "child").await;
    let waiting = wait(&parent, &narrow);
    let child = soon_enough(script.next()).await;
    // It takes the slot of the child in the commit that ends it.
    let second = wait(&child, &submit(&engine, "grandchild").await);
    let grandchild = soon_enough(script.next()).await;
    engine.fail_active(&narrow, "by hand").await.unwrap();
    soon_enough(second).await.unwrap().unwrap_err();
    assert!(!waiting.is_finished(), "the grandchild has the only slot");
    engine.cancel(&id).await.unwrap();
    let stopped = soon_enough(waiting).await.unwrap().unwrap_err();
    assert!(matches!(stopped, WaitError::Stopped(CancelReason::Requested)), "{stopped}");
    for attempt in [parent, child, grandchild] {
        attempt.finish(Ok("done".into()));
    }
    assert_eq!(end_of(&engine, &id).await.status, TaskStatus::Cancelled);
    soon_enough(engine.close()).await.unwrap();
}

#[tokio::test]
async fn the_timeout_goes_on_counting() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let request = work("parent").timeout(Duration::from_secs(5)).max_retries(0);
    let submitted = engine.submit(request).await.unwrap();
    let parent = soon_enough(script.next()).await;
    let waiting = wait(&parent, &submit(&engine, "child").await);
    let _child = soon_enough(script.next()).await;
    rig.clock.advance(Duration::from_secs(5));
    let stopped = soon_enough(waiting).await.unwrap().unwrap_err();
    assert!(matches!(stopped, WaitError::Stopped(CancelReason::Timeout)), "{stopped}");
    parent.finish(Err(stopped.into()));
    assert_eq!(end_of(&engine, submitted.id).await.failure, Some(FailureCode::Timeout));
}

#[tokio::test]
async fn waiting_is_a_sign_of_life_for_as_long_as_it_lasts() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let request = work("parent").idle_timeout(Duration::from_secs(10));
    engine.submit(request).await.unwrap();
    let parent = soon_enough(script.next()).await;
    let waiting = wait(&parent, &submit(&engine, "child").await);
    let child = soon_enough(script.next()).await;
    for _ in 0..5 {
        soon_enough(sleepers(&rig)).await;
        rig.skip();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    assert!(!parent.cx.cancellation().is_cancelled());
    child.finish(Ok("done".into()));
    soon_enough(waiting).await.unwrap().unwrap();
    let back = rig.clock.now();
    while !parent.cx.cancellation().is_cancelled() {
        soon_enough(sleepers(&rig)).await;
        rig.skip();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(parent.cx.cancellation().reason(), Some(CancelReason::Idle));
    assert!(rig.clock.now().since(back) >= Duration::from_secs(10));
}

#[tokio::test]
async fn a_wait_that_is_dropped_leaves_the_attempt_with_its_slot() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let child = submit(&engine, "child").await;
    let waiting = wait(&parent, &child);
    let attempt = soon_enough(script.next()).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let other = submit(&engine, "other").await;
    attempt.finish(Ok("done".into()));
    end_of(&engine, &child).await;
    assert_eq!(engine.get(&other).await.unwrap().status, TaskStatus::Pending);
    assert!(script.started().is_none(), "the parent works");
    parent.finish(Ok("done".into()));
    assert_eq!(soon_enough(script.next()).await.task.id, other);
}

#[tokio::test]
async fn an_attempt_may_wait_in_several_places_at_once() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let mut waits = Vec::new();
    for number in 0..3 {
        waits.push(wait(&parent, &submit(&engine, &number.to_string()).await));
    }
    let other = submit(&engine, "other").await;
    for (number, waiting) in waits.into_iter().enumerate() {
        let child = soon_enough(script.next()).await;
        assert_eq!(child.task.prompt, number.to_string());
        child.finish(Ok("done".into()));
        soon_enough(waiting).await.unwrap().unwrap();
    }
    assert!(script.started().is_none(), "the parent has its slot again");
    parent.finish(Ok("done".into()));
    assert_eq!(soon_enough(script.next()).await.task.id, other);
}

#[tokio::test]
async fn a_context_that_outlives_its_attempt_moves_no_slots() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let child = submit(&engine, "child").await;
    let (waiting, late) = (wait(&parent, &child), parent.cx.clone());
    let attempt = soon_enough(script.next()).await;
    let id = parent.task.id.clone();
    parent.finish(Ok("without it".into()));
    end_of(&engine, &id).await;
    let other = submit(&engine, "other").await;
    let also = tokio::spawn({
        let child = child.clone();
        async move { late.wait(child).await }
    });
    assert!(script.started().is_none());
    attempt.finish(Ok("done".into()));
    soon_enough(waiting).await.unwrap().unwrap();
    soon_enough(also).await.unwrap().unwrap();
    let attempt = soon_enough(script.next()).await;
    assert_eq!(attempt.task.id, other);
    submit(&engine, "one more").await;
    assert!(script.started().is_none(), "there is one slot");
    attempt.finish(Ok("done".into()));
    soon_enough(script.next()).await.finish(Ok("done".into()));
    soon_enough(engine.close()).await.unwrap();
}

/// A task that does not run before it is cancelled.
async fn submit_later(rig: &Rig, engine: &Engine) -> TaskId {
    let later = rig.clock.now().saturating_add(Duration::from_secs(3600));
    engine.submit(work("later").run_at(later)).await.unwrap().id
}

#[tokio::test]
async fn an_attempt_that_ends_while_it_queues_for_a_slot_takes_none() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let (id, later) = (parent.task.id.clone(), submit_later(&rig, &engine).await);
    let waiting = wait(&parent, &later);
    let first = submit(&engine, "first").await;
    let attempt = soon_enough(script.next()).await;
    engine.cancel(&later).await.unwrap();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished(), "it queues");
    parent.finish(Ok("without it".into()));
    soon_enough(waiting).await.unwrap().unwrap();
    end_of(&engine, &id).await;
    let second = submit(&engine, "second").await;
    assert!(script.started().is_none());
    attempt.finish(Ok("done".into()));
    end_of(&engine, &first).await;
    assert_eq!(soon_enough(script.next()).await.task.id, second);
}

#[tokio::test]
async fn a_slot_that_a_claim_under_way_may_take_is_not_given_to_another() {
    let rig = Rig::new();
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let (worker, mut script) = scripted();
    let builder = rig.builder_on(store).worker("work", worker).max_running(1);
    let engine = builder.start().await.unwrap();
    let other = rig.builder().submit_only().start().await.unwrap();
    engine.submit(work("parent")).await.unwrap();
    let parent = soon_enough(script.next()).await;
    let later = submit_later(&rig, &engine).await;
    let waiting = wait(&parent, &later);
    let before = faults.commits();
    soon_enough(faults.reached(before + 1)).await;
    let gate = faults.hold();
    let submitting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.submit(work("claimed")).await }
    });
    soon_enough(faults.waiting(1)).await;
    // Its end is noticed while the commit is under way that has been promised the slot.
    other.cancel(&later).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    gate.open();
    soon_enough(submitting).await.unwrap().unwrap();
    let attempt = soon_enough(script.next()).await;
    assert!(!waiting.is_finished());
    attempt.finish(Ok("done".into()));
    soon_enough(waiting).await.unwrap().unwrap();
    parent.finish(Ok("done".into()));
    soon_enough(engine.close()).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_said_to_be_so() {
    let rig = Rig::new();
    let (_engine, mut script, parent) = parent_in(&rig, 1).await;
    let itself = parent.cx.wait(&parent.task.id).await.unwrap_err();
    assert!(matches!(itself, WaitError::Itself(id) if id == parent.task.id));
    let unknown = parent.cx.wait("nobody").await.unwrap_err();
    assert!(matches!(unknown, WaitError::Engine(Error::NotFound(_))));
    let impossible = parent.cx.wait("").await.unwrap_err();
    assert!(matches!(impossible, WaitError::Engine(Error::Invalid(_))));
    assert_eq!(parent.cx.wait_all([""; 0]).await.unwrap(), []);
    assert!(script.started().is_none());
    let alone = TaskContext::new().wait("id-0").await.unwrap_err();
    assert!(matches!(alone, WaitError::NoEngine));
}

/// How many attempts work at the moment, and the most that ever did.
#[derive(Default)]
struct Working(AtomicI64, AtomicI64);

impl Working {
    fn begin(&self) {
        let now = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.1.fetch_max(now, Ordering::SeqCst);
    }

    fn pause(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_attempts_work_than_there_are_slots_however_many_wait() {
    const SLOTS: usize = 3;
    let rig = Rig::new();
    let handle = Arc::new(OnceLock::<Engine>::new());
    let working = Arc::new(Working::default());
    let (known, counted) = (Arc::clone(&handle), Arc::clone(&working));
    // Each task makes two of one level less and waits for one, then for the other.
    let tree = worker_fn(move |cx: TaskContext, task: Task| {
        let (engine, working) = (known.get().unwrap().clone(), Arc::clone(&counted));
        async move {
            working.begin();
            let level: u32 = task.prompt.parse()?;
            let mut leaves = u32::from(level == 0);
            for _ in 0..2 * u32::from(level > 0) {
                let child = engine.submit(work(&(level - 1).to_string())).await?;
                tokio::task::yield_now().await;
                working.pause();
                let child = cx.wait(child.id).await?;
                working.begin();
                leaves += child.result.parse::<u32>()?;
            }
            working.pause();
            Ok(leaves.to_string())
        }
    });
    let engine = rig.builder().worker("work", tree).max_running(SLOTS).start().await.unwrap();
    handle.set(engine.clone()).unwrap();
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(submit(&engine, "4").await);
    }
    for id in ids {
        assert_eq!(end_of(&engine, id).await.result, "16");
    }
    let most = working.1.load(Ordering::SeqCst);
    assert!(most <= 3, "{most} at once");
    soon_enough(engine.close()).await.unwrap();
}
