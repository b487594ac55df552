//! Where a process id means something.

/// The boot of the machine and the namespace of pids that a process belongs to: a pid names the
/// same process only while both are the same.
pub(crate) struct Origin {
    /// Empty where the system has no such id.
    pub(crate) boot: String,
    /// 0 where the system has no namespaces of pids.
    pub(crate) pid_namespace: i64,
}

impl Origin {
    #[cfg(target_os = "linux")]
    pub(crate) fn of_this_process() -> Self {
        use std::os::unix::fs::MetadataExt;

        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = std::fs::metadata("/proc/self/ns/pid").map_or(0, |meta| meta.ino());
        Self { boot: boot.trim().to_owned(), pid_namespace: i64::try_from(namespace).unwrap_or(0) }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of_this_process() -> Self {
        Self { boot: String::new(), pid_namespace: 0 }
    }
}
