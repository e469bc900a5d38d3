//! What an update says, read with tolerance: MAX leaves out fields that its own schema demands, and adds kinds several times
//! a year. A field that is not what it should be counts as absent.
//!
//! **Whose address.** A customer is known by `user_id`: it is in every update, also in a tap on a message that was deleted
//! meanwhile, which names no chat; sends take it; and the same person has the same one. The dialog's `chat_id` is needed for
//! signs only ("typing", "seen"); it is kept in passing, and what is lost with it is a sign.
//!
//! **What tells updates apart.** MAX gives them no number. A message is made once and removed once, so its `mid` is enough,
//! whatever the update's own time; it is changed and tapped on several times, so the time is added then. What has neither is
//! told apart by all that it says. `seq` is not read: it is larger than a float can hold.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::content;
use crate::domain::channel::{Address, ChannelKind, Inbound, InboundEvent, Press};
use crate::domain::text::{Language, hex};

/// Longest key of an update, in bytes; what is longer is hashed.
const LONGEST_KEY: usize = 200;

/// Why an update can't be read; names the place and quotes nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// It does not say what it is.
    #[error("no update_type")]
    NoKind,
    /// It does not say who did it.
    #[error("nobody is named who did it")]
    Nobody,
    /// It does not say which message it is about.
    #[error("no message is named that it is about")]
    NoMessage,
}

/// An update that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// For the loop.
    pub(super) inbound: Inbound,
    /// The customer.
    pub(super) user: i64,
    /// The dialog, where the update names it.
    pub(super) chat: Option<i64>,
}

/// Reads one update. `None` is an update that is none of ours: groups and channels, bots, kinds that we did not ask for.
///
/// # Errors
/// [`Malformed`], for what should be a customer's doing and can't be told whose.
pub(super) fn read(account: &str, token: &SecretString, update: &Value) -> Result<Option<Read>, Malformed> {
    let Some(told) = told(token, update)? else { return Ok(None) };
    let kind = update["update_type"].as_str().unwrap_or_default();
    let person = told.person;
    let from = Address { channel: ChannelKind::Max, account: account.to_owned(), external: told.user.to_string() };
    let moment = told.at.or_else(|| integer(&update["timestamp"]));
    let inbound = Inbound {
        message_id: told.message_id,
        attachments: told.attachments,
        sent_at: moment.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok()),
        display_name: display_name(person),
        language: language(update),
        ..Inbound::new(from, key(kind, &told.key, update), told.event)
    };
    Ok(Some(Read { inbound, user: told.user, chat: told.chat }))
}

/// What one kind of update tells.
struct Told<'a> {
    user: i64,
    chat: Option<i64>,
    /// What tells it apart from others of its kind; empty where a part of that is missing.
    key: Vec<String>,
    event: InboundEvent,
    message_id: Option<String>,
    attachments: Vec<crate::domain::channel::Attachment>,
    /// Their clock, in milliseconds, where the update has a better one than its own.
    at: Option<i64>,
    person: &'a Value,
}

fn told<'a>(token: &SecretString, update: &'a Value) -> Result<Option<Told<'a>>, Malformed> {
    let event_of_dialog = |event| dialog(update, event).map(Some);
    match update["update_type"].as_str().ok_or(Malformed::NoKind)? {
        "message_created" => created(token, update),
        "message_edited" => edited(token, update),
        "message_removed" => removed(update),
        "message_callback" => pressed(update),
        "bot_started" => event_of_dialog(InboundEvent::Started { payload: words_of(&update["payload"]) }),
        // A dialog that was removed takes no messages until the customer starts the bot anew. One that was cleared, or
        // muted, does: nothing is to be done then.
        "bot_stopped" | "dialog_removed" => event_of_dialog(InboundEvent::Blocked),
        _ => Ok(None),
    }
}

fn created<'a>(token: &SecretString, update: &'a Value) -> Result<Option<Told<'a>>, Malformed> {
    let message = &update["message"];
    let Some(user) = writer(message)? else { return Ok(None) };
    let content = content::read(message, user, token);
    let mid = words_of(&message["body"]["mid"]);
    Ok(Some(Told {
        key: mid.iter().cloned().collect(),
        event: content.event(language(update)),
        message_id: mid,
        attachments: content.files,
        ..of_message(message, user)
    }))
}

fn edited<'a>(token: &SecretString, update: &'a Value) -> Result<Option<Told<'a>>, Malformed> {
    let message = &update["message"];
    let Some(user) = writer(message)? else { return Ok(None) };
    let content = content::read(message, user, token);
    let message_id = words_of(&message["body"]["mid"]).ok_or(Malformed::NoMessage)?;
    let language = language(update);
    let text = content.text(language).or_else(|| content.event(language).transcript_text()).unwrap_or_default();
    Ok(Some(Told {
        key: integer(&update["timestamp"]).map_or_else(Vec::new, |at| vec![message_id.clone(), at.to_string()]),
        event: InboundEvent::Edited { message_id, text },
        // The message's own time is when it was written first.
        at: None,
        ..of_message(message, user)
    }))
}

fn removed(update: &Value) -> Result<Option<Told<'_>>, Malformed> {
    let chat = integer(&update["chat_id"]);
    if chat.is_some_and(is_group) {
        return Ok(None);
    }
    let user = integer(&update["user_id"]).ok_or(Malformed::Nobody)?;
    let message_id = words_of(&update["message_id"]).ok_or(Malformed::NoMessage)?;
    Ok(Some(Told {
        user,
        chat,
        key: vec![message_id.clone()],
        event: InboundEvent::Deleted { message_ids: vec![message_id] },
        message_id: None,
        attachments: Vec::new(),
        at: None,
        person: &Value::Null,
    }))
}

fn pressed(update: &Value) -> Result<Option<Told<'_>>, Malformed> {
    let (callback, message) = (&update["callback"], &update["message"]);
    if !is_dialog(&message["recipient"]) {
        return Ok(None);
    }
    let person = &callback["user"];
    let user = integer(&person["user_id"]).ok_or(Malformed::Nobody)?;
    let payload = callback["payload"].as_str().unwrap_or_default();
    let id = words_of(&callback["callback_id"]);
    let at = integer(&callback["timestamp"]);
    let press = Press { payload: payload.to_owned(), title: title(message, payload), acknowledge: id.clone() };
    Ok(Some(Told {
        user,
        chat: integer(&message["recipient"]["chat_id"]),
        key: id.zip(at).map_or_else(Vec::new, |(id, at)| vec![id, at.to_string()]),
        event: InboundEvent::Pressed(press),
        message_id: None,
        attachments: Vec::new(),
        at,
        person,
    }))
}

/// What stands on the button that bears `payload`.
fn title(message: &Value, payload: &str) -> Option<String> {
    let attachments = message["body"]["attachments"].as_array()?;
    let rows = attachments.iter().filter_map(|attachment| attachment["payload"]["buttons"].as_array()).flatten();
    let mut buttons = rows.filter_map(Value::as_array).flatten();
    words_of(&buttons.find(|button| button["payload"] == payload)?["text"])
}

/// Something that a customer does with the dialog itself.
fn dialog(update: &Value, event: InboundEvent) -> Result<Told<'_>, Malformed> {
    let (person, chat) = (&update["user"], integer(&update["chat_id"]));
    let user = integer(&person["user_id"]).or_else(|| integer(&update["user_id"])).ok_or(Malformed::Nobody)?;
    let at = integer(&update["timestamp"]);
    let key =
        at.map_or_else(Vec::new, |at| vec![at.to_string(), chat.unwrap_or_default().to_string(), user.to_string()]);
    Ok(Told { user, chat, key, event, message_id: None, attachments: Vec::new(), at, person })
}

/// Who wrote a message to us in a dialog; `None` where it is no dialog, or a bot wrote.
fn writer(message: &Value) -> Result<Option<i64>, Malformed> {
    let sender = &message["sender"];
    if !is_dialog(&message["recipient"]) || sender["is_bot"] == true {
        return Ok(None);
    }
    integer(&sender["user_id"]).map(Some).ok_or(Malformed::Nobody)
}

fn of_message(message: &Value, user: i64) -> Told<'_> {
    Told {
        user,
        chat: integer(&message["recipient"]["chat_id"]),
        key: Vec::new(),
        event: InboundEvent::Unsupported(String::new()),
        message_id: None,
        attachments: Vec::new(),
        at: integer(&message["timestamp"]),
        person: &message["sender"],
    }
}

/// The dialog of one person with the bot. Where the type is left out, the chat's number tells.
fn is_dialog(recipient: &Value) -> bool {
    match recipient["chat_type"].as_str() {
        Some(kind) => kind == "dialog",
        None => !integer(&recipient["chat_id"]).is_some_and(is_group),
    }
}

/// Groups and channels have negative numbers.
fn is_group(chat: i64) -> bool {
    chat < 0
}

/// What decides whether two updates are the same.
fn key(kind: &str, parts: &[String], update: &Value) -> String {
    let key = format!("{kind}:{}", parts.join(":"));
    let hashed = |text: &str| format!("{}#{}", kind.chars().take(40).collect::<String>(), hex(&Sha256::digest(text)));
    if parts.is_empty() {
        hashed(&update.to_string())
    } else if key.len() > LONGEST_KEY {
        hashed(&key)
    } else {
        key
    }
}

fn display_name(person: &Value) -> Option<String> {
    words_of(&person["name"]).or_else(|| {
        let part = |field: &str| person[field].as_str().unwrap_or_default().trim();
        let name = format!("{} {}", part("first_name"), part("last_name"));
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    })
}

fn language(update: &Value) -> Option<Language> {
    Language::from_code(update["user_locale"].as_str()?)
}

/// A whole number, also where it is written as text. Never by way of a float.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// A text with something in it.
pub(super) fn words_of(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|words| !words.is_empty()).map(str::to_owned)
}
