//! What the system tells of processes in `/proc`.

use std::fs::{self, File};
use std::io::Read;

use memchr::{memmem, memrchr};
use rustix::process::{Pid, RawPid, getpid};

/// How much is read of one environment. The system allows a quarter of the stack's limit, which is
/// 2 MiB as a rule.
const ENVIRON_BYTES_MAX: u64 = 8 << 20;
/// How much is read of what the system says of a process; the name in it has at most 64 bytes.
const STAT_BYTES: usize = 512;
/// How far up the own ancestors are looked for.
const ANCESTORS_MAX: usize = 256;

/// Every process that can be seen.
pub(super) fn all() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| pid(entry.file_name().to_str()?))
}

/// Of what is about to disappear the system writes -1, of what is out of sight 0.
pub(super) fn pid(text: &str) -> Option<Pid> {
    text.parse::<RawPid>().ok().filter(|raw| *raw > 0).and_then(Pid::from_raw)
}

/// Whether the process was started with the entry `mark` in its environment.
pub(super) fn carries(process: Pid, mark: &[u8]) -> bool {
    let Ok(file) = File::open(format!("/proc/{process}/environ")) else {
        return false;
    };
    let mut environ = Vec::new();
    // A process that ends meanwhile cannot be read, and need not be.
    let _ = file.take(ENVIRON_BYTES_MAX).read_to_end(&mut environ);
    let is_there = memmem::find(&environ, mark).is_some();
    // Found as a part of another entry it would not count.
    is_there && environ.split(|byte| *byte == 0).any(|entry| entry == mark)
}

/// This process and its ancestors.
pub(super) fn own_line() -> Vec<Pid> {
    std::iter::successors(Some(getpid()), |pid| stat(*pid, 1)).take(ANCESTORS_MAX).collect()
}

/// The group of a process. The threads of the kernel have none, nor an environment.
pub(super) fn group(process: Pid) -> Option<Pid> {
    stat(process, 2)
}

/// The process id that stands in the field `index` of what the system says of a process, counted
/// from its state on.
fn stat(process: Pid, index: usize) -> Option<Pid> {
    let mut start = [0; STAT_BYTES];
    let read = File::open(format!("/proc/{process}/stat")).ok()?.read(&mut start).ok()?;
    let start = start.get(..read)?;
    // The name in brackets before these fields may hold anything.
    let (_, fields) = start.split_at(memrchr(b')', start)? + 1);
    pid(str::from_utf8(fields).ok()?.split_ascii_whitespace().nth(index)?)
}
