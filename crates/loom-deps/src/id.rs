//! Names for new things.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

use crate::timestamp::Timestamp;

/// Makes ids that do not repeat.
pub trait IdGen: fmt::Debug + Send + Sync + 'static {
    /// A new id, made at `now`.
    fn next_id(&self, now: Timestamp) -> String;
}

/// UUIDs of version 7 (RFC 9562, section 5.7): they sort by the time they were made, also within a
/// millisecond.
#[derive(Debug)]
pub struct UuidIds {
    context: Mutex<ContextV7>,
}

impl UuidIds {
    /// A generator with a counter of its own.
    #[must_use]
    pub fn new() -> Self {
        Self { context: Mutex::new(ContextV7::new()) }
    }
}

impl Default for UuidIds {
    fn default() -> Self {
        Self::new()
    }
}

impl IdGen for UuidIds {
    fn next_id(&self, now: Timestamp) -> String {
        let micros = u64::try_from(now.as_micros()).unwrap_or(0);
        let nanos = u32::try_from(micros % 1_000_000 * 1_000).unwrap_or(0);
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(UuidTime::from_unix(&*context, micros / 1_000_000, nanos)).to_string()
    }
}

/// `id-0`, `id-1`, `id-2` and so on, for tests.
///
/// ```
/// use loom_deps::{IdGen, SequentialIds, Timestamp};
///
/// let ids = SequentialIds::new();
/// let now = Timestamp::from_micros(0);
/// assert_eq!((ids.next_id(now), ids.next_id(now)), ("id-0".into(), "id-1".into()));
/// ```
#[derive(Debug, Default)]
pub struct SequentialIds {
    next: AtomicU64,
}

impl SequentialIds {
    /// A generator that starts with `id-0`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl IdGen for SequentialIds {
    fn next_id(&self, _now: Timestamp) -> String {
        format!("id-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }
}
