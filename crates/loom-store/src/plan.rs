//! From a batch to what is sent to SQLite. Pure: nothing here touches a database.

mod fuse;
mod import;
mod step;

use std::collections::BTreeMap;

use loom_core::{Batch, Claim, ClaimScope, InstanceId, NewTask, Op, TaskId, WorkerType, limits};
use loom_deps::Timestamp;

use crate::connection::Args;
use crate::record::Record;
use crate::rows::{Cell, Rows, Texts};
use crate::sql::{self, Text};

pub(crate) use step::Step;

/// A batch, ready to be sent.
pub(crate) struct Plan {
    pub(crate) number: u64,
    pub(crate) by: InstanceId,
    /// When tasks are claimed, if any are.
    pub(crate) now: Timestamp,
    /// The batch is a claim and nothing else: it may turn out that there is nothing to write.
    pub(crate) only_claims: bool,
    /// What to send a batch of one step with.
    pub(crate) text: Text,
    /// The arguments $1 to $14, which all texts of a batch share.
    pub(crate) args: Args,
    /// The changes in their order; never empty. Within one step no task is changed twice, so that
    /// one statement can do all of its changes.
    pub(crate) steps: Vec<Step>,
    /// The arguments of the imports, if there are any.
    pub(crate) imports: Option<Args>,
}

impl Plan {
    /// What to send for `batch`, which comes from the instance in row `instance`.
    pub(crate) fn new(batch: &Batch, instance: i64) -> Self {
        let claim = claim(batch);
        let starts = fuse::starts(batch, claim);
        let mut texts = Texts::default();
        let inserts = inserts(batch, &starts, &mut texts);
        let progress = progress(batch, &mut texts);
        let steps = step::steps(batch, &mut texts);
        let lanes = claim.map(|claim| lanes(claim, &mut texts)).unwrap_or_default();
        let count = inserts.len();
        let text = text(count > 0, &steps, &progress);
        let now = claim.map_or_else(Timestamp::default, |claim| claim.now);
        let args = Args::default()
            .with(instance)
            .with(i64::try_from(batch.number).unwrap_or(i64::MAX))
            .with(texts.into_blob())
            .with(inserts.into_json())
            .with(i64::try_from(count).unwrap_or(i64::MAX))
            .with(starts.iter().any(Option::is_some))
            .with(claim.map(|claim| claim.engine_name.clone()))
            .with(now.as_micros())
            .with(lanes.into_json())
            .with(claim.map_or(0, |claim| claim.limit))
            .with(claim.is_some_and(|claim| claim.scope == ClaimScope::Shared))
            .with(batch.instance.as_str())
            .with(progress.into_json())
            .with(limits::ATTEMPTS_KEPT_MAX);
        let only_claims = batch.ops.iter().all(|op| matches!(op, Op::Claim(_)));
        let by = batch.instance.clone();
        let imports = import::imports(batch);
        Self { number: batch.number, by, now, only_claims, text, args, steps, imports }
    }
}

/// The shortest text that holds what a batch needs, if it is of one step.
fn text(has_inserts: bool, steps: &[Step], progress: &Rows) -> Text {
    if !progress.is_empty() || steps.iter().any(|step| step.is_rare) {
        return sql::BATCH;
    }
    match (has_inserts, steps.iter().any(|step| step.has_changes)) {
        (true, true) => sql::INSERTS_AND_CHANGES,
        (true, false) => sql::INSERTS_ONLY,
        (false, _) => sql::CHANGES_ONLY,
    }
}

/// The claim of a batch, of which there is at most one.
pub(crate) fn claim(batch: &Batch) -> Option<&Claim> {
    batch.ops.iter().find_map(|op| match op {
        Op::Claim(claim) => Some(claim),
        _ => None,
    })
}

fn new_tasks(batch: &Batch) -> impl Iterator<Item = &NewTask> {
    batch.ops.iter().filter_map(|op| match op {
        Op::Insert(new) => Some(&**new),
        _ => None,
    })
}

/// An epoch as SQL has it. One beyond its numbers is none that any task has.
fn epoch(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(-1)
}

/// The lanes of a claim: how much room each has. Of two for one worker type the last counts.
fn rooms(claim: &Claim) -> BTreeMap<&WorkerType, u32> {
    claim.lanes.iter().map(|lane| (&lane.worker_type, lane.limit)).collect()
}

fn lanes(claim: &Claim, texts: &mut Texts) -> Rows {
    let mut rows = Rows::default();
    for (worker_type, room) in rooms(claim) {
        let worker_type = texts.add(worker_type.as_str());
        rows.push(&[Cell::Text(worker_type), Cell::Number(room.into())]);
    }
    rows
}

fn inserts(batch: &Batch, starts: &[Option<Timestamp>], texts: &mut Texts) -> Rows {
    let mut rows = Rows::default();
    for (index, new) in new_tasks(batch).enumerate() {
        let request = &new.request;
        let start = starts.get(index).copied().flatten();
        rows.push(&[
            Cell::Word(new.id.as_str()),
            Cell::Text(texts.add(&new.engine_name)),
            Cell::Text(texts.add(&request.project_id)),
            Cell::Text(texts.add(request.worker_type.as_str())),
            Cell::MaybeWord(new.pinned_to.as_ref().map(InstanceId::as_str)),
            Cell::Number(new.created_at.as_micros()),
            Cell::Number(new.due_at().as_micros()),
            Cell::MaybeNumber(start.map(Timestamp::as_micros)),
            Cell::Text(json(&Record::of(new)).and_then(|json| texts.add(&json))),
            Cell::Text(json(&request.metadata).and_then(|json| texts.add(&json))),
            Cell::Text(texts.add(&request.prompt)),
        ]);
    }
    rows
}

/// The JSON of a value, unless it is that of nothing.
fn json(value: &impl serde::Serialize) -> Option<String> {
    // Neither requests nor metadata hold anything that JSON cannot.
    serde_json::to_string(value).ok().filter(|json| json != "{}")
}

/// Reports, those of one attempt made one: a statement changes a task only once.
fn progress(batch: &Batch, texts: &mut Texts) -> Rows {
    let mut attempts: BTreeMap<(&TaskId, u64), (Option<&str>, u64, Timestamp)> = BTreeMap::new();
    for op in &batch.ops {
        let Op::Progress(report) = op else { continue };
        let line = Some(report.line.as_str()).filter(|line| !line.trim().is_empty());
        let attempt = attempts.entry((&report.task, report.epoch)).or_default();
        attempt.0 = line.or(attempt.0);
        attempt.1 = attempt.1.saturating_add(report.lines);
        attempt.2 = report.at;
    }
    let mut rows = Rows::default();
    for ((task, of), (line, lines, at)) in attempts {
        rows.push(&[
            Cell::Word(task.as_str()),
            Cell::Number(epoch(of)),
            Cell::Text(line.and_then(|line| texts.add(line))),
            Cell::Number(i64::try_from(lines).unwrap_or(i64::MAX)),
            Cell::Number(at.as_micros()),
        ]);
    }
    rows
}
