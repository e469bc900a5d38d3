//! What a customer changes about what they have said: other words, or none. And what a channel vouches for.
//!
//! Nothing is folded here: what was learnt is brought in line by [`TimerKind::Ledger`], set in the same transaction.

use jiff::Timestamp;

use super::accept::{self, Arrival, first_unanswered_at, link, ready};
use super::held::Held;
use super::ledger::owe;
use super::sql::{Dialect, Failure, Fields, Put, Tx, document};
use super::{attachments, facts, timers};
use crate::domain::channel::Address;
use crate::domain::conversation::Ownership;
use crate::domain::handoff::Package;
use crate::domain::id::{ConversationId, EpisodeId, MessageId, TurnId};
use crate::domain::memory::{FactKind, Stance};
use crate::domain::text::MessageText;
use crate::domain::turn::TurnRecord;
use crate::ports::ledger::UnitId;
use crate::ports::store::{Accepted, TAKEN_BACK, TimerKind};

/// A message of a customer's that the channel names.
pub(super) struct Known {
    pub(super) id: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) seq: i64,
    text: String,
    is_deleted: bool,
}

const KNOWN: &str = "select m.id as m_id, m.conversation_id as m_conversation_id, m.seq as m_seq, m.text as m_text, \
    m.deleted_at as m_deleted_at from messages m";

fn read(row: &sqlx::any::AnyRow) -> Result<Known, Failure> {
    let fields = Fields::new(row, "messages", "m_");
    Ok(Known {
        id: fields.id("id")?,
        conversation: fields.id("conversation_id")?,
        seq: fields.integer("seq")?,
        text: fields.text("text")?,
        is_deleted: fields.time_or_null("deleted_at")?.is_some(),
    })
}

/// The message that has the channel's id, at the address that it came from.
pub(super) async fn known(tx: &mut Tx, from: &Address, provider_id: &str) -> Result<Option<Known>, Failure> {
    let row = super::sql::composed(format!(
        "{KNOWN} join addresses a on a.id = m.address_id \
         where a.channel = $1 and a.account = $2 and a.external = $3 and m.provider_id = $4"
    ))
    .put(from.channel.name())
    .put(&from.account)
    .put(&from.external)
    .put(provider_id)
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(read).transpose()
}

/// The same with its conversation held. While we waited for that, the id may have gone over to another message.
async fn held(
    dialect: Dialect,
    tx: &mut Tx,
    from: &Address,
    provider_id: &str,
) -> Result<Option<(Known, Held)>, Failure> {
    let mut found = known(tx, from, provider_id).await?;
    while let Some(one) = found {
        let Some(held) = Held::by_id(dialect, tx, one.conversation).await? else { return Ok(None) };
        match known(tx, from, provider_id).await? {
            Some(now) if now.conversation == one.conversation => return Ok(Some((now, held))),
            other => found = other,
        }
    }
    Ok(None)
}

/// The customer says it in other words.
pub(super) async fn edited(
    arrival: &Arrival<'_>,
    tx: &mut Tx,
    provider_id: &str,
    text: &MessageText,
) -> Result<Accepted, Failure> {
    let found = held(arrival.store.dialect, tx, &arrival.update.from, provider_id).await?;
    // Of a message that we never got: said now.
    let Some((message, held)) = found else { return accept::said(arrival, tx, Some(provider_id)).await };
    link(tx, arrival.inbox, held.id(), Some(message.id), Some(message.seq)).await?;
    if message.is_deleted || !differs(&message.text, text.as_str()) {
        return Ok(Accepted::Noted);
    }
    let is_unanswered = held.conversation.ownership == Ownership::Bot && message.seq > held.conversation.handled_seq;
    if is_unanswered && !is_learnt(tx, &message).await? {
        sqlx::query("update messages set text = $2, edited_at = $3 where id = $1")
            .put(message.id)
            .put(text)
            .put(arrival.now)
            .execute(&mut **tx)
            .await?;
        index_anew(tx, &held, arrival.now).await?;
        begin_anew(arrival, tx, &held).await?;
        return Ok(Accepted::Changed { conversation: held.id() });
    }
    replaced(arrival, tx, &message, &held, provider_id, text).await
}

/// White space is no other word.
fn differs(before: &str, after: &str) -> bool {
    !after.trim().is_empty() && !before.split_whitespace().eq(after.split_whitespace())
}

/// Whether a stretch that holds the message was learnt from.
async fn is_learnt(tx: &mut Tx, message: &Known) -> Result<bool, Failure> {
    let row =
        sqlx::query("select 1 as e_learnt from episodes e where e.conversation_id = $1 and e.to_seq >= $2 limit 1")
            .put(message.conversation)
            .put(message.seq)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row.is_some())
}

/// What somebody has answered already stays as it was answered; the new words are said now, in its place.
async fn replaced(
    arrival: &Arrival<'_>,
    tx: &mut Tx,
    message: &Known,
    held: &Held,
    provider_id: &str,
    text: &MessageText,
) -> Result<Accepted, Failure> {
    let release = sqlx::query("update messages set provider_id = null where id = $1");
    release.put(message.id).execute(&mut **tx).await?;
    let (new, conversation, seq) = accept::written(arrival, tx, text, Some(provider_id)).await?;
    sqlx::query("update messages set replaced_by = $2 where id = $1")
        .put(message.id)
        .put(new)
        .execute(&mut **tx)
        .await?;
    link(tx, arrival.inbox, conversation, Some(new), Some(seq)).await?;
    forget_exchange(tx, held, message.seq, arrival.now).await?;
    index_anew(tx, held, arrival.now).await?;
    // Who is learning from the old words just now finds that the ledger has moved.
    facts::turn_page(tx, held.conversation.customer).await?;
    timers::set(tx, held.id(), TimerKind::Ledger, arrival.now).await?;
    Ok(Accepted::New { message: new, conversation, seq })
}

/// The customer takes messages back.
pub(super) async fn deleted(arrival: &Arrival<'_>, tx: &mut Tx, provider_ids: &[String]) -> Result<Accepted, Failure> {
    let mut accepted = Accepted::Noted;
    for provider_id in provider_ids {
        let found = held(arrival.store.dialect, tx, &arrival.update.from, provider_id).await?;
        let Some((message, held)) = found else { continue };
        let (id, conversation) = (message.id, held.id());
        link(tx, arrival.inbox, conversation, Some(id), Some(message.seq)).await?;
        take_back(arrival, tx, message, held).await?;
        // What it said at first goes with it.
        let mut newer = id;
        while let Some(older) = replaced_by(tx, newer).await? {
            newer = older.id;
            let Some(held) = Held::by_id(arrival.store.dialect, tx, older.conversation).await? else { break };
            take_back(arrival, tx, older, held).await?;
        }
        accepted = Accepted::Changed { conversation };
    }
    Ok(accepted)
}

async fn replaced_by(tx: &mut Tx, newer: MessageId) -> Result<Option<Known>, Failure> {
    let row = super::sql::composed(format!("{KNOWN} where m.replaced_by = $1"));
    row.put(newer).fetch_optional(&mut **tx).await?.as_ref().map(read).transpose()
}

async fn take_back(arrival: &Arrival<'_>, tx: &mut Tx, message: Known, mut held: Held) -> Result<(), Failure> {
    let now = arrival.now;
    if message.is_deleted {
        return Ok(());
    }
    sqlx::query("update messages set text = '', deleted_at = $2 where id = $1")
        .put(message.id)
        .put(now)
        .execute(&mut **tx)
        .await?;
    attachments::let_go(tx, message.id).await?;
    sqlx::query("delete from proofs where source_id = $1").put(message.id).execute(&mut **tx).await?;
    // Whoever is learning from it just now finds that the ledger has moved, and what they have learnt is seen here.
    facts::turn_page(tx, held.conversation.customer).await?;
    forget_exchange(tx, &held, message.seq, now).await?;
    forget_episodes(tx, &held, message.seq, now).await?;
    index_anew(tx, &held, now).await?;
    timers::set(tx, held.id(), TimerKind::Ledger, now).await?;
    // A package may quote it.
    let emptied =
        sqlx::query("update handoffs set package = $2 where conversation_id = $1 and state in ('open', 'claimed')");
    if emptied.put(held.id()).put(&document(&Package::default())).execute(&mut **tx).await?.rows_affected() > 0 {
        timers::set(tx, held.id(), TimerKind::Package, now).await?;
    }
    unanswered(arrival, tx, &mut held, &message).await
}

/// An exchange of which the customer has left nothing is one no more.
async fn forget_exchange(tx: &mut Tx, held: &Held, seq: i64, now: Timestamp) -> Result<(), Failure> {
    let gone = sqlx::query(
        "delete from exchanges where conversation_id = $1 and from_seq <= $2 and to_seq >= $2 and not exists \
         (select 1 from messages m where m.conversation_id = $1 and m.author = 'customer' and m.deleted_at is null \
         and m.replaced_by is null and m.seq between exchanges.from_seq and exchanges.to_seq) returning message_id as x_message_id",
    )
    .put(held.id())
    .put(seq)
    .fetch_all(&mut **tx)
    .await?;
    for row in &gone {
        let unit = UnitId::Exchange(Fields::new(row, "exchanges", "x_").id("message_id")?);
        owe(tx, held.conversation.customer, unit, now).await?;
    }
    Ok(())
}

/// A summary may tell what was said. The stretch is learnt from once more, without it, when the conversation is silent.
async fn forget_episodes(tx: &mut Tx, held: &Held, seq: i64, now: Timestamp) -> Result<(), Failure> {
    let gone = sqlx::query(
        "delete from episodes where conversation_id = $1 and from_seq <= $2 and to_seq >= $2 returning id as e_id",
    )
    .put(held.id())
    .put(seq)
    .fetch_all(&mut **tx)
    .await?;
    for row in &gone {
        let episode: EpisodeId = Fields::new(row, "episodes", "e_").id("id")?;
        owe(tx, held.conversation.customer, UnitId::Episode(episode), now).await?;
        timers::set_if_none(tx, held.id(), TimerKind::EpisodeEnd, now).await?;
    }
    Ok(())
}

/// Exchanges of the conversation show what stands in and beside them.
async fn index_anew(tx: &mut Tx, held: &Held, now: Timestamp) -> Result<(), Failure> {
    let all = sqlx::query("select x.message_id as x_message_id from exchanges x where x.conversation_id = $1")
        .put(held.id())
        .fetch_all(&mut **tx)
        .await?;
    for row in &all {
        let unit = UnitId::Exchange(Fields::new(row, "exchanges", "x_").id("message_id")?);
        owe(tx, held.conversation.customer, unit, now).await?;
    }
    Ok(())
}

/// What is gone is not answered: the bot looks anew at what is left, or ignores the turn where nothing is.
async fn unanswered(arrival: &Arrival<'_>, tx: &mut Tx, held: &mut Held, message: &Known) -> Result<(), Failure> {
    let row = sqlx::query(
        "update conversations set customer_seq = (select coalesce(max(m.seq), 0) from messages m \
         where m.conversation_id = $1 and m.author = 'customer' and m.deleted_at is null) where id = $1 \
         returning customer_seq as c_customer_seq",
    )
    .put(held.id())
    .fetch_one(&mut **tx)
    .await?;
    held.customer_seq = Fields::new(&row, "conversations", "c_").integer("customer_seq")?;
    let handled = held.conversation.handled_seq;
    if held.conversation.ownership != Ownership::Bot || message.seq <= handled {
        return Ok(());
    }
    if held.customer_seq > handled {
        return begin_anew(arrival, tx, held).await;
    }
    ignored(arrival, tx, held).await
}

/// The customer's words are not what the turn under way has read: it is fenced out, and what it has drafted is over. Its
/// deadline stays.
async fn begin_anew(arrival: &Arrival<'_>, tx: &mut Tx, held: &Held) -> Result<(), Failure> {
    let first_at = first_unanswered_at(tx, held, arrival.now).await?;
    set_aside(tx, held, arrival.now).await?;
    sqlx::query("update conversations set ready_at = $2, lease_until = null, lease_boot = null where id = $1")
        .put(held.id())
        .put(ready(arrival.timing, first_at, arrival.now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn set_aside(tx: &mut Tx, held: &Held, now: Timestamp) -> Result<(), Failure> {
    sqlx::query(
        "update turns set state = 'superseded', saved = null, finished_at = $2 \
         where conversation_id = $1 and state = 'drafted'",
    )
    .put(held.id())
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All that the bot would have answered was taken back.
async fn ignored(arrival: &Arrival<'_>, tx: &mut Tx, held: &Held) -> Result<(), Failure> {
    set_aside(tx, held, arrival.now).await?;
    let newest = sqlx::query(
        "select max(m.seq) as m_newest from messages m where m.conversation_id = $1 and m.author = 'customer'",
    )
    .put(held.id())
    .fetch_one(&mut **tx)
    .await?;
    let to_seq = Fields::new(&newest, "messages", "m_").integer("newest")?;
    sqlx::query(
        "insert into turns (id, conversation_id, epoch, from_seq, to_seq, state, decision, reason, record, started_at, \
         finished_at) values ($1, $2, $3, $4, $5, 'committed', 'ignore', $6, $7, $8, $8)",
    )
    .put(TurnId::fresh(&arrival.store.ids, arrival.now))
    .put(held.id())
    .put(held.conversation.epoch)
    .put(held.conversation.handled_seq + 1)
    .put(to_seq)
    .put(TAKEN_BACK)
    .put(&document(&TurnRecord::default()))
    .put(arrival.now)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update conversations set handled_seq = $2, ready_at = null, lease_until = null, lease_boot = null where id = $1",
    )
    .put(held.id())
    .put(to_seq)
    .execute(&mut **tx)
    .await?;
    timers::clear(tx, held.id(), TimerKind::ReplyDeadline).await
}

/// The channel vouches that a number is the customer's own: more than they could say. Who is not remembered, of them
/// nothing is stated.
pub(super) async fn vouched(
    tx: &mut Tx,
    conversation: ConversationId,
    message: MessageId,
    (key, value): (&str, &str),
    now: Timestamp,
) -> Result<(), Failure> {
    let stated = sqlx::query(
        "insert into statements (customer_id, key, value, stance, kind, confidence, source_id, valid_at, recorded_at) \
         select k.id, $8, $3, $4, $5, $6, $2, $7, $7 from conversations c join customers k on k.id = c.customer_id \
         where c.id = $1 and k.memory = 'on' on conflict (source_id, key, stance, value) do nothing",
    )
    .put(conversation)
    .put(message)
    .put(value)
    .put(Stance::Stated.name())
    .put(FactKind::Attribute.name())
    .put(1.0)
    .put(now)
    .put(key)
    .execute(&mut **tx)
    .await?;
    if stated.rows_affected() > 0 {
        timers::set(tx, conversation, TimerKind::Ledger, now).await?;
    }
    Ok(())
}
