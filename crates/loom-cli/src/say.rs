//! Printing: data to standard output, everything else to standard error.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

use anstyle::{AnsiColor, Style};
use loom::{TaskStatus, Timestamp};

/// Writes data. A reader that has gone away, as `head` does, is no error.
pub(crate) fn data(text: &str) {
    let mut out = anstream::AutoStream::auto(stdout().lock());
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        self::error(&format!("cannot write to standard output: {error}"));
    }
}

/// Writes a line about what loom itself does.
pub(crate) fn line(text: &str) {
    // Where standard error is gone there is nobody to tell.
    let _ = writeln!(anstream::AutoStream::auto(stderr().lock()), "{text}");
}

pub(crate) fn error(text: &str) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    line(&format!("{style}error{style:#}: {text}"));
}

pub(crate) fn note(label: &str, text: &str) {
    let style = Style::new().bold();
    line(&format!(" {style}{label}{style:#}: {text}"));
}

/// The status in its colour.
pub(crate) fn status(status: TaskStatus) -> String {
    let colour = match status {
        TaskStatus::Completed => AnsiColor::Green,
        TaskStatus::Failed | TaskStatus::FailedCrash => AnsiColor::Red,
        TaskStatus::Cancelled => AnsiColor::Yellow,
        TaskStatus::Running | TaskStatus::Dispatched => AnsiColor::Cyan,
        _ => AnsiColor::BrightBlack,
    };
    let style = Style::new().fg_color(Some(colour.into()));
    format!("{style}{status}{style:#}")
}

/// What a command printed, fit for a terminal: there, control characters are shown, not obeyed.
pub(crate) fn foreign(text: &str) -> String {
    if !stdout().is_terminal() {
        return text.to_owned();
    }
    harmless(text)
}

/// Control characters as what they are written as, but for line ends and tabs.
pub(crate) fn harmless(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// A length of time in its two largest units: `1h 2m`, `350ms`.
pub(crate) fn duration(duration: std::time::Duration) -> String {
    let millis = duration.as_millis();
    let (seconds, minutes, hours) = (millis / 1_000, millis / 60_000, millis / 3_600_000);
    match (hours, minutes, seconds) {
        (0, 0, 0) => format!("{millis}ms"),
        (0, 0, _) => format!("{seconds}.{}s", millis % 1_000 / 100),
        (0, _, _) => format!("{minutes}m {}s", seconds % 60),
        (1..48, _, _) => format!("{hours}h {}m", minutes % 60),
        _ => format!("{}d {}h", hours / 24, hours % 24),
    }
}

/// How long ago something was.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let passed = now.since(then);
    if passed.as_secs() < 1 { "just now".to_owned() } else { format!("{} ago", duration(passed)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lengths_of_time_show_their_two_largest_units() {
        let cases = [
            (0, "0ms"),
            (999, "999ms"),
            (1_250, "1.2s"),
            (61_000, "1m 1s"),
            (3_600_000, "1h 0m"),
            (200_000_000, "2d 7h"),
        ];
        for (millis, text) in cases {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }
}
