//! How well what is learnt from some sources holds for another one, on public data, beside TF-IDF with logistic regression on
//! the same rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fit::{self, FitError, Progress};
use super::rows::{Articles, Row, RowsError};
use super::solver::minimise;
use super::vectors::Vectors;
use crate::domain::text::Language;
use crate::domain::turn::Label;
use crate::engine::triage::{LABELS, sigmoid};
use crate::engine::words;

/// Most rows of one source and label: one source has forty times as many as another.
const MOST: usize = 800;

/// One row of the public data.
#[derive(Deserialize)]
struct PublicRow {
    id: String,
    text: String,
    lang: Language,
    label: String,
    source: String,
    licence_class: String,
    quality: String,
}

/// F1 of one label on one source that was left out, or on all of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfSource {
    /// The source that nothing was learnt from; `None`: every row, each by what had not seen its source.
    pub source: Option<String>,
    /// The label.
    pub label: Label,
    /// Rows that have it.
    pub support: usize,
    /// F1 of our trainer.
    pub ours: f64,
    /// F1 of TF-IDF with logistic regression.
    pub baseline: f64,
}

/// The comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// All rows.
    pub rows: usize,
    /// By source and label, then by label over all sources.
    pub table: Vec<OfSource>,
    /// Macro-F1: the mean over labels of F1 over all rows.
    pub macro_f1: Both,
    /// The mean over labels and sources of F1 in the source: the smallest source counts as much as the largest.
    pub mean_of_sources: Both,
}

/// A figure of ours beside the baseline's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Both {
    /// Ours.
    pub ours: f64,
    /// That of TF-IDF with logistic regression.
    pub baseline: f64,
}

/// Gold English rows of `train.jsonl` and `dev.jsonl` in `dir` that may be used freely, with a label that two sources carry,
/// at most 800 of a source and label, by the hash of their ids. A row's author is its source.
///
/// # Errors
/// [`RowsError`].
pub fn read(dir: &Path) -> Result<Vec<Row>, RowsError> {
    let mut by_place: BTreeMap<(String, Label), Vec<PublicRow>> = BTreeMap::new();
    for name in ["train.jsonl", "dev.jsonl"] {
        let path = dir.join(name);
        let text =
            std::fs::read_to_string(&path).map_err(|source| RowsError::Unreadable { path: path.clone(), source })?;
        for (number, line) in text.lines().enumerate() {
            let row: PublicRow = serde_json::from_str(line).map_err(|error| RowsError::Line {
                path: path.clone(),
                line: number + 1,
                why: error.to_string(),
            })?;
            let label = if row.label == "chitchat" { Some(Label::SmallTalk) } else { Label::from_name(&row.label) };
            let usable = row.lang == Language::En
                && row.quality == "gold"
                && row.licence_class == "permissive"
                && row.source != "chatterbot_corpus";
            if let Some(label) = label.filter(|label| usable && *label != Label::Complex) {
                by_place.entry((row.source.clone(), label)).or_default().push(row);
            }
        }
    }
    let mut carried: BTreeMap<Label, usize> = BTreeMap::new();
    for (_, label) in by_place.keys() {
        *carried.entry(*label).or_default() += 1;
    }
    let mut rows = Vec::new();
    for ((source, label), mut found) in by_place.into_iter().filter(|((_, label), _)| carried[label] >= 2) {
        found.sort_by_cached_key(|row| Sha256::digest(row.id.as_bytes()).to_vec());
        found.truncate(MOST);
        rows.extend(found.into_iter().map(|row| Row {
            text: row.text,
            labels: vec![label],
            lang: Language::En,
            trade: String::new(),
            author: source.clone(),
            hard: false,
            critical: false,
            scope: None,
            before: Vec::new(),
            balanced: true,
        }));
    }
    Ok(rows)
}

/// Leaves each source out in turn, by our trainer and by the baseline, the likeliest label each.
///
/// # Errors
/// [`FitError`].
pub fn compare(rows: &[Row], vectors: &Vectors, progress: &mut dyn FnMut(Progress)) -> Result<Comparison, FitError> {
    let labels: BTreeSet<Label> = rows.iter().map(|row| row.labels[0]).collect();
    let labels: Vec<Label> = labels.into_iter().collect();
    let fitted = fit::fit(rows, &Articles::new(), vectors, progress)?;
    let ours: Vec<Label> = fitted
        .left_out
        .into_iter()
        .map(|raw| best(&labels, |label| raw[LABELS.iter().position(|other| *other == label).unwrap_or(0)]))
        .collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.author.as_str()).collect();
    let mut baseline = vec![Label::Routine; rows.len()];
    for name in &names {
        let (learnt, left_out): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|row| rows[*row].author != *name);
        let models: Vec<Baseline> = labels.iter().map(|label| Baseline::fit(rows, &learnt, *label)).collect();
        for row in left_out {
            let at = |label| labels.iter().position(|other| *other == label).unwrap_or(0);
            baseline[row] = best(&labels, |label| models[at(label)].score(&rows[row].text));
        }
    }
    let mut table = Vec::new();
    for source in names.iter().map(Some).chain([None]) {
        let here = |row: &usize| source.is_none_or(|name| rows[*row].author == **name);
        let places: Vec<usize> = (0..rows.len()).filter(here).collect();
        for label in &labels {
            let support = places.iter().filter(|row| rows[**row].labels[0] == *label).count();
            let (ours, baseline) = (f1(rows, &places, &ours, *label), f1(rows, &places, &baseline, *label));
            let source = source.map(|name| (*name).to_owned());
            table.push(OfSource { source, label: *label, support, ours, baseline });
        }
    }
    Ok(Comparison {
        rows: rows.len(),
        macro_f1: mean(&table, |of| of.source.is_none()),
        mean_of_sources: mean(&table, |of| of.source.is_some()),
        table,
    })
}

fn mean(table: &[OfSource], counts: impl Fn(&OfSource) -> bool) -> Both {
    let counted: Vec<&OfSource> = table.iter().filter(|of| of.support > 0 && counts(of)).collect();
    let mean = |of: fn(&OfSource) -> f64| counted.iter().map(|one| of(one)).sum::<f64>() / counted.len().max(1) as f64;
    Both { ours: mean(|of| of.ours), baseline: mean(|of| of.baseline) }
}

fn best(labels: &[Label], score: impl Fn(Label) -> f64) -> Label {
    labels.iter().copied().max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap_or(Label::Routine)
}

fn f1(rows: &[Row], places: &[usize], said: &[Label], label: Label) -> f64 {
    let has = |row: &&usize| rows[**row].labels[0] == label;
    let right = places.iter().filter(has).filter(|row| said[**row] == label).count();
    let both = places.iter().filter(has).count() + places.iter().filter(|row| said[**row] == label).count();
    if both == 0 { 0.0 } else { 2.0 * right as f64 / both as f64 }
}

/// TF-IDF over words and pairs of words with logistic regression, C = 1, as scikit-learn has them by default.
struct Baseline {
    places: HashMap<String, (usize, f64)>,
    weights: Vec<f64>,
}

impl Baseline {
    fn fit(rows: &[Row], learnt: &[usize], label: Label) -> Self {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for row in learnt {
            for term in terms(&rows[*row].text).into_keys() {
                *counts.entry(term).or_default() += 1;
            }
        }
        let all = learnt.len() as f64 + 1.0;
        let rarity = |count: u32| libm::log(all / (f64::from(count) + 1.0)) + 1.0;
        let places: HashMap<String, (usize, f64)> =
            counts.into_iter().enumerate().map(|(at, (term, count))| (term, (at, rarity(count)))).collect();
        let bias = places.len();
        let mut made = Self { places, weights: vec![0.0; bias + 1] };
        let vectors: Vec<Vec<(usize, f64)>> = learnt.iter().map(|row| made.vector(&rows[*row].text)).collect();
        let signs: Vec<f64> = learnt.iter().map(|row| if rows[*row].labels[0] == label { 1.0 } else { -1.0 }).collect();
        let mut loss = |weights: &[f64], gradient: &mut [f64]| {
            gradient.copy_from_slice(weights);
            gradient[bias] = 0.0;
            let mut sum = gradient.iter().map(|weight| weight * weight).sum::<f64>() / 2.0;
            for (vector, sign) in vectors.iter().zip(&signs) {
                let score: f64 = vector.iter().map(|(at, value)| weights[*at] * value).sum::<f64>() + weights[bias];
                let right = sigmoid(sign * score);
                sum -= libm::log(right.max(1e-300));
                let pull = -sign * (1.0 - right);
                for (at, value) in vector {
                    gradient[*at] += pull * value;
                }
                gradient[bias] += pull;
            }
            sum
        };
        made.weights = minimise(&mut loss, made.weights.clone(), 100);
        made
    }

    fn vector(&self, text: &str) -> Vec<(usize, f64)> {
        let known = terms(text).into_iter().filter_map(|(term, count)| {
            let (at, rarity) = self.places.get(&term)?;
            Some((*at, f64::from(count) * rarity))
        });
        let mut vector: Vec<(usize, f64)> = known.collect();
        let length = vector.iter().map(|(_, value)| value * value).sum::<f64>().sqrt().max(1e-12);
        for (_, value) in &mut vector {
            *value /= length;
        }
        vector
    }

    fn score(&self, text: &str) -> f64 {
        let bias = self.weights[self.weights.len() - 1];
        self.vector(text).into_iter().map(|(at, value)| self.weights[at] * value).sum::<f64>() + bias
    }
}

fn terms(text: &str) -> BTreeMap<String, u32> {
    let words: Vec<String> = words::words(text).into_iter().filter(|word| word.chars().count() > 1).collect();
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    let mut counts = BTreeMap::new();
    for term in pairs.chain(words.iter().cloned()) {
        *counts.entry(term).or_default() += 1;
    }
    counts
}
