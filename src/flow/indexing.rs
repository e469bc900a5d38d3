//! The memory shelf of the index, kept in line with the store: every process applies the store's changes to its own index.

use uuid::Uuid;

use super::{Ctx, FlowError, Progress};
use crate::domain::id::CustomerId;
use crate::domain::text::Language;
use crate::engine::fusion::{self, Legs, Weights};
use crate::ports::index::{Hit, Point, Query, Scope, SearchIndex, Shelf};
use crate::ports::ledger::{IndexChange, Unit, UnitId};
use crate::ports::model::{EmbedRole, Embedder};
use crate::ports::store::Store;

/// Changes applied at a time.
const BATCH: usize = 64;

/// Candidates of each leg before they are fused.
const CANDIDATES: usize = 50;

/// Applies the next changes, if there are any, for the worker.
///
/// # Errors
/// [`FlowError`]; the changes are applied again then.
pub async fn tick_ctx(ctx: &Ctx) -> Result<Progress, FlowError> {
    let search = ctx.search.serving();
    let applied = tick(&*ctx.store, &*search.index, search.embedder.as_deref()).await?;
    Ok(if applied == 0 { Progress::Idle } else { Progress::Worked })
}

/// Applies the next changes to `index` and returns how many there were. Doing it twice is doing it once: ids are made
/// from the unit's own.
///
/// # Errors
/// [`FlowError`].
pub async fn tick(
    store: &dyn Store,
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
) -> Result<usize, FlowError> {
    let changes = store.index_changes(index.name(), BATCH).await.map_err(FlowError::store("index_changes"))?;
    let Some(last) = changes.last().map(|change| change.number) else { return Ok(0) };
    let applied = changes.len();
    let mut points = Vec::new();
    let mut gone = Vec::new();
    for IndexChange { customer, unit, now, .. } in changes {
        match now {
            Some(now) => points.push(point(customer, unit, &now)),
            None => gone.push(point_id(unit)),
        }
    }
    let texts: Vec<String> = points.iter().map(|point| point.text.clone()).collect();
    add_vectors(embedder, &mut points, &texts).await?;
    index.upsert(Shelf::Memory, points).await.map_err(FlowError::index("upsert"))?;
    index.remove(Shelf::Memory, gone).await.map_err(FlowError::index("remove"))?;
    index.flush().await.map_err(FlowError::index("flush"))?;
    store.index_changed(index.name(), last).await.map_err(FlowError::store("index_changed"))?;
    Ok(applied)
}

/// Empties the memory shelf and fills it anew; `progress` hears how many changes of how many are applied.
///
/// # Errors
/// [`FlowError`]; what is missing then is applied by the next tick.
pub async fn rebuild(
    store: &dyn Store,
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, FlowError> {
    index.wipe(Shelf::Memory).await.map_err(FlowError::index("wipe"))?;
    let all = store.reindex_all(index.name()).await.map_err(FlowError::store("reindex_all"))?;
    let mut done = 0;
    progress(done, all);
    loop {
        let applied = tick(store, index, embedder).await?;
        if applied == 0 {
            return Ok(done);
        }
        done += applied as u64;
        progress(done, all.max(done));
    }
}

/// What is remembered of `customer` and like `text`, best first, with the score of the fused ranking.
///
/// # Errors
/// [`FlowError`]; an embedder that is down is none: words carry the search then.
pub async fn search_memory(
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    customer: CustomerId,
    text: &str,
    limit: usize,
) -> Result<Vec<(UnitId, f32)>, FlowError> {
    let scope = Scope::Customer(customer);
    let asked = Asked { text, words: text, foreign: false };
    let hits = fused(index, embedder, scope, asked, limit).await?;
    Ok(hits.into_iter().filter_map(|(hit, score)| Some((serde_json::from_value(hit.payload).ok()?, score))).collect())
}

/// What a search is asked: the question, and the words to look for where they differ from its own.
pub(super) struct Asked<'a> {
    pub(super) text: &'a str,
    pub(super) words: &'a str,
    /// It is in another language than what is searched.
    pub(super) foreign: bool,
}

/// What both legs find in `scope`, in the one ranking of both, with its score.
///
/// # Errors
/// [`FlowError`]; an embedder that is down is none: words carry the search then.
pub(super) async fn fused(
    index: &dyn SearchIndex,
    embedder: Option<&dyn Embedder>,
    scope: Scope,
    asked: Asked<'_>,
    limit: usize,
) -> Result<Vec<(Hit, f32)>, FlowError> {
    let dense = query_vector(embedder, asked.text).await;
    let query = Query { scope, text: asked.words.to_owned(), dense, limit: limit.max(CANDIDATES) };
    let mut hits: Vec<Option<Hit>> =
        index.search(query).await.map_err(FlowError::index("search"))?.into_iter().map(Some).collect();
    let legs = |hit: &Option<Hit>| hit.as_ref().map(|hit| Legs { words: hit.words, meaning: hit.meaning });
    let ranking = fusion::ranking(&hits.iter().filter_map(legs).collect::<Vec<_>>(), asked.foreign, weights(embedder));
    Ok(ranking.into_iter().take(limit).filter_map(|(place, score)| Some((hits[place].take()?, score))).collect())
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

fn point(customer: CustomerId, unit: UnitId, now: &Unit) -> Point {
    let text = match now {
        Unit::Exchange(exchange) => format!("{}\n{}", exchange.question, exchange.answer),
        Unit::Episode(episode) => episode.summary.clone(),
        Unit::Fact(fact) => format!("{} {}", fact.key.replace('_', " "), fact.value),
    };
    Point {
        id: point_id(unit),
        customer: Some(customer),
        language: Language::detect(&text).unwrap_or(Language::Ru),
        text,
        dense: None,
        payload: serde_json::to_value(unit).unwrap_or_default(),
    }
}

fn point_id(unit: UnitId) -> Uuid {
    match unit {
        UnitId::Exchange(id) => id.uuid(),
        UnitId::Episode(id) => id.uuid(),
        UnitId::Fact(id) => id.uuid(),
    }
}
