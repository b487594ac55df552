//! What was measured, by name.

use std::collections::BTreeMap;

use crate::print;

/// The samples of each name: one a round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    samples: BTreeMap<String, Vec<f64>>,
    order: Vec<String>,
}

impl Measures {
    /// Adds what one round has given.
    pub fn add(&mut self, name: impl Into<String>, value: f64) {
        let name = name.into();
        if !self.samples.contains_key(&name) {
            self.order.push(name.clone());
        }
        self.samples.entry(name).or_default().push(value);
    }

    /// Adds how many times `theirs` is in `ours`, if both are there: the quotient of one round.
    pub fn add_ratio(&mut self, name: impl Into<String>, ours: Option<f64>, theirs: Option<f64>) {
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            self.add(name, ours / theirs);
        }
    }

    /// The median of a name's samples.
    #[must_use]
    pub fn median(&self, name: &str) -> Option<f64> {
        median(self.samples.get(name)?)
    }

    /// A row for each name, in the order of measurement: median, lowest, highest, rounds.
    #[must_use]
    pub fn table(&self) -> String {
        let head = ["", "median", "lowest", "highest", "rounds"].map(str::to_owned);
        let rows = self.order.iter().filter_map(|name| {
            let samples = self.samples.get(name)?;
            let lowest = samples.iter().copied().reduce(f64::min)?;
            let highest = samples.iter().copied().reduce(f64::max)?;
            let [median, lowest, highest] = [median(samples)?, lowest, highest].map(shown);
            Some([name.clone(), median, lowest, highest, samples.len().to_string()])
        });
        let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
        print::table(&rows)
    }

    /// The median of each name, one `name value` a line, in the order of measurement.
    #[must_use]
    pub fn lines(&self) -> String {
        let line = |name: &String| Some(format!("{name} {}", shown(self.median(name)?)));
        self.order.iter().filter_map(line).collect::<Vec<_>>().join("\n")
    }
}

fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some((sorted.get(sorted.len() / 2 - 1)? + upper) / 2.0)
}

/// With as many digits as can be trusted, at most.
fn shown(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    format!("{value:.decimals$}")
}
