//! JSON Lines, one message each:
//!
//! ```json
//! {"id": "17", "channel": "telegram", "address": "12345", "name": "Анна", "from": "customer", "text": "…", "at": "2025-03-12T14:00:00+03:00"}
//! ```
//!
//! `from` is customer, bot or operator; `name` may be left out. Lines of the same channel and address are one chat.

use jiff::Timestamp;
use serde::Deserialize;

use super::{HistoryError, Source};
use crate::domain::past::{PastAuthor, PastConversation, PastMessage};
use crate::domain::text::MessageText;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    channel: String,
    address: String,
    #[serde(default)]
    name: Option<String>,
    from: From,
    text: String,
    at: Timestamp,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum From {
    Customer,
    Bot,
    Operator,
}

pub(super) fn read(text: &str, source: &Source<'_>) -> Result<Vec<PastConversation>, HistoryError> {
    let mut chats: Vec<PastConversation> = Vec::new();
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line).map_err(|error| source.json(&error, place))?;
        let from = source.address(place + 1, &line.channel, line.address)?;
        let message = PastMessage {
            external_id: line.id,
            author: match line.from {
                From::Customer => PastAuthor::Customer,
                From::Bot => PastAuthor::Bot,
                From::Operator => PastAuthor::Operator,
            },
            text: MessageText::new(line.text),
            at: line.at,
        };
        match chats.iter_mut().find(|chat| chat.from == from) {
            Some(chat) => {
                chat.display_name = line.name.or_else(|| chat.display_name.take());
                chat.messages.push(message);
            }
            None => chats.push(PastConversation { from, display_name: line.name, messages: vec![message] }),
        }
    }
    Ok(chats)
}
