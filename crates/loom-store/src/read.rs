//! Questions.

use loom_core::{
    Attempt, Cursor, Held, InstanceId, Order, Page, StatusCounts, StoreError, Task, TaskId,
    TaskQuery, TaskStatus, Unreadable, limits,
};
use loom_deps::Timestamp;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::error::Fault;
use crate::hand::Hand;
use crate::open::Open;
use crate::row::{self, Extent, Fields};
use crate::sql::{self, Text};

type Found = Result<Task, Unreadable>;

pub(crate) async fn get(open: &Open, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
    let ids = ids.to_vec();
    let read = move |hand: Hand<'_>| {
        hand.at_once(|| ids.iter().filter_map(|id| one(hand, id).transpose()).collect())
    };
    let found: Vec<Found> = open.ask(read).await?;
    found.into_iter().map(|found| found.map_err(unreadable)).collect()
}

fn one(hand: Hand<'_>, id: &TaskId) -> Result<Option<Found>, Fault> {
    hand.first(sql::GET, [id.as_str()], |row| Ok(row::task(row, Extent::Whole)))
}

fn unreadable(unreadable: Unreadable) -> StoreError {
    StoreError::Unreadable { task: unreadable.task, why: unreadable.why }
}

pub(crate) async fn list(open: &Open, query: &TaskQuery) -> Result<Page, StoreError> {
    page(open, query, list_text(query), Extent::Summary, |task| task.summary()).await
}

pub(crate) async fn left_by(
    open: &Open,
    instance: &InstanceId,
    after: Option<Cursor>,
) -> Result<Page<Task>, StoreError> {
    let query = TaskQuery::left_by(instance.clone()).after(after);
    page(open, &query, sql::LEFT_BY, Extent::Whole, |task| task).await
}

async fn page<T: Send + 'static>(
    open: &Open,
    query: &TaskQuery,
    text: Text,
    extent: Extent,
    shown: fn(Task) -> T,
) -> Result<Page<T>, StoreError> {
    let limit = query.limit.clamp(1, limits::PAGE_MAX);
    // One more than fits tells whether there is another page.
    let values = filters(query, limit + 1, query.after);
    let read = move |hand: Hand<'_>| {
        hand.each(text, params_from_iter(values), |row| Ok(row::task(row, extent)))
    };
    let found: Vec<Found> = open.ask(read).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    let mut page = Page::default();
    let mut last = None;
    for task in found.into_iter().take(limit) {
        match task {
            Ok(task) => {
                last = Some(task.seq);
                page.tasks.push(shown(task));
            }
            Err(unreadable) => {
                last = Some(unreadable.seq);
                page.unreadable.push(unreadable);
            }
        }
    }
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
    let query = query.clone();
    let read = move |hand: Hand<'_>| match count_text(&query) {
        Some(text) => counts(hand, text, filters(&query, 0, None)),
        None => counts(hand, sql::COUNT_KEPT, kept(&query)),
    };
    open.ask(read).await
}

/// What counts the tasks one by one; `None` if commits keep the counts that a query asks for.
fn count_text(query: &TaskQuery) -> Option<Text> {
    match (&query.instance, has_project(query)) {
        _ if is_kept(query) => None,
        (Some(_), _) => Some(sql::COUNT_INSTANCE),
        (None, true) => Some(sql::COUNT_PROJECT),
        (None, false) => Some(sql::COUNT_ALL),
    }
}

fn counts(
    hand: Hand<'_>,
    text: Text,
    values: impl IntoIterator<Item = Value>,
) -> Result<StatusCounts, Fault> {
    let mut counts = StatusCounts::default();
    hand.each(text, params_from_iter(values), |row| {
        let mut fields = Fields::of(row);
        let (status, count): (&str, i64) = (fields.take()?, fields.take()?);
        // A status that no program of this version writes belongs to no count.
        if let Ok(status) = status.parse() {
            counts.add(status, count.try_into().unwrap_or(0));
        }
        Ok(())
    })?;
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

/// The arguments of `read/kept.sql`.
fn kept(query: &TaskQuery) -> [Value; 2] {
    [query.engine_name.clone().into(), statuses(query).into()]
}

/// The arguments of `parts/filters.sql` and of what goes with it. What only some texts want comes
/// first: each wants the last one, and therefore as many as there are.
fn filters(query: &TaskQuery, limit: u32, after: Option<Cursor>) -> [Value; 8] {
    let (first, last) = bounds(query, after);
    [
        limit.into(),
        query.instance.as_ref().map(|instance| instance.as_str().to_owned()).into(),
        first.into(),
        last.into(),
        query.engine_name.clone().into(),
        query.project_id.clone().into(),
        query.worker_type.as_ref().map(|name| name.as_str().to_owned()).into(),
        statuses(query).into(),
    ]
}

/// The statuses asked for, as JSON; `None` if they do not matter.
fn statuses(query: &TaskQuery) -> Option<String> {
    let names: Vec<&str> = query.statuses.iter().copied().map(TaskStatus::as_str).collect();
    (!names.is_empty()).then(|| serde_json::to_string(&names).ok()).flatten()
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

pub(crate) async fn holds(open: &Open) -> Result<Vec<Held>, StoreError> {
    open.ask(|hand: Hand<'_>| hand.holds(Timestamp::from_micros(i64::MIN))).await
}

/// Task and earlier attempts are read from one state of the database: between two, an attempt
/// would be in both or in neither.
pub(crate) async fn attempts(open: &Open, id: &TaskId) -> Result<Vec<Attempt>, StoreError> {
    let wanted = id.clone();
    let read = move |hand: Hand<'_>| {
        hand.at_once(|| match one(hand, &wanted)? {
            Some(Ok(task)) => {
                let kept = hand.each(sql::ATTEMPTS, [task.seq], |row| Ok(row::attempt(row)))?;
                Ok(Some(Ok((task, kept))))
            }
            Some(Err(unreadable)) => Ok(Some(Err(unreadable))),
            None => Ok(None),
        })
    };
    let Some(found) = open.ask(read).await? else { return Ok(Vec::new()) };
    let (task, kept) = found.map_err(unreadable)?;
    let kept: Result<Vec<Attempt>, String> = kept.into_iter().collect();
    let kept = kept.map_err(|why| StoreError::Unreadable { task: id.clone(), why })?;
    Ok(Attempt::history(kept, &task))
}
