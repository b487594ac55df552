//! The animals do what they say.

use std::collections::BTreeSet;
use std::fs;

use loom_proof::zoo::animals::{ANIMALS, find};
use loom_proof::zoo::survivors;

use crate::tracks::Wild;

#[test]
fn there_are_more_than_twenty_and_each_has_its_name() {
    let names: BTreeSet<&str> = ANIMALS.iter().map(|animal| animal.name).collect();
    assert!(names.len() > 20 && names.len() == ANIMALS.len());
    assert!(ANIMALS.iter().all(|animal| animal.crew() > 0));
}

#[test]
fn every_animal_gets_where_it_wants_to_be_and_can_be_killed() {
    for animal in ANIMALS {
        let mut wild = Wild::start(animal);
        let here = wild.settle(animal);
        assert!(here >= animal.crew(), "{}: {here}; {}", animal.name, wild.den.complaints());
        assert_eq!(wild.den.complaints(), "", "{}", animal.name);
        survivors::kill(&wild.den).unwrap();
        assert_eq!(survivors::find(&wild.den).unwrap(), []);
    }
}

#[test]
fn a_ghost_has_neither_session_nor_environment_nor_pipes() {
    let animal = find("ghost").unwrap();
    let mut wild = Wild::start(animal);
    wild.settle(animal);
    wild.kill_leader();
    let left = survivors::find(&wild.den).unwrap();
    let [ghost] = left.as_slice() else { panic!("{left:?}") };
    let read = |name: &str| fs::read(format!("/proc/{}/{name}", ghost.pid)).unwrap();
    assert!(read("environ").is_empty());
    let is_open =
        |file: i32| fs::symlink_metadata(format!("/proc/{}/fd/{file}", ghost.pid)).is_ok();
    assert!(!(0..3).any(is_open));
    let stat = String::from_utf8(read("stat")).unwrap();
    let session = stat.split_whitespace().nth(5).unwrap();
    assert_eq!(session, ghost.pid.to_string());
}

#[test]
fn a_mimic_is_found_though_nothing_names_it() {
    let animal = find("mimic").unwrap();
    let mut wild = Wild::start(animal);
    wild.settle(animal);
    wild.kill_leader();
    let left = survivors::find(&wild.den).unwrap();
    let [mimic] = left.as_slice() else { panic!("{left:?}") };
    let cmdline = fs::read(format!("/proc/{}/cmdline", mimic.pid)).unwrap();
    assert_eq!(cmdline, b"kworker/0:1\0");
}
