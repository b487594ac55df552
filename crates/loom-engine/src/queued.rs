//! How many tasks wait, for whoever measures it.

use std::sync::Arc;
use std::time::Duration;

use loom_core::{TaskQuery, TaskStatus};

use crate::context::Context;
use crate::record::Depth;

/// How often the waiting tasks are counted. Only the store can tell: other processes add and take.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Counts until the engine has closed.
pub(crate) async fn count(cx: Arc<Context>, depth: Arc<Depth>) {
    let waiting = TaskStatus::ALL.into_iter().filter(|status| status.is_waiting());
    let query = TaskQuery::all().engine(cx.name.as_str()).statuses(waiting);
    loop {
        // What cannot be counted is not known; an old number would look like a new one.
        let counted = cx.store.count(&query).await;
        depth.set(counted.ok().map(|counts| counts.total()));
        if cx.within(COUNT_INTERVAL, cx.closing.left()).await.is_some() {
            return depth.set(None);
        }
    }
}
