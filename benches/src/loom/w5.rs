//! W5: commands as tasks.

use std::time::Instant;

use kit::{Asked, Result, load, report};
use loom::workers::{Command, SubprocessBase};
use loom::{EventStream, EventType, Task, TaskRequest, WorkerError};

use crate::store;

const SUBMITTERS: usize = 16;

pub async fn run(asked: &Asked) -> Result {
    let count: usize = asked.value("count")?;
    let program: String = asked.value("program")?;
    let resolve = move |_: &Task| Ok::<_, WorkerError>(Command::new(&program));
    let builder = store::engine(asked)?.max_running(asked.value("running")?);
    let engine = builder.worker("command", SubprocessBase::new(resolve)).start().await?;
    let ended = tokio::spawn(all_ended(engine.events().stream(), count));
    let submitted_to = engine.clone();
    let begun = Instant::now();
    let submit = move || {
        let engine = submitted_to.clone();
        async move {
            engine.submit(TaskRequest::new("command", "")).await?;
            Ok(())
        }
    };
    load::submit_all(SUBMITTERS, count, submit).await?;
    let completed = ended.await??;
    let elapsed = begun.elapsed();
    engine.close().await?;
    if completed != count {
        return Err(format!("{completed} of {count} commands did well").into());
    }
    report::rate(count, elapsed);
    Ok(())
}

/// Waits until so many tasks have ended, and tells how many of them well. What an event tells is
/// durable.
async fn all_ended(mut events: EventStream, count: usize) -> Result<usize> {
    let (mut ended, mut completed) = (0, 0);
    while ended < count {
        let event = events.next().await.ok_or("the engine has ended")?;
        let event = event.map_err(|lagged| format!("events were missed: {lagged}"))?;
        ended += usize::from(event.status.is_terminal());
        completed += usize::from(event.kind == EventType::Completed);
    }
    Ok(completed)
}
