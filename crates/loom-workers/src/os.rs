//! What depends on the operating system: starting a child, and finding the processes of a tree.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    Born, Cgroup, Member, Supervised, Supervisor, can_hold, can_supervise, dead_homes, handle,
    hold, is_empty, kill_held, launch, members, supervise, widen,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{
    Born, Cgroup, Member, Supervised, Supervisor, can_hold, can_supervise, dead_homes, handle,
    hold, is_empty, kill_held, launch, members, supervise, widen,
};
