//! Messages: one utterance each, in the order of our own sequence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{ConversationId, MessageId, OperatorId};
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

/// A source that an answer stands on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Citation {
    /// The article's key, `ru/delivery-cost`, or a message id for a memory.
    pub source: String,
    /// What to show: the article's title and section.
    pub title: String,
}
