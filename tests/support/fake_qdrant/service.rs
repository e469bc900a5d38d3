//! The services of the protocol: who may come in, what is recorded, and which method does what.

use std::sync::Arc;

use ::qdrant_client::qdrant::collections_server::Collections;
use ::qdrant_client::qdrant::points_server::Points;
use ::qdrant_client::qdrant::qdrant_server::Qdrant;
use ::qdrant_client::qdrant::*;
use tonic::{Request, Response, Status};

use super::{Fault, Shared, State};

/// What tonic serves.
#[derive(Clone)]
pub(super) struct Served(pub(super) Arc<Shared>);

impl Served {
    /// Lets a request in, or does to it what was ordered.
    async fn enter<T>(&self, method: &'static str, request: Request<T>) -> Result<T, Status> {
        *self.0.lock().calls.entry(method).or_default() += 1;
        // The real one tells anybody that it is well.
        let key = self.0.key.as_ref().filter(|_| method != "health_check");
        if let Some(key) = key {
            match request.metadata().get("api-key") {
                Some(sent) if sent.as_bytes() == key.as_bytes() => {}
                Some(_) => return Err(Status::unauthenticated("Invalid API key or JWT")),
                None => {
                    return Err(Status::unauthenticated("Must provide an API key or an Authorization bearer token"));
                }
            }
        }
        let mut fault = self.0.fault.subscribe();
        let now = *fault.borrow_and_update();
        match now {
            None => Ok(request.into_inner()),
            Some(Fault::Unavailable) => Err(Status::unavailable("Shard temporarily unavailable: it is being moved")),
            Some(Fault::Internal) => Err(Status::internal("Service internal error: task panicked")),
            Some(Fault::Hang) => {
                let _ = fault.changed().await;
                Err(Status::cancelled("nobody waits any more"))
            }
        }
    }
}

macro_rules! service {
    ($service:ident {
        $($method:ident($request:ty) -> $response:ty = $does:ident;)+
    } not {
        $($never:ident($unread:ty) -> $unmade:ty;)*
    }) => {
        #[tonic::async_trait]
        impl $service for Served {
            $(async fn $method(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                let request = self.enter(stringify!($does), request).await?;
                self.0.lock().$does(request).map(Response::new)
            })+
            $(async fn $never(&self, _: Request<$unread>) -> Result<Response<$unmade>, Status> {
                Err(Status::unimplemented(concat!("this server has no ", stringify!($never))))
            })*
        }
    };
}

service! { Qdrant {
    health_check(HealthCheckRequest) -> HealthCheckReply = health_check;
} not {
} }

service! { Collections {
    create(CreateCollection) -> CollectionOperationResponse = create_collection;
    delete(DeleteCollection) -> CollectionOperationResponse = delete_collection;
    collection_exists(CollectionExistsRequest) -> CollectionExistsResponse = collection_exists;
    list(ListCollectionsRequest) -> ListCollectionsResponse = list_collections;
} not {
    get(GetCollectionInfoRequest) -> GetCollectionInfoResponse;
    update(UpdateCollection) -> CollectionOperationResponse;
    update_aliases(ChangeAliases) -> CollectionOperationResponse;
    list_collection_aliases(ListCollectionAliasesRequest) -> ListAliasesResponse;
    list_aliases(ListAliasesRequest) -> ListAliasesResponse;
    collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse;
    update_collection_cluster_setup(UpdateCollectionClusterSetupRequest) -> UpdateCollectionClusterSetupResponse;
    create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse;
    delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse;
    list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse;
} }

service! { Points {
    upsert(UpsertPoints) -> PointsOperationResponse = upsert;
    delete(DeletePoints) -> PointsOperationResponse = delete_points;
    get(GetPoints) -> GetResponse = get_points;
    create_field_index(CreateFieldIndexCollection) -> PointsOperationResponse = create_field_index;
    scroll(ScrollPoints) -> ScrollResponse = scroll;
    count(CountPoints) -> CountResponse = count;
    query_batch(QueryBatchPoints) -> QueryBatchResponse = query_batch;
} not {
    query(QueryPoints) -> QueryResponse;
    update_vectors(UpdatePointVectors) -> PointsOperationResponse;
    delete_vectors(DeletePointVectors) -> PointsOperationResponse;
    set_payload(SetPayloadPoints) -> PointsOperationResponse;
    overwrite_payload(SetPayloadPoints) -> PointsOperationResponse;
    delete_payload(DeletePayloadPoints) -> PointsOperationResponse;
    clear_payload(ClearPayloadPoints) -> PointsOperationResponse;
    delete_field_index(DeleteFieldIndexCollection) -> PointsOperationResponse;
    create_vector_name(CreateVectorNameRequest) -> PointsOperationResponse;
    delete_vector_name(DeleteVectorNameRequest) -> PointsOperationResponse;
    search(SearchPoints) -> SearchResponse;
    search_batch(SearchBatchPoints) -> SearchBatchResponse;
    search_groups(SearchPointGroups) -> SearchGroupsResponse;
    recommend(RecommendPoints) -> RecommendResponse;
    recommend_batch(RecommendBatchPoints) -> RecommendBatchResponse;
    recommend_groups(RecommendPointGroups) -> RecommendGroupsResponse;
    discover(DiscoverPoints) -> DiscoverResponse;
    discover_batch(DiscoverBatchPoints) -> DiscoverBatchResponse;
    update_batch(UpdateBatchPoints) -> UpdateBatchResponse;
    query_groups(QueryPointGroups) -> QueryGroupsResponse;
    facet(FacetCounts) -> FacetResponse;
    search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse;
    search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse;
} }

/// Methods of [`State`] that are about no collection, or about the list of them.
impl State {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the shape that the services want")]
    fn health_check(&mut self, _: HealthCheckRequest) -> Result<HealthCheckReply, Status> {
        Ok(HealthCheckReply { title: "fake qdrant".to_owned(), version: "1.20.0-fake".to_owned(), commit: None })
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape that the services want")]
    fn list_collections(&mut self, _: ListCollectionsRequest) -> Result<ListCollectionsResponse, Status> {
        let names = self.collections.keys().cloned();
        let collections = names.map(|name| CollectionDescription { name }).collect();
        Ok(ListCollectionsResponse { collections, time: 0.0 })
    }

    #[expect(clippy::unnecessary_wraps, clippy::needless_pass_by_value, reason = "the shape that the services want")]
    fn collection_exists(&mut self, request: CollectionExistsRequest) -> Result<CollectionExistsResponse, Status> {
        let exists = self.collections.contains_key(&request.collection_name);
        Ok(CollectionExistsResponse { result: Some(CollectionExists { exists }), time: 0.0 })
    }
}
