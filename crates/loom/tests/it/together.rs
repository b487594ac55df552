//! The parts put together by the facade.

use std::time::Duration;

use loom::{
    EventType, Held, StreamingBase, Task, TaskRequest, TaskStatus, WorkerError, WorkerOptions,
    worker_fn,
};
use tempfile::TempDir;

#[tokio::test]
async fn an_engine_opened_on_a_path_runs_tasks_and_finds_them_again() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("tasks.db");
    let engine = loom::open(&path).await.unwrap();
    let greet = worker_fn(async |_, task: Task| Ok(format!("hello {}", task.prompt)));
    engine.register("greet", greet).unwrap();
    let submitted = engine.submit(TaskRequest::new("greet", "world")).await.unwrap();
    assert_eq!(engine.wait(&submitted.id).await.unwrap().result, "hello world");
    engine.close().await.unwrap();
    let again = loom::open(&path).await.unwrap();
    let task = again.get(&submitted.id).await.unwrap();
    assert_eq!((task.status, task.seq), (TaskStatus::Completed, submitted.seq));
    again.close().await.unwrap();
}

#[tokio::test]
async fn an_account_stays_held_after_a_restart() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("tasks.db");
    let ours = || WorkerOptions::new().account("ours");
    let engine = loom::open(&path).await.unwrap();
    let limited = worker_fn(async |_, _| {
        let hour = Duration::from_secs(3600);
        Err::<String, _>(WorkerError::retry_after(hour, "limit reached"))
    });
    engine.register_with("ask", limited, ours()).unwrap();
    let mut stream = engine.events().stream();
    let first = engine.submit(TaskRequest::new("ask", "first")).await.unwrap();
    while stream.next().await.unwrap().unwrap().kind != EventType::Retrying {}
    let resets = engine.get(&first.id).await.unwrap().run_at.unwrap();
    engine.close().await.unwrap();

    let engine = loom::open(&path).await.unwrap();
    engine.register_with("ask", worker_fn(async |_, _| Ok("done")), ours()).unwrap();
    let held = Held { account: "ours".into(), until: resets };
    assert_eq!(engine.holds().await.unwrap(), [held]);
    let waiting = engine.submit(TaskRequest::new("ask", "second")).await.unwrap();
    let task = engine.get(&waiting.id).await.unwrap();
    assert_eq!((task.status, task.attempt), (TaskStatus::Pending, 0));
    engine.release("ours").await.unwrap();
    assert_eq!(engine.wait(&waiting.id).await.unwrap().result, "done");
    assert_eq!(engine.get(&first.id).await.unwrap().status, TaskStatus::Retrying);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn lines_of_a_worker_become_the_progress_of_its_task() {
    let home = TempDir::new().unwrap();
    let engine = loom::open(home.path().join("tasks.db")).await.unwrap();
    let talk = worker_fn(async |_, _| Ok("one\ntwo\nthree"));
    engine.register("talk", StreamingBase::new(talk)).unwrap();
    let submitted = engine.submit(TaskRequest::new("talk", "on")).await.unwrap();
    let task = engine.wait(&submitted.id).await.unwrap();
    assert_eq!((task.progress.line.as_str(), task.progress.lines), ("three", 3));
    assert_eq!(task.result, "one\ntwo\nthree");
    engine.close().await.unwrap();
}
