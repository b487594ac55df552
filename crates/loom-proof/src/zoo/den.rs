//! The directory of one case: where an animal's processes leave their tracks.
//!
//! | file | what for |
//! |---|---|
//! | `pids` | each process adds its id and start time as the first thing it does |
//! | `alive` | each process holds a shared lock on it, which the kernel frees |
//! | `here` | a pipe: a byte for each process that is where it wanted to be |
//! | `leave` | a pipe: a byte lets the first process go |
//! | `trouble` | what a process could not do |
//!
//! The path of the directory stands in the arguments of the processes, and it is where they work.
//! So a process is found by four tracks, and none of them is loom's own mark.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};

use crate::zoo::proc::Process;

/// A directory for one animal.
#[derive(Clone, Debug)]
pub struct Den {
    path: PathBuf,
}

impl Den {
    /// The den at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the directory and the pipes in it.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn dig(&self) -> io::Result<Pipes> {
        fs::create_dir(&self.path)?;
        File::create(self.path.join("pids"))?;
        File::create(self.path.join("alive"))?;
        Ok(Pipes { here: self.pipe("here")?, leave: self.pipe("leave")? })
    }

    fn pipe(&self, name: &str) -> io::Result<File> {
        let path = self.path.join(name);
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR)?;
        // Open at both ends, so that neither opening nor reading ever meets nobody.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::open(&path, flags, Mode::empty())?))
    }

    /// Leaves the tracks of the running process. They last as long as what is returned is held.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn enter(&self) -> io::Result<File> {
        let me = Process::me()?;
        self.append("pids", &format!("{} {}\n", me.pid, me.start_time))?;
        let alive = File::open(self.path.join("alive"))?;
        alive.lock_shared()?;
        Ok(alive)
    }

    /// The processes that have left their tracks, each once.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn entered(&self) -> io::Result<Vec<Process>> {
        let text = fs::read_to_string(self.path.join("pids"))?;
        let mut all: Vec<Process> = text.lines().filter_map(Process::parse).collect();
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// Whether a process that has left its tracks lives, whoever it is.
    ///
    /// # Errors
    /// If the lock cannot be asked for.
    pub fn is_inhabited(&self) -> io::Result<bool> {
        let alive = File::open(self.path.join("alive"))?;
        match alive.try_lock() {
            Ok(()) => Ok(false),
            Err(fs::TryLockError::WouldBlock) => Ok(true),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Says that the running process is where it wanted to be.
    ///
    /// # Errors
    /// If nobody can be told.
    pub fn here(&self) -> io::Result<()> {
        File::options().write(true).open(self.path.join("here"))?.write_all(b".")
    }

    /// Waits until the running process may go.
    ///
    /// # Errors
    /// If nobody can say.
    pub fn leave(&self) -> io::Result<()> {
        File::open(self.path.join("leave"))?.read_exact(&mut [0])
    }

    /// Keeps what a process could not do.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn complain(&self, trouble: &str) -> io::Result<()> {
        self.append("trouble", &format!("{trouble}\n"))
    }

    /// What processes could not do.
    #[must_use]
    pub fn complaints(&self) -> String {
        // The file is there only if there was trouble.
        fs::read_to_string(self.path.join("trouble")).unwrap_or_default()
    }

    fn append(&self, name: &str, line: &str) -> io::Result<()> {
        let file = File::options().append(true).create(true).open(self.path.join(name));
        // One write, so that the lines of several processes do not mix.
        file?.write_all(line.as_bytes())
    }
}

/// The judge's ends of the pipes in a den.
#[derive(Debug)]
pub struct Pipes {
    here: File,
    leave: File,
}

impl Pipes {
    /// Waits until so many processes have said that they are where they wanted to be, each time at
    /// most for `limit`. Returns how many it were.
    ///
    /// # Errors
    /// If the pipe cannot be read.
    pub fn await_crew(&mut self, crew: usize, limit: Duration) -> io::Result<usize> {
        let mut seen = 0;
        let mut bytes = [0; 512];
        while seen < crew && is_readable(&self.here, limit)? {
            seen += self.here.read(&mut bytes)?;
        }
        Ok(seen)
    }

    /// Lets the first process go.
    ///
    /// # Errors
    /// If the pipe cannot be written.
    pub fn let_go(&mut self) -> io::Result<()> {
        self.leave.write_all(b".")
    }
}

fn is_readable(file: &File, limit: Duration) -> io::Result<bool> {
    let mut files = [PollFd::new(file, PollFlags::IN)];
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    Ok(poll(&mut files, Some(&limit))? > 0)
}
