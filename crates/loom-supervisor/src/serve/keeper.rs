//! What a supervisor has of a command that survives: its directory, its output, its door.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::spool::Spool;
use crate::directory::{Directory, Lock, Names, STDERR_FILE, STDOUT_FILE};
use crate::identity::Identity;
use crate::limits::LAST_READS_MAX;
use crate::report::{Report, State};

#[derive(Debug)]
pub(super) struct Keeper {
    directory: Directory,
    /// Says to others that this process lives.
    _lock: Lock,
    pub(super) door: UnixListener,
    pub(super) stdout: Spool,
    pub(super) stderr: Spool,
}

impl Keeper {
    /// Takes the directory for this command alone. Nobody else can from then on, and those who come
    /// to adopt find that the command is about to be started.
    pub(super) fn claim(path: &Path, cap_bytes: u64, own: &Identity) -> io::Result<Self> {
        let taken = || io::Error::new(io::ErrorKind::AlreadyExists, "it was used before");
        let directory = Directory::open(path)?;
        let mut lock = directory.lock()?.ok_or_else(taken)?;
        if !lock.mark()? {
            return Err(taken());
        }
        let stdout = Spool::new(directory.create(STDOUT_FILE)?, cap_bytes);
        let stderr = Spool::new(directory.create(STDERR_FILE)?, cap_bytes);
        let door = directory.listen()?;
        door.set_nonblocking(true)?;
        let keeper = Self { directory, _lock: lock, door, stdout, stderr };
        keeper.name(own, None)?;
        Ok(keeper)
    }

    /// Says who runs the command.
    pub(super) fn name(&self, own: &Identity, command: Option<&Identity>) -> io::Result<()> {
        let names = Names { supervisor: own.clone(), command: command.cloned() };
        self.directory.write_names(&names)
    }

    /// Where the command is to write its output and its errors.
    pub(super) fn pipes(&mut self) -> io::Result<(OwnedFd, OwnedFd)> {
        Ok((self.stdout.open()?, self.stderr.open()?))
    }

    pub(super) fn state(&self, is_ending: bool) -> State {
        let (stdout, stderr) = (self.stdout.printed.clone(), self.stderr.printed.clone());
        State { is_ending, stdout, stderr }
    }

    /// Who wants to be let in.
    pub(super) fn visitor(&self) -> Option<UnixStream> {
        self.door.accept().ok().map(|(stream, _)| stream)
    }

    /// Takes in and flushes the rest of the output, when nobody is left who could write more.
    pub(super) fn finish(&mut self) {
        for spool in [&mut self.stdout, &mut self.stderr] {
            spool.fill(LAST_READS_MAX);
            spool.flush();
        }
    }

    pub(super) fn report(&self, report: &Report) -> io::Result<()> {
        self.directory.write_report(report)
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        // What is left behind is only a name.
        let _ = self.directory.remove_socket();
    }
}
