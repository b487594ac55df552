//! Which cases are tried.

use std::collections::BTreeSet;

use loom_proof::zoo::animals::ANIMALS;
use loom_proof::zoo::case::{Choice, Ending, Mode, plan};
use loom_proof::zoo::options;

fn read(words: &[&str]) -> Result<options::Options, String> {
    options::read(words.iter().map(|word| (*word).to_owned()))
}

#[test]
fn everything_is_tried_unless_less_is_asked_for() {
    let all = plan(&Choice::default(), Mode::Sweep);
    assert_eq!(all.len(), ANIMALS.len() * Ending::ALL.len());
    let options = read(&["--animal", "ghost", "--ending", "close", "--mode", "sweep"]).unwrap();
    let one = plan(&options.choice, Mode::Sweep);
    let one: Vec<_> = one.iter().map(|case| (case.animal.name, case.ending)).collect();
    assert_eq!(one, [("ghost", Ending::Close)]);
    assert_eq!(options.choice.modes, [Mode::Sweep]);
}

#[test]
fn the_short_form_tries_each_animal_twice_in_each_mode_and_all_endings_equally() {
    let choice = Choice { short: true, ..Choice::default() };
    for mode in Mode::ALL {
        let cases = plan(&choice, mode);
        assert_eq!(cases.len(), ANIMALS.len() * 2);
        for ending in Ending::ALL {
            let count = cases.iter().filter(|case| case.ending == ending).count();
            assert!(count >= ANIMALS.len() / 3, "{}: {count}", ending.as_str());
        }
    }
    for animal in ANIMALS {
        let all = Mode::ALL.into_iter().flat_map(|mode| plan(&choice, mode));
        let endings: BTreeSet<_> = all
            .filter(|case| case.animal.name == animal.name)
            .map(|case| case.ending.as_str())
            .collect();
        assert!(endings.len() >= 4, "{}: {endings:?}", animal.name);
    }
}

#[test]
fn words_that_mean_nothing_are_refused() {
    for words in [
        &["--mode", "magic"][..],
        &["--ending"],
        &["--animal", "unicorn"],
        &["--jobs", "0"],
        &["x"],
    ] {
        assert!(read(words).is_err(), "{words:?}");
    }
}
