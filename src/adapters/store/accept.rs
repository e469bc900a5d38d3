//! Ingest: updates become inbox rows, messages, conversations and timers, with the cursor that they advance.

use jiff::{SignedDuration, Timestamp};

use super::held::{Held, kill_owed, next_inbound_position};
use super::privacy;
use super::rows;
use super::sql::{Dialect, Failure, Fields, Put, Tx, composed};
use super::timers;
use super::{SqlStore, attachments, changes, csat, outside, proofs, receipts};
use crate::domain::channel::{Address, Cursor, Inbound, InboundEvent, STARTED_TEXT};
use crate::domain::conversation::Ownership;
use crate::domain::csat::{Answer, Score};
use crate::domain::id::{ConversationId, CustomerId, MessageId, OperatorId};
use crate::domain::message::Author;
use crate::domain::text::{Language, MessageText};
use crate::ports::store::{Accepted, TimerKind, Timing};

pub(super) async fn accept(
    store: &SqlStore,
    batch: &[Inbound],
    cursor: Option<&Cursor>,
    timing: &Timing,
    now: Timestamp,
) -> Result<Vec<Accepted>, Failure> {
    let mut tx = store.begin().await?;
    let mut accepted = Vec::with_capacity(batch.len());
    for (place, update) in (0..).zip(batch) {
        // What comes in one batch was said one after the other: a correction is newer than what it corrects.
        let said_at = now + SignedDuration::from_micros(place);
        accepted.push(one(store, &mut tx, update, timing, said_at).await?);
    }
    if let Some(cursor) = cursor {
        sqlx::query(
            "insert into cursors (channel, account, position, updated_at) values ($1, $2, $3, $4) \
             on conflict (channel, account) do update set position = excluded.position, updated_at = excluded.updated_at",
        )
        .put(cursor.channel.name())
        .put(&cursor.account)
        .put(&cursor.position)
        .put(now)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(accepted)
}

async fn one(
    store: &SqlStore,
    tx: &mut Tx,
    update: &Inbound,
    timing: &Timing,
    now: Timestamp,
) -> Result<Accepted, Failure> {
    let Some(inbox) = note(tx, Noted::of(update), now).await? else { return duplicate(tx, update).await };
    let arrival = Arrival { store, update, inbox, timing, now };
    match &update.event {
        InboundEvent::Message(text) if let Some(score) = Score::typed(text.as_str()) => {
            csat::typed(&arrival, tx, score).await
        }
        InboundEvent::Pressed(press) if let Some(answer) = Answer::of_payload(&press.payload) => {
            csat::tapped(&arrival, tx, answer).await
        }
        InboundEvent::Message(_) | InboundEvent::Unsupported(_) | InboundEvent::Started { .. } => {
            said(&arrival, tx, update.message_id.as_deref()).await
        }
        // A tap says something, and is no message that could be changed.
        InboundEvent::Pressed(_) => said(&arrival, tx, None).await,
        InboundEvent::Contact(contact) => {
            let accepted = said(&arrival, tx, update.message_id.as_deref()).await?;
            if let (true, Accepted::New { message, conversation, .. }) = (contact.is_own, &accepted) {
                changes::vouched(tx, *conversation, *message, ("phone", &contact.phone), now).await?;
                proofs::of_contact(&arrival, tx, (*conversation, *message), &contact.phone).await?;
            }
            Ok(accepted)
        }
        InboundEvent::Edited { message_id, text } => changes::edited(&arrival, tx, message_id, text).await,
        InboundEvent::Deleted { message_ids } => changes::deleted(&arrival, tx, message_ids).await,
        InboundEvent::Receipt(report) => receipts::reported(&arrival, tx, report).await,
        InboundEvent::TakenOver(text) => outside::taken_over(&arrival, tx, text).await,
        InboundEvent::Moved { to } => outside::moved(&arrival, tx, to).await,
        InboundEvent::Blocked => {
            blocked(&arrival, tx).await?;
            Ok(Accepted::Noted)
        }
    }
}

/// An update that is new, with all that storing it needs.
pub(super) struct Arrival<'a> {
    pub(super) store: &'a SqlStore,
    pub(super) update: &'a Inbound,
    /// Its row of the inbox.
    pub(super) inbox: i64,
    pub(super) timing: &'a Timing,
    pub(super) now: Timestamp,
}

impl Arrival<'_> {
    /// Whether it was sent by somebody who was erased since.
    pub(super) async fn is_of_erased(&self, tx: &mut Tx) -> Result<bool, Failure> {
        match self.update.sent_at {
            Some(sent_at) => privacy::is_of_erased(tx, &self.update.from, sent_at).await,
            None => Ok(false),
        }
    }

    /// When the customer wrote, by the channel's clock where it tells, which may be wrong but not in the future.
    fn sent_at(&self) -> Timestamp {
        self.update.sent_at.map_or(self.now, |sent_at| sent_at.min(self.now))
    }
}

/// Stores a line of the transcript that the customer said, under the channel's id of it.
pub(super) async fn said(arrival: &Arrival<'_>, tx: &mut Tx, provider_id: Option<&str>) -> Result<Accepted, Failure> {
    if arrival.is_of_erased(tx).await? {
        return Ok(Accepted::Noted);
    }
    if let Some(provider_id) = provider_id
        && let Some(known) = changes::known(tx, &arrival.update.from, provider_id).await?
    {
        // The same message in another update.
        link(tx, arrival.inbox, known.conversation, Some(known.id), Some(known.seq)).await?;
        let (message, conversation) = (Some(known.id), Some(known.conversation));
        return Ok(Accepted::Duplicate { message, conversation, seq: known.seq });
    }
    let is_confirmed = proofs::confirmed(arrival, tx).await?;
    let text = match &arrival.update.event {
        _ if is_confirmed => Some(MessageText::new(STARTED_TEXT)),
        InboundEvent::Edited { text, .. } => Some(text.clone()),
        event => event.transcript_text(),
    };
    let (message, conversation, seq) = written(arrival, tx, &text.unwrap_or_default(), provider_id).await?;
    link(tx, arrival.inbox, conversation, Some(message), Some(seq)).await?;
    proofs::of_arrival(arrival, tx, conversation, is_confirmed).await?;
    Ok(Accepted::New { message, conversation, seq })
}

/// A row of the inbox: what decides whether something is new.
pub(super) struct Noted<'a> {
    channel: &'static str,
    account: String,
    external_id: &'a str,
    kind: &'static str,
    sent_at: Option<Timestamp>,
}

impl<'a> Noted<'a> {
    fn of(update: &'a Inbound) -> Self {
        Noted {
            channel: update.from.channel.name(),
            account: update.from.account.clone(),
            external_id: &update.external_id,
            kind: update.event.name(),
            sent_at: update.sent_at,
        }
    }

    /// A message of the past.
    pub(super) fn imported(from: &Address, external_id: &'a str, at: Timestamp) -> Self {
        Noted {
            channel: from.channel.name(),
            account: from.account.clone(),
            external_id,
            kind: "import",
            sent_at: Some(at),
        }
    }

    /// An operator's action, by the key that the page gave it.
    pub(super) fn action(operator: OperatorId, action_id: &'a str, kind: &'static str) -> Self {
        Noted { channel: "desk", account: operator.to_string(), external_id: action_id, kind, sent_at: None }
    }
}

/// Writes a row of the inbox; `None` if its key is there already. Waits for whoever is writing the same key.
pub(super) async fn note(tx: &mut Tx, noted: Noted<'_>, now: Timestamp) -> Result<Option<i64>, Failure> {
    sqlx::query(
        "insert into inbox (channel, account, external_id, kind, sent_at, received_at) \
         values ($1, $2, $3, $4, $5, $6) on conflict (channel, account, external_id) do nothing returning id as i_id",
    )
    .put(noted.channel)
    .put(&noted.account)
    .put(noted.external_id)
    .put(noted.kind)
    .put(noted.sent_at)
    .put(now)
    .fetch_optional(&mut **tx)
    .await?
    .map(|row| Fields::new(&row, "inbox", "i_").integer("id"))
    .transpose()
}

/// Writes into a row of the inbox what came of it.
pub(super) async fn link(
    tx: &mut Tx,
    inbox: i64,
    conversation: ConversationId,
    message: Option<MessageId>,
    seq: Option<i64>,
) -> Result<(), Failure> {
    sqlx::query("update inbox set conversation_id = $2, message_id = $3, seq = $4 where id = $1")
        .put(inbox)
        .put(conversation)
        .put(message)
        .put(seq)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn duplicate(tx: &mut Tx, update: &Inbound) -> Result<Accepted, Failure> {
    let row = sqlx::query(
        "select id as i_id, message_id as i_message_id, conversation_id as i_conversation_id, seq as i_seq from inbox \
         where channel = $1 and account = $2 and external_id = $3",
    )
    .put(update.from.channel.name())
    .put(&update.from.account)
    .put(&update.external_id)
    .fetch_one(&mut **tx)
    .await?;
    let fields = Fields::new(&row, "inbox", "i_");
    Ok(Accepted::Duplicate {
        message: fields.id_or_null("message_id")?,
        conversation: fields.id_or_null("conversation_id")?,
        seq: fields.integer_or_null("seq")?.unwrap_or(0),
    })
}

/// After how much silence a stretch is learnt from that has grown long: an answer under way belongs to it.
const LONG_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Whether so much was said since something was learnt that learning does not wait for the end.
async fn is_long(tx: &mut Tx, held: &Held, timing: &Timing) -> Result<bool, Failure> {
    let row = sqlx::query("select coalesce(max(e.to_seq), 0) as e_learnt from episodes e where e.conversation_id = $1")
        .put(held.id())
        .fetch_one(&mut **tx)
        .await?;
    let learnt = Fields::new(&row, "episodes", "e_").integer("learnt")?;
    Ok(timing.episode_messages > 0 && held.conversation.last_seq - learnt >= timing.episode_messages)
}

/// The conversation that is open with the other side, which is made where there is none, and whose the address was before
/// any merge.
pub(super) async fn open_with(arrival: &Arrival<'_>, tx: &mut Tx) -> Result<(Held, CustomerId), Failure> {
    let Arrival { store, update, now, .. } = *arrival;
    let At { address, customer, home } = match address_of(store.dialect, tx, &update.from).await? {
        Some(known) => known,
        None => {
            let (name, language) = (update.display_name.as_deref(), language_of(update).or(update.language));
            meet(store, tx, &update.from, name, language, now).await?
        }
    };
    let held = match Held::open_in_feed(store.dialect, tx, address).await? {
        Some(held) => held,
        None => open(arrival, tx, address, customer).await?,
    };
    Ok((held, home))
}

/// Stores the customer's words.
pub(super) async fn written(
    arrival: &Arrival<'_>,
    tx: &mut Tx,
    text: &MessageText,
    provider_id: Option<&str>,
) -> Result<(MessageId, ConversationId, i64), Failure> {
    let Arrival { store, update, timing, now, .. } = *arrival;
    let (held, home) = open_with(arrival, tx).await?;
    let (message, seq) = put(arrival, tx, &held, text, provider_id).await?;
    attachments::keep(store, tx, message, &update.attachments, now).await?;
    owe(tx, &held, seq, &patient(timing, update), now).await?;
    if let Some(name) = &update.display_name {
        sqlx::query(
            "update customers set display_name = $2 where id = $1 and (display_name is null or display_name <> $2)",
        )
        .put(home)
        .put(name)
        .execute(&mut **tx)
        .await?;
    }
    Ok((message, held.id(), seq))
}

/// Puts the customer's words at the end of a conversation, with nothing that is owed for them.
pub(super) async fn put(
    arrival: &Arrival<'_>,
    tx: &mut Tx,
    held: &Held,
    text: &MessageText,
    provider_id: Option<&str>,
) -> Result<(MessageId, i64), Failure> {
    let Arrival { store, now, .. } = *arrival;
    let (message, seq) = (MessageId::fresh(&store.ids, now), held.conversation.last_seq + 1);
    let position = next_inbound_position(tx, held.address, arrival.sent_at()).await?;
    sqlx::query(
        "insert into messages (id, conversation_id, address_id, seq, author, text, citations, received_at, delivered_at, \
         feed_position, provider_id) values ($1, $2, $3, $4, $5, $6, '[]', $7, $7, $8, $9)",
    )
    .put(message)
    .put(held.id())
    .put(held.address)
    .put(seq)
    .put(rows::author(Author::Customer).0)
    .put(text)
    .put(now)
    .put(position)
    .put(provider_id)
    .execute(&mut **tx)
    .await?;
    Ok((message, seq))
}

/// How long we wait at least for the rest of an album, however short the quiet window is.
const ALBUM: SignedDuration = SignedDuration::from_secs(1);

fn patient(timing: &Timing, update: &Inbound) -> Timing {
    let least = if update.more_follows { ALBUM } else { SignedDuration::ZERO };
    Timing { quiet: timing.quiet.max(least), quiet_most: timing.quiet_most.max(least), ..*timing }
}

/// Says who owes an answer to message `seq`, and until when: the bot, or nobody but the person who has the conversation.
async fn owe(tx: &mut Tx, held: &Held, seq: i64, timing: &Timing, now: Timestamp) -> Result<(), Failure> {
    let of_bot = held.conversation.ownership == Ownership::Bot;
    let handled_seq = if of_bot { held.conversation.handled_seq } else { seq };
    let mut ready_at = None;
    if of_bot {
        let first_at = first_unanswered_at(tx, held, now).await?;
        ready_at = Some(ready(timing, first_at, now));
        timers::set(tx, held.id(), TimerKind::ReplyDeadline, first_at + timing.reply_within).await?;
    }
    if held.conversation.ownership == Ownership::Queued {
        // Who waits for people and writes more is to be told of anew.
        timers::set(tx, held.id(), TimerKind::Package, now + timing.quiet).await?;
    }
    let silence = if is_long(tx, held, timing).await? { LONG_AFTER } else { timing.episode_after };
    timers::set(tx, held.id(), TimerKind::EpisodeEnd, now + silence).await?;
    sqlx::query(
        "update conversations set last_seq = $2, customer_seq = $2, handled_seq = $3, ready_at = $4, reply_within = $5, \
         last_activity_at = $6 where id = $1",
    )
    .put(held.id())
    .put(seq)
    .put(handled_seq)
    .put(ready_at)
    .put(timing.reply_within)
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// When the first message came that the bot has not answered; now where this is the first.
pub(super) async fn first_unanswered_at(tx: &mut Tx, held: &Held, now: Timestamp) -> Result<Timestamp, Failure> {
    let row = sqlx::query(
        "select coalesce(min(m.received_at), $3) as m_first_at from messages m \
         where m.conversation_id = $1 and m.author = 'customer' and m.seq > $2 and m.deleted_at is null",
    )
    .put(held.id())
    .put(held.conversation.handled_seq)
    .put(now)
    .fetch_one(&mut **tx)
    .await?;
    Fields::new(&row, "messages", "m_").time("first_at")
}

/// When the turn may begin, if the customer has just written.
pub(super) fn ready(timing: &Timing, first_at: Timestamp, now: Timestamp) -> Timestamp {
    (now + timing.quiet).min(first_at + timing.quiet_most)
}

/// A row of the addresses.
pub(super) struct At {
    pub(super) address: i64,
    /// Whose it is.
    pub(super) customer: CustomerId,
    /// Whose it was before any merge, and would be again.
    home: CustomerId,
}

/// Holds an address: who it belongs to stays so until the transaction ends.
pub(super) async fn address_of(dialect: Dialect, tx: &mut Tx, address: &Address) -> Result<Option<At>, Failure> {
    let hold = dialect.hold("a");
    let row = composed(format!(
        "select a.id as a_id, a.customer_id as a_customer_id, coalesce(a.home_id, a.customer_id) as a_home_id \
         from addresses a where a.channel = $1 and a.account = $2 and a.external = $3 {hold}"
    ))
    .put(address.channel.name())
    .put(&address.account)
    .put(&address.external)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        let fields = Fields::new(&row, "addresses", "a_");
        Ok(At { address: fields.integer("id")?, customer: fields.id("customer_id")?, home: fields.id("home_id")? })
    })
    .transpose()
}

/// The language of the customer's words, where the update has words of theirs.
fn language_of(update: &Inbound) -> Option<Language> {
    match &update.event {
        InboundEvent::Message(text) | InboundEvent::Edited { text, .. } => Language::detect(text.as_str()),
        _ => None,
    }
}

/// First contact: a customer, and their address.
pub(super) async fn meet(
    store: &SqlStore,
    tx: &mut Tx,
    from: &Address,
    display_name: Option<&str>,
    language: Option<Language>,
    now: Timestamp,
) -> Result<At, Failure> {
    let customer = CustomerId::fresh(&store.ids, now);
    sqlx::query("insert into customers (id, display_name, language, created_at) values ($1, $2, $3, $4)")
        .put(customer)
        .put(display_name)
        .put(language)
        .put(now)
        .execute(&mut **tx)
        .await?;
    let row = sqlx::query(
        "insert into addresses (customer_id, channel, account, external, first_seen_at) values ($1, $2, $3, $4, $5) \
         returning id as a_id",
    )
    .put(customer)
    .put(from.channel.name())
    .put(&from.account)
    .put(&from.external)
    .put(now)
    .fetch_one(&mut **tx)
    .await?;
    Ok(At { address: Fields::new(&row, "addresses", "a_").integer("id")?, customer, home: customer })
}

/// Opens a conversation; the bot has it.
async fn open(arrival: &Arrival<'_>, tx: &mut Tx, address: i64, customer: CustomerId) -> Result<Held, Failure> {
    let Arrival { store, update, timing, now, .. } = *arrival;
    let id = ConversationId::fresh(&store.ids, now);
    sqlx::query(
        "insert into conversations (id, customer_id, address_id, owner, epoch, last_seq, customer_seq, handled_seq, \
         language, disclosed_at, reply_within, opened_at, last_activity_at) \
         values ($1, $2, $3, 'bot', 1, 0, 0, 0, coalesce($4, (select language from customers where id = $2)), \
         (select max(disclosed_at) from conversations where address_id = $3), $5, $6, $6)",
    )
    .put(id)
    .put(customer)
    .put(address)
    .put(language_of(update))
    .put(timing.reply_within)
    .put(now)
    .execute(&mut **tx)
    .await?;
    let opened = Held::by_id(store.dialect, tx, id).await?;
    // Written a moment ago, in this transaction.
    opened.ok_or(Failure::Sql(sqlx::Error::RowNotFound))
}

/// The customer blocked us: nothing can be delivered to this address any more.
async fn blocked(arrival: &Arrival<'_>, tx: &mut Tx) -> Result<(), Failure> {
    let Arrival { store, update, inbox, now, .. } = *arrival;
    let Some(At { address, .. }) = address_of(store.dialect, tx, &update.from).await? else { return Ok(()) };
    match Held::open_at(store.dialect, tx, address).await? {
        Some(mut held) => {
            held.lose(tx, now).await?;
            link(tx, inbox, held.id(), None, None).await
        }
        None => kill_owed(tx, address, now).await,
    }
}
