//! Whether the system can take a command of this size.

use std::ffi::OsStr;

use super::arguments::ARGUMENT_BYTES_MAX;
use super::error::Unfit;
use crate::command::Command;
use crate::environment::Environment;

/// The longest sum of all arguments and variables that Linux takes with the usual stack of 8 MiB,
/// less some room for what is added at the start.
const ALL_BYTES_MAX: usize = (2 << 20) - (8 << 10);
/// What each text takes beside its bytes: a NUL at its end, and a pointer to it.
const TEXT_EXTRA_BYTES: usize = 1 + size_of::<usize>();

/// Checked before the start, whose error would say only that something is too long.
pub(super) fn check(command: &Command, environment: &Environment) -> Result<(), Unfit> {
    let variables = || {
        environment
            .variables
            .iter()
            .map(|(name, value)| (name.to_string_lossy(), name.len() + 1 + value.len()))
    };
    if let Some((name, bytes)) = variables().find(|(_, bytes)| *bytes >= ARGUMENT_BYTES_MAX) {
        let name = name.into_owned();
        return Err(Unfit::VariableTooLong { name, bytes, max: ARGUMENT_BYTES_MAX - 1 });
    }
    let arguments = std::iter::once(&command.program).chain(&command.args);
    let lengths = arguments.map(|argument| OsStr::len(argument)).chain(variables().map(|it| it.1));
    let bytes = lengths.map(|length| length + TEXT_EXTRA_BYTES).sum();
    if bytes > ALL_BYTES_MAX {
        return Err(Unfit::TooLong { bytes, max: ALL_BYTES_MAX });
    }
    Ok(())
}
