//! Replaces secrets in a customer's words before anything is stored.
//!
//! What goes: bank cards, passports, SNILS, INN, passwords, one-time codes, CVV, keys and tokens. What stays, because
//! support can't work without it: phones, e-mails, order and tracking numbers, prices, dates, addresses.
//!
//! Where ten digits may be an order, a phone or a document, the words around them decide:
//! - a card is 13 to 19 digits with a valid Luhn sum; a tracking number or barcode that happens to have one stays if it
//!   is called so and no card brand has numbers of that length and beginning;
//! - a passport (10 digits, or 9 of one for travel) goes only near the word;
//! - a SNILS goes if it is written like one and its checksum holds, or near the word;
//! - an INN of a person (12 digits) goes if both checksums hold and it is not called a tracking number, order or
//!   phone; that of a company (10 digits) goes only near the word: it is one digit away from being any other number.

mod documents;
mod secrets;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::text::Language;

/// A sort of secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A bank card's number; its last four digits stay.
    Card,
    /// A Russian passport.
    Passport,
    /// The number of a personal insurance account.
    Snils,
    /// A taxpayer's number.
    Inn,
    /// A password.
    Password,
    /// A one-time code, a PIN, a CVV.
    Code,
    /// A key, a token, a private key.
    Key,
}

impl Kind {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Card => "card",
            Kind::Passport => "passport",
            Kind::Snils => "snils",
            Kind::Inn => "inn",
            Kind::Password => "password",
            Kind::Code => "code",
            Kind::Key => "key",
        }
    }

    /// What stands in the secret's place. `secret` is read for a card's last four digits only.
    fn placeholder(self, language: Language, secret: &str) -> String {
        let (ru, en) = match self {
            Kind::Card => {
                let digits: Vec<char> = secret.chars().filter_map(digit).map(|d| char::from(b'0' + d)).collect();
                let last: String = digits[digits.len().saturating_sub(4)..].iter().collect();
                return match language {
                    Language::Ru => format!("[карта •••• {last}]"),
                    Language::En => format!("[card •••• {last}]"),
                };
            }
            Kind::Passport => ("[паспорт скрыт]", "[passport hidden]"),
            Kind::Snils => ("[СНИЛС скрыт]", "[SNILS hidden]"),
            Kind::Inn => ("[ИНН скрыт]", "[INN hidden]"),
            Kind::Password => ("[пароль скрыт]", "[password hidden]"),
            Kind::Code => ("[код скрыт]", "[code hidden]"),
            Kind::Key => ("[ключ скрыт]", "[key hidden]"),
        };
        match language {
            Language::Ru => ru.to_owned(),
            Language::En => en.to_owned(),
        }
    }
}

/// A text without its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked {
    /// The text with a placeholder for each secret.
    pub text: String,
    /// What was replaced, in the order found.
    pub found: Vec<Kind>,
}

impl std::fmt::Debug for Masked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masked({} characters, {:?})", self.text.chars().count(), self.found)
    }
}

/// A place in a text that must go.
struct Secret {
    kind: Kind,
    start: usize,
    end: usize,
}

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\[(?:(?:карта|card) •••• \d{4}|(?:паспорт|СНИЛС|ИНН|пароль|код|ключ) скрыт|(?:passport|SNILS|INN|password|code|key) hidden)\]",
    )
    .expect("the pattern is written here and compiles")
});

static AFTER_CARD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\[(?:карта|card) •••• \d{4}\][\s,.;:]*(?:(?:до|срок|действует до|exp\.?|expires?|valid thru)?[\s:]*\d{2}\s*[/.-]\s*(?:20)?\d{2}[\s,.;:/]*)(?:(?:cvv|cvc|код|code)2?[\s:]*)?(\d{3,4})(?:\D|$)",
    )
    .expect("the pattern is written here and compiles")
});

/// Replaces the secrets in `text`. Masking what is masked already changes nothing.
pub fn mask(text: &str) -> Masked {
    let language = Language::detect(text).unwrap_or(Language::Ru);
    let mut masked = Masked { text: text.to_owned(), found: Vec::new() };
    // Each round takes the first kind that finds anything; what is left outside the placeholders only shrinks.
    while let Some((next, kinds)) = round(&masked.text, language) {
        masked.text = next;
        masked.found.extend(kinds);
    }
    masked
}

/// The text with the secrets of one kind of search replaced, or `None` if there are none left.
fn round(text: &str, language: Language) -> Option<(String, Vec<Kind>)> {
    if let Some(code) = AFTER_CARD.captures(text).and_then(|found| found.get(1)) {
        let placeholder = Kind::Code.placeholder(language, "");
        return Some((format!("{}{placeholder}{}", &text[..code.start()], &text[code.end()..]), vec![Kind::Code]));
    }
    let searches: [fn(&str) -> Vec<Secret>; 5] =
        [secrets::keys, documents::cards, documents::numbers, secrets::passwords, secrets::codes];
    searches.into_iter().find_map(|search| replaced(text, language, search))
}

/// Applies one search to everything between placeholders.
fn replaced(text: &str, language: Language, search: fn(&str) -> Vec<Secret>) -> Option<(String, Vec<Kind>)> {
    let mut out = String::with_capacity(text.len());
    let mut kinds = Vec::new();
    let mut segment = |segment: &str, out: &mut String| {
        let mut at = 0;
        for secret in search(segment) {
            if secret.start >= at {
                out.push_str(&segment[at..secret.start]);
                out.push_str(&secret.kind.placeholder(language, &segment[secret.start..secret.end]));
                at = secret.end;
                kinds.push(secret.kind);
            }
        }
        out.push_str(&segment[at..]);
    };
    let mut at = 0;
    for placeholder in PLACEHOLDER.find_iter(text) {
        segment(&text[at..placeholder.start()], &mut out);
        out.push_str(placeholder.as_str());
        at = placeholder.end();
    }
    segment(&text[at..], &mut out);
    (!kinds.is_empty()).then_some((out, kinds))
}

/// The value of a decimal digit, also a full-width or Arabic one.
fn digit(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        '\u{0660}'..='\u{0669}' => '\u{0660}',
        '\u{06f0}'..='\u{06f9}' => '\u{06f0}',
        '\u{1d7ce}'..='\u{1d7ff}' => {
            return u8::try_from((u32::from(c) - 0x1d7ce) % 10).ok();
        }
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(zero)).ok()
}
