//! Searching for the processes of a tree: by the group of its leader, and by the mark in the
//! environment with which a process was started.
//!
//! A process escapes the search if it left the group and was started without the mark, or belongs
//! to another user.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, RawPid};
use rustix::time::{ClockId, clock_gettime};

use super::member::Member;
use super::process::{all, carries, group, own_line};
use crate::sweep::Sweep;

/// More processes and threads than this no machine can start in a second: it takes a lock that all
/// of its processors share.
const STARTS_PER_SECOND_MAX: u64 = 1_000_000;
/// If more ids than this were given out, it is cheaper to look at the processes that there are.
const IDS_TRIED_MAX: RawPid = 256;
/// How far ids go if the system does not tell.
const IDS_DEFAULT: u64 = 1 << 15;

/// When the leader of a tree was started. The descendants of one that was started a short while ago
/// have the ids that were given out after its own: ids are given out one after the other, and it
/// takes a while until they begin anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Born(Duration);

impl Born {
    pub(crate) fn now() -> Self {
        Self(uptime())
    }

    /// Whether no id may have been given out twice since.
    fn is_young(self) -> bool {
        uptime().checked_sub(self.0).is_some_and(|age| age < shortest_lap())
    }
}

/// The processes of `tree` that have not ended, without the leader, this process and its ancestors.
pub(crate) fn members(tree: &Sweep) -> Vec<Member> {
    let spared = own_line();
    let leaders = tree.group();
    let place = |pid: Pid| {
        let in_group = leaders == Some(group(pid)?);
        (in_group || carries(pid, tree.mark())).then_some(in_group)
    };
    let is_other = |pid: &Pid| tree.leader() != Some(*pid) && !spared.contains(pid);
    all().filter(is_other).filter_map(|pid| Member::find(pid, place)).collect()
}

/// Whether it can be told at little cost that nobody is left of `tree` but its leader.
pub(crate) fn is_empty(tree: &Sweep) -> bool {
    let (Some(leader), Some(born)) = (tree.leader(), tree.born()) else {
        return false;
    };
    let is_of_tree =
        |pid: Pid| group(pid).is_some_and(|group| group == leader || carries(pid, tree.mark()));
    let mut seen = leader.as_raw_nonzero().get();
    let end = seen.saturating_add(IDS_TRIED_MAX);
    loop {
        let Some(last) = last_id().filter(|last| (seen..=end).contains(last)) else {
            return false;
        };
        if last == seen {
            return born.is_young();
        }
        if (seen + 1..=last).filter_map(Pid::from_raw).any(is_of_tree) {
            return false;
        }
        // Who was there may have gone and left a child, which has an id that was given out since.
        seen = last;
    }
}

/// The id that was given out last where this process lives.
fn last_id() -> Option<RawPid> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    load.split_ascii_whitespace().last()?.parse().ok()
}

/// In less time than this no id is given out twice.
fn shortest_lap() -> Duration {
    let ids = fs::read_to_string("/proc/sys/kernel/pid_max");
    let ids = ids.ok().and_then(|ids| ids.trim().parse().ok()).unwrap_or(IDS_DEFAULT);
    Duration::from_secs(ids) / u32::try_from(STARTS_PER_SECOND_MAX).unwrap_or(u32::MAX)
}

/// Not asked of the injected clock: it is about what the system has done, not about the task.
fn uptime() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
