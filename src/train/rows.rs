//! Labelled messages, and which of them are for what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::text::{Language, hex};
use crate::domain::turn::Label;

/// One labelled message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What the customer wrote.
    pub text: String,
    /// Everything that holds; never empty.
    pub labels: Vec<Label>,
    /// The language it is written in.
    pub lang: Language,
    /// The trade of the company that it was written to.
    pub trade: String,
    /// Who wrote it.
    pub author: String,
    /// It looks like another label.
    #[serde(default)]
    pub hard: bool,
    /// It must never be missed.
    #[serde(default)]
    pub critical: bool,
    /// How far it is from any company's business; out of scope only.
    #[serde(default)]
    pub scope: Option<OutOfScope>,
    /// What was said before, where it can't be understood without.
    #[serde(default)]
    pub before: Vec<String>,
    /// Whether its author's labels are in the balance of life: calibration and figures count such messages alone.
    #[serde(skip, default = "balanced")]
    pub balanced: bool,
}

fn balanced() -> bool {
    true
}

/// How far off a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfScope {
    /// Like support, for another company or trade.
    Near,
    /// No company's business.
    Far,
}

/// Why labelled messages can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// A file or directory can't be read.
    #[error("{path} can't be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{path}:{line}: {why}")]
    Line {
        /// In which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, without the message's words.
        why: String,
    },
    /// The declaration of the splits is wrong.
    #[error("{path}: {why}")]
    Split {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// `split.toml`: which authors' messages are for what.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// To learn from, to choose and to calibrate with, each author left out in turn.
    pub train: Vec<String>,
    /// To learn from alone: their labels are in no natural balance, and would tell the calibration that danger is common.
    #[serde(default)]
    pub more: Vec<String>,
    /// To report on; never looked at for choices.
    pub test: Vec<String>,
}

/// The beginnings of a company's articles, by trade and language: what its customers may ask about.
pub type Articles = BTreeMap<(String, Language), Vec<String>>;

/// Labelled messages by what they are for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// To learn from.
    pub train: Vec<Row>,
    /// To report on.
    pub test: Vec<Row>,
    /// What the companies of these messages write about.
    pub articles: Articles,
}

/// Reads `messages/`, `articles.jsonl` and `split.toml` in `dir`, in the order of names.
///
/// # Errors
/// [`RowsError`].
pub fn read(dir: &Path) -> Result<Rows, RowsError> {
    let path = dir.join("split.toml");
    let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
    let split: Split = toml::from_str(&text)
        .map_err(|error| RowsError::Split { path: path.clone(), why: error.message().to_owned() })?;
    let mut by_author: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for author in listed(&dir.join("messages"))? {
        for file in listed(&author)?.into_iter().filter(|file| file.extension().is_some_and(|end| end == "jsonl")) {
            for row in read_file(&file)? {
                by_author.entry(row.author.clone()).or_default().push(row);
            }
        }
    }
    let mut take = |authors: &[String]| -> Result<Vec<Row>, RowsError> {
        let mut rows = Vec::new();
        for author in authors {
            let why = || format!("no messages of `{author}`, or named twice");
            rows.extend(by_author.remove(author).ok_or_else(|| RowsError::Split { path: path.clone(), why: why() })?);
        }
        Ok(rows)
    };
    let articles = read_articles(&dir.join("articles.jsonl"))?;
    let mut train = take(&split.train)?;
    train.extend(take(&split.more)?.into_iter().map(|row| Row { balanced: false, ..row }));
    let rows = Rows { train, test: take(&split.test)?, articles };
    let all = || rows.train.iter().chain(&rows.test);
    if let Some(row) = all().find(|row| !rows.articles.contains_key(&(row.trade.clone(), row.lang))) {
        let why = format!("articles.jsonl has no line for the trade `{}` in {}: write one", row.trade, row.lang);
        return Err(RowsError::Split { path, why });
    }
    match by_author.into_keys().next() {
        Some(author) => Err(RowsError::Split { path, why: format!("`{author}` is in no split") }),
        None => Ok(rows),
    }
}

/// Reads one file of messages, a JSON object a line.
///
/// # Errors
/// [`RowsError`].
pub fn read_file(path: &Path) -> Result<Vec<Row>, RowsError> {
    read_lines(path, Row::checked)
}

/// One line of `articles.jsonl`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Company {
    trade: String,
    lang: Language,
    articles: Vec<String>,
}

fn read_articles(path: &Path) -> Result<Articles, RowsError> {
    let companies =
        read_lines(
            path,
            |company: Company| {
                if company.articles.is_empty() { Err("a company has articles") } else { Ok(company) }
            },
        )?;
    Ok(companies.into_iter().map(|company| ((company.trade, company.lang), company.articles)).collect())
}

/// Reads a file of a JSON object a line; `check` finds what is wrong with one.
fn read_lines<T: serde::de::DeserializeOwned>(
    path: &Path,
    check: impl Fn(T) -> Result<T, &'static str>,
) -> Result<Vec<T>, RowsError> {
    let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let wrong = |why: String| RowsError::Line { path: path.to_owned(), line: number + 1, why };
            let read: T = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            check(read).map_err(|why| wrong(why.to_owned()))
        })
        .collect()
}

impl Row {
    fn checked(self) -> Result<Self, &'static str> {
        if self.text.trim().is_empty() {
            return Err("the message is empty");
        }
        if self.labels.is_empty() || self.labels.contains(&Label::Complex) {
            return Err("a message has one label or more, and never `complex`");
        }
        if self.labels.contains(&Label::OutOfScope) != self.scope.is_some() {
            return Err("`scope` stands beside out_of_scope, and only there");
        }
        Ok(self)
    }

    /// Whether people must get it.
    pub fn is_escalation(&self) -> bool {
        self.labels.iter().any(|label| is_escalation(*label))
    }
}

/// Whether a label hands over.
pub fn is_escalation(label: Label) -> bool {
    matches!(label, Label::Emotional | Label::Commercial | Label::HumanRequest | Label::SafetyLegal)
}

/// SHA-256 of texts and labels in their order, in hex: what a classifier was trained on.
pub fn digest<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut hash = Sha256::new();
    for row in rows {
        hash.update(row.text.as_bytes());
        for label in &row.labels {
            hash.update([0]);
            hash.update(label.name().as_bytes());
        }
        hash.update([1]);
    }
    hex(&hash.finalize())
}

fn listed(dir: &Path) -> Result<Vec<PathBuf>, RowsError> {
    let entries = std::fs::read_dir(dir).map_err(unreadable(dir))?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(unreadable(dir))?;
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> RowsError {
    let path = path.to_owned();
    move |source| RowsError::Unreadable { path, source }
}
