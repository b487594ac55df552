//! Random numbers that a seed makes repeatable.

use std::sync::{Mutex, PoisonError};

/// A source of random numbers, for jitter. Not for secrets.
///
/// ```
/// use loom_deps::Rng;
///
/// assert_eq!(Rng::seeded(7).unit(), Rng::seeded(7).unit());
/// ```
#[derive(Debug)]
pub struct Rng(Mutex<fastrand::Rng>);

impl Rng {
    /// A source whose numbers follow from `seed` alone.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A source with a seed of its own.
    #[must_use]
    pub fn random() -> Self {
        Self(Mutex::new(fastrand::Rng::new()))
    }

    /// A number from 0 up to, not including, 1.
    #[must_use]
    pub fn unit(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}
