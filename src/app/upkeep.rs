//! What goes on beside the loop: articles that change, a sign of life for other processes, Telegram's webhook.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;

use super::{Ctx, indexes, progress};
use crate::adapters::articles;
use crate::config::RetentionConfig;
use crate::flow::search::Searcher;
use crate::flow::wake::Bell;
use crate::flow::{FlowError, indexing};
use crate::ports::privacy::{Expired, Retention};

/// How often what is past its retention is looked for.
const EXPIRE_EVERY: Duration = Duration::from_hours(1);

/// How often it is looked whether a snapshot of the index is due.
const SNAPSHOT_LOOKED_AT_EVERY: Duration = Duration::from_mins(10);

/// When filling an index is tried again.
const FILL_AGAIN: Duration = Duration::from_secs(5);

/// Reads the articles and brings the index in line with them. A broken article is reported; it goes on as it was before,
/// where it served, and the rest serves anyhow. Returns whether everything has its vector; what is new gets none yet with `words_first`.
///
/// # Errors
/// Where the directory can't be read or the index fails.
pub async fn sync_articles(ctx: &Ctx, words_first: bool) -> anyhow::Result<bool> {
    let dir = &ctx.config.knowledge.dir;
    let (mut articles, faults) = articles::read_what_can_be_read(dir).with_context(|| {
        format!("knowledge.dir: {} can't be read: start in the directory that holds it, or set it", dir.display())
    })?;
    for fault in &faults {
        let mut earlier = ctx.knowledge.written_in(&fault.path);
        earlier.retain(|earlier| articles.iter().all(|article| article.key() != earlier.key()));
        let goes_on = !earlier.is_empty();
        tracing::error!(%fault, goes_on, "an article can't be read; it goes on as it was, if it served, and so do the others");
        articles.append(&mut earlier);
    }
    let search = ctx.search.serving();
    let synced = if words_first && search.embedder.is_some() {
        ctx.knowledge.sync_words_first(&*search.index, articles).await
    } else {
        ctx.knowledge.sync(&*search.index, search.embedder.as_deref(), articles).await
    };
    Ok(synced.context("the articles can't be indexed")? == 0)
}

/// Looks at the directory of articles from time to time, until `stop`.
pub async fn watch_articles(ctx: Arc<Ctx>, stop: CancellationToken) {
    let every = ctx.config.knowledge.check_every.unsigned_abs().max(Duration::from_millis(100));
    // The start has just read them; what it could not give a vector is tried again.
    let seen_at_start = articles::directory_fingerprint(&ctx.config.knowledge.dir).ok();
    let mut seen = seen_at_start.filter(|_| !ctx.knowledge.lacks_vectors());
    // A first start serves by words at once and adds the vectors now.
    let mut at_once = seen.is_none();
    while std::mem::take(&mut at_once) || !stopped_after(every, &stop).await {
        let now = articles::directory_fingerprint(&ctx.config.knowledge.dir).ok();
        if now == seen {
            continue;
        }
        // Encoding many articles takes longer than a stop may: what is missing is added at the next start.
        let synced = tokio::select! {
            synced = sync_articles(&ctx, false) => synced,
            () = stop.cancelled() => return,
        };
        match synced {
            Ok(complete) => {
                // What lacks a vector is tried again.
                seen = now.filter(|_| complete);
                tracing::info!(articles = ctx.knowledge.article_count(), "the articles changed and are indexed");
            }
            Err(error) => tracing::error!(error = format!("{error:#}"), "the changed articles are not indexed yet"),
        }
    }
}

/// After a change of the embedder: fills the new index while the earlier one serves, lets it serve, and deletes the
/// earlier one. A terminal is shown a progress bar.
pub async fn change_embedder(ctx: Arc<Ctx>, stop: CancellationToken) {
    let Some(coming) = ctx.search.coming() else { return };
    let bar = progress::bar("making the index for the new embedder");
    loop {
        let filled = tokio::select! {
            filled = fill(&ctx, &coming, &bar) => filled,
            () = stop.cancelled() => return,
        };
        let Err(error) = filled else { break };
        tracing::warn!(error = format!("{error:#}"), "the new index is not full yet; the earlier one serves");
        if stopped_after(FILL_AGAIN, &stop).await {
            return;
        }
    }
    bar.finish_and_clear();
    let earlier = ctx.search.serving();
    ctx.search.switch();
    let finished = async {
        // What changed while the two took turns.
        sync_articles(&ctx, false).await?;
        close(earlier).await;
        indexes::completed(&ctx.config, coming.embedder.as_deref()).await
    };
    match finished.await {
        Ok(()) => tracing::info!("the index of the new embedder serves"),
        Err(error) => tracing::error!(error = format!("{error:#}"), "the earlier index can't be put away"),
    }
}

/// Brings an index to where it holds all articles and memories with their vectors.
async fn fill(ctx: &Ctx, coming: &Searcher, bar: &ProgressBar) -> anyhow::Result<()> {
    let (index, embedder) = (&*coming.index, coming.embedder.as_deref());
    bar.set_length(ctx.store.unit_count().await? + ctx.knowledge.indexed_count() as u64);
    bar.set_position(0);
    loop {
        let written = ctx.knowledge.write_some(index, embedder).await?;
        let zone = &ctx.config.company.timezone;
        let applied = if written == 0 { indexing::tick(&*ctx.store, index, embedder, zone).await? } else { 0 };
        bar.inc((written + applied) as u64);
        if written + applied == 0 {
            if !indexing::is_behind(&*ctx.store, index).await? {
                return Ok(());
            }
            // Another process applies them.
            tokio::time::sleep(indexing::LOOKED_EVERY).await;
        }
    }
}

/// Keeps a snapshot of the index, so that broken files cost a start no more than what changed since, until `stop`.
pub async fn keep_snapshots(ctx: Arc<Ctx>, stop: CancellationToken) {
    let every = ctx.config.index.snapshot_every;
    if every.is_zero() || ctx.config.index.is_server() {
        return;
    }
    while !stopped_after(every.unsigned_abs().min(SNAPSHOT_LOOKED_AT_EVERY), &stop).await {
        let search = ctx.search.serving();
        let taken = async {
            // An index that is still being filled is not worth keeping.
            Ok::<bool, FlowError>(
                !indexing::is_behind(&*ctx.store, &*search.index).await?
                    && indexing::snapshot(&*ctx.store, &*search.index, ctx.clock.now() - every).await?,
            )
        };
        match taken.await {
            Ok(true) => tracing::info!("a snapshot of the index was taken"),
            Ok(false) => {}
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "no snapshot of the index"),
        }
    }
}

/// Drops a searcher when the last search on it has ended; closing an index writes, so not on a thread of the runtime.
async fn close(searcher: Arc<Searcher>) {
    while Arc::strong_count(&searcher) > 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _ = tokio::task::spawn_blocking(move || drop(searcher)).await;
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

/// Lets go of what is older than it may be, now and once an hour, until `stop`.
pub async fn keep_no_longer(ctx: Arc<Ctx>, stop: CancellationToken) {
    let settings = &ctx.config.retention;
    let retention = Retention {
        transcripts: RetentionConfig::kept(settings.transcripts),
        episodes: RetentionConfig::kept(settings.episodes),
        facts: settings.facts(),
    };
    if retention == Retention::default() {
        return;
    }
    loop {
        match ctx.store.expire(&retention, ctx.clock.now()).await {
            Ok(expired) if expired == Expired::default() => {}
            Ok(Expired { messages, episodes, facts }) => {
                tracing::info!(messages, episodes, facts, "what was past its retention is gone");
                ctx.wake.ring(Bell::Indexing);
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "what is past its retention is still there");
            }
        }
        if stopped_after(EXPIRE_EVERY, &stop).await {
            return;
        }
    }
}

/// Deletes files of visitors whose message never came, or is gone, once an hour, until `stop`.
pub async fn sweep_uploads(ctx: Arc<Ctx>, stop: CancellationToken) {
    loop {
        let (config, now) = (ctx.config.clone(), SystemTime::from(ctx.clock.now()));
        match tokio::task::spawn_blocking(move || crate::http::sweep_uploads(&config, now)).await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(files)) => tracing::info!(files, "files without a message are gone"),
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "files without a message can't be deleted");
            }
        }
        if stopped_after(EXPIRE_EVERY, &stop).await {
            return;
        }
    }
}

async fn stopped_after(length: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(length) => false,
    }
}
