//! `loom import-go`: the tasks of the Go library, taken over.

use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::process::ExitCode;

use loom::{Engine, GoDatabase, GoImport};

use crate::args::ImportGoArgs;
use crate::database::Database;
use crate::failure::Failure;
use crate::say;

/// The engine that imports. Nobody else has this name, so that its start finds nothing to recover:
/// what dead processes have left is for engines that know how to end it.
const IMPORTER: &str = "loom import-go";

/// Tasks between two lines that tell how far the import is.
const TOLD_EVERY: u64 = 10_000;

pub(crate) async fn import_go(database: Database, args: ImportGoArgs) -> Result<ExitCode, Failure> {
    check(&args.file, &database)?;
    let mut source = GoDatabase::open(&args.file).await?;
    if let Some(engine) = &args.engine {
        source = source.unnamed_engine(engine);
    }
    let engine = Engine::builder(IMPORTER, database.writable()?).submit_only().start().await?;
    let imported = import(&engine, &mut source).await;
    source.close().await;
    engine.close().await?;
    let import = imported?;
    say::data(&if args.json { json(&import) } else { summary(&import, &database.path) });
    tell_unreadable(&import);
    match &args.engine {
        _ if args.json => {}
        Some(_) => tell_kept(&import),
        None => tell_unnamed(&import, &args.file),
    }
    Ok(ExitCode::from(u8::from(import.unreadable_count > 0)))
}

fn check(file: &Path, database: &Database) -> Result<(), Failure> {
    if !file.exists() {
        let what = format!("there is no file {}", file.display());
        return Err(Failure::new("not_found", what).hint("name the database of the Go program"));
    }
    let is_same = match (fs::canonicalize(file), fs::canonicalize(&database.path)) {
        (Ok(source), Ok(target)) => source == target,
        _ => false,
    };
    if is_same {
        let what = format!("{} cannot be imported into itself", file.display());
        return Err(Failure::new("store_refused", what)
            .hint("name another file for the tasks of loom with --db FILE or $LOOM_DB"));
    }
    Ok(())
}

/// Imports page by page, and says how far it is if somebody watches a long import.
async fn import(engine: &Engine, source: &mut GoDatabase) -> Result<GoImport, Failure> {
    let is_watched = stderr().is_terminal();
    let total = if is_watched { source.count().await? } else { 0 };
    let mut import = GoImport::new();
    let mut told = 0;
    while import.page(engine, source).await? {
        let done = import.tasks.added + import.tasks.present + import.unreadable_count;
        if is_watched && done < total && done >= told + TOLD_EVERY {
            told = done;
            say::line(&format!("{done} of {total} tasks"));
        }
    }
    Ok(import)
}

fn json(import: &GoImport) -> String {
    let row = |row: &loom::GoUnreadable| serde_json::json!({ "id": row.id, "why": row.why });
    let document = serde_json::json!({
        "schema": 1,
        "added": import.tasks.added,
        "present": import.tasks.present,
        "crashed": import.tasks.crashed,
        "waiting": import.tasks.waiting,
        "unreadable_count": import.unreadable_count,
        "unreadable": import.unreadable.iter().map(row).collect::<Vec<_>>(),
    });
    format!("{document}\n")
}

fn summary(import: &GoImport, database: &Path) -> String {
    let tasks = &import.tasks;
    let (added, database) = (count(tasks.added), database.display());
    let mut text = format!("{added} added to {database}, {} there already\n", tasks.present);
    if tasks.crashed > 0 {
        let was = "in somebody's hands, now failed_crash";
        text.push_str(&format!("  {} {was}\n", tasks.crashed));
    }
    for (engine, waiting) in &tasks.waiting {
        let who = match engine.as_str() {
            "" => "no engine: they have no name of one".to_owned(),
            name => format!("engine {}", say::foreign(name)),
        };
        text.push_str(&format!("  {waiting} waiting for {who}\n"));
    }
    if import.unreadable_count > 0 {
        text.push_str(&format!("  {} unreadable\n", import.unreadable_count));
    }
    text
}

fn count(tasks: u64) -> String {
    if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") }
}

fn tell_unreadable(import: &GoImport) {
    for row in &import.unreadable {
        say::note("unreadable", &format!("task {}: {}", say::foreign(&row.id), row.why));
    }
    let more = import.unreadable_count.saturating_sub(import.unreadable.len() as u64);
    if more > 0 {
        say::note("unreadable", &format!("and {more} more"));
    }
}

fn tell_kept(import: &GoImport) {
    if import.tasks.present > 0 {
        say::note("hint", "--engine changes nothing for tasks that are there already");
    }
}

fn tell_unnamed(import: &GoImport, file: &Path) {
    if import.tasks.waiting.contains_key("") {
        let file = file.display();
        say::note(
            "hint",
            &format!(
                "no engine runs tasks without the name of one; to give them one, import into a new \
                 database: loom import-go {file} --engine NAME --db NEW"
            ),
        );
    }
}
