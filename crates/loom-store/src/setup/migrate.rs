//! Bringing the tables up to date.

use std::path::Path;

use loom_core::StoreError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};

use crate::error::{refused, store_error};
use crate::sql::MIGRATIONS;

/// Applies the migrations that the database does not have yet. sqlx does not lock SQLite against
/// other migrators, so the caller must hold the lock file.
pub(super) async fn migrate(
    path: &Path,
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let done = migrator().run_direct(None, connection, false).await;
    done.map_err(|error| failed(path, error))
}

fn migrator() -> Migrator {
    let migration = |(version, name, text): (i64, &'static str, &'static str)| {
        let text = text.into_sql_str();
        Migration::new(version, name.into(), MigrationType::Simple, text, false)
    };
    let mut migrator = Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect());
    // The database may belong to a host that has migrations of its own. No other name was ever used.
    migrator.dangerous_set_table_name("_loom_migrations");
    migrator
}

fn failed(path: &Path, error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            store_error(path, error)
        }
        other => {
            let problem = format!("its migrations are not those of this program: {other}");
            refused(path, problem, "open a new file, or restore a copy of this one")
        }
    }
}
