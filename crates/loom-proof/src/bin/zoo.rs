//! `zoo …`: tries bad programs on loom and judges what is left of them.

#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    loom_proof::zoo::run::main()
}

/// The zoo looks at what `/proc` says.
#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    ExitCode::from(2)
}
