//! Much output: what it costs in memory, and how fast it flows.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::zoo::act::arguments;
use crate::zoo::case::Mode;
use crate::zoo::den::{Den, Pipes};
use crate::zoo::keeper::{Keeper, KeeperError, Programs};
use crate::zoo::proc;
use crate::zoo::talk::Errand;

/// How many print at once.
const CHILDREN: usize = 8;
const GIB: u64 = 1 << 30;
/// How much each of them prints.
const BYTES_EACH: u64 = 10 * GIB;
const BYTES_EACH_SHORT: u64 = GIB;
/// How much is printed to take the speed.
const SPEED_BYTES: u64 = 4 * GIB;
const SPEED_ROUNDS: usize = 3;
/// How long all that may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How much memory may be held beside what the tasks may keep.
const OVER_MIB_MAX: f64 = 64.0;
/// What one task may keep of what it prints, while it runs.
const CAP_MIB: f64 = (loom::limits::RESULT_BYTES_MAX >> 20) as f64;
/// How fast a command must be, compared with one that prints into `cat`.
const VS_CAT_MIN: f64 = 0.6;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// How much more memory the engine held at its peak than before, in MiB.
    pub grown_mib: f64,
    /// How fast a command was, compared with one that prints into `cat`. Nothing in the short form.
    pub vs_cat: Option<f64>,
}

impl Measured {
    /// What goes beyond what all tasks together may keep, in MiB.
    #[must_use]
    pub fn over_mib(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let children = CHILDREN as f64;
        self.grown_mib - children * CAP_MIB
    }

    /// Whether memory and speed are as promised.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.over_mib() <= OVER_MIB_MAX && self.vs_cat.is_none_or(|ratio| ratio >= VS_CAT_MIN)
    }

    /// One `name value` a line.
    #[must_use]
    pub fn figures(&self) -> String {
        let memory =
            [("flood.rss_grown_mib", self.grown_mib), ("flood.rss_over_mib", self.over_mib())];
        let memory = memory.map(|(name, value)| format!("{name} {value:.1}"));
        let speed = self.vs_cat.map(|ratio| format!("flood.vs_cat {ratio:.2}"));
        memory.into_iter().chain(speed).collect::<Vec<_>>().join("\n")
    }
}

/// Measures with an engine in this mode.
///
/// # Errors
/// If the engine cannot be had, or a task does not end well.
pub fn measure(
    programs: &Programs,
    home: &Path,
    mode: Mode,
    short: bool,
) -> Result<Measured, KeeperError> {
    let keep = home.join("keep");
    fs::create_dir(&keep)?;
    let flood = Flood { programs, home };
    let mut keeper = Keeper::start(&programs.keeper, &keep, mode)?.patience(PATIENCE);
    let grown_mib = flood.growth(&mut keeper, if short { BYTES_EACH_SHORT } else { BYTES_EACH })?;
    let vs_cat = if short { None } else { Some(flood.vs_cat(&mut keeper)?) };
    Ok(Measured { grown_mib, vs_cat })
}

struct Flood<'a> {
    programs: &'a Programs,
    home: &'a Path,
}

impl Flood<'_> {
    /// By how much the engine grows while many print, in MiB.
    fn growth(&self, keeper: &mut Keeper, bytes: u64) -> Result<f64, KeeperError> {
        let before = keeper.holdings_at_rest().memory_kib;
        // The peak counts from here on.
        fs::write(format!("/proc/{}/clear_refs", keeper.pid()), "5")?;
        let dens: Vec<_> =
            (0..CHILDREN).map(|number| self.den(&format!("many-{number}"))).collect();
        let dens = dens.into_iter().collect::<io::Result<Vec<_>>>()?;
        let mut ids = Vec::new();
        for (den, _) in &dens {
            ids.push(keeper.submit(errand(den, bytes))?);
        }
        for ((_, pipes), id) in dens.into_iter().zip(ids) {
            finish(keeper, pipes, &id)?;
        }
        let peak = proc::memory_kib(keeper.pid(), "VmHWM:");
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let grown = peak.saturating_sub(before) as f64 / 1024.0;
        Ok(grown)
    }

    /// The middle one of the ratios of several rounds.
    fn vs_cat(&self, keeper: &mut Keeper) -> Result<f64, KeeperError> {
        let mut ratios = Vec::new();
        for round in 0..SPEED_ROUNDS {
            let (den, pipes) = self.den(&format!("cat-{round}"))?;
            let cat = self.time_into_cat(&den)?;
            drop(pipes);
            let (den, pipes) = self.den(&format!("loom-{round}"))?;
            let started = Instant::now();
            let id = keeper.submit(errand(&den, SPEED_BYTES))?;
            finish(keeper, pipes, &id)?;
            ratios.push(cat.as_secs_f64() / started.elapsed().as_secs_f64());
        }
        ratios.sort_by(f64::total_cmp);
        Ok(ratios.get(SPEED_ROUNDS / 2).copied().unwrap_or_default())
    }

    /// How long it takes to print into `cat`, which throws away what it reads.
    fn time_into_cat(&self, den: &Den) -> io::Result<Duration> {
        let started = Instant::now();
        let mut animal = Command::new(&self.programs.animal)
            .args(args(den, SPEED_BYTES))
            .stdout(Stdio::piped())
            .spawn()?;
        let from = animal.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let mut cat = Command::new("cat").stdin(from).stdout(Stdio::null()).spawn()?;
        animal.wait()?;
        cat.wait()?;
        Ok(started.elapsed())
    }

    fn den(&self, name: &str) -> io::Result<(Den, Pipes)> {
        let den = Den::at(self.home.join(name));
        let pipes = den.dig()?;
        Ok((den, pipes))
    }
}

fn args(den: &Den, bytes: u64) -> Vec<String> {
    arguments(den, true, &[&format!("print:lines:{bytes}")])
}

fn errand(den: &Den, bytes: u64) -> Errand {
    Errand::new(args(den, bytes), den.path().to_string_lossy())
}

/// Waits for a task that must end well. Its pipes are open as long.
fn finish(keeper: &mut Keeper, _pipes: Pipes, id: &str) -> Result<(), KeeperError> {
    let ended = keeper.wait(id)?;
    if ended.status == "completed" {
        return Ok(());
    }
    Err(KeeperError::Engine(format!("{} {:?}", ended.status, ended.error)))
}
