//! The process of an engine, as the judge starts it: it does what the lines of its input ask for.

use std::env;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use loom::workers::{Command, ProcessRunner, TreeMode};
use loom::{Engine, SqliteStore, SubprocessBase, Task, TaskRequest, WorkerError};
use tokio::runtime::{Builder, Runtime};

use crate::zoo::case::Mode;
use crate::zoo::talk::{Answer, Ask, Ended, Errand};

/// How long a command may take to end after it was asked to.
const GRACE: Duration = Duration::from_millis(300);
/// A thread that is kept for work which does not come would look like one that has leaked.
const THREAD_KEEP_ALIVE: Duration = Duration::from_millis(50);
/// What a task without an animal prints.
const WARM_UP: &str = "warm";
const ENGINE_NAME: &str = "zoo";
const WORKER_TYPE: &str = "animal";

/// Runs an engine as the words of the command line say: `HOME MODE`.
///
/// # Errors
/// If the judge cannot be answered.
pub fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [home, mode] = words.as_slice() else {
        return Err(io::Error::other("usage: zoo-keeper HOME MODE"));
    };
    let mode = Mode::find(mode).ok_or_else(|| io::Error::other("unknown mode"))?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .enable_all()
        .build()?;
    let worker = match worker(mode) {
        Ok(worker) => worker,
        Err(why) => return say(&Answer::Unavailable(why)),
    };
    let engine = match runtime.block_on(start(Path::new(home), worker)) {
        Ok(engine) => engine,
        Err(error) => return say(&Answer::Failed(error.to_string())),
    };
    say(&Answer::Ready)?;
    serve(&runtime, &engine)
}

fn serve(runtime: &Runtime, engine: &Engine) -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let ask = serde_json::from_str(&line?)?;
        let answer = runtime.block_on(answer(engine, ask));
        say(&answer.unwrap_or_else(|error| Answer::Failed(error.to_string())))?;
    }
    Ok(())
}

fn say(answer: &Answer) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(answer)?)?;
    stdout.flush()
}

async fn start(home: &Path, worker: SubprocessBase) -> loom::Result<Engine> {
    let engine = Engine::builder(ENGINE_NAME, SqliteStore::open(home.join("tasks.db")))
        .worker(WORKER_TYPE, worker)
        .max_retries(0)
        .start()
        .await?;
    // What is made when it is first needed belongs to what the engine holds at rest.
    let warm_up = engine.submit(request(&Errand::default())).await?;
    engine.wait(warm_up.id).await?;
    Ok(engine)
}

/// The worker whose commands are held together in this way, or why there is none.
fn worker(mode: Mode) -> Result<SubprocessBase, String> {
    let program = animal().map_err(|error| error.to_string())?;
    let base = SubprocessBase::new(move |task: &Task| command(&program, task)).grace(GRACE);
    let tree = match mode {
        Mode::Cgroup => TreeMode::Cgroup,
        Mode::Supervisor => TreeMode::Supervisor,
        Mode::Sweep => TreeMode::Sweep,
    };
    let used = ProcessRunner::new().mode(tree).in_use();
    used.map(|_| base.tree(tree)).map_err(|error| error.why)
}

/// The animals' program lies beside this one.
fn animal() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("zoo-animal"))
}

fn command(program: &Path, task: &Task) -> Result<Command, WorkerError> {
    let args: Vec<String> = serde_json::from_str(&task.prompt)?;
    Ok(match args.is_empty() {
        true => Command::new("echo").arg(WARM_UP),
        false => Command::new(program).args(args),
    })
}

fn request(errand: &Errand) -> TaskRequest {
    let args = serde_json::json!(errand.args).to_string();
    let request = TaskRequest::new(WORKER_TYPE, args);
    let request = if errand.cwd.is_empty() { request } else { request.cwd(&errand.cwd) };
    match errand.timeout_ms {
        Some(ms) => request.timeout(Duration::from_millis(ms)),
        None => request,
    }
}

async fn answer(engine: &Engine, ask: Ask) -> loom::Result<Answer> {
    match ask {
        Ask::Submit(errand) => {
            let submitted = engine.submit(request(&errand)).await?;
            Ok(Answer::Submitted(submitted.id.to_string()))
        }
        Ask::Wait(id) => Ok(Answer::Ended(ended(&engine.wait(id).await?))),
        Ask::Cancel(id) => Ok(Answer::Ended(ended(&cancelled(engine, &id).await?))),
        Ask::Shutdown => {
            engine.shutdown(Duration::ZERO).await?;
            Ok(Answer::Closed)
        }
    }
}

/// A task that has ended before it could be cancelled has ended all the same.
async fn cancelled(engine: &Engine, id: &str) -> loom::Result<Task> {
    match engine.cancel_and_wait(id).await {
        Err(loom::Error::AlreadyEnded { .. }) => engine.get(id).await,
        other => other,
    }
}

fn ended(task: &Task) -> Ended {
    let mut ended = Ended::of(task.status.as_str(), task.failure.map(|code| code.as_str()));
    ended.error.clone_from(&task.error);
    ended.result_bytes = task.result.len();
    ended.metadata_bytes = serde_json::to_string(&task.metadata).map_or(0, |text| text.len());
    ended
}
