//! What all contenders of the benchmark have in common: how they are asked, the load they are put
//! under, and how they answer.
//!
//! A contender is a program that is asked for one measurement, `WORKLOAD name=value…`, takes it in
//! an empty folder, prints one `name value` a line, and ends.

pub mod asked;
pub mod load;
pub mod report;
pub mod tally;

pub use asked::{Asked, Durability};

/// What a contender's main function returns.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Two hundred bytes of plain words: the prompt of a task, and what its worker returns.
pub const TEXT: &str = "The quick brown fox jumps over the lazy dog while seven clever wizards \
    quietly pack a huge box with sixty dozen small glass jars of fresh plum jam, and then they all \
    go home for tea before dark comes.";

const _: () = assert!(TEXT.len() == 200, "the workload says two hundred bytes");
