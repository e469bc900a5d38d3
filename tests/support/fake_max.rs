//! A MAX of our own: the Bot API over real HTTP on loopback, with a ledger of what customers saw.
//!
//! ```ignore
//! let max = FakeMax::start().await;
//! // max.api_url => FIRSTLINE__MAX__API_URL, max.token => FIRSTLINE__MAX__TOKEN; polling or webhook
//! max.customer_writes(11, "Где мой заказ?");
//! let replies = max.wait_for_replies(11, 1, Duration::from_secs(10)).await;
//! ```
//!
//! Kept of the real one: the token in `Authorization` without "Bearer"; `text`, `attachments` and `link` must be there, 4000
//! characters at most; a marker commits what stands before it, and without one reading begins behind what was committed;
//! subscriptions add up and take the place of polling; a post is tried again until it is answered 200, and nothing in it tells
//! the bot or a number of the update; a bot can't write to who never wrote to it, stopped it or removed the dialog; fields are
//! left out as in the vendor's own examples. A dialog's number is not its customer's. Not kept: groups, uploads, limits of rate
//! (order them with [`Fault::TooMany`]).
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of it")]

mod api;
mod webhook;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};

use super::server;

type Shared = server::Shared<State>;
type Change<'a> = server::Change<'a, State>;

/// How far a dialog's number is from its customer's.
const DIALOG: i64 = 7_000_000_000_000;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429, with the seconds to wait where they are told.
    TooMany(Option<u32>),
    /// An error of the Bot API: the status and the code.
    Error(u16, &'static str),
    /// 200, and yet no success.
    Unsuccessful,
    /// A page of HTML with this status, as proxies send it.
    Html(u16),
    /// Success by the status, but the body breaks off.
    HalfAnswer,
    /// The connection is reset, and nothing was done.
    Reset,
    /// It is done, and then the connection is reset.
    DoneThenReset,
    /// No answer comes, and nothing was done.
    Hang,
    /// It is done, and no answer comes.
    DoneThenHang,
}

/// One request, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `POST /messages`.
    pub name: String,
    /// What stood behind the question mark.
    pub query: HashMap<String, String>,
    /// The body; null where there was none.
    pub body: Value,
}

/// The server and its controls.
pub struct FakeMax {
    /// Root of the API.
    pub api_url: String,
    /// The token of its only bot.
    pub token: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct State {
    token: String,
    root: String,
    /// Not committed, or not taken by a webhook yet; oldest first.
    pending: VecDeque<Update>,
    last_update: i64,
    last_message: i64,
    subscriptions: Vec<Subscription>,
    people: HashMap<i64, Value>,
    unreachable: HashSet<i64>,
    /// Whose, whether the bot said it, and the words.
    ledger: Vec<(i64, bool, String)>,
    calls: Vec<Call>,
    faults: HashMap<String, VecDeque<Fault>>,
    files: HashMap<String, Vec<u8>>,
    twice: bool,
}

#[derive(Clone)]
struct Update {
    number: i64,
    body: Value,
}

#[derive(Clone, PartialEq, Eq)]
struct Subscription {
    url: String,
    secret: Option<String>,
    kinds: Vec<String>,
}

impl FakeMax {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        let token = "f9LHfake_Token-of_a_bot_that_lives_on_loopback".to_owned();
        let shared = Shared::new(State { token: token.clone(), last_update: 1_000, ..State::default() });
        let app = Router::new().fallback(api::answer).with_state(Arc::clone(&shared));
        let address = shared.serve(app, |shared| async move { webhook::deliver(&shared).await }).await;
        let api_url = format!("http://{address}");
        shared.change().root.clone_from(&api_url);
        Self { api_url, token, shared }
    }

    // What customers do.

    /// A customer writes to the bot; the message's id.
    pub fn customer_writes(&self, user: i64, text: &str) -> String {
        self.customer_sends(user, json!({ "text": text }))
    }

    /// A customer sends something else: `json!({"attachments": [{"type": "image", …}]})`; the message's id.
    pub fn customer_sends(&self, user: i64, body: Value) -> String {
        let mut state = self.change();
        let words = body["text"].as_str().unwrap_or_default().to_owned();
        state.ledger.push((user, false, words));
        let message = state.message(user, false, body);
        let mid = message["body"]["mid"].as_str().expect("it was made here").to_owned();
        state.push("message_created", json!({ "message": message, "user_locale": "ru" }));
        mid
    }

    /// A customer changes the words of a message.
    pub fn customer_edits(&self, user: i64, mid: &str, text: &str) {
        let mut state = self.change();
        let message = state.message(user, false, json!({ "mid": mid, "text": text }));
        state.push("message_edited", json!({ "message": message }));
    }

    /// A customer takes a message back.
    pub fn customer_removes(&self, user: i64, mid: &str) {
        let content = json!({ "message_id": mid, "chat_id": user + DIALOG, "user_id": user });
        self.change().push("message_removed", content);
    }

    /// A customer opens the dialog with the button "Start", having come by a link with `payload`.
    pub fn customer_starts(&self, user: i64, payload: Option<&str>) {
        let mut state = self.change();
        state.unreachable.remove(&user);
        state.dialog(user, "bot_started", payload);
    }

    /// A customer stops the bot.
    pub fn customer_stops(&self, user: i64) {
        let mut state = self.change();
        state.unreachable.insert(user);
        state.dialog(user, "bot_stopped", None);
    }

    /// A customer taps a button that bears `payload`; the tap's id. `message` is what it stands under, or null.
    pub fn customer_taps(&self, user: i64, payload: &str, message: &Value) -> String {
        let mut state = self.change();
        let person = state.person(user);
        let id = format!("f9LHodD0cOJ-{}", state.last_update);
        let at = state.now();
        let callback = json!({ "timestamp": at, "callback_id": id, "payload": payload, "user": person });
        state.push("message_callback", json!({ "callback": callback, "message": message, "user_locale": "ru" }));
        id
    }

    /// Who writes from a user's id from now on; without this it is Анна Петрова.
    pub fn introduce(&self, user: i64, first_name: &str, last_name: &str) {
        let person = json!({ "user_id": user, "first_name": first_name, "last_name": last_name, "is_bot": false });
        self.change().people.insert(user, person);
    }

    /// Any other update, malformed ones included.
    pub fn push(&self, kind: &str, content: Value) {
        self.change().push(kind, content);
    }

    /// Keeps a file; its address.
    pub fn keeps_file(&self, name: &str, bytes: &[u8]) -> String {
        let mut state = self.change();
        state.files.insert(name.to_owned(), bytes.to_vec());
        format!("{}/files/{name}", state.root)
    }

    // What goes wrong.

    /// The next so many calls of that name (`POST /messages`) fail like this, after those that were ordered before.
    pub fn fail_next(&self, name: &str, times: usize, fault: Fault) {
        self.change().faults.entry(name.to_owned()).or_default().extend(std::iter::repeat_n(fault, times));
    }

    /// Delivers each update twice from now on: one behind the other to a poll, at the same moment to a webhook.
    pub fn deliver_twice(&self, twice: bool) {
        self.change().twice = twice;
    }

    /// Somebody subscribes, us or another.
    pub fn subscribe(&self, url: &str, kinds: &[&str]) {
        let kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        self.change().subscriptions.push(Subscription { url: url.to_owned(), secret: None, kinds });
    }

    /// Eight hours have passed in which no post was answered.
    pub fn drops_subscriptions(&self) {
        self.change().subscriptions.clear();
    }

    /// Breaks all connections and refuses new ones, until [`Self::come_up`].
    pub async fn go_down(&self) {
        self.shared.go_down().await;
    }

    /// Listens again, on the same port.
    pub async fn come_up(&self) {
        self.shared.come_up().await;
    }

    // What came of it.

    /// What the bot said to a customer, in the order in which it was seen.
    pub fn replies(&self, user: i64) -> Vec<String> {
        let state = self.shared.lock();
        state.ledger.iter().filter(|(of, by_bot, _)| *of == user && *by_bot).map(|(.., text)| text.clone()).collect()
    }

    /// Each call of that name, oldest first, failed ones included.
    pub fn calls(&self, name: &str) -> Vec<Call> {
        self.shared.lock().calls.iter().filter(|call| call.name == name).cloned().collect()
    }

    /// Every call, oldest first.
    pub fn all_calls(&self) -> Vec<Call> {
        self.shared.lock().calls.clone()
    }

    /// Updates that were not committed, or not taken.
    pub fn pending(&self) -> usize {
        self.shared.lock().pending.len()
    }

    /// Where updates are posted.
    pub fn subscriptions(&self) -> Vec<String> {
        self.shared.lock().subscriptions.iter().map(|one| one.url.clone()).collect()
    }

    /// The number of a customer's dialog.
    pub fn dialog(user: i64) -> i64 {
        user + DIALOG
    }

    /// Waits until the bot has said so much to a customer, and gives all it said.
    ///
    /// # Panics
    /// If it takes longer.
    pub async fn wait_for_replies(&self, user: i64, count: usize, within: Duration) -> Vec<String> {
        let done = self.wait(within, || self.replies(user).len() >= count).await;
        assert!(done, "no {count} replies within {within:?}: {:#?}", self.replies(user));
        self.replies(user)
    }

    /// Waits until every update is committed or taken.
    ///
    /// # Panics
    /// If it takes longer.
    pub async fn wait_until_read(&self, within: Duration) {
        let done = self.wait(within, || self.pending() == 0).await;
        assert!(done, "{} updates are not taken within {within:?}", self.pending());
    }

    /// Waits until something holds, looking after each change here. Whether it came to hold.
    pub async fn wait(&self, within: Duration, holds: impl Fn() -> bool) -> bool {
        self.shared.wait(within, holds).await
    }

    fn change(&self) -> Change<'_> {
        self.shared.change()
    }
}

impl Drop for FakeMax {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl State {
    /// A time that is made of what happened before, so that runs repeat to the letter.
    fn now(&self) -> i64 {
        1_790_000_000_000 + self.last_update * 1_000 + self.last_message
    }

    fn person(&self, user: i64) -> Value {
        let anna = json!({ "user_id": user, "first_name": "Анна", "last_name": "Петрова", "is_bot": false });
        self.people.get(&user).cloned().unwrap_or(anna)
    }

    fn me() -> Value {
        json!({ "user_id": 229_229_229, "first_name": "Мята", "username": "id7700000000_bot", "is_bot": true })
    }

    /// A `Message` with this body, which is given an id and a number unless it has them.
    fn message(&mut self, user: i64, by_bot: bool, body: Value) -> Value {
        self.last_message += 1;
        let person = self.person(user);
        self.people.entry(user).or_insert_with(|| person.clone());
        let mut whole = json!({
            "mid": format!("mid.000000000adf429c{:016x}", self.last_message),
            "seq": 116_327_994_376_978_687_i64 + self.last_message,
        });
        if let (Some(whole), Value::Object(body)) = (whole.as_object_mut(), body) {
            whole.extend(body);
        }
        let recipient = if by_bot { user } else { Self::me()["user_id"].as_i64().expect("a number") };
        json!({
            "sender": if by_bot { Self::me() } else { person },
            "recipient": { "chat_id": user + DIALOG, "chat_type": "dialog", "user_id": recipient },
            "timestamp": self.now(),
            "body": whole,
        })
    }

    fn dialog(&mut self, user: i64, kind: &str, payload: Option<&str>) {
        let person = self.person(user);
        self.people.entry(user).or_insert_with(|| person.clone());
        let mut content = json!({ "chat_id": user + DIALOG, "user": person, "user_locale": "ru" });
        if let Some(payload) = payload {
            content["payload"] = json!(payload);
        }
        self.push(kind, content);
    }

    fn push(&mut self, kind: &str, content: Value) {
        self.last_update += 1;
        let mut body = json!({ "update_type": kind, "timestamp": self.now() });
        if let (Some(body), Value::Object(content)) = (body.as_object_mut(), content) {
            body.extend(content);
        }
        self.pending.push_back(Update { number: self.last_update, body });
    }
}
