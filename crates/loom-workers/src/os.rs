//! What depends on the operating system: finding the processes of a tree.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Member, members};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{Member, members};
