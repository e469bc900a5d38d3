//! The chat's API: a session, messages up, server-sent events down. The page, the widget and the terminal client all
//! use it; a site may use it directly.
//!
//! A visitor is known by a token of 256 random bits, sent as `Authorization: Bearer`, never in a URL. The store keeps
//! its hash. A site may say who its visitor is, by a token that it has signed. What a visitor sees is the feed in the store;
//! events only make it quick.

mod events;
mod links;
mod messages;
mod session;
mod signs;
mod upload;
mod wire;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;

pub(super) use upload::{ACCEPT, sweep};

use super::limits::Rates;
use super::problem::Problem;
use super::{Site, origin, secret};
use crate::domain::channel::{Address, ChannelKind};
use crate::domain::customer::Claims;
use crate::ports::visitors::KnownVisitor;

/// Bytes of a body besides the text of a message.
const BODY_BASE: usize = 8_192;

/// Most bytes that one character takes in JSON: a surrogate pair of escapes.
const BODY_PER_CHARACTER: usize = 12;

pub(super) fn routes(site: &Arc<Site>) -> Router<Arc<Site>> {
    let api = Router::new()
        .route("/session", post(session::post))
        .route("/logout", post(session::log_out))
        .route("/attachments", post(upload::post))
        .route("/attachments/{id}", get(upload::get))
        .route("/typing", post(signs::typing))
        .route("/read", post(signs::read))
        .route("/messages", post(messages::post))
        .route("/links", post(links::post))
        .route("/events", get(events::get))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this can't be done here")
        })
        .layer(from_fn_with_state(Arc::clone(site), cross_origin));
    Router::new().nest("/widget/v1", api)
}

/// Lets pages of allowed origins in, answers their preflights, and refuses all other pages.
async fn cross_origin(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    if !site.origins.may_chat(request.headers()) {
        let problem = Problem::new(StatusCode::FORBIDDEN, "origin", "this site may not use the chat");
        return problem.detail("its address is not listed under [web] origins").into_response();
    }
    let preflight = request.method() == Method::OPTIONS && origin.is_some();
    let mut response = if preflight { preflight_answer() } else { next.run(request).await };
    origin::allow_reading(response.headers_mut(), origin);
    response
}

fn preflight_answer() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, last-event-id, x-file-name"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

/// A visitor who has shown a token that we know.
pub(super) struct Visitor {
    /// Where they write and read.
    pub(super) address: Address,
    /// What the store knows their token by.
    token_hash: String,
    /// What their site vouches for.
    claims: Claims,
    /// It stands among the statements already.
    stated: bool,
}

impl Visitor {
    /// What limits count by.
    fn key(&self) -> String {
        format!("{}:{}:{}", self.address.channel, self.address.account, self.address.external)
    }
}

impl FromRequestParts<Arc<Site>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let unknown = || {
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "the visitor's token is missing or unknown")
                .detail("get one from POST /widget/v1/session and send it as Authorization: Bearer")
        };
        let token = bearer(&parts.headers).ok_or_else(unknown)?;
        let token_hash = secret::token_hash(token);
        let found = site.ctx.store.visitor(&token_hash).await;
        let KnownVisitor { address, claims, stated } =
            found.map_err(|error| Problem::store(&error))?.ok_or_else(unknown)?;
        Ok(Self { address, token_hash, claims, stated })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && is_token(token))
}

/// The text could be a token of ours; what could not is not worth a look into the store.
fn is_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A body of JSON, of bounded length, whose faults are problems as all others.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Site>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Problem> {
        let json = HeaderValue::from_static("application/json");
        let kind = request.headers().get(header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(json.as_bytes())) {
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "the body must be JSON");
            return Err(problem.detail("send it with Content-Type: application/json"));
        }
        let most = BODY_BASE + BODY_PER_CHARACTER * site.ctx.config.limits.message_chars;
        let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "the body is too long");
        let bytes = to_bytes(request.into_body(), most).await.map_err(too_large)?;
        // The parser's own words may quote the body, which is the customer's.
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Problem::invalid(format!("the body is not what is expected, at {}:{}", error.line(), error.column()))
        })
    }
}

/// Takes one request of the allowance of each key.
fn allow(site: &Site, rates: &Rates, keys: &[String]) -> Result<(), Problem> {
    let now = site.ctx.clock.now();
    keys.iter().try_for_each(|key| rates.take(key, now)).map_err(|wait| {
        site.counts.rate_limited.fetch_add(1, Relaxed);
        Problem::too_many(wait)
    })
}

/// Our account on the channel of `kind`: the one named by `site_key`, or the first.
fn account<'a>(site: &'a Site, kind: ChannelKind, site_key: Option<&str>) -> Option<&'a str> {
    let mut accounts =
        site.ctx.channels.iter().filter(|channel| channel.kind() == kind).map(|channel| channel.account());
    match site_key {
        Some(key) => accounts.find(|account| *account == key),
        None => accounts.next(),
    }
}
