//! Words of other people, made safe to be shown inside our own lines: one line, nothing invisible, no live link.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::words::{plain, shortened};
use crate::domain::text::Language;

// No word has to end before a link: «смотриhttps://…» is live in every messenger.
static SCHEME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)([a-z][a-z0-9+.-]*)://").expect("the pattern is written here and compiles"));

static WWW: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)www\.").expect("the pattern is written here and compiles"));

static HOST_WITH_PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)([\p{L}0-9-])\.(\p{L}{2,24}|xn--[a-z0-9-]+)/").expect("the pattern is written here and compiles")
});

/// One line of at most `longest` characters that shows somebody's words and can't be clicked.
pub fn line(text: &str, longest: usize) -> String {
    shortened(&defanged(&plain(text)), longest)
}

/// The text with its links spelled so that no messenger or browser makes them live: `hxxps://`, `www[.]`.
fn defanged(text: &str) -> String {
    let text = SCHEME.replace_all(text, |found: &Captures<'_>| match found[1].to_lowercase().as_str() {
        "http" | "hxxp" => "hxxp://".to_owned(),
        "https" | "hxxps" => "hxxps://".to_owned(),
        _ => format!("{}[:]//", &found[1]),
    });
    let text = WWW.replace_all(&text, "www[.]");
    HOST_WITH_PATH.replace_all(&text, "$1[.]$2/").into_owned()
}

/// The words in the quotation marks of `language`, shortened to `longest` characters.
pub fn quoted(text: &str, longest: usize, language: Language) -> String {
    let line = line(text, longest);
    match language {
        Language::Ru => format!("«{line}»"),
        Language::En => format!("“{line}”"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_are_shown_but_dead() {
        let check = |text: &str, expected: &str| assert_eq!(line(text, 200), expected);
        check("см. https://evil.example/a?b=1", "см. hxxps://evil[.]example/a?b=1");
        check("HTTP://evil.example", "hxxp://evil.example");
        check("WWW.evil.example\nвторая  строка", "www[.]evil.example вторая строка");
        check("tg://join и t.me/evil", "tg[:]//join и t[.]me/evil");
        check("почта anna@mail.example, 12.05/13.05", "почта anna@mail.example, 12.05/13.05");
        check("бе\u{202e}зо\u{200b}бразие\u{7}", "безобразие");
        check("смотриhttps://evil.example", "смотриhxxps://evil.example");
        // Hiding the link from the rule hides it from nobody: what can't be seen goes first.
        check("htt\u{200b}ps://evil.example", "hxxps://evil.example");
    }

    proptest! {
        #[test]
        fn a_line_is_one_and_final(text in any::<String>(), link in "(https?|ftp|tg)://[a-z.]{1,9}/?[a-z]{0,4}") {
            let shown = line(&format!("{text}{link} www.{text}"), 300);
            let lower = shown.to_lowercase();
            prop_assert!(!lower.contains("http") || !lower.contains("http://") && !lower.contains("https://"), "{}", shown);
            prop_assert!(!shown.contains(|c: char| c.is_control()));
            prop_assert!(shown.chars().count() <= 300);
            prop_assert_eq!(line(&shown, 300), shown);
        }
    }
}
