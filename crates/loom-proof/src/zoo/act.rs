//! What a process of an animal does: it obeys the words of its script.
//!
//! | word | what it does |
//! |---|---|
//! | `here` | says that it is where it wanted to be |
//! | `wait` | stays until it is killed |
//! | `leave` | goes when it is let |
//! | `end` | `leave` where the animal is to end by itself, else `wait` |
//! | `core` | aborts when it is let, with a core dump if the system allows one |
//! | `setsid`, `newgroup`, `root`, `close` | new session, new group, to `/`, closes its pipes |
//! | `deaf`, `deaf-to-all` | blocks `SIGTERM`, or all signals |
//! | `stop`, `stop-parent`, `stop-if-staying` | `SIGSTOP` |
//! | `rename` | has the name of a thread of the kernel |
//! | `read` | reads its input to the end |
//! | `print:KIND:BYTES`, `print-on` | prints so much and goes on, or without end |
//! | `exec:N` | becomes another program, N times over |
//! | `bare`, `silent`, `masked`, `big` | how the next child is: without environment, without pipes, without arguments, with huge ones |
//! | `child […]`, `loners:N […]`, `nest:N […]` | starts one, many, or a chain of them |
//! | `respawn […]` | starts one anew whenever it ends |
//! | `on-term […]` | starts one whenever `SIGTERM` comes |
//! | `bomb:N`, `zombies:N` | N processes: alive, or ended |
//! | `hydra:PID:N` | two that watch each other and start each other anew, N times |

mod kin;
mod print;

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, parent_id};
use std::process::Command;

use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, kill_process, setpgid, setrlimit, setsid};

use crate::zoo::den::Den;
use kin::Manner;

/// How long an animal lives at most, should its judge die: seconds.
const LIFE_SECONDS_MAX: u32 = 180;
/// The name that hides.
pub(crate) const FALSE_NAME: &std::ffi::CStr = c"kworker/0:1";
/// Where a process without arguments finds them.
const MASKED_FILE: &str = "masked";
/// What follows is there to be long.
pub(crate) const PADDING: &str = "pad";
/// One argument may have 128 KiB on Linux.
const PADDING_BYTES: usize = 120 << 10;
const PADDING_COUNT: usize = 8;

/// The arguments of a process that obeys `words` in the den.
#[must_use]
pub fn arguments(den: &Den, leaves: bool, words: &[&str]) -> Vec<String> {
    let end = if leaves { "leave" } else { "stay" };
    let first = [den.path().to_string_lossy().into_owned(), end.to_owned()];
    first.into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect()
}

/// Arguments that are long and mean nothing: close to a megabyte.
#[must_use]
pub fn padding() -> Vec<String> {
    let blob = "x".repeat(PADDING_BYTES);
    std::iter::once(PADDING.to_owned()).chain(vec![blob; PADDING_COUNT]).collect()
}

/// Obeys the words of the command line.
///
/// # Errors
/// If a word cannot be obeyed. The den has been told then.
pub fn main() -> io::Result<()> {
    let mut args: Vec<String> = env::args().skip(1).collect();
    if args.is_empty() {
        let masked = fs::read_to_string(MASKED_FILE)?;
        args = masked.split_whitespace().map(str::to_owned).collect();
    }
    let [den, end, words @ ..] = args.as_slice() else {
        return Err(io::Error::other("usage: zoo-animal DEN leave|stay WORD…"));
    };
    nix::unistd::alarm::set(LIFE_SECONDS_MAX);
    let den = Den::at(den);
    let tracks = den.enter();
    let words = words.iter().map(String::as_str).take_while(|word| *word != PADDING);
    let mut body = Body {
        den: &den,
        leaves: end == "leave",
        words: words.collect(),
        at: 0,
        manner: Manner::default(),
    };
    let obeyed = tracks.and_then(|tracks| body.obey_all(&tracks));
    obeyed.inspect_err(|error| {
        // If the den is gone nobody cares any more.
        let _ = den.complain(&format!("{}: {error}", body.words.join(" ")));
    })
}

/// A process with what it is still to do.
struct Body<'a> {
    den: &'a Den,
    leaves: bool,
    words: Vec<&'a str>,
    at: usize,
    manner: Manner,
}

impl<'a> Body<'a> {
    /// The tracks are held until the end.
    fn obey_all(&mut self, _tracks: &File) -> io::Result<()> {
        while let Some(word) = self.words.get(self.at).copied() {
            self.at += 1;
            let mut parts = word.split(':');
            let name = parts.next().unwrap_or_default();
            let rest: Vec<&str> = parts.collect();
            self.obey(name, &rest)?;
        }
        Ok(())
    }

    fn obey(&mut self, word: &str, rest: &[&str]) -> io::Result<()> {
        let number = rest.last().and_then(|text| text.parse().ok()).unwrap_or_default();
        match word {
            "here" => self.den.here(),
            "wait" => wait(),
            "leave" => self.leave(),
            "end" if self.leaves => self.leave(),
            "end" => wait(),
            "core" => self.dump_core(),
            "setsid" => Ok(setsid().map(drop)?),
            "newgroup" => Ok(setpgid(None, None)?),
            "root" => env::set_current_dir("/"),
            "close" => close(),
            "deaf" => Ok(SigSet::from(Signal::SIGTERM).thread_block()?),
            "deaf-to-all" => Ok(all_signals().thread_block()?),
            "stop" => stop(std::process::id()),
            "stop-if-staying" if self.leaves => Ok(()),
            "stop-if-staying" => stop(std::process::id()),
            "stop-parent" => stop(parent_id()),
            "rename" => Ok(rustix::thread::set_name(FALSE_NAME)?),
            "read" => io::stdin().read_to_end(&mut Vec::new()).map(drop),
            "print" => self.print(rest.first().copied().unwrap_or_default(), number),
            "print-on" => print::without_end("lines"),
            "exec" => self.exec(number),
            other => self.obey_kin(other, rest, number),
        }
    }

    /// Words about other processes.
    fn obey_kin(&mut self, word: &str, rest: &[&str], number: u64) -> io::Result<()> {
        match word {
            "bare" => self.manner.bare = true,
            "silent" => self.manner.silent = true,
            "masked" => self.manner.masked = true,
            "big" => self.manner.big = true,
            "child" => {
                let script = self.bracket();
                self.start(&script)?;
            }
            "loners" => self.loners(number)?,
            "nest" => self.nest(number)?,
            "respawn" => self.respawn()?,
            "on-term" => self.on_term()?,
            "bomb" => drop(self.start(&[&format!("bomb-node:{number}:0")])?),
            "bomb-node" => self.bomb_node(rest)?,
            "zombies" => self.zombies(number)?,
            "hydra" => self.hydra(rest)?,
            other => return Err(io::Error::other(format!("no animal knows the word {other}"))),
        }
        Ok(())
    }

    /// The words in the brackets that follow.
    fn bracket(&mut self) -> Vec<&'a str> {
        let mut depth = 0_usize;
        let start = self.at + 1;
        while let Some(word) = self.words.get(self.at) {
            match *word {
                "[" => depth += 1,
                "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        self.words.get(start..self.at.saturating_sub(1)).unwrap_or_default().to_vec()
    }

    /// Never returns.
    fn leave(&mut self) -> io::Result<()> {
        self.den.leave()?;
        self.at = self.words.len();
        Ok(())
    }

    fn dump_core(&self) -> io::Result<()> {
        self.den.leave()?;
        let most = getrlimit(Resource::Core).maximum;
        setrlimit(Resource::Core, Rlimit { current: most, maximum: most })?;
        std::process::abort()
    }

    fn print(&mut self, kind: &str, bytes: u64) -> io::Result<()> {
        self.den.here()?;
        if self.leaves { print::so_much(kind, bytes) } else { print::without_end(kind) }
    }

    fn exec(&self, times: u64) -> io::Result<()> {
        let Some(times) = times.checked_sub(1) else { return Ok(()) };
        let again = format!("exec:{times}");
        let rest = self.words.get(self.at..).unwrap_or_default();
        let words: Vec<&str> =
            std::iter::once(again.as_str()).chain(rest.iter().copied()).collect();
        let mut program = Command::new(env::current_exe()?);
        Err(program.args(arguments(self.den, self.leaves, &words)).exec())
    }
}

/// Never returns.
fn wait() -> io::Result<()> {
    loop {
        // Returns after every signal that was caught.
        nix::unistd::pause();
    }
}

/// All but the one that ends an animal whose judge has died.
fn all_signals() -> SigSet {
    let mut set = SigSet::all();
    set.remove(Signal::SIGALRM);
    set
}

fn close() -> io::Result<()> {
    (0..3).try_for_each(|file| Ok(nix::unistd::close(file)?))
}

fn stop(pid: u32) -> io::Result<()> {
    let pid = pid.try_into().ok().and_then(Pid::from_raw);
    pid.map_or(Ok(()), |pid| Ok(kill_process(pid, rustix::process::Signal::STOP)?))
}
