//! Vectors from an OpenAI-compatible `/v1/embeddings`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_openai::types::embeddings::{CreateEmbeddingRequest, EmbeddingInput};
use async_trait::async_trait;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{Instrument, info_span, warn};
use url::Url;

use super::endpoint::{Endpoint, shown};
use super::fault::Fault;
use super::{SetupError, unsigned};
use crate::config;
use crate::ports::Retry;
use crate::ports::model::{EmbedError, EmbedRole, Embedder, Fingerprint};

/// Texts in one request.
const BATCH: usize = 64;
/// Vectors kept in memory.
const KEPT: usize = 4096;
/// Wait before the second attempt, where the endpoint does not wish another.
const PAUSE: Duration = Duration::from_millis(250);
/// What is left of a text, in characters, after the model said that it is too long: the beginning tells what a text is
/// about.
const CUT: usize = 1000;

/// An embedder behind an endpoint.
pub struct OpenAiEmbedder {
    name: String,
    place: String,
    dimensions: usize,
    query_prefix: String,
    passage_prefix: String,
    within: Duration,
    endpoint: Endpoint,
    kept: Mutex<Kept>,
}

impl OpenAiEmbedder {
    /// Prepares calls; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetupError`], also where no embedder is configured.
    pub fn new(settings: &config::Embedder) -> Result<Self, SetupError> {
        let url = Url::parse(&settings.url).map_err(SetupError::NoEmbedder)?;
        let within = unsigned(settings.within);
        Ok(Self {
            name: settings.name.clone(),
            place: shown(&url),
            dimensions: settings.dimensions,
            query_prefix: settings.query_prefix.clone(),
            passage_prefix: settings.passage_prefix.clone(),
            within,
            endpoint: Endpoint::new(&url, &settings.key, within)?,
            kept: Mutex::default(),
        })
    }

    /// Where it is, for people.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// What is sent for a text: never nothing at all, which some servers refuse.
    fn prepared(&self, text: &str, role: EmbedRole) -> String {
        let prefix = match role {
            EmbedRole::Query => &self.query_prefix,
            EmbedRole::Passage => &self.passage_prefix,
        };
        let whole = format!("{prefix}{text}");
        if whole.is_empty() { " ".to_owned() } else { whole }
    }

    /// One batch, with one more attempt where that can help.
    async fn batch(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Fault> {
        let until = Instant::now() + self.within;
        let fault = match self.request(texts.clone(), until).await {
            Ok(vectors) => return Ok(vectors),
            Err(fault) => fault,
        };
        let (texts, pause) = match &fault {
            Fault::Down(_) | Fault::Empty => (texts, PAUSE),
            Fault::Busy { after, .. } => (texts, after.unwrap_or(PAUSE)),
            Fault::TooLong if texts.iter().any(|text| text.chars().count() > CUT) => {
                (texts.iter().map(|text| text.chars().take(CUT).collect()).collect(), Duration::ZERO)
            }
            _ => return Err(fault),
        };
        match Instant::now().checked_add(pause) {
            Some(at) if at < until => sleep_until(at).await,
            _ => return Err(fault),
        }
        warn!(model = self.name, %fault, "the embedder is asked again");
        self.request(texts, until).await
    }

    async fn request(&self, texts: Vec<String>, until: Instant) -> Result<Vec<Vec<f32>>, Fault> {
        let count = texts.len();
        let request = CreateEmbeddingRequest {
            model: self.name.clone(),
            input: EmbeddingInput::StringArray(texts),
            ..CreateEmbeddingRequest::default()
        };
        let answer = timeout_at(until, self.endpoint.embeddings(request)).await;
        read(answer.unwrap_or_else(|_| Err(Fault::timed_out()))?, count, self.dimensions)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // The cache is whole between two statements: a panic elsewhere spoils nothing.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for OpenAiEmbedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAiEmbedder").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    async fn embed(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
        let wanted: Vec<(Key, String)> = texts
            .iter()
            .map(|text| self.prepared(text, role))
            .map(|text| (Sha256::digest(text.as_bytes()).into(), text))
            .collect();
        let mut known: HashMap<Key, Vec<f32>> = HashMap::new();
        let mut missing: Vec<(Key, String)> = Vec::new();
        {
            let kept = self.kept();
            for (key, text) in &wanted {
                if let Some(vector) = kept.vectors.get(key) {
                    known.insert(*key, vector.clone());
                } else if missing.iter().all(|(other, _)| other != key) {
                    missing.push((*key, text.clone()));
                }
            }
        }
        for batch in missing.chunks(BATCH) {
            let span = info_span!("adapter.openai.embed", model = self.name, texts = batch.len());
            let texts = batch.iter().map(|(_, text)| text.clone()).collect();
            let vectors = self.batch(texts).instrument(span).await.map_err(|fault| refusal(&fault))?;
            let mut kept = self.kept();
            for ((key, _), vector) in batch.iter().zip(vectors) {
                kept.put(*key, vector.clone());
                known.insert(*key, vector);
            }
        }
        Ok(wanted.iter().filter_map(|(key, _)| known.get(key).cloned()).collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        let model = if self.query_prefix.is_empty() && self.passage_prefix.is_empty() {
            self.name.clone()
        } else {
            format!("{} ({:?}, {:?})", self.name, self.query_prefix, self.passage_prefix)
        };
        Fingerprint { model, dimensions: self.dimensions }
    }
}

/// SHA-256 of a text with its prefix.
type Key = [u8; 32];

/// Vectors of texts that were seen lately; the oldest leaves first.
#[derive(Default)]
struct Kept {
    vectors: HashMap<Key, Vec<f32>>,
    order: VecDeque<Key>,
}

impl Kept {
    fn put(&mut self, key: Key, vector: Vec<f32>) {
        if self.vectors.insert(key, vector).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.vectors.remove(&oldest);
        }
    }
}

/// What we read of an answer. The vendor's type demands more than some servers send.
#[derive(Deserialize)]
struct Vectors {
    data: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// Reads `count` vectors and puts them into the order of the texts.
fn read(value: Value, count: usize, dimensions: usize) -> Result<Vec<Vec<f32>>, Fault> {
    let answer: Vectors =
        serde_json::from_value(value).map_err(|_| Fault::Down("the answer holds no vectors".to_owned()))?;
    if answer.data.len() != count {
        return Err(Fault::Unusable(format!("{} vectors came for {count} texts", answer.data.len())));
    }
    let mut vectors = vec![Vec::new(); count];
    for (position, Vector { index, embedding }) in answer.data.into_iter().enumerate() {
        if embedding.len() != dimensions {
            return Err(Fault::Refused(format!(
                "its vectors have {} numbers, and [embedder] dimensions says {dimensions}: set it to {0}",
                embedding.len()
            )));
        }
        if embedding.iter().any(|number| !number.is_finite()) {
            return Err(Fault::Unusable("a vector holds what is not a number".to_owned()));
        }
        match vectors.get_mut(index.unwrap_or(position)) {
            Some(place) if place.is_empty() => *place = embedding,
            _ => return Err(Fault::Unusable("the vectors are not numbered as the texts are".to_owned())),
        }
    }
    Ok(vectors)
}

/// The port's error for a fault.
fn refusal(fault: &Fault) -> EmbedError {
    let retry = match fault {
        Fault::Down(_) | Fault::Empty | Fault::Unusable(_) | Fault::Busy { after: None, .. } => Retry::Later,
        Fault::Busy { after: Some(after), .. } => {
            Retry::After(SignedDuration::try_from(*after).unwrap_or(SignedDuration::MAX))
        }
        Fault::Refused(_) | Fault::NotFound | Fault::Rejected(_) | Fault::TooLong | Fault::Unsupported(_) => {
            Retry::Never
        }
    };
    EmbedError { why: fault.to_string(), retry }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn vectors_are_put_in_order_and_checked() {
        let vector = |index: usize, first: f32| json!({"index": index, "embedding": [first, 0.0]});
        let swapped = json!({"data": [vector(1, 0.5), vector(0, 1.0)]});
        assert_eq!(read(swapped, 2, 2).unwrap(), [[1.0, 0.0], [0.5, 0.0]]);
        let unnumbered = json!({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]});
        assert_eq!(read(unnumbered, 2, 1).unwrap(), [[1.0], [2.0]]);
        for twice in
            [json!({"data": [vector(0, 1.0), vector(0, 1.0)]}), json!({"data": [vector(0, 1.0), vector(7, 1.0)]})]
        {
            assert!(matches!(read(twice, 2, 2), Err(Fault::Unusable(_))));
        }
        assert!(matches!(read(json!({"data": [vector(0, 1.0)]}), 2, 2), Err(Fault::Unusable(_))));
        assert!(matches!(read(json!({"data": "no"}), 1, 2), Err(Fault::Down(_))));
        let wrong = read(json!({"data": [vector(0, 1.0)]}), 1, 3).unwrap_err().to_string();
        assert!(wrong.contains("2 numbers") && wrong.contains("says 3"), "{wrong}");
    }

    #[test]
    fn the_cache_is_bounded_and_forgets_the_oldest() {
        let mut kept = Kept::default();
        let key = |number: usize| -> Key { Sha256::digest(number.to_le_bytes()).into() };
        for number in 0..=KEPT {
            kept.put(key(number), vec![1.0]);
            kept.put(key(number), vec![2.0]);
        }
        assert_eq!((kept.vectors.len(), kept.order.len()), (KEPT, KEPT));
        assert!(!kept.vectors.contains_key(&key(0)));
        assert_eq!(kept.vectors[&key(KEPT)], [2.0]);
    }
}
