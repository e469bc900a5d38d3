//! Conversations of the past, written as resolved ones: nobody owes an answer, and learning begins.

use super::SqlStore;
use super::accept::{At, Noted, address_of, link, meet, note};
use super::held::next_position;
use super::privacy::is_of_erased;
use super::sql::{Failure, Put, Tx, undone};
use super::{ledger, timers};
use crate::domain::id::{ConversationId, CustomerId, MessageId, OperatorId};
use crate::domain::past::{PastAuthor, PastConversation, PastMessage};
use crate::domain::text::Language;
use crate::ports::ledger::UnitId;
use crate::ports::store::TimerKind;

/// Stores what is new of a conversation and returns how many messages that is.
pub(super) async fn import(store: &SqlStore, past: &PastConversation) -> Result<u64, Failure> {
    let mut tx = store.begin().await?;
    let mut new: Vec<(i64, &PastMessage)> = Vec::new();
    for message in &past.messages {
        if is_of_erased(&mut tx, &past.from, message.at).await? {
            continue;
        }
        let external_id = format!("import:{}", message.external_id);
        let noted = Noted::imported(&past.from, &external_id, message.at);
        new.extend(note(&mut tx, noted, message.at).await?.map(|inbox| (inbox, message)));
    }
    let (Some((_, first)), Some((_, last))) = (new.first(), new.last()) else { return undone(tx, 0).await };
    let language = new.iter().find_map(|(_, message)| Language::detect(message.text.as_str()));
    let At { address, customer, .. } = match address_of(store.dialect, &mut tx, &past.from).await? {
        Some(known) => known,
        None => meet(store, &mut tx, &past.from, past.display_name.as_deref(), language, first.at).await?,
    };
    let conversation = ConversationId::fresh(&store.ids, first.at);
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    sqlx::query(
        "insert into conversations (id, customer_id, address_id, owner, epoch, last_seq, customer_seq, handled_seq, \
         language, reply_within, opened_at, last_activity_at, resolved_at) \
         values ($1, $2, $3, 'resolved', 1, $4, $4, $4, $5, 0, $6, $7, $7)",
    )
    .put(conversation)
    .put(customer)
    .put(address)
    .put(count)
    .put(language)
    .put(first.at)
    .put(last.at)
    .execute(&mut *tx)
    .await?;
    let mut written =
        Written { conversation, customer, address, person: OperatorId::fresh(&store.ids, first.at), open: None };
    for (seq, (inbox, message)) in (1_i64..).zip(&new) {
        let id = written.message(store, &mut tx, seq, message).await?;
        link(&mut tx, *inbox, conversation, Some(id), Some(seq)).await?;
    }
    timers::set(&mut tx, conversation, TimerKind::EpisodeEnd, last.at).await?;
    tx.commit().await?;
    Ok(new.len() as u64)
}

/// A conversation that is being written.
struct Written {
    conversation: ConversationId,
    customer: CustomerId,
    address: i64,
    /// Stands for whoever answered then.
    person: OperatorId,
    /// The customer's messages that wait for their answer: the key of the first, its sequence and that of the last.
    open: Option<(MessageId, i64, i64)>,
}

impl Written {
    async fn message(
        &mut self,
        store: &SqlStore,
        tx: &mut Tx,
        seq: i64,
        message: &PastMessage,
    ) -> Result<MessageId, Failure> {
        let id = MessageId::fresh(&store.ids, message.at);
        let (author, operator) = match message.author {
            PastAuthor::Customer => ("customer", None),
            PastAuthor::Bot => ("bot", None),
            PastAuthor::Operator => ("operator", Some(self.person)),
        };
        let position = next_position(tx, self.address).await?;
        sqlx::query(
            "insert into messages (id, conversation_id, address_id, seq, author, operator_id, text, citations, \
             received_at, delivered_at, feed_position) values ($1, $2, $3, $4, $5, $6, $7, '[]', $8, $8, $9)",
        )
        .put(id)
        .put(self.conversation)
        .put(self.address)
        .put(seq)
        .put(author)
        .put(operator)
        .put(&message.text)
        .put(message.at)
        .put(position)
        .execute(&mut **tx)
        .await?;
        match (message.author, self.open) {
            (PastAuthor::Customer, None) => self.open = Some((id, seq, seq)),
            (PastAuthor::Customer, Some((first, from, _))) => self.open = Some((first, from, seq)),
            (_, Some((first, from, to))) => {
                self.exchange(tx, (first, from, to), id, message).await?;
                self.open = None;
            }
            (_, None) => {}
        }
        Ok(id)
    }

    async fn exchange(
        &self,
        tx: &mut Tx,
        (first, from, to): (MessageId, i64, i64),
        reply: MessageId,
        message: &PastMessage,
    ) -> Result<(), Failure> {
        sqlx::query(
            "insert into exchanges (message_id, conversation_id, customer_id, from_seq, to_seq, reply_id, \
             awaits_operator) values ($1, $2, $3, $4, $5, $6, 0)",
        )
        .put(first)
        .put(self.conversation)
        .put(self.customer)
        .put(from)
        .put(to)
        .put(reply)
        .execute(&mut **tx)
        .await?;
        ledger::owe(tx, self.customer, UnitId::Exchange(first), message.at).await
    }
}
