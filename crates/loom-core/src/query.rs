//! Questions about many tasks.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::ids::{InstanceId, WorkerType};
use crate::limits;
use crate::op::Unreadable;
use crate::status::TaskStatus;
use crate::task::TaskSummary;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// The task submitted last comes first.
    #[default]
    NewestFirst,
    /// The task submitted first comes first.
    OldestFirst,
}

/// Where a page ended and the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The number of the last task of the page before.
    pub seq: i64,
}

/// Which tasks: all conditions must hold, one that is not set always does.
///
/// ```
/// use loom_core::{TaskQuery, TaskStatus};
///
/// let query = TaskQuery::all().project("website").statuses([TaskStatus::Failed]).limit(20);
/// # assert_eq!(query.limit, 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskQuery {
    /// Only of this engine.
    pub engine_name: Option<String>,
    /// Only of this project.
    pub project_id: Option<String>,
    /// Only of these statuses; empty: of any.
    pub statuses: Vec<TaskStatus>,
    /// Only of this worker type.
    pub worker_type: Option<WorkerType>,
    /// Only what this instance has in hand or what is pinned to it.
    pub instance: Option<InstanceId>,
    /// Only the task of this number.
    pub seq: Option<i64>,
    /// In which order.
    pub order: Order,
    /// At most so many, from 1 to 1,000. Default 100. Counts ignore it.
    pub limit: u32,
    /// Only what comes after this. Counts ignore it.
    pub after: Option<Cursor>,
}

impl TaskQuery {
    /// All tasks of all engines.
    #[must_use]
    pub fn all() -> Self {
        Self {
            engine_name: None,
            project_id: None,
            statuses: Vec::new(),
            worker_type: None,
            instance: None,
            seq: None,
            order: Order::default(),
            limit: limits::PAGE_DEFAULT,
            after: None,
        }
    }

    /// What an instance that is no more has left behind and that has not ended: what it had in hand
    /// and what is pinned to it, the oldest first, in the largest pages.
    #[must_use]
    pub fn left_by(instance: InstanceId) -> Self {
        let active = TaskStatus::ALL.into_iter().filter(|status| status.is_active());
        let left = Self::all().instance(instance).statuses(active);
        left.order(Order::OldestFirst).limit(limits::PAGE_MAX)
    }

    /// Only of this engine.
    #[must_use]
    pub fn engine(mut self, name: impl Into<String>) -> Self {
        self.engine_name = Some(name.into());
        self
    }

    /// Only of this project.
    #[must_use]
    pub fn project(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    /// Only of these statuses.
    #[must_use]
    pub fn statuses(mut self, statuses: impl IntoIterator<Item = TaskStatus>) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }

    /// Only of this worker type.
    #[must_use]
    pub fn worker_type(mut self, worker_type: impl Into<WorkerType>) -> Self {
        self.worker_type = Some(worker_type.into());
        self
    }

    /// Only what this instance has in hand or what is pinned to it.
    #[must_use]
    pub fn instance(mut self, instance: InstanceId) -> Self {
        self.instance = Some(instance);
        self
    }

    /// Only the task of this number.
    #[must_use]
    pub fn seq(mut self, seq: i64) -> Self {
        self.seq = Some(seq);
        self
    }

    /// In this order.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// At most so many; kept within 1 and 1,000.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit.clamp(1, limits::PAGE_MAX);
        self
    }

    /// Only what comes after a page.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }
}

/// Some of the tasks that a query asks for, in its order: summaries, unless whole tasks were asked
/// for.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T = TaskSummary> {
    /// The tasks.
    pub tasks: Vec<T>,
    /// Tasks of this page that cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// Where the next page begins; `None` if this is the last.
    pub next: Option<Cursor>,
}

/// A page of nothing, the last.
impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { tasks: Vec::new(), unreadable: Vec::new(), next: None }
    }
}

/// How many tasks there are, by status.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts([u64; TaskStatus::ALL.len()]);

impl StatusCounts {
    /// How many have this status.
    #[must_use]
    pub const fn of(&self, status: TaskStatus) -> u64 {
        self.0[status as usize]
    }

    /// Adds tasks of a status.
    pub const fn add(&mut self, status: TaskStatus, count: u64) {
        self.0[status as usize] += count;
    }

    /// How many there are in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// Names the statuses, as `{Pending: 2, Dispatched: 0, …}`.
impl fmt::Debug for StatusCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = TaskStatus::ALL.into_iter().map(|status| (status, self.of(status)));
        f.debug_map().entries(counts).finish()
    }
}

impl Serialize for StatusCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for status in TaskStatus::ALL {
            map.serialize_entry(&status, &self.of(status))?;
        }
        map.end()
    }
}
