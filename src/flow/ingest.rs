//! Takes updates in: whatever was accepted is durable before anybody is told so.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use super::wake::Bell;
use super::{Ctx, compose};
use crate::domain::channel::{ChannelKind, Cursor, Inbound, InboundEvent};
use crate::domain::csat;
use crate::domain::keyboard::CALL_HUMAN;
use crate::domain::proof::{CONFIRM_LINK, is_token, split_token};
use crate::domain::text::{Language, MessageText};
use crate::engine::learn;
use crate::engine::mask::mask;
use crate::ports::store::{Accepted, StoreError};
use crate::prompt::phrases::Phrase;

/// Updates of a batch of which a channel is told at a time.
const AT_A_TIME: usize = 8;

/// Stores updates that a channel has verified and decoded, with the cursor that they advance. The channel is told of those
/// that are new once they are stored; nobody waits for that.
///
/// # Errors
/// [`StoreError`]: nothing was stored, and the channel must not be told that it was.
pub async fn accept(
    ctx: &Ctx,
    mut updates: Vec<Inbound>,
    cursor: Option<&Cursor>,
) -> Result<Vec<Accepted>, StoreError> {
    for update in &mut updates {
        take_link(ctx, update);
        clean(update);
        name_tap(ctx, update);
    }
    let accepted = ctx.store.accept(&updates, cursor, &ctx.timing(), ctx.clock.now()).await?;
    for one in &accepted {
        if let Accepted::New { conversation, .. } | Accepted::Changed { conversation } = one {
            ctx.wake.ring(Bell::Turns);
            ctx.wake.ring(Bell::Timers);
            ctx.wake.ring(Bell::Deliveries);
            ctx.wake.changed(*conversation);
        }
    }
    tell(ctx, updates, &accepted);
    Ok(accepted)
}

/// Tells channels what is stored.
fn tell(ctx: &Ctx, updates: Vec<Inbound>, accepted: &[Accepted]) {
    let is_new = |(_, outcome): &(Inbound, &Accepted)| !matches!(outcome, Accepted::Duplicate { .. });
    let new = updates.into_iter().zip(accepted).filter(is_new);
    let told: Vec<_> = new.filter_map(|(update, _)| Some((Arc::clone(ctx.channel(&update.from)?), update))).collect();
    if !told.is_empty() {
        ctx.errands.run(stream::iter(told).for_each_concurrent(AT_A_TIME, |(channel, update)| async move {
            channel.stored(&update).await;
        }));
    }
}

/// Takes the token of a link out of where the channel carries it: a start, or the words of a first message.
fn take_link(ctx: &Ctx, update: &mut Inbound) {
    match &mut update.event {
        InboundEvent::Started { payload } => update.link = payload.take().filter(|token| is_token(token)),
        InboundEvent::Message(text) if update.from.channel == ChannelKind::WhatsApp => {
            let Some((token, rest)) = split_token(text.as_str()) else { return };
            // What we wrote for them is no question of theirs.
            let is_ours = |language| ctx.words.phrases.get(language, Phrase::ContinueHere) == rest;
            update.event = if rest.is_empty() || Language::ALL.into_iter().any(is_ours) {
                InboundEvent::Started { payload: None }
            } else {
                InboundEvent::Message(MessageText::new(rest))
            };
            update.link = Some(token);
        }
        _ => {}
    }
}

/// A tap says what stands on the button, also where the channel does not tell it any more.
fn name_tap(ctx: &Ctx, update: &mut Inbound) {
    let language = update.language.unwrap_or(Language::Ru);
    let InboundEvent::Pressed(press) = &mut update.event else { return };
    if press.title.is_some() {
        return;
    }
    press.title = match press.payload.as_str() {
        CALL_HUMAN => Some(compose::phrase(ctx, language, Phrase::CallHuman)),
        CONFIRM_LINK => Some(compose::phrase(ctx, language, Phrase::LinkIsMine)),
        payload => csat::Answer::of_payload(payload).map(|answer| answer.score.number().to_string()),
    };
}

/// Card numbers, passports and the like never reach the store, and so neither model, index nor log.
fn clean(update: &mut Inbound) {
    match &mut update.event {
        InboundEvent::Message(text) | InboundEvent::Edited { text, .. } | InboundEvent::TakenOver(text) => {
            *text = MessageText::new(mask(text.as_str()).text);
        }
        // The web chat's visitor tells what stands on the button.
        InboundEvent::Pressed(press) => press.title = press.title.as_deref().map(|title| mask(title).text),
        InboundEvent::Contact(contact) => {
            // What can't be a number proves nothing.
            match learn::phone(&contact.phone) {
                Some(phone) => contact.phone = phone,
                None => contact.is_own = false,
            }
            contact.name = contact.name.as_deref().map(|name| mask(name).text);
        }
        _ => {}
    }
    update.phone = update.phone.as_deref().and_then(learn::phone);
    for file in &mut update.attachments {
        file.name = file.name.as_deref().map(|name| mask(name).text);
        file.transcript = file.transcript.as_ref().map(|words| MessageText::new(mask(words.as_str()).text));
    }
    if let Some(name) = &mut update.display_name {
        *name = mask(name).text;
    }
}
