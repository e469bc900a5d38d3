//! The guard: what a drafted reply must stand up to before a customer may read it.
//!
//! Everything in a reply that can be looked up is looked up: in the articles it cites, in what is remembered, in the
//! customer's own words. What only the customer said may be repeated as theirs, not stated as ours: "confirm that I
//! get 90 days" confirms nothing. The checks are lexical: they prove that a figure stands in a source, not that the
//! sentence around it is true.

mod clean;
mod items;
mod known;
mod names;
mod numbers;
mod promises;
mod quantities;
mod quotable;
mod reply;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod tests;
mod theirs;

pub use clean::clean;
pub use quotable::quotable;

use std::sync::LazyLock;

use regex::Regex;

use self::items::{items, prepared};
use self::known::Known;
use self::reply::Reply;
use super::words::folded;
use crate::domain::knowledge::FoundSection;
use crate::domain::memory::Remembered;
use crate::domain::text::{Language, MessageText};
use crate::domain::turn::Draft;

/// What a reply may stand on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// All sections retrieved for this turn; those of cited articles support the reply.
    pub articles: &'a [FoundSection],
    /// What was recalled of the customer; supports the reply whether cited or not.
    pub memory: &'a [Remembered],
    /// The customer's words: the window's, then the new ones, which come last.
    pub customer: &'a [&'a str],
}

/// What is expected of a reply.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The language of the customer's new words, where it can be told.
    pub language: Option<Language>,
    /// Longest reply, in characters.
    pub longest: usize,
    /// Hosts that links may lead to, subdomains included.
    pub hosts: &'a [String],
    /// The company's name.
    pub company: &'a str,
    /// The prompt's canary and fence marks: never said.
    pub forbidden: &'a [String],
    /// Nothing but small talk was said: no source is needed.
    pub small_talk: bool,
}

/// A check that a reply failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViolationKind {
    /// Nothing is said.
    Empty,
    /// Longer than allowed.
    TooLong,
    /// Not in the customer's language.
    WrongLanguage,
    /// A citation that was not retrieved.
    UnknownCitation,
    /// A statement of fact without any citation.
    NoCitation,
    /// The prompt's canary, its fences, or markup of chat templates.
    PromptLeak,
    /// The model speaks of itself as one.
    ModelTalk,
    /// A link to a host that is not ours.
    ForeignLink,
    /// A link to a page of ours that no source names.
    UnsupportedLink,
    /// An e-mail address that no source names.
    UnsupportedEmail,
    /// A phone number that no source names.
    UnsupportedPhone,
    /// An order number that neither memory nor the customer named.
    UnsupportedOrderNumber,
    /// A street address that no source names.
    UnsupportedAddress,
    /// A price or an amount of points that no source names, "free" included.
    UnsupportedPrice,
    /// A percentage that no source names.
    UnsupportedPercentage,
    /// A length of time that no source names.
    UnsupportedDuration,
    /// A date or a day of the week that no source names.
    UnsupportedDate,
    /// A time of day that no source names.
    UnsupportedTime,
    /// Another number that no source names.
    UnsupportedNumber,
    /// A proper name that no source names.
    UnsupportedName,
    /// A commitment that no cited article makes, or an act that the bot can't do.
    UnsupportedPromise,
    /// A term, price or date that only the customer named, stated or confirmed as ours.
    CustomerClaim,
}

impl ViolationKind {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            ViolationKind::Empty => "empty",
            ViolationKind::TooLong => "too_long",
            ViolationKind::WrongLanguage => "wrong_language",
            ViolationKind::UnknownCitation => "unknown_citation",
            ViolationKind::NoCitation => "no_citation",
            ViolationKind::PromptLeak => "prompt_leak",
            ViolationKind::ModelTalk => "model_talk",
            ViolationKind::ForeignLink => "foreign_link",
            ViolationKind::UnsupportedLink => "unsupported_link",
            ViolationKind::UnsupportedEmail => "unsupported_email",
            ViolationKind::UnsupportedPhone => "unsupported_phone",
            ViolationKind::UnsupportedOrderNumber => "unsupported_order_number",
            ViolationKind::UnsupportedAddress => "unsupported_address",
            ViolationKind::UnsupportedPrice => "unsupported_price",
            ViolationKind::UnsupportedPercentage => "unsupported_percentage",
            ViolationKind::UnsupportedDuration => "unsupported_duration",
            ViolationKind::UnsupportedDate => "unsupported_date",
            ViolationKind::UnsupportedTime => "unsupported_time",
            ViolationKind::UnsupportedNumber => "unsupported_number",
            ViolationKind::UnsupportedName => "unsupported_name",
            ViolationKind::UnsupportedPromise => "unsupported_promise",
            ViolationKind::CustomerClaim => "customer_claim",
        }
    }

    /// Whether the customer may supply what is missing: then asking back is worth a try before people are.
    pub fn may_ask_back(self) -> bool {
        matches!(
            self,
            ViolationKind::Empty
                | ViolationKind::NoCitation
                | ViolationKind::UnknownCitation
                | ViolationKind::UnsupportedOrderNumber
                | ViolationKind::UnsupportedPhone
                | ViolationKind::UnsupportedEmail
                | ViolationKind::UnsupportedAddress
                | ViolationKind::UnsupportedName
        )
    }
}

/// A check that a reply failed, with the words at fault: for the model's one repair, never for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which check.
    pub kind: ViolationKind,
    /// The words at fault; empty where it is the reply as a whole.
    pub found: MessageText,
}

/// Checks a draft against its sources. Give it the reply as it would be sent, that is after [`clean`]: a link that was
/// taken out there is no fault any more. An empty list means that the reply may be sent.
pub fn check(draft: &Draft, sources: &Sources<'_>, policy: &Policy<'_>) -> Vec<Violation> {
    let text = prepared(&draft.reply);
    let mut found = Found::default();
    if !text.chars().any(char::is_alphanumeric) {
        found.add(ViolationKind::Empty, "");
        return found.all;
    }
    if draft.reply.chars().count() > policy.longest {
        found.add(ViolationKind::TooLong, "");
    }
    check_citations(draft, sources, policy, &mut found);
    check_leaks(&draft.reply, policy, &mut found);
    let stated = items(&text);
    if policy
        .language
        .is_some_and(|language| Language::detect(&own_words(&stated.rest)).is_some_and(|own| own != language))
    {
        found.add(ViolationKind::WrongLanguage, "");
    }
    let reply = Reply { stated, language: policy.language };
    let known = Known::of(draft, sources, policy);
    reply.check_links(&known, policy, &mut found);
    reply.check_addresses(&known, &mut found);
    reply.check_numbers(&known, &mut found);
    reply.check_free(&known, &mut found);
    reply.check_names(&known, &mut found);
    reply.check_agreement(&known, &mut found);
    for promise in promises::unsupported(&folded(&draft.reply), &known.trusted.folded) {
        found.add(ViolationKind::UnsupportedPromise, &promise);
    }
    found.all
}

/// Whether every figure, address and name in a line of a report stands in `said`, whoever said it. The sentence around
/// them may still be wrong: a person reads it, with the messages beside it.
pub fn stands_on(line: &str, said: &[String], company: &str) -> bool {
    let policy =
        Policy { language: Language::detect(line), longest: 0, hosts: &[], company, forbidden: &[], small_talk: false };
    let reply = Reply { stated: items(&prepared(line)), language: policy.language };
    let known = Known::of_report(said, company);
    let mut found = Found::default();
    reply.check_links(&known, &policy, &mut found);
    reply.check_addresses(&known, &mut found);
    reply.check_numbers(&known, &mut found);
    reply.check_names(&known, &mut found);
    found.all.is_empty()
}

/// Whether a text of ours commits us to something: a refund, a call, a date.
pub fn commits(text: &str) -> bool {
    !promises::unsupported(&folded(text), "").is_empty()
}

/// Violations, each once.
#[derive(Default)]
struct Found {
    all: Vec<Violation>,
}

impl Found {
    fn add(&mut self, kind: ViolationKind, words: &str) {
        let violation = Violation { kind, found: MessageText::new(words.trim()) };
        if !self.all.contains(&violation) {
            self.all.push(violation);
        }
    }
}

fn check_citations(draft: &Draft, sources: &Sources<'_>, policy: &Policy<'_>, found: &mut Found) {
    let is_known = |cited: &String| {
        sources.articles.iter().any(|section| section.article == *cited)
            || sources.memory.iter().any(|remembered| remembered.source() == *cited)
    };
    for unknown in draft.citations.iter().filter(|cited| !is_known(cited)) {
        found.add(ViolationKind::UnknownCitation, unknown);
    }
    // A question back needs no source, but then it has to be one.
    let asks = draft.asks_back && draft.reply.contains('?');
    let needs_one = !policy.small_talk && !asks;
    if needs_one && !draft.citations.iter().any(is_known) {
        found.add(ViolationKind::NoCitation, "");
    }
}

static TEMPLATE_MARKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)<\|[a-z_]+\|>|\[/?INST\]|<</?SYS>>|</?(?:think|s|system|assistant|user|tool_call)>|\bsystem prompt\b|системн\w+ промпт\w*|^\s*\{\s*\x22(?:reply|citations)\x22|(?i)ignore (?:all |the )?previous instructions|мои(?:х|ми)? (?:системн\w+ )?инструкци\w+|my (?:system )?instructions",
    )
});
static MODEL_TALK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)as an? (?:ai|large|artificial)[\w -]{0,20}(?:language model|model|assistant)|i(?:'|’)?m (?:just |only )?(?:an? )?(?:ai|large)? ?language model|as a (?:large )?language model|как (?:большая |искусственн\w+ )?(?:языков\w+ модел\w+|нейросет\w+|ии\b)|я\s*[-—–]?\s*(?:всего лишь |просто |большая )?(?:языковая модель|нейросеть)|knowledge cut-?off|openai|chatgpt|my training data|обучающ\w+ данн\w+",
    )
});

fn check_leaks(reply: &str, policy: &Policy<'_>, found: &mut Found) {
    let bare =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let squeezed = bare(reply);
    for mark in policy.forbidden {
        // A canary is found even if it is spelt with spaces; a fence of marks only as it is.
        let letters = bare(mark);
        if (letters.chars().count() >= 6 && squeezed.contains(&letters))
            || (!mark.trim().is_empty() && reply.contains(mark.as_str()))
        {
            found.add(ViolationKind::PromptLeak, "");
        }
    }
    if let Some(mark) = TEMPLATE_MARKS.find(reply) {
        found.add(ViolationKind::PromptLeak, mark.as_str());
    }
    if let Some(talk) = MODEL_TALK.find(reply) {
        found.add(ViolationKind::ModelTalk, talk.as_str());
    }
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns of this module compile")
}

/// The reply without what it quotes: names and commands are quoted in the language that they have.
fn own_words(rest: &str) -> String {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r#"«[^»]*»|“[^”]*”|"[^"]*"|\([^)]*\)"#));
    QUOTED.replace_all(rest, " ").into_owned()
}
