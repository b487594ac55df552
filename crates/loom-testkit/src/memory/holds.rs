//! The accounts of a place that are held back.

use std::collections::BTreeMap;

use loom_core::{Account, Claim, Held, Hold};
use loom_deps::Timestamp;

/// Until when each account is held. Some may be over.
#[derive(Default)]
pub(super) struct Holds(BTreeMap<Account, Timestamp>);

impl Holds {
    /// Holds an account, or releases it; until when it is held then.
    pub(super) fn apply(&mut self, hold: &Hold) -> Option<Timestamp> {
        let Hold { account, until, at } = hold;
        self.0.retain(|_, until| *until > *at);
        match until {
            Some(until) if until > at => {
                let held = self.0.entry(account.clone()).or_insert(*until);
                *held = (*held).max(*until);
            }
            Some(_) => {}
            None => drop(self.0.remove(account)),
        }
        self.0.get(account).copied()
    }

    /// Those that count for a claim.
    pub(super) fn of(&self, claim: &Claim) -> Vec<Held> {
        let named =
            |account: &Account| claim.lanes.iter().any(|lane| lane.accounts.contains(account));
        let mut held = self.all();
        held.retain(|held| held.until > claim.now && named(&held.account));
        held
    }

    pub(super) fn all(&self) -> Vec<Held> {
        let held = self.0.iter();
        held.map(|(account, until)| Held { account: account.clone(), until: *until }).collect()
    }
}
