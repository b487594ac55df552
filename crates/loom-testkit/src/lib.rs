//! For tests of stores, of engines and of what is built on them.
//!
//! - Whoever writes a **store** runs the conformance suite on it, by [`store_conformance!`] and a
//!   [`StoreFactory`]: one test for each guarantee that engines rely on. What the suite compares
//!   with is the model in `loom-core`.
//! - Whoever tests an **engine** gives it a [`MemoryStore`], perhaps behind a [`FaultyStore`] that
//!   fails when the test says so, and workers that do as they are told: [`scripted`],
//!   [`SequenceWorker`], [`CountingWorker`].
//! - Nothing here sleeps. A test waits for what it is about, by a [`Signal`] or by the waiting
//!   methods of the tools, and bounds the wait by [`within`]. Where it is about time, a
//!   `FakeClock` passes by [`as_time_passes`]; where it is about a task's end, there is
//!   [`assert_completed`].
//!
//! A store's tests, as a whole (a file-based store would hold its temporary directory in the
//! factory):
//!
//! ```
//! use async_trait::async_trait;
//! use loom_testkit::{MemoryStore, StoreFactory};
//!
//! struct InMemory;
//!
//! #[async_trait]
//! impl StoreFactory for InMemory {
//!     type Store = MemoryStore;
//!
//!     async fn create(&self) -> MemoryStore {
//!         MemoryStore::new()
//!     }
//!
//!     async fn reopen(&self, store: &MemoryStore) -> Option<MemoryStore> {
//!         Some(store.reopen())
//!     }
//! }
//!
//! mod conformance {
//!     # use super::InMemory;
//!     loom_testkit::store_conformance!(InMemory);
//! }
//! # fn main() {}
//! ```

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod conformance;

mod ends;
mod faulty;
mod memory;
mod signal;
mod time;
mod within;
mod workers;

pub use conformance::StoreFactory;
pub use ends::{assert_completed, assert_ended};
pub use faulty::{Faults, FaultyStore, Gate};
pub use memory::MemoryStore;
pub use signal::Signal;
pub use time::as_time_passes;
pub use within::within;
pub use workers::{
    AttemptHandle, CountingWorker, Counts, Script, ScriptedWorker, SequenceWorker, scripted,
};
