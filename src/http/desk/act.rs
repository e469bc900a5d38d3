//! `POST /desk/c/{id}/act`: what an operator does to a conversation.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::view::Unfinished;
use super::{Desk, Form, conversation, redirect};
use crate::domain::conversation::{OperatorAction, Refused};
use crate::domain::id::ConversationId;
use crate::domain::text::MessageText;
use crate::flow::operator::{OperatorError, act};
use crate::http::typing::Side;
use crate::http::{Site, fault};

/// Longest key of an action.
const LONGEST_KEY: usize = 64;

pub(super) async fn post(
    State(site): State<Arc<Site>>,
    desk: Desk,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let id = match desk.conversation(&form, &id) {
        Ok(id) => id,
        Err(status) => return fault(&site, &headers, status),
    };
    let text = form.get("text").trim().replace("\r\n", "\n");
    let key = form.get("action_id");
    if key.is_empty() || key.len() > LONGEST_KEY {
        return fault(&site, &headers, StatusCode::BAD_REQUEST);
    }
    let most = site.ctx.config.limits.message_chars;
    let action = match form.get("action") {
        "take" => OperatorAction::Take,
        "release" => OperatorAction::Release,
        "resolve" => OperatorAction::Resolve,
        "reply" | "note" if text.is_empty() || text.chars().count() > most => {
            let words = if text.is_empty() { desk.words.problem_empty } else { desk.words.problem_too_long };
            let unfinished = Unfinished { draft: text, problem: Some(words.replace("{most}", &most.to_string())) };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return conversation::refuse(&site, &desk, &headers, id, status, unfinished).await;
        }
        "reply" => OperatorAction::Reply(MessageText::new(&text)),
        "note" => OperatorAction::Note(MessageText::new(&text)),
        _ => return fault(&site, &headers, StatusCode::BAD_REQUEST),
    };
    let leaves = matches!(action, OperatorAction::Release | OperatorAction::Resolve);
    match act(&site.ctx, desk.operator.id, id, action, key.to_owned()).await {
        // What is so already was pressed twice, or by two people: it is as it was meant to be.
        Ok(()) | Err(OperatorError::Refused(Refused::AlreadyResolved | Refused::NotHeld)) if leaves => {
            redirect("/desk")
        }
        Ok(()) => {
            site.typing.over(id, Side::Operator);
            redirect(&format!("/desk/c/{id}#write"))
        }
        Err(OperatorError::NotFound) => fault(&site, &headers, StatusCode::NOT_FOUND),
        Err(error) => refused(&site, &desk, &headers, id, text, error).await,
    }
}

/// The page again: nothing that was written is lost.
async fn refused(
    site: &Site,
    desk: &Desk,
    headers: &HeaderMap,
    id: ConversationId,
    draft: String,
    error: OperatorError,
) -> Response {
    let words = desk.words;
    let problem = match error {
        OperatorError::Refused(Refused::HeldBy(holder)) => {
            let operators = site.ctx.store.operators().await.unwrap_or_default();
            let holder = operators.into_iter().find(|operator| operator.id == holder).map(|operator| operator.name);
            words.problem_held.replace("{name}", &holder.unwrap_or_else(|| words.colleague.to_owned()))
        }
        OperatorError::Refused(Refused::AlreadyResolved) => words.problem_resolved.to_owned(),
        OperatorError::Refused(Refused::NotHeld) => words.problem_not_held.to_owned(),
        OperatorError::Busy | OperatorError::NotFound => words.problem_busy.to_owned(),
        OperatorError::Store(error) => return super::store_fault(site, headers, &error),
    };
    let unfinished = Unfinished { draft, problem: Some(problem) };
    conversation::refuse(site, desk, headers, id, StatusCode::CONFLICT, unfinished).await
}
