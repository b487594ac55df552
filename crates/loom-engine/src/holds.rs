//! Holding accounts back, and releasing them.

use loom_core::{Account, Applied, Capability, Held, Hold, Result, StoreError};
use loom_deps::Timestamp;

use crate::engine::Engine;
use crate::registry::check_account;

impl Engine {
    /// Starts no task of `account` before `until`: not here, and in no other engine of the store,
    /// also after a restart. A hold that lasts longer stays as it is. Attempts under way go on.
    ///
    /// An attempt that meets a usage limit does this by itself, if the limit says when it resets.
    ///
    /// Returns until when the account is held now; `None` if `until` is over.
    ///
    /// # Errors
    /// [`Error::Invalid`](loom_core::Error::Invalid) for a name that cannot be one,
    /// [`Error::Store`](loom_core::Error::Store) if the store failed or cannot hold accounts.
    pub async fn hold(
        &self,
        account: impl Into<Account>,
        until: Timestamp,
    ) -> Result<Option<Timestamp>> {
        self.set_hold(account.into(), Some(until)).await
    }

    /// Ends the hold of an account at once: its tasks that wait are started. Those that have a due
    /// time of their own keep it, as the one does that met the limit.
    ///
    /// # Errors
    /// As [`hold`](Engine::hold).
    pub async fn release(&self, account: impl Into<Account>) -> Result<()> {
        self.set_hold(account.into(), None).await.map(|_| ())
    }

    /// The accounts that are held, whoever asked for it, in the order of their names.
    ///
    /// # Errors
    /// [`Error::Store`](loom_core::Error::Store) if the store cannot be read.
    pub async fn holds(&self) -> Result<Vec<Held>> {
        let now = self.cx().now();
        let mut held = self.cx().store.holds().await?;
        held.retain(|held| held.until > now);
        Ok(held)
    }

    async fn set_hold(
        &self,
        account: Account,
        until: Option<Timestamp>,
    ) -> Result<Option<Timestamp>> {
        let cx = self.cx();
        check_account(&account)?;
        if !cx.can_hold() {
            return Err(StoreError::Unsupported(Capability::Hold).into());
        }
        let receipt = cx.writer.hold(Hold { account, until, at: cx.now() }).await?;
        match receipt.applied {
            Applied::Held(until) => Ok(until),
            _ => Ok(None),
        }
    }
}
