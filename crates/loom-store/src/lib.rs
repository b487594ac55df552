//! Tasks in SQLite: one writer, group commits, OS locks for liveness.
//!
//! [`SqliteStore`] keeps the tasks of any number of engines and processes in one file, or in memory
//! for tests. A batch of changes lands as one transaction, however many tasks it is about; reads go
//! through connections of their own and never wait for it. The meaning
//! of every change is that of `loom-core`, whose model the tests of this crate compare with.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod commit;
mod connection;
mod error;
mod go;
mod hand;
mod locks;
mod membership;
mod open;
mod options;
mod origin;
mod outcome;
mod output;
mod place;
mod plan;
mod raw;
mod read;
mod readers;
mod record;
mod row;
mod setup;
mod sql;
mod store;
mod writer;

pub use go::{GoDatabase, GoPage, GoUnreadable};
pub use options::{Durability, SqliteStoreBuilder};
pub use store::SqliteStore;
