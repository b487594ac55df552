//! The loop: while the command runs, while it is being ended, and the report.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};

use super::Job;
use super::clients::{Client, Wish};
use super::signals::take_in;
use super::tree::Left;
use crate::limits::{
    ADOPTERS_MAX, KILL_INTERVAL, KILL_WAIT, READS_MAX, REPORT_INTERVAL, REPORT_WAIT,
};
use crate::protocol::{Reply, Request, VERSION, after};
use crate::report::{Report, Usage};
use crate::wire::timespec;

pub(super) struct Running {
    job: Job,
    clients: Vec<Client>,
    phase: Phase,
    /// Whether the leader was told to end before it did.
    stopped: bool,
}

/// How far the end of the command has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Quiet,
    /// All were asked. They are killed when the time has come, if it ever comes.
    Asked {
        until: Option<Instant>,
    },
    /// All are killed, until it is given up.
    Killing {
        until: Instant,
    },
}

/// What a file that has become ready is.
#[derive(Clone, Copy)]
enum Ready {
    Children,
    Ends,
    Door,
    Stdout,
    Stderr,
    Client(usize),
}

impl Running {
    pub(super) fn new(job: Job, owner: Client) -> Self {
        Self { job, clients: vec![owner], phase: Phase::Quiet, stopped: false }
    }

    /// Returns when everything is over.
    pub(super) fn run(mut self) {
        loop {
            match self.job.tree.look() {
                Left::Nobody => break,
                Left::Orphans => self.end(self.job.plan.grace_ms),
                Left::Leader => {}
            }
            if !self.press() {
                break;
            }
            self.wait();
        }
        self.finish();
    }

    /// Ends what runs because somebody wants it so.
    fn stop(&mut self, grace_ms: u64) {
        self.stopped |= self.job.tree.is_led();
        self.end(grace_ms);
    }

    fn end(&mut self, grace_ms: u64) {
        let until = after(grace_ms);
        self.phase = match self.phase {
            Phase::Quiet => {
                if grace_ms > 0 {
                    self.job.tree.ask();
                }
                Phase::Asked { until }
            }
            Phase::Asked { until: earlier } => {
                Phase::Asked { until: [until, earlier].into_iter().flatten().min() }
            }
            killing @ Phase::Killing { .. } => killing,
        };
    }

    /// Kills, when it is time to. Says whether there is still something to wait for.
    fn press(&mut self) -> bool {
        let now = Instant::now();
        match self.phase {
            Phase::Quiet => return true,
            Phase::Asked { until } if until.is_none_or(|until| now < until) => return true,
            Phase::Asked { .. } => self.phase = Phase::Killing { until: now + KILL_WAIT },
            Phase::Killing { until } if now >= until => return false,
            Phase::Killing { .. } => {}
        }
        self.job.tree.kill();
        true
    }

    fn wait(&mut self) {
        let ready = self.ready();
        for ready in ready {
            self.handle(ready);
        }
        if let Some(keeper) = &self.job.keeper {
            let state = keeper.state(self.phase != Phase::Quiet);
            self.clients.iter_mut().for_each(|client| client.tell(&state));
        }
        let owner_left = self.clients.iter().any(|client| client.is_owner && client.is_gone);
        self.clients.retain(|client| !client.is_gone);
        if owner_left && self.job.keeper.is_none() {
            self.stop(self.job.plan.grace_ms);
        }
    }

    /// Waits until there is something to do, and says what it is.
    fn ready(&self) -> Vec<Ready> {
        let signals = &self.job.signals;
        let mut files =
            vec![(Ready::Children, signals.children.as_fd()), (Ready::Ends, signals.ends.as_fd())];
        if let Some(keeper) = &self.job.keeper {
            files.push((Ready::Door, keeper.door.as_fd()));
            files.extend(keeper.stdout.pipe().map(|pipe| (Ready::Stdout, pipe)));
            files.extend(keeper.stderr.pipe().map(|pipe| (Ready::Stderr, pipe)));
        }
        let clients = self.clients.iter().enumerate();
        files.extend(clients.map(|(at, client)| (Ready::Client(at), client.file())));
        let mut polled: Vec<PollFd<'_>> =
            files.iter().map(|(_, file)| PollFd::from_borrowed_fd(*file, PollFlags::IN)).collect();
        let at_most = self.pause().map(timespec);
        // Interrupted by a signal, nothing is ready yet, and the next look finds what it was.
        if poll(&mut polled, at_most.as_ref()).is_err() {
            return Vec::new();
        }
        let ready = polled.iter().zip(&files).filter(|(file, _)| !file.revents().is_empty());
        ready.map(|(_, (what, _))| *what).collect()
    }

    /// How long there is nothing to do, if nothing happens.
    fn pause(&self) -> Option<Duration> {
        match self.phase {
            Phase::Quiet => None,
            Phase::Asked { until } => {
                until.map(|until| until.saturating_duration_since(Instant::now()))
            }
            Phase::Killing { .. } => Some(KILL_INTERVAL),
        }
    }

    fn handle(&mut self, ready: Ready) {
        match ready {
            Ready::Children => take_in(&self.job.signals.children),
            Ready::Ends => {
                take_in(&self.job.signals.ends);
                self.stop(self.job.plan.grace_ms);
            }
            Ready::Client(at) => self.hear(at),
            Ready::Door | Ready::Stdout | Ready::Stderr => self.keep(ready),
        }
    }

    fn keep(&mut self, ready: Ready) {
        let Some(keeper) = &mut self.job.keeper else {
            return;
        };
        match ready {
            Ready::Stdout => keeper.stdout.fill(READS_MAX),
            Ready::Stderr => keeper.stderr.fill(READS_MAX),
            _ => {
                let visitor = keeper.visitor();
                // One too many is let in and sent away, so that it does not wait.
                let visitor = visitor.filter(|_| self.clients.len() <= ADOPTERS_MAX);
                self.clients.extend(visitor.map(Client::visitor));
            }
        }
    }

    fn hear(&mut self, at: usize) {
        let Some(client) = self.clients.get_mut(at) else {
            return;
        };
        for request in client.hear() {
            self.obey(at, request);
        }
    }

    fn obey(&mut self, at: usize, request: Request) {
        let Some(client) = self.clients.get_mut(at) else {
            return;
        };
        match request {
            Request::Hello { nonce, .. } => {
                let names = self.job.names.clone();
                let (supervisor, command) = (names.supervisor, names.command);
                client.is_greeted = true;
                client.say(&Reply::Hi { version: VERSION, nonce, supervisor, command });
            }
            _ if !client.is_greeted => client.is_gone = true,
            Request::Tell { beyond } => {
                let beyond = beyond.map(|(stdout, stderr)| Wish::Beyond { stdout, stderr });
                client.wish = Some(beyond.unwrap_or(Wish::Any));
            }
            Request::End { grace_ms } => self.stop(grace_ms),
            Request::Signal { signal } => {
                if let Some(signal) = Signal::from_named_raw(signal) {
                    self.job.tree.signal_group(signal);
                }
            }
            Request::Start(_) => client.is_gone = true,
        }
    }

    fn finish(mut self) {
        let survivors = match self.job.tree.look() {
            Left::Nobody => 0,
            Left::Leader | Left::Orphans => self.job.tree.count(),
        };
        if let Some(keeper) = &mut self.job.keeper {
            keeper.finish();
        }
        let report = Report {
            outcome: self.job.tree.outcome(),
            stopped: self.stopped,
            usage: usage(),
            ran: self.job.plan.started.elapsed(),
            ended_at_us: now_us(),
            survivors,
            printed: self.job.keeper.as_ref().map(|keeper| keeper.state(true)),
        };
        self.write(&report);
        let ended = Reply::Ended(report);
        self.clients.iter_mut().for_each(|client| client.say(&ended));
        if let Some(keeper) = &self.job.keeper {
            keeper.close();
        }
    }

    /// Leaves the report behind. Where the disk is full and nobody listens, it is tried again.
    fn write(&self, report: &Report) {
        let Some(keeper) = &self.job.keeper else {
            return;
        };
        let deadline = Instant::now() + REPORT_WAIT;
        while keeper.report(report).is_err() && self.clients.is_empty() && Instant::now() < deadline
        {
            let _ = poll(&mut [], Some(&timespec(REPORT_INTERVAL)));
        }
    }
}

/// Of all that were reaped, and of those that they had reaped.
fn usage() -> Usage {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else {
        return Usage::default();
    };
    let own = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |own| own.max_rss());
    Usage {
        user: duration(usage.user_time()),
        system: duration(usage.system_time()),
        peak_rss_bytes: bytes(usage.max_rss()),
        own_peak_rss_bytes: bytes(own),
    }
}

/// The system counts in units of 1,024.
fn bytes(peak: std::ffi::c_long) -> u64 {
    u64::try_from(peak).unwrap_or_default().saturating_mul(1024)
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
    Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros))
}

fn now_us() -> i64 {
    let now = clock_gettime(ClockId::Realtime);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
}
