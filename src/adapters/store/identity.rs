//! Customers who are one person: what they have moves to one key, and apart again.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::SqlStore;
use super::facts;
use super::held::Held;
use super::rows;
use super::sql::{Dialect, Failure, Fields, Put, Tx, composed, document, undone};
use super::timers;
use super::visitors;
use crate::domain::conversation::Ownership;
use crate::domain::customer::{KnownAddress, Merge, Undone};
use crate::domain::handoff::Package;
use crate::domain::id::{ConversationId, CustomerId, MergeId, MessageId};
use crate::ports::identity::{Merging, Sides, Unmerging};
use crate::ports::store::TimerKind;

/// The keys that stand for customer `$1`: their own, and those of their parts and the parts of these.
pub(super) const PARTS: &str = "with recursive tree (id) as (select cast($1 as text) union all \
    select k.id from customers k join tree t on k.merged_into = t.id) select id from tree";

/// Columns of a merge `g`.
const MERGE: &str = "g.id as g_id, g.part_id as g_part_id, g.whole_id as g_whole_id, g.merged_by as g_merged_by, \
    g.merged_at as g_merged_at, g.undone_by as g_undone_by, g.undone_at as g_undone_at";

/// What is a customer's by its own column.
const OWNED: [&str; 6] = ["addresses", "conversations", "statements", "facts", "episodes", "exchanges"];

fn merge_of(fields: &Fields<'_>) -> Result<Merge, Failure> {
    let undone = match (fields.text_or_null("undone_by")?, fields.time_or_null("undone_at")?) {
        (Some(by), Some(at)) => Some(Undone { by, at }),
        _ => None,
    };
    Ok(Merge {
        id: fields.id("id")?,
        part: fields.id("part_id")?,
        whole: fields.id("whole_id")?,
        by: fields.text("merged_by")?,
        at: fields.time("merged_at")?,
        undone,
    })
}

/// The keys that stand for a customer, their own first.
pub(super) async fn parts(connection: &mut AnyConnection, customer: CustomerId) -> Result<Vec<CustomerId>, Failure> {
    let rows = composed(format!("select p.id as p_id from ({PARTS}) p")).put(customer).fetch_all(connection).await?;
    rows.iter().map(|row| Fields::new(row, "customers", "p_").id("id")).collect()
}

pub(super) async fn whole(connection: &mut AnyConnection, customer: CustomerId) -> Result<Option<CustomerId>, Failure> {
    let row = sqlx::query(
        "with recursive up (id, merged_into) as (select k.id, k.merged_into from customers k where k.id = $1 union all \
         select k.id, k.merged_into from customers k join up u on k.id = u.merged_into) \
         select u.id as u_id from up u where u.merged_into is null",
    )
    .put(customer)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| Fields::new(row, "customers", "u_").id("id")).transpose()
}

pub(super) async fn addresses(store: &SqlStore, customer: CustomerId) -> Result<Vec<KnownAddress>, Failure> {
    let rows = sqlx::query(
        "select a.channel as a_channel, a.account as a_account, a.external as a_external, \
         coalesce(a.home_id, a.customer_id) as a_home_id, a.first_seen_at as a_first_seen_at \
         from addresses a where a.customer_id = $1 order by a.first_seen_at, a.id",
    )
    .put(customer)
    .fetch_all(&store.read)
    .await?;
    let known = |row| {
        let fields = Fields::new(row, "addresses", "a_");
        Ok(KnownAddress {
            address: rows::address(&fields)?,
            home: fields.id("home_id")?,
            first_seen_at: fields.time("first_seen_at")?,
        })
    };
    rows.iter().map(known).collect()
}

pub(super) async fn merges(store: &SqlStore, customer: CustomerId) -> Result<Vec<Merge>, Failure> {
    let rows = composed(format!(
        "select {MERGE} from merges g where g.part_id in ({PARTS}) or g.whole_id in ({PARTS}) \
         order by g.merged_at desc, g.id desc"
    ))
    .put(customer)
    .fetch_all(&store.read)
    .await?;
    rows.iter().map(|row| merge_of(&Fields::new(row, "merges", "g_"))).collect()
}

pub(super) async fn merge(store: &SqlStore, merging: &Merging, now: Timestamp) -> Result<bool, Failure> {
    let Merging { merge, part_number, entry } = merging;
    let (part, whole) = (merge.part, merge.whole);
    if part == whole {
        return Ok(false);
    }
    let mut tx = store.begin().await?;
    let is_read = facts::turn_page(&mut tx, whole).await? == Some(entry.number + 1)
        && facts::turn_page(&mut tx, part).await? == Some(part_number + 1);
    if !is_read {
        return undone(tx, false).await;
    }
    sqlx::query("insert into merges (id, part_id, whole_id, merged_by, merged_at) values ($1, $2, $3, $4, $5)")
        .put(merge.id)
        .put(part)
        .put(whole)
        .put(&merge.by)
        .put(merge.at)
        .execute(&mut *tx)
        .await?;
    sqlx::query("update customers set merged_into = $2 where id = $1").put(part).put(whole).execute(&mut *tx).await?;
    sqlx::query("update addresses set home_id = coalesce(home_id, customer_id) where customer_id = $1")
        .put(part)
        .execute(&mut *tx)
        .await?;
    for table in OWNED {
        // Whoever writes into a conversation holds it: once these have moved, nothing is added under the old key.
        if table == "statements" {
            owe_all(&mut tx, part, whole, now).await?;
        }
        composed(format!("update {table} set customer_id = $2 where customer_id = $1"))
            .put(part)
            .put(whole)
            .execute(&mut *tx)
            .await?;
    }
    facts::enter(&mut tx, entry, now).await?;
    share_refusal(&mut tx, part, whole, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Who did not want to be remembered on one address is one person with who was not asked on another; and what was said
/// before either wanted it again is not learnt.
async fn share_refusal(tx: &mut Tx, part: CustomerId, whole: CustomerId, now: Timestamp) -> Result<(), Failure> {
    let refused = composed(format!(
        "update customers set memory = 'off', memory_since = null where id in ({PARTS}) \
         and exists (select 1 from customers k where k.id in ($1, $2) and k.memory = 'off')"
    ))
    .put(whole)
    .put(part)
    .execute(&mut **tx)
    .await?;
    if refused.rows_affected() > 0 {
        return owe_all(tx, whole, whole, now).await;
    }
    sqlx::query(
        "update customers set memory_since = (select max(k.memory_since) from customers k where k.id in ($1, $2)) \
         where id = $1",
    )
    .put(whole)
    .put(part)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Tells the indexes that every unit which is `of` somebody is `to` be found under a key.
pub(super) async fn owe_all(tx: &mut Tx, of: CustomerId, to: CustomerId, now: Timestamp) -> Result<(), Failure> {
    for (unit, table, key) in
        [("exchange", "exchanges", "message_id"), ("episode", "episodes", "id"), ("fact", "facts", "id")]
    {
        composed(format!(
            "delete from index_changes where unit = '{unit}' \
             and unit_id in (select u.{key} from {table} u where u.customer_id = $1)"
        ))
        .put(of)
        .execute(&mut **tx)
        .await?;
        composed(format!(
            "insert into index_changes (customer_id, unit, unit_id, changed_at) \
             select $2, '{unit}', u.{key}, $3 from {table} u where u.customer_id = $1"
        ))
        .put(of)
        .put(to)
        .put(now)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

pub(super) async fn sides(store: &SqlStore, merge: MergeId) -> Result<Option<Sides>, Failure> {
    let row = composed(format!("select {MERGE} from merges g where g.id = $1 and g.undone_at is null"))
        .put(merge)
        .fetch_optional(&store.read)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let merge = merge_of(&Fields::new(&row, "merges", "g_"))?;
    // The numbers first: what is changed while we read makes the end be refused.
    let number = sqlx::query("select k.ledger as k_ledger from customers k where k.id = $1")
        .put(merge.part)
        .fetch_one(&store.read)
        .await?;
    let part_number = Fields::new(&number, "customers", "k_").integer("ledger")?;
    let Some(whole) = whole(&mut *store.read.acquire().await?, merge.part).await? else { return Ok(None) };
    let state = facts::ledger(store, whole).await?;
    let of_part = composed(format!(
        "select m.id as m_id from messages m join addresses a on a.id = m.address_id \
         where a.home_id in ({PARTS}) and (exists (select 1 from statements s where s.source_id = m.id) \
         or exists (select 1 from facts f where f.source_id = m.id))"
    ))
    .put(merge.part)
    .fetch_all(&store.read)
    .await?;
    let of_part = of_part.iter().map(|row| Fields::new(row, "messages", "m_").id("id"));
    let of_part: HashSet<MessageId> = of_part.collect::<Result<_, _>>()?;
    Ok(Some(Sides { merge, whole, state, of_part, part_number }))
}

pub(super) async fn unmerge(store: &SqlStore, unmerging: &Unmerging, now: Timestamp) -> Result<bool, Failure> {
    let Unmerging { merge, by, kept, parted } = unmerging;
    let (part, whole) = (parted.customer, kept.customer);
    let mut tx = store.begin().await?;
    if facts::turn_page(&mut tx, whole).await? != Some(kept.number + 1) {
        return undone(tx, false).await;
    }
    // No conversation is opened at an address of either until they are two.
    let hold = store.dialect.hold("a");
    composed(format!("select a.id as a_id from addresses a where a.customer_id = $1 order by a.id {hold}"))
        .put(whole)
        .fetch_all(&mut *tx)
        .await?;
    let ended = sqlx::query(
        "update merges set undone_by = $3, undone_at = $4 where id = $1 and part_id = $2 and undone_at is null",
    )
    .put(*merge)
    .put(part)
    .put(by)
    .put(now)
    .execute(&mut *tx)
    .await?;
    if ended.rows_affected() == 0 {
        return undone(tx, false).await;
    }
    sqlx::query("update customers set merged_into = null where id = $1").put(part).execute(&mut *tx).await?;
    if facts::turn_page(&mut tx, part).await? != Some(parted.number + 1) {
        return undone(tx, false).await;
    }
    part_with(&mut tx, part, whole).await?;
    for customer in [part, whole] {
        visitors::part(&mut tx, customer).await?;
    }
    facts::enter(&mut tx, kept, now).await?;
    facts::enter(&mut tx, parted, now).await?;
    owe_all(&mut tx, part, part, now).await?;
    for customer in [part, whole] {
        begin_anew(store.dialect, &mut tx, customer, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Moves what was said at the addresses of a part, and what was made of it, from the key of the whole to its own.
async fn part_with(tx: &mut Tx, part: CustomerId, whole: CustomerId) -> Result<(), Failure> {
    let at_home = format!("home_id in ({PARTS})");
    let at_address = "address_id in (select a.id from addresses a where a.customer_id = $1)".to_owned();
    let in_conversation = "conversation_id in (select c.id from conversations c where c.customer_id = $1)";
    let from_source = "source_id in (select m.id from messages m join conversations c on c.id = m.conversation_id \
                       where c.customer_id = $1)";
    for (table, which) in [
        ("addresses", at_home),
        ("conversations", at_address),
        ("statements", from_source.to_owned()),
        ("facts", from_source.to_owned()),
        ("episodes", in_conversation.to_owned()),
        ("exchanges", in_conversation.to_owned()),
    ] {
        composed(format!("update {table} set customer_id = $1 where customer_id = $2 and {which}"))
            .put(part)
            .put(whole)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// What was made with another's memory in view does not go out, and is not shown: the bot's turns begin anew, and packages
/// are owed anew.
async fn begin_anew(dialect: Dialect, tx: &mut Tx, customer: CustomerId, now: Timestamp) -> Result<(), Failure> {
    let open = sqlx::query(
        "select c.id as c_id from conversations c where c.customer_id = $1 and c.owner <> 'resolved' order by c.id",
    )
    .put(customer)
    .fetch_all(&mut **tx)
    .await?;
    for row in &open {
        let id: ConversationId = Fields::new(row, "conversations", "c_").id("id")?;
        let Some(mut held) = Held::by_id(dialect, tx, id).await? else { continue };
        match held.conversation.ownership {
            Ownership::Bot => {
                held.pass_to(tx, Ownership::Bot, now).await?;
                continue;
            }
            // The notice may name what the other has told, and another one is owed in its place.
            Ownership::Queued => {
                held.pass_to(tx, Ownership::Queued, now).await?;
                timers::set(tx, id, TimerKind::UnclaimedNotice, now).await?;
            }
            Ownership::Human(_) | Ownership::Resolved => {}
        }
        let emptied =
            sqlx::query("update handoffs set package = $2 where conversation_id = $1 and state in ('open', 'claimed')");
        if emptied.put(id).put(&document(&Package::default())).execute(&mut **tx).await?.rows_affected() > 0 {
            timers::set(tx, id, TimerKind::Package, now).await?;
        }
    }
    Ok(())
}
