//! Two processes on one PostgreSQL, of which one freezes longer than its leases last.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sqlx::AnyPool;

use super::audit::audit;
use super::customers::{Stage, THANKS, think};
use super::database::Database;
use super::desk::Desk;
use super::process::{Process, Setting, Words};
use super::{ALONE, races, seed, variable};
use crate::support::fake_model::{FakeModel, Gate};
use crate::support::fake_telegram::FakeTelegram;

/// Each process freezes in every second one.
const ROUNDS: i64 = 4;

const CUSTOMERS: i64 = 20;

/// Conversations of a round: more than one process has workers, so that each process has some of them.
const CHATS: i64 = 6;

/// Longer than a lease, which is two seconds, and than the time after which a process counts as gone.
const LEASE_AND_MORE: Duration = Duration::from_millis(3_500);

pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_past_its_lease_a_process_can_do_no_harm() {
    let Some(server) = variable("FIRSTLINE_TEST_POSTGRES_URL") else {
        assert!(
            variable("FIRSTLINE_TEST_ALL").as_deref() != Some("1"),
            "FIRSTLINE_TEST_ALL=1 wants PostgreSQL, and FIRSTLINE_TEST_POSTGRES_URL is not set"
        );
        eprintln!("SKIPPED: FIRSTLINE_TEST_POSTGRES_URL is not set, no process was frozen");
        return;
    };
    let _alone = ALONE.lock().await;
    let (seed, began) = (seed(), Instant::now());
    let schema = Schema::fresh(&server).await;
    let (words, directory) = (Words::new(), tempfile::tempdir().unwrap());
    let (telegram, model) = (FakeTelegram::start().await, FakeModel::start());
    think(&model, seed);
    let names = ["one", "two"].map(|name| format!("{}_{name}", schema.name));
    let settings = names
        .each_ref()
        .map(|name| Setting::new(&directory.path().join(name), &words, &telegram, &model, &schema.url(Some(name))));
    let mut processes = Vec::new();
    for setting in &settings {
        processes.push(setting.start().await);
    }
    let desk = Desk::enter(&settings[0], "anna", &settings[0].add_operator("anna")).await;
    let database = Database::postgres(&schema.url(None)).await;
    telegram.deliver_twice(true);
    telegram.deliver_in_any_order(true);
    let stage = Stage::new(telegram, model, database, desk, settings.into());

    all_at_once(&stage).await;
    races::all(&stage).await;
    let (mut turns, mut sends) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let frozen = usize::try_from(round % 2).unwrap();
        turns.push(while_it_thinks(&stage, &processes, &names, frozen, round).await);
        sends.push(while_it_sends(&stage, &processes, &names, frozen, round).await);
    }
    stage.telegram.wait_until_read(PATIENCE).await;
    let owed = stage.database.drained(PATIENCE).await;
    assert_eq!(owed, 0, "something is still owed");
    let figures = audit(&stage).await;
    eprintln!(
        "SIGSTOP: {ROUNDS} rounds, turns under way when frozen {turns:?}, sends in flight when frozen {sends:?}, \
         {figures:?}; all in {:?}",
        began.elapsed()
    );
    // Not a run in which nothing happened.
    let least = usize::try_from(ROUNDS).unwrap();
    let frozen_at_work = turns.iter().chain(&sends).all(|count| *count > 0);
    let enough = figures.replies >= 10 * least && figures.duplicates >= figures.messages && figures.learnt_late > 0;
    assert!(frozen_at_work && enough && figures.while_thinking >= least && figures.while_sending > 0, "{figures:?}");
    drop(processes);
    schema.remove().await;
}

/// Many write at the same moment, and each message arrives at both processes, twice. Looked at by itself: what is stored
/// more than once here would only disturb what comes next.
async fn all_at_once(stage: &Stage) {
    for chat in 1..=CUSTOMERS {
        stage.writes(chat, THANKS);
        stage.writes(chat, THANKS);
    }
    stage.telegram.wait_until_read(PATIENCE).await;
    let owed = stage.database.drained(PATIENCE).await;
    assert_eq!(owed, 0, "something is still owed");
    audit(stage).await;
}

/// Freezes a process while the model thinks for it. One of its conversations is taken by a person meanwhile, the others
/// by the other process; it wakes up with the model's answers in its hands. How many turns it had.
async fn while_it_thinks(
    stage: &Stage,
    processes: &[Process],
    names: &[String; 2],
    frozen: usize,
    round: i64,
) -> usize {
    let living = &stage.settings[1 - frozen];
    let chats: Vec<i64> = (0..CHATS).map(|number| 1_000 + round * 100 + number).collect();
    let gates: Vec<Gate> = chats.iter().map(|chat| stage.writes_for(*chat, THANKS)).collect();
    for gate in &gates {
        tokio::time::timeout(PATIENCE, gate.arrived()).await.expect("every turn asks the model");
    }
    // For the other process, when it asks the same: it may do so while a person still presses.
    let mut again: HashMap<i64, Gate> =
        chats.iter().map(|chat| (*chat, stage.model.hold_for(&stage.newest_tag(*chat)))).collect();
    processes[frozen].freeze();
    let held = held_by(stage, &names[frozen], &chats).await;
    assert!(!held.is_empty(), "the other process has fewer workers than there are conversations");
    let taken = stage.takes(living, held[0]).await.expect("it has a conversation");
    // The living process takes the others over; its turn of one of them is still under way when the frozen one wakes up.
    let second = held.get(1).and_then(|chat| again.remove(chat));
    drop((gates, again));
    if let Some(gate) = &second {
        tokio::time::timeout(PATIENCE, gate.arrived()).await.expect("an expired lease is taken over");
    } else {
        tokio::time::sleep(LEASE_AND_MORE).await;
    }
    processes[frozen].thaw();
    // Time to do its worst, in which it must do nothing.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    drop(second);
    for chat in chats.iter().filter(|chat| **chat != held[0]) {
        stage.telegram.wait_for_replies(*chat, 1, PATIENCE).await;
    }
    stage.answers(living, &taken).await;
    stage.gives_back(living, taken).await;
    held.len()
}

/// Freezes a process while Telegram has its messages and has not answered yet. A person takes one of these conversations
/// meanwhile, and the other customers write again; Telegram's answers wait for the process when it wakes up. How many
/// messages were on their way.
async fn while_it_sends(stage: &Stage, processes: &[Process], names: &[String; 2], frozen: usize, round: i64) -> usize {
    let living = &stage.settings[1 - frozen];
    let chats: Vec<i64> = (0..CHATS).map(|number| 2_000 + round * 100 + number).collect();
    stage.telegram.hold_sends(true);
    for chat in &chats {
        stage.writes(*chat, THANKS);
    }
    // Each process sends fewer at a time than there are conversations, so that some are left for the other one.
    let began = Instant::now();
    let mut sending = Vec::new();
    while sending.len() < 2 {
        assert!(began.elapsed() < PATIENCE, "replies go out");
        tokio::time::sleep(Duration::from_millis(5)).await;
        let held = stage.telegram.held_sends();
        sending = stage.database.sends_of(&names[frozen]).await;
        sending.retain(|chat| chats.contains(chat) && held.contains(chat));
    }
    processes[frozen].freeze();
    stage.telegram.hold_sends(false);
    let taken = match sending.first() {
        Some(chat) => stage.takes(living, *chat).await,
        None => None,
    };
    for chat in &chats {
        stage.writes(*chat, THANKS);
    }
    // The other process gives them up as unknown, and answers what was written since.
    let began = Instant::now();
    while !stage.database.sends_of(&names[frozen]).await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "an interrupted send is found");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    processes[frozen].thaw();
    if let Some(taken) = taken {
        stage.answers(living, &taken).await;
        stage.gives_back(living, taken).await;
    }
    sending.len()
}

/// Those of the chats whose newest lease is of that process.
async fn held_by(stage: &Stage, process: &str, chats: &[i64]) -> Vec<i64> {
    let mut held = Vec::new();
    for chat in chats {
        let select = format!(
            "select count(*) from audit_log l join conversations c on c.id = l.conversation_id \
             join addresses a on a.id = c.address_id where a.external = '{chat}' and l.kind = 'lease' \
             and l.lease_token = c.lease_token and c.lease_until is not null and l.process = '{process}'"
        );
        if stage.database.figure(&select).await > 0 {
            held.push(*chat);
        }
    }
    held
}

/// A schema of its own on the test's server.
struct Schema {
    server: String,
    name: String,
}

impl Schema {
    async fn fresh(server: &str) -> Self {
        let name = format!("firstline_kill_{}", std::process::id());
        let schema = Self { server: server.to_owned(), name };
        schema.execute(&format!("drop schema if exists {0} cascade; create schema {0}", schema.name)).await;
        schema
    }

    /// The address of the schema; a process writes its name into the log of the triggers.
    fn url(&self, process: Option<&str>) -> String {
        let mut url = url::Url::parse(&self.server).unwrap();
        url.query_pairs_mut().append_pair("options", &format!("-csearch_path={}", self.name));
        if let Some(process) = process {
            url.query_pairs_mut().append_pair("application_name", process);
        }
        url.to_string()
    }

    async fn remove(self) {
        self.execute(&format!("drop schema {} cascade", self.name)).await;
    }

    async fn execute(&self, sql: &str) {
        sqlx::any::install_default_drivers();
        let pool = AnyPool::connect(&self.server).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
        pool.close().await;
    }
}
