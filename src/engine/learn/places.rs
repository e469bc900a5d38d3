//! The city that a customer lives in or wants deliveries in: after words that say so, beside their address or their name.

use std::sync::LazyLock;

use regex::Regex;

use super::addresses::{self, Found};
use super::cities::{self, is_doubtful};
use super::given::is_known;
use super::names::is_common;
use super::reading::{Reading, Sentence, Token, one_of};
use super::said::{LIKELY, Said, pattern};
use super::{values, voice};

/// Adjectives and foreign beginnings that a second word belongs to: «Нижнем Новгороде», «New York».
static FIRST_HALF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:ий|ый|ой|его|ого|ем|ом|их|ых|ие|ые|яя|ая|ей)$|^(?:New|San|Saint|St|Los|Las|Fort|Nizhny|Veliky|Naberezhnye)$",
    )
});

static REGION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:област|кра[йяею]\b|район|республик|region|county|state)"));

/// Capitalised words after «из» and «в» that are no cities; beginnings, folded.
const NO_CITIES: &str = "сибир урал поволж деревн глубинк провинц север юг восток scotland wales ireland cornwall росси беларус белорусси казахстан украин армени грузи кыргыз киргиз узбек яндекс озон сбер авито сдэк роспотреб \
    прокуратур полици интернет подмосков russia belarus kazakhstan ukraine yandex google england \
    germany brazil portugal poland china japan korea mexico canada australia netherlands holland belgium sweden norway \
    finland denmark austria switzerland greece romania bulgaria hungary czech slovakia croatia latvia lithuania estonia nigeria kenya \
    ghana egypt morocco pakistan bangladesh nepal thailand vietnam philippines indonesia malaysia argentina chile colombia peru zealand america usa france spain turkey israel serbia герман америк франци турци израил серби поль";

/// The city in a message.
pub(super) fn read(reading: &Reading<'_>, streets: &[Found], said: &mut Said) {
    let stated = reading.sentences.iter().find_map(stated);
    let beside = || {
        reading.sentences.iter().enumerate().find_map(|(place, sentence)| {
            let streets: Vec<&Found> = streets.iter().filter(|found| found.sentence == place).collect();
            beside(sentence, &streets)
        })
    };
    // An address of lines: "22 Shandon Street / Cork".
    let below = || {
        streets.iter().find_map(|street| {
            let ends = reading.sentences[street.sentence].text[street.end..].trim().is_empty();
            let next = reading.sentences.get(street.sentence + 1).filter(|_| ends)?;
            let (city, count) = city_at(&next.tokens, false)?;
            (next.tokens.len() == count || next.tokens.len() == count + 1 && next.tokens[count].divides())
                .then(|| city.to_owned())
        })
    };
    let alone = || reading.sentences.iter().enumerate().find_map(|(place, sentence)| alone(reading, place, sentence));
    // Of "wants it there" and "lives there" the delivery counts: it stands beside the street.
    let found = beside().or(stated).or_else(below).or_else(alone);
    if let Some(value) = found.and_then(|city| values::canonical("city", &city)) {
        said.add("city", value, LIKELY);
    }
}

/// Whether a word or two, folded or not, name a city.
pub(super) fn is_city(text: &str) -> bool {
    cities::city(text).is_some()
}

/// A city at the start of these tokens, in the nominative where it is known, and how many tokens it takes.
fn city_at(tokens: &[Token<'_>], any_case: bool) -> Option<(&'static str, usize)> {
    (1..=3).rev().find_map(|count| {
        let run = tokens.get(..count)?;
        let words = run.iter().all(|token| token.is_word() || token.text == ".");
        let capital = any_case || run[0].is_capital();
        let text = run.iter().filter(|token| token.text != ".").map(|token| token.text).collect::<Vec<_>>().join(" ");
        let ends_well = run[count - 1].is_word();
        (words && capital && ends_well).then(|| cities::city(&text)).flatten().map(|city| (city, count))
    })
}

/// Words after which the customer's own city stands.
#[rustfmt::skip]
const STATED: [&[&str]; 103] = [
    &["village", "called"], &["town", "called"], &["city", "called"], &["place", "called"],
    &["live", "now", "in"], &["study", "in"], &["have", "been", "in"], &["из", "поселка"],
    &["customer", "from"], &["client", "from"], &["it's", "still"], &["its", "still"], &["it", "is", "still"],
    &["я", "из"], &["мы", "из"], &["я", "сам", "из"], &["я", "сама", "из"], &["мы", "сами", "из"], &["я", "пишу", "из"], &["пишу", "из"], &["пишем", "из"], &["родом", "из"], &["обращаюсь", "из"],
    &["живу", "в"], &["живем", "в"], &["проживаю", "в"], &["живу", "во"], &["живем", "во"], &["нахожусь", "в"], &["находимся", "в"], &["переехал", "в"], &["переехала", "в"], &["переехали", "в"],
    &["живу", "я", "в"], &["живу", "город"], &["живу"], &["живем", "сейчас", "в"], &["живу", "сейчас", "в"], &["я", "живу", "в"], &["мой", "город"], &["город"], &["г", "."], &["наш", "город"], &["город", ":"], &["доставка", "в"], &["доставку", "в"], &["доставьте", "в"], &["привезите", "в"], &["везите", "в"],
    &["жду", "в"], &["я", "в"], &["мы", "в"], &["отправьте", "в"], &["отправляйте", "в"],
    &["town's"], &["city's"], &["my", "town", "is"], &["my", "city", "is"], &["still", "live", "in"], &["here", "out", "of"],
    &["hello", "from"], &["hi", "from"], &["greetings", "from"], &["i", "live", "in"], &["we", "live", "in"], &["i", "live"], &["living", "in"], &["i'm", "from"], &["i", "am", "from"], &["im", "from"], &["we", "are", "from"], &["we're", "from"], &["based", "in"], &["i'm", "in"], &["im", "in"], &["i", "am", "in"], &["we", "are", "in"], &["we're", "in"],
    &["up", "in"], &["down", "in"], &["out", "of"], &["over", "in"], &["town"], &["city"], &["city", ":"], &["town", ":"], &["delivered", "in"], &["delivery", "is", "to"], &["deliver", "to"], &["writing", "from"], &["expat", "in"], &["student", "at"], &["student", "in"], &["moved", "to"], &["here", "in"], &["deliver", "it", "to"], &["i", "stay", "in"], &["we", "stay", "in"], &["i", "reside", "in"], &["residing", "in"], &["i", "am", "living", "in"], &["relocated", "to"], &["we", "live"],
];

/// Before or after these a city is asked about, or somebody else's.
const NOT_THEIRS: &str = "если допустим свекровь сестра подруга брат сын дочь мама отзыв отзывах какая-то какой-то сосед пункт \
     пункте пвз магазин склад шоурум курьер подмосковье if suppose grandma mate mum mother brother sister \
     colleague friend office store shop cheaper expensive faster customers places would maybe not don't dont longer never shows";

/// Those of them after which something else may stand: what is no known city is none.
#[rustfmt::skip]
const MAYBE: [&str; 32] = [
    "hello from", "hi from", "greetings from",
    "it's still", "its still", "it is still",
    "живу", "город", "i live", "city", "out of", "town", "я в", "мы в", "жду в", "i'm in", "i am in", "im in", "we are in", "we're in", "up in", "over in", "down in",
    "here in", "привезите в", "везите в", "доставьте в", "нахожусь в", "находимся в", "expat in", "moved to", "we live",
];

/// Where one may be and which is no town.
const NO_TOWN: &str = "marketing sales accounts accounting finance purchasing procurement customer support service reception logistics head \
    operations facilities admin office team flat room building block unit it hr office zone bed house apartment april may june july august january";

/// A question that was typed without its mark: «доставка в Казань есть».
static ASKED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:есть|сколько|бывает|возможна|а доставка|how much|do you) "));

/// Where one is for a while, or came from.
static PASSING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r" (?:trip|holiday|holidays|vacation|originally|airport|conference|visiting|of all places|just passing) ")
});

fn stated(sentence: &Sentence<'_>) -> Option<String> {
    if voice::is_where_others_live(&sentence.folded) || PASSING.is_match(&sentence.folded) {
        return None;
    }
    let corrected = [" no wait ", " sorry ", " вернее ", " точнее ", " oops ", " actually "];
    // Of a correction the last counts.
    let from = corrected.iter().filter_map(|word| sentence.folded.find(word)).max();
    let last = from.and_then(|_| {
        let place =
            sentence.tokens.iter().position(|token| one_of("wait sorry вернее точнее oops actually", &token.low))?;
        stated_after(sentence, place)
    });
    last.or_else(|| stated_after(sentence, 0))
}

fn stated_after(sentence: &Sentence<'_>, from: usize) -> Option<String> {
    let tokens = &sentence.tokens;
    for at in from..tokens.len() {
        let Some(words) = STATED.iter().filter(|words| starts(&tokens[at..], words)).max_by_key(|words| words.len())
        else {
            continue;
        };
        let mut rest = &tokens[at + words.len()..];
        while rest.first().is_some_and(|token| {
            matches!(
                token.low.as_str(),
                "г" | "город"
                    | "городе"
                    | "города"
                    | "."
                    | ":"
                    | "of"
                    | "-"
                    | "—"
                    | "–"
                    | "сейчас"
                    | "теперь"
                    | "now"
                    | "д"
            )
        }) {
            rest = &rest[1..];
        }
        // The Hague keeps its article.
        let with_article = rest.first().is_some_and(|token| token.low == "the");
        if with_article && let Some(city) = rest.get(1).filter(|next| one_of("hague bronx", &next.low)) {
            return Some(format!("The {}", city.text));
        }
        let rest = if with_article { &rest[1..] } else { rest };
        let before = &tokens[..at];
        let left =
            words[0] == "out" && before.last().is_some_and(|token| one_of("moved moving ran run get got", &token.low));
        let of_us = words[0] == "based" && before.last().is_some_and(|token| one_of("you they", &token.low));
        let once =
            words[0] == "up" && before.last().is_some_and(|token| one_of("grew grown brought ended", &token.low));
        let denied = left
            || of_us
            || once
            || before.iter().rev().take(4).any(|token| one_of(NOT_THEIRS, &token.low) || token.low == "не");
        let of_delivery = words[0].starts_with("доставк")
            || matches!(words[0], "delivered" | "delivery" | "deliver" | "отправьте" | "отправляйте");
        let asks = sentence.asks || (of_delivery && ASKED.is_match(&sentence.folded));
        if denied || (asks && (of_delivery || words.len() == 1)) {
            continue;
        }
        if let Some((city, count)) = city_at(rest, true) {
            let next = rest.get(count).map(|token| token.low.as_str()).unwrap_or_default();
            let district = REGION.is_match(next) || matches!(next, "street" | "st" | "avenue" | "улица" | "road");
            let doubtful = is_doubtful(rest[0].text) && !rest[0].is_capital();
            if !district && !doubtful {
                return Some(city.to_owned());
            }
        }
        let phrase = words.join(" ");
        let sure = !of_delivery && !MAYBE.contains(&phrase.as_str());
        let is_there = before.last().is_some_and(|token| one_of("i'm im we're am are live", &token.low));
        let here = (matches!(phrase.as_str(), "i'm in" | "i am in" | "im in" | "we're in" | "we are in")
            || is_there && matches!(phrase.as_str(), "up in" | "down in" | "over in"))
            && rest.first().is_some_and(|token| token.is_capital() && !one_of(NO_TOWN, &token.low))
            && rest.get(1).is_none_or(|next| {
                next.divides() || one_of("if and now so but at not these til till until for since", &next.low)
            });
        if (sure || here || (phrase == "город" || phrase == "town") && rest.first().is_some_and(Token::is_capital))
            && let Some(city) = unknown(rest)
        {
            return Some(city);
        }
    }
    from_here(sentence)
}

fn starts(tokens: &[Token<'_>], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.low.replace('’', "'") == *word)
}

/// A capitalised word that is no country, no company and no person.
fn unknown(tokens: &[Token<'_>]) -> Option<String> {
    let first = tokens.first()?;
    let fits = |token: &Token<'_>| {
        let low = token.low.as_str();
        token.is_word()
            && !one_of(super::people::NO_PERSON, low)
            && !one_of(NO_TOWN, low)
            && !one_of("street road avenue block phase sector floor flat apt tower county", low)
            && token.is_capital()
            && token.text.chars().count() > 2
            && !is_common(token.text)
            && !one_of("город поселок село деревня станица город-курорт", low)
            && !NO_CITIES.split_whitespace().any(|start| low.starts_with(start))
            && !token.text.chars().all(char::is_uppercase)
    };
    if !fits(first) || is_known(&first.low) {
        return None;
    }
    let next = tokens.get(1);
    if next.is_some_and(|next| REGION.is_match(next.text)) {
        return None;
    }
    // "Alcalá de Henares".
    let particle = next.is_some_and(|next| one_of("de del do da upon am aan an den der sur", &next.low));
    if let Some(last) = tokens.get(2).filter(|last| particle && fits(last)) {
        return Some(format!("{} {} {}", first.text, tokens[1].text, last.text));
    }
    match next.filter(|next| fits(next) && (FIRST_HALF.is_match(first.text) || first.is_latin())) {
        Some(second) => Some(format!("{} {}", first.text, second.text)),
        None => Some(first.text.to_owned()),
    }
}

/// «Владивосток на связи», «светлана из дзержинска», "Ilshat from Ufa": beside a name or of the writer.
fn from_here(sentence: &Sentence<'_>) -> Option<String> {
    let tokens = &sentence.tokens;
    for (at, token) in tokens.iter().enumerate() {
        let from = matches!(token.low.as_str(), "из" | "from");
        let named = |token: &Token<'_>| is_known(&token.low) || super::given::is_patronymic(&token.low);
        let begins = at == 0 || tokens[at - 1].divides();
        // "Cem Yıldırım here from Izmir", "Fabienne Quéméneur, from Douarnenez".
        let name = if at > 1 && (tokens[at - 1].low == "here" || tokens[at - 1].text == ",") { at - 1 } else { at };
        let after_name = name > 0
            && (named(&tokens[name - 1])
                || name > 1
                    && tokens[name - 1].is_capital()
                    && (named(&tokens[name - 2]) || is_full_name(&tokens[..name])));
        let told = tokens[..at].iter().any(|token| {
            matches!(
                token.low.as_str(),
                "это" | "я" | "зовут" | "беспокоит" | "here" | "is" | "i'm" | "am" | "пишет" | "вам"
            ) || is_greeting(&token.low)
        }) || at <= 3;
        let others = tokens.iter().any(|token| one_of(NOT_THEIRS, &token.low));
        if from
            && !others
            && !sentence.asks
            && (after_name && told
                || begins && tokens.iter().skip(at).take(4).any(|token| matches!(token.low.as_str(), "пишу" | "пишем")))
            && !tokens[at + 1..].iter().take(4).any(|next| is_firm(&next.low))
            && let Some((city, _)) = city_at(&tokens[at + 1..], true)
        {
            return Some(city.to_owned());
        }
        if from
            && after_name
            && told
            && !others
            && !sentence.asks
            && !tokens[at + 1..].iter().take(4).any(|next| is_firm(&next.low))
            && (token.low == "из" || !tokens[at + 1..].iter().take(3).any(|next| one_of("& and", &next.low)))
            && let Some(city) = unknown(&tokens[at + 1..])
            && !tokens.get(at + 1 + city.split(' ').count()).is_some_and(|next| next.is_capital() && !is_of_post(next))
        {
            return Some(city);
        }
        if begins
            && let Some((city, count)) = city_at(&tokens[at..], true)
            && tokens.get(at + count).is_some_and(|next| matches!(next.low.as_str(), "на" | "calling" | "here"))
            && tokens.get(at + count + 1).is_none_or(|next| next.low == "связи" || next.divides())
        {
            return Some(city.to_owned());
        }
        // «Пелагея я, из Суздаля»: a clause of its own.
        if token.low == "из"
            && at > 0
            && begins
            && !others
            && !sentence.asks
            && let Some((city, count)) = city_at(&tokens[at + 1..], false)
            && tokens.get(at + 1 + count).is_none_or(Token::divides)
        {
            return Some(city.to_owned());
        }
        if let Some(city) = placed(sentence, at).filter(|_| (!others || token.low == "our") && !sentence.asks) {
            return Some(city);
        }
        let of_company = token.low == "in"
            && at > 0
            && tokens[..at].iter().rev().take(3).any(|token| is_firm(&token.low))
            && !tokens[..at].iter().rev().take(4).any(|token| one_of("the your that another", &token.low))
            && !sentence.asks;
        if of_company && let Some(city) = city_at(&tokens[at + 1..], false).map(|(city, _)| city.to_owned()) {
            return Some(city);
        }
        let this_is = matches!(token.low.as_str(), "это" | "its" | "it's") && !sentence.asks;
        if this_is
            && let Some((city, count)) = city_at(&tokens[at + 1..], false)
            && tokens
                .get(at + 1 + count)
                .is_none_or(|next| next.divides() || matches!(next.low.as_str(), "not" | "now"))
            && !is_doubtful(tokens[at + 1].text)
        {
            return Some(city.to_owned());
        }
    }
    None
}

/// "I'm a live-in carer in Harrogate", "our Gurugram office", "We're Bluegum Physiotherapy in Wollongong".
fn placed(sentence: &Sentence<'_>, at: usize) -> Option<String> {
    let tokens = &sentence.tokens;
    let next = tokens.get(at + 1)?;
    let ends = |count: usize| {
        tokens.get(at + 1 + count).is_none_or(|token| token.divides() || one_of("and so but", &token.low))
    };
    if tokens[at].low == "in" {
        let from = tokens[..at].iter().rposition(Token::divides).map_or(0, |mark| mark + 1);
        let clause: Vec<&str> = tokens[from..at].iter().map(|token| token.low.as_str()).collect();
        let trade = matches!(clause.as_slice(), ["i'm" | "im", "a" | "an", ..] | ["i", "am", "a" | "an", ..])
            && clause.len() < 9;
        let firm = matches!(clause.as_slice(), ["we're", ..] | ["we", "are", ..])
            && tokens[from..at]
                .iter()
                .skip(2)
                .all(|token| token.is_capital() || one_of("& and of the are", &token.low))
            && tokens[at - 1].is_capital();
        let (city, count) = city_at(&tokens[at + 1..], false).filter(|_| trade || firm).map_or_else(
            || unknown(&tokens[at + 1..]).filter(|_| firm).map(|city| (city, 1)),
            |(city, count)| Some((city.to_owned(), count)),
        )?;
        return Some(city).filter(|_| ends(count));
    }
    let site = tokens
        .get(at + 2)
        .is_some_and(|site| one_of("office branch shop store site warehouse studio salon clinic", &site.low));
    (tokens[at].low == "our" && site && next.is_capital()).then(|| {
        city_at(&tokens[at + 1..at + 2], false)
            .map(|(city, _)| city.to_owned())
            .or_else(|| unknown(&tokens[at + 1..at + 2]))
    })?
}

/// Two words with a capital after a greeting, "I'm" or "this is" are a name, though neither is known.
fn is_full_name(before: &[Token<'_>]) -> bool {
    if let [.., am, name] = before
        && one_of("i'm im am", &am.low)
    {
        return name.is_capital() && !is_common(name.text);
    }
    let [rest @ .., first, last] = before else { return false };
    let word = |token: &Token<'_>| {
        token.is_word()
            && token.is_capital()
            && token.is_latin()
            && !is_common(token.text)
            && cities::city(token.text).is_none()
    };
    word(first)
        && word(last)
        && rest.last().is_none_or(|token| token.divides() || one_of("i'm im am is it's its hi hey hello", &token.low))
}

fn is_firm(low: &str) -> bool {
    one_of(
        "pvt pty ltd llc llp gmbh inc plc cic corp kindergarten school studio firm company clinic office café cafe \
         restaurant hotel bakery",
        low,
    )
}

fn is_greeting(low: &str) -> bool {
    one_of("здравствуйте привет день вечер утро hello hi hey алло", low)
}

/// The clause before the street or after it: «Калуга, улица Кирова 19», "58 Church Lane, Leeds".
fn beside(sentence: &Sentence<'_>, streets: &[&Found]) -> Option<String> {
    let tokens = &sentence.tokens;
    for street in streets {
        let first = tokens.iter().position(|token| token.start >= street.start)?;
        let last = tokens.iter().rposition(|token| token.end <= street.end)?;
        let back = (1..=6).take_while(|back| first >= *back).find_map(|back| {
            let from = first - back;
            let (city, count) = city_at(&tokens[from..], true)?;
            let gap = &tokens[from + count..first];
            let near = gap.iter().all(|token| {
                token.divides()
                    || matches!(
                        token.low.as_str(),
                        "на" | "по"
                            | "адрес"
                            | "address"
                            | "at"
                            | "in"
                            | "г"
                            | "-"
                            | "город"
                            | "office"
                            | "street"
                            | "офис"
                    )
            });
            near.then(|| city.to_owned())
        });
        let after = tokens.get(last + 1..).unwrap_or_default();
        let skipped = after
            .iter()
            .take_while(|token| {
                matches!(token.text, "," | "." | "\n" | "-" | "—" | "(")
                    || matches!(token.low.as_str(), "в" | "in" | "это" | "г" | "город" | "apt")
            })
            .count();
        let rest = &after[skipped..];
        let small = skipped > 0 || rest.first().is_some_and(|next| next.low.len() > 4 && !is_doubtful(next.text));
        let forward = city_at(rest, small).map(|(city, _)| city.to_owned());
        let capital = |tokens: &[Token<'_>]| {
            let after = |city: &str| tokens.get(city.split(' ').count());
            let ends = |city: &str| {
                after(city).is_none_or(|next| {
                    next.divides()
                        || is_of_post(next)
                        || matches!(
                            next.low.as_str(),
                            "please" | "pls" | "by" | "before" | "and" | "instead" | "as" | "on" | "from" | "until"
                        )
                })
            };
            let named = |city: &str| tokens.get(city.split(' ').count()).is_some_and(is_of_post);
            unknown(tokens).or_else(|| given(tokens).filter(|city| named(city))).filter(|city| ends(city))
        };
        // "… 9a, 26506 Norden".
        let letters = |token: &Token<'_>| token.text.len() == 2 && token.text.chars().all(|c| c.is_ascii_uppercase());
        let after: Vec<Token<'_>> = after.iter().filter(|token| !letters(token)).cloned().collect();
        let posted = after.windows(2).take(4).position(|pair| is_postcode(&pair[0]) && pair[1].is_capital());
        let posted = posted.filter(|at| after[..*at].iter().all(|token| token.text == "," || token.is_capital()));
        if let Some(city) = posted.and_then(|at| unknown(&after[at + 1..])) {
            return Some(city);
        }
        // "Andheri West, Mumbai": the town that we know, past a part of it that we don't.
        let later = || {
            let plain = rest.iter().take(6).take_while(|token| token.text == "," || token.is_capital()).count();
            let comma = rest[..plain].iter().position(|token| token.text == ",").filter(|_| skipped > 0)?;
            city_at(&rest[comma + 1..], false).map(|(city, _)| city.to_owned())
        };
        let unknown_after = || {
            (skipped > 0 && (after[0].text == "," || after[0].low == "in") && rest.first().is_some_and(Token::is_latin))
                .then(|| capital(rest))
                .flatten()
        };
        let unknown_before = || {
            let comma = first.checked_sub(1).filter(|at| tokens[*at].text == ",")?;
            let from = tokens[..comma].iter().rposition(Token::divides).map_or(0, |at| at + 1);
            let run = &tokens[from..comma];
            let titled = from >= 2
                && tokens[from - 1].text == "."
                && matches!(tokens[from - 2].low.as_str(), "г" | "д" | "с" | "п" | "пос" | "дер");
            let known = run.iter().any(|token| is_known(&token.low));
            (!run.is_empty()
                && run.len() <= 2
                && (titled
                    || !known
                        && run[0].text.chars().any(crate::engine::words::is_cyrillic)
                        && run.iter().all(Token::is_capital)))
            .then(|| unknown(run))
            .flatten()
        };
        if let Some(city) = back.or(forward).or_else(later).or_else(unknown_before).or_else(unknown_after) {
            return Some(city);
        }
    }
    None
}

/// "26506" before a German town, "7010" after one of New Zealand.
fn is_postcode(token: &Token<'_>) -> bool {
    (4..=6).contains(&token.text.len()) && token.text.chars().all(|c| c.is_ascii_digit())
}

/// What stands after a town in an address: a postcode, "VIC", "N3T".
fn is_of_post(token: &Token<'_>) -> bool {
    let shouted = token.text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    token.is_number() || shouted && (2..=4).contains(&token.text.len())
}

/// A town that has the name of a person: "Nelson 7010".
fn given(tokens: &[Token<'_>]) -> Option<String> {
    let first = tokens.first().filter(|token| token.is_capital() && is_known(&token.low))?;
    Some(first.text.to_owned())
}

/// A city that is a clause of its own, in a message that is about the customer's own delivery.
fn alone(reading: &Reading<'_>, place: usize, sentence: &Sentence<'_>) -> Option<String> {
    let supposed = [
        " your office ",
        " your shop ",
        " your store ",
        " your branch ",
        " your warehouse ",
        " допустим ",
        " предположим ",
        " если я ",
        " suppose ",
        " what if ",
    ]
    .iter()
    .any(|word| sentence.folded.contains(word));
    if sentence.asks || supposed || voice::is_where_others_live(&sentence.folded) {
        return None;
    }
    let mut begin = 0;
    let tokens = &sentence.tokens;
    while begin < tokens.len() {
        let end = (begin..tokens.len()).find(|at| tokens[*at].divides()).unwrap_or(tokens.len());
        let small = tokens[begin].text.chars().count() > 4 && !is_doubtful(tokens[begin].text) && end == begin + 1;
        if let Some((city, count)) = city_at(&tokens[begin..end], small)
            && count == end - begin
            && !is_doubtful(tokens[begin].text) | preceded_by_name(reading, place, tokens, begin)
        {
            let lists = begin > 1
                && !preceded_by_name(reading, place, tokens, begin)
                && tokens.get(end).is_some_and(|token| token.text == ",")
                && city_at(tokens.get(end + 1..).unwrap_or_default(), false).is_some();
            if !lists {
                return Some(city.to_owned());
            }
        }
        // After the name: "Shaun, Hartlepool", an unknown town too.
        if preceded_by_name(reading, place, tokens, begin)
            && (end == tokens.len() || tokens[end].text == ".")
            && tokens[begin..end].len() <= 2
            && tokens[begin..end].iter().all(|token| {
                token.is_capital()
                    && !is_known(&token.low)
                    && !super::given::is_patronymic(&token.low)
                    && !super::goods::is_goods(&token.low)
            })
            && begin > 0
            && tokens[begin - 1].text == ","
            && let Some(city) = unknown(&tokens[begin..end])
        {
            return Some(city);
        }
        begin = end + 1;
    }
    None
}

/// Whether the clause before is a name.
fn preceded_by_name(reading: &Reading<'_>, place: usize, tokens: &[Token<'_>], begin: usize) -> bool {
    let clause: Vec<&Token<'_>> = if begin == 0 {
        let Some(before) = place.checked_sub(1).map(|before| &reading.sentences[before]) else { return false };
        before.tokens.iter().filter(|token| !token.divides()).collect()
    } else {
        let last = begin - 1;
        let from = tokens[..last].iter().rposition(Token::divides).map_or(0, |at| at + 1);
        tokens[from..last].iter().collect()
    };
    !clause.is_empty()
        && clause.len() <= 3
        && clause.iter().all(|token| token.is_capital())
        && clause.iter().any(|token| is_known(&token.low) || super::given::is_patronymic(&token.low))
}

/// The tokens of a sentence that a street takes are no city: what callers pass.
pub(super) fn streets(reading: &Reading<'_>) -> Vec<Found> {
    reading.sentences.iter().enumerate().flat_map(|(place, sentence)| addresses::find(sentence, place)).collect()
}
