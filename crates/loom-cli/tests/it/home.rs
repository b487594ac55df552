//! A home of its own for each test, and `loom` in it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Home {
    directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// `loom` with these arguments, its state and its directory in this home.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("loom"));
        command
            .args(args)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("XDG_STATE_HOME", self.file("state"))
            .env_remove("LOOM_DB")
            .env_remove("LOOM_LOG")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn loom(&self, args: &[&str]) -> Ended {
        self.command(args).output().unwrap().into()
    }

    pub(crate) fn run(&self, command: &[&str]) -> Ended {
        self.loom(&[&["run", "--"], command].concat())
    }

    /// Starts `loom run` and returns when its command has printed a first line, with that line.
    pub(crate) fn start(&self, options: &[&str], script: &str) -> (Started, String) {
        let args = [&["run"], options, &["--", "sh", "-c", script]].concat();
        let mut command = self.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        (Started { child, _stdout: stdout }, line.trim_end().to_owned())
    }

    /// The tasks that `loom list` names, the oldest first.
    pub(crate) fn tasks(&self) -> Vec<Value> {
        let listed = self.loom(&["list", "--json", "-n", "1000"]);
        let document: Value = serde_json::from_str(&listed.stdout).unwrap();
        let mut tasks = document["tasks"].as_array().unwrap().clone();
        tasks.reverse();
        tasks
    }

    pub(crate) fn show(&self, task: &str) -> Value {
        serde_json::from_str(&self.loom(&["show", task, "--json"]).stdout).unwrap()
    }

    pub(crate) fn statuses(&self) -> Vec<String> {
        self.tasks().iter().map(|task| task["status"].as_str().unwrap().to_owned()).collect()
    }

    /// Files and directories below this home, by path, without what SQLite may keep or remove.
    pub(crate) fn contents(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut left = vec![self.path().to_owned()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                found.push(path.strip_prefix(self.path()).unwrap().display().to_string());
                if path.is_dir() {
                    left.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

/// A `loom run` under way. Killed when it is dropped, so that a failed test leaves nothing behind.
pub(crate) struct Started {
    pub(crate) child: Child,
    _stdout: BufReader<ChildStdout>,
}

impl Started {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The exit code, or 128 and the signal.
    pub(crate) fn wait(mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let status = self.child.wait().unwrap();
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a `loom` that has ended left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// The code is this, and each of these texts stands in what was said about it.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in {self:?}");
        }
    }
}

/// Whether a process of this id lives; one that waits to be reaped does not.
pub(crate) fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, fields)| fields.trim_start().chars().next());
    state.flatten().is_some_and(|state| state != 'Z' && state != 'X')
}
