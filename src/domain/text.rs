//! Text that people wrote, and the language it is in.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Words of a customer or an operator. Its `Debug` shows the length only, so that no log can hold it by accident.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageText(String);

impl MessageText {
    /// Takes text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for MessageText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageText({} characters)", self.0.chars().count())
    }
}

/// The languages Firstline speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// Both, Russian first.
    pub const ALL: [Language; 2] = [Language::Ru, Language::En];

    /// The two-letter code of ISO 639-1.
    pub fn code(self) -> &'static str {
        match self {
            Language::Ru => "ru",
            Language::En => "en",
        }
    }

    /// Parses a code such as `ru`, `en-GB` or `RU`; `None` for other languages.
    pub fn from_code(code: &str) -> Option<Self> {
        match code.get(..2)?.to_ascii_lowercase().as_str() {
            "ru" => Some(Language::Ru),
            "en" => Some(Language::En),
            _ => None,
        }
    }

    /// Guesses the language by script: the two we speak don't share one. `None` where there are no letters of either.
    pub fn detect(text: &str) -> Option<Self> {
        let (mut cyrillic, mut latin) = (0_usize, 0_usize);
        for c in text.chars() {
            match c {
                '\u{0400}'..='\u{04ff}' => cyrillic += 1,
                'a'..='z' | 'A'..='Z' => latin += 1,
                _ => {}
            }
        }
        match (cyrillic, latin) {
            (0, 0) => None,
            // Brand names and order numbers put Latin letters into Russian sentences; the reverse hardly happens.
            (cyrillic, latin) if cyrillic * 2 >= latin => Some(Language::Ru),
            _ => Some(Language::En),
        }
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// The words of a text as searching compares them: lower case, `ё` as `е`, without stress marks, letters apart from digits
/// (`М-123456` and `м123456` are the same two words).
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = Kind::Other;
    for c in text.nfkc().flat_map(char::to_lowercase) {
        if is_combining_mark(c) {
            continue;
        }
        let c = if c == 'ё' { 'е' } else { c };
        let kind = match c {
            _ if c.is_numeric() => Kind::Digit,
            _ if c.is_alphabetic() => Kind::Letter,
            _ => Kind::Other,
        };
        match words.last_mut() {
            _ if kind == Kind::Other => {}
            Some(word) if kind == last => word.push(c),
            _ => words.push(c.to_string()),
        }
        last = kind;
    }
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_split() {
        assert_eq!(words("Ещё  ЁЖ, за\u{301}мок!"), ["еще", "еж", "замок"]);
        assert_eq!(words("М-123456 м123456 Wi-Fi"), ["м", "123456", "м", "123456", "wi", "fi"]);
        // What phones of one maker send for й.
        assert_eq!(words("мои\u{306}"), ["мой"]);
        assert!(words(" …—😀").is_empty());
    }

    #[test]
    fn language_is_guessed_by_script() {
        assert_eq!(Language::detect("Где мой заказ M-123456 из IKEA?"), Some(Language::Ru));
        assert_eq!(Language::detect("Where is my parcel?"), Some(Language::En));
        assert_eq!(Language::detect("12 345 😀"), None);
    }

    #[test]
    fn words_do_not_reach_a_log() {
        let debug = format!("{:?}", MessageText::new("тайна"));
        assert_eq!(debug, "MessageText(5 characters)");
    }
}
