//! `result.json` as Telegram Desktop exports it: one chat, or all of them under `chats.list`. Only chats with one person
//! are read; what is not text is told by its kind, `[photo]`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{HistoryError, Source};
use crate::domain::past::{PastAuthor, PastConversation, PastMessage};
use crate::domain::text::MessageText;

#[derive(Deserialize)]
#[serde(untagged)]
enum Export {
    All { chats: Chats },
    One(Chat),
}

#[derive(Deserialize)]
struct Chats {
    list: Vec<Chat>,
}

#[derive(Deserialize)]
struct Chat {
    #[serde(default)]
    name: Option<String>,
    r#type: String,
    id: i64,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    id: i64,
    r#type: String,
    #[serde(default)]
    date_unixtime: Option<String>,
    /// `user123`, and a bare number in old exports.
    #[serde(default)]
    from_id: Value,
    #[serde(default)]
    text: Value,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    photo: Option<Value>,
    #[serde(default)]
    file: Option<Value>,
}

pub(super) fn read(text: &str, source: &Source<'_>) -> Result<Vec<PastConversation>, HistoryError> {
    let export: Export = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => source.fault(1, 0, "this is no export of Telegram Desktop"),
        _ => source.json(&error, 0),
    })?;
    let chats = match export {
        Export::All { chats } => chats.list,
        Export::One(chat) => vec![chat],
    };
    let with_a_person = chats.into_iter().filter(|chat| chat.r#type == "personal_chat");
    with_a_person.map(|chat| conversation(chat, source)).collect()
}

fn conversation(chat: Chat, source: &Source<'_>) -> Result<PastConversation, HistoryError> {
    let from = source.address(1, "telegram", chat.id.to_string())?;
    let mut messages = Vec::new();
    for message in chat.messages.into_iter().filter(|message| message.r#type == "message") {
        let words = words(&message);
        let at = message.date_unixtime.as_deref().and_then(|seconds| seconds.parse().ok());
        let at = at.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| {
            source.fault(
                1,
                0,
                format!(
                    "message {} of chat {} has no date_unixtime: export again with a newer Telegram Desktop",
                    message.id, chat.id
                ),
            )
        })?;
        if words.is_empty() {
            continue;
        }
        messages.push(PastMessage {
            external_id: format!("{}:{}", chat.id, message.id),
            author: if is_of(&message.from_id, chat.id) { PastAuthor::Customer } else { PastAuthor::Operator },
            text: MessageText::new(words),
            at,
        });
    }
    Ok(PastConversation { from, display_name: chat.name, messages })
}

fn is_of(from: &Value, chat: i64) -> bool {
    match from {
        Value::String(user) => user.strip_prefix("user").is_some_and(|user| user == chat.to_string()),
        Value::Number(user) => user.as_i64() == Some(chat),
        _ => false,
    }
}

/// The text, whose links and marks are pieces of their own.
fn words(message: &Message) -> String {
    let text = match &message.text {
        Value::String(text) => text.clone(),
        Value::Array(pieces) => pieces
            .iter()
            .filter_map(|piece| piece.as_str().or_else(|| piece.get("text").and_then(Value::as_str)))
            .collect(),
        _ => String::new(),
    };
    let shown = match (&message.photo, &message.media_type, &message.file) {
        (Some(_), ..) => "[photo]".to_owned(),
        (None, Some(kind), _) => format!("[{kind}]"),
        (None, None, Some(_)) => "[file]".to_owned(),
        (None, None, None) => String::new(),
    };
    [shown, text].into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join("\n")
}
