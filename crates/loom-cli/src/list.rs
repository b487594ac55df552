//! `loom list`: a table of tasks.

use std::process::ExitCode;

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use loom::limits::PAGE_MAX;
use loom::{Clock, Page, SystemClock, TaskQuery, TaskStatus, TaskStore, TaskSummary, Timestamp};

use crate::args::ListArgs;
use crate::database::Database;
use crate::failure::Failure;
use crate::say;

pub(crate) async fn list(database: Database, args: ListArgs) -> Result<ExitCode, Failure> {
    let filtered = !args.status.is_empty() || args.project.is_some();
    let mut query = TaskQuery::all().statuses(args.status).limit(args.limit);
    query.project_id = args.project;
    let page = match database.readable() {
        Some(store) => {
            store.prepare().await?;
            store.list(&query).await?
        }
        None => Page::default(),
    };
    if args.json {
        say::data(&json(&page));
    } else if page.tasks.is_empty() && page.unreadable.is_empty() {
        say::line(match filtered {
            true => "no such tasks; `loom list` shows all",
            false => "no tasks; `loom run -- COMMAND` makes one",
        });
    } else {
        say::data(&format!("{}\n", table(&page, SystemClock::new().now()).trim_fmt()));
    }
    for task in &page.unreadable {
        say::note("unreadable", &format!("task {} ({}): {}", task.seq, task.task, task.why));
    }
    if page.next.is_some() && !args.json {
        say::line(&older(args.limit));
    }
    Ok(ExitCode::SUCCESS)
}

/// Says that there are more tasks than were asked for, and how to see them.
fn older(limit: u32) -> String {
    if limit >= PAGE_MAX {
        return "… and older ones; see some of them with --status or --project".to_owned();
    }
    let more = (limit * 2).min(PAGE_MAX);
    format!("… and older ones; see up to {more} with -n {more}")
}

fn json(page: &Page) -> String {
    let unreadable: Vec<_> = page.unreadable.iter().map(|task| task.task.as_str()).collect();
    let document = serde_json::json!({
        "schema": 1,
        "tasks": page.tasks,
        "unreadable": unreadable,
        "more": page.next.is_some(),
    });
    format!("{document}\n")
}

fn table(page: &Page, now: Timestamp) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["TASK", "STATUS", "COMMAND", "PROJECT", "SUBMITTED", "TOOK", "DETAIL"]);
    for task in &page.tasks {
        table.add_row([
            Cell::new(task.seq),
            Cell::new(task.status).fg(colour(task.status)),
            Cell::new(task.cli.as_deref().unwrap_or(task.worker_type.as_str())),
            Cell::new(say::foreign(&task.project_id)),
            Cell::new(say::ago(task.created_at, now)),
            Cell::new(took(task, now)),
            Cell::new(detail(task)),
        ]);
    }
    table
}

const fn colour(status: TaskStatus) -> Color {
    match status {
        TaskStatus::Completed => Color::Green,
        TaskStatus::Failed | TaskStatus::FailedCrash => Color::Red,
        TaskStatus::Cancelled => Color::Yellow,
        TaskStatus::Running | TaskStatus::Dispatched => Color::Cyan,
        _ => Color::DarkGrey,
    }
}

/// How long a task has been at work, or was.
pub(crate) fn took(task: &TaskSummary, now: Timestamp) -> String {
    let end = task.completed_at.unwrap_or(now);
    let began = task.dispatched_at;
    began.map(|began| say::duration(end.since(began))).unwrap_or_default()
}

/// The longest detail: `loom show` has all of it.
const DETAIL_BYTES_MAX: usize = 100;

/// The one thing most worth knowing beside the status.
fn detail(task: &TaskSummary) -> String {
    let first_line = |text: &str| {
        let line = text.lines().next().unwrap_or_default();
        say::foreign(loom::first_bytes(line, DETAIL_BYTES_MAX))
    };
    match task.status {
        TaskStatus::Failed | TaskStatus::FailedCrash => {
            first_line(task.error.as_deref().unwrap_or_default())
        }
        TaskStatus::Running if task.cancel_requested_at.is_some() => "being cancelled".to_owned(),
        TaskStatus::Running => say::foreign(&task.progress.line),
        TaskStatus::Retrying => {
            let due = task.run_at.map(|due| due.to_string()).unwrap_or_default();
            format!("after attempt {}, next at {due}", task.attempt)
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_tasks_are_offered_than_can_be_asked_for() {
        for (limit, offered) in [(20, "-n 40"), (600, "-n 1000"), (999, "-n 1000")] {
            assert!(older(limit).ends_with(offered), "{limit}");
        }
        assert!(!older(PAGE_MAX).contains("-n") && older(PAGE_MAX).contains("--status"));
    }
}
