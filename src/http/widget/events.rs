//! `GET /widget/v1/events`: what a visitor sees, as it becomes visible.
//!
//! The feed in the store is the truth. A wake-up or a poll makes us look at it; a client that comes back says how far
//! it has read, and loses and repeats nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::wire::{self, Names, WireStatus};
use super::{Visitor, upload};
use crate::domain::channel::Address;
use crate::domain::conversation::{Conversation, Ownership};
use crate::domain::id::{ConversationId, OperatorId};
use crate::domain::message::Author;
use crate::http::limits::OpenStream;
use crate::http::problem::Problem;
use crate::http::typing::Side;
use crate::http::{Asked, Site};
use crate::ports::store::StoreError;

/// How often the store is asked while something is going on, and when nothing is.
const POLL: Duration = Duration::from_secs(1);
const POLL_QUIET: Duration = Duration::from_secs(5);

/// After this long without news nothing is going on.
const QUIET_AFTER: Duration = Duration::from_mins(2);

/// How often a word is sent just to keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// When a client that lost the connection should come back.
const RECONNECT: Duration = Duration::from_secs(3);

/// Messages that are read at a time.
const PAGE: usize = 200;

#[derive(Deserialize)]
pub(super) struct From {
    /// As `Last-Event-ID`, for clients that can't set it.
    #[serde(default)]
    after: Option<i64>,
}

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    query: Asked<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let from = query.map_err(|_| Problem::invalid("after: a position in the feed is a number"))?.0;
    let last = headers.get("last-event-id").map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
    let after = match last {
        Some(None) => return Err(Problem::invalid("Last-Event-ID: a position in the feed is a number")),
        Some(position) => position,
        None => from.after,
    };
    let open = site.streams.open(&visitor.key()).ok_or_else(|| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "streams", "too many event streams are open")
            .detail("close one before opening another")
    })?;
    let feed = Feed {
        changes: site.ctx.wake.changes(),
        site,
        address: visitor.address,
        position: after.unwrap_or(0),
        ready: VecDeque::from([Event::default().retry(RECONNECT)]),
        conversation: None,
        status: None,
        typing: Typing::default(),
        names: Names::new(),
        news_at: Instant::now(),
        looked: false,
        _open: open,
    };
    let events = stream::unfold(feed, Feed::next);
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("still here");
    // A proxy that collects an answer before passing it on would break the stream.
    Ok(([("x-accel-buffering", "no")], Sse::new(events).keep_alive(keep_alive)).into_response())
}

/// One open stream.
struct Feed {
    site: Arc<Site>,
    address: Address,
    /// The feed has been told up to here.
    position: i64,
    ready: VecDeque<Event>,
    changes: Receiver<ConversationId>,
    /// The newest conversation, once there is one.
    conversation: Option<ConversationId>,
    /// As it was told last.
    status: Option<WireStatus>,
    typing: Typing,
    names: Names,
    news_at: Instant,
    looked: bool,
    _open: OpenStream,
}

/// Whether an answer is being written, and by what this was found out.
#[derive(Default)]
struct Typing {
    on: bool,
    seen: Option<(ConversationId, i64, i64, Ownership)>,
}

#[derive(Serialize)]
struct TypingEvent {
    on: bool,
}

impl Feed {
    /// The next event, and the rest. Ends with a stop of the process, or with the store's failure: the client comes
    /// back, is told so, and goes on where it was.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some((Ok(event), self));
            }
            if self.looked && !self.wait().await {
                return None;
            }
            self.looked = true;
            if let Err(error) = self.look().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a visitor's events ended with the store");
                return None;
            }
        }
    }

    /// Waits for a change or for the next look; false when the process stops.
    async fn wait(&mut self) -> bool {
        let pause = if self.news_at.elapsed() < QUIET_AFTER { POLL } else { POLL_QUIET };
        let next_look = Instant::now() + pause;
        loop {
            tokio::select! {
                () = self.site.stop.cancelled() => return false,
                () = tokio::time::sleep_until(next_look) => return true,
                change = self.changes.recv() => match change {
                    Ok(changed) if self.conversation.is_none_or(|ours| ours == changed) => return true,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return true,
                    // The bells outlive every stream; should they not, polling remains.
                    Err(RecvError::Closed) => tokio::time::sleep_until(next_look).await,
                },
            }
        }
    }

    /// Reads what is new and makes events of it.
    async fn look(&mut self) -> Result<(), StoreError> {
        loop {
            let page = self.site.ctx.store.feed(&self.address, self.position, PAGE).await?;
            let files = upload::of_feed(&self.site, &page).await?;
            for item in &page {
                if let Author::Operator(id) = item.message.author {
                    self.learn_name(id).await?;
                }
                self.position = item.position;
                if let Some(message) = wire::message(item, &self.names, &files) {
                    let event = Event::default().event("message").id(item.position.to_string());
                    self.push(event, &message);
                }
            }
            if page.len() < PAGE {
                break;
            }
        }
        // Read after the feed: nobody is said to be writing what has been told already.
        let conversation = self.site.ctx.store.conversation_at(&self.address).await?;
        self.look_at_owner(conversation).await
    }

    async fn look_at_owner(&mut self, conversation: Option<Conversation>) -> Result<(), StoreError> {
        self.conversation = conversation.as_ref().map(|found| found.id);
        if let Some(Ownership::Human(id)) = conversation.as_ref().map(|found| found.ownership) {
            self.learn_name(id).await?;
        }
        let status = wire::status(conversation.as_ref(), &self.names);
        if self.status.as_ref() != Some(&status) {
            self.push(Event::default().event("status"), &status);
            self.status = Some(status);
        }
        let typing = match &conversation {
            Some(Conversation { id, ownership: Ownership::Human(_), .. }) => {
                self.site.typing.is_on(*id, Side::Operator, self.site.ctx.clock.now())
            }
            Some(found) => self.bot_is_typing(found).await?,
            None => false,
        };
        if self.typing.on != typing {
            self.typing.on = typing;
            self.push(Event::default().event("typing"), &TypingEvent { on: typing });
        }
        Ok(())
    }

    /// The bot owes an answer: it owns the conversation, and the customer has said something that is not handled.
    async fn bot_is_typing(&mut self, found: &Conversation) -> Result<bool, StoreError> {
        let now = (found.id, found.last_seq, found.handled_seq, found.ownership);
        if self.typing.seen == Some(now) {
            return Ok(self.typing.on);
        }
        let mut on = false;
        if found.ownership == Ownership::Bot && found.handled_seq < found.last_seq {
            let unhandled = self.site.ctx.store.transcript(found.id, found.handled_seq, PAGE).await?;
            on = unhandled.iter().any(|message| message.author == Author::Customer);
        }
        self.typing.seen = Some(now);
        Ok(on)
    }

    async fn learn_name(&mut self, operator: OperatorId) -> Result<(), StoreError> {
        if !self.names.contains_key(&operator) {
            self.names = wire::names(self.site.ctx.store.operators().await?);
        }
        Ok(())
    }

    fn push(&mut self, event: Event, data: &impl Serialize) {
        self.news_at = Instant::now();
        match event.json_data(data) {
            Ok(event) => self.ready.push_back(event),
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "an event could not be written"),
        }
    }
}
