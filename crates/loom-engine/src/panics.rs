//! Keeping the panics of a user's code where they happen.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

/// What `run` returns, or what its panic said.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(text_of)
}

/// What `future` comes to, or what its panic said.
///
/// No `async fn`: that would keep room for the future twice, as an argument and while it waits.
pub(crate) fn caught_in<F: Future>(
    future: F,
) -> impl Future<Output = Result<F::Output, String>> + use<F> {
    AssertUnwindSafe(future).catch_unwind().map(|caught| caught.map_err(text_of))
}

fn text_of(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    drop_quietly(panic);
    text.unwrap_or_else(|| "of an unknown kind".to_owned())
}

/// The payload of a panic can panic itself when it is dropped.
fn drop_quietly(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        #[expect(clippy::mem_forget, reason = "dropping it has just been shown to panic")]
        std::mem::forget(again);
    }
}
