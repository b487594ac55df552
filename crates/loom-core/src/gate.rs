//! Whether an output is an answer.

mod limited;
mod thrashing;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use loom_deps::Timestamp;
use serde::Serialize;

use crate::limits::ERROR_BYTES_MAX;
use crate::task::Task;
use crate::text::head_and_tail;

pub use limited::{Limit, LimitKind, RateLimit, Reset, find_limit};
pub use thrashing::{Thrashing, jaccard_word_similarity};

/// What the gate makes of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateDecision {
    /// Whether the output is taken as the task's result.
    pub accept: bool,
    /// `pass`, `empty_output`, `rate_limit_error`, `thrashing`, or the word of a rule of yours.
    pub reason: Cow<'static, str>,
    /// Whether another attempt may do better. Only of an output that is not accepted.
    pub retry: bool,
    /// When another attempt may do better, if that is known. Until then the task waits, and the
    /// wait is not counted as a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Reset>,
}

impl GateDecision {
    /// The output is taken.
    #[must_use]
    pub const fn pass() -> Self {
        Self { accept: true, reason: Cow::Borrowed("pass"), retry: false, retry_after: None }
    }

    /// The output is not taken; another attempt may do better.
    pub fn retry(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { accept: false, reason: reason.into(), retry: true, retry_after: None }
    }

    /// The same, its reason in other words.
    pub(crate) fn reworded(mut self, reword: impl FnOnce(&str) -> String) -> Self {
        if let Cow::Owned(reason) = &self.reason {
            self.reason = Cow::Owned(head_and_tail(reword(reason), ERROR_BYTES_MAX));
        }
        self
    }

    /// The output is not taken, and another attempt would be no better.
    pub fn reject(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { accept: false, reason: reason.into(), retry: false, retry_after: None }
    }
}

/// What a rule looks at.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Case<'a> {
    /// The task.
    pub task: &'a Task,
    /// What its worker produced.
    pub output: &'a str,
    /// What earlier attempts at the task produced, the latest last.
    pub previous: &'a [String],
    /// When it was produced; unless said, when the attempt started.
    pub now: Timestamp,
    /// Whether the work failed; unless said, it went well.
    pub failed: bool,
}

/// Shows how much was produced, not what.
impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("task", &self.task)
            .field("output_bytes", &self.output.len())
            .field("previous", &self.previous.len())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl<'a> Case<'a> {
    /// The case of `output`, produced for `task` after `previous`.
    #[must_use]
    pub fn new(task: &'a Task, output: &'a str, previous: &'a [String]) -> Self {
        let now = task.started_at.unwrap_or(task.created_at);
        Self { task, output, previous, now, failed: false }
    }

    /// Says when the output was produced.
    #[must_use]
    pub const fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Says whether the work failed. Of failed work, the output is what it said of its failure.
    #[must_use]
    pub const fn failed(mut self, failed: bool) -> Self {
        self.failed = failed;
        self
    }
}

/// Judges one aspect of an output. A pure function: all it needs to know stands in the case.
pub trait Rule: Send + Sync + 'static {
    /// Objects to the output, or has nothing to say.
    fn check(&self, case: &Case<'_>) -> Option<GateDecision>;

    /// Says better than the failure itself what is to be done about failed work. Most rules have
    /// nothing to say.
    fn check_failure(&self, case: &Case<'_>) -> Option<GateDecision> {
        let _ = case;
        None
    }
}

impl<F> Rule for F
where
    F: Fn(&Case<'_>) -> Option<GateDecision> + Send + Sync + 'static,
{
    fn check(&self, case: &Case<'_>) -> Option<GateDecision> {
        self(case)
    }
}

/// Rules that are asked in order; the first that objects decides.
///
/// ```
/// use loom_core::{Case, GateDecision, QualityGate};
///
/// let gate = QualityGate::default().with_rule(|case: &Case<'_>| {
///     let refused = case.output.starts_with("I cannot");
///     refused.then(|| GateDecision::reject("refusal"))
/// });
/// # let _ = gate;
/// ```
#[derive(Clone)]
pub struct QualityGate {
    rules: Vec<Arc<dyn Rule>>,
}

impl QualityGate {
    /// A gate without rules: it takes every output.
    #[must_use]
    pub const fn accept_all() -> Self {
        Self { rules: Vec::new() }
    }

    /// Adds a rule after the others.
    #[must_use]
    pub fn with_rule(mut self, rule: impl Rule) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Judges an output.
    #[must_use]
    pub fn judge(&self, case: &Case<'_>) -> GateDecision {
        let objection = self.rules.iter().find_map(|rule| rule.check(case));
        objection.unwrap_or_else(GateDecision::pass)
    }

    /// Judges failed work: `None` leaves it to the failure itself what follows.
    ///
    /// A gate without rules never has anything to say.
    #[must_use]
    pub fn judge_failure(&self, case: &Case<'_>) -> Option<GateDecision> {
        let case = case.failed(true);
        self.rules.iter().find_map(|rule| rule.check_failure(&case))
    }
}

impl Default for QualityGate {
    /// The built-in rules: empty output, rate limit, thrashing.
    fn default() -> Self {
        Self::accept_all()
            .with_rule(EmptyOutput)
            .with_rule(RateLimit)
            .with_rule(Thrashing::default())
    }
}

impl fmt::Debug for QualityGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QualityGate").field("rules", &self.rules.len()).finish()
    }
}

/// Objects to an output of nothing but white space; another attempt may do better.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyOutput;

impl Rule for EmptyOutput {
    fn check(&self, case: &Case<'_>) -> Option<GateDecision> {
        case.output.trim().is_empty().then(|| GateDecision::retry("empty_output"))
    }
}
