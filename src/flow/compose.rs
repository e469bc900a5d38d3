//! From decisions to words, and from words to a message that is ready for the store.

use jiff::Timestamp;

use super::Ctx;
use crate::domain::channel::{Address, Button};
use crate::domain::conversation::Conversation;
use crate::domain::id::{MessageId, OutboxId};
use crate::domain::keyboard::{CALL_HUMAN, written_out};
use crate::domain::knowledge::FoundSection;
use crate::domain::message::Citation;
use crate::domain::split::{split, units};
use crate::domain::text::{Language, MessageText};
use crate::domain::turn::Decision;
use crate::engine::turn::Plan;
use crate::ports::channel::Limits;
use crate::ports::store::NewMessage;
use crate::prompt::phrases::{Phrase, SmallTalk};

/// Longest part where a channel is switched off and can't say what it carries: Telegram's.
const CAUTIOUS_UNITS: usize = 4096;

/// A message to `address`, cut to what its channel carries.
pub fn message(ctx: &Ctx, address: &Address, text: &str, citations: Vec<Citation>) -> NewMessage {
    let now = ctx.clock.now();
    let parts = split(text, limits(ctx, address).text_units).into_iter();
    NewMessage {
        id: MessageId::fresh(&ctx.ids, now),
        text: MessageText::new(text),
        parts: parts.map(|part| (OutboxId::fresh(&ctx.ids, now), MessageText::new(part))).collect(),
        buttons: Vec::new(),
        citations,
    }
}

/// The same with buttons under it; written out where the channel does not carry them.
pub fn offering(
    ctx: &Ctx,
    address: &Address,
    text: &str,
    citations: Vec<Citation>,
    buttons: Vec<Button>,
) -> NewMessage {
    if carries(&limits(ctx, address), text, &buttons) {
        NewMessage { buttons, ..message(ctx, address, text, citations) }
    } else {
        message(ctx, address, &written_out(text, &buttons), citations)
    }
}

/// The same with buttons that are only handy, since the words say it too; left out where the channel does not carry them.
pub fn with_shortcuts(
    ctx: &Ctx,
    address: &Address,
    text: &str,
    citations: Vec<Citation>,
    buttons: Vec<Button>,
) -> NewMessage {
    let buttons = if carries(&limits(ctx, address), text, &buttons) { buttons } else { Vec::new() };
    NewMessage { buttons, ..message(ctx, address, text, citations) }
}

fn limits(ctx: &Ctx, address: &Address) -> Limits {
    ctx.channel(address).map_or(Limits::text(CAUTIOUS_UNITS), |channel| channel.limits())
}

fn carries(limits: &Limits, text: &str, buttons: &[Button]) -> bool {
    let last = split(text, limits.text_units).last().map_or(0, |part| units(part));
    buttons.len() <= limits.buttons && last <= limits.buttoned_units
}

/// The button that asks for a person. What stands on it is what the customer says by tapping it.
pub fn call_human(ctx: &Ctx, language: Language) -> Button {
    Button { title: phrase(ctx, language, Phrase::CallHuman), payload: CALL_HUMAN.to_owned() }
}

/// A note to colleagues: stored, never sent.
pub fn note(ctx: &Ctx, text: &str) -> NewMessage {
    let id = MessageId::fresh(&ctx.ids, ctx.clock.now());
    NewMessage { id, text: MessageText::new(text), parts: Vec::new(), buttons: Vec::new(), citations: Vec::new() }
}

/// Something that the bot says by itself.
pub fn phrase(ctx: &Ctx, language: Language, phrase: Phrase<'_>) -> String {
    ctx.words.phrases.get(language, phrase)
}

/// A plan that is no handoff, in words.
///
/// # Panics
/// On a handoff: [`super::handoff`] words those, with their package.
pub fn decision(ctx: &Ctx, language: Language, asked: &str, plan: Plan) -> Decision {
    let company = ctx.config.company.name.as_str();
    let fixed = |words: Phrase<'_>| Decision::Answer { text: phrase(ctx, language, words), citations: Vec::new() };
    match plan {
        Plan::Greet => fixed(Phrase::Greeting { company }),
        Plan::SmallTalk => fixed(Phrase::SmallTalk(small_talk(asked))),
        Plan::Noted { name, order_number } => {
            fixed(Phrase::Noted { name: name.as_deref(), order_number: order_number.as_deref() })
        }
        Plan::OutOfScope => fixed(Phrase::OutOfScope { company }),
        Plan::Quote(section) => quote(ctx, language, &section),
        Plan::AskWhich(sections) => {
            let titles: Vec<&str> = sections.iter().map(|section| section.title.as_str()).collect();
            Decision::AskBack { text: phrase(ctx, language, Phrase::AskWhich { titles: &titles }) }
        }
        Plan::Say { text, citations } => Decision::Answer { text, citations },
        Plan::AskBack { text } => {
            Decision::AskBack { text: text.unwrap_or_else(|| phrase(ctx, language, Phrase::Rephrase)) }
        }
        Plan::Ignore => Decision::Ignore { reason: "policy".to_owned() },
        Plan::HandOff(_) => unreachable!("handoffs are worded with their package"),
    }
}

fn quote(ctx: &Ctx, language: Language, section: &FoundSection) -> Decision {
    let words = Phrase::ArticleQuote { title: &section.title, heading: &section.heading, text: &section.text };
    let citation = Citation { source: section.article.clone(), title: section.title.clone() };
    Decision::Answer { text: phrase(ctx, language, words), citations: vec![citation] }
}

/// Which politeness it is; a greeting where nothing else can be told.
fn small_talk(asked: &str) -> SmallTalk {
    let asked = asked.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| asked.contains(word));
    if has(&["спасиб", "благодар", "thank", "thx", "спс"]) {
        SmallTalk::Thanks
    } else if has(&["до свидан", "пока", "всего добр", "всего хорош", "bye", "see you"])
    {
        SmallTalk::Bye
    } else {
        SmallTalk::Greeting
    }
}

/// The words for a detail that a queue wants to know: an acknowledgement where it is known, a question where it is not.
/// `None` for details that nobody asks a customer for.
pub fn detail(ctx: &Ctx, language: Language, key: &str, value: Option<&str>) -> Option<String> {
    match (key, value) {
        ("order_number", Some(order_number)) => Some(phrase(ctx, language, Phrase::KnownOrderNumber { order_number })),
        ("order_number", None) => Some(phrase(ctx, language, Phrase::AskOrderNumber)),
        _ => None,
    }
}

/// The words with the notice that a machine answers, at the first contact and again after a while; true if it is there.
pub fn with_disclosure(
    ctx: &Ctx,
    conversation: &Conversation,
    language: Language,
    words: &str,
    now: Timestamp,
) -> (String, bool) {
    let again_after = ctx.config.disclosure.again_after;
    let told = conversation.disclosed_at.is_some_and(|at| now.duration_since(at) < again_after);
    if told {
        return (words.to_owned(), false);
    }
    let company = ctx.config.company.name.as_str();
    // The greeting says it by itself.
    if words == phrase(ctx, language, Phrase::Greeting { company }) {
        return (words.to_owned(), true);
    }
    let disclosure = phrase(ctx, language, Phrase::Disclosure { company });
    (format!("{disclosure}\n\n{words}"), true)
}
