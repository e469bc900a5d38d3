//! Loops: claim, run a use case, back off, stop. What is done stands in [`crate::flow`].

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::flow::wake::Bell;
use crate::flow::{Ctx, Progress};

/// How long a loop sleeps with nothing to do and no bell: what another process did is seen after this at most.
const POLL: Duration = Duration::from_millis(250);

/// Sleeps after failures in a row, the last one repeated.
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// Repeats `tick` until `stop`: at once while there is work, at a bell or a poll otherwise. A tick that has begun is
/// finished.
pub async fn repeat<T, F, E>(name: &'static str, ctx: Arc<Ctx>, bell: Bell, stop: CancellationToken, tick: T)
where
    T: Fn(Arc<Ctx>) -> F,
    F: Future<Output = Result<Progress, E>>,
    E: std::error::Error,
{
    let mut failures = 0;
    while !stop.is_cancelled() {
        match tick(Arc::clone(&ctx)).await {
            Ok(Progress::Worked) => failures = 0,
            Ok(Progress::Idle) => {
                failures = 0;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = ctx.wake.heard(bell) => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
            Err(error) => {
                tracing::error!(worker = name, error = chain(&error), "a worker failed and will try again");
                let wait = BACKOFF[failures.min(BACKOFF.len() - 1)];
                failures += 1;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }
}

/// Starts every loop of this process on `tracker`; channels that push are told `public_url`.
pub fn start(ctx: &Arc<Ctx>, public_url: &str, tracker: &TaskTracker, stop: &CancellationToken) {
    macro_rules! spawn {
        ($name:literal, $bell:expr, $tick:path) => {
            tracker.spawn(repeat($name, Arc::clone(ctx), $bell, stop.clone(), |ctx| async move { $tick(&ctx).await }));
        };
    }
    for _ in 0..ctx.config.turn.workers {
        spawn!("turn", Bell::Turns, crate::flow::turn::tick);
    }
    for _ in 0..ctx.config.outbox.workers {
        spawn!("deliver", Bell::Deliveries, crate::flow::deliver::tick);
    }
    spawn!("timers", Bell::Timers, crate::flow::timers::tick);
    spawn!("indexing", Bell::Indexing, crate::flow::indexing::tick_ctx);
    for channel in &ctx.channels {
        tracker.spawn(crate::flow::poll::run(
            Arc::clone(ctx),
            Arc::clone(channel),
            public_url.to_owned(),
            stop.clone(),
        ));
    }
}

/// An error with its causes, for one log line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
