//! Durable background work inside a program.
//!
//! Loom takes a task (a command, an AI tool with a prompt, a call, a function), makes it durable,
//! runs it, judges and repeats it, tells what happens, cancels it cleanly, and never loses it,
//! whatever dies. It lives inside your program and in one SQLite file; there is no server.
//!
//! This is not tokio's concurrency checker of the same name.
//!
//! ```
//! use loom::{Task, TaskRequest, worker_fn};
//!
//! #[tokio::main]
//! async fn main() -> loom::Result<()> {
//! #   let home = tempfile::tempdir().unwrap();
//! #   std::env::set_current_dir(&home).unwrap();
//!     let engine = loom::open("tasks.db").await?; // creates, migrates, recovers
//!     engine.register("greet", worker_fn(async |_, task: Task| Ok(format!("hello {}", task.prompt))))?;
//!     let task = engine.submit(TaskRequest::new("greet", "world")).await?; // durable from here on
//!     println!("{}", engine.wait(task.id).await?.result); // hello world
//!     engine.close().await
//! }
//! ```
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `http` | yes | [`HttpBase`], a worker that makes calls over HTTP |
//! | `profiles` | yes | [`ToolWorker`](workers::ToolWorker), a worker that runs AI tools as their profiles say |
//! | `sqlite` | yes | [`SqliteStore`] and [`open`] |
//! | `subprocess` | yes | [`SubprocessBase`], a worker that runs commands |
//! | `testing` | no | [`testing`]: a memory store, the store conformance suite, scripted workers |
//!
//! Custom workers implement [`Worker`], custom stores [`TaskStore`]; both can do with `loom-core`
//! alone.

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "sqlite")]
mod import_go;
#[cfg(feature = "sqlite")]
mod open;

#[cfg(doctest)]
mod doctests;

pub use loom_core::{
    Account, Applied, Attempt, Batch, CallError, Cancel, CancelReason, Cancellation, Capability,
    Case, Claim, ClaimScope, Committed, CrashPolicy, Cursor, Dead, EmptyOutput, Ended, Env,
    EnvValue, Error, ErrorKind, EventType, FailureCode, GateDecision, Held, Hold, Imported,
    Instance, InstanceId, InvalidId, InvalidRequest, InvalidRule, KeptOutput, Kind, Lane, Limit,
    LimitKind, Membership, Metadata, NewTask, NoOutput, Op, Order, Outcome, OutputChunk,
    OutputError, OutputPage, OutputStore, OutputTaker, Page, Printed, Progress, ProgressReport,
    ProgressSink, Prune, QualityGate, RateLimit, Reaper, RedactStream, Redactor, Reset, Result,
    RetryPolicy, RetryReason, Rule, StatusCounts, StoreCalls, StoreError, StoreSession, Stream,
    Submitted, Task, TaskContext, TaskEvent, TaskId, TaskQuery, TaskRequest, TaskStatus, TaskStore,
    TaskSummary, TaskWaiter, Thrashing, Transition, Unreadable, WaitError, Worker, WorkerError,
    WorkerResult, WorkerType, decide, find_limit, first_bytes, jaccard_word_similarity, limits,
    table, worker_fn,
};
pub use loom_deps::{
    Clock, FakeClock, IdGen, Level, LogRecord, LogValue, Logger, NoopLogger, RecordingLogger, Rng,
    SequentialIds, Sleep, SystemClock, SystemTimer, Timer, Timestamp, TracingLogger, UuidIds,
};
pub use loom_engine::{
    Engine, EngineBuilder, EventStream, Events, Follow, ImportReport, Lagged, Subscription,
    TaskOutput, WorkerOptions, current_request_id, with_request_id,
};

#[cfg(feature = "sqlite")]
pub use import_go::{GoImport, import_go};
#[cfg(feature = "sqlite")]
pub use loom_store::{
    Durability, GoDatabase, GoPage, GoUnreadable, SqliteStore, SqliteStoreBuilder,
};
#[cfg(feature = "sqlite")]
pub use open::{DEFAULT_ENGINE, open};

#[cfg(feature = "http")]
pub use loom_workers::HttpBase;
#[cfg(any(feature = "http", feature = "subprocess"))]
pub use loom_workers::{self as workers, StreamingBase};
#[cfg(feature = "subprocess")]
pub use loom_workers::{SubprocessBase, supervisor_main};

#[cfg(feature = "testing")]
pub use loom_testkit as testing;
