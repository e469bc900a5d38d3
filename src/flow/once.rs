//! An embedder that reads a text once: search for articles, search in memory and triage ask about the same words.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::ports::model::{EmbedError, EmbedRole, Embedder, Fingerprint};

/// An embedder with what it has said in this turn.
pub(super) struct Once<'a> {
    embedder: &'a dyn Embedder,
    known: Mutex<HashMap<(String, EmbedRole), Vec<f32>>>,
}

impl<'a> Once<'a> {
    pub(super) fn new(embedder: &'a dyn Embedder) -> Self {
        Self { embedder, known: Mutex::default() }
    }

    fn known(&self, text: &str, role: EmbedRole) -> Option<Vec<f32>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&(text.to_owned(), role)).cloned()
    }
}

#[async_trait]
impl Embedder for Once<'_> {
    async fn embed(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut new: Vec<String> = Vec::new();
        for text in texts {
            if self.known(text, role).is_none() && !new.contains(text) {
                new.push(text.clone());
            }
        }
        if !new.is_empty() {
            let vectors = self.embedder.embed(&new, role).await?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(new.into_iter().map(|text| (text, role)).zip(vectors));
        }
        Ok(texts.iter().filter_map(|text| self.known(text, role)).collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        self.embedder.fingerprint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl Embedder for Counting {
        async fn embed(&self, texts: &[String], _: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
            self.0.fetch_add(texts.len(), Ordering::SeqCst);
            Ok(texts.iter().map(|text| vec![f32::from(u8::try_from(text.len()).unwrap())]).collect())
        }

        fn fingerprint(&self) -> Fingerprint {
            Fingerprint { model: "counting".to_owned(), dimensions: 1 }
        }
    }

    #[tokio::test]
    async fn a_text_is_read_once_in_each_role() {
        let counting = Counting::default();
        let once = Once::new(&counting);
        let texts = ["a".to_owned(), "bb".to_owned(), "a".to_owned()];
        assert_eq!(once.embed(&texts, EmbedRole::Query).await.unwrap(), [[1.0], [2.0], [1.0]]);
        assert_eq!(once.embed(&texts[1..2], EmbedRole::Query).await.unwrap(), [[2.0]]);
        assert_eq!(counting.0.load(Ordering::SeqCst), 2);
        once.embed(&texts[..1], EmbedRole::Passage).await.unwrap();
        assert_eq!(counting.0.load(Ordering::SeqCst), 3);
    }
}
