//! `cargo xtask VERB`: what contributors and CI do with the project.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match xtask::verbs::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            xtask::print::trouble(&format!("error: {failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}
