//! File systems that reach over a network.
//!
//! SQLite's write-ahead log needs memory that all its users share, which means one machine.

use std::path::Path;

/// The name of the network file system that `path` is on, if it is on one.
#[cfg(target_os = "linux")]
pub(super) fn file_system(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    let kind = rustix::fs::statfs(path).ok()?.f_type;
    // The numbers have 32 bits, but some systems extend their sign.
    let kind = u32::try_from(i128::from(kind) & 0xffff_ffff).ok()?;
    if kind != FUSE {
        return known(kind).map(str::to_owned);
    }
    let device = std::fs::metadata(path).ok()?.dev();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    remote_fuse(&mounts, &format!("{major}:{minor}")).map(str::to_owned)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn file_system(_path: &Path) -> Option<String> {
    None
}

/// What the kernel says for every file system that a program provides, local ones included.
#[cfg(any(target_os = "linux", test))]
const FUSE: u32 = 0x6573_5546;

/// By the numbers under which the kernel knows them.
#[cfg(any(target_os = "linux", test))]
fn known(kind: u32) -> Option<&'static str> {
    Some(match kind {
        0x0000_6969 => "NFS",
        0x0000_517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x00c3_6400 => "Ceph",
        0x0102_1997 => "9P",
        0x7375_7245 => "Coda",
        0x0000_564c => "NCP",
        0x0bd0_0bd0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x1983_0326 => "BeeGFS",
        _ => return None,
    })
}

/// Programs that provide the files of other machines.
#[cfg(any(target_os = "linux", test))]
const REMOTE: [&str; 16] = [
    "blobfuse",
    "blobfuse2",
    "ceph-fuse",
    "curlftpfs",
    "davfs",
    "gcsfuse",
    "glusterfs",
    "goofys",
    "juicefs",
    "moosefs",
    "mountpoint-s3",
    "nfs",
    "rclone",
    "s3fs",
    "smbnetfs",
    "sshfs",
];

/// The type of the mount of `device`, if a program provides it that reaches over a network.
#[cfg(any(target_os = "linux", test))]
fn remote_fuse<'m>(mounts: &'m str, device: &str) -> Option<&'m str> {
    mounts.lines().find_map(|line| {
        let (mount, described) = line.split_once(" - ")?;
        let is_meant = mount.split_ascii_whitespace().nth(2) == Some(device);
        let kind = described.split_ascii_whitespace().next()?;
        let program = kind.strip_prefix("fuse.")?;
        (is_meant && REMOTE.contains(&program)).then_some(kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        for (kind, name) in [
            (0x6969, "NFS"),
            (0xff53_4d42, "SMB"),
            (0xfe53_4d42, "SMB"),
            (0x517b, "SMB"),
            (0x00c3_6400, "Ceph"),
            (0x0102_1997, "9P"),
        ] {
            assert_eq!(known(kind), Some(name));
        }
        let local =
            [("ext", 0xef53), ("xfs", 0x5846_5342), ("btrfs", 0x9123_683e), ("tmpfs", 0x0102_1994)];
        for (name, kind) in local {
            assert_eq!(known(kind), None, "{name} is local");
        }
        assert_eq!(known(FUSE), None, "a program may provide local files");
    }

    #[test]
    fn programs_that_reach_over_a_network_are_told_from_others() {
        let mounts = "\
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
            40 22 0:50 / /far rw,nosuid - fuse.sshfs me@far:/home rw,user_id=0\n\
            41 22 0:51 / /disk rw,relatime - fuse.ntfs-3g /dev/sdb1 rw\n";
        assert_eq!(remote_fuse(mounts, "0:50"), Some("fuse.sshfs"));
        assert_eq!(remote_fuse(mounts, "0:51"), None, "the disk is of this machine");
        assert_eq!(remote_fuse(mounts, "8:1"), None);
        assert_eq!(remote_fuse(mounts, "0:5"), None, "the whole number counts");
    }
}
