//! The store as pages see it: queue, transcripts, operators and sessions.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::StoreError;
use crate::domain::channel::{Address, Button, DeliveryState};
use crate::domain::conversation::Conversation;
use crate::domain::customer::Customer;
use crate::domain::handoff::Handoff;
use crate::domain::id::{ConversationId, CustomerId, MessageId, OperatorId};
use crate::domain::message::{Message, StoredAttachment};
use crate::domain::turn::TurnRecord;

/// Reads for the desk and the web chat, and who may see them.
#[async_trait]
pub trait DeskStore: Send + Sync {
    /// A conversation by its key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError>;

    /// The conversation in which a message stands.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn conversation_of(&self, message: MessageId) -> Result<Option<Conversation>, StoreError>;

    /// The committed turn that answered a message, or that said it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn turn_about(&self, message: MessageId) -> Result<Option<TurnView>, StoreError>;

    /// The conversation of an address, or of one that was joined to it, in which something happened last, open or not.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn conversation_at(&self, address: &Address) -> Result<Option<Conversation>, StoreError>;

    /// A customer by key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError>;

    /// The customer behind an address.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn customer_at(&self, address: &Address) -> Result<Option<CustomerId>, StoreError>;

    /// Messages of a conversation with a sequence above `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn transcript(
        &self,
        conversation: ConversationId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError>;

    /// What an address, with those joined to it, has seen over all conversations: its own messages and the delivered ones of ours, with a
    /// feed position above `after`, oldest first. Positions grow in the order in which messages became visible.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn feed(&self, address: &Address, after: i64, limit: usize) -> Result<Vec<FeedItem>, StoreError>;

    /// Conversations for the desk: those with an open or claimed handoff by priority and waiting time, then the ones
    /// that the bot holds, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn queue(&self, limit: usize) -> Result<Vec<QueueEntry>, StoreError>;

    /// The newest handoff of a conversation.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn handoff(&self, conversation: ConversationId) -> Result<Option<Handoff>, StoreError>;

    /// The newest committed turn of a conversation.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn last_turn(&self, conversation: ConversationId) -> Result<Option<TurnView>, StoreError>;

    /// Parts of a conversation's messages that were not delivered, by message: unknown or dead, with the reason.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn undelivered(&self, conversation: ConversationId) -> Result<Vec<Undelivered>, StoreError>;

    /// What became of messages of a conversation with a sequence above `after`, in their order; of which there is nothing
    /// to tell, nothing is told.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn marks(&self, conversation: ConversationId, after: i64) -> Result<Vec<Mark>, StoreError>;

    /// Files that came with messages of a conversation with a sequence above `after`, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn attachments(&self, conversation: ConversationId, after: i64) -> Result<Vec<StoredAttachment>, StoreError>;

    /// Adds an operator. False if the login is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn add_operator(&self, operator: &Operator, password_hash: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Replaces an operator's password and ends their sessions. False if there is no such login.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn set_password(&self, login: &str, hash: &str, one_time: bool) -> Result<bool, StoreError>;

    /// An operator with the hash of their password.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn operator_login(&self, login: &str) -> Result<Option<(Operator, String)>, StoreError>;

    /// All operators.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn operators(&self) -> Result<Vec<Operator>, StoreError>;

    /// Begins a session under the hash of its token.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn add_session(&self, session: &Session) -> Result<(), StoreError>;

    /// The session of a token's hash, if it has not expired, with its operator.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<(Session, Operator)>, StoreError>;

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end_session(&self, token_hash: &str) -> Result<(), StoreError>;
}

/// A message as a visitor sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedItem {
    /// Grows as messages become visible; what a page sends back as `Last-Event-ID`.
    pub position: i64,
    /// The message.
    pub message: Message,
    /// Buttons under it.
    pub buttons: Vec<Button>,
}

/// A line of the desk's queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueEntry {
    /// The conversation.
    pub conversation: Conversation,
    /// The customer.
    pub customer: Customer,
    /// The name that the customer told, where one is remembered.
    pub called: Option<String>,
    /// The handoff, where one is open or claimed.
    pub handoff: Option<Handoff>,
    /// The newest message; of a conversation that waits for people, the customer's newest.
    pub last: Option<Message>,
}

/// A committed turn, as reports and the desk see it.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnView {
    /// First message it answered.
    pub from_seq: i64,
    /// Last message it saw.
    pub to_seq: i64,
    /// `answer`, `ask_back`, `hand_off` or `ignore`.
    pub decision: String,
    /// Why, where the decision has a reason.
    pub reason: Option<String>,
    /// Why it went as it did.
    pub record: TurnRecord,
}

/// A message that did not certainly arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct Undelivered {
    /// Sequence of the message.
    pub seq: i64,
    /// `unknown` or `dead`.
    pub state: String,
    /// Why.
    pub why: String,
}

/// What became of a message since it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Sequence of the message.
    pub seq: i64,
    /// The customer changed the words before they were answered: it says the new ones.
    pub edited: bool,
    /// The customer changed the words after they were answered: where the new ones stand.
    pub replaced_by: Option<MessageId>,
    /// The customer took it back.
    pub deleted: bool,
    /// How far all its parts have come, at the least.
    pub delivery: Option<DeliveryState>,
}

/// A human of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Their key.
    pub id: OperatorId,
    /// What they type to log in.
    pub login: String,
    /// What colleagues see.
    pub name: String,
    /// The password was printed by us and must be changed at the first log-in.
    pub one_time_password: bool,
}

/// A log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's token, in hex: the token itself is not kept.
    pub token_hash: String,
    /// Who.
    pub operator: OperatorId,
    /// What every form of the session must carry.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Timestamp,
}
