//! What a customer may demand of us, and what a company decides on keeping: to look, to forget, to erase, to leave alone.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ledger::Entry;
use super::store::StoreError;
use crate::domain::id::CustomerId;
use crate::domain::memory::FactKind;

/// A customer's rights over what is kept of them. Every function names its customer.
#[async_trait]
pub trait Privacy: Send + Sync {
    /// Lets memory of a customer be used and grow, or not: while it is off nothing is learnt or recalled, and the index holds
    /// nothing. What is said meanwhile is never learnt. False if the customer is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn set_memory(&self, customer: CustomerId, on: bool, now: Timestamp) -> Result<bool, StoreError>;

    /// Forgets a value in all its versions, with everything that stated it. The exchanges in which it was said are no longer
    /// recalled, and summaries lose its words. False if the ledger was changed since it was read: nothing is done then.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget(&self, forgetting: &Forgetting, now: Timestamp) -> Result<bool, StoreError>;

    /// Everything that is held of a customer: an object with a list of rows for each table. `None` if there is nobody of
    /// that key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn export(&self, customer: CustomerId) -> Result<Option<Value>, StoreError>;

    /// Erases a customer: every row, and what the database keeps of erased rows. What is left is an [`Erased`], which keeps
    /// messages of before from coming in once more, and a change that every index hears of. Of a customer who is part of
    /// another the whole is erased: they are one person. `None` if there is nobody of that key; once erased, the same again.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn erase(&self, customer: CustomerId, now: Timestamp) -> Result<Option<Erased>, StoreError>;

    /// Notes that somebody looked at what is remembered of a customer. The same again within an hour is noted once.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn note_access(&self, access: &Access) -> Result<(), StoreError>;

    /// Who looked, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn accesses(&self, customer: CustomerId, limit: usize) -> Result<Vec<Access>, StoreError>;

    /// Lets go of what is older than it may be. Returns how much that was.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn expire(&self, retention: &Retention, now: Timestamp) -> Result<Expired, StoreError>;
}

/// What is to be forgotten.
#[derive(Debug, Clone)]
pub struct Forgetting {
    /// What the rest of the ledger becomes.
    pub entry: Entry,
    /// The key.
    pub key: String,
    /// The value in every spelling in which it was stated.
    pub spellings: Vec<String>,
    /// What keeps it from being learnt again, [`super::ledger::Forgotten::hash`], for each key of the customer: it stays
    /// forgotten when a merge is undone.
    pub hashes: Vec<(CustomerId, String)>,
}

/// That a customer was erased. No word of theirs is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The key that they had.
    pub customer: CustomerId,
    /// All keys that stood for them: their own, and those of their parts.
    pub keys: Vec<CustomerId>,
    /// When.
    pub at: Timestamp,
    /// How many rows were erased.
    pub rows: u64,
    /// The number of the change by which indexes hear of it.
    pub change: i64,
}

/// That somebody looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// At whose memory.
    pub customer: CustomerId,
    /// The login of an operator, or `cli`.
    pub who: String,
    /// At what: `desk`, `show`, `search`, `why`, `export`.
    pub what: String,
    /// When.
    pub at: Timestamp,
}

/// How long what is kept of a customer is kept; `None` is for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Words of conversations, from when they were resolved. The rows stay, empty, as the sources of facts.
    pub transcripts: Option<SignedDuration>,
    /// Summaries, from when the stretch ended.
    pub episodes: Option<SignedDuration>,
    /// Facts of each kind, from when they were stated last or ended.
    pub facts: Vec<(FactKind, SignedDuration)>,
}

/// How much was let go of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Expired {
    /// Messages whose words are gone.
    pub messages: u64,
    /// Summaries.
    pub episodes: u64,
    /// Versions of facts.
    pub facts: u64,
}
