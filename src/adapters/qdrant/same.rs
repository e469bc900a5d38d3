//! What the index in our own process and the one on a server have in common: what a point must be, how hits are ordered.

use serde::{Deserialize, Serialize};

use crate::domain::id::CustomerId;
use crate::ports::index::{Hit, IndexError, Point, Shelf};
use crate::ports::model::Fingerprint;

/// Raised whenever points are written otherwise than before: an index of another version is built anew.
pub(super) const VERSION: u32 = 4;

/// The sparse vector of a point's own words.
pub(super) const BM25: &str = "bm25";
/// The sparse vector of the words around as well.
pub(super) const AROUND: &str = "around";
/// The dense vector's name.
pub(super) const DENSE: &str = "dense";
/// Payload: whose memory it is.
pub(super) const CUSTOMER: &str = "customer";
/// Payload: the article's language.
pub(super) const LANGUAGE: &str = "language";
/// Payload: what the caller gave us to keep.
pub(super) const DATA: &str = "data";

/// Hits that each leg is asked for at least: of those that score the same, which ones come is chance.
pub(super) const SPARE: usize = 50;

/// The embedder that an index was made with, as it stands beside the points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Embedded {
    pub(super) model: String,
    pub(super) dimensions: usize,
}

impl From<&Fingerprint> for Embedded {
    fn from(fingerprint: &Fingerprint) -> Self {
        Self { model: fingerprint.model.clone(), dimensions: fingerprint.dimensions }
    }
}

impl From<Embedded> for Fingerprint {
    fn from(Embedded { model, dimensions }: Embedded) -> Self {
        Self { model, dimensions }
    }
}

impl std::fmt::Display for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {} dimensions", self.model, self.dimensions)
    }
}

/// Whose a point is: nobody's on the knowledge shelf, somebody's on the memory shelf.
pub(super) fn owner(shelf: Shelf, point: &Point) -> Result<Option<CustomerId>, IndexError> {
    match (shelf, point.customer) {
        (Shelf::Knowledge, None) => Ok(None),
        (Shelf::Memory, Some(customer)) => Ok(Some(customer)),
        (Shelf::Knowledge, Some(_)) => Err(refused("knowledge belongs to no customer")),
        (Shelf::Memory, None) => Err(refused("memory belongs to a customer")),
    }
}

/// Whether this can be a vector of `embedder`.
pub(super) fn check_dense(embedder: Option<&Fingerprint>, dense: &[f32]) -> Result<(), IndexError> {
    let Some(embedder) = embedder else { return Err(refused("there is no embedder, but a vector")) };
    if dense.len() != embedder.dimensions {
        return Err(refused(&format!("a vector has {} dimensions, not {}", dense.len(), embedder.dimensions)));
    }
    if !dense.iter().all(|value| value.is_finite()) {
        return Err(refused("a vector has values that are no numbers"));
    }
    Ok(())
}

/// The one order of hits: by words, by the words around, by vector, by id.
pub(super) fn in_order(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by(|a, b| {
        let by_meaning = b.meaning.unwrap_or(-1.0).total_cmp(&a.meaning.unwrap_or(-1.0));
        let by_words = b.words.total_cmp(&a.words).then(b.around.total_cmp(&a.around));
        by_words.then(by_meaning).then_with(|| a.id.cmp(&b.id))
    });
    hits
}

/// A random name for an index that begins with nothing.
pub(super) fn new_build() -> Result<String, IndexError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| IndexError::Unavailable(format!("no randomness: {error}")))?;
    Ok(uuid::Builder::from_random_bytes(random).into_uuid().simple().to_string())
}

pub(super) fn refused(why: &str) -> IndexError {
    IndexError::Refused(why.to_owned())
}
