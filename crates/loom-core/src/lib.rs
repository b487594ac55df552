//! What a task is and how it changes.
//!
//! This crate holds the types of loom, the one table of transitions, the decisions that follow from
//! an attempt's outcome, and the traits that workers and stores implement. It has no runtime, no
//! clock and no SQL: everything here is a value or a pure function, so that it can be read and
//! tested as such. Custom workers and stores depend on this crate alone.

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod limits;

mod apply;
mod attempt;
mod calls;
mod cancellation;
mod context;
mod decide;
mod env;
mod error;
mod event;
mod failure;
mod gate;
mod hold;
mod ids;
mod import;
mod instance;
mod op;
mod output;
mod pattern;
mod query;
mod redact;
mod request;
mod retry;
mod status;
mod store;
mod task;
mod text;
mod transition;
mod wait;
mod worker;

pub use attempt::Attempt;
pub use calls::{CallError, StoreCalls, StoreSession};
pub use cancellation::{CancelReason, Cancellation};
pub use context::{NoProgress, ProgressSink, TaskContext};
pub use decide::{Outcome, decide};
pub use env::{Env, EnvValue};
pub use error::{Error, InvalidRequest, Result};
pub use event::{EventType, ParseEventTypeError, TaskEvent};
pub use failure::{FailureCode, ParseFailureCodeError};
pub use gate::{
    Case, EmptyOutput, GateDecision, Limit, LimitKind, QualityGate, RateLimit, Reset, Rule,
    Thrashing, find_limit, jaccard_word_similarity,
};
pub use hold::{Held, Hold};
pub use ids::{Account, InstanceId, InvalidId, TaskId, WorkerType};
pub use import::Imported;
pub use instance::{Dead, Instance, Membership, Reaper};
pub use op::{
    Applied, Batch, Cancel, Capability, Claim, ClaimScope, Committed, Lane, Op, ProgressReport,
    Prune, Unreadable,
};
pub use output::{
    KeptOutput, NoOutput, OutputChunk, OutputError, OutputPage, OutputStore, OutputTaker, Printed,
    Stream,
};
pub use query::{Cursor, Order, Page, StatusCounts, TaskQuery};
pub use redact::{InvalidRule, RedactStream, Redactor};
pub use request::{NewTask, Submitted, TaskRequest};
pub use retry::{RetryPolicy, RetryReason};
pub use status::{ParseStatusError, TaskStatus};
pub use store::{StoreError, TaskStore};
pub use task::{Metadata, Progress, Task, TaskSummary};
pub use text::{first_bytes, head_and_tail};
pub use transition::{Ended, Kind, Row, Transition, table};
pub use wait::{TaskWaiter, WaitError};
pub use worker::{CrashPolicy, ErrorKind, Worker, WorkerError, WorkerResult, worker_fn};
