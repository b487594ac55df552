//! Bytes of output as they stand in a file: a header, then the bytes, then the next frame.

use std::mem;

use loom_core::{OutputChunk, Printed, Stream};
use loom_deps::Timestamp;

/// The most that one frame holds.
pub(super) const BYTES_MAX: usize = 64 << 10;
/// What a frame takes beside its bytes.
pub(super) const HEADER_BYTES: usize = 32;

const STDOUT: u8 = 0;
const STDERR: u8 = 1;

/// Writes a frame to the end of `to`.
///
/// The header, little endian: number of bytes (4), attempt (4), time (8), position (8), stream (1),
/// nothing (3), a check of all this and of the bytes (4).
pub(super) fn write(to: &mut Vec<u8>, position: u64, printed: Printed<'_>) {
    let Printed { attempt, stream, at, bytes } = printed;
    let bytes = bytes.get(..BYTES_MAX).unwrap_or(bytes);
    let stream = if stream == Stream::Stderr { STDERR } else { STDOUT };
    let mut header = [0; HEADER_BYTES];
    let mut rest = header.as_mut_slice();
    put(&mut rest, &u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
    put(&mut rest, &attempt.to_le_bytes());
    put(&mut rest, &at.as_micros().to_le_bytes());
    put(&mut rest, &position.to_le_bytes());
    put(&mut rest, &[stream, 0, 0, 0]);
    let check = check(&header, bytes).to_le_bytes();
    to.extend_from_slice(header.get(..HEADER_BYTES - check.len()).unwrap_or_default());
    to.extend_from_slice(&check);
    to.extend_from_slice(bytes);
}

fn put(rest: &mut &mut [u8], bytes: &[u8]) {
    let (field, after) = mem::take(rest).split_at_mut(bytes.len());
    field.copy_from_slice(bytes);
    *rest = after;
}

/// A frame as it is read.
#[derive(Clone, Copy)]
pub(super) struct Frame<'f> {
    header: &'f [u8; HEADER_BYTES],
    pub(super) position: u64,
    bytes: &'f [u8],
}

impl<'f> Frame<'f> {
    /// The first frame of `from`, and what comes after it. `None` if there is none, or not all of
    /// it: the process that wrote it died over it, or is still at it.
    pub(super) fn first(from: &'f [u8]) -> Option<(Self, &'f [u8])> {
        let (header, rest) = from.split_first_chunk::<HEADER_BYTES>()?;
        let length = usize::try_from(u32::from_le_bytes(field(header, 0)?)).ok()?;
        let (bytes, after) = rest.split_at_checked(length)?;
        let position = u64::from_le_bytes(field(header, 16)?);
        let is_sound = length <= BYTES_MAX && length > 0;
        is_sound.then_some((Self { header, position, bytes }, after))
    }

    pub(super) const fn end(&self) -> u64 {
        self.position.saturating_add(self.bytes.len() as u64)
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What the frame holds, if it is as it was written.
    pub(super) fn chunk(&self) -> Option<OutputChunk> {
        let mut header = *self.header;
        let (fields, written) = header.split_at_mut(HEADER_BYTES - 4);
        let stream = if *fields.get(24)? == STDERR { Stream::Stderr } else { Stream::Stdout };
        let expected = u32::from_le_bytes(written.try_into().ok()?);
        written.fill(0);
        (check(&header, self.bytes) == expected).then_some(())?;
        Some(OutputChunk {
            attempt: u32::from_le_bytes(field(self.header, 4)?),
            stream,
            at: Timestamp::from_micros(i64::from_le_bytes(field(self.header, 8)?)),
            position: self.position,
            cut: 0,
            bytes: self.bytes.to_vec(),
        })
    }
}

fn field<const N: usize>(header: &[u8; HEADER_BYTES], at: usize) -> Option<[u8; N]> {
    header.get(at..at + N)?.try_into().ok()
}

/// Tells whether what is read is what was written, for ends of files that a power cut has left as
/// zeros or as something else. No protection against anybody who means it.
pub(super) fn check(header: &[u8; HEADER_BYTES], bytes: &[u8]) -> u32 {
    let mut hash = 0x6c6f_6f6d_u64 ^ bytes.len() as u64;
    let mut mix = |word: u64| {
        hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    };
    for part in [header.as_slice(), bytes] {
        let (words, rest) = part.as_chunks::<8>();
        words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        mix(u64::from_le_bytes(last));
    }
    u32::try_from(hash >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: &[u8]) -> Vec<u8> {
        let at = Timestamp::from_micros(5);
        let mut to = Vec::new();
        write(&mut to, 7, Printed { attempt: 3, stream: Stream::Stderr, at, bytes });
        to
    }

    #[test]
    fn what_was_written_is_read_back() {
        let written = [frame(b"one"), frame(&[0xff; BYTES_MAX])].concat();
        let (first, rest) = Frame::first(&written).unwrap();
        let chunk = first.chunk().unwrap();
        assert_eq!((chunk.attempt, chunk.stream, chunk.position), (3, Stream::Stderr, 7));
        assert_eq!((chunk.at.as_micros(), chunk.bytes.as_slice()), (5, &b"one"[..]));
        let (second, rest) = Frame::first(rest).unwrap();
        assert_eq!((second.chunk().unwrap().bytes.len(), rest.len()), (BYTES_MAX, 0));
    }

    #[test]
    fn a_frame_that_is_not_all_there_is_none() {
        let written = frame(b"some bytes");
        for length in 0..written.len() {
            assert!(Frame::first(&written[..length]).is_none(), "{length}");
        }
        assert!(Frame::first(&[0; 200]).is_none(), "zeros");
    }

    #[test]
    fn every_change_of_a_frame_is_noticed() {
        let written = frame(b"some bytes");
        for at in 0..written.len() {
            let mut changed = written.clone();
            changed[at] ^= 0x10;
            let read = Frame::first(&changed).and_then(|(frame, _)| frame.chunk());
            assert!(read.is_none(), "{at}");
        }
    }
}
