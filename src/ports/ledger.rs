//! What is remembered, in the store: facts, episodes, exchanges, and the changes owed to the index.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::StoreError;
use crate::domain::conversation::Conversation;
use crate::domain::handoff::Package;
use crate::domain::id::{ConversationId, CustomerId, EpisodeId, FactId, HandoffId, MessageId};
use crate::domain::memory::{Episode, Exchange, Fact};
use crate::domain::message::Message;

/// Memory as the store keeps it. Every read of memory names its customer.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Facts of a customer that hold now, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn facts(&self, customer: CustomerId) -> Result<Vec<Fact>, StoreError>;

    /// Episodes of a customer, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn episodes(&self, customer: CustomerId, limit: usize) -> Result<Vec<Episode>, StoreError>;

    /// The remembered units of a customer with these keys; what is gone, or another customer's, is left out. An exchange is
    /// also found by a later one of the messages that it answers.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn remembered(&self, customer: CustomerId, units: &[UnitId]) -> Result<Vec<Unit>, StoreError>;

    /// A finished stretch to learn from: messages after the conversation's last episode. `None` where there is nothing
    /// that the customer said.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn load_episode(&self, conversation: ConversationId) -> Result<Option<EpisodeInput>, StoreError>;

    /// Stores what was learnt: the episode, facts that are new, and facts that they supersede. Idempotent by
    /// (conversation, `to_seq`): false if it was stored before. Owes the index the changes.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn commit_episode(&self, commit: &EpisodeCommit, now: Timestamp) -> Result<bool, StoreError>;

    /// Replaces the template's package by the model's. False if the handoff is closed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn attach_package(&self, handoff: HandoffId, package: &Package) -> Result<bool, StoreError>;

    /// Changes that `index` has not applied yet, oldest first: the newest change of each unit. The turn's exchange, the
    /// one before it (which now has something after it), the episode and its facts each make one. Every index (each process on a shared store has its own) reads at its own
    /// pace; one that is new reads everything there is.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn index_changes(&self, index: &str, limit: usize) -> Result<Vec<IndexChange>, StoreError>;

    /// Records that `index` has applied, and made durable, every change up to and including this number.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn index_changed(&self, index: &str, up_to: i64) -> Result<(), StoreError>;

    /// Lets `index` read everything from the beginning, after it was wiped; returns how many changes that is.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn reindex_all(&self, index: &str) -> Result<u64, StoreError>;

    /// How many units the index should hold once nothing is owed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unit_count(&self) -> Result<u64, StoreError>;
}

/// The key of something that is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase", tag = "unit", content = "id")]
pub enum UnitId {
    /// By its customer message.
    Exchange(MessageId),
    /// An episode.
    Episode(EpisodeId),
    /// A fact.
    Fact(FactId),
}

/// Something that is indexed.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// A customer message with its answer, and what stands beside it.
    Exchange(Exchange, Beside),
    /// A finished stretch.
    Episode(Episode),
    /// A statement that holds now.
    Fact(Fact),
}

/// What stands before and after an exchange in its conversation, [`BESIDE`] messages each, oldest first; notes and
/// withdrawn messages are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// The messages before the question.
    pub before: Vec<String>,
    /// The messages after the answer. They come later than the exchange, which is owed to the index again when the next
    /// one is written.
    pub after: Vec<String>,
}

/// How many messages stand beside an exchange on each side. With one, 3.3 of 100 messages fewer were found among the first
/// ten; with three no more than with two.
pub const BESIDE: usize = 2;

/// A change owed to the index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexChange {
    /// Grows with every change.
    pub number: i64,
    /// Whose memory.
    pub customer: CustomerId,
    /// What changed.
    pub unit: UnitId,
    /// Its state now; `None` where it is gone or no longer holds, and must leave the index.
    pub now: Option<Unit>,
}

/// What learning works on.
#[derive(Debug, Clone)]
pub struct EpisodeInput {
    /// The conversation.
    pub conversation: Conversation,
    /// Its messages since the last episode, oldest first, notes left out.
    pub messages: Vec<Message>,
    /// Facts that hold now.
    pub facts: Vec<Fact>,
}

/// What was learnt.
#[derive(Debug, Clone)]
pub struct EpisodeCommit {
    /// The episode.
    pub episode: Episode,
    /// Facts that are new.
    pub learnt: Vec<Fact>,
    /// Facts that they replace, with the time since when they don't hold.
    pub superseded: Vec<(FactId, Timestamp)>,
}
