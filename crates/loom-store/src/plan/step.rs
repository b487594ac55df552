//! Ends, cancels and prunes, cut into steps.

use std::collections::HashSet;

use loom_core::limits::ATTEMPT_OUTPUT_BYTES_MAX;
use loom_core::{
    Batch, Cancel, FailureCode, Kind, Op, Prune, RetryReason, TaskId, Transition, first_bytes,
};
use loom_deps::Timestamp;

use super::epoch;
use crate::connection::Args;
use crate::rows::{Cell, Rows, Slice, Texts};

/// Changes that one text does.
#[derive(Default)]
pub(crate) struct Step {
    changes: String,
    /// Those of the changes that are retries, as attempts to keep.
    repeats: String,
    cancels: String,
    prune: Option<Prune>,
    /// Which op of the batch the prune is.
    pub(crate) prune_op: Option<usize>,
    pub(crate) has_changes: bool,
    /// There is more to it than changes that are no retries.
    pub(crate) is_rare: bool,
}

impl Step {
    /// Whether there is nothing to do.
    pub(crate) const fn is_empty(&self) -> bool {
        !self.has_changes && !self.is_rare
    }

    /// The arguments of the step, behind those that all steps share.
    pub(crate) fn args(self, shared: Args) -> Args {
        let prune = self.prune;
        shared
            .with(self.changes)
            .with(self.repeats)
            .with(self.cancels)
            .with(prune.as_ref().and_then(|prune| prune.engine_name.clone()))
            .with(prune.as_ref().map(|prune| prune.completed_before.as_micros()))
            .with(prune.map_or(0, |prune| prune.limit))
    }
}

/// The steps of a batch: as few as possible, at least one.
pub(super) fn steps(batch: &Batch, texts: &mut Texts) -> Vec<Step> {
    let mut steps = Steps::default();
    let ops = || batch.ops.iter().enumerate();
    for (op, change) in ops() {
        match change {
            Op::Apply(transition) => steps.of(&transition.task).change(op, transition, texts),
            Op::Cancel(cancel) => steps.of(&cancel.task).cancel(op, cancel),
            _ => {}
        }
    }
    for (op, change) in ops() {
        let Op::Prune(prune) = change else { continue };
        steps.free(|step| step.prune.is_none()).prune = Some((op, prune));
    }
    steps.finish()
}

#[derive(Default)]
struct Steps<'b> {
    done: Vec<Step>,
    latest: Draft<'b>,
}

impl<'b> Steps<'b> {
    /// The step that takes the next change of `task`.
    fn of(&mut self, task: &'b TaskId) -> &mut Draft<'b> {
        let step = self.free(|step| !step.tasks.contains(task));
        step.tasks.insert(task);
        step
    }

    /// The latest step, or a new one behind it if that is not free.
    fn free(&mut self, is_free: impl Fn(&Draft<'b>) -> bool) -> &mut Draft<'b> {
        if !is_free(&self.latest) {
            self.done.push(std::mem::take(&mut self.latest).finish());
        }
        &mut self.latest
    }

    fn finish(mut self) -> Vec<Step> {
        self.done.push(self.latest.finish());
        self.done
    }
}

/// A step in the making.
#[derive(Default)]
struct Draft<'b> {
    tasks: HashSet<&'b TaskId>,
    changes: Rows,
    repeats: Rows,
    cancels: Rows,
    prune: Option<(usize, &'b Prune)>,
}

impl Draft<'_> {
    fn change(&mut self, op: usize, transition: &Transition, texts: &mut Texts) {
        let ended = &transition.ended;
        let sources = sources(transition.kind);
        let reason = transition.reason.filter(|_| transition.kind == Kind::Retry);
        let failure = ended.failure.map(FailureCode::as_str);
        let error = ended.error.as_deref().and_then(|error| texts.add(error));
        let metadata = ended.metadata.as_ref().and_then(|map| serde_json::to_string(map).ok());
        let result = Some(&ended.result).filter(|text| !text.is_empty());
        let result = result.and_then(|text| texts.add(text));
        self.changes.push(&[
            Cell::Number(i64::try_from(op).unwrap_or(-1)),
            Cell::Word(transition.task.as_str()),
            Cell::Number(epoch(transition.epoch)),
            Cell::Word(&sources),
            Cell::Word(transition.kind.target().as_str()),
            Cell::Number(transition.at.as_micros()),
            Cell::MaybeNumber(transition.due.map(Timestamp::as_micros)),
            Cell::Number(reason.is_some_and(RetryReason::is_counted).into()),
            Cell::Number((reason == Some(RetryReason::Interrupted)).into()),
            Cell::Number((reason == Some(RetryReason::Crash)).into()),
            Cell::MaybeWord(failure),
            Cell::Text(error),
            Cell::Text(metadata.and_then(|json| texts.add(&json))),
            Cell::Text(result),
        ]);
        if transition.kind == Kind::Retry {
            let output = first_bytes(&ended.result, ATTEMPT_OUTPUT_BYTES_MAX).len();
            self.repeats.push(&[
                Cell::Word(transition.task.as_str()),
                Cell::Number(epoch(transition.epoch)),
                Cell::Word(&sources),
                Cell::Number(transition.at.as_micros()),
                Cell::MaybeWord(reason.map(RetryReason::as_str)),
                Cell::MaybeWord(failure),
                Cell::Text(error),
                Cell::Text(result.map(|slice: Slice| slice.first(output))),
            ]);
        }
    }

    fn cancel(&mut self, op: usize, cancel: &Cancel) {
        self.cancels.push(&[
            Cell::Number(i64::try_from(op).unwrap_or(-1)),
            Cell::Word(cancel.task.as_str()),
            Cell::Number(cancel.at.as_micros()),
        ]);
    }

    fn finish(self) -> Step {
        let is_rare = !self.repeats.is_empty() || !self.cancels.is_empty() || self.prune.is_some();
        Step {
            has_changes: !self.changes.is_empty(),
            is_rare,
            changes: self.changes.into_json(),
            repeats: self.repeats.into_json(),
            cancels: self.cancels.into_json(),
            prune: self.prune.map(|(_, prune)| prune.clone()),
            prune_op: self.prune.map(|(op, _)| op),
        }
    }
}

/// The statuses that a change may leave, each between blanks. A claim comes as an op of its own.
fn sources(kind: Kind) -> String {
    let mut sources = String::from(" ");
    for status in kind.sources().filter(|_| kind != Kind::Claim) {
        sources.push_str(status.as_str());
        sources.push(' ');
    }
    sources
}
