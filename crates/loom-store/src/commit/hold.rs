//! Accounts that are held back.

use loom_core::{Applied, Held, Hold};
use loom_deps::Timestamp;
use rusqlite::params;

use super::Hand;
use crate::error::Fault;
use crate::row::Fields;
use crate::sql;

impl Hand<'_> {
    /// Holds an account, or releases it. Holds that are over go with that.
    pub(super) fn hold(self, hold: &Hold) -> Result<Applied, Fault> {
        let Hold { account, until, at } = hold;
        let released = until.is_none().then_some(account.as_str());
        self.run(sql::RELEASE, params![released, at.as_micros()])?;
        if let Some(until) = until.filter(|until| until > at) {
            self.run(sql::HOLD, params![account.as_str(), until.as_micros()])?;
        }
        let held = self.holds(*at)?.into_iter().find(|held| held.account == *account);
        Ok(Applied::Held(held.map(|held| held.until)))
    }

    /// The accounts that are held for longer than to a moment, in the order of their names.
    pub(crate) fn holds(self, now: Timestamp) -> Result<Vec<Held>, Fault> {
        self.each(sql::HOLDS, [now.as_micros()], |row| {
            let mut fields = Fields::of(row);
            let account: &str = fields.take()?;
            Ok(Held { account: account.into(), until: Timestamp::from_micros(fields.take()?) })
        })
    }
}
