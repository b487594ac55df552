//! `gate-eval FILE [--show]`: measures the recognition of rate limits on labelled texts.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    loom_proof::report::main("gate-eval", loom_proof::gate::evaluate)
}
