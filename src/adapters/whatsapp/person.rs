//! Who a customer is on WhatsApp.
//!
//! There are two keys: the id that Meta gives a person towards one business (`US.13491208655302741918`), and the phone.
//! Since 2026 every message should bear the id; the phone is left out for people with a user name who have not
//! written lately. So the id is the key, and the phone where there is no id. An id is never read as a phone: without
//! its letters it would pass for one, of somebody else.
//!
//! Nothing here is remembered, so a message that bears both says that the phone's address, if there is one from
//! earlier, has become the id's: [`Person::known_before`]. The key of that update is made of both, so that the store takes
//! it once. Where the id has an address already, the phone's stays what it is, and people may merge the two.
//! A number that went to somebody else meanwhile brings their predecessor's address along, as it would with the phone as
//! key; Meta's word on changed numbers, which comes before, is what stands against it.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
use crate::domain::text::hex;

/// Longest id of a person: a country, `ENT` and 128 letters and digits.
const LONGEST_ID: usize = 160;

/// Longest phone: 15 digits by E.164, and some room.
const LONGEST_PHONE: usize = 20;

/// The keys that a message bears; one of them is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Person<'a> {
    id: Option<&'a str>,
    phone: Option<&'a str>,
}

impl<'a> Person<'a> {
    /// The person with these keys; `None` if neither can be used.
    pub(super) fn new(id: Option<&'a str>, phone: Option<&'a str>) -> Option<Self> {
        let person = Self { id: id.filter(|id| is_id(id)), phone: phone.and_then(phone_of) };
        (person.id.is_some() || person.phone.is_some()).then_some(person)
    }

    /// The sender of a message: the message tells, or its entry among the contacts.
    pub(super) fn who_sent(message: &'a Value, contact: Option<&'a Value>) -> Option<Self> {
        let of_contact = |key| contact.and_then(|contact| word(contact, key));
        Self::new(
            word(message, "from_user_id").or_else(|| of_contact("user_id")),
            word(message, "from").or_else(|| of_contact("wa_id")),
        )
    }

    /// The key of their address.
    pub(super) fn key(&self) -> &'a str {
        self.id.or(self.phone).unwrap_or_default()
    }

    /// The phone, where it is told.
    pub(super) fn phone(&self) -> Option<&'a str> {
        self.phone
    }

    /// Where an answer goes.
    pub(super) fn address(&self, account: &str) -> Address {
        address(account, self.key())
    }

    /// That what was known by the phone is known by the id now.
    pub(super) fn known_before(&self, account: &str) -> Option<Inbound> {
        let (id, phone) = (self.id?, self.phone?);
        Some(moved(account, phone, id, key_of(&[phone, id])))
    }
}

/// The customer's entry among the contacts of a batch: the one that bears a key of theirs, or the only one.
pub(super) fn contact_of<'a>(contacts: &'a [Value], message: &Value) -> Option<&'a Value> {
    let same = |contact: &&Value| {
        let both = |key, own| word(contact, key).is_some_and(|theirs| word(message, own) == Some(theirs));
        both("user_id", "from_user_id") || both("wa_id", "from")
    };
    contacts.iter().find(same).or_else(|| contacts.first().filter(|_| contacts.len() == 1))
}

/// What Meta tells of a person whose keys changed, in a message of the system.
pub(super) fn changes(account: &str, message: &Value) -> Vec<Inbound> {
    let (Some(key), Some(system)) = (word(message, "id"), message.get("system")) else { return Vec::new() };
    let old_id = word(system, "previous_user_id").or_else(|| word(message, "from_user_id")).filter(|id| is_id(id));
    let old_phone = word(message, "from").and_then(phone_of);
    let new_id = word(system, "user_id").filter(|id| is_id(id));
    let pairs = match new_id {
        Some(id) => [(old_id, Some(id)), (old_phone, Some(id))],
        // A new phone alone says nothing about the id: what was known by that stays.
        None => [(old_phone, word(system, "wa_id").and_then(phone_of)), (None, None)],
    };
    let pairs = pairs.into_iter().filter_map(|(old, new)| Some((old?, new?))).filter(|(old, new)| old != new);
    pairs.map(|(old, new)| moved(account, old, new, key_of(&[key, old]))).collect()
}

/// An entry of `user_id_update`.
pub(super) fn id_update(account: &str, update: &Value) -> Option<Inbound> {
    let ids = update.get("user_id")?;
    let (old, new) = (word(ids, "previous")?, word(ids, "current")?);
    let told = word(update, "timestamp").unwrap_or_default();
    (is_id(old) && is_id(new) && old != new).then(|| moved(account, old, new, key_of(&[old, new, told])))
}

fn moved(account: &str, old: &str, new: &str, key: String) -> Inbound {
    Inbound::new(address(account, old), key, InboundEvent::Moved { to: new.to_owned() })
}

/// The key of an update made of these. A hash: whoever is erased must not be left in it.
fn key_of(parts: &[&str]) -> String {
    hex(&Sha256::digest(parts.join(" ")))
}

pub(super) fn address(account: &str, key: &str) -> Address {
    Address { channel: ChannelKind::WhatsApp, account: account.to_owned(), external: key.to_owned() }
}

/// The field of a send that names the customer, by the key of their address.
pub(super) fn field_of(key: &str) -> Option<&'static str> {
    if is_id(key) {
        Some("recipient")
    } else if phone_of(key) == Some(key) {
        Some("to")
    } else {
        None
    }
}

/// A country, a dot, and letters and digits; read with tolerance, since others than we know may come.
fn is_id(key: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    key.len() <= LONGEST_ID
        && key.chars().all(is_plain)
        && key.split_once('.').is_some_and(|(country, rest)| {
            !rest.is_empty() && !country.is_empty() && country.chars().all(|c| c.is_ascii_alphabetic())
        })
}

/// The digits of a phone.
fn phone_of(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_phone = !digits.is_empty() && digits.len() <= LONGEST_PHONE && digits.chars().all(|c| c.is_ascii_digit());
    is_phone.then_some(digits)
}

/// A text of an object that is not blank.
pub(super) fn word<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str().map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_a_phone_and_a_phone_never_an_id() {
        for id in ["US.13491208655302741918", "US.ENT.11815799212886844830", "RU.aB3"] {
            assert_eq!(field_of(id), Some("recipient"), "{id}");
            assert_eq!(phone_of(id), None, "{id}");
        }
        for phone in ["16505551234", "79990000000"] {
            assert_eq!(field_of(phone), Some("to"), "{phone}");
            assert_eq!(Person::new(Some(phone), None), None, "{phone}");
        }
        for neither in ["", "visitor", "+79990000000", "US.", ".1", "1.5", "US 1.5", "US.я", "7999000000000000000000"]
        {
            assert_eq!(field_of(neither), None, "{neither}");
        }
        assert_eq!(Person::new(None, Some("+79990000000")).unwrap().key(), "79990000000");
    }
}
