//! What a customer may demand of us: that we forget.

use jiff::Timestamp;

use super::FlowError;
use super::ledger::TRIES;
use crate::domain::id::{CustomerId, FactId, Ids};
use crate::domain::memory::Fact;
use crate::engine::ledger::forgotten_hash;
use crate::engine::{self, learn};
use crate::ports::ledger::Entry;
use crate::ports::privacy::Forgetting;
use crate::ports::store::Store;

/// Forgets one fact; `None` if none of that key is known of the customer.
///
/// # Errors
/// [`FlowError`].
pub async fn forget(
    store: &dyn Store,
    ids: &Ids,
    customer: CustomerId,
    fact: FactId,
    now: Timestamp,
) -> Result<Option<Fact>, FlowError> {
    for _ in 0..TRIES {
        let state = store.ledger(customer).await.map_err(FlowError::store("ledger"))?;
        let Some(fact) = state.facts.iter().find(|known| known.id == fact).cloned() else { return Ok(None) };
        let Some(key) = learn::key(&fact.key) else { return Ok(None) };
        let rest = engine::ledger::forget(key, &fact.value, &state.statements);
        let is_gone = |known: &&Fact| known.key == key.name && rest.spellings.contains(&known.value);
        let known: Vec<Fact> = state.facts.iter().filter(|known| !is_gone(known)).cloned().collect();
        let make_id = || FactId::fresh(ids, now);
        let change = engine::ledger::merge(customer, &known, &rest.statements, make_id, now);
        let forgetting = Forgetting {
            entry: Entry { customer, number: state.number, statements: rest.endings, change },
            key: key.name.to_owned(),
            hashes: state.keys.iter().map(|one| (*one, forgotten_hash(*one, key.name, &fact.value))).collect(),
            spellings: rest.spellings,
        };
        if store.forget(&forgetting, now).await.map_err(FlowError::store("forget"))? {
            return Ok(Some(fact));
        }
    }
    Err(FlowError::Busy)
}
