//! Tests of the testkit itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod calls;
mod ends;
mod faulty;
mod flawed;
mod memory;
mod workers;
