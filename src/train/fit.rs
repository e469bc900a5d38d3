//! Learning: a support vector machine a label, by coordinate ascent on its dual, and calibration on authors left out in turn.

use std::collections::BTreeSet;

use super::calibrate;
use super::principal::{self, product};
use super::rows::{Articles, Row, digest};
use super::session;
use super::vectors::Vectors;
use crate::engine::triage::{
    ArtefactError, BUCKETS, COUNT, Classifier, Head, LABELS, PARTS, Surface, Weights, lexicon_digest, nearness_figure,
    pairs, parts, place, surface, weighted,
};

/// What a message on the wrong side costs, against a wide margin.
const COST: f64 = 1.0;

/// What the product of two places weighs in what two messages have to do with each other.
const LINEAR: f32 = 0.1;

/// What the square of the product of their parts weighs.
const PAIRED: f32 = 0.02;

/// What shared pieces of words weigh.
const WORDS: f32 = 1.5;

/// A piece of a word counts from so many messages on.
const LEAST_MESSAGES: u32 = 2;

/// Most rounds over all messages.
const ROUNDS: usize = 200;

/// Below this no message pulls any more.
const SETTLED: f64 = 1e-3;

/// Why there is no classifier.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A message has no vector.
    #[error("{0} messages have no vector: an embedder must read them first")]
    Vectors(usize),
    /// The numbers make no classifier.
    #[error("the numbers make no classifier")]
    Artefact(#[from] ArtefactError),
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// A classifier with what the messages it learnt from say of it.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The classifier.
    pub classifier: Classifier,
    /// Raw scores of each row, by a classifier that knows no message of its author.
    pub left_out: Vec<[f64; COUNT]>,
}

/// A message as it is learnt from.
struct Sample {
    vector: Vec<f32>,
    surface: Surface,
    nearness: Option<f32>,
}

/// Learns from `rows`, and from how near they are to their company's `articles`; `progress` hears how far it is.
///
/// # Errors
/// [`FitError`].
pub fn fit(
    rows: &[Row],
    articles: &Articles,
    vectors: &Vectors,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fitted, FitError> {
    let samples: Vec<Sample> = rows
        .iter()
        .filter_map(|row| {
            let nearness = session::nearness_of(row, articles, vectors);
            Some(Sample { vector: vectors.get(&row.text)?, surface: surface(&row.text), nearness })
        })
        .collect();
    if samples.len() < rows.len() {
        return Err(FitError::Vectors(rows.len() - samples.len()));
    }
    let authors: BTreeSet<&str> = rows.iter().map(|row| row.author.as_str()).collect();
    let mut steps = Steps { done: 0, of: (rows.len() + (authors.len() + 1) * COUNT) as u64, heard: progress };
    let space = Space::new(&samples, vectors.fingerprint().1);
    let kernel = Kernel::new(&space, &mut steps);

    let mut left_out = vec![[0.0; COUNT]; rows.len()];
    for author in &authors {
        let learnt: Vec<usize> = (0..rows.len()).filter(|row| rows[*row].author != *author).collect();
        for (at, label) in LABELS.iter().enumerate() {
            let votes = kernel.votes(&learnt, |row| rows[row].labels.contains(label));
            for row in (0..rows.len()).filter(|row| rows[*row].author == *author) {
                let pulls = learnt.iter().zip(&votes).filter(|(_, vote)| **vote != 0.0);
                left_out[row][at] = pulls.map(|(other, vote)| vote * f64::from(kernel.row(row)[*other])).sum();
            }
            steps.step();
        }
    }
    let everybody: Vec<usize> = (0..rows.len()).collect();
    let mut votes = vec![[0.0_f64; COUNT]; rows.len()];
    for (at, label) in LABELS.iter().enumerate() {
        for (row, vote) in kernel.votes(&everybody, |row| rows[row].labels.contains(label)).into_iter().enumerate() {
            votes[row][at] = vote;
        }
        steps.step();
    }
    let weights = weights(&space, &votes, rows, &left_out);
    let (embedder, dimensions) = vectors.fingerprint();
    let head = Head {
        embedder: embedder.to_owned(),
        dimensions,
        labels: LABELS.to_vec(),
        buckets: BUCKETS,
        messages: rows.len(),
        lexicon: lexicon_digest(),
        rows: digest(rows),
    };
    Ok(Fitted { classifier: Classifier::new(head, weights)?, left_out })
}

struct Steps<'a> {
    done: u64,
    of: u64,
    heard: &'a mut dyn FnMut(Progress),
}

impl Steps<'_> {
    fn step(&mut self) {
        self.done += 1;
        (self.heard)(Progress { done: self.done, of: self.of });
    }
}

/// Where the messages stand.
struct Space {
    mean: Vec<f32>,
    nearness: Vec<f32>,
    rarity: Vec<f32>,
    places: Vec<Vec<f32>>,
    basis: Vec<f32>,
    parts: Vec<[f32; PARTS]>,
    words: Vec<Vec<(u32, f32)>>,
}

impl Space {
    fn new(samples: &[Sample], dimensions: usize) -> Self {
        let count = samples.len().max(1) as f64;
        let mut sums = vec![0.0_f64; dimensions];
        let mut messages = vec![0_u32; BUCKETS];
        for sample in samples {
            for (sum, value) in sums.iter_mut().zip(&sample.vector) {
                *sum += f64::from(*value);
            }
            for (bucket, _) in &sample.surface.grams {
                messages[*bucket as usize] += 1;
            }
        }
        let mean: Vec<f32> = sums.into_iter().map(|sum| rounded(sum / count)).collect();
        let rarity: Vec<f32> = messages
            .into_iter()
            .map(|found| match found {
                found if found < LEAST_MESSAGES => 0.0,
                found => rounded(libm::log((count + 1.0) / (f64::from(found) + 0.5)).max(0.0)),
            })
            .collect();
        let nearness = mean_and_spread(samples);
        let place =
            |one: &Sample| place(&one.vector, &mean, &one.surface.figures, nearness_figure(one.nearness, &nearness));
        let places: Vec<Vec<f32>> = samples.iter().map(place).collect();
        let basis = principal::basis(&places);
        Self {
            parts: places.iter().map(|place| parts(place, &basis)).collect(),
            places,
            basis,
            words: samples.iter().map(|one| weighted(&one.surface.grams, &rarity)).collect(),
            mean,
            nearness,
            rarity,
        }
    }
}

/// Of the nearness of those where it is known; 0 and 0 of none.
fn mean_and_spread(samples: &[Sample]) -> Vec<f32> {
    let known: Vec<f64> = samples.iter().filter_map(|sample| sample.nearness).map(f64::from).collect();
    let count = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / count;
    let variance = known.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / count;
    vec![rounded(mean), rounded(variance.sqrt())]
}

/// How much each message has to do with each other: the products of their places and of their parts in pairs, shared words,
/// and 1 for what all have in common.
struct Kernel {
    count: usize,
    values: Vec<f32>,
}

impl Kernel {
    fn new(space: &Space, steps: &mut Steps<'_>) -> Self {
        let count = space.places.len();
        let mut values = vec![0.0_f32; count * count];
        let mut spread = vec![0.0_f32; BUCKETS];
        for row in 0..count {
            for (bucket, value) in &space.words[row] {
                spread[*bucket as usize] = *value;
            }
            for other in 0..=row {
                let shared: f32 = space.words[other].iter().map(|(at, value)| spread[*at as usize] * value).sum();
                let value = LINEAR * product(&space.places[row], &space.places[other])
                    + PAIRED * product(&space.parts[row], &space.parts[other]).powi(2)
                    + WORDS * shared
                    + 1.0;
                values[row * count + other] = value;
                values[other * count + row] = value;
            }
            for (bucket, _) in &space.words[row] {
                spread[*bucket as usize] = 0.0;
            }
            steps.step();
        }
        Self { count, values }
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.count..(row + 1) * self.count]
    }

    /// The vote of each of the messages `learnt` on one label: positive where the message has it.
    fn votes(&self, learnt: &[usize], has: impl Fn(usize) -> bool) -> Vec<f64> {
        let signs: Vec<f64> = learnt.iter().map(|row| if has(*row) { 1.0 } else { -1.0 }).collect();
        let mut pulls = vec![0.0_f64; learnt.len()];
        let mut scores = vec![0.0_f64; learnt.len()];
        for _ in 0..ROUNDS {
            let mut most = 0.0_f64;
            for (at, row) in learnt.iter().enumerate() {
                let kernel = self.row(*row);
                let slack = signs[at] * scores[at] - 1.0;
                let pull = (pulls[at] - slack / f64::from(kernel[*row])).clamp(0.0, COST);
                let change = pull - pulls[at];
                if change.abs() < 1e-12 {
                    continue;
                }
                most = most.max(change.abs());
                pulls[at] = pull;
                let change = change * signs[at];
                for (score, other) in scores.iter_mut().zip(learnt) {
                    *score += change * f64::from(kernel[*other]);
                }
            }
            if most < SETTLED {
                break;
            }
        }
        pulls.into_iter().zip(signs).map(|(pull, sign)| pull * sign).collect()
    }
}

fn weights(space: &Space, votes: &[[f64; COUNT]], rows: &[Row], left_out: &[[f64; COUNT]]) -> Weights {
    let inputs = space.basis.len() / PARTS;
    let mut grams = vec![[0.0_f64; COUNT]; BUCKETS];
    let mut linear = vec![[0.0_f64; COUNT]; inputs];
    let mut paired = vec![[0.0_f64; COUNT]; PARTS * (PARTS + 1) / 2];
    let mut bias = [0.0_f64; COUNT];
    for (row, votes) in votes.iter().enumerate().filter(|(_, votes)| votes.iter().any(|vote| *vote != 0.0)) {
        add(&mut bias, 1.0, votes);
        for (bucket, value) in &space.words[row] {
            add(&mut grams[*bucket as usize], f64::from(WORDS * value), votes);
        }
        for (sums, value) in linear.iter_mut().zip(&space.places[row]) {
            add(sums, f64::from(LINEAR * value), votes);
        }
        for (sums, value) in paired.iter_mut().zip(pairs(&space.parts[row])) {
            add(sums, f64::from(PAIRED * value), votes);
        }
    }
    // The square of a sum has every mixed product twice.
    let mixed = (0..PARTS).flat_map(|one| (one..PARTS).map(move |other| one != other));
    for (sums, _) in paired.iter_mut().zip(mixed).filter(|(_, mixed)| *mixed) {
        for sum in sums {
            *sum *= 2.0;
        }
    }
    let mut weights = Weights {
        mean: space.mean.clone(),
        nearness: space.nearness.clone(),
        rarity: space.rarity.clone(),
        basis: space.basis.clone(),
        linear: flat(&linear),
        pairs: flat(&paired),
        ..Weights::default()
    };
    weights.grams = flat(&grams);
    weights.bias = bias.into_iter().map(rounded).collect();
    for (at, label) in LABELS.iter().enumerate() {
        let balanced = rows.iter().zip(left_out).filter(|(row, _)| row.balanced);
        let scores: Vec<(f64, bool)> = balanced.map(|(row, raw)| (raw[at], row.labels.contains(label))).collect();
        let (slope, shift) = calibrate::fit(&scores);
        weights.slope.push(rounded(slope));
        weights.shift.push(rounded(shift));
    }
    weights
}

fn add(sums: &mut [f64; COUNT], value: f64, votes: &[f64; COUNT]) {
    for (sum, vote) in sums.iter_mut().zip(votes) {
        *sum += value * vote;
    }
}

fn flat(rows: &[[f64; COUNT]]) -> Vec<f32> {
    rows.iter().flatten().copied().map(rounded).collect()
}

/// A number as it is stored.
fn rounded(value: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "stored in 32 bits")]
    let rounded = value as f32;
    rounded
}
