//! Commands that nobody follows any more: their attempts were dropped.
//!
//! A thread of its own waits for their ends, as there may be no runtime any more. It is there only
//! while there is something to wait for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::Pid;

use crate::tree::Tree;
use crate::wait;

/// How soon it is looked whether killed commands have ended. Each time it takes twice as long.
const LOOK_SOON: Duration = Duration::from_millis(1);
/// How often it is looked at least.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// A command that nobody follows any more.
#[derive(Debug)]
pub(crate) struct Orphan {
    pub(crate) leader: Pid,
    pub(crate) tree: Arc<Tree>,
}

/// All of them, and whether there is a thread that sees to them.
#[derive(Debug)]
struct Orphanage {
    orphans: Vec<Orphan>,
    is_attended: bool,
}

static ORPHANAGE: Mutex<Orphanage> =
    Mutex::new(Orphanage { orphans: Vec::new(), is_attended: false });

/// Kills a command with all that it started, and has its end waited for.
pub(crate) fn end(orphan: Orphan) {
    orphan.tree.kill();
    let mut orphanage = orphanage();
    orphanage.orphans.push(orphan);
    if !orphanage.is_attended {
        // If there is no thread to be had, the next one who comes tries again.
        let thread = thread::Builder::new().name("loom-orphans".to_owned()).spawn(attend);
        orphanage.is_attended = thread.is_ok();
    }
}

fn attend() {
    let mut wait = LOOK_SOON;
    let mut mine = Vec::new();
    loop {
        let mut orphanage = orphanage();
        if !orphanage.orphans.is_empty() {
            wait = LOOK_SOON;
        }
        mine.append(&mut orphanage.orphans);
        if mine.is_empty() {
            orphanage.is_attended = false;
            return;
        }
        drop(orphanage);
        mine.retain(|orphan| !orphan.is_gone());
        if !mine.is_empty() {
            thread::park_timeout(wait);
            wait = LOOK_INTERVAL.min(wait * 2);
        }
    }
}

impl Orphan {
    /// Whether nothing is left of it. It is killed again until nothing is.
    fn is_gone(&self) -> bool {
        if matches!(&*self.tree, Tree::Cgroup(cgroup) if !cgroup.is_empty()) {
            self.tree.kill();
            return false;
        }
        // Reaped last: until then its id cannot pass to a stranger.
        !matches!(wait::reap(self.leader), Ok(None))
    }
}

fn orphanage() -> MutexGuard<'static, Orphanage> {
    // It is never half done.
    ORPHANAGE.lock().unwrap_or_else(PoisonError::into_inner)
}
