//! What the judge can be asked for.

use std::str::FromStr;

use crate::zoo::animals;
use crate::zoo::case::{Choice, Ending, Mode};

/// How the judge is called.
pub const USAGE: &str =
    "[--mode M]… [--ending E]… [--animal A]… [--short] [--jobs N] | --flood [--short] [--mode M]";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which cases.
    pub choice: Choice,
    /// Whether to measure with much output instead.
    pub flood: bool,
    /// How many cases are tried at once.
    pub jobs: usize,
}

/// Most cases wait for graces and for each other's processes: more than there are processors.
const JOBS: usize = 8;

impl Default for Options {
    fn default() -> Self {
        Self { choice: Choice::default(), flood: false, jobs: JOBS }
    }
}

/// Reads the words of the command line.
///
/// # Errors
/// What is wrong with them.
pub fn read(words: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--short" => options.choice.short = true,
            "--flood" => options.flood = true,
            "--mode" => {
                options.choice.modes.push(named("mode", words.next().as_deref(), Mode::find)?);
            }
            "--ending" => {
                options.choice.endings.push(named(
                    "ending",
                    words.next().as_deref(),
                    Ending::find,
                )?);
            }
            "--animal" => {
                let animal = named("animal", words.next().as_deref(), animals::find)?;
                options.choice.animals.push(animal.name.to_owned());
            }
            "--jobs" => options.jobs = number(words.next().as_deref())?,
            other => return Err(format!("unknown word `{other}`; usage: zoo {USAGE}")),
        }
    }
    Ok(options)
}

fn named<T>(what: &str, word: Option<&str>, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    let found = word.and_then(find);
    found.ok_or_else(|| {
        let modes = Mode::ALL.map(Mode::as_str).join(" ");
        let endings = Ending::ALL.map(Ending::as_str).join(" ");
        let animals: Vec<&str> = animals::ANIMALS.iter().map(|animal| animal.name).collect();
        let animals = animals.join(" ");
        format!("no such {what}; modes: {modes}; endings: {endings}; animals: {animals}")
    })
}

fn number(word: Option<&str>) -> Result<usize, String> {
    let number = word.and_then(|word| usize::from_str(word).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| "`--jobs` wants a number from 1".to_owned())
}
