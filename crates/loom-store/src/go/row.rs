//! From a row of the Go library to a task.

use std::collections::BTreeMap;
use std::time::Duration;

use loom_core::{
    Ended, FailureCode, Imported, Metadata, NewTask, Progress, TaskId, TaskRequest, TaskStatus,
    WorkerType, first_bytes,
};
use loom_deps::Timestamp;

use super::GoUnreadable;
use super::cells::{Cells, Why};

/// The columns that have a field of their own. All others are kept by their names.
const KNOWN: [&str; 25] = [
    "id",
    "status",
    "worker_type",
    "project_id",
    "request_id",
    "engine_name",
    "prompt",
    "cwd",
    "env",
    "cli",
    "role",
    "model",
    "effort",
    "timeout",
    "metadata",
    "result",
    "error",
    "retries",
    "created_at",
    "dispatched_at",
    "completed_at",
    "daemon_uuid",
    "last_output_line",
    "progress_lines",
    "progress_updated_at",
];

/// How much of an id that is none is shown.
const SHOWN_BYTES_MAX: usize = 100;

/// The task that row `number` holds. One without the name of an engine gets `unnamed`.
pub(super) fn task(
    number: i64,
    mut cells: Cells,
    unnamed: &str,
    now: Timestamp,
) -> Result<Imported, GoUnreadable> {
    let decoded = decode(&mut cells, unnamed, now);
    match decoded {
        Ok(task) => Ok(task.origin(cells.into_kept(&KNOWN))),
        Err(why) => {
            let id = cells.secret("id").unwrap_or_else(|| format!("row {number}"));
            Err(GoUnreadable { id: first_bytes(&id, SHOWN_BYTES_MAX).to_owned(), why })
        }
    }
}

fn decode(cells: &mut Cells, unnamed: &str, now: Timestamp) -> Result<Imported, Why> {
    let id = TaskId::new(cells.word("id")?).map_err(|_| {
        "its id is none that loom can keep: 1 to 64 bytes without control characters".to_owned()
    })?;
    let status = cells.word("status")?.parse().map_err(|_| "its status is unknown".to_owned())?;
    let dispatched_at = cells.moment("dispatched_at")?;
    let retries = cells.number("retries")?;
    let attempt = attempts(status, dispatched_at.is_some(), retries);
    let progress = progress(cells)?;
    let new = new_task(id, cells, unnamed)?;
    let task = standing(status, new, cells, now)?;
    Ok(task.counted(attempt, retries).dispatched_at(dispatched_at).progress(progress))
}

fn new_task(id: TaskId, cells: &mut Cells, unnamed: &str) -> Result<NewTask, Why> {
    let worker_type = WorkerType::from(cells.word("worker_type")?);
    worker_type.check().map_err(|_| "its worker_type is none that loom can keep".to_owned())?;
    let mut request = TaskRequest::new(worker_type, cells.text("prompt"));
    request.project_id = cells.text("project_id");
    request.request_id = cells.maybe_text("request_id");
    request.cwd = cells.maybe_text("cwd");
    request.env = cells.object::<BTreeMap<String, String>>("env")?.into_iter().collect();
    request.cli = cells.maybe_text("cli");
    request.role = cells.maybe_text("role");
    request.model = cells.maybe_text("model");
    request.effort = cells.maybe_text("effort");
    request.timeout = timeout(cells)?;
    request.metadata = cells.object::<Metadata>("metadata")?;
    Ok(NewTask {
        id,
        engine_name: cells.maybe_text("engine_name").unwrap_or_else(|| unnamed.to_owned()),
        request,
        created_at: cells.moment("created_at")?.ok_or("it has no created_at")?,
        pinned_to: None,
        daemon_id: cells.maybe_text("daemon_uuid"),
    })
}

/// Whole seconds; none if it is 0, or less, as Go has it.
fn timeout(cells: &mut Cells) -> Result<Option<Duration>, Why> {
    let seconds: i64 = cells.number("timeout")?;
    if seconds < 0 {
        cells.keep("timeout");
    }
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

/// Go does not count attempts. Each retry follows one, and what was dispatched and did not come
/// back for a retry is another.
const fn attempts(status: TaskStatus, was_dispatched: bool, retries: u32) -> u32 {
    match status {
        TaskStatus::Pending | TaskStatus::Dispatched => retries,
        // Go counts a retry after it has changed the status.
        TaskStatus::Retrying if retries == 0 => 1,
        TaskStatus::Retrying => retries,
        _ if was_dispatched => retries.saturating_add(1),
        _ => retries,
    }
}

fn progress(cells: &mut Cells) -> Result<Progress, Why> {
    let mut progress = Progress::default();
    progress.line = cells.text("last_output_line");
    progress.lines = cells.number("progress_lines")?;
    progress.at = cells.moment("progress_updated_at")?;
    Ok(progress)
}

/// The task with its status. Nobody has in hand what was in hand over there.
fn standing(
    status: TaskStatus,
    new: NewTask,
    cells: &mut Cells,
    now: Timestamp,
) -> Result<Imported, Why> {
    let mut ended =
        Ended { result: cells.text("result"), error: cells.secret("error"), ..Ended::default() };
    let completed_at = cells.moment("completed_at")?;
    if status.is_waiting() && completed_at.is_some()
        || status.is_terminal() && completed_at.is_none()
    {
        cells.keep("completed_at");
    }
    if status.is_owned() {
        cells.keep("status");
        ended.failure = Some(FailureCode::Crashed);
        ended.error.get_or_insert_with(|| {
            format!(
                "the task was {status} when it was imported, and nobody has it in hand any more"
            )
        });
    }
    let at = completed_at.unwrap_or(now);
    Ok(match status {
        TaskStatus::Pending => Imported::pending(new).left(ended),
        TaskStatus::Retrying => Imported::retrying(new, now).left(ended),
        TaskStatus::Completed => Imported::completed(new, at, ended),
        TaskStatus::Failed => Imported::failed(new, at, ended),
        TaskStatus::Cancelled => Imported::cancelled(new, at, ended),
        TaskStatus::FailedCrash | TaskStatus::Dispatched | TaskStatus::Running => {
            Imported::crashed(new, at, ended)
        }
        // A status that is added later is none that the Go library writes.
        _ => return Err("its status is unknown".to_owned()),
    })
}
