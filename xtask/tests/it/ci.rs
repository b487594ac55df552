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
fn every_verb_is_a_step_but_ci_and_those_that_ask_for_a_file() {
    let missing: Vec<_> = verbs::VERBS.iter().filter(|verb| !STEPS.contains(&verb.name)).collect();
    let missing: Vec<_> = missing.iter().map(|verb| verb.name).collect();
    assert_eq!(missing, ["ci", "gate-eval", "redact-eval"]);
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
