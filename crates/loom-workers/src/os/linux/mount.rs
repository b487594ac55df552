//! Where cgroups of version 2 can be seen, also beside those of version 1.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

/// A directory under which cgroups of version 2 stand.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    /// The cgroup that the directory shows. Empty for the topmost.
    root: String,
    directory: PathBuf,
}

impl Mount {
    /// The directory of a cgroup, if it can be seen here.
    pub(super) fn locate(&self, cgroup: &str) -> Option<PathBuf> {
        let inner = cgroup.strip_prefix(&self.root)?;
        // A neighbour whose name begins alike, or what lies above everything that can be seen.
        let is_inside = inner.is_empty() || inner.starts_with('/');
        let is_plain = !inner.split('/').any(|part| part == "..");
        (is_inside && is_plain).then(|| self.directory.join(inner.trim_start_matches('/')))
    }

    /// Reads one line of `mountinfo`.
    fn read(line: &str) -> Option<Self> {
        let (of_the_mount, of_what_is_mounted) = line.split_once(" - ")?;
        if of_what_is_mounted.split(' ').next() != Some("cgroup2") {
            return None;
        }
        let mut fields = of_the_mount.split(' ').skip(3);
        let root = fields.next()?.trim_end_matches('/').to_owned();
        Some(Self { root, directory: unescaped(fields.next()?) })
    }
}

/// The mount that shows the cgroup of this process, and that cgroup's directory.
pub(super) fn own() -> Option<(Mount, PathBuf)> {
    let cgroup = of("self")?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts.lines().filter_map(Mount::read).find_map(|mount| {
        let directory = mount.locate(&cgroup)?;
        directory.join("cgroup.procs").exists().then_some((mount, directory))
    })
}

/// The cgroup of a process.
pub(super) fn of_process(process: Pid) -> Option<String> {
    of(&process.to_string())
}

fn of(process: &str) -> Option<String> {
    let cgroups = fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
    cgroups.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

/// The system writes blanks and the like as a backslash with three octal digits.
fn unescaped(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|digits| str::from_utf8(digits).ok());
        let escaped = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match escaped.filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Path::new(&OsString::from_vec(bytes)).to_owned()
}
