//! The snippets of the documents, run as tests.

#[doc = include_str!("../../../README.md")]
struct Readme;
