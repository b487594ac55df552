//! The request that a piece of a program works for, without handing it through every call.

use std::future::Future;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Runs `future` for the request `request_id`: tasks submitted in it carry that id, unless they name
/// one themselves. An inner call wins over an outer one. Tasks spawned inside do not inherit it.
///
/// ```
/// use loom_engine::{current_request_id, with_request_id};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// with_request_id("req-1", async {
///     assert_eq!(current_request_id().as_deref(), Some("req-1"));
/// })
/// .await;
/// assert_eq!(current_request_id(), None);
/// # });
/// ```
pub async fn with_request_id<F: Future>(request_id: impl Into<String>, future: F) -> F::Output {
    REQUEST_ID.scope(request_id.into(), future).await
}

/// The request that the current future works for, if it is known.
#[must_use]
pub fn current_request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok().filter(|id| !id.is_empty())
}
