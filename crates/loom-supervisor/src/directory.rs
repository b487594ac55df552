//! The directory of a command that survives: what both sides write and read there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fsync, openat, renameat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::umask;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::report::Report;

/// The file with the standard output of a command that survives.
pub const STDOUT_FILE: &str = "stdout";
/// The file with its standard error.
pub const STDERR_FILE: &str = "stderr";
/// The file that says who runs it.
pub const STATE_FILE: &str = "state.json";
/// The file that says what became of it.
pub const STATUS_FILE: &str = "status.json";

const LOCK_FILE: &str = "lock";
const SOCKET_FILE: &str = "socket";
const TEMPORARY_SUFFIX: &str = ".new";

/// Readable by nobody else.
const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
/// What the socket must not be open to.
const OTHERS: Mode = Mode::from_raw_mode(0o177);
/// No file of ours is longer.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Who runs a command that survives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    pub(crate) supervisor: Identity,
    /// Not there before it is started.
    pub(crate) command: Option<Identity>,
}

/// The directory, held open so that it may be moved and its path be as long as it likes.
#[derive(Debug)]
pub(crate) struct Directory {
    handle: OwnedFd,
    pub(crate) path: PathBuf,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let handle = openat(CWD, path, flags, Mode::empty())?;
        Ok(Self { handle, path: path.to_owned() })
    }

    /// Takes the lock, if nobody holds it.
    pub(crate) fn lock(&self) -> io::Result<Option<Lock>> {
        let file = self.file(LOCK_FILE, OFlags::CREATE | OFlags::RDWR)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A file that was not there before, to write at its end.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::APPEND)
    }

    pub(crate) fn listen(&self) -> io::Result<UnixListener> {
        // The mode of a socket can be given in no other way. Nothing else is created meanwhile, and
        // the command is to have the mask that this process was given.
        let before = umask(OTHERS);
        let listener = UnixListener::bind(self.socket());
        umask(before);
        listener
    }

    pub(crate) fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(self.socket())
    }

    pub(crate) fn remove_socket(&self) -> io::Result<()> {
        Ok(unlinkat(&self.handle, SOCKET_FILE, AtFlags::empty())?)
    }

    /// The path of a socket may have 107 bytes, and this one always has fewer.
    fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{SOCKET_FILE}", self.handle.as_raw_fd()))
    }

    /// Says who runs the command. Only of use until the next boot, so it is not flushed.
    pub(crate) fn write_names(&self, names: &Names) -> io::Result<()> {
        self.write(STATE_FILE, names).map(drop)
    }

    /// What the file says; nothing, if it is not there, or was cut off by the loss of power.
    pub(crate) fn names(&self) -> io::Result<Option<Names>> {
        self.read(STATE_FILE).map(|bytes| serde_json::from_slice(&bytes?).ok())
    }

    /// Says what became of the command, for good.
    pub(crate) fn write_report(&self, report: &Report) -> io::Result<()> {
        self.write(STATUS_FILE, report)?;
        Ok(fsync(&self.handle)?)
    }

    pub(crate) fn report(&self) -> io::Result<Option<Report>> {
        self.parse(STATUS_FILE)
    }

    fn write(&self, name: &str, content: &impl Serialize) -> io::Result<()> {
        let temporary = format!("{name}{TEMPORARY_SUFFIX}");
        let mut file = self.file(&temporary, OFlags::CREATE | OFlags::TRUNC | OFlags::WRONLY)?;
        file.write_all(&serde_json::to_vec(content)?)?;
        if name == STATUS_FILE {
            file.sync_all()?;
        }
        Ok(renameat(&self.handle, &temporary, &self.handle, name)?)
    }

    fn parse<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let Some(bytes) = self.read(name)? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_slice(&bytes)?))
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match self.file(name, OFlags::RDONLY) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(openat(self.handle.as_fd(), name, flags, FILE_MODE)?.into())
    }
}

/// The right to say that the command runs, or that it never will. Let go when dropped, and by the
/// kernel when its holder dies.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Leaves a mark. Whether there was none before.
    pub(crate) fn mark(&mut self) -> io::Result<bool> {
        let is_first = self.0.metadata()?.len() == 0;
        if is_first {
            self.0.write_all(b"taken\n")?;
        }
        Ok(is_first)
    }
}
