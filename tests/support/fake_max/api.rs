//! The methods of the Bot API.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Query, State as Extract};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::server::Wire;
use super::{Call, DIALOG, Fault, Shared, State, Subscription};

/// Longest text, in characters.
const TEXT: usize = 4000;

/// Every method; files are given out without a token, and no token may come with the question.
pub(super) async fn answer(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    address: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
    let mut call = Call {
        name: format!("{method} {}", address.path()),
        query,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    if let Some(name) = address.path().strip_prefix("/files/") {
        call.name = format!("{method} /files");
        return file(&shared, name, token, call, &wire).await;
    }
    let fault = {
        let mut state = shared.change();
        let is_known = token == Some(state.token.as_str());
        let fault = state.faults.get_mut(&call.name).and_then(std::collections::VecDeque::pop_front);
        state.calls.push(call.clone());
        if !is_known {
            return error(401, "verify.token", "Invalid access_token");
        }
        fault
    };
    match fault {
        Some(fault) => fail(fault, &shared, &call, &wire).await,
        None if call.name == "GET /updates" => get_updates(&shared, &call.query).await,
        None => done(&mut shared.change(), &call),
    }
}

async fn file(shared: &Shared, name: &str, token: Option<&str>, call: Call, wire: &Wire) -> Response {
    let (fault, bytes) = {
        let mut state = shared.change();
        let fault = state.faults.get_mut(&call.name).and_then(std::collections::VecDeque::pop_front);
        state.calls.push(call.clone());
        (fault, state.files.get(name).cloned())
    };
    match (fault, bytes) {
        _ if token.is_some() => StatusCode::BAD_REQUEST.into_response(),
        (Some(fault), _) => fail(fault, shared, &call, wire).await,
        (None, Some(bytes)) => bytes.into_response(),
        (None, None) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn done(state: &mut State, call: &Call) -> Response {
    let (method, path) = call.name.split_once(' ').expect("a name has two parts");
    let path: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, path.as_slice()) {
        ("GET", ["me"]) => Json(State::me()).into_response(),
        ("POST", ["messages"]) => send(state, call),
        ("GET", ["subscriptions"]) => subscriptions(state),
        ("POST", ["subscriptions"]) => subscribe(state, &call.body),
        ("DELETE", ["subscriptions"]) => {
            let url = call.query.get("url").map_or("", String::as_str);
            state.subscriptions.retain(|one| one.url != url);
            success()
        }
        ("POST", ["answers"]) => {
            let is_said = !call.body["notification"].is_null() || !call.body["message"].is_null();
            let is_named = call.query.get("callback_id").is_some_and(|id| !id.is_empty());
            if is_said && is_named { success() } else { error(400, "proto.payload", "nothing is answered") }
        }
        ("POST", ["chats", chat, "actions"]) => {
            let known = chat.parse::<i64>().is_ok_and(|chat| state.people.contains_key(&(chat - DIALOG)));
            if known { success() } else { error(404, "chat.not.found", "Chat not found") }
        }
        ("GET", ["videos", token]) => {
            let url = format!("{}/files/{token}", state.root);
            Json(json!({ "token": token, "urls": { "mp4_720": url }, "width": 9, "height": 9, "duration": 9 }))
                .into_response()
        }
        _ => error(404, "not.found", "Not found"),
    }
}

fn send(state: &mut State, call: &Call) -> Response {
    let body = &call.body;
    if let Some(missing) = ["text", "attachments", "link"].iter().find(|field| body.get(field).is_none()) {
        return error(400, "proto.payload", &format!("{missing} must be there"));
    }
    let number = |name: &str| call.query.get(name).and_then(|number| number.parse::<i64>().ok());
    let user = number("user_id").or_else(|| number("chat_id").map(|chat| chat - DIALOG));
    let text = body["text"].as_str().unwrap_or_default();
    match user {
        _ if text.chars().count() > TEXT => error(400, "proto.payload", &format!("text is too long: {text}")),
        Some(user) if state.unreachable.contains(&user) => error(403, "chat.denied", "Chat is suspended"),
        Some(user) if state.people.contains_key(&user) => {
            state.ledger.push((user, true, text.to_owned()));
            let message = state.message(user, true, json!({ "text": text, "attachments": body["attachments"] }));
            Json(json!({ "message": message })).into_response()
        }
        _ => error(404, "chat.not.found", "Chat not found"),
    }
}

fn subscriptions(state: &State) -> Response {
    let told = state.subscriptions.iter().map(|one| {
        let kinds = if one.kinds.is_empty() { Value::Null } else { json!(one.kinds) };
        json!({ "url": one.url, "time": 1_790_000_000_000_i64, "update_types": kinds, "version": null })
    });
    Json(json!({ "subscriptions": told.collect::<Vec<_>>() })).into_response()
}

fn subscribe(state: &mut State, body: &Value) -> Response {
    let url = body["url"].as_str().unwrap_or_default().to_owned();
    let kinds = body["update_types"].as_array().into_iter().flatten();
    let one = Subscription {
        url: url.clone(),
        secret: body["secret"].as_str().map(str::to_owned),
        kinds: kinds.filter_map(|kind| kind.as_str().map(str::to_owned)).collect(),
    };
    state.subscriptions.retain(|one| one.url != url);
    state.subscriptions.push(one);
    success()
}

/// Commits what stands before the marker, then waits for something to give.
async fn get_updates(shared: &Shared, query: &HashMap<String, String>) -> Response {
    let number = |name: &str, usual: i64| query.get(name).and_then(|number| number.parse().ok()).unwrap_or(usual);
    let mut changes = shared.changes.subscribe();
    let marker = number("marker", 0);
    shared.change().pending.retain(|update| update.number >= marker);
    let limit = usize::try_from(number("limit", 100).clamp(1, 1000)).expect("a small number");
    let until = Instant::now() + Duration::from_secs(number("timeout", 30).clamp(0, 90).unsigned_abs());
    loop {
        {
            let state = shared.lock();
            if !state.subscriptions.is_empty() {
                return error(405, "method.not.allowed", "The bot has subscriptions");
            }
            let batch: Vec<_> = state.pending.iter().take(limit).collect();
            if let Some(last) = batch.last() {
                let times = if state.twice { 2 } else { 1 };
                let updates = batch.iter().flat_map(|update| std::iter::repeat_n(&update.body, times));
                return Json(json!({ "updates": updates.collect::<Vec<_>>(), "marker": last.number + 1 }))
                    .into_response();
            }
        }
        if tokio::time::timeout_at(until, changes.changed()).await.is_err() {
            let next = shared.lock().last_update + 1;
            return Json(json!({ "updates": [], "marker": next })).into_response();
        }
    }
}

async fn fail(fault: Fault, shared: &Shared, call: &Call, wire: &Wire) -> Response {
    if matches!(fault, Fault::DoneThenReset | Fault::DoneThenHang) {
        done(&mut shared.change(), call);
    }
    match fault {
        Fault::TooMany(wait) => {
            let mut response = error(429, "too.many.requests", "Too many requests");
            if let Some(wait) = wait {
                response.headers_mut().insert(header::RETRY_AFTER, wait.into());
            }
            response
        }
        Fault::Error(status, code) => error(status, code, "as ordered"),
        Fault::Unsuccessful => Json(json!({ "success": false, "message": "as ordered" })).into_response(),
        Fault::Html(status) => {
            (status_of(status), [(header::CONTENT_TYPE, "text/html")], "<html><h1>nginx</h1></html>").into_response()
        }
        Fault::HalfAnswer => r#"{"message":{"bo"#.into_response(),
        Fault::Reset | Fault::DoneThenReset => {
            wire.cut();
            StatusCode::OK.into_response()
        }
        Fault::Hang | Fault::DoneThenHang => std::future::pending().await,
    }
}

fn success() -> Response {
    Json(json!({ "success": true })).into_response()
}

fn error(status: u16, code: &str, message: &str) -> Response {
    (status_of(status), Json(json!({ "code": code, "message": message }))).into_response()
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status")
}
