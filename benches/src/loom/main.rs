//! Measures loom, with the defaults of the library unless the workload says otherwise.

mod check;
mod echo;
mod store;
mod w1;
mod w2;
mod w3;
mod w4;
mod w5;
mod w6;

use kit::{Asked, Result};

#[tokio::main]
async fn main() -> Result {
    let asked = Asked::of_this_program()?;
    match asked.workload.as_str() {
        "check" => check::run(&asked).await,
        "prepare" => store::prepare(&asked).await,
        "w1" => w1::run(&asked).await,
        "w2" => w2::run(&asked).await,
        "w3" => w3::run(&asked).await,
        "w4" => w4::run(&asked).await,
        "w4_submit" => w4::submit(&asked).await,
        "w5" => w5::run(&asked).await,
        other => Err(format!("loom does not do the workload {other:?}").into()),
    }
}
