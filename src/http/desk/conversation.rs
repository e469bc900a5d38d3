//! `/desk/c/{id}`: one conversation, with what the bot passes on, what we remember, and the field to answer in.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::view::{self, Found, Unfinished};
use super::{Desk, queue, store_fault};
use crate::domain::conversation::{Conversation, Ownership};
use crate::domain::id::ConversationId;
use crate::domain::message::Message;
use crate::http::typing::Side;
use crate::http::{Asked, Site, fault};
use crate::ports::privacy::Access;
use crate::ports::store::StoreError;

/// Newest messages that are shown at first, and at most when all are asked for.
const NEWEST: i64 = 200;
const ALL: i64 = 5_000;

/// Earlier conversations that are shown.
const EPISODES: usize = 10;

#[derive(Deserialize, Default)]
pub(super) struct Shown {
    /// Anything: earlier messages too.
    #[serde(default)]
    all: Option<String>,
}

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    desk: Desk,
    Path(id): Path<String>,
    query: Asked<Shown>,
    headers: HeaderMap,
) -> Response {
    let Ok(id) = id.parse() else {
        return fault(&site, &headers, StatusCode::NOT_FOUND);
    };
    let newest = if query.is_ok_and(|Query(shown)| shown.all.is_some()) { ALL } else { NEWEST };
    page(&site, &desk, &headers, id, newest, StatusCode::OK, Unfinished::default()).await
}

/// The page again, with what was written and why it was not done.
pub(super) async fn refuse(
    site: &Site,
    desk: &Desk,
    headers: &HeaderMap,
    id: ConversationId,
    status: StatusCode,
    unfinished: Unfinished,
) -> Response {
    page(site, desk, headers, id, NEWEST, status, unfinished).await
}

async fn page(
    site: &Site,
    desk: &Desk,
    headers: &HeaderMap,
    id: ConversationId,
    newest: i64,
    status: StatusCode,
    unfinished: Unfinished,
) -> Response {
    let key = || queue::fresh_key(site);
    let loaded = async {
        let found = load(site, desk, id, newest).await?;
        let waiting = site.ctx.store.queue(queue::LENGTH).await?;
        let waiting = waiting.iter().filter(|entry| entry.conversation.ownership == Ownership::Queued).count();
        Ok::<_, StoreError>((found, waiting, queue::eyes(site, desk, &key).await?))
    };
    match loaded.await {
        Ok((Some(found), waiting, eyes)) => {
            let view = view::conversation(&eyes, found, desk.frame(waiting), unfinished);
            (status, site.pages.render("conversation.html", desk.language, desk.words, view)).into_response()
        }
        Ok((None, ..)) => fault(site, headers, StatusCode::NOT_FOUND),
        Err(error) => store_fault(site, headers, &error),
    }
}

async fn load(site: &Site, desk: &Desk, id: ConversationId, newest: i64) -> Result<Option<Found>, StoreError> {
    let store = &site.ctx.store;
    let Some(conversation) = store.conversation(id).await? else {
        return Ok(None);
    };
    let Some(customer) = store.customer(conversation.customer).await? else {
        return Ok(None);
    };
    let (who, at) = (desk.operator.login.clone(), site.ctx.clock.now());
    store.note_access(&Access { customer: customer.id, who, what: "desk".to_owned(), at }).await?;
    Ok(Some(Found {
        typing: site.typing.is_on(id, Side::Visitor, at),
        handoff: store.handoff(id).await?,
        transcript: transcript(site, &conversation, newest).await?,
        marks: store.marks(id, (conversation.last_seq - newest).max(0)).await?,
        files: store.attachments(id, (conversation.last_seq - newest).max(0)).await?,
        undelivered: store.undelivered(id).await?,
        facts: store.facts(customer.id).await?,
        episodes: store.episodes(customer.id, EPISODES).await?,
        customer,
        conversation,
    }))
}

/// The newest messages, oldest first.
async fn transcript(site: &Site, conversation: &Conversation, newest: i64) -> Result<Vec<Message>, StoreError> {
    let after = (conversation.last_seq - newest).max(0);
    // What is written meanwhile is shown as well.
    let limit = usize::try_from(newest).unwrap_or(usize::MAX).saturating_add(100);
    site.ctx.store.transcript(conversation.id, after, limit).await
}
