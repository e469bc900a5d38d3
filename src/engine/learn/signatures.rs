//! Names by which people sign: a clause of their own, after a farewell, beside a number or a city, in small letters.

use std::sync::LazyLock;

use regex::Regex;

use super::given::{is_known, is_patronymic, is_surely};
use super::names::is_common;
use super::people::{NEVER, NO_PERSON, capitalised, is_famous, is_opening, only_name};
use super::places;
use super::reach::EMAIL;
use super::reading::{Reading, Sentence, Token, one_of};
use super::said::pattern;

/// Words after which people sign.
static FAREWELL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:с уважением|с ув\.|с наилучшими(?: пожеланиями)?|с благодарностью|искренне ваша?|заранее (?:спасибо|благодар(?:ю|ен|на))|всего доброго|kind regards|best regards|warm regards|best wishes|regards|yours (?:faithfully|sincerely|truly)|sincerely|yours|greetings|ta|tks|best|take care|love|warmly|cheers|many thanks|thanks in advance|thank you in advance|mit freundlichen grüßen|all the best|(?:good)?bye|respectfully|спасибо|благодарю|спс|thanks|thank you|thx)[\s,.!—–-]*$",
    )
});

static THANKS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:спасибо|благодарю|спс|thanks|thank you|thx|ta|cheers|love)[\s,.!—–-]*$"));

pub(super) fn signed(reading: &Reading<'_>) -> Option<String> {
    let mut after_farewell = false;
    let mut thanked = false;
    for (place, sentence) in reading.sentences.iter().enumerate() {
        let clauses = sentence.clauses();
        // "… thanks. – Bronte Vassallo, workshop manager".
        let last = place > 0 && place + 1 == reading.sentences.len();
        let dashed = last && sentence.text.starts_with(['–', '—', '-']);
        after_farewell |= dashed;
        thanked &= !dashed;
        for (at, &clause) in clauses.iter().enumerate() {
            let (Some(first), Some(last)) = (clause.first(), clause.last()) else { continue };
            let text = &sentence.text[first.start..last.end];
            // A kiss after the name: "Ta, Bev x".
            let kissed = clause.len() > 1 && one_of("x xx xxx", &last.low);
            let signature = if kissed { &clause[..clause.len() - 1] } else { clause };
            // "Thx, Piripi Waaka  +64 22 …".
            let number = signature.iter().position(|token| token.is_number() || token.text == "+");
            let signature = &signature[..number.filter(|at| *at > 0).unwrap_or(signature.len())];
            let names = only_name(signature, after_farewell);
            // «Спасибо, Наталья, вопрос снят» thanks Наталья.
            let ends = clauses.get(at + 1).is_none_or(|next| next[0].is_number() || tells(&next[0]));
            if after_farewell
                && (ends || !thanked)
                && let Some(name) = names
            {
                return Some(name);
            }
            after_farewell = FAREWELL.is_match(text);
            thanked = THANKS.is_match(text);
        }
    }
    None
}

/// «Шаповалов Иннокентий Павлович» anywhere: surname, name and patronymic are said of nobody else without a word for them.
pub(super) fn in_full(sentence: &Sentence<'_>) -> Option<String> {
    let of_others = ["курьер", "водител", "менеджер", "оператор", "мастер", "директор магазина", "ваш"]
        .iter()
        .any(|word| sentence.folded.contains(word));
    let run = sentence.tokens.windows(3).find(|run| {
        run.iter().all(|token| token.is_capital() && token.is_word())
            && run.iter().any(|token| is_patronymic(&token.low))
    })?;
    only_name(run, false).filter(|_| !of_others && !sentence.asks)
}

/// «федя кулаков, самара», "thnx priya", «… жанна»: small letters, where a known name stands alone or with a surname.
pub(super) fn small(reading: &Reading<'_>) -> Option<String> {
    let last = reading.sentences.len().checked_sub(1)?;
    let surname = |low: &str| {
        ["ов", "ев", "ёв", "ин", "ын", "ова", "ева", "ина", "ына", "ский", "ская", "цкая", "енко", "ук", "юк", "ян"]
            .iter()
            .any(|end| low.ends_with(end))
            && low.chars().count() > 4
    };
    reading.sentences.iter().enumerate().find_map(|(place, sentence)| {
        let clauses = sentence.clauses();
        let count = clauses.len();
        clauses.into_iter().enumerate().find_map(|(at, clause)| {
            let signs = place == last && at + 1 == count;
            let whole = clause.len();
            let clause = match clause {
                clause if signs => after_thanks(clause),
                clause => clause,
            };
            if signs && clause.len() < 3 && clause.len() < whole {
                return only_name(clause, true).or_else(|| known_small(clause));
            }
            let all_small = clause.first().is_some_and(|first| !first.is_capital())
                && clause.iter().all(|token| token.is_word() && token.text.chars().all(char::is_alphabetic));
            let known = clause.iter().any(|token| is_surely(&token.low));
            let fits = match clause {
                [_] => signs && place + at > 0,
                [one, two] => [one, two].iter().any(|token| surname(&token.low) || is_patronymic(&token.low)),
                _ => false,
            };
            (all_small && known && fits && !sentence.asks)
                .then(|| clause.iter().map(|token| capitalised(token.text, true)).collect::<Vec<_>>().join(" "))
        })
    })
}

/// What stands after the last thanks of a clause: "… 07700 900418 cheers Baz".
fn after_thanks<'a, 'b>(clause: &'a [Token<'b>]) -> &'a [Token<'b>] {
    let thanks = clause.iter().rposition(|token| one_of("thnx thx thanks cheers ta спс regards", &token.low));
    thanks.map_or(clause, |at| &clause[at + 1..])
}

fn known_small(clause: &[Token<'_>]) -> Option<String> {
    let [one] = clause else { return None };
    is_surely(&one.low).then(|| capitalised(one.text, true))
}

/// Words after a name at the beginning of a sentence that make it the name of who is spoken to.
fn addresses(next: &Token<'_>) -> bool {
    let low = next.low.as_str();
    low.ends_with("йте")
        || low.ends_with("ите")
        || one_of(
            "спасибо вы добрый доброе здравствуйте а ну да нет но ваш ваша так thank thanks you can could \
             please hi hello what why is do will would yes no ok как когда где почему что это обещала обещал \
             same скажите подскажите привет good morning afternoon благодарю your did have",
            low,
        )
}

/// Whether what follows a name tells more of the one who signs: a number, a city, a way to reach them.
fn tells(next: &Token<'_>) -> bool {
    let low = next.low.as_str();
    next.is_number()
        || matches!(next.text, "+" | "№" | "#")
        || next.is_capital() && (places::is_city(low) || super::cities::begins(low))
        || one_of(
            "тел телефон моб мобильный г город ул улица д адрес заказ звонить звоните почта мейл email e-mail \
             mail номер м phone tel mobile cell order address number flat ul street town city из from ваш \
             пенсионер пенсионерка завхоз директор бухгалтер менеджер секретарь procurement head manager \
             accountant office purchasing engineer director secretary owner отдел г-н плюс plus снт пр \
             завод компания фирма ооо ип ао студия кафе школа проспект пер мкр наб бульвар the whatsapp telegram ватсап тг телеграм",
            low,
        )
}

/// A name that is a clause of its own, or goes with where it is from: "Hamish Dalgleish, order 330871", «Гузель, Казань».
pub(super) fn alone(reading: &Reading<'_>) -> Option<String> {
    let last_sentence = reading.sentences.len().checked_sub(1)?;
    let mut found = None;
    for (place, sentence) in reading.sentences.iter().enumerate() {
        let tokens = &sentence.tokens;
        if sentence.asks && reading.sentences.len() > 1 && !sentence.tokens.iter().any(|token| token.text == ",") {
            continue;
        }
        if let Some(name) = speaking(sentence) {
            return Some(name);
        }
        let mut begin = 0;
        while begin < tokens.len() {
            let mut end = begin;
            while end < tokens.len() && !ends_name(tokens, begin, end) {
                end += 1;
            }
            let clause = &tokens[begin..end];
            if let Some(name) = clause_name(reading, begin, clause, end, place) {
                found = found.or(Some(name));
            }
            begin = end + 1;
        }
        found = found.or_else(|| after_number(sentence).filter(|_| place == last_sentence));
    }
    found
}

/// Whether what begins the last sentence of a message is a name though nothing else says so.
fn signs(clause: &[Token<'_>]) -> bool {
    let shape = |token: &Token<'_>| {
        token.is_word()
            && !super::goods::is_goods(&token.low)
            && !one_of(NO_PERSON, &token.low)
            && token.text.chars().skip(1).all(|c| c.is_lowercase() || c == '-' || c == '’' || c == '\'')
    };
    clause.first().is_some_and(|first| is_known(&first.low)) || clause.len() == 2 && clause.iter().all(shape)
}

/// «… 8 912 345-67-89 Рамиля»: a known name right after a number, at the end.
fn after_number(sentence: &Sentence<'_>) -> Option<String> {
    let tokens: Vec<&Token<'_>> = sentence.tokens.iter().collect();
    let number = tokens.iter().rposition(|token| token.is_number())?;
    let rest = sentence.tokens.get(number + 1..)?;
    let rest = rest.split_last().filter(|(last, _)| last.divides()).map_or(rest, |(_, run)| run);
    let rest = rest.split_first().filter(|(first, _)| first.divides()).map_or(rest, |(_, run)| run);
    let one = rest.len() == 1 && (is_surely(&rest[0].low) || signs_alone(&rest[0]));
    let signs = sentence.text.chars().filter(char::is_ascii_digit).count() >= 10;
    if signs && one {
        return Some(capitalised(rest[0].text, !rest[0].is_capital()));
    }
    only_name(rest, false).filter(|_| signs)
}

/// Whether a word that stands alone after a number at the end is a name though it is not known.
fn signs_alone(token: &Token<'_>) -> bool {
    token.is_capital()
        && (3..=14).contains(&token.text.chars().count())
        && token.text.chars().skip(1).all(char::is_lowercase)
        && token.text.chars().all(char::is_alphabetic)
        && !is_common(token.text)
        && !one_of(NEVER, &token.low)
        && !one_of(NO_PERSON, &token.low)
        && !one_of(NO_SIGNATURE, &token.low)
        && !places::is_city(&token.low)
        && !super::goods::is_goods(&token.low)
}

const NO_SIGNATURE: &str = "whatsapp telegram viber sms text texts call calls mobile work home evenings mornings anytime asap urgent please \
     thanks help sorry only weekdays weekends daytime office landline today tonight cheers bye signal ватсап телеграм \
     ватцап вотсап тг срочно жду ждем звоните пишите вечером утром днем всегда домашний рабочий мобильный сотовый";

/// A full stop after an initial does not end a name.
fn ends_name(tokens: &[Token<'_>], begin: usize, at: usize) -> bool {
    let initial =
        tokens[at].text == "." && at > begin && tokens[at - 1].is_capital() && tokens[at - 1].text.chars().count() == 1;
    tokens[at].divides() && !initial
}

fn clause_name(reading: &Reading<'_>, begin: usize, clause: &[Token<'_>], end: usize, place: usize) -> Option<String> {
    let sentence = &reading.sentences[place];
    let last_sentence = reading.sentences.len() - 1;
    let tokens = &sentence.tokens;
    // An initial after a surname: «Шереметьев Г. О.», «Авдей Р.».
    let initials = clause.iter().filter(|token| token.is_capital() && token.text.chars().count() == 1).count();
    let longer = clause.iter().filter(|token| token.text.chars().count() > 1 && token.text != ".").collect::<Vec<_>>();
    let with_initials = initials > 0
        && clause[0].text.chars().any(crate::engine::words::is_cyrillic)
        && longer.len() == 1
        && longer[0].is_capital()
        && !is_common(longer[0].text)
        && clause.iter().all(|token| token.is_capital() || token.text == ".");
    let name = if with_initials {
        let letters: Vec<&str> = clause.iter().filter(|token| token.text != ".").map(|token| token.text).collect();
        Some(letters.join(" "))
    } else {
        let follows = tokens.get(end + 1);
        let signature = place > 0
            && begin == 0
            && (place == last_sentence
                || follows.is_none_or(|next| {
                    next.is_number() || next.text == "+" || one_of("from из tel phone тел", &next.low)
                }));
        only_name(clause, signature && signs(clause))
    };
    let name = name?;
    let next = tokens.get(end + 1);
    let mark = tokens.get(end).map(|token| token.text);
    let begins_sentence = begin == 0;
    let quoted = tokens.get(begin.wrapping_sub(1)).is_some_and(|token| matches!(token.text, "(" | "/"));
    let vocative = begins_sentence && mark == Some(",") && next.is_some_and(addresses)
        || mark == Some("?")
        || (begins_sentence && mark == Some("!") && next.is_none() && place == 0 && last_sentence > 0);
    // In the middle of a thought a name is an address as well: «спасибо, Анна, за помощь».
    let before: Vec<&str> =
        tokens[..begin].iter().rev().filter(|token| !token.divides()).take(3).map(|token| token.low.as_str()).collect();
    let thanked = before.first().is_some_and(|word| {
        [
            "спасибо",
            "здравствуйте",
            "hello",
            "hi",
            "dear",
            "привет",
            "добрый",
            "уважаемая",
            "уважаемый",
            "особенно",
            "thank",
            "thanks",
            "you",
            "день",
            "вечер",
            "утро",
            "тебя",
            "вас",
            "вам",
            "курьер",
            "manager",
            "менеджер",
            "оператор",
            "colleague",
            "girl",
        ]
        .contains(word)
    });
    let signature = place == last_sentence && next.is_none();
    let greeted = thanked
        && (place > 0 || signature)
        && !before.iter().any(|word| ["hi", "hello", "dear", "здравствуйте", "привет", "особенно"].contains(word));
    // «Светлана, нужны свечи» speaks to Светлана; «Светлана, 8 912 …» is Светлана.
    let full_english = clause.len() > 1 && clause.iter().all(Token::is_latin);
    let mailbox =
        next.is_some_and(|next| EMAIL.find(&sentence.text[next.start..]).is_some_and(|found| found.start() == 0));
    let told = next.is_none_or(tells) || full_english || mailbox;
    let following = reading.sentences.get(place + 1).and_then(|sentence| sentence.tokens.first());
    let whole = begin == 0 && next.is_none() && place < last_sentence && clause.len() == 1;
    // "Winston (the cat) says hi".
    let explained = mark == Some("(") && next.is_some_and(|next| one_of("the my our his her", &next.low));
    if !told || explained || (whole && !following.is_some_and(tells)) {
        return None;
    }
    let followed = next.is_none_or(|next| next.is_number() || next.text == "+" || !addresses(next));
    let of_theirs = tokens[..begin].iter().rev().filter(|token| token.text != ",").take(5).any(|token| {
        matches!(
            token.low.as_str(),
            "my" | "our" | "your" | "моя" | "мой" | "наш" | "наша" | "ваш" | "ваша" | "his" | "her"
        )
    });
    let for_them = [" ей ", " ему ", " им "].iter().any(|word| sentence.folded.contains(word));
    let of_others = for_them
        || of_theirs && !sentence.folded.contains(" my name ") && !sentence.folded.contains(" contact ")
        || [
            " муж ",
            " сын ",
            " дочь ",
            " сестра ",
            " брат ",
            " подруга ",
            " сосед ",
            " курьер ",
            " отзыв ",
            " husband ",
            " wife ",
            " brother ",
            " sister ",
            " friend ",
            " neighbour ",
            " colleague ",
            " mate ",
            " called ",
            " кассир ",
            " продавщица ",
            " менеджер ",
        ]
        .iter()
        .any(|word| sentence.folded.contains(word));
    (!vocative && !quoted && (!thanked || greeted) && followed && !of_others).then_some(name)
}

const ADVERBS: &str = "always still only just nothing everything everyone nobody standing waiting sitting stuck right back up down out \
     over same it's never already parcel order courier package delivery support";

/// "Gareth Pugh here", "Latoya from Atlanta here", "Anjali Mukherjee speaking", "Ilshat from Ufa", «Анна из Казани».
fn speaking(sentence: &Sentence<'_>) -> Option<String> {
    let tokens = &sentence.tokens;
    for (at, token) in tokens.iter().enumerate() {
        let begins =
            at == 0 || tokens[at - 1].divides() || is_opening(&tokens[at - 1].low) || tokens[at - 1].low == "team";
        if !begins || !token.is_capital() || is_common(token.text) || one_of(NEVER, &token.low) {
            continue;
        }
        let run = tokens[at..]
            .iter()
            .take(3)
            .take_while(|token| {
                token.is_capital() && token.is_word() && !is_common(token.text) && !one_of(NEVER, &token.low)
            })
            .count();
        let name = &tokens[at..at + run];
        let Some(next) = tokens.get(at + run) else { continue };
        let known = name.iter().any(|token| is_known(&token.low)) || name.iter().any(|token| is_patronymic(&token.low));
        let after_from = matches!(next.low.as_str(), "from" | "из" | "с" | "of")
            && tokens.get(at + run + 1).is_some_and(Token::is_capital);
        let here = tokens[at + run..].iter().take(4).position(|token| {
            matches!(token.low.as_str(), "here" | "speaking" | "writing" | "writes" | "again" | "беспокоит" | "пишет")
        });
        let speaks = match here {
            Some(0) => {
                tokens.get(at + run + 1).is_none_or(Token::divides) || matches!(next.low.as_str(), "here" | "speaking")
            }
            Some(_) => after_from && next.low != "of",
            None => false,
        };
        let of_city = run == 2 && tokens.get(at + run + 1).is_some_and(|city| places::is_city(&city.low));
        let from = after_from
            && (known || of_city)
            && next.low != "of"
            && (2..7).any(|words| {
                let firm = &tokens[(at + run + 1).min(tokens.len())..(at + run + words).min(tokens.len())];
                tokens.get(at + run + words).is_none_or(Token::divides)
                    && (words < 4 || firm.iter().all(Token::is_capital))
            })
            && !sentence.asks;
        // "Swansea here", "Always here": a place, and when.
        let spoken_of =
            tokens.get(at + run + 1).is_some_and(|after| one_of("is are was will would has works", &after.low));
        let no_person = spoken_of
            || run == 1 && (places::is_city(&token.low) || one_of(ADVERBS, &token.low))
            || run > 0 && is_famous(std::slice::from_ref(&token.low));
        let one = no_person
            || run == 1 && !known && (!speaks || here.is_some_and(|place| tokens[at + run + place].low == "writing"));
        if run > 0 && (speaks || from) && !one && !sentence.folded.contains(" says ") {
            return Some(name.iter().map(|token| token.text).collect::<Vec<_>>().join(" "));
        }
    }
    None
}
