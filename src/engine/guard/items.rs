//! What a text states that can be looked up: numbers, addresses of all sorts, names.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::clean::{emails, links};
use super::names;
use super::numbers::{Numbers, numbers};
use crate::engine::words::plain;

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns of this file compile")
}

static PHONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^0-9\p{L}-])(\+?[0-9][0-9 ()-]{8,18}[0-9])(?:[^0-9-]|$)"));
static ORDER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^\p{L}0-9])([МмMm] ?- ?[0-9]{6}|[МмMm][0-9]{6})(?:\D|$)"));
static LIST_MARK: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^[ \t]*[0-9]{1,2}[.)][ \t]"));
static ADDRESS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    let name = r"(\p{Lu}[\p{L}-]*(?: \p{Lu}[\p{L}-]*){0,3})";
    [
        pattern(&format!(
            r"(?:ул\.?|улиц[аеуы]|просп\.?|проспект[еуа]?|пр-т|пер\.?|переул(?:ок|ке)|наб\.?|набережн(?:ая|ой)|шоссе|бульвар[е]?|площад[ьи]|проезд[е]?) {name},?\s*(?:д\.?|дом)?\s*([0-9]+[а-яa-z]?)"
        )),
        pattern(&format!(
            r"{name} (?:ул\.?|улиц[аеуы]|проспект[еуа]?|набережн(?:ая|ой)|шоссе|бульвар|площадь|[Ss]treet|[Ss]t\b\.?|[Aa]venue|[Aa]ve\b\.?|[Rr]oad|[Rr]d\b\.?|[Ll]ane|[Ee]mbankment),?\s*(?:д\.?|дом)?\s*([0-9]+[а-яa-z]?)"
        )),
        pattern(&format!(
            r"([0-9]+[a-zа-я]?),? {name} (?:[Ss]treet|[Ss]t\b|[Aa]venue|[Aa]ve\b|[Rr]oad|[Rr]d\b|[Ll]ane|[Ee]mbankment|[Uu]litsa)"
        )),
    ]
});

/// What a text states.
#[derive(Debug, Clone, Default)]
pub(super) struct Items {
    pub(super) numbers: Numbers,
    /// The last ten digits, and where it stands.
    pub(super) phones: Vec<(String, usize)>,
    pub(super) emails: Vec<(String, usize)>,
    /// Host and path, with whether it is a bare host.
    pub(super) links: Vec<(String, usize)>,
    /// Six digits.
    pub(super) orders: Vec<(String, usize)>,
    /// The street's words and the house.
    pub(super) addresses: Vec<(Vec<String>, String, usize)>,
    /// The text without what can't hold a name: for names.
    pub(super) rest: String,
}

/// The text as items are read from it: plain spaces, hyphens for dashes, ё kept.
pub(super) fn prepared(text: &str) -> String {
    let dashed: String = plain(text)
        .chars()
        .map(|c| match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{ff05}' => '%',
            c => c,
        })
        .collect();
    LIST_MARK.replace_all(&dashed, |found: &regex::Captures<'_>| " ".repeat(found[0].len())).into_owned()
}

/// Reads the items of a prepared text.
pub(super) fn items(text: &str) -> Items {
    let mut items = Items::default();
    let mut rest = text.to_owned();
    let blank = |range: std::ops::Range<usize>, rest: &mut String| {
        let filler = "|".repeat(range.len());
        rest.replace_range(range, &filler);
    };
    for (place, email) in emails(text) {
        items.emails.push((email, place.start));
        blank(place, &mut rest);
    }
    for link in links(&rest.clone()) {
        items.links.push((link.address, link.place.start));
        blank(link.place, &mut rest);
    }
    for order in groups(&ORDER, &rest.clone()) {
        items.orders.push((rest[order.clone()].chars().filter(char::is_ascii_digit).collect(), order.start));
        blank(order, &mut rest);
    }
    for phone in groups(&PHONE, &rest.clone()) {
        let digits: String = rest[phone.clone()].chars().filter(char::is_ascii_digit).collect();
        if (10..=15).contains(&digits.len()) && is_phone(&rest[phone.clone()], &digits) {
            items.phones.push((digits[digits.len() - 10..].to_owned(), phone.start));
            blank(phone, &mut rest);
        }
    }
    for (number, pattern) in ADDRESS.iter().enumerate() {
        for found in pattern.captures_iter(&rest) {
            let (street, house) = if number == 2 { (&found[2], &found[1]) } else { (&found[1], &found[2]) };
            let street = names::words(street).into_iter().collect();
            let start = found.get(0).map_or(0, |whole| whole.start());
            items.addresses.push((street, house.to_lowercase(), start));
        }
    }
    items.numbers = numbers(&rest);
    items.rest = rest;
    items
}

/// Whether digits are written as a phone: a range of prices has as many.
fn is_phone(written: &str, digits: &str) -> bool {
    static END: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|\D)[0-9]{3}[- ]?(?:[0-9]{2}[- ][0-9]{2}|[0-9]{4})$"));
    let unbroken = written.len() == digits.len() && digits.starts_with(['7', '8', '9']);
    written.starts_with('+') || (digits.len() <= 11 && (unbroken || END.is_match(written)))
}

/// Places of the pattern's only group.
fn groups(pattern: &Regex, text: &str) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(group) = pattern.captures_at(text, from).and_then(|found| found.get(1)) {
        places.push(group.range());
        from = group.end();
    }
    places
}

/// What may support a reply.
#[derive(Debug, Clone, Default)]
pub(super) struct Support {
    pub(super) items: Vec<Items>,
    pub(super) words: HashSet<String>,
    /// All of it, folded.
    pub(super) folded: String,
}

impl Support {
    pub(super) fn of(texts: &[String]) -> Self {
        Self {
            items: texts.iter().map(|text| items(&prepared(text))).collect(),
            words: texts.iter().flat_map(|text| names::words(text)).collect(),
            folded: texts.iter().map(|text| crate::engine::words::folded(text)).collect::<Vec<_>>().join("\n"),
        }
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        let has =
            |part: &str| self.words.contains(part) || self.words.iter().any(|word| names::is_same_name(part, word));
        has(name) || (name.contains('-') && name.split('-').all(has))
    }
}
