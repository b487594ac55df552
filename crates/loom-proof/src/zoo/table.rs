//! What the judge prints: a table for each mode, what is wrong, and figures.

use std::fmt::Write;

use crate::zoo::animals::ANIMALS;
use crate::zoo::case::{Case, Ending, Mode};
use crate::zoo::verdict::Finding;

/// How a case went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case.
    pub case: Case,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many processes were alive when the end was told, and were gone soon after.
    pub late: usize,
}

impl Outcome {
    /// How many processes got away.
    #[must_use]
    pub fn survivors(&self) -> usize {
        self.findings.iter().filter(|finding| matches!(finding, Finding::Survivor(_))).count()
    }

    /// Whether anything is wrong that may not be. In a mode that is not strict some get away.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        let counts = |finding: &&Finding| {
            self.case.mode.is_strict() || !matches!(finding, Finding::Survivor(_))
        };
        self.findings.iter().filter(counts).count() > 0
    }

    fn cell(&self) -> String {
        match (self.is_failure(), self.survivors()) {
            (true, 0) => "FAILED".to_owned(),
            (true, left) => format!("FAILED, {left} left"),
            (false, 0) => "ok".to_owned(),
            (false, left) => format!("{left} left"),
        }
    }
}

/// The cases of a mode: animals below each other, endings beside each other.
#[must_use]
pub fn table(mode: Mode, outcomes: &[Outcome]) -> String {
    let names = ANIMALS.iter().map(|animal| animal.name);
    let rows = names.filter_map(|name| {
        let own: Vec<&Outcome> = outcomes
            .iter()
            .filter(|outcome| outcome.case.mode == mode && outcome.case.animal.name == name)
            .collect();
        let cell = |ending| own.iter().find(|o| o.case.ending == ending).map(|o| o.cell());
        let cells = Ending::ALL.map(|ending| cell(ending).unwrap_or_default());
        (!own.is_empty()).then(|| row(name, &cells))
    });
    let head = row(mode.as_str(), &Ending::ALL.map(|ending| ending.as_str().to_owned()));
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}

fn row(first: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("  {cell:<14}")).collect();
    format!("{first:<16}{cells}").trim_end().to_owned()
}

/// Of one case so many survivors are shown.
const SURVIVORS_SHOWN: usize = 3;

/// Everything that was found, a line for each finding. Of many survivors only the first are shown.
#[must_use]
pub fn findings(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let Case { animal, ending, mode } = outcome.case;
        let left = outcome.survivors();
        // They come first among the findings.
        for finding in outcome.findings.iter().skip(left.saturating_sub(SURVIVORS_SHOWN)) {
            let (ending, mode) = (ending.as_str(), mode.as_str());
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{mode} {} {ending}: {finding}", animal.name);
        }
    }
    text
}

/// The figures, one `name value` a line.
#[must_use]
pub fn figures(outcomes: &[Outcome]) -> String {
    let of = |is_strict: bool| {
        let own = outcomes.iter().filter(move |outcome| outcome.case.mode.is_strict() == is_strict);
        own.map(Outcome::survivors).sum::<usize>()
    };
    let lines = [
        ("zoo.cases", outcomes.len()),
        ("zoo.failures", outcomes.iter().filter(|outcome| outcome.is_failure()).count()),
        ("zoo.survivors", of(true)),
        ("zoo.sweep_survivors", of(false)),
        ("zoo.late", outcomes.iter().map(|outcome| outcome.late).sum()),
    ];
    lines.map(|(name, value)| format!("{name} {value}")).join("\n")
}
