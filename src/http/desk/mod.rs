//! The desk: where operators see the queue, read what the bot passes on, and answer.
//!
//! Every page is HTML from the server and works without a script; the script makes it live. Every form carries the
//! session's token and, where it does something, the key of that one action.

mod act;
mod conversation;
mod entry;
mod labels;
mod live;
mod memory;
mod queue;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use url::form_urlencoded;

use super::words::DeskWords;
use super::{Site, cookie, fault, pages, secret};
use crate::domain::id::ConversationId;
use crate::domain::text::Language;
use crate::ports::desk::{Operator, Session};
use crate::ports::store::StoreError;

/// Where somebody without a session is sent.
const LOG_IN: &str = "/desk/login";

/// Where somebody with a one-time password is sent.
const PASSWORD: &str = "/desk/password";

/// Longest form, in bytes.
const LONGEST_FORM: usize = 131_072;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/desk", get(queue::get))
        .route("/desk/login", get(entry::log_in_page).post(entry::log_in))
        .route("/desk/logout", post(entry::log_out))
        .route("/desk/password", get(entry::password_page).post(entry::change_password))
        .route("/desk/c/{id}", get(conversation::get))
        .route("/desk/c/{id}/act", post(act::post))
        .route("/desk/c/{id}/memory", post(memory::post))
        .route("/desk/c/{id}/typing", post(live::typing))
        .route("/desk/events", get(live::get))
}

/// An operator with a session.
pub(super) struct Desk {
    pub(super) operator: Operator,
    pub(super) session: Session,
    pub(super) language: Language,
    pub(super) words: &'static DeskWords,
}

/// What the frame of every page shows.
#[derive(Serialize)]
pub(super) struct Frame {
    operator: String,
    csrf: String,
    /// Handoffs that nobody has taken.
    waiting: usize,
}

impl Desk {
    fn frame(&self, waiting: usize) -> Frame {
        Frame { operator: self.operator.name.clone(), csrf: self.session.csrf.clone(), waiting }
    }

    /// The form was made for this session.
    fn owns(&self, form: &Form) -> bool {
        secret::same(form.get("csrf"), &self.session.csrf)
    }

    /// The conversation that a form of this session is about; else what is wrong with it.
    fn conversation(&self, form: &Form, id: &str) -> Result<ConversationId, StatusCode> {
        if !self.owns(form) {
            return Err(StatusCode::FORBIDDEN);
        }
        id.parse().map_err(|_| StatusCode::NOT_FOUND)
    }
}

impl FromRequestParts<Arc<Site>> for Desk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let wants_events =
            parts.headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
        let elsewhere = |to: String| {
            if wants_events { StatusCode::UNAUTHORIZED.into_response() } else { redirect(&to) }
        };
        let found = session(site, &parts.headers).await.map_err(|error| store_fault(site, &parts.headers, &error))?;
        let Some((session, operator)) = found else {
            let wanted = parts.uri.path_and_query().map_or("/desk", |path| path.as_str());
            let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", wanted).finish();
            return Err(elsewhere(format!("{LOG_IN}?{query}")));
        };
        let path = parts.uri.path();
        if operator.one_time_password && path != PASSWORD && path != "/desk/logout" {
            return Err(elsewhere(PASSWORD.to_owned()));
        }
        let language = pages::language(&parts.headers);
        Ok(Self { operator, session, language, words: DeskWords::of(language) })
    }
}

/// The cookie's name: where TLS is sure, browsers themselves see to it that no other host and no plain page sets it.
fn cookie_name(site: &Site) -> &'static str {
    if site.origins.is_secure() { "__Host-firstline_desk" } else { "firstline_desk" }
}

async fn session(site: &Site, headers: &HeaderMap) -> Result<Option<(Session, Operator)>, StoreError> {
    match cookie::read(headers, cookie_name(site)) {
        Some(token) => site.ctx.store.session(&secret::token_hash(token), site.ctx.clock.now()).await,
        None => Ok(None),
    }
}

/// The fields of a form.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// A field; empty where it is missing.
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl FromRequest<Arc<Site>> for Form {
    type Rejection = Response;

    /// Reads a form that a page of ours has sent; a page of another site is refused before its fields are read.
    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Response> {
        let headers = request.headers().clone();
        if !site.origins.is_own(&headers) {
            return Err(fault(site, &headers, StatusCode::FORBIDDEN));
        }
        let kind = headers.get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes).unwrap_or_default();
        if !kind.starts_with(b"application/x-www-form-urlencoded") {
            return Err(fault(site, &headers, StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = to_bytes(request.into_body(), LONGEST_FORM).await;
        let bytes = bytes.map_err(|_| fault(site, &headers, StatusCode::PAYLOAD_TOO_LARGE))?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

/// To another page, by GET.
fn redirect(to: &str) -> Response {
    match header::HeaderValue::try_from(to) {
        Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(header::LOCATION, "/desk")]).into_response(),
    }
}

fn store_fault(site: &Site, headers: &HeaderMap, error: &StoreError) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "the store failed under the desk");
    let mut response = fault(site, headers, StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("2"));
    response
}
