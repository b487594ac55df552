//! `zoo`: runs programs that behave badly on loom, and looks at what is left of them.

use std::process::Command;

use crate::failure::{Failure, Result};
use crate::print;
use crate::process;
use crate::project::Project;

/// The judge first; it finds the others beside itself.
const PROGRAMS: [&str; 3] = ["zoo", "zoo-keeper", "zoo-animal"];

/// Builds the judge and has it do what `args` say. It prints a table for each mode and then
/// `name value` a line.
///
/// # Errors
///
/// If something is wrong, or the words are.
pub fn run(project: &Project, args: &[String]) -> Result {
    let asked = |word: &str| args.iter().any(|arg| arg == word);
    // Only a speed has to be taken from what is built to be fast.
    let fast = asked("--flood") && !asked("--short");
    let target = project.root().join(if fast { "benches/target" } else { "target" });
    let mut cargo = project.cargo();
    cargo.args(["build", "--package", "loom-proof", "--target-dir"]).arg(&target);
    cargo.args(PROGRAMS.iter().flat_map(|program| ["--bin", program]));
    if fast {
        cargo.arg("--release");
    }
    process::run(&mut cargo)?;
    let [judge, ..] = PROGRAMS;
    let mut judge = Command::new(target.join(if fast { "release" } else { "debug" }).join(judge));
    print::line(&format!("$ zoo {}", args.join(" ")));
    let status = judge.args(args).status();
    let status = status.map_err(|error| Failure::io("running the judge", &error))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(2) => Err(Failure::Usage("`zoo` does not know these words".to_owned())),
        _ => Err(Failure::Failed(format!("the zoo is not as it should be ({status})"))),
    }
}
