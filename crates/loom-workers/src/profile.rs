//! Tools that are handed a prompt, as their profiles describe them, and the worker that runs them.

mod arguments;
mod error;
pub mod keys;
mod path;
mod patterns;
mod reader;
mod reading;
mod size;
mod spec;
mod template;
mod variables;
mod verdict;
mod worker;

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use loom_core::Task;

use crate::command::{Command, Inherit, Stdin};
use arguments::Arguments;
use error::Unfit;
use patterns::Patterns;
use reading::EventRule;
use spec::{Format, PromptBy, Spec};
use variables::Variables;

pub use error::ProfileError;
pub use reader::EVENT_BYTES_MAX;
pub use worker::ToolWorker;

/// Says how a tool is started for a task, and how to understand what it writes.
///
/// A profile is data, written as TOML. There are profiles for [`claude`](Self::claude),
/// [`codex`](Self::codex) and [`gemini`](Self::gemini), and one for [any other
/// tool](Self::generic) that reads a prompt and writes an answer. [`ToolWorker`] runs them.
///
/// ```
/// use loom_workers::{ToolProfile, ToolWorker};
///
/// let profile = ToolProfile::from_toml(
///     r#"
///     name = "scribe"
///     program = "/opt/scribe/bin/scribe"
///     account = "scribe-team"
///     prompt = "stdin"
///     args = [
///         "run",
///         "--json-lines",
///         ["--model", "{model}"], # left out together if the task names no model
///         "--continue={meta.session_id}", # the session of the attempt before, if there was one
///     ]
///     ignores = ["role"]
///
///     [env]
///     pass = ["SCRIBE_HOME", "HTTPS_PROXY"]
///     set = { SCRIBE_COLOR = "never", SCRIBE_KEY = { from_host = "TEAM_SCRIBE_KEY" } }
///
///     [limit]
///     patterns = ['^quota used up, back in (?<seconds>\d+) s$']
///
///     [output]
///     format = "jsonl"
///
///     [[output.events]]
///     when = { "/kind" = "started" }
///     session_id = "/session"
///
///     [[output.events]]
///     when = { "/kind" = "step" }
///     progress = "/steps/*/title"
///
///     [[output.events]]
///     when = { "/kind" = "done", "/ok" = true }
///     text = "/answer"
///     tokens_input = ["/tokens/fresh", "/tokens/cached"]
///     tokens_output = "/tokens/written"
///     ends = "success"
///
///     [[output.events]]
///     when = { "/kind" = "done", "/ok" = false }
///     error = "/why"
///     ends = "failure"
///     "#,
/// )?;
/// assert_eq!(profile.account(), "scribe-team");
/// assert!(profile.passes("SCRIBE_HOME") && !profile.passes("OTHER_API_KEY"));
/// let worker = ToolWorker::new(profile);
/// # let _ = worker;
/// # Ok::<(), loom_workers::ProfileError>(())
/// ```
///
/// # Program and arguments
///
/// - `name`: what tasks name as their `cli`. `program`: a path, or a name that is looked for in
///   `PATH`. `account`: who is charged; default: the name. Tasks of one account share its limits.
/// - `args`: texts, or lists of texts that go together. Holes are `{model}`, `{role}`, `{effort}`,
///   `{cwd}`, `{prompt}`, `{prompt_file}` and, for a value of the task's metadata, `{meta.NAME}`; `{{`
///   and `}}` are braces. If a hole stays empty, the text is left out, and all that goes together
///   with it.
/// - A value that begins with `-` is an error, so that it never passes for an option, unless it stands
///   behind an argument `--` or within its argument behind `=`, as in `--name={hole}`.
/// - A task that asks for a model, a role or an effort for which there is no hole fails, unless
///   `ignores` lists the field.
/// - `prompt`: `"stdin"` (the default); `"argument"`, where `{prompt}` stands or else at the end behind
///   `--`; or `"file"`, whose path takes the place of `{prompt_file}` and which is removed when the tool
///   has ended.
/// - What the system would not take is refused before the start: NUL bytes, an argument of 128 KiB,
///   arguments and variables of almost 2 MiB together.
///
/// # Environment
///
/// The tool gets `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `LANG`, `LANGUAGE`, `LC_*`, `TERM`,
/// `TMPDIR`, `TZ` and `SSL_CERT_*` of the host; what `env.pass` names, where a name may end in `*`;
/// what `env.set` sets, to a text or to a variable of the host; and what the task sets, each over the
/// one before. Nothing else.
///
/// Variables that choose what programs load (`LD_*`, `NODE_OPTIONS`, `PYTHON*`, `BASH_ENV`, `GIT_*`
/// and their like) are neither passed on nor taken from tasks. The same goes for the marks by which
/// an agent knows that another one has started it (`CLAUDECODE`, `CLAUDE_CODE_*` and their like),
/// unless `env.pass` names one in full.
///
/// # Success and limits
///
/// - `success.exit_codes`: default 0. `success.patterns`: regular expressions, of which the answer must
///   match one if there are any.
/// - `limit.patterns`: regular expressions for the lines by which the tool says that a usage limit is
///   met. They are looked for in what a failed tool said, and in answers of at most 600 bytes. When
///   the limit resets, one of three groups says: `epoch` (Unix time), `seconds` (to wait), `reset` (in
///   words, such as `3pm (Europe/Berlin)` or `2 h 10 min`). The worker's gate knows the usual messages
///   in any case.
///
/// # Output
///
/// `output.format` is `"text"` (the default; all of it is the answer), `"json"` (one object) or
/// `"jsonl"` (an object a line). For the latter two `output.events` are tried in order on every object,
/// and all that match take their part:
///
/// | key | what it is |
/// |---|---|
/// | `when` | paths, and what must stand there |
/// | `text` | the answer; a later one takes its place, or, with `append = true`, is added to it |
/// | `progress` | texts for people |
/// | `session_id`, `model` | texts |
/// | `tokens_input`, `tokens_output`, `tokens_cached` | numbers; those of several paths are added up |
/// | `cost_usd` | a number |
/// | `error` | what went wrong, if it turns out that something did |
/// | `limit` | `true`: a usage limit is met; `false`: it does not matter after all |
/// | `resets_at` | when the limit resets: Unix time or RFC 3339 |
/// | `ends` | `"success"` or `"failure"`; if an event has it, an output without such an event is cut off |
///
/// Paths are JSON pointers such as `/usage/input_tokens`, in which `*` stands for every entry of a list.
/// Instead of a path there may be a list of paths.
#[derive(Clone)]
pub struct ToolProfile {
    name: String,
    program: String,
    account: String,
    arguments: Arguments,
    variables: Variables,
    exit_codes: Vec<i64>,
    successes: Patterns,
    limits: Patterns,
    format: Format,
    rules: Arc<[EventRule]>,
}

impl ToolProfile {
    /// Reads a profile.
    ///
    /// # Errors
    /// [`ProfileError`] says what is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let mut spec = spec(text)?;
        match spec.program.take().filter(|program| !program.is_empty()) {
            Some(program) => Self::of(spec, program),
            None => Err(ProfileError::NoProgram(spec.name)),
        }
    }

    /// Reads a profile from a file.
    ///
    /// # Errors
    /// [`ProfileError`]: the file cannot be read, or its text is no profile.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ProfileError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|source| ProfileError::File { path: path.to_owned(), source })?;
        Self::from_toml(&text)
    }

    /// Claude Code, as `claude`, of the account `anthropic`. A role is the name of an agent.
    #[must_use]
    pub fn claude() -> Self {
        builtin(Self::from_toml(include_str!("profile/builtin/claude.toml")))
    }

    /// Codex, as `codex`, of the account `openai`. Knows no roles.
    #[must_use]
    pub fn codex() -> Self {
        builtin(Self::from_toml(include_str!("profile/builtin/codex.toml")))
    }

    /// Gemini CLI, as `gemini`, of the account `google`. Knows neither roles nor efforts.
    #[must_use]
    pub fn gemini() -> Self {
        builtin(Self::from_toml(include_str!("profile/builtin/gemini.toml")))
    }

    /// Any tool that reads its prompt from standard input and writes its answer as text. Name and
    /// account are the program's, without its folders.
    #[must_use]
    pub fn generic(program: impl Into<String>) -> Self {
        let program = program.into();
        let name = Path::new(&program).file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or(&program).to_owned();
        let spec = spec(include_str!("profile/builtin/generic.toml"));
        builtin(spec.and_then(|spec| Self::of(Spec { name, ..spec }, program)))
    }

    fn of(spec: Spec, program: String) -> Result<Self, ProfileError> {
        let rules = spec.output.events.into_iter().map(EventRule::parse);
        Ok(Self {
            account: spec.account.unwrap_or_else(|| spec.name.clone()),
            name: spec.name,
            program,
            arguments: Arguments::parse(spec.args, spec.prompt, spec.ignores)?,
            variables: Variables::parse(spec.env)?,
            exit_codes: spec.success.exit_codes,
            successes: Patterns::parse(spec.success.patterns)?,
            limits: Patterns::parse(spec.limit.patterns)?,
            format: spec.output.format,
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// Sets the program: a path, or a name that is looked for in `PATH`.
    #[must_use]
    pub fn program(mut self, program: impl Into<String>) -> Self {
        self.program = program.into();
        self
    }

    /// Sets who is charged, for a tool that is used with several accounts.
    #[must_use]
    pub fn with_account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Sets the name by which tasks ask for the profile, as their `cli`.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds an argument, as it is, after the others, but before a `--`.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Passes on the host's variable `name` too, or those that begin as it does before a `*` at its
    /// end, as `env.pass` does.
    ///
    /// # Errors
    /// [`ProfileError::Variable`]: that would pass on everything, or what programs load.
    ///
    /// ```
    /// use loom_workers::ToolProfile;
    ///
    /// let profile = ToolProfile::claude().pass("CLAUDE_CODE_USE_BEDROCK")?.pass("AWS_*")?;
    /// assert!(profile.passes("AWS_REGION"));
    /// # Ok::<(), loom_workers::ProfileError>(())
    /// ```
    pub fn pass(mut self, name: impl Into<String>) -> Result<Self, ProfileError> {
        self.variables.pass(name.into())?;
        Ok(self)
    }

    /// What tasks name as their `cli` to be run by this profile.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who is charged. All tasks of an account share its usage limits, whatever their profiles.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Whether the tool gets the host's variable of this name, if there is one.
    #[must_use]
    pub fn passes(&self, name: &str) -> bool {
        self.variables.passes(name)
    }

    /// What to run for `task`, on a host that has variables of these `names`.
    fn command(
        &self,
        task: &Task,
        prompt_file: Option<&str>,
        names: impl Iterator<Item = String>,
    ) -> Result<Command, Unfit> {
        self.variables.check_task(task)?;
        let arguments = self.arguments.fill(task, prompt_file, &self.name)?;
        let mut command = Command::new(self.program.as_str())
            .args(arguments)
            .inherit(Inherit::only(names.filter(|name| self.passes(name))));
        command.env = self.variables.set().clone();
        command.cwd = task.cwd.as_ref().map(Into::into);
        if self.prompt_by() == PromptBy::Stdin {
            command.stdin = Stdin::text(task.prompt.as_str());
        }
        Ok(command)
    }

    const fn prompt_by(&self) -> PromptBy {
        self.arguments.prompt()
    }

    const fn format(&self) -> Format {
        self.format
    }

    fn rules(&self) -> Arc<[EventRule]> {
        Arc::clone(&self.rules)
    }

    fn says_end(&self) -> bool {
        self.rules.iter().any(EventRule::says_end)
    }

    fn exit_codes(&self) -> &[i64] {
        &self.exit_codes
    }

    const fn successes(&self) -> &Patterns {
        &self.successes
    }

    const fn limits(&self) -> &Patterns {
        &self.limits
    }
}

/// Leaves out the arguments, as [`Command`] does.
impl fmt::Debug for ToolProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolProfile")
            .field("name", &self.name)
            .field("program", &self.program)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

fn spec(text: &str) -> Result<Spec, ProfileError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        ProfileError::Toml { line, message: error.message().to_owned() }
    })
}

#[expect(clippy::expect_used, reason = "every caller passes a constant, and tests use them all")]
fn builtin(profile: Result<ToolProfile, ProfileError>) -> ToolProfile {
    profile.expect("a builtin profile is sound")
}
