//! Learning: when an episode ends, what was said becomes a summary and facts, each with its source message.

use super::wake::Bell;
use super::{Ctx, FlowError, draft};
use crate::domain::conversation::Conversation;
use crate::domain::id::{EpisodeId, FactId};
use crate::domain::memory::{Episode, NewFact};
use crate::domain::message::Author;
use crate::engine::learn::{self, Learnt};
use crate::ports::ledger::{EpisodeCommit, EpisodeInput};

/// Learns from a conversation's finished stretch; learning twice from the same is learning once.
///
/// # Errors
/// [`FlowError`]; a model that is down is none: what can be read out of the words by rule is learnt.
pub async fn episode(ctx: &Ctx, conversation: &Conversation) -> Result<(), FlowError> {
    let loaded = ctx.store.load_episode(conversation.id).await.map_err(FlowError::store("load_episode"))?;
    let Some(input) = loaded else { return Ok(()) };
    let (Some(first), Some(last)) = (input.messages.first(), input.messages.last()) else { return Ok(()) };
    let (learnt, stated) = learn_from(ctx, &input).await;
    let now = ctx.clock.now();
    let customer = input.conversation.customer;
    let merged = learn::merge(customer, &input.facts, stated, || FactId::fresh(&ctx.ids, now), now);
    let commit = EpisodeCommit {
        episode: Episode {
            id: EpisodeId::fresh(&ctx.ids, now),
            customer,
            conversation: conversation.id,
            from_seq: first.seq,
            to_seq: last.seq,
            channel: conversation.address.channel,
            summary: learnt.summary,
            outcome: learnt.outcome,
            mood: learnt.mood,
            started_at: first.received_at,
            ended_at: last.received_at,
        },
        learnt: merged.learnt,
        superseded: merged.superseded,
    };
    let facts = commit.learnt.len();
    let stored = ctx.store.commit_episode(&commit, now).await.map_err(FlowError::store("commit_episode"))?;
    tracing::info!(conversation.id = %conversation.id, stored, facts, "learnt from an episode");
    ctx.wake.ring(Bell::Indexing);
    Ok(())
}

/// Summary and statements: the rules' always, the model's on top where one is configured and answers.
async fn learn_from(ctx: &Ctx, input: &EpisodeInput) -> (Learnt, Vec<NewFact>) {
    let said = input.messages.iter().filter(|message| message.author == Author::Customer);
    let mut stated: Vec<NewFact> =
        said.flat_map(|message| learn::extract(message.text.as_str(), message.id, message.received_at)).collect();
    let by_rule = learn::summary(&input.messages);
    let Some(model) = &ctx.model else { return (by_rule, stated) };
    match draft::episode(ctx, &**model, input).await {
        Ok(drafted) => {
            stated.extend(drafted.facts.into_iter().filter_map(learn::admit));
            (Learnt { summary: drafted.summary, mood: drafted.mood, outcome: by_rule.outcome }, stated)
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "no summary by the model, the rules' stands");
            (by_rule, stated)
        }
    }
}
