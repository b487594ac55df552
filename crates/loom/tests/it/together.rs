//! The parts put together by the facade.

use loom::{StreamingBase, Task, TaskRequest, TaskStatus, worker_fn};
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
