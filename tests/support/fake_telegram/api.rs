//! The methods of the Bot API.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Query, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::super::server::Wire;
use super::{Fault, Line, Shared, State, Webhook};

/// Longest text, in UTF-16 units.
const TEXT_UNITS: usize = 4096;

/// Largest file that is given out, in bytes.
const MOST_OF_A_FILE: usize = 20 * 1024 * 1024;

/// `/bot{token}/{method}`, in any case.
pub(super) async fn answer(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path((bot, method)): Path<(String, String)>,
    Query(query): Query<Map<String, Value>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let method = method.to_lowercase();
    let parameters = parameters(query, &headers, &body);
    let fault = {
        let mut state = shared.change();
        if bot != format!("bot{}", state.token) {
            return error(401, "Unauthorized");
        }
        state.calls.push((method.clone(), parameters.clone()));
        state.faults.get_mut(&method).and_then(std::collections::VecDeque::pop_front)
    };
    let response = match fault {
        Some(fault) => fail(fault, &shared, &method, &parameters, &wire).await,
        None if method == "getupdates" => get_updates(&shared, &parameters).await,
        None => call(&mut shared.change(), &method, &parameters),
    };
    if method == "sendmessage" {
        HeldSend::begun(&shared, &parameters).until_let_go().await;
    }
    response
}

/// A send whose answer waits for as long as the test wants, or until its client is gone.
struct HeldSend<'a> {
    shared: &'a Shared,
    chat: i64,
}

impl<'a> HeldSend<'a> {
    fn begun(shared: &'a Shared, parameters: &Value) -> Self {
        let chat = chat_id(parameters).unwrap_or_default();
        shared.change().held_sends.push(chat);
        Self { shared, chat }
    }

    async fn until_let_go(self) {
        let mut changes = self.shared.changes.subscribe();
        while self.shared.lock().holds_sends && changes.changed().await.is_ok() {}
    }
}

impl Drop for HeldSend<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.change();
        if let Some(place) = state.held_sends.iter().position(|chat| *chat == self.chat) {
            state.held_sends.swap_remove(place);
        }
    }
}

fn call(state: &mut State, method: &str, parameters: &Value) -> Response {
    match method {
        "getme" => {
            let mut me = state.me();
            for ability in [
                "can_join_groups",
                "can_read_all_group_messages",
                "supports_inline_queries",
                "can_connect_to_business",
                "has_main_web_app",
            ] {
                me[ability] = json!(false);
            }
            ok(me)
        }
        "setwebhook" => set_webhook(state, parameters),
        "deletewebhook" => {
            state.webhook = None;
            if parameters["drop_pending_updates"] == json!(true) {
                state.pending.clear();
            }
            ok(json!(true))
        }
        "getwebhookinfo" => ok(json!({
            "url": state.webhook.as_ref().map_or("", |webhook| &webhook.url),
            "has_custom_certificate": false,
            "pending_update_count": state.pending.len(),
        })),
        "sendmessage" => send_message(state, parameters),
        "answercallbackquery" => {
            if parameters["callback_query_id"].as_str().is_some_and(|id| state.taps.remove(id)) {
                ok(json!(true))
            } else {
                error(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
            }
        }
        "editmessagereplymarkup" => edit_buttons(state, parameters),
        "getbusinessconnection" => {
            let told = state.connection(parameters["business_connection_id"].as_str().unwrap_or_default());
            told.map_or_else(|| error(400, "Bad Request: BUSINESS_CONNECTION_INVALID"), ok)
        }
        "getfile" => get_file(state, parameters["file_id"].as_str().unwrap_or_default()),
        "sendchataction" => match chat_of(state, parameters) {
            Ok(_) => ok(json!(true)),
            Err(refusal) => refusal,
        },
        _ => error(404, "Not Found"),
    }
}

fn send_message(state: &mut State, parameters: &Value) -> Response {
    let chat = match chat_of(state, parameters) {
        Ok(chat) => chat,
        Err(refusal) => return refusal,
    };
    let text = parameters["text"].as_str().unwrap_or_default().trim();
    if text.is_empty() {
        return error(400, "Bad Request: message text is empty");
    }
    if text.encode_utf16().count() > TEXT_UNITS {
        return error(400, "Bad Request: message is too long");
    }
    if let Some(fault) = fault_of_buttons(parameters) {
        return error(400, fault);
    }
    state.ledger.push((chat, Line { by_bot: true, text: text.to_owned() }));
    let mut content = json!({ "text": text });
    for field in ["reply_markup", "business_connection_id"] {
        if let Some(value) = parameters.get(field) {
            content[field] = value.clone();
        }
    }
    let could_be_written_to = state.people.contains_key(&chat);
    let message = state.message(chat, true, content);
    if !could_be_written_to {
        state.people.remove(&chat);
    }
    state.sent.push(message.clone());
    ok(message)
}

/// What stands on the buttons of a message, and what they bear.
pub(super) fn buttons(message: &Value) -> impl Iterator<Item = (&str, &str)> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
    let buttons = rows.filter_map(Value::as_array).flatten();
    buttons.filter_map(|button| Some((button["text"].as_str()?, button["callback_data"].as_str()?)))
}

fn fault_of_buttons(parameters: &Value) -> Option<&'static str> {
    if buttons(parameters).any(|(_, payload)| payload.is_empty() || payload.len() > 64) {
        return Some("Bad Request: BUTTON_DATA_INVALID");
    }
    buttons(parameters).any(|(title, _)| title.is_empty()).then_some("Bad Request: can't parse inline keyboard button")
}

/// Takes buttons away; nothing else is asked of it.
fn edit_buttons(state: &mut State, parameters: &Value) -> Response {
    let is_it = |message: &&mut Value| {
        message["message_id"] == parameters["message_id"] && message["chat"]["id"] == parameters["chat_id"]
    };
    let Some(message) = state.sent.iter_mut().find(is_it) else {
        return error(400, "Bad Request: message to edit not found");
    };
    if let Some(fields) = message.as_object_mut() {
        fields.remove("reply_markup");
    }
    ok(message.clone())
}

fn get_file(state: &State, id: &str) -> Response {
    match state.files.get(id) {
        None => error(400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
        Some(bytes) if bytes.len() > MOST_OF_A_FILE => error(400, "Bad Request: file is too big"),
        Some(bytes) => ok(json!({
            "file_id": id, "file_unique_id": id, "file_size": bytes.len(), "file_path": format!("documents/{id}"),
        })),
    }
}

/// `/file/bot{token}/documents/{id}`
pub(super) async fn file(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path((bot, path)): Path<(String, String)>,
) -> Response {
    let (fault, bytes) = {
        let mut state = shared.change();
        if bot != format!("bot{}", state.token) {
            return error(401, "Unauthorized");
        }
        let fault = state.faults.get_mut("file").and_then(std::collections::VecDeque::pop_front);
        (fault, path.strip_prefix("documents/").and_then(|id| state.files.get(id)).cloned())
    };
    match (fault, bytes) {
        (Some(fault), _) => fail(fault, &shared, "file", &Value::Null, &wire).await,
        (None, Some(bytes)) => bytes.into_response(),
        (None, None) => error(404, "Not Found"),
    }
}

/// The chat of a call, if the bot may write there.
#[expect(clippy::result_large_err, reason = "the refusal is the answer itself")]
fn chat_of(state: &State, parameters: &Value) -> Result<i64, Response> {
    if let Some(connection) = parameters["business_connection_id"].as_str() {
        let chat = chat_id(parameters).filter(|chat| state.may_reply(connection, *chat));
        return chat.ok_or_else(|| error(400, "Bad Request: BUSINESS_PEER_INVALID"));
    }
    match chat_id(parameters).filter(|chat| state.people.contains_key(chat)) {
        None => Err(error(400, "Bad Request: chat not found")),
        Some(chat) if state.blocked.contains(&chat) => Err(blocked()),
        Some(chat) => Ok(chat),
    }
}

fn chat_id(parameters: &Value) -> Option<i64> {
    let id = &parameters["chat_id"];
    id.as_i64().or_else(|| id.as_str()?.parse().ok())
}

fn set_webhook(state: &mut State, parameters: &Value) -> Response {
    let secret = parameters["secret_token"].as_str().unwrap_or_default();
    if secret.len() > 256 || !secret.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return error(400, "Bad Request: secret token contains unallowed characters");
    }
    let url = parameters["url"].as_str().unwrap_or_default();
    let connections = parameters["max_connections"].as_u64().unwrap_or(40).clamp(1, 100);
    state.webhook = (!url.is_empty()).then(|| Webhook {
        url: url.to_owned(),
        secret: secret.to_owned(),
        max_connections: usize::try_from(connections).expect("a small number"),
    });
    allow(state, parameters);
    ok(json!(true))
}

/// Confirms what stands before the offset, then waits for something to give.
async fn get_updates(shared: &Shared, parameters: &Value) -> Response {
    let mut changes = shared.changes.subscribe();
    let this_poll = {
        let mut state = shared.change();
        allow(&mut state, parameters);
        let offset = parameters["offset"].as_i64().unwrap_or(0);
        state.pending.retain(|update| update.id >= offset);
        state.polls += 1;
        state.polls
    };
    let limit = usize::try_from(parameters["limit"].as_u64().unwrap_or(100).clamp(1, 100)).expect("a small number");
    let until = Instant::now() + Duration::from_secs(parameters["timeout"].as_u64().unwrap_or(0));
    loop {
        {
            let state = shared.lock();
            if state.webhook.is_some() {
                return error(
                    409,
                    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
                );
            }
            if state.polls != this_poll {
                return error(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                );
            }
            if !state.pending.is_empty() {
                let times = if state.twice { 2 } else { 1 };
                let batch = state.pending.iter().take(limit);
                let batch = batch.flat_map(|update| std::iter::repeat_n(update.body.clone(), times));
                return ok(batch.collect());
            }
        }
        if tokio::time::timeout_at(until, changes.changed()).await.is_err() {
            return ok(json!([]));
        }
    }
}

/// Keeps the list of kinds for updates to come; without one the last holds.
fn allow(state: &mut State, parameters: &Value) {
    if let Some(kinds) = parameters["allowed_updates"].as_array() {
        state.allowed = kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
    }
}

async fn fail(fault: Fault, shared: &Shared, method: &str, parameters: &Value, wire: &Wire) -> Response {
    if matches!(fault, Fault::ShowThenReset | Fault::ShowThenHang) {
        call(&mut shared.change(), method, parameters);
    }
    match fault {
        Fault::TooMany(seconds) => error_with(
            429,
            &format!("Too Many Requests: retry after {seconds}"),
            Some(json!({ "retry_after": seconds })),
        ),
        Fault::Blocked => blocked(),
        Fault::Error(code, description) => error(code, description),
        Fault::Migrated(chat) => error_with(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            Some(json!({ "migrate_to_chat_id": chat })),
        ),
        Fault::Html(status) => {
            (status_of(status), [(header::CONTENT_TYPE, "text/html")], "<html><h1>nginx</h1></html>").into_response()
        }
        Fault::HalfAnswer => r#"{"ok":true,"result":{"messa"#.into_response(),
        Fault::Reset | Fault::ShowThenReset => {
            wire.cut();
            StatusCode::OK.into_response()
        }
        Fault::Hang | Fault::ShowThenHang => std::future::pending().await,
    }
}

fn blocked() -> Response {
    error(403, "Forbidden: bot was blocked by the user")
}

fn ok(result: Value) -> Response {
    let mut body = json!({ "ok": true });
    body["result"] = result;
    Json(body).into_response()
}

fn error(code: u16, description: &str) -> Response {
    error_with(code, description, None)
}

fn error_with(code: u16, description: &str, parameters: Option<Value>) -> Response {
    let mut body = json!({ "ok": false, "error_code": code, "description": description });
    if let Some(parameters) = parameters {
        body["parameters"] = parameters;
    }
    (status_of(code), Json(body)).into_response()
}

fn status_of(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("a status")
}

/// What was given in the query, as a form, or as JSON; outside JSON, values that look like JSON are read as JSON.
fn parameters(query: Map<String, Value>, headers: &HeaderMap, body: &[u8]) -> Value {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let form = kind.starts_with("application/x-www-form-urlencoded").then(|| url::form_urlencoded::parse(body));
    let form = form.into_iter().flatten().map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
    let text = query.into_iter().chain(form).map(|(name, value)| {
        let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
        (name, parsed.unwrap_or(value))
    });
    let json: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    Value::Object(text.chain(json).collect())
}
