//! The short form: no figures, but loom must run every task once, with its story in order, and the
//! raw limit must do what it is the limit of.

use super::contender::{Arena, Contender};
use crate::failure::Result;
use crate::print;
use crate::process;
use crate::project::Project;

/// Builds with the profile of the tests, among what they have built.
pub(super) fn run(project: &Project) -> Result {
    let target = project.root().join("target");
    let mut cargo = project.cargo();
    cargo.args(["build", "--manifest-path", "benches/Cargo.toml"]);
    cargo.args(["--package", "benches", "--target-dir"]).arg(&target);
    process::run(&mut cargo)?;
    let arena = Arena::new(target.join("debug"), &target)?;
    for (durability, submitters) in [("full", 1), ("full", 16), ("normal", 256)] {
        let durability = format!("durability={durability}");
        let submitters = format!("submitters={submitters}");
        let words = [durability.as_str(), submitters.as_str(), "count=500"];
        arena.turn(Contender::Loom, &[&["check"], words.as_slice()].concat())?;
        arena.turn(Contender::Raw, &[&["w1"], words.as_slice()].concat())?;
    }
    print::line("every task was completed, once and in order");
    Ok(())
}
