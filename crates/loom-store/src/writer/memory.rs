//! What an instance has sent last.

use std::sync::{Arc, Mutex, PoisonError};

use loom_core::StoreError;

use crate::outcome::Outcome;

/// What an instance has sent last, so that it can be sent again.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Option<Sent>>);

#[derive(Clone, Debug)]
struct Sent {
    number: u64,
    outcome: Arc<Outcome>,
    /// Whether the commit is known to have happened.
    committed: bool,
}

impl Memory {
    fn get(&self) -> Option<Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep(&self, number: u64, outcome: &Arc<Outcome>, committed: bool) {
        let sent = Sent { number, outcome: Arc::clone(outcome), committed };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
    }

    /// The outcome of batch `number`, if it is known to have been committed.
    pub(super) fn known(&self, number: u64) -> Result<Option<Arc<Outcome>>, StoreError> {
        match self.get().filter(|sent| sent.committed) {
            Some(sent) if sent.number == number => Ok(Some(sent.outcome)),
            Some(sent) if sent.number > number => Err(out_of_order(number)),
            _ => Ok(None),
        }
    }

    /// Whether batch `number` was sent before and may have been committed.
    pub(super) fn may_have_sent(&self, number: u64) -> bool {
        self.get().is_some_and(|sent| sent.number == number && !sent.committed)
    }

    /// The outcome that batch `number` must have had, now that it turns out to be committed.
    pub(super) fn confirm(&self, number: u64) -> Result<Arc<Outcome>, StoreError> {
        let sent = self.get().filter(|sent| sent.number == number);
        let outcome = sent.ok_or_else(|| out_of_order(number))?.outcome;
        self.keep(number, &outcome, true);
        Ok(outcome)
    }
}

fn out_of_order(number: u64) -> StoreError {
    let why = format!("the number {number} was used before, for a batch that is not the latest");
    StoreError::Unavailable { source: why.into() }
}
