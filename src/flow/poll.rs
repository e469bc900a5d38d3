//! Channels that are polled: read, store with the cursor, and only then read on.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Ctx, ingest};
use crate::ports::Retry;
use crate::ports::channel::{Channel, PollError, Polled};
use crate::ports::store::StoreError;

/// How long to wait after a failed poll, unless the channel says otherwise.
const AFTER_FAILURE: Duration = Duration::from_secs(3);

/// Makes `channel` ready to receive and polls it until `stop`. A channel that pushes is made ready once, or again and again
/// where it says so.
pub async fn run(ctx: Arc<Ctx>, channel: Arc<dyn Channel>, public_url: String, stop: CancellationToken) {
    prepare(&*channel, &public_url, &stop).await;
    while !stop.is_cancelled() {
        let outcome = tokio::select! {
            // What was fetched and not stored is fetched again: nothing is lost by dropping it.
            () = stop.cancelled() => return,
            outcome = once(&ctx, &*channel) => outcome,
        };
        match outcome {
            Ok(true) => {}
            Ok(false) => match channel.prepared_again_after() {
                None => return,
                Some(after) => {
                    rest(after.unsigned_abs(), &stop).await;
                    prepare(&*channel, &public_url, &stop).await;
                }
            },
            Err(wait) => rest(wait, &stop).await,
        }
    }
}

/// Makes `channel` ready to receive, with as many tries as it takes, or until `stop`.
async fn prepare(channel: &dyn Channel, public_url: &str, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let ready = tokio::select! {
            () = stop.cancelled() => return,
            ready = channel.prepare(public_url) => ready,
        };
        let Err(PollError { why, retry }) = ready else { return };
        tracing::warn!(channel = %channel.kind(), %why, "the channel can't be made ready to receive");
        rest(wait(retry), stop).await;
    }
}

async fn rest(length: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(length) => {}
    }
}

/// One poll. `Ok(false)` where the channel is not polled; an error is how long to wait.
async fn once(ctx: &Ctx, channel: &dyn Channel) -> Result<bool, Duration> {
    let kind = channel.kind();
    let store_failed = |error: StoreError| {
        tracing::error!(channel = %kind, error = &error as &dyn std::error::Error, "polled updates can't be stored");
        AFTER_FAILURE
    };
    let cursor = ctx.store.cursor(kind, channel.account()).await.map_err(store_failed)?;
    match channel.poll(cursor.as_deref()).await {
        None => Ok(false),
        Some(Err(PollError { why, retry })) => {
            tracing::warn!(channel = %kind, %why, "polling failed");
            Err(wait(retry))
        }
        Some(Ok(Polled { updates, cursor, malformed })) => {
            if malformed > 0 {
                tracing::warn!(channel = %kind, malformed, "updates that can't be read were passed over");
            }
            if !updates.is_empty() || cursor.is_some() {
                ingest::accept(ctx, updates, cursor.as_ref()).await.map_err(store_failed)?;
            }
            Ok(true)
        }
    }
}

fn wait(retry: Retry) -> Duration {
    match retry {
        Retry::After(wait) => wait.unsigned_abs(),
        Retry::Later => AFTER_FAILURE,
        // A wrong token stays wrong; ask rarely, in case it is mended on the other side.
        Retry::Never => AFTER_FAILURE * 20,
    }
}
