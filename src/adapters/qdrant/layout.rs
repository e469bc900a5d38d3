//! How the directory of a shard is laid out, and how Qdrant is told to fill it.

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use qdrant_edge::{
    Distance, EdgeConfig, EdgeOptimizersConfig, EdgeShard, EdgeSparseVectorParams, EdgeVectorParams, HnswIndexConfig,
    Modifier, OperationError, WalOptions,
};

use super::same::{AROUND, BM25, DENSE};
use crate::ports::index::IndexError;

/// Size of one file of the log, which is allocated at once.
const LOG_FILE_BYTES: usize = 1 << 20;
/// Parts of a shard that are closed for good: each costs a search a little.
const PARTS: usize = 5;
/// A part grows no larger by being joined with others, by the vectors of one kind in it.
const PART_KILOBYTES: usize = 2_000_000;
/// What came since the last part was closed: it lives in memory and is read whole at a start, so it stays small.
const LOOSE_KILOBYTES: usize = 8_000;

/// Qdrant's handle. It writes when it is dropped, and panics where it can't; that must not end the process.
#[derive(Debug)]
pub(super) struct Open(pub(super) Option<EdgeShard>);

impl Drop for Open {
    fn drop(&mut self) {
        let edge = self.0.take();
        if catch_unwind(AssertUnwindSafe(|| drop(edge))).is_err() {
            tracing::error!("the files of the search index could not be closed");
        }
    }
}

/// Deletes a directory; it need not be there.
pub(super) fn remove_dir(dir: &Path) -> Result<(), IndexError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove old files", &error)),
        _ => Ok(()),
    }
}

pub(super) fn clear_away(dir: &Path) -> Result<(), IndexError> {
    for dir in [dir.to_owned(), aside(dir, "new"), aside(dir, "old")] {
        remove_dir(&dir)?;
    }
    fs::create_dir_all(dir).map_err(|error| failed("make a directory", &error))
}

pub(super) fn aside(dir: &Path, suffix: &str) -> PathBuf {
    dir.with_extension(suffix)
}

/// Log files that are full, oldest first.
pub(super) fn closed_logs(dir: &Path) -> Result<Vec<PathBuf>, IndexError> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(dir.join("wal")).map_err(|error| failed("read the log's directory", &error))? {
        let path = entry.map_err(|error| failed("read the log's directory", &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(first) = name.strip_prefix("closed-").and_then(|first| first.parse::<u64>().ok()) {
            logs.push((first, path));
        }
    }
    logs.sort();
    Ok(logs.into_iter().map(|(_, path)| path).collect())
}

/// Makes an empty shard of Qdrant.
pub(super) fn new_edge(dir: &Path, dimensions: Option<usize>) -> Result<Open, IndexError> {
    Ok(Open(Some(EdgeShard::new(dir, config(dimensions)).map_err(unavailable)?)))
}

/// Opens one that is there.
pub(super) fn load_edge(dir: &Path, dimensions: Option<usize>) -> Result<Open, IndexError> {
    Ok(Open(Some(EdgeShard::load(dir, Some(config(dimensions))).map_err(unavailable)?)))
}

/// Everything is read where it lies, so that memory belongs to the conversations and a start reads nothing twice. No graph
/// is built over the vectors: a customer's are few enough to be compared one by one, and so are the articles'.
fn config(dimensions: Option<usize>) -> EdgeConfig {
    let sparse = EdgeSparseVectorParams::builder().modifier(Modifier::Idf).on_disk(true).build();
    let log = WalOptions { segment_capacity: LOG_FILE_BYTES, segment_queue_len: 0, retain_closed: NonZeroUsize::MIN };
    let no_graph = HnswIndexConfig { m: 0, payload_m: Some(0), ..HnswIndexConfig::default() };
    let optimizers = EdgeOptimizersConfig {
        default_segment_number: Some(PARTS),
        max_segment_size: Some(PART_KILOBYTES),
        indexing_threshold: Some(LOOSE_KILOBYTES),
        ..EdgeOptimizersConfig::default()
    };
    let config = EdgeConfig::builder()
        .sparse_vector(BM25, sparse.clone())
        .sparse_vector(AROUND, sparse)
        .hnsw_config(no_graph)
        .optimizers(optimizers)
        .wal_options(log);
    match dimensions {
        Some(size) => {
            config.vector(DENSE, EdgeVectorParams::builder(size, Distance::Cosine).on_disk(true).build()).build()
        }
        None => config.build(),
    }
}

/// Why a call of Qdrant failed.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(super) fn unavailable(error: OperationError) -> IndexError {
    match error {
        OperationError::WrongVectorDimension { .. } | OperationError::ValidationError { .. } => {
            IndexError::Refused(error.to_string())
        }
        _ => IndexError::Unavailable(error.to_string()),
    }
}

/// Why a file could not be used.
pub(super) fn failed(what: &str, error: &io::Error) -> IndexError {
    IndexError::Unavailable(format!("can't {what}: {error}"))
}
