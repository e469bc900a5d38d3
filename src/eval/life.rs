//! From life to test: a conversation that took place becomes a case, with the memory and the articles of then.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::script::ANA;
use crate::domain::knowledge::Article;
use crate::domain::memory::Fact;
use crate::domain::message::{Author, Message};
use crate::domain::text::{Language, hex};
use crate::engine::mask::mask;
use crate::ports::desk::TurnView;

/// A pause that is worth a step of its own.
const PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// Figures in a row that may point to somebody.
const TELLING_DIGITS: usize = 5;
/// Of these, so many at the beginning stay: they say what kind of number it is.
const KEPT_DIGITS: usize = 1;

/// What is known of a conversation.
pub struct Past {
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What was said in it, oldest first.
    pub messages: Vec<Message>,
    /// What the bot decided, by the newest message that it saw.
    pub turns: BTreeMap<i64, TurnView>,
    /// What held of the customer when it was opened, as far as we knew then.
    pub known: Vec<Fact>,
    /// What they and we had said before, oldest first.
    pub earlier: Vec<Message>,
    /// The articles that were brought to mind in it, as they stood.
    pub articles: Vec<Article>,
}

/// A script as it is written; [`super::script::Script`] reads it.
#[derive(Debug, Serialize)]
pub struct Frozen {
    /// Its id.
    pub id: String,
    title: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    known: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    past: BTreeMap<String, Vec<Earlier>>,
    only_these_articles: bool,
    articles: Vec<Planted>,
    turns: Vec<Step>,
    tags: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Earlier {
    from: &'static str,
    text: String,
    ago: String,
}

#[derive(Debug, Serialize)]
struct Planted {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    questions: Vec<String>,
    text: String,
}

#[derive(Debug, Default, Serialize)]
struct Step {
    #[serde(skip_serializing_if = "Option::is_none")]
    advance: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    customer: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<Operator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expect: Option<Expect>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Operator {
    Take,
    Reply(String),
    Note(String),
    Release,
}

#[derive(Debug, Default, Serialize)]
struct Expect {
    replies: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cites_all: Vec<String>,
}

/// A file of cases with one case.
#[derive(Debug, Serialize)]
pub struct File {
    suite: &'static str,
    cases: Vec<Frozen>,
}

impl File {
    /// With this case.
    pub fn of(case: Frozen) -> Self {
        Self { suite: "dialog", cases: vec![case] }
    }

    /// The same over the articles that the company has, instead of those of then.
    #[must_use]
    pub fn with_articles_of_the_company(mut self) -> Self {
        for case in &mut self.cases {
            case.only_these_articles = false;
            case.articles.clear();
        }
        self
    }
}

/// Makes a case of a conversation; with a redaction, nobody can be told by it.
pub fn frozen(past: &Past, id: &str, redaction: Option<&Redaction>) -> Frozen {
    let text = |text: &str| redaction.map_or_else(|| text.to_owned(), |redaction| redaction.text(text));
    let known = past.known.iter().map(|fact| format!("{} = {}", fact.key, text(&fact.value))).collect::<Vec<_>>();
    let earlier = past.earlier.iter().filter_map(|message| {
        let ago = past.opened_at.duration_since(message.received_at);
        Some(Earlier { from: speaker(message.author)?, text: text(message.text.as_str()), ago: length(ago) })
    });
    let earlier: Vec<Earlier> = earlier.collect();
    let of_ana = |empty: bool| if empty { None } else { Some(ANA.to_owned()) };
    Frozen {
        id: id.to_owned(),
        title: "from life: say here what it shows, and in expect what should have come".to_owned(),
        known: of_ana(known.is_empty()).map(|ana| (ana, known)).into_iter().collect(),
        past: of_ana(earlier.is_empty()).map(|ana| (ana, earlier)).into_iter().collect(),
        only_these_articles: true,
        articles: past.articles.iter().map(planted).collect(),
        turns: steps(past, &text),
        tags: vec!["life".to_owned()],
    }
}

fn speaker(author: Author) -> Option<&'static str> {
    match author {
        Author::Customer => Some("customer"),
        Author::Bot => Some("bot"),
        Author::Operator(_) => Some("operator"),
        Author::Note(_) => None,
    }
}

/// A length of time in whole minutes, or in hours where these are whole.
fn length(length: SignedDuration) -> String {
    let minutes = length.as_mins().max(1);
    if minutes % 60 == 0 { format!("{}h", minutes / 60) } else { format!("{minutes}m") }
}

fn planted(article: &Article) -> Planted {
    let mut text = String::new();
    for section in &article.sections {
        if !section.heading.is_empty() {
            let _ = write!(text, "## {}\n\n", section.heading);
        }
        let _ = write!(text, "{}\n\n", section.text);
    }
    let (id, title, questions) = (article.id.clone(), article.title.clone(), article.questions.clone());
    Planted { id, title, questions, text: text.trim_end().to_owned() }
}

/// What happened, in order: bursts of the customer with what followed them, and what people did.
fn steps(past: &Past, text: &impl Fn(&str) -> String) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut taken, mut last_at) = (false, past.opened_at);
    let mut messages = past.messages.iter().peekable();
    while let Some(message) = messages.next() {
        let pause = message.received_at.duration_since(last_at);
        if pause >= PAUSE && !steps.is_empty() {
            steps.push(Step { advance: Some(length(pause)), ..Step::default() });
        }
        last_at = message.received_at;
        match message.author {
            Author::Customer => {
                let mut burst = vec![message];
                while let Some(next) = messages.next_if(|next| next.author == Author::Customer) {
                    burst.push(next);
                }
                let newest = burst.last().map_or(message.seq, |last| last.seq);
                let mut replies = 0;
                while let Some(reply) = messages.next_if(|next| next.author == Author::Bot) {
                    replies += 1;
                    last_at = reply.received_at;
                }
                if taken && replies > 0 {
                    steps.push(Step { operator: Some(Operator::Release), ..Step::default() });
                    taken = false;
                }
                let turn = past.turns.range(message.seq..=newest).next_back().map(|(_, turn)| turn);
                let cited = turn.into_iter().flat_map(|turn| &turn.record.cited).filter(|source| source.contains('/'));
                let expect = Expect {
                    replies,
                    decision: turn.map(|turn| turn.decision.clone()),
                    cites_all: cited.cloned().collect(),
                };
                let customer = burst.iter().map(|message| text(message.text.as_str())).collect();
                steps.push(Step { customer, expect: Some(expect), ..Step::default() });
            }
            // A notice of its own, by time: the replay gives it again.
            Author::Bot => {}
            Author::Operator(_) | Author::Note(_) => {
                if !std::mem::replace(&mut taken, true) {
                    steps.push(Step { operator: Some(Operator::Take), ..Step::default() });
                }
                let said = text(message.text.as_str());
                let is_note = matches!(message.author, Author::Note(_));
                let operator = Some(if is_note { Operator::Note(said) } else { Operator::Reply(said) });
                steps.push(Step { operator, ..Step::default() });
            }
        }
    }
    steps
}

/// Takes out of texts what tells who somebody is, the same way wherever it stands.
pub struct Redaction {
    /// What is looked for, and what stands in its place.
    words: Vec<(Regex, String)>,
    digits: Regex,
    /// Addresses of mailboxes, handles, links.
    reach: Regex,
    /// Known to nobody: what a number has become can't be found by trying numbers.
    salt: [u8; 16],
}

impl Redaction {
    /// Of what is known of a customer: keys of facts with their values.
    ///
    /// # Panics
    /// Never: the patterns are written here, or escaped.
    pub fn of<'a>(known: impl Iterator<Item = (&'a str, &'a str)>, salt: [u8; 16]) -> Self {
        let mut words = Vec::new();
        for (key, value) in known {
            let is_ru = Language::detect(value) == Some(Language::Ru);
            let literal = |stands: &str| (pattern(&regex::escape(value)), stands.to_owned());
            match key {
                "name" => {
                    let names =
                        if is_ru { ["Женя", "Петренко", "Лео"] } else { ["Alex", "Morgan", "Lee"] };
                    let said = value.split_whitespace().filter(|word| word.chars().count() > 1);
                    words.extend(
                        said.zip(names.iter().cycle()).map(|(word, name)| (forms_of(word, 1), (*name).to_owned())),
                    );
                }
                "address" => {
                    words.push(literal(if is_ru { "ул. Примерная, 1" } else { "1 Sample Street" }));
                    // Also where it is said in another case.
                    let said =
                        value.split(|letter: char| !letter.is_alphabetic()).filter(|word| word.chars().count() > 4);
                    words.extend(
                        said.map(|word| (forms_of(word, 2), if is_ru { "Примерная" } else { "Sample" }.to_owned())),
                    );
                }
                "company" => words.push(literal(if is_ru { "ООО «Пример»" } else { "Example Ltd" })),
                _ => {}
            }
        }
        let digits = r"\d(?:[\d\s()./\-\u{a0}]*\d)?";
        let reach = r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+|\B@\w{4,}|\b(?:https?://|t\.me/|wa\.me/|vk\.com/)\S+";
        Self { words, digits: pattern(digits), reach: pattern(reach), salt }
    }

    /// A text without it.
    pub fn text(&self, text: &str) -> String {
        let mut text = mask(text).text;
        text = self.reach.replace_all(&text, "user@example.com").into_owned();
        for (pattern, stands) in &self.words {
            text = pattern.replace_all(&text, stands.as_str()).into_owned();
        }
        self.digits.replace_all(&text, |found: &regex::Captures<'_>| self.number(&found[0])).into_owned()
    }

    /// Another number of the same shape: the same one for the same figures.
    fn number(&self, number: &str) -> String {
        let figures: String = number.chars().filter(char::is_ascii_digit).collect();
        if figures.len() < TELLING_DIGITS {
            return number.to_owned();
        }
        let hash = Sha256::digest([&self.salt[..], figures.as_bytes()].concat());
        let mut others = hash.iter().cycle().map(|byte| char::from(b'0' + byte % 10)).skip(KEPT_DIGITS);
        let mut seen = 0;
        let other = |letter: char| {
            if !letter.is_ascii_digit() {
                return letter;
            }
            seen += 1;
            if seen <= KEPT_DIGITS { letter } else { others.next().unwrap_or('0') }
        };
        number.chars().map(other).collect()
    }
}

fn pattern(text: &str) -> Regex {
    Regex::new(&format!("(?i){text}")).expect("the pattern is written here, or escaped")
}

/// A word in all its cases: its beginning without so many letters, and a few letters more.
fn forms_of(word: &str, without: usize) -> Regex {
    let letters: Vec<char> = word.chars().collect();
    let stem: String = letters[..letters.len().saturating_sub(without).max(2)].iter().collect();
    pattern(&format!(r"\b{}\p{{L}}{{0,3}}\b", regex::escape(&stem)))
}

/// A short name for a case of a conversation, from which the conversation can't be found.
pub fn id_of(conversation: &str, salt: [u8; 16]) -> String {
    format!("life-{}", hex(&Sha256::digest([&salt[..], conversation.as_bytes()].concat())[..4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction(known: &[(&str, &str)]) -> Redaction {
        Redaction::of(known.iter().copied(), [7; 16])
    }

    #[test]
    fn nobody_can_be_told_by_a_redacted_text() {
        let redaction = redaction(&[
            ("name", "Анна Кузнецова"),
            ("address", "Лесная 5, кв. 12"),
            ("company", "ООО «Ромашка»"),
            ("order_number", "М-123456"),
        ]);
        let text = redaction.text(
            "Это Анна Кузнецова, заказ М-123456, Анне звоните +7 912 345-67-89 или +7.912.345.67.89, anna@mail.ru, @anna_k, Лесная 5, кв. 12, \
             жду на Лесной, ООО «Ромашка», код 390",
        );
        for told in ["Анн", "Кузнецов", "123456", "345-67", "345.67", "anna", "Лесн", "Ромашка"] {
            assert!(!text.contains(told), "{told} is in {text}");
        }
        assert!(text.contains("код 390") && text.contains("М-1") && text.contains("+7 "), "{text}");
        assert_eq!(redaction.text("М-123456"), redaction.text("М-123456"), "the same everywhere");
        assert!(!redaction.text("это анна").contains("анна"));
    }

    #[test]
    fn lengths_are_written_as_people_do() {
        assert_eq!(length(SignedDuration::from_hours(72)), "72h");
        assert_eq!(length(SignedDuration::from_mins(95)), "95m");
        assert_eq!(length(SignedDuration::from_secs(5)), "1m");
    }
}
