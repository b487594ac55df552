//! What a supervisor costs: a hundred times `/bin/true`, from the start to the report; bare,
//! supervised, and by a supervisor that was prepared, in turns. With a path, the supervisor is the
//! program there, else this one itself.
//!
//! Prints:
//!
//! ```text
//! bare … us
//! supervised … us
//! prepared … us
//! ratios … and …
//! ```

use std::env;
use std::error::Error;
use std::io::{Write, stdout};
use std::process::Command;
use std::time::{Duration, Instant};

use loom_supervisor::{Program, Spec, prepare, start, supervisor_main};

const RUNS: usize = 100;
const COMMAND: &str = "/bin/true";

fn main() -> Result<(), Box<dyn Error>> {
    supervisor_main();
    let program = env::args_os().nth(1).map_or_else(Program::host, |path| Ok(Program::at(path)))?;
    let (mut bare, mut supervised, mut prepared) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let started = Instant::now();
        Command::new(COMMAND).status()?;
        bare.push(started.elapsed());
        let started = Instant::now();
        start(&program, Spec::new(COMMAND))?.wait(None)?;
        supervised.push(started.elapsed());
        let supervisor = prepare(&program)?;
        let started = Instant::now();
        supervisor.start(Spec::new(COMMAND))?.wait(None)?;
        prepared.push(started.elapsed());
    }
    let (bare, supervised, prepared) = (median(bare), median(supervised), median(prepared));
    writeln!(stdout(), "bare {} us", bare.as_micros())?;
    writeln!(stdout(), "supervised {} us", supervised.as_micros())?;
    writeln!(stdout(), "prepared {} us", prepared.as_micros())?;
    let ratio = |time: Duration| time.as_secs_f64() / bare.as_secs_f64();
    writeln!(stdout(), "ratios {:.2} and {:.2}", ratio(supervised), ratio(prepared))?;
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
