//! Who the customer is: what memory holds and what they said just now, each with its day and its message.

use jiff::Timestamp;

use super::{LINES_MOST, Material, QUOTE};
use crate::domain::channel::ChannelKind;
use crate::domain::handoff::PackageLine;
use crate::domain::id::MessageId;
use crate::domain::memory::{FactKind, Remembered};
use crate::domain::text::Language;
use crate::engine::learn::{extract, given_name, is_name, key};
use crate::engine::quote::line;

/// Lines of order numbers, and of claims, so that neither fills the section.
const ORDERS: usize = 3;
const CLAIMS: usize = 2;

/// Something known of the customer.
#[derive(Debug, Clone)]
pub(super) struct Known {
    key: String,
    pub(super) value: String,
    kind: FactKind,
    source: MessageId,
    pub(super) at: Timestamp,
    /// Said in this conversation.
    pub(super) now: bool,
}

/// What is known under all keys, newest first: facts that hold, and what was said in this conversation.
pub(super) fn known(material: &Material<'_>) -> Vec<Known> {
    let mut all: Vec<Known> = Vec::new();
    for message in material.said() {
        let stated = extract(message.text.as_str(), message.id, message.received_at);
        all.extend(stated.into_iter().map(|fact| Known {
            key: fact.key,
            value: fact.value,
            kind: fact.kind,
            source: fact.source,
            at: fact.valid_at,
            now: true,
        }));
    }
    for item in material.memory {
        if let Remembered::Fact(fact) = item
            && fact.superseded_at.is_none()
            && fact.invalid_at.is_none()
        {
            all.push(Known {
                key: fact.key.clone(),
                value: fact.value.clone(),
                kind: fact.kind,
                source: fact.source,
                at: fact.valid_at,
                now: material.messages.iter().any(|message| message.id == fact.source),
            });
        }
    }
    all.sort_by_key(|one| std::cmp::Reverse(one.at));
    let mut known: Vec<Known> = Vec::new();
    for one in all {
        let single = key(&one.key).is_some_and(|key| key.single);
        if !known.iter().any(|other| other.key == one.key && (single || other.value == one.value)) {
            known.push(one);
        }
    }
    known
}

/// Order numbers, newest first.
pub(super) fn orders(known: &[Known]) -> impl Iterator<Item = &Known> {
    known.iter().filter(|one| one.key == "order_number")
}

/// How to address the customer: the name they gave, or what the channel shows where that is a name.
pub(super) fn addressed_as(material: &Material<'_>, known: &[Known]) -> Option<String> {
    let said = known.iter().find(|one| one.key == "name").map(|one| one.value.as_str());
    let shown = material.customer.display_name.as_deref();
    let name = said.filter(|name| is_name(name)).or(shown.filter(|name| is_name(name)))?;
    Some(line(&given_name(name), QUOTE))
}

pub(super) fn customer(material: &Material<'_>) -> Vec<PackageLine> {
    let known = known(material);
    let mut lines: Vec<PackageLine> = name(material, &known).into_iter().collect();
    lines.push(PackageLine { text: contact(material), messages: material.newest() });
    lines.extend(orders(&known).take(ORDERS).map(|one| fact(material, one)));
    let claims: Vec<PackageLine> =
        known.iter().filter(|one| one.kind == FactKind::Claim).take(CLAIMS).map(|one| fact(material, one)).collect();
    let rest =
        known.iter().filter(|one| one.kind != FactKind::Claim && !["name", "order_number"].contains(&one.key.as_str()));
    let room = LINES_MOST.saturating_sub(lines.len() + claims.len());
    lines.extend(rest.take(room).map(|one| fact(material, one)));
    lines.extend(claims);
    lines
}

fn name(material: &Material<'_>, known: &[Known]) -> Option<PackageLine> {
    if let Some(said) = known.iter().find(|one| one.key == "name") {
        return Some(fact(material, said));
    }
    let shown = material.customer.display_name.as_deref().map(|name| line(name, 60)).filter(|name| !name.is_empty())?;
    let label = material.say("Имя в канале", "Name in the channel");
    Some(PackageLine { text: format!("{label}: {shown}"), messages: material.newest() })
}

/// Where they write, and in which language.
fn contact(material: &Material<'_>) -> String {
    let channel = match material.conversation.address.channel {
        ChannelKind::Web => material.say("чат на сайте", "web chat"),
        ChannelKind::Terminal => material.say("терминал", "terminal"),
        ChannelKind::Telegram => "Telegram",
        ChannelKind::WhatsApp => "WhatsApp",
        ChannelKind::Max => "MAX",
    };
    let language = material.conversation.language.or(material.customer.language).unwrap_or(material.language);
    let language = match language {
        Language::Ru => material.say("русский", "Russian"),
        Language::En => material.say("английский", "English"),
    };
    format!("{}: {channel}. {}: {language}", material.say("Канал", "Channel"), material.say("Язык", "Language"))
}

fn fact(material: &Material<'_>, one: &Known) -> PackageLine {
    let value = line(&shown_value(material, one), QUOTE);
    let said = match (one.now, material.language) {
        (true, Language::Ru) => "сказано в этом разговоре".to_owned(),
        (true, Language::En) => "said in this conversation".to_owned(),
        (false, Language::Ru) => format!("сказано {}", material.day(one.at)),
        (false, Language::En) => format!("said on {}", material.day(one.at)),
    };
    let text = if one.kind == FactKind::Claim {
        let claims = material.say("утверждает:", "claims:");
        match material.language {
            Language::Ru => format!("{claims} «{value}» ({said})"),
            Language::En => format!("{claims} “{value}” ({said})"),
        }
    } else {
        format!("{}: {value} ({said})", label(material, &one.key))
    };
    PackageLine { text, messages: vec![one.source] }
}

/// What a key is called. Facts of keys that are no more on the list keep their own name.
fn label<'a>(material: &Material<'_>, key: &'a str) -> &'a str {
    match key {
        "name" => material.say("Имя", "Name"),
        "order_number" => material.say("Заказ", "Order"),
        "phone" => material.say("Телефон", "Phone"),
        "email" => material.say("Почта", "E-mail"),
        "city" => material.say("Город", "City"),
        "address" => material.say("Адрес", "Address"),
        "company" => material.say("Компания", "Company"),
        "product" => material.say("Товар", "Product"),
        "contact_preference" => material.say("Звонки", "Calls"),
        "contact_channel" => material.say("Куда писать", "Write to"),
        "call_time" => material.say("Когда звонить", "When to call"),
        other => other,
    }
}

/// Codes of preferences in words.
fn shown_value(material: &Material<'_>, one: &Known) -> String {
    let words = match (one.key.as_str(), one.value.as_str()) {
        ("contact_preference", "no_calls") => material.say("просит не звонить", "asks not to be called"),
        ("contact_preference", "calls") => material.say("можно звонить", "may be called"),
        ("contact_channel", "email") => material.say("почта", "e-mail"),
        ("contact_channel", "telegram") => "Telegram",
        ("contact_channel", "whatsapp") => "WhatsApp",
        ("contact_channel", "sms") => material.say("СМС", "text messages"),
        ("contact_channel", "chat") => material.say("этот чат", "this chat"),
        _ => one.value.as_str(),
    };
    words.to_owned()
}
