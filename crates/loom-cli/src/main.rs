//! The `loom` command line: any command as a durable task.

#![forbid(unsafe_code)]

mod args;
mod database;
mod failure;
mod import_go;
mod list;
mod logs;
mod run;
mod say;
mod show;
mod signals;
mod tee;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Verb};
use crate::failure::Failure;

fn main() -> ExitCode {
    // First, as whoever is started to supervise a command does nothing else.
    loom::supervisor_main();
    let args = Args::parse();
    let filter = EnvFilter::try_from_env("LOOM_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let own_failure = args.verb.failure_code();
    let ended = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new("runtime", format!("no threads to work with: {error}")))
        .and_then(|runtime| runtime.block_on(perform(args)));
    match ended {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            ExitCode::from(own_failure.unwrap_or_else(|| failure.code()))
        }
    }
}

async fn perform(args: Args) -> Result<ExitCode, Failure> {
    let database = database::locate(args.db)?;
    match args.verb {
        Verb::Run(run) => run::run(database, run).await,
        Verb::List(list) => list::list(database, list).await,
        Verb::Show(show) => show::show(database, show).await,
        Verb::Logs(logs) => logs::logs(database, logs).await,
        Verb::ImportGo(import) => import_go::import_go(database, import).await,
    }
}
