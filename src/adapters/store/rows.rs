//! Rows as the nouns of the domain. A list of columns stands beside the function that reads them.

use sqlx::any::AnyRow;

use super::sql::{Failure, Fields};
use crate::domain::channel::{Address, ChannelKind};
use crate::domain::conversation::{Conversation, Ownership};
use crate::domain::customer::Customer;
use crate::domain::handoff::{Handoff, HandoffReason, HandoffState};
use crate::domain::id::OperatorId;
use crate::domain::memory::{Episode, Fact, FactKind, Outcome, Stance, Statement, Trend};
use crate::domain::message::{Author, Message};
use crate::ports::desk::Operator;
use crate::ports::ledger::Forgotten;

/// Columns of a conversation `c` with its address `a`.
pub(super) const CONVERSATION: &str = "c.id as c_id, c.customer_id as c_customer_id, c.owner as c_owner, \
    c.operator_id as c_operator_id, c.epoch as c_epoch, c.last_seq as c_last_seq, c.handled_seq as c_handled_seq, \
    c.language as c_language, c.disclosed_at as c_disclosed_at, c.ask_backs as c_ask_backs, \
    c.failures as c_failures, c.opened_at as c_opened_at, c.last_activity_at as c_last_activity_at, \
    a.channel as a_channel, a.account as a_account, a.external as a_external";

/// The tables of [`CONVERSATION`].
pub(super) const CONVERSATIONS: &str = "conversations c join addresses a on a.id = c.address_id";

pub(super) fn conversation(row: &AnyRow) -> Result<Conversation, Failure> {
    let fields = Fields::new(row, "conversations", "c_");
    let ownership = match (fields.text("owner")?.as_str(), fields.id_or_null::<OperatorId>("operator_id")?) {
        ("bot", _) => Ownership::Bot,
        ("queued", _) => Ownership::Queued,
        ("resolved", _) => Ownership::Resolved,
        ("human", Some(operator)) => Ownership::Human(operator),
        ("human", None) => return Err(fields.corrupt("operator_id", "a human owns it and nobody is named")),
        _ => return Err(fields.corrupt("owner", "it is not on the list")),
    };
    Ok(Conversation {
        id: fields.id("id")?,
        customer: fields.id("customer_id")?,
        address: address(&Fields::new(row, "addresses", "a_"))?,
        ownership,
        epoch: fields.integer("epoch")?,
        last_seq: fields.integer("last_seq")?,
        handled_seq: fields.integer("handled_seq")?,
        language: fields.language("language")?,
        disclosed_at: fields.time_or_null("disclosed_at")?,
        ask_backs: fields.integer("ask_backs")?,
        failures: fields.integer("failures")?,
        opened_at: fields.time("opened_at")?,
        last_activity_at: fields.time("last_activity_at")?,
    })
}

/// The name of an owner, and the operator where one is it.
pub(super) fn owner(ownership: Ownership) -> (&'static str, Option<OperatorId>) {
    match ownership {
        Ownership::Bot => ("bot", None),
        Ownership::Queued => ("queued", None),
        Ownership::Human(operator) => ("human", Some(operator)),
        Ownership::Resolved => ("resolved", None),
    }
}

pub(super) fn address(fields: &Fields<'_>) -> Result<Address, Failure> {
    Ok(Address {
        channel: fields.named("channel", ChannelKind::from_name)?,
        account: fields.text("account")?,
        external: fields.text("external")?,
    })
}

/// Columns of a customer `k`. Who has no name is called as their parts are.
pub(super) const CUSTOMER: &str = "k.id as k_id, coalesce(k.display_name, (select h.display_name from addresses i \
    join customers h on h.id = i.home_id where i.customer_id = k.id and h.display_name is not null order by i.id limit 1)) \
    as k_display_name, k.language as k_language, \
    k.created_at as k_created_at, k.memory as k_memory";

pub(super) fn customer(row: &AnyRow) -> Result<Customer, Failure> {
    let fields = Fields::new(row, "customers", "k_");
    Ok(Customer {
        id: fields.id("id")?,
        display_name: fields.text_or_null("display_name")?,
        language: fields.language("language")?,
        created_at: fields.time("created_at")?,
        remembered: fields.text("memory")? == "on",
    })
}

/// Columns of a message `m`.
pub(super) const MESSAGE: &str = "m.id as m_id, m.conversation_id as m_conversation_id, m.seq as m_seq, \
    m.author as m_author, m.operator_id as m_operator_id, m.text as m_text, m.citations as m_citations, \
    m.received_at as m_received_at, m.delivered_at as m_delivered_at";

/// What is true of a message `m` that counts as said: not withdrawn by us, not taken back, and not said in other words
/// since.
pub(super) const IS_SAID: &str = "m.withdrawn_at is null and m.deleted_at is null and m.replaced_by is null";

pub(super) fn message(row: &AnyRow) -> Result<Message, Failure> {
    let fields = Fields::new(row, "messages", "m_");
    let author = match fields.text("author")?.as_str() {
        "customer" => Author::Customer,
        "bot" => Author::Bot,
        "operator" => Author::Operator(fields.id("operator_id")?),
        "note" => Author::Note(fields.id("operator_id")?),
        _ => return Err(fields.corrupt("author", "it is not on the list")),
    };
    Ok(Message {
        id: fields.id("id")?,
        conversation: fields.id("conversation_id")?,
        seq: fields.integer("seq")?,
        author,
        text: fields.words("text")?,
        citations: fields.document("citations")?,
        received_at: fields.time("received_at")?,
        delivered_at: fields.time_or_null("delivered_at")?,
    })
}

/// The message of a row in which there may be none.
pub(super) fn message_or_null(row: &AnyRow) -> Result<Option<Message>, Failure> {
    match Fields::new(row, "messages", "m_").text_or_null("id")? {
        Some(_) => message(row).map(Some),
        None => Ok(None),
    }
}

/// The name of an author, and the operator where one is it.
pub(super) fn author(author: Author) -> (&'static str, Option<OperatorId>) {
    match author {
        Author::Customer => ("customer", None),
        Author::Bot => ("bot", None),
        Author::Operator(operator) => ("operator", Some(operator)),
        Author::Note(operator) => ("note", Some(operator)),
    }
}

/// Columns of a handoff `h`.
pub(super) const HANDOFF: &str = "h.id as h_id, h.conversation_id as h_conversation_id, h.reason as h_reason, \
    h.queue as h_queue, h.priority as h_priority, h.state as h_state, h.operator_id as h_operator_id, \
    h.package as h_package, h.opened_at as h_opened_at, h.claimed_at as h_claimed_at, h.closed_at as h_closed_at";

pub(super) fn handoff(row: &AnyRow) -> Result<Handoff, Failure> {
    let fields = Fields::new(row, "handoffs", "h_");
    Ok(Handoff {
        id: fields.id("id")?,
        conversation: fields.id("conversation_id")?,
        reason: fields.named("reason", HandoffReason::from_name)?,
        queue: fields.text("queue")?,
        priority: fields.integer("priority")?,
        state: fields.named("state", HandoffState::from_name)?,
        operator: fields.id_or_null("operator_id")?,
        package: fields.document("package")?,
        opened_at: fields.time("opened_at")?,
        claimed_at: fields.time_or_null("claimed_at")?,
        closed_at: fields.time_or_null("closed_at")?,
    })
}

/// Columns of a fact `f`.
pub(super) const FACT: &str = "f.id as f_id, f.customer_id as f_customer_id, f.key as f_key, f.value as f_value, \
    f.kind as f_kind, f.confidence as f_confidence, f.source_id as f_source_id, f.valid_at as f_valid_at, \
    f.invalid_at as f_invalid_at, f.recorded_at as f_recorded_at, f.superseded_at as f_superseded_at, \
    f.due_at as f_due_at";

/// What is true of a fact `f` that holds now.
pub(super) const FACT_HOLDS: &str = "f.invalid_at is null and f.superseded_at is null";

pub(super) fn fact(row: &AnyRow) -> Result<Fact, Failure> {
    let fields = Fields::new(row, "facts", "f_");
    Ok(Fact {
        id: fields.id("id")?,
        customer: fields.id("customer_id")?,
        key: fields.text("key")?,
        value: fields.text("value")?,
        kind: fields.named("kind", FactKind::from_name)?,
        confidence: fields.float("confidence")?,
        source: fields.id("source_id")?,
        valid_at: fields.time("valid_at")?,
        invalid_at: fields.time_or_null("invalid_at")?,
        recorded_at: fields.time("recorded_at")?,
        superseded_at: fields.time_or_null("superseded_at")?,
        due_at: fields.time_or_null("due_at")?,
    })
}

/// Columns of a statement `s`.
pub(super) const STATEMENT: &str = "s.id as s_id, s.key as s_key, s.value as s_value, s.stance as s_stance, \
    s.kind as s_kind, s.confidence as s_confidence, s.source_id as s_source_id, s.valid_at as s_valid_at, \
    s.due_at as s_due_at";

pub(super) fn statement(row: &AnyRow) -> Result<Statement, Failure> {
    let fields = Fields::new(row, "statements", "s_");
    Ok(Statement {
        key: fields.text("key")?,
        value: fields.text("value")?,
        stance: fields.named("stance", Stance::from_name)?,
        kind: fields.named("kind", FactKind::from_name)?,
        confidence: fields.float("confidence")?,
        source: fields.id("source_id")?,
        valid_at: fields.time("valid_at")?,
        due_at: fields.time_or_null("due_at")?,
    })
}

pub(super) fn forgotten(row: &AnyRow) -> Result<Forgotten, Failure> {
    let fields = Fields::new(row, "forgotten", "g_");
    Ok(Forgotten { customer: fields.id("customer_id")?, hash: fields.text("hash")?, at: fields.time("forgotten_at")? })
}

/// Columns of an episode `e`.
pub(super) const EPISODE: &str = "e.id as e_id, e.customer_id as e_customer_id, \
    e.conversation_id as e_conversation_id, e.from_seq as e_from_seq, e.to_seq as e_to_seq, \
    e.channel as e_channel, e.summary as e_summary, e.outcome as e_outcome, e.mood as e_mood, e.trend as e_trend, \
    e.started_at as e_started_at, e.ended_at as e_ended_at";

pub(super) fn episode(row: &AnyRow) -> Result<Episode, Failure> {
    let fields = Fields::new(row, "episodes", "e_");
    Ok(Episode {
        id: fields.id("id")?,
        customer: fields.id("customer_id")?,
        conversation: fields.id("conversation_id")?,
        from_seq: fields.integer("from_seq")?,
        to_seq: fields.integer("to_seq")?,
        channel: fields.named("channel", ChannelKind::from_name)?,
        summary: fields.text("summary")?,
        outcome: fields.named("outcome", Outcome::from_name)?,
        mood: fields.text("mood")?,
        trend: fields.named("trend", Trend::from_name)?,
        started_at: fields.time("started_at")?,
        ended_at: fields.time("ended_at")?,
    })
}

/// Columns of an operator `o`.
pub(super) const OPERATOR: &str =
    "o.id as o_id, o.login as o_login, o.name as o_name, o.one_time_password as o_one_time_password";

pub(super) fn operator(row: &AnyRow) -> Result<Operator, Failure> {
    let fields = Fields::new(row, "operators", "o_");
    Ok(Operator {
        id: fields.id("id")?,
        login: fields.text("login")?,
        name: fields.text("name")?,
        one_time_password: fields.integer("one_time_password")? != 0,
    })
}
