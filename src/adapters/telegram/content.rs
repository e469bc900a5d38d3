//! What a message holds: words, a file, a place, a contact.

use serde_json::Value;

use crate::domain::channel::{Attachment, AttachmentKind, InboundEvent, SharedContact};
use crate::domain::text::{Language, MessageText};

/// What customers send besides text: Telegram's name of the field, the file that it is, and the Russian word for it. An
/// animation comes with a `document` and a venue with a `location`, so the narrower ones stand first.
const KINDS: [(&str, Option<AttachmentKind>, &str); 19] = [
    ("photo", Some(AttachmentKind::Photo), "фото"),
    ("voice", Some(AttachmentKind::Voice), "голосовое сообщение"),
    ("video_note", Some(AttachmentKind::Video), "видеосообщение"),
    ("video", Some(AttachmentKind::Video), "видео"),
    ("animation", Some(AttachmentKind::Video), "анимация"),
    ("audio", Some(AttachmentKind::Audio), "аудио"),
    ("document", Some(AttachmentKind::Document), "файл"),
    ("sticker", Some(AttachmentKind::Sticker), "стикер"),
    ("contact", None, "контакт"),
    ("venue", None, "место"),
    ("location", None, "геопозиция"),
    ("poll", None, "опрос"),
    ("dice", None, "кубик"),
    ("story", None, "история"),
    ("game", None, "игра"),
    ("invoice", None, "счёт"),
    ("paid_media", None, "платное медиа"),
    ("checklist", None, "список дел"),
    ("gift", None, "подарок"),
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

/// What a message holds.
pub(super) struct Content {
    words: Option<String>,
    /// The words may be a command: a caption never is, nor what was passed on.
    is_typed: bool,
    is_forwarded: bool,
    /// What it is besides words: the name in the transcript, and the Russian word.
    kind: Option<(&'static str, &'static str)>,
    place: Option<String>,
    contact: Option<SharedContact>,
    is_note: bool,
    pub(super) files: Vec<Attachment>,
}

/// Reads a `Message` that a customer wrote; `sender` is their id.
pub(super) fn read(message: &Value, sender: Option<i64>) -> Content {
    let found = KINDS.into_iter().find(|(field, ..)| message.get(field).is_some());
    let content = |name: &str| found.filter(|(field, ..)| *field == name).map(|(field, ..)| &message[field]);
    let text = words_of(&message["text"]);
    let is_forwarded = message.get("forward_origin").is_some();
    Content {
        is_typed: text.is_some() && !is_forwarded,
        words: text.or_else(|| words_of(&message["caption"])),
        is_forwarded,
        kind: found.map(|(field, _, russian)| (field, russian)),
        place: content("venue").and_then(venue).or_else(|| content("location").and_then(place)),
        contact: content("contact").and_then(|contact| shared(contact, sender)),
        is_note: NOTES.iter().any(|note| message.get(note).is_some()),
        files: found.and_then(|(field, kind, _)| file(kind?, &message[field])).into_iter().collect(),
    }
}

impl Content {
    /// What happened when this was written; `None` for a note of Telegram's own.
    pub(super) fn event(&self, told: Option<Language>) -> Option<InboundEvent> {
        if let Some(words) = self.words.as_deref().filter(|_| self.is_typed) {
            return Some(event_of_text(words));
        }
        if let Some(text) = self.text(told) {
            return Some(InboundEvent::Message(text));
        }
        match (&self.contact, self.kind) {
            (Some(contact), _) => Some(InboundEvent::Contact(contact.clone())),
            (None, Some((name, _))) => Some(InboundEvent::Unsupported(name.to_owned())),
            (None, None) if self.is_note => None,
            // A kind of content that is newer than this list: somebody wrote, so somebody has to answer.
            (None, None) => Some(InboundEvent::Unsupported("message".to_owned())),
        }
    }

    /// What it says in words, what can't be shown in brackets in front; `None` where there are none.
    pub(super) fn text(&self, told: Option<Language>) -> Option<MessageText> {
        let said = self.words.as_ref().or(self.place.as_ref())?;
        let language = self.words.as_deref().and_then(Language::detect).or(told).unwrap_or(Language::Ru);
        let say = |russian: &str, english: &str| match language {
            Language::Ru => format!("[{russian}] "),
            Language::En => format!("[{}] ", english.replace('_', " ")),
        };
        let forwarded = if self.is_forwarded { say("переслано", "forwarded") } else { String::new() };
        let kind = self.kind.map(|(name, russian)| say(russian, name)).unwrap_or_default();
        Some(MessageText::new(forwarded + &kind + said))
    }

    /// Nothing but where somebody is: shared as they move, it changes again and again, and says nothing new.
    pub(super) fn is_place_alone(&self) -> bool {
        self.place.is_some() && self.words.is_none()
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

/// A file by its id, which `getFile` takes; of a photo, which comes in several sizes, the largest.
fn file(kind: AttachmentKind, value: &Value) -> Option<Attachment> {
    let pixels =
        |size: &&Value| size["width"].as_u64().unwrap_or(0).saturating_mul(size["height"].as_u64().unwrap_or(0));
    let value = match value {
        Value::Array(sizes) => sizes.iter().max_by_key(pixels)?,
        one => one,
    };
    Some(Attachment {
        kind,
        remote: words_of(&value["file_id"])?,
        name: words_of(&value["file_name"]),
        mime: words_of(&value["mime_type"]),
        size: value["file_size"].as_u64(),
        seconds: value["duration"].as_u64().and_then(|seconds| seconds.try_into().ok()),
        transcript: None,
    })
}

/// Whoever taps "share my contact" sends one with their own id, which Telegram sets: a card from an address book bears the
/// id of whom it shows, or none.
fn shared(contact: &Value, sender: Option<i64>) -> Option<SharedContact> {
    let name = ["first_name", "last_name"].map(|part| contact[part].as_str().unwrap_or_default().trim()).join(" ");
    let is_own = sender.is_some() && contact["user_id"].as_i64() == sender;
    let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    Some(SharedContact { phone: words_of(&contact["phone_number"])?, name, is_own })
}

fn place(location: &Value) -> Option<String> {
    Some(format!("{}, {}", location["latitude"].as_number()?, location["longitude"].as_number()?))
}

fn venue(venue: &Value) -> Option<String> {
    let at = place(&venue["location"])?;
    let named = [&venue["title"], &venue["address"]].into_iter().filter_map(words_of);
    let named = named.collect::<Vec<_>>().join(", ");
    Some(if named.is_empty() { at } else { format!("{named} ({at})") })
}

/// A text with something in it, as it was typed.
fn words_of(value: &Value) -> Option<String> {
    value.as_str().filter(|words| !words.trim().is_empty()).map(str::to_owned)
}
