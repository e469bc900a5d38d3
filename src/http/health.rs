//! `/healthz`, `/readyz` and `/metrics`: for machines that watch us.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Site;
use crate::ports::store::Depth;

/// How long the store may take to be called ready.
const READY_WITHIN: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// The process lives.
async fn alive() -> &'static str {
    "ok\n"
}

/// The store answers, so that messages can be taken.
async fn ready(State(site): State<Arc<Site>>) -> Response {
    match depth(&site).await {
        Ok(_) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response(),
    }
}

/// Figures in the text format of Prometheus.
async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let mut text = String::new();
    let depth = depth(&site).await;
    metric(&mut text, "store_up", "gauge", "The store answers within a second.", u64::from(depth.is_ok()));
    if let Ok(depth) = depth {
        for (name, help, value) in [
            ("unanswered", "Customer messages without a reply in conversations that the bot owns.", depth.unanswered),
            ("owed", "Parts of messages that are not settled yet.", depth.owed),
            ("unknown", "Parts of messages of which nobody can tell whether they arrived.", depth.unknown),
            ("queued", "Handoffs that nobody has taken.", depth.queued),
            ("unindexed", "Index changes that are not applied yet.", depth.unindexed),
        ] {
            metric(&mut text, name, "gauge", help, u64::try_from(value).unwrap_or(0));
        }
    }
    let counts = &site.counts;
    for (name, help, value) in [
        ("web_messages_total", "Messages taken by the web chat and the terminal.", &counts.messages),
        ("web_rate_limited_total", "Requests refused as too many.", &counts.rate_limited),
        ("webhooks_forged_total", "Webhook requests without the channel's signature.", &counts.webhooks_forged),
        ("webhooks_malformed_total", "Signed webhook requests that could not be read.", &counts.webhooks_malformed),
        ("log_ins_refused_total", "Log-ins with a wrong login or password.", &counts.log_ins_refused),
    ] {
        metric(&mut text, name, "counter", help, value.load(Relaxed));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn metric(text: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    // Writing into a string can't fail.
    let _ = write!(text, "# HELP firstline_{name} {help}\n# TYPE firstline_{name} {kind}\nfirstline_{name} {value}\n");
}

async fn depth(site: &Site) -> Result<Depth, &'static str> {
    match tokio::time::timeout(READY_WITHIN, site.ctx.store.depth()).await {
        Ok(Ok(depth)) => Ok(depth),
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the store is not ready");
            Err("the store does not answer")
        }
        Err(_) => Err("the store takes longer than a second"),
    }
}
