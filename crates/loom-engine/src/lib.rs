//! The engine: takes tasks, makes them durable, runs them, judges and repeats them, tells of them.
//!
//! The life of a task can be read in two files: `dispatch.rs` hands due tasks to attempts, never
//! more than there are free slots, and `attempt.rs` makes one attempt, top to bottom. Everything
//! that is stored passes `writer.rs`, and everything that is said about what happened comes from
//! `record.rs`, fed by what was committed.

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod admin;
mod attempt;
mod builder;
mod close;
mod context;
mod dispatch;
mod engine;
mod events;
mod follow;
mod holds;
mod import;
mod output;
mod panics;
mod progress;
mod queued;
mod record;
mod recovery;
mod registry;
mod request_id;
mod seat;
mod slots;
mod trace;
mod waiters;
mod writer;

pub use builder::EngineBuilder;
pub use engine::Engine;
pub use events::{EventStream, Events, Lagged, Subscription};
pub use follow::Follow;
pub use import::ImportReport;
pub use output::TaskOutput;
pub use registry::WorkerOptions;
pub use request_id::{current_request_id, with_request_id};
