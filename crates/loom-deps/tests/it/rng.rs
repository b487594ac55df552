//! Random numbers that a seed makes repeatable.

use loom_deps::Rng;
use proptest::prelude::*;

fn numbers(rng: &Rng) -> Vec<f64> {
    (0..100).map(|_| rng.unit()).collect()
}

proptest! {
    #[test]
    fn numbers_follow_from_the_seed_and_lie_within_their_bounds(seed: u64) {
        let made = numbers(&Rng::seeded(seed));
        prop_assert_eq!(&made, &numbers(&Rng::seeded(seed)));
        prop_assert!(made.iter().all(|unit| (0.0..1.0).contains(unit)));
    }
}

#[test]
fn another_seed_gives_other_numbers() {
    assert_ne!(numbers(&Rng::seeded(1)), numbers(&Rng::seeded(2)));
    assert_ne!(numbers(&Rng::random()), numbers(&Rng::random()));
}

#[test]
fn numbers_are_spread_out() {
    let rng = Rng::seeded(7);
    let low = (0..10_000).filter(|_| rng.unit() < 0.25).count();
    assert!((2200..2800).contains(&low), "{low} of 10,000 are in the lowest quarter");
}
