//! Ends of attempts, their repeats, and cancels.

use loom_core::limits::{ATTEMPT_OUTPUT_BYTES_MAX, ATTEMPTS_KEPT_MAX};
use loom_core::{
    Applied, Cancel, FailureCode, Kind, RetryReason, TaskStatus, Transition, first_bytes,
};
use loom_deps::Timestamp;
use rusqlite::params;

use super::add::filled;
use super::ledger::Ledger;
use super::{Hand, epoch};
use crate::error::Fault;
use crate::plan::{Note, Plan};
use crate::row::{self, Extent, Fields};
use crate::sql;

/// The task that a change is about.
struct Admitted {
    seq: i64,
    from: TaskStatus,
    /// Its end has been asked for.
    asked: bool,
    engine: String,
}

impl Hand<'_> {
    pub(super) fn change(
        self,
        plan: &Plan,
        transition: &Transition,
        note: &Note,
        ledger: &mut Ledger,
    ) -> Result<Applied, Fault> {
        let Some(task) = self.admitted(transition)? else { return Ok(Applied::Stale) };
        // A recorded cancel turns every change into the task's end.
        let to = if task.asked { TaskStatus::Cancelled } else { transition.kind.target() };
        let at = transition.at.as_micros();
        match to {
            TaskStatus::Dispatched => {
                self.run(sql::DISPATCH, params![task.seq, at, plan.instance])?;
            }
            TaskStatus::Running => {
                self.run(sql::START, params![task.seq, at])?;
            }
            TaskStatus::Retrying => self.retry(task.seq, transition, note)?,
            _ => self.end(task.seq, to, transition, note)?,
        }
        ledger.moved(&task.engine, task.from, to);
        Ok(Applied::Changed { from: task.from, to })
    }

    /// The task, if its claim still stands and the table lets the change leave its status.
    fn admitted(self, transition: &Transition) -> Result<Option<Admitted>, Fault> {
        let named = params![transition.task.as_str(), epoch(transition.epoch)];
        let found = self.first(sql::ADMITTED, named, |row| {
            let mut fields = Fields::of(row);
            let (seq, status, asked) = (fields.take()?, fields.take::<&str>()?, fields.take()?);
            let engine = fields.take()?;
            Ok(status.parse().ok().map(|from| Admitted { seq, from, asked, engine }))
        })?;
        let kind = transition.kind;
        let allowed = |task: &Admitted| kind != Kind::Claim && kind.from(task.from).is_some();
        Ok(found.flatten().filter(allowed))
    }

    fn retry(self, seq: i64, transition: &Transition, note: &Note) -> Result<(), Fault> {
        let (at, ended) = (transition.at.as_micros(), &transition.ended);
        let reason = transition.reason;
        self.run(
            sql::ATTEMPT,
            params![
                seq,
                at,
                reason.map(RetryReason::as_str),
                ended.failure.map(FailureCode::as_str),
                ended.error,
                first_bytes(&ended.result, ATTEMPT_OUTPUT_BYTES_MAX),
            ],
        )?;
        self.run(sql::TRIM, params![seq, ATTEMPTS_KEPT_MAX])?;
        self.run(
            sql::RETRY,
            params![
                seq,
                at,
                transition.due.map_or(at, Timestamp::as_micros),
                reason.is_some_and(RetryReason::is_counted),
                reason == Some(RetryReason::Interrupted),
                reason == Some(RetryReason::Crash),
                note.metadata,
            ],
        )?;
        Ok(())
    }

    fn end(
        self,
        seq: i64,
        to: TaskStatus,
        transition: &Transition,
        note: &Note,
    ) -> Result<(), Fault> {
        let ended = &transition.ended;
        let failed = matches!(to, TaskStatus::Failed | TaskStatus::FailedCrash);
        self.run(
            sql::END,
            params![
                seq,
                transition.at.as_micros(),
                to.as_str(),
                ended.failure.filter(|_| failed).map(FailureCode::as_str),
                ended.error.as_ref().filter(|_| failed),
                note.metadata,
                filled(&ended.result),
            ],
        )?;
        Ok(())
    }

    pub(super) fn cancel(self, cancel: &Cancel, ledger: &mut Ledger) -> Result<Applied, Fault> {
        let found = self.first(sql::STANDING, [cancel.task.as_str()], |row| {
            let mut fields = Fields::of(row);
            let (seq, status, waits) = (fields.take()?, fields.take::<&str>()?, fields.take()?);
            Ok((seq, status.parse::<TaskStatus>().ok(), waits, fields.take()?))
        })?;
        let Some((seq, status, waits, engine)): Option<(i64, _, bool, String)> = found else {
            return Ok(Applied::NotFound);
        };
        // What no program of this version has written is left alone.
        let Some(status) = status else { return Ok(Applied::Stale) };
        if status.is_terminal() {
            return Ok(Applied::Ended(status));
        }
        self.run(sql::CANCEL, params![seq, cancel.at.as_micros()])?;
        if !waits {
            return Ok(Applied::CancelRequested);
        }
        ledger.moved(&engine, status, TaskStatus::Cancelled);
        let task = self.first(sql::SUMMARY, [seq], |row| Ok(row::task(row, Extent::Summary)))?;
        Ok(match task {
            Some(Ok(task)) => Applied::Cancelled(Box::new(task.summary())),
            // Who cannot read the task can still be told that it has ended.
            _ => Applied::Ended(TaskStatus::Cancelled),
        })
    }
}
