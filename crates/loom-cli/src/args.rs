//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueHint};
use jiff::SignedDuration;
use loom::TaskStatus;

const EXAMPLES: &str = "\
Examples:
  loom run -- make test                 run a command as a durable task, watch it, get its exit code
  loom run --retries 3 --timeout 30m -- claude -p 'fix the failing tests'
  loom list                             what has run, what runs, what waits
  loom show 12                          all about task 12
  loom logs -f 12                       what task 12 prints, as it comes
  loom import-go go.db                  take over the tasks of the Go library

The database is --db, else $LOOM_DB, else loom/loom.db where the platform keeps state
($XDG_STATE_HOME or ~/.local/state). $LOOM_LOG=info logs to standard error.";

/// Durable tasks: run any command, keep what it did, whatever dies.
#[derive(Debug, Parser)]
#[command(name = "loom", version, after_help = EXAMPLES, arg_required_else_help = true)]
#[command(subcommand_required = true)]
pub(crate) struct Args {
    /// The database file.
    #[arg(long, env = "LOOM_DB", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(global = true, hide_env_values = true)]
    pub(crate) db: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a command as a task, and end as it does.
    Run(RunArgs),
    /// List tasks, the newest first.
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show all about a task.
    Show(ShowArgs),
    /// Show what a task has printed, or follow it while it runs.
    Logs(LogsArgs),
    /// Take over the tasks of a database that the Go library has written.
    ImportGo(ImportGoArgs),
}

impl Verb {
    /// The exit code by which this verb tells that loom itself failed, if it is always the same.
    pub(crate) const fn failure_code(&self) -> Option<u8> {
        match self {
            Self::Run(_) => Some(125),
            Self::List(_) | Self::Show(_) | Self::Logs(_) | Self::ImportGo(_) => None,
        }
    }
}

const RUN_HELP: &str = "\
Examples:
  loom run -- make test
  loom run --timeout 10m --retries 2 -- ./deploy.sh staging
  loom run --env RUST_LOG=debug --cwd ../site -- cargo test
  echo 'some text' | loom run --stdin - -- wc -w

The command runs without a shell; name one if you want it: loom run -- sh -c 'a | b'.
What the command prints goes to standard output and error as it comes; loom's own lines go to
standard error. Ctrl-C asks the command to stop, and ends it after a grace; a second one at once.

Exit codes: the command's own, 128+n if signal n ended it; and loom's own, with a word in brackets:
  124 timed out [timeout]           126 the command cannot be run [cannot_run]
  125 loom failed, or crashed       127 there is no such command [not_found]
and 2 for wrong usage, which runs nothing.";

#[derive(Debug, Parser)]
#[command(after_help = RUN_HELP, arg_required_else_help = true)]
pub(crate) struct RunArgs {
    /// How long each attempt may take: 90s, 30m, 1h30m. [default: as long as it likes]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,

    /// How often to try again if the command fails or times out.
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=i64::from(loom::limits::RETRIES_MAX)))]
    pub(crate) retries: u32,

    /// The directory to run in. [default: this one]
    #[arg(long, short = 'C', value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cwd: Option<PathBuf>,

    /// A variable to add to the command's environment; NAME alone takes the value from here without
    /// storing it. Can be repeated.
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<String>,

    /// Whose work it is, to find it by.
    #[arg(long, short, value_name = "NAME", default_value = "")]
    pub(crate) project: String,

    /// What the command reads as its standard input: a file, or - for ours, which is read to its
    /// end first. [default: nothing]
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) stdin: Option<PathBuf>,

    /// Say nothing but what the command says, and why loom itself failed.
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Parser)]
#[command(after_help = "\
Examples:
  loom list
  loom list --status failed --project website
  loom list --json -n 1000 | jq '.tasks[].id'")]
pub(crate) struct ListArgs {
    /// Only of these statuses. Can be repeated, or a list with commas.
    #[arg(long, short, value_name = "STATUS", value_delimiter = ',', value_parser = status)]
    pub(crate) status: Vec<TaskStatus>,

    /// Only of this project.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) project: Option<String>,

    /// At most so many.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(loom::limits::PAGE_MAX)))]
    pub(crate) limit: u32,

    /// As JSON, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  loom show 12
  loom show 01997a40-6c1e-7d23-9f6e-0c5d3b1f2a77 --json"
)]
pub(crate) struct ShowArgs {
    /// The number or the id of the task.
    #[arg(value_name = "TASK")]
    pub(crate) task: String,

    /// As JSON, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

const LOGS_HELP: &str = "\
Examples:
  loom logs 12                          what task 12 has printed so far
  loom logs -f 12                       the same, and on until it has ended, from any terminal
  loom logs 12 2>/dev/null | less       only what it wrote to standard output
  loom logs -f 12 --json | jq -r .text

What the command wrote to standard output goes there, and what it wrote to standard error there, of
all attempts, byte for byte; on a terminal, control characters are shown, not obeyed. Where output is
missing because there was more than is kept, a line on standard error says how much.
With --json each chunk is a line: attempt, stream, at, position, cut (bytes missing before it), text.
To stop following harms nothing. A task whose process has died is followed until the next start of
its engine has ended it.

Exit codes: 0, whatever became of the task; 1 if its output cannot be read, 3 if there is no such
task, 4 if the database cannot be used.";

#[derive(Debug, Parser)]
#[command(arg_required_else_help = true, after_help = LOGS_HELP)]
pub(crate) struct LogsArgs {
    /// The number or the id of the task.
    #[arg(value_name = "TASK")]
    pub(crate) task: String,

    /// Go on until the task has ended.
    #[arg(long, short)]
    pub(crate) follow: bool,

    /// As JSON, a line for each chunk, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

const IMPORT_GO_HELP: &str = "\
Examples:
  loom import-go ~/app/go.db
  loom import-go go.db --db app.db --engine website
  loom import-go go.db --json | jq .added

The Go database is only read, in whatever version of the Go library it was written; stop the Go
program first. An import can be repeated: tasks that are here already are left as they are, and
--engine changes nothing for them.
Tasks that were dispatched or running end as failed_crash, for nobody has them in hand any more.
Pending and retrying ones wait here for an engine of their name. Nothing is run by this command.

Exit codes: 0, 1 if some rows could not be read, 3 if there is no such file, 4 if a database cannot
be used.";

#[derive(Debug, Parser)]
#[command(after_help = IMPORT_GO_HELP)]
pub(crate) struct ImportGoArgs {
    /// The database of the Go library.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// The engine that tasks without the name of one get; v0.1 of the Go library has no names. Tasks
    /// that are here already keep what they have.
    /// [default: they keep none, and no engine runs them]
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) engine: Option<String>,

    /// As JSON, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

fn status(text: &str) -> Result<TaskStatus, String> {
    text.parse::<TaskStatus>().map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<Duration, String> {
    let unreadable = |_| format!("{text:?} is no length of time; write 90s, 30m or 1h30m");
    let duration = text.parse::<SignedDuration>().map_err(unreadable)?;
    let duration = Duration::try_from(duration).map_err(|_| "cannot be negative".to_owned())?;
    if duration.is_zero() {
        return Err("zero leaves no time to run; leave it out for no limit".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "0s", "-3s", "90", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }
}
