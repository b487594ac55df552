//! Edges that are in the table, and edges that are not.

use xtask::layers::{Crate, Edge, Foreign, LAYERS, Layer, check};

const HOUSE: &[Layer] = &[
    Layer { name: "core", uses: &[], tests: &["kit"], foreign: Foreign::Only(&["serde"]) },
    Layer { name: "kit", uses: &["core"], tests: &[], foreign: Foreign::Without(&["sqlx"]) },
];

fn own(to: &str) -> Edge {
    Edge { to: to.to_owned(), dev: false, by_path: true, versioned: false }
}

fn foreign(to: &str) -> Edge {
    Edge { to: to.to_owned(), dev: false, by_path: false, versioned: true }
}

fn krate(name: &str, edges: Vec<Edge>) -> Crate {
    Crate { name: name.to_owned(), publishable: false, edges }
}

/// The only finding about a house with these edges.
fn finding(core: Vec<Edge>, kit: Vec<Edge>) -> String {
    let findings = check(HOUSE, &[krate("core", core), krate("kit", kit)]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.concat()
}

#[test]
fn edges_of_the_table_are_fine() {
    let core = vec![foreign("serde"), Edge { dev: true, ..own("kit") }];
    let kit = vec![own("core"), Edge { dev: true, ..foreign("sqlx") }];
    let findings = check(HOUSE, &[krate("core", core), krate("kit", kit)]);
    assert_eq!(findings, Vec::<String>::new());
}

#[test]
fn an_edge_for_tests_is_no_edge_for_the_crate() {
    assert_eq!(finding(vec![own("kit")], vec![]), "core -> kit: is not an edge of the table");
}

#[test]
fn an_edge_for_tests_must_be_in_the_table_too() {
    let itself = Edge { dev: true, ..own("kit") };
    assert!(finding(vec![], vec![itself]).contains("not even for tests"));
}

#[test]
fn foreign_crates_are_kept_out() {
    assert!(finding(vec![foreign("tokio")], vec![]).starts_with("core -> tokio:"));
    assert!(finding(vec![], vec![foreign("sqlx")]).starts_with("kit -> sqlx:"));
}

#[test]
fn our_crates_come_by_path_and_without_a_version() {
    let stranger = finding(vec![], vec![foreign("core")]);
    assert!(stranger.contains("stranger"), "{stranger}");
    let versioned = finding(vec![], vec![Edge { versioned: true, ..own("core") }]);
    assert!(versioned.contains("version"), "{versioned}");
    let unknown = finding(vec![], vec![own("attic")]);
    assert!(unknown.contains("no crate of the table"), "{unknown}");
}

#[test]
fn table_and_tree_name_the_same_crates() {
    let crates = [krate("core", vec![]), krate("attic", vec![])];
    let findings = check(HOUSE, &crates);
    assert_eq!(
        findings,
        [
            "kit: in the table, but there is no such crate",
            "attic: a crate that is not in the table",
        ]
    );
}

#[test]
fn nothing_can_be_published() {
    let core = Crate { publishable: true, ..krate("core", vec![]) };
    let findings = check(HOUSE, &[core, krate("kit", vec![])]);
    assert_eq!(findings, ["core: lacks `publish = false`"]);
}

#[test]
fn the_table_has_no_cycles_and_builds_from_the_ground_up() {
    for (at, layer) in LAYERS.iter().enumerate() {
        let below = |name: &&str| LAYERS.iter().take(at).any(|lower| lower.name == *name);
        assert!(layer.uses.iter().all(below), "{}", layer.name);
    }
}
