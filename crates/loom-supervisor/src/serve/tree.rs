//! All processes of the command: who is left, and how they are ended.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, kill_process_group,
    pidfd_open, pidfd_send_signal, wait, waitid, waitpid,
};

use crate::limits::{ASK_ROUNDS_MAX, KILL_INTERVAL, KILL_WAIT};
use crate::proc;
use crate::report::Outcome;
use crate::wire::timespec;

/// The bit of a status that says that memory was dumped.
const CORE_DUMPED: i32 = 0x80;

/// Who is left of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// The leader, at least.
    Leader,
    /// Others.
    Orphans,
    Nobody,
}

#[derive(Debug)]
pub(super) struct Tree {
    own: Pid,
    leader: Pid,
    /// There once the leader was reaped, which is done last: until then its id, and so that of its
    /// group, cannot pass to another.
    status: Option<WaitStatus>,
}

impl Tree {
    pub(super) const fn new(own: Pid, leader: Pid) -> Self {
        Self { own, leader, status: None }
    }

    /// Reaps who has ended, and says who has not.
    pub(super) fn look(&mut self) -> Left {
        if self.status.is_none() {
            // In this order: when the leader has exited, its children are this process's.
            let is_led = self.is_led();
            let others = self.reap_others();
            if is_led {
                return Left::Leader;
            }
            if others {
                return Left::Orphans;
            }
            self.status = reap(self.leader);
        }
        // The list of children may lack some. This answer does not.
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return Left::Orphans,
                Err(_) => return Left::Nobody,
            }
        }
    }

    /// Whether the leader has not exited.
    pub(super) fn is_led(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        self.status.is_none()
            && waitid(WaitId::Pid(self.leader), options).is_ok_and(|exited| exited.is_none())
    }

    /// Whether some of the children other than the leader have not ended.
    fn reap_others(&self) -> bool {
        let others = proc::children(self.own).into_iter().filter(|child| *child != self.leader);
        // Counted, so that each gets its turn.
        others.filter(|child| reap(*child).is_none()).count() > 0
    }

    /// How the leader has ended.
    pub(super) fn outcome(&self) -> Outcome {
        let Some(status) = self.status else {
            return Outcome::Stuck;
        };
        let exited = status.exit_status().map(|code| Outcome::Exited { code });
        let core_dumped = status.as_raw() & CORE_DUMPED != 0;
        let signaled =
            || status.terminating_signal().map(|signal| Outcome::Signaled { signal, core_dumped });
        exited.or_else(signaled).unwrap_or(Outcome::Stuck)
    }

    /// Asks all to end, those too that are stopped. Each is asked once: some take a second time for
    /// an order to end at once.
    pub(super) fn ask(&self) {
        let mut asked = HashSet::new();
        for _ in 0..ASK_ROUNDS_MAX {
            // Those that were started while the others were looked for.
            let new: Vec<Member> =
                self.members().into_iter().filter(|member| asked.insert(member.id())).collect();
            if new.is_empty() {
                return;
            }
            for member in new {
                member.send(Signal::TERM);
                member.send(Signal::CONT);
            }
        }
    }

    pub(super) fn kill(&self) {
        // All of a group at once, so that none gets away by forking meanwhile.
        self.signal_group(Signal::KILL);
        for member in self.members() {
            member.send(Signal::KILL);
        }
    }

    /// Kills all, and waits for their end as long as that is reasonable.
    pub(super) fn kill_all(&mut self) {
        let deadline = Instant::now() + KILL_WAIT;
        while self.look() != Left::Nobody && Instant::now() < deadline {
            self.kill();
            // An interrupted pause is only shorter.
            let _ = poll(&mut [], Some(&timespec(KILL_INTERVAL)));
        }
    }

    /// Signals the group of the leader, as long as the leader was not reaped.
    pub(super) fn signal_group(&self, signal: Signal) {
        if self.status.is_none() {
            // Fails if nobody is left who may be signalled, and then there is nothing to do.
            let _ = kill_process_group(self.leader, signal);
        }
    }

    /// How many have not ended.
    pub(super) fn count(&self) -> usize {
        self.members().iter().filter(|member| !member.is_gone()).count()
    }

    fn members(&self) -> Vec<Member> {
        let children = proc::children(self.own).into_iter();
        let mut found: Vec<Member> =
            children.filter_map(|child| Member::open(child, self.own)).collect();
        let mut looked_at = 0;
        while let Some(parent) = found.get(looked_at) {
            let children = proc::children(parent.pid).into_iter();
            let children = children.filter_map(|child| Member::open(child, parent.pid));
            // If the parent lives, its id meant nobody else meanwhile. If not, its children have
            // become ours and are found next time.
            let children: Vec<Member> = children.filter(|_| !parent.is_gone()).collect();
            found.extend(children);
            looked_at += 1;
        }
        found
    }
}

fn reap(child: Pid) -> Option<WaitStatus> {
    waitpid(Some(child), WaitOptions::NOHANG).ok().flatten().map(|(_, status)| status)
}

/// A process that descends from this one, by a handle that can mean no other.
#[derive(Debug)]
struct Member {
    pid: Pid,
    start_time: u64,
    handle: OwnedFd,
}

impl Member {
    fn open(pid: Pid, parent: Pid) -> Option<Self> {
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // Asked after the handle was taken: before, the id may have passed to a stranger.
        let stat = proc::stat(pid).filter(|stat| stat.parent == Some(parent))?;
        Some(Self { pid, start_time: stat.start_time, handle })
    }

    const fn id(&self) -> (Pid, u64) {
        (self.pid, self.start_time)
    }

    fn is_gone(&self) -> bool {
        let mut handles = [PollFd::new(&self.handle, PollFlags::IN)];
        poll(&mut handles, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    fn send(&self, signal: Signal) {
        // Fails if the process has ended or may not be signalled.
        let _ = pidfd_send_signal(&self.handle, signal);
    }
}
