//! Proofs that updates bring, links, and who shares a proof with whom.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::SqlStore;
use super::accept::{Arrival, address_of};
use super::held::Held;
use super::identity::PARTS;
use super::sql::{Failure, Fields, Put, Tx, composed, undone};
use super::timers;
use crate::domain::channel::InboundEvent;
use crate::domain::conversation::Ownership;
use crate::domain::id::{ConversationId, CustomerId, MessageId};
use crate::domain::message::Author;
use crate::domain::proof::{CONFIRM_LINK, Kin, ProofKind, is_confirmation};
use crate::domain::text::hex;
use crate::ports::proof::NewLink;
use crate::ports::store::{NewMessage, TimerKind};

/// A proof that is renewed more often than this is not looked at anew.
const LOOKED_AT_AGAIN: SignedDuration = SignedDuration::from_hours(24);

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Keeps what an update proves beside its words, once they are stored.
pub(super) async fn of_arrival(
    arrival: &Arrival<'_>,
    tx: &mut Tx,
    conversation: ConversationId,
    is_confirmed: bool,
) -> Result<(), Failure> {
    let (update, now) = (arrival.update, arrival.now);
    let mut is_news = is_confirmed;
    if let Some(phone) = &update.phone {
        is_news |= of_sender(arrival, tx, phone).await?;
    }
    if let Some(token) = &update.link {
        is_news |= opened(arrival, tx, token).await?;
    }
    if is_news {
        timers::set(tx, conversation, TimerKind::Proof, now).await?;
    }
    Ok(())
}

/// The sender has one number at a time.
async fn of_sender(arrival: &Arrival<'_>, tx: &mut Tx, phone: &str) -> Result<bool, Failure> {
    let Some(at) = address_of(arrival.store.dialect, tx, &arrival.update.from).await? else { return Ok(false) };
    sqlx::query("delete from proofs where address_id = $1 and kind = 'phone' and source = 'sender' and value <> $2")
        .put(at.address)
        .put(phone)
        .execute(&mut **tx)
        .await?;
    prove(tx, at.address, (ProofKind::Phone, phone), ("sender", None), arrival.now).await
}

/// The customer shared a contact of which the channel says that it is their own.
pub(super) async fn of_contact(
    arrival: &Arrival<'_>,
    tx: &mut Tx,
    (conversation, message): (ConversationId, MessageId),
    phone: &str,
) -> Result<(), Failure> {
    let Some(at) = address_of(arrival.store.dialect, tx, &arrival.update.from).await? else { return Ok(()) };
    if prove(tx, at.address, (ProofKind::Phone, phone), ("contact", Some(message)), arrival.now).await? {
        timers::set(tx, conversation, TimerKind::Proof, arrival.now).await?;
    }
    Ok(())
}

/// Keeps a proof, or renews it; true if it is worth a look. Of who is not to be remembered, nothing is kept.
async fn prove(
    tx: &mut Tx,
    address: i64,
    (kind, value): (ProofKind, &str),
    (source, message): (&str, Option<MessageId>),
    now: Timestamp,
) -> Result<bool, Failure> {
    let known = sqlx::query(
        "select p.proven_at as p_proven_at from proofs p where p.address_id = $1 and p.kind = $2 and p.value = $3",
    )
    .put(address)
    .put(kind.name())
    .put(value)
    .fetch_optional(&mut **tx)
    .await?;
    let known = known.map(|row| Fields::new(&row, "proofs", "p_").time("proven_at")).transpose()?;
    let kept = sqlx::query(
        "insert into proofs (address_id, kind, value, source, source_id, first_at, proven_at) \
         select a.id, $2, $3, $4, $5, $6, $6 from addresses a join customers k on k.id = a.customer_id \
         where a.id = $1 and k.memory = 'on' \
         on conflict (address_id, kind, value) do update set proven_at = excluded.proven_at",
    )
    .put(address)
    .put(kind.name())
    .put(value)
    .put(source)
    .put(message)
    .put(now)
    .execute(&mut **tx)
    .await?;
    let is_new = known.is_none_or(|known| now.duration_since(known) >= LOOKED_AT_AGAIN);
    Ok(kept.rows_affected() > 0 && is_new)
}

/// Somebody came by a link: who is met by it is whoever asked for it. Who was known before is asked first, since they may
/// have been sent a link of somebody else's.
async fn opened(arrival: &Arrival<'_>, tx: &mut Tx, token: &str) -> Result<bool, Failure> {
    let (update, now) = (arrival.update, arrival.now);
    let Some(at) = address_of(arrival.store.dialect, tx, &update.from).await? else { return Ok(false) };
    let used = sqlx::query(
        "update links set used_by = $2, used_at = $3 where token_hash = $1 and used_at is null and expires_at > $3 \
         and channel = $4 and account = $5 and address_id <> $2 returning token_hash as l_token_hash",
    )
    .put(&hash(token))
    .put(at.address)
    .put(now)
    .put(update.from.channel.name())
    .put(&update.from.account)
    .fetch_optional(&mut **tx)
    .await?;
    if used.is_none() {
        return Ok(false);
    }
    let met = sqlx::query(
        "select count(*) as m_said from messages m join addresses a on a.id = m.address_id \
         where a.customer_id = $1",
    )
    .put(at.customer)
    .fetch_one(&mut **tx)
    .await?;
    if Fields::new(&met, "messages", "m_").integer("said")? == 1 {
        confirm(tx, (at.address, &hash(token)), now).await?;
    }
    Ok(true)
}

/// Whether these are the words by which somebody says that it was them who opened a link; then it counts.
pub(super) async fn confirmed(arrival: &Arrival<'_>, tx: &mut Tx) -> Result<bool, Failure> {
    let says_so = match &arrival.update.event {
        InboundEvent::Message(text) => is_confirmation(text.as_str()),
        InboundEvent::Pressed(press) => press.payload == CONFIRM_LINK,
        _ => false,
    };
    if !says_so {
        return Ok(false);
    }
    let Some(at) = address_of(arrival.store.dialect, tx, &arrival.update.from).await? else { return Ok(false) };
    // They speak of the link that they were asked about last, and of no other that somebody has sent them.
    let asked = sqlx::query(
        "select l.token_hash as l_token_hash, l.confirmed_at as l_confirmed_at from links l \
         where l.used_by = $1 and l.asked_at is not null and l.expires_at > $2 order by l.asked_at desc limit 1",
    )
    .put(at.address)
    .put(arrival.now)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(asked) = asked else { return Ok(false) };
    let asked = Fields::new(&asked, "links", "l_");
    if asked.time_or_null("confirmed_at")?.is_some() {
        return Ok(false);
    }
    confirm(tx, (at.address, &asked.text("token_hash")?), arrival.now).await?;
    Ok(true)
}

/// A link that was opened at an address proves that who is there is who asked for it.
async fn confirm(tx: &mut Tx, (address, token_hash): (i64, &str), now: Timestamp) -> Result<(), Failure> {
    let link = sqlx::query(
        "update links set confirmed_at = $2 where token_hash = $1 and confirmed_at is null \
         returning address_id as l_address_id",
    )
    .put(token_hash)
    .put(now)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(link) = link else { return Ok(()) };
    for side in [Fields::new(&link, "links", "l_").integer("address_id")?, address] {
        prove(tx, side, (ProofKind::Link, token_hash), ("link", None), now).await?;
    }
    Ok(())
}

pub(super) async fn add_link(store: &SqlStore, token: &str, link: &NewLink, now: Timestamp) -> Result<bool, Failure> {
    let added = sqlx::query(
        "insert into links (token_hash, address_id, channel, account, created_at, expires_at) \
         select $1, a.id, $5, $6, $7, $8 from addresses a join customers k on k.id = a.customer_id \
         where a.channel = $2 and a.account = $3 and a.external = $4 and k.memory = 'on'",
    )
    .put(&hash(token))
    .put(link.from.channel.name())
    .put(&link.from.account)
    .put(&link.from.external)
    .put(link.channel.name())
    .put(&link.account)
    .put(now)
    .put(link.expires_at)
    .execute(&store.write)
    .await?;
    Ok(added.rows_affected() > 0)
}

pub(super) async fn ask_about_link(
    store: &SqlStore,
    conversation: ConversationId,
    epoch: i64,
    question: &NewMessage,
    now: Timestamp,
) -> Result<bool, Failure> {
    let mut tx = store.begin().await?;
    let held = Held::at_epoch(store.dialect, &mut tx, conversation, epoch).await?;
    let Some(mut held) = held.filter(|held| held.conversation.ownership == Ownership::Bot) else {
        return undone(tx, false).await;
    };
    let asked = sqlx::query(
        "update links set asked_at = $2 where used_by = $1 and asked_at is null and confirmed_at is null \
         and expires_at > $2 and used_at = (select max(l.used_at) from links l where l.used_by = $1) and not exists (select 1 from addresses a join addresses b on b.customer_id = a.customer_id \
         where a.id = links.address_id and b.id = links.used_by)",
    )
    .put(held.address)
    .put(now)
    .execute(&mut *tx)
    .await?;
    if asked.rows_affected() == 0 {
        return undone(tx, false).await;
    }
    held.say(&mut tx, Author::Bot, question, None, now).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn kin(store: &SqlStore, customer: CustomerId) -> Result<Vec<Kin>, Failure> {
    let found = sqlx::query(
        "select b.customer_id as p_other_id, p.kind as p_kind, \
         max(case when p.first_at > q.first_at then p.first_at else q.first_at end) as p_first_at, \
         max(case when p.proven_at < q.proven_at then p.proven_at else q.proven_at end) as p_proven_at \
         from addresses a join customers me on me.id = a.customer_id and me.memory = 'on' \
         join proofs p on p.address_id = a.id join proofs q on q.kind = p.kind and q.value = p.value \
         join addresses b on b.id = q.address_id join customers k on k.id = b.customer_id and k.memory = 'on' \
         where a.customer_id = $1 and b.customer_id <> $1 group by b.customer_id, p.kind \
         order by b.customer_id, p.kind",
    )
    .put(customer)
    .fetch_all(&store.read)
    .await?;
    let mut kin = Vec::with_capacity(found.len());
    for row in &found {
        let fields = Fields::new(row, "proofs", "p_");
        let other = fields.id("other_id")?;
        kin.push(Kin {
            other,
            kind: fields.named("kind", ProofKind::from_name)?,
            shared_since: fields.time("first_at")?,
            vouched_until: fields.time("proven_at")?,
            parted_at: parted_at(store, customer, other).await?,
        });
    }
    Ok(kin)
}

/// When a merge of two customers, or of parts of theirs, was last undone.
async fn parted_at(store: &SqlStore, one: CustomerId, other: CustomerId) -> Result<Option<Timestamp>, Failure> {
    let of_other = PARTS.replace("$1", "$2");
    let row = composed(format!(
        "select max(g.undone_at) as g_undone_at from merges g where g.undone_at is not null \
         and ((g.part_id in ({PARTS}) and g.whole_id in ({of_other})) \
         or (g.part_id in ({of_other}) and g.whole_id in ({PARTS})))"
    ))
    .put(one)
    .put(other)
    .fetch_one(&store.read)
    .await?;
    Fields::new(&row, "merges", "g_").time_or_null("undone_at")
}
