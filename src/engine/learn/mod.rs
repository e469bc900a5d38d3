//! Learning without a model: what a customer states is read out of their words by rule, precise rather than complete;
//! what a model proposes is admitted by the same list of keys; what is new is merged with what is known.

mod details;
mod extract;
mod instructions;
mod merge;
mod names;
mod summary;
mod values;

#[cfg(test)]
mod tests;

pub use details::only_details;
pub use extract::extract;
pub use merge::{Merge, merge};
pub(in crate::engine) use names::is_given;
pub use names::{given_name, is_name};
pub use summary::{Learnt, summary};

pub(crate) use summary::is_closing;

use crate::domain::memory::{FactKind, NewFact};

/// Longest value of a fact, in characters.
pub const VALUE_MOST: usize = 200;

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
        name: "claim",
        meaning: "what they say that we promised, or that our rules are",
        kind: FactKind::Claim,
        single: false,
    },
];

/// The key of that name.
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Lets through what a model proposes if it is a value that `KEYS` allows, in the spelling under which it is known.
/// Links, instructions, masked places and values that are not what their key says are turned away.
pub fn admit(proposed: NewFact) -> Option<NewFact> {
    let key = key(&proposed.key)?;
    let value = values::canonical(key.name, proposed.value.trim())?;
    let orders_us = match key.kind {
        FactKind::Claim => instructions::is_instruction(&value),
        FactKind::Attribute | FactKind::Preference => {
            instructions::is_instruction(&value) || instructions::is_entitlement(&value)
        }
    };
    let confidence = proposed.confidence;
    (!orders_us && confidence.is_finite()).then(|| NewFact {
        value,
        kind: key.kind,
        confidence: confidence.clamp(0.0, 1.0),
        ..proposed
    })
}
