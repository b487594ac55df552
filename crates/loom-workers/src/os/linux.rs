//! Linux: handles on processes, cgroups, and environments that stand in `/proc`.

mod cgroup;
mod home;
mod launch;
mod member;
mod mount;
mod pipe;
mod process;
mod supervised;
mod sweep;

pub(crate) use cgroup::Cgroup;
pub(crate) use home::{can_hold, dead_homes, hold, kill_held};
pub(crate) use launch::launch;
pub(crate) use member::{Member, handle};
pub(crate) use pipe::widen;
pub(crate) use supervised::{Supervised, Supervisor, can_supervise, supervise};
pub(crate) use sweep::{Born, is_empty, members};
