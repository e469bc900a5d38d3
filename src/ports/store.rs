//! The SQL store as the message loop sees it. One method is one transaction is one step of a use case.
//!
//! [`Store`] is what [`crate::flow`] holds: the loop (here), what is remembered ([`super::ledger`]), who is who ([`super::identity`]) and what the desk and
//! the pages read ([`super::desk`]), by one implementation over one database.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::desk::DeskStore;
use super::identity::Identity;
use super::ledger::Ledger;
use super::privacy::Privacy;
use super::proof::Proofs;
use super::visitors::Visitors;
use crate::domain::channel::{Button, ChannelKind, Cursor, Inbound};
use crate::domain::conversation::{Conversation, OperatorAction, Ownership};
use crate::domain::customer::Customer;
use crate::domain::handoff::{HandoffReason, Package};
use crate::domain::id::{BootId, ConversationId, HandoffId, MessageId, OperatorId, OutboxId, TurnId};
use crate::domain::message::{Citation, Message};
use crate::domain::outbox::{Outbound, SendOutcome};
use crate::domain::text::{Language, MessageText};
use crate::domain::turn::{SavedTurn, TurnRecord};

/// Why a turn is ignored whose messages were all taken back.
pub const TAKEN_BACK: &str = "taken_back";

/// Everything the product keeps.
pub trait Store: Loop + Ledger + Identity + Proofs + Privacy + DeskStore + Visitors {}

impl<T: Loop + Ledger + Identity + Proofs + Privacy + DeskStore + Visitors> Store for T {}

/// Ingest, turns, delivery and timers.
#[async_trait]
pub trait Loop: Send + Sync {
    /// Stores updates, and the cursor that they advance, in one transaction; returns what became of each, in order.
    ///
    /// The unique key (channel, account, external id) decides what is new. A new message gets its customer and open
    /// conversation (made where there are none), the next sequence, a quiet window (`timing.quiet`, each message
    /// starting it anew but none postponing the turn by more than `timing.quiet_most` after the first unanswered one),
    /// and the timers [`TimerKind::ReplyDeadline`] (from the first unanswered message, where the bot owns the
    /// conversation) and [`TimerKind::EpisodeEnd`] (from this one). Pending bot messages that answered less than what
    /// has now been written stay: only drafts are superseded, never what is committed.
    ///
    /// Of the events without a message of their own, [`crate::domain::channel::InboundEvent`]:
    /// - `Edited`: what nobody has answered says the new words, and its turn begins anew. What was answered stays, and the
    ///   new words are a message of their own, which takes the place of the first in all that is recalled and learnt.
    ///   White space is no change. Of a message that we never got they are a new one.
    /// - `Deleted`: the words are gone, from exchanges and episodes too. What was not answered is not answered any more:
    ///   a turn of which nothing is left is ignored for the reason [`TAKEN_BACK`].
    /// - `Receipt`: a part comes further, never back. It settles a send of which nobody could tell; a failure makes a dead
    ///   one of what was sent and not yet delivered. One that is faster than our own settling is kept for it.
    /// - `TakenOver`: the conversation is [`OperatorId::OUTSIDE`]'s, unless a person has it already.
    /// - `Moved`: the address gets its new key, unless that is somebody else's: nobody is merged without proof.
    /// - `Blocked` resolves the conversation and kills what is still owed to it.
    ///
    /// A score that answers an [`OperatorCommit::question`], by a tap or by a digit within a day while nothing new was begun, is
    /// kept with that conversation and thanked for, once. It opens nothing, and no turn answers it.
    ///
    /// A contact of which the channel says that it is the customer's own states their telephone. Both that and what was
    /// learnt of words that are changed or gone is brought into line by [`TimerKind::Ledger`].
    ///
    /// A number that the channel vouches for, and a link by which somebody came, are kept as proofs and followed up by
    /// [`TimerKind::Proof`]. A link is used once. Who was known before they came by it must say that it was them
    /// ([`crate::domain::proof::is_confirmation`]); those words open the chat, and are no question.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was stored then.
    async fn accept(
        &self,
        batch: &[Inbound],
        cursor: Option<&Cursor>,
        timing: &Timing,
        now: Timestamp,
    ) -> Result<Vec<Accepted>, StoreError>;

    /// How far a polled channel has been read.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn cursor(&self, channel: ChannelKind, account: &str) -> Result<Option<String>, StoreError>;

    /// Leases the conversation that has waited longest for a turn: owned by the bot, with unanswered messages, its
    /// quiet window over and no live lease.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn claim_turn(&self, claim: &Claim, now: Timestamp) -> Result<Option<Lease>, StoreError>;

    /// Extends a lease; false if it is no longer ours.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn renew_lease(&self, lease: &Lease, until: Timestamp) -> Result<bool, StoreError>;

    /// Gives a lease back, with the turn to be tried again at `ready_at`; does nothing if it is no longer ours.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn release_lease(&self, lease: &Lease, ready_at: Timestamp) -> Result<(), StoreError>;

    /// Everything that a turn needs: unanswered customer messages and the `window` newest messages before them.
    /// `None` if the lease is no longer ours.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn load_turn(&self, lease: &Lease, window: usize) -> Result<Option<TurnInput>, StoreError>;

    /// Keeps a draft, so that a crash before the commit asks no model again. False if the lease is no longer ours.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn save_turn(&self, lease: &Lease, turn: &SavedTurn, now: Timestamp) -> Result<bool, StoreError>;

    /// Commits a turn: messages, owner, outbox, handoff, timers and index changes in one transaction, fenced by the
    /// lease's token and epoch and by "nothing newer was written". Releases the lease.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed then.
    async fn commit_turn(&self, lease: &Lease, commit: &TurnCommit, now: Timestamp) -> Result<Committed, StoreError>;

    /// Counts a failed turn, releases the lease until `ready_at` and returns how many failed in a row.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn fail_turn(
        &self,
        lease: &Lease,
        error: &str,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Result<i64, StoreError>;

    /// Does what an operator did, in one transaction fenced by the epoch that the decision was made under. A change of
    /// owner raises the epoch, cancels bot messages that are still pending, and opens, claims, releases or resolves
    /// the handoff. A `question` is asked once a conversation. The same `action_id` a second time changes nothing and answers as the first did.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn commit_operator(&self, commit: &OperatorCommit, now: Timestamp) -> Result<OperatorOutcome, StoreError>;

    /// Hands a conversation over without a turn (a deadline, an unknown send): opens the handoff, raises the epoch,
    /// counts the unanswered messages as handled, and queues `notice` for the customer. False if the epoch has moved
    /// on or a handoff is open already.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn commit_handoff(&self, commit: &HandoffCommit, now: Timestamp) -> Result<bool, StoreError>;

    /// Queues a notice of the bot to the customer without any change of owner (a word from the queue). False if
    /// `epoch` has moved on.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn commit_notice(
        &self,
        conversation: ConversationId,
        epoch: i64,
        notice: &NewMessage,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Claims the next part that is due: parts of a conversation go one after another, and the bot's only while its
    /// epoch holds. Marks it as being sent before it returns.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn claim_outbound(&self, claim: &Claim, now: Timestamp) -> Result<Option<Outbound>, StoreError>;

    /// Records how an attempt ended. A message whose last part was sent counts as delivered. An unknown outcome starts
    /// [`TimerKind::UnknownSend`], due at `unknown_deadline`, and a dead one of the bot's [`TimerKind::Undelivered`], due at
    /// once; an unreachable customer's conversation is resolved. Applies what the channel told of the part before it
    /// answered. False if another worker, or the channel's own report, settled it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn settle(
        &self,
        part: &Outbound,
        outcome: &SendOutcome,
        unknown_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Claims a timer that is due; it is due again after `claim.lease_for` unless it is finished.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn claim_timer(&self, claim: &Claim, now: Timestamp) -> Result<Option<Timer>, StoreError>;

    /// Removes a timer, unless it was set anew since it was claimed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn finish_timer(&self, timer: &Timer) -> Result<(), StoreError>;

    /// At start: parts that were being sent by processes that are gone become pending again on channels in
    /// `idempotent` and unknown elsewhere; their leases end. On an embedded store every earlier process is gone; on a
    /// shared one, those that have not renewed their boot within `claim.lease_for`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn recover(
        &self,
        claim: &Claim,
        idempotent: &[ChannelKind],
        unknown_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Recovered, StoreError>;

    /// Says that this process lives.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn renew_boot(&self, boot: BootId, now: Timestamp) -> Result<(), StoreError>;

    /// Gives the leases of this process back, at the end of a clean stop.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn release_boot(&self, boot: BootId, now: Timestamp) -> Result<(), StoreError>;

    /// Figures for health, metrics and tests.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn depth(&self) -> Result<Depth, StoreError>;
}

/// Time-outs that ingest needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// How long a customer must be quiet before a turn begins.
    pub quiet: SignedDuration,
    /// How long a burst may postpone the turn at most.
    pub quiet_most: SignedDuration,
    /// How long a message may stay unanswered before people get it.
    pub reply_within: SignedDuration,
    /// How long a conversation must be silent for its episode to end.
    pub episode_after: SignedDuration,
    /// How many messages that were not learnt from end it without silence; 0 is never.
    pub episode_messages: i64,
}

/// What became of an update.
#[derive(Debug, Clone, PartialEq)]
pub enum Accepted {
    /// New, and stored.
    New {
        /// The customer's message.
        message: MessageId,
        /// Its conversation.
        conversation: ConversationId,
        /// Its sequence.
        seq: i64,
    },
    /// Seen before; the message it made then.
    Duplicate {
        /// The customer's message, where the update made one.
        message: Option<MessageId>,
        /// Its conversation, where there is one.
        conversation: Option<ConversationId>,
        /// Its sequence.
        seq: i64,
    },
    /// New, and no new message, but the conversation is no longer as it was: changed or withdrawn words, a person who
    /// took it over, what became of a part.
    Changed {
        /// The conversation.
        conversation: ConversationId,
    },
    /// New, recorded, and nothing that anybody sees.
    Noted,
}

/// Who claims, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The process.
    pub boot: BootId,
    /// After this long without a renewal anybody may claim again.
    pub lease_for: SignedDuration,
}

/// The right of one worker to one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The conversation.
    pub conversation: ConversationId,
    /// Raised by every claim: a later holder fences an earlier one.
    pub token: i64,
    /// The conversation's epoch when it was claimed.
    pub epoch: i64,
}

/// What a turn works on.
#[derive(Debug, Clone)]
pub struct TurnInput {
    /// The conversation as it was claimed.
    pub conversation: Conversation,
    /// The customer.
    pub customer: Customer,
    /// Customer messages without a reply, oldest first; never empty.
    pub unread: Vec<Message>,
    /// Messages before them, oldest first, notes left out.
    pub window: Vec<Message>,
    /// A draft that an earlier attempt left for exactly these messages.
    pub saved: Option<SavedTurn>,
    /// Customer messages of this customer in the last 24 hours, in all conversations.
    pub messages_today: i64,
}

/// A message to be stored and sent.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// Its key.
    pub id: MessageId,
    /// The whole text.
    pub text: MessageText,
    /// The same text cut for the channel, with a key for each row.
    pub parts: Vec<(OutboxId, MessageText)>,
    /// Buttons under the last part, no more than the channel carries.
    pub buttons: Vec<Button>,
    /// What it stands on.
    pub citations: Vec<Citation>,
}

/// A handoff to be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct NewHandoff {
    /// Its key.
    pub id: HandoffId,
    /// Why.
    pub reason: HandoffReason,
    /// To which queue.
    pub queue: String,
    /// 1 is the most urgent.
    pub priority: i64,
    /// The template's package.
    pub package: Package,
    /// When the model should have written a better one, where there is a model.
    pub package_due_at: Option<Timestamp>,
    /// When the customer is told that nobody has come yet.
    pub unclaimed_notice_at: Timestamp,
}

/// A turn's effects.
#[derive(Debug, Clone)]
pub struct TurnCommit {
    /// The turn.
    pub turn: TurnId,
    /// First customer message it answers.
    pub from_seq: i64,
    /// Newest customer message it saw; anything newer forbids the commit.
    pub to_seq: i64,
    /// Name of the decision: answer, ask_back, hand_off, ignore.
    pub decision: &'static str,
    /// Why, where the decision has a reason.
    pub reason: Option<String>,
    /// What the customer is told.
    pub reply: Option<NewMessage>,
    /// The reply tells the customer that a machine answers.
    pub disclosed: bool,
    /// The handoff, where that is the decision; it makes the conversation queued and raises the epoch.
    pub handoff: Option<NewHandoff>,
    /// The language of the customer's words.
    pub language: Option<Language>,
    /// How many times in a row the bot has now asked back.
    pub ask_backs: i64,
    /// Why it went as it did.
    pub record: TurnRecord,
    /// When it was begun.
    pub started_at: Timestamp,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It stands.
    Yes,
    /// The customer wrote again: the turn is to be run anew, and was released for it.
    Superseded,
    /// The lease was lost, or the owner changed: nothing is to be done.
    Fenced,
}

/// What an operator did, decided under an epoch.
#[derive(Debug, Clone)]
pub struct OperatorCommit {
    /// Key of this action, made by the page: a second press does nothing.
    pub action_id: String,
    /// Who.
    pub operator: OperatorId,
    /// To what.
    pub conversation: ConversationId,
    /// The epoch of the decision.
    pub epoch: i64,
    /// What.
    pub action: OperatorAction,
    /// The owner it leads to, by [`Ownership::after`].
    pub owner: Ownership,
    /// The reply to the customer or the note (a note has no parts).
    pub message: Option<NewMessage>,
    /// How satisfied the customer was, where they are to be asked.
    pub question: Option<Question>,
    /// Key for a handoff, should the action have to open one (a person takes the bot's conversation).
    pub handoff: HandoffId,
    /// The package for such a handoff.
    pub package: Package,
    /// Where a conversation that is given back with unanswered messages gets its turn from.
    pub timing: Timing,
}

/// A question to the customer whose answer is a score and no message: see [`crate::domain::csat`].
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub message: NewMessage,
    /// What is said to the answer, once.
    pub thanks: MessageText,
}

/// What became of an operator's action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorOutcome {
    /// Done.
    Done,
    /// Done before, under the same key.
    Again,
    /// The conversation changed meanwhile: look, decide and try again.
    Moved,
}

/// A handoff without a turn.
#[derive(Debug, Clone)]
pub struct HandoffCommit {
    /// What is passed.
    pub conversation: ConversationId,
    /// The epoch of the decision.
    pub epoch: i64,
    /// The handoff.
    pub handoff: NewHandoff,
    /// What the customer is told.
    pub notice: Option<NewMessage>,
    /// The notice tells the customer that a machine answers.
    pub disclosed: bool,
}

/// Something to be done at a time. At most one of a kind per conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// What.
    pub kind: TimerKind,
    /// When it was due, before it was claimed.
    pub due_at: Timestamp,
    /// Raised when it is set anew.
    pub version: i64,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// Messages are still unanswered: to people with them.
    ReplyDeadline,
    /// Nobody has written for long, or the conversation was resolved: learn from it.
    EpisodeEnd,
    /// The model is to write the handoff's package.
    Package,
    /// Nobody has taken the handoff: tell the customer, once.
    UnclaimedNotice,
    /// A send is still unknown: people must see it.
    UnknownSend,
    /// Something that was promised falls due.
    Promise,
    /// Words of the bot certainly did not arrive: people must see it.
    Undelivered,
    /// What is known of the customer is to be brought in line with what their messages say now.
    Ledger,
    /// Something tells who the customer is: others may be the same person.
    Proof,
}

impl TimerKind {
    /// All kinds.
    pub const ALL: [TimerKind; 9] = [
        TimerKind::ReplyDeadline,
        TimerKind::EpisodeEnd,
        TimerKind::Package,
        TimerKind::UnclaimedNotice,
        TimerKind::UnknownSend,
        TimerKind::Promise,
        TimerKind::Undelivered,
        TimerKind::Ledger,
        TimerKind::Proof,
    ];

    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            TimerKind::ReplyDeadline => "reply_deadline",
            TimerKind::EpisodeEnd => "episode_end",
            TimerKind::Package => "package",
            TimerKind::UnclaimedNotice => "unclaimed_notice",
            TimerKind::UnknownSend => "unknown_send",
            TimerKind::Promise => "promise",
            TimerKind::Undelivered => "undelivered",
            TimerKind::Ledger => "ledger",
            TimerKind::Proof => "proof",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a start found of earlier processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Conversations whose lease was freed.
    pub leases: u64,
    /// Parts that will be sent again.
    pub resend: u64,
    /// Parts of which nobody can tell.
    pub unknown: u64,
}

/// How much is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Customer messages without a reply in conversations that the bot owns.
    pub unanswered: i64,
    /// Parts not settled yet.
    pub owed: i64,
    /// Parts of which nobody can tell.
    pub unknown: i64,
    /// Handoffs that nobody has taken.
    pub queued: i64,
    /// Index changes not yet applied.
    pub unindexed: i64,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached, is locked for too long, or its disk is full.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row that our own rules don't allow.
    #[error("{table}.{column} of {id} holds what it can't: {why}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
        /// What is wrong.
        why: String,
    },
}
