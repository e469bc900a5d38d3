//! What stands after English goods: that they were bought, that they came, that they are on their way, whom they are from.

use super::phrases::{is_code, is_day, is_month};
use super::reading::{Token, one_of};

/// Past what tells more of the goods: "for my eldest", "from order 903345", "(order 4096117)".
pub(super) fn past<'a, 'b>(rest: &'a [Token<'b>]) -> &'a [Token<'b>] {
    let low = |at: usize| rest.get(at).map_or("", |token| token.low.as_str());
    let code = |at: usize| rest.get(at).is_some_and(is_code);
    match low(0) {
        "for" if one_of("my our", low(1)) => &rest[3.min(rest.len())..],
        "from" | "in" if code(1) => &rest[2..],
        "from" | "in" if low(1) == "order" && code(2) => &rest[3..],
        "from" | "in" if low(2) == "order" && code(3) => &rest[4..],
        _ if code(0) => &rest[1..],
        _ => rest,
    }
}

/// "… that I bought", "… we've just had from you", "… you sold us", "… ordered by me".
pub(super) fn is_relative(rest: &[Token<'_>]) -> bool {
    let rest = match rest.first() {
        Some(first) if one_of("that which what", &first.low) => &rest[1..],
        _ => rest,
    };
    let low = |at: usize| rest.get(at).map(|token| token.low.replace('’', "'")).unwrap_or_default();
    let skipped = rest
        .iter()
        .skip(1)
        .take_while(|token| one_of("have had just only already recently also 've", &token.low))
        .count();
    let had = skipped > 0 && low(skipped) == "had";
    let verb = if had && !one_of(BOUGHT, &low(1 + skipped)) { low(skipped) } else { low(1 + skipped) };
    let from_you = || {
        rest.iter()
            .take(6)
            .zip(rest.iter().skip(1))
            .any(|(from, who)| one_of("off from", &from.low) && is_you(&who.low))
    };
    match low(0).as_str() {
        "i" | "we" | "i've" | "we've" | "ive" | "weve" | "i'd" | "we'd" => {
            (one_of(BOUGHT, &verb)
                || verb == "paid" && low(2 + skipped) == "for"
                || one_of("had get got have", &verb) && from_you())
                && !is_from_others(rest, (2 + skipped).min(rest.len()))
                && !is_stranded(rest, 2 + skipped)
                && !one_of("it them this that", &low(2 + skipped))
        }
        "you" | "u" | "ye" | "youse" | "you've" => {
            one_of("sold sent delivered fitted supplied installed brought shipped", &verb)
                && !one_of("my our his her their a an the to", &low(2 + skipped))
                && !(one_of("me us", &low(2 + skipped)) && one_of("a an the my our some", &low(3 + skipped)))
        }
        "your" => one_of("sold delivered fitted supplied installed brought", &low(2)),
        "ordered" | "bought" | "purchased" => {
            one_of("by from off", &low(1)) && (is_you(&low(2)) || one_of("me us", &low(2)))
        }
        "," => {
            one_of("ordered bought purchased", &low(1))
                && one_of("by from off", &low(2))
                && (is_you(&low(3)) || one_of("me us", &low(3)))
        }
        _ => false,
    }
}

/// "The phone I ordered on is dead".
fn is_stranded(rest: &[Token<'_>], at: usize) -> bool {
    let ends = |next: &Token<'_>| next.divides() || one_of("is are was were has died", &next.low);
    rest.get(at).is_some_and(|of| one_of("from on with at to in", &of.low)) && rest.get(at + 1).is_none_or(ends)
}

const BOUGHT: &str = "bought ordered got purchased received collected treated";

/// "… came", "… has arrived", "… hasn't turned up", "… was delivered"; but not "came off".
pub(super) fn came(rest: &[Token<'_>]) -> bool {
    // "The pillow that came with the duvet".
    let beside = matches!(rest, [that, came, with, whose, ..]
        if that.low == "that" && came.low == "came" && with.low == "with" && one_of("the my", &whose.low));
    let rest = match rest.first() {
        Some(first) if one_of("that which", &first.low) => &rest[1..],
        _ => rest,
    };
    let skipped = rest.iter().take_while(|token| one_of(AUXILIARY, &token.low.replace('’', "'"))).count();
    let Some(verb) = rest.get(skipped).map(|verb| verb.low.as_str()) else { return false };
    let next = rest.get(skipped + 1).map_or("", |next| next.low.as_str());
    let after = rest.get(skipped + 2).map_or("", |next| next.low.as_str());
    let dated = rest.get(skipped + 2).is_some_and(is_day);
    let moved = next == "on" && !dated
        || one_of("off away loose undone apart out down up back over through to from round around across", next)
        || next == "in" && !one_of("a an the two three pieces bits", after);
    match verb {
        "came" => !moved && !beside,
        "arrived" => !one_of("at", next),
        "come" | "arrive" => skipped > 0 && !moved,
        "delivered" | "left" | "dumped" => skipped > 0,
        "showed" => next == "up",
        "turned" => next == "up" && !one_of("at", after),
        "reached" => one_of("me us", next),
        _ => false,
    }
}

const AUXILIARY: &str =
    "has have hasn't haven't hasnt havent never not still just finally only was were is did didn't didnt yet";

/// "… could be brought on Friday", "… was supposed to be here", "… still says processing".
pub(super) fn is_on_its_way(rest: &[Token<'_>]) -> bool {
    const WAY: &str =
        "delivered brought come comes coming arrive arriving due here shipped dispatched processing fitted carried";
    let verb = rest.first().is_some_and(|verb| {
        one_of("could can has had is are was were be must should will would still hasn't haven't comes", &verb.low)
    });
    let mut clause = rest.iter().take(7).take_while(|token| !token.divides());
    verb && clause.any(|token| one_of(WAY, &token.low))
}

/// "… is due on Saturday", "… comes on 8 June": on a day, whatever its order.
pub(super) fn is_due(rest: &[Token<'_>]) -> bool {
    let low = |at: usize| rest.get(at).map_or("", |token| token.low.as_str());
    let on_day = |at: usize| low(at) == "on" && rest.get(at + 1).is_some_and(is_day);
    match low(0) {
        "is" | "are" => low(1) == "due" && !one_of("to", low(2)) || one_of("coming arriving", low(1)) && on_day(2),
        "comes" | "arrives" | "come" | "arrive" => on_day(1),
        _ => false,
    }
}

/// "… won't charge", "… leaks": what things do that are broken.
pub(super) fn is_broken(rest: &[Token<'_>]) -> bool {
    const FAILS: &str = "charge turn start heat hold light connect print spin switch fit close lock inflate fold";
    let low = |at: usize| rest.get(at).map(|token| token.low.replace('’', "'")).unwrap_or_default();
    one_of("won't wont doesn't doesnt don't dont", &low(0)) && one_of(FAILS, &low(1))
        || one_of("leaks leak leaked drips drip hums squeaks flicker flickers stinks wobbles tore snapped", &low(0))
}

/// "… from you", "… from your shop".
pub(super) fn is_from_us(rest: &[Token<'_>]) -> bool {
    let [from, who, ..] = rest else { return false };
    let shop = rest.get(2).is_some_and(|shop| one_of("shop store site website online", &shop.low));
    one_of("from off", &from.low) && is_you(&who.low) && (who.low != "your" || shop)
}

/// "… from a guy on the beach", "… off eBay": not from us.
pub(super) fn is_from_others(tokens: &[Token<'_>], to: usize) -> bool {
    let words = tokens
        .get(to..)
        .unwrap_or_default()
        .iter()
        .take(8)
        .take_while(|token| !token.divides() && !one_of("and but so", &token.low));
    let seller = |(from, who): (&Token<'_>, &Token<'_>)| {
        one_of("from off", &from.low) && one_of("a an another some my his her", &who.low)
    };
    let place = |(of, place): (&Token<'_>, &Token<'_>)| {
        of.low == "in" && place.is_capital() && !is_month(&place.low) && !is_day(place)
    };
    let other = words.clone().zip(words.clone().skip(1)).any(place) || words.clone().zip(words.skip(1)).any(seller);
    other
        || tokens.get(to).is_some_and(|next| one_of("from off at frm", &next.low))
            && tokens.get(to + 1).is_some_and(|who| {
                !is_you(&who.low) && !one_of("order orders the", &who.low) && !is_code(who) && !is_day(who)
            })
}

pub(super) fn is_you(low: &str) -> bool {
    one_of("yourselves you u ye youse yous y'all ya yous you've youse yall your", low)
}
