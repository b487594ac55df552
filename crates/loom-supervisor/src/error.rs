//! What can go wrong between a program and its supervisors.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a command was not started. Nothing of it runs, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The running program does not call [`supervisor_main`](crate::supervisor_main).
    #[error(
        "this program cannot be its own supervisor: call `supervisor_main()` first thing in \
         `main`, or name a `loom-supervisor` binary"
    )]
    NotAHost,
    /// What is to be run cannot be said.
    #[error("the command cannot be run as it is: {0}")]
    Invalid(&'static str),
    /// The program that is to be the supervisor was not started.
    #[error("cannot run {program:?} as a supervisor")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program that was started is no supervisor. It was killed.
    #[error("{program:?} is no supervisor: {reason}; name a `loom-supervisor` binary")]
    NoSupervisor {
        /// The program.
        program: PathBuf,
        /// How that was found out.
        reason: String,
    },
    /// The supervisor talks in another way. It was killed.
    #[error(
        "the supervisor {program:?} speaks version {found}, this program version {wanted}; \
         install both from one release"
    )]
    Version {
        /// The program.
        program: PathBuf,
        /// The supervisor's version.
        found: u32,
        /// The version of this program.
        wanted: u32,
    },
    /// This system lacks what a supervisor needs.
    #[error("this system cannot supervise commands (it takes Linux 5.3 with /proc)")]
    Kernel(#[source] io::Error),
    /// The directory of a command that survives cannot be used, or was used before.
    #[error("cannot keep a command in {path:?}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The working directory cannot be entered.
    #[error("cannot work in {path:?}")]
    Cwd {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system would not run the command.
    #[error("cannot run {program:?}")]
    Command {
        /// The command's program.
        program: std::ffi::OsString,
        /// Why.
        source: io::Error,
    },
    /// The supervisor did not tell in time whether the command runs, as when the command has stopped
    /// it at once. It was told to end the command.
    #[error("the supervisor did not start the command within {0:?}")]
    Late(Duration),
    /// The supervisor was lost while it started the command.
    #[error("lost the supervisor while it started the command")]
    Lost(#[source] io::Error),
}

/// The supervisor is gone without having said what became of the command, or cannot be reached.
///
/// Of the command everything may still run: find it by the environment that it was given.
#[derive(Debug, thiserror::Error)]
#[error("lost the supervisor of process {command}; what it started may still run")]
#[non_exhaustive]
pub struct LostError {
    /// The id that the command's leader had.
    pub command: i32,
    /// How the connection ended.
    pub source: io::Error,
}

/// Why it is not known what became of a command that was to survive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The directory cannot be used.
    #[error("cannot use {path:?}, where a command was kept")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file in the directory does not say what it should.
    #[error("cannot read {path:?}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The supervisor lives in another container.
    #[error("the supervisor of {path:?} lives in another namespace of process ids; adopt it there")]
    Elsewhere {
        /// The directory.
        path: PathBuf,
    },
    /// Some supervisor lives, but the one that the directory names is gone. Nothing was signalled.
    #[error("the process that supervises {path:?} is not the one that its files name")]
    WrongProcess {
        /// The directory.
        path: PathBuf,
    },
    /// The supervisor talks in another way.
    #[error(
        "the supervisor of {path:?} speaks version {found}, this program version {wanted}; adopt it \
         with the release that started it"
    )]
    Version {
        /// The directory.
        path: PathBuf,
        /// The supervisor's version.
        found: u32,
        /// The version of this program.
        wanted: u32,
    },
    /// The supervisor lives but does not answer.
    #[error("the supervisor of {path:?} lives but does not answer; ask again")]
    Silent {
        /// The directory.
        path: PathBuf,
        /// What went wrong last.
        source: io::Error,
    },
}
