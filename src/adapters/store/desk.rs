//! What pages read: queue, transcripts, feeds; operators and sessions.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::SqlStore;
use super::rows::{self, CONVERSATION, CONVERSATIONS, CUSTOMER, HANDOFF, MESSAGE, OPERATOR};
use super::sql::{Failure, Fields, Put, composed};
use super::visitors::FEED;
use crate::domain::channel::{Address, DeliveryState};
use crate::domain::conversation::Conversation;
use crate::domain::customer::Customer;
use crate::domain::handoff::Handoff;
use crate::domain::id::{ConversationId, CustomerId, MessageId};
use crate::domain::message::Message;
use crate::ports::desk::{FeedItem, Mark, Operator, QueueEntry, Session, TurnView, Undelivered};

pub(super) async fn conversation(store: &SqlStore, id: ConversationId) -> Result<Option<Conversation>, Failure> {
    let row = composed(format!("select {CONVERSATION} from {CONVERSATIONS} where c.id = $1"))
        .put(id)
        .fetch_optional(&store.read)
        .await?;
    row.as_ref().map(rows::conversation).transpose()
}

pub(super) async fn conversation_at(store: &SqlStore, address: &Address) -> Result<Option<Conversation>, Failure> {
    let row = composed(format!(
        "select {CONVERSATION} from {CONVERSATIONS} where c.address_id in {FEED} \
         order by c.last_activity_at desc, c.opened_at desc, c.id desc limit 1"
    ))
    .put(address.channel.name())
    .put(&address.account)
    .put(&address.external)
    .fetch_optional(&store.read)
    .await?;
    row.as_ref().map(rows::conversation).transpose()
}

pub(super) async fn customer(store: &SqlStore, id: CustomerId) -> Result<Option<Customer>, Failure> {
    let row = composed(format!("select {CUSTOMER} from customers k where k.id = $1"))
        .put(id)
        .fetch_optional(&store.read)
        .await?;
    row.as_ref().map(rows::customer).transpose()
}

pub(super) async fn customer_at(store: &SqlStore, address: &Address) -> Result<Option<CustomerId>, Failure> {
    sqlx::query(
        "select id as a_id, customer_id as a_customer_id from addresses \
         where channel = $1 and account = $2 and external = $3",
    )
    .put(address.channel.name())
    .put(&address.account)
    .put(&address.external)
    .fetch_optional(&store.read)
    .await?
    .map(|row| Fields::new(&row, "addresses", "a_").id("customer_id"))
    .transpose()
}

pub(super) async fn transcript(
    store: &SqlStore,
    conversation: ConversationId,
    after: i64,
    limit: usize,
) -> Result<Vec<Message>, Failure> {
    let found = composed(format!(
        "select {MESSAGE} from messages m where m.conversation_id = $1 and m.seq > $2 order by m.seq limit $3"
    ))
    .put(conversation)
    .put(after)
    .put(limit)
    .fetch_all(&store.read)
    .await?;
    found.iter().map(rows::message).collect()
}

pub(super) async fn feed(
    store: &SqlStore,
    address: &Address,
    after: i64,
    limit: usize,
) -> Result<Vec<FeedItem>, Failure> {
    let found = composed(format!(
        "select m.feed_position as m_feed_position, m.buttons as m_buttons, {MESSAGE} from messages m \
         where m.address_id in {FEED} and m.feed_position > $4 \
         order by m.feed_position limit $5"
    ))
    .put(address.channel.name())
    .put(&address.account)
    .put(&address.external)
    .put(after)
    .put(limit)
    .fetch_all(&store.read)
    .await?;
    found
        .iter()
        .map(|row| {
            let fields = Fields::new(row, "messages", "m_");
            let (position, buttons) = (fields.integer("feed_position")?, fields.document("buttons")?);
            Ok(FeedItem { position, message: rows::message(row)?, buttons })
        })
        .collect()
}

pub(super) async fn queue(store: &SqlStore, limit: usize) -> Result<Vec<QueueEntry>, Failure> {
    let people = "join customers k on k.id = c.customer_id";
    // Who waits for people is known by what they wrote, not by the bot's notice behind it.
    let newest = "left join messages m on m.conversation_id = c.id and m.seq = case when c.owner = 'queued' then \
                  (select max(w.seq) from messages w where w.conversation_id = c.id and w.author = 'customer' \
                  and w.deleted_at is null) \
                  else c.last_seq end";
    let called = "(select f.value from facts f where f.customer_id = k.id and f.key = 'name' and f.invalid_at is null \
                  and f.superseded_at is null order by f.valid_at desc limit 1) as k_called";
    let handed_over = composed(format!(
        "select {CONVERSATION}, {CUSTOMER}, {called}, {MESSAGE}, {HANDOFF} from {CONVERSATIONS} {people} {newest} \
         join handoffs h on h.conversation_id = c.id and h.state in ('open', 'claimed') \
         order by h.priority, h.opened_at, h.id limit $1"
    ))
    .put(limit)
    .fetch_all(&store.read)
    .await?;
    let of_bot = composed(format!(
        "select {CONVERSATION}, {CUSTOMER}, {called}, {MESSAGE} from {CONVERSATIONS} {people} {newest} \
         where c.owner = 'bot' \
         order by c.last_activity_at desc, c.id desc limit $1"
    ))
    .put(limit.saturating_sub(handed_over.len()))
    .fetch_all(&store.read)
    .await?;
    let mut entries = Vec::with_capacity(handed_over.len() + of_bot.len());
    let mut listed = HashSet::new();
    for row in &handed_over {
        entries.push(entry(row, Some(rows::handoff(row)?))?);
    }
    for row in &of_bot {
        entries.push(entry(row, None)?);
    }
    // A conversation that changed hands between the two reads stands once, where people have it.
    entries.retain(|entry| listed.insert(entry.conversation.id));
    Ok(entries)
}

fn entry(row: &AnyRow, handoff: Option<Handoff>) -> Result<QueueEntry, Failure> {
    Ok(QueueEntry {
        conversation: rows::conversation(row)?,
        customer: rows::customer(row)?,
        called: Fields::new(row, "facts", "k_").text_or_null("called")?,
        handoff,
        last: rows::message_or_null(row)?,
    })
}

pub(super) async fn handoff(store: &SqlStore, conversation: ConversationId) -> Result<Option<Handoff>, Failure> {
    let row = composed(format!(
        "select {HANDOFF} from handoffs h where h.conversation_id = $1 order by h.opened_at desc, h.id desc limit 1"
    ))
    .put(conversation)
    .fetch_optional(&store.read)
    .await?;
    row.as_ref().map(rows::handoff).transpose()
}

/// The newest committed turn.
/// Columns of a turn `t`.
const TURN: &str = "t.id as t_id, t.from_seq as t_from_seq, t.to_seq as t_to_seq, t.decision as t_decision, \
    t.reason as t_reason, t.record as t_record";

fn turn(row: &AnyRow) -> Result<TurnView, Failure> {
    let fields = Fields::new(row, "turns", "t_");
    Ok(TurnView {
        from_seq: fields.integer("from_seq")?,
        to_seq: fields.integer("to_seq")?,
        decision: fields.text("decision")?,
        reason: fields.text_or_null("reason")?,
        record: fields.document("record")?,
    })
}

pub(super) async fn last_turn(store: &SqlStore, conversation: ConversationId) -> Result<Option<TurnView>, Failure> {
    let row = composed(format!(
        "select {TURN} from turns t where t.conversation_id = $1 and t.state = 'committed' and t.record is not null \
         order by t.to_seq desc limit 1"
    ))
    .put(conversation)
    .fetch_optional(&store.read)
    .await?;
    row.as_ref().map(turn).transpose()
}

pub(super) async fn turn_about(store: &SqlStore, message: MessageId) -> Result<Option<TurnView>, Failure> {
    let row = composed(format!(
        "select {TURN} from messages m join turns t on t.conversation_id = m.conversation_id and t.state = 'committed' \
         and t.record is not null and (t.reply_id = m.id or m.seq between t.from_seq and t.to_seq) where m.id = $1 \
         order by t.to_seq limit 1"
    ))
    .put(message)
    .fetch_optional(&store.read)
    .await?;
    row.as_ref().map(turn).transpose()
}

pub(super) async fn conversation_of(store: &SqlStore, message: MessageId) -> Result<Option<Conversation>, Failure> {
    let row = composed(format!(
        "select {CONVERSATION} from {CONVERSATIONS} join messages m on m.conversation_id = c.id where m.id = $1"
    ))
    .put(message)
    .fetch_optional(&store.read)
    .await?;
    row.as_ref().map(rows::conversation).transpose()
}

/// One line a message: an unknown part says more than a dead one, since the customer may have seen it.
pub(super) async fn undelivered(store: &SqlStore, conversation: ConversationId) -> Result<Vec<Undelivered>, Failure> {
    let found = sqlx::query(
        "select id as p_id, seq as p_seq, state as p_state, error as p_error from outbox where conversation_id = $1 \
         and state in ('unknown', 'dead') order by seq, state desc, part",
    )
    .put(conversation)
    .fetch_all(&store.read)
    .await?;
    let mut messages = Vec::new();
    for row in &found {
        let fields = Fields::new(row, "outbox", "p_");
        messages.push(Undelivered {
            seq: fields.integer("seq")?,
            state: fields.text("state")?,
            why: fields.text_or_null("error")?.unwrap_or_default(),
        });
    }
    messages.dedup_by_key(|message| message.seq);
    Ok(messages)
}

pub(super) async fn marks(store: &SqlStore, conversation: ConversationId, after: i64) -> Result<Vec<Mark>, Failure> {
    let changed = sqlx::query(
        "select m.id as m_id, m.seq as m_seq, m.edited_at as m_edited_at, m.replaced_by as m_replaced_by, \
         m.deleted_at as m_deleted_at from messages m where m.conversation_id = $1 and m.seq > $2 \
         and (m.edited_at is not null or m.replaced_by is not null or m.deleted_at is not null)",
    )
    .put(conversation)
    .put(after)
    .fetch_all(&store.read)
    .await?;
    let mut marks = BTreeMap::new();
    for row in &changed {
        let fields = Fields::new(row, "messages", "m_");
        let seq = fields.integer("seq")?;
        let mark = Mark {
            seq,
            edited: fields.time_or_null("edited_at")?.is_some(),
            replaced_by: fields.id_or_null("replaced_by")?,
            deleted: fields.time_or_null("deleted_at")?.is_some(),
            delivery: None,
        };
        marks.insert(seq, mark);
    }
    for (seq, far) in deliveries(store, conversation, after).await? {
        let plain = Mark { seq, edited: false, replaced_by: None, deleted: false, delivery: None };
        marks.entry(seq).or_insert(plain).delivery = Some(far);
    }
    Ok(marks.into_values().collect())
}

/// How far the channel says that every part of a message has come; messages that were not sent as a whole are left out.
async fn deliveries(
    store: &SqlStore,
    conversation: ConversationId,
    after: i64,
) -> Result<Vec<(i64, DeliveryState)>, Failure> {
    let found = sqlx::query(
        "select p.seq as p_seq, min(case when p.read_at is not null then 2 when p.delivered_at is not null then 1 else 0 end) \
         as p_far from outbox p where p.conversation_id = $1 and p.seq > $2 group by p.seq \
         having min(case when p.state = 'sent' then 1 else 0 end) = 1",
    )
    .put(conversation)
    .put(after)
    .fetch_all(&store.read)
    .await?;
    let far = |row: &AnyRow| {
        let fields = Fields::new(row, "outbox", "p_");
        let far = match fields.integer("far")? {
            0 => DeliveryState::Sent,
            1 => DeliveryState::Delivered,
            _ => DeliveryState::Read,
        };
        Ok((fields.integer("seq")?, far))
    };
    found.iter().map(far).collect()
}

pub(super) async fn add_operator(
    store: &SqlStore,
    operator: &Operator,
    password_hash: &str,
    now: Timestamp,
) -> Result<bool, Failure> {
    let added = sqlx::query(
        "insert into operators (id, login, name, password_hash, one_time_password, created_at) \
         values ($1, $2, $3, $4, $5, $6) on conflict (login) do nothing",
    )
    .put(operator.id)
    .put(&operator.login)
    .put(&operator.name)
    .put(password_hash)
    .put(operator.one_time_password)
    .put(now)
    .execute(&store.write)
    .await?;
    Ok(added.rows_affected() > 0)
}

pub(super) async fn set_password(store: &SqlStore, login: &str, hash: &str, one_time: bool) -> Result<bool, Failure> {
    let mut tx = store.begin().await?;
    let changed = sqlx::query("update operators set password_hash = $2, one_time_password = $3 where login = $1")
        .put(login)
        .put(hash)
        .put(one_time)
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from sessions where operator_id in (select o.id from operators o where o.login = $1)")
        .put(login)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(changed.rows_affected() > 0)
}

pub(super) async fn operator_login(store: &SqlStore, login: &str) -> Result<Option<(Operator, String)>, Failure> {
    composed(format!("select {OPERATOR}, o.password_hash as o_password_hash from operators o where o.login = $1"))
        .put(login)
        .fetch_optional(&store.read)
        .await?
        .map(|row| Ok((rows::operator(&row)?, Fields::new(&row, "operators", "o_").text("password_hash")?)))
        .transpose()
}

pub(super) async fn operators(store: &SqlStore) -> Result<Vec<Operator>, Failure> {
    let found = composed(format!("select {OPERATOR} from operators o order by o.login")).fetch_all(&store.read).await?;
    found.iter().map(rows::operator).collect()
}

pub(super) async fn add_session(store: &SqlStore, session: &Session) -> Result<(), Failure> {
    sqlx::query("insert into sessions (token_hash, operator_id, csrf, expires_at) values ($1, $2, $3, $4)")
        .put(&session.token_hash)
        .put(session.operator)
        .put(&session.csrf)
        .put(session.expires_at)
        .execute(&store.write)
        .await?;
    Ok(())
}

pub(super) async fn session(
    store: &SqlStore,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<(Session, Operator)>, Failure> {
    composed(format!(
        "select s.token_hash as s_id, s.operator_id as s_operator_id, s.csrf as s_csrf, s.expires_at as s_expires_at, \
         {OPERATOR} from sessions s join operators o on o.id = s.operator_id \
         where s.token_hash = $1 and s.expires_at > $2"
    ))
    .put(token_hash)
    .put(now)
    .fetch_optional(&store.read)
    .await?
    .map(|row| {
        let fields = Fields::new(&row, "sessions", "s_");
        let session = Session {
            token_hash: fields.text("id")?,
            operator: fields.id("operator_id")?,
            csrf: fields.text("csrf")?,
            expires_at: fields.time("expires_at")?,
        };
        Ok((session, rows::operator(&row)?))
    })
    .transpose()
}

pub(super) async fn end_session(store: &SqlStore, token_hash: &str) -> Result<(), Failure> {
    sqlx::query("delete from sessions where token_hash = $1").put(token_hash).execute(&store.write).await?;
    Ok(())
}
