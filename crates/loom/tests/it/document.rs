//! Reading the documents.

pub(crate) const CONTRACT: &str = include_str!("../../../../docs/contract.md");
pub(crate) const MIGRATION: &str = include_str!("../../../../docs/migration-from-go.md");

/// The content of the first block of a language.
pub(crate) fn block<'d>(document: &'d str, language: &str) -> &'d str {
    let begin = format!("```{language}\n");
    let (_, rest) = document.split_once(&begin).unwrap_or_default();
    rest.split_once("```").unwrap_or_default().0
}

/// The cells of all table rows, headings and rules included.
pub(crate) fn rows(document: &str) -> impl Iterator<Item = Vec<&str>> {
    document.lines().filter_map(|line| {
        let row = line.strip_prefix("| ")?.strip_suffix(" |")?;
        Some(row.split(" | ").map(str::trim).collect())
    })
}

/// The texts in backticks.
pub(crate) fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
