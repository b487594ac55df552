//! How much a pipe holds.

use std::os::fd::AsFd;

use rustix::pipe::fcntl_setpipe_size;

/// Has a pipe hold more, if the system lets this user have that much.
pub(crate) fn widen(pipe: &impl AsFd, bytes: usize) {
    // Without it all goes on as before, only slower.
    let _ = fcntl_setpipe_size(pipe, bytes);
}
