//! Values in the spelling under which they are known, or not at all.

use std::sync::LazyLock;

use regex::Regex;

use super::names::is_name;
use super::said::pattern;
use super::{VALUE_MOST, contacts};
use crate::engine::words::{is_invisible, shortened};

static ORDER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^(?:номер\s+)?(?:заказ\w*|order)?\s*(?:№|#|no\.?|номер|number)?\s*(?:[МM]\s?[-–—‑−]?\s?)?([0-9]{5,8})$",
    )
});

static LINK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)[a-z][a-z0-9+.-]*://|\bhxxp|\bwww\b|\b[\p{L}0-9-]+\.\p{L}{2,24}/|(?:^|[^@\p{L}0-9.-])[\p{L}0-9-]+(?:\.[\p{L}0-9-]+)*\.(?:ru|com|net|org|io|me|рф|su|info|xyz|shop|site|online|top|click|link|biz|store|app|dev|cc|example)\b",
    )
});

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[\p{L}0-9._%+-]+@[\p{L}0-9-]+(?:\.[\p{L}0-9-]+)*\.\p{L}{2,24}$"));

/// Mailboxes of companies: what customers write of them is that they wrote there.
const NOBODYS: [&str; 13] = [
    "sale",
    "hr",
    "jobs",
    "press",
    "help",
    "support",
    "info",
    "noreply",
    "no-reply",
    "sales",
    "shop",
    "admin",
    "postmaster",
];

/// Whether a text holds a link, spelled out or as a bare host.
pub(super) fn has_link(text: &str) -> bool {
    LINK.is_match(text)
}

/// The value as it is known under `key`; `None` for what it can't be.
pub(super) fn canonical(key: &str, value: &str) -> Option<String> {
    let hidden = |c: char| c.is_control() || is_invisible(c);
    let marked = |c: char| matches!(c, '[' | ']' | '<' | '>' | '{' | '}' | '•' | '|' | '`' | '@');
    let too_long = value.chars().count() > VALUE_MOST;
    if too_long || value.contains(hidden) || !value.chars().any(char::is_alphanumeric) {
        return None;
    }
    match key {
        "order_number" => return order_number(value),
        "phone" => return phone(value),
        "email" => return email(value),
        "contact_preference" => return contacts::preference(value),
        "contact_channel" => return contacts::medium(value),
        _ => {}
    }
    if value.contains(marked) || has_link(value) {
        return None;
    }
    match key {
        "name" => is_name(value).then(|| one_spaced(value)),
        "city" => is_city(value).then(|| one_spaced(value)),
        _ => Some(one_spaced(value)),
    }
}

fn one_spaced(value: &str) -> String {
    shortened(value, VALUE_MOST)
}

fn is_city(value: &str) -> bool {
    let letters = |c: char| c.is_alphabetic() || matches!(c, '-' | ' ' | '.' | '\'' | '’');
    value.chars().count() <= 60 && value.split_whitespace().count() <= 4 && value.chars().all(letters)
}

/// `М-123456` with the Cyrillic letter, from the ways in which people write it.
pub(super) fn order_number(text: &str) -> Option<String> {
    ORDER.captures(text.trim()).map(|found| format!("М-{}", &found[1]))
}

/// `+79991234567` from the ways in which people write it; numbers of other countries with their plus.
pub(super) fn phone(text: &str) -> Option<String> {
    let text = text.trim();
    let written = |c: char| c.is_ascii_digit() || c == ' ' || "+-–‑().".contains(c);
    let inner_plus = text.chars().skip(1).any(|c| c == '+');
    if inner_plus || !text.chars().all(written) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !text.starts_with('+')
        && let Some(national) = national(text, &digits)
    {
        return Some(national);
    }
    let local = match (text.starts_with('+'), digits.len(), digits.chars().next()?) {
        (_, 11, '7' | '8') => &digits[1..],
        (false, 10, '9') => &digits[..],
        (true, 10..=14, first) if first != '7' && first != '0' => return Some(format!("+{digits}")),
        _ => return None,
    };
    // 800 and 804 are hotlines: nobody's own.
    let own = local.starts_with(['3', '4', '7', '8', '9']) && !["800", "804"].contains(&&local[..3]);
    own.then(|| format!("+7{local}"))
}

/// A number as another country writes its own, in its digits, and a Russian one with its code in brackets. Which country it
/// is, nobody says; free numbers are nobody's own.
fn national(text: &str, digits: &str) -> Option<String> {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let free = [
        "0800", "0808", "0845", "0844", "0870", "0300", "0330", "0333", "0345", "800", "888", "877", "866", "855",
        "844", "833",
    ];
    let home = digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(digits);
    let american = home.len() == 10
        && groups.len() >= 3
        && groups[groups.len() - 3..].iter().map(|group| group.len()).eq([3, 3, 4])
        && home.starts_with(|c: char| ('2'..='9').contains(&c));
    let british = digits.starts_with('0') && (10..=11).contains(&digits.len()) && !digits.starts_with("00");
    let russian = text.starts_with('(') && digits.len() == 10 && groups.last().is_some_and(|group| group.len() == 2);
    if free.iter().any(|code| home.starts_with(code)) {
        return None;
    }
    if russian {
        return Some(format!("+7{digits}"));
    }
    if american {
        return Some(format!("{}-{}-{}", &home[..3], &home[3..6], &home[6..]));
    }
    british.then(|| digits.to_owned())
}

/// The address in lower case, unless it is a company's mailbox.
pub(super) fn email(text: &str) -> Option<String> {
    let address = text.trim().to_lowercase();
    let name = address.split('@').next().unwrap_or_default();
    (EMAIL.is_match(&address) && !NOBODYS.contains(&name)).then_some(address)
}
