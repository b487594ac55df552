//! Rules for the tree as a whole.

use super::Finding;
use crate::project::File;

const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// What is longer is read by nobody.
const ARCHITECTURE_LINES_MAX: usize = 250;

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let manifests = || files.iter().filter_map(|file| Some((file, folder(&file.path)?)));
    let names = manifests().filter_map(|(file, folder)| check_name(file, folder));
    let tests = files.iter().filter_map(check_tests);
    let architecture = files.iter().find(|file| file.path == ARCHITECTURE);
    let folders: Vec<&str> = manifests().map(|(_, folder)| folder).collect();
    let map = architecture.map(|file| check_map(file, &folders)).unwrap_or_default();
    names.chain(tests).chain(map).collect()
}

/// The folder of a crate, from the path of its manifest.
fn folder(manifest: &str) -> Option<&str> {
    let folder = manifest.strip_suffix("/Cargo.toml")?;
    Some(folder.rsplit_once('/').map_or(folder, |(_, name)| name))
}

fn check_name(manifest: &File, folder: &str) -> Option<Finding> {
    let named = |(text, line)| {
        let value: &str = str::strip_prefix(text, "name = ")?;
        Some((value.trim().trim_matches('"'), line))
    };
    // The package comes before its targets, which have names as well.
    let (name, line) = manifest.text.lines().zip(1..).find_map(named).unwrap_or(("", 1));
    let message = || format!("the package `{name}` lives in the folder `{folder}`");
    (name != folder).then(|| Finding::new(manifest, line, message()))
}

/// One test program per crate: each further one is linked anew.
fn check_tests(file: &File) -> Option<Finding> {
    let (krate, inside) = file.path.split_once("/tests/")?;
    let is_crate =
        krate == "xtask" || krate.strip_prefix("crates/").is_some_and(|name| !name.contains('/'));
    let stray = is_crate && !inside.starts_with("it/") && file.path.ends_with(".rs");
    let message = "tests live in tests/it/, which is one program";
    let loose = is_crate && !inside.contains('/');
    (stray || loose).then(|| Finding::new(file, 1, message))
}

fn check_map(architecture: &File, crates: &[&str]) -> Vec<Finding> {
    let named = |krate: &&&str| {
        let mut words =
            architecture.text.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c));
        !words.any(|word| word == **krate)
    };
    let unnamed = crates.iter().filter(named);
    let unnamed = unnamed.map(|krate| format!("does not name the crate `{krate}`"));
    let lines = architecture.text.lines().count();
    let long = (lines > ARCHITECTURE_LINES_MAX)
        .then(|| format!("has {lines} lines, more than {ARCHITECTURE_LINES_MAX}"));
    unnamed.chain(long).map(|message| Finding::new(architecture, 1, message)).collect()
}
