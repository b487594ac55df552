//! Where the output of which task is.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use loom_core::TaskId;
use loom_deps::Timestamp;

/// Directories over which tasks are spread, so that none gets too large to look through.
const SHARDS: u32 = 256;

/// The names of directories of output.
#[derive(Clone, Debug)]
pub(super) struct Names {
    directory: PathBuf,
}

impl Names {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The directory of a task.
    pub(super) fn task(&self, task: &TaskId) -> PathBuf {
        self.shard(shard_of(task.as_str())).join(encode(task.as_str()))
    }

    fn shard(&self, shard: u32) -> PathBuf {
        self.directory.join(format!("{shard:02x}"))
    }

    /// Tasks whose directory has not changed since before `before`, from the shard `first` on, and
    /// the shard to go on with. A shard that cannot be looked at has none.
    pub(super) fn untouched(
        &self,
        first: u32,
        before: Timestamp,
        max: usize,
    ) -> (Vec<TaskId>, u32) {
        let mut found = Vec::new();
        for step in 0..SHARDS {
            let shard = (first + step) % SHARDS;
            if found.len() >= max {
                return (found, shard);
            }
            let Ok(entries) = fs::read_dir(self.shard(shard)) else { continue };
            let old = entries.flatten().filter(|entry| is_older(entry, before));
            found.extend(old.filter_map(|entry| decode(entry.file_name().to_str()?)));
        }
        found.truncate(max);
        (found, first)
    }
}

fn is_older(entry: &DirEntry, before: Timestamp) -> bool {
    let changed =
        || entry.metadata().ok()?.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok();
    let micros = |age: std::time::Duration| i64::try_from(age.as_micros()).ok();
    changed().and_then(micros).is_some_and(|micros| micros < before.as_micros())
}

/// Spreads names evenly, for good: where the output of a task is follows from it.
fn shard_of(name: &str) -> u32 {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, mix) % SHARDS
}

/// An id may hold anything but control characters, so what could lead out of the directory is
/// written as its code; so are capitals, which some file systems do not tell apart.
fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'-' | b'_' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02x}")),
        }
    }
    encoded
}

/// The task that a directory is of, if it is one.
fn decode(name: &str) -> Option<TaskId> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => (hex(*high)? << 4 | hex(*low)?, after),
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    let task = TaskId::new(String::from_utf8(bytes).ok()?).ok()?;
    // What is not named as it would be here was not put here by a store.
    (encode(task.as_str()) == name).then_some(task)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// The files of a task's directory.
pub(super) fn segment(directory: &Path, serial: u32, start: u64) -> PathBuf {
    directory.join(format!("{serial:08x}-{start:016x}"))
}

/// The serial number and the first position of a segment, if this is the name of one.
pub(super) fn segment_of(name: &str) -> Option<(u32, u64)> {
    let (serial, start) = name.split_once('-')?;
    let is_segment = serial.len() == 8 && start.len() == 16;
    let numbers = (u32::from_str_radix(serial, 16).ok()?, u64::from_str_radix(start, 16).ok()?);
    is_segment.then_some(numbers)
}

/// One of the two files for the latest output.
pub(super) fn tail(directory: &Path, slot: usize) -> PathBuf {
    directory.join(format!("tail.{slot}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leads_out_of_the_directory_and_each_is_found_again() {
        let names = Names::new(PathBuf::from("/output"));
        for id in ["../../etc", "/", ".", "..", "a/b", "%2e", "Größe", "A", "a", "-", "con.txt"] {
            let id = TaskId::new(id).unwrap();
            let path = names.task(&id);
            assert_eq!(path.parent().unwrap().parent(), Some(Path::new("/output")), "{path:?}");
            let name = path.file_name().unwrap().to_str().unwrap();
            assert_eq!(decode(name), Some(id), "{name}");
        }
        let lower = TaskId::new("a").unwrap();
        let upper = TaskId::new("A").unwrap();
        assert!(
            !names
                .task(&lower)
                .to_str()
                .unwrap()
                .eq_ignore_ascii_case(names.task(&upper).to_str().unwrap())
        );
    }

    #[test]
    fn the_longest_id_has_a_name_that_file_systems_take() {
        assert!(encode(&"\u{20ac}".repeat(21)).len() <= 255);
    }

    #[test]
    fn only_names_of_this_store_are_taken_for_tasks() {
        for name in ["A", "%", "%zz", "%61", "a.b", ""] {
            assert_eq!(decode(name), None, "{name}");
        }
    }

    #[test]
    fn the_names_of_segments_are_read_back() {
        let path = segment(Path::new("/d"), 7, 1 << 40);
        assert_eq!(segment_of(path.file_name().unwrap().to_str().unwrap()), Some((7, 1 << 40)));
        assert_eq!(segment_of("tail.0"), None);
        assert_eq!(segment_of("1-2"), None);
    }
}
