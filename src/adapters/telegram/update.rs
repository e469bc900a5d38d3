//! What an update says, read with tolerance: Telegram adds fields and kinds several times a year, and other servers that
//! speak its language leave some out. Only what is needed to answer must be there.
//!
//! **Whose chats.** The bot answers in private chats: with itself, and with accounts of Telegram Business that it answers
//! for. What is said in groups is left out, since a group is nobody's conversation; that one became another is told all the
//! same. Channels are left out.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::business::Connection;
use super::chat::Chat;
use super::content;
use crate::domain::channel::{Attachment, Inbound, InboundEvent, Press};
use crate::domain::text::Language;

/// Why an update can't be read; names the place and quotes nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// The updates are told apart by it.
    #[error("no update_id")]
    NoId,
    /// The message has no chat, or its text is not a text.
    #[error("the message has no chat, or its text is not a text")]
    Message,
    /// The change of membership has no chat or no status.
    #[error("the change of membership has no chat or no status")]
    Membership,
}

/// An update that was read.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub(super) enum Read {
    /// For the loop.
    Inbound(Inbound),
    /// For the adapter: whether it may answer for an account.
    Connection(Connection),
}

#[derive(Deserialize)]
struct Message {
    chat: Place,
    #[serde(default, deserialize_with = "or_default")]
    message_id: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    from: Option<User>,
    #[serde(default, deserialize_with = "or_default")]
    date: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    edit_date: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    business_connection_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    sender_business_bot: Option<Value>,
    /// Said by the account itself: a greeting, a word of absence, something that was put off.
    #[serde(default, deserialize_with = "or_default")]
    is_from_offline: bool,
}

#[derive(Deserialize)]
struct MembershipChange {
    chat: Place,
    new_chat_member: Member,
    #[serde(default, deserialize_with = "or_default")]
    from: Option<User>,
    #[serde(default, deserialize_with = "or_default")]
    date: Option<i64>,
}

/// A chat, as an update has it.
#[derive(Deserialize)]
struct Place {
    id: i64,
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

impl Place {
    /// The chat of one person, whose id it bears. Other servers leave the kind out, since they have no groups.
    fn is_private(&self) -> bool {
        self.id > 0 && self.kind.as_deref().is_none_or(|kind| kind == "private")
    }
}

#[derive(Deserialize)]
struct Member {
    status: String,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default, deserialize_with = "or_default")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    is_bot: bool,
    #[serde(default, deserialize_with = "or_default")]
    first_name: String,
    #[serde(default, deserialize_with = "or_default")]
    last_name: String,
    #[serde(default, deserialize_with = "or_default")]
    language_code: String,
}

/// A field that is not what it should be counts as absent: a strange name must not cost the customer an answer.
fn or_default<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
}

/// The number of an update, which must be read even where nothing else can be.
pub(super) fn id(update: &Value) -> Option<i32> {
    update.get("update_id")?.as_i64()?.try_into().ok()
}

/// What one kind of update tells; `None` where it is none of ours.
type Reader = fn(&Value) -> Result<Option<Told>, Malformed>;

/// The kinds that are read.
const READERS: [(&str, Reader); 7] = [
    ("message", said),
    ("edited_message", edited),
    ("business_message", said),
    ("edited_business_message", edited),
    ("deleted_business_messages", deleted),
    ("callback_query", pressed),
    ("my_chat_member", membership),
];

/// Reads one update. `None` is an update that is none of ours: groups and channels, other bots, and kinds that we did not ask
/// for.
///
/// # Errors
/// [`Malformed`], for what should be a message and is not.
pub(super) fn read(account: &str, update: &Value) -> Result<Option<Read>, Malformed> {
    let external_id = id(update).ok_or(Malformed::NoId)?.to_string();
    if let Some(connection) = update.get("business_connection") {
        return Ok(Connection::read(connection).map(Read::Connection));
    }
    let Some((value, reader)) = READERS.iter().find_map(|(kind, reader)| Some((update.get(kind)?, reader))) else {
        return Ok(None);
    };
    Ok(reader(value)?.map(|told| {
        Read::Inbound(Inbound {
            message_id: told.message_id.map(|id| id.to_string()),
            attachments: told.attachments,
            more_follows: told.is_of_album,
            sent_at: told.date.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            display_name: told.person.as_ref().and_then(User::display_name),
            language: told.person.as_ref().and_then(User::language),
            ..Inbound::new(told.chat.address(account), external_id, told.event)
        })
    }))
}

struct Told {
    chat: Chat,
    event: InboundEvent,
    /// The customer.
    person: Option<User>,
    date: Option<i64>,
    message_id: Option<i64>,
    attachments: Vec<Attachment>,
    is_of_album: bool,
}

impl Told {
    fn new(chat: Chat, event: InboundEvent) -> Self {
        Self { chat, event, person: None, date: None, message_id: None, attachments: Vec::new(), is_of_album: false }
    }
}

/// Who wrote a message in a private chat.
enum Writer {
    Customer,
    /// The person whose account the bot answers for.
    Owner,
}

impl Message {
    fn read(value: &Value) -> Result<Self, Malformed> {
        let is_readable = value.get("text").is_none_or(|text| text.is_string() || text.is_null());
        Self::deserialize(value).ok().filter(|_| is_readable).ok_or(Malformed::Message)
    }

    fn chat(&self) -> Chat {
        Chat { id: self.chat.id, connection: self.business_connection_id.clone() }
    }

    fn sender(&self) -> Option<i64> {
        self.from.as_ref().and_then(|from| from.id)
    }

    /// `None` where nobody wrote whom we would hear: outside private chats, bots, and what an account says by itself. In a
    /// business chat both sides write; the chat bears the customer's id.
    fn writer(&self) -> Option<Writer> {
        let is_of_bot = self.sender_business_bot.is_some() || self.from.as_ref().is_some_and(|from| from.is_bot);
        if !self.chat.is_private() || is_of_bot {
            return None;
        }
        match self.sender() {
            Some(sender) if self.business_connection_id.is_some() && sender != self.chat.id => {
                Some(Writer::Owner).filter(|_| !self.is_from_offline)
            }
            _ => Some(Writer::Customer),
        }
    }

    fn language(&self) -> Option<Language> {
        self.from.as_ref().and_then(User::language)
    }
}

fn said(value: &Value) -> Result<Option<Told>, Malformed> {
    let message = Message::read(value)?;
    if let Some(moved) = moved(value, message.chat.id) {
        return Ok(Some(moved));
    }
    let Some(writer) = message.writer() else { return Ok(None) };
    let content = content::read(value, message.sender());
    let (chat, date) = (message.chat(), message.date);
    let Some(event) = content.event(message.language()) else { return Ok(None) };
    Ok(Some(match writer {
        Writer::Customer => Told {
            date,
            message_id: message.message_id,
            attachments: content.files,
            is_of_album: value.get("media_group_id").is_some(),
            person: message.from,
            ..Told::new(chat, event)
        },
        Writer::Owner => {
            let words = content.text(message.language()).or_else(|| event.transcript_text()).unwrap_or_default();
            // The chat bears the customer's name.
            let person = serde_json::from_value(value["chat"].clone()).ok();
            Told { person, date, ..Told::new(chat, InboundEvent::TakenOver(words)) }
        }
    }))
}

/// A group that became a supergroup has another id. Both the old one and the new one tell it.
fn moved(value: &Value, chat: i64) -> Option<Told> {
    let migrated = |field: &str| value.get(field).and_then(Value::as_i64);
    let (from, to) = match (migrated("migrate_to_chat_id"), migrated("migrate_from_chat_id")) {
        (Some(to), _) => (chat, to),
        (None, Some(from)) => (from, chat),
        (None, None) => return None,
    };
    let event = InboundEvent::Moved { to: to.to_string() };
    Some(Told::new(Chat { id: from, connection: None }, event))
}

fn edited(value: &Value) -> Result<Option<Told>, Malformed> {
    let message = Message::read(value)?;
    let (Some(Writer::Customer), Some(message_id)) = (message.writer(), message.message_id) else { return Ok(None) };
    let content = content::read(value, message.sender());
    if content.is_place_alone() {
        return Ok(None);
    }
    let shown = || content.event(message.language()).and_then(|event| event.transcript_text());
    let Some(text) = content.text(message.language()).or_else(shown) else { return Ok(None) };
    let event = InboundEvent::Edited { message_id: message_id.to_string(), text };
    // The message's own time is when it was written first.
    Ok(Some(Told { date: message.edit_date, person: message.from, ..Told::new(chat_of(&message.chat, value), event) }))
}

/// Only of business chats does Telegram tell what was taken back. Which side took what back the store knows, by its number.
#[expect(clippy::unnecessary_wraps, reason = "one reader among others that can fail")]
fn deleted(value: &Value) -> Result<Option<Told>, Malformed> {
    let Some(place) = place(&value["chat"]) else { return Ok(None) };
    let ids = value["message_ids"].as_array().into_iter().flatten();
    let message_ids: Vec<String> = ids.filter_map(|id| Some(id.as_i64()?.to_string())).collect();
    let event = InboundEvent::Deleted { message_ids: message_ids.clone() };
    Ok(Some(Told::new(chat_of(&place, value), event)).filter(|_| !message_ids.is_empty()))
}

/// A tap on a button of ours. The message may be too old to be shown along; then what stood on the button is not told.
#[expect(clippy::unnecessary_wraps, reason = "one reader among others that can fail")]
fn pressed(value: &Value) -> Result<Option<Told>, Malformed> {
    let message = &value["message"];
    let from: Option<User> = serde_json::from_value(value["from"].clone()).ok();
    let (Some(place), Some(payload), Some(id)) =
        (place(&message["chat"]), value["data"].as_str(), value["id"].as_str())
    else {
        return Ok(None);
    };
    let chat = chat_of(&place, message);
    let by_another = chat.connection.is_some() && from.as_ref().is_some_and(|from| from.id != Some(chat.id));
    if by_another {
        return Ok(None);
    }
    let press = Press {
        payload: payload.to_owned(),
        title: title(message, payload),
        acknowledge: Some(Tap { query: id.to_owned(), message: message["message_id"].as_i64() }.key()),
    };
    Ok(Some(Told { person: from, ..Told::new(chat, InboundEvent::Pressed(press)) }))
}

/// What is needed to answer a tap: it was noticed, and its buttons are done with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub(super) query: String,
    /// The message under which the button stood.
    pub(super) message: Option<i64>,
}

impl Tap {
    fn key(&self) -> String {
        match self.message {
            Some(message) => format!("{} {message}", self.query),
            None => self.query.clone(),
        }
    }

    /// Reads what [`Press::acknowledge`] holds.
    pub(super) fn read(key: &str) -> Self {
        let (query, message) = key.split_once(' ').unwrap_or((key, ""));
        Self { query: query.to_owned(), message: message.parse().ok() }
    }
}

/// What stands on the button that bears `payload`.
fn title(message: &Value, payload: &str) -> Option<String> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array()?;
    let mut buttons = rows.iter().filter_map(Value::as_array).flatten();
    buttons.find(|button| button["callback_data"] == payload)?["text"].as_str().map(str::to_owned)
}

/// A private chat.
fn place(chat: &Value) -> Option<Place> {
    Place::deserialize(chat).ok().filter(Place::is_private)
}

fn chat_of(place: &Place, message: &Value) -> Chat {
    let connection = message["business_connection_id"].as_str().filter(|id| !id.is_empty());
    Chat { id: place.id, connection: connection.map(str::to_owned) }
}

/// In a private chat, `kicked` is a customer who blocked the bot. One who comes back sends `/start`.
fn membership(value: &Value) -> Result<Option<Told>, Malformed> {
    let change = MembershipChange::deserialize(value).map_err(|_| Malformed::Membership)?;
    if !change.chat.is_private() || change.new_chat_member.status != "kicked" {
        return Ok(None);
    }
    let chat = Chat { id: change.chat.id, connection: None };
    Ok(Some(Told { date: change.date, person: change.from, ..Told::new(chat, InboundEvent::Blocked) }))
}

impl User {
    fn display_name(&self) -> Option<String> {
        let name = format!("{} {}", self.first_name.trim(), self.last_name.trim());
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }

    fn language(&self) -> Option<Language> {
        Language::from_code(&self.language_code)
    }
}
