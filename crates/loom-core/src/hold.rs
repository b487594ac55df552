//! Accounts that are held back until their limits reset.

use loom_deps::Timestamp;

use crate::ids::Account;

/// Holds an account back, or releases it.
///
/// Holds are kept with the tasks: they count for every instance and engine of the store, and outlive
/// all of them. Those that are over are forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Who is charged.
    pub account: Account,
    /// Until when no task that is charged to it is claimed. A hold that lasts longer stays as it
    /// is. `None` ends it at once.
    pub until: Option<Timestamp>,
    /// When this was asked for.
    pub at: Timestamp,
}

/// An account that is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who is charged.
    pub account: Account,
    /// The first moment at which its tasks are claimed again.
    pub until: Timestamp,
}
