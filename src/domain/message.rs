//! Messages: one utterance each, in the order of our own sequence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::Attachment;
use super::id::{AttachmentId, ConversationId, MessageId, OperatorId};
use super::text::MessageText;

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "author", content = "operator")]
pub enum Author {
    /// The customer.
    Customer,
    /// The bot: answers, questions and notices.
    Bot,
    /// A person of ours, to the customer.
    Operator(OperatorId),
    /// A person of ours, to colleagues only: never delivered.
    Note(OperatorId),
}

/// One utterance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its key; facts, packages and citations point here.
    pub id: MessageId,
    /// Where it was said.
    pub conversation: ConversationId,
    /// Position in the conversation, counted from 1 without regard to who speaks.
    pub seq: i64,
    /// Who said it.
    pub author: Author,
    /// The words, with secrets masked.
    pub text: MessageText,
    /// What the words stand on; empty for people.
    pub citations: Vec<Citation>,
    /// When we stored it.
    pub received_at: Timestamp,
    /// When it became visible to the customer: at once for their own words, on delivery for ours.
    pub delivered_at: Option<Timestamp>,
}

/// A file that came with a message, as it is known to us.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAttachment {
    /// Its key.
    pub id: AttachmentId,
    /// The message that it came with.
    pub message: MessageId,
    /// What the channel told of it.
    pub file: Attachment,
    /// Where its bytes are.
    pub state: AttachmentState,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentState {
    /// At the channel.
    Remote,
    /// With us.
    Stored,
    /// At the channel, and not to be fetched: too large, or of a type that we don't take.
    Refused,
    /// Nowhere that we can reach.
    Gone,
}

impl AttachmentState {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            AttachmentState::Remote => "remote",
            AttachmentState::Stored => "stored",
            AttachmentState::Refused => "refused",
            AttachmentState::Gone => "gone",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [AttachmentState::Remote, AttachmentState::Stored, AttachmentState::Refused, AttachmentState::Gone]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A source that an answer stands on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Citation {
    /// The article's key, `ru/delivery-cost`, or a message id for a memory.
    pub source: String,
    /// What to show: the article's title and section.
    pub title: String,
}
