//! A Firstline that serves on loopback: real router, real store in a file of its own, a clock that stands still until
//! it is moved. The bot's part is played by the test.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use firstline::adapters::store::SqlStore;
use firstline::adapters::webchat::WebChat;
use firstline::config::Config;
use firstline::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
use firstline::domain::handoff::{HandoffReason, Package};
use firstline::domain::id::{BootId, ConversationId, CustomerId, HandoffId, Ids, OperatorId, TurnId};
use firstline::domain::message::Citation;
use firstline::domain::outbox::{Outbound, SendOutcome};
use firstline::domain::text::{Language, MessageText};
use firstline::domain::turn::TurnRecord;
use firstline::flow::errands::Errands;
use firstline::flow::knowledge::KnowledgeBase;
use firstline::flow::pace::Paces;
use firstline::flow::search::{Search, Searcher};
use firstline::flow::wake::Wake;
use firstline::flow::{Ctx, compose};
use firstline::http::password;
use firstline::ports::channel::{Channel, DecodeError, Limits, Pace, Receipt, SendError};
use firstline::ports::clock::Clock;
use firstline::ports::desk::Operator;
use firstline::ports::index::{Hit, IndexError, Point, Query, SearchIndex, Shelf};
use firstline::ports::store::{Committed, NewHandoff, Store, TurnCommit};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The secret that the test's Telegram signs with.
pub(crate) const TELEGRAM_SECRET: &str = "only-telegram-knows";

/// The password of every operator that [`Served::operator`] makes.
pub(crate) const PASSWORD: &str = "чашка у окна";

const DATABASE: &str = "firstline.db";

/// Tables without which nothing on a page works.
const TABLES: [&str; 5] = ["inbox", "messages", "operators", "sessions", "visitors"];

/// A Firstline under test.
pub(crate) struct Served {
    pub(crate) ctx: Arc<Ctx>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    /// The updates of which the messenger was told that they are stored.
    pub(crate) told: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
    directory: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Stands still until it is moved.
pub(crate) struct ManualClock(Mutex<Timestamp>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl ManualClock {
    pub(crate) fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

/// Serves with the default settings.
pub(crate) async fn serve() -> Served {
    serve_with(|_| ()).await
}

/// Serves with settings changed by `change`.
pub(crate) async fn serve_with(change: impl FnOnce(&mut Config)) -> Served {
    let directory = tempfile::tempdir().unwrap();
    let store = SqlStore::open_sqlite(&directory.path().join(DATABASE)).await.unwrap();
    let clock = Arc::new(ManualClock(Mutex::new("2026-11-20T09:00:00Z".parse().unwrap())));
    let mut config = Config::defaults();
    config.data.dir = directory.path().to_owned();
    change(&mut config);
    let told = Arc::new(Mutex::new(Vec::new()));
    let ctx = Arc::new(context(Arc::new(store), Arc::clone(&clock), config, PushedTelegram(Arc::clone(&told))));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let mut serving = JoinSet::new();
    let served = firstline::http::serve(listener, Arc::clone(&ctx), stop.clone());
    serving.spawn(async move { served.await.unwrap() });
    // The default provider is chosen once in a process; whoever comes second finds it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    Served { ctx, clock, client, address, stop, told, _serving: serving, directory }
}

fn context(store: Arc<dyn Store>, clock: Arc<ManualClock>, config: Config, telegram: PushedTelegram) -> Ctx {
    let ids = Ids::seeded(42);
    let words = firstline::app::load_words(&config).unwrap();
    Ctx {
        store,
        search: Search::new(Searcher { index: Arc::new(EmptyIndex), embedder: None }, None),
        model: None,
        channels: vec![
            Arc::new(WebChat::new(ChannelKind::Web, "site").with_uploads(config.uploads_dir())),
            Arc::new(WebChat::new(ChannelKind::Terminal, "local")),
            Arc::new(telegram),
        ],
        boot: BootId::fresh(&ids, clock.now()),
        clock,
        ids,
        config,
        wake: Wake::default(),
        paces: Paces::default(),
        errands: Errands::default(),
        knowledge: KnowledgeBase::default(),
        words: Arc::new(words),
    }
}

/// An index with nothing in it.
struct EmptyIndex;

#[async_trait]
impl SearchIndex for EmptyIndex {
    fn name(&self) -> &'static str {
        "empty"
    }
    async fn ids(&self, _: Shelf) -> Result<Vec<Uuid>, IndexError> {
        Ok(Vec::new())
    }
    async fn upsert(&self, _: Shelf, _: Vec<Point>) -> Result<(), IndexError> {
        Ok(())
    }
    async fn remove(&self, _: Shelf, _: Vec<Uuid>) -> Result<(), IndexError> {
        Ok(())
    }
    async fn forget(&self, _: CustomerId) -> Result<(), IndexError> {
        Ok(())
    }
    async fn search(&self, _: Query) -> Result<Vec<Hit>, IndexError> {
        Ok(Vec::new())
    }
    async fn count(&self, _: Shelf) -> Result<usize, IndexError> {
        Ok(0)
    }
    async fn wipe(&self, _: Shelf) -> Result<(), IndexError> {
        Ok(())
    }
    async fn flush(&self) -> Result<(), IndexError> {
        Ok(())
    }
}

/// A Telegram whose updates are `{"id": …, "chat": …, "text": …}`: what the route does with a channel's verdict does
/// not depend on the vendor's format.
struct PushedTelegram(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Channel for PushedTelegram {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Telegram
    }
    fn account(&self) -> &'static str {
        "myata_bot"
    }
    fn limits(&self) -> Limits {
        let pace = Pace {
            account_per_second: NonZeroU32::new(30).unwrap(),
            between: SignedDuration::from_secs(1),
            burst: NonZeroU32::new(1).unwrap(),
        };
        Limits { window: Some(SignedDuration::from_hours(24)), pace: Some(pace), ..Limits::text(4_096) }
    }
    async fn send(&self, part: &Outbound) -> Result<Receipt, SendError> {
        Ok(Receipt { provider_id: Some(format!("sent {}", part.text.as_str())) })
    }
    async fn stored(&self, update: &Inbound) {
        self.0.lock().unwrap().push(update.external_id.clone());
    }
    fn decode(&self, headers: &HashMap<String, String>, body: &[u8]) -> Result<Vec<Inbound>, DecodeError> {
        if headers.get("x-telegram-bot-api-secret-token").map(String::as_str) != Some(TELEGRAM_SECRET) {
            return Err(DecodeError::Forged);
        }
        let update: Value = serde_json::from_slice(body).map_err(|_| DecodeError::Malformed("no JSON".to_owned()))?;
        let text = |name: &str| update[name].as_str().map(str::to_owned);
        let missing = || DecodeError::Malformed("a field is missing".to_owned());
        let from = Address {
            channel: ChannelKind::Telegram,
            account: "myata_bot".to_owned(),
            external: text("chat").ok_or_else(missing)?,
        };
        let event = InboundEvent::Message(MessageText::new(text("text").ok_or_else(missing)?));
        Ok(vec![Inbound {
            display_name: text("name"),
            language: Some(Language::Ru),
            ..Inbound::new(from, text("id").ok_or_else(missing)?, event)
        }])
    }
}

impl Served {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    // ---- The store ----

    /// From now on the store fails.
    pub(crate) async fn break_store(&self) {
        self.rename_tables("", "_gone").await;
    }

    /// The store works again.
    pub(crate) async fn mend_store(&self) {
        self.rename_tables("_gone", "").await;
    }

    async fn rename_tables(&self, from: &str, to: &str) {
        let url = format!("sqlite://{}", self.directory.path().join(DATABASE).display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        for table in TABLES {
            let rename = format!("alter table {table}{from} rename to {table}{to}");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(rename))).await.unwrap();
        }
        connection.close().await.unwrap();
    }

    // ---- The visitor ----

    pub(crate) async fn visitor(&self) -> Visitor<'_> {
        let session = self.session(json!({})).await;
        Visitor { served: self, token: session["visitor_token"].as_str().unwrap().to_owned() }
    }

    /// The visitor of a token.
    pub(crate) fn visitor_of(&self, token: &str) -> Visitor<'_> {
        Visitor { served: self, token: token.to_owned() }
    }

    /// Begins a session, or comes back to one.
    pub(crate) async fn session(&self, body: Value) -> Value {
        let response = self.request(Method::POST, "/widget/v1/session").json(&body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    /// Telegram pushes an update.
    pub(crate) async fn telegram(&self, update: String) {
        let request = self.request(Method::POST, "/telegram/myata_bot").body(update);
        let response = request.header("X-Telegram-Bot-Api-Secret-Token", TELEGRAM_SECRET).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }

    // ---- The bot ----

    /// The bot answers what is unanswered, and its words are delivered.
    pub(crate) async fn bot_answers(&self, text: &str, citations: Vec<Citation>) {
        self.turn(text, citations, None).await;
        self.deliver().await;
    }

    /// The bot passes the conversation to people.
    pub(crate) async fn bot_hands_off(&self, notice: &str, package: Package, priority: i64) {
        let now = self.clock.now();
        let handoff = NewHandoff {
            id: HandoffId::fresh(&self.ctx.ids, now),
            reason: HandoffReason::HumanRequest,
            queue: "support".to_owned(),
            priority,
            package,
            package_due_at: None,
            unclaimed_notice_at: now + SignedDuration::from_mins(10),
        };
        self.turn(notice, Vec::new(), Some(handoff)).await;
        self.deliver().await;
    }

    /// Commits a turn for the conversation that waits; nothing is delivered yet.
    pub(crate) async fn turn(&self, text: &str, citations: Vec<Citation>, handoff: Option<NewHandoff>) {
        self.clock.advance(SignedDuration::from_secs(10));
        let now = self.clock.now();
        let store = &self.ctx.store;
        let lease = store.claim_turn(&self.ctx.claim(), now).await.unwrap().expect("somebody waits for an answer");
        let input = store.load_turn(&lease, 30).await.unwrap().expect("the lease is ours");
        let to_seq = input.unread.last().unwrap().seq;
        let commit = TurnCommit {
            turn: TurnId::fresh(&self.ctx.ids, now),
            from_seq: input.unread[0].seq,
            to_seq,
            decision: if handoff.is_some() { "hand_off" } else { "answer" },
            reason: None,
            reply: Some(compose::message(&self.ctx, &input.conversation.address, text, citations)),
            disclosed: false,
            handoff,
            language: input.unread.last().and_then(|message| Language::detect(message.text.as_str())),
            ask_backs: 0,
            record: TurnRecord::default(),
            started_at: now,
        };
        let committed = store.commit_turn(&lease, &commit, now).await.unwrap();
        assert_eq!(committed, Committed::Yes);
        self.ctx.wake.changed(lease.conversation);
    }

    /// Everything that is owed arrives.
    pub(crate) async fn deliver(&self) {
        self.settle_all(|| SendOutcome::Sent(None)).await;
    }

    /// Everything that is owed ends so.
    pub(crate) async fn settle_all(&self, outcome: impl Fn() -> SendOutcome) {
        let store = &self.ctx.store;
        while let Some(part) = store.claim_outbound(&self.ctx.claim(), self.clock.now()).await.unwrap() {
            let now = self.clock.now();
            assert!(store.settle(&part, &outcome(), now + SignedDuration::from_mins(2), now).await.unwrap());
            self.ctx.wake.changed(part.conversation);
        }
    }

    // ---- The operator ----

    /// An operator who knows [`PASSWORD`].
    pub(crate) async fn operator(&self, login: &str, name: &str) -> OperatorId {
        self.operator_with(login, name, PASSWORD, false).await
    }

    pub(crate) async fn operator_with(&self, login: &str, name: &str, password: &str, one_time: bool) -> OperatorId {
        let now = self.clock.now();
        let operator = Operator {
            id: OperatorId::fresh(&self.ctx.ids, now),
            login: login.to_owned(),
            name: name.to_owned(),
            one_time_password: one_time,
        };
        let hash = password::hash(password).unwrap();
        assert!(self.ctx.store.add_operator(&operator, &hash, now).await.unwrap());
        operator.id
    }

    /// A browser at the desk, logged in.
    pub(crate) async fn at_desk(&self, login: &str) -> Browser<'_> {
        let mut browser = Browser::new(self);
        let page = browser.get("/desk/login").await.text().await.unwrap();
        let csrf = hidden(&page, "csrf");
        let response = browser.post("/desk/login", &[("csrf", &csrf), ("login", login), ("password", PASSWORD)]).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{login} is let in");
        browser
    }

    /// The one conversation of a visitor.
    pub(crate) async fn conversation(&self) -> ConversationId {
        self.ctx.store.queue(10).await.unwrap()[0].conversation.id
    }
}

/// A visitor of the web chat.
pub(crate) struct Visitor<'a> {
    served: &'a Served,
    pub(crate) token: String,
}

impl Visitor<'_> {
    pub(crate) async fn says(&self, text: &str) -> Response {
        self.says_as(&Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string(), text).await
    }

    pub(crate) async fn says_as(&self, client_msg_id: &str, text: &str) -> Response {
        let body = json!({ "client_msg_id": client_msg_id, "text": text });
        self.post_message(&body).send().await.unwrap()
    }

    pub(crate) fn post_message(&self, body: &Value) -> RequestBuilder {
        self.served.request(Method::POST, "/widget/v1/messages").bearer_auth(&self.token).json(body)
    }

    /// What a page that comes back gets.
    pub(crate) async fn comes_back(&self) -> Value {
        self.served.session(json!({ "visitor_token": self.token })).await
    }

    /// Opens the stream of events after a position.
    pub(crate) async fn listens(&self, after: i64) -> Events {
        let request = self.served.request(Method::GET, "/widget/v1/events").bearer_auth(&self.token);
        let response = request.header("Last-Event-ID", after.to_string()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { response, rest: String::new() }
    }
}

/// An open stream of events.
pub(crate) struct Events {
    response: Response,
    rest: String,
}

/// One event.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<i64>,
    pub(crate) data: Value,
}

impl Events {
    /// The next event that carries data; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.rest = rest;
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
                };
                if let Some(data) = field("data") {
                    let name = field("event").unwrap();
                    let id = field("id").map(|id| id.parse().unwrap());
                    return Some(Event { name, id, data: serde_json::from_str(&data).unwrap() });
                }
                continue;
            }
            // A test that waits for what never comes must end.
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await.expect("an event");
            self.rest.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }

    /// The next event of that name; others are passed over.
    pub(crate) async fn next_of(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if event.name == name {
                return event;
            }
        }
    }
}

/// A browser: it keeps cookies and follows nothing by itself.
pub(crate) struct Browser<'a> {
    served: &'a Served,
    pub(crate) cookies: HashMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(served: &'a Served) -> Self {
        Self { served, cookies: HashMap::new() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.served.request(method, path).header(COOKIE, cookies.join("; "))
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response {
        let response = self.request(Method::GET, path).send().await.unwrap();
        self.keep(response.headers());
        response
    }

    /// The page at `path`, which must be there.
    pub(crate) async fn page(&mut self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let response = self.form(path, fields).send().await.unwrap();
        self.keep(response.headers());
        response
    }

    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = "application/x-www-form-urlencoded";
        self.request(Method::POST, path).header("content-type", kind).body(body)
    }

    /// Does something to a conversation, with the keys of its page.
    pub(crate) async fn acts(&mut self, conversation: ConversationId, action: &str, text: &str) -> Response {
        let page = self.page(&format!("/desk/c/{conversation}")).await;
        let (csrf, key) = (hidden(&page, "csrf"), hidden(&page, "action_id"));
        let path = format!("/desk/c/{conversation}/act");
        let fields = [("csrf", csrf.as_str()), ("action_id", &key), ("action", action), ("text", text)];
        self.post(&path, &fields).await
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// Where a response leads.
pub(crate) fn leads_to(response: &Response) -> &str {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()[LOCATION].to_str().unwrap()
}

/// The value of the first hidden field of that name.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&field).unwrap_or_else(|| panic!("the page has a field {name}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// A problem document, checked for its form.
pub(crate) async fn problem(response: Response, status: StatusCode) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let document: Value = response.json().await.unwrap();
    assert_eq!(document["status"], status.as_u16());
    assert!(document["title"].as_str().is_some_and(|title| !title.is_empty()));
    document
}
