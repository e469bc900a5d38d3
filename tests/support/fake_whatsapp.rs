//! A WhatsApp of our own: Meta's Cloud API over real HTTP on loopback, with a ledger of what customers saw.
//!
//! ```ignore
//! let whatsapp = FakeWhatsApp::start().await;
//! // api_url, token, phone_number_id, app_secret => FIRSTLINE__WHATSAPP__…
//! whatsapp.set_webhook(&format!("{url}/whatsapp/{}", whatsapp.phone_number_id), "typed in by hand").await.unwrap();
//! whatsapp.customer_writes(ANNA, "Где мой заказ?");
//! let replies = whatsapp.wait_for_replies(ANNA, 1, Duration::from_secs(10)).await;
//! ```
//!
//! Kept of the real one: a webhook is asked for its challenge before it is taken; each post is signed over its bytes, in
//! which other letters than Latin are escaped, and is tried again until it answers 200; a customer is written to by phone
//! or by id, and not before they wrote, nor when their window has closed, nor 4097 characters; typing is an answer to a
//! message of theirs; an accepted message is told of by statuses, which bear what was sent along; a file has an address
//! that wants the token. Not kept: templates, media sent by us, limits of rate (order them with [`Fault::Error`]).
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of it")]

mod api;
pub mod webhook;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use firstline::adapters::clock::SystemClock;
use firstline::ports::clock::Clock as _;
use serde_json::{Value, json};

use super::server;

type Shared = server::Shared<State>;
type Change<'a> = server::Change<'a, State>;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error of the Graph API: the status and the code.
    Error(u16, i64),
    /// A page of HTML with this status, as proxies send it, to be tried again after so many seconds, if any.
    Html(u16, Option<u32>),
    /// Success by the status, but the body breaks off.
    HalfAnswer,
    /// Success, but no message is named.
    NoMessage,
    /// The connection is reset, and nothing was done.
    Reset,
    /// The message is shown, and then the connection is reset.
    ShowThenReset,
    /// No answer comes, and nothing was done.
    Hang,
    /// The message is shown, and no answer comes.
    ShowThenHang,
}

/// The server and its controls.
pub struct FakeWhatsApp {
    /// Root of the API, with its version.
    pub api_url: String,
    /// What the API takes.
    pub token: String,
    /// Our number.
    pub phone_number_id: String,
    /// What posts are signed with.
    pub app_secret: String,
    shared: Arc<Shared>,
}

struct State {
    token: String,
    phone_number_id: String,
    app_secret: String,
    root: String,
    webhook: Option<String>,
    /// Posts that were not taken yet, oldest first, and those under way.
    pending: VecDeque<Post>,
    posting: HashSet<u64>,
    last: u64,
    people: HashMap<String, Person>,
    /// Ids of messages that customers wrote.
    written: HashSet<String>,
    /// When the fake began, in seconds since 1970.
    began: u64,
    /// Customers whose window has closed.
    closed: HashSet<String>,
    ledger: Vec<(String, String)>,
    sent: Vec<Value>,
    shown_typing: Vec<String>,
    files: HashMap<String, Vec<u8>>,
    faults: VecDeque<Fault>,
    file_faults: VecDeque<Fault>,
    twice: bool,
    statuses: Vec<&'static str>,
    fails_later: Option<i64>,
}

/// A customer.
#[derive(Clone)]
struct Person {
    name: String,
    id: Option<String>,
    hides_phone: bool,
}

#[derive(Clone)]
struct Post {
    number: u64,
    body: Value,
}

impl FakeWhatsApp {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        let (token, app_secret) = ("EAAfakeTokenOfASystemUser".to_owned(), "app-secret-of-the-fake".to_owned());
        let phone_number_id = "106540352242922".to_owned();
        let shared = Shared::new(State::new(&token, &phone_number_id, &app_secret));
        let app = Router::new()
            .route("/v24.0/{node}", get(api::node))
            .route("/v24.0/{node}/messages", post(api::messages))
            .route("/files/{file}", get(api::file))
            .with_state(Arc::clone(&shared));
        let address = shared.serve(app, |shared| async move { webhook::deliver(&shared).await }).await;
        shared.change().root = format!("http://{address}");
        Self { api_url: format!("http://{address}/v24.0"), token, phone_number_id, app_secret, shared }
    }

    /// Types an address and a token in at Meta, which asks there for its challenge.
    ///
    /// # Errors
    /// The status, or that the challenge did not come back.
    pub async fn set_webhook(&self, url: &str, verify_token: &str) -> Result<(), String> {
        webhook::challenge(url, verify_token).await?;
        self.shared.change().webhook = Some(url.to_owned());
        Ok(())
    }

    // What customers do; who they are is told by their phone. Each returns the id of the message that it made.

    /// A customer writes.
    pub fn customer_writes(&self, phone: &str, text: &str) -> String {
        self.customer_sends(phone, json!({ "type": "text", "text": { "body": text } }))
    }

    /// A customer sends something else: `json!({"type": "image", "image": {"id": "…"}})`.
    pub fn customer_sends(&self, phone: &str, content: Value) -> String {
        let mut state = self.change();
        state.closed.remove(phone);
        let message = state.message(phone, content);
        let id = message["id"].as_str().expect("it was made here").to_owned();
        let contact = state.contact(phone);
        state.push("messages", json!({ "contacts": [contact], "messages": [message] }));
        id
    }

    /// A customer has sent a file; its id, for a message.
    pub fn file(&self, bytes: &[u8]) -> String {
        let mut state = self.change();
        let id = state.next().to_string();
        state.files.insert(id.clone(), bytes.to_vec());
        id
    }

    /// Who writes from a phone from now on; without this it is Анна, known by the phone alone.
    pub fn introduce(&self, phone: &str, name: &str, id: Option<&str>, hides_phone: bool) {
        let person = Person { name: name.to_owned(), id: id.map(str::to_owned), hides_phone };
        self.change().people.insert(phone.to_owned(), person);
    }

    /// Any other change.
    pub fn push(&self, field: &str, value: Value) {
        self.change().push(field, value);
    }

    // What goes wrong.

    /// The next so many sends fail like this, after those that were ordered before.
    pub fn fail_next_sends(&self, times: usize, fault: Fault) {
        self.change().faults.extend(std::iter::repeat_n(fault, times));
    }

    /// The next question for a file, or the next file, fails like this.
    pub fn fail_next_file(&self, fault: Fault) {
        self.change().file_faults.push_back(fault);
    }

    /// Posts each body twice from now on, at the same moment.
    pub fn deliver_twice(&self, twice: bool) {
        self.change().twice = twice;
    }

    /// The statuses that follow a send, in this order; without this `sent`, `delivered`, `read`.
    pub fn tells_statuses(&self, statuses: &[&'static str]) {
        self.change().statuses = statuses.to_vec();
    }

    /// What is accepted from now on is not shown: a status tells so, with this code.
    pub fn fails_later(&self, code: Option<i64>) {
        self.change().fails_later = code;
    }

    /// 24 hours have passed since the customer wrote.
    pub fn window_closes(&self, phone: &str) {
        self.change().closed.insert(phone.to_owned());
    }

    /// Breaks all connections and refuses new ones.
    pub async fn go_down(&self) {
        self.shared.go_down().await;
    }

    /// Listens again, on the same port.
    pub async fn come_up(&self) {
        self.shared.come_up().await;
    }

    // What came of it.

    /// What a customer was shown, oldest first.
    pub fn replies(&self, phone: &str) -> Vec<String> {
        self.shared.lock().ledger.iter().filter(|(to, _)| to == phone).map(|(_, text)| text.clone()).collect()
    }

    /// The bodies of all calls of `messages`, failed ones included.
    pub fn calls(&self) -> Vec<Value> {
        self.shared.lock().sent.clone()
    }

    /// Messages under which typing was shown; they were shown as read, too.
    pub fn shown_typing(&self) -> Vec<String> {
        self.shared.lock().shown_typing.clone()
    }

    /// Posts that were not taken yet.
    pub fn pending(&self) -> usize {
        self.shared.lock().pending.len()
    }

    /// Waits until a customer was shown so much, and gives all of it.
    ///
    /// # Panics
    /// If it takes longer.
    pub async fn wait_for_replies(&self, phone: &str, count: usize, within: Duration) -> Vec<String> {
        let done = self.wait(within, || self.replies(phone).len() >= count).await;
        assert!(done, "no {count} replies within {within:?}: {:#?}", self.replies(phone));
        self.replies(phone)
    }

    /// Waits until every post was taken.
    ///
    /// # Panics
    /// If it takes longer.
    pub async fn wait_until_read(&self, within: Duration) {
        let done = self.wait(within, || self.pending() == 0).await;
        assert!(done, "{} posts are not taken within {within:?}", self.pending());
    }

    /// Waits until something holds, looking after each change here. Whether it came to hold.
    pub async fn wait(&self, within: Duration, holds: impl Fn() -> bool) -> bool {
        self.shared.wait(within, holds).await
    }

    fn change(&self) -> Change<'_> {
        self.shared.change()
    }
}

impl Drop for FakeWhatsApp {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl State {
    fn new(token: &str, phone_number_id: &str, app_secret: &str) -> Self {
        Self {
            token: token.to_owned(),
            phone_number_id: phone_number_id.to_owned(),
            app_secret: app_secret.to_owned(),
            root: String::new(),
            webhook: None,
            pending: VecDeque::new(),
            posting: HashSet::new(),
            last: 0,
            people: HashMap::new(),
            written: HashSet::new(),
            began: u64::try_from(SystemClock.now().as_second()).expect("it is after 1970"),
            closed: HashSet::new(),
            ledger: Vec::new(),
            sent: Vec::new(),
            shown_typing: Vec::new(),
            files: HashMap::new(),
            faults: VecDeque::new(),
            file_faults: VecDeque::new(),
            twice: false,
            statuses: vec!["sent", "delivered", "read"],
            fails_later: None,
        }
    }

    /// Meta's time of the thing with that number. They follow each other, and the first is now: customers may be written to
    /// for a day.
    fn seconds(&self, number: u64) -> String {
        (self.began + number).to_string()
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn person(&self, phone: &str) -> Person {
        let anna = Person { name: "Анна".to_owned(), id: None, hides_phone: false };
        self.people.get(phone).cloned().unwrap_or(anna)
    }

    /// The phone of the customer whom a send names by phone or id.
    fn phone_of(&self, request: &Value) -> Option<String> {
        if let Some(phone) = request["to"].as_str() {
            return self.people.contains_key(phone).then(|| phone.to_owned());
        }
        let id = request["recipient"].as_str()?;
        self.people.iter().find(|(_, person)| person.id.as_deref() == Some(id)).map(|(phone, _)| phone.clone())
    }

    /// A message with this content.
    fn message(&mut self, phone: &str, content: Value) -> Value {
        let number = self.next();
        let person = self.person(phone);
        self.people.entry(phone.to_owned()).or_insert_with(|| person.clone());
        let id = format!("wamid.in{number}");
        self.written.insert(id.clone());
        let mut message = json!({ "id": id, "timestamp": self.seconds(number) });
        if let Some(id) = &person.id {
            message["from_user_id"] = json!(id);
        }
        if !person.hides_phone {
            message["from"] = json!(phone);
        }
        if let (Some(message), Value::Object(content)) = (message.as_object_mut(), content) {
            message.extend(content);
        }
        message
    }

    fn contact(&self, phone: &str) -> Value {
        let person = self.person(phone);
        let mut contact = json!({ "profile": { "name": person.name } });
        if let Some(id) = person.id {
            contact["user_id"] = json!(id);
        }
        if !person.hides_phone {
            contact["wa_id"] = json!(phone);
        }
        contact
    }

    fn envelope(&self, field: &str, value: Value) -> Value {
        let metadata = json!({ "display_phone_number": "15550783881", "phone_number_id": self.phone_number_id });
        let mut whole = json!({ "messaging_product": "whatsapp", "metadata": metadata });
        if let (Some(whole), Value::Object(value)) = (whole.as_object_mut(), value) {
            whole.extend(value);
        }
        let change = json!({ "value": whole, "field": field });
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": "419561257915477", "changes": [change] }] })
    }

    fn push(&mut self, field: &str, value: Value) {
        let body = self.envelope(field, value);
        let number = self.next();
        self.pending.push_back(Post { number, body });
    }

    /// What becomes of an accepted message.
    fn tell(&mut self, id: &str, phone: &str, request: &Value) {
        let person = self.person(phone);
        let statuses = if self.fails_later.is_some() { vec!["failed"] } else { self.statuses.clone() };
        for name in statuses {
            let number = self.next();
            let mut status = json!({ "id": id, "status": name, "timestamp": self.seconds(number) });
            if !person.hides_phone {
                status["recipient_id"] = json!(phone);
            }
            if let Some(id) = &person.id {
                status["recipient_user_id"] = json!(id);
            }
            if let Some(key) = request["biz_opaque_callback_data"].as_str() {
                status["biz_opaque_callback_data"] = json!(key);
            }
            match self.fails_later {
                Some(code) => status["errors"] = json!([{ "code": code, "title": "as ordered" }]),
                None => {
                    status["pricing"] = json!({ "billable": true, "pricing_model": "PMP", "category": "service" });
                }
            }
            self.push("messages", json!({ "statuses": [status] }));
        }
    }
}
