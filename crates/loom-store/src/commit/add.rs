//! New tasks: those of requests, and those of other systems.

use loom_core::{Applied, FailureCode, Imported, InstanceId, NewTask, TaskId, TaskStatus};
use loom_deps::Timestamp;
use rusqlite::params;

use super::Hand;
use super::ledger::Ledger;
use crate::error::Fault;
use crate::plan::{Note, Plan};
use crate::row::Fields;
use crate::sql;

/// An empty text is stored as none.
pub(super) fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

impl Hand<'_> {
    /// Adds a task; as claimed, if `fuses` says that claims can be told ahead.
    pub(super) fn insert(
        self,
        plan: &Plan,
        new: &NewTask,
        note: &Note,
        fuses: bool,
        ledger: &mut Ledger,
    ) -> Result<Applied, Fault> {
        let request = &new.request;
        let starts = note.starts.filter(|_| fuses).map(Timestamp::as_micros);
        let started = starts.is_some();
        let status = if started { TaskStatus::Running } else { TaskStatus::Pending };
        let seq = ledger.next(self)?;
        let values = params![
            seq,
            new.id.as_str(),
            new.engine_name,
            request.project_id,
            request.worker_type.as_str(),
            new.pinned_to.as_ref().map(InstanceId::as_str),
            status.as_str(),
            started,
            started.then_some(plan.instance),
            (!started).then_some(new.due_at().as_micros()),
            new.created_at.as_micros(),
            starts,
            note.request,
            note.metadata,
            request.prompt,
        ];
        if self.run(sql::INSERT, values)? == 0 {
            return self.present(&new.id);
        }
        ledger.take(seq, &new.engine_name, status);
        Ok(Applied::Inserted { seq })
    }

    /// Adds a task of another system, as it was there.
    pub(super) fn import(
        self,
        imported: &Imported,
        note: &Note,
        ledger: &mut Ledger,
    ) -> Result<Applied, Fault> {
        let task = imported.as_task();
        let seq = ledger.next(self)?;
        let values = params![
            seq,
            task.id.as_str(),
            task.engine_name,
            task.project_id,
            task.worker_type.as_str(),
            task.status.as_str(),
            task.attempt,
            task.retries,
            task.run_at.map(Timestamp::as_micros),
            task.created_at.as_micros(),
            task.dispatched_at.map(Timestamp::as_micros),
            task.completed_at.map(Timestamp::as_micros),
            filled(&task.progress.line),
            i64::try_from(task.progress.lines).unwrap_or(i64::MAX),
            task.progress.at.map(Timestamp::as_micros),
            task.failure.map(FailureCode::as_str),
            task.error,
            note.request,
            note.metadata,
            task.prompt,
            filled(&task.result),
        ];
        if self.run(sql::IMPORT, values)? == 0 {
            return self.present(&task.id);
        }
        ledger.take(seq, &task.engine_name, task.status);
        Ok(Applied::Inserted { seq })
    }

    /// A task of this id was there before.
    fn present(self, id: &TaskId) -> Result<Applied, Fault> {
        let seq = self.first(sql::PRESENT, [id.as_str()], |row| Ok(Fields::of(row).take()?))?;
        Ok(seq.map_or(Applied::Stale, |seq| Applied::Duplicate { seq }))
    }
}
