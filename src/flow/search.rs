//! What searches: an index together with the embedder whose vectors are in it, and how a new pair takes the place of the
//! one that serves.

use std::sync::{Arc, PoisonError, RwLock};

use crate::ports::index::SearchIndex;
use crate::ports::model::Embedder;

/// An index and the embedder that its vectors came from.
pub struct Searcher {
    /// The index.
    pub index: Arc<dyn SearchIndex>,
    /// The embedder; `None`: this index is searched by words.
    pub embedder: Option<Arc<dyn Embedder>>,
}

/// The searcher that serves, and, after a change of the embedder, the one that will once it holds everything.
pub struct Search(RwLock<Pair>);

struct Pair {
    serving: Arc<Searcher>,
    coming: Option<Arc<Searcher>>,
}

impl Search {
    /// Begins with these.
    pub fn new(serving: Searcher, coming: Option<Searcher>) -> Self {
        Self(RwLock::new(Pair { serving: Arc::new(serving), coming: coming.map(Arc::new) }))
    }

    /// The one that answers now.
    pub fn serving(&self) -> Arc<Searcher> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).serving)
    }

    /// The one that is being filled.
    pub fn coming(&self) -> Option<Arc<Searcher>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).coming.clone()
    }

    /// Both, the serving one first.
    pub fn all(&self) -> Vec<Arc<Searcher>> {
        let pair = self.0.read().unwrap_or_else(PoisonError::into_inner);
        [Arc::clone(&pair.serving)].into_iter().chain(pair.coming.clone()).collect()
    }

    /// Lets the coming one serve: a search that has begun ends on the old one.
    pub fn switch(&self) {
        let mut pair = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(coming) = pair.coming.take() {
            pair.serving = coming;
        }
    }
}
