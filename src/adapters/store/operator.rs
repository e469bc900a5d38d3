//! Changes of a conversation that need no lease: what operators do, handoffs without a turn, and notices.

use jiff::Timestamp;

use super::accept::{Noted, link, note};
use super::held::Held;
use super::sql::{Failure, Put, Tx, document, undone};
use super::{SqlStore, csat, ledger, timers};
use crate::domain::conversation::{OperatorAction, Ownership};
use crate::domain::handoff::{HandoffReason, Package};
use crate::domain::id::{ConversationId, HandoffId, OperatorId};
use crate::domain::message::Author;
use crate::ports::store::{HandoffCommit, NewMessage, OperatorCommit, OperatorOutcome, TimerKind};

/// Priority of a handoff that nobody asked for: an operator took it, so it waits for nobody.
const TAKEN_PRIORITY: i64 = 9;

pub(super) async fn commit_operator(
    store: &SqlStore,
    commit: &OperatorCommit,
    now: Timestamp,
) -> Result<OperatorOutcome, Failure> {
    let mut tx = store.begin().await?;
    let noted = Noted::action(commit.operator, &commit.action_id, kind(&commit.action));
    let Some(inbox) = note(&mut tx, noted, now).await? else { return undone(tx, OperatorOutcome::Again).await };
    let held = Held::at_epoch(store.dialect, &mut tx, commit.conversation, commit.epoch).await?;
    // The inbox row goes with the transaction: the same key may try again.
    let Some(mut held) = held else { return undone(tx, OperatorOutcome::Moved).await };
    if held.conversation.ownership != commit.owner {
        held.reply_within = commit.timing.reply_within;
        held.pass_to(&mut tx, commit.owner, now).await?;
    }
    match (&commit.action, commit.owner) {
        (OperatorAction::Take | OperatorAction::Reply(_), Ownership::Human(operator)) => {
            take(&mut tx, &held, operator, (commit.handoff, &commit.package), now).await?;
        }
        (OperatorAction::Release, _) => held.close_handoff(&mut tx, "released", now).await?,
        (OperatorAction::Resolve, _) => held.close_handoff(&mut tx, "resolved", now).await?,
        _ => {}
    }
    let seq = match &commit.message {
        Some(message) => Some(say(&mut tx, &mut held, commit, message, now).await?),
        None => None,
    };
    if let Some(question) = &commit.question {
        csat::ask(&mut tx, &mut held, question, now).await?;
    }
    link(&mut tx, inbox, held.id(), commit.message.as_ref().map(|message| message.id), seq).await?;
    tx.commit().await?;
    Ok(OperatorOutcome::Done)
}

fn kind(action: &OperatorAction) -> &'static str {
    match action {
        OperatorAction::Take => "take",
        OperatorAction::Reply(_) => "reply",
        OperatorAction::Note(_) => "note",
        OperatorAction::Release => "release",
        OperatorAction::Resolve => "resolve",
    }
}

/// The operator has the handoff; where there is none, this one is opened to say since when a person has the conversation.
pub(super) async fn take(
    tx: &mut Tx,
    held: &Held,
    operator: OperatorId,
    (handoff, package): (HandoffId, &Package),
    now: Timestamp,
) -> Result<(), Failure> {
    if held.claim_handoff(tx, operator, now).await? {
        return Ok(());
    }
    sqlx::query(
        "insert into handoffs (id, conversation_id, reason, queue, priority, state, operator_id, package, opened_at, \
         claimed_at) values ($1, $2, $3, '', $4, 'claimed', $5, $6, $7, $7)",
    )
    .put(handoff)
    .put(held.id())
    .put(HandoffReason::Taken.name())
    .put(TAKEN_PRIORITY)
    .put(operator)
    .put(&document(package))
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores the operator's words: to colleagues, or to the customer.
async fn say(
    tx: &mut Tx,
    held: &mut Held,
    commit: &OperatorCommit,
    message: &NewMessage,
    now: Timestamp,
) -> Result<i64, Failure> {
    if matches!(commit.action, OperatorAction::Note(_)) {
        let note = NewMessage { parts: Vec::new(), ..message.clone() };
        return held.say(tx, Author::Note(commit.operator), &note, None, now).await;
    }
    let seq = held.say(tx, Author::Operator(commit.operator), message, None, now).await?;
    ledger::exchange_of_operator(tx, held, seq, message.id, now).await?;
    if held.conversation.ownership != Ownership::Resolved {
        timers::set(tx, held.id(), TimerKind::EpisodeEnd, now + commit.timing.episode_after).await?;
    }
    Ok(seq)
}

pub(super) async fn commit_handoff(store: &SqlStore, commit: &HandoffCommit, now: Timestamp) -> Result<bool, Failure> {
    let mut tx = store.begin().await?;
    let held = Held::at_epoch(store.dialect, &mut tx, commit.conversation, commit.epoch).await?;
    let Some(mut held) = held else { return undone(tx, false).await };
    let free = match held.conversation.ownership {
        Ownership::Bot => true,
        // What was promised in it is brought back, unless the customer writes elsewhere on this address by now.
        Ownership::Resolved if commit.handoff.reason == HandoffReason::PromiseDue => {
            Held::open_at(store.dialect, &mut tx, held.address).await?.is_none()
        }
        // People have it already, or it is over.
        Ownership::Queued | Ownership::Human(_) | Ownership::Resolved => false,
    };
    if !free {
        return undone(tx, false).await;
    }
    held.pass_to(&mut tx, Ownership::Queued, now).await?;
    held.open_handoff(&mut tx, &commit.handoff, now).await?;
    if let Some(notice) = &commit.notice {
        held.say(&mut tx, Author::Bot, notice, None, now).await?;
    }
    if commit.disclosed {
        held.disclose(&mut tx, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn commit_notice(
    store: &SqlStore,
    conversation: ConversationId,
    epoch: i64,
    notice: &NewMessage,
    now: Timestamp,
) -> Result<bool, Failure> {
    let mut tx = store.begin().await?;
    let held = Held::at_epoch(store.dialect, &mut tx, conversation, epoch).await?;
    let Some(mut held) = held else { return undone(tx, false).await };
    held.say(&mut tx, Author::Bot, notice, None, now).await?;
    tx.commit().await?;
    Ok(true)
}
