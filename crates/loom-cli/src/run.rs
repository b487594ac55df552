//! `loom run`: a command as a task, watched to its end.

mod command;
mod ending;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use loom::{DEFAULT_ENGINE, Engine, Error, SubprocessBase, Task, TaskId};

use self::ending::Ending;
use crate::args::RunArgs;
use crate::database::Database;
use crate::failure::Failure;
use crate::say;
use crate::signals::Signals;
use crate::tee::Passed;

/// The worker type of commands.
const COMMAND: &str = "command";

/// The signal by which a command learns that nobody reads what it writes.
const BROKEN_PIPE: u8 = 13;

pub(crate) async fn run(database: Database, args: RunArgs) -> Result<ExitCode, Failure> {
    let request = command::request(&args)?;
    let stdin = command::stdin(args.stdin.as_deref()).await?;
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new("signals", format!("cannot listen to signals: {error}")))?;
    let passed = Arc::new(Passed::new());
    let worker = SubprocessBase::new(command::resolver(stdin))
        .tee(Arc::clone(&passed) as Arc<_>)
        .retry_failures(args.retries > 0);
    let engine = Engine::builder(DEFAULT_ENGINE, database.writable()?)
        .worker(COMMAND, worker)
        .own_tasks_only()
        .max_running(1)
        .max_retries(args.retries)
        .start()
        .await?;
    let submitted = engine.submit(request).await?;
    if !args.quiet {
        say::line(&format!("task {}", submitted.seq));
    }
    let watched = watch(&engine, &submitted.id, &mut signals, &passed).await;
    if watched.is_err() {
        // Nobody follows the command any more: it must not go on unseen.
        loom::workers::kill_tree(&submitted.id);
        engine.shutdown(Duration::ZERO).await?;
    }
    let (task, stopped_by) = watched?;
    engine.close().await?;
    let ending = Ending::of(&task, stopped_by);
    ending.print(&task);
    Ok(ExitCode::from(ending.code))
}

/// Waits for the task's end. A first signal asks for it, a second one brings it about.
async fn watch(
    engine: &Engine,
    id: &TaskId,
    signals: &mut Signals,
    passed: &Passed,
) -> Result<(Task, Option<u8>), Failure> {
    let ended = engine.wait(id);
    tokio::pin!(ended);
    let mut stopped_by = None;
    let mut asking = None;
    loop {
        // Asking may take its time, while the database is away; a second signal does not wait.
        let asked = async {
            match &mut asking {
                Some(asking) => asking.await,
                None => std::future::pending().await,
            }
        };
        let signal = tokio::select! {
            biased;
            task = &mut ended => return Ok((task?, stopped_by)),
            signal = signals.next() => signal,
            () = passed.broken(), if stopped_by.is_none() => BROKEN_PIPE,
            asked = asked => {
                asked?;
                asking = None;
                continue;
            }
        };
        if stopped_by.is_none() {
            stopped_by = Some(signal);
            asking = Some(Box::pin(ask_to_stop(engine, id)));
        } else {
            loom::workers::kill_tree(id);
        }
    }
}

async fn ask_to_stop(engine: &Engine, id: &TaskId) -> Result<(), Failure> {
    match engine.cancel(id).await {
        // It has ended by itself meanwhile: the wait tells how.
        Ok(()) | Err(Error::AlreadyEnded { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
