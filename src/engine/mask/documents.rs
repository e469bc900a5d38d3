//! Numbers that prove themselves by a checksum, or are called by their name: cards, passports, SNILS, INN.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Kind, Secret, digit};
use crate::engine::words::is_invisible;

/// Digits that stand together, without a separator inside.
struct Group {
    start: usize,
    end: usize,
    digits: Vec<u8>,
}

/// Runs of digit groups, at most three separators apart.
fn runs(text: &str) -> Vec<Vec<Group>> {
    let mut runs: Vec<Vec<Group>> = Vec::new();
    let mut gap = usize::MAX;
    for (at, c) in text.char_indices() {
        if let Some(value) = digit(c) {
            if gap == 0 {
                let group = runs.last_mut().and_then(|run| run.last_mut()).expect("a gap of none follows a group");
                group.digits.push(value);
                group.end = at + c.len_utf8();
            } else {
                let group = Group { start: at, end: at + c.len_utf8(), digits: vec![value] };
                match runs.last_mut() {
                    Some(run) if gap <= 3 => run.push(group),
                    _ => runs.push(vec![group]),
                }
            }
            gap = 0;
        } else if is_separator(c) && gap != usize::MAX {
            gap += 1;
        } else if !is_invisible(c) {
            gap = usize::MAX;
        } else if gap == 0 {
            gap = 1;
        }
    }
    runs
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '.' | ',' | '/' | '•' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{00b7}')
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &value)| {
            let value = u32::from(value);
            match at % 2 {
                0 => value,
                _ if value > 4 => value * 2 - 9,
                _ => value * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|&value| value != 0)
}

/// Whether a brand has cards with this length and beginning.
fn has_brand(digits: &[u8]) -> bool {
    let head = |count: usize| digits.iter().take(count).fold(0_u32, |number, &value| number * 10 + u32::from(value));
    match digits.len() {
        13 => head(1) == 4,
        14 => matches!(head(2), 36 | 38 | 39) || matches!(head(3), 300..=305),
        15 => matches!(head(2), 34 | 37),
        16 => {
            matches!(head(1), 4 | 5)
                || matches!(head(2), 35 | 50 | 56..=69)
                || matches!(head(4), 2200..=2204 | 2221..=2720 | 8600 | 9860 | 9112)
        }
        17..=19 => matches!(head(1), 4) || matches!(head(2), 50 | 56..=69) || matches!(head(4), 2200..=2204),
        _ => false,
    }
}

/// How cards are printed, where a number is part of a longer row of digits.
fn is_printed_like_a_card(lengths: &[usize]) -> bool {
    match lengths {
        [13..=19] | [8, 8] | [4, 6, 4 | 5] | [6, 7 | 13] => true,
        [init @ .., last] => init.len() >= 2 && init.iter().all(|&length| length == 4) && (1..=4).contains(last),
        [] => false,
    }
}

pub(super) static CALLED_OTHERWISE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:трек|track|отслежив|накладн|штрих|barcode|артикул|sku|\bean\b|идентификатор|отправлени|посылк|парсел|parcel|shipment|purchase|покупк|заказ|order|\bуин\b|квитанци|чек[аеу]?\b).{0,30}$")
        .expect("the pattern is written here and compiles")
});

/// The cards in a text.
pub(super) fn cards(text: &str) -> Vec<Secret> {
    runs(text)
        .iter()
        .flat_map(|run| cards_of(text, run))
        .map(|place| Secret { kind: Kind::Card, start: place.start, end: place.end })
        .collect()
}

fn cards_of(text: &str, run: &[Group]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut first = 0;
    while first < run.len() {
        let last = (first..run.len()).rev().find(|&last| is_card(text, run, first, last));
        if let Some(last) = last {
            found.push(run[first].start..run[last].end);
            first = last + 1;
        } else {
            first += 1;
        }
    }
    found
}

fn is_card(text: &str, run: &[Group], first: usize, last: usize) -> bool {
    let groups = &run[first..=last];
    let length: usize = groups.iter().map(|group| group.digits.len()).sum();
    if !(13..=19).contains(&length) {
        return false;
    }
    let whole = first == 0 && last + 1 == run.len();
    let lengths: Vec<usize> = groups.iter().map(|group| group.digits.len()).collect();
    let digits: Vec<u8> = groups.iter().flat_map(|group| group.digits.iter().copied()).collect();
    (whole || is_printed_like_a_card(&lengths))
        && luhn(&digits)
        && (has_brand(&digits) || !CALLED_OTHERWISE.is_match(before(text, groups[0].start)))
}

/// The words just before a place: 40 characters at most, and no further than the line.
fn before(text: &str, place: usize) -> &str {
    let start = text[..place].char_indices().rev().nth(39).map_or(0, |(at, _)| at);
    let start = text[start..place].rfind('\n').map_or(start, |at| start + at + 1);
    &text[start..place]
}

static PASSPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        (?: паспорт\w* | загранпаспорт\w* | passport | сери[яиейю]{1,2} )
        (?: [^0-9\n]{0,40}? )
        ( [0-9]{2}\s?[0-9]{2} [\s,;№\#-]* (?:номер|но?м?\.?|n)? [\s:№\#-]* [0-9]{3}\s?[0-9]{3}
        | [0-9]{2} [\s№\#-]* [0-9]{7}
        | [A-Z]{1,2}\s?[0-9]{7,8} )
        (?: [^0-9] | $ )",
    )
    .expect("the pattern is written here and compiles")
});

static PASSPORT_AFTER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[^0-9])([0-9]{2}\s?[0-9]{2}[\s№#-]{0,3}[0-9]{6})[\s,()-]{0,4}(?:это |мой |мои |my |is |данные ){0,3}(?:паспорт|passport)")
        .expect("the pattern is written here and compiles")
});

static SNILS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9+-])([0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{2})(?:[^0-9]|$)")
        .expect("the pattern is written here and compiles")
});
static CALLED_SNILS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:снилс|snils|страхово\w+ (?:номер|свидетельств))[^0-9]{0,25}$")
        .expect("the pattern is written here and compiles")
});

static INN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9+-])([0-9]{12}|[0-9]{10})(?:[^0-9-]|-[^0-9]|-?$)")
        .expect("the pattern is written here and compiles")
});
static CALLED_INN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:\bинн\b|\binn\b|налогоплательщик\w*|taxpayer\w*)[^0-9]{0,25}$")
        .expect("the pattern is written here and compiles")
});
static CALLED_PHONE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:тел|номер|моб|звон|phone|call|whats|ватсап|вайбер|viber|счет|счёт|account)[^0-9]{0,25}$")
        .expect("the pattern is written here and compiles")
});

/// Passports, SNILS and INN in a text.
pub(super) fn numbers(text: &str) -> Vec<Secret> {
    let mut found: Vec<Secret> = Vec::new();
    for pattern in [&*PASSPORT, &*PASSPORT_AFTER] {
        found.extend(groups(pattern, text).map(|place| Secret {
            kind: Kind::Passport,
            start: place.start,
            end: place.end,
        }));
    }
    found.extend(groups(&SNILS, text).filter(|place| is_snils(text, place)).map(|place| Secret {
        kind: Kind::Snils,
        start: place.start,
        end: place.end,
    }));
    found.extend(groups(&INN, text).filter(|place| is_inn(text, place)).map(|place| Secret {
        kind: Kind::Inn,
        start: place.start,
        end: place.end,
    }));
    found.sort_by_key(|secret| secret.start);
    found
}

/// Places of the pattern's only group. Each search begins where the last group ended, so that the character that
/// divides two numbers serves both.
pub(super) fn groups<'a>(pattern: &'a Regex, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        let group = pattern.captures_at(text, from)?.get(1)?;
        from = group.end();
        Some(group.range())
    })
}

fn digits_of(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

fn is_snils(text: &str, place: &Range<usize>) -> bool {
    let written = &text[place.clone()];
    let digits = digits_of(written);
    if CALLED_SNILS.is_match(before(text, place.start)) {
        return digits.len() == 11;
    }
    let (number, check) = digits.split_at(9);
    let sum: u32 = number.iter().zip((1..=9).rev()).map(|(digit, weight)| digit * weight).sum();
    let valid = sum % 101 % 100 == check[0] * 10 + check[1] && number.iter().any(|&digit| digit != 0);
    let like_a_snils = written.len() == 14 && written.as_bytes()[3] == b'-' && written.as_bytes()[7] == b'-';
    // Eleven bare digits that begin with 7 or 8 are a phone.
    let bare =
        written.len() == 11 && !matches!(digits[0], 7 | 8) && !CALLED_OTHERWISE.is_match(before(text, place.start));
    valid && (like_a_snils || bare)
}

fn is_inn(text: &str, place: &Range<usize>) -> bool {
    let digits = digits_of(&text[place.clone()]);
    let check =
        |weights: &[u32]| digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11 % 10;
    let called = CALLED_INN.is_match(before(text, place.start));
    let before = before(text, place.start);
    match digits.len() {
        10 => called && check(&[2, 4, 10, 3, 5, 9, 4, 6, 8]) == digits[9],
        12 => {
            let valid = check(&[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) == digits[10]
                && check(&[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) == digits[11]
                && digits.iter().any(|&digit| digit != 0);
            valid && (called || !(CALLED_OTHERWISE.is_match(before) || CALLED_PHONE.is_match(before)))
        }
        _ => false,
    }
}
