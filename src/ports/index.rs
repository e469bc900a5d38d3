//! The vector index: derived from the store, and rebuilt from it at any time.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::id::CustomerId;
use crate::domain::text::Language;

/// Hybrid search over knowledge and memory: BM25 always, dense where an embedder is configured.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// Which index this is: another name after every start from nothing.
    fn name(&self) -> &str;

    /// Whether other processes use it too. One of them at a time may apply changes then.
    fn is_shared(&self) -> bool {
        false
    }

    /// Writes points; a point of the same id is replaced.
    ///
    /// # Errors
    /// [`IndexError`].
    async fn upsert(&self, shelf: Shelf, points: Vec<Point>) -> Result<(), IndexError>;

    /// Removes points; those that are not there don't matter.
    ///
    /// # Errors
    /// [`IndexError`].
    async fn remove(&self, shelf: Shelf, ids: Vec<Uuid>) -> Result<(), IndexError>;

    /// Removes everything of a customer.
    ///
    /// # Errors
    /// [`IndexError`].
    async fn forget(&self, customer: CustomerId) -> Result<(), IndexError>;

    /// Searches inside `scope` by all legs at once: the best `limit` by words, by the words around and by vector, each with
    /// its scores of all legs. In the order of the words' leg, what it did not find after it by the words around and by
    /// vector; what orders them for good is the caller's.
    ///
    /// # Errors
    /// [`IndexError`].
    async fn search(&self, query: Query) -> Result<Vec<Hit>, IndexError>;

    /// How many points a shelf holds.
    ///
    /// # Errors
    /// [`IndexError`].
    async fn count(&self, shelf: Shelf) -> Result<usize, IndexError>;

    /// The ids of all points of a shelf, in no order: what need not be written again.
    ///
    /// # Errors
    /// [`IndexError`].
    async fn ids(&self, shelf: Shelf) -> Result<Vec<Uuid>, IndexError>;

    /// Empties a shelf.
    ///
    /// # Errors
    /// [`IndexError`].
    async fn wipe(&self, shelf: Shelf) -> Result<(), IndexError>;

    /// Makes everything written so far survive a power cut.
    ///
    /// # Errors
    /// [`IndexError`].
    async fn flush(&self) -> Result<(), IndexError>;

    /// Keeps a copy of the index as it is, to which a start goes back where the files are broken; the one before is deleted.
    /// Returns the name that the index has then. `None` where one was taken since `unless_since`, where nothing has changed
    /// since the last, and of an index that is kept elsewhere: a server has snapshots of its own.
    ///
    /// # Errors
    /// [`IndexError`]; the copy before is still there then, unless it was being replaced.
    async fn snapshot(&self, _unless_since: Timestamp) -> Result<Option<String>, IndexError> {
        Ok(None)
    }
}

/// A part of the index that is filled and emptied by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Sections of articles.
    Knowledge,
    /// Exchanges, episodes and facts.
    Memory,
}

/// Where a search looks. There is no value that means "everybody's memory".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Articles, in one language or in all.
    Knowledge(Option<Language>),
    /// What is remembered of one customer.
    Customer(CustomerId),
}

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Query {
    /// Where.
    pub scope: Scope,
    /// The words, for BM25.
    pub text: String,
    /// The vector, where there is an embedder.
    pub dense: Option<Vec<f32>>,
    /// How many hits of each leg at most.
    pub limit: usize,
}

/// Something to be found.
#[derive(Debug, Clone)]
pub struct Point {
    /// Deterministic, so that writing twice is writing once.
    pub id: Uuid,
    /// Whose; `None` on the knowledge shelf.
    pub customer: Option<CustomerId>,
    /// The language to stem in.
    pub language: Language,
    /// The words, for BM25.
    pub text: String,
    /// The words of what stands before and after, with its own: a second key for BM25.
    pub around: Option<String>,
    /// The vector, where there is an embedder.
    pub dense: Option<Vec<f32>>,
    /// What the caller needs to make sense of a hit: small, and no words in it.
    pub payload: serde_json::Value,
}

/// Something found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The point.
    pub id: Uuid,
    /// BM25 of the query's words, on the average of them: 0 where none stands in it.
    pub words: f32,
    /// The same of [`Point::around`]: 0 also where the point has none.
    pub around: f32,
    /// Cosine to the query's vector; `None` where one of the two has none.
    pub meaning: Option<f32>,
    /// As it was written.
    pub payload: serde_json::Value,
}

/// Why the index did not answer.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The files or the server can't be used.
    #[error("the index is unavailable: {0}")]
    Unavailable(String),
    /// A point or query that the index refuses.
    #[error("the index refused the request: {0}")]
    Refused(String),
}
