//! One training from files: rows in, vectors completed, rows that stand in the test left out, a classifier and its report.

use serde::Serialize;

use super::fit::{self, FitError, Progress};
use super::likeness;
use super::measure::{self, Figures, Judged};
use super::rows::{Row, Rows};
use super::vectors::Vectors;
use crate::domain::text::Language;
use crate::engine::triage::{Classifier, Triage};
use crate::ports::model::{EmbedError, EmbedRole, Embedder};

/// Messages that an embedder reads at a time.
const BATCH: usize = 64;

/// What a training says.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The embedder.
    pub embedder: String,
    /// Messages by author, as the split has them.
    pub train: Vec<(String, usize)>,
    /// The same of the test.
    pub test: Vec<(String, usize)>,
    /// Messages that were not learnt from, because they are too much like one of the test.
    pub left_out: usize,
    /// Messages with a vote in the classifier.
    pub voters: usize,
    /// On the messages learnt from, each judged without its author's; what choices are made by.
    pub authors_left_out: ByLanguage,
    /// On the test.
    pub on_test: ByLanguage,
}

/// Figures in both languages apart and together.
#[derive(Debug, Clone, Serialize)]
pub struct ByLanguage {
    /// Russian.
    pub ru: Figures,
    /// English.
    pub en: Figures,
    /// Both.
    pub all: Figures,
}

/// Completes `vectors` with those of rows that it lacks.
///
/// # Errors
/// [`EmbedError`].
pub async fn complete(
    vectors: &mut Vectors,
    rows: &Rows,
    embedder: &dyn Embedder,
    mut progress: impl FnMut(Progress),
) -> Result<(), EmbedError> {
    let all = || rows.train.iter().chain(&rows.test).map(|row| row.text.as_str());
    let missing: Vec<String> = all().filter(|text| vectors.get(text).is_none()).map(str::to_owned).collect();
    for (number, batch) in missing.chunks(BATCH).enumerate() {
        for (text, vector) in batch.iter().zip(embedder.embed(batch, EmbedRole::Query).await?) {
            vectors.insert(text, &vector);
        }
        progress(Progress { done: (number * BATCH + batch.len()) as u64, of: missing.len() as u64 });
    }
    vectors.retain(all());
    Ok(())
}

/// Leaves out of `rows.train` what is too much like a message of the test, and returns how many that were. Messages without a
/// vector are compared by words.
pub fn leave_out_alike(rows: &mut Rows, vectors: &Vectors) -> usize {
    let found = alike_to_test(rows, vectors);
    let mut place = 0;
    rows.train.retain(|_| {
        place += 1;
        !found.contains(&(place - 1))
    });
    found.len()
}

/// Places in `rows.train` of messages that are too much like one of the test.
pub fn alike_to_test(rows: &Rows, vectors: &Vectors) -> std::collections::BTreeSet<usize> {
    let of = |rows: &[Row]| -> Vec<Vec<f32>> {
        rows.iter().map(|row| unit(vectors.get(&row.text).unwrap_or_default())).collect()
    };
    let (of_train, of_test) = (of(&rows.train), of(&rows.test));
    let train = paired(&rows.train, &of_train);
    let test = paired(&rows.test, &of_test);
    likeness::alike(&train, &test).into_iter().map(|alike| alike.first).collect()
}

fn paired<'a>(rows: &'a [Row], vectors: &'a [Vec<f32>]) -> Vec<(&'a str, &'a [f32])> {
    rows.iter().zip(vectors).map(|(row, vector)| (row.text.as_str(), vector.as_slice())).collect()
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in &mut vector {
            *value /= length;
        }
    }
    vector
}

/// Trains on `rows.train`, which [`leave_out_alike`] has been through, and reports on all.
///
/// # Errors
/// [`FitError`].
pub fn train(
    triage: &Triage,
    rows: &Rows,
    left_out: usize,
    vectors: &Vectors,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Classifier, Report), FitError> {
    let fitted = fit::fit(&rows.train, vectors, progress)?;
    let classifier = fitted.classifier;
    let by_others = rows.train.iter().zip(fitted.left_out);
    let by_others: Vec<Judged<'_>> =
        by_others.map(|(row, raw)| measure::judge(triage, row, classifier.calibrated(raw))).collect();
    let report = Report {
        embedder: classifier.head().embedder.clone(),
        train: by_author(&rows.train),
        test: by_author(&rows.test),
        left_out,
        voters: classifier.head().voters,
        authors_left_out: ByLanguage::of(&by_others),
        on_test: on_test(triage, &classifier, rows, vectors)?,
    };
    Ok((classifier, report))
}

/// The figures of a classifier on the test.
///
/// # Errors
/// [`FitError`] where a message has no vector.
pub fn on_test(
    triage: &Triage,
    classifier: &Classifier,
    rows: &Rows,
    vectors: &Vectors,
) -> Result<ByLanguage, FitError> {
    let judge = |row| -> Option<Judged<'_>> {
        let row: &Row = row;
        let scores = classifier.scores(&row.text, &vectors.get(&row.text)?)?;
        Some(measure::judge(triage, row, scores))
    };
    let judged: Vec<Judged<'_>> = rows.test.iter().filter_map(judge).collect();
    if judged.len() < rows.test.len() {
        return Err(FitError::Vectors(rows.test.len() - judged.len()));
    }
    Ok(ByLanguage::of(&judged))
}

impl ByLanguage {
    fn of(judged: &[Judged<'_>]) -> Self {
        let figures = |language| measure::figures(&measure::in_language(judged, language));
        Self { ru: figures(Some(Language::Ru)), en: figures(Some(Language::En)), all: figures(None) }
    }
}

fn by_author(rows: &[Row]) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for row in rows {
        *counts.entry(row.author.clone()).or_default() += 1;
    }
    counts.into_iter().collect()
}
