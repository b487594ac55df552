//! `zoo-keeper HOME MODE`: an engine that does what the lines of its input ask for.

#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    // First, as whoever is started to supervise a command does nothing else.
    loom::supervisor_main();
    let Err(error) = loom_proof::zoo::keep::main() else { return ExitCode::SUCCESS };
    // Nobody is left to be told when standard error is gone.
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("error: {error}\n"));
    ExitCode::FAILURE
}

/// The zoo looks at what `/proc` says.
#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    ExitCode::from(2)
}
