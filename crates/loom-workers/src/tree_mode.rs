//! How everything that a command starts is held together.

/// How everything that a command starts is held together, so that it can be ended.
///
/// | mode | needs | gets away |
/// |---|---|---|
/// | [`Cgroup`](Self::Cgroup) | Linux 5.7, a cgroup v2 in which this process may make others | who moves itself to another cgroup, or has a service start something |
/// | [`Supervisor`](Self::Supervisor) | Linux 5.3, a program that calls [`supervisor_main`](crate::supervisor_main) first in its `main`, this one or one that is [named](crate::ProcessRunner::supervisor) | who has a service start something |
/// | [`Sweep`](Self::Sweep) | nothing | who leaves the process group and drops the mark from its environment, or runs as another user; on systems other than Linux whoever leaves the group |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TreeMode {
    /// The first of the others that can be used here.
    #[default]
    Auto,
    /// Each command gets a cgroup of its own, from its first moment on.
    Cgroup,
    /// A small process that adopts all that the command leaves behind.
    Supervisor,
    /// The process group of the command, and on Linux a search for processes that carry the mark of
    /// the run in their environment.
    Sweep,
}

impl TreeMode {
    /// The mode in one word: `auto`, `cgroup`, `supervisor` or `sweep`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cgroup => "cgroup",
            Self::Supervisor => "supervisor",
            Self::Sweep => "sweep",
        }
    }
}

/// A [`TreeMode`] that was asked for cannot be used here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "commands cannot be held together by {}: {why}; ask for `TreeMode::Auto` to have what is possible",
    mode.as_str()
)]
#[non_exhaustive]
pub struct TreeUnavailable {
    /// What was asked for.
    pub mode: TreeMode,
    /// What stands against it.
    pub why: String,
    /// Whether the machine was only short of something.
    pub(crate) may_pass: bool,
}

impl TreeUnavailable {
    pub(crate) fn new(mode: TreeMode, why: impl Into<String>) -> Self {
        Self { mode, why: why.into(), may_pass: false }
    }

    pub(crate) const fn may_pass(mut self, may_pass: bool) -> Self {
        self.may_pass = may_pass;
        self
    }
}
