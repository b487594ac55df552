//! The project's verbs, as `cargo xtask VERB`.
//!
//! CI calls only these, so that it does nothing a contributor cannot do at home. One verb has one
//! file. What a verb decides is a function over values, which the tests call; what it does to the
//! world is a few lines around it. The crate has one dependency on purpose: it is built before
//! anything else can be checked.

#![forbid(unsafe_code)]

pub mod bench;
pub mod ci;
pub mod docs;
pub mod evaluation;
pub mod examples;
pub mod failure;
pub mod gate_eval;
pub mod layers;
pub mod lint;
pub mod markdown;
pub mod pattern;
pub mod print;
pub mod process;
pub mod project;
pub mod redact_eval;
pub mod scratch;
pub mod snippets;
pub mod test;
pub mod tidy;
pub mod verbs;
pub mod zoo;
