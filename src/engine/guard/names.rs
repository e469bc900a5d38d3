//! Proper names in a text, and whether two spellings are one name in different cases.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::domain::text::Language;
use crate::engine::learn::is_given;
use crate::engine::words::{is_cyrillic, is_stop_word};

/// Words with capitals, and Latin words, that name nobody.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "вы вас вам вами ваш ваша ваше ваши вашего вашей вашему вашим вашими ваших вашу здравствуйте добрый доброе доброго привет спасибо пожалуйста \
     да нет важно внимание бот чат смс сайт интернет \
     i im ill ive id hello hi hey dear thanks thank please yes no ok okay regards best sincerely team support note important mr mrs ms \
     sms email mail online ok qr pdf faq id usb led wifi fi wi web chat app app's pm am a an the and or bot ai tv cm mm kg km ml kw vat \
     english russian rub rubles roubles usd eur"
        .split_whitespace()
        .collect()
});

/// Endings that Russian and English names take in different cases.
const ENDINGS: &[&str] = &[
    "", "а", "я", "ы", "и", "е", "у", "ю", "о", "ой", "ей", "ою", "ею", "ом", "ем", "ам", "ям", "ами", "ями", "ах",
    "ях", "ов", "ев", "ью", "ь", "й", "ый", "ий", "ого", "его", "ому", "ему", "ым", "им", "ая", "яя", "ое", "ее", "ую",
    "юю", "ые", "ие", "ых", "их", "ыми", "ими", "ия", "ию", "ией", "ии", "ин", "ина", "иной", "иным", "s", "es", "'s",
    "’s",
];

static WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{L}][\p{L}\p{M}\p{N}]*(?:['’-][\p{L}\p{N}]+)*").expect("the pattern is written here and compiles")
});

/// Whether two words are one name, in any case. Both folded.
pub(super) fn is_same_name(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let shared: usize = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let long_enough = a[..shared].chars().count() >= 3;
    long_enough && ENDINGS.contains(&&a[shared..]) && ENDINGS.contains(&&b[shared..])
}

/// All words of a text, folded: what a name may stand on. A word with hyphens is also there by its parts.
pub(super) fn words(text: &str) -> HashSet<String> {
    let mut words = HashSet::new();
    for word in WORD.find_iter(text) {
        let folded = fold(word.as_str());
        words.extend(folded.split(['-', '\'', '’']).map(str::to_owned));
        words.insert(folded);
    }
    words
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('ё', "е")
}

/// Proper names of a sentence with their places: words with a capital but for the first, words in quotation marks, words
/// of the other script, and a first word that is a common first name.
pub(super) fn names(sentence: &str, language: Option<Language>) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    for word in WORD.find_iter(sentence) {
        let written = word.as_str();
        let before = sentence[..word.start()].trim_end();
        let begins = before.chars().all(|c| !c.is_alphanumeric());
        let quoted = is_quoted(sentence, word.start());
        let capital = written.chars().next().is_some_and(char::is_uppercase);
        let foreign = match language {
            Some(Language::Ru) => written.is_ascii() && written.chars().filter(char::is_ascii_alphabetic).count() > 1,
            Some(Language::En) => written.chars().any(is_cyrillic),
            None => false,
        };
        let folded = fold(written);
        let is_name = if begins && !quoted {
            foreign || (capital && is_first_name(&folded, sentence, word.end()))
        } else {
            capital || quoted || foreign
        };
        let single = written.chars().count() < 2;
        if is_name && !single && !is_common(&folded) {
            names.push((folded, word.start()));
        }
    }
    names
}

/// Whether the word that begins a sentence addresses or names somebody: "Мария, …".
fn is_first_name(folded: &str, sentence: &str, end: usize) -> bool {
    is_given(folded) && sentence[end..].starts_with([',', '!'])
}

fn is_common(folded: &str) -> bool {
    let plain = folded.trim_end_matches("'s").trim_end_matches("’s");
    COMMON.contains(plain)
        || is_stop_word(plain)
        || folded.split(['-', '\'', '’']).all(|part| COMMON.contains(part) || part.chars().count() < 2)
}

/// Whether a place is inside quotation marks.
fn is_quoted(sentence: &str, place: usize) -> bool {
    let before = &sentence[..place];
    let open = |opening: char, closing: char| before.matches(opening).count() > before.matches(closing).count();
    open('«', '»') || open('“', '”') || before.matches('"').count() % 2 == 1 && sentence[place..].contains('"')
}
