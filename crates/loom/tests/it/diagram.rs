//! The diagram of statuses.

use std::fmt::Write;

use loom::{Kind, TaskStatus, table};

use crate::document::{CONTRACT, block};

/// The table of transitions as Mermaid draws it: an arrow for each edge, with the changes that take it.
fn render() -> String {
    let mut drawn = String::from("stateDiagram-v2\n    [*] --> pending\n");
    for from in TaskStatus::ALL {
        for to in TaskStatus::ALL {
            let taken = |kind: &Kind| {
                let rows = table().iter().filter(|row| row.kind == *kind);
                rows.flat_map(|row| row.edges()).any(|edge| edge == (from, to))
            };
            let kinds: Vec<String> = Kind::ALL.into_iter().filter(taken).map(name).collect();
            if !kinds.is_empty() {
                writeln!(drawn, "    {from} --> {to}: {}", kinds.join(", ")).unwrap();
            }
        }
    }
    for status in TaskStatus::ALL.into_iter().filter(|status| status.is_terminal()) {
        writeln!(drawn, "    {status} --> [*]").unwrap();
    }
    drawn
}

fn name(kind: Kind) -> String {
    format!("{kind:?}").to_lowercase()
}

#[test]
fn the_contract_draws_the_table_of_transitions() {
    let drawn = render();
    assert!(
        block(CONTRACT, "mermaid") == drawn,
        "the table of transitions has changed; put this into the mermaid block of \
         docs/contract.md:\n\n{drawn}"
    );
}
