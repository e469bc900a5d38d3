//! The nearest labelled examples, by TF-IDF over stems, pieces of words, and traits (topics, tone, numbers). Lexical,
//! and honest about it: texts that share no words with any example are near none.

use std::collections::HashMap;

use super::Topic;
use crate::domain::text::Language;
use crate::domain::turn::{Label, LabelSource, Labelled};
use crate::engine::tone::{self, Mood};
use crate::engine::words;

/// How many examples vote.
const VOTERS: usize = 11;
/// Below this similarity an example is not near.
const NEAR: f32 = 0.08;
/// Below this similarity of the words alone it isn't either, whatever the traits.
const NEAR_IN_WORDS: f32 = 0.04;
/// From this similarity of the best example on, the votes count in full.
const CLOSE: f32 = 0.4;
/// What stems, pieces of words and traits count against each other.
const SHARES: [f32; 3] = [0.5, 0.3, 0.2];

/// Stems, pieces of words, traits.
type Features = [Vec<String>; 3];
/// A sparse vector: the weight of each feature.
type Vector = HashMap<String, f32>;

/// The examples, ready to be compared with.
#[derive(Debug, Clone)]
pub(super) struct Examples {
    all: Vec<(Language, Vec<Label>, String)>,
    pub(super) topics: Vec<Topic>,
    /// Inverse document frequency by feature, and of one never seen.
    weights: HashMap<String, f32>,
    unseen: f32,
    /// For each feature, the examples that have it, with its weight there.
    postings: HashMap<String, Vec<(usize, f32)>>,
}

#[expect(clippy::cast_precision_loss, reason = "there are hundreds of examples, not millions")]
impl Examples {
    pub(super) fn new(examples: Vec<(Language, Vec<Label>, String)>, topics: Vec<Topic>) -> Self {
        let features: Vec<Features> = examples.iter().map(|(_, _, text)| features(text, &topics)).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for parts in &features {
            let mut seen: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
            seen.sort_unstable();
            seen.dedup();
            for feature in seen {
                *counts.entry(feature).or_default() += 1;
            }
        }
        let total = examples.len() as f32;
        let weight = |count: usize| ((total + 1.0) / (count as f32 + 0.5)).ln();
        let weights: HashMap<String, f32> =
            counts.into_iter().map(|(feature, count)| (feature.to_owned(), weight(count))).collect();
        let mut made = Self { all: examples, topics, weights, unseen: weight(0), postings: HashMap::new() };
        for (number, features) in features.iter().enumerate() {
            for (feature, weight) in made.vector(features) {
                made.postings.entry(feature).or_default().push((number, weight));
            }
        }
        made
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Language, &[Label], &str)> {
        self.all.iter().map(|(language, labels, text)| (*language, labels.as_slice(), text.as_str()))
    }

    /// The vector of a text: stems and pieces each of unit length, weighted against each other.
    fn vector(&self, features: &Features) -> Vector {
        let mut vector = Vector::new();
        for (features, share) in features.iter().zip(SHARES) {
            let mut part = Vector::new();
            for feature in features {
                *part.entry(feature.clone()).or_default() += 1.0;
            }
            for (feature, count) in &mut part {
                *count = (1.0 + count.ln()) * self.weights.get(feature).copied().unwrap_or(self.unseen);
            }
            let length = part.values().map(|weight| weight * weight).sum::<f32>().sqrt();
            if length > 0.0 {
                vector.extend(part.into_iter().map(|(feature, weight)| (feature, weight / length * share.sqrt())));
            }
        }
        vector
    }

    pub(super) fn nearest(&self, text: &str) -> Vec<Labelled> {
        self.nearest_but(text, None)
    }

    /// The nearest examples themselves.
    pub(super) fn neighbours(&self, text: &str, most: usize) -> Vec<(&str, &[Label], f32)> {
        let ranked = self.ranked(text, None, most);
        ranked
            .into_iter()
            .map(|(number, similarity)| {
                let (_, labels, text) = &self.all[number];
                (text.as_str(), labels.as_slice(), similarity)
            })
            .collect()
    }

    /// The nearest examples without one of them: how well they label each other.
    pub(super) fn nearest_but(&self, text: &str, left_out: Option<usize>) -> Vec<Labelled> {
        self.votes(&self.ranked(text, left_out, VOTERS))
    }

    /// At most `most` examples that are near, the nearest first.
    fn ranked(&self, text: &str, left_out: Option<usize>, most: usize) -> Vec<(usize, f32)> {
        let mut similarity = vec![(0.0_f32, 0.0_f32); self.all.len()];
        for (feature, weight) in self.vector(&features(text, &self.topics)) {
            for (number, other) in self.postings.get(&feature).into_iter().flatten() {
                let (all, in_words) = &mut similarity[*number];
                *all += weight * other;
                if !feature.starts_with('#') {
                    *in_words += weight * other;
                }
            }
        }
        let mut ranked: Vec<(usize, f32)> = similarity
            .into_iter()
            .enumerate()
            .filter(|(number, _)| Some(*number) != left_out)
            .filter(|(_, (all, in_words))| *all >= NEAR && *in_words >= NEAR_IN_WORDS)
            .map(|(number, (all, _))| (number, all))
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(most);
        ranked
    }

    /// Labels by the share of the votes that they get; a near example has much more of a vote than a far one.
    fn votes(&self, ranked: &[(usize, f32)]) -> Vec<Labelled> {
        let Some(&(_, best)) = ranked.first() else { return Vec::new() };
        let vote = |similarity: f32| (similarity / best).powi(3);
        let all: f32 = ranked.iter().map(|(_, similarity)| vote(*similarity)).sum();
        let reach = (best / CLOSE).min(1.0);
        let mut labels: Vec<Labelled> = Label::ALL
            .into_iter()
            .filter_map(|label| {
                let own: f32 = ranked
                    .iter()
                    .filter(|(number, _)| self.all[*number].1.contains(&label))
                    .map(|(_, similarity)| vote(*similarity))
                    .sum();
                let confidence = f64::from(own / all * reach).clamp(0.0, 1.0);
                (own > 0.0).then_some(Labelled { label, confidence, by: LabelSource::Examples })
            })
            .collect();
        labels.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        labels
    }
}

fn features(text: &str, topics: &[Topic]) -> Features {
    let words = words::words(text);
    let stems = words.iter().map(|word| format!("={}", words::stem(word))).collect();
    let mut pieces = Vec::new();
    for word in &words {
        // Three to five characters, with the words' ends marked.
        let marked: Vec<char> = std::iter::once('_').chain(word.chars()).chain(std::iter::once('_')).collect();
        for length in 3..=5 {
            pieces.extend(marked.windows(length).map(|piece| piece.iter().collect::<String>()));
        }
    }
    let traits = traits(text, &words, topics).into_iter().map(|name| format!("#{name}")).collect();
    [stems, pieces, traits]
}

/// What a text is like apart from its words.
fn traits(text: &str, words: &[String], topics: &[Topic]) -> Vec<String> {
    let folded = words::folded(text);
    let mut traits: Vec<String> = topics
        .iter()
        .filter(|topic| topic.any.is_match(&folded))
        .map(|topic| format!("topic {}", topic.name))
        .collect();
    match Mood::of(text) {
        Mood::Calm => {}
        Mood::Pleased => traits.push("pleased".to_owned()),
        Mood::Tense => traits.push("tense".to_owned()),
        Mood::Upset => traits.extend(["tense".to_owned(), "upset".to_owned()]),
    }
    if tone::is_loud(text) {
        traits.push("loud".to_owned());
    }
    if words.len() <= 2 {
        traits.push("short".to_owned());
    }
    if words.iter().any(|word| (2..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())) {
        traits.push("amount".to_owned());
    }
    // A smile may be all that there is.
    traits.extend(
        text.chars().filter(|c| *c >= '\u{2190}' && !c.is_alphanumeric() && !words::is_invisible(*c)).map(String::from),
    );
    traits
}

#[cfg(test)]
impl Examples {
    /// How often the best label of an example, given by the others, is one of its own; and the confidences behind.
    pub(super) fn leave_one_out(&self) -> Vec<(Language, Vec<Label>, Vec<Labelled>)> {
        self.all
            .iter()
            .enumerate()
            .map(|(number, (language, labels, text))| (*language, labels.clone(), self.nearest_but(text, Some(number))))
            .collect()
    }
}
