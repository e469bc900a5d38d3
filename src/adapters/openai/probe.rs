//! Asking an endpoint how it does, for people: what works, what does not, and the mend.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::timeout;
use url::Url;

use super::chat::OpenAiChat;
use super::embed::OpenAiEmbedder;
use super::endpoint::{Endpoint, shown};
use super::fault::Fault;
use super::unsigned;
use crate::config;
use crate::ports::model::{ChatModel, ChatRequest, EmbedRole, Embedder};

/// Longest wait for the list of models.
const LIST_WITHIN: Duration = Duration::from_secs(5);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `model qwen3-8b: completion`.
    pub what: String,
    /// What was found, or what is wrong and how to mend it.
    pub found: Result<String, String>,
}

/// Looks at a language model: does the endpoint answer, does it know the model, does it write JSON, and how long does
/// that take.
pub async fn probe_model(model: &config::Model) -> Vec<Check> {
    let what = |part: &str| format!("model {}: {part}", model.name);
    let endpoint = match Endpoint::new(&model.url, &model.key, unsigned(model.attempt_within)) {
        Ok(endpoint) => endpoint,
        Err(error) => return vec![Check { what: what("settings"), found: Err(error.to_string()) }],
    };
    let listed = list(&endpoint, &model.url, &model.name).await;
    let answers = listed.is_ok();
    let mut checks = vec![Check { what: what("endpoint"), found: listed }];
    if answers {
        checks.push(Check { what: what("completion"), found: completion(model).await });
    }
    checks
}

/// Looks at the embedder: does the endpoint answer, and with vectors of the right length. Nothing where the embedder
/// is no endpoint.
pub async fn probe_embedder(settings: &config::Embedder) -> Vec<Check> {
    if settings.kind != config::EmbedderKind::Endpoint {
        return Vec::new();
    }
    let what = format!("embedder {}: vectors", settings.name);
    let embedder = match OpenAiEmbedder::new(settings) {
        Ok(embedder) => embedder,
        Err(error) => return vec![Check { what, found: Err(error.to_string()) }],
    };
    let began = Instant::now();
    let found = match embedder.embed(&["delivery".to_owned()], EmbedRole::Query).await {
        Ok(_) => Ok(format!("{} numbers, in {} ms", settings.dimensions, began.elapsed().as_millis())),
        Err(error) => Err(format!("{}: {}", embedder.place(), error.why)),
    };
    vec![Check { what, found }]
}

/// Reads the list of models. An endpoint without one, or with a list under other names, is not at fault by that: some
/// servers take any name.
async fn list(endpoint: &Endpoint, url: &Url, name: &str) -> Result<String, String> {
    let place = shown(url);
    match timeout(LIST_WITHIN, endpoint.models()).await.unwrap_or_else(|_| Err(Fault::timed_out())) {
        Ok(list) => {
            let names = names(&list);
            Ok(if names.contains(&name) {
                format!("{place} answers and lists the model")
            } else if names.is_empty() {
                format!("{place} answers with an empty list of models")
            } else {
                format!("{place} answers and does not list the model, but: {}", names[..names.len().min(5)].join(", "))
            })
        }
        Err(Fault::NotFound) => Ok(format!("{place} answers without a list of models")),
        Err(fault @ (Fault::Down(_) | Fault::Busy { .. })) => {
            Err(format!("{place}: {fault}: is the model's server running, and is the port right?"))
        }
        Err(fault) => Err(format!("{place}: {fault}")),
    }
}

/// The ids of `{"data": [{"id": …}]}`.
fn names(list: &Value) -> Vec<&str> {
    let entries = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(|entry| entry["id"].as_str()).collect()
}

/// Asks for the smallest JSON object there is.
async fn completion(model: &config::Model) -> Result<String, String> {
    let calls = config::ModelCalls {
        within: model.attempt_within,
        attempts: 1,
        breaker_failures: 1,
        breaker_rest: SignedDuration::ZERO,
        at_once: 1,
    };
    let chat = OpenAiChat::new(std::slice::from_ref(model), &calls).map_err(|error| error.to_string())?;
    let request = ChatRequest {
        task: "probe",
        system: "You check that a connection works. Reply with a JSON object whose field ready is true.".to_owned(),
        user: "Are you ready?".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {"ready": {"type": "boolean"}},
            "required": ["ready"],
            "additionalProperties": false,
        }),
        max_tokens: 1000,
        deadline: model.attempt_within,
    };
    let reply = chat.complete(&request).await.map_err(|error| error.to_string())?;
    let took = format!("{} ms, {} tokens read, {} written", reply.took.as_millis(), reply.tokens_in, reply.tokens_out);
    match serde_json::from_str::<Value>(&reply.json) {
        Ok(Value::Object(_)) => Ok(format!("JSON, in {took}")),
        _ => Ok(format!("words around the JSON, which are cut away, in {took}")),
    }
}
