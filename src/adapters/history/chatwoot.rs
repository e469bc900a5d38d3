//! Chatwoot: conversations with their messages, as its API gives them (`GET …/conversations`, `…/messages`): a list, or an
//! object with the list under `payload` or `data.payload`. Private notes and activity are left out.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{HistoryError, Source};
use crate::domain::past::{PastAuthor, PastConversation, PastMessage};
use crate::domain::text::MessageText;

#[derive(Deserialize)]
struct Conversation {
    id: i64,
    #[serde(default)]
    meta: Meta,
    messages: Vec<Message>,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default)]
    sender: Contact,
    /// `Channel::Telegram`, `Channel::WebWidget`.
    #[serde(default)]
    channel: Option<String>,
}

#[derive(Default, Deserialize)]
struct Contact {
    #[serde(default)]
    id: i64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    identifier: Option<String>,
    #[serde(default)]
    additional_attributes: Value,
}

#[derive(Deserialize)]
struct Message {
    id: i64,
    #[serde(default)]
    content: Option<String>,
    /// 0 of the contact, 1 of ours, 2 of the system, 3 of a template.
    message_type: i64,
    /// Seconds since 1970.
    created_at: i64,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    sender_type: Option<String>,
    #[serde(default)]
    sender: Option<Sender>,
}

#[derive(Deserialize)]
struct Sender {
    #[serde(default)]
    r#type: Option<String>,
}

pub(super) fn read(text: &str, source: &Source<'_>) -> Result<Vec<PastConversation>, HistoryError> {
    let export: Value = serde_json::from_str(text).map_err(|error| source.json(&error, 0))?;
    let list = [&export["data"]["payload"], &export["payload"], &export].into_iter().find_map(Value::as_array);
    let list = list.ok_or_else(|| source.fault(1, 0, "there is no list of conversations"))?;
    list.iter().map(|conversation| one(conversation, source)).collect()
}

fn one(conversation: &Value, source: &Source<'_>) -> Result<PastConversation, HistoryError> {
    let number = conversation["id"].as_i64().unwrap_or(0);
    let Conversation { id, meta, messages } = Conversation::deserialize(conversation)
        .map_err(|_| source.fault(1, 0, format!("conversation {number}: a field is missing or not of its kind")))?;
    let telegram = meta.sender.additional_attributes.get("social_telegram_user_id");
    let telegram =
        telegram.and_then(|id| id.as_i64().map(|id| id.to_string()).or_else(|| id.as_str().map(str::to_owned)));
    let from = match (meta.channel.as_deref(), telegram) {
        (Some("Channel::Telegram"), Some(user)) => source.address(1, "telegram", user)?,
        // Elsewhere the contact has no address of ours: they are known again once they are identified.
        _ => {
            let identifier = meta.sender.identifier.unwrap_or_else(|| format!("chatwoot-{}", meta.sender.id));
            source.address(1, "web", identifier)?
        }
    };
    let said = messages.into_iter().filter(|message| !message.private && matches!(message.message_type, 0 | 1 | 3));
    let mut read = Vec::new();
    for message in said {
        let Some(text) = message.content.as_deref().filter(|text| !text.trim().is_empty()) else { continue };
        let at = Timestamp::from_second(message.created_at)
            .map_err(|_| source.fault(1, 0, format!("message {}: created_at is no time", message.id)))?;
        read.push(PastMessage {
            external_id: format!("chatwoot:{id}:{}", message.id),
            author: author(&message),
            text: MessageText::new(text),
            at,
        });
    }
    Ok(PastConversation { from, display_name: meta.sender.name, messages: read })
}

fn author(message: &Message) -> PastAuthor {
    let kind = message.sender_type.as_deref().or(message.sender.as_ref().and_then(|sender| sender.r#type.as_deref()));
    match (message.message_type, kind) {
        (0, _) => PastAuthor::Customer,
        (3, _) | (_, Some("AgentBot" | "agent_bot" | "Captain::Assistant")) => PastAuthor::Bot,
        _ => PastAuthor::Operator,
    }
}
