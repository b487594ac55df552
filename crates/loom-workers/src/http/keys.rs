//! The names under which a task's metadata tells of its call.

/// The status that the server answered with.
pub const STATUS_CODE: &str = "status_code";
/// What the body is, as the server says.
pub const CONTENT_TYPE: &str = "content_type";
/// `true` if the result lacks the end: it was too long, or the last event of a stream is not whole.
pub const BODY_TRUNCATED: &str = "body_truncated";
/// How often the call was tried in the latest attempt.
pub const ATTEMPTS: &str = "attempts";
/// How long the latest attempt took, in milliseconds.
pub const DURATION_MS: &str = "duration_ms";

/// The names that each attempt sets or leaves out anew.
pub(super) const OF_AN_ATTEMPT: [&str; 5] =
    [STATUS_CODE, CONTENT_TYPE, BODY_TRUNCATED, ATTEMPTS, DURATION_MS];
