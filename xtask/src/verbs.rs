//! The table of verbs.

use crate::failure::{Failure, Result};
use crate::project::Project;
use crate::{
    bench, ci, docs, examples, gate_eval, layers, lint, print, redact_eval, snippets, test, tidy,
    zoo,
};

/// Something that the project can be asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Does it, with the words that follow its name.
    pub run: fn(&Project, &[String]) -> Result,
}

/// All verbs, in the order of the help.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "ci",
        about: "every check, quick ones first  [--keep-going] [--skip STEP]…",
        run: ci::run,
    },
    Verb { name: "fmt", about: "the format of the code", run: lint::fmt },
    Verb { name: "tidy", about: "the house rules that no other tool knows", run: tidy::run },
    Verb { name: "layers", about: "which crate depends on which", run: layers::run },
    Verb { name: "lint", about: "clippy, also with features off", run: lint::run },
    Verb { name: "test", about: "all tests and doc tests  [-- NAME]", run: test::run },
    Verb { name: "docs", about: "the API documentation, without warnings", run: docs::run },
    Verb {
        name: "examples",
        about: "runs the examples, compares what they print",
        run: examples::run,
    },
    Verb { name: "snippets", about: "runs what README.md and docs/ show", run: snippets::run },
    Verb {
        name: "bench",
        about: "loom beside its peers  [--short] [--only W,…] [--rounds N] [--rows N]",
        run: bench::run,
    },
    Verb {
        name: "zoo",
        about: "bad programs on loom  [--short] [--mode M] [--ending E] [--animal A] | --flood",
        run: zoo::run,
    },
    Verb {
        name: "gate-eval",
        about: "the rate limits that the gate recognises in a file  FILE [--show]",
        run: gate_eval::run,
    },
    Verb {
        name: "redact-eval",
        about: "the secrets that redaction finds in a file  FILE [--show]",
        run: redact_eval::run,
    },
];

/// The verb of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// Does what the command line asks for.
///
/// # Errors
///
/// If there is no such verb, or it fails.
pub fn run(args: &[String]) -> Result {
    let Some((name, rest)) = args.split_first() else {
        print::line(&help());
        return Ok(());
    };
    if ["--help", "-h", "help"].contains(&name.as_str()) {
        print::line(&help());
        return Ok(());
    }
    let verb =
        find(name).ok_or_else(|| Failure::Usage(format!("no verb `{name}`\n\n{}", help())))?;
    (verb.run)(&Project::find()?, rest)
}

/// What there is to be asked for.
#[must_use]
pub fn help() -> String {
    let rows: Vec<_> =
        VERBS.iter().map(|verb| [format!("  {}", verb.name), verb.about.to_owned()]).collect();
    format!("usage: cargo xtask VERB\n\n{}", print::table(&rows))
}

/// Refuses words after a verb that takes none.
///
/// # Errors
///
/// If there is one.
pub fn no_args(verb: &str, args: &[String]) -> Result {
    let Some(extra) = args.first() else {
        return Ok(());
    };
    Err(Failure::Usage(format!("`{verb}` takes no arguments, but was given `{extra}`")))
}
