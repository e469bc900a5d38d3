//! What a customer who writes English bought from us: a noun phrase tied by the sentence to a purchase of their own, to an
//! order of theirs, or to its coming to them. Goods that are only spoken of are not taken.

use std::sync::LazyLock;

use regex::Regex;

use super::addresses::in_street;
use super::doubts;
use super::fates::{came, is_broken, is_due, is_from_others, is_from_us, is_on_its_way, is_relative, is_you, past};
use super::phrases::{
    KIN, Span, has_code, has_goods, is_branded, is_code, is_count, is_day, is_determiner, is_empty, is_generic,
    is_lone_doubtful, is_month, phrase,
};
use super::reading::{Reading, Sentence, Token, one_of};
use super::said::pattern;

/// Most things of one list.
const MOST: usize = 3;

/// What speaks of a purchase outside the sentence.
#[derive(Debug, Clone, Copy)]
struct Around {
    /// The number of an order of theirs stands in the message.
    order: bool,
    /// They say of something that they bought it: "I ordered them on Monday".
    anaphor: bool,
    /// The sentence asks.
    asks: bool,
}

/// The goods that a message says were bought, as written, in order.
pub(super) fn bought(reading: &Reading<'_>, has_order: bool) -> Vec<String> {
    let anaphor = reading.sentences.iter().any(|one| ANAPHOR.is_match(&one.folded) && !asks_which(one));
    let anaphor = anaphor || ANAPHOR_APART.is_match(&reading.folded());
    let mut all = Vec::new();
    for sentence in reading.sentences.iter().filter(|sentence| !doubts::is_of_another(sentence)) {
        let tokens = fluent(&sentence.tokens);
        let around = Around { order: has_order, anaphor, asks: sentence.asks };
        for (from, to) in spans(&tokens, around) {
            let (start, end) = (tokens[from].start, tokens[to - 1].end);
            if !in_street(sentence.text, start, end) {
                all.push(sentence.text[start..end].to_owned());
            }
        }
    }
    all
}

/// "The kettle in your advert, is it the one I bought?"
fn asks_which(sentence: &Sentence<'_>) -> bool {
    sentence.asks
        && [" is it ", " is that ", " is this ", " are they "].iter().any(|word| sentence.folded.contains(word))
}

/// Without what one says while one looks for the word: "the uh the soundbar".
fn fluent<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut all: Vec<Token<'a>> = Vec::new();
    for token in tokens.iter().filter(|token| !one_of("uh um uhm er erm hmm", &token.low)) {
        if !(is_determiner(token) && all.last().is_some_and(|last| last.low == token.low)) {
            all.push(token.clone());
        }
    }
    all
}

/// "I ordered it on Monday", "bought them off you".
static ANAPHOR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:i|we|ive|weve) (?:(?:have|had|only|just) )*(?:ordered|bought|purchased|paid for) (?:it|them|this|these|that) | the ones? (?:i|we) (?:ordered|bought) ",
    )
});

/// "My wok is rusty. Bought it in May."
static ANAPHOR_APART: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" \. (?:ordered|bought|purchased) (?:it|them|this|these|that) "));

fn spans(tokens: &[Token<'_>], around: Around) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::new();
    for at in 0..tokens.len() {
        if all.last().is_some_and(|(_, to)| at < *to) {
            continue;
        }
        let found = object(tokens, at, around).or_else(|| subject(tokens, at, around));
        let Some(first) = found.filter(|span| all.last().is_none_or(|(_, to)| span.0 >= *to)) else { continue };
        all.extend(listed(tokens, first));
    }
    all.truncate(MOST);
    all
}

/// "A kettle, a pan and two mugs": what is listed with the first.
fn listed(tokens: &[Token<'_>], first: Span) -> Vec<Span> {
    let mut all = vec![first];
    while let Some(&(_, to)) = all.last()
        && all.len() < MOST
        && let Some(link) = tokens.get(to).filter(|link| one_of("and & , + plus", link.text))
    {
        let both = link.text == "," && tokens.get(to + 1).is_some_and(|next| next.low == "and");
        let from = to + 1 + usize::from(both);
        let Some(next) = phrase(tokens, from).filter(|next| is_listed(tokens, from, *next)) else { break };
        all.push(next);
    }
    all
}

/// A part of what came, "and the lens is scratched", is nothing of the list.
fn is_listed(tokens: &[Token<'_>], from: usize, (begin, to): Span) -> bool {
    let ends = tokens.get(to).is_none_or(|next| next.divides() || one_of("and & from in for on with", &next.low));
    let named = has_goods(&tokens[begin..to]) && !is_generic(&tokens[begin..to]);
    let part =
        one_of("the its", &tokens[from].low) && tokens.get(to).is_some_and(|next| one_of("in for on with", &next.low));
    ends && named && !part
}

/// After a verb of buying: "I ordered a kettle", "you sold me this lamp", "it's about the curtains".
fn object(tokens: &[Token<'_>], at: usize, around: Around) -> Option<Span> {
    let low = tokens[at].low.as_str();
    let strong = one_of("ordered bought purchased", low);
    let weak = one_of("received collected got had booked buy order", low);
    let theirs = (strong || weak) && is_buyer(tokens, at);
    if weak && let Some(found) = instead(tokens, at).filter(|_| theirs && (around.order || around.anaphor)) {
        return Some(found);
    }
    if theirs || is_paid_for(tokens, at) {
        let from = after_seller(tokens, at + 1);
        // "The vacuum I bought off you wont turn on": what was bought stands before.
        if is_in_relative(tokens, at) && !tokens.get(from).is_some_and(is_determiner) {
            return None;
        }
        let found = things(tokens, from).filter(|span| !is_from_others(tokens, span.1))?;
        let done = tokens.get(found.1..found.1 + 2).is_some_and(|next| next[0].low == "to" && next[1].low == "be");
        let generic = done || is_generic(&tokens[found.0..found.1]);
        let supported = !weak || is_supported(tokens, at, from, found, around);
        let bare = if theirs { is_bare_goods(tokens, found) } else { has_goods(&tokens[found.0..found.1]) };
        let named = bare || from < found.0 && (theirs || tokens[from].low != "your");
        return (supported && named && !generic).then_some(found);
    }
    if low == "delivery"
        && tokens.get(at + 1).is_some_and(|of| of.low == "of")
        && at > 0
        && tokens[at - 1].low == "took"
    {
        return phrase(tokens, at + 2).filter(|found| has_goods(&tokens[found.0..found.1]));
    }
    if one_of("sold delivered supplied fitted installed brought", low) && at > 0 && is_you(&tokens[at - 1].low) {
        let from = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|next| one_of("me us", &next.low)));
        return phrase(tokens, from).filter(|found| {
            from < found.0 && !is_generic(&tokens[found.0..found.1]) && has_goods(&tokens[found.0..found.1])
        });
    }
    asked_for(tokens, at, around)
}

/// "The vacuum I bought": the verb follows its object and who bought it.
fn is_in_relative(tokens: &[Token<'_>], verb: usize) -> bool {
    let who = tokens[..verb].iter().rposition(|token| !is_between(&token.low.replace('’', "'")));
    let before =
        who.filter(|who| one_of(SELVES, &tokens[*who].low.replace('’', "'"))).and_then(|who| who.checked_sub(1));
    before.is_some_and(|before| {
        let token = &tokens[before];
        let from = tokens[..before].iter().rposition(Token::divides).map_or(0, |mark| mark + 1);
        let noun = has_goods(&tokens[before..=before]) || one_of("that which one ones thing things", &token.low);
        let links = one_of("and but so because as since when now then", &token.low);
        noun || token.is_word() && !links && !is_day(token) && is_determiner(&tokens[from])
    })
}

/// "I paid for a course", "signed up for it", "subscribed to it".
fn is_paid_for(tokens: &[Token<'_>], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or("", |place| tokens[place].low.as_str());
    match (before(1), tokens[at].low.as_str()) {
        ("paid", "for") | ("subscribed", "to") | ("enrolled", "on" | "in" | "for") => is_buyer(tokens, at - 1),
        ("up", "for") => before(2) == "signed" && is_buyer(tokens, at - 2),
        _ => false,
    }
}

/// "I have received a dress instead of a coat": the coat was ordered.
fn instead(tokens: &[Token<'_>], verb: usize) -> Option<Span> {
    let at = verb + tokens[verb..].iter().take(8).position(|token| token.low == "instead")?;
    let of = tokens.get(at + 1).is_some_and(|token| token.low == "of");
    phrase(tokens, at + 2).filter(|(begin, to)| of && has_goods(&tokens[*begin..*to]))
}

/// "Where is my lamp", "bring us our sofa", "waiting for the curtains", "it's about the talking clock".
fn asked_for(tokens: &[Token<'_>], at: usize, around: Around) -> Option<Span> {
    let before = |back: usize| at.checked_sub(back).map_or("", |place| tokens[place].low.as_str());
    let low = tokens[at].low.as_str();
    let about = low == "about" && one_of("it's its is it’s", before(1)) && !one_of("what that this", before(2));
    let starts = at == 0 || tokens[at - 1].divides() || one_of("please you and just", before(1));
    let waited = match low {
        "deliver" | "bring" => starts || before(1) == "so" || before(1) == "to" && before(2) == "please",
        "is" | "are" => one_of("where when", before(1)) || starts,
        "expect" | "await" | "awaits" | "expecting" => true,
        "return" | "exchange" | "swap" => around.order && before(1) != "in",
        "will" => before(1) == "when",
        "wheres" | "where's" | "whens" | "when's" | "came" | "arrived" => true,
        "for" => one_of("waiting wait", before(1)),
        "of" => before(1) == "delivery",
        "about" => around.order,
        "need" | "want" | "like" => {
            (around.order || around.anaphor) && (starts || one_of(SELVES, before(1)) || low == "like")
        }
        "when" => true,
        _ => false,
    };
    let from = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|next| one_of("me us", &next.low)));
    let determiner = tokens.get(from).map_or("", |token| token.low.as_str());
    let (begin, to) = phrase(tokens, from).filter(|found| from < found.0)?;
    let run = &tokens[begin..to];
    let mine = one_of("my our", determiner);
    let sure = has_goods(run) && !is_lone_doubtful(run);
    let about = about && (sure || around.order || around.anaphor) && one_of("the my our a an", determiner);
    let settled = about
        || waited && sure && around.order && one_of("return exchange swap", low) && one_of("a an the", determiner)
        || waited && sure && (mine || determiner == "the" && (around.order || around.anaphor || before(1) == "please"));
    let next = tokens.get(to).map_or("", |next| next.low.as_str());
    let fits = match low {
        "is" | "are" if starts => one_of("coming arriving here due on", next),
        "when" => one_of("is are will comes arrives", next),
        "like" => one_of("delivered brought dropped collected by on before", next),
        _ => next != "back",
    };
    (settled && fits && !is_generic(run)).then_some((begin, to))
}

/// What stands before what says that it was bought: "the lamp I ordered", "my lilies came brown", "order 81246, the stand".
fn subject(tokens: &[Token<'_>], at: usize, around: Around) -> Option<Span> {
    let before = at.checked_sub(1).map_or("", |place| tokens[place].low.as_str());
    let begins = at == 0 || tokens[at - 1].divides() || is_code(&tokens[at - 1]) || before == "about";
    let determined = is_determiner(&tokens[at]);
    let of_order = around.order && one_of("for of its it's is", before);
    if !(begins || determined || of_order) || is_code(&tokens[at]) {
        return None;
    }
    let (begin, to) = phrase(tokens, at)?;
    let run = &tokens[begin..to];
    let rest = past(&tokens[to..]);
    if is_relative(rest) {
        return is_wanted(run, rest, determined, around).then_some((begin, to));
    }
    let of_order = is_in_order(&tokens[to..]) && determined && (has_goods(run) || run.len() > 1);
    if is_generic(run) || one_of("your that those", &tokens[at].low) && !of_order {
        return None;
    }
    let mine = one_of("my our", &tokens[at].low);
    let definite = mine || one_of("the these this", &tokens[at].low) && determined;
    let free = at == 0 || !is_preposition(&tokens[at - 1].low);
    let sure = has_goods(run) && !is_lone_doubtful(run);
    let whole = (at == 0 || before == "its" || before == "it's") && rest.first().is_none_or(|next| next.text == ".");
    let subscribed = mine
        && one_of("pause freeze", before)
        && run.last().is_some_and(|head| one_of("subscription membership", &head.low));
    let told = subscribed
        || (whole || at == 0 && rest.first().is_some_and(|next| one_of("and &", next.text))) && sure && around.order
        || (definite || is_count(&tokens[at]) || begins && sure)
            && free
            && came(rest)
            && (sure || around.order || around.anaphor)
        || mine
            && rest.first().is_some_and(|next| one_of("from off", &next.low))
            && rest.get(1).is_some_and(|next| next.low != "your" && is_you(&next.low))
        || definite && sure && (is_from_us(rest) && !around.asks || free && is_due(rest))
        || definite && around.order && is_broken(rest) && run.len() > 1 && (sure || is_branded(run))
        || of_order
        || definite && sure && around.order && is_on_its_way(rest)
        || mine && sure && around.order && has_code(tokens)
        || definite && sure && free && around.anaphor
        || around.order && is_of_order(tokens, at, (begin, to));
    told.then_some((begin, to))
}

/// "… in order M-391155", "… from order 530788".
fn is_in_order(rest: &[Token<'_>]) -> bool {
    let [of, order, ..] = rest else { return false };
    one_of("in from", &of.low) && (is_code(order) || order.low == "order" && rest.get(2).is_some_and(is_code))
}

/// Whether what was bought, sold, sent or got by the words after it is goods: a photo, a word of advice are sent as well.
fn is_wanted(run: &[Token<'_>], rest: &[Token<'_>], determined: bool, around: Around) -> bool {
    let traded = "bought ordered purchased sold delivered fitted supplied installed paid had";
    let bought = rest.iter().take(5).any(|token| one_of(traded, &token.low));
    let by_us = rest.iter().take(3).any(|token| is_you(&token.low) && token.low != "your");
    let sure = has_goods(run) && !is_lone_doubtful(run);
    let plural = run.len() > 1 && bought && run.last().is_some_and(|last| last.low.ends_with('s'));
    !is_empty(run) && (sure || plural || determined && (bought || around.order || run.len() > 1 && !by_us))
}

/// Beside the number of an order, where nothing else is said of it: "order 81246, the guitar stand", "the jackets in order
/// 845512", "my order 60215 for chairs".
fn is_of_order(tokens: &[Token<'_>], at: usize, (begin, to): Span) -> bool {
    let run = &tokens[begin..to];
    let is_order = |token: &Token<'_>| token.low == "order" || is_code(token);
    let ends = tokens.get(to).is_none_or(|next| {
        next.divides() || next.text == "#" || one_of("and & with but order in from on under", &next.low)
    });
    let mark = |token: &&Token<'_>| !matches!(token.text, "," | "-" | "—" | "–" | "(" | ":" | "#" | ".");
    let before = tokens[..at].iter().rev().find(mark);
    let after = tokens[to..].iter().filter(mark).find(|token| !one_of("in from on of my under", &token.low));
    let apart = at == 0 || tokens[at - 1].divides() || is_code(&tokens[at - 1]);
    let known = has_goods(run) && !(is_lone_doubtful(run) && begin == at);
    let word = |back: usize| at.checked_sub(back).map_or("", |place| tokens[place].low.as_str());
    let for_it = one_of("for of", word(1))
        && tokens[..at].iter().rev().take(6).take_while(|token| !token.divides()).any(is_order);
    let begun = at < 2 || tokens[at - 2].divides() || one_of("and so", word(2)) || is_code(&tokens[at - 2]);
    let it_is = word(1) == "it's"
        || word(1) == "its" && begun
        || word(1) == "is" && (one_of("it order one", word(2)) || at > 1 && is_code(&tokens[at - 2]));
    let named = begin > at || known || before.is_some_and(is_order) && is_branded(run);
    ends && named
        && (apart && before.is_some_and(is_order)
            || (apart && (known || after.is_some_and(is_code)) || it_is) && after.is_some_and(is_order)
            || known && (for_it || it_is || word(1) == "and" && after.is_some_and(is_code)))
}

/// "I", "we", "we at …", or nobody, where the verb begins the clause; nobody who does not do it.
fn is_buyer(tokens: &[Token<'_>], verb: usize) -> bool {
    let from = tokens[..verb]
        .iter()
        .rposition(|token| matches!(token.text, "." | ";" | "!" | "?" | "\n"))
        .map_or(0, |at| at + 1);
    let clause = &tokens[from..verb];
    let low = |token: &Token<'_>| token.low.replace('’', "'");
    let who = clause.iter().rev().find(|token| !is_between(&low(token)));
    let subject = who.is_some_and(|who| one_of(SELVES, &low(who)));
    // Of "my mate said you do bikes and I got one" only the last part is of the purchase.
    let own = |token: &&Token<'_>| !(subject && (token.divides() || one_of("and but so", &token.low)));
    let unreal = clause.iter().rev().take(6).take_while(own).any(|token| {
        let low = low(token);
        one_of(UNREAL, &low) || low.ends_with("n't") || low.ends_with("'ll") || low.ends_with("'d")
    });
    let opens = "and so hi hello hey hiya then but also morning ok okay yeah yep yes right well evening afternoon";
    let elided = who.is_none_or(|who| who.divides() || one_of(opens, &who.low) || is_day(who));
    let by_others = clause.iter().any(|token| {
        let low = low(token);
        one_of(OTHERS, low.strip_suffix("'s").unwrap_or(&low))
    });
    let begins = elided && !by_others || clause.len() > 2 && clause[0].low == "we" && clause[1].low == "at";
    let firm = who.is_some_and(|who| one_of("ltd limited llc llp gmbh inc plc bv co cic cc ab ag oy sa srl", &who.low));
    // "Have I ordered it?"
    let place = clause.iter().rposition(|token| one_of(SELVES, &low(token))).and_then(|place| place.checked_sub(1));
    let asked = place.is_some_and(|place| one_of("have had has did do", &low(&clause[place])));
    (begins || subject && !asked || firm) && !unreal
}

const OTHERS: &str = "someone somebody he she they guy man woman who people person lady bloke scammer thief";

const SELVES: &str = "i we i've we've ive weve";

/// What makes a purchase none.
const UNREAL: &str = "if did do can would could might may should will want going thinking almost nearly never not cant cannot didnt \
     havent hasnt wont before until unless wish who whoever she he they you someone somebody anyone everyone people nobody \
     once whether wanna shall suppose imagine";

/// Between who buys and the verb.
fn is_between(low: &str) -> bool {
    one_of(
        "am have has had just already recently only also actually finally literally basically originally first last then ve",
        low,
    )
}

/// Past "from you", "at you", "on your site", "on Friday", "the wrong size of": where what was bought begins.
fn after_seller(tokens: &[Token<'_>], from: usize) -> usize {
    let mut at = from;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1);
        let day = |token: &Token<'_>| is_day(token) && !token.is_number() || one_of("last this", &token.low);
        let dated = token.is_number() && next.is_some_and(|next| is_month(&next.low));
        let of_you = one_of("from off at with by through", &token.low) && next.is_some_and(|next| is_you(&next.low));
        let in_shop = one_of("in on at", &token.low)
            && next.is_some_and(|next| next.low == "your")
            && tokens.get(at + 2).is_some_and(|shop| one_of("shop site website store app page", &shop.low));
        if in_shop {
            at += 3;
        } else if of_you {
            let shop =
                |token: &Token<'_>| one_of("guys lot people folks all selves shop site website store", &token.low);
            let more = tokens[at + 2..].iter().take(3).take_while(|token| !is_determiner(token)).position(shop);
            at += 2 + more.map_or(0, |more| more + 1);
        } else if dated || token.low == "on" && next.is_some_and(|next| is_day(next)) {
            at += 2;
        } else if token.low == "online" || day(token) {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// What was bought after the verb; of a gift what comes after whom it is for; of "two things:" what the list says.
fn things(tokens: &[Token<'_>], from: usize) -> Option<Span> {
    let kin = |token: &Token<'_>| one_of(KIN, &token.low);
    let own = tokens.get(from).is_some_and(|token| one_of("my our", &token.low));
    if own && tokens.get(from + 1).is_some_and(kin) {
        return phrase(tokens, from + 2).filter(|found| found.0 > from + 2);
    }
    let found = phrase(tokens, from)?;
    let many = tokens[found.0..found.1].iter().any(|token| one_of("things items stuff products", &token.low));
    if many {
        let colon = tokens[found.1..].iter().position(|token| token.text == ":")?;
        return phrase(tokens, found.1 + colon + 1).filter(|(begin, to)| has_goods(&tokens[*begin..*to]));
    }
    Some(found)
}

/// What is received, got or had is bought where that is said: from us, or beside an order, and nothing else came instead.
fn is_supported(tokens: &[Token<'_>], verb: usize, from: usize, (begin, to): Span, around: Around) -> bool {
    let clause = &tokens[verb..];
    // "I had a cup of tea from your café".
    let had = tokens[verb].low == "had";
    let from_you = tokens[verb..from].iter().any(|token| is_you(&token.low))
        || clause.iter().take(16).zip(clause.iter().skip(1)).any(|(of, who)| {
            one_of("from off with by frm", &of.low)
                && is_you(&who.low)
                && !(had && (who.low == "your" || of.low == "with"))
        });
    let wrong = tokens.iter().enumerate().any(|(at, token)| {
        let of_size = tokens.get(at + 1).is_some_and(|next| one_of("size colour color", &next.low));
        let place = token.low == "place" && tokens.get(at + 1).is_some_and(|next| next.low == "of");
        (place || one_of("instead wrong supposed meant else's somebody's someone's", &token.low)) && !of_size
    });
    let run = &tokens[begin..to];
    let sure = has_goods(run) && !is_lone_doubtful(run);
    let order = around.order && (sure || has_code(tokens));
    let ordered = tokens.iter().any(|token| one_of("ordered bought wanted", &token.low));
    let mine = tokens.get(from).is_some_and(|token| one_of("my our", &token.low));
    let dated = tokens.get(to + usize::from(tokens.get(to).is_some_and(|on| on.low == "on"))).is_some_and(is_day);
    let came = sure && (mine || dated);
    let verb = tokens[verb].low.as_str();
    // A bruise, a job, a lift are got as well.
    let unknown = run.len() == 1 && !has_goods(run) && !run[0].is_capital();
    !(wrong || unknown || ordered && one_of("got received", verb))
        && match verb {
            "buy" | "order" => from_you,
            // "I had the sofa cleaned by you".
            "had" => from_you && !tokens.get(to).is_some_and(|next| next.low.ends_with("ed")),
            "got" => from_you || (order || came) && !is_have(tokens, from),
            "booked" => from_you || order,
            _ => from_you || order || sure,
        }
}

/// "I've got a dog": not bought.
fn is_have(tokens: &[Token<'_>], from: usize) -> bool {
    tokens[..from].iter().rev().take(4).any(|token| {
        let low = token.low.replace('’', "'");
        one_of("i've we've ive weve have", &low)
    })
}

/// Without an article: goods by their name, or more words than one, of which the last is no verb.
fn is_bare_goods(tokens: &[Token<'_>], (begin, to): Span) -> bool {
    let run = &tokens[begin..to];
    let last = run.last().map_or("", |last| last.low.as_str());
    let plain = !tokens[begin].is_capital() || has_goods(run);
    plain
        && (has_goods(run) || last.ends_with('s') && !last.ends_with("ss") || run.len() > 1)
        && !one_of(
            "online twice everything something several many nothing enough plenty next vegan via using size",
            run[0].low.as_str(),
        )
}

fn is_preposition(low: &str) -> bool {
    one_of("for with to of in on at by from off about into onto under over through without per than like and", low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::learn::reading::prepared;

    fn read(text: &str) -> Vec<String> {
        let text = prepared(text);
        bought(&Reading::of(&text), text.contains("order "))
    }

    #[test]
    fn goods_are_tied_to_a_purchase() {
        for (text, goods) in [
            ("We bought our daughter a Smith & Hadley chess clock from you", vec!["Smith & Hadley chess clock"]),
            ("The snow and ice chains you sold me don't fit", vec!["snow and ice chains"]),
            ("I got the uh the Sony soundbar from you guys", vec!["Sony soundbar"]),
            ("Ordered a kettle, a pan and two mugs on Friday", vec!["kettle", "pan", "mugs"]),
            ("I received a dress instead of a coat, order 55102", vec!["coat"]),
            ("My wok is rusty. I bought it in May", vec!["wok"]),
            ("The wellies for my youngest arrived yesterday", vec!["wellies"]),
            ("I ordered a slow cooker and got a rice cooker, order 66192", vec!["slow cooker"]),
            ("The Shark vacuum i bought off you guys wont turn on", vec!["Shark vacuum"]),
            ("One of the heaters we got from you trips the breaker", vec!["heaters"]),
            ("It's about order 56120 of tablecloths", vec!["tablecloths"]),
            ("My mate said you do good bikes and I got a Trek bike off you", vec!["Trek bike"]),
        ] {
            assert_eq!(read(text), goods, "{text}");
        }
    }

    #[test]
    fn goods_that_are_only_spoken_of_are_left() {
        for text in [
            "I bought a watch from a guy on the beach",
            "Bought a kettle in Argos, are yours better?",
            "I've got two big dogs, they bite",
            "Somebody's in my account and bought two phones",
            "If I bought two sofas would you do a discount?",
            "My keyboard is stuck. The order is late",
            "The box says keep dry, order 77120",
            "Please bring the drill back, order 77120",
            "Have I ordered the right kettle?",
            "The rail came off in the night",
            "The photos you sent are blurred",
            "I didn't buy a hoover from you",
            "She ordered a coat from you",
            "I had the sofa cleaned by you",
            "The kettle in your window, is it the one I bought?",
            "I had a lovely cup of tea from your café",
        ] {
            assert!(read(text).is_empty(), "{text}: {:?}", read(text));
        }
    }
}
