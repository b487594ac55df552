//! `loom show`: all about one task.

use std::fmt::Write;
use std::process::ExitCode;

use loom::{
    Attempt, Clock, SystemClock, Task, TaskId, TaskQuery, TaskStatus, TaskStore, Timestamp,
};

use crate::args::ShowArgs;
use crate::database::Database;
use crate::failure::Failure;
use crate::{list, say};

pub(crate) async fn show(database: Database, args: ShowArgs) -> Result<ExitCode, Failure> {
    let store = database.readable().ok_or_else(|| Failure::no_task(&args.task))?;
    store.prepare().await?;
    let task = find(&store, &args.task).await?;
    let attempts = store.attempts(&task.id).await?;
    if args.json {
        let document = serde_json::json!({ "schema": 1, "task": task, "attempts": attempts });
        say::data(&format!("{document}\n"));
    } else {
        say::data(&describe(&task, &attempts, SystemClock::new().now()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The task of a number or an id.
pub(crate) async fn find(store: &impl TaskStore, name: &str) -> Result<Task, Failure> {
    let unknown = || Failure::no_task(name);
    let id = match name.parse::<i64>() {
        Ok(seq) => {
            let page = store.list(&TaskQuery::all().seq(seq)).await?;
            let unreadable = page.unreadable.into_iter().map(|task| task.task);
            let listed = page.tasks.into_iter().map(|task| task.id);
            listed.chain(unreadable).next().ok_or_else(unknown)?
        }
        Err(_) => TaskId::new(name).map_err(|_| unknown())?,
    };
    store.get(&[id]).await?.pop().ok_or_else(unknown)
}

fn describe(task: &Task, attempts: &[Attempt], now: Timestamp) -> String {
    let mut page = Description::default();
    let _ = writeln!(page.0, "task {}  {}", task.seq, say::status(task.status));
    page.field("id", task.id.as_str());
    page.field("command", &say::foreign(&task.prompt));
    page.field("directory", &say::foreign(task.cwd.as_deref().unwrap_or_default()));
    page.field("project", &say::foreign(&task.project_id));
    page.field("engine", &task.engine_name);
    page.field("submitted", &moment(task.created_at, now));
    page.moment("due", task.run_at, now);
    page.moment("started", task.started_at, now);
    page.moment("ended", task.completed_at, now);
    page.field("took", &list::took(&task.summary(), now));
    page.field("waits", why_it_waits(task));
    page.field("progress", &say::foreign(&task.progress.line));
    page.field("exit code", &number(task, "exit_code"));
    page.field("signal", &number(task, "signal"));
    if let (Some(code), Some(error)) = (task.failure, &task.error) {
        page.field("error", &format!("{} [{code}]", say::foreign(error)));
    }
    if attempts.len() > 1 {
        page.attempts(attempts);
    }
    page.output("result", &task.result);
    if let Some(stderr) = task.metadata.get("stderr").and_then(|text| text.as_str()) {
        page.output("stderr", stderr);
    }
    page.0
}

fn number(task: &Task, name: &str) -> String {
    task.metadata
        .get(name)
        .filter(|value| value.is_number())
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn moment(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        format!("{at}  in {}", say::duration(at.since(now)))
    } else {
        format!("{at}  {}", say::ago(at, now))
    }
}

const fn why_it_waits(task: &Task) -> &'static str {
    match (task.status, &task.pinned_to) {
        (TaskStatus::Pending | TaskStatus::Retrying, Some(_)) => {
            "for the process that submitted it; if that has died, the next start ends it"
        }
        (TaskStatus::Pending | TaskStatus::Retrying, None) => {
            "for its time, a free slot, and an engine with a worker for its type"
        }
        _ => "",
    }
}

/// A page of labelled lines; what is empty is left out.
#[derive(Default)]
struct Description(String);

impl Description {
    fn field(&mut self, label: &str, text: &str) {
        if !text.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(self.0, "  {label:<10} {}", text.replace('\n', "\n             "));
        }
    }

    fn moment(&mut self, label: &str, at: Option<Timestamp>, now: Timestamp) {
        if let Some(at) = at {
            self.field(label, &moment(at, now));
        }
    }

    fn attempts(&mut self, attempts: &[Attempt]) {
        for attempt in attempts {
            let took = attempt.ended_at.map(|end| say::duration(end.since(attempt.started_at)));
            let error = attempt.error.as_deref().unwrap_or_default();
            let label = format!("attempt {}", attempt.number);
            let took = took.unwrap_or_default();
            let error = say::foreign(error);
            self.field(&label, format!("{}  {took}  {error}", attempt.status).trim_end());
        }
    }

    fn output(&mut self, label: &str, text: &str) {
        if !text.is_empty() {
            let _ = writeln!(self.0, "\n{label}:\n{}", say::foreign(text).trim_end_matches('\n'));
        }
    }
}
