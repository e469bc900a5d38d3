//! The connection to a Qdrant server: one address, one key, one time-out, and what its failures mean.

use std::fmt;
use std::time::Duration;

use qdrant_client::config::QdrantConfig;
use qdrant_client::qdrant::{
    CollectionExistsRequest, CreateCollection, CreateFieldIndexCollection, DeletePoints, FieldType, Filter,
    KeywordIndexParamsBuilder, PayloadIndexParams, PointId, PointStruct, PointsIdsList, PointsSelector, RetrievedPoint,
    ScrollPoints, UpsertPoints, WithPayloadSelector, WithVectorsSelector, WriteOrdering, WriteOrderingType,
    payload_index_params, point_id, points_selector, with_payload_selector, with_vectors_selector,
};
use qdrant_client::{Qdrant, QdrantError};
use secrecy::ExposeSecret;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::config;
use crate::ports::index::IndexError;

/// Points in one write.
const BATCH: usize = 256;
/// Points in one page, and ids in one removal.
const PAGE: usize = 1_000;
/// What of a server's words stands in an error, in characters.
const WORDS: usize = 300;

/// A server, as the settings name it. It is connected to when it is first asked.
pub(super) struct Wire {
    client: Qdrant,
    /// Host and port: what errors name, and never the key.
    pub(super) address: String,
    /// How long one request may take.
    within: Duration,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Wire {
    pub(super) fn new(settings: &config::Index) -> Result<Self, IndexError> {
        let key = settings.key.expose_secret();
        if !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(IndexError::Refused("index.key has characters that can't be sent".to_owned()));
        }
        let within = settings.within.unsigned_abs();
        let config = QdrantConfig {
            uri: settings.url.clone(),
            timeout: within,
            connect_timeout: within,
            api_key: Some(key.to_owned()).filter(|key| !key.is_empty()),
            check_compatibility: false,
            // Requests share one connection.
            pool_size: 1,
            ..QdrantConfig::default()
        };
        let refused = |_| IndexError::Refused("index.url is no address of a server".to_owned());
        let address = url::Url::parse(&settings.url).map_err(refused)?;
        let address = address[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let unusable = |error: QdrantError| IndexError::Refused(format!("{address}: {error}"));
        let client = Qdrant::new(config).map_err(unusable)?;
        Ok(Self { client, address, within })
    }

    /// Waits for an answer. The client tries once more on a fresh connection, so its own time-out is not the whole.
    pub(super) async fn ask<T>(&self, request: impl Future<Output = Result<T, QdrantError>>) -> Result<T, IndexError> {
        match tokio::time::timeout(self.within, request).await {
            Ok(answer) => answer.map_err(|error| self.failure(error)),
            Err(_) => Err(self.too_slow()),
        }
    }

    pub(super) fn client(&self) -> &Qdrant {
        &self.client
    }

    /// The time-out in whole seconds, for the server to give up as well.
    pub(super) fn seconds(&self) -> u64 {
        self.within.as_secs().max(1)
    }

    pub(super) fn unavailable(&self, why: &str) -> IndexError {
        IndexError::Unavailable(format!("the Qdrant server at {}: {why}", self.address))
    }

    fn too_slow(&self) -> IndexError {
        self.unavailable(&format!("no answer within {:?}", self.within))
    }

    fn failure(&self, error: QdrantError) -> IndexError {
        let status = match error {
            QdrantError::ResponseError { status } | QdrantError::ResourceExhaustedError { status, .. } => status,
            QdrantError::ConversionError(why) => return IndexError::Refused(why),
            other => return self.unavailable(&other.to_string()),
        };
        self.meaning(&status)
    }

    fn meaning(&self, status: &Status) -> IndexError {
        let words: String = status.message().chars().take(WORDS).collect();
        match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => IndexError::Refused(format!(
                "the Qdrant server at {} refuses the key: set index.key to one that may write",
                self.address
            )),
            Code::InvalidArgument | Code::OutOfRange | Code::AlreadyExists | Code::Unimplemented => {
                IndexError::Refused(format!("the Qdrant server at {}: {words}", self.address))
            }
            // Another process has moved on to another embedder, or somebody has deleted it.
            Code::NotFound => self.unavailable(&format!("{words}; a restart makes it anew")),
            Code::DeadlineExceeded => self.too_slow(),
            // What the client says when its own time is over.
            Code::Cancelled => self.too_slow(),
            _ => self.unavailable(&words),
        }
    }

    pub(super) async fn exists(&self, collection: &str) -> Result<bool, IndexError> {
        let request = CollectionExistsRequest { collection_name: collection.to_owned() };
        self.ask(self.client.collection_exists(request)).await
    }

    /// Makes a collection, unless it is there: another process may make it at the same time.
    pub(super) async fn create(&self, request: CreateCollection) -> Result<(), IndexError> {
        let made = tokio::time::timeout(self.within, self.client.create_collection(request)).await;
        match made.map_err(|_| self.too_slow())? {
            Ok(_) => Ok(()),
            Err(QdrantError::ResponseError { status }) if status.code() == Code::AlreadyExists => Ok(()),
            Err(error) => Err(self.failure(error)),
        }
    }

    /// Deletes a collection; it need not be there.
    pub(super) async fn drop_collection(&self, collection: &str) -> Result<(), IndexError> {
        self.ask(self.client.delete_collection(collection)).await.map(drop)
    }

    /// Lets a filter on this keyword be quick; with `is_tenant`, points of one value lie together.
    pub(super) async fn index_keyword(&self, collection: &str, field: &str, is_tenant: bool) -> Result<(), IndexError> {
        let keyword = KeywordIndexParamsBuilder::default().is_tenant(is_tenant).build();
        let params = payload_index_params::IndexParams::KeywordIndexParams(keyword);
        let request = CreateFieldIndexCollection {
            collection_name: collection.to_owned(),
            wait: Some(true),
            field_name: field.to_owned(),
            field_type: Some(FieldType::Keyword.into()),
            field_index_params: Some(PayloadIndexParams { index_params: Some(params) }),
            ordering: Some(ordering()),
            ..CreateFieldIndexCollection::default()
        };
        self.ask(self.client.create_field_index(request)).await.map(drop)
    }

    pub(super) async fn write(&self, collection: &str, mut points: Vec<PointStruct>) -> Result<(), IndexError> {
        while !points.is_empty() {
            let rest = points.split_off(points.len().min(BATCH));
            let request = UpsertPoints {
                collection_name: collection.to_owned(),
                wait: Some(true),
                points: std::mem::replace(&mut points, rest),
                ordering: Some(ordering()),
                ..UpsertPoints::default()
            };
            self.ask(self.client.upsert_points(request)).await?;
        }
        Ok(())
    }

    pub(super) async fn remove(&self, collection: &str, ids: &[Uuid]) -> Result<(), IndexError> {
        for ids in ids.chunks(PAGE) {
            let ids = ids.iter().copied().map(point_id).collect();
            self.delete(collection, points_selector::PointsSelectorOneOf::Points(PointsIdsList { ids })).await?;
        }
        Ok(())
    }

    pub(super) async fn remove_matching(&self, collection: &str, filter: Filter) -> Result<(), IndexError> {
        self.delete(collection, points_selector::PointsSelectorOneOf::Filter(filter)).await
    }

    async fn delete(&self, collection: &str, which: points_selector::PointsSelectorOneOf) -> Result<(), IndexError> {
        let request = DeletePoints {
            collection_name: collection.to_owned(),
            wait: Some(true),
            points: Some(PointsSelector { points_selector_one_of: Some(which) }),
            ordering: Some(ordering()),
            ..DeletePoints::default()
        };
        self.ask(self.client.delete_points(request)).await.map(drop)
    }

    /// All points, without their vectors.
    pub(super) async fn all(&self, collection: &str, payload: bool) -> Result<Vec<RetrievedPoint>, IndexError> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let request = ScrollPoints {
                collection_name: collection.to_owned(),
                offset: next,
                limit: u32::try_from(PAGE).ok(),
                with_payload: Some(with_payload(payload)),
                with_vectors: Some(WithVectorsSelector {
                    selector_options: Some(with_vectors_selector::SelectorOptions::Enable(false)),
                }),
                timeout: Some(self.seconds()),
                ..ScrollPoints::default()
            };
            let page = self.ask(self.client.scroll(request)).await?;
            all.extend(page.result);
            next = page.next_page_offset;
            if next.is_none() {
                return Ok(all);
            }
        }
    }
}

pub(super) fn with_payload(payload: bool) -> WithPayloadSelector {
    WithPayloadSelector { selector_options: Some(with_payload_selector::SelectorOptions::Enable(payload)) }
}

pub(super) fn point_id(id: Uuid) -> PointId {
    PointId { point_id_options: Some(point_id::PointIdOptions::Uuid(id.to_string())) }
}

/// `None` for an id that is none of ours.
pub(super) fn uuid(id: Option<PointId>) -> Option<Uuid> {
    match id?.point_id_options? {
        point_id::PointIdOptions::Uuid(id) => Uuid::parse_str(&id).ok(),
        point_id::PointIdOptions::Num(_) => None,
    }
}

/// In a cluster, writes of one point by two processes must come in one order on every replica.
pub(super) fn ordering() -> WriteOrdering {
    WriteOrdering { r#type: WriteOrderingType::Strong.into() }
}
