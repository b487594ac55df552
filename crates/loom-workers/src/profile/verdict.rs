//! What the end of a tool means for its attempt.

use loom_core::{ErrorKind, FailureCode, Task, WorkerError, WorkerResult, first_bytes};
use loom_deps::Timestamp;
use serde_json::Value;

use super::ToolProfile;
use super::keys::{self, OF_AN_ATTEMPT};
use super::reading::Reading;
use super::spec::{End, Format};
use crate::keys::{EXIT_CODE, OUTPUT_BYTES, OUTPUT_TRUNCATED};

/// How much of what a tool said of its failure an error repeats.
const SAID_BYTES_MAX: usize = 1 << 10;

/// Judges the end of an attempt by what was understood of the output and by what became of the
/// command.
pub(super) fn of(
    profile: &ToolProfile,
    task: &Task,
    mut reading: Reading,
    end: Result<WorkerResult, WorkerError>,
    (now, retries): (Timestamp, bool),
) -> Result<WorkerResult, WorkerError> {
    let (mut result, error) = match end {
        Ok(result) => (result, None),
        Err(mut error) => (error.take_output().unwrap_or_default(), Some(error)),
    };
    answer(profile, task, &mut reading, &mut result);
    tell(profile, &reading, &mut result);
    forget(&OF_AN_ATTEMPT, &mut result, task);
    match error {
        Some(error) if !is_end_of_command(&error) => Err(error.with_output(result)),
        error => {
            let verdict = Verdict { profile, reading: &reading, now, retries };
            verdict.of(result, error)
        }
    }
}

/// Whether the command ran to its end, whichever, and was not told to stop.
fn is_end_of_command(error: &WorkerError) -> bool {
    let is_stopped = matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Timeout);
    !is_stopped && matches!(error.code(), FailureCode::ExitStatus | FailureCode::Signal)
}

struct Verdict<'a> {
    profile: &'a ToolProfile,
    reading: &'a Reading,
    now: Timestamp,
    retries: bool,
}

impl Verdict<'_> {
    fn of(
        &self,
        result: WorkerResult,
        error: Option<WorkerError>,
    ) -> Result<WorkerResult, WorkerError> {
        let Some((code, message)) = self.failure(&result, error) else {
            return match self.profile.limits().limit_as(&result.content, self.now) {
                Some(resets) => {
                    let said = first_bytes(result.content.trim(), SAID_BYTES_MAX).to_owned();
                    Err(self.limited(resets, &said, result))
                }
                None => Ok(result),
            };
        };
        let error = match self.retries {
            true => WorkerError::transient(message),
            false => WorkerError::permanent(message),
        };
        let error = error.with_code(code).with_output(result);
        match self.limit(&error) {
            Some(resets) => Err(self.as_limited(error, resets)),
            None => Err(error),
        }
    }

    /// What went wrong, if something did.
    fn failure(
        &self,
        result: &WorkerResult,
        error: Option<WorkerError>,
    ) -> Option<(FailureCode, String)> {
        let said = self.reading.error.as_deref().map(|said| first_bytes(said, SAID_BYTES_MAX));
        let exit_code = result.metadata.get(EXIT_CODE).and_then(Value::as_i64);
        if exit_code.is_none_or(|code| !self.profile.exit_codes().contains(&code)) {
            let status = exit_code.map(|code| format!("exit status {code}"));
            let message = match (error, status, said) {
                (_, Some(status), Some(said)) => format!("{status}: {said}"),
                (Some(error), _, _) => return Some((error.code(), error.message().to_owned())),
                (None, status, _) => status.unwrap_or_else(|| "no exit status".to_owned()),
            };
            return Some((FailureCode::ExitStatus, message));
        }
        let name = self.profile.name();
        if self.reading.ended == Some(End::Failure) {
            let said = said.unwrap_or("it does not say which");
            return Some((FailureCode::WorkerError, format!("{name} reports an error: {said}")));
        }
        let successes = self.profile.successes();
        let is_said = successes.is_empty() || successes.match_in(&result.content);
        (!is_said).then(|| {
            let message = format!("the answer of {name} has none of the words of a success");
            (FailureCode::WorkerError, message)
        })
    }

    /// The limit that explains a failure, and when it resets.
    fn limit(&self, error: &WorkerError) -> Option<Option<Timestamp>> {
        let said = || self.profile.limits().limit_in(&error.evidence(), self.now);
        let Some(seen) = self.reading.limit else {
            return said();
        };
        let ahead = seen.resets_at.filter(|at| !at.since(self.now).is_zero());
        Some(ahead.or_else(|| said().flatten()))
    }

    fn as_limited(&self, mut error: WorkerError, resets: Option<Timestamp>) -> WorkerError {
        let result = error.take_output().unwrap_or_default();
        self.limited(resets, error.message(), result)
    }

    fn limited(&self, resets: Option<Timestamp>, said: &str, result: WorkerResult) -> WorkerError {
        let message = format!("a limit of the account {} is met: {said}", self.profile.account());
        let Some(resets) = resets else {
            let error = WorkerError::transient(message).with_code(FailureCode::RateLimited);
            return error.with_output(result);
        };
        let result = result.with(keys::LIMIT_RESETS_AT, resets.to_string());
        WorkerError::retry_after(resets.since(self.now), message).with_output(result)
    }
}

/// Puts the answer in the place of all that was written, if it is there as a whole.
fn answer(profile: &ToolProfile, task: &Task, reading: &mut Reading, result: &mut WorkerResult) {
    if profile.format() == Format::Text {
        return;
    }
    let text = reading.take_text();
    let is_cut = profile.says_end() && reading.ended.is_none();
    let has_gaps = reading.malformed > 0 && (text.is_none() || reading.is_in_pieces());
    let why = match (&text, is_cut) {
        _ if has_gaps => "malformed",
        (_, true) => "no_end",
        // A failure need not come with an answer.
        (None, false) if reading.ended != Some(End::Failure) => "no_text",
        _ => "",
    };
    if !why.is_empty() {
        result.metadata.insert(keys::RAW_OUTPUT.into(), why.into());
        return;
    }
    // Both were said of all that was written.
    for key in [OUTPUT_TRUNCATED, OUTPUT_BYTES] {
        result.metadata.remove(key);
    }
    forget(&[OUTPUT_TRUNCATED, OUTPUT_BYTES], result, task);
    let Some(text) = text else {
        result.content = reading.error.clone().unwrap_or_default();
        return;
    };
    if text.is_cut() {
        result.metadata.insert(OUTPUT_TRUNCATED.into(), true.into());
        result.metadata.insert(OUTPUT_BYTES.into(), text.total().into());
    }
    result.content = text.into_text();
}

/// Says what the tool said beside its answer.
fn tell(profile: &ToolProfile, reading: &Reading, result: &mut WorkerResult) {
    let tokens = reading.tokens;
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let told = [
        (keys::PROFILE, Some(profile.name().into())),
        (keys::ACCOUNT, Some(profile.account().into())),
        (keys::SESSION_ID, text(&reading.session_id)),
        (keys::MODEL, text(&reading.model)),
        (keys::TOKENS_INPUT, tokens.input.map(Value::from)),
        (keys::TOKENS_OUTPUT, tokens.output.map(Value::from)),
        (keys::TOKENS_CACHED, tokens.cached.map(Value::from)),
        (keys::COST_USD, reading.cost_usd.map(Value::from)),
        (keys::MALFORMED_EVENTS, (reading.malformed > 0).then(|| reading.malformed.into())),
    ];
    let told = told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    result.metadata.extend(told);
}

/// Metadata is merged: what an earlier attempt has said must be taken back expressly.
fn forget(keys: &[&str], result: &mut WorkerResult, task: &Task) {
    for key in keys {
        if task.metadata.contains_key(*key) && !result.metadata.contains_key(*key) {
            result.metadata.insert((*key).to_owned(), Value::Null);
        }
    }
}
