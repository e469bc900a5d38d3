//! Days that a customer names for something of theirs: when they ordered, when they want it, their birthday.

use std::sync::LazyLock;

use jiff::Zoned;
use jiff::civil::Date;
use regex::Regex;

use super::days::{Lies, Named, days, lowered};
use super::instructions::is_order;
use super::reading::{folded, one_of};
use super::said::{LIKELY, pattern};
use super::{addresses, values, voice};
use crate::domain::id::MessageId;
use crate::domain::memory::{FactKind, Stance, Statement};
use crate::engine::words::{sentences, shortened};

/// Longest part of the sentence that is kept with the day, in characters.
const WORDS: usize = 80;

/// How far from a day the words may stand that say what it is of, in bytes.
const FAR: usize = 110;

/// What has happened to the customer.
static HAPPENED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^а-яa-z])(?:(?:didn't|didnt|did not|never|hasn't|haven't) (?:come|arrive|turn up)|заказал[аи]?|заказывал[аи]?|купил[аи]?|покупал[аи]?|приобр[а-я]+|куплен[а-я]*|оформил[аи]?|оформлял[аи]?|оплатил[аи]?|оплата|оплачен[а-я]*|получил[аи]?|получен[а-я]*|забрал[аи]?|брал[аи]?|взял[аи]?|взяли|привез(?:ли|ла)?|доставили|доставлен[а-я]*|приехал[аои]?|приш(?:ел|ла|ли|ло)|чек от|заказ от|от|вызов был|был вызов|прислал[аи]?|прислали|sent|shipped|вернул[аи]?|отправил[аи]?|сдал[аи]?|ordered|bought|purchased|purchase|paid|received|got|(?:i|we) had|picked up|collected|arrived|came|delivered|take from you|fitted|sold|turned up|placed|returned|sent it back|from you|brought me|brought|забирал[аи]?|заказ делал[аи]?|делал[аи]? заказ|был[аои]? на|visited|stopped|broke|snapped|was my birthday|my birthday was|you sent|got it|order from|order of|reached me|put in|was made|i booked|we booked|booked with|enrolled|signed up)(?:[^а-яa-z]|$)",
    )
});

/// What they want to happen, or know that will.
static WANTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^а-яa-z])(?:возите|возить|be delivered|be brought|be here|be there|be with|must be|has to be|have to be|to be there|asked for|привезите|привезти|привоз[а-я]+|доставьте|доставить|доставк[аеуи] (?:на|нужна|к)|доставка|дата доставки|везите|нуж(?:ен|на|но|ны)|надо|хочу|хотим|хотел[аи]? бы|перенес(?:ите|ти)|перенести|перезапишите|уезжа[а-я]+|улета[а-я]+|уеду|улечу|приед[уе][а-я]*|приезжайте|заберу|забер[а-я]+|ждем|жду|ожидаю|день рождения|днюха|юбилей|свадьб[а-я]+|вызвать|вызов|вывоз|запиш[а-я]+|назначьте|успе[ею][а-я]*|точно придут|буду дома|дома буду|можете привезти|готов[аы]? принять|примем|отпуск|рыбалку|переезжа[а-я]+|deliver|delivered by|deliver it|delivery|bring|need|needed|want|would like|(?:the|my|our) (?:appointment|slot|fitting|installation)|d like|can it be|any chance of|could (?:it|everything|they|the \w+|my \w+|our \w+) be|(?:can|could) you do|can do|required|flies|bday|leave|leaving|leaves|fly|flying|away|move|moving|birthday|pick (?:it )?up|collect|reschedule|postpone|come|here by|until|back in town|wedding|travel|travelling|not earlier than|not before|courier|engineer|visit|waiting|expect|expecting|change|put it back to|back to|i'm off|im off|wish|comes|goes|get back|gets back|try again|we're off|off on|due|coming|take delivery|free on|move it|arrange|book|booked|need to be|to be with|подходит|разгрузка|выгрузка|забрать|наберите|перезвоните|позвоните|праздник|стрим|концерт|выпускной|экзамен|соревнования|поездка|др|мероприятие|anniversary|til|till|send|удобно|получится|устроит|заезжайте|приезжайте|можете приехать)(?:[^а-яa-z]|$)",
    )
});

/// What is asked, supposed, or holds for everybody.
static NOT_SETTLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^а-яa-z])(?:вот бы|i bet|bet you|хоть|wish you|you'll|you will|yeah right|say it was|let's say|like it always|like you always|как всегда|как обычно|flight|match|рейс|матч|like i believe|ну конечно|как же|допустим|типа купил|like if|предположим|скажем|наверное|может быть|возможно|работаете|открыт[а-я]*|закрыт[а-я]*|закрываетесь|акци[а-я]+|распродаж[а-я]+|сгора[а-я]+|действу[а-я]+|срок действия|истек[а-я]*|промокод[а-я]*|подешев[а-я]+|бонус[а-я]*|в наличии|завоз|отмечу|в календаре|мошенник[а-я]*|suppose|maybe|perhaps|what if|hypothetically|valid|on sale|go on sale|sale|open|opening|closed|shut|rent|mortgage|expires?|expired|promo|discount code|half now|in stock|turns (?:thirty|forty|fifty|sixty)|solve|черную пятницу|black friday|if (?:i|we) (?:order|buy|pay)|would it|does it|holiday hours|unless|failing which|letter before action|county court|rfp|bids?|lottery|homework|should i|could i order)(?:[^а-яa-z]|$)",
    )
});

/// Days of somebody else.
static OF_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^а-яa-z])(?:у него|у нее|спрашивает|(?:мам[аы]|сестра|брат|подруга|сосед[а-я]*|коллега|свекровь|друг) (?:[а-я]+ ){0,3}(?:заказ|купил|получил|брал)[а-я]*|he|she|у (?:коллег|друзей|друга|подруги|соседей|знакомых)|(?:colleague|friend|neighbour|neighbor|boss)(?:s['’]|['’]s)?|plumber|dentist|surgery|in-laws|(?:the|our|my) (?:lift|heating|boiler|car|internet|wifi|power) (?:broke|stopped|went)|лифт|тещ[аи]|стоматолог[а-я]*|операци[яию]|my (?:brother|sister|friend|neighbou?r|mother|mum|mom|dad|colleague|mate)|your \w+ (?:birthday|anniversary)|his|her)(?:[^а-яa-z]|$)",
    )
});

/// Of a question, what is settled nevertheless.
static SETTLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:заказал[аи]?|купил[аи]?|оплатил[аи]?|получил[аи]?|забрал[аи]?|оформил[аи]?|привезли|приш(?:ел|ла|ли|ло)|жду|ждем|хочу забрать|хочу получить|заберу|i want to collect|привезите|перенести|перенесите|вызвать|у меня день рождения|уезжаю|улетаю|точно придут|на рыбалку|ordered|bought|received|got|paid|arrived|came|i need|we need|bring|deliver on|change delivery|move delivery|courier (?:take|come|collect)|leaving on|flying|my delivery|my order|can it come|can you (?:deliver|bring|come|send)|(?:can|could|may) (?:it|everything|they|(?:the|my|our|your) \w+(?: \w+)?) (?:be|come|arrive)|(?:can|could) you do|(?:can|could) (?:you|youse|yous|ye|u) (?:guys |please )?(?:deliver|bring|come|send|make)|may i have the visit|birthday (?:is|of mine)|i want|we want|my birthday|my bday|можно забрать|забрать хочу|можно доставить|можно привезти|можно перенести|мо[йюея] (?:заказ|доставк))",
    )
});

/// The days in a customer's message that are theirs: `2026-03-12: the words around`.
pub fn dates(text: &str, source: MessageId, said: &Zoned) -> Vec<Statement> {
    let prepared = super::reading::prepared(text);
    let text = voice::own_words(&prepared);
    let mut all: Vec<Statement> = Vec::new();
    if voice::disowns(&folded(&text)) {
        return all;
    }
    for sentence in sentences(&text) {
        let lower = lowered(&addresses::without_streets(sentence));
        if is_order(sentence) || unsettled(&lower) || is_foreign(sentence) {
            continue;
        }
        for day in theirs(&lower, said) {
            let value = format!("{day}: {}", shortened(sentence, WORDS));
            let known = all.iter().any(|fact| fact.value.starts_with(&day.to_string()));
            if let Some(value) = values::canonical("date", &value).filter(|_| !known) {
                all.push(Statement {
                    key: "date".to_owned(),
                    value,
                    stance: Stance::Stated,
                    kind: FactKind::Attribute,
                    confidence: LIKELY,
                    source,
                    valid_at: said.timestamp(),
                    due_at: None,
                });
            }
        }
    }
    all
}

fn is_foreign(sentence: &str) -> bool {
    let folded = folded(sentence);
    voice::is_reported(&folded) || voice::is_of_others(&folded) || voice::is_of_other_shop(&folded)
}

fn unsettled(lower: &str) -> bool {
    let open = NOT_SETTLED.is_match(lower)
        && !lower.contains("день рождения")
        && !lower.contains("на распродаже")
        && !lower.contains("birthday");
    open || (lower.contains('?') && !SETTLED.is_match(lower))
}

/// The days of a sentence that are the customer's.
fn theirs(lower: &str, said: &Zoned) -> Vec<Date> {
    let ahead = days(lower, said.date(), Lies::Ahead);
    let behind = days(lower, said.date(), Lies::Behind);
    let near = days(lower, said.date(), Lies::Near);
    let mut all = Vec::new();
    let places = near_or(&near, &ahead);
    for (at, named) in places.iter().enumerate() {
        let replaced =
            places.get(at + 1).is_some_and(|next| corrects(lower.get(named.end..next.start).unwrap_or_default()));
        let told_twice = is_weekday_of(lower, named, places.get(at + 1))
            || is_weekday_of(lower, named, at.checked_sub(1).and_then(|before| places.get(before)));
        if told_twice {
            continue;
        }
        let Some(lies) = lies(lower, named).filter(|_| {
            !replaced
                && !corrected(lower, named)
                && !supposed(&lower[..named.start])
                && !told_or_now(lower, named)
                && !of_others(lower, named)
        }) else {
            continue;
        };
        let today = said.date();
        let day_in = |of: &[Named]| of.iter().find(|other| other.start == named.start).map(|found| found.day);
        let found = match lies {
            Lies::Behind => day_in(&behind).filter(|day| *day <= today).map(|day| sensible(day, day_in(&ahead), today)),
            Lies::Ahead | Lies::Near => {
                day_in(&ahead).filter(|day| *day >= today).map(|day| sensible(day, day_in(&behind), today))
            }
        };
        all.extend(found);
    }
    all
}

/// Nobody speaks of a day of nearly a year ago, or ahead, that was last month as well.
fn sensible(day: Date, other: Option<Date>, today: Date) -> Date {
    let far = |day: Date| (day - today).get_days().abs();
    other.filter(|other| far(day) > 240 && far(*other) < 60).unwrap_or(day)
}

/// The sentence tells of others, and the day's own clause does not tell of the customer.
fn of_others(lower: &str, named: &Named) -> bool {
    static OWN: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?:^|[^a-z])(?:i|i'm|i'd|i'll|we|we're|me|us)(?:[^a-z]|$)"));
    if !OF_OTHERS.is_match(lower) {
        return false;
    }
    let (from, to) = clause(lower, named);
    let own = &lower[from..to];
    let visits = VISITS.replace_all(own, " ");
    !OWN.is_match(own) || OF_OTHERS.is_match(&visits)
}

/// Where one goes: "on the 20th I leave for my sister's".
static VISITS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:for|to|at) my (?:brother|sister|friend|neighbou?r|mother|mum|mom|dad)'s"));

/// «В субботу 16 мая», "on 16 May, Saturday": a weekday right beside the day of a month is the same day.
fn is_weekday_of(lower: &str, named: &Named, other: Option<&Named>) -> bool {
    let Some(other) = other else { return false };
    let has_figure = |day: &Named| lower[day.start..day.end].contains(|c: char| c.is_ascii_digit());
    let (first, second) = if named.start < other.start { (named, other) } else { (other, named) };
    let between = lower.get(first.end..second.start).unwrap_or("far").trim_matches([',', '(', ' ']);
    !has_figure(named) && has_figure(other) && matches!(between, "" | "в" | "во" | "on" | "the")
}

/// Whether what stands between two days takes the first back: «в понедельник, нет, вру, во вторник».
fn corrects(between: &str) -> bool {
    static TAKEN_BACK: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:^|[^а-яa-z])(?:нет,? (?:вру|не|погодите|стоп|подождите)|вру|вернее|точнее|ой|тьфу|no,? (?:wait|sorry|not)|sorry,? (?:i mean|no|wrong)|i mean|scratch that|make that|oops|my mistake|or rather)(?:[^а-яa-z]|$)",
        )
    });
    TAKEN_BACK.is_match(between)
}

/// What we are said to have said, and what day it is now: "you told me it would be here by Monday and it's Thursday now".
fn told_or_now(lower: &str, named: &Named) -> bool {
    static TOLD: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:^|[^a-z])(?:(?:i was|we were) told|(?:you|u|they|he|she|bot|site|website|email|driver|courier|postman|postie|mailman|tracking|man|lady|telephone|phone|chat|team|rep) (?:\w+ )?(?:said|told|promised|says|say|wrote|write|writes|state|states))(?:[^a-z]|$)",
        )
    });
    static NOW: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?:^|[^a-zа-я])(?:it's|its|it is|today is|already|since|сегодня(?: уже)?)\s$"));
    static MEANT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:^|[^а-яa-z])(?:должн[аоы]? был[аои]?|должен был|обещал[аи]?|(?:i|we)(?:'d| had) asked for|(?:was|were) (?:meant|supposed|due|scheduled|promised)(?: to)?|should have)(?: [а-яa-z]+){0,4} (?:в |во |on |for |by )?$",
        )
    });
    MEANT.is_match(&lower[..named.start]) || TOLD.is_match(&lower[..named.start]) || NOW.is_match(&lower[..named.start])
}

/// What comes after "if" is supposed, unless it is politeness.
fn supposed(before: &str) -> bool {
    static IF: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^а-яa-z])(?:если|if)(?:[^а-яa-z]|$)"));
    let plain = before
        .replace("grateful if", " ")
        .replace("obliged if", " ")
        .replace("glad if", " ")
        .replace("if you can", " ")
        .replace("appreciate it if", " ")
        .replace("если можно", " ")
        .replace("если получится", " ")
        .replace("if possible", " ");
    IF.find_iter(&plain).last().is_some_and(|found| !plain[found.end()..].contains(['.', ';', ')']))
}

/// The places of all days, also of weekdays, which are nothing without a direction.
fn near_or(near: &[Named], ahead: &[Named]) -> Vec<Named> {
    let mut all = ahead.to_vec();
    all.extend(near.iter().filter(|named| ahead.iter().all(|other| other.start != named.start)));
    all.sort_by_key(|named| named.start);
    all
}

/// Which way a day lies: by the nearest words that say so, those of its own clause before others.
fn lies(lower: &str, named: &Named) -> Option<Lies> {
    let (from, to) = clause(lower, named);
    let own = nearest(lower, named, from, to);
    let whole = || {
        let from = floor(lower, named.start.saturating_sub(FAR));
        let to = floor(lower, (named.end + FAR).min(lower.len()));
        nearest(lower, named, from, to)
    };
    let words = &lower[named.start..named.end];
    let moment = words.starts_with("сегодня")
        || words.starts_with("today")
        || words.starts_with("this ")
        || words.starts_with("tonight");
    // Said of the day of writing in passing: «сегодня пишут — отказ».
    let found = if moment { own } else { own.or_else(whole) };
    let fixed = if words.starts_with("вчера")
        || words.starts_with("yesterday")
        || words.starts_with("позавчера")
        || words.contains("назад")
        || words.contains("ago")
    {
        Some(Lies::Behind)
    } else if words.starts_with("завтра") || words.starts_with("tomorrow") || words.starts_with("послезавтра")
    {
        Some(Lies::Ahead)
    } else {
        None
    };
    // "Waiting since the 2nd".
    if words.starts_with("since ") {
        return Some(Lies::Behind);
    }
    // «Жду рассаду с 20 апреля».
    let since = lower[..named.start].trim_end();
    let waits = ["жду", "ждем", "ожида", "wait"].iter().any(|word| since.contains(word));
    if waits && [" с", " со", " from"].iter().any(|word| since.ends_with(word)) {
        return Some(Lies::Behind);
    }
    // "On the 30th please." is all that is said.
    let asked = || {
        lower.len() < 40
            && ["please", "pls", "if you can", "if possible", "thanks"].iter().any(|word| lower.contains(word))
    };
    let found = found.or_else(|| asked().then_some(Lies::Ahead));
    // «Оформила торт на 8 марта»: ordered before, wanted then.
    let fixed = fixed.or_else(|| {
        before_it(&lower[..named.start]).filter(|lies| *lies == Lies::Ahead && found == Some(Lies::Behind))
    });
    match (found, fixed) {
        (None, _) => None,
        (Some(_), Some(Lies::Behind)) if !HAPPENED.is_match(lower) => None,
        (Some(_), Some(fixed)) => Some(fixed),
        (found, None) => found,
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The bounds of the clause that a day stands in.
fn clause(lower: &str, named: &Named) -> (usize, usize) {
    let divides = |c: char| matches!(c, ',' | ';' | '(' | ')' | '—' | '–' | '!' | '?' | '\n');
    let from = lower[..named.start].rfind(divides).map_or(0, |at| at + 1);
    let to = lower[named.end..].find(divides).map_or(lower.len(), |at| named.end + at);
    (floor(lower, from), to)
}

fn nearest(lower: &str, named: &Named, from: usize, to: usize) -> Option<Lies> {
    let from = if lower.is_char_boundary(from) { from } else { floor(lower, from) };
    let part = &lower[from..to];
    let distance = |found: regex::Match<'_>| {
        let (start, end) = (from + found.start(), from + found.end());
        // What stands before a day speaks of it sooner than what comes after.
        if end <= named.start + 1 {
            return named.start + 1 - end;
        }
        // "Ordered it on Sunday and need it by Wednesday": a thought of its own.
        let between = lower.get(named.end..start).unwrap_or_default();
        let apart = [" and", " but", " so"].iter().any(|word| between.starts_with(word));
        start.saturating_sub(named.end) + if apart { 48 } else { 8 }
    };
    let happened = HAPPENED.find_iter(part).filter(|found| !is_passive(part, found)).map(distance).min();
    match (happened, WANTED.find_iter(part).map(distance).min()) {
        (Some(happened), Some(wanted)) => Some(if happened <= wanted { Lies::Behind } else { Lies::Ahead }),
        (Some(_), None) => Some(Lies::Behind),
        (None, Some(_)) => Some(Lies::Ahead),
        (None, None) => before_it(&lower[..named.start]),
    }
}

/// "Could be delivered", "got cancelled": what is not done, or done by others.
fn is_passive(part: &str, found: &regex::Match<'_>) -> bool {
    static CANCELLED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^\s?(?:(?:the|your|an?|my|this) (?:invoice|e?-?mail|letter|confirmation|message|text|bill|receipt|call|notification)|an? (?:look|question|feeling|word|chat|problem)|nothing|none|no|wet|\w+ed|lost|stuck|broken|married|home|back|ill|sick)(?:[^a-z]|$)",
        )
    });
    let word = found.as_str().trim_matches(|c: char| !c.is_alphabetic());
    let before = part[..found.start()].trim_end();
    let modal = before.rsplit(' ').next().is_some_and(|last| one_of("be to get", last));
    let wanted = matches!(word, "delivered" | "brought" | "collected" | "sent" | "fitted" | "picked up")
        && before.split(' ').rev().take(8).any(|word| one_of("like want need wish", word));
    modal
        || wanted
        || matches!(word, "got" | "had" | "i had" | "we had" | "ordered" | "bought")
            && CANCELLED.is_match(&part[found.end()..])
}

/// «… на 12 декабря», «к 24 марта»: wanted by then.
fn before_it(before: &str) -> Option<Lies> {
    let before = before.trim_end();
    let ends = |words: &[&str]| {
        words.iter().any(|word| before.strip_suffix(word).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric)))
    };
    if ["был на", "была на", "было на", "были на"].iter().any(|was| before.ends_with(was)) {
        return Some(Lies::Behind);
    }
    if ends(&["на", "к", "for", "for the", "by", "by the"]) {
        return Some(Lies::Ahead);
    }
    ends(&["от"]).then_some(Lies::Behind)
}

/// "Not tomorrow but …", «во вторник, а не в четверг», "from Thursday to …": the other day counts.
fn corrected(lower: &str, named: &Named) -> bool {
    let before = lower[..named.start].trim_end();
    let after = lower[named.end..].trim_start();
    let before = ["on", "в", "во", "на", "the"].iter().fold(before, |text, word| {
        text.strip_suffix(word).filter(|rest| rest.ends_with(' ')).map_or(text, str::trim_end)
    });
    let ends = |words: &[&str]| {
        words.iter().any(|word| before.strip_suffix(word).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric)))
    };
    let (from, _) = clause(lower, named);
    let cancelled = ["отмен", "cancel"].iter().any(|word| lower[from..named.start].contains(word));
    if cancelled {
        return true;
    }
    // The street of the eighth of March; a day on which nobody is at home.
    if ends(&["ул", "ул.", "улица", "улице"]) || ends(&["easter", "bank holiday", "good", "black", "cyber"])
    {
        return true;
    }
    // "Today is the third": what day it is now is no day of theirs.
    let now = matches!(&lower[named.start..named.end], "today" | "сегодня")
        && ["is ", "уже ", "— ", "- "].iter().any(|is| after.starts_with(is))
        && (before.is_empty() || before.ends_with(',') || ends(&["and", "but", "so", "а", "и"]));
    if now {
        return true;
    }
    let near: String = after.chars().take(20).collect();
    if near.contains("no sorry")
        || near.contains("no wait")
        || [
            "'s no good",
            "is no good",
            "won't work",
            "doesn't work",
            "'s not good",
            "is out",
            "'s out",
            "isn't possible",
            "i can't",
        ]
        .iter()
        .any(|no| after.starts_with(no))
        || after.starts_with("не будет")
        || after.starts_with(", но меня не будет")
    {
        return true;
    }
    let moved = ends(&["from", "с", "со"])
        && (after.starts_with("to ")
            || after.starts_with("на ")
            || after.starts_with("по ")
            || after.starts_with("until"));
    ends(&["не", "not", "instead of", "вместо", "каждый", "каждую", "каждое", "every", "each"]) || moved
}
