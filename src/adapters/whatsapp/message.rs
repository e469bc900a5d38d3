//! What a customer's message says, kind by kind.

use jiff::Timestamp;
use serde_json::Value;

use super::person::{self, Person, word};
use crate::domain::channel::{Attachment, AttachmentKind, Inbound, InboundEvent, Press, SharedContact};
use crate::domain::text::{Language, MessageText};

/// Files: Meta's name of the kind, ours, the name in the transcript, and the Russian word for it.
const FILES: [(&str, AttachmentKind, &str, &str); 6] = [
    ("image", AttachmentKind::Photo, "photo", "фото"),
    ("video", AttachmentKind::Video, "video", "видео"),
    ("voice", AttachmentKind::Voice, "voice", "голосовое сообщение"),
    ("audio", AttachmentKind::Audio, "audio", "аудио"),
    ("document", AttachmentKind::Document, "document", "файл"),
    ("sticker", AttachmentKind::Sticker, "sticker", "стикер"),
];

/// Longest list of goods that is written out.
const GOODS: usize = 30;

/// What one message says.
struct Said {
    event: InboundEvent,
    attachments: Vec<Attachment>,
}

impl Said {
    fn only(event: InboundEvent) -> Vec<Self> {
        vec![Self { event, attachments: Vec::new() }]
    }

    /// Somebody sent something that can't be shown, so somebody has to look.
    fn unseen(what: &str) -> Vec<Self> {
        Self::only(InboundEvent::Unsupported(what.to_owned()))
    }
}

/// Reads one entry of `messages`. It is empty for what nobody has to answer (reactions, groups); `None` for what has no id
/// or no sender.
pub(super) fn read(account: &str, message: &Value, contacts: &[Value]) -> Option<Vec<Inbound>> {
    let id = word(message, "id")?;
    if message.get("group_id").is_some_and(|group| !group.is_null()) {
        return Some(Vec::new());
    }
    if word(message, "type") == Some("system") {
        return Some(person::changes(account, message).into_iter().map(|moved| dated(moved, message)).collect());
    }
    let contact = person::contact_of(contacts, message);
    let sender = Person::who_sent(message, contact)?;
    let said = said(message, &sender);
    if said.is_empty() {
        return Some(Vec::new());
    }
    let name = contact.and_then(|contact| word(contact.get("profile")?, "name")).map(str::to_owned);
    let told = said.into_iter().enumerate().map(|(place, said)| {
        // Several contacts in one message are several updates.
        let key = if place == 0 { id.to_owned() } else { format!("{id}:{place}") };
        Inbound {
            message_id: Some(id.to_owned()),
            attachments: said.attachments,
            display_name: name.clone(),
            phone: sender.phone().map(|digits| format!("+{digits}")),
            ..Inbound::new(sender.address(account), key, said.event)
        }
    });
    Some(sender.known_before(account).into_iter().chain(told).map(|inbound| dated(inbound, message)).collect())
}

/// Reads one entry of `message_echoes`: what a person of ours wrote on the phone that has the same number. `None` for what
/// has no id or no receiver.
pub(super) fn read_echo(account: &str, echo: &Value) -> Option<Vec<Inbound>> {
    let id = word(echo, "id")?;
    let customer = Person::new(word(echo, "to_user_id"), word(echo, "to"))?;
    if matches!(word(echo, "type"), Some("edit" | "revoke")) {
        return Some(Vec::new());
    }
    let text = said(echo, &customer).into_iter().find_map(|said| said.event.transcript_text());
    let inbound = text.map(|text| Inbound {
        message_id: Some(id.to_owned()),
        ..Inbound::new(customer.address(account), id, InboundEvent::TakenOver(text))
    });
    Some(inbound.into_iter().map(|inbound| dated(inbound, echo)).collect())
}

/// With Meta's time of the message: a late retry must not look like a new one.
pub(super) fn dated(inbound: Inbound, object: &Value) -> Inbound {
    let timestamp = &object["timestamp"];
    let seconds = timestamp.as_str().and_then(|text| text.trim().parse().ok()).or_else(|| timestamp.as_i64());
    Inbound { sent_at: seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()), ..inbound }
}

fn said(message: &Value, sender: &Person<'_>) -> Vec<Said> {
    match word(message, "type").unwrap_or_default() {
        "text" => text(message),
        "location" => location(&message["location"]),
        "contacts" => contacts(message, sender),
        "interactive" => interactive(&message["interactive"]),
        "button" => button(&message["button"]),
        "order" => order(&message["order"]),
        "edit" => edit(&message["edit"], sender),
        "revoke" => revoke(&message["revoke"]),
        "request_welcome" => Said::only(InboundEvent::Started { payload: None }),
        "reaction" => Vec::new(),
        kind => file(kind, &message[kind]).unwrap_or_else(|| Said::unseen("message")),
    }
}

/// What the message is about, where it was begun at an article of the catalogue, stands in front. What an advertisement
/// said, by which the customer came, is left out: those are not the customer's words.
fn text(message: &Value) -> Vec<Said> {
    let Some(words) = word(&message["text"], "body") else { return Said::unseen("message") };
    let article = message.pointer("/context/referred_product").and_then(|article| word(article, "product_retailer_id"));
    let words = match article {
        Some(article) => bracketed(&format!("товар {article}"), &format!("article {article}"), words),
        None => MessageText::new(words),
    };
    Said::only(InboundEvent::Message(words))
}

/// A file with its caption. `None` if it is of no kind that we know.
fn file(kind: &str, content: &Value) -> Option<Vec<Said>> {
    let kind = if kind == "audio" && content["voice"] == true { "voice" } else { kind };
    let (_, kind, name, russian) = FILES.into_iter().find(|(of, ..)| *of == kind)?;
    let attachment = word(content, "id").map(|remote| Attachment {
        kind,
        remote: remote.to_owned(),
        name: word(content, "filename").map(str::to_owned),
        mime: word(content, "mime_type").map(str::to_owned),
        size: None,
        seconds: None,
        transcript: None,
    });
    let event = match word(content, "caption") {
        Some(caption) => InboundEvent::Message(bracketed(russian, name, caption)),
        None => InboundEvent::Unsupported(name.to_owned()),
    };
    Some(vec![Said { event, attachments: attachment.into_iter().collect() }])
}

/// A place is told in words: name, street, degrees.
fn location(place: &Value) -> Vec<Said> {
    let degrees = place["latitude"].as_f64().zip(place["longitude"].as_f64());
    let degrees = degrees.map(|(latitude, longitude)| format!("{latitude:.5}, {longitude:.5}"));
    let words: Vec<String> =
        ["name", "address"].into_iter().filter_map(|key| word(place, key)).map(str::to_owned).chain(degrees).collect();
    if words.is_empty() {
        return Said::unseen("location");
    }
    Said::only(InboundEvent::Message(bracketed("геопозиция", "location", &words.join(", "))))
}

/// Only what Meta itself vouches for is the sender's own number: that the contact has it, or that it answers a request for
/// the number.
fn contacts(message: &Value, sender: &Person<'_>) -> Vec<Said> {
    let Some(shared) = message["contacts"].as_array() else { return Said::unseen("contact") };
    let asked = word(message, "origin") == Some("contact_request");
    let said: Vec<Said> = shared.iter().flat_map(|contact| contact_of(contact, asked, sender)).collect();
    if said.is_empty() { Said::unseen("contact") } else { said }
}

fn contact_of(contact: &Value, asked: bool, sender: &Person<'_>) -> Vec<Said> {
    let name = contact.get("name").and_then(|name| word(name, "formatted_name").or_else(|| word(name, "first_name")));
    let phone = contact["phones"].as_array().and_then(|phones| phones.iter().find(|phone| number(phone).is_some()));
    let Some((phone, number)) = phone.and_then(|phone| Some((phone, number(phone)?))) else {
        return name
            .map_or_else(Vec::new, |name| Said::only(InboundEvent::Message(bracketed("контакт", "contact", name))));
    };
    let is_theirs = word(phone, "wa_id").is_some_and(|id| sender.phone() == Some(id));
    let asked = asked || word(contact, "origin") == Some("contact_request");
    Said::only(InboundEvent::Contact(SharedContact {
        phone: number.to_owned(),
        name: name.map(str::to_owned),
        is_own: is_theirs || asked,
    }))
}

fn number(phone: &Value) -> Option<&str> {
    word(phone, "phone").or_else(|| word(phone, "wa_id"))
}

/// A tap on a button or a row of ours.
fn interactive(content: &Value) -> Vec<Said> {
    let reply = ["button_reply", "list_reply"].into_iter().find_map(|kind| content.get(kind));
    let Some((reply, payload)) = reply.and_then(|reply| Some((reply, word(reply, "id")?))) else {
        return Said::unseen("message");
    };
    pressed(payload, word(reply, "title"))
}

/// A tap on a button of a template.
fn button(content: &Value) -> Vec<Said> {
    let title = word(content, "text");
    match word(content, "payload").or(title) {
        Some(payload) => pressed(payload, title),
        None => Said::unseen("message"),
    }
}

fn pressed(payload: &str, title: Option<&str>) -> Vec<Said> {
    let press = Press { payload: payload.to_owned(), title: title.map(str::to_owned), acknowledge: None };
    Said::only(InboundEvent::Pressed(press))
}

/// A basket is told in words: how many of what, at which price.
fn order(basket: &Value) -> Vec<Said> {
    let goods = basket["product_items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |item: &Value| {
        let article = word(item, "product_retailer_id")?;
        let price = item["item_price"].as_f64().zip(word(item, "currency"));
        let price = price.map(|(price, currency)| format!(", {price} {currency}")).unwrap_or_default();
        Some(format!("{} × {article}{price}", item["quantity"].as_u64().unwrap_or(1)))
    };
    let lines: Vec<String> = goods.iter().filter_map(line).take(GOODS).collect();
    let words = word(basket, "text").map(str::to_owned);
    let told = words.into_iter().chain((!lines.is_empty()).then(|| lines.join("; "))).collect::<Vec<_>>().join("\n");
    if told.is_empty() {
        return Said::unseen("message");
    }
    Said::only(InboundEvent::Message(bracketed("заказ", "order", &told)))
}

/// Comes only for numbers that are on a phone as well. A file that was exchanged for another keeps its caption.
fn edit(content: &Value, sender: &Person<'_>) -> Vec<Said> {
    // What was edited can't be an edit itself.
    let of_words = |message: &&Value| !matches!(word(message, "type"), Some("edit" | "revoke"));
    let now = content.get("message").filter(of_words);
    let text = now.and_then(|message| said(message, sender).pop()).and_then(|said| said.event.transcript_text());
    match word(content, "original_message_id").zip(text) {
        Some((original, text)) => Said::only(InboundEvent::Edited { message_id: original.to_owned(), text }),
        None => Vec::new(),
    }
}

fn revoke(content: &Value) -> Vec<Said> {
    let original = word(content, "original_message_id").map(str::to_owned);
    original.map_or_else(Vec::new, |original| Said::only(InboundEvent::Deleted { message_ids: vec![original] }))
}

/// Words with what came along in brackets in front, in the language of the words.
fn bracketed(russian: &str, english: &str, words: &str) -> MessageText {
    let what = match Language::detect(words).unwrap_or(Language::Ru) {
        Language::Ru => russian,
        Language::En => english,
    };
    MessageText::new(format!("[{what}] {words}"))
}
