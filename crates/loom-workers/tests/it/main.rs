//! What commands see and what becomes of them.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test")]

mod capture;
mod environment;
mod leftovers;
mod lines;
mod output;
mod results;
mod starting;
mod stdin;
mod stopping;
mod support;
