//! Timers: at most one of a kind per conversation, each time it is set under a new version.

use jiff::Timestamp;

use super::SqlStore;
use super::sql::{Failure, Fields, Put, Statement, Tx, composed};
use crate::domain::id::ConversationId;
use crate::ports::store::{Claim, Timer, TimerKind};

/// Sets a timer, whatever it was before. One that a worker holds is due anew for everybody.
pub(super) async fn set(
    tx: &mut Tx,
    conversation: ConversationId,
    kind: TimerKind,
    due_at: Timestamp,
) -> Result<(), Failure> {
    upsert(tx, "excluded.due_at", conversation, kind, due_at).await
}

/// Sets a timer unless it is due earlier already: what waits longest decides.
pub(super) async fn set_earliest(
    tx: &mut Tx,
    conversation: ConversationId,
    kind: TimerKind,
    due_at: Timestamp,
) -> Result<(), Failure> {
    let earliest = "case when timers.due_at <= excluded.due_at then timers.due_at else excluded.due_at end";
    upsert(tx, earliest, conversation, kind, due_at).await
}

/// Sets a timer unless it is set already.
pub(super) async fn set_if_none(
    tx: &mut Tx,
    conversation: ConversationId,
    kind: TimerKind,
    due_at: Timestamp,
) -> Result<(), Failure> {
    upsert(tx, "coalesce(timers.due_at, excluded.due_at)", conversation, kind, due_at).await
}

async fn upsert(
    tx: &mut Tx,
    due: &'static str,
    conversation: ConversationId,
    kind: TimerKind,
    due_at: Timestamp,
) -> Result<(), Failure> {
    composed(format!(
        "insert into timers (conversation_id, kind, due_at, version) values ($1, $2, $3, 1) \
         on conflict (conversation_id, kind) do update set due_at = {due}, version = timers.version + 1, \
         claimed_until = null, lease_boot = null"
    ))
    .put(conversation)
    .put(kind.name())
    .put(due_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Removes a timer. The row stays, so that its version is never used again.
pub(super) async fn clear(tx: &mut Tx, conversation: ConversationId, kind: TimerKind) -> Result<(), Failure> {
    cleared("version = version + 1 where conversation_id = $1 and kind = $2 and due_at is not null")
        .put(conversation)
        .put(kind.name())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn cleared(rest: &'static str) -> Statement {
    composed(format!("update timers set due_at = null, claimed_until = null, lease_boot = null, {rest}"))
}

pub(super) async fn claim(store: &SqlStore, claim: &Claim, now: Timestamp) -> Result<Option<Timer>, Failure> {
    let mut tx = store.begin().await?;
    let free = store.dialect.hold_free("t");
    let row = composed(format!(
        "update timers set claimed_until = $2, lease_boot = $3 where (conversation_id, kind) = \
         (select t.conversation_id, t.kind from timers t \
          where t.due_at <= $1 and (t.claimed_until is null or t.claimed_until <= $1) \
          order by t.due_at, t.conversation_id, t.kind limit 1 {free}) \
         returning conversation_id as t_id, kind as t_kind, due_at as t_due_at, version as t_version"
    ))
    .put(now)
    .put(now + claim.lease_for)
    .put(claim.boot)
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    row.as_ref()
        .map(|row| {
            let fields = Fields::new(row, "timers", "t_");
            Ok(Timer {
                conversation: fields.id("id")?,
                kind: fields.named("kind", TimerKind::from_name)?,
                due_at: fields.time("due_at")?,
                version: fields.integer("version")?,
            })
        })
        .transpose()
}

pub(super) async fn finish(store: &SqlStore, timer: &Timer) -> Result<(), Failure> {
    cleared("version = version + 1 where conversation_id = $1 and kind = $2 and version = $3 and due_at is not null")
        .put(timer.conversation)
        .put(timer.kind.name())
        .put(timer.version)
        .execute(&store.write)
        .await?;
    Ok(())
}
