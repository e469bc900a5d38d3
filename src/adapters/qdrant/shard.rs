//! One directory of Qdrant: the blocking calls, and their failures made plain.
//!
//! Qdrant Edge 0.7 keeps a write-ahead log that it neither replays nor trims, numbers its writes by that log, and drops a
//! write whose number is not above that of the point it replaces. Hence three things here: what matters is flushed, the
//! log is trimmed ([`Shard::flush`]), and a log that lost its numbers is noticed when the directory is opened.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use qdrant_edge::{
    Condition, CountRequest, CreateIndex, EdgeShard, FieldCondition, FieldIndexOperations, Filter, HasVectorCondition,
    JsonPath, KeywordIndexParams, Match, NamedQuery, OperationError, Payload, PayloadFieldSchema, PayloadSchemaParams,
    PointId, PointInsertOperations, PointOperations, PointStruct, PointStructPersisted, QueryEnum, Record, ScoredPoint,
    ScrollRequest, SearchRequest, SparseVector, UpdateOperation, Vector, VectorInternal, VectorStructInternal,
    VectorStructPersisted, Vectors, WithPayloadInterface, WithVector,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::layout::{Open, aside, clear_away, closed_logs, failed, load_edge, new_edge, remove_dir, unavailable};
use super::same::{AROUND, BM25, CUSTOMER, DATA, DENSE, LANGUAGE, SPARE};
use super::snapshot;
use crate::ports::index::IndexError;

/// Whose the point is that is written and deleted at every opening.
const PROBE: &str = "probe";

/// Points in one write; a write is one record of the log.
const BATCH: usize = 256;
/// The log is trimmed when its closed files are more than this, and more than one for so many points: the shard is opened
/// anew for it.
const LOG_FILES_KEPT: usize = 16;
const POINTS_OF_A_LOG_FILE: usize = 10_000;
/// Points are counted again, to be compared at the next start, after a write for every so many of them.
const POINTS_OF_A_COUNT: u64 = 1024;

/// What a shard held when it was last flushed: what it must hold when it is opened again.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Writes so far.
    writes: u64,
    /// Writes when the points were last counted.
    counted: u64,
    held: Held,
}

/// Points, and how many of them have which vector.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    points: usize,
    bm25: usize,
    around: usize,
    dense: usize,
}

/// A point that was found, with its scores of all legs.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: PointId,
    /// BM25, on the average of the query's terms.
    pub(super) words: f32,
    /// The same of the words around.
    pub(super) around: f32,
    /// Cosine.
    pub(super) meaning: Option<f32>,
    pub(super) payload: Option<Payload>,
}

impl Found {
    fn new(id: PointId, payload: Option<Payload>) -> Self {
        Self { id, words: 0.0, around: 0.0, meaning: None, payload }
    }
}

/// One way to search, and what it has found.
struct Leg {
    name: &'static str,
    query: QueryEnum,
    found: Vec<ScoredPoint>,
    /// It has found all that it can: what is not there scores nothing.
    complete: bool,
}

impl Leg {
    /// The best `limit` of one leg.
    fn search(
        edge: &EdgeShard,
        (name, query): (&'static str, QueryEnum),
        filter: &Filter,
        limit: usize,
        with_payload: bool,
    ) -> Result<Self, OperationError> {
        let asked = limit.max(SPARE);
        let with_payload = Some(WithPayloadInterface::Bool(with_payload));
        let mut found = edge.search(SearchRequest { with_payload, ..single(query.clone(), Some(filter), asked) })?;
        let complete = found.len() < asked;
        // Qdrant leaves the order of equal scores to chance.
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        let complete = complete && found.len() <= limit;
        found.truncate(limit);
        Ok(Self { name, query, found, complete })
    }

    /// Scores what other legs have found.
    fn score_the_rest(
        &mut self,
        edge: &EdgeShard,
        all: &HashSet<PointId>,
        filter: &Filter,
    ) -> Result<(), OperationError> {
        let own: HashSet<PointId> = self.found.iter().map(|point| point.id).collect();
        let rest: Vec<PointId> = all.difference(&own).copied().collect();
        if !self.complete && !rest.is_empty() {
            let only = filter.clone().with_point_ids(rest.iter().copied());
            self.found.extend(edge.search(single(self.query.clone(), Some(&only), rest.len()))?);
        }
        Ok(())
    }
}

/// One directory, open. Calls block.
#[derive(Debug)]
pub(super) struct Shard {
    dir: PathBuf,
    /// Length of dense vectors; `None` without an embedder.
    dimensions: Option<usize>,
    /// Held for every write, because a flush during a write panics inside Qdrant.
    writing: Mutex<()>,
    /// `None` after a failure while the directory was swapped.
    open: RwLock<Option<Open>>,
    /// Number of the next write.
    next_write: AtomicU64,
    /// The last flush.
    mark: Mutex<Mark>,
}

impl Shard {
    /// Makes an empty shard in place of whatever is in `dir`.
    pub(super) fn create(dir: &Path, dimensions: Option<usize>) -> Result<Self, IndexError> {
        clear_away(dir)?;
        let edge = new_edge(dir, dimensions)?;
        let shard = Self::around(dir, dimensions, edge);
        shard.index_payload()?;
        Ok(shard)
    }

    /// Opens what is in `dir` and makes sure that it is all there and can be read and written.
    pub(super) fn load(dir: &Path, dimensions: Option<usize>, mark: Mark) -> Result<Self, IndexError> {
        remove_dir(&aside(dir, "new"))?;
        remove_dir(&aside(dir, "old"))?;
        let edge = load_edge(dir, dimensions)?;
        let shard = Self::around(dir, dimensions, edge);
        shard.probe(mark)?;
        Ok(shard)
    }

    fn around(dir: &Path, dimensions: Option<usize>, edge: Open) -> Self {
        Self {
            dir: dir.to_owned(),
            dimensions,
            writing: Mutex::new(()),
            open: RwLock::new(Some(edge)),
            next_write: AtomicU64::new(0),
            mark: Mutex::new(Mark::default()),
        }
    }

    fn index_payload(&self) -> Result<(), IndexError> {
        for field in [CUSTOMER, LANGUAGE] {
            // What is one customer's is kept together on disk.
            let keyword = KeywordIndexParams {
                is_tenant: Some(field == CUSTOMER),
                on_disk: Some(true),
                enable_hnsw: Some(false),
                ..KeywordIndexParams::default()
            };
            self.update(UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(CreateIndex {
                field_name: path(field),
                field_schema: Some(PayloadFieldSchema::FieldParams(PayloadSchemaParams::Keyword(keyword))),
            })))?;
        }
        Ok(())
    }

    /// Reads a page, searches all legs for what it has, writes and flushes: a dead part is found now and not in a
    /// conversation.
    fn probe(&self, mark: Mark) -> Result<(), IndexError> {
        let (page, _) = self.page(None, true, true)?;
        if !page.iter().all(|point| point.payload.as_ref().is_some_and(|payload| payload.0.contains_key(DATA))) {
            return Err(lost("payloads are gone"));
        }
        let mut newest = 0;
        for (name, vector) in page.first().into_iter().flat_map(|point| named(point.vector.clone())) {
            let empty = matches!(&vector, VectorInternal::Sparse(sparse) if sparse.indices.is_empty());
            if !empty {
                let found = self.with_edge(|edge| edge.search(single(nearest(name, vector), None, 1)))?;
                newest = newest.max(found.first().ok_or_else(|| lost("vectors find nothing"))?.version);
            }
        }
        let held = self.held()?;
        let version = self.write_a_probe()?;
        if version < mark.writes || version <= newest {
            return Err(lost("writes would be dropped"));
        }
        // Without writes after they were counted, nothing can have changed.
        if version == mark.counted && held != mark.held {
            return Err(lost("points are gone"));
        }
        self.next_write.store(version + 2, Ordering::Relaxed);
        self.settle()
    }

    /// Writes a point, finds it by each leg under the filters that searches use, and deletes it. Returns its number.
    fn write_a_probe(&self) -> Result<u64, IndexError> {
        let id = Uuid::nil();
        let sparse = SparseVector { indices: vec![u32::MAX], values: vec![1.0] };
        let mut legs = vec![(BM25, VectorInternal::Sparse(sparse.clone())), (AROUND, VectorInternal::Sparse(sparse))];
        legs.extend(self.dimensions.map(|size| (DENSE, VectorInternal::Dense(vec![1.0; size]))));
        let vectors = Vectors::new_named(legs.clone().into_iter().map(|(name, vector)| (name, Vector::from(vector))));
        let payload = serde_json::json!({ CUSTOMER: PROBE, LANGUAGE: PROBE, DATA: null });
        self.upsert(vec![(id, vectors, payload)])?;
        let mut version = 0;
        for (name, vector) in legs {
            for field in [CUSTOMER, LANGUAGE] {
                let filter = carrying(field, PROBE.to_owned());
                let request = single(nearest(name.to_owned(), vector.clone()), Some(&filter), 2);
                let found = self.with_edge(|edge| edge.search(request))?;
                let [point] = found.as_slice() else { return Err(lost("what is written is not found")) };
                version = point.version;
            }
        }
        self.delete(vec![id])?;
        Ok(version)
    }

    fn held(&self) -> Result<Held, IndexError> {
        let with = |name: &str| {
            let has = Condition::HasVector(HasVectorCondition { has_vector: name.to_owned() });
            self.with_edge(|edge| edge.count(CountRequest { filter: Some(Filter::new_must(has)), exact: true }))
        };
        let dense = if self.dimensions.is_some() { with(DENSE)? } else { 0 };
        Ok(Held { points: self.count()?, bm25: with(BM25)?, around: with(AROUND)?, dense })
    }

    /// The state at the last flush.
    pub(super) fn mark(&self) -> Mark {
        *self.mark.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_mark(&self, mark: Mark) {
        *self.mark.lock().unwrap_or_else(PoisonError::into_inner) = mark;
    }

    /// Writes points, replacing those of the same id.
    pub(super) fn upsert(&self, points: Vec<(Uuid, Vectors, serde_json::Value)>) -> Result<(), IndexError> {
        let points: Vec<PointStructPersisted> = points
            .into_iter()
            .map(|(id, vectors, payload)| PointStruct::new(PointId::Uuid(id), vectors, payload).into())
            .collect();
        self.upsert_raw(points)
    }

    fn upsert_raw(&self, mut points: Vec<PointStructPersisted>) -> Result<(), IndexError> {
        while !points.is_empty() {
            let rest = points.split_off(points.len().min(BATCH));
            let batch = std::mem::replace(&mut points, rest);
            self.update(UpdateOperation::PointOperation(PointOperations::UpsertPoints(
                PointInsertOperations::PointsList(batch),
            )))?;
        }
        Ok(())
    }

    /// Removes points.
    pub(super) fn delete(&self, ids: Vec<Uuid>) -> Result<(), IndexError> {
        let ids = ids.into_iter().map(PointId::Uuid).collect();
        self.update(UpdateOperation::PointOperation(PointOperations::DeletePoints { ids }))
    }

    /// Removes the points that match, and their traces on disk: the log and the vectors of deleted points go too.
    pub(super) fn erase(&self, filter: Filter) -> Result<(), IndexError> {
        self.update(UpdateOperation::PointOperation(PointOperations::DeletePointsByFilter(filter)))?;
        self.rewrite()
    }

    /// Searches by words, by the words around and by vector; what only some of them have found gets its scores of the
    /// others as well. In no order.
    pub(super) fn search(
        &self,
        words: &SparseVector,
        dense: Option<Vec<f32>>,
        filter: Option<Filter>,
        limit: usize,
    ) -> Result<Vec<Found>, IndexError> {
        let terms: f32 = words.values.iter().sum();
        let mut queries: Vec<(&'static str, QueryEnum)> = Vec::new();
        if !words.indices.is_empty() {
            let by_words = |name: &str| nearest(name.to_owned(), VectorInternal::Sparse(words.clone()));
            queries.extend([(BM25, by_words(BM25)), (AROUND, by_words(AROUND))]);
        }
        queries.extend(dense.map(|dense| (DENSE, nearest(DENSE.to_owned(), VectorInternal::Dense(dense)))));
        let filter = filter.unwrap_or_default();
        let mut found: HashMap<PointId, Found> = HashMap::new();
        self.with_edge(|edge| {
            // The last leg brings the payloads of what it finds, mostly of all; what is left is looked up.
            let last = queries.len().saturating_sub(1);
            let legs = queries.into_iter().enumerate();
            let legs = legs.map(|(at, query)| Leg::search(edge, query, &filter, limit, at == last));
            let mut legs = legs.collect::<Result<Vec<Leg>, _>>()?;
            let all: HashSet<PointId> = legs.iter().flat_map(|leg| &leg.found).map(|point| point.id).collect();
            for point in legs.last_mut().into_iter().flat_map(|leg| &mut leg.found) {
                found.insert(point.id, Found::new(point.id, point.payload.take()));
            }
            let left: Vec<PointId> = all.iter().filter(|id| !found.contains_key(*id)).copied().collect();
            if !left.is_empty() {
                let looked_up = edge.retrieve(&left, Some(WithPayloadInterface::Bool(true)), None)?;
                found.extend(looked_up.into_iter().map(|point| (point.id, Found::new(point.id, point.payload))));
            }
            for leg in &mut legs {
                leg.score_the_rest(edge, &all, &filter)?;
                for point in &leg.found {
                    // What was deleted meanwhile is not found.
                    let Some(found) = found.get_mut(&point.id) else { continue };
                    match leg.name {
                        BM25 => found.words = point.score / terms,
                        AROUND => found.around = point.score / terms,
                        _ => found.meaning = Some(point.score),
                    }
                }
            }
            Ok(())
        })?;
        Ok(found.into_values().collect())
    }

    /// How many points there are.
    pub(super) fn count(&self) -> Result<usize, IndexError> {
        self.with_edge(|edge| edge.count(CountRequest { filter: None, exact: true }))
    }

    /// The ids of all points.
    pub(super) fn ids(&self) -> Result<Vec<Uuid>, IndexError> {
        let (mut ids, mut next) = (Vec::new(), None);
        loop {
            let (page, after) = self.page(next, false, false)?;
            ids.extend(page.into_iter().filter_map(|point| match point.id {
                PointId::Uuid(id) => Some(id),
                PointId::NumId(_) => None,
            }));
            let Some(after) = after else { return Ok(ids) };
            next = Some(after);
        }
    }

    fn page(
        &self,
        from: Option<PointId>,
        payload: bool,
        vectors: bool,
    ) -> Result<(Vec<Record>, Option<PointId>), IndexError> {
        let request = ScrollRequest {
            offset: from,
            limit: Some(BATCH),
            filter: None,
            with_payload: Some(WithPayloadInterface::Bool(payload)),
            with_vector: WithVector::Bool(vectors),
            order_by: None,
        };
        self.with_edge(|edge| edge.scroll(request))
    }

    /// Empties the shard.
    pub(super) fn wipe(&self) -> Result<(), IndexError> {
        {
            let _writing = self.writing()?;
            let mut open = self.open.write().map_err(poisoned)?;
            drop(open.take());
            clear_away(&self.dir)?;
            *open = Some(new_edge(&self.dir, self.dimensions)?);
            self.next_write.store(0, Ordering::Relaxed);
            self.set_mark(Mark::default());
        }
        self.index_payload()
    }

    /// Makes everything written survive a power cut, closes a part that has grown large, and trims the log if that has.
    pub(super) fn flush(&self) -> Result<(), IndexError> {
        let _writing = self.writing()?;
        let (writes, mark) = (self.next_write.load(Ordering::Relaxed), self.mark());
        if writes == mark.writes {
            return Ok(());
        }
        self.with_edge(|edge| {
            edge.flush();
            if edge.optimize()? {
                edge.flush();
            }
            Ok(())
        })?;
        let points = mark.held.points;
        if writes - mark.counted.min(writes) > points as u64 / POINTS_OF_A_COUNT {
            self.count_again(writes)?;
        } else {
            self.set_mark(Mark { writes, ..mark });
        }
        if closed_logs(&self.dir)?.len() > LOG_FILES_KEPT.max(points / POINTS_OF_A_LOG_FILE) {
            self.trim_log()?;
        }
        Ok(())
    }

    /// Like [`Self::flush`], and notes how many points there are, however many writes it was since the last time.
    pub(super) fn settle(&self) -> Result<(), IndexError> {
        self.flush()?;
        let _writing = self.writing()?;
        let mark = self.mark();
        if mark.counted == mark.writes { Ok(()) } else { self.count_again(mark.writes) }
    }

    /// Copies the files, as they are after a flush, into a directory that is not there yet. Returns what they hold.
    pub(super) fn copy_to(&self, dir: &Path) -> Result<Mark, IndexError> {
        self.settle()?;
        let _writing = self.writing()?;
        snapshot::copy(&self.dir, dir)?;
        Ok(self.mark())
    }

    fn count_again(&self, writes: u64) -> Result<(), IndexError> {
        self.set_mark(Mark { writes, counted: writes, held: self.held()? });
        Ok(())
    }

    /// Removes log files that are in the segments. The newest closed one stays: the numbers go on from it.
    fn trim_log(&self) -> Result<(), IndexError> {
        let mut open = self.open.write().map_err(poisoned)?;
        drop(open.take());
        let mut logs = closed_logs(&self.dir)?;
        logs.pop();
        for log in logs {
            fs::remove_file(log).map_err(|error| failed("trim the log", &error))?;
        }
        *open = Some(load_edge(&self.dir, self.dimensions)?);
        Ok(())
    }

    /// Copies the living points into a new directory and puts it in place of the old one. Searches go on meanwhile.
    fn rewrite(&self) -> Result<(), IndexError> {
        let _writing = self.writing()?;
        let (new, old) = (aside(&self.dir, "new"), aside(&self.dir, "old"));
        clear_away(&new)?;
        let copy = Self::around(&new, self.dimensions, new_edge(&new, self.dimensions)?);
        copy.index_payload()?;
        let mut next = None;
        loop {
            let (page, after) = self.page(next, true, true)?;
            copy.upsert_raw(page.into_iter().map(persisted).collect())?;
            let Some(after) = after else { break };
            next = Some(after);
        }
        copy.settle()?;
        let mark = copy.mark();
        drop(copy);
        let mut open = self.open.write().map_err(poisoned)?;
        drop(open.take());
        fs::rename(&self.dir, &old).map_err(|error| failed("move the old files aside", &error))?;
        fs::rename(&new, &self.dir).map_err(|error| failed("move the new files into place", &error))?;
        *open = Some(load_edge(&self.dir, self.dimensions)?);
        self.next_write.store(mark.writes, Ordering::Relaxed);
        self.set_mark(mark);
        remove_dir(&old)
    }

    fn update(&self, operation: UpdateOperation) -> Result<(), IndexError> {
        let _writing = self.writing()?;
        self.with_edge(|edge| edge.update(operation))?;
        self.next_write.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn writing(&self) -> Result<MutexGuard<'_, ()>, IndexError> {
        self.writing.lock().map_err(poisoned)
    }

    fn with_edge<T>(&self, call: impl FnOnce(&EdgeShard) -> Result<T, OperationError>) -> Result<T, IndexError> {
        let open = self.open.read().map_err(poisoned)?;
        let edge = open.as_ref().and_then(|open| open.0.as_ref()).ok_or_else(broken)?;
        call(edge).map_err(unavailable)
    }
}

/// Points that carry this keyword in their payload.
pub(super) fn carrying(field: &str, value: String) -> Filter {
    Filter::new_must(Condition::Field(FieldCondition::new_match(path(field), Match::from(value))))
}

fn path(field: &str) -> JsonPath {
    field.parse().expect("the names of our fields are paths")
}

fn nearest(name: String, vector: VectorInternal) -> QueryEnum {
    QueryEnum::Nearest(NamedQuery::new(vector, name))
}

/// A search by one leg, without payloads. (`EdgeShard::query` does the same and looks every point up once more.)
fn single(query: QueryEnum, filter: Option<&Filter>, limit: usize) -> SearchRequest {
    SearchRequest {
        query,
        filter: filter.cloned(),
        params: None,
        limit,
        offset: 0,
        with_payload: None,
        with_vector: None,
        score_threshold: None,
    }
}

fn named(vectors: Option<VectorStructInternal>) -> HashMap<String, VectorInternal> {
    match vectors {
        Some(VectorStructInternal::Named(named)) => named,
        _ => HashMap::new(),
    }
}

fn persisted(point: Record) -> PointStructPersisted {
    let vectors = VectorStructInternal::Named(named(point.vector));
    PointStructPersisted { id: point.id, vector: VectorStructPersisted::from(vectors), payload: point.payload }
}

fn lost(what: &str) -> IndexError {
    IndexError::Unavailable(what.to_owned())
}

fn poisoned<T>(_: PoisonError<T>) -> IndexError {
    broken()
}

fn broken() -> IndexError {
    IndexError::Unavailable("its files failed earlier; it is rebuilt at the next start".to_owned())
}
