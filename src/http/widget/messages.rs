//! `POST /widget/v1/messages`: a visitor says something. 202 means that it is stored.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Body, Visitor, allow, upload};
use crate::domain::channel::{Attachment, ChannelKind, Inbound, InboundEvent, Press};
use crate::domain::text::{Language, MessageText};
use crate::flow::{self, ingest};
use crate::http::Site;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::typing::Side;
use crate::ports::store::Accepted;

/// As long as what a button bears may be, in bytes.
const LONGEST_PAYLOAD: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// Made by the client, the same for every attempt at this message: the second one changes nothing.
    client_msg_id: Uuid,
    #[serde(default)]
    text: String,
    /// Files that were uploaded before.
    #[serde(default)]
    attachment_ids: Vec<String>,
    /// What the button bears that was tapped, whose title is `text`.
    #[serde(default)]
    pressed: Option<String>,
    /// The language of the page, `ru` or `en`.
    #[serde(default)]
    language: Option<Language>,
}

#[derive(Debug, Serialize)]
pub(super) struct Stored {
    /// Its number in the conversation.
    seq: i64,
    /// Its key, under which the feed shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

pub(super) async fn post(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    peer: Peer,
    Body(request): Body<Request>,
) -> Result<(StatusCode, Json<Stored>), Problem> {
    allow(&site, &site.rates, &[visitor.key(), format!("message:{}", peer.key())])?;
    let states = !visitor.stated && visitor.claims.proven().next().is_some();
    let address = visitor.address;
    let is_terminal = address.channel == ChannelKind::Terminal;
    let files = upload::named(&site, &address, &request.attachment_ids).await?;
    let event = event(&site, request.text.trim(), request.pressed, &files)?;
    // One visitor can't use up another's ids.
    let external_id = format!("{}:{}", address.external, request.client_msg_id);
    let update = Inbound {
        display_name: if is_terminal { Some(address.external.clone()) } else { visitor.claims.name },
        language: request.language,
        attachments: files,
        ..Inbound::new(address.clone(), external_id, event)
    };
    let accepted = ingest::accept(&site.ctx, vec![update], None).await.map_err(|error| Problem::store(&error))?;
    let stored = match accepted.into_iter().next() {
        Some(Accepted::New { message, seq, conversation }) => {
            site.typing.over(conversation, Side::Visitor);
            upload::sent(&site, &address, &request.attachment_ids).await;
            if states {
                flow::visitor::state_claims(&site.ctx, &visitor.token_hash, message).await;
            }
            site.counts.messages.fetch_add(1, Relaxed);
            Stored { seq, id: Some(message.to_string()) }
        }
        Some(Accepted::Duplicate { message, seq, .. }) => Stored { seq, id: message.map(|id| id.to_string()) },
        Some(Accepted::Changed { .. } | Accepted::Noted) | None => Stored { seq: 0, id: None },
    };
    Ok((StatusCode::ACCEPTED, Json(stored)))
}

/// What the visitor does: says something, shows something, or taps a button.
fn event(site: &Site, text: &str, pressed: Option<String>, files: &[Attachment]) -> Result<InboundEvent, Problem> {
    let (length, most) = (text.chars().count(), site.ctx.config.limits.message_chars);
    if length > most {
        let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "the message is too long");
        return Err(problem.detail(format!("it has {length} characters, and at most {most} are taken")));
    }
    match (pressed, files.first()) {
        (Some(payload), None) if !text.is_empty() && (1..=LONGEST_PAYLOAD).contains(&payload.len()) => {
            Ok(InboundEvent::Pressed(Press { payload, title: Some(text.to_owned()), acknowledge: None }))
        }
        (Some(_), _) => Err(Problem::invalid("pressed: what the button bears, with what stands on it as the text")),
        (None, Some(file)) if text.is_empty() => Ok(InboundEvent::Unsupported(file.kind.name().to_owned())),
        (None, None) if text.is_empty() => Err(Problem::invalid("text: there is nothing in it")),
        (None, _) => Ok(InboundEvent::Message(MessageText::new(text))),
    }
}
