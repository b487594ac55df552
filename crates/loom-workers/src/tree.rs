//! Ending everything that a command has started.

use std::panic::resume_unwind;
use std::time::Duration;

use loom_deps::Timestamp;
use rustix::process::Signal;
use tokio::task::JoinError;

use crate::child::has_exited;
use crate::os::{self, Cgroup, Member};
use crate::sweep::Sweep;
use crate::time::Time;

/// How soon it is looked whether processes that were told to end have ended, at first. Each time it
/// takes twice as long.
const LOOK_SOON: Duration = Duration::from_millis(1);
/// How often it is looked at least.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// How long killed processes may take to be gone before it is looked again for others.
const KILL_WAIT: Duration = Duration::from_millis(100);
/// How often is looked for processes to kill. One look is enough unless they multiply.
const KILL_ROUNDS_MAX: u32 = 20;
/// The same where nothing can be waited for.
const KILL_ROUNDS_AT_ONCE_MAX: u32 = 3;

/// The processes that a command has started, and what holds them together.
#[derive(Debug)]
pub(crate) enum Tree {
    Cgroup(Cgroup),
    Sweep(Sweep),
}

impl Tree {
    /// Asks all processes to end, and kills those that have not ended after the grace.
    ///
    /// Returns when none is left that can be ended.
    pub(crate) async fn end(&self, grace: Duration, time: &Time) {
        let deadline = time.now().saturating_add(grace);
        let mut kills = 0;
        while !self.is_clearly_over() {
            let left = self.members().await;
            if left.is_empty() && self.is_over_without_members() {
                break;
            }
            if time.now() < deadline {
                self.ask(&left);
                self.gone(&left, deadline, time).await;
                continue;
            }
            if kills == KILL_ROUNDS_MAX {
                break;
            }
            kills += 1;
            self.force(&left);
            let until = time.now().saturating_add(KILL_WAIT);
            self.gone(&left, until, time).await;
        }
        if let Self::Sweep(sweep) = self {
            // The members of the group that could not be listed.
            sweep.signal_group(Signal::KILL);
        }
    }

    /// Waits until those have ended who are there now, at most so long.
    pub(crate) async fn wait(&self, at_most: Duration, time: &Time) {
        let until = time.now().saturating_add(at_most);
        let members = self.members().await;
        if !members.is_empty() {
            self.gone(&members, until, time).await;
        }
    }

    /// Kills all processes without waiting for their end. Blocks for about a millisecond.
    pub(crate) fn kill(&self) {
        match self {
            Self::Cgroup(cgroup) => cgroup.kill(),
            Self::Sweep(sweep) => kill_swept(sweep),
        }
    }

    /// Whether it can be seen at a glance that nobody is left.
    pub(crate) fn is_clearly_over(&self) -> bool {
        match self {
            Self::Cgroup(cgroup) => cgroup.is_empty(),
            Self::Sweep(sweep) => !is_led(sweep) && os::is_empty(sweep),
        }
    }

    /// Whether nobody is left if no member is found.
    fn is_over_without_members(&self) -> bool {
        match self {
            // Somebody is about to go, or has come since.
            Self::Cgroup(_) => false,
            Self::Sweep(sweep) => !is_led(sweep),
        }
    }

    async fn members(&self) -> Vec<Member> {
        let sweep = match self {
            Self::Cgroup(cgroup) => return cgroup.members(),
            Self::Sweep(sweep) => sweep.clone(),
        };
        let look = tokio::task::spawn_blocking(move || os::members(&sweep));
        match look.await.map_err(JoinError::try_into_panic) {
            Ok(members) => members,
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime is being shut down: nobody waits for the answer.
            Err(Err(_)) => Vec::new(),
        }
    }

    /// Returns when the leader and `members` are gone, or `until` has come. Looks for nobody else.
    async fn gone(&self, members: &[Member], until: Timestamp, time: &Time) {
        let mut wait = LOOK_SOON;
        loop {
            let left = until.since(time.now());
            if left.is_zero() {
                return;
            }
            time.sleep(left.min(wait)).await;
            let is_led = matches!(self, Self::Sweep(sweep) if is_led(sweep));
            if !is_led && members.iter().all(Member::is_gone) {
                return;
            }
            wait = LOOK_INTERVAL.min(wait * 2);
        }
    }

    /// Asks to end. Those that were stopped are to hear it, too.
    fn ask(&self, members: &[Member]) {
        self.signal(members, Signal::TERM);
        self.signal(members, Signal::CONT);
    }

    fn force(&self, members: &[Member]) {
        match self {
            Self::Cgroup(cgroup) => cgroup.kill(),
            Self::Sweep(_) => self.signal(members, Signal::KILL),
        }
    }

    fn signal(&self, members: &[Member], signal: Signal) {
        if let Self::Sweep(sweep) = self {
            // All of a group at once, so that none gets away by forking meanwhile.
            sweep.signal_group(signal);
        }
        for stray in members.iter().filter(|member| !member.is_in_group()) {
            stray.send(signal);
        }
    }
}

fn kill_swept(sweep: &Sweep) {
    for _ in 0..KILL_ROUNDS_AT_ONCE_MAX {
        sweep.signal_group(Signal::KILL);
        let left = os::members(sweep);
        if left.is_empty() {
            return;
        }
        left.iter().filter(|member| !member.is_in_group()).for_each(|it| it.send(Signal::KILL));
    }
}

/// Whether there is a leader that has not exited.
fn is_led(sweep: &Sweep) -> bool {
    sweep.leader().is_some_and(|leader| !has_exited(leader))
}
