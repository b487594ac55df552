//! Signals to the supervisor, as files that can be waited for.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{FORBIDDEN, SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::{flag, low_level::pipe};

use crate::proc;

/// What asks a supervisor to end the command.
const ENDS: [i32; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];

/// How many signals there are.
const SIGNALS: i32 = 64;

#[derive(Debug)]
pub(super) struct Signals {
    /// Readable after a child has ended.
    pub(super) children: UnixStream,
    /// Readable after this process was asked to end.
    pub(super) ends: UnixStream,
}

impl Signals {
    /// Sees to it that no signal is ignored: what is ignored stays so in the command, but what is
    /// handled is not. And an ignored `SIGCHLD` would lose the status of the leader.
    pub(super) fn take() -> io::Result<Self> {
        let (children, child_ended) = pair()?;
        pipe::register(SIGCHLD, child_ended)?;
        let (ends, asked) = pair()?;
        for signal in ENDS {
            pipe::register(signal, asked.try_clone()?)?;
        }
        // A file that may not grow is an error of its write, and no reason to die.
        flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let ignored = proc::ignored_signals();
        // The one that Rust itself ignores it also restores.
        let is_ours = |signal: &i32| *signal != SIGPIPE && !FORBIDDEN.contains(signal);
        for signal in (1..=SIGNALS).filter(|signal| ignored >> (signal - 1) & 1 == 1) {
            if is_ours(&signal) {
                // Fails for the two that belong to the C library.
                let _ = flag::register(signal, Arc::new(AtomicBool::new(false)));
            }
        }
        Ok(Self { children, ends })
    }
}

fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    Ok((reader, writer))
}

/// Makes the file unreadable until the next signal.
pub(super) fn take_in(mut file: &UnixStream) {
    let mut buffer = [0; 64];
    while file.read(&mut buffer).is_ok_and(|length| length == buffer.len()) {}
}
