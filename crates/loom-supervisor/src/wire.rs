//! How messages travel: a length, JSON, bytes that are no text, and open files beside them.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::cmsg_space;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::{COMMAND_BYTES_MAX, FILES_MAX, MESSAGE_BYTES_MAX, READ_BYTES};

/// The length of the JSON and that of the bytes after it, each of four bytes, the lowest first.
const HEADER_BYTES: usize = 8;

/// A message as it travels.
pub(crate) fn encode(message: &impl Serialize, tail: &[u8]) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(message)?;
    let length = |part: &[u8]| u32::try_from(part.len()).map_err(io::Error::other);
    let header = [length(&json)?.to_le_bytes(), length(tail)?.to_le_bytes()];
    Ok([header.as_flattened(), &json, tail].concat())
}

/// Sends all of `bytes`, with open files beside the first of them.
pub(crate) fn send(
    stream: &UnixStream,
    mut bytes: &[u8],
    mut files: &[BorrowedFd<'_>],
    deadline: Instant,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match send_some(stream, bytes, files) {
            Ok(sent) => {
                bytes = bytes.get(sent..).unwrap_or_default();
                files = &[];
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => ready(stream, PollFlags::OUT, Some(deadline))?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Sends all of `bytes` if that needs no waiting.
pub(crate) fn send_now(stream: &UnixStream, bytes: &[u8]) -> io::Result<()> {
    match send_some(stream, bytes, &[])? {
        sent if sent == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::WouldBlock.into()),
    }
}

fn send_some(stream: &UnixStream, bytes: &[u8], files: &[BorrowedFd<'_>]) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(FILES_MAX))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(Errno::TOOBIG);
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg(stream, &[IoSlice::new(bytes)], &mut beside, flags)
}

/// What a look at a connection has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Something.
    Some,
    /// Nothing yet.
    Nothing,
    /// Nothing, and there will be nothing more.
    End,
}

/// What has arrived and has not been read yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// Those that came with the latest messages.
    files: Vec<OwnedFd>,
}

impl Inbox {
    /// Takes what there is, without waiting.
    pub(crate) fn fill(&mut self, stream: &UnixStream) -> io::Result<Filled> {
        let mut buffer = [0; READ_BYTES];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(FILES_MAX))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let received = recvmsg(stream, &mut [IoSliceMut::new(&mut buffer)], &mut beside, flags);
        let length = match received {
            Ok(received) => received.bytes,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Filled::Nothing),
            // The other side has ended without reading everything.
            Err(Errno::CONNRESET) => return Ok(Filled::End),
            Err(error) => return Err(error.into()),
        };
        for message in beside.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                self.files = files.collect();
            }
        }
        self.bytes.extend_from_slice(buffer.get(..length).unwrap_or_default());
        Ok(if length == 0 { Filled::End } else { Filled::Some })
    }

    /// The next message, if it is complete, with the bytes after it.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, Vec<u8>)>> {
        let Some((header, rest)) = self.bytes.split_at_checked(HEADER_BYTES) else {
            return Ok(None);
        };
        let (json_length, tail_length) = lengths(header)?;
        let Some((json, rest)) = rest.split_at_checked(json_length) else {
            return Ok(None);
        };
        let Some((tail, rest)) = rest.split_at_checked(tail_length) else {
            return Ok(None);
        };
        let message = (serde_json::from_slice(json)?, tail.to_vec());
        self.bytes = rest.to_vec();
        Ok(Some(message))
    }

    /// Waits for the next message, for ever if there is no deadline.
    pub(crate) fn wait<T: DeserializeOwned>(
        &mut self,
        stream: &UnixStream,
        deadline: Option<Instant>,
    ) -> io::Result<(T, Vec<u8>)> {
        loop {
            if let Some(message) = self.next()? {
                return Ok(message);
            }
            match self.fill(stream)? {
                Filled::Some => {}
                Filled::Nothing => ready(stream, PollFlags::IN, deadline)?,
                Filled::End => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    pub(crate) fn take_files(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.files)
    }
}

fn lengths(header: &[u8]) -> io::Result<(usize, usize)> {
    let unreasonable = || io::Error::new(io::ErrorKind::InvalidData, "this is no message");
    let numbers: Vec<u32> = header
        .chunks_exact(4)
        .filter_map(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)))
        .collect();
    let [json, tail] = numbers[..] else {
        return Err(unreasonable());
    };
    let (json, tail) = (json as usize, tail as usize);
    if json > MESSAGE_BYTES_MAX || tail > COMMAND_BYTES_MAX {
        return Err(unreasonable());
    }
    Ok((json, tail))
}

fn ready(stream: &UnixStream, what: PollFlags, deadline: Option<Instant>) -> io::Result<()> {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if left.is_some_and(|left| left.is_zero()) || !wait_for(stream.as_fd(), what, left)? {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(())
}

/// Whether the file became ready in time. Says so too when a signal has come instead.
pub(crate) fn wait_for(
    file: BorrowedFd<'_>,
    what: PollFlags,
    at_most: Option<Duration>,
) -> io::Result<bool> {
    match poll(&mut [PollFd::from_borrowed_fd(file, what)], at_most.map(timespec).as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// What is longer than the system can count waits as long as it can.
pub(crate) fn timespec(duration: Duration) -> Timespec {
    let longest = Timespec { tv_sec: i64::from(i32::MAX), tv_nsec: 0 };
    Timespec::try_from(duration).map_or(longest, |time| time.min(longest))
}
