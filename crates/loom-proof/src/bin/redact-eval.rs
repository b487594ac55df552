//! `redact-eval FILE [--show]`: measures redaction on texts with known secrets.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    loom_proof::report::main("redact-eval", loom_proof::redact::evaluate)
}
