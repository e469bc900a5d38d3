//! Recall: what is known that bears on this turn, each item with its source.
//!
//! The customer is the one of the lease's conversation, never of anything a model said.

use std::collections::HashSet;

use super::{Ctx, FlowError, indexing};
use crate::domain::id::CustomerId;
use crate::domain::memory::Remembered;
use crate::domain::message::Author;
use crate::engine::triage;
use crate::engine::turn::Recall;
use crate::ports::ledger::{Unit, UnitId};
use crate::ports::store::TurnInput;

/// Sections of articles that a turn looks at.
const SECTIONS: usize = 8;

/// Exchanges and episodes that search may add to the facts.
const MEMORIES: usize = 8;

/// Newest episodes that are always at hand: "as I wrote last week" names no word to search for.
const EPISODES: usize = 3;

/// Articles and memories for a turn.
///
/// # Errors
/// [`FlowError`]; an embedder that is down is none: words carry the search then.
pub async fn for_turn(ctx: &Ctx, input: &TurnInput) -> Result<Recall, FlowError> {
    let question = question(input, ctx.model.is_some());
    let embedder = ctx.embedder.as_deref();
    let sections = ctx.knowledge.search(&*ctx.index, embedder, &question, None, SECTIONS).await?;
    let memory = memory(ctx, input.customer.id, &question).await?;
    Ok(Recall { sections, memory })
}

/// What is remembered of `customer`: facts that hold, the newest episodes, and what is like `question`.
///
/// # Errors
/// [`FlowError`].
pub async fn memory(ctx: &Ctx, customer: CustomerId, question: &str) -> Result<Vec<Remembered>, FlowError> {
    let facts = ctx.store.facts(customer).await.map_err(FlowError::store("facts"))?;
    let episodes = ctx.store.episodes(customer, EPISODES).await.map_err(FlowError::store("episodes"))?;
    let embedder = ctx.embedder.as_deref();
    let found = indexing::search_memory(&*ctx.index, embedder, customer, question, MEMORIES).await?;
    let units: Vec<UnitId> = found.into_iter().map(|(unit, _)| unit).collect();
    let units = ctx.store.remembered(customer, &units).await.map_err(FlowError::store("remembered"))?;

    let mut seen = HashSet::new();
    let known = facts.into_iter().map(Remembered::Fact).chain(episodes.into_iter().map(Remembered::Episode));
    let found = units.into_iter().map(|unit| match unit {
        Unit::Exchange(exchange) => Remembered::Exchange(exchange),
        Unit::Episode(episode) => Remembered::Episode(episode),
        Unit::Fact(fact) => Remembered::Fact(fact),
    });
    Ok(known.chain(found).filter(|item| seen.insert(key(item))).collect())
}

/// What tells one remembered item from another: several facts may share a source message.
fn key(item: &Remembered) -> String {
    match item {
        Remembered::Fact(fact) => fact.id.to_string(),
        Remembered::Episode(episode) => episode.id.to_string(),
        Remembered::Exchange(exchange) => exchange.message.to_string(),
    }
}

/// What is searched for.
///
/// A model reads what is found: it gets what is like all the new words; where they are few ("and to Kazan?"), with the
/// customer's words before them. Without one, an article must answer by itself: only the questions count ("my name is
/// Ann, how do I cancel an order?"), where there are any, and nothing from before, lest an article that has answered be
/// quoted again to "thank you".
fn question(input: &TurnInput, has_model: bool) -> String {
    const FEW: usize = 25;
    let new = input.unread.iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n");
    if !has_model {
        let questions = triage::questions(&new);
        return if questions.is_empty() { new } else { questions.join("\n") };
    }
    if new.chars().count() >= FEW {
        return new;
    }
    let before = input.window.iter().rev().find(|message| message.author == Author::Customer);
    before.map_or_else(|| new.clone(), |message| format!("{}\n{new}", message.text.as_str()))
}
