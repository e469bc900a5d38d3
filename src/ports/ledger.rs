//! What is remembered, in the store: facts, episodes, exchanges, and the changes owed to the index.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::StoreError;
use crate::domain::conversation::Conversation;
use crate::domain::handoff::{HandoffReason, Package};
use crate::domain::id::{ConversationId, CustomerId, EpisodeId, FactId, HandoffId, MessageId};
use crate::domain::memory::{Episode, Exchange, Fact, LedgerChange, Remembered, Statement};
use crate::domain::message::Message;
use crate::domain::past::PastConversation;

/// Memory as the store keeps it. Every read of memory names its customer.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Facts of a customer that hold now, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn facts(&self, customer: CustomerId) -> Result<Vec<Fact>, StoreError>;

    /// Facts of a customer that held at `valid`, as far as was known at `known`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn facts_at(&self, customer: CustomerId, valid: Timestamp, known: Timestamp)
    -> Result<Vec<Fact>, StoreError>;

    /// The ledger of a customer, to change it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn ledger(&self, customer: CustomerId) -> Result<LedgerState, StoreError>;

    /// Changes the ledger of a customer. False if it was changed since it was read, the customer is gone, or a source of the
    /// entry is another's by now: nothing is written then. Owes the index the changes, and sets [`super::store::TimerKind::Promise`] where a promise falls due.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn commit_entry(&self, entry: &Entry, now: Timestamp) -> Result<bool, StoreError>;

    /// Messages of a conversation from which something was learnt that they say no longer: taken back, or said in other
    /// words since.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unsaid(&self, conversation: ConversationId) -> Result<Vec<MessageId>, StoreError>;

    /// Takes what was learnt from messages out of the ledger, in all its versions. False if the ledger was changed since it
    /// was read: nothing is done then.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unlearn(&self, unlearning: &Unlearning, now: Timestamp) -> Result<bool, StoreError>;

    /// What was promised in a conversation and is still open, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn promises(&self, conversation: ConversationId) -> Result<Vec<Fact>, StoreError>;

    /// Sets [`super::store::TimerKind::Promise`] of a conversation, unless it is due earlier already.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn remind(&self, conversation: ConversationId, due_at: Timestamp) -> Result<(), StoreError>;

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

    /// The keys of all units of a customer.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn units(&self, customer: CustomerId) -> Result<Vec<UnitId>, StoreError>;

    /// All exchanges of a customer, newest first, if there are not more than `most`; none otherwise.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn short_history(&self, customer: CustomerId, most: usize) -> Result<Vec<UnitId>, StoreError>;

    /// Stores a conversation of the past as a resolved one, to be recalled and learnt from; what of it is stored already is
    /// passed over, and so is what was said by somebody who was erased since. Returns how many messages were new.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn import(&self, past: &PastConversation) -> Result<u64, StoreError>;

    /// A finished stretch to learn from: messages after the conversation's last episode. `None` where there is nothing
    /// that the customer said.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn load_episode(&self, conversation: ConversationId) -> Result<Option<EpisodeInput>, StoreError>;

    /// Stores what was learnt: the episode, and what it enters into the ledger. Idempotent by (conversation, `to_seq`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn commit_episode(&self, commit: &EpisodeCommit, now: Timestamp) -> Result<Learning, StoreError>;

    /// Replaces a package by a better one. False if the handoff is closed, or has another package by now: the end of a merge
    /// empties those that were made with another's memory in view.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn attach_package(&self, handoff: HandoffId, before: &Package, package: &Package)
    -> Result<bool, StoreError>;

    /// Moves a handoff that nobody has taken to where it is more urgent. False if somebody has it, it is closed, or it is as
    /// urgent as that.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn raise_handoff(
        &self,
        handoff: HandoffId,
        reason: HandoffReason,
        queue: &str,
        priority: i64,
    ) -> Result<bool, StoreError>;

    /// Changes that `index` has not applied yet, oldest first: the newest change of each unit. The turn's exchange, the
    /// one before it (which now has something after it), the episode and its facts each make one. Every index (each process on a shared store has its own) reads at its own
    /// pace; one that is new reads everything there is.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn index_changes(&self, index: &str, limit: usize) -> Result<Vec<IndexChange>, StoreError>;

    /// The number of the last change that `index` has applied; 0 or less where it has applied none.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn index_position(&self, index: &str) -> Result<i64, StoreError>;

    /// Whether this process is the one that applies changes to `index`, which several share. It stays so until it ends.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn applies_changes(&self, index: &str) -> Result<bool, StoreError>;

    /// Records that `index` has applied, and made durable, every change after `from` up to and including `up_to`. False
    /// where another process has moved its position meanwhile: either may have written what is out of date by now, so it
    /// goes back to `from`, and everything since is applied again.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn index_changed(&self, index: &str, from: i64, up_to: i64) -> Result<bool, StoreError>;

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
    /// All that is remembered of a customer: it is gone.
    Customer(CustomerId),
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

impl From<Unit> for Remembered {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Exchange(exchange, _) => Remembered::Exchange(exchange),
            Unit::Episode(episode) => Remembered::Episode(episode),
            Unit::Fact(fact) => Remembered::Fact(fact),
        }
    }
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
}

/// The ledger of one customer as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LedgerState {
    /// Grows with every change.
    pub number: i64,
    /// The keys that stand for this customer: their own, and those of their parts.
    pub keys: Vec<CustomerId>,
    /// All that was ever stated, less what was to be forgotten.
    pub statements: Vec<Statement>,
    /// The versions of facts that are not superseded, those that have ended among them.
    pub facts: Vec<Fact>,
    /// What must not be learnt again, each with the time until which it was said.
    pub forgotten: Vec<Forgotten>,
}

/// A value that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Whose value, by the key they had then.
    pub customer: CustomerId,
    /// What stands for customer, key and value.
    pub hash: String,
    /// What was said until then states it in vain.
    pub at: Timestamp,
}

/// A change of the ledger.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whose.
    pub customer: CustomerId,
    /// [`LedgerState::number`], as it was read.
    pub number: i64,
    /// What is stated now; what was stated before in the same words of the same message is passed over.
    pub statements: Vec<Statement>,
    /// What it makes of the facts.
    pub change: LedgerChange,
}

/// What is to be taken out of a ledger.
#[derive(Debug, Clone)]
pub struct Unlearning {
    /// What the rest of the ledger becomes.
    pub entry: Entry,
    /// The messages.
    pub sources: Vec<MessageId>,
}

/// What was learnt from a finished stretch.
#[derive(Debug, Clone)]
pub struct EpisodeCommit {
    /// The episode.
    pub episode: Episode,
    /// What it enters into the ledger.
    pub entry: Entry,
}

/// How the end of learning went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// It is stored.
    Stored,
    /// It had been stored before.
    Known,
    /// The ledger was changed since it was read, or the conversation is another customer's by now: read it again.
    Moved,
    /// The customer is gone.
    Gone,
}
