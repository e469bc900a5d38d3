//! What is remembered: facts, episodes, exchanges, and the changes owed to the index.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::SqlStore;
use super::facts;
use super::held::Held;
use super::rows::{self, CONVERSATION, CONVERSATIONS, EPISODE, FACT, FACT_HOLDS, IS_SAID, MESSAGE};
use super::sql::{Dialect, Failure, Fields, Put, Tx, composed, document, undone};
use crate::domain::handoff::{HandoffReason, Package};
use crate::domain::id::{ConversationId, CustomerId, HandoffId, MessageId};
use crate::domain::memory::{Episode, Exchange};
use crate::domain::message::Author;
use crate::ports::ledger::{BESIDE, Beside, EpisodeCommit, EpisodeInput, IndexChange, Learning, Unit, UnitId};
use crate::ports::store::TurnCommit;

pub(super) async fn episodes(store: &SqlStore, customer: CustomerId, limit: usize) -> Result<Vec<Episode>, Failure> {
    let found = composed(format!(
        "select {EPISODE} from episodes e where e.customer_id = $1 order by e.ended_at desc, e.id desc limit $2"
    ))
    .put(customer)
    .put(limit)
    .fetch_all(&store.read)
    .await?;
    found.iter().map(rows::episode).collect()
}

pub(super) async fn remembered(store: &SqlStore, customer: CustomerId, units: &[UnitId]) -> Result<Vec<Unit>, Failure> {
    let mut connection = store.read.acquire().await?;
    let mut found = Vec::new();
    for id in units {
        let mut now = unit(&mut connection, customer, *id).await?;
        if let (UnitId::Exchange(message), None) = (id, &now)
            && let Some(first) = first_of_exchange(&mut connection, *message).await?
        {
            now = unit(&mut connection, customer, UnitId::Exchange(first)).await?;
        }
        found.extend(now);
    }
    Ok(found)
}

pub(super) async fn units(store: &SqlStore, customer: CustomerId) -> Result<Vec<UnitId>, Failure> {
    let found = composed(format!(
        "select u.unit as i_unit, u.unit_id as i_unit_id from ({}) u where u.customer_id = $1",
        all_units()
    ))
    .put(customer)
    .fetch_all(&store.read)
    .await?;
    found.iter().map(|row| unit_id(&Fields::new(row, "units", "i_"))).collect()
}

fn unit_id(fields: &Fields<'_>) -> Result<UnitId, Failure> {
    Ok(match fields.text("unit")?.as_str() {
        "exchange" => UnitId::Exchange(fields.id("unit_id")?),
        "episode" => UnitId::Episode(fields.id("unit_id")?),
        "fact" => UnitId::Fact(fields.id("unit_id")?),
        "customer" => UnitId::Customer(fields.id("unit_id")?),
        _ => return Err(fields.corrupt("unit", "it is not on the list")),
    })
}

pub(super) async fn short_history(store: &SqlStore, customer: CustomerId, most: usize) -> Result<Vec<UnitId>, Failure> {
    let found = sqlx::query(
        "select x.message_id as x_message_id from exchanges x join messages m on m.id = x.message_id \
         where x.customer_id = $1 order by m.received_at desc, m.seq desc limit $2",
    )
    .put(customer)
    .put(most + 1)
    .fetch_all(&store.read)
    .await?;
    if found.len() > most {
        return Ok(Vec::new());
    }
    found.iter().map(|row| Ok(UnitId::Exchange(Fields::new(row, "exchanges", "x_").id("message_id")?))).collect()
}

/// The key of the exchange that answers this message.
async fn first_of_exchange(connection: &mut AnyConnection, message: MessageId) -> Result<Option<MessageId>, Failure> {
    let row = sqlx::query(
        "select x.message_id as x_message_id from messages k join exchanges x on x.conversation_id = k.conversation_id \
         and k.seq between x.from_seq and x.to_seq where k.id = $1 order by x.from_seq desc limit 1",
    )
    .put(message)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| Fields::new(row, "exchanges", "x_").id("message_id")).transpose()
}

/// A unit of this customer as it is now; `None` if it is gone, holds no more, is another's, or nothing may be recalled of
/// the customer.
async fn unit(connection: &mut AnyConnection, customer: CustomerId, id: UnitId) -> Result<Option<Unit>, Failure> {
    let on = sqlx::query("select 1 as k_on from customers k where k.id = $1 and k.memory = 'on'").put(customer);
    if on.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(None);
    }
    match id {
        UnitId::Customer(_) => Ok(None),
        UnitId::Exchange(id) => exchange(connection, customer, id).await,
        UnitId::Episode(id) => {
            let row = composed(format!("select {EPISODE} from episodes e where e.id = $1 and e.customer_id = $2"))
                .put(id)
                .put(customer)
                .fetch_optional(connection)
                .await?;
            Ok(row.as_ref().map(rows::episode).transpose()?.map(Unit::Episode))
        }
        UnitId::Fact(id) => {
            let row =
                composed(format!("select {FACT} from facts f where f.id = $1 and f.customer_id = $2 and {FACT_HOLDS}"))
                    .put(id)
                    .put(customer)
                    .fetch_optional(connection)
                    .await?;
            Ok(row.as_ref().map(rows::fact).transpose()?.map(Unit::Fact))
        }
    }
}

/// Reads an exchange together from its messages: the customer's, joined by line breaks, the reply, and what stands before
/// and after them.
async fn exchange(
    connection: &mut AnyConnection,
    customer: CustomerId,
    id: MessageId,
) -> Result<Option<Unit>, Failure> {
    let said = composed(format!(
        "select m.id as m_id, m.conversation_id as m_conversation_id, m.text as m_text, \
         m.received_at as m_received_at, r.text as m_answer, x.from_seq as m_from_seq, r.seq as m_reply_seq \
         from exchanges x \
         join messages m on m.conversation_id = x.conversation_id and m.author = 'customer' \
         and m.seq between x.from_seq and x.to_seq and {IS_SAID} join messages r on r.id = x.reply_id \
         where x.message_id = $1 and x.customer_id = $2 order by m.seq"
    ))
    .put(id)
    .put(customer)
    .fetch_all(&mut *connection)
    .await?;
    let Some(first) = said.first() else { return Ok(None) };
    let mut question = Vec::new();
    for row in &said {
        question.push(Fields::new(row, "messages", "m_").text("text")?);
    }
    let first = Fields::new(first, "messages", "m_");
    let (from_seq, reply_seq) = (first.integer("from_seq")?, first.integer("reply_seq")?);
    let exchange = Exchange {
        message: id,
        customer,
        conversation: first.id("conversation_id")?,
        question: question.join("\n"),
        answer: first.text("answer")?,
        at: first.time("received_at")?,
    };
    let beside = beside(connection, exchange.conversation, from_seq, reply_seq).await?;
    Ok(Some(Unit::Exchange(exchange, beside)))
}

/// What stands before the message `from_seq` and after the message `reply_seq`.
async fn beside(
    connection: &mut AnyConnection,
    conversation: ConversationId,
    from_seq: i64,
    reply_seq: i64,
) -> Result<Beside, Failure> {
    let said = format!(
        "select m.text as m_text from messages m where m.conversation_id = $1 and m.author <> 'note' and {IS_SAID}"
    );
    let before = composed(format!("{said} and m.seq < $2 order by m.seq desc limit $3"));
    let after = composed(format!("{said} and m.seq > $2 order by m.seq limit $3"));
    let mut sides = Vec::new();
    for (statement, seq) in [(before, from_seq), (after, reply_seq)] {
        let found = statement.put(conversation).put(seq).put(BESIDE).fetch_all(&mut *connection).await?;
        let texts = found.iter().map(|row| Fields::new(row, "messages", "m_").text("text"));
        sides.push(texts.collect::<Result<Vec<String>, _>>()?);
    }
    let after = sides.pop().unwrap_or_default();
    let before = sides.pop().unwrap_or_default().into_iter().rev().collect();
    Ok(Beside { before, after })
}

/// A turn's reply makes an exchange of the messages it answers. The notice of a handoff is the answer only until an
/// operator has said more.
pub(super) async fn exchange_of_turn(
    tx: &mut Tx,
    held: &Held,
    commit: &TurnCommit,
    reply: MessageId,
    now: Timestamp,
) -> Result<(), Failure> {
    answered(tx, held, (commit.from_seq, commit.to_seq), reply, commit.handoff.is_some(), now).await
}

/// An operator's reply completes the exchange that a handoff left open, or makes one of what the customer wrote since.
pub(super) async fn exchange_of_operator(
    tx: &mut Tx,
    held: &Held,
    seq: i64,
    reply: MessageId,
    now: Timestamp,
) -> Result<(), Failure> {
    let row = sqlx::query(
        "select (select min(x.from_seq) from exchanges x where x.conversation_id = $1 and x.awaits_operator = 1) as x_open, \
         (select min(m.seq) from messages m where m.conversation_id = $1 and m.author = 'customer' and m.deleted_at is null \
          and m.seq > coalesce((select max(x.to_seq) from exchanges x where x.conversation_id = $1), 0) \
          and m.seq > coalesce((select max(o.seq) from messages o where o.conversation_id = $1 \
          and o.author = 'operator' and o.seq < $2), 0)) as x_since",
    )
    .put(held.id())
    .put(seq)
    .fetch_one(&mut **tx)
    .await?;
    let fields = Fields::new(&row, "exchanges", "x_");
    let from_seq = fields.integer_or_null("open")?.or(fields.integer_or_null("since")?);
    let Some(from_seq) = from_seq else { return Ok(()) };
    answered(tx, held, (from_seq, held.customer_seq.max(from_seq)), reply, false, now).await
}

/// Writes an exchange, by the first of the customer's messages in it, and owes it to the index; and once more the one
/// before it, which has something after it now.
async fn answered(
    tx: &mut Tx,
    held: &Held,
    (from_seq, to_seq): (i64, i64),
    reply: MessageId,
    awaits_operator: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    let first = composed(format!(
        "insert into exchanges (message_id, conversation_id, customer_id, from_seq, to_seq, reply_id, awaits_operator) \
         select m.id, $1, $2, m.seq, $4, $5, $6 from messages m where m.conversation_id = $1 and m.author = 'customer' \
         and m.seq >= $3 and m.seq <= $4 and {IS_SAID} \
         and exists (select 1 from customers k where k.id = $2 and k.memory = 'on') order by m.seq limit 1 \
         on conflict (message_id) do update set to_seq = excluded.to_seq, reply_id = excluded.reply_id, \
         awaits_operator = excluded.awaits_operator returning message_id as x_message_id"
    ))
    .put(held.id())
    .put(held.conversation.customer)
    .put(from_seq)
    .put(to_seq)
    .put(reply)
    .put(awaits_operator)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(first) = first else { return Ok(()) };
    let before = sqlx::query(
        "select x.message_id as x_message_id from exchanges x where x.conversation_id = $1 and x.to_seq < $2 \
         order by x.to_seq desc limit 1",
    )
    .put(held.id())
    .put(from_seq)
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(before) = before {
        let message = Fields::new(&before, "exchanges", "x_").id("message_id")?;
        owe(tx, held.conversation.customer, UnitId::Exchange(message), now).await?;
    }
    let message = Fields::new(&first, "exchanges", "x_").id("message_id")?;
    owe(tx, held.conversation.customer, UnitId::Exchange(message), now).await
}

/// Tells the indexes that a unit changed; only its newest change is kept.
pub(super) async fn owe(tx: &mut Tx, customer: CustomerId, unit: UnitId, now: Timestamp) -> Result<(), Failure> {
    let (name, id) = match unit {
        UnitId::Exchange(id) => ("exchange", id.to_string()),
        UnitId::Episode(id) => ("episode", id.to_string()),
        UnitId::Fact(id) => ("fact", id.to_string()),
        UnitId::Customer(id) => ("customer", id.to_string()),
    };
    sqlx::query("delete from index_changes where unit = $1 and unit_id = $2")
        .put(name)
        .put(&id)
        .execute(&mut **tx)
        .await?;
    sqlx::query("insert into index_changes (customer_id, unit, unit_id, changed_at) values ($1, $2, $3, $4)")
        .put(customer)
        .put(name)
        .put(&id)
        .put(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn load_episode(
    store: &SqlStore,
    conversation: ConversationId,
) -> Result<Option<EpisodeInput>, Failure> {
    let row = composed(format!("select {CONVERSATION} from {CONVERSATIONS} where c.id = $1"))
        .put(conversation)
        .fetch_optional(&store.read)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let conversation = rows::conversation(&row)?;
    let found = composed(format!(
        "select {MESSAGE} from messages m where m.conversation_id = $1 and m.author <> 'note' and {IS_SAID} \
         and m.seq > coalesce((select max(e.to_seq) from episodes e where e.conversation_id = $1), 0) \
         and m.seq <= $2 and exists (select 1 from customers k where k.id = $3 and k.memory = 'on' \
         and (k.memory_since is null or m.received_at >= k.memory_since)) order by m.seq"
    ))
    .put(conversation.id)
    .put(conversation.last_seq)
    .put(conversation.customer)
    .fetch_all(&store.read)
    .await?;
    let messages = found.iter().map(rows::message).collect::<Result<Vec<_>, _>>()?;
    if messages.iter().all(|message| message.author != Author::Customer) {
        return Ok(None);
    }
    Ok(Some(EpisodeInput { conversation, messages }))
}

pub(super) async fn commit_episode(
    store: &SqlStore,
    commit: &EpisodeCommit,
    now: Timestamp,
) -> Result<Learning, Failure> {
    let mut tx = store.begin().await?;
    let customer = commit.episode.customer;
    let number = facts::turn_page(&mut tx, customer).await?;
    match customer_of(&mut tx, commit.episode.conversation).await? {
        None => return undone(tx, Learning::Gone).await,
        Some(now) if now != customer => return undone(tx, Learning::Moved).await,
        Some(_) => {}
    }
    if !insert_episode(&mut tx, &commit.episode).await? {
        return undone(tx, Learning::Known).await;
    }
    if number != Some(commit.entry.number + 1) || !facts::is_of(&mut tx, &commit.entry).await? {
        return undone(tx, Learning::Moved).await;
    }
    owe(&mut tx, customer, UnitId::Episode(commit.episode.id), now).await?;
    facts::enter(&mut tx, &commit.entry, now).await?;
    tx.commit().await?;
    Ok(Learning::Stored)
}

/// Whose a conversation is now.
async fn customer_of(tx: &mut Tx, conversation: ConversationId) -> Result<Option<CustomerId>, Failure> {
    let row = sqlx::query("select c.customer_id as c_customer_id from conversations c where c.id = $1")
        .put(conversation)
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(|row| Fields::new(row, "conversations", "c_").id("customer_id")).transpose()
}

async fn insert_episode(tx: &mut Tx, episode: &Episode) -> Result<bool, Failure> {
    let stored = sqlx::query(
        "insert into episodes (id, customer_id, conversation_id, from_seq, to_seq, channel, summary, outcome, mood, \
         started_at, ended_at, trend) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         on conflict (conversation_id, to_seq) do nothing",
    )
    .put(episode.id)
    .put(episode.customer)
    .put(episode.conversation)
    .put(episode.from_seq)
    .put(episode.to_seq)
    .put(episode.channel.name())
    .put(&episode.summary)
    .put(episode.outcome.name())
    .put(&episode.mood)
    .put(episode.started_at)
    .put(episode.ended_at)
    .put(episode.trend.name())
    .execute(&mut **tx)
    .await?;
    Ok(stored.rows_affected() > 0)
}

pub(super) async fn attach_package(
    store: &SqlStore,
    handoff: HandoffId,
    before: &Package,
    package: &Package,
) -> Result<bool, Failure> {
    let attached =
        sqlx::query("update handoffs set package = $2 where id = $1 and package = $3 and state in ('open', 'claimed')");
    let attached = attached.put(handoff).put(&document(package)).put(&document(before)).execute(&store.write).await?;
    Ok(attached.rows_affected() > 0)
}

pub(super) async fn raise_handoff(
    store: &SqlStore,
    handoff: HandoffId,
    reason: HandoffReason,
    queue: &str,
    priority: i64,
) -> Result<bool, Failure> {
    let raised = sqlx::query(
        "update handoffs set reason = $2, queue = $3, priority = $4 where id = $1 and state = 'open' and priority > $4",
    );
    let raised = raised.put(handoff).put(reason.name()).put(queue).put(priority).execute(&store.write).await?;
    Ok(raised.rows_affected() > 0)
}

/// Where an index stands: 0 where it has not read anything yet.
const POSITION: &str = "(select coalesce(max(p.position), 0) from index_positions p where p.index_name = $1)";

pub(super) async fn index_changes(store: &SqlStore, index: &str, limit: usize) -> Result<Vec<IndexChange>, Failure> {
    let news = composed(format!("select 1 as i_news from index_changes where number > {POSITION} limit 1"));
    if news.put(index).fetch_optional(&store.read).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut tx = store.begin().await?;
    if store.dialect == Dialect::Postgres {
        // Numbers are given before their transactions end, and not in the order in which they end. Whoever has taken
        // one has ended once this lock is ours: no lower number than those read can turn up later.
        sqlx::query("lock table index_changes in share mode").execute(&mut *tx).await?;
    }
    let found = composed(format!(
        "select number as i_number, customer_id as i_customer_id, unit as i_unit, unit_id as i_unit_id \
         from index_changes where number > {POSITION} order by number limit $2"
    ))
    .put(index)
    .put(limit)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let mut connection = store.read.acquire().await?;
    let mut changes = Vec::with_capacity(found.len());
    for row in &found {
        let fields = Fields::new(row, "index_changes", "i_");
        let customer = fields.id("customer_id")?;
        let id = unit_id(&fields)?;
        let now = unit(&mut connection, customer, id).await?;
        changes.push(IndexChange { number: fields.integer("number")?, customer, unit: id, now });
    }
    Ok(changes)
}

pub(super) async fn index_position(store: &SqlStore, index: &str) -> Result<i64, Failure> {
    let row = composed(format!("select {POSITION} as i_position")).put(index).fetch_one(&store.read).await?;
    Fields::new(&row, "index_positions", "i_").integer("position")
}

pub(super) async fn index_changed(store: &SqlStore, index: &str, from: i64, up_to: i64) -> Result<bool, Failure> {
    let mut tx = store.begin().await?;
    if from == 0 {
        sqlx::query(
            "insert into index_positions (index_name, position) values ($1, 0) on conflict (index_name) do nothing",
        )
        .put(index)
        .execute(&mut *tx)
        .await?;
    }
    let moved = sqlx::query("update index_positions set position = $3 where index_name = $1 and position = $2")
        .put(index)
        .put(from)
        .put(up_to)
        .execute(&mut *tx)
        .await?;
    let is_first = moved.rows_affected() > 0;
    if !is_first {
        sqlx::query("update index_positions set position = $2 where index_name = $1 and position > $2")
            .put(index)
            .put(from)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(is_first)
}

/// Every unit there is, as it is owed to the index: customer, unit and key.
fn all_units() -> String {
    format!(
        "select x.customer_id as customer_id, 'exchange' as unit, x.message_id as unit_id from exchanges x \
         union all select e.customer_id, 'episode', e.id from episodes e \
         union all select f.customer_id, 'fact', f.id from facts f where {FACT_HOLDS}"
    )
}

pub(super) async fn reindex_all(store: &SqlStore, index: &str) -> Result<u64, Failure> {
    // Below every position before, so that whoever is applying changes just now finds that they were not the last.
    sqlx::query(
        "insert into index_positions (index_name, position) values ($1, -1) on conflict (index_name) do update \
         set position = case when index_positions.position > 0 then -1 else index_positions.position - 1 end",
    )
    .put(index)
    .execute(&store.write)
    .await?;
    let row = sqlx::query("select count(*) as i_count from index_changes").fetch_one(&store.read).await?;
    let fields = Fields::new(&row, "index_changes", "i_");
    u64::try_from(fields.integer("count")?).map_err(|_| fields.corrupt("count", "it is negative"))
}

pub(super) async fn unit_count(store: &SqlStore) -> Result<u64, Failure> {
    let row = composed(format!("select count(*) as u_count from ({}) u", all_units())).fetch_one(&store.read).await?;
    let fields = Fields::new(&row, "units", "u_");
    u64::try_from(fields.integer("count")?).map_err(|_| fields.corrupt("count", "it is negative"))
}
