//! Each thing that can be wrong is found, and nothing else.

use loom_proof::zoo::animals::{End, find};
use loom_proof::zoo::case::{Case, Ending, Mode};
use loom_proof::zoo::proc::{Holdings, Process, Stat};
use loom_proof::zoo::talk::Ended;
use loom_proof::zoo::verdict::{
    DISK_BYTES_MAX, Finding, MEMORY_OVER_KIB_MAX, RESULT_BYTES_MAX, Seen, judge,
};

fn case() -> Case {
    let animal = find("tame").unwrap();
    Case { animal, ending: Ending::Cancel, mode: Mode::Sweep }
}

fn fine() -> Seen {
    let holdings = Holdings { files: 9, threads: 7, memory_kib: 20_000, ..Holdings::default() };
    Seen {
        ended: Some(Ended::of("cancelled", None)),
        held: Some((holdings, holdings)),
        ..Seen::default()
    }
}

/// What is found after `spoil`.
fn found(spoil: impl FnOnce(&mut Seen)) -> Vec<Finding> {
    let mut seen = fine();
    spoil(&mut seen);
    judge(&case(), &seen)
}

fn found_held(spoil: impl FnOnce(&mut Holdings)) -> Vec<Finding> {
    found(|seen| spoil(&mut seen.held.as_mut().unwrap().1))
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(|_| {}), []);
    assert_eq!(found_held(|after| after.files -= 1), [], "less is no leak");
    assert_eq!(found_held(|after| after.memory_kib += MEMORY_OVER_KIB_MAX), []);
}

#[test]
fn what_an_engine_still_holds_is_found() {
    let held = |what, before, after| [Finding::Held { what, before, after }];
    assert_eq!(found_held(|after| after.files += 1), held("open files", 9, 10));
    assert_eq!(found_held(|after| after.threads += 1), held("threads", 7, 8));
    assert_eq!(found_held(|after| after.children += 1), held("children", 0, 1));
    let much = 20_001 + MEMORY_OVER_KIB_MAX;
    assert_eq!(found_held(|after| after.memory_kib = much), held("KiB of memory", 20_000, much));
    let zombies = found_held(|after| (after.children, after.zombies) = (2, 2));
    assert!(zombies.contains(&Finding::Zombies(2)), "{zombies:?}");
}

#[test]
fn a_task_that_ended_otherwise_is_found() {
    let spoilt = found(|seen| seen.ended = Some(Ended::of("completed", None)));
    assert!(matches!(spoilt.as_slice(), [Finding::Status(_)]), "{spoilt:?}");
    let spoilt = found(|seen| seen.ended = Some(Ended::of("cancelled", Some("timeout"))));
    assert!(matches!(spoilt.as_slice(), [Finding::Status(_)]), "{spoilt:?}");
}

#[test]
fn only_a_command_that_ends_by_itself_may_forestall_its_ending() {
    assert_eq!(Ending::Timeout.allowed(End::Well), [("failed", Some("timeout"))]);
    let both = [("failed", Some("timeout")), ("completed", None)];
    assert_eq!(Ending::Timeout.allowed(End::Always), both);
    assert_eq!(Ending::Completes.allowed(End::Badly), [("failed", Some("signal"))]);
}

#[test]
fn too_much_is_found() {
    let result = found(|seen| seen.ended.as_mut().unwrap().result_bytes = RESULT_BYTES_MAX + 1);
    assert!(matches!(result.as_slice(), [Finding::Unbounded("the result", _)]), "{result:?}");
    let disk = found(|seen| seen.disk_bytes = DISK_BYTES_MAX + 1);
    assert!(matches!(disk.as_slice(), [Finding::Unbounded(..)]), "{disk:?}");
}

#[test]
fn survivors_and_trouble_are_found() {
    let survivor = found(|seen| seen.survivors.push("1 S x".to_owned()));
    assert_eq!(survivor, [Finding::Survivor("1 S x".to_owned())]);
    let trouble = found(|seen| seen.trouble.push("no crew".to_owned()));
    assert_eq!(trouble, [Finding::Trouble("no crew".to_owned())]);
}

#[test]
fn a_process_is_told_from_one_that_has_its_id_later() {
    let me = Process::me().unwrap();
    assert!(me.is_alive());
    let earlier = Process { start_time: me.start_time - 1, ..me };
    assert!(!earlier.is_alive() && earlier.handle().is_none());
}

#[test]
fn a_name_cannot_spoil_what_is_read_of_a_process() {
    let line = b"7 (a) Z 1 (b\n) S 3 7 7 0 -1 4 1 0 0 0 2 3 4 5 20 0 1 0 99 8 7\n";
    let stat = Stat::parse(line).unwrap();
    assert_eq!(stat, Stat { state: 'S', parent: 3, start_time: 99 });
    assert_eq!(Stat::parse(b"7 (a"), None);
}
