//! What a contender answers: one `name value` a line.

use std::time::Duration;

/// Prints a value.
pub fn value(name: &str, value: f64) {
    println!("{name} {value}");
}

/// Prints how many of `count` were done a second.
pub fn rate(count: usize, took: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    value("per_s", count as f64 / took.as_secs_f64());
}

/// Prints the median and the 99th percentile of `took`, in microseconds, as `NAME_p50_us` and
/// `NAME_p99_us`.
pub fn latency(name: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    for percent in [50, 99] {
        let rank = (took.len() * percent / 100).min(took.len().saturating_sub(1));
        let micros = took.get(rank).map_or(0.0, |duration| duration.as_secs_f64() * 1e6);
        value(&format!("{name}_p{percent}_us"), micros);
    }
}
