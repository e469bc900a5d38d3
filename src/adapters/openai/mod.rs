//! Language models and embedders behind any OpenAI-compatible `/v1`: `OpenAI`, vLLM, llama.cpp, Ollama.
//!
//! Retries, time-outs, fallback and circuit breakers are decided here and nowhere else. No prompt and no reply reaches a
//! log or an error.

mod breaker;
mod chat;
mod dialect;
mod embed;
mod endpoint;
mod fault;
mod plan;
mod probe;
mod tokens;

pub use chat::OpenAiChat;
pub use embed::OpenAiEmbedder;
pub use probe::{Check, probe_embedder, probe_model};
pub use tokens::count_tokens;

use std::time::Duration;

use jiff::SignedDuration;

/// Why an adapter could not be made from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A key that no HTTP header can carry.
    #[error("the key of {endpoint} has characters that a key can't have: copy it again, without line ends and quotes")]
    Key {
        /// The address, without secrets.
        endpoint: String,
    },
    /// TLS can't be set up.
    #[error("TLS can't be set up: install the CA certificates of this system (package ca-certificates)")]
    Tls(#[source] reqwest::Error),
    /// No embedder is configured.
    #[error("[embedder] url holds no address")]
    NoEmbedder(#[source] url::ParseError),
    /// No model is configured.
    #[error("no [[model]] is configured")]
    NoModel,
}

/// A length of time for the standard library; what is negative counts as nothing.
fn unsigned(length: SignedDuration) -> Duration {
    Duration::try_from(length).unwrap_or(Duration::ZERO)
}
