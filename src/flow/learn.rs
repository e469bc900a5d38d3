//! Learning: when an episode ends, what was said becomes a summary and facts, each with its source message.

use super::draft::DraftError;
use super::wake::Bell;
use super::{Ctx, FlowError, draft, ledger};
use crate::domain::conversation::Conversation;
use crate::domain::id::EpisodeId;
use crate::domain::memory::{Episode, Fact, FactKind, Stance, Statement};
use crate::domain::message::Message;
use crate::engine::guard;
use crate::engine::learn::{self, Learnt};
use crate::ports::ledger::{EpisodeCommit, EpisodeInput, Learning};
use crate::ports::model::ChatModel;
use crate::prompt::EpisodeDraft;

/// Most statements of one episode that are taken from a model: a talk of an hour says no more of a person.
const MOST_OF_A_MODEL: usize = 12;

/// Learns from a conversation's finished stretch; learning twice from the same is learning once.
///
/// # Errors
/// [`FlowError`]; a model that is down is none: what can be read out of the words by rule is learnt.
pub async fn episode(ctx: &Ctx, conversation: &Conversation) -> Result<(), FlowError> {
    let loaded = ctx.store.load_episode(conversation.id).await.map_err(FlowError::store("load_episode"))?;
    let Some(input) = loaded else { return Ok(()) };
    let (Some(first), Some(last)) = (input.messages.first(), input.messages.last()) else { return Ok(()) };
    let (learnt, stated) = learn_from(ctx, &input).await?;
    let now = ctx.clock.now();
    let mut episode = Episode {
        id: EpisodeId::fresh(&ctx.ids, now),
        customer: input.conversation.customer,
        conversation: conversation.id,
        from_seq: first.seq,
        to_seq: last.seq,
        channel: conversation.address.channel,
        summary: learnt.summary,
        outcome: learnt.outcome,
        mood: learnt.mood,
        trend: learnt.trend,
        started_at: first.received_at,
        ended_at: last.received_at,
    };
    for _ in 0..ledger::TRIES {
        let entry = ledger::entry(&*ctx.store, &ctx.ids, episode.customer, stated.clone(), now).await?;
        // Whoever takes something back from now on moves the ledger, and the entry is refused.
        if !still_says(ctx, &input, last.seq).await? {
            return Err(FlowError::Busy);
        }
        let facts = entry.change.learnt.len();
        let commit = EpisodeCommit { episode: episode.clone(), entry };
        let ended = ctx.store.commit_episode(&commit, now).await.map_err(FlowError::store("commit_episode"))?;
        if ended != Learning::Moved {
            tracing::info!(conversation.id = %conversation.id, ?ended, facts, "learnt from an episode");
            ctx.wake.ring(Bell::Indexing);
            ctx.wake.ring(Bell::Timers);
            return Ok(());
        }
        // A merge, or its end, may have made the conversation another customer's.
        let moved = ctx.store.conversation(conversation.id).await.map_err(FlowError::store("conversation"))?;
        let Some(moved) = moved else { return Ok(()) };
        episode.customer = moved.customer;
    }
    Err(FlowError::Busy)
}

/// Whether the stretch still says what was learnt from: a model takes its time, and a customer may take something back
/// meanwhile.
async fn still_says(ctx: &Ctx, input: &EpisodeInput, to_seq: i64) -> Result<bool, FlowError> {
    let now = ctx.store.load_episode(input.conversation.id).await.map_err(FlowError::store("load_episode"))?;
    let now = now.map(|now| now.messages).unwrap_or_default();
    let said = |message: &Message| (message.id, message.text.clone());
    Ok(now.iter().filter(|message| message.seq <= to_seq).map(said).eq(input.messages.iter().map(said)))
}

/// Summary and statements: the rules' always, the model's on top where one is configured and answers.
async fn learn_from(ctx: &Ctx, input: &EpisodeInput) -> Result<(Learnt, Vec<Statement>), FlowError> {
    let zone = &ctx.config.company.timezone;
    let mut stated: Vec<Statement> =
        input.messages.iter().flat_map(|message| learn::statements(message, zone)).collect();
    let by_rule = learn::summary(&input.messages);
    let Some(model) = &ctx.model else { return Ok((by_rule, stated)) };
    // A model takes its time; what is certain is known at once.
    let customer = input.conversation.customer;
    ledger::enter(&*ctx.store, &ctx.ids, customer, stated.clone(), ctx.clock.now()).await?;
    ctx.wake.ring(Bell::Indexing);
    let facts = ctx.store.facts(input.conversation.customer).await.map_err(FlowError::store("facts"))?;
    match by_model(ctx, &**model, input, &facts, &stated).await {
        Ok((EpisodeDraft { summary, mood, trend, .. }, proposed)) => {
            stated.extend(proposed);
            let summary = Some(summary).filter(|summary| is_founded(ctx, input, summary)).unwrap_or(by_rule.summary);
            Ok((Learnt { summary, mood, trend, outcome: by_rule.outcome }, stated))
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "no summary by the model, the rules' stands");
            Ok((by_rule, stated))
        }
    }
}

/// Whether every figure, address and name of a model's summary stands in the stretch itself. What it was shown beside it may be
/// another's by the time somebody reads the summary: two who were one person are parted again.
fn is_founded(ctx: &Ctx, input: &EpisodeInput, summary: &str) -> bool {
    let said: Vec<String> = input.messages.iter().map(|message| message.text.as_str().to_owned()).collect();
    let founded = guard::stands_on(summary, &said, &ctx.config.company.name);
    if !founded {
        tracing::info!("the model's summary says what nobody said, the rules' stands");
    }
    founded
}

/// What a model notes of a stretch, with the facts that hold in view, and the statements of it that are let through beside
/// those of the rules.
///
/// # Errors
/// [`DraftError`].
pub async fn by_model(
    ctx: &Ctx,
    model: &dyn ChatModel,
    input: &EpisodeInput,
    facts: &[Fact],
    by_rule: &[Statement],
) -> Result<(EpisodeDraft, Vec<Statement>), DraftError> {
    let drafted = draft::episode(ctx, model, input, facts).await?;
    let proposed = drafted.statements.iter().cloned().filter_map(|proposed| admitted(input, proposed));
    let kinds = &ctx.config.episode.from_model;
    let proposed = proposed.filter(|proposed| is_new(by_rule, proposed, kinds)).take(MOST_OF_A_MODEL).collect();
    Ok((drafted, proposed))
}

/// What a model proposes, if its message says so. That a promise is kept, nobody says in the words of the promise.
fn admitted(input: &EpisodeInput, proposed: Statement) -> Option<Statement> {
    let message = input.messages.iter().find(|message| message.id == proposed.source)?;
    if proposed.stance != Stance::Stated && proposed.kind == FactKind::Promise {
        return Some(proposed);
    }
    let proposed = if proposed.stance == Stance::Stated { learn::admit(proposed)? } else { proposed };
    learn::is_said(&proposed.key, &proposed.value, message.text.as_str()).then_some(proposed)
}

/// Whether a model states what the rules have not read, of a kind that is left to it as well. What they have read from the same message stands, and of what there
/// is one of, from any message: they are surer.
pub fn is_new(by_rule: &[Statement], proposed: &Statement, kinds: &[String]) -> bool {
    if proposed.stance != Stance::Stated {
        return true;
    }
    let is_single = learn::key(&proposed.key).is_some_and(|key| key.single);
    let is_read = |read: &Statement| read.key == proposed.key && (is_single || read.source == proposed.source);
    kinds.contains(&proposed.key) && !by_rule.iter().any(is_read)
}
