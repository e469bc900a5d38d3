//! What happens in the messenger without us: a person of ours writes there, an address becomes another.

use super::accept::{Arrival, address_of, link, open_with};
use super::held::{Held, next_position};
use super::sql::{Failure, Put, Tx};
use super::{ledger, operator, timers};
use crate::domain::conversation::Ownership;
use crate::domain::handoff::Package;
use crate::domain::id::{HandoffId, MessageId, OperatorId};
use crate::domain::message::Author;
use crate::domain::text::MessageText;
use crate::ports::store::{Accepted, NewMessage, TimerKind};

/// A person of ours wrote past us. The chat is theirs, unless somebody has it here, and their words stand in it: the
/// customer has them already.
pub(super) async fn taken_over(arrival: &Arrival<'_>, tx: &mut Tx, text: &MessageText) -> Result<Accepted, Failure> {
    if arrival.is_of_erased(tx).await? {
        return Ok(Accepted::Noted);
    }
    let now = arrival.now;
    let (mut held, _) = open_with(arrival, tx).await?;
    if !matches!(held.conversation.ownership, Ownership::Human(_)) {
        held.pass_to(tx, Ownership::Human(OperatorId::OUTSIDE), now).await?;
        let handoff = HandoffId::fresh(&arrival.store.ids, now);
        operator::take(tx, &held, OperatorId::OUTSIDE, (handoff, &Package::default()), now).await?;
        // Who takes it from them here is told what it is about.
        timers::set(tx, held.id(), TimerKind::Package, now).await?;
    }
    let id = MessageId::fresh(&arrival.store.ids, now);
    let message = NewMessage { id, text: text.clone(), parts: Vec::new(), buttons: Vec::new(), citations: Vec::new() };
    let seq = held.say(tx, Author::Operator(OperatorId::OUTSIDE), &message, None, now).await?;
    let position = next_position(tx, held.address).await?;
    sqlx::query("update messages set delivered_at = $2, feed_position = $3 where id = $1")
        .put(id)
        .put(now)
        .put(position)
        .execute(&mut **tx)
        .await?;
    ledger::exchange_of_operator(tx, &held, seq, id, now).await?;
    timers::set(tx, held.id(), TimerKind::EpisodeEnd, now + arrival.timing.episode_after).await?;
    link(tx, arrival.inbox, held.id(), Some(id), Some(seq)).await?;
    Ok(Accepted::Changed { conversation: held.id() })
}

/// The address has another key from now on. If that one is known already, two customers may be one person, or a number
/// may have passed to somebody else: only a merge that somebody answers for brings them together.
pub(super) async fn moved(arrival: &Arrival<'_>, tx: &mut Tx, to: &str) -> Result<Accepted, Failure> {
    let from = &arrival.update.from;
    let dialect = arrival.store.dialect;
    let Some(here) = address_of(dialect, tx, from).await? else { return Ok(Accepted::Noted) };
    let there = crate::domain::channel::Address { external: to.to_owned(), ..from.clone() };
    let held = Held::open_at(dialect, tx, here.address).await?;
    if let Some(held) = &held {
        link(tx, arrival.inbox, held.id(), None, None).await?;
    }
    if there == *from {
        return Ok(Accepted::Noted);
    }
    if let Some(taken) = address_of(dialect, tx, &there).await? {
        let (customer, other) = (here.customer, taken.customer);
        tracing::warn!(%customer, %other, channel = %from.channel, "an address moved to one that is known already");
        return Ok(Accepted::Noted);
    }
    // Whose number it is from now on, the next message tells.
    sqlx::query("delete from proofs where address_id = $1 and kind = 'phone'")
        .put(here.address)
        .execute(&mut **tx)
        .await?;
    sqlx::query("update addresses set external = $2 where id = $1")
        .put(here.address)
        .put(to)
        .execute(&mut **tx)
        .await?;
    Ok(held.map_or(Accepted::Noted, |held| Accepted::Changed { conversation: held.id() }))
}
