//! The sparse leg: BM25 vectors of text, stemmed word by word in the language of its script.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use qdrant_edge::SparseVector;
use qdrant_edge::bm25_embed::{EdgeBm25, EdgeBm25Config};

use crate::domain::text::{Language, words};
use crate::ports::index::IndexError;

/// Saturation: how little the second occurrence of a term adds to the first.
const K: f32 = 1.2;
/// How much of the length is normalised away.
const B: f32 = 0.75;
/// Stems that are kept: people use few words, and stemming one costs more than all else that is done with it.
const STEMS_KEPT: usize = 1 << 16;
/// Letters of a beginning.
const BEGINNING: usize = 5;

/// Makes BM25 vectors. Words in Cyrillic are stemmed as Russian, all others as English: brand names and terms stand in
/// Latin letters inside Russian sentences, and must match however the rest of the text is written.
#[derive(Debug)]
pub(super) struct Bm25 {
    russian: EdgeBm25,
    english: EdgeBm25,
    /// What [`Self::stem`] has found, by word.
    stems: RwLock<HashMap<String, Option<u32>>>,
    /// The length, in words, that counts as neither long nor short.
    usual_length: f32,
    /// What counts beside the stem of a word.
    beside: Option<Beside>,
}

/// Terms beside the stems, with what they weigh.
#[derive(Debug, Clone, Copy)]
struct Beside {
    /// The beginnings of words: derived words have other stems ("оплатить", "оплата"), and some slips come late.
    beginnings: f32,
    /// Pairs of neighbours: names of things are often two words that are common alone.
    pairs: f32,
}

/// Terms of one kind, each as often as it occurs.
struct Kind {
    terms: Vec<u32>,
    weight: f32,
}

impl Bm25 {
    /// For articles: fitted on `FAQ` sets of five sources, Russian and English.
    pub(super) fn for_articles() -> Result<Self, IndexError> {
        Self::new(60.0, Some(Beside { beginnings: 0.5, pairs: 0.3 }))
    }

    /// For exchanges and facts: with texts as short as those, a usual length far above theirs was measured to find more
    /// than a fitted one does.
    pub(super) fn for_memory() -> Result<Self, IndexError> {
        Self::new(256.0, None)
    }

    fn new(usual_length: f32, beside: Option<Beside>) -> Result<Self, IndexError> {
        let (russian, english) = (stemmer("russian")?, stemmer("english")?);
        Ok(Self { russian, english, stems: RwLock::default(), usual_length, beside })
    }

    /// The vector of something that can be found.
    pub(super) fn document(&self, text: &str) -> SparseVector {
        let mut weights: BTreeMap<u32, f32> = BTreeMap::new();
        for kind in self.kinds(text) {
            let length = B * count(kind.terms.len()) / self.usual_length;
            let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
            kind.terms.into_iter().for_each(|term| *counts.entry(term).or_default() += 1);
            for (term, times) in counts {
                let times = count(times);
                // The few terms whose hashes collide add up.
                *weights.entry(term).or_default() += times * (K + 1.0) / (times + K * (1.0 - B + length));
            }
        }
        sparse(weights)
    }

    /// The vector of something that is searched for: what each of its terms weighs.
    pub(super) fn query(&self, text: &str) -> SparseVector {
        let kinds = self.kinds(text);
        sparse(kinds.into_iter().flat_map(|kind| kind.terms.into_iter().map(move |term| (term, kind.weight))).collect())
    }

    fn kinds(&self, text: &str) -> Vec<Kind> {
        let mut words = words(text);
        let mut stems: Vec<u32> = Vec::with_capacity(words.len());
        words.retain(|word| {
            let stem = self.stem(word);
            stems.extend(stem);
            stem.is_some()
        });
        let mut kinds = Vec::new();
        if let Some(Beside { beginnings, pairs }) = self.beside {
            let beginning = |word: &String| hash(word.chars().take(BEGINNING).flat_map(|c| u32::from(c).to_le_bytes()));
            kinds.push(Kind { terms: words.iter().map(beginning).collect(), weight: beginnings });
            let pair = |pair: &[u32]| hash(pair.iter().flat_map(|stem| stem.to_le_bytes()));
            kinds.push(Kind { terms: stems.windows(2).map(pair).collect(), weight: pairs });
        }
        kinds.push(Kind { terms: stems, weight: 1.0 });
        kinds
    }

    /// The hash of a word's stem; `None` for a stop word.
    fn stem(&self, word: &str) -> Option<u32> {
        // Entries are whole or not there: a panic elsewhere spoils nothing.
        if let Some(known) = self.stems.read().unwrap_or_else(PoisonError::into_inner).get(word) {
            return *known;
        }
        let language = if Language::detect(word) == Some(Language::Ru) { &self.russian } else { &self.english };
        let stem = language.embed_query(word).indices.first().copied();
        let mut stems = self.stems.write().unwrap_or_else(PoisonError::into_inner);
        if stems.len() == STEMS_KEPT {
            stems.clear();
        }
        stems.insert(word.to_owned(), stem);
        stem
    }
}

/// Qdrant's own pipeline for one word: its stop words, stems and hashes.
fn stemmer(language: &str) -> Result<EdgeBm25, IndexError> {
    EdgeBm25::new(EdgeBm25Config { language: Some(language.to_owned()), ..EdgeBm25Config::default() })
        .map_err(|error| IndexError::Refused(error.to_string()))
}

/// FNV-1a: the same on every machine and in every version.
fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn sparse(weights: BTreeMap<u32, f32>) -> SparseVector {
    let (indices, values) = weights.into_iter().unzip();
    SparseVector { indices, values }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words are small")]
fn count(number: usize) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, query: &str, matches: bool) {
        let bm25 = Bm25::for_articles().unwrap();
        let document = bm25.document(document);
        let query = bm25.query(query);
        let shared = query.indices.iter().filter(|index| document.indices.contains(index)).count();
        assert_eq!(shared > 0, matches, "{shared} shared dimensions");
        assert!(document.indices.is_sorted() && query.indices.is_sorted());
    }

    #[test]
    fn russian_is_lower_cased_folded_and_stemmed() {
        check("доставка", "ДОСТАВКИ", true);
        check("возврат товара", "возвраты", true);
        check("жёлтый плед", "желтые", true);
        check("стеллаж", "стелажи", false);
    }

    #[test]
    fn stop_words_of_both_languages_do_not_match() {
        check("Можно ли вернуть это?", "а можно ли", false);
        check("Where is the parcel?", "where is the lamp", false);
    }

    #[test]
    fn latin_words_match_inside_russian_text() {
        check("Оплата через Yandex Payments возможна", "yandex payment", true);
        check("Order М-123456", "заказ м123456", true);
    }

    #[test]
    fn text_without_words_has_an_empty_vector() {
        assert!(Bm25::for_articles().unwrap().query("?! 😀").indices.is_empty());
        assert!(Bm25::for_articles().unwrap().query("и не на").indices.is_empty());
    }
}
