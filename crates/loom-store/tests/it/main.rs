//! The store as its users see it.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up has failed the test")]

mod commits;
mod conformance;
mod files;
mod go;
mod instances;
mod model;
mod output;
mod places;
mod support;
mod unreadable;
mod upgrades;
