//! The table of limits.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::document::{CONTRACT, code, rows};

const SOURCE: &str = include_str!("../../../loom-core/src/limits.rs");

trait Shown {
    fn shown(self, name: &str) -> String;
}

impl Shown for Duration {
    fn shown(self, _name: &str) -> String {
        match (self.as_secs(), self.subsec_millis()) {
            (seconds, 0) if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
            (seconds, 0) => format!("{seconds} s"),
            _ => format!("{} ms", self.as_millis()),
        }
    }
}

impl Shown for usize {
    fn shown(self, name: &str) -> String {
        match self {
            bytes if !name.contains("BYTES") => grouped(bytes),
            bytes if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
            bytes if bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
            bytes => format!("{bytes} bytes"),
        }
    }
}

impl Shown for u32 {
    fn shown(self, name: &str) -> String {
        (self as usize).shown(name)
    }
}

/// With a comma before the thousands.
fn grouped(number: usize) -> String {
    match (number / 1000, number % 1000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}

macro_rules! limits {
    ($($name:ident)+) => {
        [$((stringify!($name).to_owned(), loom::limits::$name.shown(stringify!($name)))),+]
    };
}

fn limits() -> impl Iterator<Item = (String, String)> {
    limits! {
        TASK_ID_BYTES_MAX NAME_BYTES_MAX PROMPT_BYTES_MAX CWD_BYTES_MAX ENV_BYTES_MAX
        METADATA_BYTES_MAX RESULT_BYTES_MAX ERROR_BYTES_MAX PROGRESS_LINE_BYTES_MAX
        PROGRESS_INTERVAL_MIN RUNNING_MAX WRITE_QUEUE_MAX BATCH_OPS_MAX BATCH_BYTES_MAX
        RETRIES_DEFAULT RETRIES_MAX PARKED_MAX UNCOUNTED_MAX ATTEMPTS_KEPT_MAX
        ATTEMPT_OUTPUT_BYTES_MAX OUTPUT_BYTES_MAX OUTPUT_MEMORY_BYTES_MAX OUTPUT_TAIL_BYTES_MAX
        OUTPUT_WAIT_MAX PROGRESS_SEEN_BYTES_MAX CANCEL_GRACE STORE_WAIT_MAX PAGE_DEFAULT PAGE_MAX
        CALLBACK_QUEUE_MAX EVENT_STREAM_MAX CREATED_DELIVERY_MAX
    }
    .into_iter()
}

#[test]
fn the_contract_names_every_limit_with_its_value() {
    let is_limit =
        |row: &Vec<&str>| SOURCE.contains(&format!("const {}: ", row[0].trim_matches('`')));
    let documented: BTreeSet<(String, String)> = rows(CONTRACT)
        .filter(|row| row.len() == 3)
        .filter(is_limit)
        .filter_map(|row| Some((code(row[0]).next()?.to_owned(), row[1].to_owned())))
        .collect();
    let actual: BTreeSet<_> = limits().collect();
    let wrong: Vec<_> = actual.symmetric_difference(&documented).collect();
    assert!(wrong.is_empty(), "only in loom::limits or only in docs/contract.md: {wrong:#?}");
}

#[test]
fn no_limit_is_missing_here() {
    let named = SOURCE.lines().filter_map(|line| line.strip_prefix("pub const "));
    let named: BTreeSet<&str> = named.filter_map(|line| Some(line.split_once(':')?.0)).collect();
    let here: Vec<(String, String)> = limits().collect();
    assert_eq!(named, here.iter().map(|(name, _)| name.as_str()).collect());
}
