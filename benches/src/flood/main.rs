//! Measures what it costs a command that prints without end to be read by loom.
//!
//! `speed dir=DIR bytes=N rounds=N` prints how fast a command is under loom, compared with the same
//! command into `cat >/dev/null`. `memory dir=DIR bytes=N children=N` prints how much memory loom
//! takes while so many of them print at once. `print bytes=N` is the command.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kit::{Asked, Result, report};
use loom::workers::{CommandLine, command_request};
use loom::{Engine, SqliteStore, SubprocessBase, TaskStatus};

/// What the command writes at once.
const WRITE_BYTES: usize = 64 << 10;

#[tokio::main]
async fn main() -> Result {
    let asked = Asked::of_this_program()?;
    match asked.workload.as_str() {
        "print" => Ok(print(asked.value("bytes")?)?),
        "speed" => speed(&asked).await,
        "memory" => memory(&asked).await,
        other => Err(format!("there is no workload {other:?}").into()),
    }
}

/// Prints lines of 100 bytes, until nobody reads them.
fn print(bytes: u64) -> io::Result<()> {
    let line = [[b'x'; 99].as_slice(), b"\n"].concat();
    let lines: Vec<u8> = line.iter().copied().cycle().take(WRITE_BYTES * 100).collect();
    let mut out = io::stdout().lock();
    let mut left = bytes;
    for chunk in lines.chunks(WRITE_BYTES).cycle() {
        if left == 0 {
            break;
        }
        out.write_all(chunk)?;
        left = left.saturating_sub(WRITE_BYTES as u64);
    }
    out.flush()
}

/// Each round measures both, so that what else goes on concerns both.
async fn speed(asked: &Asked) -> Result {
    let (bytes, rounds) = (asked.value::<u64>("bytes")?, asked.value::<usize>("rounds")?);
    let engine = engine(asked).await?;
    let (mut cat, mut loom) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        cat.push(into_cat(bytes)?);
        loom.push(under_loom(&engine, bytes).await?);
    }
    engine.close().await?;
    let rate = |took: Duration| bytes as f64 / took.as_secs_f64() / 1e6;
    let (cat, loom) = (fastest(&cat), fastest(&loom));
    report::value("cat_mb_per_s", rate(cat));
    report::value("loom_mb_per_s", rate(loom));
    report::value("ratio", cat.as_secs_f64() / loom.as_secs_f64());
    Ok(())
}

/// What else goes on can only have slowed the others.
fn fastest(took: &[Duration]) -> Duration {
    took.iter().min().copied().unwrap_or_default()
}

fn into_cat(bytes: u64) -> Result<Duration> {
    let program = std::env::current_exe()?;
    let begun = Instant::now();
    let mut printing = Command::new(program)
        .args(["print", &format!("bytes={bytes}")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let pipe = printing.stdout.take().ok_or("there is no pipe")?;
    let read = Command::new("cat").stdin(pipe).stdout(Stdio::null()).status()?;
    let printed = printing.wait()?;
    if read.success() && printed.success() { Ok(begun.elapsed()) } else { Err("cat failed".into()) }
}

async fn engine(asked: &Asked) -> Result<Engine> {
    let store = SqliteStore::open(asked.dir()?.join("flood.db"));
    let builder = Engine::builder("bench", store);
    Ok(builder.worker("command", SubprocessBase::new(CommandLine)).start().await?)
}

async fn under_loom(engine: &Engine, bytes: u64) -> Result<Duration> {
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let command = [program, "print".to_owned(), format!("bytes={bytes}")];
    let begun = Instant::now();
    let submitted =
        engine.submit(command_request("command", command.iter().map(String::as_str))).await?;
    let task = engine.wait(&submitted.id).await?;
    let took = begun.elapsed();
    match task.status {
        TaskStatus::Completed if task.progress.lines >= bytes / 100 => Ok(took),
        status => Err(format!("{status} after {} lines", task.progress.lines).into()),
    }
}

async fn memory(asked: &Asked) -> Result {
    let (bytes, children) = (asked.value::<u64>("bytes")?, asked.value::<usize>("children")?);
    let engine = engine(asked).await?;
    under_loom(&engine, 0).await?;
    report::value("base_kib", peak_kib()? as f64);
    let running = (0..children).map(|_| {
        let engine = engine.clone();
        tokio::spawn(async move { under_loom(&engine, bytes).await })
    });
    for ended in running.collect::<Vec<_>>() {
        ended.await??;
    }
    report::value("peak_kib", peak_kib()? as f64);
    engine.close().await?;
    Ok(())
}

/// The most memory that this process has had so far.
fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
