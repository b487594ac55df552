//! What each change does to a task: the model that every store follows.
//!
//! A store that keeps [`Task`] values can use these functions as they are; one that speaks another
//! language does the same in its own words, and the conformance suite compares.

use loom_deps::Timestamp;

use crate::attempt::Attempt;
use crate::ids::InstanceId;
use crate::limits::ATTEMPT_OUTPUT_BYTES_MAX;
use crate::op::{Applied, Cancel, ProgressReport};
use crate::retry::RetryReason;
use crate::status::TaskStatus;
use crate::task::Task;
use crate::text::first_bytes;
use crate::transition::{Ended, Kind, Transition};

impl Task {
    /// Whether `transition` may be applied to the task as it is.
    #[must_use]
    pub fn admits(&self, transition: &Transition) -> bool {
        self.id == transition.task
            && self.epoch == transition.epoch
            && transition.kind != Kind::Claim
            && transition.kind.from(self.status).is_some()
    }

    /// Applies `transition`, or nothing if its guard does not hold.
    ///
    /// A cancel that was recorded before wins over whatever the transition says. An attempt that is
    /// to be repeated comes back as the second value, to be kept.
    pub fn apply(
        &mut self,
        transition: &Transition,
        by: &InstanceId,
    ) -> (Applied, Option<Attempt>) {
        if !self.admits(transition) {
            return (Applied::Stale, None);
        }
        let from = self.status;
        let kind = self.effective(transition.kind);
        let at = self.not_before_its_past(transition.at);
        let mut repeated = None;
        match kind {
            Kind::Claim => return (Applied::Stale, None),
            Kind::Dispatch => self.hand_to(by, at),
            Kind::Start => self.begin(at),
            Kind::Retry => repeated = Some(self.repeat(transition, at)),
            Kind::Complete | Kind::Fail | Kind::Crash | Kind::Abandon | Kind::Cancel => {
                self.end(&transition.ended, kind.target(), at);
            }
        }
        self.status = kind.target();
        (Applied::Changed { from, to: self.status }, repeated)
    }

    /// Applies a claim: the waiting task is in the hands of `by` and its attempt has started.
    pub fn claim(&mut self, by: &InstanceId, now: Timestamp) {
        let at = self.not_before_its_past(now);
        self.hand_to(by, at);
        self.begin(at);
        self.status = TaskStatus::Running;
    }

    /// Applies a request for the task's end: at once if it waits, by its owner if it has one.
    pub fn cancel(&mut self, cancel: &Cancel) -> Applied {
        if self.status.is_terminal() {
            return Applied::Ended(self.status);
        }
        let at = self.not_before_its_past(cancel.at);
        self.cancel_requested_at.get_or_insert(at);
        if self.status.is_owned() {
            return Applied::CancelRequested;
        }
        // What an attempt elsewhere has left of a task that was imported stays.
        self.close(at);
        self.status = TaskStatus::Cancelled;
        Applied::Cancelled(Box::new(self.summary()))
    }

    /// Takes in a report of progress, if it comes from the attempt that runs.
    pub fn report(&mut self, report: &ProgressReport) -> Applied {
        if self.epoch != report.epoch || self.status != TaskStatus::Running {
            return Applied::Stale;
        }
        self.progress.add(report);
        Applied::Reported
    }

    /// A recorded cancel turns every end of an attempt into the task's end.
    fn effective(&self, kind: Kind) -> Kind {
        if self.cancel_requested_at.is_some() { Kind::Cancel } else { kind }
    }

    /// Moments in a task's life never run backwards, even if the wall clock does.
    fn not_before_its_past(&self, at: Timestamp) -> Timestamp {
        at.max(self.created_at).max(self.started_at.or(self.dispatched_at).unwrap_or_default())
    }

    fn hand_to(&mut self, by: &InstanceId, at: Timestamp) {
        self.instance = Some(by.clone());
        self.epoch += 1;
        self.run_at = None;
        self.dispatched_at.get_or_insert(at);
    }

    fn begin(&mut self, at: Timestamp) {
        self.attempt += 1;
        self.started_at = Some(at);
    }

    fn repeat(&mut self, transition: &Transition, at: Timestamp) -> Attempt {
        let ended = &transition.ended;
        match transition.reason {
            Some(RetryReason::Failed | RetryReason::Rejected) => self.retries += 1,
            Some(RetryReason::Interrupted) => self.interruptions += 1,
            Some(RetryReason::Crash) => self.crashes += 1,
            Some(RetryReason::Parked) | None => {}
        }
        self.instance = None;
        self.run_at = Some(transition.due.unwrap_or(at).max(at));
        if let Some(metadata) = &ended.metadata {
            self.metadata.clone_from(metadata);
        }
        Attempt {
            number: self.attempt,
            started_at: self.started_at.unwrap_or(at),
            ended_at: Some(at),
            status: TaskStatus::Retrying,
            reason: transition.reason,
            failure: ended.failure,
            error: ended.error.clone(),
            output: first_bytes(&ended.result, ATTEMPT_OUTPUT_BYTES_MAX).to_owned(),
        }
    }

    fn close(&mut self, at: Timestamp) {
        self.instance = None;
        self.run_at = None;
        self.completed_at = Some(at);
    }

    fn end(&mut self, ended: &Ended, status: TaskStatus, at: Timestamp) {
        let failed = matches!(status, TaskStatus::Failed | TaskStatus::FailedCrash);
        self.close(at);
        self.result.clone_from(&ended.result);
        self.error = ended.error.clone().filter(|_| failed);
        self.failure = ended.failure.filter(|_| failed);
        if let Some(metadata) = &ended.metadata {
            self.metadata.clone_from(metadata);
        }
    }
}
