//! Turns: leases, what a turn works on, and its one commit.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use super::held::Held;
use super::rows::{self, CONVERSATION, CONVERSATIONS, CUSTOMER, IS_SAID, MESSAGE};
use super::sql::{Failure, Fields, Put, Statement, Tx, composed, document, undone};
use super::{SqlStore, ledger, timers};
use crate::domain::conversation::Ownership;
use crate::domain::id::{CustomerId, TurnId};
use crate::domain::message::{Author, Message};
use crate::domain::turn::SavedTurn;
use crate::ports::store::{Claim, Committed, Lease, TimerKind, TurnCommit, TurnInput};

/// What is true of a conversation while a lease on it is ours: $1 the conversation, $2 the token, $3 the epoch.
const OURS: &str = "id = $1 and lease_token = $2 and lease_until is not null and epoch = $3 and owner = 'bot'";

/// A statement about a leased conversation, with the lease bound.
fn leased(lease: &Lease, text: String) -> Statement {
    composed(text).put(lease.conversation).put(lease.token).put(lease.epoch)
}

pub(super) async fn claim(store: &SqlStore, claim: &Claim, now: Timestamp) -> Result<Option<Lease>, Failure> {
    let mut tx = store.begin().await?;
    let free = store.dialect.hold_free("w");
    let row = composed(format!(
        "update conversations set lease_token = lease_token + 1, lease_until = $2, lease_boot = $3 where id = \
         (select w.id from conversations w where w.owner = 'bot' and w.ready_at <= $1 \
          and (w.lease_until is null or w.lease_until <= $1) order by w.ready_at, w.id limit 1 {free}) \
         returning id as c_id, lease_token as c_lease_token, epoch as c_epoch"
    ))
    .put(now)
    .put(now + claim.lease_for)
    .put(claim.boot)
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    row.map(|row| {
        let fields = Fields::new(&row, "conversations", "c_");
        Ok(Lease {
            conversation: fields.id("id")?,
            token: fields.integer("lease_token")?,
            epoch: fields.integer("epoch")?,
        })
    })
    .transpose()
}

pub(super) async fn renew(store: &SqlStore, lease: &Lease, until: Timestamp) -> Result<bool, Failure> {
    let renewed = leased(lease, format!("update conversations set lease_until = $4 where {OURS}"))
        .put(until)
        .execute(&store.write)
        .await?;
    Ok(renewed.rows_affected() > 0)
}

pub(super) async fn release(store: &SqlStore, lease: &Lease, ready_at: Timestamp) -> Result<(), Failure> {
    leased(
        lease,
        format!("update conversations set lease_until = null, lease_boot = null, ready_at = $4 where {OURS}"),
    )
    .put(ready_at)
    .execute(&store.write)
    .await?;
    Ok(())
}

pub(super) async fn load(store: &SqlStore, lease: &Lease, window: usize) -> Result<Option<TurnInput>, Failure> {
    let row = leased(
        lease,
        format!(
            "select {CONVERSATION}, {CUSTOMER} from {CONVERSATIONS} join customers k on k.id = c.customer_id \
             where c.id = (select id from conversations where {OURS})"
        ),
    )
    .fetch_optional(&store.read)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (conversation, customer) = (rows::conversation(&row)?, rows::customer(&row)?);
    let unread = unread(store, lease, conversation.handled_seq, conversation.last_seq).await?;
    let (Some(first), Some(last)) = (unread.first(), unread.last()) else { return Ok(None) };
    let saved = saved(store, lease, first.seq, last.seq).await?;
    let messages_today = messages_since(store, conversation.customer, last.received_at).await?;
    let window = said_before(store, lease, &unread, window).await?;
    Ok(Some(TurnInput { conversation, customer, unread, window, saved, messages_today }))
}

fn messages(rows: &[AnyRow]) -> Result<Vec<Message>, Failure> {
    rows.iter().map(rows::message).collect()
}

async fn unread(store: &SqlStore, lease: &Lease, after: i64, up_to: i64) -> Result<Vec<Message>, Failure> {
    let found = composed(format!(
        "select {MESSAGE} from messages m where m.conversation_id = $1 and m.author = 'customer' \
         and m.seq > $2 and m.seq <= $3 and m.deleted_at is null order by m.seq"
    ))
    .put(lease.conversation)
    .put(after)
    .put(up_to)
    .fetch_all(&store.read)
    .await?;
    messages(&found)
}

/// The newest messages up to the last unread one, the unread ones left out. A notice may stand between these.
async fn said_before(
    store: &SqlStore,
    lease: &Lease,
    unread: &[Message],
    window: usize,
) -> Result<Vec<Message>, Failure> {
    let found = composed(format!(
        "select {MESSAGE} from messages m where m.conversation_id = $1 and m.seq < $2 and m.author <> 'note' \
         and {IS_SAID} order by m.seq desc limit $3"
    ))
    .put(lease.conversation)
    .put(unread.last().map_or(0, |last| last.seq))
    .put(window.saturating_add(unread.len()))
    .fetch_all(&store.read)
    .await?;
    let answered_now: HashSet<i64> = unread.iter().map(|message| message.seq).collect();
    let mut before = messages(&found)?;
    before.retain(|message| !answered_now.contains(&message.seq));
    before.truncate(window);
    before.reverse();
    Ok(before)
}

/// A draft for exactly these messages, made under this epoch. One that an earlier version of the program left and this
/// one can't read costs a second question to the model, no more.
async fn saved(store: &SqlStore, lease: &Lease, from_seq: i64, to_seq: i64) -> Result<Option<SavedTurn>, Failure> {
    let row = sqlx::query(
        "select t.id as t_id, t.saved as t_saved from turns t where t.conversation_id = $1 and t.state = 'drafted' \
         and t.epoch = $2 and t.from_seq = $3 and t.to_seq = $4 order by t.started_at desc, t.id desc limit 1",
    )
    .put(lease.conversation)
    .put(lease.epoch)
    .put(from_seq)
    .put(to_seq)
    .fetch_optional(&store.read)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let saved = Fields::new(&row, "turns", "t_").document("saved").ok();
    if saved.is_none() {
        tracing::warn!(conversation.id = %lease.conversation, "a saved draft can't be read and is left aside");
    }
    Ok(saved)
}

async fn messages_since(store: &SqlStore, customer: CustomerId, newest: Timestamp) -> Result<i64, Failure> {
    let row = sqlx::query(
        "select count(*) as m_count from messages m join conversations c on c.id = m.conversation_id \
         where c.customer_id = $1 and m.author = 'customer' and m.received_at > $2",
    )
    .put(customer)
    .put(newest - SignedDuration::from_hours(24))
    .fetch_one(&store.read)
    .await?;
    Fields::new(&row, "messages", "m_").integer("count")
}

pub(super) async fn save(store: &SqlStore, lease: &Lease, turn: &SavedTurn) -> Result<bool, Failure> {
    let stored = leased(
        lease,
        format!(
            "insert into turns (id, conversation_id, epoch, from_seq, to_seq, state, decision, saved, started_at) \
             select $4, c.id, c.epoch, coalesce((select min(m.seq) from messages m where m.conversation_id = c.id \
             and m.author = 'customer' and m.seq > c.handled_seq and m.deleted_at is null), $5), $5, 'drafted', $6, $7, $8 \
             from (select * from conversations where {OURS}) c where true \
             on conflict (id) do update set saved = excluded.saved, decision = excluded.decision, \
             from_seq = excluded.from_seq, to_seq = excluded.to_seq, epoch = excluded.epoch where turns.state = 'drafted'"
        ),
    )
    .put(turn.id)
    .put(turn.to_seq)
    .put(turn.decision.name())
    .put(&document(turn))
    .put(turn.started_at)
    .execute(&store.write)
    .await?;
    Ok(stored.rows_affected() > 0)
}

pub(super) async fn commit(
    store: &SqlStore,
    lease: &Lease,
    commit: &TurnCommit,
    now: Timestamp,
) -> Result<Committed, Failure> {
    let mut tx = store.begin().await?;
    let Some(mut held) = Held::by_id(store.dialect, &mut tx, lease.conversation).await? else {
        return undone(tx, Committed::Fenced).await;
    };
    let outcome = if fence(&mut tx, lease, commit, now).await? {
        stand(&mut tx, &mut held, commit, now).await?;
        Committed::Yes
    } else if give_back(&mut tx, lease, now).await? {
        record(&mut tx, &held, commit, "superseded", None, now).await?;
        Committed::Superseded
    } else {
        return undone(tx, Committed::Fenced).await;
    };
    tx.commit().await?;
    Ok(outcome)
}

/// Handles the messages, releases the lease and passes the conversation on, all under one condition: the lease is ours,
/// and the customer wrote nothing that the turn did not see.
async fn fence(tx: &mut Tx, lease: &Lease, commit: &TurnCommit, now: Timestamp) -> Result<bool, Failure> {
    let queued = commit.handoff.is_some();
    let moved = leased(
        lease,
        format!(
            "update conversations set handled_seq = $4, ready_at = null, lease_until = null, lease_boot = null, \
             owner = $5, epoch = epoch + $6, language = coalesce($7, language), ask_backs = $8, failures = 0, \
             disclosed_at = coalesce($9, disclosed_at) where {OURS} and customer_seq <= $4"
        ),
    )
    .put(commit.to_seq)
    .put(rows::owner(if queued { Ownership::Queued } else { Ownership::Bot }).0)
    .put(queued)
    .put(commit.language)
    .put(commit.ask_backs)
    .put(commit.disclosed.then_some(now))
    .execute(&mut **tx)
    .await?;
    Ok(moved.rows_affected() > 0)
}

/// The lease is ours but the customer wrote again: the next turn sees everything.
async fn give_back(tx: &mut Tx, lease: &Lease, now: Timestamp) -> Result<bool, Failure> {
    let released = leased(
        lease,
        format!(
            "update conversations set lease_until = null, lease_boot = null, ready_at = coalesce(ready_at, $4) where {OURS}"
        ),
    )
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(released.rows_affected() > 0)
}

/// Everything else that a turn which passed the fence writes.
async fn stand(tx: &mut Tx, held: &mut Held, commit: &TurnCommit, now: Timestamp) -> Result<(), Failure> {
    let id = held.id();
    record(tx, held, commit, "committed", commit.reply.as_ref().map(|reply| reply.id.to_string()), now).await?;
    timers::clear(tx, id, TimerKind::ReplyDeadline).await?;
    if let Some(handoff) = &commit.handoff {
        held.conversation.ownership = Ownership::Queued;
        held.conversation.epoch += 1;
        held.withdraw(tx, now).await?;
        held.open_handoff(tx, handoff, now).await?;
    }
    if let Some(reply) = &commit.reply {
        held.say(tx, Author::Bot, reply, Some(commit.turn), now).await?;
        ledger::exchange_of_turn(tx, held, commit, reply.id, now).await?;
    }
    if let Some(language) = commit.language {
        sqlx::query("update customers set language = $2 where id = $1 and (language is null or language <> $2)")
            .put(held.conversation.customer)
            .put(language)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Writes down how a turn ended. Drafts for the same messages are over with it.
async fn record(
    tx: &mut Tx,
    held: &Held,
    commit: &TurnCommit,
    state: &'static str,
    reply: Option<String>,
    now: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "update turns set state = 'superseded', saved = null, finished_at = $3 \
         where conversation_id = $1 and state = 'drafted' and id <> $2",
    )
    .put(held.id())
    .put(commit.turn)
    .put(now)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "insert into turns (id, conversation_id, epoch, from_seq, to_seq, state, decision, reason, record, reply_id, \
         started_at, finished_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         on conflict (id) do update set state = excluded.state, from_seq = excluded.from_seq, to_seq = excluded.to_seq, \
         decision = excluded.decision, reason = excluded.reason, record = excluded.record, \
         reply_id = excluded.reply_id, finished_at = excluded.finished_at, saved = null",
    )
    .put(commit.turn)
    .put(held.id())
    .put(held.conversation.epoch)
    .put(commit.from_seq)
    .put(commit.to_seq)
    .put(state)
    .put(commit.decision)
    .put(commit.reason.as_deref())
    .put(&document(&commit.record))
    .put(reply.as_deref())
    .put(commit.started_at)
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn fail(
    store: &SqlStore,
    lease: &Lease,
    error: &str,
    ready_at: Timestamp,
    now: Timestamp,
) -> Result<i64, Failure> {
    let mut tx = store.begin().await?;
    let row = leased(
        lease,
        format!(
            "update conversations set failures = failures + 1, lease_until = null, lease_boot = null, ready_at = $4 \
             where {OURS} returning failures as c_failures, handled_seq as c_handled_seq, customer_seq as c_customer_seq"
        ),
    )
    .put(ready_at)
    .fetch_optional(&mut *tx)
    .await?;
    // Not ours any more: whoever has it now counts their own failures.
    let Some(row) = row else { return undone(tx, 0).await };
    let fields = Fields::new(&row, "conversations", "c_");
    sqlx::query(
        "insert into turns (id, conversation_id, epoch, from_seq, to_seq, state, error, started_at, finished_at) \
         values ($1, $2, $3, $4, $5, 'failed', $6, $7, $7)",
    )
    .put(TurnId::fresh(&store.ids, now))
    .put(lease.conversation)
    .put(lease.epoch)
    .put(fields.integer("handled_seq")? + 1)
    .put(fields.integer("customer_seq")?)
    .put(error)
    .put(now)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    fields.integer("failures")
}
