//! The three traits over the functions of this folder: a write is repeated where it lost a race, a read is not.

use async_trait::async_trait;
use jiff::Timestamp;

use super::sql::{Failure, Fields, Put, retried};
use super::{
    SqlStore, accept, applying, attachments, delivery, desk, facts, identity, ledger, operator, past, privacy, proofs,
    recovery, timers, turn, visitors,
};
use crate::domain::channel::{Address, ChannelKind, Cursor, Inbound};
use crate::domain::conversation::Conversation;
use crate::domain::customer::{Claims, Customer, KnownAddress, Merge};
use crate::domain::handoff::{Handoff, HandoffReason, Package};
use crate::domain::id::{AttachmentId, BootId, ConversationId, CustomerId, HandoffId, MergeId, MessageId};
use crate::domain::memory::{Episode, Fact};
use crate::domain::message::{Message, StoredAttachment};
use crate::domain::outbox::{Outbound, SendOutcome};
use crate::domain::past::PastConversation;
use crate::domain::proof::Kin;
use crate::domain::turn::SavedTurn;
use crate::ports::desk::{DeskStore, FeedItem, Mark, Operator, QueueEntry, Session, TurnView, Undelivered};
use crate::ports::identity::{Identity, Merging, Sides, Unmerging};
use crate::ports::ledger::{
    Entry, EpisodeCommit, EpisodeInput, IndexChange, Learning, Ledger, LedgerState, Unit, UnitId, Unlearning,
};
use crate::ports::privacy::{Access, Erased, Expired, Forgetting, Privacy, Retention};
use crate::ports::proof::{NewLink, Proofs};
use crate::ports::store::{
    Accepted, Claim, Committed, Depth, HandoffCommit, Lease, Loop, NewMessage, OperatorCommit, OperatorOutcome,
    Recovered, StoreError, Timer, Timing, TurnCommit, TurnInput,
};
use crate::ports::visitors::{KnownVisitor, Visitors};

#[async_trait]
impl Loop for SqlStore {
    async fn accept(
        &self,
        batch: &[Inbound],
        cursor: Option<&Cursor>,
        timing: &Timing,
        now: Timestamp,
    ) -> Result<Vec<Accepted>, StoreError> {
        retried(|| accept::accept(self, batch, cursor, timing, now)).await
    }

    async fn cursor(&self, channel: ChannelKind, account: &str) -> Result<Option<String>, StoreError> {
        Ok(cursor(self, channel, account).await?)
    }

    async fn claim_turn(&self, claim: &Claim, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        retried(|| turn::claim(self, claim, now)).await
    }

    async fn renew_lease(&self, lease: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        retried(|| turn::renew(self, lease, until)).await
    }

    async fn release_lease(&self, lease: &Lease, ready_at: Timestamp) -> Result<(), StoreError> {
        retried(|| turn::release(self, lease, ready_at)).await
    }

    async fn load_turn(&self, lease: &Lease, window: usize) -> Result<Option<TurnInput>, StoreError> {
        Ok(turn::load(self, lease, window).await?)
    }

    async fn save_turn(&self, lease: &Lease, turn: &SavedTurn, _now: Timestamp) -> Result<bool, StoreError> {
        retried(|| turn::save(self, lease, turn)).await
    }

    async fn commit_turn(&self, lease: &Lease, commit: &TurnCommit, now: Timestamp) -> Result<Committed, StoreError> {
        retried(|| turn::commit(self, lease, commit, now)).await
    }

    async fn fail_turn(
        &self,
        lease: &Lease,
        error: &str,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        retried(|| turn::fail(self, lease, error, ready_at, now)).await
    }

    async fn commit_operator(&self, commit: &OperatorCommit, now: Timestamp) -> Result<OperatorOutcome, StoreError> {
        retried(|| operator::commit_operator(self, commit, now)).await
    }

    async fn commit_handoff(&self, commit: &HandoffCommit, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| operator::commit_handoff(self, commit, now)).await
    }

    async fn commit_notice(
        &self,
        conversation: ConversationId,
        epoch: i64,
        notice: &NewMessage,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        retried(|| operator::commit_notice(self, conversation, epoch, notice, now)).await
    }

    async fn claim_outbound(&self, claim: &Claim, now: Timestamp) -> Result<Option<Outbound>, StoreError> {
        retried(|| delivery::claim(self, claim, now)).await
    }

    async fn settle(
        &self,
        part: &Outbound,
        outcome: &SendOutcome,
        unknown_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        retried(|| delivery::settle(self, part, outcome, unknown_deadline, now)).await
    }

    async fn claim_timer(&self, claim: &Claim, now: Timestamp) -> Result<Option<Timer>, StoreError> {
        retried(|| timers::claim(self, claim, now)).await
    }

    async fn finish_timer(&self, timer: &Timer) -> Result<(), StoreError> {
        retried(|| timers::finish(self, timer)).await
    }

    async fn recover(
        &self,
        claim: &Claim,
        idempotent: &[ChannelKind],
        unknown_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Recovered, StoreError> {
        retried(|| recovery::recover(self, claim, idempotent, unknown_deadline, now)).await
    }

    async fn renew_boot(&self, boot: BootId, now: Timestamp) -> Result<(), StoreError> {
        retried(|| recovery::renew_boot(self, boot, now)).await
    }

    async fn release_boot(&self, boot: BootId, _now: Timestamp) -> Result<(), StoreError> {
        retried(|| recovery::release_boot(self, boot)).await
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        Ok(depth(self).await?)
    }
}

async fn cursor(store: &SqlStore, channel: ChannelKind, account: &str) -> Result<Option<String>, Failure> {
    sqlx::query("select position as r_position from cursors where channel = $1 and account = $2")
        .put(channel.name())
        .put(account)
        .fetch_optional(&store.read)
        .await?
        .map(|row| Fields::new(&row, "cursors", "r_").text("position"))
        .transpose()
}

async fn depth(store: &SqlStore) -> Result<Depth, Failure> {
    let row = sqlx::query(
        "select (select count(*) from messages m join conversations c on c.id = m.conversation_id \
         where c.owner = 'bot' and c.ready_at is not null and m.author = 'customer' and m.seq > c.handled_seq \
         and m.deleted_at is null) as d_unanswered, \
         (select count(*) from outbox where state in ('pending', 'sending')) as d_owed, \
         (select count(*) from outbox where state = 'unknown') as d_unknown, \
         (select count(*) from handoffs where state = 'open') as d_queued, \
         (select count(*) from index_changes where number > (select coalesce(max(p.position), 0) from index_positions p)) \
         as d_unindexed",
    )
    .fetch_one(&store.read)
    .await?;
    let fields = Fields::new(&row, "depth", "d_");
    Ok(Depth {
        unanswered: fields.integer("unanswered")?,
        owed: fields.integer("owed")?,
        unknown: fields.integer("unknown")?,
        queued: fields.integer("queued")?,
        unindexed: fields.integer("unindexed")?,
    })
}

#[async_trait]
impl Identity for SqlStore {
    async fn whole(&self, customer: CustomerId) -> Result<Option<CustomerId>, StoreError> {
        let mut connection = self.read.acquire().await.map_err(Failure::from)?;
        Ok(identity::whole(&mut connection, customer).await?)
    }

    async fn addresses(&self, customer: CustomerId) -> Result<Vec<KnownAddress>, StoreError> {
        Ok(identity::addresses(self, customer).await?)
    }

    async fn merges(&self, customer: CustomerId) -> Result<Vec<Merge>, StoreError> {
        Ok(identity::merges(self, customer).await?)
    }

    async fn merge(&self, merging: &Merging, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| identity::merge(self, merging, now)).await
    }

    async fn sides(&self, merge: MergeId) -> Result<Option<Sides>, StoreError> {
        Ok(identity::sides(self, merge).await?)
    }

    async fn unmerge(&self, unmerging: &Unmerging, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| identity::unmerge(self, unmerging, now)).await
    }
}

#[async_trait]
impl Proofs for SqlStore {
    async fn add_link(&self, token: &str, link: &NewLink, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| proofs::add_link(self, token, link, now)).await
    }

    async fn ask_about_link(
        &self,
        conversation: ConversationId,
        epoch: i64,
        question: &NewMessage,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        retried(|| proofs::ask_about_link(self, conversation, epoch, question, now)).await
    }

    async fn kin(&self, customer: CustomerId) -> Result<Vec<Kin>, StoreError> {
        Ok(proofs::kin(self, customer).await?)
    }
}

#[async_trait]
impl Privacy for SqlStore {
    async fn set_memory(&self, customer: CustomerId, on: bool, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| privacy::set_memory(self, customer, on, now)).await
    }

    async fn forget(&self, forgetting: &Forgetting, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| privacy::forget(self, forgetting, now)).await
    }

    async fn export(&self, customer: CustomerId) -> Result<Option<serde_json::Value>, StoreError> {
        Ok(privacy::export(self, customer).await?)
    }

    async fn erase(&self, customer: CustomerId, now: Timestamp) -> Result<Option<Erased>, StoreError> {
        retried(|| privacy::erase(self, customer, now)).await
    }

    async fn note_access(&self, access: &Access) -> Result<(), StoreError> {
        retried(|| privacy::note_access(self, access)).await
    }

    async fn accesses(&self, customer: CustomerId, limit: usize) -> Result<Vec<Access>, StoreError> {
        Ok(privacy::accesses(self, customer, limit).await?)
    }

    async fn expire(&self, retention: &Retention, now: Timestamp) -> Result<Expired, StoreError> {
        retried(|| privacy::expire(self, retention, now)).await
    }
}

#[async_trait]
impl Ledger for SqlStore {
    async fn facts(&self, customer: CustomerId) -> Result<Vec<Fact>, StoreError> {
        Ok(facts::facts(self, customer).await?)
    }

    async fn facts_at(
        &self,
        customer: CustomerId,
        valid: Timestamp,
        known: Timestamp,
    ) -> Result<Vec<Fact>, StoreError> {
        Ok(facts::facts_at(self, customer, valid, known).await?)
    }

    async fn promises(&self, conversation: ConversationId) -> Result<Vec<Fact>, StoreError> {
        Ok(facts::promises(self, conversation).await?)
    }

    async fn remind(&self, conversation: ConversationId, due_at: Timestamp) -> Result<(), StoreError> {
        retried(|| facts::remind_of(self, conversation, due_at)).await
    }

    async fn ledger(&self, customer: CustomerId) -> Result<LedgerState, StoreError> {
        Ok(facts::ledger(self, customer).await?)
    }

    async fn commit_entry(&self, entry: &Entry, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| facts::commit_entry(self, entry, now)).await
    }

    async fn unsaid(&self, conversation: ConversationId) -> Result<Vec<MessageId>, StoreError> {
        Ok(facts::unsaid(self, conversation).await?)
    }

    async fn unlearn(&self, unlearning: &Unlearning, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| facts::unlearn(self, unlearning, now)).await
    }

    async fn episodes(&self, customer: CustomerId, limit: usize) -> Result<Vec<Episode>, StoreError> {
        Ok(ledger::episodes(self, customer, limit).await?)
    }

    async fn remembered(&self, customer: CustomerId, units: &[UnitId]) -> Result<Vec<Unit>, StoreError> {
        Ok(ledger::remembered(self, customer, units).await?)
    }

    async fn units(&self, customer: CustomerId) -> Result<Vec<UnitId>, StoreError> {
        Ok(ledger::units(self, customer).await?)
    }

    async fn short_history(&self, customer: CustomerId, most: usize) -> Result<Vec<UnitId>, StoreError> {
        Ok(ledger::short_history(self, customer, most).await?)
    }

    async fn import(&self, past: &PastConversation) -> Result<u64, StoreError> {
        retried(|| past::import(self, past)).await
    }

    async fn load_episode(&self, conversation: ConversationId) -> Result<Option<EpisodeInput>, StoreError> {
        Ok(ledger::load_episode(self, conversation).await?)
    }

    async fn commit_episode(&self, commit: &EpisodeCommit, now: Timestamp) -> Result<Learning, StoreError> {
        retried(|| ledger::commit_episode(self, commit, now)).await
    }

    async fn attach_package(
        &self,
        handoff: HandoffId,
        before: &Package,
        package: &Package,
    ) -> Result<bool, StoreError> {
        retried(|| ledger::attach_package(self, handoff, before, package)).await
    }

    async fn raise_handoff(
        &self,
        handoff: HandoffId,
        reason: HandoffReason,
        queue: &str,
        priority: i64,
    ) -> Result<bool, StoreError> {
        retried(|| ledger::raise_handoff(self, handoff, reason, queue, priority)).await
    }

    async fn index_changes(&self, index: &str, limit: usize) -> Result<Vec<IndexChange>, StoreError> {
        Ok(ledger::index_changes(self, index, limit).await?)
    }

    async fn index_position(&self, index: &str) -> Result<i64, StoreError> {
        Ok(ledger::index_position(self, index).await?)
    }

    async fn applies_changes(&self, index: &str) -> Result<bool, StoreError> {
        Ok(applying::applies_changes(self, index).await?)
    }

    async fn index_changed(&self, index: &str, from: i64, up_to: i64) -> Result<bool, StoreError> {
        retried(|| ledger::index_changed(self, index, from, up_to)).await
    }

    async fn reindex_all(&self, index: &str) -> Result<u64, StoreError> {
        retried(|| ledger::reindex_all(self, index)).await
    }

    async fn unit_count(&self) -> Result<u64, StoreError> {
        Ok(ledger::unit_count(self).await?)
    }
}

#[async_trait]
impl DeskStore for SqlStore {
    async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        Ok(desk::conversation(self, id).await?)
    }

    async fn conversation_of(&self, message: MessageId) -> Result<Option<Conversation>, StoreError> {
        Ok(desk::conversation_of(self, message).await?)
    }

    async fn turn_about(&self, message: MessageId) -> Result<Option<TurnView>, StoreError> {
        Ok(desk::turn_about(self, message).await?)
    }

    async fn conversation_at(&self, address: &Address) -> Result<Option<Conversation>, StoreError> {
        Ok(desk::conversation_at(self, address).await?)
    }

    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(desk::customer(self, id).await?)
    }

    async fn customer_at(&self, address: &Address) -> Result<Option<CustomerId>, StoreError> {
        Ok(desk::customer_at(self, address).await?)
    }

    async fn transcript(
        &self,
        conversation: ConversationId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        Ok(desk::transcript(self, conversation, after, limit).await?)
    }

    async fn feed(&self, address: &Address, after: i64, limit: usize) -> Result<Vec<FeedItem>, StoreError> {
        Ok(desk::feed(self, address, after, limit).await?)
    }

    async fn queue(&self, limit: usize) -> Result<Vec<QueueEntry>, StoreError> {
        Ok(desk::queue(self, limit).await?)
    }

    async fn handoff(&self, conversation: ConversationId) -> Result<Option<Handoff>, StoreError> {
        Ok(desk::handoff(self, conversation).await?)
    }

    async fn last_turn(&self, conversation: ConversationId) -> Result<Option<TurnView>, StoreError> {
        Ok(desk::last_turn(self, conversation).await?)
    }

    async fn undelivered(&self, conversation: ConversationId) -> Result<Vec<Undelivered>, StoreError> {
        Ok(desk::undelivered(self, conversation).await?)
    }

    async fn marks(&self, conversation: ConversationId, after: i64) -> Result<Vec<Mark>, StoreError> {
        Ok(desk::marks(self, conversation, after).await?)
    }

    async fn attachments(&self, conversation: ConversationId, after: i64) -> Result<Vec<StoredAttachment>, StoreError> {
        Ok(attachments::of_conversation(self, conversation, after).await?)
    }

    async fn add_operator(&self, operator: &Operator, password_hash: &str, now: Timestamp) -> Result<bool, StoreError> {
        retried(|| desk::add_operator(self, operator, password_hash, now)).await
    }

    async fn set_password(&self, login: &str, hash: &str, one_time: bool) -> Result<bool, StoreError> {
        retried(|| desk::set_password(self, login, hash, one_time)).await
    }

    async fn operator_login(&self, login: &str) -> Result<Option<(Operator, String)>, StoreError> {
        Ok(desk::operator_login(self, login).await?)
    }

    async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        Ok(desk::operators(self).await?)
    }

    async fn add_session(&self, session: &Session) -> Result<(), StoreError> {
        retried(|| desk::add_session(self, session)).await
    }

    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<(Session, Operator)>, StoreError> {
        Ok(desk::session(self, token_hash, now).await?)
    }

    async fn end_session(&self, token_hash: &str) -> Result<(), StoreError> {
        retried(|| desk::end_session(self, token_hash)).await
    }
}

#[async_trait]
impl Visitors for SqlStore {
    async fn add_visitor(
        &self,
        token_hash: &str,
        address: &Address,
        claims: &Claims,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        retried(|| visitors::add(self, token_hash, address, claims, now)).await
    }

    async fn visitor(&self, token_hash: &str) -> Result<Option<KnownVisitor>, StoreError> {
        Ok(visitors::visitor(self, token_hash).await?)
    }

    async fn end_visitor(&self, token_hash: &str) -> Result<(), StoreError> {
        retried(|| visitors::end(self, token_hash)).await
    }

    async fn join(&self, from: &Address, to: &Address) -> Result<Option<(CustomerId, CustomerId)>, StoreError> {
        retried(|| visitors::join(self, from, to)).await
    }

    async fn state_claims(&self, token_hash: &str, message: MessageId, now: Timestamp) -> Result<(), StoreError> {
        retried(|| visitors::state_claims(self, token_hash, message, now)).await
    }

    async fn read_up_to(
        &self,
        address: &Address,
        position: i64,
        now: Timestamp,
    ) -> Result<Vec<ConversationId>, StoreError> {
        retried(|| visitors::read_up_to(self, address, position, now)).await
    }

    async fn attachment_in_feed(
        &self,
        address: &Address,
        id: AttachmentId,
    ) -> Result<Option<StoredAttachment>, StoreError> {
        Ok(visitors::attachment_in_feed(self, address, id).await?)
    }
}
