//! The names under which a task's metadata tells of its tool, beside those of [its
//! command](crate::keys).

/// The name of the profile that the attempt went by.
pub const PROFILE: &str = "profile";
/// The account that the attempt was charged to, as the profile names it.
pub const ACCOUNT: &str = "account";
/// The session that the tool worked in, by which it can be taken up again. Kept until an attempt
/// names another one.
pub const SESSION_ID: &str = "session_id";
/// The model that the tool says it used.
pub const MODEL: &str = "model";
/// Tokens read, those included that came from a cache.
pub const TOKENS_INPUT: &str = "tokens_input";
/// Tokens written.
pub const TOKENS_OUTPUT: &str = "tokens_output";
/// Tokens read that came from a cache.
pub const TOKENS_CACHED: &str = "tokens_cached";
/// What the attempt cost, in US dollars, as the tool reckons.
pub const COST_USD: &str = "cost_usd";
/// When the limit resets that the attempt met, as a date with its time in UTC.
pub const LIMIT_RESETS_AT: &str = "limit_resets_at";
/// Why the result is all that the tool wrote, as it stood, and not its answer alone: `no_end` (it
/// never said that it was done), `no_text` (it said so and gave no answer) or `malformed` (a part of
/// the answer, or all of it, could not be read).
pub const RAW_OUTPUT: &str = "raw_output";
/// How many events could not be read: cut off, no JSON, or longer than
/// [`EVENT_BYTES_MAX`](crate::EVENT_BYTES_MAX).
pub const MALFORMED_EVENTS: &str = "malformed_events";

/// The names that each attempt sets or leaves out anew.
pub(super) const OF_AN_ATTEMPT: [&str; 8] = [
    MODEL,
    TOKENS_INPUT,
    TOKENS_OUTPUT,
    TOKENS_CACHED,
    COST_USD,
    LIMIT_RESETS_AT,
    RAW_OUTPUT,
    MALFORMED_EVENTS,
];
