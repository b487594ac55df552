//! Printing much, fast.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

/// How much is written at once: what a pipe holds on Linux.
const BLOCK_BYTES: usize = 64 << 10;
const LINE_BYTES: usize = 100;

/// The pipes, past the buffer that the standard library puts before one of them.
struct Pipes {
    stdout: File,
    stderr: File,
}

impl Pipes {
    fn open() -> io::Result<Self> {
        let stdout = io::stdout().as_fd().try_clone_to_owned()?.into();
        let stderr = io::stderr().as_fd().try_clone_to_owned()?.into();
        Ok(Self { stdout, stderr })
    }

    /// Whether somebody still reads.
    fn print(&mut self, kind: &str, block: &[u8]) -> bool {
        let printed = self.stdout.write_all(block).is_ok();
        printed && (kind != "both" || self.stderr.write_all(block).is_ok())
    }
}

/// Prints so many bytes. The end of the reader is no error.
pub(super) fn so_much(kind: &str, bytes: u64) -> io::Result<()> {
    let (mut pipes, block) = (Pipes::open()?, block(kind));
    let mut left = bytes;
    while left > 0 {
        let now = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
        if !pipes.print(kind, block.get(..now).unwrap_or_default()) {
            break;
        }
        left -= now as u64;
    }
    Ok(())
}

/// Prints until the reader is gone.
pub(super) fn without_end(kind: &str) -> io::Result<()> {
    let (mut pipes, block) = (Pipes::open()?, block(kind));
    while pipes.print(kind, &block) {}
    Ok(())
}

/// What is printed over and over.
fn block(kind: &str) -> Vec<u8> {
    let unit: Vec<u8> = match kind {
        "line" => vec![b'x'],
        "nuls" => vec![0],
        "bars" => b"[########............] 40 %\r".to_vec(),
        // No UTF-8: a lone continuation, the start of a character that does not go on, a surrogate.
        "binary" => b"\x80caf\xe9\xff \xed\xa0\x80\n".to_vec(),
        _ => {
            let mut line = vec![b'.'; LINE_BYTES - 1];
            line.push(b'\n');
            line
        }
    };
    unit.into_iter().cycle().take(BLOCK_BYTES).collect()
}
