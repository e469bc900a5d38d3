//! The articles: kept in line with the index, and searched for a question.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::FlowError;
use super::indexing::{Asked, add_vectors, fused, weights};
use crate::domain::knowledge::{Article, FoundSection};
use crate::domain::text::Language;
use crate::engine::fusion::{Legs, QUESTION_WORDS, Weights, confidence, together};
use crate::engine::lexical::{Vocabulary, covered_text, indexed_text, meant_text};
use crate::engine::triage::nearness;
use crate::ports::index::{Hit, Point, Query, Scope, SearchIndex, Shelf};
use crate::ports::model::Embedder;

/// Points written at a time.
const BATCH: usize = 128;

/// The articles that serve now. They are few and fit into memory; the index only finds them.
#[derive(Default)]
pub struct KnowledgeBase(RwLock<Arc<Serving>>);

#[derive(Default)]
struct Serving {
    articles: HashMap<String, Article>,
    /// By language: a word that is common in one says nothing of the other.
    vocabularies: BTreeMap<Language, Vocabulary>,
    /// Sections and questions that the embedder has not seen yet, because it was down.
    without_vectors: usize,
}

/// When new sections get their vectors.
#[derive(Clone, Copy)]
enum Vectors<'a> {
    /// There is no embedder.
    Never,
    /// As they are written.
    Now(&'a dyn Embedder),
    /// In a later call: they are found by words until then.
    Later,
}

/// What a point of the knowledge shelf says of itself.
#[derive(Serialize, Deserialize)]
struct Place {
    article: String,
    part: Part,
}

/// What of an article a point stands for.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// One of its sections.
    Section(usize),
    /// One of the questions under which its author wants it to be found.
    Question(usize),
}

impl KnowledgeBase {
    /// The same articles for another index that holds them; what either takes in later is its own.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self(RwLock::new(self.serving()))
    }

    /// How many articles serve.
    pub fn article_count(&self) -> usize {
        self.serving().articles.len()
    }

    /// How many sections and questions of them are indexed.
    pub fn indexed_count(&self) -> usize {
        self.serving().articles.values().map(|article| article.sections.len() + article.questions.len()).sum()
    }

    /// The articles that serve and are written in this file, or below this directory.
    pub fn written_in(&self, path: &Path) -> Vec<Article> {
        self.serving().articles.values().filter(|article| article.file.starts_with(path)).cloned().collect()
    }

    /// The texts of the articles that serve, of those which are cited as `sources`, in their order.
    pub fn texts_of(&self, sources: &[String]) -> Vec<String> {
        let serving = self.serving();
        let cited =
            sources.iter().filter_map(|source| serving.articles.values().find(|article| article.key() == *source));
        let text = |article: &Article| {
            let sections =
                article.sections.iter().flat_map(|section| [section.heading.as_str(), section.text.as_str()]);
            [article.title.as_str()].into_iter().chain(sections).collect::<Vec<_>>().join("\n")
        };
        cited.map(text).collect()
    }

    /// Some sections have no vector yet, because the embedder was down.
    pub fn lacks_vectors(&self) -> bool {
        self.serving().without_vectors > 0
    }

    /// Makes `articles` serve in place of the ones before: writes sections that are new or changed, removes those that
    /// are gone. The earlier ones serve until it is done. Returns how many sections have no vector because the embedder
    /// is down: they are found by words until a later call gives them one.
    ///
    /// # Errors
    /// [`FlowError`]; what serves does not change then.
    pub async fn sync(
        &self,
        index: &dyn SearchIndex,
        embedder: Option<&dyn Embedder>,
        articles: Vec<Article>,
    ) -> Result<usize, FlowError> {
        self.bring_in_line(index, embedder.map_or(Vectors::Never, Vectors::Now), articles).await
    }

    /// [`Self::sync`] without waiting for an embedder: what is new is found by words until a later call gives it a vector.
    ///
    /// # Errors
    /// As [`Self::sync`].
    pub async fn sync_words_first(&self, index: &dyn SearchIndex, articles: Vec<Article>) -> Result<usize, FlowError> {
        self.bring_in_line(index, Vectors::Later, articles).await
    }

    async fn bring_in_line(
        &self,
        index: &dyn SearchIndex,
        vectors: Vectors<'_>,
        articles: Vec<Article>,
    ) -> Result<usize, FlowError> {
        let there = index.ids(Shelf::Knowledge).await.map_err(FlowError::index("ids"))?;
        let there: HashSet<Uuid> = there.into_iter().collect();
        let all: Vec<(Point, String)> = articles.iter().flat_map(points).collect();
        let wanted: HashSet<Uuid> = all.iter().map(|(point, _)| point.id).collect();
        let new = all.into_iter().filter(|(point, _)| !there.contains(&point.id));
        let (mut new, texts): (Vec<Point>, Vec<String>) = new.unzip();
        let mut without_vectors = 0;
        for (batch, texts) in new.chunks_mut(BATCH).zip(texts.chunks(BATCH)) {
            let added = match vectors {
                Vectors::Never => true,
                Vectors::Later => false,
                Vectors::Now(embedder) => match add_vectors(Some(embedder), batch, texts).await {
                    Ok(()) => true,
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "articles are indexed without vectors for now");
                        false
                    }
                },
            };
            if !added {
                without_vectors += batch.len();
                batch.iter_mut().for_each(mark_words_only);
            }
            index.upsert(Shelf::Knowledge, batch.to_vec()).await.map_err(FlowError::index("upsert"))?;
        }
        self.serve(articles, without_vectors);
        // While the embedder is down, a section that lacks its vector must not lose the point that it has.
        let kept: HashSet<Uuid> = new.iter().map(|point| point.id).collect();
        let gone: Vec<Uuid> = there.difference(&wanted).filter(|id| !kept.contains(id)).copied().collect();
        if !gone.is_empty() {
            index.remove(Shelf::Knowledge, gone).await.map_err(FlowError::index("remove"))?;
        }
        index.flush().await.map_err(FlowError::index("flush"))?;
        Ok(without_vectors)
    }

    /// Writes a batch of the sections that serve and are missing in `index`, which does not serve yet, and returns how
    /// many. Unlike in [`Self::sync`], a section waits for its vector.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn write_some(
        &self,
        index: &dyn SearchIndex,
        embedder: Option<&dyn Embedder>,
    ) -> Result<usize, FlowError> {
        let there = index.ids(Shelf::Knowledge).await.map_err(FlowError::index("ids"))?;
        let there: HashSet<Uuid> = there.into_iter().collect();
        let mut new: Vec<(Point, String)> = self.serving().articles.values().flat_map(points).collect();
        new.retain(|(point, _)| !there.contains(&point.id));
        new.truncate(BATCH);
        let (mut new, texts): (Vec<Point>, Vec<String>) = new.into_iter().unzip();
        add_vectors(embedder, &mut new, &texts).await?;
        let written = new.len();
        index.upsert(Shelf::Knowledge, new).await.map_err(FlowError::index("upsert"))?;
        Ok(written)
    }

    /// Sections that may answer `question`, best first: articles in `language`, or in the question's own, or in any where
    /// there are none in it.
    ///
    /// # Errors
    /// [`FlowError`]; an embedder that is down is none: words carry the search then.
    pub async fn search(
        &self,
        index: &dyn SearchIndex,
        embedder: Option<&dyn Embedder>,
        question: &str,
        language: Option<Language>,
        limit: usize,
    ) -> Result<Vec<FoundSection>, FlowError> {
        let asked_in = Language::detect(question);
        let language = language.or(asked_in).filter(|language| self.speaks(*language));
        let foreign = asked_in.is_some_and(|asked_in| language != Some(asked_in));
        let words = self.serving().searched(question, language);
        let asked = Asked { text: question, words: &words, foreign };
        let hits = fused(index, embedder, Scope::Knowledge(language), asked, legs).await?;
        Ok(self.serving().found(hits, question, weights(embedder), limit))
    }

    /// How near a message's vector is to the beginnings of the articles in its language: whether it is this company's
    /// business at all. `None` where there are none, or none has a vector.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn nearness(
        &self,
        index: &dyn SearchIndex,
        vector: Vec<f32>,
        language: Option<Language>,
    ) -> Result<Option<f32>, FlowError> {
        let Some(language) = language.filter(|language| self.speaks(*language)) else { return Ok(None) };
        let scope = Scope::Knowledge(Some(language));
        let query = Query { scope, text: String::new(), dense: Some(vector), limit: self.indexed_count() };
        let hits = index.search(query).await.map_err(FlowError::index("search"))?;
        let beginnings = hits.iter().filter(|hit| part(hit) == Some(Part::Section(0)));
        Ok(nearness(beginnings.filter_map(|hit| hit.meaning).collect()))
    }

    fn speaks(&self, language: Language) -> bool {
        self.serving().vocabularies.contains_key(&language)
    }

    fn serve(&self, articles: Vec<Article>, without_vectors: usize) {
        let mut vocabularies = BTreeMap::new();
        for language in Language::ALL {
            let written = articles.iter().filter(|article| article.language == language);
            let texts: Vec<String> = written
                .flat_map(|article| article.sections.iter().map(move |section| covered_text(article, section)))
                .collect();
            if !texts.is_empty() {
                vocabularies.insert(language, Vocabulary::of(texts.into_iter()));
            }
        }
        let articles = articles.into_iter().map(|article| (article.key(), article)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Serving { articles, vocabularies, without_vectors });
    }

    fn serving(&self) -> Arc<Serving> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Serving {
    /// The words to search for.
    fn searched(&self, question: &str, language: Option<Language>) -> String {
        let vocabulary = language.and_then(|language| self.vocabularies.get(&language));
        vocabulary.map_or_else(|| question.to_owned(), |vocabulary| vocabulary.searched(question))
    }

    /// The first `limit` sections behind hits, best first. The best question of an article speaks for all its sections, and
    /// for its introduction where no section was found; what was not found counts as the worst that was.
    fn found(&self, hits: Vec<(Hit, f32)>, question: &str, weights: Weights, limit: usize) -> Vec<FoundSection> {
        let lowest = hits.last().map_or(0.0, |(_, score)| *score);
        let mut asked: HashMap<String, Spoken> = HashMap::new();
        let mut sections: Vec<(String, usize, Spoken)> = Vec::new();
        for (hit, score) in hits {
            let Ok(place) = serde_json::from_value::<Place>(hit.payload.clone()) else { continue };
            match place.part {
                Part::Section(number) => sections.push((place.article, number, Spoken { hit, score, question: None })),
                // Hits come best first.
                Part::Question(number) => {
                    asked.entry(place.article).or_insert(Spoken { hit, score, question: Some(number) });
                }
            }
        }
        for (article, spoken) in &asked {
            if sections.iter().all(|(other, ..)| other != article) {
                sections.push((article.clone(), 0, Spoken { score: lowest, ..spoken.clone() }));
            }
        }
        let score = |(article, _, section): &(String, usize, Spoken)| {
            together(section.score, asked.get(article).map_or(lowest, |asked| asked.score))
        };
        sections.sort_by(|a, b| score(b).total_cmp(&score(a)).then_with(|| (&a.0, a.1).cmp(&(&b.0, b.1))));
        let of = |one: &(String, usize, Spoken)| self.section(one, asked.get(&one.0), score(one), question, weights);
        sections.iter().filter_map(of).take(limit).collect()
    }

    /// A section with what its hit and that of its article's best question say of it; `None` where the article was
    /// withdrawn since it was indexed.
    fn section(
        &self,
        (key, number, spoken): &(String, usize, Spoken),
        asked: Option<&Spoken>,
        score: f32,
        question: &str,
        weights: Weights,
    ) -> Option<FoundSection> {
        let article = self.articles.get(key)?;
        let section = article.sections.get(*number)?;
        let vocabulary = self.vocabularies.get(&article.language)?;
        let text = covered_text(article, section);
        let coverage = vocabulary.coverage(question, &text);
        let own = confidence(coverage, spoken.hit.meaning, weights);
        let by_question = asked.and_then(|asked| {
            let asked_text = article.questions.get(asked.question?)?;
            let coverage = vocabulary.coverage(question, &format!("{text}\n{asked_text}"));
            Some(confidence(coverage, asked.hit.meaning, weights))
        });
        Some(FoundSection {
            article: key.clone(),
            title: article.title.clone(),
            section: *number,
            heading: section.heading.clone(),
            text: section.text.clone(),
            language: article.language,
            score,
            words: spoken.hit.words,
            meaning: spoken.hit.meaning,
            coverage,
            // A section that says it all needs no question beside it.
            confidence: by_question.map_or(own, |by_question| own.max(together(own, by_question))),
        })
    }
}

/// What a hit says, with the number of the article's question that it is on.
#[derive(Clone)]
struct Spoken {
    hit: Hit,
    score: f32,
    question: Option<usize>,
}

/// What of an article a hit is on.
fn part(hit: &Hit) -> Option<Part> {
    Part::deserialize(hit.payload.get("part")?).ok()
}

/// What a hit's scores count.
fn legs(hit: &Hit) -> Legs {
    let weight = if matches!(part(hit), Some(Part::Question(_))) { QUESTION_WORDS } else { 1.0 };
    Legs { words: weight * hit.words, meaning: hit.meaning }
}

/// The points of an article's sections and questions, each with the text that its vector is made of.
fn points(article: &Article) -> impl Iterator<Item = (Point, String)> {
    let sections = article.sections.iter().enumerate().map(|(number, section)| {
        (point(article, Part::Section(number), indexed_text(article, section)), meant_text(article, section))
    });
    let questions = article
        .questions
        .iter()
        .enumerate()
        .map(|(number, question)| (point(article, Part::Question(number), question.clone()), question.clone()));
    sections.chain(questions)
}

fn point(article: &Article, part: Part, text: String) -> Point {
    let place = Place { article: article.key(), part };
    Point {
        id: point_id(&place, &text),
        customer: None,
        language: article.language,
        text,
        around: None,
        dense: None,
        payload: serde_json::to_value(&place).unwrap_or_default(),
    }
}

/// Gives a point another id than it will have with its vector: the next sync sees that it is missing.
fn mark_words_only(point: &mut Point) {
    point.id = Uuid::new_v5(&point.id, b"words only");
}

/// The same for the same words in the same place: what is there already is not written again.
fn point_id(place: &Place, text: &str) -> Uuid {
    let hash = Sha256::digest(text.as_bytes());
    let (kind, number) = match place.part {
        Part::Section(number) => (b's', number),
        Part::Question(number) => (b'q', number),
    };
    let name = [place.article.as_bytes(), &[kind], &number.to_le_bytes(), &hash].concat();
    Uuid::new_v5(&Uuid::NAMESPACE_URL, &name)
}
