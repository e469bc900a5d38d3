//! The sparse leg: BM25 vectors of text, stemmed word by word in the language of its script.

use std::collections::BTreeMap;

use qdrant_edge::SparseVector;
use qdrant_edge::bm25_embed::{EdgeBm25, EdgeBm25Config};

use crate::domain::text::{Language, words};
use crate::ports::index::IndexError;

/// Makes BM25 vectors. Words in Cyrillic are stemmed as Russian, all others as English: brand names and terms stand in
/// Latin letters inside Russian sentences, and must match however the rest of the text is written.
#[derive(Debug)]
pub(super) struct Bm25 {
    russian: EdgeBm25,
    english: EdgeBm25,
}

impl Bm25 {
    pub(super) fn new() -> Result<Self, IndexError> {
        Ok(Self { russian: embedder("russian")?, english: embedder("english")? })
    }

    /// The vector of something that can be found.
    pub(super) fn document(&self, text: &str) -> SparseVector {
        let (cyrillic, others) = by_script(text);
        merge([self.russian.embed_document(&cyrillic), self.english.embed_document(&others)])
    }

    /// The vector of something that is searched for.
    pub(super) fn query(&self, text: &str) -> SparseVector {
        let (cyrillic, others) = by_script(text);
        merge([self.russian.embed_query(&cyrillic), self.english.embed_query(&others)])
    }
}

/// Length normalisation keeps qdrant's `avg_len` of 256 words: with texts as short as ours it hardly punishes length,
/// which was measured to find more than a fitted length does.
fn embedder(language: &str) -> Result<EdgeBm25, IndexError> {
    EdgeBm25::new(EdgeBm25Config { language: Some(language.to_owned()), ..EdgeBm25Config::default() })
        .map_err(|error| IndexError::Refused(error.to_string()))
}

/// The words in Cyrillic letters, and all others.
fn by_script(text: &str) -> (String, String) {
    let (mut cyrillic, mut others) = (String::new(), String::new());
    for word in words(text) {
        let side = if Language::detect(&word) == Some(Language::Ru) { &mut cyrillic } else { &mut others };
        side.push_str(&word);
        side.push(' ');
    }
    (cyrillic, others)
}

/// Joins vectors; dimensions are hashes of words, and the few that collide add up.
fn merge(vectors: [SparseVector; 2]) -> SparseVector {
    let mut weights: BTreeMap<u32, f32> = BTreeMap::new();
    for vector in vectors {
        for (index, value) in vector.indices.into_iter().zip(vector.values) {
            *weights.entry(index).or_default() += value;
        }
    }
    let (indices, values) = weights.into_iter().unzip();
    SparseVector { indices, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, query: &str, matches: bool) {
        let bm25 = Bm25::new().unwrap();
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
        assert!(Bm25::new().unwrap().query("?! 😀").indices.is_empty());
        assert!(Bm25::new().unwrap().query("и не на").indices.is_empty());
    }
}
