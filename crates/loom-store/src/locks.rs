//! Who is alive: an instance holds a lock as long as it lives.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use loom_core::InstanceId;

/// Where the locks of a store's instances are.
#[derive(Clone, Debug)]
pub(crate) enum Locks {
    /// A file for each instance, which the kernel unlocks when its process dies.
    Files { directory: PathBuf },
    /// Within one process, for a database that nobody else can see.
    Memory(Arc<Mutex<HashSet<InstanceId>>>),
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "the files are kept for the locks on them")]
pub(crate) enum Hold {
    Files(Vec<File>),
    Memory(Held),
}

#[derive(Debug)]
pub(crate) struct Held {
    all: Arc<Mutex<HashSet<InstanceId>>>,
    id: InstanceId,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Locks {
    /// What to note in the database as the place of an instance's lock.
    pub(crate) fn place(&self, id: &InstanceId) -> String {
        match self {
            Self::Files { directory } => file(directory, id).to_string_lossy().into_owned(),
            Self::Memory(_) => String::new(),
        }
    }

    /// Takes the lock of an instance, which was noted to be at `noted`. `None`: it is held.
    ///
    /// A file that is missing is made: nobody holds what is not there. A database that was copied
    /// or moved names locks elsewhere: an instance that still holds its lock there is alive, for
    /// its processes are, and so is one that holds the lock here under another name of the
    /// directory. Only who holds neither is dead.
    pub(crate) fn take(&self, id: &InstanceId, noted: &str) -> io::Result<Option<Hold>> {
        match self {
            Self::Files { directory } => take_files(&file(directory, id), Path::new(noted)),
            Self::Memory(all) => {
                let is_free = all.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
                let held = || Held { all: Arc::clone(all), id: id.clone() };
                Ok(is_free.then(|| Hold::Memory(held())))
            }
        }
    }

    /// Removes what is left of the lock of an instance that will not come back.
    pub(crate) fn remove(&self, id: &InstanceId) {
        if let Self::Files { directory } = self {
            // A file that stays is of no consequence: without a row nobody asks for it.
            let _ = fs::remove_file(file(directory, id));
        }
    }
}

fn take_files(here: &Path, noted: &Path) -> io::Result<Option<Hold>> {
    let Some(own) = lock(private().create(true).truncate(false).open(here)?)? else {
        return Ok(None);
    };
    // Nothing but a plain file is opened on the word of a database.
    let is_file = noted.is_absolute() && fs::metadata(noted).is_ok_and(|meta| meta.is_file());
    if !is_file || is_same(&own, here, noted)? {
        return Ok(Some(Hold::Files(vec![own])));
    }
    let other = lock(OpenOptions::new().read(true).open(noted)?)?;
    Ok(other.map(|other| Hold::Files(vec![own, other])))
}

/// Whether both paths lead to the file that is open, as they do where a directory has two names.
#[cfg(unix)]
fn is_same(open: &File, _here: &Path, noted: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let (one, other) = (open.metadata()?, fs::metadata(noted)?);
    Ok(one.dev() == other.dev() && one.ino() == other.ino())
}

#[cfg(not(unix))]
fn is_same(_open: &File, here: &Path, noted: &Path) -> io::Result<bool> {
    Ok(here.canonicalize()? == noted.canonicalize()?)
}

fn lock(file: File) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// How files that are for this user alone are opened: their mode is right from the first instant.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The lock file of an instance. An id may hold anything but control characters, so what could lead
/// out of the directory is written as its code.
fn file(directory: &Path, id: &InstanceId) -> PathBuf {
    let mut name = String::with_capacity(id.as_str().len() + 5);
    for byte in id.as_str().bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name.push_str(".lock");
    directory.join(name)
}
