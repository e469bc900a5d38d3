//! One customer across channels: links to go on elsewhere, and merges by proof.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::identity::{self, MergeError};
use super::wake::Bell;
use super::{Ctx, FlowError, compose};
use crate::config;
use crate::domain::channel::{Address, Button, ChannelKind};
use crate::domain::conversation::{Conversation, Ownership};
use crate::domain::id::{CustomerId, Ids};
use crate::domain::proof::CONFIRM_LINK;
use crate::domain::text::{Language, hex};
use crate::ports::channel::Channel;
use crate::ports::proof::NewLink;
use crate::ports::store::Store;
use crate::prompt::phrases::Phrase;

/// A way to go on elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub channel: ChannelKind,
    /// What the customer opens.
    pub url: Url,
}

/// The channels in which somebody from `here` can go on: those that are on and have a name in the settings.
pub fn elsewhere(ctx: &Ctx, here: ChannelKind) -> impl Iterator<Item = &Arc<dyn Channel>> {
    let is_named = |kind: ChannelKind| url_of(kind, &ctx.config.identity, "", "").is_some();
    ctx.channels.iter().filter(move |channel| channel.kind() != here && is_named(channel.kind()))
}

/// Links by which whoever writes from `from` can go on in the other channels that are on and have a name in the settings.
/// `None` if they have not written yet, or are not to be remembered.
///
/// # Errors
/// [`FlowError`].
pub async fn links(ctx: &Ctx, from: &Address, language: Language) -> Result<Option<Vec<Link>>, FlowError> {
    let mut links = Vec::new();
    let words = compose::phrase(ctx, language, Phrase::ContinueHere);
    for channel in elsewhere(ctx, from.channel) {
        let token = hex(&ctx.ids.random());
        let Some(url) = url_of(channel.kind(), &ctx.config.identity, &token, &words) else { continue };
        let now = ctx.clock.now();
        let link = NewLink {
            from: from.clone(),
            channel: channel.kind(),
            account: channel.account().to_owned(),
            expires_at: now + ctx.config.identity.link_within,
        };
        if !ctx.store.add_link(&token, &link, now).await.map_err(FlowError::store("add_link"))? {
            return Ok(None);
        }
        links.push(Link { channel: channel.kind(), url });
    }
    Ok(Some(links))
}

/// Where a link leads; `None` where nobody has told our name.
fn url_of(channel: ChannelKind, names: &config::Identity, token: &str, words: &str) -> Option<Url> {
    let (name, url) = match channel {
        ChannelKind::Telegram => (&names.telegram_bot, format!("https://t.me/{}?start={token}", names.telegram_bot)),
        ChannelKind::Max => (&names.max_bot, format!("https://max.ru/{}?start={token}", names.max_bot)),
        ChannelKind::WhatsApp => {
            let text: String = url::form_urlencoded::byte_serialize(format!("{words} #{token}").as_bytes()).collect();
            // WhatsApp shows a plus as one.
            let text = text.replace('+', "%20");
            (&names.whatsapp_number, format!("https://wa.me/{}?text={text}", names.whatsapp_number))
        }
        ChannelKind::Web | ChannelKind::Terminal => return None,
    };
    if name.is_empty() { None } else { url.parse().ok() }
}

/// Follows up what tells who the customer of a conversation is: merges by proof, or asks who came by a link.
///
/// # Errors
/// [`FlowError`]; followed up again then.
pub async fn bring_together(ctx: &Ctx, conversation: &Conversation) -> Result<(), FlowError> {
    let (now, holds) = (ctx.clock.now(), ctx.config.identity.proof_holds());
    if merge_kin(&*ctx.store, &ctx.ids, conversation.customer, holds, now).await? > 0 {
        ctx.wake.ring(Bell::Indexing);
    }
    if conversation.ownership == Ownership::Bot {
        let language = conversation.language.unwrap_or(Language::Ru);
        let words = compose::phrase(ctx, language, Phrase::ConfirmLink);
        let title = compose::phrase(ctx, language, Phrase::LinkIsMine);
        let button = Button { title, payload: CONFIRM_LINK.to_owned() };
        let question = compose::with_shortcuts(ctx, &conversation.address, &words, Vec::new(), vec![button]);
        let asked = ctx.store.ask_about_link(conversation.id, conversation.epoch, &question, now).await;
        if asked.map_err(FlowError::store("ask_about_link"))? {
            ctx.wake.ring(Bell::Deliveries);
        }
    }
    Ok(())
}

/// Merges a customer with everybody who is the same person by proof; returns how many they were. Who was here first keeps
/// the key.
///
/// # Errors
/// [`FlowError`].
pub async fn merge_kin(
    store: &dyn Store,
    ids: &Ids,
    customer: CustomerId,
    holds: Option<SignedDuration>,
    now: Timestamp,
) -> Result<usize, FlowError> {
    let mut merged = 0;
    for kin in store.kin(customer).await.map_err(FlowError::store("kin"))? {
        if !kin.is_proven(now, holds) {
            tracing::info!(%customer, other = %kin.other, by = kin.kind.name(), "two customers may be one person");
            continue;
        }
        // Ids grow with the time at which they were made.
        let (whole, part) = (customer.min(kin.other), customer.max(kin.other));
        match identity::merge(store, ids, (part, whole), &format!("proof:{}", kin.kind.name()), now).await {
            Ok(merge) => {
                tracing::info!(%merge.id, part = %merge.part, whole = %merge.whole, by = %merge.by, "merged by proof");
                merged += 1;
            }
            // By another proof, or gone, meanwhile.
            Err(MergeError::Same(..) | MergeError::NotFound(_)) => {}
            Err(MergeError::Flow(error)) => return Err(error),
        }
    }
    Ok(merged)
}
