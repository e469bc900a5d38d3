//! An OpenAI-compatible server on loopback that says what a test tells it to say, and fails as it is told to fail.
//!
//! It runs on a thread of its own, so that it serves a test's runtime, a test without one, and the real binary alike:
//!
//! ```text
//! let model = FakeModel::start();                      // model.url() goes into [[model]] url, or [embedder] url
//! model.say(Reply::json(json!({"reply": "…"})));       // a queue: one reply for one completion, in order
//! model.answer(|ask| match ask.user.contains("refund") // or by content, when the queue is empty
//!     true => Reply::json(…), false => Reply::Status(500));
//! let gate = model.hold();                             // the next completion waits …
//! gate.arrived().await;                                // … here the request is in, and no answer has gone out
//! gate.release();
//! let gate = model.hold_for("refund");                 // so does the next one that reads this
//! assert_eq!(model.asks().len(), 1);                   // the journal
//! ```
//!
//! Vectors are hashed bags of stems: texts that share words are near each other. That is enough for a test, and no
//! embedder.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use rust_stemmers::{Algorithm, Stemmer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The name under which the fake lists its one model.
pub(crate) const MODEL: &str = "fake";
/// Length of its vectors.
pub(crate) const DIMENSIONS: usize = 128;

/// What the fake answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A completion with this content.
    Text(String),
    /// A completion with this content and this `finish_reason`: `length`, `content_filter`.
    Finished(String, &'static str),
    /// The model declines (`message.refusal`).
    Refusal,
    /// A completion without choices.
    Empty,
    /// A success that is not JSON.
    Garbage(String),
    /// That status, with an error body.
    Status(u16),
    /// That status, with this error body.
    Error(u16, Value),
    /// 429, with this `Retry-After`.
    Busy(String),
    /// A redirect to that address.
    Redirect(String),
    /// No answer, ever.
    Hang,
    /// The head of an answer and a part of its body, then the connection is cut.
    Cut,
    /// The other reply, after that long.
    Slow(Duration, Box<Reply>),
}

impl Reply {
    /// A completion whose content is this JSON.
    pub(crate) fn json(value: &Value) -> Self {
        Reply::Text(value.to_string())
    }

    /// A draft as the `answer` prompt wants it: sure of itself, for no person, standing on `citations`.
    pub(crate) fn draft(reply: &str, citations: &[&str]) -> Self {
        Reply::json(&json!({
            "labels": ["routine"],
            "needs_human": false,
            "why": "",
            "citations": citations,
            "asks_back": false,
            "reply": reply,
            "confidence": 0.95,
        }))
    }
}

/// A request for a completion, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// The system message.
    pub(crate) system: String,
    /// The user message.
    pub(crate) user: String,
    /// Name of the JSON Schema (the task), where the request has one.
    pub(crate) task: Option<String>,
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
    /// The whole body.
    pub(crate) body: Value,
}

type Answerer = Box<dyn Fn(&Ask) -> Reply + Send + Sync>;

/// The server. Stops when dropped.
pub(crate) struct FakeModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<Script>,
    answerer: Mutex<Option<Answerer>>,
    /// Completions that have come in and have no answer yet.
    thinking: AtomicUsize,
    stop: CancellationToken,
}

#[derive(Default)]
struct Script {
    replies: VecDeque<Reply>,
    embedding_faults: VecDeque<Reply>,
    gates: VecDeque<(String, Arc<GateState>)>,
    asks: Vec<Ask>,
    embedded: Vec<Vec<String>>,
}

impl FakeModel {
    /// Starts listening on a free port of loopback.
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (stop, served) = (shared.stop.clone(), Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("the socket is non-blocking");
                let stop = served.stop.clone();
                // Dropped on a stop, with all that still hangs.
                tokio::select! {
                    served = async { axum::serve(listener, router(served)).await } => served.expect("it serves"),
                    () = stop.cancelled() => {}
                }
            });
        });
        Self { address, shared, stop, thread: Some(thread) }
    }

    /// What goes into `url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Queues a reply for one completion.
    pub(crate) fn say(&self, reply: Reply) {
        self.script().replies.push_back(reply);
    }

    /// Answers by content whenever the queue is empty. Without it, an unexpected request gets a 500.
    pub(crate) fn answer(&self, answerer: impl Fn(&Ask) -> Reply + Send + Sync + 'static) {
        *lock(&self.shared.answerer) = Some(Box::new(answerer));
    }

    /// Queues a failure for one request for vectors.
    pub(crate) fn fail_embedding(&self, reply: Reply) {
        self.script().embedding_faults.push_back(reply);
    }

    /// Holds the next completion until the gate is released or dropped. Several gates hold several completions, in
    /// order.
    pub(crate) fn hold(&self) -> Gate {
        self.hold_for("")
    }

    /// Holds the next completion whose user message contains these words.
    pub(crate) fn hold_for(&self, words: &str) -> Gate {
        let state = Arc::new(GateState { arrived: Semaphore::new(0), released: Semaphore::new(0) });
        self.script().gates.push_back((words.to_owned(), Arc::clone(&state)));
        Gate { state }
    }

    /// How many completions have come in and have no answer yet; those of a client that is gone do not count.
    pub(crate) fn thinking(&self) -> usize {
        self.shared.thinking.load(Ordering::SeqCst)
    }

    /// The completions asked for, oldest first, those still held included.
    pub(crate) fn asks(&self) -> Vec<Ask> {
        self.script().asks.clone()
    }

    /// The texts of each request for vectors, oldest first.
    pub(crate) fn embedded(&self) -> Vec<Vec<String>> {
        self.script().embedded.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.shared.script)
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been printed, and fails the test by what is missing.
            let _ = thread.join();
        }
    }
}

/// Keeps one completion waiting.
pub(crate) struct Gate {
    state: Arc<GateState>,
}

struct GateState {
    arrived: Semaphore,
    released: Semaphore,
}

impl Gate {
    /// Waits until the request has come in.
    pub(crate) async fn arrived(&self) {
        let _permit = self.state.arrived.acquire().await.expect("the semaphore is never closed");
    }

    /// Lets the answer go out.
    pub(crate) fn release(self) {
        drop(self);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.state.released.add_permits(1);
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(completions))
        .route("/v1/embeddings", post(embeddings))
        .with_state(shared)
}

async fn models() -> Response {
    json_response(&json!({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "tests"}]}))
}

async fn completions(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let said = |role: &str| {
        let messages = body["messages"].as_array().into_iter().flatten();
        let texts =
            messages.filter(|message| message["role"] == role).filter_map(|message| message["content"].as_str());
        texts.collect::<Vec<_>>().join("\n")
    };
    let ask = Ask {
        system: said("system"),
        user: said("user"),
        task: body["response_format"]["json_schema"]["name"].as_str().map(ToOwned::to_owned),
        authorization: headers.get(header::AUTHORIZATION).and_then(|key| key.to_str().ok()).map(ToOwned::to_owned),
        body,
    };
    let _thinking = Thinking::begun(&shared);
    let gate = {
        let mut script = lock(&shared.script);
        script.asks.push(ask.clone());
        let place = script.gates.iter().position(|(words, _)| ask.user.contains(words.as_str()));
        place.and_then(|place| script.gates.remove(place))
    };
    if let Some((_, gate)) = gate {
        gate.arrived.add_permits(1);
        let _released = gate.released.acquire().await;
    }
    let queued = lock(&shared.script).replies.pop_front();
    let reply = queued.or_else(|| lock(&shared.answerer).as_ref().map(|answerer| answerer(&ask)));
    respond(reply.unwrap_or(Reply::Status(500)), &ask).await
}

/// Counts one completion for as long as somebody waits for it.
struct Thinking(Arc<Shared>);

impl Thinking {
    fn begun(shared: &Arc<Shared>) -> Self {
        shared.thinking.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for Thinking {
    fn drop(&mut self) {
        self.0.thinking.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn respond(mut reply: Reply, ask: &Ask) -> Response {
    while let Reply::Slow(wait, then) = reply {
        tokio::time::sleep(wait).await;
        reply = *then;
    }
    let completion = |message: &Value, finish: &str| {
        let (read, written) = (ask.system.len() + ask.user.len(), message.to_string().len());
        json_response(&json!({
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "created": 1_767_225_600,
            "model": ask.body["model"],
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish}],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }))
    };
    match reply {
        Reply::Text(text) => completion(&json!({"role": "assistant", "content": text}), "stop"),
        Reply::Finished(text, finish) => completion(&json!({"role": "assistant", "content": text}), finish),
        Reply::Refusal => {
            completion(&json!({"role": "assistant", "content": null, "refusal": "I can't help with that."}), "stop")
        }
        Reply::Empty => json_response(&json!({"id": "chatcmpl-fake", "object": "chat.completion", "choices": []})),
        other => fail(other).await,
    }
}

/// The replies that are no completion.
async fn fail(reply: Reply) -> Response {
    let error = |status: u16, body: &Value| {
        let status = StatusCode::from_u16(status).expect("a test names a status that there is");
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    };
    let scripted = json!({"error": {"message": "as the test wants it", "type": "fake", "param": null, "code": null}});
    match reply {
        Reply::Garbage(text) => text.into_response(),
        Reply::Error(status, body) => error(status, &body),
        Reply::Busy(after) => {
            let mut response = error(429, &scripted);
            response.headers_mut().insert(header::RETRY_AFTER, after.parse().expect("a header's value"));
            response
        }
        Reply::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Reply::Hang => std::future::pending().await,
        Reply::Cut => {
            let start = stream::iter([Ok(Bytes::from_static(b"{\"id\": \"chatcmpl-fake\", ")), Err("cut")]);
            Body::from_stream(start).into_response()
        }
        Reply::Status(status) => error(status, &scripted),
        _ => error(500, &scripted),
    }
}

async fn embeddings(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let input = body["input"].as_array().cloned().unwrap_or_else(|| vec![body["input"].clone()]);
    let texts: Vec<String> = input.iter().filter_map(|text| text.as_str().map(ToOwned::to_owned)).collect();
    let fault = {
        let mut script = lock(&shared.script);
        script.embedded.push(texts.clone());
        script.embedding_faults.pop_front()
    };
    if let Some(Reply::Text(json)) = fault {
        return ([(header::CONTENT_TYPE, "application/json")], json).into_response();
    } else if let Some(fault) = fault {
        return fail(fault).await;
    }
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vector(text)}))
        .collect();
    json_response(
        &json!({"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}),
    )
}

/// Each stem adds to one number of the vector; the whole has length 1.
pub(crate) fn vector(text: &str) -> Vec<f32> {
    let (russian, english) = (Stemmer::create(Algorithm::Russian), Stemmer::create(Algorithm::English));
    let mut vector = vec![0.0_f32; DIMENSIONS];
    let text = text.to_lowercase();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let stem = if word.is_ascii() { english.stem(word) } else { russian.stem(word) };
        let hash = Sha256::digest(stem.as_bytes());
        let place = usize::from(hash[0]) % DIMENSIONS;
        vector[place] += if hash[1] % 2 == 0 { 1.0 } else { -1.0 };
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        for number in &mut vector {
            *number /= length;
        }
    }
    vector
}

fn json_response(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
