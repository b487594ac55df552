//! What a database that is there already is: ours, empty, a host's, or none of our business.

use std::path::{Path, PathBuf};

use loom_core::StoreError;
use sqlx::{Connection, Decode, Row, Sqlite, SqliteConnection, Type};

use crate::connection::{Args, run_one};
use crate::error::{Fault, refused, store_error};
use crate::place;
use crate::sql::{self, MIGRATIONS, Text};

/// What is known of a database before anything is done to it.
#[derive(Clone, Debug, Default)]
struct Facts {
    /// Those that matter here.
    tables: Vec<String>,
    /// The columns of the table that the Go library has, too.
    columns: Vec<String>,
    /// The migrations that were applied.
    applied: Vec<i64>,
    encoding: String,
}

const MIGRATIONS_TABLE: &str = "_loom_migrations";

/// The tables of this program, and the migration that each came with.
const OURS: [(&str, i64); 4] =
    [("loom_tasks", 1), ("loom_attempts", 1), ("loom_instances", 1), ("loom_numbers", 2)];

/// The columns by which a table of the Go library is known.
const GO_COLUMNS: [&str; 3] = ["worker_type", "project_id", "dispatched_at"];

/// Refuses what is no database for this program. Writes nothing.
pub(super) async fn check(
    path: &Path,
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let facts = gather(connection).await.map_err(|error| refusal(path, error))?;
    let latest = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0);
    match problem(&facts, latest) {
        Some((problem, hint)) => Err(refused(path, problem, hint)),
        None => Ok(()),
    }
}

/// Why SQLite cannot look into the file.
pub(super) fn refusal(path: &Path, error: sqlx::Error) -> StoreError {
    let fault = Fault::from(error);
    let (problem, hint) = if fault.is_foreign() {
        let hint = "choose another path; loom creates the file if there is none";
        ("the file is no SQLite database".to_owned(), hint)
    } else if let Some(file) = denied(path, &fault) {
        let hint = "let this user read and write it, as all that is beside the database";
        (format!("this user may not read and write {}", file.display()), hint)
    } else {
        return store_error(path, fault);
    };
    StoreError::Refused {
        path: path.to_path_buf(),
        problem,
        hint: hint.to_owned(),
        source: Some(fault.into_source()),
    }
}

/// The file that this user has no right to, if that is why SQLite has failed.
fn denied(path: &Path, fault: &Fault) -> Option<PathBuf> {
    if !fault.is_closed_to_us() && !fault.is_read_only() {
        return None;
    }
    let database = path.canonicalize().ok()?;
    place::denied(&database, |file| place::is_readable(file) && place::is_writable(file))
}

/// Reads all of it from one state of the database, which another process may be migrating.
async fn gather(connection: &mut SqliteConnection) -> Result<Facts, sqlx::Error> {
    let mut state = connection.begin().await?;
    let tables: Vec<String> = column(&mut state, sql::TABLES).await?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let columns = if has("tasks") { column(&mut state, sql::COLUMNS).await? } else { Vec::new() };
    let applied =
        if has(MIGRATIONS_TABLE) { column(&mut state, sql::APPLIED).await? } else { Vec::new() };
    let encoding = column(&mut state, sql::ENCODING).await?.pop().unwrap_or_default();
    state.commit().await?;
    Ok(Facts { tables, columns, applied, encoding })
}

/// The only column of what a statement finds.
async fn column<T>(connection: &mut SqliteConnection, text: Text) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite>,
{
    let part = run_one(connection, text, Args::default()).await?;
    part.rows.iter().map(|row| row.try_get(0)).collect()
}

/// What is wrong with a database, if this program knows migrations up to `latest`; what to do.
fn problem(facts: &Facts, latest: i64) -> Option<(String, &'static str)> {
    let has = |name: &str| facts.tables.iter().any(|table| table == name);
    let ours = OURS.into_iter().filter(|(table, _)| has(table)).count();
    let newest = facts.applied.iter().max().copied().unwrap_or(0);
    if newest > latest {
        let problem = format!(
            "the database is of a newer loom: it has migration {newest}, this program knows {latest}"
        );
        return Some((problem, "use the newer loom, or another database"));
    }
    let is_go = GO_COLUMNS.iter().all(|name| facts.columns.iter().any(|column| column == name));
    if is_go && ours == 0 && facts.applied.is_empty() {
        let problem = "the database was written by the Go library";
        let hint = "take its tasks over into a new file: `loom import-go FILE --db NEW`, or \
                    `loom::import_go` in a program";
        return Some((problem.to_owned(), hint));
    }
    let is_as_expected = |(table, since): &(&str, i64)| has(table) == (*since <= newest);
    if !OURS.iter().all(is_as_expected) {
        let problem = "its tables that begin with loom_ are of a shape that this program does not \
                       know";
        return Some((problem.to_owned(), "open a new file, or restore a copy of this one"));
    }
    if facts.encoding != "UTF-8" {
        let problem = format!("its texts are {}", facts.encoding);
        return Some((problem, "open a new file: loom keeps texts as UTF-8"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(tables: &[&str], applied: &[i64]) -> Facts {
        Facts {
            tables: tables.iter().map(|&name| name.to_owned()).collect(),
            columns: Vec::new(),
            applied: applied.to_vec(),
            encoding: "UTF-8".to_owned(),
        }
    }

    const ALL: [&str; 5] =
        ["_loom_migrations", "loom_attempts", "loom_instances", "loom_numbers", "loom_tasks"];

    /// What there was before the second migration.
    const FIRST: [&str; 4] = ["_loom_migrations", "loom_attempts", "loom_instances", "loom_tasks"];

    #[test]
    fn ours_and_those_of_hosts_are_fine() {
        let sound = [
            facts(&[], &[]),
            facts(&["tasks"], &[]),
            facts(&ALL, &[1, 2]),
            facts(&ALL[..1], &[]),
            facts(&FIRST, &[1]),
        ];
        for facts in sound {
            assert_eq!(problem(&facts, 2), None, "{facts:?}");
        }
    }

    #[test]
    fn what_is_not_ours_is_named() {
        let mut go = facts(&["tasks"], &[]);
        go.columns = GO_COLUMNS.map(str::to_owned).to_vec();
        let mut utf16 = facts(&[], &[]);
        utf16.encoding = "UTF-16le".to_owned();
        let cases = [
            (go, "Go library"),
            (utf16, "UTF-16le"),
            (facts(&ALL, &[1, 2, 3]), "newer loom"),
            (facts(&["loom_tasks"], &[]), "shape"),
            (facts(&ALL[1..], &[]), "shape"),
            (facts(&ALL[..3], &[1]), "shape"),
            (facts(&FIRST, &[1, 2]), "shape"),
            (facts(&ALL, &[1]), "shape"),
        ];
        for (facts, expected) in cases {
            let (found, _) = problem(&facts, 2).unwrap();
            assert!(found.contains(expected), "{facts:?}: {found}");
        }
    }
}
