//! Measures effectum.

mod synchronous;
mod w1;

use kit::{Asked, Result};

#[tokio::main]
async fn main() -> Result {
    let asked = Asked::of_this_program()?;
    match asked.workload.as_str() {
        "w1" => w1::run(&asked).await,
        other => Err(format!("effectum does not do the workload {other:?}").into()),
    }
}
