//! What loom asks of the world around it: the time, a wait, an id, a random number, a place to log.
//!
//! Each is a small trait with a production form and a test form, so that the same engine runs under
//! the system clock and under a [`FakeClock`] that a test moves by hand. Nothing here knows what a
//! task is.
//!
//! ```
//! use std::time::Duration;
//! use loom_deps::{Clock, FakeClock, Timestamp};
//!
//! let clock = FakeClock::at(Timestamp::from_micros(0));
//! clock.advance(Duration::from_secs(90));
//! assert_eq!(clock.now().to_string(), "1970-01-01T00:01:30Z");
//! ```

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod clock;
mod id;
mod log;
mod rng;
mod timer;
mod timestamp;

pub use clock::{Clock, FakeClock, SystemClock};
pub use id::{IdGen, SequentialIds, UuidIds};
pub use log::{Level, LogRecord, LogValue, Logger, NoopLogger, RecordingLogger, TracingLogger};
pub use rng::Rng;
pub use timer::{Sleep, SystemTimer, Timer};
pub use timestamp::{ParseTimestampError, Timestamp};
