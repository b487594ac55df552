//! The judge of the zoo can be relied upon: what is wrong is found.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod animals;
mod judging;
mod planning;
mod surviving;
mod tracks;
