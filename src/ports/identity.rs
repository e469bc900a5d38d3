//! Customers who are one person: merged when that is known, and parted again when it was wrong.
//!
//! A merge moves everything of one customer, the part, to another, the whole; from then on the key of the part stands for
//! nobody. What moved is still told apart by the address it was said at, so that a merge can be undone at any time, also
//! under later ones: each side then has what was said at its own addresses, before and since, and facts are what each
//! side's own statements make of them.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::ledger::{Entry, LedgerState};
use super::store::StoreError;
use crate::domain::customer::{KnownAddress, Merge};
use crate::domain::id::{CustomerId, MergeId, MessageId};

/// Who is who.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Whose key stands for this customer now: their own, or that of the whole of which they became part. `None` if there
    /// is nobody of that key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn whole(&self, customer: CustomerId) -> Result<Option<CustomerId>, StoreError>;

    /// Where a customer writes from, the parts' addresses among them, the first contact first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn addresses(&self, customer: CustomerId) -> Result<Vec<KnownAddress>, StoreError>;

    /// Merges in which a customer or one of their parts had a share, newest first, those undone among them.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn merges(&self, customer: CustomerId) -> Result<Vec<Merge>, StoreError>;

    /// Makes one customer part of another. False if either ledger was changed since it was read, or either is gone or part of
    /// another by now: nothing is done then. Memory is off for both from then on if it was for one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn merge(&self, merging: &Merging, now: Timestamp) -> Result<bool, StoreError>;

    /// What a merge's two sides share and what tells them apart, to undo it. `None` if there is no such merge, or it is undone.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sides(&self, merge: MergeId) -> Result<Option<Sides>, StoreError>;

    /// Undoes a merge. What the bot has not sent yet is withdrawn on both sides and its turns begin anew, and packages of
    /// open handoffs are emptied and owed anew: they were made with the other's memory in view. False if it is undone, or
    /// the ledger was changed since the sides were read.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unmerge(&self, unmerging: &Unmerging, now: Timestamp) -> Result<bool, StoreError>;
}

/// A merge that is to be.
#[derive(Debug, Clone)]
pub struct Merging {
    /// The merge; nobody has undone it.
    pub merge: Merge,
    /// The number of the part's ledger, as it was read.
    pub part_number: i64,
    /// What both ledgers become, as an entry into that of the whole.
    pub entry: Entry,
}

/// The ledger that both sides of a merge share, and what tells them apart.
#[derive(Debug, Clone)]
pub struct Sides {
    /// The merge.
    pub merge: Merge,
    /// Whose key stands for both: that of the merge, or of a whole of which it became part later.
    pub whole: CustomerId,
    /// Their ledger.
    pub state: LedgerState,
    /// The sources of what the part stated, or what was stated of it.
    pub of_part: HashSet<MessageId>,
    /// The number of the part's own ledger.
    pub part_number: i64,
}

/// A merge that is to be undone.
#[derive(Debug, Clone)]
pub struct Unmerging {
    /// Which.
    pub merge: MergeId,
    /// Who undoes it: an operator's login, or `cli`.
    pub by: String,
    /// What the ledger of those becomes who keep the key.
    pub kept: Entry,
    /// What the ledger of the part becomes.
    pub parted: Entry,
}
