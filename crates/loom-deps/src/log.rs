//! Where log records go.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Of interest to whoever looks for the cause of something.
    Debug,
    /// What is expected to happen.
    Info,
    /// Something went wrong and was dealt with.
    Warn,
    /// Something went wrong and somebody should look.
    Error,
}

/// The value of a field of a [`LogRecord`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogValue<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A number.
    Number(i64),
}

impl LogValue<'_> {
    /// The same value, borrowed from nobody.
    #[must_use]
    pub fn into_owned(self) -> LogValue<'static> {
        match self {
            Self::Text(text) => LogValue::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => LogValue::Number(number),
        }
    }
}

impl fmt::Display for LogValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl<'a> From<&'a str> for LogValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for LogValue<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for LogValue<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// One thing worth telling, with its fields in the order they were added. Texts may be borrowed, for
/// most records are written down at once and gone.
///
/// ```
/// use loom_deps::{Level, LogRecord};
///
/// let record = LogRecord::new(Level::Info, "task completed").with("task_id", "id-0");
/// assert_eq!(record.text("task_id").as_deref(), Some("id-0"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRecord<'a> {
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub message: &'static str,
    /// The fields, by name.
    pub fields: Vec<(&'static str, LogValue<'a>)>,
}

impl<'a> LogRecord<'a> {
    /// A record without fields.
    #[must_use]
    pub fn new(level: Level, message: &'static str) -> Self {
        // Room for as many as there are as a rule.
        Self { level, message, fields: Vec::with_capacity(8) }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<LogValue<'a>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The field of that name, if there is one.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&LogValue<'a>> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The field of that name as text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.field(name).map(ToString::to_string)
    }

    /// The same record, borrowed from nobody.
    #[must_use]
    pub fn into_owned(self) -> LogRecord<'static> {
        let fields = self.fields.into_iter().map(|(name, value)| (name, value.into_owned()));
        LogRecord { level: self.level, message: self.message, fields: fields.collect() }
    }
}

/// Takes log records. Must be quick: it is called where the work is done.
pub trait Logger: fmt::Debug + Send + Sync + 'static {
    /// Takes one record.
    fn log(&self, record: LogRecord<'_>);

    /// Whether records of this level are wanted at all; records of others need not be made.
    fn wants(&self, level: Level) -> bool {
        let _ = level;
        true
    }
}

/// Drops every record.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoopLogger;

impl Logger for NoopLogger {
    fn log(&self, _record: LogRecord<'_>) {}

    fn wants(&self, _level: Level) -> bool {
        false
    }
}

/// Keeps every record, for tests to look at.
#[derive(Debug, Default)]
pub struct RecordingLogger {
    records: Mutex<Vec<LogRecord<'static>>>,
}

impl RecordingLogger {
    /// A logger that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been logged so far, in order.
    #[must_use]
    pub fn records(&self) -> Vec<LogRecord<'static>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Logger for RecordingLogger {
    fn log(&self, record: LogRecord<'_>) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record.into_owned());
    }
}

/// Hands every record to the `tracing` subscriber of the program, under the target `loom`.
///
/// Fields keep their names; those that `tracing` cannot name ahead of time are joined in `detail`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingLogger;

/// The fields that every subscriber gets under their own name.
const NAMED: [&str; 10] = [
    "module",
    "task_id",
    "project_id",
    "request_id",
    "worker_type",
    "task_status",
    "duration_ms",
    "reason",
    "error_code",
    "error",
];

macro_rules! emit {
    ($level:expr, $record:expr) => {{
        let record: &LogRecord<'_> = $record;
        let named = |name: &str| record.field(name).map(tracing::field::display);
        let rest = record.fields.iter().filter(|(name, _)| !NAMED.contains(name));
        let detail = rest.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let detail = (!detail.is_empty()).then(|| detail.join(" "));
        tracing::event!(
            target: "loom",
            $level,
            module = named("module"),
            task_id = named("task_id"),
            project_id = named("project_id"),
            request_id = named("request_id"),
            worker_type = named("worker_type"),
            task_status = named("task_status"),
            duration_ms = named("duration_ms"),
            reason = named("reason"),
            error_code = named("error_code"),
            error = named("error"),
            detail = detail,
            "{}",
            record.message
        );
    }};
}

impl Logger for TracingLogger {
    fn log(&self, record: LogRecord<'_>) {
        match record.level {
            Level::Debug => emit!(tracing::Level::DEBUG, &record),
            Level::Info => emit!(tracing::Level::INFO, &record),
            Level::Warn => emit!(tracing::Level::WARN, &record),
            Level::Error => emit!(tracing::Level::ERROR, &record),
        }
    }

    fn wants(&self, level: Level) -> bool {
        match level {
            Level::Debug => tracing::enabled!(target: "loom", tracing::Level::DEBUG),
            Level::Info => tracing::enabled!(target: "loom", tracing::Level::INFO),
            Level::Warn => tracing::enabled!(target: "loom", tracing::Level::WARN),
            Level::Error => tracing::enabled!(target: "loom", tracing::Level::ERROR),
        }
    }
}
