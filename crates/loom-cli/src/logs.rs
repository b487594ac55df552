//! `loom logs`: what a task has printed, and what it prints.

use std::io::{self, ErrorKind, IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use loom::{Follow, OutputChunk, Stream, Task, TaskStore};
use serde_json::json;

use crate::args::LogsArgs;
use crate::database::Database;
use crate::failure::Failure;
use crate::{say, show};

/// How much is read at once.
const PAGE_BYTES: usize = 256 << 10;

pub(crate) async fn logs(database: Database, args: LogsArgs) -> Result<ExitCode, Failure> {
    let store = database.readable().ok_or_else(|| Failure::no_task(&args.task))?;
    store.prepare().await?;
    let task = show::find(&store, &args.task).await?;
    let mut printer = Printer::new(args.json);
    let printed = match args.follow {
        true => follow(store, &task, &mut printer).await?,
        false => past(&store, &task, &mut printer).await?,
    };
    // What was printed is said by the exit code; that a reader has gone away is nobody's fault.
    printed.or_else(|error| match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::new("failed", format!("cannot pass the output on: {error}"))),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn past(
    store: &impl TaskStore,
    task: &Task,
    printer: &mut Printer,
) -> Result<io::Result<()>, Failure> {
    let Some(output) = store.output() else { return Ok(Ok(())) };
    let mut from = 0;
    loop {
        let page = output.read(&task.id, from, PAGE_BYTES).await.map_err(loom::Error::from)?;
        if page.chunks.is_empty() {
            hint_at_the_result(task, from);
            return Ok(printer.finish());
        }
        from = page.next;
        for chunk in &page.chunks {
            if let Err(error) = printer.print(chunk) {
                return Ok(Err(error));
            }
        }
    }
}

async fn follow(
    store: impl TaskStore,
    task: &Task,
    printer: &mut Printer,
) -> Result<io::Result<()>, Failure> {
    let mut follow = Follow::in_store(Arc::new(store), task.id.clone(), 0);
    while let Some(chunk) = follow.next().await {
        if let Err(error) = printer.print(&chunk?) {
            return Ok(Err(error));
        }
    }
    Ok(printer.finish())
}

/// Says where the output of a task that printed nothing may be.
fn hint_at_the_result(task: &Task, printed: u64) {
    if printed > 0 {
        return;
    }
    say::line(&match task.status.is_terminal() {
        true => format!("task {} has printed nothing; `loom show {0}` has its result", task.seq),
        false => format!("task {} has printed nothing so far; wait for it with -f", task.seq),
    });
}

/// Passes chunks on: bytes as they are, or on a terminal so that they can do no harm there.
struct Printer {
    as_json: bool,
    /// For standard output and standard error each.
    screens: [Screen; 2],
}

impl Printer {
    fn new(as_json: bool) -> Self {
        let screens = [stdout().is_terminal(), stderr().is_terminal()].map(Screen::new);
        Self { as_json, screens }
    }

    fn print(&mut self, chunk: &OutputChunk) -> io::Result<()> {
        if self.as_json {
            return write(Stream::Stdout, line_of(chunk).as_bytes());
        }
        if chunk.cut > 0 {
            self.finish()?;
            say::line(&format!("[… {} bytes cut …]", chunk.cut));
        }
        let [out, err] = &mut self.screens;
        let screen = if chunk.stream == Stream::Stderr { err } else { out };
        write(chunk.stream, &screen.fit(&chunk.bytes))
    }

    /// Prints what has been held back because it might go on.
    fn finish(&mut self) -> io::Result<()> {
        let [out, err] = &mut self.screens;
        write(Stream::Stdout, &out.finish())?;
        write(Stream::Stderr, &err.finish())
    }
}

fn write(stream: Stream, bytes: &[u8]) -> io::Result<()> {
    fn all(mut to: impl Write, bytes: &[u8]) -> io::Result<()> {
        to.write_all(bytes)?;
        to.flush()
    }
    match stream {
        _ if bytes.is_empty() => Ok(()),
        Stream::Stderr => all(stderr().lock(), bytes),
        _ => all(stdout().lock(), bytes),
    }
}

/// One chunk as a line of JSON. What is no UTF-8 is replaced.
fn line_of(chunk: &OutputChunk) -> String {
    let document = json!({
        "attempt": chunk.attempt,
        "stream": chunk.stream.as_str(),
        "at": chunk.at,
        "position": chunk.position,
        "cut": chunk.cut,
        "text": String::from_utf8_lossy(&chunk.bytes),
    });
    format!("{document}\n")
}

/// Makes bytes fit for where they go.
struct Screen {
    is_terminal: bool,
    /// The beginning of a character whose rest has not come.
    held: Vec<u8>,
}

impl Screen {
    const fn new(is_terminal: bool) -> Self {
        Self { is_terminal, held: Vec::new() }
    }

    fn fit(&mut self, bytes: &[u8]) -> Vec<u8> {
        if !self.is_terminal {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let whole = self.held.len() - unfinished(&self.held);
        let bytes: Vec<u8> = self.held.drain(..whole).collect();
        shown(&bytes)
    }

    fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        shown(&held)
    }
}

/// How many bytes at the end begin a character that is not whole.
fn unfinished(bytes: &[u8]) -> usize {
    let begins = |back: &usize| {
        let end = bytes.get(bytes.len().saturating_sub(*back)..).unwrap_or_default();
        str::from_utf8(end).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
    };
    (1..=3.min(bytes.len())).find(begins).unwrap_or(0)
}

fn shown(bytes: &[u8]) -> Vec<u8> {
    say::harmless(&String::from_utf8_lossy(bytes)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_obeyed_but_shown_what_was_printed() {
        let mut screen = Screen::new(true);
        assert_eq!(screen.fit(b"a\x1b[31m\tb\n"), b"a\\u{1b}[31m\tb\n");
        assert_eq!(screen.fit(b"10 %\r20 %\r\n"), b"10 %\\r20 %\\r\n");
    }

    #[test]
    fn a_character_in_two_chunks_comes_whole() {
        let mut screen = Screen::new(true);
        assert_eq!(screen.fit(b"gr\xc3"), b"gr");
        assert_eq!(screen.fit(b"\xbcn\xff"), "\u{fc}n\u{fffd}".as_bytes());
        assert_eq!(screen.fit(b"\xe2\x82"), b"");
        assert_eq!(screen.finish(), "\u{fffd}".as_bytes());
    }

    #[test]
    fn what_goes_elsewhere_is_left_as_it_is() {
        let mut screen = Screen::new(false);
        assert_eq!(screen.fit(b"\x1b[31m\xff\xc3"), b"\x1b[31m\xff\xc3");
        assert_eq!(screen.finish(), b"");
    }
}
