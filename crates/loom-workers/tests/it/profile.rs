//! Tools as profiles describe them.

mod answers;
mod arguments;
mod builtin;
mod environment;
mod limits;
mod malformed;
mod notation;
mod stage;
