//! What an update says, read with tolerance: Telegram adds fields and kinds several times a year, and other servers that
//! speak its language leave some out. Only what is needed to answer must be there.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
use crate::domain::text::{Language, MessageText};

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

/// What customers send besides text: Telegram's name of the field, and the Russian word for it. An animation comes with a
/// `document` and a venue with a `location`, so the narrower ones stand first.
const ATTACHMENTS: [(&str, &str); 19] = [
    ("photo", "фото"),
    ("voice", "голосовое сообщение"),
    ("video_note", "видеосообщение"),
    ("video", "видео"),
    ("animation", "анимация"),
    ("audio", "аудио"),
    ("document", "файл"),
    ("sticker", "стикер"),
    ("contact", "контакт"),
    ("venue", "место"),
    ("location", "геопозиция"),
    ("poll", "опрос"),
    ("dice", "кубик"),
    ("story", "история"),
    ("game", "игра"),
    ("invoice", "счёт"),
    ("paid_media", "платное медиа"),
    ("checklist", "список дел"),
    ("gift", "подарок"),
];

/// Notes that Telegram itself puts into a private chat: nobody wrote anything.
const NOTES: [&str; 12] = [
    "message_auto_delete_timer_changed",
    "pinned_message",
    "write_access_allowed",
    "connected_website",
    "chat_background_set",
    "proximity_alert_triggered",
    "boost_added",
    "forum_topic_created",
    "forum_topic_edited",
    "checklist_tasks_done",
    "checklist_tasks_added",
    "refunded_payment",
];

#[derive(Deserialize)]
struct Message {
    chat: Chat,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    caption: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    from: Option<User>,
    #[serde(default, deserialize_with = "or_default")]
    date: Option<i64>,
}

#[derive(Deserialize)]
struct MembershipChange {
    chat: Chat,
    new_chat_member: Member,
    #[serde(default, deserialize_with = "or_default")]
    from: Option<User>,
    #[serde(default, deserialize_with = "or_default")]
    date: Option<i64>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

impl Chat {
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

/// Reads one update. `None` is an update that is none of ours: groups and channels, other bots, edits (the first wording
/// is what was answered), taps on buttons, and kinds that we did not ask for.
///
/// # Errors
/// [`Malformed`], for what should be a message and is not.
pub(super) fn read(account: &str, update: &Value) -> Result<Option<Inbound>, Malformed> {
    let external_id = id(update).ok_or(Malformed::NoId)?.to_string();
    let told = if let Some(message) = update.get("message") {
        read_message(message)?
    } else if let Some(change) = update.get("my_chat_member") {
        read_membership(change)?
    } else {
        None
    };
    Ok(told.map(|Told { chat, event, from, date }| Inbound {
        sent_at: date.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        display_name: from.as_ref().and_then(User::display_name),
        language: from.as_ref().and_then(User::language),
        ..Inbound::new(address_of(account, chat), external_id, event)
    }))
}

fn address_of(account: &str, chat: i64) -> Address {
    Address { channel: ChannelKind::Telegram, account: account.to_owned(), external: chat.to_string() }
}

struct Told {
    chat: i64,
    event: InboundEvent,
    from: Option<User>,
    date: Option<i64>,
}

fn read_message(value: &Value) -> Result<Option<Told>, Malformed> {
    let message = Message::deserialize(value).map_err(|_| Malformed::Message)?;
    if !message.chat.is_private() || message.from.as_ref().is_some_and(|from| from.is_bot) {
        return Ok(None);
    }
    let Some(event) = event_of(value, &message) else {
        return Ok(None);
    };
    Ok(Some(Told { chat: message.chat.id, event, from: message.from, date: message.date }))
}

fn event_of(value: &Value, message: &Message) -> Option<InboundEvent> {
    if let Some(text) = message.text.as_deref().filter(|text| !text.trim().is_empty()) {
        return Some(event_of_text(text));
    }
    let attachment = ATTACHMENTS.into_iter().find(|(field, _)| value.get(field).is_some());
    match (attachment, message.caption.as_deref().filter(|caption| !caption.trim().is_empty())) {
        (None, None) if NOTES.iter().any(|note| value.get(note).is_some()) => None,
        // A kind of content that is newer than this list: somebody wrote, so somebody has to answer.
        (None, None) => Some(InboundEvent::Unsupported("message".to_owned())),
        (None, Some(caption)) => Some(InboundEvent::Message(MessageText::new(caption))),
        (Some((field, _)), None) => Some(InboundEvent::Unsupported(field.to_owned())),
        (Some((field, russian)), Some(caption)) => {
            let told = message.from.as_ref().and_then(User::language);
            let word = match Language::detect(caption).or(told).unwrap_or(Language::Ru) {
                Language::Ru => russian.to_owned(),
                Language::En => field.replace('_', " "),
            };
            Some(InboundEvent::Message(MessageText::new(format!("[{word}] {caption}"))))
        }
    }
}

/// `/start`, alone or with the payload of a link, opens the chat. Words that were typed behind it are words.
fn event_of_text(text: &str) -> InboundEvent {
    let (command, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    if command.split('@').next() != Some("/start") {
        return InboundEvent::Message(MessageText::new(text));
    }
    let rest = rest.trim();
    let is_payload = rest.len() <= 64 && rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_payload {
        InboundEvent::Started { payload: Some(rest.to_owned()).filter(|payload| !payload.is_empty()) }
    } else {
        InboundEvent::Message(MessageText::new(rest))
    }
}

/// In a private chat, `kicked` is a customer who blocked the bot. One who comes back sends `/start`.
fn read_membership(value: &Value) -> Result<Option<Told>, Malformed> {
    let change = MembershipChange::deserialize(value).map_err(|_| Malformed::Membership)?;
    if !change.chat.is_private() || change.new_chat_member.status != "kicked" {
        return Ok(None);
    }
    Ok(Some(Told { chat: change.chat.id, event: InboundEvent::Blocked, from: change.from, date: change.date }))
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
