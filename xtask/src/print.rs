//! What the verbs say, without colours: plain lines read the same on a screen and in a log.

use std::io::Write as _;

/// Prints a line.
///
/// A reader who has gone away (`cargo xtask … | head`) is no reason to fail.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a line about trouble, apart from what was asked for.
pub fn trouble(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Aligns `rows` in columns, two spaces apart. The last column is not filled up.
#[must_use]
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let aligned = rows.iter().map(|row| {
        let cells = row.iter().zip(widths);
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        let joined = cells.collect::<Vec<_>>().join("  ");
        joined.trim_end().to_owned()
    });
    aligned.collect::<Vec<_>>().join("\n")
}
