//! Who is who, as operators say on the command line.

use crate::adapters::clock::SystemClock;
use crate::domain::customer::Merge;
use crate::domain::id::{CustomerId, Ids, MergeId};
use crate::flow::identity;
use crate::ports::clock::Clock as _;
use crate::ports::store::Store;

/// Makes one customer part of another, in the name of the operator with the login `by`.
///
/// # Errors
/// Where there is no such operator or customer, they are one already, or the store fails.
pub async fn merge(store: &dyn Store, people: (CustomerId, CustomerId), by: &str) -> anyhow::Result<Merge> {
    super::operator_of(store, by).await?;
    Ok(identity::merge(store, &Ids::os(), people, by, SystemClock.now()).await?)
}

/// Undoes a merge, in the name of the operator with the login `by`, and returns it; `None` if none of that key holds.
///
/// # Errors
/// Where there is no such operator, or the store fails.
pub async fn unmerge(store: &dyn Store, merge: MergeId, by: &str) -> anyhow::Result<Option<Merge>> {
    super::operator_of(store, by).await?;
    Ok(identity::unmerge(store, &Ids::os(), merge, by, SystemClock.now()).await?)
}
