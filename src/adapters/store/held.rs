//! A conversation whose row is held until the transaction ends, and what may be done to it: the moves that ingest,
//! turns, operators and delivery share.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use super::rows::{self, CONVERSATION, CONVERSATIONS};
use super::sql::{Dialect, Failure, Fields, Put, Statement, Tx, composed, document};
use super::{ledger, timers};
use crate::domain::channel::Button;
use crate::domain::conversation::{Conversation, Ownership};
use crate::domain::id::{ConversationId, MessageId, OperatorId, TurnId};
use crate::domain::message::Author;
use crate::ports::ledger::UnitId;
use crate::ports::store::{NewHandoff, NewMessage, TimerKind};

/// A conversation that nobody else changes until the transaction ends.
pub(super) struct Held {
    /// As it is now: moves keep it true to the row.
    pub(super) conversation: Conversation,
    pub(super) address: i64,
    /// Sequence of the customer's newest message.
    pub(super) customer_seq: i64,
    pub(super) reply_within: SignedDuration,
}

impl Held {
    /// Holds a conversation by key.
    pub(super) async fn by_id(dialect: Dialect, tx: &mut Tx, id: ConversationId) -> Result<Option<Self>, Failure> {
        Self::fetch(tx, select(&dialect.hold("c"), "c.id = $1").put(id)).await
    }

    /// Holds a conversation by key; `None` also where somebody else holds it just now.
    pub(super) async fn by_id_if_free(
        dialect: Dialect,
        tx: &mut Tx,
        id: ConversationId,
    ) -> Result<Option<Self>, Failure> {
        Self::fetch(tx, select(&dialect.hold_free("c"), "c.id = $1").put(id)).await
    }

    /// Holds a conversation, if its epoch is still this one.
    pub(super) async fn at_epoch(
        dialect: Dialect,
        tx: &mut Tx,
        id: ConversationId,
        epoch: i64,
    ) -> Result<Option<Self>, Failure> {
        Self::fetch(tx, select(&dialect.hold("c"), "c.id = $1 and c.epoch = $2").put(id).put(epoch)).await
    }

    /// Holds the conversation of an address that is not resolved.
    pub(super) async fn open_at(dialect: Dialect, tx: &mut Tx, address: i64) -> Result<Option<Self>, Failure> {
        Self::fetch(tx, select(&dialect.hold("c"), "c.address_id = $1 and c.owner <> 'resolved'").put(address)).await
    }

    /// Holds the conversation that is not resolved of an address, or of one that was joined to it: the one that was active last.
    pub(super) async fn open_in_feed(dialect: Dialect, tx: &mut Tx, address: i64) -> Result<Option<Self>, Failure> {
        let which = "c.address_id in (select j.id from addresses j where j.id = $1 or j.feed_id = $1) \
                     and c.owner <> 'resolved' order by c.last_activity_at desc, c.id limit 1";
        Self::fetch(tx, select(&dialect.hold("c"), which).put(address)).await
    }

    async fn fetch(tx: &mut Tx, select: Statement) -> Result<Option<Self>, Failure> {
        select.fetch_optional(&mut **tx).await?.as_ref().map(Self::read).transpose()
    }

    fn read(row: &AnyRow) -> Result<Self, Failure> {
        let fields = Fields::new(row, "conversations", "c_");
        Ok(Self {
            conversation: rows::conversation(row)?,
            address: fields.integer("address_id")?,
            customer_seq: fields.integer("customer_seq")?,
            reply_within: SignedDuration::from_micros(fields.integer("reply_within")?),
        })
    }

    pub(super) fn id(&self) -> ConversationId {
        self.conversation.id
    }

    /// Stores a message of ours, and its parts in the outbox under the epoch that holds now. Returns its sequence.
    pub(super) async fn say(
        &mut self,
        tx: &mut Tx,
        author: Author,
        message: &NewMessage,
        turn: Option<TurnId>,
        now: Timestamp,
    ) -> Result<i64, Failure> {
        let seq = self.conversation.last_seq + 1;
        let (name, operator) = rows::author(author);
        sqlx::query(
            "insert into messages (id, conversation_id, address_id, seq, author, operator_id, text, citations, \
             turn_id, received_at, buttons) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .put(message.id)
        .put(self.id())
        .put(self.address)
        .put(seq)
        .put(name)
        .put(operator)
        .put(&message.text)
        .put(&document(&message.citations))
        .put(turn)
        .put(now)
        .put(&document(&message.buttons))
        .execute(&mut **tx)
        .await?;
        let last = message.parts.len().saturating_sub(1);
        for (part, (id, text)) in message.parts.iter().enumerate() {
            let buttons: &[Button] = if part == last { &message.buttons } else { &[] };
            sqlx::query(
                "insert into outbox (id, conversation_id, message_id, author, epoch, seq, part, text, dedupe_key, \
                 state, next_attempt_at, created_at, buttons) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, $10, $11)",
            )
            .put(*id)
            .put(self.id())
            .put(message.id)
            .put(name)
            .put(self.conversation.epoch)
            .put(seq)
            .put(part)
            .put(text)
            .put(&format!("{}:{part}", message.id))
            .put(now)
            .put(&document(&buttons))
            .execute(&mut **tx)
            .await?;
        }
        sqlx::query("update conversations set last_seq = $2, last_activity_at = $3 where id = $1")
            .put(self.id())
            .put(seq)
            .put(now)
            .execute(&mut **tx)
            .await?;
        self.conversation.last_seq = seq;
        self.conversation.last_activity_at = now;
        Ok(seq)
    }

    /// Gives the conversation to another owner: raises the epoch, fences a running turn out, withdraws what the bot has
    /// not sent, and settles who owes what. Handoffs are the caller's.
    pub(super) async fn pass_to(&mut self, tx: &mut Tx, to: Ownership, now: Timestamp) -> Result<(), Failure> {
        let (owner, operator) = rows::owner(to);
        let resolved_at = (to == Ownership::Resolved).then_some(now);
        sqlx::query(
            "update conversations set owner = $2, operator_id = $3, epoch = epoch + 1, handled_seq = last_seq, \
             ready_at = null, lease_until = null, lease_boot = null, resolved_at = $4 where id = $1",
        )
        .put(self.id())
        .put(owner)
        .put(operator)
        .put(resolved_at)
        .execute(&mut **tx)
        .await?;
        self.conversation.ownership = to;
        self.conversation.epoch += 1;
        self.conversation.handled_seq = self.conversation.last_seq;
        self.withdraw(tx, now).await?;
        timers::clear(tx, self.id(), TimerKind::ReplyDeadline).await?;
        match to {
            Ownership::Queued => {}
            Ownership::Bot => {
                for kind in [TimerKind::UnclaimedNotice, TimerKind::Package] {
                    timers::clear(tx, self.id(), kind).await?;
                }
                sqlx::query("update conversations set failures = 0, ask_backs = 0 where id = $1")
                    .put(self.id())
                    .execute(&mut **tx)
                    .await?;
                self.owe_again(tx, now).await?;
            }
            // A person has the transcript before them, and in it what did not arrive.
            Ownership::Human(_) => {
                for kind in [TimerKind::UnclaimedNotice, TimerKind::UnknownSend, TimerKind::Undelivered] {
                    timers::clear(tx, self.id(), kind).await?;
                }
            }
            Ownership::Resolved => {
                for kind in
                    [TimerKind::UnclaimedNotice, TimerKind::UnknownSend, TimerKind::Undelivered, TimerKind::Package]
                {
                    timers::clear(tx, self.id(), kind).await?;
                }
                timers::set(tx, self.id(), TimerKind::EpisodeEnd, now).await?;
            }
        }
        Ok(())
    }

    /// Cancels the bot's pending parts that were promised under an earlier epoch. A message of which the customer can
    /// have seen nothing was never said: its turn answers nobody, and its exchange is forgotten. True if there was one.
    pub(super) async fn withdraw(&mut self, tx: &mut Tx, now: Timestamp) -> Result<bool, Failure> {
        let cancelled = sqlx::query(
            "update outbox set state = 'cancelled', settled_at = $3 \
             where conversation_id = $1 and author = 'bot' and state = 'pending' and epoch <> $2 \
             returning message_id as p_message_id",
        )
        .put(self.id())
        .put(self.conversation.epoch)
        .put(now)
        .fetch_all(&mut **tx)
        .await?;
        let mut messages = Vec::new();
        for row in &cancelled {
            messages.push(Fields::new(row, "outbox", "p_").id::<MessageId>("message_id")?);
        }
        messages.sort_unstable();
        messages.dedup();
        let mut withdrawn = false;
        for message in messages {
            withdrawn |= self.withdraw_message(tx, message, now).await?;
        }
        Ok(withdrawn)
    }

    async fn withdraw_message(&self, tx: &mut Tx, message: MessageId, now: Timestamp) -> Result<bool, Failure> {
        let unseen = sqlx::query(
            "update messages set withdrawn_at = $2 where id = $1 and withdrawn_at is null and not exists \
             (select 1 from outbox p where p.message_id = $1 and p.state in ('sending', 'sent', 'unknown'))",
        )
        .put(message)
        .put(now)
        .execute(&mut **tx)
        .await?;
        if unseen.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("update turns set state = 'withdrawn' where reply_id = $1 and state = 'committed'")
            .put(message)
            .execute(&mut **tx)
            .await?;
        let forgotten = sqlx::query("delete from exchanges where reply_id = $1 returning message_id as x_message_id")
            .put(message)
            .fetch_all(&mut **tx)
            .await?;
        for row in &forgotten {
            let unit = UnitId::Exchange(Fields::new(row, "exchanges", "x_").id("message_id")?);
            ledger::owe(tx, self.conversation.customer, unit, now).await?;
        }
        Ok(true)
    }

    /// The bot owes an answer to what neither a committed turn nor an operator's word answered: its turn begins now, and
    /// the deadline anew. A turn under way does not know of it, and is fenced out.
    pub(super) async fn owe_again(&mut self, tx: &mut Tx, now: Timestamp) -> Result<(), Failure> {
        if self.conversation.ownership != Ownership::Bot {
            return Ok(());
        }
        let row = sqlx::query(
            "select coalesce((select max(t.to_seq) from turns t where t.conversation_id = $1 and t.state = 'committed'), 0) \
             as c_turns, coalesce((select max(m.seq) from messages m where m.conversation_id = $1 and m.author = 'operator'), \
             0) as c_operators",
        )
        .put(self.id())
        .fetch_one(&mut **tx)
        .await?;
        let fields = Fields::new(&row, "conversations", "c_");
        let answered = fields.integer("turns")?.max(fields.integer("operators")?);
        if self.customer_seq <= answered {
            return Ok(());
        }
        sqlx::query(
            "update conversations set handled_seq = $2, ready_at = $3, lease_until = null, lease_boot = null where id = $1",
        )
        .put(self.id())
        .put(answered)
        .put(now)
        .execute(&mut **tx)
        .await?;
        self.conversation.handled_seq = answered;
        timers::set(tx, self.id(), TimerKind::ReplyDeadline, now + self.reply_within).await
    }

    /// Puts a handoff into the queue, with its timers.
    pub(super) async fn open_handoff(&self, tx: &mut Tx, handoff: &NewHandoff, now: Timestamp) -> Result<(), Failure> {
        sqlx::query(
            "insert into handoffs (id, conversation_id, reason, queue, priority, state, package, opened_at) \
             values ($1, $2, $3, $4, $5, 'open', $6, $7)",
        )
        .put(handoff.id)
        .put(self.id())
        .put(handoff.reason.name())
        .put(&handoff.queue)
        .put(handoff.priority)
        .put(&document(&handoff.package))
        .put(now)
        .execute(&mut **tx)
        .await?;
        timers::set(tx, self.id(), TimerKind::UnclaimedNotice, handoff.unclaimed_notice_at).await?;
        if let Some(due_at) = handoff.package_due_at {
            timers::set(tx, self.id(), TimerKind::Package, due_at).await?;
        }
        Ok(())
    }

    /// Ends the handoff that is open or claimed, if there is one.
    pub(super) async fn close_handoff(&self, tx: &mut Tx, state: &'static str, now: Timestamp) -> Result<(), Failure> {
        sqlx::query(
            "update handoffs set state = $2, closed_at = $3 where conversation_id = $1 and state in ('open', 'claimed')",
        )
        .put(self.id())
        .put(state)
        .put(now)
        .execute(&mut **tx)
        .await?;
        sqlx::query("update exchanges set awaits_operator = 0 where conversation_id = $1 and awaits_operator = 1")
            .put(self.id())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Gives the handoff in the queue to an operator. False if none is open or claimed.
    pub(super) async fn claim_handoff(
        &self,
        tx: &mut Tx,
        operator: OperatorId,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let claimed = sqlx::query(
            "update handoffs set state = 'claimed', operator_id = $2, claimed_at = coalesce(claimed_at, $3) \
             where conversation_id = $1 and state in ('open', 'claimed')",
        )
        .put(self.id())
        .put(operator)
        .put(now)
        .execute(&mut **tx)
        .await?;
        Ok(claimed.rows_affected() > 0)
    }

    /// The customer can't be reached any more: what is still owed to their address is dead, and the conversation over.
    pub(super) async fn lose(&mut self, tx: &mut Tx, now: Timestamp) -> Result<(), Failure> {
        kill_owed(tx, self.address, now).await?;
        if self.conversation.ownership != Ownership::Resolved {
            self.pass_to(tx, Ownership::Resolved, now).await?;
            self.close_handoff(tx, "resolved", now).await?;
        }
        Ok(())
    }

    /// Notes that the customer was told that a machine answers.
    pub(super) async fn disclose(&self, tx: &mut Tx, now: Timestamp) -> Result<(), Failure> {
        sqlx::query("update conversations set disclosed_at = $2 where id = $1")
            .put(self.id())
            .put(now)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

/// `hold` ends the statement as a dialect wants it.
fn select(hold: &str, which: &str) -> Statement {
    composed(format!(
        "select {CONVERSATION}, c.address_id as c_address_id, c.customer_seq as c_customer_seq, \
         c.reply_within as c_reply_within from {CONVERSATIONS} where {which} {hold}"
    ))
}

/// Nothing that is pending for an address will be sent.
pub(super) async fn kill_owed(tx: &mut Tx, address: i64, now: Timestamp) -> Result<(), Failure> {
    sqlx::query(
        "update outbox set state = 'dead', error = 'the customer can''t be reached', settled_at = $2 \
         where state = 'pending' and conversation_id in (select c.id from conversations c where c.address_id = $1)",
    )
    .put(address)
    .put(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The same for words of the customer, sent at that time: how long the channel lets us answer is counted from there.
pub(super) async fn next_inbound_position(tx: &mut Tx, address: i64, sent_at: Timestamp) -> Result<i64, Failure> {
    let row = sqlx::query(
        "update addresses set feed_position = feed_position + 1, \
         last_inbound_at = case when last_inbound_at > $2 then last_inbound_at else $2 end \
         where id = $1 returning id as a_id, feed_position as a_feed_position, feed_id as a_feed_id",
    )
    .put(address)
    .put(sent_at)
    .fetch_one(&mut **tx)
    .await?;
    in_feed(tx, &row).await
}

/// The next position in the feed of an address. Its row stays locked until the transaction ends, so that whoever reads
/// a position has seen, or can see, every lower one.
pub(super) async fn next_position(tx: &mut Tx, address: i64) -> Result<i64, Failure> {
    let row = sqlx::query(
        "update addresses set feed_position = feed_position + 1 where id = $1 \
         returning id as a_id, feed_position as a_feed_position, feed_id as a_feed_id",
    )
    .put(address)
    .fetch_one(&mut **tx)
    .await?;
    in_feed(tx, &row).await
}

/// The position that was given out; where the address was joined to another, the other one's next.
async fn in_feed(tx: &mut Tx, row: &AnyRow) -> Result<i64, Failure> {
    let fields = Fields::new(row, "addresses", "a_");
    let Some(feed) = fields.integer_or_null("feed_id")? else { return fields.integer("feed_position") };
    let row = sqlx::query(
        "update addresses set feed_position = feed_position + 1 where id = $1 \
         returning id as a_id, feed_position as a_feed_position",
    )
    .put(feed)
    .fetch_one(&mut **tx)
    .await?;
    Fields::new(&row, "addresses", "a_").integer("feed_position")
}
