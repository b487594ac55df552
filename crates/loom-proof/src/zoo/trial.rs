//! One case, from the engine's start to what is left.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::zoo::act::{arguments, padding};
use crate::zoo::animals::End;
use crate::zoo::case::{Case, Ending};
use crate::zoo::den::{Den, Pipes};
use crate::zoo::keeper::{Keeper, KeeperError, Programs};
use crate::zoo::survivors;
use crate::zoo::talk::{Ended, Errand};
use crate::zoo::verdict::{Seen, is_back};

/// How long each process of an animal may take to be where it wants to be.
const CREW_WAIT: Duration = Duration::from_secs(20);
/// How long a command may take where it is to take too long.
const TIMEOUT_MS: u64 = 1500;
/// How long what should be gone may take to be gone.
const GONE_WAIT: Duration = Duration::from_secs(2);

/// Tries a case in the directory `home`, which must be empty. Nobody of the animal lives afterwards.
///
/// # Errors
/// If the engine could not be started; whatever happened then is in what was seen.
pub fn run(case: &Case, programs: &Programs, home: &Path) -> Result<Seen, KeeperError> {
    let keep = home.join("keep");
    fs::create_dir(&keep)?;
    let den = Den::at(home.join("den"));
    let pipes = den.dig()?;
    let keeper = Keeper::start(&programs.keeper, &keep, case.mode)?;
    let mut trial = Trial { case, programs, keep: &keep, den: &den, pipes, seen: Seen::default() };
    if let Err(error) = trial.go(keeper) {
        trial.seen.trouble.push(error.to_string());
    }
    let mut seen = trial.seen;
    seen.disk_bytes = size(&keep)?;
    survivors::kill(&den)?;
    Ok(seen)
}

struct Trial<'a> {
    case: &'a Case,
    programs: &'a Programs,
    keep: &'a Path,
    den: &'a Den,
    pipes: Pipes,
    seen: Seen,
}

impl Trial<'_> {
    fn go(&mut self, mut keeper: Keeper) -> Result<(), KeeperError> {
        let before = keeper.holdings_at_rest();
        let id = keeper.submit(self.errand())?;
        self.settle()?;
        match self.case.ending {
            Ending::Completes | Ending::Timeout => {
                let ended = keeper.wait(&id)?;
                self.look(ended)?;
            }
            Ending::Cancel => {
                let ended = keeper.cancel(&id)?;
                self.look(ended)?;
            }
            Ending::Close => {
                keeper.shut_down()?;
                self.look_for_survivors()?;
            }
            Ending::Kill9 => {
                keeper.kill()?;
                return self.ask_next(&id);
            }
        }
        let after = keeper.holdings_when(GONE_WAIT, |after| is_back(&before, after));
        self.seen.held = Some((before, after));
        if self.case.ending == Ending::Close {
            drop(keeper);
            return self.ask_next(&id);
        }
        Ok(())
    }

    /// Has another engine take care of what is left, and asks it for the end of the task.
    fn ask_next(&mut self, id: &str) -> Result<(), KeeperError> {
        let mut keeper = Keeper::start(&self.programs.keeper, self.keep, self.case.mode)?;
        let ended = keeper.wait(id)?;
        self.look(ended)
    }

    fn errand(&self) -> Errand {
        let words: Vec<&str> = self.case.animal.script.split_whitespace().collect();
        let leaves = self.case.ending == Ending::Completes;
        let mut args = arguments(self.den, leaves, &words);
        if words.contains(&"big") {
            args.extend(padding());
        }
        let timeout_ms = (self.case.ending == Ending::Timeout).then_some(TIMEOUT_MS);
        Errand::new(args, self.den.path().to_string_lossy()).timeout_ms(timeout_ms)
    }

    /// Waits until all processes are where they want to be, and lets the first one go where it does.
    fn settle(&mut self) -> io::Result<()> {
        let crew = self.case.animal.crew();
        // A task whose time is running is not waited for: its tree may end while it grows.
        if self.case.ending != Ending::Timeout {
            let here = self.pipes.await_crew(crew, CREW_WAIT)?;
            if here < crew {
                let complaints = self.den.complaints();
                self.seen.trouble.push(format!("{here} of {crew} are here; {}", complaints.trim()));
            }
        }
        if self.case.ending == Ending::Completes || self.case.animal.end != End::Well {
            self.pipes.let_go()?;
        }
        Ok(())
    }

    /// Looks around at the moment at which the task is said to have ended.
    fn look(&mut self, ended: Ended) -> Result<(), KeeperError> {
        self.seen.ended = Some(ended);
        Ok(self.look_for_survivors()?)
    }

    fn look_for_survivors(&mut self) -> io::Result<()> {
        let now = survivors::find(self.den)?;
        let stayed = survivors::wait_for_none(self.den, GONE_WAIT)?;
        let late = now.iter().filter(|process| !stayed.contains(process));
        self.seen.late = late.map(|process| process.pid.to_string()).collect();
        self.seen.survivors = stayed.iter().map(|process| process.shown()).collect();
        Ok(())
    }
}

/// How much a directory holds.
fn size(directory: &Path) -> io::Result<u64> {
    fs::read_dir(directory)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        let more = if entry.file_type()?.is_dir() {
            size(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
        Ok(sum + more)
    })
}
