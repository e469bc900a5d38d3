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
    /// WhatsApp Cloud API.
    WhatsApp,
    /// MAX Bot API.
    Max,
}

impl ChannelKind {
    /// All kinds.
    pub const ALL: [ChannelKind; 5] =
        [ChannelKind::Web, ChannelKind::Terminal, ChannelKind::Telegram, ChannelKind::WhatsApp, ChannelKind::Max];

    /// The name in the database, in logs and in configuration.
    pub fn name(self) -> &'static str {
        match self {
            ChannelKind::Web => "web",
            ChannelKind::Terminal => "terminal",
            ChannelKind::Telegram => "telegram",
            ChannelKind::WhatsApp => "whatsapp",
            ChannelKind::Max => "max",
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
    /// The channel's own id of the customer's message, where it has one: what edits, deletions and replies name.
    pub message_id: Option<String>,
    /// Files that came with the message.
    pub attachments: Vec<Attachment>,
    /// More of the same may follow at once: it is one picture of an album.
    pub more_follows: bool,
    /// Their clock, where the channel tells it. Ours orders.
    pub sent_at: Option<Timestamp>,
    /// The name that the channel shows for the customer, already masked.
    pub display_name: Option<String>,
    /// The language that the channel tells for the customer.
    pub language: Option<Language>,
    /// The sender's own number, where the channel vouches for it.
    pub phone: Option<String>,
    /// The token of a link of ours, where they came by one.
    pub link: Option<String>,
}

impl Inbound {
    /// An update of which nothing more is known.
    pub fn new(from: Address, external_id: impl Into<String>, event: InboundEvent) -> Self {
        Self {
            from,
            external_id: external_id.into(),
            event,
            message_id: None,
            attachments: Vec::new(),
            more_follows: false,
            sent_at: None,
            display_name: None,
            language: None,
            phone: None,
            link: None,
        }
    }
}

/// What an update says.
#[derive(Debug, Clone, PartialEq)]
pub enum InboundEvent {
    /// The customer wrote. The text is masked already: secrets never reach the store.
    Message(MessageText),
    /// The customer sent something without words (a photo, a voice note, a sticker); the word names it for the operator.
    /// Ends with a person, or with an honest word.
    Unsupported(String),
    /// The customer opened the chat without a word (`/start`): greeted, not answered.
    Started {
        /// What the link bore by which they came.
        payload: Option<String>,
    },
    /// The customer tapped a button of ours.
    Pressed(Press),
    /// The customer shared a contact.
    Contact(SharedContact),
    /// The customer changed the words of a message of theirs.
    Edited {
        /// The channel's own id of the message.
        message_id: String,
        /// What it says now, masked.
        text: MessageText,
    },
    /// The customer took messages of theirs back.
    Deleted {
        /// The channel's own ids of the messages.
        message_ids: Vec<String>,
    },
    /// What became of a part that we sent.
    Receipt(DeliveryReport),
    /// A person of ours wrote to the customer past us, in the messenger itself: the chat is theirs from now on.
    TakenOver(MessageText),
    /// The address has become another one: a changed number, a chat that was moved.
    Moved {
        /// The channel's new key for the other side, on the same account.
        to: String,
    },
    /// The customer blocked the bot: nothing can be delivered any more.
    Blocked,
}

/// A tap on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    /// What the button was made with: see [`Button::payload`].
    pub payload: String,
    /// What stands on the button, where the channel tells it.
    pub title: Option<String>,
    /// The channel's key under which the tap is to be acknowledged, where it wants that.
    pub acknowledge: Option<String>,
}

/// A contact that the customer shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedContact {
    /// The number as the channel gave it.
    pub phone: String,
    /// The name in the contact.
    pub name: Option<String>,
    /// The channel vouches that it is the sender's own number: a proof, and not only something said.
    pub is_own: bool,
}

/// A file that came with a message. The bytes are still at the channel: see [`crate::ports::channel::Channel::fetch`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// The channel's key by which its bytes are fetched: a file id, an address.
    pub remote: String,
    /// The name that the customer gave it.
    pub name: Option<String>,
    /// What the channel says of its type; not to be believed.
    pub mime: Option<String>,
    /// Bytes, as the channel says.
    pub size: Option<u64>,
    /// Seconds, of what is heard or seen.
    pub seconds: Option<u32>,
    /// Its words, where the channel has transcribed it already.
    pub transcript: Option<MessageText>,
}

/// What a file is to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A picture.
    Photo,
    /// A message that was spoken.
    Voice,
    /// Music, or another recording.
    Audio,
    /// A film.
    Video,
    /// A sticker.
    Sticker,
    /// Anything else.
    Document,
}

impl AttachmentKind {
    /// All kinds.
    pub const ALL: [AttachmentKind; 6] = [
        AttachmentKind::Photo,
        AttachmentKind::Voice,
        AttachmentKind::Audio,
        AttachmentKind::Video,
        AttachmentKind::Sticker,
        AttachmentKind::Document,
    ];

    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            AttachmentKind::Photo => "photo",
            AttachmentKind::Voice => "voice",
            AttachmentKind::Audio => "audio",
            AttachmentKind::Video => "video",
            AttachmentKind::Sticker => "sticker",
            AttachmentKind::Document => "document",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A button under a message of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What stands on it: 20 characters fit everywhere.
    pub title: String,
    /// What comes back when it is tapped: at most 64 bytes fit everywhere.
    pub payload: String,
}

/// A channel's word, after a send, on what became of the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReport {
    /// The channel's own id of our message.
    pub provider_id: String,
    /// The part's dedupe key, where the channel gives it back: by it a send that nobody could tell of is found.
    pub dedupe_key: Option<String>,
    /// How far it has come.
    pub state: DeliveryState,
    /// Why it failed, without anybody's words: a code and what it means.
    pub why: Option<String>,
    /// That it can never be delivered to this address.
    pub unreachable: bool,
    /// The category by which the channel charges for it, where it does.
    pub billed: Option<String>,
}

/// How far a part has come. Later ones include the earlier; reports come in any order and with gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// The channel has it.
    Sent,
    /// The customer's device has it.
    Delivered,
    /// The customer saw it.
    Read,
    /// It will not be delivered.
    Failed,
}

impl DeliveryState {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            DeliveryState::Sent => "sent",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Read => "read",
            DeliveryState::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [DeliveryState::Sent, DeliveryState::Delivered, DeliveryState::Read, DeliveryState::Failed]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// What stands in the transcript for [`InboundEvent::Started`].
pub const STARTED_TEXT: &str = "/start";

/// How the line of a shared contact begins.
pub const CONTACT_TEXT: &str = "[contact]";

impl InboundEvent {
    /// The event as a line of the transcript; `None` where the customer said nothing. What can't be shown stands in
    /// brackets: `[photo]`.
    pub fn transcript_text(&self) -> Option<MessageText> {
        match self {
            InboundEvent::Message(text) => Some(text.clone()),
            InboundEvent::Unsupported(what) => Some(MessageText::new(format!("[{what}]"))),
            InboundEvent::Started { .. } => Some(MessageText::new(STARTED_TEXT)),
            InboundEvent::Pressed(press) => Some(MessageText::new(press.title.as_ref().unwrap_or(&press.payload))),
            InboundEvent::Contact(contact) => Some(contact.transcript_text()),
            InboundEvent::Edited { .. }
            | InboundEvent::Deleted { .. }
            | InboundEvent::Receipt(_)
            | InboundEvent::TakenOver(_)
            | InboundEvent::Moved { .. }
            | InboundEvent::Blocked => None,
        }
    }

    /// The name in the inbox.
    pub fn name(&self) -> &'static str {
        match self {
            InboundEvent::Message(_) => "message",
            InboundEvent::Unsupported(_) => "unsupported",
            InboundEvent::Started { .. } => "started",
            InboundEvent::Pressed(_) => "pressed",
            InboundEvent::Contact(_) => "contact",
            InboundEvent::Edited { .. } => "edited",
            InboundEvent::Deleted { .. } => "deleted",
            InboundEvent::Receipt(_) => "receipt",
            InboundEvent::TakenOver(_) => "taken_over",
            InboundEvent::Moved { .. } => "moved",
            InboundEvent::Blocked => "blocked",
        }
    }
}

impl SharedContact {
    fn transcript_text(&self) -> MessageText {
        let name = self.name.as_deref().unwrap_or_default();
        MessageText::new(format!("{CONTACT_TEXT} {name} {}", self.phone).replace("  ", " "))
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
