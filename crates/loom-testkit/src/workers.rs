//! Workers whose attempts a test decides.

mod counting;
mod scripted;
mod sequence;

pub use counting::{CountingWorker, Counts};
pub use scripted::{AttemptHandle, Script, ScriptedWorker, scripted};
pub use sequence::SequenceWorker;
