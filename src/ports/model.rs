//! Language models and embedders.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::Retry;

/// A language model, or a list of them with fallback.
///
/// Retries, time-outs, fallback and the circuit breaker are inside: a caller tries once.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// Asks for one structured answer.
    ///
    /// # Errors
    /// [`ChatError`], after all that could be tried was tried within `request.deadline`.
    async fn complete(&self, request: &ChatRequest) -> Result<ChatReply, ChatError>;

    /// How many tokens `text` is, for budgets.
    fn count_tokens(&self, text: &str) -> usize;

    /// Name of the first model, for the start-up words and for records.
    fn name(&self) -> &str;
}

/// A question to a model.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    /// The task's name, `answer`: for records and time-outs.
    pub task: &'static str,
    /// The stable part, the same for every call of this task, so that servers can cache it.
    pub system: String,
    /// The volatile part.
    pub user: String,
    /// JSON Schema that the reply must follow.
    pub schema: serde_json::Value,
    /// Longest reply, in tokens.
    pub max_tokens: u32,
    /// Longest time for all attempts together.
    pub deadline: SignedDuration,
}

/// A model's answer.
#[derive(Debug, Clone)]
pub struct ChatReply {
    /// The JSON text as it came; parsing is the caller's, and so is the one repair.
    pub json: String,
    /// Which model answered.
    pub model: String,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Time taken, all attempts together.
    pub took: SignedDuration,
}

/// Why no model answered.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Nothing answered in time, or the breaker is open.
    #[error("no model is available: {0}")]
    Unavailable(String),
    /// The endpoint refuses our key or our request.
    #[error("the model endpoint refused the request: {0}")]
    Refused(String),
    /// An answer came and is empty or cut off.
    #[error("the model's answer is unusable: {0}")]
    Malformed(String),
}

/// Turns texts into vectors.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// One vector a text, in order.
    ///
    /// # Errors
    /// [`EmbedError`].
    async fn embed(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// What makes vectors comparable.
    fn fingerprint(&self) -> Fingerprint;
}

/// What a text is in the search; some models embed the two differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmbedRole {
    /// What is searched for.
    Query,
    /// What is found.
    Passage,
}

/// Vectors of equal fingerprints can be compared, others can't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The model.
    pub model: String,
    /// Length of a vector.
    pub dimensions: usize,
}

/// Why there are no vectors.
#[derive(Debug, thiserror::Error)]
#[error("the embedder failed: {why}")]
pub struct EmbedError {
    /// Without anybody's words.
    pub why: String,
    /// Whether trying again can help.
    pub retry: Retry,
}
