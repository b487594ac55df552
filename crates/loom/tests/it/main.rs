//! What the documents say is what the code does, and the parts fit together.

#![expect(clippy::unwrap_used, reason = "what cannot be written or awaited fails the test")]

mod contract;
mod diagram;
mod document;
mod importing;
mod limits;
mod migration;
mod output;
mod together;
