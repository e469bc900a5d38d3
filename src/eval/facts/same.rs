//! Whether what was read is what should have been read: spellings differ, facts don't.

use super::{Gold, Read};
use crate::engine::words::{stem, words};

/// Titles before a name, folded.
const TITLES: [&str; 14] =
    ["mr", "mrs", "ms", "miss", "dr", "sir", "madam", "prof", "cdr", "capt", "г", "жа", "господин", "госпожа"];

/// Legal forms of companies, folded.
#[rustfmt::skip]
const FORMS: [&str; 42] = [
    "ооо", "ао", "оао", "зао", "пао", "ип", "нко", "тсж", "тсн", "снт", "гбуз", "мбоу", "маоу", "мбдоу", "гбоу", "гау", "мау",
    "фгуп", "гуп", "муп", "ано", "чоп", "гк", "индивидуальный", "предприниматель", "ooo", "oao", "zao", "pao", "ip", "ltd",
    "llc", "llp", "gmbh", "inc", "cic", "plc", "co", "limited", "corp", "ag", "sl",
];

/// Most words of a product that the expected one has not.
const MORE: usize = 2;

/// Whether a fact that was read is one that should be.
pub(super) fn fact(read: &Read, gold: &Gold) -> bool {
    if read.key != gold.key {
        return false;
    }
    let (value, wanted) = (read.value.as_str(), gold.value.as_str());
    match read.key.as_str() {
        "product" => product(value, wanted, gold.core.as_deref().unwrap_or(wanted)),
        "address" => address(value, wanted),
        "date" => value.starts_with(wanted),
        "call_time" => read.message == gold.message && time(value, wanted),
        "promise" | "claim" | "constraint" => read.message == gold.message && half(value, wanted),
        key => self::value(key, value, key, wanted),
    }
}

/// Whether two values of these keys are one: what counts once a dialogue.
pub(super) fn value(key: &str, a: &str, other: &str, b: &str) -> bool {
    key == other
        && match key {
            "order_number" => digits(a) == digits(b),
            "phone" => last_ten(a) == last_ten(b),
            "name" => sorted(&without(a, &TITLES)) == sorted(&without(b, &TITLES)),
            "city" => stems(a) == stems(b),
            "company" => without(a, &FORMS) == without(b, &FORMS),
            "date" => a.get(..10) == b.get(..10),
            _ => a.to_lowercase() == b.to_lowercase(),
        }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn last_ten(text: &str) -> String {
    let digits = digits(text);
    digits[digits.len().saturating_sub(10)..].to_owned()
}

fn without(text: &str, apart: &[&str]) -> Vec<String> {
    words(text).into_iter().filter(|word| !apart.contains(&word.as_str())).collect()
}

fn sorted(words: &[String]) -> Vec<&String> {
    let mut words: Vec<&String> = words.iter().collect();
    words.sort();
    words
}

fn stems(text: &str) -> Vec<String> {
    words(text).iter().map(|word| stem(word)).collect()
}

/// It holds what names the product, and at most so many words that were not expected.
fn product(value: &str, wanted: &str, core: &str) -> bool {
    let (value, wanted) = (stems(value), stems(wanted));
    let more = value.iter().filter(|word| !wanted.contains(word)).count();
    stems(core).iter().all(|word| value.contains(word)) && more <= MORE
}

/// The numbers of the house and beyond agree where both have them, and a word of the street.
fn address(value: &str, wanted: &str) -> bool {
    let numbers = |text: &str| -> Vec<String> {
        words(text).into_iter().filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect()
    };
    let (read, expected) = (stems(value), stems(wanted));
    let named = |word: &&String| word.chars().count() > 2 && word.chars().all(char::is_alphabetic);
    let street = expected.iter().filter(named).any(|word| read.contains(word));
    let house = numbers(wanted).first().is_none_or(|house| numbers(value).contains(house));
    street && house
}

/// The same digits; where there are none, words in common.
fn time(value: &str, wanted: &str) -> bool {
    let (read, expected) = (digits(value), digits(wanted));
    if !read.is_empty() || !expected.is_empty() {
        return read == expected;
    }
    half(value, wanted)
}

/// At least half of the words of the shorter stand in the longer.
fn half(a: &str, b: &str) -> bool {
    let (a, b) = (stems(a), stems(b));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let shared = short.iter().filter(|word| long.contains(word)).count();
    !short.is_empty() && shared * 2 >= short.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, read: &str, wanted: &str, core: Option<&str>, expected: bool) {
        let one = Read { message: 0, key: key.to_owned(), value: read.to_owned(), due: None };
        let core = core.map(str::to_owned);
        let gold = Gold { message: 0, key: key.to_owned(), value: wanted.to_owned(), core, due: None };
        assert_eq!(fact(&one, &gold), expected, "{key}: {read} and {wanted}");
    }

    #[test]
    fn spellings_differ_and_facts_dont() {
        check("order_number", "М-123456", "123456", None, true);
        check("order_number", "М-123456", "123457", None, false);
        check("phone", "+79161234567", "8 (916) 123-45-67", None, true);
        check("name", "Petrova Anna", "Mrs Anna Petrova", None, true);
        check("name", "Анна", "Анна Петрова", None, false);
        check("city", "Казани", "Казань", None, true);
        check("company", "ООО Вектор", "ООО «Вектор»", None, true);
        check("date", "2026-03-12: on Thursday", "2026-03-12", None, true);
        check("contact_channel", "email", "sms", None, false);
        check("name", "Anna", "anna@mail.example", None, false);
    }

    #[test]
    fn products_hold_their_core_and_little_else() {
        check("product", "чайник", "чайник Bosch TWK3A011", Some("чайник"), true);
        check("product", "Bosch TWK3A011", "чайник Bosch TWK3A011", Some("чайник"), false);
        check("product", "новый красивый чайник", "чайник", Some("чайник"), true);
        check("product", "чайник пришёл вчера вечером", "чайник", Some("чайник"), false);
    }

    #[test]
    fn sentences_need_half_of_the_words_and_addresses_the_house() {
        check("claim", "Вы обещали скидку, и где она?", "Вы обещали скидку", None, true);
        check("claim", "Где она?", "Вы обещали скидку", None, false);
        check("address", "Ленина 5", "ул. Ленина, д. 5, кв. 3", None, true);
        check("address", "ул. Ленина, д. 6", "ул. Ленина, д. 5", None, false);
        check("address", "Мира 5", "ул. Ленина, д. 5", None, false);
        check("call_time", "с 9 до 11 утра", "с 9 до 11", None, true);
        check("call_time", "после обеда", "после обеда", None, true);
        check("call_time", "вечером", "после обеда", None, false);
    }
}
