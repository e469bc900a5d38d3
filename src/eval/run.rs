//! Runs cases over the engine and flow that serve customers, several at a time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::case::{Case, Suite, Task, TriageCase};
use super::cassette;
use super::judge::{Item, Rubric};
use super::outcome::Played;
use super::play::{self, Stage};
use super::script::Script;
use super::simulate::BadActor;
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

    /// Whether every run says something of the bot.
    pub fn is_said(&self) -> bool {
        self.runs.iter().all(|run| !matches!(run.seen, Seen::Fault(_) | Seen::BadActor(_)))
    }

    /// Whether some runs passed, and others did not.
    pub fn is_flaky(&self) -> bool {
        (1..self.runs.len()).contains(&self.passed())
    }

    /// Tokens that were read and written for it by a model that was really asked.
    pub fn spent(&self) -> (u64, u64) {
        self.runs.iter().fold((0, 0), |sum, run| (sum.0 + run.spent.0, sum.1 + run.spent.1))
    }
}

/// One run of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What was seen.
    pub seen: Seen,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What a model was asked: the task, and the part of the prompt that is this case's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<(String, String)>,
    /// Tokens read and written by a model that was really asked.
    #[serde(default)]
    pub spent: (u64, u64),
}

/// What was seen of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// A message was judged.
    Judged(Judged),
    /// A dialogue was played.
    Played(Played),
    /// The simulated customer fell out of their role: that says nothing of the bot.
    BadActor(String),
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
            // Nothing is held against the bot.
            Seen::BadActor(_) => true,
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

/// How often a case is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// So many times.
    Times(usize),
    /// Once where it passes as it did before; where it does not, until two runs agree; where it was flaky, [`MOST_RUNS`] times.
    Auto,
}

/// How often a case is run at most that is repeated by what comes out.
pub const MOST_RUNS: usize = 4;

impl Repeat {
    /// Whether a case is run again that has passed or failed so in its runs, and was as `before` the last time.
    fn goes_on(self, passed: &[bool], before: Option<&CaseResult>) -> bool {
        let runs = passed.len();
        match self {
            Repeat::Times(times) => runs < times,
            Repeat::Auto if before.is_some_and(CaseResult::is_flaky) => runs < MOST_RUNS,
            Repeat::Auto => match passed {
                [] => true,
                [once] => !once || before.is_some_and(|before| !before.is_passed()),
                [first, others @ ..] => runs < MOST_RUNS && others.iter().any(|other| other != first),
            },
        }
    }
}

/// How cases are run.
pub struct How<'a> {
    /// How often each.
    pub repeat: Repeat,
    /// How many at a time.
    pub jobs: usize,
    /// How they went before, by id.
    pub before: &'a BTreeMap<String, CaseResult>,
    /// What replies are judged by, where a judge is asked.
    pub rubrics: &'a [Rubric],
}

/// Runs the cases and tells each as it is done; none is begun after it was told to break off.
pub async fn run(
    stages: &dyn Stages,
    cases: &[Case],
    how: &How<'_>,
    mut done: impl FnMut(&Case, &CaseResult) -> ControlFlow<()>,
) -> Vec<CaseResult> {
    let broken_off = &AtomicBool::new(false);
    let mut running = stream::iter(cases.iter().enumerate())
        .take_while(|_| std::future::ready(!broken_off.load(Ordering::Relaxed)))
        .map(|(place, case)| async move { (place, one(stages, case, how).await) })
        .buffer_unordered(how.jobs.max(1));
    let mut results: Vec<Option<CaseResult>> = vec![None; cases.len()];
    while let Some((place, result)) = running.next().await {
        if done(&cases[place], &result).is_break() {
            broken_off.store(true, Ordering::Relaxed);
        }
        results[place] = Some(result);
    }
    results.into_iter().flatten().collect()
}

async fn one(stages: &dyn Stages, case: &Case, how: &How<'_>) -> CaseResult {
    let before = how.before.get(&case.id);
    let (mut runs, mut passed) = (Vec::new(), Vec::new());
    while how.repeat.goes_on(&passed, before) {
        let run = once(stages, case, runs.len(), how.rubrics).await;
        passed.push(run.passed());
        runs.push(run);
    }
    let Case { suite, id, critical, tags, path, line, .. } = case.clone();
    CaseResult { id, suite, critical, tags, path, line, runs }
}

async fn once(stages: &dyn Stages, case: &Case, number: usize, rubrics: &[Rubric]) -> Run {
    let began = Instant::now();
    let task = async {
        match &case.task {
            Task::Triage(case) => judged(&stages.shared(), case).await.map(Seen::Judged),
            Task::Play(script) => played(stages, script, number, rubrics).await.map(Seen::Played),
        }
    };
    let (seen, asked) = cassette::take(number, task).await;
    // Without the reply the bot went on by itself, which the case is not about.
    let seen = match (asked.fault, seen) {
        (Some(fault), _) => Seen::Fault(fault),
        (None, Err(error)) if error.downcast_ref::<BadActor>().is_some() => Seen::BadActor(format!("{error:#}")),
        (None, Err(error)) => Seen::Fault(format!("{error:#}")),
        (None, Ok(seen)) => seen,
    };
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Run { seen, ms, prompts: asked.prompts, spent: asked.spent }
}

async fn played(stages: &dyn Stages, script: &Script, run: usize, rubrics: &[Rubric]) -> anyhow::Result<Played> {
    let (stage, kept) = stages.stage(script, run).await?;
    let mut played = play::play(&stage, script).await;
    if let Ok(played) = &mut played {
        judge(&stage, script, rubrics, played).await;
    }
    // Closing an index writes, so not on a thread of the runtime.
    let _ = tokio::task::spawn_blocking(move || drop((stage, kept))).await;
    played
}

/// Has the last reply judged by the rubrics that the script names. A judge that can't be read says nothing.
async fn judge(stage: &Stage, script: &Script, rubrics: &[Rubric], played: &mut Played) {
    let Some(examiner) = &stage.examiner else { return };
    let (customer, reply) = played.last_exchange();
    if reply.is_empty() {
        return;
    }
    let last = played.turns.iter().rev().find(|turn| !turn.reply.is_empty());
    let cited = last.map(|turn| stage.ctx.knowledge.texts_of(&turn.cited)).unwrap_or_default();
    let known = if cited.is_empty() { "nothing: a colleague will answer".to_owned() } else { cited.join("\n\n") };
    let lang = Language::detect(&reply).unwrap_or(Language::Ru);
    let item = Item::of(&script.id, lang, customer, known, reply);
    for rubric in rubrics.iter().filter(|rubric| script.judge.contains(&rubric.name)) {
        if let Ok(verdicts) = rubric.judge(&**examiner, &item).await {
            played.verdicts.insert(rubric.name.clone(), verdicts);
        }
    }
    played.judged = (!played.verdicts.is_empty()).then_some(item);
}

/// What is done with a message of a stranger.
async fn judged(ctx: &Ctx, case: &TriageCase) -> anyhow::Result<Judged> {
    let input = stranger(ctx, &case.message);
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
pub fn stranger(ctx: &Ctx, message: &str) -> TurnInput {
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

/// Results as tests make them.
#[cfg(test)]
pub(super) mod made {
    use super::{CaseResult, PathBuf, Run, Seen, Suite};

    /// A dialogue in which this was seen, a run each.
    pub(in crate::eval) fn case(id: &str, seen: impl IntoIterator<Item = Seen>) -> CaseResult {
        let run = |seen| Run { seen, ms: 0, prompts: Vec::new(), spent: (0, 0) };
        CaseResult {
            id: id.to_owned(),
            suite: Suite::Dialog,
            critical: false,
            tags: Vec::new(),
            path: PathBuf::from("a.yaml"),
            line: 1,
            runs: seen.into_iter().map(run).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(passed: &[bool]) -> CaseResult {
        let seen = |&passed: &bool| if passed { Seen::Played(Played::default()) } else { Seen::Fault(String::new()) };
        made::case("", passed.iter().map(seen))
    }

    /// Runs that are made of a case which passes as told.
    fn runs(repeat: Repeat, outcomes: &[bool], before: Option<&CaseResult>) -> usize {
        (0..=outcomes.len()).find(|&made| !repeat.goes_on(&outcomes[..made], before)).unwrap()
    }

    #[test]
    fn what_passes_as_before_is_run_once_and_what_is_in_doubt_until_it_is_clear() {
        let (right, wrong, flaky) = (result(&[true]), result(&[false]), result(&[true, false]));
        assert_eq!(runs(Repeat::Times(3), &[true; 5], None), 3);
        assert_eq!(runs(Repeat::Auto, &[true; 5], None), 1);
        assert_eq!(runs(Repeat::Auto, &[true; 5], Some(&right)), 1);
        assert_eq!(runs(Repeat::Auto, &[true; 5], Some(&wrong)), 2, "it was wrong: once more");
        assert_eq!(runs(Repeat::Auto, &[false; 5], Some(&right)), 2, "wrong twice is wrong");
        assert_eq!(runs(Repeat::Auto, &[false, true, true, true, true], None), 4);
        assert_eq!(runs(Repeat::Auto, &[true; 5], Some(&flaky)), 4, "for pass^4");
    }

    #[test]
    fn ten_flaky_cases_of_three_hundred_cost_a_third_more_at_most() {
        let (right, flaky) = (result(&[true]), result(&[true, false]));
        let mut calls = 0;
        for case in 0..300 {
            let (outcomes, before) =
                if case < 10 { ([case % 2 == 0, true, false, true, true], &flaky) } else { ([true; 5], &right) };
            calls += runs(Repeat::Auto, &outcomes, Some(before));
        }
        assert!(calls <= 390, "{calls}");
        assert_eq!(calls, 290 + 10 * MOST_RUNS);
    }
}
