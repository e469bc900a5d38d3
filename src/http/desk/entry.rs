//! Logging in and out, and changing the password.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Desk, Form, LOG_IN, cookie_name, redirect, session, store_fault};
use crate::domain::id::OperatorId;
use crate::http::limits::Allowance;
use crate::http::peer::Peer;
use crate::http::problem::whole_seconds;
use crate::http::start::is_local_path;
use crate::http::words::DeskWords;
use crate::http::{Asked, Site, cookie, fault, pages, password, secret};
use crate::ports::desk::{Operator, Session};
use crate::ports::store::StoreError;

/// How long a session lasts.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// The cookie that ties the log-in form to the browser it was shown to: nobody can be logged in by another site.
const FORM_COOKIE: &str = "firstline_form";

/// How long a log-in form may lie open, in seconds.
const FORM_SECONDS: i64 = 43_200;

/// Longest login that is looked at, in bytes.
const LONGEST_LOGIN: usize = 64;

#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: Option<String>,
}

#[derive(Serialize)]
struct LogInView {
    csrf: String,
    next: String,
    login: String,
    problem: Option<String>,
    /// There is nobody who could log in.
    nobody: bool,
}

pub(super) async fn log_in_page(State(site): State<Arc<Site>>, query: Asked<Next>, headers: HeaderMap) -> Response {
    match session(&site, &headers).await {
        Ok(Some(_)) => return redirect("/desk"),
        Ok(None) => {}
        Err(error) => return store_fault(&site, &headers, &error),
    }
    let next = query.ok().and_then(|Query(query)| query.next).unwrap_or_default();
    form(&site, &headers, StatusCode::OK, "", &next, None).await
}

/// The log-in form, tied to the browser.
async fn form(
    site: &Site,
    headers: &HeaderMap,
    status: StatusCode,
    login: &str,
    next: &str,
    problem: Option<String>,
) -> Response {
    let nobody = match site.ctx.store.operators().await {
        Ok(operators) => operators.is_empty(),
        Err(error) => return store_fault(site, headers, &error),
    };
    let language = pages::language(headers);
    // A form that lies open in another tab stays good.
    let tied =
        cookie::read(headers, FORM_COOKIE).filter(|tie| tie.len() == 32 && tie.bytes().all(|b| b.is_ascii_hexdigit()));
    let csrf = tied.map_or_else(|| secret::fresh_key(&site.ctx.ids), str::to_owned);
    let tie = cookie::strict(FORM_COOKIE, &csrf, FORM_SECONDS, site.origins.is_secure());
    let view = LogInView { csrf, next: safe_next(next).to_owned(), login: login.to_owned(), problem, nobody };
    let page = site.pages.render("login.html", language, DeskWords::of(language), view);
    (status, [(header::SET_COOKIE, tie)], page).into_response()
}

/// A page of the desk, or the queue.
fn safe_next(next: &str) -> &str {
    let inside = next == "/desk" || next.starts_with("/desk/") || next.starts_with("/desk?");
    if inside && is_local_path(next) && !next.starts_with(LOG_IN) { next } else { "/desk" }
}

pub(super) async fn log_in(State(site): State<Arc<Site>>, peer: Peer, headers: HeaderMap, fields: Form) -> Response {
    let words = DeskWords::of(pages::language(&headers));
    let (login, next) = (fields.get("login").trim(), fields.get("next"));
    let tie = cookie::read(&headers, FORM_COOKIE).unwrap_or_default();
    if tie.is_empty() || !secret::same(fields.get("csrf"), tie) {
        let problem = Some(words.stale_form.to_owned());
        return form(&site, &headers, StatusCode::FORBIDDEN, login, next, problem).await;
    }
    let entered = match check(&site, &peer, login, fields.get("password")).await {
        Ok(entered) => entered,
        Err(error) => return store_fault(&site, &headers, &error),
    };
    match entered {
        Entered::Yes(operator) => {
            let next = if operator.one_time_password { super::PASSWORD } else { safe_next(next) };
            begin(&site, &headers, operator.id, next).await
        }
        Entered::No => {
            let problem = Some(words.wrong.to_owned());
            form(&site, &headers, StatusCode::UNAUTHORIZED, login, next, problem).await
        }
        Entered::TooOften(wait) => {
            let seconds = whole_seconds(wait);
            let problem = Some(words.too_many.replace("{seconds}", &seconds.to_string()));
            let page = form(&site, &headers, StatusCode::TOO_MANY_REQUESTS, login, next, problem).await;
            ([(header::RETRY_AFTER, seconds.to_string())], page).into_response()
        }
    }
}

/// How an attempt to log in ended.
enum Entered {
    Yes(Operator),
    No,
    TooOften(SignedDuration),
}

/// Checks a login and a password, in the same time whether the login is known or not.
async fn check(site: &Site, peer: &Peer, login: &str, given: &str) -> Result<Entered, StoreError> {
    let known_length = login.len() <= LONGEST_LOGIN && given.len() <= password::LONGEST;
    let login_key = format!("login:{}", if known_length { login.to_lowercase() } else { String::new() });
    let pair_key = format!("{login_key} from {}", peer.key());
    let address_key = peer.key();
    let minutes = SignedDuration::from_mins;
    let allowances = [
        Allowance { key: pair_key.clone(), free: 5, longest: minutes(15) },
        Allowance { key: address_key, free: 30, longest: minutes(15) },
        // Guesses at one login from many addresses wait too, but never so long that its owner stays outside.
        Allowance { key: login_key.clone(), free: 30, longest: SignedDuration::from_secs(10) },
    ];
    if let Err(wait) = site.log_ins.begin(&allowances, site.ctx.clock.now()) {
        site.counts.log_ins_refused.fetch_add(1, Relaxed);
        return Ok(Entered::TooOften(wait));
    }
    let found = if known_length { site.ctx.store.operator_login(login).await? } else { None };
    let (operator, hash) = found.map_or((None, None), |(operator, hash)| (Some(operator), Some(hash)));
    let given = if known_length { given.to_owned() } else { String::new() };
    let right = hashing(site, move || password::matches(&given, hash.as_deref())).await.unwrap_or(false);
    match operator {
        Some(operator) if right => {
            site.log_ins.succeeded(&[&pair_key, &login_key]);
            Ok(Entered::Yes(operator))
        }
        _ => {
            site.counts.log_ins_refused.fetch_add(1, Relaxed);
            Ok(Entered::No)
        }
    }
}

/// Runs work with a password on a thread that may block, a few at a time.
async fn hashing<T: Send + 'static>(site: &Site, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _turn = site.hashing.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

/// Begins a session with a fresh token, whatever the browser sent, and ends the one that it had.
async fn begin(site: &Site, headers: &HeaderMap, operator: OperatorId, next: &str) -> Response {
    let token = secret::fresh_token(&site.ctx.ids);
    let now = site.ctx.clock.now();
    let begun = Session {
        token_hash: secret::token_hash(&token),
        operator,
        csrf: secret::fresh_token(&site.ctx.ids),
        expires_at: now.saturating_add(SESSION).unwrap_or(now),
    };
    let (name, secure) = (cookie_name(site), site.origins.is_secure());
    let stored = async {
        if let Some(old) = cookie::read(headers, name) {
            site.ctx.store.end_session(&secret::token_hash(old)).await?;
        }
        site.ctx.store.add_session(&begun).await
    };
    if let Err(error) = stored.await {
        return store_fault(site, headers, &error);
    }
    let mut response = redirect(next);
    response.headers_mut().append(header::SET_COOKIE, cookie::strict(name, &token, SESSION.as_secs(), secure));
    response.headers_mut().append(header::SET_COOKIE, cookie::strict(FORM_COOKIE, "", 0, secure));
    response
}

pub(super) async fn log_out(State(site): State<Arc<Site>>, desk: Desk, headers: HeaderMap, fields: Form) -> Response {
    if !desk.owns(&fields) {
        return fault(&site, &headers, StatusCode::FORBIDDEN);
    }
    if let Err(error) = site.ctx.store.end_session(&desk.session.token_hash).await {
        return store_fault(&site, &headers, &error);
    }
    let gone = cookie::strict(cookie_name(&site), "", 0, site.origins.is_secure());
    ([(header::SET_COOKIE, gone)], redirect(LOG_IN)).into_response()
}

#[derive(Serialize)]
struct PasswordView {
    frame: super::Frame,
    login: String,
    one_time: bool,
    problem: Option<&'static str>,
}

pub(super) async fn password_page(State(site): State<Arc<Site>>, desk: Desk) -> Response {
    password_form(&site, &desk, StatusCode::OK, None)
}

fn password_form(site: &Site, desk: &Desk, status: StatusCode, problem: Option<&'static str>) -> Response {
    let view = PasswordView {
        frame: desk.frame(0),
        login: desk.operator.login.clone(),
        one_time: desk.operator.one_time_password,
        problem,
    };
    (status, site.pages.render("password.html", desk.language, desk.words, view)).into_response()
}

pub(super) async fn change_password(
    State(site): State<Arc<Site>>,
    desk: Desk,
    peer: Peer,
    headers: HeaderMap,
    fields: Form,
) -> Response {
    if !desk.owns(&fields) {
        return fault(&site, &headers, StatusCode::FORBIDDEN);
    }
    let (login, chosen) = (&desk.operator.login, fields.get("new"));
    match may_change(&site, &desk, &peer, &fields).await {
        Ok(None) => {}
        Ok(Some(problem)) => return password_form(&site, &desk, StatusCode::UNPROCESSABLE_ENTITY, Some(problem)),
        Err(error) => return store_fault(&site, &headers, &error),
    }
    let text = chosen.to_owned();
    let Some(Ok(hash)) = hashing(&site, move || password::hash(&text)).await else {
        return fault(&site, &headers, StatusCode::SERVICE_UNAVAILABLE);
    };
    match site.ctx.store.set_password(login, &hash, false).await {
        Ok(_) => begin(&site, &headers, desk.operator.id, "/desk").await,
        Err(error) => store_fault(&site, &headers, &error),
    }
}

/// What speaks against the change, in words for the form.
async fn may_change(site: &Site, desk: &Desk, peer: &Peer, fields: &Form) -> Result<Option<&'static str>, StoreError> {
    let (words, login, chosen) = (desk.words, &desk.operator.login, fields.get("new"));
    if chosen != fields.get("again") {
        return Ok(Some(words.password_differs));
    }
    match password::check_strength(chosen, login) {
        Err(password::Weak::Short) => return Ok(Some(words.password_short)),
        Err(password::Weak::Long) => return Ok(Some(words.password_long)),
        Err(password::Weak::Guessable) => return Ok(Some(words.password_guessable)),
        Ok(()) => {}
    }
    if desk.operator.one_time_password {
        // It was typed a moment ago; all that is left to see is that it is not kept.
        let hash = site.ctx.store.operator_login(login).await?.map(|(_, hash)| hash);
        let text = chosen.to_owned();
        let same = hashing(site, move || password::matches(&text, hash.as_deref())).await.unwrap_or(false);
        return Ok(same.then_some(words.password_same));
    }
    let current = fields.get("current");
    match check(site, peer, login, current).await? {
        Entered::Yes(_) if current == chosen => Ok(Some(words.password_same)),
        Entered::Yes(_) => Ok(None),
        Entered::No | Entered::TooOften(_) => Ok(Some(words.wrong)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_leads_to_the_desk_and_nowhere_else() {
        for next in ["/desk/c/conv_1", "/desk?x=1", "/desk"] {
            assert_eq!(safe_next(next), next);
        }
        for next in ["", "/", "/chat", "/desktop", "//desk", "https://evil.example/desk", "/desk/login", "/desk/../x\n"]
        {
            assert_eq!(safe_next(next), "/desk", "{next:?}");
        }
    }
}
