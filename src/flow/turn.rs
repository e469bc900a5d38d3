//! One turn: lease a conversation, decide, commit once.
//!
//! No transaction is open while a model thinks: the lease says whose turn it is, and the commit is fenced by the lease's
//! token, the conversation's epoch and "nothing newer was written".

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use tracing::Instrument;

use super::wake::Bell;
use super::{Ctx, FlowError, Progress, compose, draft, handoff, recall};
use crate::domain::id::TurnId;
use crate::domain::keyboard;
use crate::domain::message::{Author, Message};
use crate::domain::outbox::backoff;
use crate::domain::text::{Language, MessageText};
use crate::domain::turn::{Decision, SavedTurn, TurnRecord};
use crate::engine::triage::Destination;
use crate::engine::turn::{self as engine, Effect, Event, Plan, Policy, State};
use crate::ports::store::{Committed, Lease, TurnCommit, TurnInput};

/// How often typing is shown anew: Telegram takes the sign away after five seconds.
const TYPING: Duration = Duration::from_secs(4);

/// Does the turn of the conversation that has waited longest.
///
/// # Errors
/// [`FlowError`] where not even the failure could be recorded; the lease runs out then and somebody tries again.
pub async fn tick(ctx: &Ctx) -> Result<Progress, FlowError> {
    let claimed = ctx.store.claim_turn(&ctx.claim(), ctx.clock.now()).await;
    let Some(lease) = claimed.map_err(FlowError::store("claim_turn"))? else { return Ok(Progress::Idle) };
    let span = tracing::info_span!("flow.turn", conversation.id = %lease.conversation);
    async {
        let outcome = tokio::select! {
            outcome = run(ctx, &lease) => outcome,
            () = lost(ctx, &lease) => {
                tracing::info!("the lease was lost, another worker has this turn");
                return Ok(());
            }
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => failed(ctx, &lease, error).await,
        }
    }
    .instrument(span)
    .await?;
    ctx.wake.changed(lease.conversation);
    Ok(Progress::Worked)
}

/// Renews the lease while the turn runs; ends when it is no longer ours.
async fn lost(ctx: &Ctx, lease: &Lease) {
    let third = ctx.config.turn.lease.unsigned_abs() / 3;
    loop {
        tokio::time::sleep(third).await;
        let until = ctx.clock.now() + ctx.config.turn.lease;
        // A store that does not answer may do so in a moment; the commit is fenced in any case.
        if let Ok(false) = ctx.store.renew_lease(lease, until).await {
            return;
        }
    }
}

async fn run(ctx: &Ctx, lease: &Lease) -> Result<(), FlowError> {
    let loaded = ctx.store.load_turn(lease, ctx.config.turn.window).await.map_err(FlowError::store("load_turn"))?;
    let Some(input) = loaded else { return Ok(()) };
    let language = language_of(&input);
    let turn = match input.saved.clone() {
        // Drafted before a crash for exactly these messages: no model is asked twice.
        Some(saved) => saved,
        None => {
            let started_at = ctx.clock.now();
            let (decision, record) = tokio::select! {
                decided = decide(ctx, &input, language) => decided?,
                never = typing(ctx, &input) => match never {},
            };
            let turn = SavedTurn {
                id: TurnId::fresh(&ctx.ids, started_at),
                to_seq: input.unread.last().map_or(0, |message| message.seq),
                decision,
                record,
                started_at,
            };
            let kept = ctx.store.save_turn(lease, &turn, ctx.clock.now()).await;
            if !kept.map_err(FlowError::store("save_turn"))? {
                return Ok(());
            }
            turn
        }
    };
    commit(ctx, lease, &input, turn, language).await
}

/// Shows the customer that an answer is being made, for as long as it is polled: the sign fades by itself.
async fn typing(ctx: &Ctx, input: &TurnInput) -> Infallible {
    let address = &input.conversation.address;
    let Some(channel) = ctx.channel(address) else { return std::future::pending().await };
    loop {
        channel.show_typing(address).await;
        tokio::time::sleep(TYPING).await;
    }
}

/// The language of the newest words that have one, else what the conversation or the channel says.
fn language_of(input: &TurnInput) -> Language {
    let unread = input.unread.iter().rev().chain(input.window.iter().rev());
    unread
        .filter(|message| message.author == Author::Customer)
        .filter(|message| message.text.as_str() != crate::domain::channel::STARTED_TEXT)
        .find_map(|message| Language::detect(message.text.as_str()))
        .or(input.conversation.language)
        .or(input.customer.language)
        .unwrap_or(Language::Ru)
}

/// Drives the engine through recall and model to a decision in words. Nothing is written.
///
/// # Errors
/// [`FlowError`].
pub async fn decide(ctx: &Ctx, input: &TurnInput, language: Language) -> Result<(Decision, TurnRecord), FlowError> {
    let policy = Policy {
        triage: &ctx.words.triage,
        hosts: &ctx.config.company.hosts,
        company: &ctx.config.company.name,
        forbidden: ctx.words.prompts.forbidden(),
        messages_per_day: ctx.config.limits.messages_per_day,
        has_model: ctx.model.is_some(),
    };
    let begun = engine::Input {
        unread: chosen(input),
        window: input.window.clone(),
        language,
        ask_backs: input.conversation.ask_backs,
        messages_today: input.messages_today,
    };
    let (mut state, mut effect) = engine::begin(&policy, begun);
    loop {
        let event = match effect {
            Effect::Recall => recall::for_turn(ctx, input).await.map_or(Event::RecallFailed, Event::Recalled),
            Effect::Draft => draft_event(ctx, &mut state, input).await,
            Effect::Done(plan) => {
                let decision = put_in_words(ctx, input, &state, plan).await?;
                return Ok((decision, state.record));
            }
        };
        (state, effect) = engine::step(&policy, state, event);
    }
}

/// The unread messages. Who answers a list of choices with a number says what stands there.
fn chosen(input: &TurnInput) -> Vec<Message> {
    let mut unread = input.unread.clone();
    let offered = input.window.iter().rev().find(|message| message.author != Author::Customer);
    if let ([only], Some(offered)) = (&mut unread[..], offered)
        && let Some(title) = keyboard::chosen(only.text.as_str(), offered.text.as_str())
    {
        only.text = MessageText::new(title);
    }
    unread
}

async fn draft_event(ctx: &Ctx, state: &mut State, input: &TurnInput) -> Event {
    let Some(model) = &ctx.model else { return Event::DraftFailed };
    match draft::ask(ctx, &**model, state, input).await {
        Ok(draft) => Event::Drafted(draft),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "no draft");
            state.record.failed_checks.push("no_draft".to_owned());
            Event::DraftFailed
        }
    }
}

/// Turns a plan into what is stored and said.
async fn put_in_words(ctx: &Ctx, input: &TurnInput, state: &State, plan: Plan) -> Result<Decision, FlowError> {
    match plan {
        Plan::HandOff(Destination { reason, queue, priority }) => {
            let (package, notice) = handoff::package_and_notice(ctx, input, state, reason).await?;
            Ok(Decision::HandOff { reason, queue, priority, package: Box::new(package), notice })
        }
        plan => Ok(compose::decision(ctx, state.input().language, &state.input().words(), plan)),
    }
}

async fn commit(
    ctx: &Ctx,
    lease: &Lease,
    input: &TurnInput,
    turn: SavedTurn,
    language: Language,
) -> Result<(), FlowError> {
    let now = ctx.clock.now();
    let (reply, disclosed) = match turn.decision.words() {
        None => (None, false),
        Some(words) => {
            let (words, disclosed) = compose::with_disclosure(ctx, &input.conversation, language, words, now);
            let citations = match &turn.decision {
                Decision::Answer { citations, .. } => citations.clone(),
                _ => Vec::new(),
            };
            let address = &input.conversation.address;
            let person = vec![compose::call_human(ctx, language)];
            let reply = match &turn.decision {
                Decision::AskBack { .. } => compose::offering(ctx, address, &words, citations, person),
                // The notice that a machine answers says that a person can be had.
                Decision::Answer { .. } if disclosed => {
                    compose::with_shortcuts(ctx, address, &words, citations, person)
                }
                _ => compose::message(ctx, address, &words, citations),
            };
            (Some(reply), disclosed)
        }
    };
    let commit = TurnCommit {
        turn: turn.id,
        from_seq: input.unread.first().map_or(0, |message| message.seq),
        to_seq: turn.to_seq,
        decision: turn.decision.name(),
        reason: reason_of(&turn.decision),
        reply,
        disclosed,
        handoff: handoff::new_handoff(ctx, &turn.decision, now),
        language: Some(language),
        ask_backs: if matches!(turn.decision, Decision::AskBack { .. }) { input.conversation.ask_backs + 1 } else { 0 },
        record: turn.record,
        started_at: turn.started_at,
    };
    let committed = ctx.store.commit_turn(lease, &commit, now).await.map_err(FlowError::store("commit_turn"))?;
    report(input, &commit, committed, now);
    for bell in [Bell::Deliveries, Bell::Timers, Bell::Indexing] {
        ctx.wake.ring(bell);
    }
    if committed == Committed::Superseded {
        ctx.wake.ring(Bell::Turns);
    }
    Ok(())
}

fn reason_of(decision: &Decision) -> Option<String> {
    match decision {
        Decision::HandOff { reason, .. } => Some(reason.name().to_owned()),
        Decision::Ignore { reason } => Some(reason.clone()),
        Decision::Answer { .. } | Decision::AskBack { .. } => None,
    }
}

/// The one wide line of a turn: ids and figures, nobody's words.
fn report(input: &TurnInput, commit: &TurnCommit, committed: Committed, now: Timestamp) {
    let record = &commit.record;
    let waited = input.unread.first().map_or(0, |first| now.duration_since(first.received_at).as_millis());
    tracing::info!(
        turn.id = %commit.turn,
        channel = %input.conversation.address.channel,
        decision = commit.decision,
        reason = commit.reason.as_deref(),
        committed = ?committed,
        messages = input.unread.len(),
        labels = ?record.labels.iter().map(|labelled| labelled.label.name()).collect::<Vec<_>>(),
        coverage = record.coverage,
        recalled = record.recalled.len(),
        cited = record.cited.len(),
        failed_checks = ?record.failed_checks,
        model = record.model.as_deref(),
        prompt.hash = record.prompt_hash.as_deref(),
        tokens.read = record.tokens_in,
        tokens.written = record.tokens_out,
        model.latency_ms = record.model_ms,
        turn.waited_ms = i64::try_from(waited).unwrap_or(i64::MAX),
        "turn"
    );
}

/// Counts a failure; after several in a row people get the conversation.
async fn failed(ctx: &Ctx, lease: &Lease, error: FlowError) -> Result<(), FlowError> {
    let now = ctx.clock.now();
    tracing::warn!(error = &error as &dyn std::error::Error, "the turn failed");
    let failures = ctx.store.fail_turn(lease, &error.to_string(), now + backoff(1), now).await;
    let failures = failures.map_err(FlowError::store("fail_turn"))?;
    if failures < ctx.config.turn.failures {
        return Ok(());
    }
    let conversation = ctx.store.conversation(lease.conversation).await.map_err(FlowError::store("conversation"))?;
    match conversation {
        Some(conversation) if conversation.epoch == lease.epoch => {
            handoff::open(ctx, &conversation, crate::domain::handoff::HandoffReason::PartDown).await
        }
        _ => Ok(()),
    }
}
