//! Whether a sentence repeats something as the customer's: asks about it, denies it, or says that they said so.

use std::sync::LazyLock;

use regex::Regex;

use super::pattern;
use crate::engine::words::sentences;

/// What a figure that only the customer named is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Duration,
    Money,
    Day,
    Other,
}

/// Whether the sentence at `place` of `text` leaves what stands there to the customer.
pub(super) fn is_theirs(text: &str, place: usize, about: About) -> bool {
    let (sentence, start) = sentence_at(text, place);
    if sentence.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '?').ends_with('?') {
        return true;
    }
    let lower = |part: &str| part.to_lowercase().replace('ё', "е").replace('’', "'");
    let at = place.saturating_sub(start).min(sentence.len());
    let (before, after) = (lower(&sentence[..at]), lower(&sentence[at..]));
    let whole = IDIOMS.replace_all(&format!("{before}{after}"), "|").into_owned();
    let affirmed = BUT.is_match(&before) || INSTEAD_OF_ANOTHER.is_match(&after);
    let event = match about {
        About::Duration => Some(&*WAITED),
        About::Money => Some(&*PAID),
        About::Day => Some(&*HAPPENED),
        About::Other => None,
    };
    SAID.is_match(&IDIOMS.replace_all(&before, "|"))
        || event.is_some_and(|event| event.is_match(&whole))
        || (NEGATED.is_match(&whole) && !affirmed)
}

/// The sentence at a place, and where it begins.
fn sentence_at(text: &str, place: usize) -> (&str, usize) {
    let mut from = 0;
    for sentence in sentences(text) {
        let start = text[from..].find(sentence).map_or(from, |at| from + at);
        let end = start + sentence.len();
        if place < end {
            return (sentence, start);
        }
        from = end;
    }
    (text, 0)
}

/// Words that deny, ask or quote in form only.
pub(super) static IDIOMS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:не (?:волнуйтесь|переживайте|беспокойтесь|сомневайтесь|проблема|вопрос|за что|только|забудьте|стесняйтесь)|нет проблем|без проблем|don'?t (?:worry|forget|hesitate)|no (?:problem|worries|doubt)|not (?:only|at all|a problem)|why not|как вы (?:и |уже |верно |правильно |сами )*(?:сказали|писали|написали|пишете|говорите|упомянули|указали)|вы (?:верно|правильно|справедливо) (?:сказали|написали|указали|упомянули)|as you (?:\w+ )?(?:said|say|mentioned|wrote|write|noted|stated))\b",
    )
});
pub(super) static NEGATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:не|нет|ни|нельзя|невозможно|вместо|сожалению|увы|not|no|never|cannot|cant|unfortunately|instead|rather than|without|unable|sorry|afraid|dont|doesnt|isnt|wont)\b|n't\b",
    )
});
static SAID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\bвы (?:\w+ ){0,2}(?:пишете|писали|написали|сказали|говорите|упомянули|упоминали|указали|спросили|спрашиваете|назвали|имеете в виду)\b|\bпо вашим словам\b|\bв вашем сообщении\b|\byou (?:\w+ ){0,2}(?:said|say|mentioned|wrote|write|asked|named|mean)\b|\byour message\b",
    )
});
static WAITED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:назад|прошло|ждете|ago|have passed|has passed|been waiting|waited)\b"));
static PAID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\bваш\w* (?:заказ|покупк|корзин|сумм)\w* (?:на|за|в|от|стоимостью|суммой|составля\w+|стоит)\b|\bсумма (?:вашего )?заказа\b|\bвы (?:\w+ )?(?:оплатили|заплатили|заказали на)\b|\byour (?:order|purchase|basket|cart) (?:of|for|at|is|comes|total\w*|costs)\b|\border total\b|\byou (?:have )?paid\b",
    )
});
static HAPPENED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\bвы (?:\w+ )?(?:заказали|купили|оплатили|получили|оформили)\b|\bваш\w* (?:заказ\w*|покупк\w+|сообщени\w+) от\b|\byou (?:\w+ )?(?:ordered|bought|paid|received)\b|\byour (?:order|purchase|message) (?:of|from|dated|placed)\b",
    )
});
/// "Не 14, а 90": what follows is affirmed.
static BUT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\bне\b[^.!?]{0,40}[, ]а\s[^.!?]{0,25}$|\bnot\b[^.!?]{0,40}\bbut\b[^.!?]{0,25}$"));
/// "90 days, not 14": what stands before is affirmed.
static INSTEAD_OF_ANOTHER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[^.!?]{0,25}(?:,? а не|,? not|,? вместо|,? instead of|,? rather than) (?:\w+ )?\d"));
