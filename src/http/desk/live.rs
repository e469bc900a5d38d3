//! `GET /desk/events`: tells an open page of the desk that it is out of date. The page then fetches itself anew.
//! `POST /desk/c/{id}/typing`: the operator is writing, and the visitor may know.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::{Desk, Form, queue};
use crate::domain::conversation::Ownership;
use crate::domain::id::ConversationId;
use crate::http::limits::OpenStream;
use crate::http::typing::Side;
use crate::http::{Site, fault};
use crate::ports::store::StoreError;

/// How often the store is asked: other processes ring no bells here.
const POLL: Duration = Duration::from_secs(2);

/// A burst of changes is one.
const BURST: Duration = Duration::from_millis(200);

/// How often the session is looked at.
const SESSION_CHECK: Duration = Duration::from_secs(20);

const HEARTBEAT: Duration = Duration::from_secs(15);

/// Messages at the end of a conversation whose delivery may still change.
const TAIL: i64 = 30;

#[derive(Deserialize)]
pub(super) struct About {
    /// One conversation; the queue otherwise.
    #[serde(default)]
    conversation: Option<String>,
}

pub(super) async fn get(State(site): State<Arc<Site>>, desk: Desk, query: Query<About>) -> Response {
    let Ok(conversation) = query.0.conversation.map(|id| id.parse::<ConversationId>()).transpose() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(open) = site.streams.open(&format!("desk:{}", desk.operator.id)) else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let page = Page {
        changes: site.ctx.wake.changes(),
        session: desk.session.token_hash,
        session_checked: Instant::now(),
        site,
        conversation,
        shown: None,
        typing: false,
        _open: open,
    };
    let events = Sse::new(stream::unfold(page, Page::next)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    ([("x-accel-buffering", "no")], events).into_response()
}

/// The operator who has a conversation is writing. In another's, or in the bot's, that is nobody's business.
pub(super) async fn typing(
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
    let now = site.ctx.clock.now();
    if site.signs.take(&format!("typing:desk:{}", desk.operator.id), now).is_err() {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    match site.ctx.store.conversation(id).await {
        Ok(Some(found)) if found.ownership == Ownership::Human(desk.operator.id) => {
            if site.typing.sign(id, Side::Operator, now) {
                site.ctx.wake.changed(id);
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => super::store_fault(&site, &headers, &error),
    }
}

/// An open page.
struct Page {
    site: Arc<Site>,
    conversation: Option<ConversationId>,
    changes: Receiver<ConversationId>,
    session: String,
    session_checked: Instant,
    /// Of what the page was told last. Nothing at first: what changed since the page was made is not missed.
    shown: Option<u64>,
    /// The page was told that the visitor is writing.
    typing: bool,
    _open: OpenStream,
}

impl Page {
    /// Waits until what the page shows has changed. Ends with the process, with the session, or with the store's
    /// failure.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if self.shown.is_some() && !(self.wait().await && self.may_see().await) {
                return None;
            }
            if let Some(typing) = self.look_at_typing() {
                let on = if typing { "on" } else { "off" };
                return Some((Ok(Event::default().event("typing").data(on)), self));
            }
            let now = self.fingerprint().await.ok()?;
            if self.shown != Some(now) {
                self.shown = Some(now);
                // A browser passes over an event without data.
                return Some((Ok(Event::default().event("changed").data("look")), self));
            }
        }
    }

    /// Waits for a change or for the next look; false when the process stops.
    async fn wait(&mut self) -> bool {
        let next_look = Instant::now() + POLL;
        loop {
            tokio::select! {
                () = self.site.stop.cancelled() => return false,
                () = tokio::time::sleep_until(next_look) => return true,
                change = self.changes.recv() => match change {
                    Ok(changed) if self.conversation.is_some_and(|shown| shown != changed) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => tokio::time::sleep_until(next_look).await,
                },
            }
        }
        tokio::time::sleep(BURST).await;
        self.changes = self.changes.resubscribe();
        true
    }

    /// Whether the visitor is writing, if that is news to the page.
    fn look_at_typing(&mut self) -> Option<bool> {
        let now = self.site.ctx.clock.now();
        let on = self.conversation.is_some_and(|shown| self.site.typing.is_on(shown, Side::Visitor, now));
        (on != std::mem::replace(&mut self.typing, on)).then_some(on)
    }

    /// The session still lasts.
    async fn may_see(&mut self) -> bool {
        if self.session_checked.elapsed() < SESSION_CHECK {
            return true;
        }
        self.session_checked = Instant::now();
        let found = self.site.ctx.store.session(&self.session, self.site.ctx.clock.now()).await;
        matches!(found, Ok(Some(_)))
    }

    /// Two equal fingerprints show the same page.
    async fn fingerprint(&self) -> Result<u64, StoreError> {
        let mut hasher = DefaultHasher::new();
        let store = &self.site.ctx.store;
        for entry in store.queue(queue::LENGTH).await? {
            let conversation = &entry.conversation;
            (conversation.id, conversation.epoch, conversation.last_seq).hash(&mut hasher);
            entry.handoff.map(|handoff| (handoff.id, handoff.state.name())).hash(&mut hasher);
        }
        let Some(id) = self.conversation else {
            return Ok(hasher.finish());
        };
        if let Some(found) = store.conversation(id).await? {
            (found.epoch, found.last_seq).hash(&mut hasher);
            for message in store.transcript(id, (found.last_seq - TAIL).max(0), 2 * 30).await? {
                (message.seq, message.delivered_at.is_some()).hash(&mut hasher);
            }
            store.marks(id, (found.last_seq - TAIL).max(0)).await?.hash(&mut hasher);
            for fact in store.facts(found.customer).await? {
                fact.id.hash(&mut hasher);
            }
        }
        for one in store.undelivered(id).await? {
            (one.seq, one.state).hash(&mut hasher);
        }
        store.handoff(id).await?.map(|handoff| format!("{:?}", handoff.package)).hash(&mut hasher);
        Ok(hasher.finish())
    }
}
