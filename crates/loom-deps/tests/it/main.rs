//! What loom asks of the world around it does what it says.

mod clock;
mod id;
mod log;
mod rng;
mod timer;
mod timestamp;
