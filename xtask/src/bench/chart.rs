//! The picture of W1: bars, drawn by hand, readable on light and on dark ground.

use std::fmt::Write as _;

use super::Measures;
use super::w1::{DURABILITIES, LOADS};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 24.0;
const TOP: f64 = 72.0;
const PLOT_HEIGHT: f64 = 210.0;
const BAR_WIDTH: f64 = 24.0;
const BAR_GAP: f64 = 2.0;

/// The lowest rate that has a bar, as a power of ten, and the powers above it.
const POWER_MIN: f64 = 2.0;
const POWERS: f64 = 3.0;

/// Who is shown: the name, what it is called in the picture, its class.
const SHOWN: [(&str, &str, &str); 4] = [
    ("loom", "loom", "a"),
    ("effectum", "effectum 0.7, on a WAL file", "b"),
    ("apalis", "apalis-sqlite 1.0", "c"),
    ("raw", "SQLite alone, 1,000 tasks a commit", "d"),
];

const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-size:15px;font-weight:600}\
.n{font-size:9px}.m{text-anchor:middle}.g{stroke:#8c959f;stroke-opacity:.35}\
.a{fill:#0969da}.b{fill:#bc4c00}.c{fill:#8250df}.d{fill:#8c959f}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.a{fill:#58a6ff}.b{fill:#f0883e}\
.c{fill:#bc8cff}}";

/// The picture, as SVG.
#[must_use]
pub fn draw(measures: &Measures) -> String {
    let height = TOP + PLOT_HEIGHT + 64.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>Tasks per second from the first submission until the last is durable</title>\n\
         <style>{STYLE}</style>\n"
    );
    text(
        &mut svg,
        LEFT,
        24.0,
        "t",
        "Tasks per second, durably completed (each line is ten times the one below)",
    );
    legend(&mut svg);
    grid(&mut svg);
    let cells = DURABILITIES.into_iter().flat_map(|durability| LOADS.map(|(c, _)| (durability, c)));
    for (index, (durability, submitters)) in cells.enumerate() {
        cell(&mut svg, measures, column(index), durability, submitters);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where a cell begins.
#[expect(clippy::cast_precision_loss, reason = "there are six")]
fn column(index: usize) -> f64 {
    LEFT + 44.0 + index as f64 * 108.0
}

fn legend(svg: &mut String) {
    let mut x = LEFT;
    for (_, label, class) in SHOWN {
        rect(svg, x, 40.0, 10.0, 10.0, class);
        text(svg, x + 14.0, 49.0, "", label);
        #[expect(clippy::cast_precision_loss, reason = "labels are short")]
        let width = label.chars().count() as f64 * 6.4;
        x += width + 30.0;
    }
}

fn grid(svg: &mut String) {
    let mut power = 0.0;
    while power <= POWERS {
        let y = TOP + PLOT_HEIGHT * (1.0 - power / POWERS);
        let _ = writeln!(svg, "<path class=\"g\" d=\"M{LEFT} {y:.1}H{WIDTH}\"/>");
        let rate = 10_f64.powf(POWER_MIN + power);
        text(svg, LEFT, y - 3.0, "n", &thousands(rate));
        power += 1.0;
    }
}

fn cell(svg: &mut String, measures: &Measures, x: f64, durability: &str, submitters: usize) {
    let mut at = x;
    for (name, _, class) in SHOWN {
        let rate = measures.median(&format!("w1.{durability}.c{submitters}.{name}"));
        if let Some(rate) = rate.filter(|rate| *rate > 0.0) {
            let power = (rate.log10() - POWER_MIN).clamp(0.0, POWERS);
            let height = PLOT_HEIGHT * power / POWERS;
            let y = TOP + PLOT_HEIGHT - height;
            rect(svg, at, y, BAR_WIDTH - BAR_GAP, height, class);
            text(svg, at + (BAR_WIDTH - BAR_GAP) / 2.0, y - 3.0, "n m", &short(rate));
        }
        at += BAR_WIDTH;
    }
    let middle = x + BAR_WIDTH * 2.0;
    let below = TOP + PLOT_HEIGHT;
    let label =
        if submitters == 1 { "1 submitter".to_owned() } else { format!("{submitters} submitters") };
    text(svg, middle, below + 18.0, "m", &label);
    let synced = if durability == "full" { "synced" } else { "not synced" };
    text(svg, middle, below + 34.0, "m", synced);
}

fn rect(svg: &mut String, x: f64, y: f64, width: f64, height: f64, class: &str) {
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, text: &str) {
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}

/// As short as fits over a bar.
fn short(rate: f64) -> String {
    match rate {
        rate if rate < 1000.0 => format!("{rate:.0}"),
        rate if rate < 10_000.0 => format!("{:.1}k", rate / 1000.0),
        rate => format!("{:.0}k", rate / 1000.0),
    }
}

fn thousands(rate: f64) -> String {
    if rate < 1000.0 { format!("{rate:.0}") } else { format!("{:.0},000", rate / 1000.0) }
}
