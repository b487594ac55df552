//! Questions.

use loom_core::{
    Attempt, Cursor, Order, Page, StatusCounts, StoreError, Task, TaskId, TaskQuery, TaskStatus,
    Unreadable, WorkerType, limits,
};
use sqlx::Connection;

use crate::connection::{Args, run_one};
use crate::open::Open;
use crate::row::{self, Extent, Fields};
use crate::sql::{self, Text};

pub(crate) async fn get(open: &Open, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
    let part = open.read(sql::GET, Args::default().with(json(ids))).await?;
    let tasks = part.rows.iter().map(|row| row::task(row, Extent::Whole).map_err(unreadable));
    tasks.collect()
}

fn json(ids: &[TaskId]) -> String {
    // Texts without control characters are always JSON.
    serde_json::to_string(ids).unwrap_or_default()
}

fn unreadable(unreadable: Unreadable) -> StoreError {
    StoreError::Unreadable { task: unreadable.task, why: unreadable.why }
}

pub(crate) async fn list(open: &Open, query: &TaskQuery) -> Result<Page, StoreError> {
    let limit = query.limit.clamp(1, limits::PAGE_MAX);
    // One more than fits tells whether there is another page.
    let args = filters(query, query.after).with(limit + 1);
    let part = open.read(list_text(query), args).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut page = Page::default();
    let mut last = None;
    for row in part.rows.iter().take(limit) {
        match row::task(row, Extent::Summary) {
            Ok(task) => {
                last = Some(task.seq);
                page.tasks.push(task.summary());
            }
            Err(unreadable) => {
                last = Some(unreadable.seq);
                page.unreadable.push(unreadable);
            }
        }
    }
    let more = part.rows.len() > limit;
    page.next = last.filter(|_| more).map(|seq| Cursor { seq });
    Ok(page)
}

fn list_text(query: &TaskQuery) -> Text {
    let [oldest_first, newest_first] = match (&query.instance, has_project(query)) {
        (Some(_), _) => sql::LIST_INSTANCE,
        (None, true) => sql::LIST_PROJECT,
        (None, false) => sql::LIST_ALL,
    };
    match query.order {
        Order::OldestFirst => oldest_first,
        _ => newest_first,
    }
}

pub(crate) async fn count(open: &Open, query: &TaskQuery) -> Result<StatusCounts, StoreError> {
    let part = match (&query.instance, has_project(query)) {
        _ if is_kept(query) => open.read(sql::COUNT_KEPT, kept(query)).await?,
        (Some(_), _) => open.read(sql::COUNT_INSTANCE, filters(query, None)).await?,
        (None, true) => open.read(sql::COUNT_PROJECT, filters(query, None)).await?,
        (None, false) => open.read(sql::COUNT_ALL, filters(query, None)).await?,
    };
    let mut counts = StatusCounts::default();
    for row in &part.rows {
        let mut fields = Fields::of(row);
        let status: &str = fields.take().map_err(|error| open.error(error))?;
        let count: i64 = fields.take().map_err(|error| open.error(error))?;
        // A status that no program of this version writes belongs to no count.
        if let Ok(status) = status.parse() {
            counts.add(status, count.try_into().unwrap_or(0));
        }
    }
    Ok(counts)
}

/// Whether a query asks for a project that the index of projects knows: tasks without one are not in
/// it.
fn has_project(query: &TaskQuery) -> bool {
    query.project_id.as_ref().is_some_and(|project| !project.is_empty())
}

/// Whether commits keep the counts that a query asks for.
const fn is_kept(query: &TaskQuery) -> bool {
    query.project_id.is_none()
        && query.worker_type.is_none()
        && query.instance.is_none()
        && query.seq.is_none()
}

fn kept(query: &TaskQuery) -> Args {
    Args::default().with(query.engine_name.clone()).with(statuses(query))
}

/// The statuses asked for, as JSON; `None` if they do not matter.
fn statuses(query: &TaskQuery) -> Option<String> {
    let names: Vec<&str> = query.statuses.iter().copied().map(TaskStatus::as_str).collect();
    (!names.is_empty()).then(|| serde_json::to_string(&names).ok()).flatten()
}

/// The arguments $1 to $7 of `parts/filters.sql` and of what it filters.
fn filters(query: &TaskQuery, after: Option<Cursor>) -> Args {
    let (first, last) = bounds(query, after);
    Args::default()
        .with(first)
        .with(last)
        .with(query.engine_name.clone())
        .with(query.project_id.clone())
        .with(query.worker_type.as_ref().map(WorkerType::as_str))
        .with(statuses(query))
        .with(query.instance.as_ref().map(loom_core::InstanceId::as_str))
}

/// The first and the last number that a page may hold.
fn bounds(query: &TaskQuery, after: Option<Cursor>) -> (i64, i64) {
    let (mut first, mut last) = (i64::MIN, i64::MAX);
    match (after, query.order) {
        (None, _) => {}
        (Some(cursor), Order::OldestFirst) => first = cursor.seq.saturating_add(1),
        (Some(cursor), _) => last = cursor.seq.saturating_sub(1),
    }
    match query.seq {
        Some(seq) => (first.max(seq), last.min(seq)),
        None => (first, last),
    }
}

/// Task and earlier attempts are read from one state of the database: between two, an attempt
/// would be in both or in neither.
pub(crate) async fn attempts(open: &Open, id: &TaskId) -> Result<Vec<Attempt>, StoreError> {
    let mut reader = open.reader().await?;
    let connection = reader.connection()?;
    let mut transaction = connection.begin().await.map_err(|error| open.error(error))?;
    let wanted = Args::default().with(json(std::slice::from_ref(id)));
    let found = run_one(&mut transaction, sql::GET, wanted).await;
    let found = found.map_err(|error| open.error(error))?;
    let Some(row) = found.rows.first() else { return Ok(Vec::new()) };
    let task = row::task(row, Extent::Whole).map_err(unreadable)?;
    let kept = run_one(&mut transaction, sql::ATTEMPTS, Args::default().with(task.seq)).await;
    let kept = kept.map_err(|error| open.error(error))?;
    let kept: Result<Vec<Attempt>, String> = kept.rows.iter().map(row::attempt).collect();
    let kept = kept.map_err(|why| StoreError::Unreadable { task: id.clone(), why })?;
    Ok(Attempt::history(kept, &task))
}
