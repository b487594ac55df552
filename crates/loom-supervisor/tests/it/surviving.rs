//! Commands that outlive those who started them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use loom_supervisor::{
    AdoptError, Adopted, Event, Identity, Outcome, Report, STATE_FILE, STATUS_FILE, STDERR_FILE,
    STDOUT_FILE, Spec, Standing, StartError, Supervised, adopt, boot_id, start,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use tempfile::TempDir;

use crate::support::{LONG, OPEN_FILES, Process, SHORT, release, shell, supervisor};

const CAP: u64 = 16 << 20;

/// A place to survive in, and a pipe to hold a command up with.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let gate = directory.path().join("gate");
        assert!(Command::new("mkfifo").arg(gate).status().unwrap().success());
        fs::create_dir(directory.path().join("kept")).unwrap();
        Self { directory }
    }

    fn gate(&self) -> PathBuf {
        self.directory.path().join("gate")
    }

    fn kept(&self) -> PathBuf {
        self.directory.path().join("kept")
    }

    /// A script whose `$gate` lets it pass when the test says so.
    fn spec(&self, script: &str) -> Spec {
        shell(script).env("gate", self.gate()).survive(self.kept(), CAP)
    }

    fn start(&self, script: &str) -> Supervised {
        start(&supervisor(), self.spec(script)).unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.kept().join(name)).unwrap()
    }

    fn running(&self) -> Supervised {
        match adopt(self.kept()).unwrap() {
            Adopted::Running(supervised) => *supervised,
            other => panic!("{other:?}"),
        }
    }

    fn ended(&self) -> Report {
        match adopt(self.kept()).unwrap() {
            Adopted::Ended(report) => report,
            other => panic!("{other:?}"),
        }
    }

    /// The command, when nobody knows what became of it.
    fn lost(&self) -> Option<Identity> {
        match adopt(self.kept()).unwrap() {
            Adopted::Lost(lost) => lost.command,
            other => panic!("{other:?}"),
        }
    }

    /// Changes what the state says.
    fn forge(&self, from: &str, to: &str) {
        let state = self.read(STATE_FILE);
        assert!(state.contains(from), "{state}");
        fs::write(self.kept().join(STATE_FILE), state.replace(from, to)).unwrap();
    }
}

/// Waits until something was printed.
fn printed(supervised: &mut Supervised) {
    supervised.tell(Some((0, 0))).unwrap();
    assert!(matches!(supervised.next(Some(LONG)).unwrap(), Some(Event::State(_))));
}

fn supervisor_of(supervised: &Supervised) -> Process {
    Process::of(supervised.supervisor().pid)
}

#[test]
fn a_command_runs_on_without_its_starter_and_is_adopted_by_another() {
    let place = Place::new();
    let script = "echo one; read line < $gate; echo two; echo trouble >&2; exit 3";
    let mut started = place.start(script);
    printed(&mut started);
    let command = started.command().clone();
    assert!(started.survives());
    drop(started);
    let mut adopted = place.running();
    assert_eq!(*adopted.command(), command);
    assert_eq!(command.standing().unwrap(), Standing::Alive);
    assert_eq!(place.read(STDOUT_FILE), "one\n");
    release(&place.gate());
    let report = adopted.wait(Some(LONG)).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Exited { code: 3 });
    assert!(!report.stopped);
    assert_eq!(place.read(STDOUT_FILE), "one\ntwo\n");
    assert_eq!(place.read(STDERR_FILE), "trouble\n");
    assert_eq!(place.ended(), report);
    assert_eq!(command.standing().unwrap(), Standing::Gone);
}

#[test]
fn what_nobody_has_watched_can_be_read_afterwards() {
    let place = Place::new();
    let started = place.start("read line < $gate; seq 100000; seq 100000 >&2; kill -TERM $$");
    let supervisor = supervisor_of(&started);
    drop(started);
    release(&place.gate());
    assert!(supervisor.ends(LONG));
    let report = place.ended();
    assert_eq!(report.outcome, Outcome::Signaled { signal: 15, core_dumped: false });
    let lines: String = (1..=100_000).map(|line| format!("{line}\n")).collect();
    assert!(place.read(STDOUT_FILE) == lines && place.read(STDERR_FILE) == lines);
    let printed = report.printed.unwrap();
    assert_eq!((printed.stdout.kept, printed.stdout.total), (588_895, 588_895));
    assert_eq!((printed.stderr.error, printed.stderr.kept), (None, 588_895));
    assert!(place.read(STATUS_FILE).contains("\"signaled\""));
}

#[test]
fn what_is_beyond_the_cap_is_counted_and_holds_nobody_up() {
    let place = Place::new();
    let spec = shell("head -c 1000000 /dev/zero").survive(place.kept(), 1_000);
    let report = start(&supervisor(), spec).unwrap().wait(Some(LONG)).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Exited { code: 0 });
    let stdout = report.printed.unwrap().stdout;
    assert_eq!((stdout.kept, stdout.total), (1_000, 1_000_000));
    assert_eq!(fs::metadata(place.kept().join(STDOUT_FILE)).unwrap().len(), 1_000);
}

#[test]
fn a_file_that_cannot_grow_holds_nobody_up_and_says_so() {
    let place = Place::new();
    let mut started = place.start("read line < $gate; head -c 300000 /dev/zero; exit 6");
    let few = Rlimit { current: Some(4_096), maximum: Some(4_096) };
    let supervisor = Pid::from_raw(started.supervisor().pid);
    prlimit(supervisor, Resource::Fsize, few).unwrap();
    release(&place.gate());
    let report = started.wait(Some(LONG)).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Exited { code: 6 });
    let stdout = report.printed.clone().unwrap().stdout;
    assert_eq!((stdout.kept, stdout.total), (4_096, 300_000));
    assert!(stdout.error.unwrap().contains("too large"));
    assert_eq!(place.ended(), report);
}

#[test]
fn the_end_of_a_surviving_command_can_be_asked_for_by_whoever_holds_it() {
    let place = Place::new();
    let started = place.start("trap '' TERM; echo ready; setsid sleep 1000 & wait; sleep 1000");
    let mut one = place.running();
    let mut other = place.running();
    printed(&mut one);
    one.end(SHORT).unwrap();
    let report = one.wait(Some(LONG)).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Signaled { signal: 9, core_dumped: false });
    assert!(report.stopped);
    assert_eq!(other.wait(Some(LONG)).unwrap(), Some(report));
    drop(started);
}

#[test]
fn a_holder_is_told_when_more_was_printed() {
    let place = Place::new();
    let mut started = place.start("echo one; read line < $gate; echo two >&2; read line < $gate");
    printed(&mut started);
    started.tell(None).unwrap();
    let Some(Event::State(state)) = started.next(Some(LONG)).unwrap() else {
        panic!("no state");
    };
    assert_eq!((state.stdout.total, state.stderr.total, state.is_ending), (4, 0, false));
    started.tell(Some((4, 0))).unwrap();
    release(&place.gate());
    let Some(Event::State(state)) = started.next(Some(LONG)).unwrap() else {
        panic!("no state");
    };
    assert_eq!((state.stdout.total, state.stderr.total), (4, 4));
    started.kill().unwrap();
    started.wait(Some(LONG)).unwrap().unwrap();
}

#[test]
fn a_process_is_told_from_another_with_its_id() {
    let place = Place::new();
    let started = place.start("read line < $gate");
    let command = serde_json::to_value(started.command()).unwrap();
    let standing = |field: &str, value: serde_json::Value| {
        let mut other = command.clone();
        other[field] = value;
        serde_json::from_value::<Identity>(other).unwrap().standing().unwrap()
    };
    let pid = command["pid"].clone();
    assert_eq!(standing("pid", pid), Standing::Alive);
    assert_eq!(standing("start_time", 1.into()), Standing::Gone);
    assert_eq!(standing("boot_id", "another".into()), Standing::Gone);
    assert_eq!(standing("pid_namespace", 7.into()), Standing::Elsewhere);
    assert_eq!(standing("pid", 0.into()), Standing::Gone);
    started.kill().unwrap();
    assert!(supervisor_of(&started).ends(LONG));
}

#[test]
fn a_stranger_with_the_id_of_the_supervisor_is_not_taken_for_it() {
    let place = Place::new();
    let started = place.start("read line < $gate");
    let start_time = format!("\"start_time\":{}", started.supervisor().start_time);
    place.forge(&start_time, "\"start_time\":1");
    let refused = adopt(place.kept()).unwrap_err();
    assert!(matches!(refused, AdoptError::WrongProcess { .. }), "{refused:?}");
    place.forge("\"start_time\":1,", &format!("{start_time},"));
    place.running().kill().unwrap();
    assert!(supervisor_of(&started).ends(LONG));
}

#[test]
fn a_supervisor_of_another_boot_or_namespace_is_not_spoken_to() {
    let place = Place::new();
    let started = place.start("read line < $gate");
    let namespace = format!("\"pid_namespace\":{}", started.supervisor().pid_namespace);
    place.forge(&namespace, "\"pid_namespace\":7");
    let refused = adopt(place.kept()).unwrap_err();
    assert!(matches!(refused, AdoptError::Elsewhere { .. }), "{refused:?}");
    place.forge("\"pid_namespace\":7", &namespace);
    place.forge(&boot_id().unwrap(), "another");
    let refused = adopt(place.kept()).unwrap_err();
    assert!(matches!(refused, AdoptError::WrongProcess { .. }), "{refused:?}");
    started.kill().unwrap();
    assert!(supervisor_of(&started).ends(LONG));
}

#[test]
fn a_command_whose_supervisor_was_killed_is_lost_but_named() {
    let place = Place::new();
    let started = place.start("read line < $gate");
    let supervisor = supervisor_of(&started);
    let command = started.command().clone();
    supervisor.send(Signal::KILL);
    assert!(supervisor.ends(LONG));
    assert_eq!(place.lost(), Some(command.clone()));
    assert_eq!(command.standing().unwrap(), Standing::Alive);
    Process::of(command.pid).send(Signal::KILL);
}

#[test]
fn a_command_that_was_given_up_before_its_start_is_never_started() {
    let place = Place::new();
    assert_eq!(place.lost(), None);
    assert_eq!(place.lost(), None);
    let refused = start(&supervisor(), place.spec("true")).unwrap_err();
    let StartError::Directory { path, source } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(path, place.kept());
    assert!(source.to_string().contains("used before"), "{source}");
}

#[test]
fn a_directory_belongs_to_one_command() {
    let place = Place::new();
    let started = place.start("read line < $gate");
    let refused = start(&supervisor(), place.spec("true")).unwrap_err();
    assert!(matches!(refused, StartError::Directory { .. }), "{refused:?}");
    started.kill().unwrap();
    assert!(supervisor_of(&started).ends(LONG));
    let refused = start(&supervisor(), place.spec("true")).unwrap_err();
    assert!(matches!(refused, StartError::Directory { .. }), "{refused:?}");
    assert_eq!(place.ended().outcome, Outcome::Signaled { signal: 9, core_dumped: false });
}

#[test]
fn a_directory_that_is_not_there_is_an_error_on_both_sides() {
    let missing = Path::new("/no/such/directory");
    let refused = start(&supervisor(), shell("true").survive(missing, CAP)).unwrap_err();
    assert!(matches!(refused, StartError::Directory { .. }), "{refused:?}");
    let refused = adopt(missing).unwrap_err();
    assert!(matches!(refused, AdoptError::Directory { .. }), "{refused:?}");
}

#[test]
fn nobody_else_may_read_what_is_kept() {
    let place = Place::new();
    let mut started = place.start("umask; read line < $gate");
    printed(&mut started);
    let files = fs::read_dir(place.kept()).unwrap();
    let modes: Vec<(String, u32)> = files
        .map(|file| file.unwrap())
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, file.metadata().unwrap().permissions().mode() & 0o777)
        })
        .collect();
    assert!(modes.len() >= 5, "{modes:?}");
    assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
    // And the command has the mask of its starter.
    let own = Command::new("sh").args(["-c", "umask"]).output().unwrap().stdout;
    assert_eq!(place.read(STDOUT_FILE).as_bytes(), own);
    started.kill().unwrap();
    started.wait(Some(LONG)).unwrap().unwrap();
}

#[test]
fn a_surviving_command_has_three_open_files() {
    let place = Place::new();
    place.start(OPEN_FILES).wait(Some(LONG)).unwrap().unwrap();
    assert_eq!(place.read(STDOUT_FILE), "0\n1\n2\n");
}

#[test]
fn a_long_path_is_no_hindrance() {
    let place = Place::new();
    let long = place.kept().join("a".repeat(200));
    fs::create_dir(&long).unwrap();
    let spec = shell("read line < $gate").env("gate", place.gate()).survive(&long, CAP);
    drop(start(&supervisor(), spec).unwrap());
    let Adopted::Running(mut adopted) = adopt(&long).unwrap() else {
        panic!("it does not run");
    };
    release(&place.gate());
    let report = adopted.wait(Some(LONG)).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Exited { code: 0 });
}
