//! The store, as asked for.

use kit::{Asked, Durability, Result};
use loom::{Engine, EngineBuilder, SqliteStore};

/// The name of the engine, which the rows of filled databases know as well.
pub const ENGINE: &str = "bench";

/// An engine over a store in the folder that was named.
pub fn engine(asked: &Asked) -> Result<EngineBuilder> {
    let durability = match asked.durability()? {
        Durability::Full => loom::Durability::Full,
        Durability::Normal => loom::Durability::Normal,
    };
    let store = SqliteStore::builder(asked.dir()?.join("tasks.db")).durability(durability);
    Ok(Engine::builder(ENGINE, store.build()))
}

/// Makes a database in which there is one instance, and dies without leaving.
pub async fn prepare(asked: &Asked) -> Result {
    engine(asked)?.start().await?;
    Ok(())
}
