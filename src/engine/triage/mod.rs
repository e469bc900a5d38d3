//! Triage: what a message is, by rules, by examples, by a model and by evidence, and what follows from it.
//!
//! All words, thresholds, queues and priorities live in `prompts/triage.toml`; this module gives them their meaning.

mod classifier;
mod evidence;
mod features;
mod file;
#[cfg(test)]
mod heard;
mod lexicon;
mod nearest;
mod route;
mod rules;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod tests;

pub use classifier::{
    ArtefactError, COUNT, Classifier, Head, LABELS, PARTS, Score, Weights, figures, lexicon_digest, nearness,
    nearness_figure, pairs, parts, place, sigmoid, surface, weighted,
};
pub use evidence::{Evidence, questions};
pub use features::{BUCKETS, Surface};
pub use file::{Costs, Does, LabelPolicy, TriageError, Unsure};
pub use route::{Destination, Heard, Route, route};
pub use rules::RuleHit;

use std::collections::BTreeMap;

use regex::Regex;

use crate::domain::handoff::HandoffReason;
use crate::domain::text::Language;
use crate::domain::turn::{Label, LabelSource, Labelled};

/// The labels with everything that is known of them, read from `prompts/triage.toml`.
#[derive(Debug, Clone)]
pub struct Triage {
    /// When a draft or an article may answer.
    pub answer: Answer,
    /// When the classifier is unsure, and a model's verdict counts instead.
    pub unsure: Unsure,
    labels: BTreeMap<Label, LabelPolicy>,
    other: (String, i64),
    details: Vec<Detail>,
    rules: Vec<rules::Rule>,
    examples: nearest::Examples,
}

/// `[answer]`: when a draft or an article may answer.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Which part of the question's weight the best article must cover, 0 to 1; its meaning adds to it or takes from it.
    pub least_coverage: f32,
    /// How far it must be ahead of the next article.
    pub least_margin: f32,
    /// The least confidence of a model in its own reply, 0 to 1.
    pub least_confidence: f64,
    /// How many times in a row the bot may ask back.
    pub ask_back_most: i64,
    /// The confidence that a model's label counts for.
    pub label_of_model: f64,
}

/// A fact that a queue wants to know.
#[derive(Debug, Clone)]
struct Detail {
    fact: String,
    queues: Vec<String>,
    about: Option<Regex>,
}

/// What a question may be about.
#[derive(Debug, Clone)]
struct Topic {
    name: String,
    any: Regex,
}

impl Triage {
    /// Reads the file's text; `file_name` is for messages only.
    ///
    /// # Errors
    /// [`TriageError`]: the first fault, with its line and column.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, TriageError> {
        file::parse(text, file_name)
    }

    /// What the rules say, the best rule of each label. Never [`Label::Complex`]: that is evidence.
    pub fn rules(&self, text: &str) -> Vec<Labelled> {
        let mut labels: Vec<Labelled> = Vec::new();
        for hit in self.explain(text).into_iter().filter(|hit| hit.label != Label::Complex) {
            match labels.iter_mut().find(|labelled| labelled.label == hit.label) {
                Some(labelled) => labelled.confidence = labelled.confidence.max(hit.confidence),
                None => labels.push(Labelled { label: hit.label, confidence: hit.confidence, by: LabelSource::Rule }),
            }
        }
        labels
    }

    /// Every rule that a message meets, by name: for people who ask why.
    pub fn explain(&self, text: &str) -> Vec<RuleHit> {
        rules::hits(&self.rules, text)
    }

    /// What the nearest examples say, best first; nothing where none is near. It compares words and pieces of words,
    /// not meanings: a message in words that no example has gets no label. Nor does it give a label that a rule's
    /// exception speaks against.
    pub fn nearest(&self, text: &str) -> Vec<Labelled> {
        let mut labels = self.examples.nearest(text);
        if !labels.is_empty() {
            let refused = rules::refused(&self.rules, text);
            labels.retain(|labelled| !refused.contains(&labelled.label));
        }
        labels
    }

    /// A model's labels with the confidence that they count for. [`Label::Complex`] is not a model's to give.
    pub fn of_model(&self, labels: &[Label]) -> Vec<Labelled> {
        let mut given: Vec<Labelled> = Vec::new();
        for &label in labels.iter().filter(|label| **label != Label::Complex) {
            if !given.iter().any(|labelled| labelled.label == label) {
                given.push(Labelled { label, confidence: self.answer.label_of_model, by: LabelSource::Model });
            }
        }
        given
    }

    /// What is known of a label.
    ///
    /// # Panics
    /// Never: a file without one of the labels is refused.
    pub fn label(&self, label: Label) -> &LabelPolicy {
        self.labels.get(&label).expect("parsing refuses a file that lacks a label")
    }

    /// All labels with what is known of them, for prompts and reports.
    pub fn labels(&self) -> impl Iterator<Item = (Label, &LabelPolicy)> {
        self.labels.iter().map(|(label, policy)| (*label, policy))
    }

    /// Where a handoff for this reason goes: the label's queue where the reason is a label's, else that of `[other]`.
    pub fn destination(&self, reason: HandoffReason) -> Destination {
        let label = Label::ALL.into_iter().find(|label| route::reason_of(*label) == Some(reason));
        match label.map(|label| self.label(label)) {
            Some(LabelPolicy { queue: Some(queue), priority, .. }) => {
                Destination { reason, queue: queue.clone(), priority: *priority }
            }
            _ => Destination { reason, queue: self.other.0.clone(), priority: self.other.1 },
        }
    }

    /// All queues, each once, in alphabetical order.
    pub fn queues(&self) -> Vec<String> {
        let mut queues: Vec<String> =
            self.labels.values().filter_map(|policy| policy.queue.clone()).chain([self.other.0.clone()]).collect();
        queues.sort();
        queues.dedup();
        queues
    }

    /// Keys of the facts that `queue` will want to know about `text`, without those in `known`: what the notice of a
    /// handoff asks for.
    pub fn missing_details(&self, queue: &str, text: &str, known: &[&str]) -> Vec<String> {
        let folded = super::words::folded(text);
        let mut missing: Vec<String> = Vec::new();
        for detail in &self.details {
            let wanted = detail.queues.iter().any(|name| name == queue)
                && detail.about.as_ref().is_none_or(|about| about.is_match(&folded));
            if wanted && !known.contains(&detail.fact.as_str()) && !missing.contains(&detail.fact) {
                missing.push(detail.fact.clone());
            }
        }
        missing
    }

    /// The examples nearest to a message, with how near they are, 0 to 1, best first: for people who ask why.
    pub fn neighbours(&self, text: &str, most: usize) -> Vec<(&str, &[Label], f32)> {
        self.examples.neighbours(text, most)
    }

    /// The labelled examples as they stand in the file.
    pub fn examples(&self) -> impl Iterator<Item = (Language, &[Label], &str)> {
        self.examples.iter()
    }
}
