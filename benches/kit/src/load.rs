//! The load: tasks from submitters that each wait for one answer before they submit again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Result;

/// Submits `count` tasks from `submitters` at once, and returns how long each submission took.
///
/// # Errors
/// The first that a submission returns.
pub async fn submit_all<S, F>(submitters: usize, count: usize, submit: S) -> Result<Vec<Duration>>
where
    S: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result> + Send + 'static,
{
    let submit = Arc::new(submit);
    let shares = (0..submitters).map(|n| count / submitters + usize::from(n < count % submitters));
    let submitters: Vec<_> =
        shares.map(|share| tokio::spawn(submit_share(share, Arc::clone(&submit)))).collect();
    let mut took = Vec::with_capacity(count);
    for submitter in submitters {
        took.extend(submitter.await??);
    }
    Ok(took)
}

async fn submit_share<S, F>(share: usize, submit: Arc<S>) -> Result<Vec<Duration>>
where
    S: Fn() -> F,
    F: Future<Output = Result>,
{
    let mut took = Vec::with_capacity(share);
    for _ in 0..share {
        let before = Instant::now();
        submit().await?;
        took.push(before.elapsed());
    }
    Ok(took)
}
