//! Who is who: customers become one person, and are parted again.

use jiff::Timestamp;

use super::FlowError;
use super::ledger::TRIES;
use crate::domain::customer::Merge;
use crate::domain::id::{CustomerId, FactId, Ids, MergeId};
use crate::engine;
use crate::ports::identity::{Merging, Sides, Unmerging};
use crate::ports::ledger::{Entry, LedgerState};
use crate::ports::store::Store;

/// Why two customers were not made one.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There is nobody of that key.
    #[error("there is no customer {0}")]
    NotFound(CustomerId),
    /// They are one already.
    #[error("{0} and {1} are one person already")]
    Same(CustomerId, CustomerId),
    /// The step that failed.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

/// Makes one customer part of another; of customers who are part of others, the wholes are meant. Who does it answers for
/// the proof: from then on each of them is told what the other said.
///
/// # Errors
/// [`MergeError`].
pub async fn merge(
    store: &dyn Store,
    ids: &Ids,
    (part, whole): (CustomerId, CustomerId),
    by: &str,
    now: Timestamp,
) -> Result<Merge, MergeError> {
    for _ in 0..TRIES {
        let (part, whole) = (whole_of(store, part).await?, whole_of(store, whole).await?);
        if part == whole {
            return Err(MergeError::Same(part, whole));
        }
        let ledger_of = async |customer| store.ledger(customer).await.map_err(FlowError::store("ledger"));
        let (of_part, of_whole) = (ledger_of(part).await?, ledger_of(whole).await?);
        let statements: Vec<_> = of_whole.statements.iter().chain(&of_part.statements).cloned().collect();
        let known: Vec<_> = of_whole.facts.iter().chain(&of_part.facts).cloned().collect();
        let change = engine::ledger::merge(whole, &known, &statements, || FactId::fresh(ids, now), now);
        let merge = Merge { id: MergeId::fresh(ids, now), part, whole, by: by.to_owned(), at: now, undone: None };
        let entry = Entry { customer: whole, number: of_whole.number, statements: Vec::new(), change };
        let merging = Merging { merge, part_number: of_part.number, entry };
        if store.merge(&merging, now).await.map_err(FlowError::store("merge"))? {
            return Ok(merging.merge);
        }
    }
    Err(FlowError::Busy.into())
}

async fn whole_of(store: &dyn Store, customer: CustomerId) -> Result<CustomerId, MergeError> {
    let whole = store.whole(customer).await.map_err(FlowError::store("whole"))?;
    whole.ok_or(MergeError::NotFound(customer))
}

/// Undoes a merge, and returns it; `None` if there is none of that key, or it is undone.
///
/// # Errors
/// [`FlowError`].
pub async fn unmerge(
    store: &dyn Store,
    ids: &Ids,
    merge: MergeId,
    by: &str,
    now: Timestamp,
) -> Result<Option<Merge>, FlowError> {
    for _ in 0..TRIES {
        let Some(sides) = store.sides(merge).await.map_err(FlowError::store("sides"))? else { return Ok(None) };
        let kept = side(ids, &sides, (sides.whole, sides.state.number), false, now);
        let parted = side(ids, &sides, (sides.merge.part, sides.part_number), true, now);
        let unmerging = Unmerging { merge, by: by.to_owned(), kept, parted };
        if store.unmerge(&unmerging, now).await.map_err(FlowError::store("unmerge"))? {
            return Ok(Some(sides.merge));
        }
    }
    Err(FlowError::Busy)
}

/// What becomes of the ledger of one side: facts are what its own statements make of them.
fn side(ids: &Ids, sides: &Sides, (customer, number): (CustomerId, i64), is_part: bool, now: Timestamp) -> Entry {
    let LedgerState { statements, facts, .. } = &sides.state;
    let statements: Vec<_> =
        statements.iter().filter(|one| sides.of_part.contains(&one.source) == is_part).cloned().collect();
    let known: Vec<_> = facts.iter().filter(|one| sides.of_part.contains(&one.source) == is_part).cloned().collect();
    let change = engine::ledger::merge(customer, &known, &statements, || FactId::fresh(ids, now), now);
    Entry { customer, number, statements: Vec::new(), change }
}
