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

/// Makes `channel` ready to receive and polls it until `stop`; returns once it is ready where the channel pushes.
pub async fn run(ctx: Arc<Ctx>, channel: Arc<dyn Channel>, public_url: String, stop: CancellationToken) {
    while let Err(PollError { why, retry }) = channel.prepare(&public_url).await {
        tracing::warn!(channel = %channel.kind(), %why, "the channel can't be made ready to receive");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait(retry)) => {}
        }
    }
    while !stop.is_cancelled() {
        let outcome = tokio::select! {
            // What was fetched and not stored is fetched again: nothing is lost by dropping it.
            () = stop.cancelled() => return,
            outcome = once(&ctx, &*channel) => outcome,
        };
        let wait = match outcome {
            Ok(true) => continue,
            Ok(false) => return,
            Err(wait) => wait,
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
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
