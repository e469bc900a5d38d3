//! Collections and their points: what is refused, what matches, what scores how.

use std::collections::{BTreeMap, HashMap};

use ::qdrant_client::qdrant::condition::ConditionOneOf;
use ::qdrant_client::qdrant::r#match::MatchValue;
use ::qdrant_client::qdrant::point_id::PointIdOptions;
use ::qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use ::qdrant_client::qdrant::value::Kind;
use ::qdrant_client::qdrant::vectors::VectorsOptions;
use ::qdrant_client::qdrant::with_payload_selector::SelectorOptions;
use ::qdrant_client::qdrant::*;
use tonic::Status;
use uuid::Uuid;

use super::State;

/// One collection.
pub(super) struct Collection {
    pub(super) made: CreateCollection,
    pub(super) indexed: BTreeMap<String, KeywordIndexParams>,
    points: BTreeMap<Uuid, Stored>,
}

struct Stored {
    payload: HashMap<String, Value>,
    vectors: HashMap<String, Held>,
}

#[derive(Clone)]
enum Held {
    Dense(Vec<f32>),
    Sparse(BTreeMap<u32, f32>),
}

/// What a collection says of one of its vectors.
enum Kept {
    Dense { size: usize, normalised: bool },
    Sparse { idf: bool },
}

fn wrong(what: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("Wrong input: {what}"))
}

fn id_of(id: Option<PointId>) -> Result<Uuid, Status> {
    match id.and_then(|id| id.point_id_options) {
        None => Err(Status::invalid_argument("Empty ID is not allowed")),
        Some(PointIdOptions::Num(_)) => Err(wrong("this server has no points with numbers")),
        Some(PointIdOptions::Uuid(text)) => {
            Uuid::parse_str(&text).map_err(|_| Status::invalid_argument(format!("Unable to parse UUID: {text}")))
        }
    }
}

fn point_id(id: Uuid) -> PointId {
    PointId { point_id_options: Some(PointIdOptions::Uuid(id.to_string())) }
}

fn done() -> PointsOperationResponse {
    let result = UpdateResult { operation_id: Some(0), status: UpdateStatus::Completed.into() };
    PointsOperationResponse { result: Some(result), ..PointsOperationResponse::default() }
}

impl State {
    fn collection(&mut self, name: &str) -> Result<&mut Collection, Status> {
        let missing = || Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"));
        self.collections.get_mut(name).ok_or_else(missing)
    }

    pub(super) fn create_collection(&mut self, made: CreateCollection) -> Result<CollectionOperationResponse, Status> {
        let name = made.collection_name.clone();
        if name.is_empty() || name.len() > 255 || name.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0']) {
            return Err(wrong(format!("collection name {name:?} can't be used")));
        }
        if self.collections.contains_key(&name) {
            return Err(Status::already_exists(format!("Wrong input: Collection `{name}` already exists!")));
        }
        let unnamed = match made.vectors_config.as_ref().and_then(|config| config.config.as_ref()) {
            Some(vectors_config::Config::Params(params)) => vec![params],
            Some(vectors_config::Config::ParamsMap(map)) => map.map.values().collect(),
            None => Vec::new(),
        };
        if unnamed.iter().any(|params| params.size == 0 || params.distance() == Distance::UnknownDistance) {
            return Err(wrong("a vector needs a size and a distance"));
        }
        self.collections.insert(name, Collection { made, indexed: BTreeMap::new(), points: BTreeMap::new() });
        Ok(CollectionOperationResponse { result: true, time: 0.0 })
    }

    #[expect(clippy::unnecessary_wraps, clippy::needless_pass_by_value, reason = "the shape that the services want")]
    pub(super) fn delete_collection(
        &mut self,
        request: DeleteCollection,
    ) -> Result<CollectionOperationResponse, Status> {
        let result = self.collections.remove(&request.collection_name).is_some();
        Ok(CollectionOperationResponse { result, time: 0.0 })
    }

    pub(super) fn create_field_index(
        &mut self,
        request: CreateFieldIndexCollection,
    ) -> Result<PointsOperationResponse, Status> {
        waits(request.wait)?;
        let collection = self.collection(&request.collection_name)?;
        let params = match request.field_index_params.and_then(|params| params.index_params) {
            Some(payload_index_params::IndexParams::KeywordIndexParams(params)) => params,
            None => KeywordIndexParams::default(),
            Some(_) => return Err(wrong("this server indexes keywords only")),
        };
        if request.field_type != Some(FieldType::Keyword.into()) {
            return Err(wrong("field type and field index params don't fit"));
        }
        collection.indexed.insert(request.field_name, params);
        Ok(done())
    }

    pub(super) fn upsert(&mut self, request: UpsertPoints) -> Result<PointsOperationResponse, Status> {
        waits(request.wait)?;
        if request.points.is_empty() {
            return Err(wrong("Empty update request"));
        }
        let (mode, insert_only) = (request.update_mode(), UpdateMode::InsertOnly);
        let collection = self.collection(&request.collection_name)?;
        // Nothing is written of a request in which anything is wrong.
        let stored: Result<Vec<_>, Status> = request.points.into_iter().map(|point| collection.stored(point)).collect();
        for (id, stored) in stored? {
            if mode != insert_only || !collection.points.contains_key(&id) {
                collection.points.insert(id, stored);
            }
        }
        Ok(done())
    }

    pub(super) fn delete_points(&mut self, request: DeletePoints) -> Result<PointsOperationResponse, Status> {
        waits(request.wait)?;
        let collection = self.collection(&request.collection_name)?;
        match request.points.and_then(|points| points.points_selector_one_of) {
            None => return Err(wrong("Empty update request")),
            Some(PointsSelectorOneOf::Points(list)) => {
                let ids: Result<Vec<Uuid>, Status> = list.ids.into_iter().map(|id| id_of(Some(id))).collect();
                for id in ids? {
                    collection.points.remove(&id);
                }
            }
            Some(PointsSelectorOneOf::Filter(filter)) => {
                let gone = collection.matching(Some(&filter))?;
                collection.points.retain(|id, _| !gone.contains(id));
            }
        }
        Ok(done())
    }

    pub(super) fn get_points(&mut self, request: GetPoints) -> Result<GetResponse, Status> {
        let collection = self.collection(&request.collection_name)?;
        let ids: Result<Vec<Uuid>, Status> = request.ids.into_iter().map(|id| id_of(Some(id))).collect();
        let found = ids?.into_iter().filter_map(|id| collection.retrieved(id, request.with_payload.as_ref()));
        Ok(GetResponse { result: found.collect(), ..GetResponse::default() })
    }

    pub(super) fn scroll(&mut self, request: ScrollPoints) -> Result<ScrollResponse, Status> {
        let limit = request.limit.unwrap_or(10) as usize;
        if limit == 0 {
            return Err(wrong("limit: value 0 invalid, must be 1.0 or larger"));
        }
        let collection = self.collection(&request.collection_name)?;
        let from = request.offset.map(|offset| id_of(Some(offset))).transpose()?;
        let mut ids = collection.matching(request.filter.as_ref())?;
        ids.retain(|id| from.is_none_or(|from| *id >= from));
        let next_page_offset = ids.get(limit).copied().map(point_id);
        let page = ids.into_iter().take(limit);
        let result = page.filter_map(|id| collection.retrieved(id, request.with_payload.as_ref())).collect();
        Ok(ScrollResponse { result, next_page_offset, ..ScrollResponse::default() })
    }

    #[expect(clippy::needless_pass_by_value, reason = "the shape that the services want")]
    pub(super) fn count(&mut self, request: CountPoints) -> Result<CountResponse, Status> {
        if request.exact != Some(true) {
            return Err(wrong("this server counts exactly or not at all"));
        }
        let count = self.collection(&request.collection_name)?.matching(request.filter.as_ref())?.len() as u64;
        Ok(CountResponse { result: Some(CountResult { count }), ..CountResponse::default() })
    }

    pub(super) fn query_batch(&mut self, request: QueryBatchPoints) -> Result<QueryBatchResponse, Status> {
        let name = request.collection_name;
        self.queries.extend(request.query_points.iter().map(|query| {
            // The collection of the batch is the one that counts.
            QueryPoints { collection_name: name.clone(), ..query.clone() }
        }));
        let collection = self.collection(&name)?;
        let answers: Result<Vec<BatchResult>, Status> =
            request.query_points.iter().map(|query| collection.nearest(query)).collect();
        Ok(QueryBatchResponse { result: answers?, ..QueryBatchResponse::default() })
    }
}

fn waits(wait: Option<bool>) -> Result<(), Status> {
    if wait == Some(true) { Ok(()) } else { Err(wrong("this server takes only writes that wait")) }
}

impl Collection {
    /// `None`: there is no such vector here.
    fn kept(&self, name: &str) -> Option<Kept> {
        let dense = |params: &VectorParams| Kept::Dense {
            size: usize::try_from(params.size).unwrap_or(usize::MAX),
            normalised: params.distance() == Distance::Cosine,
        };
        let found = match self.made.vectors_config.as_ref()?.config.as_ref()? {
            vectors_config::Config::Params(params) => name.is_empty().then(|| dense(params)),
            vectors_config::Config::ParamsMap(map) => map.map.get(name).map(dense),
        };
        let sparse = || {
            let params = self.made.sparse_vectors_config.as_ref()?.map.get(name)?;
            Some(Kept::Sparse { idf: params.modifier() == Modifier::Idf })
        };
        found.or_else(sparse)
    }

    fn missing(name: &str) -> Status {
        wrong(format!("Not existing vector name error: {name}"))
    }

    fn stored(&self, point: PointStruct) -> Result<(Uuid, Stored), Status> {
        let id = id_of(point.id)?;
        let vectors = point.vectors.and_then(|vectors| vectors.vectors_options);
        let vectors = match vectors.ok_or_else(|| Status::invalid_argument("Expected some vectors"))? {
            VectorsOptions::Vector(vector) => HashMap::from([(String::new(), vector)]),
            VectorsOptions::Vectors(named) => named.vectors,
        };
        let held = vectors.into_iter().map(|(name, vector)| {
            let held = match vector.vector {
                Some(vector::Vector::Dense(dense)) => self.dense(&name, dense.data)?,
                Some(vector::Vector::Sparse(sparse)) => self.sparse(&name, &sparse)?,
                _ => return Err(wrong("this server takes dense and sparse vectors")),
            };
            Ok((name, held))
        });
        Ok((id, Stored { payload: point.payload, vectors: held.collect::<Result<_, Status>>()? }))
    }

    fn dense(&self, name: &str, mut data: Vec<f32>) -> Result<Held, Status> {
        match self.kept(name).ok_or_else(|| Self::missing(name))? {
            Kept::Sparse { .. } => Err(wrong("Conversion between sparse and regular vectors failed")),
            Kept::Dense { size, .. } if size != data.len() => {
                Err(wrong(format!("Vector dimension error: expected dim: {size}, got {}", data.len())))
            }
            Kept::Dense { normalised, .. } => {
                let length = data.iter().map(|value| value * value).sum::<f32>().sqrt();
                if normalised && length > 0.0 {
                    for value in &mut data {
                        *value /= length;
                    }
                }
                Ok(Held::Dense(data))
            }
        }
    }

    fn sparse(&self, name: &str, sparse: &SparseVector) -> Result<Held, Status> {
        let SparseVector { indices, values } = sparse;
        match self.kept(name).ok_or_else(|| Self::missing(name))? {
            Kept::Dense { .. } => Err(wrong("Conversion between sparse and regular vectors failed")),
            Kept::Sparse { .. } if indices.len() != values.len() => {
                Err(wrong("Validation error: values: must be the same length as indices"))
            }
            // The real one sorts them, and wants them to be unique.
            Kept::Sparse { .. } if !indices.is_sorted_by(|a, b| a < b) => {
                Err(wrong("Validation error: indices: must be unique"))
            }
            Kept::Sparse { .. } => Ok(Held::Sparse(indices.iter().copied().zip(values.iter().copied()).collect())),
        }
    }

    fn retrieved(&self, id: Uuid, payload: Option<&WithPayloadSelector>) -> Option<RetrievedPoint> {
        let payload = shown(&self.points.get(&id)?.payload, payload);
        Some(RetrievedPoint { id: Some(point_id(id)), payload, ..RetrievedPoint::default() })
    }

    /// The points that a filter lets through, by id.
    fn matching(&self, filter: Option<&Filter>) -> Result<Vec<Uuid>, Status> {
        let Some(filter) = filter else { return Ok(self.points.keys().copied().collect()) };
        if !filter.should.is_empty() || !filter.must_not.is_empty() || filter.min_should.is_some() {
            return Err(wrong("this server knows must only"));
        }
        let mut ids: Vec<Uuid> = self.points.keys().copied().collect();
        for condition in &filter.must {
            match condition.condition_one_of.as_ref() {
                Some(ConditionOneOf::HasId(has)) => {
                    let only: Result<Vec<Uuid>, Status> = has.has_id.iter().map(|id| id_of(Some(id.clone()))).collect();
                    let only = only?;
                    ids.retain(|id| only.contains(id));
                }
                Some(ConditionOneOf::Field(field)) => {
                    let wanted = self.keyword(field)?;
                    ids.retain(|id| {
                        let value = self.points[id].payload.get(&field.key).and_then(|value| value.kind.as_ref());
                        matches!(value, Some(Kind::StringValue(value)) if value == wanted)
                    });
                }
                _ => return Err(wrong("this server knows has_id and match only")),
            }
        }
        Ok(ids)
    }

    fn keyword<'a>(&self, field: &'a FieldCondition) -> Result<&'a str, Status> {
        if !self.indexed.contains_key(&field.key) {
            let key = &field.key;
            let words = format!("Index required but not found for \"{key}\" of one of the following types: [keyword]");
            return Err(Status::invalid_argument(format!("Bad request: {words}")));
        }
        match field.r#match.as_ref().and_then(|value| value.match_value.as_ref()) {
            Some(MatchValue::Keyword(keyword)) => Ok(keyword),
            _ => Err(wrong("this server matches keywords only")),
        }
    }

    fn nearest(&self, request: &QueryPoints) -> Result<BatchResult, Status> {
        let limit = usize::try_from(request.limit.unwrap_or(10)).unwrap_or(usize::MAX);
        if limit == 0 {
            return Err(wrong("limit: value 0 invalid, must be 1.0 or larger"));
        }
        let name = request.using.as_deref().unwrap_or_default();
        let asked = request.query.as_ref().and_then(|query| query.variant.as_ref());
        let Some(query::Variant::Nearest(VectorInput { variant: Some(like) })) = asked else {
            return Err(wrong("this server finds what is nearest only"));
        };
        let like = match like {
            vector_input::Variant::Dense(dense) => self.dense(name, dense.data.clone())?,
            vector_input::Variant::Sparse(sparse) => self.weighed(name, self.sparse(name, sparse)?),
            _ => return Err(wrong("this server takes dense and sparse vectors")),
        };
        let mut scored: Vec<(f32, Uuid)> = Vec::new();
        for id in self.matching(request.filter.as_ref())? {
            scored.extend(
                self.points[&id].vectors.get(name).and_then(|held| score(&like, held)).map(|score| (score, id)),
            );
        }
        // Of those that score the same, the last ids come first: the real one promises nothing.
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        let point = |(score, id): (f32, Uuid)| ScoredPoint {
            id: Some(point_id(id)),
            payload: shown(&self.points[&id].payload, request.with_payload.as_ref()),
            score,
            ..ScoredPoint::default()
        };
        Ok(BatchResult { result: scored.into_iter().take(limit).map(point).collect() })
    }

    /// A sparse query with what its terms weigh in the collection.
    fn weighed(&self, name: &str, like: Held) -> Held {
        let (Held::Sparse(mut terms), Some(Kept::Sparse { idf: true })) = (like.clone(), self.kept(name)) else {
            return like;
        };
        let sparse = |stored: &'_ Stored| match stored.vectors.get(name) {
            Some(Held::Sparse(terms)) => Some(terms.clone()),
            _ => None,
        };
        let all: Vec<BTreeMap<u32, f32>> = self.points.values().filter_map(sparse).collect();
        let n = all.len() as f32;
        for (term, weight) in &mut terms {
            let with = all.iter().filter(|terms| terms.contains_key(term)).count() as f32;
            *weight *= ((n - with + 0.5) / (with + 0.5) + 1.0).ln();
        }
        Held::Sparse(terms)
    }
}

/// `None` where a sparse query shares no term: such a point is not found.
fn score(like: &Held, held: &Held) -> Option<f32> {
    match (like, held) {
        (Held::Dense(like), Held::Dense(held)) => Some(like.iter().zip(held).map(|(a, b)| a * b).sum()),
        (Held::Sparse(like), Held::Sparse(held)) => {
            let shared: Vec<f32> = like.iter().filter_map(|(term, a)| Some(a * held.get(term)?)).collect();
            (!shared.is_empty()).then(|| shared.iter().sum())
        }
        _ => None,
    }
}

fn shown(payload: &HashMap<String, Value>, which: Option<&WithPayloadSelector>) -> HashMap<String, Value> {
    match which.and_then(|which| which.selector_options.as_ref()) {
        Some(SelectorOptions::Enable(true)) => payload.clone(),
        Some(SelectorOptions::Include(only)) => {
            let of = |field: &String| Some((field.clone(), payload.get(field)?.clone()));
            only.fields.iter().filter_map(of).collect()
        }
        _ => HashMap::new(),
    }
}
