//! The sentence encoder as a port: multilingual-e5-small, cut and quantised by `models/embedder/make.py`.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use rten::ThreadPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::encoder::{Encoder, EncoderError, WIDTH};
use super::vocabulary::Vocabulary;
use crate::ports::Retry;
use crate::ports::model::{EmbedError, EmbedRole, Embedder, Fingerprint};

static NETWORK: &[u8] = include_bytes!("../../../models/embedder/encoder.onnx");
static WORDS: &[u8] = include_bytes!("../../../models/embedder/words.bin");
static VOCABULARY: &[u8] = include_bytes!("../../../models/embedder/vocabulary.bin");

/// The number changes with the weights: vectors of two numbers can't be compared.
const NAME: &str = "embedded/multilingual-e5-small/1";
/// At most so many threads encode: an import of articles must leave the processor to the conversations.
const MOST_THREADS: usize = 4;
/// Bytes of text that a thread encodes before it lets another call have its turn: a tenth of a second or less.
const STINT: usize = 4096;

/// An embedder in the process. Clones share everything.
#[derive(Clone)]
pub struct EmbeddedEmbedder {
    inner: Arc<Inner>,
}

struct Inner {
    vocabulary: Vocabulary,
    encoder: Encoder,
    lanes: Lanes,
}

impl EmbeddedEmbedder {
    /// Reads the weights in the executable, in a tenth of a second, and uses half of the cores, at most four.
    ///
    /// # Errors
    /// [`EmbedError`], where the weights aren't what they should be: never in a binary that passed its tests.
    pub fn load() -> Result<Self, EmbedError> {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self::with_threads((cores / 2).clamp(1, MOST_THREADS))
    }

    /// Like [`EmbeddedEmbedder::load`], with so many threads, at least one; a text is always encoded by one.
    ///
    /// # Errors
    /// As [`EmbeddedEmbedder::load`].
    pub fn with_threads(threads: usize) -> Result<Self, EmbedError> {
        let damaged = || EncoderError::Weights("the vocabulary can't be read".to_owned());
        let vocabulary = Vocabulary::read(VOCABULARY).ok_or_else(damaged)?;
        let encoder = Encoder::read(NETWORK, WORDS, vocabulary.len())?;
        Ok(Self { inner: Arc::new(Inner { vocabulary, encoder, lanes: Lanes::new(threads.max(1)) }) })
    }
}

#[async_trait]
impl Embedder for EmbeddedEmbedder {
    async fn embed(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
        let stints: Vec<Vec<String>> = stints(texts, role);
        // No more stints wait than can run, so that a question is not behind a whole import of articles.
        let vectors: Vec<Vec<Vec<f32>>> = stream::iter(stints)
            .map(|stint| run(Arc::clone(&self.inner), stint))
            .buffered(self.inner.lanes.count)
            .try_collect()
            .await?;
        Ok(vectors.into_iter().flatten().collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { model: NAME.to_owned(), dimensions: WIDTH }
    }
}

/// Encodes a stint on a thread that may block, as soon as a lane is free.
async fn run(inner: Arc<Inner>, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
    let free = Arc::clone(&inner.lanes.free);
    let Ok(permit) = free.acquire_owned().await else { unreachable!("nobody closes the semaphore") };
    let work = move || {
        let lane = inner.lanes.take(permit);
        texts.iter().map(|text| inner.encoder.encode(&inner.vocabulary.tokens(text), &lane.pool)).collect()
    };
    let vectors: Result<_, EncoderError> = tokio::task::spawn_blocking(work).await.map_err(|error| EmbedError {
        why: if error.is_panic() { "the encoder panicked".to_owned() } else { "the process stops".to_owned() },
        retry: Retry::Never,
    })?;
    Ok(vectors?)
}

/// The texts as the network was taught to expect them, in order, in groups that take a thread about as long each.
fn stints(texts: &[String], role: EmbedRole) -> Vec<Vec<String>> {
    let mut stints: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for text in texts {
        let prefix = match role {
            EmbedRole::Query => "query:",
            EmbedRole::Passage => "passage:",
        };
        let text = text.trim();
        let whole = if text.is_empty() { prefix.to_owned() } else { format!("{prefix} {text}") };
        match stints.last_mut() {
            Some(stint) if whole.len() <= room => {
                room -= whole.len();
                stint.push(whole);
            }
            _ => {
                room = STINT.saturating_sub(whole.len());
                stints.push(vec![whole]);
            }
        }
    }
    stints
}

/// Threads for arithmetic, one for each text that is encoded at the same time.
///
/// The library would use all cores for one text; a support desk has many short ones.
struct Lanes {
    count: usize,
    free: Arc<Semaphore>,
    pools: Mutex<Vec<Arc<ThreadPool>>>,
}

impl Lanes {
    fn new(count: usize) -> Self {
        let pools = (0..count).map(|_| Arc::new(ThreadPool::with_num_threads(1))).collect();
        Self { count, free: Arc::new(Semaphore::new(count)), pools: Mutex::new(pools) }
    }

    /// A lane of one's own, for who has a permit.
    fn take(&self, permit: OwnedSemaphorePermit) -> Lane<'_> {
        // A pool is only ever moved in and out: a panic elsewhere spoils nothing.
        let pool = self.pools.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lane { pool: pool.expect("there are as many pools as permits"), lanes: self, _permit: permit }
    }
}

/// A pool on loan. It is returned before the permit is, whose next holder looks for it.
struct Lane<'a> {
    pool: Arc<ThreadPool>,
    lanes: &'a Lanes,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        self.lanes.pools.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&self.pool));
    }
}

impl From<EncoderError> for EmbedError {
    fn from(error: EncoderError) -> Self {
        Self { why: error.to_string(), retry: Retry::Never }
    }
}

#[cfg(test)]
mod tests;
