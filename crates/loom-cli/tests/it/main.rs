//! The `loom` command line, run as its users run it: real processes, a real database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod home;

mod crashes;
mod importing;
mod listing;
mod logs;
mod places;
mod running;
mod stopping;
