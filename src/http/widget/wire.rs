//! Messages and states as clients of the chat's API see them.

use std::collections::HashMap;

use serde::Serialize;

use super::upload::Files;
use crate::domain::channel::{Attachment, AttachmentKind, Button};
use crate::domain::conversation::{Conversation, Ownership};
use crate::domain::id::OperatorId;
use crate::domain::message::{Author, StoredAttachment};
use crate::ports::desk::{FeedItem, Operator};

/// Names of operators, by key.
pub(super) type Names = HashMap<OperatorId, String>;

/// Names of operators, for [`message`] and [`status`].
pub(super) fn names(operators: Vec<Operator>) -> Names {
    operators.into_iter().map(|operator| (operator.id, operator.name)).collect()
}

/// One message of the feed.
#[derive(Debug, Serialize)]
pub(super) struct WireMessage {
    /// Where it stands in the feed: what `Last-Event-ID` carries.
    position: i64,
    id: String,
    /// `customer`, `bot` or `operator`.
    author: &'static str,
    /// The operator's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    text: String,
    /// Files that came with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<WireFile>,
    /// What the words stand on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<WireSource>,
    /// Choices: what stands on each, and what a tap on it says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<Button>,
    /// When we stored it, RFC 3339.
    at: String,
}

/// A file of a message.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WireFile {
    id: String,
    kind: AttachmentKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Its bytes can be asked for.
    here: bool,
    /// It is a picture that a browser draws.
    shown: bool,
}

impl WireFile {
    pub(super) fn of(found: StoredAttachment, here: bool, shown: bool) -> Self {
        let Attachment { kind, name, size, .. } = found.file;
        Self { id: found.id.to_string(), kind, name, size, here, shown }
    }
}

/// A source of an answer.
#[derive(Debug, PartialEq, Serialize)]
struct WireSource {
    source: String,
    title: String,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct WireStatus {
    /// `bot`, `queued`, `human` or `resolved`.
    who: &'static str,
    /// The operator's name, where a person answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
}

/// A message of the feed as the visitor may see it; `None` for what is not for visitors, should the feed ever hold it.
pub(super) fn message(item: &FeedItem, names: &Names, files: &Files) -> Option<WireMessage> {
    let message = &item.message;
    let attachments = files.get(&message.id).cloned().unwrap_or_default();
    // The line that stands for a file without words says nothing beside the file.
    let is_said = |file: &WireFile| message.text.as_str() == format!("[{}]", file.kind.name());
    let text = if attachments.iter().any(is_said) { "" } else { message.text.as_str() };
    let (author, name) = match message.author {
        Author::Customer => ("customer", None),
        Author::Bot => ("bot", None),
        Author::Operator(id) => ("operator", names.get(&id).cloned()),
        Author::Note(_) => return None,
    };
    let mut sources: Vec<WireSource> = Vec::new();
    for citation in &message.citations {
        let title = if citation.title.is_empty() { &citation.source } else { &citation.title };
        if sources.iter().all(|known| known.title != *title) {
            sources.push(WireSource { source: citation.source.clone(), title: title.clone() });
        }
    }
    Some(WireMessage {
        position: item.position,
        id: message.id.to_string(),
        author,
        name,
        text: text.to_owned(),
        attachments,
        sources,
        buttons: item.buttons.clone(),
        at: message.received_at.to_string(),
    })
}

/// Who answers in the newest conversation, where there is one; else it will be the bot.
pub(super) fn status(conversation: Option<&Conversation>, names: &Names) -> WireStatus {
    let (who, operator) = match conversation.map(|found| found.ownership) {
        None | Some(Ownership::Bot) => ("bot", None),
        Some(Ownership::Queued) => ("queued", None),
        Some(Ownership::Human(id)) => ("human", names.get(&id).cloned()),
        Some(Ownership::Resolved) => ("resolved", None),
    };
    WireStatus { who, operator }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::id::{ConversationId, Ids, MessageId};
    use crate::domain::message::{Citation, Message};
    use crate::domain::text::MessageText;

    fn item(author: Author, titles: &[&str]) -> FeedItem {
        let ids = Ids::seeded(5);
        let citations = titles.iter().map(|title| Citation { source: "ru/returns".into(), title: (*title).into() });
        let message = Message {
            id: MessageId::fresh(&ids, Timestamp::UNIX_EPOCH),
            conversation: ConversationId::fresh(&ids, Timestamp::UNIX_EPOCH),
            seq: 1,
            author,
            text: MessageText::new("words"),
            citations: citations.collect(),
            received_at: Timestamp::UNIX_EPOCH,
            delivered_at: None,
        };
        FeedItem { position: 7, message, buttons: Vec::new() }
    }

    #[test]
    fn notes_never_reach_a_visitor() {
        let operator = OperatorId::fresh(&Ids::seeded(1), Timestamp::UNIX_EPOCH);
        assert!(message(&item(Author::Note(operator), &[]), &Names::new(), &Files::new()).is_none());
    }

    #[test]
    fn a_source_is_shown_once_and_never_without_a_name() {
        let shown = message(&item(Author::Bot, &["Returns", "Returns", ""]), &Names::new(), &Files::new()).unwrap();
        let titles: Vec<&str> = shown.sources.iter().map(|source| source.title.as_str()).collect();
        assert_eq!(titles, ["Returns", "ru/returns"]);
    }
}
