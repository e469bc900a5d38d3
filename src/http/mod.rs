//! Everything that is served over HTTP: the web chat and its widget, the operators' desk, the channels' webhooks,
//! health and figures.
//!
//! Handlers parse, call one function of [`crate::flow`] or read through [`crate::ports::desk`], and render. What they
//! accept is durable before they say so. Nothing here knows SQL, a model or a channel's vendor.

pub mod password;

mod assets;
mod chat;
mod cookie;
mod desk;
mod health;
mod identity;
mod limits;
mod origin;
mod pages;
mod peer;
mod problem;
mod secret;
mod start;
mod theme;
mod typing;
mod webhook;
mod widget;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, RetentionConfig};
use crate::flow::Ctx;
use limits::{Attempts, Rates, Streams};
use origin::Origins;
use pages::Pages;
use typing::Typing;
use words::SiteWords;

/// Passwords that are hashed at a time: each takes 19 MiB and a core.
const HASHES_AT_ONCE: usize = 2;

/// Open event streams in all, and for one visitor or operator.
const STREAMS: (usize, usize) = (4_096, 12);

/// Signs a minute from one visitor, operator or address.
const SIGNS_PER_MINUTE: u32 = 90;

/// Files that are written at a time.
const UPLOADS_AT_ONCE: usize = 32;

/// A query that may be missing or wrong.
type Asked<T> = Result<Query<T>, QueryRejection>;

/// What handlers share.
pub(crate) struct Site {
    pub(crate) ctx: Arc<Ctx>,
    /// Ends event streams, which would else hold up a stop for ever.
    stop: CancellationToken,
    pages: Pages,
    origins: Origins,
    rates: Rates,
    /// Of what says nothing: that somebody writes, that something was read.
    signs: Rates,
    typing: Typing,
    /// Of files.
    files: Rates,
    uploads: Semaphore,
    log_ins: Attempts,
    streams: Arc<Streams>,
    hashing: Semaphore,
    counts: Counts,
}

/// Things that happened since the start, for `/metrics`.
#[derive(Default)]
struct Counts {
    messages: AtomicU64,
    rate_limited: AtomicU64,
    webhooks_forged: AtomicU64,
    webhooks_malformed: AtomicU64,
    log_ins_refused: AtomicU64,
}

/// All routes. `stop` ends the event streams. Serve it with [`serve`], or with the peers' addresses otherwise
/// (`into_make_service_with_connect_info::<SocketAddr>`): limits count by them.
pub fn router(ctx: Arc<Ctx>, stop: CancellationToken) -> Router {
    let site = Arc::new(Site {
        stop,
        pages: Pages::new(),
        origins: Origins::new(&ctx.config),
        rates: Rates::new(ctx.config.limits.web_per_minute),
        signs: Rates::new(SIGNS_PER_MINUTE),
        typing: Typing::default(),
        files: Rates::hourly(ctx.config.web.files_per_hour),
        uploads: Semaphore::new(UPLOADS_AT_ONCE),
        log_ins: Attempts::default(),
        streams: Streams::new(STREAMS.0, STREAMS.1),
        hashing: Semaphore::new(HASHES_AT_ONCE),
        counts: Counts::default(),
        ctx,
    });
    Router::new()
        .merge(start::routes())
        .merge(chat::routes())
        .merge(theme::routes())
        .merge(health::routes())
        .merge(webhook::routes())
        .merge(widget::routes(&site))
        .merge(desk::routes())
        .route("/assets/{version}/{name}", get(assets::get))
        .route("/widget.js", get(assets::widget))
        .route("/favicon.ico", get(assets::favicon))
        .fallback(not_found)
        .layer(middleware::map_response(|mut response: Response| async {
            pages::protect(response.headers_mut());
            response
        }))
        .with_state(site)
}

/// Serves all routes until `stop`, then lets requests that are under way finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, ctx: Arc<Ctx>, stop: CancellationToken) -> std::io::Result<()> {
    let service = router(ctx, stop.clone()).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// Deletes files of visitors whose message never came, or is past its retention. Blocks.
///
/// # Errors
/// Where the directory can't be read or changed.
pub fn sweep_uploads(config: &Config, now: SystemTime) -> std::io::Result<usize> {
    let kept = RetentionConfig::kept(config.retention.transcripts).map(SignedDuration::unsigned_abs);
    widget::sweep(&config.uploads_dir(), now, kept.map(|kept| now - kept))
}

async fn not_found(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    fault(&site, &headers, StatusCode::NOT_FOUND)
}

/// A page that says that something did not work.
fn fault(site: &Site, headers: &HeaderMap, status: StatusCode) -> Response {
    let language = pages::language(headers);
    let words = SiteWords::of(language);
    let (title, more) = match status {
        StatusCode::NOT_FOUND => (words.fault_not_found, words.fault_not_found_more),
        StatusCode::FORBIDDEN => (words.fault_forbidden, words.fault_forbidden_more),
        StatusCode::SERVICE_UNAVAILABLE => (words.fault_unavailable, words.fault_unavailable_more),
        _ => (words.fault_invalid, words.fault_invalid_more),
    };
    let view = minijinja::context! { title, more };
    (status, site.pages.render("fault.html", language, words, view)).into_response()
}
