//! What `bench` is asked for, and what it makes of what it has measured.

use xtask::bench::{Machine, Measures, Options, draw, options};
use xtask::failure::Failure;

use crate::args;

#[test]
fn without_words_all_workloads_are_measured() {
    let read = options(&[]).unwrap();
    assert_eq!((read.short, read.only.is_empty()), (false, true));
    assert_eq!((read.rounds, read.rows), (5, 10_000_000));
}

#[test]
fn workloads_rounds_and_rows_can_be_chosen() {
    let read = options(&args(&["--only", "w1,w4", "--rounds", "9", "--rows", "1000000"]));
    let only = args(&["w1", "w4"]);
    assert_eq!(read, Ok(Options { short: false, only, rounds: 9, rows: 1_000_000 }));
}

#[test]
fn words_that_make_no_sense_are_refused() {
    let wrong: [&[&str]; 7] = [
        &["--only"],
        &["--only", "w7"],
        &["--only", ""],
        &["--rounds", "0"],
        &["--rounds", "many"],
        &["--rows"],
        &["--fast"],
    ];
    for words in wrong {
        assert!(matches!(options(&args(words)), Err(Failure::Usage(_))), "{words:?}");
    }
}

#[test]
fn the_median_of_an_even_number_of_rounds_lies_between_the_two_in_the_middle() {
    let mut measures = Measures::default();
    for sample in [40.0, 10.0, 20.0, 1000.0] {
        measures.add("speed", sample);
    }
    assert_eq!(measures.median("speed"), Some(30.0));
    assert_eq!(measures.median("weight"), None);
}

#[test]
fn a_ratio_belongs_to_its_round() {
    let mut measures = Measures::default();
    measures.add_ratio("vs", Some(10.0), Some(40.0));
    measures.add_ratio("vs", Some(50.0), Some(100.0));
    measures.add_ratio("vs", Some(9.0), None);
    measures.add_ratio("vs", Some(90.0), Some(100.0));
    assert_eq!(measures.median("vs"), Some(0.5));
}

#[test]
fn the_lines_keep_the_order_of_measurement() {
    let mut measures = Measures::default();
    for (name, value) in [("w1.rate", 12_345.6), ("w1.vs", 0.123), ("w1.apalis_undone", 0.0)] {
        measures.add(name, value);
    }
    assert_eq!(measures.lines(), "w1.rate 12346\nw1.vs 0.12\nw1.apalis_undone 0");
}

#[test]
fn the_table_shows_the_range() {
    let mut measures = Measures::default();
    for sample in [200.0, 100.0, 300.0] {
        measures.add("w5.loom", sample);
    }
    let table = measures.table();
    let words: Vec<_> = table.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(words, ["w5.loom", "200", "100", "300", "3"]);
}

#[test]
fn ten_times_the_rate_is_a_bar_higher_by_the_same_step() {
    let mut measures = Measures::default();
    measures.add("w1.full.c1.loom", 1000.0);
    measures.add("w1.full.c1.raw", 10_000.0);
    let svg = draw(&measures);
    let bars: Vec<_> = svg.lines().filter(|line| line.contains("width=\"22.0\"")).collect();
    assert_eq!(bars.len(), 2);
    assert!(bars.iter().any(|bar| bar.contains("class=\"a\"") && bar.contains("height=\"70.0\"")));
    assert!(bars.iter().any(|bar| bar.contains("class=\"d\"") && bar.contains("height=\"140.0\"")));
}

#[test]
fn what_others_did_is_what_we_did_not() {
    let stat = |busy: u64, idle: u64| format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3\n");
    let own = |ticks: u64| format!("7 (a (b) c) R 1 2 3 4 5 6 7 8 9 10 {ticks} 0 0 0 20 0\n");
    let before = Machine::read(&stat(100, 100), &own(10)).unwrap();
    let after = Machine::read(&stat(400, 200), &own(210)).unwrap();
    assert!((after.others_percent(before) - 25.0).abs() < f64::EPSILON);
    assert_eq!(Machine::read("", &own(1)), None);
}
