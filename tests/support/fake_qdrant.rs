//! A Qdrant server of our own: its gRPC on loopback, its points in memory.
//!
//! ```ignore
//! let qdrant = FakeQdrant::start();
//! // qdrant.url() => FIRSTLINE__INDEX__URL
//! qdrant.goes_wrong(Some(Fault::Unavailable));
//! ```
//!
//! It runs on a thread of its own: the test may block, and processes under test may come and go. Dropping it ends it.
//!
//! Kept of the real one, by its protocol's comments, its documentation and its source: collections with named dense and
//! sparse vectors; upserts that replace, or only insert; deletion by ids and by filter; pages; exact counts; cosine of
//! normalised vectors; the product of sparse vectors, each term weighed by ln((N - n + 0.5) / (n + 0.5) + 1) over the
//! points that have such a vector, whatever the filter; the codes of errors. Stricter than the real one: sparse vectors must
//! be sorted, a field that is filtered by must have an index, and every write must wait. Not kept: everything else, which
//! answers `Unimplemented`.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of it")]

mod points;
mod service;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use qdrant_client::qdrant::qdrant_server::QdrantServer as HealthServer;
use qdrant_client::qdrant::{
    CreateCollection, KeywordIndexParams, QueryPoints, collections_server::CollectionsServer,
    points_server::PointsServer,
};
use tokio::sync::{oneshot, watch};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use points::Collection;
use service::Served;

/// What goes wrong with every call until it is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It says that it can't serve now.
    Unavailable,
    /// It says that it broke inside.
    Internal,
    /// No answer comes, and nothing is done.
    Hang,
}

/// The server. Its points are gone with it.
pub struct FakeQdrant {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
}

pub(crate) struct Shared {
    key: Option<String>,
    fault: watch::Sender<Option<Fault>>,
    state: Mutex<State>,
}

/// What it holds, and what it was asked.
#[derive(Default)]
pub(crate) struct State {
    collections: BTreeMap<String, Collection>,
    queries: Vec<QueryPoints>,
    /// Calls so far, by the name of the method.
    calls: HashMap<&'static str, usize>,
}

impl FakeQdrant {
    /// Starts one that lets anybody in.
    ///
    /// # Panics
    /// Where loopback has no free port.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts one that wants this key.
    ///
    /// # Panics
    /// Where loopback has no free port.
    pub fn with_key(key: &str) -> Self {
        Self::start_with(Some(key.to_owned()))
    }

    fn start_with(key: Option<String>) -> Self {
        let shared = Arc::new(Shared { key, fault: watch::Sender::new(None), state: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("a socket can be told not to block");
        let served = Served(Arc::clone(&shared));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is ours");
                let served = Server::builder()
                    .add_service(CollectionsServer::new(served.clone()))
                    .add_service(PointsServer::new(served.clone()).max_decoding_message_size(usize::MAX))
                    .add_service(HealthServer::new(served))
                    .serve_with_incoming(TcpIncoming::from(listener));
                // Connections that are open are cut, as by a crash.
                tokio::select! {
                    _ = served => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, shared, stop: Some(stop) }
    }

    /// What the settings want.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on every call goes wrong like this; `None`: no more.
    pub fn goes_wrong(&self, fault: Option<Fault>) {
        self.shared.fault.send_replace(fault);
    }

    /// Deletes everything, as one who sets the server up anew.
    pub fn empty(&self) {
        self.state().collections.clear();
    }

    /// Deletes the collections whose names hold these letters.
    pub fn lose(&self, part: &str) {
        self.state().collections.retain(|name, _| !name.contains(part));
    }

    /// The names of all collections, sorted.
    pub fn collections(&self) -> Vec<String> {
        self.state().collections.keys().cloned().collect()
    }

    /// How a collection was made.
    ///
    /// # Panics
    /// Where there is none of that name.
    pub fn made(&self, collection: &str) -> CreateCollection {
        self.state().collections[collection].made.clone()
    }

    /// The fields of a collection that have an index.
    ///
    /// # Panics
    /// Where there is none of that name.
    pub fn indexed(&self, collection: &str) -> BTreeMap<String, KeywordIndexParams> {
        self.state().collections[collection].indexed.clone()
    }

    /// Every query so far, each with the collection that it was asked of.
    pub fn queries(&self) -> Vec<QueryPoints> {
        self.state().queries.clone()
    }

    /// How often a method was called.
    pub fn calls(&self, method: &str) -> usize {
        self.state().calls.get(method).copied().unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Drop for FakeQdrant {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
