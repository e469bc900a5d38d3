//! A Telegram of our own: the Bot API over real HTTP on loopback, with a ledger of what customers saw.
//!
//! ```ignore
//! let telegram = FakeTelegram::start().await;
//! // telegram.api_url => FIRSTLINE__TELEGRAM__API_URL, telegram.token => FIRSTLINE__TELEGRAM__TOKEN; polling or webhook
//! telegram.customer_writes(11, "Где мой заказ?");
//! let replies = telegram.wait_for_replies(11, 1, Duration::from_secs(10)).await;
//! ```
//!
//! It runs on a thread of its own: the test may block, and the program under test may be killed and started again, while
//! this keeps its updates and its ledger. Dropping it ends it.
//!
//! Kept of the real one: methods in any case; JSON, form or query; `getUpdates` forgets what stands before the offset,
//! waits, and ends an older poll with a conflict; a webhook takes the place of polling, is tried again until it answers 2xx,
//! keeps the order within a chat and runs over `max_connections` connections; a bot can't write to a chat that never wrote
//! to it, nor to one that blocked it, nor 4097 units; buttons and taps on them; files, up to 20 MB; accounts of Telegram
//! Business that the bot answers for. Not kept: multipart, groups, limits of rate (order them with [`Fault::TooMany`]).
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of it")]

mod api;
mod business;
mod webhook;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use serde_json::{Value, json};

use super::server;

type Shared = server::Shared<State>;
type Change<'a> = server::Change<'a, State>;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429, to be tried again after so many seconds.
    TooMany(u32),
    /// 403: the customer blocked the bot.
    Blocked,
    /// An error of the Bot API: the code and the description.
    Error(u16, &'static str),
    /// 400, with the id that the chat has now.
    Migrated(i64),
    /// A page of HTML with this status, as proxies send it.
    Html(u16),
    /// Success by the status, but the body breaks off.
    HalfAnswer,
    /// The connection is reset, and nothing was done.
    Reset,
    /// The message is shown, and then the connection is reset.
    ShowThenReset,
    /// No answer comes, and nothing was done.
    Hang,
    /// The message is shown, and no answer comes.
    ShowThenHang,
}

/// A line of a chat, as the customer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The bot said it; otherwise the customer did.
    pub by_bot: bool,
    /// The words.
    pub text: String,
}

/// The server and its controls.
pub struct FakeTelegram {
    /// Root of the API.
    pub api_url: String,
    /// The token of its only bot.
    pub token: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct State {
    token: String,
    /// Not confirmed yet, oldest first.
    pending: VecDeque<Update>,
    last_update: i64,
    last_message: i64,
    /// Kinds that the bot asked for; empty: all that come unasked.
    allowed: Vec<String>,
    /// Number of the newest poll.
    polls: u64,
    webhook: Option<Webhook>,
    /// Updates that are being posted.
    posting: HashSet<i64>,
    people: HashMap<i64, Value>,
    blocked: HashSet<i64>,
    ledger: Vec<(i64, Line)>,
    calls: Vec<(String, Value)>,
    faults: HashMap<String, VecDeque<Fault>>,
    twice: bool,
    any_order: bool,
    /// Messages of the bot, as they are shown now.
    sent: Vec<Value>,
    /// Taps that wait to be acknowledged.
    taps: HashSet<String>,
    /// Bytes, by file id.
    files: HashMap<String, Vec<u8>>,
    accounts: HashMap<String, business::Account>,
    /// Whether answers to sends wait, and the chats of those that do.
    holds_sends: bool,
    held_sends: Vec<i64>,
}

#[derive(Clone)]
struct Update {
    id: i64,
    chat: Option<i64>,
    body: Value,
}

#[derive(Clone, PartialEq, Eq)]
struct Webhook {
    url: String,
    secret: String,
    max_connections: usize,
}

impl FakeTelegram {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        let token = "123456789:AAEfake-Token_of_a_bot_that_lives_on_loopback".to_owned();
        let shared = Shared::new(State { token: token.clone(), last_update: 1000, ..State::default() });
        let app = Router::new()
            .route("/{bot}/{method}", any(api::answer))
            .route("/file/{bot}/{*path}", any(api::file))
            .with_state(Arc::clone(&shared));
        let address = shared.serve(app, |shared| async move { webhook::deliver(&shared).await }).await;
        Self { api_url: format!("http://{address}"), token, shared }
    }

    // What customers do. Each returns the id of the update that it made.

    /// A customer writes to the bot in a private chat.
    pub fn customer_writes(&self, chat: i64, text: &str) -> i64 {
        let mut content = json!({ "text": text });
        if text.starts_with('/') {
            let length = text.split_whitespace().next().map_or(0, str::len);
            content["entities"] = json!([{ "type": "bot_command", "offset": 0, "length": length }]);
        }
        self.customer_sends(chat, content)
    }

    /// A customer sends something else: `json!({"photo": [{"file_id": "…"}], "caption": "…"})`.
    pub fn customer_sends(&self, chat: i64, content: Value) -> i64 {
        let mut state = self.change();
        let text = content.get("text").or(content.get("caption")).and_then(Value::as_str).unwrap_or_default();
        state.ledger.push((chat, Line { by_bot: false, text: text.to_owned() }));
        let message = state.message(chat, false, content);
        state.push("message", message)
    }

    /// A customer sends several pictures at once, the first with these words under it: one update for each.
    pub fn customer_sends_album(&self, chat: i64, caption: &str, files: &[&str]) {
        let album = format!("album-{}", files.join("-"));
        for (place, file) in files.iter().enumerate() {
            let photo = json!({ "file_id": file, "file_unique_id": file, "width": 9, "height": 9 });
            let mut content = json!({ "media_group_id": album, "photo": [photo] });
            if place == 0 {
                content["caption"] = json!(caption);
            }
            self.customer_sends(chat, content);
        }
    }

    /// A customer taps the newest button that bears `payload`, wherever it stands.
    ///
    /// # Panics
    /// Where the bot has shown no such button.
    pub fn customer_taps(&self, chat: i64, payload: &str) -> i64 {
        let mut state = self.change();
        let bears =
            |message: &&Value| message["chat"]["id"] == chat && api::buttons(message).any(|(_, of)| of == payload);
        let message = state.sent.iter().rev().find(bears).cloned();
        let message = message.unwrap_or_else(|| panic!("no button bears {payload}"));
        let id = format!("tap{}", state.last_update + 1);
        state.taps.insert(id.clone());
        let person = state.person(chat);
        state.push(
            "callback_query",
            json!({ "id": id, "from": person, "message": message, "chat_instance": "1", "data": payload }),
        )
    }

    /// A customer opens the chat with the button "Start".
    pub fn customer_starts(&self, chat: i64) -> i64 {
        self.customer_writes(chat, "/start")
    }

    /// A customer blocks the bot: it is told so, and can't write any more.
    pub fn customer_blocks(&self, chat: i64) -> i64 {
        let mut state = self.change();
        state.blocked.insert(chat);
        state.membership(chat, "member", "kicked")
    }

    /// A customer lets the bot write again.
    pub fn customer_unblocks(&self, chat: i64) -> i64 {
        let mut state = self.change();
        state.blocked.remove(&chat);
        state.membership(chat, "kicked", "member")
    }

    /// Who writes in a chat from now on; without this it is Анна Петрова, in Russian.
    pub fn introduce(&self, chat: i64, first_name: &str, last_name: &str, language_code: &str) {
        let person = json!({
            "id": chat, "is_bot": false, "first_name": first_name, "last_name": last_name, "language_code": language_code,
        });
        self.change().people.insert(chat, person);
    }

    /// From now on there is a file with this id.
    pub fn keeps_file(&self, id: &str, bytes: impl Into<Vec<u8>>) {
        self.change().files.insert(id.to_owned(), bytes.into());
    }

    /// Any other update: `push("edited_message", json!({…}))`, and malformed ones: `push("message", json!(17))`.
    pub fn push(&self, kind: &str, content: Value) -> i64 {
        self.change().push(kind, content)
    }

    // What goes wrong.

    /// The next so many calls of a method (`sendMessage`) fail like this, after those that were ordered before.
    pub fn fail_next(&self, method: &str, times: usize, fault: Fault) {
        let mut state = self.change();
        state.faults.entry(method.to_lowercase()).or_default().extend(std::iter::repeat_n(fault, times));
    }

    /// [`Self::fail_next`] of `sendMessage`.
    pub fn fail_next_sends(&self, times: usize, fault: Fault) {
        self.fail_next("sendMessage", times, fault);
    }

    /// Delivers each update twice from now on: one behind the other to a poll, at the same moment to a webhook.
    pub fn deliver_twice(&self, twice: bool) {
        self.change().twice = twice;
    }

    /// Posts to a webhook without heed of the order within a chat.
    pub fn deliver_in_any_order(&self, any_order: bool) {
        self.change().any_order = any_order;
    }

    /// Lets the answers of sends wait from now on, or go out: what a send does is done at once.
    pub fn hold_sends(&self, hold: bool) {
        self.change().holds_sends = hold;
    }

    /// Chats of the sends whose answers wait; those of a client that is gone do not count.
    pub fn held_sends(&self) -> Vec<i64> {
        self.shared.lock().held_sends.clone()
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

    /// What the bot said in a chat, in the order in which the customer saw it.
    pub fn replies(&self, chat: i64) -> Vec<String> {
        self.transcript(chat).into_iter().filter(|line| line.by_bot).map(|line| line.text).collect()
    }

    /// All that a chat shows.
    pub fn transcript(&self, chat: i64) -> Vec<Line> {
        self.shared.lock().ledger.iter().filter(|(of, _)| *of == chat).map(|(_, line)| line.clone()).collect()
    }

    /// What stands on the buttons that a chat shows, and what they bear, oldest first.
    pub fn buttons(&self, chat: i64) -> Vec<(String, String)> {
        let state = self.shared.lock();
        let shown = state.sent.iter().filter(|message| message["chat"]["id"] == chat);
        shown.flat_map(api::buttons).map(|(title, payload)| (title.to_owned(), payload.to_owned())).collect()
    }

    /// All calls, oldest first: the method in lower case, and its parameters.
    pub fn all_calls(&self) -> Vec<(String, Value)> {
        self.shared.lock().calls.clone()
    }

    /// The parameters of each call of a method, oldest first, failed ones included.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        let method = method.to_lowercase();
        let state = self.shared.lock();
        state.calls.iter().filter(|(of, _)| *of == method).map(|(_, parameters)| parameters.clone()).collect()
    }

    /// Updates that the bot has not confirmed yet: by a higher offset, or with a 2xx.
    pub fn pending(&self) -> usize {
        self.shared.lock().pending.len()
    }

    /// Where updates are posted.
    pub fn webhook(&self) -> Option<String> {
        self.shared.lock().webhook.as_ref().map(|webhook| webhook.url.clone())
    }

    /// Waits until the bot has said so much in a chat, and gives all it said.
    ///
    /// # Panics
    /// With the chat, if it takes longer.
    pub async fn wait_for_replies(&self, chat: i64, count: usize, within: Duration) -> Vec<String> {
        let done = self.wait(within, || self.replies(chat).len() >= count).await;
        assert!(done, "no {count} replies within {within:?}: {:#?}", self.transcript(chat));
        self.replies(chat)
    }

    /// Waits until every update is confirmed.
    ///
    /// # Panics
    /// If it takes longer.
    pub async fn wait_until_read(&self, within: Duration) {
        let done = self.wait(within, || self.pending() == 0).await;
        assert!(done, "{} updates are not confirmed within {within:?}", self.pending());
    }

    /// Waits until something holds, looking after each change here: `wait(within, || telegram.calls("getMe").len() == 1)`.
    /// Whether it came to hold.
    pub async fn wait(&self, within: Duration, holds: impl Fn() -> bool) -> bool {
        self.shared.wait(within, holds).await
    }

    fn change(&self) -> Change<'_> {
        self.shared.change()
    }
}

impl Drop for FakeTelegram {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl State {
    fn person(&self, chat: i64) -> Value {
        let anna = json!({
            "id": chat, "is_bot": false, "first_name": "Анна", "last_name": "Петрова", "language_code": "ru",
        });
        self.people.get(&chat).cloned().unwrap_or(anna)
    }

    /// A `Message` with this content; its time is made of its number, so that runs repeat to the letter.
    fn message(&mut self, chat: i64, by_bot: bool, content: Value) -> Value {
        self.last_message += 1;
        let person = self.person(chat);
        self.people.entry(chat).or_insert_with(|| person.clone());
        let mut message = json!({
            "message_id": self.last_message,
            "date": 1_790_000_000 + self.last_message,
            "chat": { "id": chat, "type": "private", "first_name": person["first_name"] },
            "from": if by_bot { self.me() } else { person },
        });
        if let (Some(message), Value::Object(content)) = (message.as_object_mut(), content) {
            message.extend(content);
        }
        message
    }

    fn membership(&mut self, chat: i64, old: &str, new: &str) -> i64 {
        let content = json!({
            "chat": { "id": chat, "type": "private" }, "from": self.person(chat), "date": 1_790_000_000 + self.last_message,
            "old_chat_member": { "user": self.me(), "status": old },
            "new_chat_member": { "user": self.me(), "status": new, "until_date": 0 },
        });
        self.push("my_chat_member", content)
    }

    fn me(&self) -> Value {
        let id: i64 = self.token.split(':').next().and_then(|id| id.parse().ok()).expect("a token begins with an id");
        json!({ "id": id, "is_bot": true, "first_name": "Мята", "username": "myata_help_bot" })
    }

    fn push(&mut self, kind: &str, content: Value) -> i64 {
        self.last_update += 1;
        let id = self.last_update;
        let unasked = !matches!(kind, "chat_member" | "message_reaction" | "message_reaction_count");
        if if self.allowed.is_empty() { unasked } else { self.allowed.iter().any(|allowed| allowed == kind) } {
            let chat = content.pointer("/chat/id").or(content.pointer("/message/chat/id")).and_then(Value::as_i64);
            let mut body = json!({ "update_id": id });
            body[kind] = content;
            self.pending.push_back(Update { id, chat, body });
        }
        id
    }
}
