//! Rules: patterns on words that label a message without any doubt, or with a stated one.

use regex::Regex;

use crate::domain::text::Language;
use crate::domain::turn::Label;
use crate::engine::{tone, words};

/// `[[rule]]`, compiled.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) label: Label,
    pub(super) language: Language,
    pub(super) name: String,
    pub(super) any: Regex,
    pub(super) not: Option<Regex>,
    pub(super) loud: bool,
    pub(super) confidence: f64,
}

/// A rule that a message met.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleHit {
    /// The label that it gives.
    pub label: Label,
    /// The language that its phrases are written in.
    pub language: Language,
    /// Its name in the file.
    pub rule: String,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
}

/// The rules that `text` meets, in the order of the file.
pub(super) fn hits(rules: &[Rule], text: &str) -> Vec<RuleHit> {
    let spellings = words::spellings(&words::folded(text));
    let loud = tone::is_loud(text);
    rules
        .iter()
        .filter(|rule| (loud || !rule.loud) && rule.is_met(&spellings))
        .map(|rule| RuleHit {
            label: rule.label,
            language: rule.language,
            rule: rule.name.clone(),
            confidence: rule.confidence,
        })
        .collect()
}

/// Labels that exceptions speak against and no rule gives: examples are not heard on them.
pub(super) fn refused(rules: &[Rule], text: &str) -> Vec<Label> {
    let folded = words::folded(text);
    let given: Vec<Label> = hits(rules, text).into_iter().map(|hit| hit.label).collect();
    let refuses = |rule: &&Rule| rule.not.as_ref().is_some_and(|not| not.is_match(&folded));
    rules.iter().filter(refuses).map(|rule| rule.label).filter(|label| !given.contains(label)).collect()
}

impl Rule {
    /// Whether the rule's phrases are in the text once its exceptions are taken out of it. The first spelling that has
    /// a phrase decides: in the others an exception may be misspelt.
    fn is_met(&self, spellings: &[String]) -> bool {
        let Some(spelling) = spellings.iter().find(|spelling| self.any.is_match(spelling)) else { return false };
        // What is taken out leaves a mark that no phrase reaches across.
        self.not.as_ref().is_none_or(|not| self.any.is_match(&not.replace_all(spelling, "|")))
    }
}
