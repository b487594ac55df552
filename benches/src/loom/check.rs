//! The short form: nothing is timed, but every task must have run once and its story be in order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kit::{Asked, Result, load, report};
use loom::{Engine, EventType, Order, Task, TaskId, TaskQuery};

use crate::echo::{self, ECHO, Ends};
use crate::store;

const STORY: [EventType; 4] =
    [EventType::Created, EventType::Dispatched, EventType::Running, EventType::Completed];

type Stories = Arc<Mutex<HashMap<TaskId, Vec<EventType>>>>;

pub async fn run(asked: &Asked) -> Result {
    let (submitters, count) = (asked.value("submitters")?, asked.value("count")?);
    let ends = Ends::new(count);
    let engine = store::engine(asked)?.worker(ECHO, echo::worker(&ends)).start().await?;
    let stories = Stories::default();
    let telling = Arc::clone(&stories);
    let subscription = engine.events().subscribe(move |event| {
        let mut stories = telling.lock().unwrap_or_else(PoisonError::into_inner);
        stories.entry(event.task_id.clone()).or_default().push(event.kind);
    });
    let submitted_to = engine.clone();
    load::submit_all(submitters, count, move || echo::submit(submitted_to.clone())).await?;
    let tasks = engine.wait_all(ids(&engine).await?).await?;
    // Callbacks are told of everything before the engine has closed.
    engine.close().await?;
    drop(subscription);
    same("tasks", tasks.len(), count)?;
    same("executions", ends.tally.done(), count)?;
    let stories = stories.lock().unwrap_or_else(PoisonError::into_inner);
    same("stories", stories.len(), count)?;
    for task in &tasks {
        check(task, stories.get(&task.id))?;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    report::value("completed", tasks.len() as f64);
    Ok(())
}

/// All tasks, from the first that was submitted.
async fn ids(engine: &Engine) -> Result<Vec<TaskId>> {
    let mut query = TaskQuery::all().order(Order::OldestFirst).limit(1000);
    let mut ids = Vec::new();
    loop {
        let page = engine.list(query.clone()).await?;
        ids.extend(page.tasks.into_iter().map(|task| task.id));
        if page.next.is_none() {
            return Ok(ids);
        }
        query = query.after(page.next);
    }
}

fn same(what: &str, found: usize, wanted: usize) -> Result {
    if found == wanted { Ok(()) } else { Err(format!("{found} {what}, not {wanted}").into()) }
}

fn check(task: &Task, story: Option<&Vec<EventType>>) -> Result {
    let moments = [Some(task.created_at), task.dispatched_at, task.started_at, task.completed_at];
    let in_order = moments.iter().all(Option::is_some) && moments.is_sorted();
    let told = story.is_some_and(|story| *story == STORY);
    if in_order && told && task.attempt == 1 && task.result == task.prompt {
        return Ok(());
    }
    Err(format!("task {} went wrong: {story:?}, {task:?}", task.seq).into())
}
