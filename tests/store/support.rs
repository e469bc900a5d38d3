//! A stage for the store: a fresh database, a clock that is a number of seconds, and the things that customers,
//! workers and operators do.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};

use firstline::adapters::store::SqlStore;
use firstline::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
use firstline::domain::conversation::{Conversation, OperatorAction, Ownership};
use firstline::domain::handoff::{HandoffReason, Package};
use firstline::domain::id::{BootId, ConversationId, HandoffId, Ids, MessageId, OperatorId, OutboxId, TurnId};
use firstline::domain::outbox::{Outbound, SendOutcome};
use firstline::domain::text::{Language, MessageText};
use firstline::domain::turn::{Decision, SavedTurn, TurnRecord};
use firstline::ports::desk::DeskStore;
use firstline::ports::store::{
    Accepted, Claim, Committed, HandoffCommit, Lease, Loop, NewHandoff, NewMessage, OperatorCommit, OperatorOutcome,
    Timing, TurnCommit, TurnInput,
};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A database of its own for one test.
pub(crate) struct Database {
    pub(crate) kind: Kind,
    directory: tempfile::TempDir,
    /// The server, and the test's schema on it.
    server: String,
    schema: String,
}

/// Where the test server of PostgreSQL is, if there is one.
fn postgres_url() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration but the environment")]
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let url = read("FIRSTLINE_TEST_POSTGRES_URL");
    assert!(
        url.is_some() || read("FIRSTLINE_TEST_ALL").as_deref() != Some("1"),
        "FIRSTLINE_TEST_ALL=1 wants PostgreSQL, and FIRSTLINE_TEST_POSTGRES_URL is not set"
    );
    url
}

impl Database {
    async fn fresh(kind: Kind) -> Option<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        sqlx::any::install_default_drivers();
        let directory = tempfile::tempdir().unwrap();
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let schema = format!("firstline_test_{}_{number}", std::process::id());
        let server = match kind {
            Kind::Sqlite => String::new(),
            Kind::Postgres => {
                let Some(server) = postgres_url() else {
                    eprintln!("SKIPPED: FIRSTLINE_TEST_POSTGRES_URL is not set, nothing was tested on PostgreSQL");
                    return None;
                };
                let admin = AnyPool::connect(&server).await.unwrap();
                // A process of the same number may have died in the middle of a test.
                let sql = format!("drop schema if exists {schema} cascade; create schema {schema}");
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&admin).await.unwrap();
                admin.close().await;
                server
            }
        };
        Some(Self { kind, directory, server, schema })
    }

    pub(crate) fn sqlite_file(&self) -> std::path::PathBuf {
        self.directory.path().join("данные 50%").join("firstline #1.db")
    }

    fn url(&self) -> String {
        match self.kind {
            Kind::Sqlite => {
                let url = url::Url::from_file_path(self.sqlite_file()).unwrap();
                format!("sqlite://{}", url.path())
            }
            Kind::Postgres => {
                let mut url = url::Url::parse(&self.server).unwrap();
                url.query_pairs_mut().append_pair("options", &format!("-csearch_path={}", self.schema));
                url.to_string()
            }
        }
    }

    pub(crate) async fn try_open(&self) -> Result<SqlStore, firstline::ports::store::StoreError> {
        match self.kind {
            Kind::Sqlite => SqlStore::open_sqlite(&self.sqlite_file()).await,
            Kind::Postgres => SqlStore::open_postgres(&self.url()).await,
        }
    }

    pub(crate) async fn open(&self) -> SqlStore {
        self.try_open().await.unwrap()
    }

    /// A connection beside the store's, to look at rows and to spoil them.
    pub(crate) async fn raw(&self) -> AnyPool {
        sqlx::any::AnyPoolOptions::new().max_connections(2).connect(&self.url()).await.unwrap()
    }

    async fn drop_schema(&self) {
        if self.kind == Kind::Postgres {
            let admin = AnyPool::connect(&self.server).await.unwrap();
            let sql = format!("drop schema {} cascade", self.schema);
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&admin).await.unwrap();
        }
    }
}

/// Runs one test on a database of its own.
pub(crate) async fn run(kind: Kind, test: impl AsyncFnOnce(&Stage)) {
    let Some(database) = Database::fresh(kind).await else { return };
    let store = database.open().await;
    let ids = Ids::seeded(42);
    let boot = BootId::fresh(&ids, at(0));
    let stage = Stage { store, database, ids, boot, updates: AtomicU64::new(0) };
    let outcome = AssertUnwindSafe(test(&stage)).catch_unwind().await;
    stage.store.close().await;
    match outcome {
        Ok(()) => stage.database.drop_schema().await,
        // The schema stays, to be looked at.
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// That many seconds after the stage was set.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_785_000_000 + seconds).unwrap()
}

pub(crate) fn timing() -> Timing {
    Timing {
        quiet: SignedDuration::from_secs(2),
        quiet_most: SignedDuration::from_secs(8),
        reply_within: SignedDuration::from_secs(90),
        episode_after: SignedDuration::from_secs(6 * 3600),
        episode_messages: 10,
    }
}

pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// An address on the web chat. Words of the test are its key.
pub(crate) fn web(who: &str) -> Address {
    Address { channel: ChannelKind::Web, account: "main".to_owned(), external: who.to_owned() }
}

pub(crate) fn telegram(who: &str) -> Address {
    Address { channel: ChannelKind::Telegram, account: "bot".to_owned(), external: who.to_owned() }
}

pub(crate) fn update(from: &Address, external_id: &str, event: InboundEvent) -> Inbound {
    Inbound::new(from.clone(), external_id, event)
}

pub(crate) fn words(text: &str) -> InboundEvent {
    InboundEvent::Message(MessageText::new(text))
}

pub(crate) fn texts(messages: &[firstline::domain::message::Message]) -> Vec<&str> {
    messages.iter().map(|message| message.text.as_str()).collect()
}

pub(crate) struct Stage {
    pub(crate) store: SqlStore,
    pub(crate) database: Database,
    pub(crate) ids: Ids,
    /// This process.
    pub(crate) boot: BootId,
    updates: AtomicU64,
}

impl Stage {
    pub(crate) fn claim(&self) -> Claim {
        Claim { boot: self.boot, lease_for: LEASE }
    }

    pub(crate) fn operator(&self) -> OperatorId {
        OperatorId::fresh(&self.ids, at(0))
    }

    /// Opens every connection there may be, so that what is done at once really meets.
    pub(crate) async fn open_connections(&self) {
        for one in futures_util::future::join_all((0..24).map(|_| self.store.depth())).await {
            one.unwrap();
        }
    }

    /// A customer writes something new.
    pub(crate) async fn writes(&self, from: &Address, text: &str, now: i64) -> (ConversationId, i64) {
        let number = self.updates.fetch_add(1, Ordering::Relaxed);
        let update = update(from, &format!("update-{number}"), words(text));
        let accepted = self.store.accept(&[update], None, &timing(), at(now)).await.unwrap();
        let [Accepted::New { conversation, seq, .. }] = accepted[..] else { panic!("{accepted:?}") };
        (conversation, seq)
    }

    pub(crate) async fn conversation(&self, id: ConversationId) -> Conversation {
        self.store.conversation(id).await.unwrap().unwrap()
    }

    pub(crate) async fn lease(&self, now: i64) -> Option<Lease> {
        self.store.claim_turn(&self.claim(), at(now)).await.unwrap()
    }

    pub(crate) async fn load(&self, lease: &Lease) -> TurnInput {
        self.store.load_turn(lease, 30).await.unwrap().unwrap()
    }

    /// Words of ours, in as many parts as there are texts.
    pub(crate) fn message(&self, parts: &[&str]) -> NewMessage {
        NewMessage {
            id: MessageId::fresh(&self.ids, at(0)),
            text: MessageText::new(parts.concat()),
            parts: parts.iter().map(|part| (OutboxId::fresh(&self.ids, at(0)), MessageText::new(*part))).collect(),
            buttons: Vec::new(),
            citations: Vec::new(),
        }
    }

    pub(crate) fn new_handoff(&self, reason: HandoffReason, priority: i64, now: i64) -> NewHandoff {
        NewHandoff {
            id: HandoffId::fresh(&self.ids, at(now)),
            reason,
            queue: "support".to_owned(),
            priority,
            package: Package { mood: "calm".to_owned(), ..Package::default() },
            package_due_at: Some(at(now)),
            unclaimed_notice_at: at(now + 600),
        }
    }

    /// A commit for what a turn has loaded.
    pub(crate) fn turn(&self, input: &TurnInput, reply: Option<NewMessage>) -> TurnCommit {
        TurnCommit {
            turn: TurnId::fresh(&self.ids, at(0)),
            from_seq: input.unread.first().unwrap().seq,
            to_seq: input.unread.last().unwrap().seq,
            decision: if reply.is_some() { "answer" } else { "ignore" },
            reason: None,
            reply,
            disclosed: false,
            handoff: None,
            language: Some(Language::Ru),
            ask_backs: 0,
            record: TurnRecord::default(),
            started_at: at(0),
        }
    }

    pub(crate) fn draft(&self, input: &TurnInput) -> SavedTurn {
        SavedTurn {
            id: TurnId::fresh(&self.ids, at(0)),
            to_seq: input.unread.last().unwrap().seq,
            decision: Decision::AskBack { text: "Какой заказ?".to_owned() },
            record: TurnRecord::default(),
            started_at: at(0),
        }
    }

    /// The bot does one turn and says `parts`.
    pub(crate) async fn answers(&self, parts: &[&str], now: i64) -> Committed {
        let lease = self.lease(now).await.expect("a conversation waits");
        let input = self.load(&lease).await;
        let commit = self.turn(&input, Some(self.message(parts)));
        self.store.commit_turn(&lease, &commit, at(now)).await.unwrap()
    }

    /// The bot hands over, with a notice.
    pub(crate) async fn hands_over(&self, reason: HandoffReason, priority: i64, now: i64) -> ConversationId {
        let lease = self.lease(now).await.expect("a conversation waits");
        let input = self.load(&lease).await;
        let mut commit = self.turn(&input, Some(self.message(&["Позову коллегу."])));
        commit.decision = "hand_off";
        commit.handoff = Some(self.new_handoff(reason, priority, now));
        assert_eq!(self.store.commit_turn(&lease, &commit, at(now)).await.unwrap(), Committed::Yes);
        lease.conversation
    }

    /// The commit of an operator's action, decided by the rules about the conversation as it is now.
    pub(crate) async fn action(
        &self,
        operator: OperatorId,
        id: ConversationId,
        action: OperatorAction,
    ) -> OperatorCommit {
        let conversation = self.conversation(id).await;
        let message = match &action {
            OperatorAction::Reply(text) => Some(self.message(&[text.as_str()])),
            OperatorAction::Note(text) => Some(NewMessage { parts: Vec::new(), ..self.message(&[text.as_str()]) }),
            _ => None,
        };
        OperatorCommit {
            action_id: format!("action-{}", self.updates.fetch_add(1, Ordering::Relaxed)),
            operator,
            conversation: id,
            epoch: conversation.epoch,
            owner: conversation.ownership.after(&action, operator).unwrap(),
            action,
            message,
            question: None,
            handoff: HandoffId::fresh(&self.ids, at(0)),
            package: Package::default(),
            timing: timing(),
        }
    }

    /// An operator does something that is allowed.
    pub(crate) async fn acts(&self, operator: OperatorId, id: ConversationId, action: OperatorAction, now: i64) {
        let commit = self.action(operator, id, action).await;
        assert_eq!(self.store.commit_operator(&commit, at(now)).await.unwrap(), OperatorOutcome::Done);
    }

    pub(crate) async fn handoff_commit(
        &self,
        id: ConversationId,
        notice: Option<NewMessage>,
        now: i64,
    ) -> HandoffCommit {
        HandoffCommit {
            conversation: id,
            epoch: self.conversation(id).await.epoch,
            handoff: self.new_handoff(HandoffReason::Deadline, 5, now),
            notice,
            disclosed: false,
        }
    }

    pub(crate) async fn next_part(&self, now: i64) -> Option<Outbound> {
        self.store.claim_outbound(&self.claim(), at(now)).await.unwrap()
    }

    pub(crate) async fn settle(&self, part: &Outbound, outcome: SendOutcome, now: i64) -> bool {
        self.store.settle(part, &outcome, at(now + 120), at(now)).await.unwrap()
    }

    pub(crate) async fn sent(&self, part: &Outbound, now: i64) {
        assert!(self.settle(part, SendOutcome::Sent(Some("42".to_owned())), now).await);
    }

    /// Sends whatever is due; returns the words in the order in which they went out.
    pub(crate) async fn delivers(&self, now: i64) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(part) = self.next_part(now).await {
            self.sent(&part, now).await;
            said.push(part.text.as_str().to_owned());
        }
        said
    }

    pub(crate) async fn owner(&self, id: ConversationId) -> Ownership {
        self.conversation(id).await.ownership
    }

    /// A figure straight from the tables.
    pub(crate) async fn figure(&self, sql: &'static str) -> i64 {
        let raw = self.database.raw().await;
        let row: AnyRow = sqlx::query(sql).fetch_one(&raw).await.unwrap();
        raw.close().await;
        row.get::<i64, _>(0)
    }

    pub(crate) async fn change_rows(&self, sql: &'static str) {
        let raw = self.database.raw().await;
        sqlx::query(sql).execute(&raw).await.unwrap();
        raw.close().await;
    }
}

pub(crate) fn take() -> OperatorAction {
    OperatorAction::Take
}

pub(crate) fn reply(text: &str) -> OperatorAction {
    OperatorAction::Reply(MessageText::new(text))
}

pub(crate) fn not_sent(retry: i64) -> SendOutcome {
    SendOutcome::NotSent { retry_at: at(retry), why: "429".to_owned() }
}

pub(crate) fn unknown() -> SendOutcome {
    SendOutcome::Unknown { why: "reset after the body was written".to_owned() }
}

pub(crate) fn dead() -> SendOutcome {
    SendOutcome::Dead { why: "bad request".to_owned(), unreachable: false }
}
