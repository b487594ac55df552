//! A survivor is seen, in a den and after a whole trial.

use std::path::Path;
use std::time::Duration;

use loom_proof::zoo::animals::find;
use loom_proof::zoo::case::{Case, Ending, Mode};
use loom_proof::zoo::keeper::Programs;
use loom_proof::zoo::survivors;
use loom_proof::zoo::table::{Outcome, figures, table};
use loom_proof::zoo::trial;
use loom_proof::zoo::verdict::{Finding, judge};

use crate::tracks::{LONG, Wild};

#[test]
fn who_lives_is_found_until_it_is_killed() {
    let animal = find("daemon").unwrap();
    let mut wild = Wild::start(animal);
    wild.settle(animal);
    assert_eq!(survivors::find(&wild.den).unwrap().len(), 2);
    wild.kill_leader();
    let left = survivors::wait_for_none(&wild.den, Duration::from_millis(20)).unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(wild.den.is_inhabited().unwrap());
    survivors::kill(&wild.den).unwrap();
    assert_eq!(survivors::wait_for_none(&wild.den, LONG).unwrap(), []);
    assert!(!wild.den.is_inhabited().unwrap());
}

#[test]
fn those_who_start_each_other_anew_can_be_killed() {
    for name in ["hydra", "respawner"] {
        let animal = find(name).unwrap();
        let mut wild = Wild::start(animal);
        wild.settle(animal);
        survivors::kill(&wild.den).unwrap();
        assert_eq!(survivors::find(&wild.den).unwrap(), [], "{name}");
    }
}

#[test]
fn a_process_of_another_den_is_nobody_here() {
    let animal = find("tame").unwrap();
    let (mut one, mut other) = (Wild::start(animal), Wild::start(animal));
    one.settle(animal);
    other.settle(animal);
    survivors::kill(&one.den).unwrap();
    assert_eq!(survivors::find(&other.den).unwrap().len(), 1);
}

fn try_in(home: &Path, case: &Case) -> Vec<Finding> {
    let programs = Programs {
        keeper: env!("CARGO_BIN_EXE_zoo-keeper").into(),
        animal: env!("CARGO_BIN_EXE_zoo-animal").into(),
    };
    judge(case, &trial::run(case, &programs, home).unwrap())
}

#[test]
fn a_ghost_that_gets_away_from_a_sweep_is_reported_and_fails_a_strict_mode() {
    let home = tempfile::tempdir().unwrap();
    let animal = find("ghost").unwrap();
    let case = Case { animal, ending: Ending::Completes, mode: Mode::Sweep };
    let findings = try_in(home.path(), &case);
    assert!(matches!(findings.as_slice(), [Finding::Survivor(_)]), "{findings:?}");

    let swept = Outcome { case, findings, late: 0 };
    assert!(!swept.is_failure());
    assert!(table(Mode::Sweep, std::slice::from_ref(&swept)).contains("1 left"));
    let strict = Case { mode: Mode::Cgroup, ..case };
    let strict = Outcome { case: strict, ..swept.clone() };
    assert!(strict.is_failure());
    let figures = figures(&[swept, strict]);
    for line in ["zoo.cases 2", "zoo.failures 1", "zoo.survivors 1", "zoo.sweep_survivors 1"] {
        assert!(figures.lines().any(|found| found == line), "{figures}");
    }
}

#[test]
fn a_tame_animal_leaves_nothing_whatever_the_ending() {
    for ending in Ending::ALL {
        let home = tempfile::tempdir().unwrap();
        let case = Case { animal: find("tame").unwrap(), ending, mode: Mode::Sweep };
        assert_eq!(try_in(home.path(), &case), [], "{}", ending.as_str());
    }
}
