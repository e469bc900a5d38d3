//! Days and hours as people name them in Russian and English, told from the day of writing. What is not clear is not told.
//!
//! No crate was found that reads Russian days; English ones read relative days only.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Span, ToSpan};
use regex::{Captures, Regex};

use super::short;

/// Which way a day without a year, or a weekday, lies from the day of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// "I ordered on Friday".
    Behind,
    /// "Deliver it on Friday".
    Ahead,
    /// Whichever is nearer.
    Near,
}

/// By when something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The day.
    pub day: Date,
    /// The hour, where one is named.
    pub time: Option<Time>,
}

impl Due {
    /// The moment: without an hour, the last minute of the day.
    pub fn moment(self) -> DateTime {
        self.day.to_datetime(self.time.unwrap_or(jiff::civil::time(23, 59, 0, 0)))
    }
}

/// A day that a text names, and the place of its words in the text in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The day.
    pub day: Date,
    /// Where its words begin, in bytes.
    pub start: usize,
    /// Where they end.
    pub end: usize,
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this module compile")
}

/// The text as the patterns below read it.
pub fn lowered(text: &str) -> String {
    let lower = text.to_lowercase().replace('ё', "е").replace(['’', '‘'], "'");
    short::spelled_out(&lower)
}

#[rustfmt::skip]
const MONTHS: [(&str, &str); 12] = [
    ("янв", "jan"), ("фев", "feb"), ("мар", "mar"), ("апр", "apr"), ("ма", "may"), ("июн", "jun"),
    ("июл", "jul"), ("авг", "aug"), ("сен", "sep"), ("окт", "oct"), ("ноя", "nov"), ("дек", "dec"),
];

const MONTH: &str = r"(январ[яь]|феврал[яь]|марта?|апрел[яь]|ма[яй]|июн[яь]|июл[яь]|августа?|сентябр[яь]|октябр[яь]|ноябр[яь]|декабр[яь]|january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)";

/// Days of a month in words, in the genitive.
#[rustfmt::skip]
const ORDINALS: [(&str, i8); 21] = [
    ("первого", 1), ("второго", 2), ("третьего", 3), ("четвертого", 4), ("пятого", 5), ("шестого", 6), ("седьмого", 7), ("восьмого", 8), ("девятого", 9), ("десятого", 10),
    ("одиннадцатого", 11), ("двенадцатого", 12), ("тринадцатого", 13), ("четырнадцатого", 14), ("пятнадцатого", 15), ("шестнадцатого", 16), ("семнадцатого", 17),
    ("восемнадцатого", 18), ("девятнадцатого", 19), ("двадцатого", 20), ("тридцатого", 30),
];

static ORDINAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"\b(?:(двадцать|тридцать)\s+)?([а-я]{{3,}}ого|третьего)\s+(?:{MONTH}|(числа))\b"))
});

/// In a transliteration: "28 marta".
static LATIN_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b([0-3]?[0-9])\s+(yanvarya|fevralya|marta|aprelya|maya|iyunya|iyulya|avgusta|sentyabrya|oktyabrya|noyabrya|dekabrya)\b",
    )
});

const LATIN_MONTHS: [&str; 12] =
    ["yan", "fev", "mart", "apr", "maya", "iyun", "iyul", "avg", "sen", "okt", "noy", "dek"];

/// "The tenth of May".
static ORDINAL_ENGLISH: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"\b(?:(twenty|thirty)[ -])?({})\s+of\s+{MONTH}\b", ENGLISH_ORDINALS.join("|"))));

const ENGLISH_ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];

static WEEK_END: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:до конца (?:этой )?недели|к концу (?:этой )?недели|by (?:the )?end of (?:the|this) week|this week|на этой неделе)\b",
    )
});

const COUNT: &str = r"([0-9]{1,3}|один|одного|два|двух|две|три|трех|четыре|четырех|пять|пяти|шесть|шести|семь|семи|восемь|девять|десять|десяти|пару|пары|полтора|one|two|three|four|five|six|seven|eight|nine|ten|a couple of|a|an)";

static ISO: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(20[0-9]{2})-([0-9]{2})-([0-9]{2})\b"));

static DOTTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b([0-3]?[0-9])([./])([01]?[0-9])(?:[./](20[0-9]{2}|[0-9]{2}))?(?:\s?г(?:ода|\.)?)?\b"));

static DAY_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b([0-3]?[0-9])(?:-?(?:го|е|ое|ого|му|st|nd|rd|th))?\s+(?:of\s+)?{MONTH}\.?(?:,?\s+(20[0-9]{{2}}))?\b"
    ))
});

static MONTH_DAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"\b{MONTH}\.?\s+(?:the\s+)?([0-3]?[0-9])(?:st|nd|rd|th)?\b(?:,?\s+(20[0-9]{{2}}))?"))
});

static DAY_ONLY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b([0-3]?[0-9])(?:-?(?:го|ого|му|е))?\s+числа\b|\b([0-3]?[0-9])-?го\b|\b(?:on|by|until|till|for|before|after|from|to|since)\s+the\s+([0-3]?[0-9])(?:st|nd|rd|th)\b",
    )
});

/// "The 14th of this month", "Saturday the 24th".
static DAY_OF_THIS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b([0-3]?[0-9])(?:st|nd|rd|th) of (?:this|the) month\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s(?:the\s)?([0-3]?[0-9])(?:st|nd|rd|th)\b",
    )
});

/// "I ordered it on the ninth": a day of the month in words that nothing is counted by.
static ORDINAL_ALONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:on|by|until|till|before|since)\s+the\s+(?:(twenty|thirty)[ -])?({})\b\s*(?:$|[.,!?;)\n]|(?:and|but|please|i|we|because|so|my|from)\b)",
        ENGLISH_ORDINALS.join("|")
    ))
});

/// "Ordered 26/10": without a year, a day only after words of time.
static SLASHED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:on|ordered|bought|by|from|dated|since|until|till|arrived|delivered)\s+([0-3]?[0-9])/([01]?[0-9])(?:/(20[0-9]{2}|[0-9]{2}))?\b",
    )
});

static RELATIVE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(позавчера|вчера|сегодня|послезавтра|завтра|this morning|this afternoon|this evening|the day after tomorrow|day after tomorrow|the day before yesterday|day before yesterday|yesterday|today|tonight|tomorrow)(?:шн[а-я]+)?\b",
    )
});

static WEEKDAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:(прошл[а-я]+|эт[ауоу][а-я]*|ближайш[а-я]+|следующ[а-я]+|last|this|this coming|coming|next)\s+)?(понедельник[а-я]*|вторник[а-я]*|сред[аеуы]|четверг[а-я]*|пятниц[а-я]+|суббот[а-я]+|воскресень[а-я]+|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?)\b",
    )
});

static DISTANT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:(через|in)\s+(?:{COUNT}\s+)?(дн[а-я]+|день|недел[а-я]+|месяц[а-я]*|days?|weeks?|months?)|{COUNT}?\s*(дн[а-я]+|день|недел[а-я]+|месяц[а-я]*|days?|weeks?|months?)\s+(?:тому\s+)?(назад|ago))\b"
    ))
});

static WITHIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:в течение|в течении|за|within|in|через|over)\s+(?:the next\s+|(?:ближайш[а-я]+|следующ[а-я]+)\s+)?(?:{COUNT}(?:\s*[-–—]\s*([0-9]{{1,3}}))?\s+)?(?:рабоч[а-я]+\s+|working\s+|business\s+)?(минут[а-я]*|мин\b|полчаса|получаса|час[а-я]*|дн[а-я]+|день|сут[а-я]+|недел[а-я]+|minutes?|mins?\b|half an hour|hours?|days?|weeks?)"
    ))
});

static END_OF_DAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:до конца (?:рабочего )?дня|к концу (?:рабочего )?дня|до вечера|к вечеру|сегодня|в течени[еи] дня|(?:by|before) (?:the )?end of (?:the |my )?(?:day|shift)|within the day|by tonight|this (?:afternoon|evening|morning))\b",
    )
});

static HOUR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:до|к|после|не позднее|не позже|after|before|by|until|till|no later than|around|at|в|,)\s+(?:([01]?[0-9]|2[0-3])[:.]([0-5][0-9])|([01]?[0-9]|2[0-3]))\s*(час[а-я]*(?:\s+(?:утра|дня|вечера))?|утра|дня|вечера|a\.?m\b|p\.?m\b|o'clock)?",
    )
});

static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:с|from|between)\s+([01]?[0-9]|2[0-3])(?:[:.]([0-5][0-9]))?\s*(?:a\.?m\.?|p\.?m\.?)?\s+(?:до|to|and|until)\s+([01]?[0-9]|2[0-3])(?:[:.]([0-5][0-9]))?\s*(p\.?m\b|a\.?m\b)?",
    )
});

static NOON: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:до|к|by|before|at|tomorrow)\s+(?:полудня|полудню|noon|midday)\b"));

/// The days that `lowered` text names, in its order. `today` is the day of writing.
pub fn days(text: &str, today: Date, lies: Lies) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    let mut found = |pattern: &Regex, read: &dyn Fn(&Captures) -> Option<Date>| {
        for found in pattern.captures_iter(text) {
            let whole = found.get(0).expect("a match has its whole");
            let overlaps = all.iter().any(|one| whole.start() < one.end && one.start < whole.end());
            if let Some(day) = read(&found).filter(|_| !overlaps) {
                all.push(Named { day, start: whole.start(), end: whole.end() });
            }
        }
    };
    found(&ISO, &|it| Date::new(number(it, 1)?, number(it, 2)?, number(it, 3)?).ok());
    found(&DAY_MONTH, &|it| dated(number(it, 1)?, month(it.get(2)?.as_str())?, number(it, 3), today, lies));
    found(&MONTH_DAY, &|it| dated(number(it, 2)?, month(it.get(1)?.as_str())?, number(it, 3), today, lies));
    found(&SLASHED, &|it| {
        let (first, second): (i8, i8) = (number(it, 1)?, number(it, 2)?);
        let year: Option<i16> = number(it, 3).map(|year: i16| if year < 100 { 2000 + year } else { year });
        dated(first, second, year, today, lies)
    });
    found(&DOTTED, &|it| dotted(it, today, lies));
    found(&ORDINAL, &|it| ordinal(it, today, lies));
    found(&ORDINAL_ENGLISH, &|it| dated(english_ordinal(it)?, month(it.get(3)?.as_str())?, None, today, lies));
    found(&ORDINAL_ALONE, &|it| day_of_month(english_ordinal(it)?, today, lies));
    found(&DAY_OF_THIS, &|it| day_of_month(number(it, 1).or_else(|| number(it, 2))?, today, lies));
    found(&LATIN_MONTH, &|it| {
        let month = LATIN_MONTHS.iter().position(|start| it[2].starts_with(start))? + 1;
        dated(number(it, 1)?, i8::try_from(month).ok()?, None, today, lies)
    });
    found(&RELATIVE, &|it| today.checked_add(relative(it.get(1)?.as_str())).ok());
    found(&DISTANT, &|it| distant(it, today));
    found(&WEEKDAY, &|it| weekday(it, today, lies));
    found(&DAY_ONLY, &|it| {
        let day = number(it, 1).or_else(|| number(it, 2)).or_else(|| number(it, 3))?;
        day_of_month(day, today, lies)
    });
    all.sort_by_key(|named| named.start);
    all
}

/// By when a promise in `lowered` text is to be kept: its last day or length of time, with the hour where one is named.
pub fn due(text: &str, said: DateTime) -> Option<Due> {
    let today = said.date();
    let mut named =
        days(text, today, Lies::Ahead).into_iter().filter(|named| named.day >= today).map(|named| named.day);
    let day = named.next_back().or_else(|| END_OF_DAY.is_match(text).then_some(today));
    // "15 minutes before the visit" is no length of time from now.
    let from_now = |found: &Captures| {
        let after = found.get(0).map_or("", |whole| text[whole.end()..].trim_start());
        !["до ", "before"].iter().any(|word| after.starts_with(word))
    };
    if let Some(found) = day.is_none().then(|| WITHIN.captures(text)).flatten().filter(from_now) {
        return within(&found, said);
    }
    let sunday = || {
        WEEK_END
            .is_match(text)
            .then(|| {
                if today.weekday() == Weekday::Sunday {
                    Some(today)
                } else {
                    today.nth_weekday(1, Weekday::Sunday).ok()
                }
            })
            .flatten()
    };
    let day = day.or_else(sunday);
    let time = hour(text);
    match (day, time) {
        (Some(day), time) => Some(Due { day, time }),
        // An hour without a day is the next time that the clock shows it.
        (None, Some(time)) if NOON.is_match(text) || HOUR.is_match(text) => {
            let day = if time > said.time() { today } else { today.tomorrow().ok()? };
            Some(Due { day, time: Some(time) })
        }
        _ => None,
    }
}

fn english_ordinal(it: &Captures) -> Option<i8> {
    let ones = i8::try_from(ENGLISH_ORDINALS.iter().position(|word| *word == &it[2])? + 1).ok()?;
    Some(it.get(1).map_or(0, |tens| if tens.as_str() == "twenty" { 20 } else { 30 }) + ones)
}

fn number<T: std::str::FromStr>(found: &Captures, group: usize) -> Option<T> {
    found.get(group)?.as_str().parse().ok()
}

fn month(name: &str) -> Option<i8> {
    // May before March: "ма" begins both in Russian.
    let of = |(ru, en): &(&str, &str)| match *ru {
        "ма" => name == "мая" || name == "май" || name == *en,
        ru => name.starts_with(ru) || name.starts_with(en),
    };
    i8::try_from(MONTHS.iter().position(of)? + 1).ok()
}

fn dated(day: i8, month: i8, year: Option<i16>, today: Date, lies: Lies) -> Option<Date> {
    if let Some(year) = year {
        return Date::new(year, month, day).ok();
    }
    let years = [today.year() - 1, today.year(), today.year() + 1];
    let all = years.into_iter().filter_map(|year| Date::new(year, month, day).ok());
    nearest(all, today, lies)
}

/// The nearest on the side on which it lies; today lies on both.
fn nearest(all: impl Iterator<Item = Date>, today: Date, lies: Lies) -> Option<Date> {
    let side = |day: &Date| match lies {
        Lies::Behind => *day <= today,
        Lies::Ahead => *day >= today,
        Lies::Near => true,
    };
    all.filter(side).min_by_key(|day| (*day - today).get_days().abs())
}

fn ordinal(it: &Captures, today: Date, lies: Lies) -> Option<Date> {
    let day = ORDINALS.iter().find(|(word, _)| *word == &it[2]).map(|(_, day)| *day)?;
    let tens = match it.get(1).map(|tens| tens.as_str()) {
        None => 0,
        Some(_) if day > 9 => return None,
        Some("двадцать") => 20,
        Some(_) => 30,
    };
    match it.get(3) {
        Some(name) => dated(tens + day, month(name.as_str())?, None, today, lies),
        None => day_of_month(tens + day, today, lies),
    }
}

fn dotted(it: &Captures, today: Date, lies: Lies) -> Option<Date> {
    let (first, second): (i8, i8) = (number(it, 1)?, number(it, 3)?);
    let year: Option<i16> = number(it, 4).map(|year: i16| if year < 100 { 2000 + year } else { year });
    // "2.5" is a figure more often than the second of May.
    let padded = it.get(1)?.len() == 2 && it.get(3)?.len() == 2;
    if year.is_none() && (!padded || &it[2] == "/") {
        return None;
    }
    let (day, month) = if second > 12 { (second, first) } else { (first, second) };
    dated(day, month, year, today, lies)
}

fn relative(word: &str) -> Span {
    let days: i64 = match word {
        "позавчера" | "the day before yesterday" | "day before yesterday" => -2,
        "вчера" | "yesterday" => -1,
        "завтра" | "tomorrow" => 1,
        "послезавтра" | "the day after tomorrow" | "day after tomorrow" => 2,
        _ => 0,
    };
    days.days()
}

fn count(word: Option<&str>) -> Option<i64> {
    Some(match word.map(str::trim) {
        None | Some("" | "один" | "одного" | "one" | "a" | "an") => 1,
        Some("два" | "двух" | "две" | "two" | "пару" | "пары" | "a couple of") => 2,
        Some("три" | "трех" | "three") => 3,
        Some("четыре" | "четырех" | "four") => 4,
        Some("пять" | "пяти" | "five") => 5,
        Some("шесть" | "шести" | "six") => 6,
        Some("семь" | "семи" | "seven") => 7,
        Some("восемь" | "eight") => 8,
        Some("девять" | "nine") => 9,
        Some("десять" | "десяти" | "ten") => 10,
        Some(digits) => digits.parse().ok()?,
    })
}

fn length(count: i64, unit: &str) -> Span {
    match unit {
        _ if unit.starts_with("нед") || unit.starts_with("week") => count.weeks(),
        _ if unit.starts_with("мес") || unit.starts_with("month") => count.months(),
        _ => count.days(),
    }
}

fn distant(it: &Captures, today: Date) -> Option<Date> {
    let text = |group: usize| it.get(group).map(|found| found.as_str());
    if let Some(unit) = text(3) {
        return today.checked_add(length(count(text(2))?, unit)).ok();
    }
    today.checked_sub(length(count(text(4))?, text(5)?)).ok()
}

fn weekday(it: &Captures, today: Date, lies: Lies) -> Option<Date> {
    let name = it.get(2)?.as_str();
    let starts = |ru: &str, en: &str| name.starts_with(ru) || name.starts_with(en);
    let day = match () {
        () if starts("понед", "mon") => Weekday::Monday,
        () if starts("втор", "tue") => Weekday::Tuesday,
        () if starts("сред", "wed") => Weekday::Wednesday,
        () if starts("четв", "thu") => Weekday::Thursday,
        () if starts("пятн", "fri") => Weekday::Friday,
        () if starts("субб", "sat") => Weekday::Saturday,
        () => Weekday::Sunday,
    };
    // "On Mondays" is a habit.
    if name.ends_with("days") || name.ends_with("ам") || name.ends_with("ям") {
        return None;
    }
    let before = it.get(1).map_or("", |found| found.as_str());
    let which = match before {
        "last" => Lies::Behind,
        "next" | "this coming" | "coming" => Lies::Ahead,
        _ if before.starts_with("прошл") => Lies::Behind,
        _ if before.starts_with("ближ") || before.starts_with("след") => Lies::Ahead,
        _ => lies,
    };
    let found = match which {
        Lies::Behind => today.nth_weekday(-1, day),
        Lies::Ahead => today.nth_weekday(1, day),
        Lies::Near => return None,
    };
    found.ok()
}

fn day_of_month(day: i8, today: Date, lies: Lies) -> Option<Date> {
    let months = [-1, 0, 1].into_iter().filter_map(|months: i64| {
        let first = today.first_of_month().checked_add(months.months()).ok()?;
        Date::new(first.year(), first.month(), day).ok()
    });
    nearest(months, today, lies)
}

fn within(it: &Captures, said: DateTime) -> Option<Due> {
    let text = |group: usize| it.get(group).map(|found| found.as_str());
    let most = text(2).or(text(1));
    let unit = text(3)?;
    let exact = |length: Span| {
        let moment = said.checked_add(length).ok()?;
        Some(Due { day: moment.date(), time: Some(moment.time()) })
    };
    match unit {
        "полчаса" | "получаса" | "half an hour" => exact(30.minutes()),
        _ if unit.starts_with("мин") || unit.starts_with("min") => exact(count(most)?.minutes()),
        _ if unit.starts_with("час") || unit.starts_with("hour") => exact(count(most)?.hours()),
        // "In the course of the day" is today, "in the course of two days" is the day after tomorrow.
        _ if unit == "дня" && most.is_none() || unit == "день" && most.is_none() => {
            Some(Due { day: said.date(), time: None })
        }
        _ if unit.starts_with("сут") => {
            Some(Due { day: said.date().checked_add(count(most)?.days()).ok()?, time: None })
        }
        _ => Some(Due { day: said.date().checked_add(length(count(most)?, unit)).ok()?, time: None }),
    }
}

/// The hour by which: of "from 10 to 14" the later one.
fn hour(text: &str) -> Option<Time> {
    if NOON.is_match(text) {
        return Time::new(12, 0, 0, 0).ok();
    }
    if let Some(it) = RANGE.captures(text) {
        let afternoon = it.get(5).is_some_and(|found| found.as_str().starts_with('p'));
        return clock(number(&it, 3)?, number(&it, 4).unwrap_or(0), afternoon);
    }
    let late = ["tonight", "evening", "afternoon"].iter().any(|word| text.contains(word));
    let found = HOUR.captures_iter(text).filter_map(|it| {
        let part = it.get(4).map_or("", |found| found.as_str());
        let afternoon =
            part.starts_with('p') || part.ends_with("вечера") || part.ends_with("дня") || late && part.is_empty();
        let whole = it.get(0)?;
        let goes_on = text[whole.end()..].trim_start();
        let stops = goes_on.strip_prefix('.').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        // "By 12 March" and "до 5 дней" are no hours.
        let counts = part.is_empty()
            && it.get(1).is_none()
            && !stops
            && goes_on.starts_with(|c: char| c.is_alphanumeric() || "-–.%₽/".contains(c))
            && !["по", "мск", "и", "а", "on", "and", "your", "tomorrow", "today", "завтра", "сегодня", "local"]
                .iter()
                .any(|word| goes_on.split(|c: char| !c.is_alphanumeric()).next() == Some(word));
        // «В 12» is an hour only with a word that says so; «в 12:30» is.
        let vague = whole.as_str().starts_with("в ") && part.is_empty() && it.get(1).is_none();
        if counts || vague {
            return None;
        }
        let (hour, minute) = match it.get(1) {
            Some(_) => (number(&it, 1)?, number(&it, 2)?),
            None => (number(&it, 3)?, 0),
        };
        clock(hour, minute, afternoon)
    });
    found.last()
}

fn clock(hour: i8, minute: i8, afternoon: bool) -> Option<Time> {
    Time::new(if afternoon && hour < 12 { hour + 12 } else { hour }, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime, time};
    use proptest::prelude::*;

    use super::*;

    /// A Tuesday.
    const TODAY: Date = date(2026, 3, 10);

    #[track_caller]
    fn check(text: &str, lies: Lies, expected: &[&str]) {
        let found: Vec<String> = days(&lowered(text), TODAY, lies).iter().map(|named| named.day.to_string()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn days_as_people_name_them() {
        check("заказала 2 марта, привезли 5-го", Lies::Behind, &["2026-03-02", "2026-03-05"]);
        check("Заказ от 28 декабря", Lies::Behind, &["2025-12-28"]);
        check("привезите 12 апреля", Lies::Ahead, &["2026-04-12"]);
        check("1 марта 2025 года", Lies::Ahead, &["2025-03-01"]);
        check("on March 3rd, and on 4 May 2026", Lies::Behind, &["2026-03-03", "2026-05-04"]);
        check("получил 03.03.2026 и 05.03", Lies::Behind, &["2026-03-03", "2026-03-05"]);
        check("2026-03-12", Lies::Behind, &["2026-03-12"]);
        check("вчера, послезавтра и сегодня", Lies::Near, &["2026-03-09", "2026-03-12", "2026-03-10"]);
        check("the day after tomorrow", Lies::Near, &["2026-03-12"]);
        check("купил в пятницу", Lies::Behind, &["2026-03-06"]);
        check("привезите в пятницу", Lies::Ahead, &["2026-03-13"]);
        check("в прошлую среду", Lies::Ahead, &["2026-03-04"]);
        check("last Monday, next Monday", Lies::Near, &["2026-03-09", "2026-03-16"]);
        check("неделю назад, 3 дня назад, через две недели", Lies::Near, &["2026-03-03", "2026-03-07", "2026-03-24"]);
        check("two days ago; in a week", Lies::Near, &["2026-03-08", "2026-03-17"]);
        check("заберу 15 числа", Lies::Ahead, &["2026-03-15"]);
        check("ordered on the 5th? by the 5th", Lies::Behind, &["2026-03-05", "2026-03-05"]);
        check("мая 5 may", Lies::Ahead, &["2026-05-05"]);
    }

    #[test]
    fn what_names_no_day_is_none() {
        for text in [
            "по понедельникам",
            "on Fridays",
            "в пятницу или когда-нибудь",
            "весит 2.5 кг",
            "скидка 10/12",
            "заказ 123456",
            "размер 38",
            "31 февраля",
            "через час",
            "маркировка 5",
            "0.5 л",
        ] {
            check(text, Lies::Near, &[]);
        }
    }

    #[test]
    fn promises_fall_due() {
        let said = datetime(2026, 3, 10, 14, 5, 0, 0);
        let check = |text: &str, day: Option<Date>, hour: Option<Time>| {
            let expected = day.map(|day| Due { day, time: hour });
            assert_eq!(due(&lowered(text), said), expected, "{text}");
        };
        check("Перезвоню вам завтра до 12", Some(date(2026, 3, 11)), Some(time(12, 0, 0, 0)));
        check("Перезвоним сегодня до 18:30.", Some(TODAY), Some(time(18, 30, 0, 0)));
        check("Курьер приедет завтра с 10 до 14", Some(date(2026, 3, 11)), Some(time(14, 0, 0, 0)));
        check("Вернём деньги до пятницы", Some(date(2026, 3, 13)), None);
        check("Вернём деньги до 15 марта", Some(date(2026, 3, 15)), None);
        check("Напишу в течение часа", Some(TODAY), Some(time(15, 5, 0, 0)));
        check("Напишу через 20 минут", Some(TODAY), Some(time(14, 25, 0, 0)));
        check("Отправим в течение 3 дней", Some(date(2026, 3, 13)), None);
        check("Отправим в течение 2-3 рабочих дней", Some(date(2026, 3, 13)), None);
        check("Сообщу в течение дня", Some(TODAY), None);
        check("Уточню и до конца дня напишу", Some(TODAY), None);
        check("I'll write to you by noon tomorrow", Some(date(2026, 3, 11)), Some(time(12, 0, 0, 0)));
        check("We will call you back by 5 pm", Some(TODAY), Some(time(17, 0, 0, 0)));
        check("We will call you by 9 am", Some(date(2026, 3, 11)), Some(time(9, 0, 0, 0)));
        check("We'll refund it within two days", Some(date(2026, 3, 12)), None);
        check("We will post it on Friday", Some(date(2026, 3, 13)), None);
        check("Проверю и напишу", None, None);
        check("I'll find out for you", None, None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*", known in "(в пятницу |через 999 |12 марта |by 25 |31.02.99 |до 12 )?") {
            let text = lowered(&format!("{known}{text}"));
            for named in days(&text, TODAY, Lies::Ahead) {
                prop_assert!(text.get(named.start..named.end).is_some());
            }
            due(&text, TODAY.at(12, 0, 0, 0));
        }
    }
}
