//! English sentences that tell of other people alone: nothing in them is the customer's own.

use std::sync::LazyLock;

use regex::Regex;

use super::reading::{Reading, Sentence};
use super::said::pattern;

/// People who are somebody's.
const KIN: &str = r"(?:mums?|moms?|mothers?|dads?|fathers?|parents|grandparents|brothers?|sisters?|sons?|daughters?|kids?|children|husband|hubby|wife|missus|partner|girlfriend|boyfriend|fiancee?|ex|friends?|mates?|pals?|budd(?:y|ies)|neighbou?rs?|colleagues?|coworkers?|workmates?|boss|aunt|auntie|uncle|cousins?|niece|nephew|gran|granny|nan|nana|grandma|grandmother|grandad|grandpa|grandfather|grandson|granddaughter|flatmates?|roommates?|housemates?|landlord|landlady|lodger|tenants?|teacher|student|assistant|carer|pa)(?:[ -]in[ -]law)?";

/// People whom one only meets.
const ANY: &str = r"(?:man|men|woman|women|lady|ladies|guys?|blokes?|chaps?|lads?|girls?|boys?|person|people|couple|family|tenants?|owners?|occupants?|customer|friend|mate|neighbou?rs?|colleague|uncle|aunt|cousin|somebody|stranger)";

/// Somebody else who does or has something; for whom something is, is not told of.
static SOMEONE: LazyLock<Regex> = LazyLock::new(|| {
    let owned = r"(?:name|account|acct|order|parcel|package|phone|number|mobile|cell|e-?mail|mail|address|place|house|flat|card|profile|login|is)";
    pattern(&format!(
        r"\b(?P<to>(?:for|to|with|by|from|and|through|at|near) )?(?:(?:my|our|his|her|their|the|a|an|some|one|another|that) (?:\w+ )?{KIN}\b(?P<of>['’]s(?P<owned> {owned}\b)?)?(?: of (?:mine|ours))?|(?:the|a|an|some|one|another|that|this) (?:\w+ )?{ANY}\b(?: of (?:mine|ours)| (?:behind|before|ahead of|in front of|next to|opposite) (?:me|us))?|(?:the|our|my) \w+ (?:next door|upstairs|downstairs|opposite|across the \w+)|somebody|someone)"
    ))
});

/// Who was named before.
static AGAIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:he|she|his|hers?|him)\b"));

/// The customer themselves.
static FIRST_PERSON: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:i|im|ive|me|my|mine|myself|we|us|our|ours|weve|speaking|here)\b"));

/// "… number 77120, I believe": what one thinks of it tells nothing of oneself.
static BY_THE_WAY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bi (?:believe|think|guess|suppose|reckon)\b"));

/// "My flatmate Rafael has an account with you under …": whose account, number or mailbox comes next.
static HOLDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:my|our|his|her|their) (?:\w+ )?{KIN}(?: \w+)? (?:has|had|have|uses?|used|opened|registered|signed up)\b([^.!?]*)$"
    ))
});

/// Whether the words before a value, in small letters, say that somebody else has it.
pub(super) fn hold(before: &str) -> bool {
    HOLDS.captures(before).is_some_and(|found| !FIRST_PERSON.is_match(&found[1]))
}

/// Who speaks, or asks something of us.
static SPEAKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:i|im|ive|me|my|mine|we|us|our|ours|weve|speaking|here|this is|it['’]?s|please|pls|kindly|could your|can you|could you)\b",
    )
});

/// Whether a sentence names somebody else who does or has something, and the customer nowhere.
fn tells_of_others(text: &str) -> bool {
    names_others(text) && !FIRST_PERSON.is_match(&BY_THE_WAY.replace_all(&SOMEONE.replace_all(text, " "), " "))
}

fn names_others(text: &str) -> bool {
    SOMEONE
        .captures_iter(text)
        .any(|found| found.name("owned").is_some() || found.name("to").is_none() && found.name("of").is_none())
}

/// What is told of the customer: without the sentences that are of others, and nothing at all where the customer is never
/// spoken of beside them.
pub(super) fn without_others<'a>(reading: &Reading<'a>) -> Reading<'a> {
    let text = |sentence: &Sentence<'_>| sentence.text.to_lowercase();
    let (mut others, mut named) = (false, false);
    let mut kept: Vec<Sentence<'a>> = Vec::new();
    for sentence in &reading.sentences {
        let text = text(sentence);
        let of_them = tells_of_others(&text) || named && AGAIN.is_match(&text) && !FIRST_PERSON.is_match(&text);
        named |= names_others(&text);
        others |= of_them;
        if !of_them {
            kept.push(sentence.clone());
        }
    }
    if others && !kept.iter().any(|sentence| SPEAKS.is_match(&text(sentence))) {
        kept.clear();
    }
    Reading { sentences: kept, orders_to_us: reading.orders_to_us.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::learn::reading::prepared;

    fn kept(text: &str) -> usize {
        let text = prepared(text);
        without_others(&Reading::of(&text)).sentences.len()
    }

    #[test]
    fn what_is_told_of_others_is_left() {
        for text in [
            "my neighbour Pauline had a parcel from you, order 77120, and it was squashed flat. does this happen a lot??",
            "An uncle of mine, Klaus, lives at Goethestrasse 5 in Munich. Do people tip couriers over there?",
            "The man in the next office bought order 448120 and his shirt shrank. Is linen always like that?",
            "My flatmate Tom says he only takes calls after six, and he is on 07700 900311.",
            "You can call my husband after six",
        ] {
            assert_eq!(kept(text), 0, "{text}");
        }
        assert_eq!(kept("My gran can't type so I'm doing it. She's Agnes, order 661023."), 1);
    }

    #[test]
    fn what_is_for_others_is_the_customers() {
        for text in [
            "Deliver to my wife, 12 High Street",
            "My daughter's clarinet reeds never came. This is Tamika, order 5518207",
            "My husband uses a wheelchair. Please come to 64 Ponga Street",
            "The dog barks but he doesn't bite. Zelenaya 3, Gatchina",
            "Driver says he needs a number so give him 07700 900803",
        ] {
            let whole = Reading::of(text).sentences.len();
            assert!(kept(text) + 1 >= whole && kept(text) > 0, "{text}");
        }
    }
}
