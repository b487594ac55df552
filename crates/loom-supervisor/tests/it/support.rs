//! Commands to run, and eyes for what becomes of them.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, Read, Write, pipe};
use std::path::{Path, PathBuf};
use std::time::Duration;

use loom_supervisor::{Input, Program, Report, Spec, Supervised, start};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

/// Longer than anything that happens here takes, on a busy machine too.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// A grace that is over soon.
pub(crate) const SHORT: Duration = Duration::from_millis(50);

/// Prints which of the first hundred files are open.
pub(crate) const OPEN_FILES: &str =
    "i=0; while [ $i -lt 100 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i + 1)); done; true";

pub(crate) fn supervisor() -> Program {
    Program::at(env!("CARGO_BIN_EXE_loom-supervisor"))
}

/// The program that is its own supervisor.
pub(crate) fn host() -> PathBuf {
    env!("CARGO_BIN_EXE_loom-supervisor-host").into()
}

/// A script, with the grace of one who is patient.
pub(crate) fn shell(script: &str) -> Spec {
    Spec::new("sh").args(["-c", script]).inherit_env().grace(LONG)
}

/// A command whose output a test reads, and whose input it writes.
pub(crate) struct Talk {
    pub(crate) command: Supervised,
    pub(crate) input: File,
    output: BufReader<PipeReader>,
}

impl Talk {
    pub(crate) fn start(spec: Spec) -> Self {
        let (output, theirs) = pipe().unwrap();
        let (stdin, input) = pipe().unwrap();
        let spec = spec.stdin(Input::File(stdin.into())).stdout(theirs);
        let command = start(&supervisor(), spec).unwrap();
        let input = File::from(std::os::fd::OwnedFd::from(input));
        Self { command, input, output: BufReader::new(output) }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The process whose id the next line is.
    pub(crate) fn process(&mut self) -> Process {
        Process::of(self.line().parse().unwrap())
    }

    /// What was printed, when nobody is left who could print more.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        rest
    }

    pub(crate) fn report(&mut self) -> Report {
        self.command.wait(Some(LONG)).unwrap().unwrap()
    }
}

/// Runs a command to its end.
pub(crate) fn run(spec: Spec) -> (Report, String) {
    let mut talk = Talk::start(spec);
    let output = talk.rest();
    (talk.report(), output)
}

/// A process, by a handle that means no other.
pub(crate) struct Process {
    pid: Pid,
    handle: std::os::fd::OwnedFd,
}

impl Process {
    pub(crate) fn of(pid: i32) -> Self {
        let pid = Pid::from_raw(pid).unwrap();
        Self { pid, handle: pidfd_open(pid, PidfdFlags::empty()).unwrap() }
    }

    /// Whether it has ended, at most this long from now.
    pub(crate) fn ends(&self, at_most: Duration) -> bool {
        let mut handles = [PollFd::new(&self.handle, PollFlags::IN)];
        poll(&mut handles, Some(&Timespec::try_from(at_most).unwrap())).unwrap() > 0
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ends(Duration::ZERO)
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }
}

/// Lets whoever reads the pipe at `path` go on.
pub(crate) fn release(path: &Path) {
    File::options().write(true).open(path).unwrap().write_all(b"go\n").unwrap();
}
