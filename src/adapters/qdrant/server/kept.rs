//! What a server remembers of the indexes on it: one mark for each, in a small collection of their own.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use qdrant_client::Payload;
use qdrant_client::qdrant::{
    Condition, CreateCollection, Distance, Filter, GetPoints, NamedVectors, PointStruct, UpdateMode, UpsertPoints,
    VectorParams, Vectors, VectorsConfig, vectors, vectors_config,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::wire::{self, Wire};
use super::{Collections, ServerIndex};
use crate::adapters::qdrant::Opened;
use crate::adapters::qdrant::same::{CUSTOMER, Embedded, VERSION, new_build};
use crate::config;
use crate::domain::id::CustomerId;
use crate::ports::index::{IndexError, Shelf};
use crate::ports::model::Fingerprint;

/// An index that is still being filled after this long has been given up by whoever filled it.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The mark's field for [`Mark::build`].
const BUILD: &str = "build";

/// Letters of an embedder's name in that of a collection.
const NAME_CHARS: usize = 60;

/// A Qdrant server, on which each embedder has an index of its own.
#[derive(Debug, Clone)]
pub struct QdrantServer {
    wire: Arc<Wire>,
    prefix: String,
}

/// How far an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filled {
    /// It is being filled.
    Partly,
    /// It holds everything, with all its vectors.
    Wholly,
    /// It served on without its embedder: what came since has no vectors.
    WordsOnly,
}

/// An index that a server keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    mark: Mark,
}

/// What stands on the server. It is written after the collections are made, and before there are points in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    version: u32,
    embedder: Option<Embedded>,
    /// Random: tells one building of the index from the next.
    build: String,
    filled: Filled,
    /// When it was begun.
    begun: Timestamp,
    /// The collections of the shelves.
    knowledge: String,
    memory: String,
}

impl Kept {
    /// The embedder that it was made with; `None` where this version can't use the index.
    pub fn made_with(&self) -> Option<Option<Fingerprint>> {
        (self.mark.version == VERSION).then(|| self.mark.embedder.clone().map(Fingerprint::from))
    }

    /// How far it is.
    pub fn filled(&self) -> Filled {
        self.mark.filled
    }

    /// Which building of it this is: [`crate::ports::index::SearchIndex::name`].
    pub fn name(&self) -> &str {
        &self.mark.build
    }

    /// Nobody can be filling it any more.
    pub fn is_given_up(&self, now: Timestamp) -> bool {
        self.mark.filled == Filled::Partly && now.duration_since(self.mark.begun) > GIVEN_UP_AFTER
    }
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.mark.embedder {
            Some(embedder) => write!(f, "{embedder}")?,
            None => write!(f, "words")?,
        }
        match self.mark.filled {
            Filled::Wholly => Ok(()),
            Filled::Partly => write!(f, " (being filled)"),
            Filled::WordsOnly => write!(f, " (without its embedder)"),
        }
    }
}

impl QdrantServer {
    /// The server that the settings name. Nothing is asked of it yet.
    ///
    /// # Errors
    /// [`IndexError::Refused`] where address or key can't be used.
    pub fn new(settings: &config::Index) -> Result<Self, IndexError> {
        Ok(Self { wire: Arc::new(Wire::new(settings)?), prefix: settings.prefix.clone() })
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.wire.address
    }

    /// The version of the server: proof that it answers.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn version(&self) -> Result<String, IndexError> {
        Ok(self.wire.ask(self.wire.client().health_check()).await?.version)
    }

    /// The indexes under our prefix, of all versions and embedders.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn kept(&self) -> Result<Vec<Kept>, IndexError> {
        let marks = self.marks();
        if !self.wire.exists(&marks).await? {
            return Ok(Vec::new());
        }
        let points = self.wire.all(&marks, true).await?.into_iter();
        let mut kept: Vec<Kept> =
            points.filter_map(|point| Some(Kept { mark: Payload::from(point.payload).deserialize().ok()? })).collect();
        kept.sort_by(|a, b| (a.mark.begun, a.name()).cmp(&(b.mark.begun, b.name())));
        Ok(kept)
    }

    /// Opens the index of `embedder`, or makes an empty one where there is none, or parts of it are gone. Several
    /// processes may do so at the same time, and find the same one.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn open(
        &self,
        embedder: Option<Fingerprint>,
        now: Timestamp,
    ) -> Result<(ServerIndex, Opened), IndexError> {
        let collections = self.collections(embedder.as_ref());
        let id = mark_id(&collections);
        let marks = self.marks();
        self.make_marks().await?;
        let index = |mark: Mark| self.index(&collections, embedder.clone(), mark);
        let mut reason = "there was none";
        // In this order: whoever replaces a collection removes the mark first, and writes the new one last.
        while let (is_whole, Some(earlier)) = (self.are_there(&collections).await?, mark(&self.wire, &marks, id).await?)
        {
            if is_whole {
                let index = index(earlier)?;
                index.index_payload().await?;
                return Ok((index, Opened::Existing));
            }
            if !self.are_there(&collections).await? {
                reason = "a collection of it is gone";
                let of_that = [Condition::has_id([wire::point_id(id)]), Condition::matches(BUILD, earlier.build)];
                self.wire.remove_matching(&marks, Filter::must(of_that)).await?;
            }
        }
        let new = Mark {
            version: VERSION,
            embedder: embedder.as_ref().map(Embedded::from),
            build: new_build()?,
            filled: Filled::Partly,
            begun: now,
            knowledge: collections.knowledge.clone(),
            memory: collections.memory.clone(),
        };
        let made = index(new.clone())?;
        made.make().await?;
        // Points without a mark are of nobody knows when: who was forgotten since may be among them.
        for shelf in [Shelf::Knowledge, Shelf::Memory] {
            made.empty_if_left(shelf, || mark(&self.wire, &marks, id)).await?;
        }
        self.write_mark(id, &new, UpdateMode::InsertOnly).await?;
        // Another process may have been first.
        let mark = mark(&self.wire, &marks, id).await?.unwrap_or(new);
        Ok((index(mark)?, Opened::Fresh(reason.to_owned())))
    }

    async fn are_there(&self, collections: &Collections) -> Result<bool, IndexError> {
        Ok(self.wire.exists(&collections.knowledge).await? && self.wire.exists(&collections.memory).await?)
    }

    fn index(
        &self,
        collections: &Collections,
        embedder: Option<Fingerprint>,
        mark: Mark,
    ) -> Result<ServerIndex, IndexError> {
        let marks = (self.marks(), mark_id(collections));
        ServerIndex::new(Arc::clone(&self.wire), collections.clone(), embedder, mark.build, marks)
    }

    /// Records how far the index of `embedder` is.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn set_filled(&self, embedder: Option<&Fingerprint>, filled: Filled) -> Result<(), IndexError> {
        let id = mark_id(&self.collections(embedder));
        let Some(mark) = mark(&self.wire, &self.marks(), id).await? else {
            return Err(self.wire.unavailable("the index is gone; a restart makes it anew"));
        };
        self.write_mark(id, &Mark { filled, ..mark }, UpdateMode::Upsert).await
    }

    /// Deletes an index, unless it was made anew since it was looked at.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn delete(&self, kept: &Kept) -> Result<(), IndexError> {
        let Mark { knowledge, memory, build, .. } = &kept.mark;
        let id = mark_id(&Collections { knowledge: knowledge.clone(), memory: memory.clone() });
        let now = mark(&self.wire, &self.marks(), id).await?;
        if now.is_none_or(|now| now.build != *build) {
            return Ok(());
        }
        // What a crash leaves in between is found by its mark, and is not taken for a whole index.
        self.wire.drop_collection(memory).await?;
        self.wire.drop_collection(knowledge).await?;
        self.wire.remove(&self.marks(), &[id]).await
    }

    /// Deletes what the server remembers of indexes that are gone: when Firstline leaves it for good.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn delete_marks(&self) -> Result<(), IndexError> {
        self.wire.drop_collection(&self.marks()).await
    }

    /// Removes everything of a customer from one index, whatever its version.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn forget(&self, kept: &Kept, customer: CustomerId) -> Result<(), IndexError> {
        if !self.wire.exists(&kept.mark.memory).await? {
            return Ok(());
        }
        self.wire.remove_matching(&kept.mark.memory, super::carrying(CUSTOMER, customer.to_string())).await
    }

    /// The index of `embedder` is `kept`.
    pub fn is_of(&self, kept: &Kept, embedder: Option<&Fingerprint>) -> bool {
        kept.mark.memory == self.collections(embedder).memory
    }

    fn marks(&self) -> String {
        format!("{}_marks", self.prefix)
    }

    fn collections(&self, embedder: Option<&Fingerprint>) -> Collections {
        let of = |shelf: &str| format!("{}_{shelf}_v{VERSION}_{}", self.prefix, name(embedder));
        Collections { knowledge: of("knowledge"), memory: of("memory") }
    }

    /// A point must have a vector, so marks have one that nobody looks for.
    async fn make_marks(&self) -> Result<(), IndexError> {
        let marks = self.marks();
        if !self.wire.exists(&marks).await? {
            let params = VectorParams { size: 1, distance: Distance::Dot.into(), ..VectorParams::default() };
            let vectors = VectorsConfig { config: Some(vectors_config::Config::Params(params)) };
            self.wire.create(CreateCollection { vectors_config: Some(vectors), ..named(&marks) }).await?;
        }
        self.wire.index_keyword(&marks, BUILD, false).await
    }

    async fn write_mark(&self, id: Uuid, mark: &Mark, mode: UpdateMode) -> Result<(), IndexError> {
        let json = serde_json::to_value(mark).map_err(|error| IndexError::Refused(error.to_string()))?;
        let payload = Payload::try_from(json).map_err(|error| IndexError::Refused(error.to_string()))?;
        let point = PointStruct {
            id: Some(wire::point_id(id)),
            payload: payload.into(),
            vectors: Some(Vectors { vectors_options: Some(vectors::VectorsOptions::Vector(vec![1.0].into())) }),
        };
        let request = UpsertPoints {
            collection_name: self.marks(),
            wait: Some(true),
            points: vec![point],
            ordering: Some(wire::ordering()),
            update_mode: Some(mode.into()),
            ..UpsertPoints::default()
        };
        self.wire.ask(self.wire.client().upsert_points(request)).await.map(drop)
    }
}

/// Which building of the index the server has now.
pub(super) async fn build(wire: &Wire, marks: &str, id: Uuid) -> Result<Option<String>, IndexError> {
    Ok(mark(wire, marks, id).await?.map(|mark| mark.build))
}

async fn mark(wire: &Wire, marks: &str, id: Uuid) -> Result<Option<Mark>, IndexError> {
    let request = GetPoints {
        collection_name: marks.to_owned(),
        ids: vec![wire::point_id(id)],
        with_payload: Some(wire::with_payload(true)),
        ..GetPoints::default()
    };
    let found = wire.ask(wire.client().get_points(request)).await?.result;
    Ok(found.into_iter().find_map(|point| Payload::from(point.payload).deserialize().ok()))
}

fn mark_id(collections: &Collections) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, collections.memory.as_bytes())
}

/// A request for a collection of this name, and nothing else yet.
pub(super) fn named(collection: &str) -> CreateCollection {
    CreateCollection { collection_name: collection.to_owned(), ..CreateCollection::default() }
}

/// Vectors of a point by name.
pub(super) fn by_name(vectors: NamedVectors) -> Vectors {
    Vectors { vectors_options: Some(vectors::VectorsOptions::Vectors(vectors)) }
}

/// `multilingual-e5-small_384_1f0c9a3e`; `words` without an embedder. Names that differ only in what a collection's name can't
/// hold are told apart by the end.
fn name(embedder: Option<&Fingerprint>) -> String {
    let Some(Fingerprint { model, dimensions }) = embedder else { return "words".to_owned() };
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
    let hash = Sha256::digest(model.as_bytes());
    let hash = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    format!("{}_{dimensions}_{hash:08x}", model.chars().take(NAME_CHARS).map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedders_whose_names_look_alike_have_collections_of_their_own() {
        let of = |model: &str, dimensions| name(Some(&Fingerprint { model: model.to_owned(), dimensions }));
        let names = [of("a/b", 3), of("a-b", 3), of("a/b", 4), of(&"x".repeat(100), 3), of(&"x".repeat(101), 3)];
        for (place, one) in names.iter().enumerate() {
            assert!(one.len() < 100 && !one.contains('/'), "{one}");
            assert!(names[..place].iter().all(|other| other != one), "{one}");
        }
        assert_eq!(of("a/b", 3), names[0]);
        assert_eq!(name(None), "words");
    }
}
