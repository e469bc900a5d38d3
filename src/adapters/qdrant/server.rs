//! The search index on a Qdrant server: the same points and the same answers as [`super::EdgeIndex`], but several
//! processes may use it at the same time.

mod kept;
mod wire;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use qdrant_client::qdrant::{
    Condition, CountPoints, CreateCollection, DenseVector, Distance, Filter, HnswConfigDiff, Modifier, NamedVectors,
    PayloadIncludeSelector, PointStruct, QueryBatchPoints, QueryPoints, SearchParams, SparseVector, SparseVectorConfig,
    SparseVectorParams, Value, Vector, VectorInput, VectorParams, VectorParamsMap, VectorsConfig, WithPayloadSelector,
    query, vector, vector_input, vectors_config, with_payload_selector,
};
use uuid::Uuid;

pub use kept::{Filled, Kept, QdrantServer};
use wire::Wire;

use super::bm25::Bm25;
use super::same::{AROUND, BM25, CUSTOMER, DATA, DENSE, LANGUAGE, SPARE, check_dense, in_order, owner};
use crate::domain::id::CustomerId;
use crate::ports::index::{Hit, IndexError, Point, Query, Scope, SearchIndex, Shelf};
use crate::ports::model::Fingerprint;

/// Links to points of the same customer, in the graph of the memory shelf.
const LINKS_IN_A_MEMORY: u64 = 16;

/// The index of one embedder on a server. It keeps nothing here, so there is nothing to close.
#[derive(Debug)]
pub struct ServerIndex {
    wire: Arc<Wire>,
    collections: Collections,
    knowledge_words: Bm25,
    memory_words: Bm25,
    embedder: Option<Fingerprint>,
    build: String,
    /// Where the server says which building of the index it has: the collection of the marks, and the mark.
    mark: (String, Uuid),
}

/// The collections of both shelves.
#[derive(Debug, Clone)]
struct Collections {
    knowledge: String,
    memory: String,
}

/// Where a search looks on the server. It is made of a [`Scope`] and of nothing else, so that no query of the memory
/// shelf can lack its customer.
struct Place {
    shelf: Shelf,
    must: Vec<Condition>,
}

impl From<Scope> for Place {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Knowledge(language) => {
                let spoken = language.map(|language| Condition::matches(LANGUAGE, language.code().to_owned()));
                Self { shelf: Shelf::Knowledge, must: spoken.into_iter().collect() }
            }
            Scope::Customer(customer) => {
                Self { shelf: Shelf::Memory, must: vec![Condition::matches(CUSTOMER, customer.to_string())] }
            }
        }
    }
}

impl Place {
    fn filter(&self, only: &[Uuid]) -> Option<Filter> {
        let mut must = self.must.clone();
        if !only.is_empty() {
            must.push(Condition::has_id(only.iter().copied().map(wire::point_id)));
        }
        (!must.is_empty()).then(|| Filter::must(must))
    }
}

/// One way to search.
struct Leg {
    vector: &'static str,
    like: vector_input::Variant,
}

impl Leg {
    fn is_sparse(&self) -> bool {
        matches!(self.like, vector_input::Variant::Sparse(_))
    }
}

/// What the legs have found so far.
#[derive(Default)]
struct Found {
    /// Those that any leg has among its best.
    hits: BTreeSet<Uuid>,
    payloads: HashMap<Uuid, serde_json::Value>,
    /// By the vector's name.
    scores: HashMap<&'static str, HashMap<Uuid, f32>>,
}

impl ServerIndex {
    fn new(
        wire: Arc<Wire>,
        collections: Collections,
        embedder: Option<Fingerprint>,
        build: String,
        mark: (String, Uuid),
    ) -> Result<Self, IndexError> {
        let (knowledge_words, memory_words) = (Bm25::for_articles()?, Bm25::for_memory()?);
        Ok(Self { wire, collections, knowledge_words, memory_words, embedder, build, mark })
    }

    fn collection(&self, shelf: Shelf) -> &str {
        match shelf {
            Shelf::Knowledge => &self.collections.knowledge,
            Shelf::Memory => &self.collections.memory,
        }
    }

    fn words(&self, shelf: Shelf) -> &Bm25 {
        match shelf {
            Shelf::Knowledge => &self.knowledge_words,
            Shelf::Memory => &self.memory_words,
        }
    }

    /// Makes what is not there of both shelves.
    async fn make(&self) -> Result<(), IndexError> {
        for shelf in [Shelf::Knowledge, Shelf::Memory] {
            if !self.wire.exists(self.collection(shelf)).await? {
                self.wire.create(self.description(shelf)).await?;
            }
        }
        self.index_payload().await
    }

    async fn index_payload(&self) -> Result<(), IndexError> {
        self.wire.index_keyword(&self.collections.knowledge, LANGUAGE, false).await?;
        self.wire.index_keyword(&self.collections.memory, LANGUAGE, false).await?;
        self.wire.index_keyword(&self.collections.memory, CUSTOMER, true).await
    }

    /// Empties a shelf that has points, if `mark` still finds that nobody answers for them.
    async fn empty_if_left<T, F>(&self, shelf: Shelf, mark: impl FnOnce() -> F) -> Result<(), IndexError>
    where
        F: Future<Output = Result<Option<T>, IndexError>>,
    {
        if self.count(shelf).await? == 0 || mark().await?.is_some() {
            return Ok(());
        }
        self.wipe(shelf).await
    }

    /// What a shelf's collection is like.
    fn description(&self, shelf: Shelf) -> CreateCollection {
        let idf = SparseVectorParams { modifier: Some(Modifier::Idf.into()), ..SparseVectorParams::default() };
        let sparse = [BM25, AROUND].into_iter().map(|name| (name.to_owned(), idf)).collect();
        let dense = self.embedder.as_ref().map(|embedder| {
            let size = embedder.dimensions as u64;
            (DENSE.to_owned(), VectorParams { size, distance: Distance::Cosine.into(), ..VectorParams::default() })
        });
        let map = VectorParamsMap { map: dense.into_iter().collect() };
        // A memory is only searched inside one customer: links across customers would lead nowhere.
        let links = HnswConfigDiff { m: Some(0), payload_m: Some(LINKS_IN_A_MEMORY), ..HnswConfigDiff::default() };
        let mut description = kept::named(self.collection(shelf));
        description.hnsw_config = (shelf == Shelf::Memory).then_some(links);
        description.vectors_config = Some(VectorsConfig { config: Some(vectors_config::Config::ParamsMap(map)) });
        description.sparse_vectors_config = Some(SparseVectorConfig { map: sparse });
        #[expect(deprecated, reason = "older servers know no other name for it")]
        {
            description.on_disk_payload = Some(true);
        }
        description
    }

    fn prepare(&self, shelf: Shelf, point: Point) -> Result<PointStruct, IndexError> {
        let owner = owner(shelf, &point)?.map(|customer| customer.to_string());
        let words = self.words(shelf);
        let mut vectors = HashMap::new();
        let texts = [(BM25, Some(&point.text)), (AROUND, point.around.as_ref())];
        for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            let sparse = sparse(words.document(text));
            // Nothing can be found by a vector without terms, and not every server takes one.
            if !sparse.indices.is_empty() {
                vectors.insert(
                    name.to_owned(),
                    Vector { vector: Some(vector::Vector::Sparse(sparse)), ..Vector::default() },
                );
            }
        }
        if let Some(data) = point.dense {
            check_dense(self.embedder.as_ref(), &data)?;
            let dense = vector::Vector::Dense(DenseVector { data });
            vectors.insert(DENSE.to_owned(), Vector { vector: Some(dense), ..Vector::default() });
        }
        let payload = [
            (CUSTOMER, Value::from(serde_json::Value::from(owner))),
            (LANGUAGE, Value::from(point.language.code())),
            (DATA, Value::from(point.payload)),
        ];
        Ok(PointStruct {
            id: Some(wire::point_id(point.id)),
            payload: payload.into_iter().map(|(field, value)| (field.to_owned(), value)).collect(),
            vectors: Some(kept::by_name(NamedVectors { vectors })),
        })
    }

    /// The best `limit` of a leg in a place, or of `only` these points there.
    fn request(&self, place: &Place, leg: &Leg, only: &[Uuid], limit: usize) -> QueryPoints {
        let nearest = query::Variant::Nearest(VectorInput { variant: Some(leg.like.clone()) });
        let data = PayloadIncludeSelector { fields: vec![DATA.to_owned()] };
        // What was found before is known already.
        let with_payload = match only {
            [] => WithPayloadSelector { selector_options: Some(with_payload_selector::SelectorOptions::Include(data)) },
            _ => wire::with_payload(false),
        };
        QueryPoints {
            collection_name: self.collection(place.shelf).to_owned(),
            query: Some(qdrant_client::qdrant::Query { variant: Some(nearest) }),
            using: Some(leg.vector.to_owned()),
            filter: place.filter(only),
            params: (!only.is_empty()).then(|| SearchParams { exact: Some(true), ..SearchParams::default() }),
            limit: Some(limit as u64),
            with_payload: Some(with_payload),
            ..QueryPoints::default()
        }
    }

    /// Asks everything at once. Answers come in the order of the questions.
    async fn ask(&self, shelf: Shelf, questions: Vec<QueryPoints>) -> Result<Vec<Vec<Scored>>, IndexError> {
        let asked = questions.len();
        let request = QueryBatchPoints {
            collection_name: self.collection(shelf).to_owned(),
            query_points: questions,
            timeout: Some(self.wire.seconds()),
            ..QueryBatchPoints::default()
        };
        let answers = self.wire.ask(self.wire.client().query_batch(request)).await?.result;
        if answers.len() != asked {
            return Err(self.wire.unavailable("it answered other questions than were asked"));
        }
        let scored = |answer: qdrant_client::qdrant::BatchResult| {
            let points = answer.result.into_iter();
            let mut scored: Vec<Scored> = points.filter_map(Scored::of).collect();
            // Qdrant leaves the order of equal scores to chance.
            scored.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
            scored
        };
        Ok(answers.into_iter().map(scored).collect())
    }

    /// The best `limit` of each leg, each with its scores of all legs: one question to the server, and a second one
    /// where a leg did not see what another has found.
    async fn found(&self, place: &Place, legs: &[Leg], limit: usize) -> Result<Found, IndexError> {
        let asked = limit.max(SPARE);
        let questions = legs.iter().map(|leg| self.request(place, leg, &[], asked)).collect();
        let mut found = Found::default();
        let mut saw_all = Vec::new();
        for (leg, best) in legs.iter().zip(self.ask(place.shelf, questions).await?) {
            // With fewer than it was asked for, a sparse leg has told everything; a graph may have missed something.
            saw_all.push(leg.is_sparse() && best.len() < asked);
            found.hits.extend(best.iter().take(limit).map(|scored| scored.id));
            found.add(leg, best);
        }
        let unseen = legs.iter().zip(saw_all).filter(|(_, saw_all)| !saw_all).map(|(leg, _)| leg);
        let unseen: Vec<(&Leg, Vec<Uuid>)> =
            unseen.map(|leg| (leg, found.unscored(leg))).filter(|(_, unscored)| !unscored.is_empty()).collect();
        if !unseen.is_empty() {
            let questions = unseen.iter().map(|(leg, only)| self.request(place, leg, only, only.len())).collect();
            for ((leg, _), scored) in unseen.iter().zip(self.ask(place.shelf, questions).await?) {
                found.add(leg, scored);
            }
        }
        Ok(found)
    }
}

/// A point with its score of one leg.
struct Scored {
    id: Uuid,
    score: f32,
    data: Option<serde_json::Value>,
}

impl Scored {
    /// `None` for a point that is none of ours.
    fn of(mut point: qdrant_client::qdrant::ScoredPoint) -> Option<Self> {
        let data = point.payload.remove(DATA).map(serde_json::Value::from);
        Some(Self { id: wire::uuid(point.id)?, score: point.score, data })
    }
}

impl Found {
    fn add(&mut self, leg: &Leg, scored: Vec<Scored>) {
        for Scored { id, score, data } in scored {
            self.scores.entry(leg.vector).or_default().insert(id, score);
            if let Some(data) = data.filter(|_| self.hits.contains(&id)) {
                self.payloads.entry(id).or_insert(data);
            }
        }
    }

    fn unscored(&self, leg: &Leg) -> Vec<Uuid> {
        let scored = self.scores.get(leg.vector);
        self.hits.iter().filter(|id| scored.is_none_or(|scored| !scored.contains_key(id))).copied().collect()
    }

    fn score(&self, vector: &str, id: Uuid) -> Option<f32> {
        self.scores.get(vector)?.get(&id).copied()
    }

    fn into_hits(mut self, terms: f32) -> Vec<Hit> {
        let ids = std::mem::take(&mut self.hits);
        let hit = |id| Hit {
            id,
            words: self.score(BM25, id).map_or(0.0, |score| score / terms),
            around: self.score(AROUND, id).map_or(0.0, |score| score / terms),
            meaning: self.score(DENSE, id),
            payload: self.payloads.get(&id).cloned().unwrap_or_default(),
        };
        in_order(ids.into_iter().map(hit).collect())
    }
}

#[async_trait]
impl SearchIndex for ServerIndex {
    fn name(&self) -> &str {
        &self.build
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn upsert(&self, shelf: Shelf, points: Vec<Point>) -> Result<(), IndexError> {
        let points: Result<Vec<_>, _> = points.into_iter().map(|point| self.prepare(shelf, point)).collect();
        self.wire.write(self.collection(shelf), points?).await
    }

    async fn remove(&self, shelf: Shelf, ids: Vec<Uuid>) -> Result<(), IndexError> {
        self.wire.remove(self.collection(shelf), &ids).await
    }

    async fn forget(&self, customer: CustomerId) -> Result<(), IndexError> {
        self.wire.remove_matching(&self.collections.memory, carrying(CUSTOMER, customer.to_string())).await
    }

    async fn search(&self, query: Query) -> Result<Vec<Hit>, IndexError> {
        if let Some(dense) = &query.dense {
            check_dense(self.embedder.as_ref(), dense)?;
        }
        let place = Place::from(query.scope);
        let words = sparse(self.words(place.shelf).query(&query.text));
        let terms: f32 = words.values.iter().sum();
        let mut legs = Vec::new();
        if !words.indices.is_empty() {
            let by_words = |vector| Leg { vector, like: vector_input::Variant::Sparse(words.clone()) };
            legs.extend([by_words(BM25), by_words(AROUND)]);
        }
        let by_meaning = |data| Leg { vector: DENSE, like: vector_input::Variant::Dense(DenseVector { data }) };
        legs.extend(query.dense.map(by_meaning));
        if query.limit == 0 || legs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.found(&place, &legs, query.limit).await?.into_hits(terms))
    }

    async fn count(&self, shelf: Shelf) -> Result<usize, IndexError> {
        let request = CountPoints {
            collection_name: self.collection(shelf).to_owned(),
            exact: Some(true),
            timeout: Some(self.wire.seconds()),
            ..CountPoints::default()
        };
        let counted = self.wire.ask(self.wire.client().count(request)).await?.result.unwrap_or_default().count;
        Ok(usize::try_from(counted).unwrap_or(usize::MAX))
    }

    async fn ids(&self, shelf: Shelf) -> Result<Vec<Uuid>, IndexError> {
        let all = self.wire.all(self.collection(shelf), false).await?;
        Ok(all.into_iter().filter_map(|point| wire::uuid(point.id)).collect())
    }

    async fn wipe(&self, shelf: Shelf) -> Result<(), IndexError> {
        self.wire.drop_collection(self.collection(shelf)).await?;
        self.wire.create(self.description(shelf)).await?;
        self.index_payload().await
    }

    /// A write is durable when it is acknowledged. What is to be found out is whether it was written into the index that
    /// the store thinks of: a server that was emptied meanwhile has another one, or none.
    async fn flush(&self) -> Result<(), IndexError> {
        let (marks, id) = &self.mark;
        match kept::build(&self.wire, marks, *id).await? {
            Some(build) if build == self.build => Ok(()),
            _ => Err(self.wire.unavailable("the index was deleted or made anew; a restart finds the new one")),
        }
    }
}

/// Points that carry this keyword in their payload.
fn carrying(field: &str, value: String) -> Filter {
    Filter::must([Condition::matches(field, value)])
}

/// The vector as it goes over the wire.
fn sparse(vector: qdrant_edge::SparseVector) -> SparseVector {
    SparseVector { indices: vector.indices, values: vector.values }
}
