//! `layers`: which crate may depend on which.
//!
//! An edge that is not in the table does not exist. A new one is a decision about the whole
//! house: it is made here, in view, or not at all.

use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};

use crate::failure::{Failure, Result};
use crate::print;
use crate::project::Project;
use crate::verbs::no_args;

/// What one crate may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// The crate.
    pub name: &'static str,
    /// Those of the project that it may build on.
    pub uses: &'static [&'static str],
    /// Those of the project that its tests may use as well.
    pub tests: &'static [&'static str],
    /// What it may take from others.
    pub foreign: Foreign,
}

/// Which crates of others a crate may build on. Its tests may use what they like.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Foreign {
    /// These and no more.
    Only(&'static [&'static str]),
    /// All but these.
    Without(&'static [&'static str]),
}

const HTTP: &str = "reqwest";
const SQL: [&str; 3] = ["sqlx", "libsqlite3-sys", "rusqlite"];
const METRICS: &str = "opentelemetry";

/// The house, from the ground up.
pub const LAYERS: &[Layer] = &[
    Layer {
        name: "loom-deps",
        uses: &[],
        tests: &[],
        foreign: Foreign::Without(&[SQL[0], SQL[1], SQL[2], HTTP, METRICS]),
    },
    Layer {
        name: "loom-core",
        uses: &["loom-deps"],
        tests: &[],
        foreign: Foreign::Only(&[
            "async-trait",
            "jiff",
            "regex",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
        ]),
    },
    Layer {
        name: "loom-engine",
        uses: &["loom-core", "loom-deps"],
        tests: &["loom-testkit"],
        foreign: Foreign::Without(&[SQL[0], SQL[1], SQL[2], HTTP, "rustix"]),
    },
    Layer {
        name: "loom-store",
        uses: &["loom-core", "loom-deps"],
        tests: &["loom-testkit"],
        foreign: Foreign::Without(&[HTTP, METRICS]),
    },
    Layer {
        name: "loom-supervisor",
        uses: &[],
        tests: &[],
        foreign: Foreign::Only(&[
            "nix",
            "rustix",
            "serde",
            "serde_json",
            "signal-hook",
            "thiserror",
        ]),
    },
    Layer {
        name: "loom-workers",
        uses: &["loom-core", "loom-deps", "loom-supervisor"],
        tests: &["loom-testkit"],
        foreign: Foreign::Without(&[SQL[0], SQL[1], SQL[2], METRICS]),
    },
    Layer {
        name: "loom-testkit",
        uses: &["loom-core", "loom-deps"],
        tests: &[],
        foreign: Foreign::Without(&[SQL[0], SQL[1], SQL[2], HTTP, METRICS]),
    },
    Layer {
        name: "loom",
        uses: &[
            "loom-core",
            "loom-deps",
            "loom-engine",
            "loom-store",
            "loom-supervisor",
            "loom-testkit",
            "loom-workers",
        ],
        tests: &[],
        foreign: Foreign::Without(&[SQL[0], SQL[1], SQL[2], HTTP]),
    },
    Layer {
        name: "loom-cli",
        uses: &["loom", "loom-supervisor"],
        tests: &[],
        foreign: Foreign::Without(&[SQL[0], SQL[1], SQL[2], HTTP, METRICS]),
    },
    Layer {
        name: "loom-proof",
        uses: &["loom", "loom-testkit"],
        tests: &[],
        foreign: Foreign::Without(&[SQL[0], SQL[1], SQL[2], HTTP, METRICS]),
    },
    Layer { name: "xtask", uses: &[], tests: &[], foreign: Foreign::Only(&["cargo_metadata"]) },
];

/// A crate of the project, as its manifest has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Whether it can be published.
    pub publishable: bool,
    /// What it depends on.
    pub edges: Vec<Edge>,
}

/// A dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The name of the crate it leads to.
    pub to: String,
    /// Whether only tests use it.
    pub dev: bool,
    /// Whether it is given by path.
    pub by_path: bool,
    /// Whether it names a version.
    pub versioned: bool,
}

/// Compares the manifests with the table.
///
/// # Errors
///
/// If they differ.
pub fn run(project: &Project, args: &[String]) -> Result {
    no_args("layers", args)?;
    let crates = crates(&project.metadata()?);
    let findings = check(LAYERS, &crates);
    if findings.is_empty() {
        let edges: usize = crates.iter().map(|krate| krate.edges.len()).sum();
        print::line(&format!("{} crates with {edges} edges are in their places", crates.len()));
        return Ok(());
    }
    findings.iter().for_each(|finding| print::line(finding));
    Err(Failure::Failed(format!("{} edges or crates are out of place", findings.len())))
}

fn crates(metadata: &Metadata) -> Vec<Crate> {
    let made = |package: &&Package| Crate {
        name: package.name.to_string(),
        publishable: package.publish.as_ref().is_none_or(|places| !places.is_empty()),
        edges: package.dependencies.iter().map(edge).collect(),
    };
    metadata.workspace_packages().iter().map(made).collect()
}

fn edge(dependency: &Dependency) -> Edge {
    Edge {
        to: dependency.name.clone(),
        dev: dependency.kind == DependencyKind::Development,
        by_path: dependency.path.is_some(),
        versioned: !dependency.req.comparators.is_empty(),
    }
}

/// Everything about `crates` that `layers` does not allow.
#[must_use]
pub fn check(layers: &[Layer], crates: &[Crate]) -> Vec<String> {
    let gone = layers.iter().filter(|layer| !crates.iter().any(|krate| krate.name == layer.name));
    let gone =
        gone.map(|layer| format!("{}: in the table, but there is no such crate", layer.name));
    let wrong = crates.iter().flat_map(|krate| {
        let layer = layers.iter().find(|layer| layer.name == krate.name);
        layer.map_or_else(
            || vec![format!("{}: a crate that is not in the table", krate.name)],
            |layer| check_crate(layers, layer, krate),
        )
    });
    gone.chain(wrong).collect()
}

fn check_crate(layers: &[Layer], layer: &Layer, krate: &Crate) -> Vec<String> {
    let name = &krate.name;
    let public = krate.publishable.then(|| format!("{name}: lacks `publish = false`"));
    let edges = krate.edges.iter().filter_map(|edge| {
        let own = layers.iter().any(|layer| layer.name == edge.to);
        let wrong = if own { wrong_own(layer, edge) } else { wrong_foreign(layer, edge) };
        wrong.map(|why| format!("{name} -> {}: {why}", edge.to))
    });
    public.into_iter().chain(edges).collect()
}

fn wrong_own(layer: &Layer, edge: &Edge) -> Option<&'static str> {
    let to = edge.to.as_str();
    let allowed = layer.uses.contains(&to) || edge.dev && layer.tests.contains(&to);
    match edge {
        Edge { by_path: false, .. } => Some("is a stranger of this name; ours are given by path"),
        Edge { versioned: true, .. } => Some("names a version; ours are given by path alone"),
        _ if allowed => None,
        Edge { dev: true, .. } => Some("is not an edge of the table, not even for tests"),
        _ => Some("is not an edge of the table"),
    }
}

fn wrong_foreign(layer: &Layer, edge: &Edge) -> Option<&'static str> {
    let to = edge.to.as_str();
    match layer.foreign {
        _ if edge.by_path => Some("is given by path, but is no crate of the table"),
        _ if edge.dev => None,
        Foreign::Only(names) if !names.contains(&to) => Some("is not among its few dependencies"),
        Foreign::Without(names) if names.contains(&to) => Some("is what this crate must not know"),
        Foreign::Only(_) | Foreign::Without(_) => None,
    }
}
