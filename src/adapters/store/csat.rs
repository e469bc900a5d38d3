//! How satisfied customers were: the question once, the score once, thanked once, each in one transaction.

use jiff::{SignedDuration, Timestamp};

use super::accept::{self, Arrival, link};
use super::held::Held;
use super::sql::{Failure, Fields, Put, Tx};
use crate::domain::csat::{Answer, HelpedBy, Score};
use crate::domain::id::{ConversationId, MessageId, OutboxId};
use crate::domain::message::Author;
use crate::ports::store::{Accepted, NewMessage, Question};

/// For how long a digit that is typed is taken for an answer. A tap is one for ever.
const TYPED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Asks about a conversation in which the customer said something, unless they were asked before.
pub(super) async fn ask(tx: &mut Tx, held: &mut Held, question: &Question, now: Timestamp) -> Result<(), Failure> {
    let row = sqlx::query(
        "select (select count(*) from csat s where s.conversation_id = $1) as s_asked, \
         (select count(*) from messages m where m.conversation_id = $1 and m.author = 'operator') as s_people, \
         (select count(*) from turns t where t.conversation_id = $1 and t.state = 'committed' and t.decision = 'answer') \
         as s_bot",
    )
    .put(held.id())
    .fetch_one(&mut **tx)
    .await?;
    let fields = Fields::new(&row, "csat", "s_");
    if held.customer_seq == 0 || fields.integer("asked")? > 0 {
        return Ok(());
    }
    let kind = HelpedBy::of(fields.integer("bot")? > 0, fields.integer("people")? > 0);
    sqlx::query("insert into csat (conversation_id, address_id, kind, thanks, asked_at) values ($1, $2, $3, $4, $5)")
        .put(held.id())
        .put(held.address)
        .put(kind.name())
        .put(&question.thanks)
        .put(now)
        .execute(&mut **tx)
        .await?;
    held.say(tx, Author::Bot, &question.message, None, now).await?;
    Ok(())
}

/// A tap on the question. Of one that was answered, or that was never asked there, nothing comes.
pub(super) async fn tapped(arrival: &Arrival<'_>, tx: &mut Tx, answer: Answer) -> Result<Accepted, Failure> {
    let from = &arrival.update.from;
    let asked = sqlx::query(
        "select 1 as s_asked from csat s join addresses a on a.id = s.address_id \
         where s.conversation_id = $1 and a.channel = $2 and a.account = $3 and a.external = $4",
    )
    .put(answer.conversation)
    .put(from.channel.name())
    .put(&from.account)
    .put(&from.external)
    .fetch_optional(&mut **tx)
    .await?;
    match asked {
        Some(_) => scored(arrival, tx, answer, None).await,
        None => Ok(Accepted::Noted),
    }
}

/// A digit that is typed, which answers the question if that was the last thing between us: nothing new was begun since, and
/// it was a while ago at most. Otherwise it is a message like any other.
pub(super) async fn typed(arrival: &Arrival<'_>, tx: &mut Tx, score: Score) -> Result<Accepted, Failure> {
    let provider_id = arrival.update.message_id.as_deref();
    let from = &arrival.update.from;
    let asked = sqlx::query(
        "select s.conversation_id as s_conversation_id from csat s join addresses a on a.id = s.address_id \
         where a.channel = $1 and a.account = $2 and a.external = $3 and s.score is null and s.asked_at > $4 \
         and not exists (select 1 from conversations c where c.address_id = s.address_id and c.opened_at > s.asked_at) \
         and not exists (select 1 from conversations c where c.address_id = s.address_id and c.owner <> 'resolved')",
    )
    .put(from.channel.name())
    .put(&from.account)
    .put(&from.external)
    .put(arrival.now - TYPED_WITHIN)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = asked.filter(|_| arrival.update.attachments.is_empty()) else {
        return accept::said(arrival, tx, provider_id).await;
    };
    let conversation: ConversationId = Fields::new(&row, "csat", "s_").id("conversation_id")?;
    scored(arrival, tx, Answer { conversation, score }, provider_id).await
}

/// Keeps the score, shows the customer's answer in the conversation that it is about, and thanks for it.
async fn scored(
    arrival: &Arrival<'_>,
    tx: &mut Tx,
    answer: Answer,
    provider_id: Option<&str>,
) -> Result<Accepted, Failure> {
    let (store, now) = (arrival.store, arrival.now);
    let Some(mut held) = Held::by_id(store.dialect, tx, answer.conversation).await? else { return Ok(Accepted::Noted) };
    let kept = sqlx::query(
        "update csat set score = $2, scored_at = $3 where conversation_id = $1 and score is null \
         returning thanks as s_thanks",
    )
    .put(held.id())
    .put(answer.score.number())
    .put(now)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(kept) = kept else { return Ok(Accepted::Noted) };
    let said = arrival.update.event.transcript_text().unwrap_or_default();
    let (message, seq) = accept::put(arrival, tx, &held, &said, provider_id).await?;
    // Nobody owes an answer to it.
    sqlx::query("update conversations set last_seq = $2, customer_seq = $2, handled_seq = $2 where id = $1")
        .put(held.id())
        .put(seq)
        .execute(&mut **tx)
        .await?;
    held.conversation.last_seq = seq;
    let thanks = Fields::new(&kept, "csat", "s_").words("thanks")?;
    let thanks = NewMessage {
        id: MessageId::fresh(&store.ids, now),
        text: thanks.clone(),
        parts: vec![(OutboxId::fresh(&store.ids, now), thanks)],
        buttons: Vec::new(),
        citations: Vec::new(),
    };
    held.say(tx, Author::Bot, &thanks, None, now).await?;
    link(tx, arrival.inbox, held.id(), Some(message), Some(seq)).await?;
    Ok(Accepted::New { message, conversation: held.id(), seq })
}
