//! One training from files: rows in, vectors completed, rows that stand in the test left out, a classifier and its report.

use serde::Serialize;

use super::fit::{self, FitError, Progress};
use super::likeness;
use super::measure::{self, Figures, Judged};
use super::rows::{Articles, Row, Rows};
use super::vectors::Vectors;
use crate::domain::text::Language;
use crate::engine::triage::{Classifier, Triage, nearness};
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
    /// Messages that the classifier learnt from.
    pub messages: usize,
    /// On the messages learnt from, each judged without its author's; what choices are made by.
    pub authors_left_out: ByLanguage,
    /// Critical ones of these that were kept: where a rule may be missing. Those of the test are not told.
    pub critical_kept: Vec<String>,
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
    let messages = rows.train.iter().chain(&rows.test).map(|row| (row.text.as_str(), EmbedRole::Query));
    let articles = rows.articles.values().flatten().map(|text| (text.as_str(), EmbedRole::Passage));
    let all: Vec<(&str, EmbedRole)> = messages.chain(articles).collect();
    let missing: Vec<(&str, EmbedRole)> = all.iter().filter(|(text, _)| vectors.get(text).is_none()).copied().collect();
    let mut done = 0;
    for of_role in missing.chunk_by(|(_, one), (_, other)| one == other) {
        for batch in of_role.chunks(BATCH) {
            let texts: Vec<String> = batch.iter().map(|(text, _)| (*text).to_owned()).collect();
            for (text, vector) in texts.iter().zip(embedder.embed(&texts, batch[0].1).await?) {
                vectors.insert(text, &vector);
            }
            done += batch.len();
            progress(Progress { done: done as u64, of: missing.len() as u64 });
        }
    }
    vectors.retain(all.into_iter().map(|(text, _)| text));
    Ok(())
}

/// How near a message is to what its company writes about; `None` where that is not known.
pub fn nearness_of(row: &Row, articles: &Articles, vectors: &Vectors) -> Option<f32> {
    let vector = unit(vectors.get(&row.text)?);
    let texts = articles.get(&(row.trade.clone(), row.lang))?;
    let cosines = texts.iter().filter_map(|text| {
        let article = unit(vectors.get(text)?);
        Some(article.iter().zip(&vector).map(|(a, b)| a * b).sum())
    });
    nearness(cosines.collect())
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
    let fitted = fit::fit(&rows.train, &rows.articles, vectors, progress)?;
    let classifier = fitted.classifier;
    let by_others = rows.train.iter().zip(fitted.left_out).filter(|(row, _)| row.balanced);
    let by_others: Vec<Judged<'_>> =
        by_others.map(|(row, raw)| measure::judge(triage, row, classifier.calibrated(raw))).collect();
    let report = Report {
        embedder: classifier.head().embedder.clone(),
        train: by_author(&rows.train),
        test: by_author(&rows.test),
        left_out,
        messages: classifier.head().messages,
        authors_left_out: ByLanguage::of(&by_others),
        critical_kept: critical_kept(&by_others),
        on_test: on_test(triage, &classifier, rows, vectors)?,
    };
    Ok((classifier, report))
}

fn critical_kept(judged: &[Judged<'_>]) -> Vec<String> {
    let kept = judged.iter().filter(|one| one.row.critical && !one.handed_over);
    kept.map(|one| one.row.text.clone()).collect()
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
        let near = nearness_of(row, &rows.articles, vectors);
        let scores = classifier.scores(&row.text, &vectors.get(&row.text)?, near)?;
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
