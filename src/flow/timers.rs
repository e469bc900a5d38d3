//! Things that fall due: deadlines that make silence impossible, episodes that end, packages that are owed.

use super::wake::Bell;
use super::{Ctx, FlowError, Progress, compose, handoff, learn, ledger, proof};
use crate::domain::conversation::{Conversation, Ownership};
use crate::domain::handoff::{HandoffReason, HandoffState};
use crate::domain::text::Language;
use crate::ports::store::{Timer, TimerKind};
use crate::prompt::phrases::Phrase;

/// Does the next thing that is due.
///
/// # Errors
/// [`FlowError`]; the timer falls due again.
pub async fn tick(ctx: &Ctx) -> Result<Progress, FlowError> {
    let claimed = ctx.store.claim_timer(&ctx.claim(), ctx.clock.now()).await;
    let Some(timer) = claimed.map_err(FlowError::store("claim_timer"))? else { return Ok(Progress::Idle) };
    let conversation = ctx.store.conversation(timer.conversation).await.map_err(FlowError::store("conversation"))?;
    if let Some(conversation) = conversation {
        ring(ctx, &timer, &conversation).await?;
        ctx.wake.changed(conversation.id);
    }
    ctx.store.finish_timer(&timer).await.map_err(FlowError::store("finish_timer"))?;
    Ok(Progress::Worked)
}

async fn ring(ctx: &Ctx, timer: &Timer, conversation: &Conversation) -> Result<(), FlowError> {
    tracing::info!(conversation.id = %conversation.id, timer = timer.kind.name(), "a timer fell due");
    match timer.kind {
        TimerKind::ReplyDeadline if conversation.ownership == Ownership::Bot => {
            handoff::open(ctx, conversation, HandoffReason::Deadline).await
        }
        TimerKind::UnknownSend => unknown_send(ctx, conversation).await,
        TimerKind::Undelivered => undelivered(ctx, conversation).await,
        TimerKind::UnclaimedNotice => unclaimed_notice(ctx, conversation).await,
        TimerKind::Package => handoff::write_package(ctx, conversation).await,
        TimerKind::EpisodeEnd => learn::episode(ctx, conversation).await,
        TimerKind::Promise => promise(ctx, conversation).await,
        TimerKind::Ledger => {
            let now = ctx.clock.now();
            ledger::bring_in_line(&*ctx.store, &ctx.ids, conversation, now).await?;
            ctx.wake.ring(Bell::Indexing);
            Ok(())
        }
        TimerKind::Proof => proof::bring_together(ctx, conversation).await,
        TimerKind::ReplyDeadline => Ok(()),
    }
}

/// Words of the bot did not arrive, and never will: without a person there would be silence.
async fn undelivered(ctx: &Ctx, conversation: &Conversation) -> Result<(), FlowError> {
    if conversation.ownership != Ownership::Bot {
        return Ok(());
    }
    handoff::open(ctx, conversation, HandoffReason::UnknownSend).await
}

/// A person must see that nobody knows whether the customer got a message. Where people have the conversation, they
/// see it marked; a resolved one is over.
async fn unknown_send(ctx: &Ctx, conversation: &Conversation) -> Result<(), FlowError> {
    if conversation.ownership != Ownership::Bot {
        return Ok(());
    }
    let lost = ctx.store.undelivered(conversation.id).await.map_err(FlowError::store("undelivered"))?;
    if lost.iter().all(|message| message.state != "unknown") {
        return Ok(());
    }
    handoff::open(ctx, conversation, HandoffReason::UnknownSend).await
}

/// What was promised in this conversation falls due and is still open: to people with it, before the customer asks. Where
/// people have the conversation they see it among the facts; where the customer writes elsewhere on this address by now,
/// it is brought there.
async fn promise(ctx: &Ctx, conversation: &Conversation) -> Result<(), FlowError> {
    let now = ctx.clock.now();
    let promises = ctx.store.promises(conversation.id).await.map_err(FlowError::store("promises"))?;
    if promises.iter().any(|promise| promise.due_at.is_some_and(|due_at| due_at <= now)) {
        let newest = ctx.store.conversation_at(&conversation.address).await;
        let newest = newest.map_err(FlowError::store("conversation_at"))?;
        handoff::open(ctx, newest.as_ref().unwrap_or(conversation), HandoffReason::PromiseDue).await?;
    }
    if let Some(next) = promises.iter().filter_map(|promise| promise.due_at).filter(|due_at| *due_at > now).min() {
        ctx.store.remind(conversation.id, next).await.map_err(FlowError::store("remind"))?;
    }
    Ok(())
}

/// Nobody has come yet: the customer is told so, once.
async fn unclaimed_notice(ctx: &Ctx, conversation: &Conversation) -> Result<(), FlowError> {
    let open = ctx.store.handoff(conversation.id).await.map_err(FlowError::store("handoff"))?;
    let waiting = open.is_some_and(|handoff| handoff.state == HandoffState::Open);
    if !waiting || conversation.ownership != Ownership::Queued {
        return Ok(());
    }
    let words = compose::phrase(ctx, conversation.language.unwrap_or(Language::Ru), Phrase::Unclaimed);
    let notice = compose::message(ctx, &conversation.address, &words, Vec::new());
    let queued = ctx.store.commit_notice(conversation.id, conversation.epoch, &notice, ctx.clock.now()).await;
    queued.map_err(FlowError::store("commit_notice"))?;
    ctx.wake.ring(Bell::Deliveries);
    Ok(())
}
