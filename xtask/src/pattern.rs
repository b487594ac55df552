//! Compares what a program printed with what is written that it prints.
//!
//! `…` in an expected line stands for any text, and alone on its line for any number of lines.
//! Blanks at the end of a line do not count.

const ANY: &str = "…";

/// Whether `line` is what `pattern` says.
#[must_use]
pub fn line_matches(pattern: &str, line: &str) -> bool {
    let (pattern, line) = (pattern.trim_end(), line.trim_end());
    let Some((start, rest)) = pattern.split_once(ANY) else {
        return pattern == line;
    };
    line.strip_prefix(start).is_some_and(|line| tail_matches(rest, line))
}

/// Whether any text and then `pattern` make up `line`.
fn tail_matches(pattern: &str, line: &str) -> bool {
    let Some((part, rest)) = pattern.split_once(ANY) else {
        return line.ends_with(pattern);
    };
    // The first place is as good as any later one: more is left for the rest.
    line.find(part)
        .and_then(|found| line.get(found + part.len()..))
        .is_some_and(|line| tail_matches(rest, line))
}

/// Looks for the expected lines in the printed ones, in their order, with others between them.
///
/// # Errors
///
/// The first expected line that did not come.
pub fn in_order<'a>(expected: &[&'a str], printed: &[&str]) -> Result<(), &'a str> {
    let mut printed = printed.iter();
    let missing = expected
        .iter()
        .filter(|pattern| pattern.trim() != ANY)
        .find(|pattern| !printed.any(|line| line_matches(pattern, line)));
    missing.map_or(Ok(()), |pattern| Err(*pattern))
}

/// Whether the printed lines are the expected ones, from the first to the last. Blank lines at the
/// end do not count.
#[must_use]
pub fn matches(expected: &[&str], printed: &[&str]) -> bool {
    whole(without_blank_end(expected), without_blank_end(printed))
}

fn whole(expected: &[&str], printed: &[&str]) -> bool {
    let Some((pattern, rest)) = expected.split_first() else {
        return printed.is_empty();
    };
    if pattern.trim() == ANY {
        return (0..=printed.len())
            .any(|skipped| printed.get(skipped..).is_some_and(|printed| whole(rest, printed)));
    }
    let Some((line, printed)) = printed.split_first() else {
        return false;
    };
    line_matches(pattern, line) && whole(rest, printed)
}

fn without_blank_end<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    match lines.split_last() {
        Some((last, rest)) if last.trim().is_empty() => without_blank_end(rest),
        _ => lines,
    }
}
