//! Animals without loom, in a den of their own.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loom_proof::zoo::act::{arguments, padding};
use loom_proof::zoo::animals::Animal;
use loom_proof::zoo::den::{Den, Pipes};
use loom_proof::zoo::survivors;
use tempfile::TempDir;

/// Longer than anything that happens here takes, on a busy machine too.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A den with an animal in it that nobody has tamed. All of it is killed when this is dropped.
pub(crate) struct Wild {
    pub(crate) den: Den,
    pub(crate) pipes: Pipes,
    leader: Child,
    _home: TempDir,
}

impl Wild {
    pub(crate) fn start(animal: &Animal) -> Self {
        let home = tempfile::tempdir().unwrap();
        let den = Den::at(home.path().join("den"));
        let pipes = den.dig().unwrap();
        let words: Vec<&str> = animal.script.split_whitespace().collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zoo-animal"));
        command.args(arguments(&den, false, &words)).current_dir(den.path());
        if words.contains(&"big") {
            command.args(padding());
        }
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { leader: command.spawn().unwrap(), den, pipes, _home: home }
    }

    /// Waits until all are where they want to be.
    pub(crate) fn settle(&mut self, animal: &Animal) -> usize {
        self.pipes.await_crew(animal.crew(), LONG).unwrap()
    }

    pub(crate) fn kill_leader(&mut self) {
        self.leader.kill().unwrap();
        self.leader.wait().unwrap();
    }
}

impl Drop for Wild {
    fn drop(&mut self) {
        // A test that has failed already says why.
        let _ = survivors::kill(&self.den);
        let _ = self.leader.wait();
    }
}
