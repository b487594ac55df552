//! Workers that run commands as processes of this machine, and workers that make calls over HTTP.
//!
//! [`SubprocessBase`] is told by a [`Resolver`] which [`Command`] a task stands for, runs it without
//! a shell, takes in what it prints while it prints it, and ends everything that it started: when it
//! is told to stop, and also when the command itself has ended. [`CommandLine`] is the resolver for
//! tasks that say themselves what to run; [`command_request`] makes such tasks.
//!
//! ```
//! use loom_core::{Task, WorkerError};
//! use loom_workers::{Command, Stdin, SubprocessBase};
//!
//! let summaries = SubprocessBase::new(|task: &Task| {
//!     Ok(Command::new("wc").arg("-w").stdin(Stdin::text(task.prompt.as_str())))
//! });
//! # let _: &dyn loom_core::Worker = &summaries;
//! ```
//!
//! [`ToolWorker`] runs AI tools and understands what they write (feature `profiles`, on by default),
//! told by a [`ToolProfile`] how each is started and read.
//!
//! [`HttpBase`] makes calls over HTTP instead (feature `http`, on by default), told by an
//! [`HttpResolver`] which [`HttpRequest`] a task stands for. [`StreamingBase`] wraps any worker and
//! hands each line of it to a callback, as it comes.
//!
//! For Unix. What depends on the operating system stands in one small module for each; Linux is the
//! one on which nothing that a command started gets away.

#![deny(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod keys;

mod base;
mod capture;
mod child;
mod command;
mod command_line;
mod environment;
mod follow;
mod hold;
#[cfg(feature = "http")]
mod http;
mod intake;
mod launch;
mod leader;
mod leftovers;
mod lines;
mod orphans;
mod os;
mod outcome;
mod pipes;
mod process;
#[cfg(feature = "profiles")]
mod profile;
mod runner;
mod signals;
mod start_error;
mod streaming;
mod sweep;
mod time;
mod tree;
mod tree_mode;
mod wait;

#[doc(inline)]
pub use loom_supervisor::supervisor_main;

pub use base::{SubprocessBase, TERM_GRACE};
pub use capture::Capture;
pub use command::{Command, Inherit, Resolver, Stdin};
pub use command_line::{CommandLine, command_request};
pub use environment::{ATTEMPT_VARIABLE, Environment, TASK_ID_VARIABLE, TRACE_VARIABLE};
#[cfg(feature = "http")]
pub use http::{
    BACKOFF_BASE, BACKOFF_MAX, BODY_BYTES_MAX, CONNECT_TIMEOUT, HEADERS_BYTES_MAX, HEADERS_MAX,
    HttpBase, HttpBody, HttpClient, HttpError, HttpEvent, HttpRequest, HttpResolver, HttpResponse,
    IDEMPOTENCY_HEADER, IDLE_TIMEOUT, NetworkClient, REDIRECTS_MAX, RETRY_AFTER_MAX, TRACE_HEADER,
    keys as http_keys,
};
pub use intake::{Intake, OutputSink, STDERR_BYTES_MAX};
pub use leftovers::{Leftovers, kill_tree};
pub use lines::{LINE_BYTES_MAX, Lines};
pub use process::{ProcessRunner, RUN_VARIABLE};
#[cfg(feature = "profiles")]
pub use profile::{EVENT_BYTES_MAX, ProfileError, ToolProfile, ToolWorker, keys as profile_keys};
pub use runner::{Exit, ExitStatus, Run, Runner, Usage};
pub use streaming::StreamingBase;
pub use time::Time;
pub use tree_mode::{TreeMode, TreeUnavailable};
