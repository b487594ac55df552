//! Imports: rare, so they are sent by themselves, within the transaction of their batch.

use loom_core::{Batch, FailureCode, Imported, Op};
use loom_deps::Timestamp;

use super::json;
use crate::connection::Args;
use crate::record::Record;
use crate::rows::{Cell, Rows, Texts};

/// The arguments of [`IMPORTS`](crate::sql::IMPORTS), if there is anything to import.
pub(super) fn imports(batch: &Batch) -> Option<Args> {
    let mut texts = Texts::default();
    let mut rows = Rows::default();
    for op in &batch.ops {
        let Op::Import(task) = op else { continue };
        push(task, &mut rows, &mut texts);
    }
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    (count > 0).then(|| Args::default().with(texts.into_blob()).with(rows.into_json()).with(count))
}

fn push(imported: &Imported, rows: &mut Rows, texts: &mut Texts) {
    let task = imported.as_task();
    let progress = &task.progress;
    let filled = |text: &str, texts: &mut Texts| {
        Some(text).filter(|text| !text.is_empty()).and_then(|text| texts.add(text))
    };
    rows.push(&[
        Cell::Word(task.id.as_str()),
        Cell::Word(task.status.as_str()),
        Cell::Number(task.attempt.into()),
        Cell::Number(task.retries.into()),
        Cell::MaybeNumber(task.run_at.map(Timestamp::as_micros)),
        Cell::Number(task.created_at.as_micros()),
        Cell::MaybeNumber(task.dispatched_at.map(Timestamp::as_micros)),
        Cell::MaybeNumber(task.completed_at.map(Timestamp::as_micros)),
        Cell::MaybeWord(task.failure.map(FailureCode::as_str)),
        Cell::Number(i64::try_from(progress.lines).unwrap_or(i64::MAX)),
        Cell::MaybeNumber(progress.at.map(Timestamp::as_micros)),
        Cell::Text(texts.add(&task.engine_name)),
        Cell::Text(texts.add(&task.project_id)),
        Cell::Text(texts.add(task.worker_type.as_str())),
        Cell::Text(filled(&progress.line, texts)),
        Cell::Text(task.error.as_deref().and_then(|error| texts.add(error))),
        Cell::Text(json(&Record::of_task(task)).and_then(|json| texts.add(&json))),
        Cell::Text(json(&task.metadata).and_then(|json| texts.add(&json))),
        Cell::Text(texts.add(&task.prompt)),
        Cell::Text(filled(&task.result, texts)),
    ]);
}
