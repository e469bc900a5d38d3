//! The edges and nodes of the Graph API.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::server::Wire;
use super::{Fault, Shared, State};

/// Longest text, in characters.
const TEXT: usize = 4096;

/// Longest text above buttons or a list.
const CHOICES_TEXT: usize = 1024;

/// `POST /{phone number id}/messages`.
pub(super) async fn messages(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path(node): Path<String>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let fault = {
        let mut state = shared.change();
        if let Some(refusal) = stranger(&state, &headers) {
            return refusal;
        }
        if node != state.phone_number_id {
            return error(400, 100);
        }
        state.sent.push(request.clone());
        state.faults.pop_front()
    };
    match fault {
        Some(fault) => fail(fault, &shared, Some(&request), &wire).await,
        None => done(&mut shared.change(), &request),
    }
}

fn done(state: &mut State, request: &Value) -> Response {
    if request["messaging_product"] != "whatsapp" {
        return error(400, 100);
    }
    if request["status"] == "read" {
        let message = request["message_id"].as_str().unwrap_or_default();
        if !state.written.contains(message) {
            return error(400, 131_009);
        }
        if request["typing_indicator"]["type"] == "text" {
            state.shown_typing.push(message.to_owned());
        }
        return Json(json!({ "success": true })).into_response();
    }
    send(state, request)
}

/// Up to three buttons, or a list of up to ten, with titles that fit.
fn are_choices(interactive: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (choices, most, longest) = match interactive["type"].as_str() {
        Some("button") => {
            let buttons = list(&interactive["action"]["buttons"]);
            (buttons.iter().map(|button| button["reply"].clone()).collect(), 3, 20)
        }
        Some("list") if interactive["action"]["button"].as_str().is_some_and(|word| word.chars().count() <= 20) => {
            (list(&interactive["action"]["sections"][0]["rows"]), 10, 24)
        }
        _ => return false,
    };
    let fits =
        |value: &Value, most: usize| value.as_str().is_some_and(|text| (1..=most).contains(&text.chars().count()));
    let is_choice = |choice: &Value| fits(&choice["title"], longest) && fits(&choice["id"], 200);
    (1..=most).contains(&choices.len()) && choices.iter().all(is_choice)
}

fn send(state: &mut State, request: &Value) -> Response {
    let (text, most) = match request["type"].as_str() {
        Some("interactive") if are_choices(&request["interactive"]) => {
            (&request["interactive"]["body"]["text"], CHOICES_TEXT)
        }
        Some("text") => (&request["text"]["body"], TEXT),
        _ => return error(400, 100),
    };
    let text = text.as_str().unwrap_or_default();
    if text.trim().is_empty() || text.chars().count() > most {
        return error(400, 100);
    }
    let Some(phone) = state.phone_of(request) else { return error(400, 131_026) };
    if state.closed.contains(&phone) {
        return error(400, 131_047);
    }
    let id = format!("wamid.out{}", state.next());
    if state.fails_later.is_none() {
        state.ledger.push((phone.clone(), text.to_owned()));
    }
    state.tell(&id, &phone, request);
    let input = if request["to"].is_string() { &request["to"] } else { &request["recipient"] };
    Json(json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": input, "wa_id": phone }],
        "messages": [{ "id": id, "message_status": "accepted" }],
    }))
    .into_response()
}

/// `GET /{id}`: our number, or a file.
pub(super) async fn node(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path(node): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = stranger(&shared.lock(), &headers) {
        return refusal;
    }
    if node == shared.lock().phone_number_id {
        let number = json!({ "display_phone_number": "+1 555-078-3881", "verified_name": "Мята", "id": node });
        return Json(number).into_response();
    }
    let fault = shared.change().file_faults.pop_front();
    if let Some(fault) = fault {
        return fail(fault, &shared, None, &wire).await;
    }
    let state = shared.lock();
    let Some(bytes) = state.files.get(&node) else { return error(400, 100) };
    Json(json!({
        "messaging_product": "whatsapp",
        "url": format!("{}/files/{node}", state.root),
        "mime_type": "application/octet-stream",
        "sha256": firstline::domain::text::hex(&Sha256::digest(bytes)),
        "file_size": bytes.len().to_string(),
        "id": node,
    }))
    .into_response()
}

/// The file itself; its address alone is not enough.
pub(super) async fn file(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    if stranger(&shared.lock(), &headers).is_some() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let fault = shared.change().file_faults.pop_front();
    if let Some(fault) = fault {
        return fail(fault, &shared, None, &wire).await;
    }
    let bytes = shared.lock().files.get(&file).cloned();
    bytes.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

fn stranger(state: &State, headers: &HeaderMap) -> Option<Response> {
    let given = headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok()).unwrap_or_default();
    (given != format!("Bearer {}", state.token)).then(|| error(401, 190))
}

async fn fail(fault: Fault, shared: &Shared, request: Option<&Value>, wire: &Wire) -> Response {
    if let (Fault::ShowThenReset | Fault::ShowThenHang, Some(request)) = (fault, request) {
        done(&mut shared.change(), request);
    }
    match fault {
        Fault::Error(status, code) => error(status, code),
        Fault::Html(status, wait) => {
            let page = (status_of(status), [(header::CONTENT_TYPE, "text/html")], "<html><h1>nginx</h1></html>");
            match wait {
                Some(seconds) => ([(header::RETRY_AFTER, seconds.to_string())], page).into_response(),
                None => page.into_response(),
            }
        }
        Fault::HalfAnswer => r#"{"messaging_product":"whatsapp","messa"#.into_response(),
        Fault::NoMessage => Json(json!({ "messaging_product": "whatsapp", "messages": [] })).into_response(),
        Fault::Reset | Fault::ShowThenReset => {
            wire.cut();
            StatusCode::OK.into_response()
        }
        Fault::Hang | Fault::ShowThenHang => std::future::pending().await,
    }
}

fn error(status: u16, code: i64) -> Response {
    let told = json!({
        "message": format!("(#{code}) Recipient +79990000000 as ordered"),
        "type": "OAuthException",
        "code": code,
        "error_data": { "messaging_product": "whatsapp", "details": "тайна" },
        "fbtrace_id": "A1b2C3",
    });
    (status_of(status), Json(json!({ "error": told }))).into_response()
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status")
}
