//! Starting a program: in a cgroup from its first moment, and with nothing of ours but what it is
//! given.
//!
//! The child borrows the memory of this process until it has become the program, as with `vfork`:
//! nothing is copied, however much memory the host holds, and the thread that starts it waits so
//! long. It works on a stack of its own and takes no lock and no memory. No safe interface can put
//! a child into a cgroup before it runs, and none resets what signals do in it.
#![expect(unsafe_code, reason = "between clone and exec only bare system calls are allowed")]

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr::null;

use rustix::io::retry_on_intr;
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::launch::Image;

/// Room for the child until it has become the program: a few frames, in a debug build too.
const STACK_BYTES: usize = 64 << 10;
/// The first file that a program is not given.
const FILES: c_int = 3;
/// How many files are closed one by one where the system cannot close a range: before Linux 5.9.
const FILES_CLOSED_MAX: c_int = 1024;
/// The highest number of a signal.
const SIGNALS: c_int = 64;
/// The size of a set of signals, in bytes, as the system counts it.
const SIGNAL_SET_BYTES: usize = 8;
/// The status of a child that could not become the program. Nobody sees it.
const NOT_STARTED: c_int = 127;

/// Starts `image` as a child of this process that leads a group of its own, in the cgroup whose
/// directory `place` is, or else in that of this process.
///
/// # Errors
/// What the system had against it. There is no child then.
pub(crate) fn launch(image: &Image, place: Option<BorrowedFd<'_>>) -> io::Result<Pid> {
    let argv = pointers(&image.argv);
    let envp = pointers(&image.envp);
    let plan = Plan {
        path: &image.path,
        cwd: image.cwd.as_deref(),
        argv: &argv,
        envp: &envp,
        files: image.files.each_ref().map(OwnedFd::as_raw_fd),
        error: 0,
    };
    let (child, error) = start(plan, place)?;
    if error == 0 {
        return Ok(child);
    }
    reap(child);
    Err(io::Error::from_raw_os_error(error))
}

/// Whether a child can be started in the cgroup whose directory `place` is. One is, and ends.
///
/// # Errors
/// What the system has against it.
pub(crate) fn try_place(place: BorrowedFd<'_>) -> io::Result<()> {
    // No program has this path, nor is there such a file.
    let nobody = [null()];
    let plan =
        Plan { path: c"", cwd: None, argv: &nobody, envp: &nobody, files: [-1; 3], error: 0 };
    let (child, _) = start(plan, Some(place))?;
    reap(child);
    Ok(())
}

/// Reaps a child that is ending. If the host has all children reaped, it is gone already.
fn reap(child: Pid) {
    let _ = retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()));
}

fn pointers(texts: &[impl AsRef<CStr>]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ref().as_ptr()).chain([null()]).collect()
}

/// What a child needs to become the program, all made beforehand.
struct Plan<'a> {
    path: &'a CStr,
    cwd: Option<&'a CStr>,
    /// Ends with null, as `envp` does.
    argv: &'a [*const c_char],
    envp: &'a [*const c_char],
    /// None of them is one of the three that they become.
    files: [RawFd; 3],
    /// What stood against it, or 0. Written by the child.
    error: c_int,
}

/// Starts a child. Also says what stood against its becoming the program: it is ending then.
fn start(mut plan: Plan<'_>, place: Option<BorrowedFd<'_>>) -> io::Result<(Pid, c_int)> {
    let mut stack = Vec::<u128>::with_capacity(STACK_BYTES / size_of::<u128>());
    let stack = stack.spare_capacity_mut();
    let argument = (&raw mut plan).cast::<c_void>();
    let mask = block_signals();
    let started = match place {
        // SAFETY: stack and plan live on until the child has left this memory, for which the clone
        // waits, and `become_program` does what a child may do there.
        Some(place) => unsafe { arch::clone_into(place, stack, argument) },
        // SAFETY: as above.
        None => unsafe { clone(stack, argument) },
    };
    set_mask(mask);
    let child = Pid::from_raw(started?).ok_or(io::ErrorKind::Other)?;
    // SAFETY: the child, which wrote it, is gone from this memory.
    let error = unsafe { (&raw const plan.error).read_volatile() };
    Ok((child, error))
}

/// # Safety
/// `argument` must lead to a [`Plan`].
unsafe fn clone(stack: &mut [MaybeUninit<u128>], argument: *mut c_void) -> io::Result<c_int> {
    let top = stack.as_mut_ptr_range().end.cast::<c_void>();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the child runs on a stack of its own, and this thread waits until it has left it.
    let started = unsafe { libc::clone(enter, top, flags, argument) };
    if started == -1 { Err(io::Error::last_os_error()) } else { Ok(started) }
}

extern "C" fn enter(argument: *mut c_void) -> c_int {
    // SAFETY: `start` gives no other argument, and waits while it is used.
    unsafe { become_program(argument) }
}

/// What the child does.
///
/// # Safety
/// `argument` must lead to a [`Plan`] that nobody else uses, and all signals must be blocked.
unsafe extern "C" fn become_program(argument: *mut c_void) -> ! {
    // SAFETY: that is what the caller promises.
    let plan = unsafe { &mut *argument.cast::<Plan<'_>>() };
    // SAFETY: only system calls, and only on what the plan holds.
    unsafe {
        if prepare(plan) {
            libc::execve(plan.path.as_ptr(), plan.argv.as_ptr(), plan.envp.as_ptr());
        }
        (&raw mut plan.error).write_volatile(*libc::__errno_location());
        libc::_exit(NOT_STARTED)
    }
}

/// Whether all is as the program is to find it.
///
/// # Safety
/// To be called in the child.
unsafe fn prepare(plan: &Plan<'_>) -> bool {
    let done = |result: c_int| result != -1;
    // SAFETY: only system calls, and only on what the plan holds.
    unsafe {
        default_signals();
        done(libc::setpgid(0, 0))
            && done(libc::dup2(plan.files[0], 0))
            && done(libc::dup2(plan.files[1], 1))
            && done(libc::dup2(plan.files[2], 2))
            && { close_others(); true }
            && plan.cwd.is_none_or(|cwd| done(libc::chdir(cwd.as_ptr())))
            // Last, so that a signal finds nothing half done.
            && { set_mask(0); true }
    }
}

/// Has each signal do what it does by default. A handler of the host must not run in the child,
/// whose memory is the host's, and what the host ignores need not be ignored by the program.
///
/// # Safety
/// To be called in the child.
unsafe fn default_signals() {
    // The handler, the flags, the way back and the mask, in whatever order.
    let by_default = [0_u64; 4];
    for signal in 1..=SIGNALS {
        // SAFETY: the system reads no more than that much, and two signals that it refuses.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                by_default.as_ptr(),
                null::<c_void>(),
                SIGNAL_SET_BYTES,
            );
        }
    }
}

/// # Safety
/// To be called in the child, whose files are its own.
unsafe fn close_others() {
    // SAFETY: closing a file of the child harms nobody.
    unsafe {
        if libc::syscall(libc::SYS_close_range, FILES, c_int::MAX, 0) == -1 {
            for file in FILES..FILES_CLOSED_MAX {
                libc::close(file);
            }
        }
    }
}

/// Blocks every signal on this thread and returns what was blocked before.
fn block_signals() -> u64 {
    set_mask(u64::MAX)
}

/// Asked of the system itself: the C library keeps some signals out of it.
fn set_mask(mask: u64) -> u64 {
    let mut before = 0_u64;
    // SAFETY: both sets are of the size that is named.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const mask,
            &raw mut before,
            SIGNAL_SET_BYTES,
        );
    }
    before
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod arch {
    //! Only `clone3` puts a child into a cgroup, and the C library does not offer it: a child that
    //! comes back from it finds itself on another stack, so that only assembly can call it.

    use std::arch::asm;

    use super::{AsRawFd, BorrowedFd, MaybeUninit, become_program, c_int, c_long, c_void, io};

    /// As the system has it; numbers only.
    #[repr(C)]
    #[derive(Default)]
    struct Args {
        flags: u64,
        pidfd: u64,
        child_tid: u64,
        parent_tid: u64,
        exit_signal: u64,
        stack: u64,
        stack_size: u64,
        tls: u64,
        set_tid: u64,
        set_tid_size: u64,
        cgroup: u64,
    }

    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

    /// # Safety
    /// `argument` must lead to a [`Plan`](super::Plan), and all signals must be blocked.
    pub(super) unsafe fn clone_into(
        place: BorrowedFd<'_>,
        stack: &mut [MaybeUninit<u128>],
        argument: *mut c_void,
    ) -> io::Result<c_int> {
        let flags = (libc::CLONE_VM | libc::CLONE_VFORK).cast_unsigned();
        let args = Args {
            flags: CLONE_INTO_CGROUP | u64::from(flags),
            exit_signal: u64::from(libc::SIGCHLD.cast_unsigned()),
            stack: stack.as_mut_ptr() as u64,
            stack_size: size_of_val(stack) as u64,
            cgroup: u64::from(place.as_raw_fd().cast_unsigned()),
            ..Args::default()
        };
        // SAFETY: the child runs on a stack of its own, and this thread waits until it has left it.
        let result = unsafe { clone3(&args, argument) };
        match c_int::try_from(result) {
            Ok(error) if error < 0 => Err(io::Error::from_raw_os_error(-error)),
            Ok(child) => Ok(child),
            Err(_) => Err(io::ErrorKind::Other.into()),
        }
    }

    #[cfg(target_arch = "x86_64")]
    unsafe fn clone3(args: &Args, argument: *mut c_void) -> c_long {
        let result;
        // SAFETY: the parent comes out with `rax` set and what the system may change declared; the
        // child never does, and finds its stack aligned for a call.
        unsafe {
            asm!(
                "syscall",
                "test rax, rax",
                "jnz 2f",
                "xor ebp, ebp",
                "mov rdi, {argument}",
                "call {program}",
                "ud2",
                "2:",
                argument = in(reg) argument,
                program = in(reg) become_program as unsafe extern "C" fn(*mut c_void) -> !,
                inlateout("rax") libc::SYS_clone3 => result,
                in("rdi") args,
                in("rsi") size_of::<Args>(),
                out("rcx") _,
                out("r11") _,
            );
        }
        result
    }

    #[cfg(target_arch = "aarch64")]
    unsafe fn clone3(args: &Args, argument: *mut c_void) -> c_long {
        let result;
        // SAFETY: the parent comes out with `x0` set and nothing else changed; the child never does,
        // and finds its stack aligned for a call.
        unsafe {
            asm!(
                "svc 0",
                "cbnz x0, 2f",
                "mov x0, {argument}",
                "blr {program}",
                "brk 1",
                "2:",
                argument = in(reg) argument,
                program = in(reg) become_program as unsafe extern "C" fn(*mut c_void) -> !,
                inlateout("x0") (&raw const *args) as c_long => result,
                in("x1") size_of::<Args>(),
                in("x8") libc::SYS_clone3,
                out("lr") _,
            );
        }
        result
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod arch {
    //! Nobody has written down yet how to do it here.

    use super::{BorrowedFd, MaybeUninit, c_int, c_void, io};

    pub(super) unsafe fn clone_into(
        _place: BorrowedFd<'_>,
        _stack: &mut [MaybeUninit<u128>],
        _argument: *mut c_void,
    ) -> io::Result<c_int> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
