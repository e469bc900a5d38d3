//! The search index in our own process: two Qdrant directories, one for each shelf.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use qdrant_edge::{Filter, PointId, Vector, Vectors};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bm25::Bm25;
use super::same::{
    AROUND, BM25, CUSTOMER, DATA, DENSE, Embedded, LANGUAGE, VERSION, check_dense, in_order, new_build, owner,
};
use super::shard::{self, Mark, Shard};
use super::snapshot;
use crate::domain::id::CustomerId;
use crate::ports::index::{Hit, IndexError, Point, Query, Scope, SearchIndex, Shelf};
use crate::ports::model::Fingerprint;

pub(super) const MANIFEST: &str = "manifest.json";
const LOCK: &str = "lock";
const SHELVES: [&str; 2] = ["knowledge", "memory"];

/// The index of one directory. One process at a time may have it open.
#[derive(Debug, Clone)]
pub struct EdgeIndex {
    inner: Arc<Inner>,
}

/// What [`EdgeIndex::open`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The points of an earlier run.
    Existing,
    /// The points of a snapshot, and why they were needed: the caller catches up from where it was taken.
    Restored(String),
    /// Nothing, and why: the caller fills it from the store and the articles.
    Fresh(String),
}

#[derive(Debug)]
struct Inner {
    knowledge: Shard,
    memory: Shard,
    knowledge_words: Bm25,
    memory_words: Bm25,
    dir: PathBuf,
    embedder: Option<Fingerprint>,
    build: String,
    /// A call failed inside: the files can't be trusted, and nothing vouches for them any more.
    broken: AtomicBool,
    /// Held while a snapshot is taken or deleted.
    snapshots: Mutex<()>,
    /// Released last.
    _lock: File,
}

/// What stands beside the points, so that the next start knows whether it can use them.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    embedder: Option<Embedded>,
    /// Random: tells one building of the index from the next.
    build: String,
    /// The last flush of each shelf.
    flushed: Flushed,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Flushed {
    knowledge: Mark,
    memory: Mark,
}

impl EdgeIndex {
    /// Opens the index in `dir`. Where its files are broken, its snapshot takes their place. Where nothing can be used
    /// (there is none, it is of another embedder or version, the snapshot is broken too), an empty one is made; what was there
    /// is deleted then, since the store has it all.
    ///
    /// # Errors
    /// [`IndexError::Unavailable`] where another process has the directory open, or nothing can be written to it.
    pub async fn open(dir: &Path, embedder: Option<Fingerprint>) -> Result<(Self, Opened), IndexError> {
        let dir = dir.to_owned();
        let opened = tokio::task::spawn_blocking(move || open(dir, embedder)).await;
        let (inner, opened) = opened.map_err(|_| IndexError::Unavailable("opening it failed inside".to_owned()))??;
        Ok((Self { inner: Arc::new(inner) }, opened))
    }

    /// The embedder that the index in `dir` was made with; `None` where there is no index that this version can use.
    pub fn made_with(dir: &Path) -> Option<Option<Fingerprint>> {
        let manifest = read_manifest(dir)?;
        let made_with = manifest.embedder.map(Fingerprint::from);
        (manifest.version == VERSION).then_some(made_with)
    }

    /// The name of the index in `dir`, also while another process has it open; `None` where there is none.
    pub fn name_in(dir: &Path) -> Option<String> {
        Some(read_manifest(dir)?.build)
    }

    /// Deletes the snapshot of an index that can't be used.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn drop_snapshot(dir: &Path) -> Result<(), IndexError> {
        snapshot::delete(dir)
    }

    /// Flushes and closes. The directory is free when the last clone of this index is closed or dropped.
    ///
    /// # Errors
    /// [`IndexError`], where the last writes could not be made durable.
    pub async fn close(self) -> Result<(), IndexError> {
        let settle = |inner: &Inner| {
            inner.knowledge.settle()?;
            inner.memory.settle()?;
            inner.remember_flush()
        };
        self.blocking(settle).await?;
        // Closing writes too, so it must not happen on a thread of the runtime.
        let inner = self.inner;
        let closed = tokio::task::spawn_blocking(move || drop(inner)).await;
        closed.map_err(|_| IndexError::Unavailable("closing it failed inside".to_owned()))
    }

    /// Runs a call that blocks. A panic inside Qdrant is a broken index, not the end of the process.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Inner) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let done = catch_unwind(AssertUnwindSafe(|| call(&inner)));
            if done.is_err() {
                inner.give_up();
            }
            done
        });
        let failed = || IndexError::Unavailable("a call failed inside; it is rebuilt at the next start".to_owned());
        done.await.map_err(|_| failed())?.map_err(|_| failed())?
    }
}

#[async_trait]
impl SearchIndex for EdgeIndex {
    fn name(&self) -> &str {
        &self.inner.build
    }

    async fn upsert(&self, shelf: Shelf, points: Vec<Point>) -> Result<(), IndexError> {
        self.blocking(move |inner| {
            let points: Result<Vec<_>, _> = points.into_iter().map(|point| inner.prepare(shelf, point)).collect();
            inner.shelf(shelf).upsert(points?)
        })
        .await
    }

    async fn remove(&self, shelf: Shelf, ids: Vec<Uuid>) -> Result<(), IndexError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.blocking(move |inner| inner.shelf(shelf).delete(ids)).await
    }

    async fn forget(&self, customer: CustomerId) -> Result<(), IndexError> {
        self.blocking(move |inner| {
            inner.write_manifest(inner.flushed(Some(Shelf::Memory)))?;
            inner.memory.erase(shard::carrying(CUSTOMER, customer.to_string()))?;
            let _alone = inner.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
            snapshot::delete(&inner.dir)?;
            inner.remember_flush()
        })
        .await
    }

    async fn search(&self, query: Query) -> Result<Vec<Hit>, IndexError> {
        self.blocking(move |inner| inner.search(query)).await
    }

    async fn count(&self, shelf: Shelf) -> Result<usize, IndexError> {
        self.blocking(move |inner| inner.shelf(shelf).count()).await
    }

    async fn ids(&self, shelf: Shelf) -> Result<Vec<Uuid>, IndexError> {
        self.blocking(move |inner| inner.shelf(shelf).ids()).await
    }

    async fn wipe(&self, shelf: Shelf) -> Result<(), IndexError> {
        self.blocking(move |inner| {
            inner.write_manifest(inner.flushed(Some(shelf)))?;
            inner.shelf(shelf).wipe()
        })
        .await
    }

    async fn flush(&self) -> Result<(), IndexError> {
        self.blocking(|inner| {
            inner.knowledge.flush()?;
            inner.memory.flush()?;
            inner.remember_flush()
        })
        .await
    }

    async fn snapshot(&self, unless_since: Timestamp) -> Result<Option<String>, IndexError> {
        self.blocking(move |inner| inner.take_snapshot(unless_since)).await
    }
}

impl Inner {
    fn shelf(&self, shelf: Shelf) -> &Shard {
        match shelf {
            Shelf::Knowledge => &self.knowledge,
            Shelf::Memory => &self.memory,
        }
    }

    fn words(&self, shelf: Shelf) -> &Bm25 {
        match shelf {
            Shelf::Knowledge => &self.knowledge_words,
            Shelf::Memory => &self.memory_words,
        }
    }

    fn prepare(&self, shelf: Shelf, point: Point) -> Result<(Uuid, Vectors, serde_json::Value), IndexError> {
        let owner = owner(shelf, &point)?.map(|customer| customer.to_string());
        let mut vectors = vec![(BM25, Vector::from(self.words(shelf).document(&point.text)))];
        if let Some(around) = &point.around {
            vectors.push((AROUND, Vector::from(self.words(shelf).document(around))));
        }
        if let Some(dense) = point.dense {
            check_dense(self.embedder.as_ref(), &dense)?;
            vectors.push((DENSE, Vector::new_dense(dense)));
        }
        let payload = serde_json::json!({ CUSTOMER: owner, LANGUAGE: point.language.code(), DATA: point.payload });
        Ok((point.id, Vectors::new_named(vectors), payload))
    }

    fn search(&self, query: Query) -> Result<Vec<Hit>, IndexError> {
        if query.limit == 0 {
            return Ok(Vec::new());
        }
        if let Some(dense) = &query.dense {
            check_dense(self.embedder.as_ref(), dense)?;
        }
        let (shelf, filter): (_, Option<Filter>) = match query.scope {
            Scope::Knowledge(language) => {
                (Shelf::Knowledge, language.map(|language| shard::carrying(LANGUAGE, language.code().to_owned())))
            }
            Scope::Customer(customer) => (Shelf::Memory, Some(shard::carrying(CUSTOMER, customer.to_string()))),
        };
        let words = self.words(shelf).query(&query.text);
        let found = self.shelf(shelf).search(&words, query.dense, filter, query.limit)?;
        let hits = found.into_iter().filter_map(|found| {
            let PointId::Uuid(id) = found.id else { return None };
            let payload = found.payload.and_then(|mut payload| payload.0.remove(DATA)).unwrap_or_default();
            Some(Hit { id, words: found.words, around: found.around, meaning: found.meaning, payload })
        });
        Ok(in_order(hits.collect()))
    }

    /// Copies both shelves aside under a name of their own, unless that was done since then, or nothing has changed
    /// since. Searches go on meanwhile, writes wait.
    fn take_snapshot(&self, unless_since: Timestamp) -> Result<Option<String>, IndexError> {
        let _alone = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        if self.broken.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if snapshot::taken_at(&self.dir).is_some_and(|taken_at| taken_at > unless_since) {
            return Ok(None);
        }
        self.knowledge.settle()?;
        self.memory.settle()?;
        let before = read_manifest(&snapshot::place(&self.dir)).map(|manifest| manifest.flushed);
        if before == Some(self.flushed(None)) {
            return Ok(None);
        }
        let new = snapshot::begin(&self.dir)?;
        let [knowledge, memory] = SHELVES.map(|shelf| new.join(shelf));
        let flushed = Flushed { knowledge: self.knowledge.copy_to(&knowledge)?, memory: self.memory.copy_to(&memory)? };
        let (embedder, build) = (self.embedder.as_ref().map(Embedded::from), new_build()?);
        write_manifest(&new, &Manifest { version: VERSION, embedder, build: build.clone(), flushed })?;
        snapshot::finish(&self.dir)?;
        Ok(Some(build))
    }

    /// The marks to keep. That of a shelf which is about to be replaced is set to nothing first: a crash must not leave a
    /// mark above the writes of the new log.
    fn flushed(&self, emptied: Option<Shelf>) -> Flushed {
        let of = |shelf| if emptied == Some(shelf) { Mark::default() } else { self.shelf(shelf).mark() };
        Flushed { knowledge: of(Shelf::Knowledge), memory: of(Shelf::Memory) }
    }

    fn remember_flush(&self) -> Result<(), IndexError> {
        self.write_manifest(self.flushed(None))
    }

    fn write_manifest(&self, flushed: Flushed) -> Result<(), IndexError> {
        if self.broken.load(Ordering::Relaxed) {
            return Ok(());
        }
        let embedder = self.embedder.as_ref().map(Embedded::from);
        write_manifest(&self.dir, &Manifest { version: VERSION, embedder, build: self.build.clone(), flushed })
    }

    /// Without a manifest the next start builds the index anew.
    fn give_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
        tracing::error!(dir = %self.dir.display(), "the search index is broken and is rebuilt at the next start");
        if let Err(error) = fs::remove_file(self.dir.join(MANIFEST)) {
            tracing::error!(%error, "the search index can't be marked as broken");
        }
    }
}

fn open(dir: PathBuf, embedder: Option<Fingerprint>) -> Result<(Inner, Opened), IndexError> {
    fs::create_dir_all(&dir).map_err(|error| failed("make its directory", &error))?;
    let lock = lock(&dir)?;
    let dimensions = embedder.as_ref().map(|embedder| embedder.dimensions);
    let (shards, build, opened) = match usable(&dir, embedder.as_ref()) {
        Ok((shards, build)) => (shards, build, Opened::Existing),
        Err(reason) => match restored(&dir, embedder.as_ref()) {
            Some((shards, build)) => (shards, build, Opened::Restored(reason)),
            None => (fresh(&dir, dimensions)?, new_build()?, Opened::Fresh(reason)),
        },
    };
    let (knowledge, memory) = shards;
    let (knowledge_words, memory_words) = (Bm25::for_articles()?, Bm25::for_memory()?);
    let (broken, snapshots) = (AtomicBool::new(false), Mutex::default());
    let inner = Inner {
        knowledge,
        memory,
        knowledge_words,
        memory_words,
        dir,
        embedder,
        build,
        broken,
        snapshots,
        _lock: lock,
    };
    inner.remember_flush()?;
    Ok((inner, opened))
}

fn lock(dir: &Path) -> Result<File, IndexError> {
    let file = File::create(dir.join(LOCK)).map_err(|error| failed("write to its directory", &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(IndexError::Unavailable(format!("another process has {} open; stop it first", dir.display())))
        }
        Err(TryLockError::Error(error)) => Err(failed("lock its directory", &error)),
    }
}

/// The shards of an earlier run, or why they can't be used.
fn usable(dir: &Path, embedder: Option<&Fingerprint>) -> Result<((Shard, Shard), String), String> {
    let manifest = match fs::read(dir.join(MANIFEST)) {
        Ok(bytes) => serde_json::from_slice::<Manifest>(&bytes).map_err(|_| "corrupt: the manifest".to_owned())?,
        Err(_) if dir.join("memory").exists() => return Err("corrupt: there is no manifest".to_owned()),
        Err(_) => return Err("there was none".to_owned()),
    };
    if manifest.version != VERSION {
        return Err(format!("it is of version {}, not {VERSION}", manifest.version));
    }
    let now = embedder.map(Embedded::from);
    if manifest.embedder != now {
        let named = |embedder: Option<Embedded>| embedder.map_or("no embedder".to_owned(), |it| it.to_string());
        return Err(format!("it was made with {}, not {}", named(manifest.embedder), named(now)));
    }
    let dimensions = now.map(|embedder| embedder.dimensions);
    let load = |name: &str, mark| {
        let load = catch_unwind(|| Shard::load(&dir.join(name), dimensions, mark));
        load.map_err(|_| format!("corrupt: {name} can't be read"))?.map_err(|error| format!("corrupt: {name}: {error}"))
    };
    let [knowledge, memory] = SHELVES;
    let knowledge = load(knowledge, manifest.flushed.knowledge)?;
    let memory = load(memory, manifest.flushed.memory)?;
    Ok(((knowledge, memory), manifest.build))
}

/// The shards of the snapshot, put in place of what is broken; `None` where there is none that can be used.
fn restored(dir: &Path, embedder: Option<&Fingerprint>) -> Option<((Shard, Shard), String)> {
    let manifest = read_manifest(&snapshot::place(dir))?;
    if manifest.version != VERSION || manifest.embedder != embedder.map(Embedded::from) {
        return None;
    }
    let put_back = remove_manifest(dir).and_then(|()| snapshot::put_back(dir, SHELVES));
    let usable = put_back.map_err(|error| error.to_string()).and_then(|()| usable(dir, embedder));
    if let Err(error) = &usable {
        tracing::warn!(%error, "the snapshot of the index can't be used either");
    }
    usable.ok()
}

/// Empty shards in place of whatever there is.
fn fresh(dir: &Path, dimensions: Option<usize>) -> Result<(Shard, Shard), IndexError> {
    remove_manifest(dir)?;
    snapshot::delete(dir)?;
    let [knowledge, memory] = SHELVES.map(|shelf| Shard::create(&dir.join(shelf), dimensions));
    Ok((knowledge?, memory?))
}

/// The manifest goes first and comes last: what a crash leaves in between is not taken for an index.
fn remove_manifest(dir: &Path) -> Result<(), IndexError> {
    match fs::remove_file(dir.join(MANIFEST)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove its manifest", &error)),
        _ => Ok(()),
    }
}

/// What stands beside the points in `dir`, if it can be read.
fn read_manifest(dir: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(dir.join(MANIFEST)).ok()?).ok()
}

/// Replaces the manifest in one step.
fn write_manifest(dir: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    let json = serde_json::to_vec(manifest).map_err(|error| IndexError::Unavailable(error.to_string()))?;
    let new = dir.join("manifest.new");
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&new, dir.join(MANIFEST))
    };
    write().map_err(|error| failed("write its manifest", &error))
}

fn failed(what: &str, error: &io::Error) -> IndexError {
    IndexError::Unavailable(format!("can't {what}: {error}"))
}
