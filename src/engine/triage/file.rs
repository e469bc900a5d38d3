//! The file `prompts/triage.toml`: its shape, and what is refused in it.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use toml::Spanned;

use super::nearest::Examples;
use super::rules::Rule;
use super::{Answer, Detail, Topic, Triage};
use crate::domain::text::Language;
use crate::domain::turn::Label;
use crate::engine::learn;

/// A fault in the file, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct TriageError {
    /// The file, as it was named.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// What is done with a message of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Answer it from what is known.
    Answer,
    /// Pass it to people.
    HandOff,
    /// Say what the bot can help with.
    AskBack,
    /// Stay silent, with the label as the recorded reason.
    Ignore,
}

/// What mistakes about a label cost, in the worth of one needless handoff.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// It held and was not acted on.
    pub missed: f64,
    /// It was acted on and did not hold.
    pub needless: f64,
}

impl Costs {
    /// The probability above which to act on the label costs less than not to.
    pub fn break_even(self) -> f64 {
        self.needless / (self.missed + self.needless)
    }
}

/// `[unsure]`: when a language model's verdict counts more than the classifier's.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsure {
    /// From this probability on the classifier is sure of a label that hands over, and no model talks it away.
    pub sure: f64,
    /// Two labels that exclude each other and are nearer than this are undecided.
    pub close: f64,
}

/// `[label.…]`: what is known of one label.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelPolicy {
    /// What it means, in Russian.
    pub ru: String,
    /// What it means, in English.
    pub en: String,
    /// What is done with it.
    pub does: Does,
    /// The least confidence of a rule, an example or a model's verdict at which it holds, 0 to 1.
    pub least_confidence: f64,
    /// The least probability of the classifier at which it holds, 0 to 1: what the file says, else what the costs say.
    pub threshold: f64,
    /// The threshold stands in the file and does not follow from the costs.
    pub threshold_is_written: bool,
    /// Which people get it, where it is handed over.
    pub queue: Option<String>,
    /// 1 is the most urgent, 9 the least.
    pub priority: i64,
    /// What mistakes cost.
    pub costs: Costs,
}

impl LabelPolicy {
    /// What it means.
    pub fn description(&self, language: Language) -> &str {
        match language {
            Language::Ru => &self.ru,
            Language::En => &self.en,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    label: BTreeMap<Spanned<String>, RawLabel>,
    other: RawOther,
    answer: Spanned<Answer>,
    unsure: Spanned<Unsure>,
    #[serde(default)]
    detail: Vec<RawDetail>,
    #[serde(default)]
    topic: Vec<RawTopic>,
    #[serde(default)]
    words: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    rule: Vec<RawRule>,
    #[serde(default)]
    example: Vec<RawExample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLabel {
    ru: String,
    en: String,
    does: Spanned<Does>,
    least_confidence: Spanned<f64>,
    threshold: Option<Spanned<f64>>,
    queue: Option<String>,
    priority: Spanned<i64>,
    missed: Spanned<f64>,
    needless: Spanned<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOther {
    queue: String,
    priority: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDetail {
    fact: Spanned<String>,
    queues: Vec<Spanned<String>>,
    #[serde(default)]
    about: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTopic {
    name: String,
    any: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    label: Label,
    language: Language,
    name: Spanned<String>,
    any: Vec<Spanned<String>>,
    #[serde(default)]
    not: Vec<Spanned<String>>,
    #[serde(default)]
    loud: bool,
    confidence: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExample {
    labels: Spanned<Vec<Label>>,
    language: Language,
    say: Vec<Spanned<String>>,
}

/// A fault and the bytes where it is.
type Fault = (Range<usize>, String);

pub(super) fn parse(text: &str, file_name: &str) -> Result<Triage, TriageError> {
    let placed = |place: Range<usize>, message: String| {
        let before = &text[..text.floor_char_boundary(place.start)];
        TriageError {
            file: file_name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            message,
        }
    };
    let file: File =
        toml::from_str(text).map_err(|error| placed(error.span().unwrap_or_default(), error.message().to_owned()))?;
    read(file).map_err(|(place, message)| placed(place, message))
}

fn read(file: File) -> Result<Triage, Fault> {
    let labels = labels(file.label)?;
    let other = (file.other.queue, priority(&file.other.priority)?);
    let answer = answer(&file.answer)?;
    let unsure = unsure(&file.unsure)?;
    let pieces = Pieces::new(&file.words)?;
    let queues: Vec<&str> =
        labels.values().filter_map(|policy| policy.queue.as_deref()).chain([other.0.as_str()]).collect();
    let details = details(file.detail, &queues, &pieces)?;
    let topics: Vec<Topic> = file
        .topic
        .into_iter()
        .map(|raw| Ok(Topic { any: pieces.compiled(&raw.any)?.unwrap_or_else(never), name: raw.name }))
        .collect::<Result<_, Fault>>()?;
    let rules = rules(file.rule, &pieces)?;
    let examples = examples(file.example, topics.clone())?;
    Ok(Triage { answer, unsure, labels, other, details, rules, examples })
}

/// A pattern that matches nothing.
fn never() -> Regex {
    Regex::new(r"[^\s\S]").expect("an empty class compiles")
}

fn labels(raw: BTreeMap<Spanned<String>, RawLabel>) -> Result<BTreeMap<Label, LabelPolicy>, Fault> {
    let mut labels = BTreeMap::new();
    for (name, raw) in raw {
        let label = Label::from_name(name.get_ref())
            .ok_or_else(|| (name.span(), format!("there is no label `{}`", name.get_ref())))?;
        if *raw.does.get_ref() == Does::HandOff && raw.queue.is_none() {
            return Err((raw.does.span(), format!("`{}` is handed over and names no queue", label.name())));
        }
        if raw.ru.trim().is_empty() || raw.en.trim().is_empty() {
            return Err((name.span(), format!("`{}` has no description", label.name())));
        }
        let costs = Costs { missed: cost(&raw.missed)?, needless: positive(&raw.needless)? };
        let policy = LabelPolicy {
            least_confidence: share(&raw.least_confidence)?,
            threshold: raw.threshold.as_ref().map_or(Ok(costs.break_even()), share)?,
            threshold_is_written: raw.threshold.is_some(),
            priority: priority(&raw.priority)?,
            costs,
            does: raw.does.into_inner(),
            ru: raw.ru,
            en: raw.en,
            queue: raw.queue,
        };
        labels.insert(label, policy);
    }
    match Label::ALL.into_iter().find(|label| !labels.contains_key(label)) {
        Some(missing) => Err((0..0, format!("[label.{}] is missing", missing.name()))),
        None => Ok(labels),
    }
}

fn answer(raw: &Spanned<Answer>) -> Result<Answer, Fault> {
    let answer = *raw.get_ref();
    let shares = [
        f64::from(answer.least_coverage),
        f64::from(answer.least_margin),
        answer.least_confidence,
        answer.label_of_model,
    ];
    if shares.into_iter().any(|share| !(0.0..=1.0).contains(&share)) || answer.ask_back_most < 0 {
        return Err((raw.span(), "the shares of [answer] are between 0 and 1, its counts not negative".to_owned()));
    }
    Ok(answer)
}

fn unsure(raw: &Spanned<Unsure>) -> Result<Unsure, Fault> {
    let unsure = *raw.get_ref();
    if [unsure.sure, unsure.close].into_iter().any(|share| !(0.0..=1.0).contains(&share)) {
        return Err((raw.span(), "the shares of [unsure] are between 0 and 1".to_owned()));
    }
    Ok(unsure)
}

fn share(number: &Spanned<f64>) -> Result<f64, Fault> {
    in_range(number, 0.0..=1.0, "must be between 0 and 1")
}

fn cost(number: &Spanned<f64>) -> Result<f64, Fault> {
    in_range(number, 0.0..=1e6, "must not be negative")
}

fn positive(number: &Spanned<f64>) -> Result<f64, Fault> {
    in_range(number, f64::MIN_POSITIVE..=1e6, "must be above 0")
}

fn in_range(number: &Spanned<f64>, range: std::ops::RangeInclusive<f64>, message: &str) -> Result<f64, Fault> {
    match *number.get_ref() {
        value if range.contains(&value) => Ok(value),
        _ => Err((number.span(), message.to_owned())),
    }
}

fn priority(number: &Spanned<i64>) -> Result<i64, Fault> {
    match *number.get_ref() {
        value @ 1..=9 => Ok(value),
        _ => Err((number.span(), "a priority is between 1 and 9".to_owned())),
    }
}

fn details(raw: Vec<RawDetail>, queues: &[&str], pieces: &Pieces) -> Result<Vec<Detail>, Fault> {
    raw.into_iter()
        .map(|raw| {
            if learn::key(raw.fact.get_ref()).is_none() {
                return Err((raw.fact.span(), format!("there is no fact `{}`", raw.fact.get_ref())));
            }
            if let Some(unknown) = raw.queues.iter().find(|queue| !queues.contains(&queue.get_ref().as_str())) {
                return Err((unknown.span(), format!("no label goes to a queue `{}`", unknown.get_ref())));
            }
            Ok(Detail {
                fact: raw.fact.into_inner(),
                queues: raw.queues.into_iter().map(Spanned::into_inner).collect(),
                about: pieces.compiled(&raw.about)?,
            })
        })
        .collect()
}

fn rules(raw: Vec<RawRule>, pieces: &Pieces) -> Result<Vec<Rule>, Fault> {
    let mut names: HashSet<String> = HashSet::new();
    raw.into_iter()
        .map(|raw| {
            if !names.insert(raw.name.get_ref().clone()) {
                return Err((raw.name.span(), format!("there are two rules `{}`", raw.name.get_ref())));
            }
            let any = pieces
                .compiled(&raw.any)?
                .ok_or_else(|| (raw.name.span(), format!("the rule `{}` looks for nothing", raw.name.get_ref())))?;
            Ok(Rule {
                label: raw.label,
                language: raw.language,
                any,
                not: pieces.compiled(&raw.not)?,
                loud: raw.loud,
                confidence: raw.confidence.as_ref().map_or(Ok(1.0), share)?,
                name: raw.name.into_inner(),
            })
        })
        .collect()
}

fn examples(raw: Vec<RawExample>, topics: Vec<Topic>) -> Result<Examples, Fault> {
    let mut examples = Vec::new();
    for raw in raw {
        if raw.labels.get_ref().is_empty() {
            return Err((raw.labels.span(), "these examples have no label".to_owned()));
        }
        if raw.labels.get_ref().contains(&Label::Complex) {
            return Err((raw.labels.span(), "complex comes from evidence, not from examples".to_owned()));
        }
        for text in raw.say {
            if text.get_ref().trim().is_empty() {
                return Err((text.span(), "an example is empty".to_owned()));
            }
            examples.push((raw.language, raw.labels.get_ref().clone(), text.into_inner()));
        }
    }
    Ok(Examples::new(examples, topics))
}

/// `[words]`: pieces that patterns share.
struct Pieces {
    pieces: BTreeMap<String, String>,
    place: Regex,
}

impl Pieces {
    fn new(raw: &BTreeMap<String, Spanned<String>>) -> Result<Self, Fault> {
        for piece in raw.values() {
            Regex::new(piece.get_ref()).map_err(|error| (piece.span(), fault_of(&error)))?;
        }
        Ok(Self {
            pieces: raw.iter().map(|(name, piece)| (name.clone(), piece.get_ref().clone())).collect(),
            place: Regex::new(r"\{([a-z][a-z_]*)\}").expect("the pattern is written here and compiles"),
        })
    }

    /// The pattern with its pieces put in.
    fn filled(&self, pattern: &Spanned<String>) -> Result<String, Fault> {
        let mut filled = String::new();
        let mut at = 0;
        let source = pattern.get_ref();
        for place in self.place.captures_iter(source) {
            let (whole, name) = (place.get(0).expect("the whole match"), &place[1]);
            let piece =
                self.pieces.get(name).ok_or_else(|| (pattern.span(), format!("[words] has no piece `{name}`")))?;
            filled.push_str(&source[at..whole.start()]);
            filled.push_str(piece);
            at = whole.end();
        }
        filled.push_str(&source[at..]);
        Ok(filled)
    }

    /// One expression for all patterns, on whole words; `None` for none.
    fn compiled(&self, patterns: &[Spanned<String>]) -> Result<Option<Regex>, Fault> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let filled: Vec<String> = patterns.iter().map(|pattern| self.filled(pattern)).collect::<Result<_, _>>()?;
        let whole = whole_words(&filled.join("|"));
        match whole {
            Ok(regex) if !regex.is_match(NO_WORD) => Ok(Some(regex)),
            // Only now is it worth finding out which of them is at fault.
            _ => Err(patterns
                .iter()
                .zip(&filled)
                .find_map(fault_in)
                .unwrap_or_else(|| (patterns[0].span(), "these patterns are too large together".to_owned()))),
        }
    }
}

/// No word of any language: what matches it matches everything.
const NO_WORD: &str = "ъqъ";

fn whole_words(alternatives: &str) -> Result<Regex, regex::Error> {
    builder(&format!(r"\b(?:{alternatives})\b")).build()
}

fn fault_in((pattern, filled): (&Spanned<String>, &String)) -> Option<Fault> {
    match whole_words(filled) {
        Err(error) => Some((pattern.span(), fault_of(&error))),
        Ok(regex) if regex.is_match(NO_WORD) => {
            Some((pattern.span(), "this pattern asks for nothing: every message would match".to_owned()))
        }
        Ok(_) => None,
    }
}

fn builder(pattern: &str) -> RegexBuilder {
    let mut builder = RegexBuilder::new(pattern);
    builder.multi_line(true).size_limit(64 << 20);
    builder
}

/// The last line of an error of the regex crate: the lines before draw the pattern.
fn fault_of(error: &regex::Error) -> String {
    error.to_string().lines().last().unwrap_or("this is no pattern").trim().to_owned()
}
