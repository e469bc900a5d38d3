//! Takes updates in: whatever was accepted is durable before anybody is told so.

use super::Ctx;
use super::wake::Bell;
use crate::domain::channel::{Cursor, Inbound, InboundEvent};
use crate::domain::text::MessageText;
use crate::engine::mask::mask;
use crate::ports::store::{Accepted, StoreError};

/// Stores updates that a channel has verified and decoded, with the cursor that they advance.
///
/// # Errors
/// [`StoreError`]: nothing was stored, and the channel must not be told that it was.
pub async fn accept(
    ctx: &Ctx,
    mut updates: Vec<Inbound>,
    cursor: Option<&Cursor>,
) -> Result<Vec<Accepted>, StoreError> {
    updates.iter_mut().for_each(mask_secrets);
    let accepted = ctx.store.accept(&updates, cursor, &ctx.timing(), ctx.clock.now()).await?;
    for one in &accepted {
        if let Accepted::New { conversation, .. } = one {
            ctx.wake.ring(Bell::Turns);
            ctx.wake.changed(*conversation);
        }
    }
    Ok(accepted)
}

/// Card numbers, passports and the like never reach the store, and so neither model, index nor log.
fn mask_secrets(update: &mut Inbound) {
    if let InboundEvent::Message(text) | InboundEvent::Edited { text, .. } | InboundEvent::TakenOver(text) =
        &mut update.event
    {
        *text = MessageText::new(mask(text.as_str()).text);
    }
    for transcript in update.attachments.iter_mut().filter_map(|file| file.transcript.as_mut()) {
        *transcript = MessageText::new(mask(transcript.as_str()).text);
    }
    if let Some(name) = &mut update.display_name {
        *name = mask(name).text;
    }
}
