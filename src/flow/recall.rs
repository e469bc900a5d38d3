//! Recall: what is known that bears on this turn, each item with its source.
//!
//! The customer is the one of the lease's conversation, never of anything a model said.

use std::collections::{HashMap, HashSet};

use super::indexing::search_memory;
use super::once::Once;
use super::search::Searcher;
use super::{Ctx, FlowError};
use crate::domain::customer::Customer;
use crate::domain::id::{CustomerId, MessageId};
use crate::domain::memory::{Fact, Remembered};
use crate::domain::message::Author;
use crate::domain::text::Language;
use crate::domain::turn::{Found, Scored};
use crate::engine::triage::{self, Score};
use crate::engine::turn::Recall;
use crate::ports::ledger::UnitId;
use crate::ports::model::{EmbedRole, Embedder};
use crate::ports::store::TurnInput;

/// Sections of articles that a turn looks at.
const SECTIONS: usize = 8;

/// Exchanges and episodes that search may add to the facts.
const MEMORIES: usize = 8;

/// A history of so many exchanges goes in whole: nothing in it need be searched for.
const SHORT: usize = 12;

/// Most facts of one key.
const OF_A_KEY: usize = 20;

/// Newest episodes that are always at hand: "as I wrote last week" names no word to search for.
const EPISODES: usize = 3;

/// Articles and memories for a turn.
///
/// # Errors
/// [`FlowError`]; an embedder that is down is none: words carry the search then.
pub async fn for_turn(ctx: &Ctx, input: &TurnInput) -> Result<Recall, FlowError> {
    let question = question(input, ctx.model.is_some());
    let search = ctx.search.serving();
    let once = search.embedder.as_deref().map(Once::new);
    let embedder = once.as_ref().map(|once| once as &dyn Embedder);
    let scores = scores(ctx, &search, embedder, new_words(input), &question).await;
    let sections = ctx.knowledge.search(&*search.index, embedder, &question, None, SECTIONS).await?;
    let shown: HashSet<MessageId> = input.window.iter().chain(&input.unread).map(|message| message.id).collect();
    let (memory, scored) = remembered(ctx, &search, embedder, &input.customer, &question, &shown).await?;
    Ok(Recall { sections, memory, scored, scores })
}

/// What the trained classifier says of some words; none where it does not read this embedder's vectors, or there are none.
pub async fn heard(ctx: &Ctx, words: &str) -> Option<Vec<Score>> {
    let search = ctx.search.serving();
    scores(ctx, &search, search.embedder.as_deref(), words.to_owned(), words).await
}

/// The same of the new words, with the vector of what is searched for in one call.
async fn scores(
    ctx: &Ctx,
    search: &Searcher,
    embedder: Option<&dyn Embedder>,
    words: String,
    question: &str,
) -> Option<Vec<Score>> {
    let (embedder, classifier) = (embedder?, ctx.words.classifier?);
    let fingerprint = embedder.fingerprint();
    if !classifier.reads(&fingerprint.model, fingerprint.dimensions) {
        return None;
    }
    // Both in one call. A failure is told where the search meets it: the embedder is asked again there.
    let vectors = embedder.embed(&[words.clone(), question.to_owned()], EmbedRole::Query).await.ok()?;
    let vector = vectors.into_iter().next()?;
    let near = ctx.knowledge.nearness(&*search.index, vector.clone(), Language::detect(&words)).await.ok()?;
    classifier.scores(&words, &vector, near)
}

fn new_words(input: &TurnInput) -> String {
    input.unread.iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// What is remembered of `customer`: facts that hold, the newest episodes, what is like `question`, and a short history
/// whole. Nothing where memory is off.
///
/// # Errors
/// [`FlowError`].
pub async fn memory(ctx: &Ctx, customer: CustomerId, question: &str) -> Result<Vec<Remembered>, FlowError> {
    let customer = ctx.store.customer(customer).await.map_err(FlowError::store("customer"))?;
    let Some(customer) = customer else { return Ok(Vec::new()) };
    let search = ctx.search.serving();
    Ok(remembered(ctx, &search, search.embedder.as_deref(), &customer, question, &HashSet::new()).await?.0)
}

async fn remembered(
    ctx: &Ctx,
    search: &Searcher,
    embedder: Option<&dyn Embedder>,
    customer: &Customer,
    question: &str,
    shown: &HashSet<MessageId>,
) -> Result<(Vec<Remembered>, Vec<Scored>), FlowError> {
    if !customer.remembered {
        return Ok((Vec::new(), Vec::new()));
    }
    let customer = customer.id;
    let facts = ctx.store.facts(customer).await.map_err(FlowError::store("facts"))?;
    let episodes = ctx.store.episodes(customer, EPISODES).await.map_err(FlowError::store("episodes"))?;
    let now = ctx.clock.now();
    let found = search_memory(&*search.index, embedder, customer, question, now, MEMORIES).await?;
    let mut units: Vec<UnitId> = found.iter().map(|(unit, _)| *unit).collect();
    units.extend(ctx.store.short_history(customer, SHORT).await.map_err(FlowError::store("short_history"))?);
    let units = ctx.store.remembered(customer, &units).await.map_err(FlowError::store("remembered"))?;

    let mut seen = HashSet::new();
    let known = newest_of_each_key(facts).into_iter().map(Remembered::Fact);
    let known = known.chain(episodes.into_iter().map(Remembered::Episode));
    // What stands in the conversation at hand need not be remembered.
    let shown = |item: &Remembered| matches!(item, Remembered::Exchange(exchange) if shown.contains(&exchange.message));
    let all = known.chain(units.into_iter().map(Remembered::from));
    let all: Vec<Remembered> = all.filter(|item| !shown(item) && seen.insert(key(item))).collect();
    let scored = all.iter().map(|item| scored(item, &found)).collect();
    Ok((all, scored))
}

/// Of values that stand side by side, the newest: an old customer has ordered a lot.
fn newest_of_each_key(facts: Vec<Fact>) -> Vec<Fact> {
    let mut left: HashMap<String, usize> = HashMap::new();
    let newest = facts.into_iter().rev().filter(|fact| {
        let taken = left.entry(fact.key.clone()).or_default();
        *taken += 1;
        *taken <= OF_A_KEY
    });
    let mut newest: Vec<Fact> = newest.collect();
    newest.reverse();
    newest
}

fn scored(item: &Remembered, found: &[(UnitId, Found)]) -> Scored {
    let unit = match item {
        Remembered::Fact(fact) => UnitId::Fact(fact.id),
        Remembered::Episode(episode) => UnitId::Episode(episode.id),
        Remembered::Exchange(exchange) => UnitId::Exchange(exchange.message),
    };
    Scored {
        source: item.source(),
        kind: item.kind().to_owned(),
        found: found.iter().find(|(other, _)| *other == unit).map(|(_, found)| *found),
    }
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
    let new = new_words(input);
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
