//! What a message holds: words, files, places, contacts, and what was passed on from elsewhere.

use secrecy::SecretString;
use serde_json::Value;

use super::contact;
use super::fetch::FILM;
use super::update::{integer, words_of};
use crate::domain::channel::{Attachment, AttachmentKind, InboundEvent, SharedContact};
use crate::domain::text::{Language, MessageText};

/// MAX's kinds of files: the name in the transcript, and the Russian word.
const FILES: [(&str, AttachmentKind, &str, &str); 5] = [
    ("image", AttachmentKind::Photo, "photo", "фото"),
    // Music is sent as a file: what MAX calls audio was spoken.
    ("audio", AttachmentKind::Voice, "voice", "голосовое сообщение"),
    ("video", AttachmentKind::Video, "video", "видео"),
    ("file", AttachmentKind::Document, "document", "файл"),
    ("sticker", AttachmentKind::Sticker, "sticker", "стикер"),
];

/// Attachments that say nothing by themselves: buttons, and the preview of a link that stands in the words.
const NOTHING: [&str; 4] = ["inline_keyboard", "reply_keyboard", "share", "data"];

/// What a message holds.
#[derive(Default)]
pub(super) struct Content {
    words: Option<String>,
    places: Vec<String>,
    /// The words of a message that was passed on.
    forwarded: Option<String>,
    /// What can't be shown as words: the name in the transcript, and the Russian word.
    unseen: Vec<(&'static str, &'static str)>,
    contact: Option<SharedContact>,
    pub(super) files: Vec<Attachment>,
}

/// Reads a `Message` that `sender` wrote.
pub(super) fn read(message: &Value, sender: i64, token: &SecretString) -> Content {
    let mut content = Content { words: words_of(&message["body"]["text"]), ..Content::default() };
    let mut bodies = vec![&message["body"]];
    if message["link"]["type"] == "forward" {
        let forwarded = &message["link"]["message"];
        content.forwarded = words_of(&forwarded["text"]);
        bodies.push(forwarded);
    }
    for attachment in bodies.into_iter().filter_map(|body| body["attachments"].as_array()).flatten() {
        content.take(attachment, sender, token);
    }
    content
}

impl Content {
    fn take(&mut self, attachment: &Value, sender: i64, token: &SecretString) {
        let kind = attachment["type"].as_str().unwrap_or_default();
        if let Some((_, kind, name, russian)) = FILES.into_iter().find(|(of, ..)| *of == kind) {
            self.files.extend(file(kind, attachment));
            self.see(name, russian);
        } else if kind == "contact" {
            self.contact = self.contact.take().or_else(|| contact::read(&attachment["payload"], sender, token));
            self.see("contact", "контакт");
        } else if let Some(place) = place(attachment).filter(|_| kind == "location") {
            self.places.push(place);
        } else if !NOTHING.contains(&kind) {
            // A kind that is newer than this list: somebody sent it, so somebody has to look at it.
            self.see("attachment", "вложение");
        }
    }

    fn see(&mut self, name: &'static str, russian: &'static str) {
        if !self.unseen.contains(&(name, russian)) {
            self.unseen.push((name, russian));
        }
    }

    /// What happened when this was written.
    pub(super) fn event(&self, told: Option<Language>) -> InboundEvent {
        if let Some(words) = self.text(told) {
            return InboundEvent::Message(words);
        }
        match &self.contact {
            Some(contact) => InboundEvent::Contact(contact.clone()),
            None => InboundEvent::Unsupported(self.unseen.first().map_or("message", |(name, _)| name).to_owned()),
        }
    }

    /// What it says in words, what can't be shown in brackets in front; `None` where there are none.
    pub(super) fn text(&self, told: Option<Language>) -> Option<MessageText> {
        let spoken = self.words.as_deref().or(self.forwarded.as_deref());
        let language = spoken.and_then(Language::detect).or(told).unwrap_or(Language::Ru);
        let say = |russian: &str, english: &str| match language {
            Language::Ru => format!("[{russian}]"),
            Language::En => format!("[{english}]"),
        };
        let places = self.places.iter().map(|place| format!("{} {place}", say("геопозиция", "location")));
        let forwarded = self.forwarded.iter().map(|words| format!("{} {words}", say("переслано", "forwarded")));
        let lines: Vec<String> = self.words.iter().cloned().chain(places).chain(forwarded).collect();
        if lines.is_empty() {
            return None;
        }
        let unseen = self.unseen.iter().map(|(name, russian)| say(russian, name) + " ");
        Some(MessageText::new(unseen.collect::<String>() + &lines.join("\n")))
    }
}

/// A file that can be fetched: a film by its token, anything else by its address.
fn file(kind: AttachmentKind, attachment: &Value) -> Option<Attachment> {
    let payload = &attachment["payload"];
    let token = payload["token"].as_str().filter(|_| kind == AttachmentKind::Video);
    let remote = match token {
        Some(token) => format!("{FILM}{token}"),
        None => payload["url"].as_str()?.to_owned(),
    };
    Some(Attachment {
        kind,
        remote,
        name: words_of(&attachment["filename"]),
        mime: None,
        size: attachment["size"].as_u64(),
        seconds: integer(&attachment["duration"]).and_then(|seconds| seconds.try_into().ok()),
        transcript: words_of(&attachment["transcription"]).map(MessageText::new),
    })
}

fn place(attachment: &Value) -> Option<String> {
    let (latitude, longitude) = (attachment["latitude"].as_number()?, attachment["longitude"].as_number()?);
    Some(format!("{latitude}, {longitude}"))
}
