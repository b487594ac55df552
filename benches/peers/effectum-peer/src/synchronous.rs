//! Lets effectum sync its commits, which it cannot be asked for.
//!
//! It sets `synchronous = NORMAL` on its connections. Where that is to be kept from happening,
//! every connection that this process opens gets an authorizer that passes over the pragma, and
//! SQLite's own default stays: FULL.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use kit::Result;
use rusqlite::ffi;

/// From now on, connections stay at `synchronous = FULL` whatever they ask for.
pub fn keep_full() -> Result {
    // SAFETY: the function lives as long as the program and is what SQLite takes for the entry point
    // of an extension.
    let code = unsafe { ffi::sqlite3_auto_extension(Some(watch)) };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(format!("SQLite answered {code}").into()) }
}

unsafe extern "C" fn watch(
    connection: *mut ffi::sqlite3,
    _error: *mut *const c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite hands over a connection that it has just opened.
    unsafe { ffi::sqlite3_set_authorizer(connection, Some(authorize), ptr::null_mut()) }
}

unsafe extern "C" fn authorize(
    _: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    _: *const c_char,
    _: *const c_char,
) -> c_int {
    if action != ffi::SQLITE_PRAGMA || first.is_null() || second.is_null() {
        return ffi::SQLITE_OK;
    }
    // SAFETY: SQLite passes texts that live until this function returns, or null.
    let pragma = unsafe { CStr::from_ptr(first) };
    if pragma.to_bytes().eq_ignore_ascii_case(b"synchronous") {
        return ffi::SQLITE_IGNORE;
    }
    ffi::SQLITE_OK
}
