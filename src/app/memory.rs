//! What the command line does to memory, beside a process that serves or without one.

use std::path::Path;

use super::account;
use crate::adapters::clock::SystemClock;
use crate::adapters::history::{self, Format};
use crate::config::Config;
use crate::domain::id::{CustomerId, FactId, Ids};
use crate::domain::memory::{Fact, LedgerChange};
use crate::flow::import::Imported;
use crate::flow::ledger;
use crate::flow::{import, privacy};
use crate::ports::clock::Clock as _;
use crate::ports::store::Store;

pub use crate::flow::ledger::Amendment;

/// Amends a fact in the name of the operator with the login `by`.
///
/// # Errors
/// Where there is no such operator or fact, the value can't be one of its key, or the store fails.
pub async fn amend(
    store: &dyn Store,
    fact: (CustomerId, FactId),
    amendment: &Amendment,
    by: &str,
) -> anyhow::Result<LedgerChange> {
    let operator = super::operator_of(store, by).await?;
    Ok(ledger::amend(store, &Ids::os(), operator.id, fact, amendment, SystemClock.now()).await?)
}

/// Forgets a fact and returns it; `None` if the customer has none of that key.
///
/// # Errors
/// Where the store fails.
pub async fn forget(store: &dyn Store, customer: CustomerId, fact: FactId) -> anyhow::Result<Option<Fact>> {
    Ok(privacy::forget(store, &Ids::os(), customer, fact, SystemClock.now()).await?)
}

/// Reads in a history; `progress` hears how many of how many conversations are done. Returns how many were read, and what
/// of them was new.
///
/// # Errors
/// Where the file can't be read or the store fails.
pub async fn import(
    config: &Config,
    store: &dyn Store,
    file: &Path,
    format: Format,
    mut progress: impl FnMut(u64, u64),
) -> anyhow::Result<(u64, Imported)> {
    let past = history::read(file, format, &|kind| account(config, kind))?;
    let read = past.len() as u64;
    let imported = import::all(store, past, |done| progress(done, read)).await?;
    Ok((read, imported))
}
