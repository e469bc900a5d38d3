//! Visitors of the web chat: their tokens, their feeds, what they have read.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::SqlStore;
use super::accept::address_of;
use super::attachments::{self, ATTACHMENT};
use super::changes;
use super::rows;
use super::sql::{Failure, Fields, Put, Tx, composed, document, undone};
use crate::domain::channel::Address;
use crate::domain::customer::Claims;
use crate::domain::id::{AttachmentId, ConversationId, CustomerId, MessageId};
use crate::domain::message::StoredAttachment;
use crate::ports::visitors::KnownVisitor;

/// The addresses whose words stand in the feed of `$1`, `$2`, `$3`: itself, and those that were joined to it.
pub(super) const FEED: &str = "(select f.id from addresses f where f.channel = $1 and f.account = $2 and f.external = $3 \
    union all select j.id from addresses f join addresses j on j.feed_id = f.id \
    where f.channel = $1 and f.account = $2 and f.external = $3)";

/// How far back what is read is looked for: what was passed over so long ago is not marked any more.
const READ_BACK: i64 = 500;

pub(super) async fn add(
    store: &SqlStore,
    token_hash: &str,
    address: &Address,
    claims: &Claims,
    now: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "insert into visitors (token_hash, channel, account, external, claims, created_at) \
         values ($1, $2, $3, $4, $5, $6) on conflict (token_hash) do update set claims = excluded.claims, \
         stated = case when visitors.claims = excluded.claims then visitors.stated else 0 end",
    )
    .put(token_hash)
    .put(address.channel.name())
    .put(&address.account)
    .put(&address.external)
    .put(&document(claims))
    .put(now)
    .execute(&store.write)
    .await?;
    Ok(())
}

pub(super) async fn visitor(store: &SqlStore, token_hash: &str) -> Result<Option<KnownVisitor>, Failure> {
    sqlx::query(
        "select token_hash as v_id, channel as v_channel, account as v_account, external as v_external, \
         claims as v_claims, stated as v_stated from visitors where token_hash = $1",
    )
    .put(token_hash)
    .fetch_optional(&store.read)
    .await?
    .map(|row| {
        let fields = Fields::new(&row, "visitors", "v_");
        Ok(KnownVisitor {
            address: rows::address(&fields)?,
            claims: fields.document("claims")?,
            stated: fields.integer("stated")? != 0,
        })
    })
    .transpose()
}

pub(super) async fn end(store: &SqlStore, token_hash: &str) -> Result<(), Failure> {
    sqlx::query("delete from visitors where token_hash = $1").put(token_hash).execute(&store.write).await?;
    Ok(())
}

pub(super) async fn join(
    store: &SqlStore,
    from: &Address,
    to: &Address,
) -> Result<Option<(CustomerId, CustomerId)>, Failure> {
    let mut tx = store.begin().await?;
    let Some(here) = address_of(store.dialect, &mut tx, from).await? else { return undone(tx, None).await };
    let Some(there) = address_of(store.dialect, &mut tx, to).await? else {
        sqlx::query("update addresses set external = $2 where id = $1")
            .put(here.address)
            .put(&to.external)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        return Ok(None);
    };
    let joined = sqlx::query("update addresses set feed_id = $2 where id = $1 and feed_id is null")
        .put(here.address)
        .put(there.address)
        .execute(&mut *tx)
        .await?;
    if joined.rows_affected() > 0 {
        move_behind(&mut tx, here.address, there.address).await?;
    }
    tx.commit().await?;
    Ok(Some((here.customer, there.customer)))
}

/// Puts what was seen at one address behind what was seen at another, in its order: whoever follows that feed is told of it.
async fn move_behind(tx: &mut Tx, here: i64, there: i64) -> Result<(), Failure> {
    // By way of positions that nobody has: they are unique at every moment.
    sqlx::query(
        "update messages set feed_position = -(feed_position + (select a.feed_position from addresses a where a.id = $2)) \
         where address_id = $1 and feed_position is not null",
    )
    .put(here)
    .put(there)
    .execute(&mut **tx)
    .await?;
    sqlx::query("update messages set feed_position = -feed_position where address_id = $1 and feed_position < 0")
        .put(here)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "update addresses set feed_position = feed_position + \
         (select h.feed_position from addresses h where h.id = $1) where id = $2",
    )
    .put(here)
    .put(there)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives the addresses of a customer feeds of their own again, where they stood in that of somebody who is another by now.
pub(super) async fn part(tx: &mut Tx, customer: CustomerId) -> Result<(), Failure> {
    sqlx::query(
        "update addresses set feed_position = (select f.feed_position from addresses f where f.id = addresses.feed_id), \
         feed_id = null where customer_id = $1 and exists \
         (select 1 from addresses f where f.id = addresses.feed_id and f.customer_id <> $1)",
    )
    .put(customer)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn state_claims(
    store: &SqlStore,
    token_hash: &str,
    message: MessageId,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut tx = store.begin().await?;
    let row = sqlx::query(
        "update visitors set stated = 1 where token_hash = $1 and stated = 0 \
         returning token_hash as v_id, claims as v_claims",
    )
    .put(token_hash)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return undone(tx, ()).await };
    let claims: Claims = Fields::new(&row, "visitors", "v_").document("claims")?;
    let conversation =
        sqlx::query("select m.id as m_id, m.conversation_id as m_conversation_id from messages m where m.id = $1")
            .put(message)
            .fetch_one(&mut *tx)
            .await?;
    let conversation = Fields::new(&conversation, "messages", "m_").id("conversation_id")?;
    for (key, value) in claims.proven() {
        changes::vouched(&mut tx, conversation, message, (key, value), now).await?;
    }
    tx.commit().await?;
    Ok(())
}

pub(super) async fn read_up_to(
    store: &SqlStore,
    address: &Address,
    position: i64,
    now: Timestamp,
) -> Result<Vec<ConversationId>, Failure> {
    let found = composed(format!(
        "update outbox set delivered_at = coalesce(delivered_at, $6), read_at = $6 \
         where state = 'sent' and read_at is null and message_id in (select m.id from messages m \
         where m.address_id in {FEED} and m.feed_position <= $4 and m.feed_position > $5 and m.author <> 'customer') \
         returning id as p_id, conversation_id as p_conversation_id"
    ))
    .put(address.channel.name())
    .put(&address.account)
    .put(&address.external)
    .put(position)
    .put(position.saturating_sub(READ_BACK))
    .put(now)
    .fetch_all(&store.write)
    .await?;
    let conversation = |row: &AnyRow| Fields::new(row, "outbox", "p_").id("conversation_id");
    let mut read = found.iter().map(conversation).collect::<Result<Vec<ConversationId>, _>>()?;
    read.sort_unstable();
    read.dedup();
    Ok(read)
}

pub(super) async fn attachment_in_feed(
    store: &SqlStore,
    address: &Address,
    id: AttachmentId,
) -> Result<Option<StoredAttachment>, Failure> {
    let row = composed(format!(
        "select {ATTACHMENT} from attachments t join messages m on m.id = t.message_id \
         where t.id = $4 and m.address_id in {FEED}"
    ))
    .put(address.channel.name())
    .put(&address.account)
    .put(&address.external)
    .put(id)
    .fetch_optional(&store.read)
    .await?;
    row.as_ref().map(attachments::attachment).transpose()
}
