//! What a task is, how it changes and what follows from an attempt.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod apply;
mod attempts;
mod decide;
mod gate;
mod imports;
mod json;
mod names;
mod queries;
mod rate_limits;
mod redaction;
mod request;
mod retry;
mod secrets;
mod support;
mod table;
mod text;
mod workers;
