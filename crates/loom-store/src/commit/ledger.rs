//! The numbers that a batch changes: which task numbers it gives out, and how many tasks have which
//! status after it.

use loom_core::TaskStatus;
use rusqlite::params;

use super::Hand;
use crate::error::Fault;
use crate::row::Fields;
use crate::sql;

/// What a batch does to the kept numbers, written once at its end.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The number given last, once one was asked for.
    latest: Option<i64>,
    /// Most often there is one engine.
    engines: Vec<Moves>,
}

/// How many more tasks of an engine have each status, or less.
#[derive(Debug)]
struct Moves {
    engine: String,
    by_status: [i64; TaskStatus::ALL.len()],
}

impl Ledger {
    /// The number for the next new task. It is taken only by [`take`](Self::take).
    pub(super) fn next(&mut self, hand: Hand<'_>) -> Result<i64, Fault> {
        let latest = match self.latest {
            Some(latest) => latest,
            None => hand.first(sql::LATEST, [], |row| Ok(Fields::of(row).take()?))?.unwrap_or(0),
        };
        self.latest = Some(latest);
        Ok(latest.saturating_add(1))
    }

    /// The number was given to a task of `engine`, which has a status now.
    pub(super) fn take(&mut self, seq: i64, engine: &str, status: TaskStatus) {
        self.latest = Some(seq);
        self.added(engine, status);
    }

    pub(super) fn moved(&mut self, engine: &str, from: TaskStatus, to: TaskStatus) {
        self.add(engine, from, -1);
        self.add(engine, to, 1);
    }

    pub(super) fn added(&mut self, engine: &str, status: TaskStatus) {
        self.add(engine, status, 1);
    }

    pub(super) fn removed(&mut self, engine: &str, status: TaskStatus) {
        self.add(engine, status, -1);
    }

    fn add(&mut self, engine: &str, status: TaskStatus, more: i64) {
        let known = self.engines.iter().position(|moves| moves.engine == engine);
        let index = known.unwrap_or_else(|| {
            self.engines.push(Moves { engine: engine.to_owned(), by_status: Default::default() });
            self.engines.len() - 1
        });
        let place = TaskStatus::ALL.iter().position(|known| *known == status);
        let count = self.engines.get_mut(index).zip(place);
        if let Some(count) = count.and_then(|(moves, place)| moves.by_status.get_mut(place)) {
            *count += more;
        }
    }

    pub(super) fn write(&self, hand: Hand<'_>) -> Result<(), Fault> {
        if let Some(latest) = self.latest {
            hand.run(sql::GIVEN, [latest])?;
        }
        for Moves { engine, by_status } in &self.engines {
            for (status, more) in TaskStatus::ALL.iter().zip(by_status).filter(|(_, n)| **n != 0) {
                hand.run(sql::MOVED, params![engine, status.as_str(), more])?;
            }
        }
        Ok(())
    }
}
