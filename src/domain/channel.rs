//! Channels and what comes in through them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::{Language, MessageText};

/// A medium in which a customer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// The web chat: a page, or the embedded widget.
    Web,
    /// The terminal client, `firstline chat`.
    Terminal,
    /// Telegram Bot API.
    Telegram,
}

impl ChannelKind {
    /// All kinds.
    pub const ALL: [ChannelKind; 3] = [ChannelKind::Web, ChannelKind::Terminal, ChannelKind::Telegram];

    /// The name in the database, in logs and in configuration.
    pub fn name(self) -> &'static str {
        match self {
            ChannelKind::Web => "web",
            ChannelKind::Terminal => "terminal",
            ChannelKind::Telegram => "telegram",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl std::fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One identity of a customer on one account of one channel: where a reply goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// The medium.
    pub channel: ChannelKind,
    /// The bot or number of ours on which it came.
    pub account: String,
    /// The channel's own key for the other side: a chat id, a visitor id.
    pub external: String,
}

/// An update that was verified and decoded, ready for [`crate::ports::store::Loop::accept`].
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// Who wrote, and where an answer goes.
    pub from: Address,
    /// The channel's key of this update; with channel and account it decides what is a duplicate.
    pub external_id: String,
    /// What happened.
    pub event: InboundEvent,
    /// Their clock, where the channel tells it. Ours orders.
    pub sent_at: Option<Timestamp>,
    /// The name that the channel shows for the customer, already masked.
    pub display_name: Option<String>,
    /// The language that the channel tells for the customer.
    pub language: Option<Language>,
}

/// What an update says.
#[derive(Debug, Clone, PartialEq)]
pub enum InboundEvent {
    /// The customer wrote. The text is masked already: secrets never reach the store.
    Message(MessageText),
    /// The customer sent something that this channel can't show to the bot yet (a photo, a voice note, a sticker);
    /// the word names it for the operator. Ends with a person, or with an honest word.
    Unsupported(String),
    /// The customer opened the chat without a word (`/start`): greeted, not answered.
    Started,
    /// The customer blocked the bot: nothing can be delivered any more.
    Blocked,
}

/// What stands in the transcript for [`InboundEvent::Started`].
pub const STARTED_TEXT: &str = "/start";

impl InboundEvent {
    /// The event as a line of the transcript; `None` where the customer said nothing. What can't be shown stands in
    /// brackets: `[photo]`.
    pub fn transcript_text(&self) -> Option<MessageText> {
        match self {
            InboundEvent::Message(text) => Some(text.clone()),
            InboundEvent::Unsupported(what) => Some(MessageText::new(format!("[{what}]"))),
            InboundEvent::Started => Some(MessageText::new(STARTED_TEXT)),
            InboundEvent::Blocked => None,
        }
    }
}

/// How far a channel that is polled has been read; stored in the transaction that stores what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The channel polled.
    pub channel: ChannelKind,
    /// Our account on it.
    pub account: String,
    /// The channel's own position, opaque to us.
    pub position: String,
}
