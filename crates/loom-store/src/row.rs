//! From rows to tasks and attempts.

use std::str::FromStr;

use loom_core::{
    Attempt, InstanceId, Metadata, NewTask, Progress, Task, TaskId, TaskRequest, TaskStatus,
    Unreadable, WorkerType,
};
use loom_deps::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::Misshapen;
use crate::record::Record;

/// How much of a task a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The columns of `parts/summary.sql`.
    Summary,
    /// Those, and the columns of `parts/details.sql`.
    Whole,
}

/// A row of an answer, whichever library has fetched it.
pub(crate) trait Cells {
    /// The whole number in a column, if there is one.
    fn integer(&self, column: usize) -> Result<Option<i64>, Misshapen>;
    /// The text in a column, if there is one.
    fn text(&self, column: usize) -> Result<Option<&str>, Misshapen>;
}

impl Cells for SqliteRow {
    fn integer(&self, column: usize) -> Result<Option<i64>, Misshapen> {
        self.try_get(column).map_err(|_| Misshapen)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Misshapen> {
        self.try_get(column).map_err(|_| Misshapen)
    }
}

impl Cells for rusqlite::Row<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, Misshapen> {
        let value = self.get_ref(column).map_err(|_| Misshapen)?;
        value.as_i64_or_null().map_err(|_| Misshapen)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Misshapen> {
        let value = self.get_ref(column).map_err(|_| Misshapen)?;
        value.as_str_or_null().map_err(|_| Misshapen)
    }
}

/// What a column can be read as.
pub(crate) trait Value<'r>: Sized {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen>;
}

impl<'r> Value<'r> for Option<i64> {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen> {
        row.integer(column)
    }
}

impl<'r> Value<'r> for Option<&'r str> {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen> {
        row.text(column)
    }
}

impl<'r> Value<'r> for Option<String> {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen> {
        Ok(row.text(column)?.map(str::to_owned))
    }
}

impl<'r> Value<'r> for i64 {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen> {
        row.integer(column)?.ok_or(Misshapen)
    }
}

impl<'r> Value<'r> for u32 {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen> {
        i64::of(row, column)?.try_into().map_err(|_| Misshapen)
    }
}

impl<'r> Value<'r> for bool {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen> {
        Ok(i64::of(row, column)? != 0)
    }
}

impl<'r> Value<'r> for &'r str {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen> {
        row.text(column)?.ok_or(Misshapen)
    }
}

impl<'r> Value<'r> for String {
    fn of(row: &'r impl Cells, column: usize) -> Result<Self, Misshapen> {
        <&str>::of(row, column).map(str::to_owned)
    }
}

/// Reads the columns of a row one after the other.
pub(crate) struct Fields<'r, R> {
    row: &'r R,
    next: usize,
}

/// Why a row cannot be read. Never holds what stands in it: that may be a secret.
type Why = String;

impl<'r, R: Cells> Fields<'r, R> {
    pub(crate) const fn of(row: &'r R) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: Value<'r>>(&mut self) -> Result<T, Misshapen> {
        let column = self.next;
        self.next += 1;
        T::of(self.row, column)
    }

    fn named<T: Value<'r>>(&mut self, name: &str) -> Result<T, Why> {
        self.take().map_err(|_| format!("its {name} is not of the kind it should be"))
    }

    fn number<T: TryFrom<i64>>(&mut self, name: &str) -> Result<T, Why> {
        let number: i64 = self.named(name)?;
        T::try_from(number).map_err(|_| format!("its {name} is {number}"))
    }

    fn moment(&mut self, name: &str) -> Result<Timestamp, Why> {
        self.named(name).map(Timestamp::from_micros)
    }

    fn maybe_moment(&mut self, name: &str) -> Result<Option<Timestamp>, Why> {
        let micros: Option<i64> = self.named(name)?;
        Ok(micros.map(Timestamp::from_micros))
    }

    fn word<T: FromStr>(&mut self, name: &str) -> Result<T, Why> {
        self.maybe_word(name)?.ok_or_else(|| format!("it has no {name}"))
    }

    fn maybe_word<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, Why> {
        let word: Option<&str> = self.named(name)?;
        word.map(|word| word.parse().map_err(|_| format!("its {name} is unknown"))).transpose()
    }

    fn json<T: serde::de::DeserializeOwned + Default>(&mut self, name: &str) -> Result<T, Why> {
        let text: Option<&str> = self.named(name)?;
        let Some(text) = text else { return Ok(T::default()) };
        serde_json::from_str(text).map_err(|error| {
            format!("its {name} is no JSON of the kind it should be, at column {}", error.column())
        })
    }
}

/// The task that `row` holds, or what is known of one that cannot be read.
pub(crate) fn task(row: &impl Cells, extent: Extent) -> Result<Task, Unreadable> {
    decode(row, extent).map_err(|why| {
        let seq = i64::of(row, 0).unwrap_or_default();
        let epoch = i64::of(row, EPOCH).unwrap_or_default();
        Unreadable { task: legible_id(row, seq), seq, epoch: epoch.try_into().unwrap_or(0), why }
    })
}

/// Where `parts/summary.sql` has what is needed of a task that cannot be read.
pub(crate) const ENGINE: usize = 2;
pub(crate) const STATUS: usize = 6;
const EPOCH: usize = 7;

/// The id as it is stored; if it is none, a name that tells which task is meant.
fn legible_id(row: &impl Cells, seq: i64) -> TaskId {
    let stored = row.text(1).ok().flatten().and_then(|id| TaskId::new(id).ok());
    #[expect(clippy::expect_used, reason = "a word and a number are an id, whatever the number")]
    stored.unwrap_or_else(|| TaskId::new(format!("number-{seq}")).expect("an id"))
}

fn decode(row: &impl Cells, extent: Extent) -> Result<Task, Why> {
    let mut fields = Fields::of(row);
    let fields = &mut fields;
    let seq: i64 = fields.named("number")?;
    let id: TaskId = fields.word("id")?;
    let engine_name: String = fields.named("engine")?;
    let mut request = TaskRequest::default();
    request.project_id = fields.named("project")?;
    request.worker_type = WorkerType::from(fields.named::<String>("worker type")?);
    let pinned_to = fields.maybe_word("pin")?;
    // A task is made as it was inserted; then it gets what has happened to it since.
    let created_at = Timestamp::default();
    let mut task =
        NewTask { id, engine_name, request, created_at, pinned_to, daemon_id: None }.into_task(seq);
    state(&mut task, fields)?;
    moments(&mut task, fields)?;
    task.progress = progress(fields)?;
    task.failure = fields.maybe_word("failure")?;
    task.error = fields.named("error")?;
    fields.json::<Record>("request")?.restore(&mut task);
    if extent == Extent::Whole {
        task.metadata = fields.json::<Metadata>("metadata")?;
        task.prompt = fields.named("prompt")?;
        task.result = fields.named::<Option<String>>("result")?.unwrap_or_default();
    }
    Ok(task)
}

fn state(task: &mut Task, fields: &mut Fields<'_, impl Cells>) -> Result<(), Why> {
    task.status = fields.word::<TaskStatus>("status")?;
    task.epoch = fields.number("epoch")?;
    task.attempt = fields.number("attempt")?;
    task.retries = fields.number("retries")?;
    task.interruptions = fields.number("interruptions")?;
    task.crashes = fields.number("crashes")?;
    task.instance = fields.maybe_word::<InstanceId>("owner")?;
    Ok(())
}

fn moments(task: &mut Task, fields: &mut Fields<'_, impl Cells>) -> Result<(), Why> {
    task.run_at = fields.maybe_moment("due time")?;
    task.cancel_requested_at = fields.maybe_moment("cancel time")?;
    task.created_at = fields.moment("creation time")?;
    task.dispatched_at = fields.maybe_moment("dispatch time")?;
    task.started_at = fields.maybe_moment("start time")?;
    task.completed_at = fields.maybe_moment("end time")?;
    Ok(())
}

fn progress(fields: &mut Fields<'_, impl Cells>) -> Result<Progress, Why> {
    let mut progress = Progress::default();
    progress.line = fields.named::<Option<String>>("progress line")?.unwrap_or_default();
    progress.lines = fields.number("count of progress lines")?;
    progress.at = fields.maybe_moment("progress time")?;
    Ok(progress)
}

/// The attempt that a row of `read/attempts.sql` holds.
pub(crate) fn attempt(row: &impl Cells) -> Result<Attempt, Why> {
    let mut fields = Fields::of(row);
    let fields = &mut fields;
    Ok(Attempt {
        number: fields.number("number of an attempt")?,
        started_at: fields.moment("start of an attempt")?,
        ended_at: fields.maybe_moment("end of an attempt")?,
        status: fields.word("status of an attempt")?,
        reason: fields.maybe_word("reason of a retry")?,
        failure: fields.maybe_word("failure of an attempt")?,
        error: fields.named("error of an attempt")?,
        output: fields.named("output of an attempt")?,
    })
}
