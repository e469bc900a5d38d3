//! Facts on two axes of time, and the statements that they are made of.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::SqlStore;
use super::identity::{PARTS, parts};
use super::ledger::owe;
use super::rows::{self, FACT, FACT_HOLDS, STATEMENT};
use super::sql::{Failure, Fields, Put, Tx, composed, undone};
use super::timers;
use crate::domain::id::{ConversationId, CustomerId, FactId, MessageId};
use crate::domain::memory::{Fact, FactKind, Statement};
use crate::ports::ledger::{Entry, LedgerState, UnitId, Unlearning};
use crate::ports::store::TimerKind;

pub(super) async fn facts(store: &SqlStore, customer: CustomerId) -> Result<Vec<Fact>, Failure> {
    let found = composed(format!(
        "select {FACT} from facts f where f.customer_id = $1 and {FACT_HOLDS} order by f.valid_at, f.recorded_at, f.id"
    ))
    .put(customer)
    .fetch_all(&store.read)
    .await?;
    found.iter().map(rows::fact).collect()
}

pub(super) async fn facts_at(
    store: &SqlStore,
    customer: CustomerId,
    valid: Timestamp,
    known: Timestamp,
) -> Result<Vec<Fact>, Failure> {
    let found = composed(format!(
        "select {FACT} from facts f where f.customer_id = $1 \
         and f.valid_at <= $2 and (f.invalid_at is null or f.invalid_at > $2) \
         and f.recorded_at <= $3 and (f.superseded_at is null or f.superseded_at > $3) \
         order by f.valid_at, f.recorded_at, f.id"
    ))
    .put(customer)
    .put(valid)
    .put(known)
    .fetch_all(&store.read)
    .await?;
    found.iter().map(rows::fact).collect()
}

pub(super) async fn promises(store: &SqlStore, conversation: ConversationId) -> Result<Vec<Fact>, Failure> {
    let found = composed(format!(
        "select {FACT} from facts f join messages m on m.id = f.source_id \
         where m.conversation_id = $1 and f.kind = $2 and {FACT_HOLDS} order by f.due_at, f.id"
    ))
    .put(conversation)
    .put(FactKind::Promise.name())
    .fetch_all(&store.read)
    .await?;
    found.iter().map(rows::fact).collect()
}

pub(super) async fn remind_of(
    store: &SqlStore,
    conversation: ConversationId,
    due_at: Timestamp,
) -> Result<(), Failure> {
    let mut tx = store.begin().await?;
    timers::set(&mut tx, conversation, TimerKind::Promise, due_at).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn ledger(store: &SqlStore, customer: CustomerId) -> Result<LedgerState, Failure> {
    // The number first: what is changed while we read makes the entry be refused, never go unnoticed.
    let number = sqlx::query("select k.ledger as k_ledger from customers k where k.id = $1")
        .put(customer)
        .fetch_optional(&store.read)
        .await?;
    let Some(number) = number else { return Ok(LedgerState::default()) };
    let number = Fields::new(&number, "customers", "k_").integer("ledger")?;
    let statements =
        composed(format!("select {STATEMENT} from statements s where s.customer_id = $1 order by s.valid_at, s.id"))
            .put(customer)
            .fetch_all(&store.read)
            .await?;
    let facts = composed(format!(
        "select {FACT} from facts f where f.customer_id = $1 and f.superseded_at is null order by f.valid_at, f.id"
    ))
    .put(customer)
    .fetch_all(&store.read)
    .await?;
    let forgotten = composed(format!(
        "select g.customer_id as g_customer_id, g.hash as g_hash, g.forgotten_at as g_forgotten_at from forgotten g \
         where g.customer_id in ({PARTS})"
    ))
    .put(customer)
    .fetch_all(&store.read)
    .await?;
    Ok(LedgerState {
        number,
        keys: parts(&mut *store.read.acquire().await?, customer).await?,
        statements: statements.iter().map(rows::statement).collect::<Result<_, _>>()?,
        facts: facts.iter().map(rows::fact).collect::<Result<_, _>>()?,
        forgotten: forgotten.iter().map(rows::forgotten).collect::<Result<_, _>>()?,
    })
}

pub(super) async fn commit_entry(store: &SqlStore, entry: &Entry, now: Timestamp) -> Result<bool, Failure> {
    let mut tx = store.begin().await?;
    if turn_page(&mut tx, entry.customer).await? != Some(entry.number + 1) || !is_of(&mut tx, entry).await? {
        return undone(tx, false).await;
    }
    enter(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whether all that an entry states stands in conversations of its customer, and is still said: a merge, or its end, may
/// have moved them since they were read, and the customer may have taken them back.
pub(super) async fn is_of(tx: &mut Tx, entry: &Entry) -> Result<bool, Failure> {
    let sources: BTreeSet<MessageId> = entry.statements.iter().map(|statement| statement.source).collect();
    for source in sources {
        let row = sqlx::query(
            "select 1 as m_ours from messages m join conversations c on c.id = m.conversation_id \
             where m.id = $1 and c.customer_id = $2 and m.deleted_at is null and m.replaced_by is null",
        );
        if row.put(source).put(entry.customer).fetch_optional(&mut **tx).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) async fn unsaid(store: &SqlStore, conversation: ConversationId) -> Result<Vec<MessageId>, Failure> {
    let found = sqlx::query(
        "select m.id as m_id from messages m where m.conversation_id = $1 \
         and (m.deleted_at is not null or m.replaced_by is not null) \
         and (exists (select 1 from statements s where s.source_id = m.id) \
         or exists (select 1 from facts f where f.source_id = m.id)) order by m.seq",
    )
    .put(conversation)
    .fetch_all(&store.read)
    .await?;
    found.iter().map(|row| Fields::new(row, "messages", "m_").id("id")).collect()
}

pub(super) async fn unlearn(store: &SqlStore, unlearning: &Unlearning, now: Timestamp) -> Result<bool, Failure> {
    let Unlearning { entry, sources } = unlearning;
    let mut tx = store.begin().await?;
    if turn_page(&mut tx, entry.customer).await? != Some(entry.number + 1) {
        return undone(tx, false).await;
    }
    enter(&mut tx, entry, now).await?;
    for source in sources {
        let facts = sqlx::query("delete from facts where source_id = $1 and customer_id = $2 returning id as f_id")
            .put(*source)
            .put(entry.customer)
            .fetch_all(&mut *tx)
            .await?;
        for row in &facts {
            let fact: FactId = Fields::new(row, "facts", "f_").id("id")?;
            owe(&mut tx, entry.customer, UnitId::Fact(fact), now).await?;
        }
        sqlx::query("delete from statements where source_id = $1 and customer_id = $2")
            .put(*source)
            .put(entry.customer)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Raises the number of a customer's ledger, whose row is held from now on. `None` if the customer is gone, or part of
/// another.
pub(super) async fn turn_page(tx: &mut Tx, customer: CustomerId) -> Result<Option<i64>, Failure> {
    let row = sqlx::query(
        "update customers set ledger = ledger + 1 where id = $1 and merged_into is null returning ledger as k_ledger",
    )
    .put(customer)
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(|row| Fields::new(row, "customers", "k_").integer("ledger")).transpose()
}

/// Writes an entry whose number was compared with the ledger's.
pub(super) async fn enter(tx: &mut Tx, entry: &Entry, now: Timestamp) -> Result<(), Failure> {
    for statement in &entry.statements {
        insert_statement(tx, entry.customer, statement, now).await?;
    }
    for fact in &entry.change.superseded {
        if supersede(tx, entry.customer, *fact, now).await? {
            owe(tx, entry.customer, UnitId::Fact(*fact), now).await?;
        }
    }
    for fact in &entry.change.learnt {
        insert_fact(tx, entry.customer, fact).await?;
        if fact.holds() {
            owe(tx, entry.customer, UnitId::Fact(fact.id), now).await?;
            if let Some(due_at) = fact.due_at {
                remind(tx, fact.source, due_at).await?;
            }
        }
    }
    Ok(())
}

/// Lets a conversation ring when what was promised in it falls due.
async fn remind(tx: &mut Tx, source: MessageId, due_at: Timestamp) -> Result<(), Failure> {
    let row = sqlx::query("select m.conversation_id as m_conversation_id from messages m where m.id = $1")
        .put(source)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(row) = row else { return Ok(()) };
    let conversation: ConversationId = Fields::new(&row, "messages", "m_").id("conversation_id")?;
    timers::set_earliest(tx, conversation, TimerKind::Promise, due_at).await
}

async fn insert_statement(
    tx: &mut Tx,
    customer: CustomerId,
    statement: &Statement,
    now: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "insert into statements (customer_id, key, value, stance, kind, confidence, source_id, valid_at, due_at, \
         recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         on conflict (source_id, key, stance, value) do nothing",
    )
    .put(customer)
    .put(&statement.key)
    .put(&statement.value)
    .put(statement.stance.name())
    .put(statement.kind.name())
    .put(statement.confidence)
    .put(statement.source)
    .put(statement.valid_at)
    .put(statement.due_at)
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a version that is not superseded. The customer is part of the condition: nobody's facts end by what another said.
async fn supersede(tx: &mut Tx, customer: CustomerId, fact: FactId, now: Timestamp) -> Result<bool, Failure> {
    let ended =
        sqlx::query("update facts set superseded_at = $3 where id = $1 and customer_id = $2 and superseded_at is null")
            .put(fact)
            .put(customer)
            .put(now)
            .execute(&mut **tx)
            .await?;
    Ok(ended.rows_affected() > 0)
}

async fn insert_fact(tx: &mut Tx, customer: CustomerId, fact: &Fact) -> Result<(), Failure> {
    sqlx::query(
        "insert into facts (id, customer_id, key, value, kind, confidence, source_id, valid_at, invalid_at, recorded_at, \
         superseded_at, due_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .put(fact.id)
    .put(customer)
    .put(&fact.key)
    .put(&fact.value)
    .put(fact.kind.name())
    .put(fact.confidence)
    .put(fact.source)
    .put(fact.valid_at)
    .put(fact.invalid_at)
    .put(fact.recorded_at)
    .put(fact.superseded_at)
    .put(fact.due_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
