//! Delivery: which part goes next, and what became of it.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::held::{Held, next_position};
use super::rows;
use super::sql::{Failure, Fields, Put, Tx, composed, undone};
use super::{SqlStore, receipts, timers};
use crate::domain::id::{ConversationId, MessageId};
use crate::domain::outbox::{Outbound, SendOutcome};
use crate::ports::store::{Claim, TimerKind};

/// Claims the first unsettled part of a conversation that is due. Cancels the bot's parts it meets whose epoch is over.
pub(super) async fn claim(store: &SqlStore, claim: &Claim, now: Timestamp) -> Result<Option<Outbound>, Failure> {
    let mut tx = store.begin().await?;
    let part = loop {
        let Some(row) = next(store, &mut tx, now).await? else { break None };
        let fields = Fields::new(&row, "outbox", "p_");
        if fields.text("author")? == "bot" && fields.integer("epoch")? != fields.integer("conversation_epoch")? {
            withdraw(store, &mut tx, fields.id("conversation_id")?, now).await?;
            continue;
        }
        sqlx::query(
            "update outbox set state = 'sending', attempts = attempts + 1, lease_until = $2, lease_boot = $3 \
             where id = $1 and state = 'pending'",
        )
        .put(&fields.text("id")?)
        .put(now + claim.lease_for)
        .put(claim.boot)
        .execute(&mut *tx)
        .await?;
        break Some(outbound(&row, &fields)?);
    };
    tx.commit().await?;
    Ok(part)
}

/// The part that is due longest, of those that no earlier part of their conversation holds up. Part and conversation
/// are held together: no operator takes the conversation between the look at its epoch and the send.
async fn next(store: &SqlStore, tx: &mut Tx, now: Timestamp) -> Result<Option<AnyRow>, Failure> {
    let free = store.dialect.hold_free("p, c");
    let row = composed(format!(
        "select p.id as p_id, p.conversation_id as p_conversation_id, p.message_id as p_message_id, p.part as p_part, \
         p.text as p_text, p.buttons as p_buttons, p.dedupe_key as p_dedupe_key, p.attempts as p_attempts, p.author as p_author, \
         p.epoch as p_epoch, c.epoch as p_conversation_epoch, \
         a.channel as a_channel, a.account as a_account, a.external as a_external, \
         a.last_inbound_at as a_last_inbound_at from outbox p join conversations c on c.id = p.conversation_id join addresses a on a.id = c.address_id \
         where p.state = 'pending' and p.next_attempt_at <= $1 and not exists \
         (select 1 from outbox q where q.conversation_id = p.conversation_id and q.state in ('pending', 'sending') \
          and (q.seq < p.seq or (q.seq = p.seq and q.part < p.part))) \
         order by p.next_attempt_at, p.seq, p.part, p.id limit 1 {free}"
    ))
    .put(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

fn outbound(row: &AnyRow, fields: &Fields<'_>) -> Result<Outbound, Failure> {
    let address = Fields::new(row, "addresses", "a_");
    Ok(Outbound {
        id: fields.id("id")?,
        conversation: fields.id("conversation_id")?,
        message: fields.id("message_id")?,
        part: fields.integer("part")?,
        to: rows::address(&address)?,
        last_inbound_at: address.time_or_null("last_inbound_at")?,
        text: fields.words("text")?,
        buttons: fields.document("buttons")?,
        dedupe_key: fields.text("dedupe_key")?,
        attempts: fields.integer("attempts")? + 1,
    })
}

/// Withdraws what the bot may not send any more. If the bot has the conversation again, it owes the answer again.
async fn withdraw(store: &SqlStore, tx: &mut Tx, conversation: ConversationId, now: Timestamp) -> Result<(), Failure> {
    if let Some(mut held) = Held::by_id(store.dialect, tx, conversation).await?
        && held.withdraw(tx, now).await?
    {
        held.owe_again(tx, now).await?;
    }
    Ok(())
}

pub(super) async fn settle(
    store: &SqlStore,
    part: &Outbound,
    outcome: &SendOutcome,
    unknown_deadline: Timestamp,
    now: Timestamp,
) -> Result<bool, Failure> {
    let mut tx = store.begin().await?;
    let Some(mut held) = Held::by_id(store.dialect, &mut tx, part.conversation).await? else {
        return undone(tx, false).await;
    };
    if !write_outcome(&mut tx, part, outcome, now).await? {
        return undone(tx, false).await;
    }
    match outcome {
        SendOutcome::Sent(provider_id) => {
            delivered(&mut tx, &held, part.message, part.part, now).await?;
            all_known(&mut tx, &held).await?;
            if let Some(provider_id) = provider_id {
                receipts::apply_kept(&mut tx, &mut held, provider_id, now).await?;
            }
        }
        SendOutcome::NotSent { .. } | SendOutcome::TooSoon { .. } => {
            // The owner may have changed while it was being sent: it must not hold up what people say.
            if held.withdraw(&mut tx, now).await? {
                held.owe_again(&mut tx, now).await?;
            }
        }
        SendOutcome::Unknown { .. } => {
            timers::set_earliest(&mut tx, held.id(), TimerKind::UnknownSend, unknown_deadline).await?;
        }
        SendOutcome::Dead { unreachable, .. } => {
            let of_bot = is_of_bot(&mut tx, part.message).await?;
            receipts::gave_up(&mut tx, &mut held, of_bot, *unreachable, now).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

async fn is_of_bot(tx: &mut Tx, message: MessageId) -> Result<bool, Failure> {
    let row = sqlx::query("select 1 as m_of_bot from messages where id = $1 and author = 'bot'").put(message);
    Ok(row.fetch_optional(&mut **tx).await?.is_some())
}

/// Settles the attempt, if nobody has. That a part was sent may also be learnt after it was given up as unknown.
async fn write_outcome(tx: &mut Tx, part: &Outbound, outcome: &SendOutcome, now: Timestamp) -> Result<bool, Failure> {
    let (state, provider_id, error, retry_at) = match outcome {
        SendOutcome::Sent(provider_id) => ("sent", provider_id.as_deref(), None, None),
        SendOutcome::NotSent { retry_at, why } => ("pending", None, Some(why.as_str()), Some(*retry_at)),
        SendOutcome::TooSoon { retry_at } => ("pending", None, None, Some(*retry_at)),
        SendOutcome::Unknown { why } => ("unknown", None, Some(why.as_str()), None),
        SendOutcome::Dead { why, .. } => ("dead", None, Some(why.as_str()), None),
    };
    let settled = sqlx::query(
        "update outbox set state = $3, provider_id = $4, error = $5, next_attempt_at = coalesce($6, next_attempt_at), \
         settled_at = $7, attempts = attempts - $8, lease_until = null, lease_boot = null \
         where id = $1 and attempts = $2 and (state = 'sending' or (state = 'unknown' and $3 = 'sent'))",
    )
    .put(part.id)
    .put(part.attempts)
    .put(state)
    .put(provider_id)
    .put(error)
    .put(retry_at)
    .put(retry_at.is_none().then_some(now))
    .put(matches!(outcome, SendOutcome::TooSoon { .. }))
    .execute(&mut **tx)
    .await?;
    Ok(settled.rows_affected() > 0)
}

/// A message whose last part was sent is visible to the customer.
pub(super) async fn delivered(
    tx: &mut Tx,
    held: &Held,
    message: MessageId,
    part: i64,
    now: Timestamp,
) -> Result<(), Failure> {
    let row = sqlx::query("select max(part) as p_last from outbox where message_id = $1")
        .put(message)
        .fetch_one(&mut **tx)
        .await?;
    if Fields::new(&row, "outbox", "p_").integer("last")? != part {
        return Ok(());
    }
    let position = next_position(tx, held.address).await?;
    sqlx::query("update messages set delivered_at = $2, feed_position = $3 where id = $1 and delivered_at is null")
        .put(message)
        .put(now)
        .put(position)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Nobody has to look at unknown sends of a conversation that has none.
pub(super) async fn all_known(tx: &mut Tx, held: &Held) -> Result<(), Failure> {
    let row = sqlx::query("select count(*) as p_count from outbox where conversation_id = $1 and state = 'unknown'")
        .put(held.id())
        .fetch_one(&mut **tx)
        .await?;
    if Fields::new(&row, "outbox", "p_").integer("count")? == 0 {
        timers::clear(tx, held.id(), TimerKind::UnknownSend).await?;
    }
    Ok(())
}
