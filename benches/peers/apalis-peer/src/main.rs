//! Measures apalis on SQLite.

mod w1;

use kit::{Asked, Result};

#[tokio::main]
async fn main() -> Result {
    let asked = Asked::of_this_program()?;
    match asked.workload.as_str() {
        "w1" => w1::run(&asked).await,
        other => Err(format!("apalis does not do the workload {other:?}").into()),
    }
}
