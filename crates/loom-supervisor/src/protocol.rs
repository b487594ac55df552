//! What is said between a supervisor and those that it works for.

use std::io;
use std::time::Instant;

use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::report::{Report, State};

/// The number of this way to talk. It grows with every change that an older side would not
/// understand.
pub(crate) const VERSION: u32 = 1;

/// The only argument of a process that is to be a supervisor.
pub(crate) const ARGUMENT: &str = "--loom-supervisor";

/// What a client says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// The first word of every client.
    Hello { version: u32, nonce: String },
    /// Run this. Bytes follow: texts, each ended by a NUL. So do the open files.
    Start(Outline),
    /// End everything.
    End { grace_ms: u64 },
    /// Send a signal to the leader's process group.
    Signal { signal: i32 },
    /// Say the state: at once, or when more was printed than this.
    Tell { beyond: Option<(u64, u64)> },
}

/// What the texts and open files of a start are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outline {
    /// How many texts are the program, the name that it is told, and its arguments.
    pub(crate) args: usize,
    /// How many texts after those are variables, `NAME=value`.
    pub(crate) variables: usize,
    /// Whether there are files for standard input, output and error, in this order.
    pub(crate) files: [bool; 3],
    pub(crate) grace_ms: u64,
    /// The most bytes that each stream may have in its file, if the command is to survive. Its
    /// directory is the last of the texts, after the working directory.
    pub(crate) cap_bytes: Option<u64>,
}

/// What a supervisor says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// It is one. `command` is there if it has started its command.
    Hi {
        version: u32,
        nonce: String,
        supervisor: Identity,
        command: Option<Identity>,
    },
    Started {
        command: Identity,
    },
    /// It cannot do what it was started for, and ends.
    Refused(Refusal),
    State(State),
    /// Its last word.
    Ended(Report),
}

/// Why a supervisor cannot run a command.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) what: Step,
    pub(crate) errno: Option<i32>,
    pub(crate) text: String,
}

/// What a supervisor was about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// To become one.
    Kernel,
    /// To use the directory of a command that survives.
    Directory,
    /// To change to the working directory.
    Cwd,
    /// To run the program.
    Command,
}

impl Refusal {
    pub(crate) fn new(what: Step, error: &io::Error) -> Self {
        Self { what, errno: error.raw_os_error(), text: error.to_string() }
    }

    pub(crate) fn into_error(self) -> io::Error {
        self.errno.map_or_else(|| io::Error::other(self.text), io::Error::from_raw_os_error)
    }
}

/// Sixteen bytes that nobody can guess, as text.
pub(crate) fn nonce() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Until when, if it lasts this long from now on. A wait that cannot be counted has no end.
pub(crate) fn after(millis: u64) -> Option<Instant> {
    Instant::now().checked_add(std::time::Duration::from_millis(millis))
}
