//! The cgroup of this process under which each command has one of its own, and those that dead
//! processes left.
//!
//! It stands in the cgroup that this process is in, is there while commands run, and is locked for
//! as long: the kernel frees the lock when the process dies. Who gets the lock knows that the
//! process is dead, in whatever container it lived, and clears away what it left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use loom_core::TaskId;
use rustix::fs::{FlockOperation, flock};

use super::cgroup::{Cgroup, Seat, kill_at, remove};
use super::launch::try_place;
use super::mount::{self, Mount};
use super::process::all;

/// How the names of all homes begin.
const PREFIX: &str = "loom.";
/// How often a home is made again that somebody took for one of a dead process.
const TRIES_MAX: usize = 8;
/// How long the processes of a dead process may take to be gone once they are killed.
const CLEAR_WAIT_MAX: Duration = Duration::from_secs(5);

/// What this process knows about the place for its cgroups.
#[derive(Debug, Default)]
struct Known {
    /// Where homes can be made, or why they cannot be.
    place: Option<Result<PathBuf, String>>,
    home: Weak<Home>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { place: None, home: Weak::new() });
static HOMES: AtomicU64 = AtomicU64::new(0);

/// The cgroup under which those of the commands stand. Removed when the last command has ended.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    made: AtomicU64,
    /// The tasks whose commands run.
    held: Mutex<BTreeMap<u64, (TaskId, PathBuf)>>,
    _lock: OwnedFd,
}

/// Whether commands can have cgroups.
///
/// # Errors
/// Why they cannot.
pub(crate) fn can_hold() -> Result<(), String> {
    Home::of_this_process().map(drop)
}

/// Makes a cgroup for a command of `task`.
///
/// # Errors
/// Why this process cannot have one.
pub(crate) fn hold(task: &TaskId) -> Result<Cgroup, String> {
    Home::of_this_process()?.hold(task).map_err(|error| format!("cannot make a cgroup: {error}"))
}

/// Kills everything that the commands of `task` have started, if this process runs them.
pub(crate) fn kill_held(task: &TaskId) {
    let home = lock(&KNOWN).home.upgrade();
    if let Some(home) = home {
        let held = lock(&home.held);
        let paths = held.values().filter(|(other, _)| other == task).map(|(_, path)| path);
        paths.for_each(|path| kill_at(path));
    }
}

/// What dead processes have left: their homes with all that is in them.
pub(crate) fn dead_homes() -> Vec<Cgroup> {
    let Some((mount, own)) = mount::own() else { return Vec::new() };
    let mut paths: BTreeSet<PathBuf> = in_directory(&own).collect();
    // Those that stand elsewhere, as their owners did, are found by what still runs in them.
    let cgroups: BTreeSet<String> = all().filter_map(mount::of_process).collect();
    paths.extend(cgroups.iter().flat_map(|cgroup| homes_of(&mount, cgroup)));
    // In a home this process itself may live.
    paths.into_iter().filter(|path| !own.starts_with(path)).filter_map(dead).collect()
}

impl Home {
    fn of_this_process() -> Result<Arc<Self>, String> {
        let mut known = lock(&KNOWN);
        if let Some(home) = known.home.upgrade() {
            return Ok(home);
        }
        let home = match &known.place {
            Some(place) => Self::make(place.as_ref().map_err(Clone::clone)?),
            None => {
                let first = Self::first();
                known.place =
                    Some(first.as_ref().map(|(place, _)| place.clone()).map_err(Clone::clone));
                first.map(|(_, home)| home)
            }
        }?;
        known.home = Arc::downgrade(&home);
        Ok(home)
    }

    /// Finds the place, shows that children can be started there, and clears it.
    fn first() -> Result<(PathBuf, Arc<Self>), String> {
        let (_, place) = mount::own()
            .ok_or("no cgroup of version 2 that this process is in can be seen here")?;
        let home = Self::make(&place)?;
        let tried = home.path.join("try");
        let started = fs::create_dir(&tried).and_then(|()| try_place(File::open(&tried)?.as_fd()));
        remove(&tried, 0);
        started.map_err(|error| format!("cannot start a process in a cgroup: {error}"))?;
        clear(&place);
        Ok((place, home))
    }

    fn make(place: &Path) -> Result<Arc<Self>, String> {
        for _ in 0..TRIES_MAX {
            let number = HOMES.fetch_add(1, Ordering::Relaxed);
            let path = place.join(format!("{PREFIX}{}.{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => {}
                // A dead process had the id of this one.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(format!("cannot make a cgroup in {place:?}: {error}")),
            }
            if let Some(lock) = locked(&path) {
                let (made, held) = (AtomicU64::new(0), Mutex::default());
                return Ok(Arc::new(Self { path, made, held, _lock: lock }));
            }
        }
        Err(format!("others take the cgroups in {place:?} away"))
    }

    fn hold(self: Arc<Self>, task: &TaskId) -> io::Result<Cgroup> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(number.to_string());
        lock(&self.held).insert(number, (task.clone(), path.clone()));
        Cgroup::make(path, Seat { home: self, number })
    }

    pub(super) fn forget(&self, number: u64) {
        lock(&self.held).remove(&number);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        remove(&self.path, 1);
    }
}

/// Ends what dead processes left in a directory, without keeping anybody waiting.
fn clear(place: &Path) {
    let left: Vec<Cgroup> = in_directory(place).filter_map(dead).collect();
    if !left.is_empty() {
        let clear = move || left.iter().for_each(|home| home.end(CLEAR_WAIT_MAX));
        // Without a thread it is left to whoever comes next.
        let _ = thread::Builder::new().name("loom-clear".to_owned()).spawn(clear);
    }
}

/// The home at `path`, if its process is dead.
fn dead(path: PathBuf) -> Option<Cgroup> {
    let lock = locked(&path)?;
    Some(Cgroup::left(path, lock))
}

/// The lock of the home at `path`, if it is there and nobody has the lock.
fn locked(path: &Path) -> Option<OwnedFd> {
    let directory = File::open(path).ok()?;
    flock(&directory, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Somebody may have removed it before it was locked.
    let is_there = fs::metadata(path).ok()?.ino() == directory.metadata().ok()?.ino();
    is_there.then(|| directory.into())
}

/// The homes that stand in a directory.
fn in_directory(place: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| is_home(path.file_name().and_then(|name| name.to_str())))
}

/// The homes that a cgroup lies in.
fn homes_of(mount: &Mount, cgroup: &str) -> Vec<PathBuf> {
    let ends = cgroup.match_indices('/').map(|(at, _)| at).skip(1).chain([cgroup.len()]);
    let above = ends.filter_map(|end| cgroup.get(..end));
    let homes = above.filter(|path| is_home(path.rsplit('/').next()));
    homes.filter_map(|path| mount.locate(path)).collect()
}

/// Whether a home can have this name.
fn is_home(name: Option<&str>) -> bool {
    let numbers = name.and_then(|name| name.strip_prefix(PREFIX)?.split_once('.'));
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    numbers.is_some_and(|(process, home)| is_number(process) && is_number(home))
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is kept so is ever half done.
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
