//! `POST /widget/v1/session`: a visitor begins, or comes back, and gets what was said so far.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::wire::{self, Names, WireMessage, WireStatus};
use super::{Body, account, allow, is_token};
use crate::domain::channel::{Address, ChannelKind};
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::{Site, secret};
use crate::ports::desk::FeedItem;
use crate::ports::store::StoreError;

/// Messages of the past that a page gets at most.
const HISTORY: usize = 200;

/// Messages that are read from the store at a time.
const PAGE: usize = 500;

/// Longest name of a customer of the terminal client, in characters.
const TERMINAL_NAME: usize = 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// Which of our sites, where there are several: an account of the web channel.
    #[serde(default)]
    site_key: Option<String>,
    /// From an earlier session.
    #[serde(default)]
    visitor_token: Option<String>,
    /// The terminal client's name for its customer; from this machine only.
    #[serde(default)]
    terminal: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Session {
    /// To be sent as `Authorization: Bearer`; another than was shown where we don't know that one.
    visitor_token: String,
    /// The feed has been read up to here; what comes after it is asked for with `Last-Event-ID`.
    position: i64,
    messages: Vec<WireMessage>,
    status: WireStatus,
}

pub(super) async fn post(
    State(site): State<Arc<Site>>,
    peer: Peer,
    Body(request): Body<Request>,
) -> Result<Json<Session>, Problem> {
    allow(&site, &[format!("session:{}", peer.key())])?;
    let (visitor_token, address) = match &request.terminal {
        Some(name) => terminal_visitor(&site, &peer, name).await?,
        None => web_visitor(&site, request.visitor_token, request.site_key.as_deref()).await?,
    };
    let history = history(&site, &address).await.map_err(|error| Problem::store(&error))?;
    let (feed, names, status) = history;
    let position = feed.last().map_or(0, |item| item.position);
    let messages = feed.iter().filter_map(|item| wire::message(item, &names)).collect();
    Ok(Json(Session { visitor_token, position, messages, status }))
}

async fn web_visitor(site: &Site, shown: Option<String>, site_key: Option<&str>) -> Result<(String, Address), Problem> {
    if let Some(token) = shown.filter(|token| is_token(token)) {
        let known = site.ctx.store.visitor(&secret::token_hash(&token)).await;
        if let Some(address) = known.map_err(|error| Problem::store(&error))? {
            return Ok((token, address));
        }
    }
    let account = account(site, ChannelKind::Web, site_key)
        .ok_or_else(|| Problem::invalid("there is no web chat of this site_key"))?;
    let external = secret::fresh_key(&site.ctx.ids);
    begin(site, Address { channel: ChannelKind::Web, account: account.to_owned(), external }).await
}

/// Whoever may run a program on this machine may be any customer of the terminal: it is for trying things out.
async fn terminal_visitor(site: &Site, peer: &Peer, name: &str) -> Result<(String, Address), Problem> {
    if !peer.is_local_program() {
        let problem = Problem::new(StatusCode::FORBIDDEN, "terminal", "the terminal client works on this machine only");
        return Err(problem.detail("connect to the loopback address, past any proxy, with no public_url configured"));
    }
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if name.trim().is_empty() || name.chars().count() > TERMINAL_NAME || !name.chars().all(plain) {
        return Err(Problem::invalid("terminal: up to 40 letters, digits, spaces, dots, hyphens and underscores"));
    }
    let account =
        account(site, ChannelKind::Terminal, None).ok_or_else(|| Problem::invalid("the terminal channel is off"))?;
    let external = name.trim().to_lowercase();
    begin(site, Address { channel: ChannelKind::Terminal, account: account.to_owned(), external }).await
}

async fn begin(site: &Site, address: Address) -> Result<(String, Address), Problem> {
    let token = secret::fresh_token(&site.ctx.ids);
    let added = site.ctx.store.add_visitor(&secret::token_hash(&token), &address, site.ctx.clock.now()).await;
    added.map_err(|error| Problem::store(&error))?;
    Ok((token, address))
}

/// The newest messages of the feed, with what is needed to show them.
async fn history(site: &Site, address: &Address) -> Result<(Vec<FeedItem>, Names, WireStatus), StoreError> {
    let store = &site.ctx.store;
    let mut feed: Vec<FeedItem> = Vec::new();
    loop {
        let after = feed.last().map_or(0, |item| item.position);
        let page = store.feed(address, after, PAGE).await?;
        let is_last = page.len() < PAGE;
        feed.extend(page);
        feed.drain(..feed.len().saturating_sub(HISTORY));
        if is_last {
            break;
        }
    }
    let names = wire::names(store.operators().await?);
    let status = wire::status(store.conversation_at(address).await?.as_ref(), &names);
    Ok((feed, names, status))
}
