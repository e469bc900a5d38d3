//! `POST /widget/v1/session`: a visitor begins, or comes back, and gets what was said so far; their site may say who they
//! are. `POST /widget/v1/logout`: the token is let go of, and whoever uses the browser next is a stranger.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::upload::{self, Files};
use super::wire::{self, Names, WireMessage, WireStatus};
use super::{Body, Visitor, account, allow, is_token};
use crate::domain::channel::{Address, ChannelKind};
use crate::domain::customer::Claims;
use crate::flow::identity::MergeError;
use crate::flow::{FlowError, visitor};
use crate::http::identity::{self, Said};
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::{Site, secret};
use crate::ports::desk::FeedItem;
use crate::ports::store::StoreError;

/// Messages of the past that a page gets at most.
const HISTORY: usize = 200;

/// Messages that are read from the store at a time.
const PAGE: usize = 500;

/// When a visitor who could not be merged may come again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(2);

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
    /// By which the site says who its visitor is.
    #[serde(default)]
    user_jwt: Option<String>,
    /// The terminal client's name for its customer; from this machine only.
    #[serde(default)]
    terminal: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Session {
    /// To be sent as `Authorization: Bearer`; another than was shown where we don't know that one.
    visitor_token: String,
    /// The site knows the visitor: they find their conversations on every device.
    known: bool,
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
    allow(&site, &site.rates, &[format!("session:{}", peer.key())])?;
    let (visitor_token, address) = match &request.terminal {
        Some(name) => terminal_visitor(&site, &peer, name).await?,
        None => {
            let said = request.user_jwt.as_deref().map(|jwt| said(&site, jwt)).transpose()?;
            web_visitor(&site, request.visitor_token, request.site_key.as_deref(), said).await?
        }
    };
    Ok(Json(session(&site, visitor_token, &address).await?))
}

/// Lets go of the visitor's token, and gives a stranger's: nothing of what was said is seen with it.
pub(super) async fn log_out(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    peer: Peer,
) -> Result<Json<Session>, Problem> {
    allow(&site, &site.rates, &[format!("session:{}", peer.key())])?;
    let account = visitor.address.account.clone();
    site.ctx.store.end_visitor(&visitor.token_hash).await.map_err(|error| Problem::store(&error))?;
    let (token, address) = begin(&site, stranger(&site, account), &Claims::default()).await?;
    Ok(Json(session(&site, token, &address).await?))
}

/// What the site says of its visitor, if it is the site that says it.
fn said(site: &Site, jwt: &str) -> Result<Said, Problem> {
    let now = site.ctx.clock.now();
    identity::verify(jwt, site.ctx.config.web.secret.expose_secret(), now).map_err(|fault| {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "identity", "user_jwt is not accepted");
        problem.detail(fault.to_string())
    })
}

async fn session(site: &Site, visitor_token: String, address: &Address) -> Result<Session, Problem> {
    let history = history(site, address).await.map_err(|error| Problem::store(&error))?;
    let (feed, names, files, status) = history;
    let position = feed.last().map_or(0, |item| item.position);
    let messages = feed.iter().filter_map(|item| wire::message(item, &names, &files)).collect();
    let known = identity::is_known(&address.external);
    Ok(Session { visitor_token, known, position, messages, status })
}

/// The visitor of a token that was shown; another one where the site says so, or where we know no such token.
async fn web_visitor(
    site: &Site,
    shown: Option<String>,
    site_key: Option<&str>,
    said: Option<Said>,
) -> Result<(String, Address), Problem> {
    let known = match shown.filter(|token| is_token(token)) {
        Some(token) => {
            let found = site.ctx.store.visitor(&secret::token_hash(&token)).await;
            found.map_err(|error| Problem::store(&error))?.map(|found| (token, found.address))
        }
        None => None,
    };
    // Of the terminal nobody is somebody else's visitor.
    let known = known.filter(|(_, address)| said.is_none() || address.channel == ChannelKind::Web);
    let account = match (&known, account(site, ChannelKind::Web, site_key)) {
        (Some((_, address)), _) => address.account.clone(),
        (None, Some(account)) => account.to_owned(),
        (None, None) => return Err(Problem::invalid("there is no web chat of this site_key")),
    };
    match (said, known) {
        (Some(said), known) => known_visitor(site, account, &said, known).await,
        (None, Some(known)) => Ok(known),
        (None, None) => begin(site, stranger(site, account), &Claims::default()).await,
    }
}

fn stranger(site: &Site, account: String) -> Address {
    Address { channel: ChannelKind::Web, account, external: secret::fresh_key(&site.ctx.ids) }
}

/// The visitor whom the site names. What a stranger said in this browser is theirs; what another one said whom the site knew
/// is not, and the token of either is let go of.
async fn known_visitor(
    site: &Site,
    account: String,
    said: &Said,
    known: Option<(String, Address)>,
) -> Result<(String, Address), Problem> {
    let address = Address { channel: ChannelKind::Web, account, external: said.external() };
    let claims = visitor::claims(said.name.as_deref(), said.phone(), said.email());
    let store = &site.ctx.store;
    let Some((token, before)) = known else { return begin(site, address, &claims).await };
    let token_hash = secret::token_hash(&token);
    if before == address {
        let renewed = store.add_visitor(&token_hash, &address, &claims, site.ctx.clock.now()).await;
        renewed.map_err(|error| Problem::store(&error))?;
        return Ok((token, address));
    }
    if !identity::is_known(&before.external) {
        visitor::identify(&site.ctx, &before, &address).await.map_err(|error| not_merged(&error))?;
    }
    let begun = begin(site, address, &claims).await?;
    store.end_visitor(&token_hash).await.map_err(|error| Problem::store(&error))?;
    Ok(begun)
}

fn not_merged(error: &MergeError) -> Problem {
    match error {
        MergeError::Flow(FlowError::Store { source, .. }) => Problem::store(source),
        other => {
            tracing::warn!(
                error = other as &dyn std::error::Error,
                "a visitor and whom the site knows are not one yet"
            );
            Problem::too_many(AGAIN_AFTER)
        }
    }
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
    let address = Address { channel: ChannelKind::Terminal, account: account.to_owned(), external };
    begin(site, address, &Claims::default()).await
}

async fn begin(site: &Site, address: Address, claims: &Claims) -> Result<(String, Address), Problem> {
    let token = secret::fresh_token(&site.ctx.ids);
    let added = site.ctx.store.add_visitor(&secret::token_hash(&token), &address, claims, site.ctx.clock.now()).await;
    added.map_err(|error| Problem::store(&error))?;
    Ok((token, address))
}

/// The newest messages of the feed, with what is needed to show them.
async fn history(site: &Site, address: &Address) -> Result<(Vec<FeedItem>, Names, Files, WireStatus), StoreError> {
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
    let files = upload::of_feed(site, &feed).await?;
    Ok((feed, names, files, status))
}
