//! The table of what the Go library's tests pin names tests that exist.

use super::Finding;
use crate::project::File;

const TABLE: &str = "docs/go-behaviours.md";

/// The page that leads to the table.
const PAGE: &str = "docs/migration-from-go.md";

/// What the Go library's tests pin is numbered from 1 to this.
const LAST: u32 = 154;

/// A number that was never given.
const GAP: u32 = 145;

/// The section whose rows say why loom does otherwise, and may do so without a test.
const OTHERWISE: &str = "## Otherwise on purpose";

/// A row of the table: the line it is in, its cells, and whether it must name a test.
struct Row<'a> {
    line: usize,
    cells: Vec<&'a str>,
    needs_test: bool,
}

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let find = |path| files.iter().find(|file| file.path == path);
    let Some(table) = find(TABLE) else {
        let missing = |page| Finding::new(page, 1, format!("{TABLE} is missing"));
        return find(PAGE).map(missing).into_iter().collect();
    };
    let rows = rows(&table.text);
    let wrong = rows.iter().flat_map(|row| {
        let messages = check_row(row, files);
        messages.into_iter().map(move |message| Finding::new(table, row.line, message))
    });
    let numbers: Vec<u32> = rows.iter().filter_map(number).collect();
    let counted = (1..=LAST).filter(|number| *number != GAP).filter_map(|number| {
        let message = match numbers.iter().filter(|listed| **listed == number).count() {
            0 => format!("behaviour {number} has no row"),
            1 => return None,
            _ => format!("behaviour {number} has several rows"),
        };
        Some(Finding::new(table, 1, message))
    });
    wrong.chain(counted).collect()
}

/// The rows of all tables, without their headings and rules.
fn rows(text: &str) -> Vec<Row<'_>> {
    let mut needs_test = true;
    let mut rows = Vec::new();
    for (text, line) in text.lines().zip(1..) {
        if text.starts_with("## ") {
            needs_test = text != OTHERWISE;
        }
        let cells = text.strip_prefix("| ").and_then(|row| row.strip_suffix(" |"));
        let cells: Vec<&str> =
            cells.map(|row| row.split(" | ").map(str::trim).collect()).unwrap_or_default();
        if cells.len() > 1 && cells.first() != Some(&"no.") && cells.first() != Some(&"gap") {
            rows.push(Row { line, cells, needs_test });
        }
    }
    rows
}

fn number(row: &Row<'_>) -> Option<u32> {
    row.cells.first()?.parse().ok()
}

fn check_row(row: &Row<'_>, files: &[File]) -> Vec<String> {
    let said = row.cells.last().copied().unwrap_or_default();
    let tests: Vec<&str> =
        said.split('`').skip(1).step_by(2).filter(|t| t.contains("::")).collect();
    if said.is_empty() || row.needs_test && tests.is_empty() {
        return vec!["names no test".to_owned()];
    }
    let missing = tests.into_iter().filter(|test| !exists(test, files));
    missing.map(|test| format!("there is no test `{test}`")).collect()
}

/// Whether there is a test of this path: crate, modules, name.
fn exists(test: &str, files: &[File]) -> bool {
    let parts = test.split_once("::").and_then(|(krate, rest)| {
        let (modules, name) = rest.rsplit_once("::")?;
        Some((krate.replace('_', "-"), modules.replace("::", "/"), name))
    });
    let Some((krate, modules, name)) = parts else { return false };
    let home = if krate == "xtask" { krate } else { format!("crates/{krate}") };
    let text = |path: String| files.iter().find(|file| file.path == path).map(|file| &*file.text);
    let tested = |place: &str| {
        text(format!("{home}/{place}/{modules}.rs")).is_some_and(|text| has_test(text, name))
    };
    let suite = || text(format!("{home}/src/conformance.rs")).unwrap_or_default();
    let is_case = |group: &str| lists_case(suite(), group, name);
    tested("tests/it") || tested("src") || modules.strip_prefix("conformance/").is_some_and(is_case)
}

/// Whether a function of this name stands under the attribute of a test.
fn has_test(text: &str, name: &str) -> bool {
    let (sync, waits) = (format!("fn {name}("), format!("async fn {name}("));
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        if is_test && (line.starts_with(&sync) || line.starts_with(&waits)) {
            return true;
        }
        is_test = false;
    }
    false
}

/// Whether the suite that every store passes has this case. Its macro names them, and what it names
/// must exist for it to compile.
fn lists_case(suite: &str, group: &str, name: &str) -> bool {
    suite.lines().any(|line| line.trim() == format!("{group}::{name},"))
}
