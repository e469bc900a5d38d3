//! Learning without a model: what a customer states is read out of their words by rule, precise rather than complete;
//! what a model proposes is admitted by the same list of keys. What becomes of statements is [`super::ledger`]'s.

mod addresses;
mod cities;
mod claims;
mod companies;
mod constraints;
mod contacts;
mod dates;
pub mod days;
mod details;
mod doubts;
mod fates;
mod given;
mod goods;
mod instructions;
mod names;
mod orders;
mod others;
mod people;
mod phrases;
mod places;
mod products;
mod promises;
mod reach;
mod reading;
mod said;
mod short;
mod signatures;
mod summary;
mod unnamed;
mod values;
mod voice;
mod wares;

#[cfg(test)]
mod left_tests;
#[cfg(test)]
mod stated_tests;
#[cfg(test)]
mod tests;

pub use dates::dates;
pub use details::only_details;
pub(in crate::engine) use names::is_given;
pub use names::{given_name, is_name};
pub use promises::promises;
pub use summary::{Learnt, summary};

pub(crate) use summary::is_closing;

use reading::Reading;
use said::Said;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::words::{stem, words};
use crate::domain::channel::CONTACT_TEXT;
use crate::domain::id::MessageId;
use crate::domain::memory::{FactKind, Statement};
use crate::domain::message::{Author, Message};

/// Longest value of a fact, in characters.
pub const VALUE_MOST: usize = 200;

/// The key of what we promised: said by us, never by a customer.
pub const PROMISE: &str = "promise";

/// Something that may be remembered of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// How facts name it: `order_number`.
    pub name: &'static str,
    /// What it means, in English, for the model.
    pub meaning: &'static str,
    /// What sort of statement it is, whoever proposes it.
    pub kind: FactKind,
    /// A newer value replaces the older one; otherwise they stand side by side.
    pub single: bool,
}

/// All that may be remembered: nothing else ever becomes a fact.
pub const KEYS: &[Key] = &[
    Key { name: "name", meaning: "how the customer calls themselves", kind: FactKind::Attribute, single: true },
    Key { name: "order_number", meaning: "the number of an order of theirs", kind: FactKind::Attribute, single: false },
    Key { name: "phone", meaning: "their own telephone number", kind: FactKind::Attribute, single: true },
    Key { name: "email", meaning: "their own e-mail address", kind: FactKind::Attribute, single: true },
    Key { name: "city", meaning: "the city or town they live in", kind: FactKind::Attribute, single: true },
    Key {
        name: "address",
        meaning: "the street address they want deliveries at",
        kind: FactKind::Attribute,
        single: true,
    },
    Key { name: "company", meaning: "the company they buy for", kind: FactKind::Attribute, single: true },
    Key { name: "product", meaning: "a product they bought from us", kind: FactKind::Attribute, single: false },
    Key {
        name: "contact_preference",
        meaning: "whether they may be telephoned: no_calls or calls",
        kind: FactKind::Preference,
        single: true,
    },
    Key {
        name: "contact_channel",
        meaning: "where they want to be written to: email, telegram, whatsapp, sms or chat",
        kind: FactKind::Preference,
        single: true,
    },
    Key {
        name: "call_time",
        meaning: "at what time of day they may be telephoned",
        kind: FactKind::Preference,
        single: true,
    },
    Key {
        name: "constraint",
        meaning: "what must always be minded with them: an allergy, a disability, a dog, not to ring the bell",
        kind: FactKind::Preference,
        single: false,
    },
    Key {
        name: "date",
        meaning: "a day that matters to them: when they ordered, want a delivery, have their birthday",
        kind: FactKind::Attribute,
        single: false,
    },
    Key {
        name: "claim",
        meaning: "what they say that we promised, or that our rules are",
        kind: FactKind::Claim,
        single: false,
    },
    Key {
        name: PROMISE,
        meaning: "what we committed ourselves to do for them",
        kind: FactKind::Promise,
        single: false,
    },
];

/// The key of that name.
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// A mail address that somebody vouches for, in the spelling under which it is known.
pub fn email(given: &str) -> Option<String> {
    values::canonical("email", given.trim())
}

/// A telephone number that a messenger gave, with or without its plus, in the spelling under which it is known.
pub fn phone(given: &str) -> Option<String> {
    let given = given.trim();
    let whole = Some(given).filter(|given| given.len() > 10 && given.bytes().all(|byte| byte.is_ascii_digit()));
    whole
        .and_then(|digits| values::canonical("phone", &format!("+{digits}")))
        .or_else(|| values::canonical("phone", given))
}

/// What a message states: of a customer's, what they say of themselves; of an operator's, or of the bot's where it quotes no
/// article, what we commit ourselves to. Days are told as people count them in `zone`.
pub fn statements(message: &Message, zone: &TimeZone) -> Vec<Statement> {
    let (text, said) = (message.text.as_str(), message.received_at.to_zoned(zone.clone()));
    match message.author {
        // Whose it is, the channel tells and not the words.
        Author::Customer if text.starts_with(CONTACT_TEXT) => Vec::new(),
        Author::Customer => {
            let mut stated = extract(text, message.id, message.received_at);
            stated.extend(dates(text, message.id, &said).into_iter().filter(is_admitted));
            stated
        }
        Author::Bot if !message.citations.is_empty() => Vec::new(),
        Author::Bot | Author::Operator(_) => promises(text, message.id, &said),
        Author::Note(_) => Vec::new(),
    }
}

/// Whether the words of a message hold a value that a model read out of it: most of its words, and all of its numbers. A
/// value in a code of ours (`no_calls`) needs a word of what it is about. What the message quotes, supposes or tells of
/// others is not theirs.
pub fn is_said(key: &str, value: &str, text: &str) -> bool {
    if text.starts_with(CONTACT_TEXT) {
        return false;
    }
    let prepared = reading::prepared(text);
    let own = voice::own_words(&prepared);
    let folded = Reading::of(&own).folded();
    if [voice::is_reported, voice::is_of_others, voice::is_of_other_shop, voice::disowns].iter().any(|is| is(&folded)) {
        return false;
    }
    stands_in(key, value, &own)
}

fn stands_in(key: &str, value: &str, text: &str) -> bool {
    let about: Option<&[&str]> = match (key, value) {
        ("contact_preference", _) => {
            Some(&["звон", "позв", "набер", "набир", "трубк", "call", "phone", "ring", "dial"])
        }
        ("contact_channel", "email") => Some(&["почт", "мейл", "мыл", "mail"]),
        ("contact_channel", "telegram") => Some(&["телег", "тг", "telegram", "tg"]),
        ("contact_channel", "whatsapp") => Some(&["ватс", "вотс", "вац", "уотс", "whats"]),
        ("contact_channel", "sms") => Some(&["смс", "sms", "text"]),
        ("contact_channel", _) => Some(&["чат", "сюда", "здесь", "chat", "here"]),
        _ => None,
    };
    if let Some(about) = about {
        return words(text).iter().any(|word| about.iter().any(|start| word.starts_with(start)));
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if matches!(key, "order_number" | "phone") {
        let (value, text) = (digits(value), digits(text));
        // Written with an 8 and known with a 7.
        let own = value.get(value.len().saturating_sub(10)..).unwrap_or_default();
        return !own.is_empty() && text.contains(own);
    }
    let (said, known) = (words(text), words(value));
    let stems: Vec<String> = said.iter().map(|word| stem(word)).collect();
    let is_there = |word: &&String| said.contains(word) || stems.contains(&stem(word));
    let numbers_stand = known.iter().filter(|word| word.chars().all(char::is_numeric)).all(|word| said.contains(word));
    let there = known.iter().filter(is_there).count();
    // A day is told as an ISO date before its words.
    !known.is_empty() && (numbers_stand || key == "date") && there * 3 >= known.len() * 2
}

/// What a customer states of themselves in one message, each once; days, which a time zone tells, are for [`dates`]. `text`
/// is masked already: masked places are never values.
pub fn extract(text: &str, source: MessageId, at: Timestamp) -> Vec<Statement> {
    let prepared = reading::prepared(text);
    let words = voice::own_words(&prepared);
    let own = Reading::of(&words).own();
    let mut said = Said::of(source, at);
    if voice::advertises(&own.folded()) {
        return said.facts;
    }
    let customer = !voice::disowns(&own.folded());
    let told = others::without_others(&own);
    if customer {
        orders::read(&told, &mut said);
    }
    let has_order = said.has("order_number");
    let streets = places::streets(&told);
    if customer {
        people::read(&told, &streets, &mut said);
    }
    reach::read(&told, &mut said);
    companies::read(&told, &streets, &mut said);
    if customer {
        places::read(&told, &streets, &mut said);
        addresses::read(&told, &streets, &mut said);
        products::read(&own, has_order, &mut said);
    }
    contacts::read(&told, &mut said);
    // A claim quotes us.
    claims::read(&Reading::of(&prepared), &mut said);
    constraints::read(&own, &mut said);
    said.facts.retain(is_admitted);
    said.facts
}

/// Whether a model might have proposed it as well.
fn is_admitted(statement: &Statement) -> bool {
    admit(statement.clone()).as_ref() == Some(statement)
}

/// Lets through what a model proposes if it is a value that `KEYS` allows, in the spelling under which it is known.
/// Links, instructions, masked places and values that are not what their key says are turned away.
pub fn admit(proposed: Statement) -> Option<Statement> {
    let key = key(&proposed.key)?;
    let value = values::canonical(key.name, proposed.value.trim())?;
    let orders_us = match key.kind {
        FactKind::Claim => instructions::is_instruction(&value),
        FactKind::Attribute | FactKind::Preference | FactKind::Promise => {
            instructions::is_instruction(&value) || instructions::is_entitlement(&value)
        }
    };
    let confidence = proposed.confidence;
    (!orders_us && confidence.is_finite()).then(|| Statement {
        value,
        kind: key.kind,
        confidence: confidence.clamp(0.0, 1.0),
        ..proposed
    })
}
