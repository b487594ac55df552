//! Words about other processes of the same animal.

use std::env;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use super::{Body, FALSE_NAME, LIFE_SECONDS_MAX, MASKED_FILE, arguments, padding};
use crate::zoo::proc::Process;

/// How often a child is started anew, or another one when a signal comes.
const RESPAWNS_MAX: u32 = 1000;
const ANSWERS_MAX: u32 = 20;

/// How the next child is started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner {
    pub(super) bare: bool,
    pub(super) silent: bool,
    pub(super) masked: bool,
    pub(super) big: bool,
}

impl Body<'_> {
    /// Starts a process that obeys these words.
    pub(super) fn start(&mut self, words: &[&str]) -> io::Result<Child> {
        let manner = std::mem::take(&mut self.manner);
        let mut program = Command::new(env::current_exe()?);
        let args = arguments(self.den, self.leaves, words);
        if manner.masked {
            fs::write(self.den.path().join(MASKED_FILE), args.join(" "))?;
            program.arg0(FALSE_NAME.to_string_lossy().as_ref());
        } else {
            program.args(args);
        }
        if manner.big {
            program.args(padding());
        }
        if manner.bare {
            program.env_clear();
        }
        if manner.silent {
            program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        }
        program.spawn()
    }

    pub(super) fn loners(&mut self, count: u64) -> io::Result<()> {
        let script = self.bracket();
        for _ in 0..count {
            self.manner.bare = true;
            self.start(&script)?;
        }
        Ok(())
    }

    /// A chain: each starts the next one and stays.
    pub(super) fn nest(&mut self, depth: u64) -> io::Result<()> {
        let script = self.bracket();
        let Some(deeper) = depth.checked_sub(1).filter(|deeper| *deeper > 0) else {
            return self.start(&script).map(drop);
        };
        let next = format!("nest:{deeper}");
        let mut words = vec![next.as_str(), "["];
        words.extend(script);
        words.extend(["]", "wait"]);
        self.start(&words).map(drop)
    }

    pub(super) fn respawn(&mut self) -> io::Result<()> {
        let script = self.bracket();
        for _ in 0..RESPAWNS_MAX {
            self.start(&script)?.wait()?;
        }
        Ok(())
    }

    pub(super) fn on_term(&mut self) -> io::Result<()> {
        let script = self.bracket();
        let term = SigSet::from(Signal::SIGTERM);
        term.thread_block()?;
        self.den.here()?;
        for _ in 0..ANSWERS_MAX {
            term.wait()?;
            self.manner.bare = true;
            self.start(&script)?;
        }
        Ok(())
    }

    /// One of many that stand in a tree, each with two below it.
    pub(super) fn bomb_node(&mut self, rest: &[&str]) -> io::Result<()> {
        let mut numbers = rest.iter().filter_map(|text| text.parse::<u64>().ok());
        let (count, index) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        for below in [2 * index + 1, 2 * index + 2] {
            if below < count {
                self.start(&[&format!("bomb-node:{count}:{below}")])?;
            }
        }
        self.den.here()?;
        super::wait()
    }

    pub(super) fn zombies(&mut self, count: u64) -> io::Result<()> {
        (0..count).try_for_each(|_| self.start(&[]).map(drop))
    }

    /// Watches another process, or nobody yet, and lets none of the two be alone.
    pub(super) fn hydra(&mut self, rest: &[&str]) -> io::Result<()> {
        let mut numbers = rest.iter().filter_map(|text| text.parse::<u32>().ok());
        let (partner, times) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if partner != 0 {
            self.den.here()?;
            let life = Duration::from_secs(LIFE_SECONDS_MAX.into());
            let partner = Process::of(partner).and_then(|partner| partner.handle());
            if partner.is_some_and(|partner| !partner.ends_within(life)) {
                return Ok(());
            }
        }
        for left in (0..times).rev() {
            let script = ["setsid".to_owned(), format!("hydra:{}:{left}", std::process::id())];
            self.manner.bare = true;
            let mut other = self.start(&script.each_ref().map(String::as_str))?;
            if partner == 0 && left + 1 == times {
                self.den.here()?;
            }
            other.wait()?;
        }
        Ok(())
    }
}
