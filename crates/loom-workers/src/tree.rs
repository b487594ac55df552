//! Ending everything that a command has started.

use std::panic::resume_unwind;
use std::time::Duration;

use loom_deps::Timestamp;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use tokio::task::JoinError;

use crate::os::{self, Member};
use crate::time::Time;

/// How often it is looked whether processes that were told to end have ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// How long killed processes may take to be gone before it is looked again for others.
const KILL_WAIT: Duration = Duration::from_millis(100);
/// How often is looked for processes to kill. One look is enough unless they multiply.
const KILL_ROUNDS_MAX: u32 = 20;
/// The same where nothing can be waited for.
const KILL_ROUNDS_AT_ONCE_MAX: u32 = 3;

/// A variable with a value that only the processes of one tree carry in their environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark(String);

impl Mark {
    pub(crate) fn new(variable: &str, value: &str) -> Self {
        Self(format!("{variable}={value}"))
    }
}

/// The processes that a command has started: the group of its leader, and whoever carries the mark.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    mark: Mark,
    /// A child of this process that leads a group of the same id. It must not have been reaped:
    /// until then its id, and so the group's, cannot pass to a stranger.
    leader: Option<Pid>,
}

impl Tree {
    /// The tree of a child that has not been reaped.
    pub(crate) const fn led(mark: Mark, leader: Pid) -> Self {
        Self { mark, leader: Some(leader) }
    }

    /// What is left of a tree whose leader is gone.
    pub(crate) const fn orphaned(mark: Mark) -> Self {
        Self { mark, leader: None }
    }

    /// The group of the leader, as long as no stranger can have been given its id.
    pub(crate) fn group(&self) -> Option<Pid> {
        self.leader.filter(|leader| state(*leader) != State::Reaped)
    }

    /// Asks all processes to end, and kills those that have not ended after the grace.
    ///
    /// Returns when none is left that can be ended.
    pub(crate) async fn end(&self, grace: Duration, time: &Time) {
        let deadline = time.now().saturating_add(grace);
        let mut kills = 0;
        loop {
            let left = self.members().await;
            if left.is_empty() && !self.is_led() {
                break;
            }
            if time.now() < deadline {
                self.signal(&left, Signal::TERM);
                self.gone(&left, deadline, time).await;
                continue;
            }
            if kills == KILL_ROUNDS_MAX {
                break;
            }
            kills += 1;
            self.signal(&left, Signal::KILL);
            let until = time.now().saturating_add(KILL_WAIT);
            self.gone(&left, until, time).await;
        }
        // The members of the group that could not be listed.
        self.signal_group(Signal::KILL);
    }

    /// Kills all processes without waiting for their end. Blocks for about a millisecond.
    pub(crate) fn kill(&self) {
        for _ in 0..KILL_ROUNDS_AT_ONCE_MAX {
            self.signal_group(Signal::KILL);
            let left = os::members(self);
            if left.is_empty() {
                return;
            }
            self.signal(&left, Signal::KILL);
        }
    }

    async fn members(&self) -> Vec<Member> {
        let tree = self.clone();
        let look = tokio::task::spawn_blocking(move || os::members(&tree));
        match look.await.map_err(JoinError::try_into_panic) {
            Ok(members) => members,
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime is being shut down: nobody waits for the answer.
            Err(Err(_)) => Vec::new(),
        }
    }

    /// Returns when the leader and `members` are gone, or `until` has come.
    async fn gone(&self, members: &[Member], until: Timestamp, time: &Time) {
        while self.is_led() || !members.iter().all(Member::is_gone) {
            let left = until.since(time.now());
            if left.is_zero() {
                return;
            }
            time.sleep(left.min(LOOK_INTERVAL)).await;
        }
    }

    fn signal(&self, members: &[Member], signal: Signal) {
        // All of a group at once, so that none gets away by forking meanwhile.
        self.signal_group(signal);
        for stray in members.iter().filter(|member| !member.is_in_group()) {
            stray.send(signal);
        }
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(group) = self.group() {
            // Fails if nobody is left who may be signalled, and then there is nothing to do.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Whether there is a leader that has not exited.
    fn is_led(&self) -> bool {
        self.leader.is_some_and(|leader| !has_exited(leader))
    }
}

/// What there is to look for.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only Linux lets a process look for others")
)]
impl Tree {
    /// The entry that the processes of the tree have in their environment.
    pub(crate) fn mark(&self) -> &[u8] {
        self.mark.0.as_bytes()
    }

    pub(crate) const fn leader(&self) -> Option<Pid> {
        self.leader
    }
}

/// Whether a child of this process has exited.
pub(crate) fn has_exited(child: Pid) -> bool {
    state(child) != State::Running
}

/// Where a child of this process stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// It has exited and keeps its id until it is reaped.
    Exited,
    /// Somebody else has reaped it, perhaps the system because the host wants it so.
    Reaped,
}

/// Looks without reaping.
fn state(child: Pid) -> State {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    match waitid(WaitId::Pid(child), options) {
        Ok(Some(_)) => State::Exited,
        Err(Errno::CHILD) => State::Reaped,
        _ => State::Running,
    }
}
