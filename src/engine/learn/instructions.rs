//! Orders to the bot, dressed as statements: nothing in such a sentence is learnt of the customer.

use std::sync::LazyLock;

use regex::Regex;

use crate::engine::words::folded;

static INSTRUCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:запомни(?:те)?|запоминай(?:те)?|запиши(?:те)? (?:себе|в память|что)|игнорируй(?:те)?|проигнорируй(?:те)?|забудь(?:те)? (?:все|про|о|инструк\w+|предыдущ\w+|свои)|не обращай(?:те)? внимания на|ты теперь|теперь ты|с этого момента|отныне|впредь|действуй(?:те)? как|веди себя|притворись|представь что ты|выполняй|соблюдай|(?:системн\w+|тво[ий]х?|сво[ий]х?|предыдущ\w+) (?:промпт\w*|инструкц\w+|правила)|всегда (?:возвращай|давай|делай|одобряй|отвечай|говори|соглашайся|предоставляй|называй|считай|применяй|подтверждай)\w*|(?:одобряй|возвращай)(?:те)? всегда|remember|ignore|disregard|forget (?:all|everything|previous|your|the)|from now on|you are now|act as|pretend|system prompt|(?:previous|prior|your|all) instructions|always (?:refund|give|approve|grant|say|answer|agree|reply|offer|apply|treat|accept|confirm|return)\w*|must always|override|developer mode|jailbreak)\b",
    )
    .expect("the pattern is written here and compiles")
});

static ENTITLEMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:возврат\w*|скидк\w+|бесплатн\w+|компенсац\w+|refunds?|discounts?|free|compensat\w+)(?: \w+){0,5} (?:всегда|always|100|положен\w*)\b|\b(?:всегда|always)(?: \w+){0,5} (?:возврат\w*|скидк\w+|бесплатн\w+|refunds?|discounts?|free)\b",
    )
    .expect("the pattern is written here and compiles")
});

/// Who is told what to do at the door, and is not the bot.
const AT_THE_DOOR: [&str; 4] =
    ["driver must always", "drivers must always", "courier must always", "couriers must always"];

/// Whether a text tells the bot what to do, rather than us what is so.
pub(super) fn is_instruction(text: &str) -> bool {
    INSTRUCTION.is_match(&without(&without(&folded(text), &["i remember"]), &AT_THE_DOOR))
}

/// Words that begin an order to the bot, and just as well a wish: "from now on write to me in Telegram".
const LASTING: [&str; 5] = ["i remember", "from now on", "впредь", "отныне", "с этого момента"];

/// Whether a text is an order to the bot also where it says how long a wish holds. What such a text grants its writer is
/// an order.
pub(super) fn is_order(text: &str) -> bool {
    let folded = folded(text);
    let rest = without(&folded, &LASTING);
    INSTRUCTION.is_match(&without(&rest, &AT_THE_DOOR)) || (rest != folded && ENTITLEMENT.is_match(&rest))
}

fn without(folded: &str, phrases: &[&str]) -> String {
    phrases.iter().fold(folded.to_owned(), |text, phrase| text.replace(phrase, " "))
}

/// Whether a text grants its writer something: at best a claim.
pub(super) fn is_entitlement(text: &str) -> bool {
    ENTITLEMENT.is_match(&folded(text))
}
