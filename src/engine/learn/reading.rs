//! A message as the rules see it: sentences with their words and marks, in the spelling of the customer and folded.

use std::sync::LazyLock;

use regex::Regex;

use super::instructions::is_order;
use super::reach::EMAIL;
use super::said::pattern;
use super::voice;
use crate::engine::words::{plain, sentences, words};

/// A word, a number or a mark.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    /// As written.
    pub(super) text: &'a str,
    /// In lower case, ё as е.
    pub(super) low: String,
    /// Where it begins in its sentence, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

impl Token<'_> {
    /// It begins with a letter.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(char::is_alphabetic)
    }

    /// It begins with a figure.
    pub(super) fn is_number(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }

    /// It is a word that begins with a capital.
    pub(super) fn is_capital(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }

    /// It is a word of Latin letters.
    pub(super) fn is_latin(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() && !crate::engine::words::is_cyrillic(c))
    }

    /// It ends a clause.
    pub(super) fn divides(&self) -> bool {
        matches!(self.text, "," | "." | ";" | ":" | "!" | "?" | "(" | ")" | "—" | "–" | "-" | "…" | "\n" | "/" | "¦")
    }
}

/// A sentence.
#[derive(Debug, Clone)]
pub(super) struct Sentence<'a> {
    /// As written.
    pub(super) text: &'a str,
    /// Its words folded, one space between, before and after them; mailboxes as `mailaddress`.
    pub(super) folded: String,
    /// Its words and marks.
    pub(super) tokens: Vec<Token<'a>>,
    /// It has a question mark.
    pub(super) asks: bool,
    /// It tells what others bought.
    pub(super) of_others: bool,
}

impl<'a> Sentence<'a> {
    fn of(text: &'a str) -> Self {
        let folded = folded(text);
        let of_others = voice::is_of_others(&folded);
        Self { text, folded, tokens: tokens(text), asks: text.contains('?'), of_others }
    }

    /// The clauses: runs of tokens between marks that divide.
    pub(super) fn clauses(&self) -> Vec<&[Token<'a>]> {
        self.tokens.split(Token::divides).filter(|clause| !clause.is_empty()).collect()
    }
}

/// A message.
#[derive(Debug, Clone)]
pub(super) struct Reading<'a> {
    /// The sentences, in order, without those that order us about.
    pub(super) sentences: Vec<Sentence<'a>>,
    /// Those that do.
    pub(super) orders_to_us: Vec<&'a str>,
}

impl<'a> Reading<'a> {
    /// `text` is plain and has its masked places as `¦`.
    pub(super) fn of(text: &'a str) -> Self {
        let (orders_to_us, kept): (Vec<&str>, Vec<&str>) = sentences(text).into_iter().partition(|text| is_order(text));
        Self { sentences: kept.into_iter().map(Sentence::of).collect(), orders_to_us }
    }

    /// Only what is told of the customer, as it is: nothing that was read somewhere or is supposed.
    pub(super) fn own(mut self) -> Self {
        self.sentences.retain(|sentence| !voice::is_reported(&sentence.folded));
        self
    }

    /// Whether a sentence tells what others bought.
    pub(super) fn tells_of_others(&self) -> bool {
        self.sentences.iter().any(|sentence| sentence.of_others)
    }

    /// All that was said, folded; sentences divided by ` . `.
    pub(super) fn folded(&self) -> String {
        let all: Vec<&str> = self.sentences.iter().map(|sentence| sentence.folded.as_str()).collect();
        all.join(".")
    }
}

/// Transliterated and English abbreviations whose full stop ends no sentence.
static ABBREVIATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(^|[^\p{L}])(ul|sp|pvt|pty|kv|pr|prosp|per|korp|str|apt|rd|cdr|prof|tel|ph|nr|мкр|оф|кварт|дер|пос|(?:agreement|policy|contract|case|invoice|ref|ticket|cheque|claim|order) no|art|cat|ser|арт|инв|зав|кат|сер|накл)\. ",
    )
});

/// "Friedrichstr. 12".
static GERMAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\p{Lu}\p{Ll}+str)\. ([0-9])"));

/// A title before a name, whose full stop ends no sentence.
static TITLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)((?:^|[,!;.:] ?|\b(?i:am|is|it's|from|to|by|regards|sincerely|here) ))(Dr|Mr|Mrs|Ms|Prof|Ing|Mag|Dipl\.-Ing)\. (\p{Lu})",
    )
});

/// A unit at the end of a sentence, which is taken for one in its middle.
static UNIT_ENDS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"([0-9]\s?(?:см|мм|кг|шт|руб|мин|мл|гр|л|р|ч)\.) (\p{Lu})"));

/// Towns of saints and counties of Ireland, whose full stop ends no sentence.
static SAINT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(St|Ft|Mt|Co)\. (Antrim|Armagh|Carlow|Cavan|Clare|Cork|Donegal|Down|Dublin|Durham|Fermanagh|Galway|Kerry|Kildare|Kilkenny|Laois|Leitrim|Limerick|Longford|Louth|Mayo|Meath|Monaghan|Offaly|Roscommon|Sligo|Tipperary|Tyrone|Waterford|Westmeath|Wexford|Wicklow|Louis|Petersburg|Albans|Paul|Andrews|Helens|Ives|Neots|Austell|John|Catharines|Cloud|Worth|Wayne|Lauderdale)\b",
    )
});

static MASKED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[^\]\n]*\]"));

/// The text that a [`Reading`] is of.
pub(super) fn prepared(text: &str) -> String {
    let text = plain(&MASKED.replace_all(text, " ¦ "));
    let text = ABBREVIATED.replace_all(&text, "$1$2 ");
    let text = SAINT.replace_all(&text, "$1 $2");
    let text = GERMAN.replace_all(&text, "$1 $2").replace("P.O. Box", "PO Box");
    let text = TITLE.replace_all(&text, |found: &regex::Captures<'_>| {
        format!("{}{} {}", &found[1], found[2].trim_start_matches("Dipl.-"), &found[3])
    });
    UNIT_ENDS.replace_all(&text, "$1\n$2").into_owned()
}

/// Words folded, one space between, before and after them.
pub(super) fn folded(text: &str) -> String {
    let text = EMAIL.replace_all(text, " mailaddress ");
    format!(" {} ", words(&text).join(" "))
}

/// Whether a word is on a list of words with spaces between.
pub(super) fn one_of(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
}

/// Words with hyphens and apostrophes in them are one token.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c == ' ' {
            continue;
        }
        let mut end = start + c.len_utf8();
        if c.is_alphanumeric() {
            while let Some(&(at, next)) = chars.peek() {
                let joins = matches!(next, '-' | '\'' | '’' | '‑')
                    && text[at + next.len_utf8()..].starts_with(char::is_alphanumeric);
                if !next.is_alphanumeric() && !joins {
                    break;
                }
                end = at + next.len_utf8();
                chars.next();
            }
        }
        let text = &text[start..end];
        all.push(Token { text, low: text.to_lowercase().replace('ё', "е"), start, end });
    }
    all
}
