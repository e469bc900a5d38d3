//! Processes that are alive, and what is taken back from those that are not.
//!
//! [`recover`] belongs at start and then at every renewal of the boot: it also finds parts whose lease has run out
//! while their process lives, which nothing else claims again.
//!
//! What another transaction holds is passed over, and found the next time: a process that froze in the middle of one
//! must not keep what it left elsewhere from being taken back.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::held::Held;
use super::sql::{Dialect, Failure, Fields, Put, Tx, composed};
use super::{SqlStore, timers};
use crate::domain::channel::ChannelKind;
use crate::domain::id::{BootId, ConversationId, OutboxId};
use crate::ports::store::{Claim, Recovered, TimerKind};

/// What is true of a lease whose holder is gone: $1 is this process, $2 the time since when a boot must have renewed.
const HOLDER_GONE: &str =
    "h.lease_boot <> $1 and not exists (select 1 from boots b where b.id = h.lease_boot and b.renewed_at > $2)";

pub(super) async fn recover(
    store: &SqlStore,
    claim: &Claim,
    idempotent: &[ChannelKind],
    unknown_deadline: Timestamp,
    now: Timestamp,
) -> Result<Recovered, Failure> {
    let mut tx = store.begin().await?;
    renewed(&mut tx, claim.boot, now).await?;
    // One process owns SQLite's file: every other boot is over, however lately it was renewed.
    let alive_since = match store.dialect {
        Dialect::Sqlite => i64::MAX,
        Dialect::Postgres => (now - claim.lease_for).as_microsecond(),
    };
    let leases = free_leases(store, &mut tx, claim.boot, alive_since).await?;
    let parts = interrupted(store, &mut tx, claim.boot, alive_since, now).await?;
    let mut recovered = Recovered { leases, ..Recovered::default() };
    let mut unknown = BTreeSet::new();
    for part in parts {
        // What the bot may not send again under this epoch, it may have sent all the same.
        let resend = idempotent.contains(&part.channel) && part.still_valid;
        if !taken_back(&mut tx, &part, resend, now).await? {
            continue;
        }
        if resend {
            recovered.resend += 1;
        } else {
            recovered.unknown += 1;
            unknown.insert(part.conversation);
        }
    }
    for conversation in unknown {
        timers::set_earliest(&mut tx, conversation, TimerKind::UnknownSend, unknown_deadline).await?;
    }
    forget_the_past(store, &mut tx, claim.boot, alive_since, now).await?;
    tx.commit().await?;
    Ok(recovered)
}

async fn free_leases(store: &SqlStore, tx: &mut Tx, boot: BootId, alive_since: i64) -> Result<u64, Failure> {
    let free = store.dialect.hold_free("h");
    let leases = composed(format!(
        "update conversations set lease_until = null, lease_boot = null where id in \
         (select h.id from conversations h where h.lease_until is not null and {HOLDER_GONE} {free})"
    ))
    .put(boot)
    .put(alive_since)
    .execute(&mut **tx)
    .await?;
    composed(format!(
        "update timers set claimed_until = null, lease_boot = null where (conversation_id, kind) in \
         (select h.conversation_id, h.kind from timers h where h.claimed_until is not null and {HOLDER_GONE} {free})"
    ))
    .put(boot)
    .put(alive_since)
    .execute(&mut **tx)
    .await?;
    Ok(leases.rows_affected())
}

/// A part whose sender is gone, or took longer than its lease.
struct Interrupted {
    id: OutboxId,
    conversation: ConversationId,
    attempts: i64,
    channel: ChannelKind,
    /// It is an operator's, or the bot's under the epoch that holds.
    still_valid: bool,
}

async fn interrupted(
    store: &SqlStore,
    tx: &mut Tx,
    boot: BootId,
    alive_since: i64,
    now: Timestamp,
) -> Result<Vec<Interrupted>, Failure> {
    let found = composed(format!(
        "select h.id as p_id, h.conversation_id as p_conversation_id, h.attempts as p_attempts, h.author as p_author, \
         h.epoch as p_epoch from outbox h where h.state = 'sending' and (h.lease_until <= $3 or ({HOLDER_GONE})) \
         order by h.conversation_id, h.seq, h.part"
    ))
    .put(boot)
    .put(alive_since)
    .put(now)
    .fetch_all(&mut **tx)
    .await?;
    let mut parts = Vec::new();
    for row in &found {
        let fields = Fields::new(row, "outbox", "p_");
        let conversation = fields.id("conversation_id")?;
        let Some(held) = Held::by_id_if_free(store.dialect, tx, conversation).await? else { continue };
        let of_bot = fields.text("author")? == "bot";
        parts.push(Interrupted {
            id: fields.id("id")?,
            conversation,
            attempts: fields.integer("attempts")?,
            channel: held.conversation.address.channel,
            still_valid: !of_bot || fields.integer("epoch")? == held.conversation.epoch,
        });
    }
    Ok(parts)
}

/// False if the sender settled it after all.
async fn taken_back(tx: &mut Tx, part: &Interrupted, resend: bool, now: Timestamp) -> Result<bool, Failure> {
    let why = "the process stopped while it was being sent";
    let (state, settled_at) = if resend { ("pending", None) } else { ("unknown", Some(now)) };
    let taken = sqlx::query(
        "update outbox set state = $3, error = $4, next_attempt_at = $5, settled_at = $6, lease_until = null, \
         lease_boot = null where id = $1 and attempts = $2 and state = 'sending'",
    )
    .put(part.id)
    .put(part.attempts)
    .put(state)
    .put(why)
    .put(now)
    .put(settled_at)
    .execute(&mut **tx)
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// Boots that are over and sessions that have expired are of no use to anybody.
async fn forget_the_past(
    store: &SqlStore,
    tx: &mut Tx,
    boot: BootId,
    alive_since: i64,
    now: Timestamp,
) -> Result<(), Failure> {
    let free = store.dialect.hold_free("h");
    composed(format!(
        "delete from boots where id in (select h.id from boots h where h.id <> $1 and h.renewed_at <= $2 {free})"
    ))
    .put(boot)
    .put(alive_since)
    .execute(&mut **tx)
    .await?;
    sqlx::query("delete from sessions where expires_at <= $1").put(now).execute(&mut **tx).await?;
    Ok(())
}

async fn renewed(tx: &mut Tx, boot: BootId, now: Timestamp) -> Result<(), Failure> {
    sqlx::query(
        "insert into boots (id, started_at, renewed_at) values ($1, $2, $2) \
         on conflict (id) do update set renewed_at = excluded.renewed_at",
    )
    .put(boot)
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn renew_boot(store: &SqlStore, boot: BootId, now: Timestamp) -> Result<(), Failure> {
    let mut tx = store.begin().await?;
    renewed(&mut tx, boot, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Leases of conversations and timers go back; parts that are being sent stay for [`recover`], since nobody can tell.
pub(super) async fn release_boot(store: &SqlStore, boot: BootId) -> Result<(), Failure> {
    let mut tx = store.begin().await?;
    for statement in [
        "update conversations set lease_until = null, lease_boot = null where lease_boot = $1",
        "update timers set claimed_until = null, lease_boot = null where lease_boot = $1",
        "delete from boots where id = $1",
    ] {
        sqlx::query(statement).put(boot).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}
