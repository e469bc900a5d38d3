//! Runs cases over the engine and flow that serve customers, several at a time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::case::{Case, Suite, Task, TriageCase};
use super::outcome::Played;
use super::play::{self, Stage};
use super::script::Script;
use crate::domain::channel::{Address, ChannelKind};
use crate::domain::conversation::{Conversation, Ownership};
use crate::domain::customer::Customer;
use crate::domain::id::{ConversationId, CustomerId, Ids, MessageId};
use crate::domain::message::{Author, Message};
use crate::domain::text::{Language, MessageText};
use crate::domain::turn::{Label, LabelSource, Labelled};
use crate::engine::mask::mask;
use crate::engine::triage::{Does, route};
use crate::flow::{Ctx, turn};
use crate::ports::store::TurnInput;

/// Puts the product on a stage.
#[async_trait]
pub trait Stages: Send + Sync {
    /// The product for what leaves no trace: triage of single messages.
    fn shared(&self) -> Arc<Ctx>;

    /// A stage of its own for a script; the second value holds what is to go when the script is over.
    ///
    /// # Errors
    /// Where it can't be set up.
    async fn stage(&self, script: &Script, run: usize) -> anyhow::Result<(Stage, Box<dyn Send>)>;
}

/// How a case went, in all its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The case.
    pub id: String,
    /// What it measures.
    pub suite: Suite,
    /// Whether its failure fails the run by itself.
    pub critical: bool,
    /// To choose by.
    pub tags: Vec<String>,
    /// Its file.
    pub path: PathBuf,
    /// Where it begins, counted from 1.
    pub line: u64,
    /// One for each time it was run.
    pub runs: Vec<Run>,
}

impl CaseResult {
    /// How many runs passed.
    pub fn passed(&self) -> usize {
        self.runs.iter().filter(|run| run.passed()).count()
    }

    /// Whether every run passed.
    pub fn is_passed(&self) -> bool {
        self.passed() == self.runs.len()
    }
}

/// One run of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What was seen.
    pub seen: Seen,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// What was seen of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// A message was judged.
    Judged(Judged),
    /// A dialogue was played.
    Played(Played),
    /// It could not be run: a part is down. This is nobody's mistake, and never counted as the bot's.
    Fault(String),
}

/// How a message was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What the customer wrote.
    pub message: String,
    /// What it is.
    pub gold: Vec<Label>,
    /// What it was taken for: the labels that hold.
    pub said: Vec<Label>,
    /// Every label that was considered, with its figure.
    pub labels: Vec<Labelled>,
    /// Whether it should go to people.
    pub to_people: bool,
    /// Whether it goes there because of what it is.
    pub handed_over: bool,
    /// What would be done with it.
    pub decision: String,
}

impl Run {
    /// Whether everything was as wanted.
    pub fn passed(&self) -> bool {
        match &self.seen {
            Seen::Judged(judged) => judged.to_people == judged.handed_over && judged.shares_a_label(),
            Seen::Played(played) => played.checks.iter().all(|check| check.passed),
            Seen::Fault(_) => false,
        }
    }
}

impl Judged {
    /// Whether the message was taken for something that it is.
    pub fn shares_a_label(&self) -> bool {
        self.said.iter().any(|label| self.gold.contains(label))
    }
}

/// Runs every case `repeat` times, `jobs` of them at once, and tells each as it is done.
pub async fn run(
    stages: &dyn Stages,
    cases: &[Case],
    (repeat, jobs): (usize, usize),
    mut done: impl FnMut(&CaseResult),
) -> Vec<CaseResult> {
    let mut running = stream::iter(cases.iter().enumerate())
        .map(|(place, case)| async move { (place, one(stages, case, repeat).await) })
        .buffer_unordered(jobs.max(1));
    let mut results: Vec<Option<CaseResult>> = vec![None; cases.len()];
    while let Some((place, result)) = running.next().await {
        done(&result);
        results[place] = Some(result);
    }
    results.into_iter().flatten().collect()
}

async fn one(stages: &dyn Stages, case: &Case, repeat: usize) -> CaseResult {
    let mut runs = Vec::with_capacity(repeat);
    for run in 0..repeat {
        let began = Instant::now();
        let seen = match &case.task {
            Task::Triage(case) => judged(&stages.shared(), case).await.map(Seen::Judged),
            Task::Play(script) => played(stages, script, run).await.map(Seen::Played),
        };
        let seen = seen.unwrap_or_else(|error| Seen::Fault(format!("{error:#}")));
        runs.push(Run { seen, ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX) });
    }
    let Case { suite, id, critical, tags, path, line, .. } = case.clone();
    CaseResult { id, suite, critical, tags, path, line, runs }
}

async fn played(stages: &dyn Stages, script: &Script, run: usize) -> anyhow::Result<Played> {
    let (stage, kept) = stages.stage(script, run).await?;
    let played = play::play(&stage, script).await;
    // Closing an index writes, so not on a thread of the runtime.
    let _ = tokio::task::spawn_blocking(move || drop((stage, kept))).await;
    played
}

/// What is done with a message of a stranger.
async fn judged(ctx: &Ctx, case: &TriageCase) -> anyhow::Result<Judged> {
    let input = input(ctx, &case.message);
    let language = Language::detect(&case.message).unwrap_or(Language::Ru);
    let (decision, record) = turn::decide(ctx, &input, language).await?;
    let triage = &ctx.words.triage;
    let holding: Vec<Labelled> = record.labels.iter().filter(|labelled| triage.holds(labelled)).cloned().collect();
    let is_for_people = |label: &Label| triage.label(*label).does == Does::HandOff;
    let mut said: Vec<Label> = holding.iter().map(|labelled| labelled.label).collect();
    said.sort_unstable();
    said.dedup();
    Ok(Judged {
        message: case.message.clone(),
        gold: case.expect.labels.clone(),
        said: named(said, &record.labels),
        to_people: case.expect.labels.iter().any(is_for_people),
        handed_over: route(&holding, triage).hand_off.is_some(),
        labels: record.labels,
        decision: decision.name().to_owned(),
    })
}

/// What a message is taken for: the labels that hold, or the likeliest where none does.
fn named(holding: Vec<Label>, labels: &[Labelled]) -> Vec<Label> {
    if !holding.is_empty() {
        return holding;
    }
    let likeliest = labels.iter().filter(|labelled| labelled.by == LabelSource::Classifier);
    likeliest.max_by(|a, b| a.confidence.total_cmp(&b.confidence)).map(|labelled| labelled.label).into_iter().collect()
}

/// A first message of somebody of whom nothing is remembered.
fn input(ctx: &Ctx, message: &str) -> TurnInput {
    let (ids, now) = (Ids::seeded(7), ctx.clock.now());
    let customer = Customer {
        id: CustomerId::fresh(&ids, now),
        display_name: None,
        language: None,
        created_at: now,
        remembered: false,
    };
    let conversation = conversation(&ids, &customer, now);
    let unread = vec![Message {
        id: MessageId::fresh(&ids, now),
        conversation: conversation.id,
        seq: 1,
        author: Author::Customer,
        text: MessageText::new(mask(message).text),
        citations: Vec::new(),
        received_at: now,
        delivered_at: None,
    }];
    TurnInput { conversation, customer, unread, window: Vec::new(), saved: None, messages_today: 1 }
}

fn conversation(ids: &Ids, customer: &Customer, now: Timestamp) -> Conversation {
    Conversation {
        id: ConversationId::fresh(ids, now),
        customer: customer.id,
        address: Address { channel: ChannelKind::Web, account: "stage".to_owned(), external: "stranger".to_owned() },
        ownership: Ownership::Bot,
        epoch: 1,
        last_seq: 1,
        handled_seq: 0,
        language: None,
        disclosed_at: None,
        ask_backs: 0,
        failures: 0,
        opened_at: now,
        last_activity_at: now,
    }
}
