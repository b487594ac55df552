//! The options of `ci`, and its steps.

use xtask::ci::{Options, STEPS, options};
use xtask::failure::Failure;
use xtask::verbs;

use crate::args;

#[test]
fn every_step_is_a_verb() {
    assert!(STEPS.iter().all(|step| verbs::find(step).is_some()));
}

#[test]
fn every_verb_but_ci_is_a_step() {
    let missing: Vec<_> = verbs::VERBS.iter().filter(|verb| !STEPS.contains(&verb.name)).collect();
    assert_eq!(missing.iter().map(|verb| verb.name).collect::<Vec<_>>(), ["ci"]);
}

#[test]
fn steps_are_left_out_by_name() {
    let read = options(&args(&["--skip", "test", "--keep-going", "--skip", "docs"]));
    let expected = Options { keep_going: true, skip: args(&["test", "docs"]) };
    assert_eq!(read, Ok(expected));
}

#[test]
fn a_step_that_does_not_exist_cannot_be_left_out() {
    assert!(matches!(options(&args(&["--skip", "tests"])), Err(Failure::Usage(_))));
    assert!(matches!(options(&args(&["--skip"])), Err(Failure::Usage(_))));
    assert!(matches!(options(&args(&["--fast"])), Err(Failure::Usage(_))));
}
