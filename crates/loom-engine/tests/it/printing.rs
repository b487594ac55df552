//! What attempts print: followed while they run, kept, removed with the task.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use loom_core::{
    Error, OutputChunk, OutputError, OutputPage, OutputStore, Printed, Stream, Task, TaskContext,
    TaskId, TaskStatus, TaskStore, Worker, WorkerError, WorkerResult, worker_fn,
};
use loom_deps::{Clock, Timestamp};
use loom_engine::{Engine, Follow};
use loom_testkit::Signal;

use crate::rig::{Rig, as_time_passes, end_of, soon_enough, work};
use crate::wrapped::Wrapped;

/// Prints the prompt and waits to be told to go on, then says goodbye.
struct Talker(Signal);

#[async_trait]
impl Worker for Talker {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        cx.print(Stream::Stdout, &task.prompt).await;
        self.0.wait().await;
        cx.print(Stream::Stderr, "bye").await;
        Ok("done".into())
    }
}

async fn talking(rig: &Rig) -> (Engine, Signal) {
    let go = Signal::new();
    let engine = rig.builder().worker("work", Talker(go.clone())).start().await.unwrap();
    (engine, go)
}

async fn rest(follow: Follow) -> Vec<OutputChunk> {
    let chunks: Vec<_> = soon_enough(follow.collect()).await;
    chunks.into_iter().map(Result::unwrap).collect()
}

fn text(chunks: &[OutputChunk]) -> String {
    let bytes = chunks.iter().flat_map(|chunk| chunk.bytes.clone()).collect();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_follower_sees_what_is_printed_while_it_is_and_ends_with_the_task() {
    let rig = Rig::new();
    let (engine, go) = talking(&rig).await;
    let task = engine.submit(work("hello ")).await.unwrap();
    let mut follow = engine.follow(&task.id).unwrap();
    let first = soon_enough(follow.next()).await.unwrap().unwrap();
    assert_eq!((first.stream, first.bytes.as_slice()), (Stream::Stdout, &b"hello "[..]));
    assert_eq!((first.attempt, first.at), (1, rig.clock.now()));
    assert_eq!(engine.get(&task.id).await.unwrap().status, TaskStatus::Running);
    go.raise();
    let rest = rest(follow).await;
    assert_eq!((rest.len(), rest[0].stream, rest[0].position), (1, Stream::Stderr, 6));
    assert_eq!(text(&rest), "bye");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn what_has_been_printed_can_be_read_in_parts_and_from_a_position_on() {
    let rig = Rig::new();
    let (engine, go) = talking(&rig).await;
    go.raise();
    let task = engine.submit(work("hello ")).await.unwrap();
    end_of(&engine, &task.id).await;
    let output = engine.output(&task.id).unwrap();
    let first = output.read(0, 1).await.unwrap();
    assert_eq!((text(&first.chunks).as_str(), first.next), ("hello ", 6));
    let second = output.read(first.next, 1000).await.unwrap();
    assert_eq!((text(&second.chunks).as_str(), second.next, second.cut()), ("bye", 9, 0));
    assert_eq!(output.read(9, 1000).await.unwrap().chunks, []);
    assert_eq!(text(&rest(engine.follow_from(&task.id, 4).unwrap()).await), "o bye");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn an_engine_that_only_submits_follows_what_another_one_runs() {
    let rig = Rig::new();
    let asking = rig.builder().submit_only().start().await.unwrap();
    let task = asking.submit(work("hello ")).await.unwrap();
    let mut follow = asking.follow(&task.id).unwrap();
    let (engine, go) = talking(&rig).await;
    let first = as_time_passes(&rig, follow.next()).await.unwrap().unwrap();
    assert_eq!(first.bytes, b"hello ");
    go.raise();
    let rest: Vec<_> = as_time_passes(&rig, follow.collect()).await;
    assert_eq!(rest.len(), 1);
    engine.close().await.unwrap();
    asking.close().await.unwrap();
}

#[tokio::test]
async fn a_store_is_followed_without_an_engine() {
    let rig = Rig::new();
    let (engine, go) = talking(&rig).await;
    let task = engine.submit(work("hello ")).await.unwrap();
    let store: Arc<dyn TaskStore> = Arc::new(rig.store.reopen());
    let mut follow = Follow::in_store(Arc::clone(&store), task.id.clone(), 0);
    assert_eq!(soon_enough(follow.next()).await.unwrap().unwrap().bytes, b"hello ");
    go.raise();
    assert_eq!(text(&rest(follow).await), "bye");
    let mut unknown = Follow::in_store(store, TaskId::new("nobody").unwrap(), 0);
    assert!(matches!(soon_enough(unknown.next()).await, Some(Err(Error::NotFound(_)))));
    assert!(soon_enough(unknown.next()).await.is_none());
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_wait_for_the_next_chunk_that_is_dropped_loses_nothing() {
    let rig = Rig::new();
    let (engine, go) = talking(&rig).await;
    let task = engine.submit(work("hello ")).await.unwrap();
    let mut follow = engine.follow(&task.id).unwrap();
    let mut chunks = Vec::new();
    for round in 0_u32.. {
        tokio::select! {
            biased;
            chunk = follow.next() => match chunk {
                Some(chunk) => chunks.push(chunk.unwrap()),
                None => break,
            },
            () = tokio::task::yield_now() => {}
        }
        if round == 50 {
            go.raise();
        }
    }
    assert_eq!(text(&chunks), "hello bye");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn the_output_of_every_attempt_stays_and_is_followed_through() {
    let rig = Rig::new();
    let flaky = worker_fn(async |cx: TaskContext, _| {
        let attempt = cx.attempt();
        cx.print(Stream::Stdout, format!("attempt {attempt}\n")).await;
        match attempt {
            3 => Ok("at last"),
            _ => Err(WorkerError::transient("not yet")),
        }
    });
    let engine = rig.builder().worker("work", flaky).start().await.unwrap();
    let task = engine.submit(work("x")).await.unwrap();
    let chunks: Vec<_> = as_time_passes(&rig, engine.follow(&task.id).unwrap().collect()).await;
    let chunks: Vec<OutputChunk> = chunks.into_iter().map(Result::unwrap).collect();
    assert_eq!(text(&chunks), "attempt 1\nattempt 2\nattempt 3\n");
    assert_eq!(chunks.iter().map(|chunk| chunk.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(end_of(&engine, &task.id).await.result, "at last");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_follower_that_does_not_read_does_not_hold_up_the_task() {
    let rig = Rig::new();
    let loud = worker_fn(async |cx: TaskContext, _| {
        let line = vec![b'x'; 10_000];
        for _ in 0..400 {
            cx.print(Stream::Stdout, &line).await;
        }
        cx.print(Stream::Stdout, "end").await;
        Ok("done")
    });
    let engine = rig.builder().worker("work", loud).start().await.unwrap();
    let task = engine.submit(work("x")).await.unwrap();
    let mut follow = engine.follow(&task.id).unwrap();
    soon_enough(follow.next()).await.unwrap().unwrap();
    end_of(&engine, &task.id).await;
    let rest = rest(follow).await;
    assert!(text(&rest).ends_with("xend"));
    assert!(rest.iter().any(|chunk| chunk.cut > 0), "more than is kept in memory");
    assert_eq!(rest.last().unwrap().end(), 4_000_003);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn an_engine_that_closes_before_the_end_says_so_to_followers() {
    let rig = Rig::new();
    let asking = rig.builder().submit_only().start().await.unwrap();
    let task = asking.submit(work("x")).await.unwrap();
    let mut follow = asking.follow(&task.id).unwrap();
    let close = async { asking.close().await.unwrap() };
    let (next, ()) = soon_enough(async { tokio::join!(follow.next(), close) }).await;
    assert!(matches!(next, Some(Err(Error::Closed))), "{next:?}");
    assert!(follow.next().await.is_none());
}

#[tokio::test]
async fn printing_is_a_sign_of_life() {
    let rig = Rig::new();
    let (printed, go) = (Signal::new(), Signal::new());
    let (told, waits) = (printed.clone(), go.clone());
    let dots = worker_fn(move |cx: TaskContext, _: Task| {
        let (printed, go) = (told.clone(), waits.clone());
        async move {
            cx.print(Stream::Stdout, ".").await;
            printed.raise();
            go.wait().await;
            Ok("done")
        }
    });
    let engine = rig.builder().worker("work", dots).start().await.unwrap();
    let task = engine.submit(work("x").idle_timeout(Duration::from_secs(60))).await.unwrap();
    soon_enough(printed.wait()).await;
    rig.clock.advance(Duration::from_secs(59));
    go.raise();
    assert_eq!(end_of(&engine, &task.id).await.status, TaskStatus::Completed);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn what_is_left_of_an_attempt_prints_no_more_after_its_end() {
    let rig = Rig::new();
    let (sender, mut left) = tokio::sync::mpsc::channel(1);
    let leaky = worker_fn(move |cx: TaskContext, _: Task| {
        let sender = sender.clone();
        async move {
            cx.print(Stream::Stdout, "in time").await;
            let _ = sender.send(cx).await;
            Ok("done")
        }
    });
    let engine = rig.builder().worker("work", leaky).start().await.unwrap();
    let task = engine.submit(work("x")).await.unwrap();
    end_of(&engine, &task.id).await;
    left.recv().await.unwrap().print(Stream::Stdout, "too late").await;
    assert_eq!(text(&rest(engine.follow(&task.id).unwrap()).await), "in time");
    engine.close().await.unwrap();
}

/// Keeps nothing, and says so.
struct Broken;

#[async_trait]
impl OutputStore for Broken {
    async fn append(&self, task: &TaskId, _printed: Printed<'_>) -> Result<(), OutputError> {
        let source = std::io::ErrorKind::StorageFull.into();
        Err(OutputError::Io { task: task.clone(), source })
    }

    async fn flush(&self, task: &TaskId) -> Result<(), OutputError> {
        let source = std::io::ErrorKind::StorageFull.into();
        Err(OutputError::Io { task: task.clone(), source })
    }

    async fn read(&self, task: &TaskId, _: u64, _: usize) -> Result<OutputPage, OutputError> {
        let source = std::io::ErrorKind::NotFound.into();
        Err(OutputError::Io { task: task.clone(), source })
    }

    async fn grown(&self, _task: &TaskId, _from: u64) {}

    async fn remove(&self, _task: &TaskId) -> Result<(), OutputError> {
        Ok(())
    }

    async fn untouched(&self, _: Timestamp, _: usize) -> Result<Vec<TaskId>, OutputError> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn output_that_cannot_be_kept_fails_no_task_and_is_told_once() {
    let rig = Rig::new();
    let go = Signal::new();
    go.raise();
    let store = Wrapped { store: rig.store.reopen(), output: Some(Arc::new(Broken)) };
    let engine = rig.builder_on(store).worker("work", Talker(go)).start().await.unwrap();
    let task = engine.submit(work("hello ")).await.unwrap();
    assert_eq!(end_of(&engine, &task.id).await.status, TaskStatus::Completed);
    let told = "some of the output of a task is not kept";
    assert_eq!(rig.logger.records().iter().filter(|record| record.message == told).count(), 1);
    assert!(matches!(engine.output(&task.id).unwrap().read(0, 1).await, Err(Error::Output(_))));
    let mut follow = engine.follow(&task.id).unwrap();
    assert!(matches!(soon_enough(follow.next()).await, Some(Err(Error::Output(_)))));
    assert!(soon_enough(follow.next()).await.is_none());
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_store_that_keeps_no_output_does_without() {
    let rig = Rig::new();
    let go = Signal::new();
    go.raise();
    let store = Wrapped { store: rig.store.reopen(), output: None };
    let engine = rig.builder_on(store).worker("work", Talker(go)).start().await.unwrap();
    let task = engine.submit(work("hello ")).await.unwrap();
    assert_eq!(end_of(&engine, &task.id).await.result, "done");
    assert_eq!(engine.output(&task.id).unwrap().read(0, 1).await.unwrap().chunks, []);
    assert_eq!(rest(engine.follow(&task.id).unwrap()).await, []);
    assert_eq!(engine.prune(Timestamp::from_micros(i64::MAX), 10).await.unwrap(), 1);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn pruning_removes_ended_tasks_with_all_that_they_printed() {
    let rig = Rig::new();
    let (engine, go) = talking(&rig).await;
    go.raise();
    let old = engine.submit(work("old")).await.unwrap();
    end_of(&engine, &old.id).await;
    rig.clock.advance(Duration::from_secs(60));
    let before = rig.clock.now();
    let new = engine.submit(work("new")).await.unwrap();
    end_of(&engine, &new.id).await;
    assert_eq!(engine.prune(before, 100).await.unwrap(), 1);
    assert!(matches!(engine.get(&old.id).await, Err(Error::NotFound(_))));
    assert_eq!(engine.output(&old.id).unwrap().read(0, 100).await.unwrap().chunks, []);
    assert_eq!(text(&rest(engine.follow(&new.id).unwrap()).await), "newbye");
    assert_eq!(engine.prune(before, 100).await.unwrap(), 0);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn pruning_never_removes_more_than_asked_for_nor_what_has_not_ended() {
    let rig = Rig::new();
    let (engine, go) = talking(&rig).await;
    let running = engine.submit(work("x")).await.unwrap();
    let far = Timestamp::from_micros(i64::MAX);
    assert_eq!(engine.prune(far, 100).await.unwrap(), 0);
    let mut follow = engine.follow(&running.id).unwrap();
    assert_eq!(soon_enough(follow.next()).await.unwrap().unwrap().bytes, b"x");
    go.raise();
    end_of(&engine, &running.id).await;
    for _ in 0..3 {
        end_of(&engine, engine.submit(work("y")).await.unwrap().id).await;
    }
    assert_eq!(engine.prune(far, 3).await.unwrap(), 3);
    assert_eq!(engine.prune(far, 3).await.unwrap(), 1);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn output_whose_task_is_gone_is_removed_by_the_next_pruning() {
    let rig = Rig::new();
    let (engine, go) = talking(&rig).await;
    let gone = TaskId::new("gone").unwrap();
    let output = rig.store.output().unwrap();
    let printed = Printed { attempt: 1, stream: Stream::Stdout, at: rig.clock.now(), bytes: b"x" };
    output.append(&gone, printed).await.unwrap();
    let running = engine.submit(work("here")).await.unwrap();
    let mut follow = engine.follow(&running.id).unwrap();
    soon_enough(follow.next()).await.unwrap().unwrap();
    engine.prune(rig.clock.now(), 100).await.unwrap();
    assert_eq!(output.read(&gone, 0, 100).await.unwrap().chunks, []);
    assert_eq!(output.read(&running.id, 0, 100).await.unwrap().chunks.len(), 1);
    go.raise();
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_prune_says_so_and_harms_no_other_call() {
    let rig = Rig::new();
    let store = rig.store.reopen().without(loom_core::Capability::Prune);
    let engine = rig.builder_on(store).start().await.unwrap();
    let refused = engine.prune(rig.clock.now(), 1).await;
    assert!(matches!(refused, Err(Error::Store(_))), "{refused:?}");
    engine.submit(work("x")).await.unwrap();
    engine.close().await.unwrap();
}
