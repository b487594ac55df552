//! What holds for commands under a supervisor.
#![cfg(target_os = "linux")]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that cannot do its part fails the test"
)]

mod ending;
mod handing;
mod starting;
mod support;
mod surviving;
