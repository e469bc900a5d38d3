//! Many resolved conversations at once, straight into the tables: what years of use leave behind.

use firstline::domain::id::{ConversationId, CustomerId, MessageId};
use jiff::Timestamp;
use sqlx::{Any, Transaction};

use crate::support::{Stage, at};

/// A customer with a past.
pub(crate) struct Past {
    pub(crate) customer: CustomerId,
    /// The customer's messages, oldest first.
    pub(crate) said: Vec<MessageId>,
}

/// What is written of one exchange.
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    pub(crate) question: String,
    pub(crate) answer: String,
}

/// Writes a customer with conversations of ten exchanges each.
pub(crate) async fn past(stage: &Stage, name: &str, told: &[Told]) -> Past {
    let raw = stage.database.raw().await;
    let mut tx = raw.begin().await.unwrap();
    let customer = CustomerId::fresh(&stage.ids, at(0));
    sqlx::query("insert into customers (id, display_name, created_at) values ($1, $2, $3)")
        .bind(customer.to_string())
        .bind(name.to_owned())
        .bind(at(0).as_microsecond())
        .execute(&mut *tx)
        .await
        .unwrap();
    let address = "insert into addresses (customer_id, channel, account, external, feed_position, first_seen_at) \
                   values ($1, 'web', 'main', $2, $3, $4) returning id";
    let positions = i64::try_from(told.len() * 2).unwrap();
    let address: i64 = sqlx::query_scalar(address)
        .bind(customer.to_string())
        .bind(name.to_owned())
        .bind(positions)
        .bind(at(0).as_microsecond())
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let mut said = Vec::new();
    let mut position = 0;
    for talk in told.chunks(10) {
        let conversation = ConversationId::fresh(&stage.ids, at(0));
        resolved(&mut tx, conversation, customer, address, talk).await;
        for (place, one) in (0_i64..).zip(talk) {
            let [question, answer] = [(); 2].map(|()| MessageId::fresh(&stage.ids, at(0)));
            for (id, author, text, seq) in
                [(question, "customer", &one.question, 2 * place + 1), (answer, "bot", &one.answer, 2 * place + 2)]
            {
                position += 1;
                message(&mut tx, (conversation, address), (id, author, text), seq, position, one.at).await;
            }
            sqlx::query(
                "insert into exchanges (message_id, conversation_id, customer_id, from_seq, to_seq, reply_id, \
                 awaits_operator) values ($1, $2, $3, $4, $4, $5, 0)",
            )
            .bind(question.to_string())
            .bind(conversation.to_string())
            .bind(customer.to_string())
            .bind(2 * place + 1)
            .bind(answer.to_string())
            .execute(&mut *tx)
            .await
            .unwrap();
            sqlx::query(
                "insert into index_changes (customer_id, unit, unit_id, changed_at) values ($1, 'exchange', $2, $3)",
            )
            .bind(customer.to_string())
            .bind(question.to_string())
            .bind(one.at.as_microsecond())
            .execute(&mut *tx)
            .await
            .unwrap();
            said.push(question);
        }
    }
    tx.commit().await.unwrap();
    raw.close().await;
    Past { customer, said }
}

async fn resolved(
    tx: &mut Transaction<'_, Any>,
    id: ConversationId,
    customer: CustomerId,
    address: i64,
    talk: &[Told],
) {
    let last = i64::try_from(talk.len() * 2).unwrap();
    sqlx::query(
        "insert into conversations (id, customer_id, address_id, owner, epoch, last_seq, customer_seq, handled_seq, \
         reply_within, opened_at, last_activity_at, resolved_at) values ($1, $2, $3, 'resolved', 2, $4, $5, $4, 1, $6, $7, $7)",
    )
    .bind(id.to_string())
    .bind(customer.to_string())
    .bind(address)
    .bind(last)
    .bind(last - 1)
    .bind(talk[0].at.as_microsecond())
    .bind(talk[talk.len() - 1].at.as_microsecond())
    .execute(&mut **tx)
    .await
    .unwrap();
}

async fn message(
    tx: &mut Transaction<'_, Any>,
    (conversation, address): (ConversationId, i64),
    (id, author, text): (MessageId, &str, &str),
    seq: i64,
    position: i64,
    at: Timestamp,
) {
    sqlx::query(
        "insert into messages (id, conversation_id, address_id, seq, author, text, citations, received_at, delivered_at, \
         feed_position) values ($1, $2, $3, $4, $5, $6, '[]', $7, $7, $8)",
    )
    .bind(id.to_string())
    .bind(conversation.to_string())
    .bind(address)
    .bind(seq)
    .bind(author.to_owned())
    .bind(text.to_owned())
    .bind(at.as_microsecond())
    .bind(position)
    .execute(&mut **tx)
    .await
    .unwrap();
}
