//! The memory shelf of the index, kept in line with the store: every process applies the store's changes to its own index.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Ctx, FlowError, Progress};
use crate::domain::id::CustomerId;
use crate::domain::memory::Exchange;
use crate::domain::text::Language;
use crate::domain::turn::Found;
use crate::engine::fusion::{self, Legs, Weights};
use crate::engine::learn;
use crate::engine::recall::{self, Candidate};
use crate::ports::index::{Hit, Point, Query, Scope, SearchIndex, Shelf};
use crate::ports::ledger::{Beside, IndexChange, Unit, UnitId};
use crate::ports::model::{EmbedRole, Embedder};
use crate::ports::store::Store;

/// Changes applied at a time.
const BATCH: usize = 256;

/// How often it is looked whether another process has applied the changes.
pub const LOOKED_EVERY: Duration = Duration::from_millis(200);

/// Candidates of each leg before they are fused.
const CANDIDATES: usize = 50;

/// Applies the next changes, if there are any, for the worker.
///
/// # Errors
/// [`FlowError`]; the changes are applied again then.
pub async fn tick_ctx(ctx: &Ctx) -> Result<Progress, FlowError> {
    let search = ctx.search.serving();
    let zone = &ctx.config.company.timezone;
    let applied = tick(&*ctx.store, &*search.index, search.embedder.as_deref(), zone).await?;
    Ok(if applied == 0 { Progress::Idle } else { Progress::Worked })
}

/// Applies the next changes to `index` and returns how many there were; none where another process applies them. Doing it
/// twice is doing it once: ids are made from the unit's own. Days are told as people count them in `zone`.
///
/// # Errors
/// [`FlowError`].
pub async fn tick(
    store: &dyn Store,
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    zone: &TimeZone,
) -> Result<usize, FlowError> {
    let from = store.index_position(index.name()).await.map_err(FlowError::store("index_position"))?;
    let changes = store.index_changes(index.name(), BATCH).await.map_err(FlowError::store("index_changes"))?;
    let Some(last) = changes.last().map(|change| change.number) else { return Ok(0) };
    if index.is_shared() && !store.applies_changes(index.name()).await.map_err(FlowError::store("applies_changes"))? {
        return Ok(0);
    }
    let applied = changes.len();
    apply(index, embedder, zone, changes).await?;
    index.flush().await.map_err(FlowError::index("flush"))?;
    let recorded = store.index_changed(index.name(), from, last).await.map_err(FlowError::store("index_changed"))?;
    if !recorded {
        tracing::info!("another process applied changes at the same time: they are applied again");
    }
    Ok(applied)
}

/// Whether there are changes that `index` has not applied: where a tick did nothing, another process applies them.
///
/// # Errors
/// [`FlowError`].
pub async fn is_behind(store: &dyn Store, index: &dyn SearchIndex) -> Result<bool, FlowError> {
    let changes = store.index_changes(index.name(), 1).await.map_err(FlowError::store("index_changes"))?;
    Ok(!changes.is_empty())
}

/// Takes a snapshot of `index`, unless one was taken since `unless_since`, and records where it stands: an index that goes back
/// to it reads on from there. Returns whether one was taken.
///
/// # Errors
/// [`FlowError`].
pub async fn snapshot(store: &dyn Store, index: &dyn SearchIndex, unless_since: Timestamp) -> Result<bool, FlowError> {
    // Before the copy: what is applied in between is applied once more.
    let position = store.index_position(index.name()).await.map_err(FlowError::store("index_position"))?;
    let Some(name) = index.snapshot(unless_since).await.map_err(FlowError::index("snapshot"))? else {
        return Ok(false);
    };
    store.index_changed(&name, 0, position).await.map_err(FlowError::store("index_changed"))?;
    Ok(true)
}

/// Writes into `index` everything that is remembered of one customer.
///
/// # Errors
/// [`FlowError`].
pub async fn write_customer(
    store: &dyn Store,
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    customer: CustomerId,
    zone: &TimeZone,
) -> Result<(), FlowError> {
    let units = store.units(customer).await.map_err(FlowError::store("units"))?;
    for units in units.chunks(BATCH) {
        let mut changes = Vec::with_capacity(units.len());
        for unit in units {
            let now = store.remembered(customer, &[*unit]).await.map_err(FlowError::store("remembered"))?;
            changes.push(IndexChange { number: 0, customer, unit: *unit, now: now.into_iter().next() });
        }
        apply(index, embedder, zone, changes).await?;
    }
    Ok(())
}

async fn apply(
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    zone: &TimeZone,
    changes: Vec<IndexChange>,
) -> Result<(), FlowError> {
    let mut written: Vec<(Point, String)> = Vec::new();
    let mut gone = Vec::new();
    for IndexChange { customer, unit, now, .. } in changes {
        if let UnitId::Customer(erased) = unit {
            written.retain(|(point, _)| point.customer != Some(erased));
            index.forget(erased).await.map_err(FlowError::index("forget"))?;
        }
        let points = now.map(|now| points(customer, unit, &now, zone)).unwrap_or_default();
        let there = |id: &Uuid| points.iter().any(|(point, _)| point.id == *id);
        gone.extend(point_ids(unit).into_iter().filter(|id| !there(id)));
        written.extend(points);
    }
    let (mut points, meant): (Vec<Point>, Vec<String>) = written.into_iter().unzip();
    add_vectors(embedder, &mut points, &meant).await?;
    index.upsert(Shelf::Memory, points).await.map_err(FlowError::index("upsert"))?;
    index.remove(Shelf::Memory, gone).await.map_err(FlowError::index("remove"))
}

/// Empties the memory shelf and fills it anew; `progress` hears how many changes of how many are applied.
///
/// # Errors
/// [`FlowError`]; what is missing then is applied by the next tick.
pub async fn rebuild(
    store: &dyn Store,
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    zone: &TimeZone,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, FlowError> {
    index.wipe(Shelf::Memory).await.map_err(FlowError::index("wipe"))?;
    let all = store.reindex_all(index.name()).await.map_err(FlowError::store("reindex_all"))?;
    let mut done = 0;
    progress(done, all);
    loop {
        let applied = tick(store, index, embedder, zone).await?;
        if applied == 0 && is_behind(store, index).await? {
            tokio::time::sleep(LOOKED_EVERY).await;
            continue;
        }
        if applied == 0 {
            // What another process has applied counts as well.
            return Ok(if index.is_shared() { all.max(done) } else { done });
        }
        done += applied as u64;
        progress(done, all.max(done));
    }
}

/// Candidates of each leg in a memory, where facts take places as well as what they were learnt from.
pub const MEMORY_CANDIDATES: usize = 100;

/// Exchanges and episodes of `customer` that are like `text`, best first, with their scores. A fact leads to the exchange it
/// was said in.
///
/// # Errors
/// [`FlowError`]; an embedder that is down is none: words carry the search then.
pub async fn search_memory(
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    customer: CustomerId,
    text: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(UnitId, Found)>, FlowError> {
    let dense = query_vector(embedder, text).await;
    let scope = Scope::Customer(customer);
    let query = Query { scope, text: text.to_owned(), dense, limit: limit.max(MEMORY_CANDIDATES) };
    let hits = index.search(query).await.map_err(FlowError::index("search"))?;
    let candidates: Vec<Candidate<UnitId>> = hits.into_iter().filter_map(candidate).collect();
    let ranking = recall::ranking(&candidates, now, weights(embedder)).into_iter().take(limit);
    let found = ranking.map(|(memory, score)| {
        let mut found = Found { score, words: 0.0, around: 0.0, meaning: None };
        for point in candidates.iter().filter(|point| point.memory == memory) {
            found.words = found.words.max(point.words);
            found.around = found.around.max(point.around);
            found.meaning = found.meaning.into_iter().chain(point.meaning).reduce(f32::max);
        }
        (memory, found)
    });
    Ok(found.collect())
}

fn candidate(hit: Hit) -> Option<Candidate<UnitId>> {
    let Stands { memory, fading } = serde_json::from_value(hit.payload).ok()?;
    Some(Candidate { memory, words: hit.words, around: hit.around, meaning: hit.meaning, fading })
}

/// What a search is asked: the question, and the words to look for where they differ from its own.
pub(super) struct Asked<'a> {
    pub(super) text: &'a str,
    pub(super) words: &'a str,
    /// It is in another language than what is searched.
    pub(super) foreign: bool,
}

/// What both legs find in `scope`, in the one ranking of both, with its score. `legs` tells what a hit's two scores count.
///
/// # Errors
/// [`FlowError`]; an embedder that is down is none: words carry the search then.
pub(super) async fn fused(
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    scope: Scope,
    asked: Asked<'_>,
    legs: fn(&Hit) -> Legs,
) -> Result<Vec<(Hit, f32)>, FlowError> {
    let dense = query_vector(embedder, asked.text).await;
    let query = Query { scope, text: asked.words.to_owned(), dense, limit: CANDIDATES };
    let hits = index.search(query).await.map_err(FlowError::index("search"))?;
    let ranking = fusion::ranking(&hits.iter().map(legs).collect::<Vec<_>>(), asked.foreign, weights(embedder));
    let mut hits: Vec<Option<Hit>> = hits.into_iter().map(Some).collect();
    Ok(ranking.into_iter().filter_map(|(place, score)| Some((hits[place].take()?, score))).collect())
}

/// How words and meaning are weighed with this embedder.
pub(super) fn weights(embedder: Option<&dyn Embedder>) -> Weights {
    embedder.map_or(Weights::OTHER, |embedder| Weights::of(&embedder.fingerprint().model))
}

/// The vector of a question; none where there is no embedder, or it is down.
async fn query_vector(embedder: Option<&dyn Embedder>, text: &str) -> Option<Vec<f32>> {
    match embedder?.embed(&[text.to_owned()], EmbedRole::Query).await {
        Ok(mut vectors) => vectors.pop(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the embedder is down: words carry the search");
            None
        }
    }
}

/// Adds to points the vectors of `texts`, one each. Unlike a question, a point waits for its vector: without it, it would
/// never be found by meaning again.
pub(super) async fn add_vectors(
    embedder: Option<&dyn Embedder>,
    points: &mut [Point],
    texts: &[String],
) -> Result<(), FlowError> {
    let Some(embedder) = embedder else { return Ok(()) };
    let vectors = embedder.embed(texts, EmbedRole::Passage).await.map_err(FlowError::Embedder)?;
    for (point, vector) in points.iter_mut().zip(vectors) {
        point.dense = Some(vector);
    }
    Ok(())
}

/// What a point stands for: its payload.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Stands {
    #[serde(flatten)]
    memory: UnitId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fading: Option<Timestamp>,
}

/// The points of a unit, each with the text that its vector is of. An exchange has two: a long answer must not bury the
/// question that it answers, nor the reverse.
fn points(customer: CustomerId, unit: UnitId, now: &Unit, zone: &TimeZone) -> Vec<(Point, String)> {
    let point = |id, stands, language, text, around| Point {
        id,
        customer: Some(customer),
        language,
        text,
        around,
        dense: None,
        payload: serde_json::to_value(stands).unwrap_or_default(),
    };
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    match now {
        Unit::Exchange(exchange, beside) => {
            let Exchange { question, answer, at, .. } = exchange;
            let language = language(&format!("{question}\n{answer}"));
            let [customer, support] = recall::speakers(language);
            let Beside { before, after } = beside;
            let around = before.iter().chain([question, answer]).chain(after).map(String::as_str);
            let around = recall::dated(day(*at), language, around);
            let stands = Stands { memory: unit, fading: None };
            let sides = point_ids(unit).into_iter().zip([(customer, question), (support, answer)]);
            let said = sides.filter(|(_, (_, words))| !words.is_empty()).map(|(id, (who, words))| {
                let said = recall::said(who, words);
                let key = recall::dated(day(*at), language, [said.as_str()]);
                (point(id, stands, language, key, Some(around.clone())), said)
            });
            said.collect()
        }
        // Nothing stands around it; without a second key it would come after every exchange.
        Unit::Episode(episode) => {
            let language = language(&episode.summary);
            let key = recall::dated(day(episode.ended_at), language, [episode.summary.as_str()]);
            let stands = Stands { memory: unit, fading: Some(episode.ended_at) };
            let point = point(episode.id.uuid(), stands, language, key.clone(), Some(key));
            vec![(point, episode.summary.clone())]
        }
        Unit::Fact(fact) => {
            let text = format!("{} {}", fact.key.replace('_', " "), fact.value);
            let lasts = learn::key(&fact.key).is_some_and(|key| key.single);
            let fading = (!lasts).then_some(fact.valid_at);
            let stands = Stands { memory: UnitId::Exchange(fact.source), fading };
            vec![(point(fact.id.uuid(), stands, language(&text), text.clone(), None), text)]
        }
    }
}

fn language(text: &str) -> Language {
    Language::detect(text).unwrap_or(Language::Ru)
}

/// The ids of all points that a unit may have.
fn point_ids(unit: UnitId) -> Vec<Uuid> {
    match unit {
        UnitId::Exchange(id) => vec![id.uuid(), Uuid::new_v5(&id.uuid(), b"answer")],
        UnitId::Episode(id) => vec![id.uuid()],
        UnitId::Fact(id) => vec![id.uuid()],
        UnitId::Customer(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ConversationId, FactId, Ids, MessageId};
    use crate::domain::memory::{Fact, FactKind};

    fn moscow() -> TimeZone {
        TimeZone::get("Europe/Moscow").unwrap()
    }

    fn exchange(ids: &Ids, question: &str, answer: &str) -> Exchange {
        Exchange {
            message: MessageId::fresh(ids, Timestamp::UNIX_EPOCH),
            customer: CustomerId::fresh(ids, Timestamp::UNIX_EPOCH),
            conversation: ConversationId::fresh(ids, Timestamp::UNIX_EPOCH),
            question: question.to_owned(),
            answer: answer.to_owned(),
            at: "2025-01-13T22:30:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn an_exchange_is_found_by_question_and_by_answer() {
        let told = exchange(&Ids::seeded(1), "Где заказ?", "В пути");
        let unit = UnitId::Exchange(told.message);
        let beside = Beside { before: vec!["Привет".to_owned()], after: vec!["Спасибо".to_owned()] };
        let now = Unit::Exchange(told.clone(), beside);
        let [(question, asked), (answer, answered)] =
            <[_; 2]>::try_from(points(told.customer, unit, &now, &moscow())).unwrap();
        // Past midnight in Moscow.
        assert_eq!(
            (question.text.as_str(), asked.as_str()),
            ("14 января 2025\nКлиент: Где заказ?", "Клиент: Где заказ?")
        );
        assert_eq!(
            (answer.text.as_str(), answered.as_str()),
            ("14 января 2025\nПоддержка: В пути", "Поддержка: В пути")
        );
        assert_eq!(question.around.as_deref(), Some("14 января 2025\nПривет\nГде заказ?\nВ пути\nСпасибо"));
        assert_eq!((&answer.around, &answer.payload), (&question.around, &question.payload));
        assert_eq!([question.id, answer.id].to_vec(), point_ids(unit));
        assert_ne!(question.id, answer.id);
        let hit = Hit { id: answer.id, words: 0.5, around: 0.25, meaning: Some(0.75), payload: answer.payload };
        let expected = Candidate { memory: unit, words: 0.5, around: 0.25, meaning: Some(0.75), fading: None };
        assert_eq!(candidate(hit), Some(expected));
    }

    #[test]
    fn an_exchange_without_an_answer_is_found_by_its_question() {
        let told = exchange(&Ids::seeded(1), "Where is my order?", "");
        let unit = UnitId::Exchange(told.message);
        let found = points(told.customer, unit, &Unit::Exchange(told.clone(), Beside::default()), &TimeZone::UTC);
        let texts: Vec<&str> = found.iter().map(|(point, _)| point.text.as_str()).collect();
        assert_eq!(texts, ["13 January 2025\nCustomer: Where is my order?"]);
    }

    #[test]
    fn a_fact_leads_to_where_it_was_said_and_fades_if_another_may_stand_beside_it() {
        let ids = Ids::seeded(1);
        let told = exchange(&ids, "Я Анна", "");
        for (key, fades) in [("name", false), ("order_number", true)] {
            let fact = Fact {
                id: FactId::fresh(&ids, Timestamp::UNIX_EPOCH),
                customer: told.customer,
                key: key.to_owned(),
                value: "Анна".to_owned(),
                kind: FactKind::Attribute,
                confidence: 1.0,
                source: told.message,
                valid_at: told.at,
                invalid_at: None,
                recorded_at: told.at,
                superseded_at: None,
                due_at: None,
            };
            let unit = UnitId::Fact(fact.id);
            let [(point, _)] = <[_; 1]>::try_from(points(told.customer, unit, &Unit::Fact(fact), &moscow())).unwrap();
            let hit = Hit { id: point.id, words: 0.0, around: 0.0, meaning: None, payload: point.payload };
            let found = candidate(hit).unwrap();
            assert_eq!(found.memory, UnitId::Exchange(told.message));
            assert_eq!(found.fading, fades.then_some(told.at), "{key}");
        }
    }
}
