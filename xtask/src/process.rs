//! Runs other programs.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::print;

/// More than this of either stream is not read.
const STREAM_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What a program that has ended left behind.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

/// Runs `command` in front of the user, after showing it.
///
/// # Errors
///
/// If it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result {
    let shown = shown(command);
    print::line(&format!("$ {shown}"));
    let status =
        command.status().map_err(|error| Failure::io(format!("running {shown}"), &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Failed(format!("`{shown}` failed ({status})")))
}

/// Runs `command` and keeps what it prints. It reads nothing and is killed after `limit`.
///
/// # Errors
///
/// If it cannot be started, or has not closed its output within `limit`.
pub fn capture(command: &mut Command, limit: Duration) -> Result<Ended> {
    let shown = shown(command);
    let failed = |error| Failure::io(format!("running {shown}"), &error);
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().map_err(failed)?;
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let read = stdout.recv_timeout(limit).and_then(|out| Ok((out, stderr.recv_timeout(limit)?)));
    let Ok((stdout, stderr)) = read else {
        child.kill().and_then(|()| child.wait()).map_err(failed)?;
        let seconds = limit.as_secs();
        return Err(Failure::Failed(format!("`{shown}` was still running after {seconds} s")));
    };
    let status = child.wait().map_err(failed)?;
    Ok(Ended { status, stdout, stderr })
}

/// Reads a stream on a thread of its own, so that a full pipe blocks nobody.
fn drain(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            // A stream that breaks has still said what it said before.
            let _ = stream.take(STREAM_BYTES_MAX).read_to_end(&mut bytes);
        }
        // Nobody listens any more once the time was up.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
