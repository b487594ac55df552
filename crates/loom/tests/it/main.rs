//! What the documents say is what the code does.

#![expect(clippy::unwrap_used, reason = "what cannot be written or awaited fails the test")]

mod contract;
mod diagram;
mod document;
mod limits;
mod migration;
