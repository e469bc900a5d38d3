//! Contacts that customers share: a vCard, and the proof that it is their own.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::update::integer;
use crate::domain::channel::SharedContact;
use crate::domain::text::hex;

/// Reads `payload` of a contact that `sender` shared; `None` where there is no number in it.
pub(super) fn read(payload: &Value, sender: i64, token: &SecretString) -> Option<SharedContact> {
    let card = payload["vcf_info"].as_str()?;
    let phone = field(card, "TEL")?;
    let name = field(card, "FN").or_else(|| payload["max_info"]["first_name"].as_str());
    Some(SharedContact {
        phone: phone.strip_prefix("tel:").unwrap_or(phone).to_owned(),
        name: name.map(str::to_owned),
        is_own: integer(&payload["max_info"]["user_id"]) == Some(sender) && is_signed(card, &payload["hash"], token),
    })
}

/// The value of the first line of that name: `TEL;TYPE=cell:79990000000`.
fn field<'a>(card: &'a str, name: &str) -> Option<&'a str> {
    card.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        let is_it = key.split(';').next().is_some_and(|key| key.trim().eq_ignore_ascii_case(name));
        Some(value.trim()).filter(|value| is_it && !value.is_empty())
    })
}

/// MAX signs the card of whoever taps "share my contact" with the bot's token: the hexadecimal HMAC-SHA256 of the card as
/// it stands, with its line ends. A contact that was picked from an address book bears no signature.
fn is_signed(card: &str, hash: &Value, token: &SecretString) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.expose_secret().as_bytes()) else {
        return false;
    };
    mac.update(card.as_bytes());
    let expected = hex(&mac.finalize().into_bytes());
    let given = hash.as_str().unwrap_or_default().to_ascii_lowercase();
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}
