//! What a channel tells, after a send, of what became of a part. Reports come in any order, with gaps, more than once, and
//! sometimes before the channel has answered the send.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use super::accept::{Arrival, link};
use super::delivery::{all_known, delivered};
use super::held::Held;
use super::sql::{Failure, Fields, Put, Tx, composed};
use super::timers;
use crate::domain::channel::{Address, DeliveryReport, DeliveryState};
use crate::domain::conversation::Ownership;
use crate::domain::id::{ConversationId, MessageId, OutboxId};
use crate::ports::store::{Accepted, TimerKind};

/// How long a report is kept that no part of ours belongs to.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// A part as a report meets it.
struct Part {
    id: OutboxId,
    conversation: ConversationId,
    message: MessageId,
    number: i64,
    state: String,
    /// The channel had taken it.
    was_taken: bool,
    has_arrived: bool,
    of_bot: bool,
}

const PART: &str = "select p.id as p_id, p.conversation_id as p_conversation_id, p.message_id as p_message_id, \
    p.part as p_part, p.state as p_state, p.provider_id as p_provider_id, p.delivered_at as p_delivered_at, \
    p.author as p_author from outbox p join conversations c on c.id = p.conversation_id \
    join addresses a on a.id = c.address_id where a.channel = $1 and a.account = $2";

fn read(row: &AnyRow) -> Result<Part, Failure> {
    let fields = Fields::new(row, "outbox", "p_");
    Ok(Part {
        id: fields.id("id")?,
        conversation: fields.id("conversation_id")?,
        message: fields.id("message_id")?,
        number: fields.integer("part")?,
        state: fields.text("state")?,
        was_taken: fields.text_or_null("provider_id")?.is_some(),
        has_arrived: fields.time_or_null("delivered_at")?.is_some(),
        of_bot: fields.text("author")? == "bot",
    })
}

/// The part that a report is about, by the channel's id of it or by our own key. Ids may repeat between chats.
async fn find(tx: &mut Tx, from: &Address, report: &DeliveryReport) -> Result<Option<Part>, Failure> {
    let row = composed(format!(
        "{PART} and (p.provider_id = $3 or p.dedupe_key = $4) order by case when p.dedupe_key = $4 then 0 \
         when a.external = $5 then 1 else 2 end, p.created_at desc limit 1"
    ))
    .put(from.channel.name())
    .put(&from.account)
    .put(&report.provider_id)
    .put(report.dedupe_key.as_deref())
    .put(&from.external)
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(read).transpose()
}

/// A part that is on its way to an address just now.
async fn under_way(tx: &mut Tx, from: &Address) -> Result<Option<Part>, Failure> {
    let row = composed(format!("{PART} and a.external = $3 and p.state = 'sending' order by p.created_at limit 1"))
        .put(from.channel.name())
        .put(&from.account)
        .put(&from.external)
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Takes a channel's word.
pub(super) async fn reported(arrival: &Arrival<'_>, tx: &mut Tx, report: &DeliveryReport) -> Result<Accepted, Failure> {
    let from = &arrival.update.from;
    let met = match find(tx, from, report).await? {
        Some(part) => Some(part),
        None => under_way(tx, from).await?,
    };
    let Some(met) = met else { return Ok(Accepted::Noted) };
    let held = Held::by_id(arrival.store.dialect, tx, met.conversation).await?;
    let Some(mut held) = held else { return Ok(Accepted::Noted) };
    link(tx, arrival.inbox, held.id(), None, None).await?;
    // Once more, under the lock: our own settling may have come in between.
    let Some(part) = find(tx, from, report).await? else {
        keep(tx, held.address, report, arrival.now).await?;
        return Ok(Accepted::Noted);
    };
    apply(tx, &mut held, &part, report, arrival.now).await?;
    if !part.was_taken {
        // Now its id is known.
        apply_kept(tx, &mut held, &report.provider_id, arrival.now).await?;
    }
    Ok(Accepted::Changed { conversation: held.id() })
}

/// Keeps a report until the part's id is known.
async fn keep(tx: &mut Tx, address: i64, report: &DeliveryReport, now: Timestamp) -> Result<(), Failure> {
    sqlx::query(
        "insert into receipts (address_id, provider_id, state, why, unreachable, billed, received_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .put(address)
    .put(&report.provider_id)
    .put(report.state.name())
    .put(report.why.as_deref())
    .put(report.unreachable)
    .put(report.billed.as_deref())
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Applies what was reported of a part before its id was known, and lets go of what nobody will ask for.
pub(super) async fn apply_kept(tx: &mut Tx, held: &mut Held, provider_id: &str, now: Timestamp) -> Result<(), Failure> {
    let kept = sqlx::query(
        "delete from receipts where address_id = $1 and (provider_id = $2 or received_at < $3) \
         returning id as r_id, provider_id as r_provider_id, state as r_state, why as r_why, \
         unreachable as r_unreachable, billed as r_billed",
    )
    .put(held.address)
    .put(provider_id)
    .put(now - KEPT)
    .fetch_all(&mut **tx)
    .await?;
    let mut reports = Vec::new();
    for row in &kept {
        let fields = Fields::new(row, "receipts", "r_");
        let report = DeliveryReport {
            provider_id: fields.text("provider_id")?,
            dedupe_key: None,
            state: fields.named("state", DeliveryState::from_name)?,
            why: fields.text_or_null("why")?,
            unreachable: fields.integer("unreachable")? != 0,
            billed: fields.text_or_null("billed")?,
        };
        reports.push((fields.integer("id")?, report));
    }
    reports.retain(|(_, report)| report.provider_id == provider_id);
    reports.sort_unstable_by_key(|(id, _)| *id);
    for (_, report) in &reports {
        let address = held.conversation.address.clone();
        if let Some(part) = find(tx, &address, report).await? {
            apply(tx, held, &part, report, now).await?;
        }
    }
    Ok(())
}

/// Brings a part as far as the report says: never back, and nowhere from where it ended.
async fn apply(
    tx: &mut Tx,
    held: &mut Held,
    part: &Part,
    report: &DeliveryReport,
    now: Timestamp,
) -> Result<(), Failure> {
    match (report.state, part.state.as_str()) {
        // It was never sent, whatever somebody says.
        (_, "cancelled") => Ok(()),
        // The channel had taken it and gave it up.
        (_, "dead") if part.was_taken => Ok(()),
        // A failure of an attempt after which another one is owed.
        (DeliveryState::Failed, "pending" | "dead") => Ok(()),
        (DeliveryState::Failed, _) if part.has_arrived => Ok(()),
        (DeliveryState::Failed, _) => failed(tx, held, part, report, now).await,
        (DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read, _) => {
            came_further(tx, held, part, report, now).await
        }
    }
}

async fn came_further(
    tx: &mut Tx,
    held: &mut Held,
    part: &Part,
    report: &DeliveryReport,
    now: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "update outbox set state = 'sent', provider_id = coalesce(provider_id, $2), error = null, \
         settled_at = coalesce(settled_at, $3), lease_until = null, lease_boot = null, \
         delivered_at = coalesce(delivered_at, $4), read_at = coalesce(read_at, $5), billed = coalesce($6, billed) \
         where id = $1",
    )
    .put(part.id)
    .put(&report.provider_id)
    .put(now)
    .put((report.state >= DeliveryState::Delivered).then_some(now))
    .put((report.state == DeliveryState::Read).then_some(now))
    .put(report.billed.as_deref())
    .execute(&mut **tx)
    .await?;
    if part.state != "sent" {
        delivered(tx, held, part.message, part.number, now).await?;
        all_known(tx, held).await?;
    }
    Ok(())
}

/// A part that the channel took and can't deliver is as dead as one that it refused.
async fn failed(
    tx: &mut Tx,
    held: &mut Held,
    part: &Part,
    report: &DeliveryReport,
    now: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "update outbox set state = 'dead', provider_id = coalesce(provider_id, $2), error = $3, settled_at = $4, \
         lease_until = null, lease_boot = null, billed = coalesce($5, billed) where id = $1",
    )
    .put(part.id)
    .put(&report.provider_id)
    .put(report.why.as_deref().unwrap_or("the channel gave it up"))
    .put(now)
    .put(report.billed.as_deref())
    .execute(&mut **tx)
    .await?;
    sqlx::query("update messages set delivered_at = null, feed_position = null where id = $1")
        .put(part.message)
        .execute(&mut **tx)
        .await?;
    all_known(tx, held).await?;
    gave_up(tx, held, part.of_bot, report.unreachable, now).await
}

/// A part will not arrive: the customer is let go where they can't be reached, and people are told of the bot's words.
pub(super) async fn gave_up(
    tx: &mut Tx,
    held: &mut Held,
    of_bot: bool,
    unreachable: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    if unreachable {
        return held.lose(tx, now).await;
    }
    if of_bot && held.conversation.ownership == Ownership::Bot {
        timers::set(tx, held.id(), TimerKind::Undelivered, now).await?;
    }
    Ok(())
}
