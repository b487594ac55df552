//! Being a supervisor: from the first word of the client to the report.
//!
//! One thread, one loop, one command. It has no logger and no injected clock: it is a process of its
//! own, which outlives those who have them.

mod clients;
mod keeper;
mod order;
mod running;
mod signals;
mod spool;
mod tree;

use std::env;
use std::ffi::CStr;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open, set_child_subreaper, setsid};
use rustix::thread::set_name;

use self::clients::Client;
use self::keeper::Keeper;
use self::order::Order;
use self::running::Running;
use self::signals::Signals;
use self::tree::Tree;
use crate::directory::Names;
use crate::identity::Identity;
use crate::limits::HANDSHAKE_WAIT;
use crate::proc;
use crate::protocol::{Refusal, Reply, Request, Step, VERSION};
use crate::wire::{Inbox, encode, send};

/// What the process returns when it had nothing to supervise in the end.
const FAILED: i32 = 1;

/// The name that the system knows this process by; 15 bytes at most.
const NAME: &CStr = c"loom-supervisor";

/// The highest of the files that every process has.
const STDERR: i32 = 2;

/// Does all that a supervisor does, and says with which code the process ends.
pub(crate) fn serve(control: UnixStream) -> i32 {
    let mut client = Greeted { control, inbox: Inbox::default() };
    match client.begin() {
        Ok(job) => {
            Running::new(job, Client::owner(client.control, client.inbox)).run();
            0
        }
        Err(Failed::Refused(refusal)) => {
            // The client may be gone, and then nobody asks.
            let _ = client.say(&Reply::Refused(refusal));
            FAILED
        }
        Err(Failed::Unheard) => FAILED,
    }
}

/// Why there is nothing to supervise.
enum Failed {
    /// The client is told.
    Refused(Refusal),
    /// The client is gone, or says what nobody understands.
    Unheard,
}

impl Failed {
    fn at(step: Step) -> impl Fn(io::Error) -> Self {
        move |error| Self::Refused(Refusal::new(step, &error))
    }
}

/// A command that runs, and what is known about it.
struct Job {
    tree: Tree,
    signals: Signals,
    keeper: Option<Keeper>,
    names: Names,
    plan: Plan,
}

/// What there is to do when the leader has exited.
#[derive(Clone, Copy)]
struct Plan {
    grace_ms: u64,
    started: Instant,
}

/// The client that has started this process.
struct Greeted {
    control: UnixStream,
    inbox: Inbox,
}

impl Greeted {
    /// All that has to be done before the command runs, and its start.
    fn begin(&mut self) -> Result<Job, Failed> {
        close_inherited(&self.control).map_err(Failed::at(Step::Kernel))?;
        let signals = settle().map_err(Failed::at(Step::Kernel))?;
        let own = Identity::own().map_err(Failed::at(Step::Kernel))?;
        self.greet(&own)?;
        let order = self.order()?;
        let plan = Plan { grace_ms: order.grace_ms, started: Instant::now() };
        let keeper = order.keep(&own)?;
        let (leader, keeper) = order.run(keeper)?;
        let mut tree = Tree::new(getpid(), leader);
        let named = name(&own, leader, keeper.as_ref());
        let command = match named {
            Ok(command) => command,
            Err(failed) => {
                tree.kill_all();
                return Err(failed);
            }
        };
        // The client may be gone: that is found out later, where it has consequences.
        let _ = self.say(&Reply::Started { command: command.clone() });
        let names = Names { supervisor: own, command: Some(command) };
        Ok(Job { tree, signals, keeper, names, plan })
    }

    fn greet(&mut self, own: &Identity) -> Result<(), Failed> {
        let Ok(Request::Hello { nonce, .. }) = self.hear() else {
            return Err(Failed::Unheard);
        };
        let supervisor = own.clone();
        let hi = Reply::Hi { version: VERSION, nonce, supervisor, command: None };
        self.say(&hi).map_err(|_| Failed::Unheard)
    }

    /// The client takes its time, and if it dies there will be nothing.
    fn order(&mut self) -> Result<Order, Failed> {
        let heard = self.inbox.wait(&self.control, None);
        let (Request::Start(outline), texts) = heard.map_err(|_| Failed::Unheard)? else {
            return Err(Failed::Unheard);
        };
        Order::new(&outline, &texts, self.inbox.take_files()).ok_or(Failed::Unheard)
    }

    fn hear(&mut self) -> io::Result<Request> {
        let deadline = Instant::now() + HANDSHAKE_WAIT;
        self.inbox.wait(&self.control, Some(deadline)).map(|(request, _)| request)
    }

    fn say(&self, reply: &Reply) -> io::Result<()> {
        let deadline = Instant::now() + HANDSHAKE_WAIT;
        send(&self.control, &encode(reply, &[])?, &[], deadline)
    }
}

/// Closes what this process was given without being asked. The command must not have it, and a lock
/// that is shared must not outlive its owner.
fn close_inherited(control: &UnixStream) -> io::Result<()> {
    let is_ours = |file: &i32| *file <= STDERR || *file == control.as_raw_fd();
    for file in proc::open_files()?.into_iter().filter(|file| !is_ours(file)) {
        // Fails for the directory that was just read, which is closed already.
        let _ = nix::unistd::close(file);
    }
    Ok(())
}

/// Leaves the terminal and the place that this process was started from, and becomes the one that
/// orphans are given to.
fn settle() -> io::Result<Signals> {
    proc::check()?;
    pidfd_open(getpid(), PidfdFlags::empty())?;
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    env::set_current_dir("/")?;
    set_name(NAME)?;
    Signals::take()
}

/// Finds out who the leader is, and says so where it is kept.
fn name(own: &Identity, leader: Pid, keeper: Option<&Keeper>) -> Result<Identity, Failed> {
    let command = Identity::of(leader).map_err(Failed::at(Step::Kernel))?;
    if let Some(keeper) = keeper {
        keeper.name(own, Some(&command)).map_err(Failed::at(Step::Directory))?;
    }
    Ok(command)
}
