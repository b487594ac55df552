//! The workloads that are about one thing each.

use std::path::Path;

use super::contender::{Answer, Arena, Contender, copy, remove};
use super::{Measures, Options};
use crate::failure::{Failure, Result};

/// What takes long is done this many times at most.
const LONG_ROUNDS_MAX: usize = 3;

/// W2 copies its database again and again: it has one row where W4 has so many.
const SMALLER: u64 = 10;

/// One of so many old tasks is in flight when W2 begins.
const IN_FLIGHT_EVERY: u64 = 10;

/// The rounds of W6, where differences are small.
const FINE_ROUNDS_FACTOR: usize = 2;

const PARKED_TASKS: &str = "count=100000";

const COMMANDS: [&str; 3] = ["count=2000", "running=8", "program=true"];

const BUSY: [&str; 3] = ["durability=full", "submitters=256", "count=20000"];

/// W2: taking care of what a dead process left in flight, against the update alone.
pub(super) fn recovery(arena: &Arena, options: &Options, measures: &mut Measures) -> Result {
    let work = arena.folder()?;
    let rows = (options.rows / SMALLER).max(IN_FLIGHT_EVERY);
    fill(arena, &work, rows, IN_FLIGHT_EVERY)?;
    // Instances know their locks by their paths, so the copy is what is put aside.
    let aside = work.with_extension("aside");
    copy(&work, &aside)?;
    let in_flight = format!("in_flight={}", rows / IN_FLIGHT_EVERY);
    let words = ["w2", "durability=full", in_flight.as_str()];
    for _ in 0..options.rounds.min(LONG_ROUNDS_MAX) {
        let mut seconds = [0.0; 2];
        for (contender, seconds) in [Contender::Loom, Contender::Raw].into_iter().zip(&mut seconds)
        {
            remove(&work)?;
            copy(&aside, &work)?;
            *seconds = get(&arena.turn_in(&work, contender, &words)?, "s")?;
        }
        let [loom, raw] = seconds;
        measures.add("w2.loom_s", loom);
        measures.add("w2.raw_s", raw);
        measures.add("w2.vs_raw", raw / loom);
    }
    remove(&aside)?;
    remove(&work)
}

/// W3: many tasks in flight, each asleep.
pub(super) fn parked(arena: &Arena, options: &Options, measures: &mut Measures) -> Result {
    for _ in 0..options.rounds.min(LONG_ROUNDS_MAX) {
        let answer = arena.turn(Contender::Loom, &["w3", "durability=full", PARKED_TASKS])?;
        for name in ["bytes_per_task", "start_s"] {
            measures.add(format!("w3.{name}"), get(&answer, name)?);
        }
    }
    Ok(())
}

/// W4: reading from, and submitting to, a database that holds many old tasks.
pub(super) fn reads(arena: &Arena, options: &Options, measures: &mut Measures) -> Result {
    let full = arena.folder()?;
    fill(arena, &full, options.rows, 0)?;
    let rows = format!("rows={}", options.rows);
    for _ in 0..options.rounds.min(LONG_ROUNDS_MAX) {
        let answer = arena.turn_in(&full, Contender::Loom, &["w4", "durability=full", &rows])?;
        for read in ["get", "page", "count"] {
            for percent in ["p50", "p99"] {
                let micros = get(&answer, &format!("{read}_{percent}_us"))?;
                measures.add(format!("w4.{read}.{percent}_ms"), micros / 1000.0);
            }
        }
        let words = [&["w4_submit"], BUSY.as_slice()].concat();
        let on_full = get(&arena.turn_in(&full, Contender::Loom, &words)?, "per_s")?;
        let on_empty = get(&arena.turn(Contender::Loom, &words)?, "per_s")?;
        measures.add("w4.submit_per_s", on_full);
        measures.add("w4.submit_vs_empty", on_full / on_empty);
    }
    remove(&full)
}

/// W5: commands as tasks, against starting the processes alone.
pub(super) fn commands(arena: &Arena, options: &Options, measures: &mut Measures) -> Result {
    for _ in 0..options.rounds {
        let loom = [&["w5", "durability=full"], COMMANDS.as_slice()].concat();
        let loom = get(&arena.turn(Contender::Loom, &loom)?, "per_s")?;
        let bare = [&["w5"], COMMANDS.as_slice()].concat();
        let bare = get(&arena.turn(Contender::Bare, &bare)?, "per_s")?;
        measures.add("w5.loom", loom);
        measures.add("w5.bare", bare);
        measures.add("w5.vs_bare", loom / bare);
    }
    Ok(())
}

/// W6: what it costs to be looked at, in percent of the throughput of W1 at 256 submitters.
pub(super) fn looked_at(arena: &Arena, options: &Options, measures: &mut Measures) -> Result {
    for _ in 0..options.rounds * FINE_ROUNDS_FACTOR {
        let rate = |with: &str| {
            let words = [&["w1", with], BUSY.as_slice()].concat();
            get(&arena.turn(Contender::Loom, &words)?, "per_s")
        };
        for with in ["events", "metrics", "logs"] {
            // Between two runs alone, for the disk is not as fast now as it will be in a moment.
            let before = rate("with=nothing")?;
            let looked_at = rate(&format!("with={with}"))?;
            let alone = f64::midpoint(before, rate("with=nothing")?);
            let cost = 100.0 * (1.0 - looked_at / alone);
            measures.add(format!("w6.{with}.cost"), cost);
        }
    }
    Ok(())
}

/// Makes a database of loom's and fills it.
fn fill(arena: &Arena, folder: &Path, rows: u64, in_flight_every: u64) -> Result {
    arena.turn_in(folder, Contender::Loom, &["prepare", "durability=full"])?;
    let (rows, every) = (format!("rows={rows}"), format!("in_flight_every={in_flight_every}"));
    arena.turn_in(folder, Contender::Raw, &["fill", &rows, &every]).map(|_| ())
}

fn get(answer: &Answer, name: &str) -> Result<f64> {
    let value = answer.get(name).copied();
    value.ok_or_else(|| Failure::Failed(format!("a contender did not answer {name}")))
}
