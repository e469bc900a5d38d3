//! The trained classifier: a vector and the surface of a message in, calibrated probabilities out. Several labels may hold.
//!
//! A support vector machine a label. Vector, cues and senses speak linearly, and once more in pairs of their principal
//! parts, since what a word means depends on what stands beside it; pieces of words speak linearly. The artefact is one file: a
//! head in JSON, numbers, a checksum. It belongs to one embedder, by fingerprint.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::features::{self, BUCKETS, CUES, PER_SENSE, Surface};
use super::lexicon::Lexicon;
use crate::domain::text::hex;
use crate::domain::turn::Label;

/// What the classifier can say: all but the last, [`Label::Complex`], which is evidence's.
pub const LABELS: [Label; 7] = {
    let [said @ .., Label::Complex] = Label::ALL else { panic!("complex is the last label") };
    said
};

/// How many labels it can say.
pub const COUNT: usize = LABELS.len();

/// How long a centred vector is made: what meaning weighs against cues and senses, whose figures are 0 to 1.
const VECTOR: f32 = 3.0;

/// What a typical difference in nearness to the company's articles weighs.
const NEARNESS: f32 = 0.5;

/// How many principal parts of a message speak in pairs.
pub const PARTS: usize = 96;

/// Pairs of parts, each with itself among them.
const PAIRS: usize = PARTS * (PARTS + 1) / 2;

/// The shape of the file; a file of another one is refused.
const VERSION: u32 = 2;
const MAGIC: &[u8; 4] = b"FLTC";
const CHECKSUM: usize = 32;

static BUILT_IN: &[u8] = include_bytes!("../../../models/triage/classifier.bin");
static LEXICON_TEXT: &str = include_str!("../../../models/triage/lexicon.toml");
static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(LEXICON_TEXT).expect("a test reads the lexicon of the repository"));

/// Why an artefact is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArtefactError {
    /// It is no artefact, or cut off, or changed.
    #[error("the triage classifier is damaged: {0}")]
    Damaged(&'static str),
    /// Made by another version of the code.
    #[error("the triage classifier was made for another version: run `firstline triage train`")]
    OtherVersion,
    /// Made with another lexicon.
    #[error("the triage classifier was trained with another lexicon: run `firstline triage train`")]
    OtherLexicon,
}

/// What stands before the numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The embedder whose vectors it reads.
    pub embedder: String,
    /// Their length.
    pub dimensions: usize,
    /// Labels, in the order of all weights.
    pub labels: Vec<Label>,
    /// Buckets of pieces of words.
    pub buckets: usize,
    /// Messages that it learnt from.
    pub messages: usize,
    /// SHA-256 of the lexicon, in hex.
    pub lexicon: String,
    /// SHA-256 of the rows it was trained on, in hex.
    pub rows: String,
}

/// All numbers of a classifier; matrices are stored a row at a time, a number a label in each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// The mean of the training vectors.
    pub mean: Vec<f32>,
    /// The mean of how near messages are to their company's articles, and how far they typically are from it.
    pub nearness: Vec<f32>,
    /// What a bucket counts before anything is learnt: rarer is more.
    pub rarity: Vec<f32>,
    /// Buckets × labels.
    pub grams: Vec<f32>,
    /// Inputs (see [`place`]) × labels.
    pub linear: Vec<f32>,
    /// Inputs × parts: what each contributes to the principal parts.
    pub basis: Vec<f32>,
    /// Pairs of parts × labels, in the order of [`pairs`].
    pub pairs: Vec<f32>,
    /// A number a label.
    pub bias: Vec<f32>,
    /// Calibration: what a raw score is multiplied with (one over the temperature), a number a label.
    pub slope: Vec<f32>,
    /// Calibration: what is added then, a number a label.
    pub shift: Vec<f32>,
}

/// What the classifier says of one label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// The label.
    pub label: Label,
    /// As the weights have it; 0 is undecided.
    pub raw: f64,
    /// Calibrated, 0 to 1: of messages with 0.8, about four in five have the label.
    pub probability: f64,
}

/// A classifier, ready to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    head: Head,
    weights: Weights,
}

/// How many figures stand beside the vector.
pub fn figures() -> usize {
    CUES + PER_SENSE * LEXICON.names().count()
}

/// SHA-256 of the lexicon, in hex.
pub fn lexicon_digest() -> String {
    hex(&Sha256::digest(LEXICON_TEXT.as_bytes()))
}

/// Reads a message's surface with the lexicon of this build.
pub fn surface(text: &str) -> Surface {
    features::surface(text, &LEXICON)
}

/// How near a message is to what a company writes about, of its cosines to the beginnings of the company's articles: the
/// mean of the nearest quarter, so that it does not matter how many there are. `None` of no articles.
pub fn nearness(mut cosines: Vec<f32>) -> Option<f32> {
    cosines.sort_by(|a, b| b.total_cmp(a));
    cosines.truncate(cosines.len().div_ceil(4));
    (!cosines.is_empty()).then(|| cosines.iter().sum::<f32>() / cosines.len() as f32)
}

/// What the classifier learns of nearness: in typical differences from its `mean_and_spread`, 0 where it is not known.
pub fn nearness_figure(nearness: Option<f32>, mean_and_spread: &[f32]) -> f32 {
    let &[mean, spread] = mean_and_spread else { return 0.0 };
    let figure = nearness.filter(|_| spread > 0.0).map_or(0.0, |nearness| (nearness - mean) / spread);
    NEARNESS * figure.clamp(-3.0, 3.0)
}

/// Where a message of this vector and these figures stands, when `mean` is what all messages share: the centred vector, the
/// figures, and what is made of nearness.
pub fn place(vector: &[f32], mean: &[f32], figures: &[f32], nearness_figure: f32) -> Vec<f32> {
    let mut place: Vec<f32> = vector.iter().zip(mean).map(|(value, mean)| value - mean).collect();
    let length = place.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length.is_finite() && length > 1e-6 {
        for value in &mut place {
            *value *= VECTOR / length;
        }
    } else {
        place.fill(0.0);
    }
    place.extend_from_slice(figures);
    place.push(nearness_figure);
    place
}

/// The principal parts of a place. Each number is a sum in one fixed order, whatever the processor.
pub fn parts(place: &[f32], basis: &[f32]) -> [f32; PARTS] {
    let mut parts = [0.0_f32; PARTS];
    for (value, row) in place.iter().zip(basis.as_chunks::<PARTS>().0) {
        add(&mut parts, *value, row);
    }
    parts
}

/// Products of the parts in pairs, each with itself and with those after it.
pub fn pairs(parts: &[f32; PARTS]) -> impl Iterator<Item = f32> {
    parts.iter().enumerate().flat_map(|(at, one)| parts[at..].iter().map(move |other| one * other))
}

/// Pieces of words weighted by rarity, of length 1 together.
pub fn weighted(grams: &[(u32, f32)], rarity: &[f32]) -> Vec<(u32, f32)> {
    let mut out: Vec<(u32, f32)> =
        grams.iter().map(|(bucket, count)| (*bucket, count * rarity[*bucket as usize])).collect();
    out.retain(|(_, weight)| *weight > 0.0);
    let length = out.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
    if length > 0.0 {
        for (_, weight) in &mut out {
            *weight /= length;
        }
    }
    out
}

/// The logistic function.
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

impl Classifier {
    /// Puts a classifier together.
    ///
    /// # Errors
    /// Where numbers are missing, or are none.
    pub fn new(head: Head, weights: Weights) -> Result<Self, ArtefactError> {
        check(&head, &weights)?;
        Ok(Self { head, weights })
    }

    /// The classifier in this program.
    ///
    /// # Errors
    /// [`ArtefactError`]: the program was built with a file that another version wrote.
    pub fn built_in() -> Result<&'static Self, ArtefactError> {
        static READ: LazyLock<Result<Classifier, ArtefactError>> = LazyLock::new(|| Classifier::read(BUILT_IN));
        READ.as_ref().map_err(Clone::clone)
    }

    /// Reads an artefact.
    ///
    /// # Errors
    /// [`ArtefactError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ArtefactError> {
        let cut_off = || ArtefactError::Damaged("it is cut off");
        let content = bytes.len().checked_sub(CHECKSUM).ok_or_else(cut_off)?;
        let (content, checksum) = bytes.split_at(content);
        let rest = content.strip_prefix(MAGIC).ok_or(ArtefactError::Damaged("it begins with other bytes"))?;
        let (version, rest) = take_number(rest).ok_or_else(cut_off)?;
        if version != VERSION {
            return Err(ArtefactError::OtherVersion);
        }
        if Sha256::digest(content).as_slice() != checksum {
            return Err(ArtefactError::Damaged("its checksum is another"));
        }
        let (length, rest) = take_number(rest).ok_or_else(cut_off)?;
        let (head, mut rest) = rest.split_at_checked(length as usize).ok_or_else(cut_off)?;
        let head: Head = serde_json::from_slice(head).map_err(|_| ArtefactError::Damaged("its head can't be read"))?;
        let mut weights = Weights::default();
        for (list, length) in weights.lists_mut().into_iter().zip(lengths(&head)) {
            let (numbers, left) = rest.split_at_checked(length * 4).ok_or_else(cut_off)?;
            *list = numbers.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            rest = left;
        }
        if !rest.is_empty() {
            return Err(ArtefactError::Damaged("numbers are left over"));
        }
        Self::new(head, weights)
    }

    /// The artefact, the same bytes for the same classifier.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = serde_json::to_vec(&self.head).expect("plain values have a JSON form");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(head);
        for list in self.weights.lists() {
            bytes.extend(list.iter().flat_map(|number| number.to_le_bytes()));
        }
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// What it was made of.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Whether it reads vectors of this embedder.
    pub fn reads(&self, embedder: &str, dimensions: usize) -> bool {
        self.head.embedder == embedder && self.head.dimensions == dimensions
    }

    /// What it says of a message with this vector and [`nearness`], a score a label in the order of [`LABELS`]; `None` for a
    /// vector of another length.
    pub fn scores(&self, text: &str, vector: &[f32], nearness: Option<f32>) -> Option<Vec<Score>> {
        if vector.len() != self.head.dimensions {
            return None;
        }
        Some(self.calibrated(self.raw(&surface(text), vector, nearness).map(f64::from)))
    }

    /// Raw scores with their probabilities.
    pub fn calibrated(&self, raw: [f64; COUNT]) -> Vec<Score> {
        let score = |(at, raw): (usize, f64)| {
            let calibrated = raw * f64::from(self.weights.slope[at]) + f64::from(self.weights.shift[at]);
            Score { label: LABELS[at], raw, probability: sigmoid(calibrated) }
        };
        raw.into_iter().enumerate().map(score).collect()
    }

    /// Scores before calibration.
    fn raw(&self, surface: &Surface, vector: &[f32], near: Option<f32>) -> [f32; COUNT] {
        let Weights { mean, nearness, rarity, grams, linear, basis, pairs: of_pairs, bias, .. } = &self.weights;
        let mut raw = [0.0_f32; COUNT];
        raw.copy_from_slice(bias);
        let place = place(vector, mean, &surface.figures, nearness_figure(near, nearness));
        for (value, row) in place.iter().zip(linear.as_chunks::<COUNT>().0) {
            add(&mut raw, *value, row);
        }
        for (value, row) in pairs(&parts(&place, basis)).zip(of_pairs.as_chunks::<COUNT>().0) {
            add(&mut raw, value, row);
        }
        let rows = grams.as_chunks::<COUNT>().0;
        for (bucket, value) in weighted(&surface.grams, rarity) {
            add(&mut raw, value, &rows[bucket as usize]);
        }
        raw
    }
}

fn check(head: &Head, weights: &Weights) -> Result<(), ArtefactError> {
    if head.lexicon != lexicon_digest() {
        return Err(ArtefactError::OtherLexicon);
    }
    if head.labels != LABELS || head.buckets != BUCKETS {
        return Err(ArtefactError::OtherVersion);
    }
    let mut lists = weights.lists().into_iter().zip(lengths(head));
    if lists.any(|(list, length)| list.len() != length) {
        return Err(ArtefactError::Damaged("numbers are missing, or left over"));
    }
    if weights.lists().into_iter().flatten().any(|number| !number.is_finite()) {
        return Err(ArtefactError::Damaged("a number is none"));
    }
    Ok(())
}

fn add<const N: usize>(sums: &mut [f32; N], value: f32, row: &[f32; N]) {
    for (sum, weight) in sums.iter_mut().zip(row) {
        *sum += value * weight;
    }
}

fn take_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

/// How many numbers each list has, in the order of the file.
fn lengths(head: &Head) -> [usize; 10] {
    let inputs = head.dimensions + figures() + 1;
    [
        head.dimensions,
        2,
        head.buckets,
        head.buckets * COUNT,
        inputs * COUNT,
        inputs * PARTS,
        PAIRS * COUNT,
        COUNT,
        COUNT,
        COUNT,
    ]
}

impl Weights {
    fn lists(&self) -> [&Vec<f32>; 10] {
        let Self { mean, nearness, rarity, grams, linear, basis, pairs, bias, slope, shift } = self;
        [mean, nearness, rarity, grams, linear, basis, pairs, bias, slope, shift]
    }

    fn lists_mut(&mut self) -> [&mut Vec<f32>; 10] {
        let Self { mean, nearness, rarity, grams, linear, basis, pairs, bias, slope, shift } = self;
        [mean, nearness, rarity, grams, linear, basis, pairs, bias, slope, shift]
    }
}
