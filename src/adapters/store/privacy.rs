//! What is held of a customer, all of it, to show, to forget and to erase.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{Column, Row};

use super::SqlStore;
use super::facts;
use super::identity::{PARTS, owe_all, parts, whole};
use super::ledger::owe;
use super::sql::{Dialect, Failure, Fields, Put, Tx, composed, document, undone};
use crate::domain::channel::Address;
use crate::domain::id::{CustomerId, EpisodeId, FactId, MessageId};
use crate::domain::memory::FactKind;
use crate::domain::text::hex;
use crate::ports::ledger::UnitId;
use crate::ports::privacy::{Access, Erased, Expired, Forgetting, Retention};

/// Every table that holds something of a customer, and which of its rows are a customer's (`$1`). In the order in which
/// rows may go: what is referred to comes later.
pub(super) const HELD: [(&str, &str); 23] = [
    ("statements", "customer_id = $1"),
    ("facts", "customer_id = $1"),
    ("forgotten", "customer_id = $1"),
    ("episodes", "customer_id = $1"),
    ("exchanges", "customer_id = $1"),
    ("accesses", "customer_id = $1"),
    ("index_changes", "customer_id = $1"),
    ("timers", "conversation_id in (select c.id from conversations c where c.customer_id = $1)"),
    ("handoffs", "conversation_id in (select c.id from conversations c where c.customer_id = $1)"),
    ("csat", "conversation_id in (select c.id from conversations c where c.customer_id = $1)"),
    ("outbox", "conversation_id in (select c.id from conversations c where c.customer_id = $1)"),
    ("turns", "conversation_id in (select c.id from conversations c where c.customer_id = $1)"),
    ("inbox", "conversation_id in (select c.id from conversations c where c.customer_id = $1)"),
    (
        "attachments",
        "message_id in (select m.id from messages m join conversations c on c.id = m.conversation_id where c.customer_id = $1)",
    ),
    ("proofs", "address_id in (select a.id from addresses a where a.customer_id = $1)"),
    (
        "links",
        "address_id in (select a.id from addresses a where a.customer_id = $1) \
         or used_by in (select a.id from addresses a where a.customer_id = $1)",
    ),
    ("messages", "conversation_id in (select c.id from conversations c where c.customer_id = $1)"),
    ("conversations", "customer_id = $1"),
    (
        "visitors",
        "(channel, account, external) in (select a.channel, a.account, a.external from addresses a where a.customer_id = $1)",
    ),
    ("receipts", "address_id in (select a.id from addresses a where a.customer_id = $1)"),
    ("addresses", "customer_id = $1"),
    ("merges", "part_id = $1 or whole_id = $1"),
    ("customers", "id = $1"),
];

/// Columns that are nobody's business outside: they open doors.
const SECRET: [&str; 2] = ["token_hash", "lease_token"];

/// Columns that hold JSON.
const DOCUMENTS: [&str; 6] = ["citations", "claims", "buttons", "saved", "record", "package"];

pub(super) async fn set_memory(
    store: &SqlStore,
    customer: CustomerId,
    on: bool,
    now: Timestamp,
) -> Result<bool, Failure> {
    let mut tx = store.begin().await?;
    let Some(whole) = held_whole(store.dialect, &mut tx, customer).await? else { return undone(tx, false).await };
    let changed =
        composed(format!("update customers set memory = $2, memory_since = $3 where id in ({PARTS}) and memory <> $2"));
    let changed =
        changed.put(whole).put(if on { "on" } else { "off" }).put(on.then_some(now)).execute(&mut *tx).await?;
    if changed.rows_affected() > 0 {
        owe_all(&mut tx, whole, whole, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn forget(store: &SqlStore, forgetting: &Forgetting, now: Timestamp) -> Result<bool, Failure> {
    let Forgetting { entry, key, spellings, hashes } = forgetting;
    let customer = entry.customer;
    let mut tx = store.begin().await?;
    if facts::turn_page(&mut tx, customer).await? != Some(entry.number + 1) {
        return undone(tx, false).await;
    }
    facts::enter(&mut tx, entry, now).await?;
    for spelling in spellings {
        forget_exchanges(&mut tx, customer, key, spelling, now).await?;
        let facts =
            sqlx::query("delete from facts where customer_id = $1 and key = $2 and value = $3 returning id as f_id")
                .put(customer)
                .put(key)
                .put(spelling)
                .fetch_all(&mut *tx)
                .await?;
        for row in &facts {
            let fact: FactId = Fields::new(row, "facts", "f_").id("id")?;
            owe(&mut tx, customer, UnitId::Fact(fact), now).await?;
        }
        sqlx::query("delete from statements where customer_id = $1 and key = $2 and value = $3")
            .put(customer)
            .put(key)
            .put(spelling)
            .execute(&mut *tx)
            .await?;
    }
    redact_episodes(&mut tx, customer, spellings, now).await?;
    for (customer, hash) in hashes {
        sqlx::query(
            "insert into forgotten (customer_id, hash, forgotten_at) values ($1, $2, $3) \
             on conflict (customer_id, hash) do update set forgotten_at = excluded.forgotten_at",
        )
        .put(*customer)
        .put(hash)
        .put(now)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    settle(store).await?;
    Ok(true)
}

/// The exchanges in which a value was stated are recalled no more.
async fn forget_exchanges(
    tx: &mut Tx,
    customer: CustomerId,
    key: &str,
    value: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let gone = sqlx::query(
        "delete from exchanges where customer_id = $1 and message_id in (select x.message_id from exchanges x \
         join messages m on m.conversation_id = x.conversation_id join statements s on s.source_id = m.id \
         join messages r on r.id = x.reply_id \
         where s.customer_id = $1 and s.key = $2 and s.value = $3 and m.seq between x.from_seq and r.seq) \
         returning message_id as x_message_id",
    )
    .put(customer)
    .put(key)
    .put(value)
    .fetch_all(&mut **tx)
    .await?;
    for row in &gone {
        let message: MessageId = Fields::new(row, "exchanges", "x_").id("message_id")?;
        owe(tx, customer, UnitId::Exchange(message), now).await?;
    }
    Ok(())
}

/// Summaries lose the words of what is forgotten.
async fn redact_episodes(
    tx: &mut Tx,
    customer: CustomerId,
    spellings: &[String],
    now: Timestamp,
) -> Result<(), Failure> {
    let episodes = sqlx::query("select e.id as e_id, e.summary as e_summary from episodes e where e.customer_id = $1")
        .put(customer)
        .fetch_all(&mut **tx)
        .await?;
    for row in &episodes {
        let fields = Fields::new(row, "episodes", "e_");
        let (id, summary): (EpisodeId, String) = (fields.id("id")?, fields.text("summary")?);
        let redacted = spellings.iter().fold(summary.clone(), |summary, spelling| without(&summary, spelling));
        if redacted != summary {
            sqlx::query("update episodes set summary = $2 where id = $1")
                .put(id)
                .put(&redacted)
                .execute(&mut **tx)
                .await?;
            owe(tx, customer, UnitId::Episode(id), now).await?;
        }
    }
    Ok(())
}

/// A text without every occurrence of a word or phrase, in whatever case.
fn without(text: &str, phrase: &str) -> String {
    let pattern = regex::RegexBuilder::new(&regex::escape(phrase)).case_insensitive(true).build();
    pattern.map_or_else(|_| text.to_owned(), |pattern| pattern.replace_all(text, "…").into_owned())
}

pub(super) async fn export(store: &SqlStore, customer: CustomerId) -> Result<Option<Value>, Failure> {
    let keys = parts(&mut *store.read.acquire().await?, customer).await?;
    let mut all = Map::new();
    for (table, which) in HELD.iter().rev() {
        let mut rows: Vec<Value> = Vec::new();
        let mut seen = HashSet::new();
        for key in &keys {
            let held = composed(format!("select * from {table} where {which}")).put(*key);
            let held = held.fetch_all(&store.read).await?;
            // A merge is held by both its sides.
            rows.extend(held.iter().map(readable).filter(|row| keys.len() == 1 || seen.insert(row.to_string())));
        }
        if *table == "customers" && rows.is_empty() {
            return Ok(None);
        }
        all.insert((*table).to_owned(), Value::Array(rows));
    }
    Ok(Some(Value::Object(all)))
}

/// A row as an object: times as people write them, documents as what they are.
fn readable(row: &AnyRow) -> Value {
    let columns = row.columns().iter().filter(|column| !SECRET.contains(&column.name()));
    let fields = columns.map(|column| {
        let (name, at) = (column.name(), column.ordinal());
        let integer = || row.try_get::<Option<i64>, _>(at).map(|value| value.map(Value::from));
        let float = || row.try_get::<Option<f64>, _>(at).map(|value| value.map(Value::from));
        let text = || row.try_get::<Option<String>, _>(at).map(|value| value.map(Value::from));
        let value = integer().or_else(|_| float()).or_else(|_| text()).ok().flatten().unwrap_or(Value::Null);
        (name.to_owned(), explained(name, value))
    });
    Value::Object(fields.collect())
}

fn explained(column: &str, value: Value) -> Value {
    let is_time = column == "at" || column.ends_with("_at") || column.ends_with("_until") || column.ends_with("_since");
    match (&value, is_time) {
        (Value::Number(micros), true) => {
            let time = micros.as_i64().and_then(|micros| Timestamp::from_microsecond(micros).ok());
            time.map_or(value, |time| Value::from(time.to_string()))
        }
        (Value::String(text), false) if DOCUMENTS.contains(&column) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

pub(super) async fn erase(store: &SqlStore, customer: CustomerId, now: Timestamp) -> Result<Option<Erased>, Failure> {
    let mut tx = store.begin().await?;
    let Some(whole) = held_whole(store.dialect, &mut tx, customer).await? else {
        tx.rollback().await?;
        return erased(store, customer).await;
    };
    let keys = parts(&mut tx, whole).await?;
    // The key of the whole goes first: its addresses name those of the parts.
    let units = units_of_merged(&mut tx, &keys).await?;
    composed(format!("update customers set merged_into = null where id in ({PARTS})"))
        .put(whole)
        .execute(&mut *tx)
        .await?;
    let mut all = Erased { customer: whole, keys: keys.clone(), at: now, rows: 0, change: 0 };
    for key in keys {
        let erased = erase_key(store, &mut tx, key, &units, now).await?;
        all = Erased { rows: all.rows + erased.rows, change: erased.change, ..all };
    }
    // Who has heard of the last has heard of all.
    sqlx::query("update erased set rows_erased = $2, change_number = $3 where customer_id = $1")
        .put(whole)
        .put(i64::try_from(all.rows).unwrap_or(i64::MAX))
        .put(all.change)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    settle(store).await?;
    Ok(Some(all))
}

/// Holds the customer whose key stands for this one.
async fn held_whole(dialect: Dialect, tx: &mut Tx, customer: CustomerId) -> Result<Option<CustomerId>, Failure> {
    let hold = dialect.hold("k");
    while let Some(found) = whole(&mut *tx, customer).await? {
        // Nobody has made it a part of another in between.
        let held =
            composed(format!("select k.id as k_id from customers k where k.id = $1 and k.merged_into is null {hold}"));
        let is_held = held.put(found).fetch_optional(&mut **tx).await?.is_some();
        // Nor has anybody parted the two while we waited.
        if is_held && whole(&mut *tx, customer).await? == Some(found) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What an index may still have under the key of another, whose part these customers were or are: also what is gone already,
/// if it has not heard of that yet.
async fn units_of_merged(tx: &mut Tx, keys: &[CustomerId]) -> Result<Vec<(String, String)>, Failure> {
    let mut units = Vec::new();
    for key in keys {
        let rows = sqlx::query(
            "select i.unit as i_unit, i.unit_id as i_unit_id from index_changes i where i.customer_id = $1 \
             and i.unit <> 'customer' and exists (select 1 from merges g where g.part_id = $1 or g.whole_id = $1)",
        )
        .put(*key)
        .fetch_all(&mut **tx)
        .await?;
        for row in &rows {
            let fields = Fields::new(row, "index_changes", "i_");
            units.push((fields.text("unit")?, fields.text("unit_id")?));
        }
    }
    Ok(units)
}

/// Erases what is held under one key.
async fn erase_key(
    store: &SqlStore,
    tx: &mut Tx,
    customer: CustomerId,
    units: &[(String, String)],
    now: Timestamp,
) -> Result<Erased, Failure> {
    let salt = hex(&store.ids.random());
    let addresses = address_hashes(tx, customer, &salt).await?;
    // What came in stays known as such, by the channel's number alone: an update may be delivered again. A key that holds
    // the address goes.
    sqlx::query(
        "update inbox set conversation_id = null, message_id = null, seq = null, sent_at = null where conversation_id in \
         (select c.id from conversations c where c.customer_id = $1) and not exists (select 1 from addresses a \
         where a.customer_id = $1 and a.channel = inbox.channel and inbox.external_id like a.external || '%')",
    )
    .put(customer)
    .execute(&mut **tx)
    .await?;
    let mut rows = 0;
    for (table, which) in HELD {
        let deleted = composed(format!("delete from {table} where {which}")).put(customer).execute(&mut **tx).await?;
        rows += deleted.rows_affected();
    }
    for (unit, id) in units {
        owe_gone(tx, customer, unit, id, now).await?;
    }
    let change = owe_gone(tx, customer, "customer", &customer.to_string(), now).await?;
    let erased = Erased { customer, keys: vec![customer], at: now, rows, change };
    sqlx::query(
        "insert into erased (customer_id, salt, addresses, erased_at, rows_erased, change_number) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .put(customer)
    .put(&salt)
    .put(&document(&addresses))
    .put(now)
    .put(i64::try_from(rows).unwrap_or(i64::MAX))
    .put(change)
    .execute(&mut **tx)
    .await?;
    Ok(erased)
}

/// Tells the indexes that something is gone, and returns the number of the change.
async fn owe_gone(tx: &mut Tx, customer: CustomerId, unit: &str, id: &str, now: Timestamp) -> Result<i64, Failure> {
    let change = sqlx::query(
        "insert into index_changes (customer_id, unit, unit_id, changed_at) values ($1, $2, $3, $4) \
         returning number as i_number",
    )
    .put(customer)
    .put(unit)
    .put(id)
    .put(now)
    .fetch_one(&mut **tx)
    .await?;
    Fields::new(&change, "index_changes", "i_").integer("number")
}

async fn address_hashes(tx: &mut Tx, customer: CustomerId, salt: &str) -> Result<Vec<String>, Failure> {
    let rows = sqlx::query(
        "select a.channel as a_channel, a.account as a_account, a.external as a_external from addresses a \
         where a.customer_id = $1",
    )
    .put(customer)
    .fetch_all(&mut **tx)
    .await?;
    let hash = |row| Ok(address_hash(&super::rows::address(&Fields::new(row, "addresses", "a_"))?, salt));
    rows.iter().map(hash).collect()
}

fn address_hash(address: &Address, salt: &str) -> String {
    let Address { channel, account, external } = address;
    hex(&Sha256::digest(format!("{salt}\n{channel}\n{account}\n{external}")))
}

/// Whether something that was sent from an address at that time is of somebody who was erased since.
pub(super) async fn is_of_erased(tx: &mut Tx, address: &Address, sent_at: Timestamp) -> Result<bool, Failure> {
    let rows = sqlx::query("select salt as r_salt, addresses as r_addresses from erased where erased_at >= $1")
        .put(sent_at)
        .fetch_all(&mut **tx)
        .await?;
    for row in &rows {
        let fields = Fields::new(row, "erased", "r_");
        let addresses: Vec<String> = fields.document("addresses")?;
        if addresses.contains(&address_hash(address, &fields.text("salt")?)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn erased(store: &SqlStore, customer: CustomerId) -> Result<Option<Erased>, Failure> {
    let row = sqlx::query(
        "select erased_at as r_erased_at, rows_erased as r_rows_erased, change_number as r_change_number from erased \
         where customer_id = $1",
    )
    .put(customer)
    .fetch_optional(&store.read)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let fields = Fields::new(&row, "erased", "r_");
    Ok(Some(Erased {
        customer,
        keys: vec![customer],
        at: fields.time("erased_at")?,
        rows: u64::try_from(fields.integer("rows_erased")?).unwrap_or(0),
        change: fields.integer("change_number")?,
    }))
}

/// Lets nothing of what was deleted stay in the files: SQLite overwrites it as it deletes, and its log is emptied here.
async fn settle(store: &SqlStore) -> Result<(), Failure> {
    if store.dialect == Dialect::Sqlite {
        sqlx::query("pragma wal_checkpoint(truncate)").execute(&store.write).await?;
    }
    Ok(())
}

pub(super) async fn note_access(store: &SqlStore, access: &Access) -> Result<(), Failure> {
    sqlx::query(
        "insert into accesses (customer_id, who, what, at) select $1, $2, $3, $4 where not exists \
         (select 1 from accesses a where a.customer_id = $1 and a.who = $2 and a.what = $3 and a.at > $5)",
    )
    .put(access.customer)
    .put(&access.who)
    .put(&access.what)
    .put(access.at)
    .put(access.at - SignedDuration::from_hours(1))
    .execute(&store.write)
    .await?;
    Ok(())
}

pub(super) async fn accesses(store: &SqlStore, customer: CustomerId, limit: usize) -> Result<Vec<Access>, Failure> {
    let rows = sqlx::query(
        "select a.who as a_who, a.what as a_what, a.at as a_at from accesses a where a.customer_id = $1 \
         order by a.at desc, a.id desc limit $2",
    )
    .put(customer)
    .put(limit)
    .fetch_all(&store.read)
    .await?;
    let access = |row| {
        let fields = Fields::new(row, "accesses", "a_");
        Ok(Access { customer, who: fields.text("who")?, what: fields.text("what")?, at: fields.time("at")? })
    };
    rows.iter().map(access).collect()
}

pub(super) async fn expire(store: &SqlStore, retention: &Retention, now: Timestamp) -> Result<Expired, Failure> {
    let mut expired = Expired::default();
    let mut tx = store.begin().await?;
    if let Some(kept) = retention.transcripts {
        expired.messages = expire_transcripts(&mut tx, now - kept, now).await?;
    }
    if let Some(kept) = retention.episodes {
        expired.episodes = expire_episodes(&mut tx, now - kept, now).await?;
    }
    for (kind, kept) in &retention.facts {
        expired.facts += expire_facts(&mut tx, *kind, now - *kept, now).await?;
    }
    tx.commit().await?;
    if expired != Expired::default() {
        settle(store).await?;
    }
    Ok(expired)
}

/// Words of conversations that ended before `before`: of their messages, drafts, parts and packages, and what of them is
/// recalled.
async fn expire_transcripts(tx: &mut Tx, before: Timestamp, now: Timestamp) -> Result<u64, Failure> {
    const OLD: &str = "(select c.id from conversations c where c.owner = 'resolved' and c.resolved_at < $1)";
    let exchanges = composed(format!(
        "delete from exchanges where conversation_id in {OLD} returning message_id as x_message_id, \
         customer_id as x_customer_id"
    ))
    .put(before)
    .fetch_all(&mut **tx)
    .await?;
    for row in &exchanges {
        let fields = Fields::new(row, "exchanges", "x_");
        owe(tx, fields.id("customer_id")?, UnitId::Exchange(fields.id("message_id")?), now).await?;
    }
    for emptied in [
        "update turns set saved = null, record = null where (saved is not null or record is not null)",
        "update outbox set text = '' where text <> '' and state not in ('pending', 'sending')",
        "delete from handoffs where state in ('released', 'resolved')",
    ] {
        composed(format!("{emptied} and conversation_id in {OLD}")).put(before).execute(&mut **tx).await?;
    }
    composed(format!(
        "delete from attachments where message_id in (select m.id from messages m where m.conversation_id in {OLD})"
    ))
    .put(before)
    .execute(&mut **tx)
    .await?;
    let messages = composed(format!(
        "update messages set text = '', citations = '[]' where text <> '' and conversation_id in {OLD}"
    ));
    Ok(messages.put(before).execute(&mut **tx).await?.rows_affected())
}

async fn expire_episodes(tx: &mut Tx, before: Timestamp, now: Timestamp) -> Result<u64, Failure> {
    // The newest of a conversation that goes on stays: it says from where to learn.
    let gone = sqlx::query(
        "delete from episodes where ended_at < $1 and conversation_id in (select c.id from conversations c \
         where c.owner = 'resolved') returning id as e_id, customer_id as e_customer_id",
    )
    .put(before)
    .fetch_all(&mut **tx)
    .await?;
    for row in &gone {
        let fields = Fields::new(row, "episodes", "e_");
        owe(tx, fields.id("customer_id")?, UnitId::Episode(fields.id("id")?), now).await?;
    }
    Ok(gone.len() as u64)
}

async fn expire_facts(tx: &mut Tx, kind: FactKind, before: Timestamp, now: Timestamp) -> Result<u64, Failure> {
    let gone = sqlx::query(
        "delete from facts where kind = $1 and coalesce(invalid_at, valid_at) < $2 and not exists \
         (select 1 from statements s where s.customer_id = facts.customer_id and s.key = facts.key \
         and s.value = facts.value and s.valid_at >= $2) returning id as f_id, customer_id as f_customer_id",
    )
    .put(kind.name())
    .put(before)
    .fetch_all(&mut **tx)
    .await?;
    for row in &gone {
        let fields = Fields::new(row, "facts", "f_");
        let customer = fields.id("customer_id")?;
        owe(tx, customer, UnitId::Fact(fields.id("id")?), now).await?;
        facts::turn_page(tx, customer).await?;
    }
    sqlx::query("delete from statements where kind = $1 and valid_at < $2")
        .put(kind.name())
        .put(before)
        .execute(&mut **tx)
        .await?;
    Ok(gone.len() as u64)
}
