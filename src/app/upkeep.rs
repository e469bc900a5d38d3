//! What goes on beside the loop: articles that change, a sign of life for other processes, Telegram's webhook.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::Ctx;
use crate::adapters::articles;

/// Reads the articles and brings the index in line with them. A broken article is reported, and the rest serves. Returns
/// whether everything has its vector.
///
/// # Errors
/// Where the directory can't be read or the index fails.
pub async fn sync_articles(ctx: &Ctx) -> anyhow::Result<bool> {
    let dir = &ctx.config.knowledge.dir;
    let (articles, faults) = articles::read_what_can_be_read(dir).with_context(|| {
        format!("knowledge.dir: {} can't be read: start in the directory that holds it, or set it", dir.display())
    })?;
    for fault in &faults {
        tracing::error!(%fault, "an article can't be read; the others serve");
    }
    let synced = ctx.knowledge.sync(&*ctx.index, ctx.embedder.as_deref(), articles).await;
    Ok(synced.context("the articles can't be indexed")? == 0)
}

/// Looks at the directory of articles from time to time, until `stop`.
pub async fn watch_articles(ctx: Arc<Ctx>, stop: CancellationToken) {
    let every = ctx.config.knowledge.check_every.unsigned_abs().max(Duration::from_millis(100));
    // The start has just read them; what it could not give a vector is tried again.
    let seen_at_start = articles::directory_fingerprint(&ctx.config.knowledge.dir).ok();
    let mut seen = seen_at_start.filter(|_| !ctx.knowledge.lacks_vectors());
    while !stopped_after(every, &stop).await {
        let now = articles::directory_fingerprint(&ctx.config.knowledge.dir).ok();
        if now == seen {
            continue;
        }
        match sync_articles(&ctx).await {
            Ok(complete) => {
                // What lacks a vector is tried again.
                seen = now.filter(|_| complete);
                tracing::info!(articles = ctx.knowledge.article_count(), "the articles changed and are indexed");
            }
            Err(error) => tracing::error!(error = format!("{error:#}"), "the changed articles are not indexed yet"),
        }
    }
}

/// Tells other processes on the same store that this one lives, until `stop`.
pub async fn say_alive(ctx: Arc<Ctx>, stop: CancellationToken) {
    let every = ctx.config.turn.lease.unsigned_abs() / 3;
    while !stopped_after(every, &stop).await {
        let now = ctx.clock.now();
        let unknown_deadline = now + ctx.config.outbox.unknown_after;
        let said = async {
            ctx.store.renew_boot(ctx.boot, now).await?;
            // What a process that has died since left is taken up by those that live.
            ctx.store.recover(&ctx.claim(), &ctx.idempotent_channels(), unknown_deadline, now).await
        };
        if let Err(error) = said.await {
            tracing::error!(error = &error as &dyn std::error::Error, "no sign of life could be given");
        }
    }
}

async fn stopped_after(length: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(length) => false,
    }
}
