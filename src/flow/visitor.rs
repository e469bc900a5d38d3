//! Visitors of the web chat whom their site knows.

use super::identity::{self, MergeError};
use super::wake::Bell;
use super::{Ctx, FlowError};
use crate::domain::channel::Address;
use crate::domain::customer::Claims;
use crate::domain::id::MessageId;
use crate::engine::learn;
use crate::engine::mask::mask;

/// Who answers for a merge that a site's token made.
const BY: &str = "jwt";

/// What of a site's word is kept: a number and a mail address that can be none prove nothing.
pub fn claims(name: Option<&str>, phone: Option<&str>, email: Option<&str>) -> Claims {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    Claims {
        name: name.map(|name| mask(name).text),
        phone: phone.and_then(learn::phone),
        email: email.and_then(learn::email),
    }
}

/// Whoever wrote at `from`, a stranger until now, is the one who writes at `to`: their feeds become one, and the two
/// customers one person. A second time it changes nothing.
///
/// # Errors
/// [`MergeError`].
pub async fn identify(ctx: &Ctx, from: &Address, to: &Address) -> Result<(), MergeError> {
    let joined = ctx.store.join(from, to).await.map_err(FlowError::store("join"))?;
    let Some((part, whole)) = joined.filter(|(part, whole)| part != whole) else { return Ok(()) };
    match identity::merge(&*ctx.store, &ctx.ids, (part, whole), BY, ctx.clock.now()).await {
        // Another page of the same visitor was quicker, or one of the two was erased a moment ago.
        Ok(_) | Err(MergeError::Same(..) | MergeError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Enters what the site vouches for, with the visitor's first message as its source. If that fails, the next message is.
pub async fn state_claims(ctx: &Ctx, token_hash: &str, message: MessageId) {
    match ctx.store.state_claims(token_hash, message, ctx.clock.now()).await {
        Ok(()) => ctx.wake.ring(Bell::Timers),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "what a site vouches for was not entered yet");
        }
    }
}
