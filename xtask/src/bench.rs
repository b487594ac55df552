//! `bench`: loom and its peers, side by side in one run.
//!
//! A machine differs by a factor of two within an hour, so figures of different runs cannot be
//! compared. Here all contenders take turns, several rounds long, and each ratio is taken inside
//! its round.

mod chart;
mod contender;
mod machine;
mod measures;
mod short;
mod w1;
mod workloads;

use crate::failure::{Failure, Result};
use crate::print;
use crate::project::Project;

pub use chart::draw;
pub use machine::Machine;
pub use measures::Measures;

use contender::Arena;

/// The workloads, in the order in which they are run.
pub const WORKLOADS: [&str; 6] = ["w1", "w2", "w3", "w4", "w5", "w6"];

const ROUNDS: usize = 5;
const ROWS: u64 = 10_000_000;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether to check that all tasks run, once and in order, instead of measuring.
    pub short: bool,
    /// The workloads to run; empty for all.
    pub only: Vec<String>,
    /// How many times each contender takes its turn.
    pub rounds: usize,
    /// How many old tasks are in the database of W4, ten times as many as in that of W2.
    pub rows: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { short: false, only: Vec::new(), rounds: ROUNDS, rows: ROWS }
    }
}

impl Options {
    fn wants(&self, workload: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == workload)
    }
}

/// Measures, prints a table and then one `name value` a line. A run of all workloads also draws
/// `docs/performance.svg`.
///
/// # Errors
///
/// If a contender cannot be built or does not do what it should.
pub fn run(project: &Project, args: &[String]) -> Result {
    let options = options(args)?;
    if options.short {
        return short::run(project);
    }
    let arena = Arena::build(project, options.wants("w1"))?;
    let mut measures = Measures::default();
    let before = Machine::now();
    let measured = measure(&arena, &options, &mut measures);
    if let (Some(before), Some(after)) = (before, Machine::now()) {
        measures.add("machine.others_percent", after.others_percent(before));
    }
    // Also where something failed: what was measured until then has taken minutes.
    print::line(&measures.table());
    print::line(&format!("\n{}", measures.lines()));
    measured?;
    if options.only.is_empty() {
        let path = project.root().join("docs/performance.svg");
        let drawn = std::fs::write(&path, draw(&measures));
        drawn.map_err(|error| Failure::io(format!("writing {}", path.display()), &error))?;
    }
    Ok(())
}

fn measure(arena: &Arena, options: &Options, measures: &mut Measures) -> Result {
    for workload in WORKLOADS.into_iter().filter(|name| options.wants(name)) {
        print::trouble(&format!("== {workload}"));
        match workload {
            "w1" => w1::run(arena, options, measures)?,
            "w2" => workloads::recovery(arena, options, measures)?,
            "w3" => workloads::parked(arena, options, measures)?,
            "w4" => workloads::reads(arena, options, measures)?,
            "w5" => workloads::commands(arena, options, measures)?,
            _ => workloads::looked_at(arena, options, measures)?,
        }
    }
    Ok(())
}

/// Reads the words after `bench`.
///
/// # Errors
///
/// If one of them is unknown or cannot be used.
pub fn options(args: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--short" => options.short = true,
            "--only" => options.only = names(args.next())?,
            "--rounds" => options.rounds = number(arg, args.next())?,
            "--rows" => options.rows = number(arg, args.next())?,
            other => return Err(Failure::Usage(format!("`bench` does not know `{other}`"))),
        }
    }
    Ok(options)
}

fn names(list: Option<&String>) -> Result<Vec<String>> {
    let names: Vec<String> =
        list.into_iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
    if !names.is_empty() && names.iter().all(|name| WORKLOADS.contains(&name.as_str())) {
        return Ok(names);
    }
    let known = WORKLOADS.join(",");
    Err(Failure::Usage(format!("`--only` wants names of workloads: some of {known}")))
}

fn number<T: std::str::FromStr + PartialOrd + From<u8>>(
    name: &str,
    value: Option<&String>,
) -> Result<T> {
    let number = value.and_then(|value| value.parse().ok()).filter(|number| *number >= T::from(1));
    number.ok_or_else(|| Failure::Usage(format!("`{name}` wants a number from 1")))
}
