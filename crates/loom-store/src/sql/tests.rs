//! What SQLite makes of the statements.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::*;

/// Every text, by name.
const TEXTS: [(&str, Text); 57] = [
    ("begin", BEGIN),
    ("begin read", BEGIN_READ),
    ("number", NUMBER),
    ("joined", JOINED),
    ("latest", LATEST),
    ("given", GIVEN),
    ("moved", MOVED),
    ("insert", INSERT),
    ("import", IMPORT),
    ("present", PRESENT),
    ("progress", PROGRESS),
    ("admitted", ADMITTED),
    ("dispatch", DISPATCH),
    ("start", START),
    ("retry", RETRY),
    ("end", END),
    ("attempt", ATTEMPT),
    ("trim", TRIM),
    ("standing", STANDING),
    ("cancel", CANCEL),
    ("prune", PRUNE),
    ("hold", HOLD),
    ("release", RELEASE),
    ("holds", HOLDS),
    ("waits", WAITS),
    ("due", DUE),
    ("next due", NEXT_DUE),
    ("claim", CLAIM),
    ("asked", ASKED),
    ("commit", COMMIT),
    ("summary", SUMMARY),
    ("task", TASK),
    ("get", GET),
    ("attempts", ATTEMPTS),
    ("data version", DATA_VERSION),
    ("list all, oldest first", LIST_ALL[0]),
    ("list all, newest first", LIST_ALL[1]),
    ("list project, oldest first", LIST_PROJECT[0]),
    ("list project, newest first", LIST_PROJECT[1]),
    ("list instance, oldest first", LIST_INSTANCE[0]),
    ("list instance, newest first", LIST_INSTANCE[1]),
    ("left by", LEFT_BY),
    ("count kept", COUNT_KEPT),
    ("count all", COUNT_ALL),
    ("count project", COUNT_PROJECT),
    ("count instance", COUNT_INSTANCE),
    ("join", JOIN),
    ("announce", ANNOUNCE),
    ("others", OTHERS),
    ("bury", BURY),
    ("tables", TABLES),
    ("columns", COLUMNS),
    ("applied", APPLIED),
    ("encoding", ENCODING),
    ("library", LIBRARY),
    ("pragmas", PRAGMAS),
    ("rollback", ROLLBACK),
];

/// The only one that looks at every task, as its file says. Lists of all tasks walk along their
/// numbers, which counts as a search.
const LOOKS_AT_ALL: &str = "prune 1";

const PLANS: &str = include_str!("../../tests/it/plans.txt");

/// The statements of a text, without their comments.
fn statements(text: Text) -> Vec<String> {
    let code = text.sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let code = code.collect::<Vec<_>>().join("\n");
    let statements = code.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    statements.map(str::to_owned).collect()
}

async fn migrated() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql("CREATE TABLE _loom_migrations (version INTEGER) STRICT;")
        .execute(&mut connection)
        .await
        .unwrap();
    for (_, _, text) in MIGRATIONS {
        sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    }
    connection
}

/// How SQLite goes about a statement; empty where there is nothing to choose.
async fn plan(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "the statement is one of ours")]
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let rows = sqlx::query(explain).fetch_all(connection).await;
    let rows = rows.unwrap_or_else(|error| panic!("{error} in:\n{statement}"));
    rows.iter().map(|row| row.get("detail")).collect()
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn texts_hold_as_many_statements_as_they_say() {
    for (name, text) in TEXTS {
        assert_eq!(statements(text).len(), text.statements, "{name}");
    }
}

#[test]
fn every_statement_goes_about_its_work_as_it_should() {
    run(async {
        let mut connection = migrated().await;
        let mut plans = String::new();
        for (name, text) in TEXTS {
            for (index, statement) in statements(text).iter().enumerate() {
                let name = format!("{name} {}", index + 1);
                let steps = plan(&mut connection, statement).await;
                let scans = steps.iter().any(|step| step.starts_with("SCAN loom_tasks"));
                assert_eq!(scans, name == LOOKS_AT_ALL, "{name} looks at every task: {steps:#?}");
                writeln!(plans, "{name}").unwrap();
                for step in steps {
                    writeln!(plans, "    {step}").unwrap();
                }
            }
        }
        assert!(
            plans.trim() == PLANS.trim(),
            "the plans are no longer those of tests/it/plans.txt:\n{plans}"
        );
    });
}
