//! An engine in a process of its own, as the judge holds it.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::zoo::case::Mode;
use crate::zoo::proc::{Handle, Holdings, Process};
use crate::zoo::talk::{Answer, Ask, Ended, Errand};

/// How long an answer may take, on a busy machine too.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// Has the allocator of GNU's C library give memory back as soon as it is freed, so that what a
/// process holds is what it uses. Others do not know these variables.
const ALLOCATOR: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "65536"), ("MALLOC_TRIM_THRESHOLD_", "65536")];
/// How often is looked at what a process holds.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// What a process holds is at rest when it has not changed for so long. Longer than it keeps threads
/// without work.
const REST: Duration = Duration::from_millis(120);
/// How long is waited for rest.
const REST_WAIT: Duration = Duration::from_secs(3);

/// Why an engine could not be tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeeperError {
    /// The machine does not offer the mode.
    #[error("{0}")]
    Unavailable(String),
    /// The engine said that it could not do what it was asked to.
    #[error("the engine: {0}")]
    Engine(String),
    /// It said something else than it was asked for.
    #[error("the engine answered out of turn: {0:?}")]
    OutOfTurn(Answer),
    /// It said nothing.
    #[error("no answer from the engine within {} s to {asked}", limit.as_secs())]
    Silent {
        /// How long was waited.
        limit: Duration,
        /// What was asked.
        asked: String,
    },
    /// Its process has ended.
    #[error("the engine's process has ended")]
    Gone,
    /// The system failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The process of an engine. It is killed when this is dropped.
#[derive(Debug)]
pub struct Keeper {
    child: Child,
    handle: Handle,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    patience: Duration,
}

impl Keeper {
    /// Starts an engine with its database in the directory `home`.
    ///
    /// # Errors
    /// [`KeeperError::Unavailable`] if the mode cannot be had here.
    pub fn start(program: &Path, home: &Path, mode: Mode) -> Result<Self, KeeperError> {
        let mut child = Command::new(program)
            .arg(home)
            .arg(mode.as_str())
            .envs(ALLOCATOR)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let handle = Process::of(child.id()).and_then(|process| process.handle());
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let Some((handle, stdout)) = handle.zip(stdout) else {
            child.wait()?;
            return Err(KeeperError::Gone);
        };
        let lines = lines(BufReader::new(stdout));
        let keeper = Self { child, handle, stdin, lines, patience: ANSWER_WAIT };
        match keeper.answer("start")? {
            Answer::Ready => Ok(keeper),
            Answer::Unavailable(why) => Err(KeeperError::Unavailable(why)),
            other => Err(unexpected(other)),
        }
    }

    /// Sets how long an answer may take. Default: 30 s.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The id of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has the engine take a task. Returns its id.
    ///
    /// # Errors
    /// If it does not.
    pub fn submit(&mut self, errand: Errand) -> Result<String, KeeperError> {
        match self.ask(&Ask::Submit(errand))? {
            Answer::Submitted(id) => Ok(id),
            other => Err(unexpected(other)),
        }
    }

    /// Waits for the end of a task.
    ///
    /// # Errors
    /// If it does not come.
    pub fn wait(&mut self, id: &str) -> Result<Ended, KeeperError> {
        ended(self.ask(&Ask::Wait(id.to_owned()))?)
    }

    /// Cancels a task and waits for its end.
    ///
    /// # Errors
    /// If it does not come.
    pub fn cancel(&mut self, id: &str) -> Result<Ended, KeeperError> {
        ended(self.ask(&Ask::Cancel(id.to_owned()))?)
    }

    /// Shuts the engine down. Its process lives on.
    ///
    /// # Errors
    /// If it does not come to an end.
    pub fn shut_down(&mut self) -> Result<(), KeeperError> {
        match self.ask(&Ask::Shutdown)? {
            Answer::Closed => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    /// Kills the process.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// What the process holds when it has come to rest.
    #[must_use]
    pub fn holdings_at_rest(&self) -> Holdings {
        let started = Instant::now();
        let (mut last, mut since) = (Holdings::of(self.pid()), Instant::now());
        while since.elapsed() < REST && started.elapsed() < REST_WAIT && !self.pause() {
            let now = Holdings::of(self.pid());
            if !now.resembles(&last) {
                (last, since) = (now, Instant::now());
            }
        }
        Holdings::of(self.pid())
    }

    /// What the process holds when that is `fine`, or when the time for it is over.
    pub fn holdings_when(&self, limit: Duration, fine: impl Fn(&Holdings) -> bool) -> Holdings {
        let started = Instant::now();
        loop {
            let now = Holdings::of(self.pid());
            if fine(&now) || started.elapsed() > limit || self.pause() {
                return now;
            }
        }
    }

    /// Lets some time pass. Whether the process has ended meanwhile.
    fn pause(&self) -> bool {
        self.handle.ends_within(LOOK_INTERVAL)
    }

    fn ask(&mut self, ask: &Ask) -> Result<Answer, KeeperError> {
        let line = serde_json::to_string(ask).map_err(io::Error::from)?;
        if let Some(stdin) = &mut self.stdin {
            writeln!(stdin, "{line}")?;
        }
        self.answer(&line.chars().take(40).collect::<String>())
    }

    fn answer(&self, asked: &str) -> Result<Answer, KeeperError> {
        let line = self.lines.recv_timeout(self.patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                KeeperError::Silent { limit: self.patience, asked: asked.to_owned() }
            }
            RecvTimeoutError::Disconnected => KeeperError::Gone,
        })?;
        Ok(serde_json::from_str(&line).map_err(io::Error::from)?)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ended(answer: Answer) -> Result<Ended, KeeperError> {
    match answer {
        Answer::Ended(ended) => Ok(ended),
        other => Err(unexpected(other)),
    }
}

fn unexpected(answer: Answer) -> KeeperError {
    match answer {
        Answer::Failed(why) => KeeperError::Engine(why),
        other => KeeperError::OutOfTurn(other),
    }
}

/// Reads on a thread of its own, so that there can be a limit to the waiting.
fn lines(reader: impl BufRead + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The programs of the zoo, side by side.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The engine's process.
    pub keeper: PathBuf,
    /// The animals.
    pub animal: PathBuf,
}

impl Programs {
    /// Those beside the running program.
    ///
    /// # Errors
    /// If the running program cannot be found.
    pub fn beside_me() -> io::Result<Self> {
        let me = std::env::current_exe()?;
        let beside = |name| me.with_file_name(name);
        Ok(Self { keeper: beside("zoo-keeper"), animal: beside("zoo-animal") })
    }
}
