//! W1: tasks from the first submission until the last is durably completed.

use super::contender::{Answer, Arena, Contender};
use super::{Measures, Options};
use crate::failure::Result;

/// The durabilities, each with what a commit survives.
pub(super) const DURABILITIES: [&str; 2] = ["normal", "full"];

/// Submitters at once, each with how many tasks they submit.
pub(super) const LOADS: [(usize, usize); 3] = [(1, 5000), (16, 20_000), (256, 20_000)];

const RAW_TASKS: usize = 20_000;

/// Apalis takes a second for these, and some of its runs never end.
const APALIS_TASKS: usize = 1000;
const APALIS_ROUNDS_MAX: usize = 3;

pub(super) fn run(arena: &Arena, options: &Options, measures: &mut Measures) -> Result {
    for durability in DURABILITIES {
        for (submitters, count) in LOADS {
            let cell = Cell { arena, durability, submitters, count };
            for round in 0..options.rounds {
                cell.measure(round, measures)?;
            }
            if durability == "normal" {
                cell.measure_shipped(options.rounds, measures)?;
            }
            cell.measure_apalis(options.rounds.min(APALIS_ROUNDS_MAX), measures)?;
        }
    }
    Ok(())
}

struct Cell<'a> {
    arena: &'a Arena,
    durability: &'static str,
    submitters: usize,
    count: usize,
}

impl Cell<'_> {
    fn name(&self, rest: &str) -> String {
        format!("w1.{}.c{}.{rest}", self.durability, self.submitters)
    }

    fn turn(&self, contender: Contender, count: usize, more: &[&str]) -> Result<Answer> {
        let durability = format!("durability={}", self.durability);
        let (submitters, count) =
            (format!("submitters={}", self.submitters), format!("count={count}"));
        let words = ["w1", durability.as_str(), submitters.as_str(), count.as_str()];
        self.arena.turn(contender, &[words.as_slice(), more].concat())
    }

    /// One round. Who goes first changes, so that nobody always finds the disk as another left it.
    fn measure(&self, round: usize, measures: &mut Measures) -> Result {
        let mut turns = [
            (Contender::Loom, self.count),
            (Contender::Effectum, self.count),
            (Contender::Raw, RAW_TASKS),
        ];
        let first = round % turns.len();
        turns.rotate_left(first);
        let (mut loom, mut effectum, mut raw) = (Answer::new(), Answer::new(), Answer::new());
        for (contender, count) in turns {
            let answer = self.turn(contender, count, &[])?;
            match contender {
                Contender::Loom => loom = answer,
                Contender::Effectum => effectum = answer,
                _ => raw = answer,
            }
        }
        let rate = |answer: &Answer| answer.get("per_s").copied();
        for (name, answer) in [("loom", &loom), ("effectum", &effectum), ("raw", &raw)] {
            rate(answer).into_iter().for_each(|rate| measures.add(self.name(name), rate));
        }
        measures.add_ratio(self.name("vs_effectum"), rate(&loom), rate(&effectum));
        measures.add_ratio(self.name("vs_raw"), rate(&loom), rate(&raw));
        self.add_latencies(&loom, &effectum, measures);
        Ok(())
    }

    fn add_latencies(&self, loom: &Answer, effectum: &Answer, measures: &mut Measures) {
        for latency in ["submit_p50_us", "submit_p99_us"] {
            let (ours, theirs) = (loom.get(latency).copied(), effectum.get(latency).copied());
            for (name, value) in [("loom", ours), ("effectum", theirs)] {
                let name = self.name(&format!("{latency}.{name}"));
                value.into_iter().for_each(|value| measures.add(name.clone(), value));
            }
            // The one that takes half as long is twice as fast.
            measures.add_ratio(self.name(&format!("{latency}.vs_effectum")), theirs, ours);
        }
    }

    /// Effectum as it comes, on a file that nobody has switched to WAL for it.
    fn measure_shipped(&self, rounds: usize, measures: &mut Measures) -> Result {
        for _ in 0..rounds {
            // Without a WAL a task takes several times as long.
            let answer = self.turn(Contender::Effectum, self.count / 4, &["variant=shipped"])?;
            add(measures, self.name("effectum_shipped"), answer.get("per_s"));
        }
        Ok(())
    }

    fn measure_apalis(&self, rounds: usize, measures: &mut Measures) -> Result {
        for _ in 0..rounds {
            let answer = self.turn(Contender::Apalis, APALIS_TASKS, &[])?;
            add(measures, self.name("apalis"), answer.get("per_s"));
            add(measures, self.name("apalis_undone"), answer.get("undone"));
        }
        Ok(())
    }
}

fn add(measures: &mut Measures, name: String, value: Option<&f64>) {
    if let Some(value) = value {
        measures.add(name, *value);
    }
}
