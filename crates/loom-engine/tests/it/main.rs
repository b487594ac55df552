//! The engine through its public face, on the memory store and a clock that the tests move.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod rig;
mod stubborn;
mod wrapped;

mod building;
mod cancelling;
mod closing;
mod dispatching;
mod events;
mod holding;
mod importing;
mod inherited;
mod instruments;
mod judging;
mod leaving;
mod operating;
mod outages;
mod panicking;
mod printing;
mod recovery;
mod retrying;
mod running;
mod submitting;
mod timing;
mod waiting;
