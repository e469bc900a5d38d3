//! Delivery: outbox to channel, one part at a time, and the record of how it ended.

use jiff::{SignedDuration, Timestamp};
use tracing::Instrument;

use super::wake::Bell;
use super::{Ctx, Progress};
use crate::domain::outbox::{Outbound, SendOutcome, WINDOW_CLOSED, backoff};
use crate::ports::Retry;
use crate::ports::channel::{Receipt, SendError};
use crate::ports::store::StoreError;

/// Attempts after which a part that is certainly not sent is given up: with the back-off, about half an hour.
const ATTEMPTS: i64 = 12;

/// How long a channel may take to answer before the outcome counts as unknown.
const SEND_WITHIN: std::time::Duration = std::time::Duration::from_secs(20);

/// How long a part waits whose channel is switched off.
const CHANNEL_OFF: SignedDuration = SignedDuration::from_secs(60);

/// Sends the next part that is due.
///
/// # Errors
/// [`StoreError`]; a part that was being sent then is found again by recovery.
pub async fn tick(ctx: &Ctx) -> Result<Progress, StoreError> {
    let claim = ctx.claim();
    let claimed_at = ctx.clock.now();
    let Some(part) = ctx.store.claim_outbound(&claim, claimed_at).await? else { return Ok(Progress::Idle) };
    let span = tracing::info_span!("flow.deliver", outbox.id = %part.id, conversation.id = %part.conversation,
        channel = %part.to.channel, attempt = part.attempts);
    async {
        let outcome = attempt(ctx, &part, claimed_at + claim.lease_for).await;
        report(&outcome);
        settle(ctx, &part, &outcome).await
    }
    .instrument(span)
    .await?;
    Ok(Progress::Worked)
}

/// Sends a part, unless the claim has run out: another process has given the part up then, and may have sent what comes
/// after it.
async fn attempt(ctx: &Ctx, part: &Outbound, claimed_until: Timestamp) -> SendOutcome {
    let now = ctx.clock.now();
    if now >= claimed_until {
        return SendOutcome::NotSent { retry_at: now, why: "the claim ran out before it was sent".to_owned() };
    }
    let Some(channel) = ctx.channel(&part.to) else {
        return SendOutcome::NotSent {
            retry_at: ctx.clock.now() + CHANNEL_OFF,
            why: format!("channel {} is switched off", part.to.channel),
        };
    };
    let limits = channel.limits();
    if is_closed(channel.window(&part.to), part.last_inbound_at, now) {
        return SendOutcome::Dead { why: WINDOW_CLOSED.to_owned(), unreachable: false };
    }
    if let Err(retry_at) = ctx.paces.grant(&part.to, limits.pace, now) {
        return SendOutcome::TooSoon { retry_at };
    }
    let sent = tokio::time::timeout(SEND_WITHIN, channel.send(part)).await;
    let sent =
        sent.unwrap_or_else(|_| Err(SendError::Unknown { why: "the channel did not answer in time".to_owned() }));
    match &sent {
        Ok(_) => ctx.paces.taken(&part.to),
        Err(SendError::NotSent { retry: Retry::After(wait), .. }) => {
            ctx.paces.refused(&part.to, *wait, ctx.clock.now());
        }
        Err(_) => {}
    }
    outcome_of(sent, part.attempts, limits.idempotent, ctx.clock.now())
}

/// Whether the channel takes nothing any more that the customer has not asked for lately.
fn is_closed(window: Option<SignedDuration>, last_inbound_at: Option<Timestamp>, now: Timestamp) -> bool {
    window.is_some_and(|window| last_inbound_at.is_none_or(|last| now.duration_since(last) >= window))
}

/// What becomes of a part, by the class of its outcome.
fn outcome_of(sent: Result<Receipt, SendError>, attempts: i64, idempotent: bool, now: Timestamp) -> SendOutcome {
    let again = |why: String, wait: SignedDuration| {
        if attempts >= ATTEMPTS {
            SendOutcome::Dead { why: format!("given up after {attempts} attempts: {why}"), unreachable: false }
        } else {
            SendOutcome::NotSent { retry_at: now + wait, why }
        }
    };
    match sent {
        Ok(receipt) => SendOutcome::Sent(receipt.provider_id),
        Err(SendError::NotSent { why, retry: Retry::Never }) => SendOutcome::Dead { why, unreachable: false },
        Err(SendError::NotSent { why, retry: Retry::Later }) => again(why, backoff(attempts)),
        Err(SendError::NotSent { why, retry: Retry::After(wait) }) => again(why, wait),
        Err(SendError::Unknown { why }) if idempotent => again(why, backoff(attempts)),
        Err(SendError::Unknown { why }) => SendOutcome::Unknown { why },
        Err(SendError::Refused { why, unreachable }) => SendOutcome::Dead { why, unreachable },
    }
}

fn report(outcome: &SendOutcome) {
    match outcome {
        SendOutcome::Sent(_) => tracing::debug!("sent"),
        SendOutcome::NotSent { why, retry_at } => tracing::info!(%why, %retry_at, "not sent, will be tried again"),
        SendOutcome::TooSoon { retry_at } => tracing::debug!(%retry_at, "the channel would not take it yet"),
        SendOutcome::Unknown { why } => tracing::warn!(%why, "nobody can tell whether it was sent"),
        SendOutcome::Dead { why, .. } => tracing::warn!(%why, "can't be sent"),
    }
}

async fn settle(ctx: &Ctx, part: &Outbound, outcome: &SendOutcome) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    ctx.store.settle(part, outcome, now + ctx.config.outbox.unknown_after, now).await?;
    if matches!(outcome, SendOutcome::TooSoon { .. }) {
        return Ok(());
    }
    ctx.wake.changed(part.conversation);
    ctx.wake.ring(Bell::Timers);
    // The next part of this conversation may have waited for this one.
    ctx.wake.ring(Bell::Deliveries);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown() -> Result<Receipt, SendError> {
        Err(SendError::Unknown { why: "reset".to_owned() })
    }

    #[test]
    fn an_unknown_outcome_is_repeated_only_where_that_shows_once() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(matches!(outcome_of(unknown(), 1, false, now), SendOutcome::Unknown { .. }));
        assert!(matches!(outcome_of(unknown(), 1, true, now), SendOutcome::NotSent { .. }));
    }

    #[test]
    fn a_window_closes_after_the_customers_newest_words() {
        let (day, last) = (Some(SignedDuration::from_hours(24)), Timestamp::UNIX_EPOCH);
        let after = |hours| last + SignedDuration::from_hours(hours);
        assert!(!is_closed(day, Some(last), after(23)));
        assert!(is_closed(day, Some(last), after(24)));
        assert!(is_closed(day, None, after(0)), "who has never written has opened nothing");
        assert!(!is_closed(None, None, after(1_000)));
    }

    #[test]
    fn the_channels_wait_is_obeyed_and_tries_end() {
        let now = Timestamp::UNIX_EPOCH;
        let wait = SignedDuration::from_secs(34);
        let limited = || Err(SendError::NotSent { why: "429".to_owned(), retry: Retry::After(wait) });
        let SendOutcome::NotSent { retry_at, .. } = outcome_of(limited(), 1, false, now) else { panic!("not sent") };
        assert_eq!(retry_at, now + wait);
        assert!(matches!(outcome_of(limited(), ATTEMPTS, false, now), SendOutcome::Dead { .. }));
    }
}
