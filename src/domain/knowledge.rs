//! Knowledge: approved text for all customers. Not memory.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::text::Language;

/// An article as its author wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// The author's id; the same in every language that the article is written in.
    pub id: String,
    /// Where it is written.
    pub file: PathBuf,
    /// What it is about, in the words of a question or a headline.
    pub title: String,
    /// The language of this text.
    pub language: Language,
    /// The author's tags.
    pub tags: Vec<String>,
    /// How customers put the questions that it answers: it is found by them, and they are never quoted.
    pub questions: Vec<String>,
    /// The day of the last change, by the author's word.
    pub updated: jiff::civil::Date,
    /// The parts that are indexed and quoted one by one; the first is the introduction.
    pub sections: Vec<Section>,
}

impl Article {
    /// How the article is cited: `ru/delivery-cost`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.language, self.id)
    }
}

/// A part of an article that can be understood alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The heading; empty for the introduction.
    pub heading: String,
    /// The text without markup, paragraphs divided by blank lines, list items begun by "• ".
    pub text: String,
}

/// A section that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundSection {
    /// `ru/delivery-cost`.
    pub article: String,
    /// The article's title.
    pub title: String,
    /// Number of the section in the article, from 0.
    pub section: usize,
    /// Its heading.
    pub heading: String,
    /// Its text.
    pub text: String,
    /// Language of the article.
    pub language: Language,
    /// The score of the fused ranking: comparable inside one search only.
    pub score: f32,
    /// BM25 on the average of the question's words.
    pub words: f32,
    /// Cosine between the question and the section, where there is an embedder.
    pub meaning: Option<f32>,
    /// Which part of the question's weight the section covers, 0 to 1: comparable between searches.
    pub coverage: f32,
    /// How sure it is that the section answers: its coverage, moved by its meaning where there is an embedder.
    pub confidence: f32,
}
