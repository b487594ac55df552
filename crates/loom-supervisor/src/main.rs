//! The supervisor as a program of its own, for those that do not call `supervisor_main` themselves.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

/// What a program returns that was called in a way it does not understand.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    loom_supervisor::supervisor_main();
    let hint = "loom-supervisor is started by programs that use loom, not by hand";
    // Nobody reads it if it cannot be written.
    let _ = writeln!(std::io::stderr(), "{hint}");
    ExitCode::from(USAGE)
}
