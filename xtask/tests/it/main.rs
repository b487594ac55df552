//! The decisions of the verbs, on small texts.

mod behaviours;
mod bench;
mod ci;
mod examples;
mod layers;
mod markdown;
mod pattern;
mod process;
mod snippets;
mod tidy;
mod verbs;

/// Words of a command line.
fn args(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
