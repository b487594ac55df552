//! What loom promises, measured. Each program of this crate is one evaluation or campaign; nothing
//! depends on it, and it knows of loom what every user knows.

#![forbid(unsafe_code)]

pub mod corpus;
pub mod gate;
pub mod redact;
pub mod report;
#[cfg(target_os = "linux")]
pub mod zoo;
