//! English noun phrases that may name goods: where one begins and ends, and what is none though it is bought and sent.

use super::goods::{is_doubtful, is_goods};
use super::reading::{Token, one_of};
use crate::engine::words::is_stop_word;

/// Places of tokens, from and to.
pub(super) type Span = (usize, usize);

/// Words of a noun phrase, at most.
const LONGEST: usize = 6;

/// A noun phrase that begins here: where it begins after what determines it, and where it ends.
pub(super) fn phrase(tokens: &[Token<'_>], at: usize) -> Option<Span> {
    let mut from = at;
    if tokens.get(from).is_some_and(is_determiner) {
        from += 1;
    }
    if from > at
        && tokens.get(from).is_some_and(|token| token.low == "wrong")
        && tokens.get(from + 1).is_some_and(|token| token.low == "size")
    {
        from += 2 + usize::from(tokens.get(from + 2).is_some_and(|token| token.low == "of"));
    }
    let further = |token: &Token<'_>| {
        is_count(token) || one_of("new brand nice lovely beautiful wonderful faulty broken damaged", &token.low)
    };
    while from > at && tokens.get(from).is_some_and(further) && tokens.get(from + 1).is_some_and(Token::is_word) {
        from += 1;
    }
    let holder = tokens.get(from).is_some_and(|token| one_of(HOLDERS, &token.low));
    if holder && tokens.get(from + 1).is_some_and(|token| token.low == "of") {
        from += 2;
    }
    let mut to = from;
    while to < from + LONGEST && tokens.get(to).is_some_and(|token| is_inside(tokens, from, to, token)) {
        to += 1;
    }
    while to > from + 1 && is_trailing(tokens, to) {
        to -= 1;
    }
    let run = tokens.get(from..to)?;
    let head = run.last()?;
    let noun = head.is_word()
        && head.text.chars().count() > 2
        && !head.low.ends_with("ly")
        && !(run.len() == 1 && ["ed", "ing"].iter().any(|end| head.low.ends_with(end)) && !is_goods(&head.low))
        || head.is_number() && run.len() > 1;
    let person = super::given::is_surely(&head.low) && head.is_capital() && !has_goods(run);
    (noun && !person).then_some((from, to))
}

/// "Some slides scanned with you", "a tablecloth 150 by 220".
fn is_trailing(tokens: &[Token<'_>], to: usize) -> bool {
    let (last, before) = (&tokens[to - 1], &tokens[to - 2]);
    let size =
        last.is_number() && tokens.get(to).is_some_and(|next| one_of("by x cm", &next.low)) && !before.is_capital();
    size || last.low.ends_with("ed") && !is_goods(&last.low) && !last.is_capital() && last.low.len() > 4
}

const HOLDERS: &str = "litres litre kilos kg sheets bars carton cartons bag bags box boxes pack packs packet packets pallet rolls roll metres tins bottle bottles case cases \
     set sets pair pairs tub jar jars tube tubes couple bunch bouquet";

fn is_inside(tokens: &[Token<'_>], from: usize, at: usize, token: &Token<'_>) -> bool {
    let joined = token.text == "&"
        && at > from
        && tokens[at - 1].is_capital()
        && tokens.get(at + 1).is_some_and(|next| next.is_capital() && next.is_word());
    // "The sand and water table".
    let made_up = tokens.get(at + 2).is_some_and(|next| {
        is_goods(&next.low) && (!is_goods(&tokens[from].low) || one_of("set kit rack stand holder", &next.low))
    });
    let compound = token.low == "and"
        && at == from + 1
        && made_up
        && !tokens[from].low.ends_with('s')
        && tokens.get(at + 1).is_some_and(|next| next.is_word() && !is_end(&next.low));
    let number = token.is_number()
        && token.text.len() < 8
        && !is_code(token)
        && at > from
        && !tokens.get(at + 1).is_some_and(|next| is_month(&next.low));
    let branded =
        token.is_capital() && at > from && tokens[at - 1].is_capital() && !token.text.chars().all(char::is_uppercase);
    let word = token.is_word()
        && token.is_latin()
        && !is_code(token)
        && (!token.low.contains(['\'', '’']) || is_possessive(tokens, at) || is_brand(token))
        && !is_end(&token.low)
        && (branded || !one_of(AFTER, &token.low));
    joined || compound || number || word || is_brand_link(tokens, from, at)
}

/// "The Sea to Summit dry bags": small between capitals, where goods end it.
fn is_brand_link(tokens: &[Token<'_>], from: usize, at: usize) -> bool {
    let next = tokens.get(at + 1);
    at > from
        && one_of("to of the", &tokens[at].low)
        && tokens[at - 1].is_capital()
        && next.is_some_and(|next| next.is_word() && next.is_capital() && super::cities::city(next.text).is_none())
        && tokens.iter().skip(at + 2).take(2).take_while(|token| token.is_word()).any(|token| is_goods(&token.low))
}

/// "De'Longhi", "Arc'teryx".
fn is_brand(token: &Token<'_>) -> bool {
    token.is_capital() && token.text.rsplit(['\'', '’']).next().is_some_and(|end| end.chars().count() > 2)
}

/// "Petzl headlamps", "incontinence pads Tena Lady": words with a capital beside a word without, and no person.
pub(super) fn is_branded(run: &[Token<'_>]) -> bool {
    const NO_BRAND: &str =
        "regards yours greetings best love sincerely respectfully mr mrs ms miss dr sir wishes morning evening";
    let capital = |token: &Token<'_>| token.is_capital() && token.is_word();
    let small = |token: &Token<'_>| token.is_word() && !token.is_capital();
    // The noun stands last, or is known to be of goods.
    let headed =
        run.last().is_some_and(small) && run[0].is_capital() || run.first().is_some_and(small) && has_goods(run);
    run.len() > 1
        && run.iter().any(capital)
        && headed
        && !is_generic(run)
        && !run.iter().any(|token| super::cities::city(token.text).is_some() || is_day(token) && token.is_word())
        && !run.iter().any(|token| one_of(NO_BRAND, &token.low) || capital(token) && super::given::is_known(&token.low))
}

/// "The doll's house": whose sort it is, not whose.
fn is_possessive(tokens: &[Token<'_>], at: usize) -> bool {
    let owner = tokens[at].low.replace('’', "'");
    let Some(owner) = owner.strip_suffix("'s") else { return false };
    let next = tokens.get(at + 1).is_some_and(|next| {
        next.is_word()
            && !is_end(&next.low)
            && !one_of(AFTER, &next.low)
            && !["ed", "ing"].iter().any(|end| next.low.ends_with(end))
    });
    next && !tokens[at].is_capital() && !one_of(KIN, owner) && !one_of("it that there here what who he she", owner)
}

/// Words that come after goods and are none of their name.
const AFTER: &str = "right years months weeks ago lol btw tho though anyway twice again online instead thx ty pls cheers mate came come comes arrived arrives arrive \
     off u ya yous fitted delivered reached says said does do did won't works leaks broke went go goes just really still also \
     early late asap yet by via through at you your we i they he she it if when then than so as or nor \
     okay ok before after since yeah hiya hello hey omg now vide po nos ref hi lah innit sadly \
     open unrepaired supplied installed leaked snapped died cracked split lasted worked stinks smells looks seems";

pub(super) fn is_determiner(token: &Token<'_>) -> bool {
    one_of("a an the my our some these this those that your", &token.low) || is_count(token)
}

pub(super) fn is_count(token: &Token<'_>) -> bool {
    one_of(
        "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty",
        &token.low,
    ) || token.is_number() && token.text.len() < 4 && token.text.chars().all(|c| c.is_ascii_digit())
}

pub(super) fn is_day(token: &Token<'_>) -> bool {
    one_of("yesterday today monday tuesday wednesday thursday friday saturday sunday week month", &token.low)
        || token.is_number() && token.text.len() < 5
        || is_month(&token.low)
}

pub(super) fn is_month(low: &str) -> bool {
    one_of(
        "january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec",
        low,
    )
}

pub(super) fn is_code(token: &Token<'_>) -> bool {
    token.text.chars().filter(char::is_ascii_digit).count() >= 5 && !token.text.starts_with('0')
}

pub(super) fn has_code(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(is_code)
}

/// Whether a word of a name is known to be of goods.
pub(super) fn has_goods(run: &[Token<'_>]) -> bool {
    run.iter().any(|token| is_goods(&token.low))
}

/// One word that may be a place, a part or a verb as well: "the door", "my glasses", "the kit".
pub(super) fn is_lone_doubtful(run: &[Token<'_>]) -> bool {
    matches!(run, [one] if is_doubtful(&one.low))
}

/// What is bought, sent and spoken of, and is no thing of its own.
pub(super) fn is_generic(run: &[Token<'_>]) -> bool {
    is_empty(run) || matches!(run, [one] if one_of(ALONE, &one.low))
}

/// Words that name no goods alone.
const ALONE: &str = "kit set box bag bags boxes machine unit pack case cover part parts size model collection plan pass \
     inspection different similar special service extra food groceries black white red blue green grey gray pink brown yellow";

pub(super) fn is_empty(run: &[Token<'_>]) -> bool {
    let Some((head, before)) = run.split_last() else { return true };
    // A wine box, a train set, a board game are goods; an empty box is none.
    let made = one_of("box bag set case coffee cleaner cleaners", &head.low)
        && before.iter().any(|token| !one_of("empty wrong same big small", &token.low));
    let singular = head.low.strip_suffix('s').unwrap_or(&head.low);
    !made && (one_of(NEVER, &head.low) || one_of(NEVER, singular) || one_of(KIN, singular))
        || run.iter().any(|token| one_of(NO_GOODS, &token.low))
}

/// Whatever word stands before or after these, it is no goods.
const NO_GOODS: &str = "ltd limited llc llp gmbh inc plc bv club account details shop store website site app seller place wrong same \
     other others one ones half text message messages letter call notification invoice receipt refund thing things item items stuff product products parcel parcels package order orders email";

pub(super) const KIN: &str = "mum mom mother dad father brother sister son daughter husband wife partner girlfriend boyfriend friend aunt uncle \
     fiance fiancee fiancée hubby missus grandmother grandfather godson goddaughter baby cousin niece nephew gran nan grandma grandad grandson granddaughter kids children boy girl boss colleague neighbour neighbor";

/// What is no goods though it is bought, sent, or comes.
const NEVER: &str = "quote estimate land plot small large medium around runaround word look visit cheapest best worst version amount upgrade mistake offer loads bargain surprise bruise scratch burn rash shock deal grandkids grandchildren part parts papers paperwork documents newsletter taxi cab lunch dinner breakfast headache cold flu degree ticket tickets rejection refusal pleasure in-laws \
     parents relatives kids children son daughter wife husband house flat parking mortgage loan permission approval \
     break holiday day engaged married e-mail e-mails email emails mail survey pairs mine hint joke gist flight train bus ticket appointment operation \
     leaflet coffee shares order orders parcel parcels package refund email message text call notification letter code discount gift \
     present confirmation reply answer response receipt invoice delivery bill box things items stuff goods thing \
     item product products notice sms error link money size colour color problem points time day \
     week month year lot couple bunch number lady guy job chance feeling impression house flat apartment \
     car idea reason question courier driver man men chap bloke woman person girl boy fellow people team company \
     engineer technician plumber fitter cleaner manager operator payment deposit status update news rest first \
     second same other others wrong one ones half pair pacemaker purchase tracking label barcode address date slot \
     morning afternoon evening weekend way moment address price cost credit voucher replacement packaging \
     manual instructions leaflet minute minutes hour hours days weeks months years seconds pounds quid points euros dollars warranty guarantee trial wet table-booking room leave bit note door post app site website photo photos picture pictures advice brochure catalogue form info";

/// Words at which an English noun phrase ends, before or after.
fn is_end(low: &str) -> bool {
    is_stop_word(low)
        || one_of(
            "under ordered promised said told claimed stated offered bought got received collected paid purchased arrived came order number its it's i'm the \
             a an my your our these those this that deliver bring need want return refund exchange yesterday \
             today monday tuesday wednesday thursday friday saturday sunday last still w without new old two \
             three four six ten few pair whole entire same take have here there where wheres where's said \
             half hi hello thanks item product sold sent is are was were with for from and but because wrong \
             size missing delivery of one first second fitted turned more missing ok great lovely beautiful \
             wonderful broken faulty damaged cancel cm mm kg pcs pieces packs l ml january february march \
             april may june july august september october november december broke sees makes loves already \
             wants needs buying sorry please pls like them including only just back money brought nice which \
             what brand since during while buys sells sell gets get cannot into onto never waiting wait expecting purchase buy about keep ordering sending using \
             use used try tried his her their left rang called until till wont doesnt hasnt isnt arent cant didnt dont havent wasnt werent couldnt keeps quit won't doesn't hasn't isn't",
            low,
        )
}
