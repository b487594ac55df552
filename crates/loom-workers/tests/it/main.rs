//! What commands see and what becomes of them.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test")]

mod capture;
mod environment;
#[cfg(feature = "http")]
mod http;
mod leftovers;
mod lines;
mod output;
#[cfg(feature = "profiles")]
mod profile;
mod results;
mod starting;
mod stdin;
mod stopping;
mod streaming;
mod support;
mod trees;
