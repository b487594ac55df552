//! One stream of a command that survives: from its pipe to its file.

use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::ioctl_fionbio;

use crate::limits::READ_BYTES;
use crate::report::Printed;

#[derive(Debug)]
pub(super) struct Spool {
    /// Not there before the start and after the end.
    pipe: Option<PipeReader>,
    file: File,
    cap_bytes: u64,
    pub(super) printed: Printed,
}

impl Spool {
    pub(super) fn new(file: File, cap_bytes: u64) -> Self {
        Self { pipe: None, file, cap_bytes, printed: Printed::default() }
    }

    /// Where the command is to write.
    pub(super) fn open(&mut self) -> io::Result<OwnedFd> {
        let (reader, writer) = io::pipe()?;
        ioctl_fionbio(&reader, true)?;
        self.pipe = Some(reader);
        Ok(writer.into())
    }

    /// The pipe, as long as something may come from it.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Takes in what there is, without waiting, in at most `reads_max` portions.
    pub(super) fn fill(&mut self, reads_max: u32) {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..reads_max {
            let Some(pipe) = &mut self.pipe else {
                return;
            };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.take(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }

    /// The file is how the output began, to the byte: after the first that could not be written
    /// none is.
    fn take(&mut self, bytes: &[u8]) {
        self.printed.total += bytes.len() as u64;
        let room = self.cap_bytes.saturating_sub(self.printed.kept);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        let mut left = bytes.get(..room).unwrap_or_default();
        while self.printed.error.is_none() && !left.is_empty() {
            match self.file.write(left) {
                Ok(written) => {
                    self.printed.kept += written as u64;
                    left = left.get(written..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.printed.error = Some(error.to_string()),
            }
        }
    }

    /// Sees to it that the file is on the disk.
    pub(super) fn flush(&mut self) {
        if let Err(error) = self.file.sync_data() {
            self.printed.error.get_or_insert_with(|| error.to_string());
        }
    }
}
