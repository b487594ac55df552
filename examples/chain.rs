//! A pipeline: each step is a task, and its result is the prompt of the next. It ends with the
//! first step that fails; run again, it goes on from there, for the steps before are still known.
//!
//! Prints:
//! ```text
//! task 1, draft completed: loom keeps tasks safe
//! task 2, review failed: the reviewer is at lunch
//! -- after lunch
//! task 1, draft completed: loom keeps tasks safe
//! task 3, review completed: Loom keeps tasks safe.
//! task 4, publish completed: <p>Loom keeps tasks safe.</p>
//! ```

use loom::{Engine, Task, TaskId, TaskQuery, TaskRequest, TaskStatus, WorkerError, worker_fn};

const STEPS: [&str; 3] = ["draft", "review", "publish"];

/// Takes `text` through all steps. They find each other again by the project, `name`, also if the
/// program ended at any point.
async fn run_chain(engine: &Engine, name: &str, text: &str) -> loom::Result<()> {
    let mut text = text.to_owned();
    for step in STEPS {
        let id = match submitted_before(engine, name, step).await? {
            Some(id) => id,
            None => engine.submit(TaskRequest::new(step, text).project(name)).await?.id,
        };
        let task = engine.wait(id).await?;
        let said = task.error.as_ref().unwrap_or(&task.result);
        println!("task {}, {step} {}: {said}", task.seq, task.status);
        if task.status != TaskStatus::Completed {
            break;
        }
        text = task.result;
    }
    Ok(())
}

/// The task of this step that has not failed.
async fn submitted_before(engine: &Engine, name: &str, step: &str) -> loom::Result<Option<TaskId>> {
    let has_hope = |status: &TaskStatus| status.is_active() || *status == TaskStatus::Completed;
    let statuses = TaskStatus::ALL.into_iter().filter(has_hope);
    let query = TaskQuery::all().project(name).worker_type(step).statuses(statuses).limit(1);
    let page = engine.list(query).await?;
    Ok(page.tasks.into_iter().next().map(|task| task.id))
}

#[tokio::main]
async fn main() -> loom::Result<()> {
    let draft = worker_fn(async |_, task: Task| Ok(format!("{} keeps tasks safe", task.prompt)));
    let nobody = worker_fn(async |_, _: Task| -> Result<String, WorkerError> {
        Err(WorkerError::permanent("the reviewer is at lunch"))
    });
    let review = worker_fn(async |_, task: Task| Ok(task.prompt.replacen('l', "L", 1) + "."));
    let publish = worker_fn(async |_, task: Task| Ok(format!("<p>{}</p>", task.prompt)));

    let engine = loom::open("tasks.db").await?;
    engine.register("draft", draft)?;
    engine.register("review", nobody)?;
    engine.register("publish", publish)?;
    run_chain(&engine, "article-1", "loom").await?;

    println!("-- after lunch");
    engine.replace("review", review)?;
    run_chain(&engine, "article-1", "loom").await?;
    engine.close().await
}
