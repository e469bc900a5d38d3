//! Numbers in figures and in words, with the units that follow or precede them.

use std::sync::LazyLock;

use regex::Regex;

use super::numbers::{Quantity, Unit};

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?P<number>[0-9]{1,3}(?: [0-9]{3})+\b(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)*)|(?P<word>[\p{L}]+(?:['’][\p{L}]+)?)|(?P<mark>[^\s])")
        .expect("the pattern is written here and compiles")
});

/// A piece of a text.
struct Token<'a> {
    text: &'a str,
    /// In lower case, ё as е.
    folded: String,
    start: usize,
    end: usize,
    is_number: bool,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    TOKEN
        .captures_iter(text)
        .map(|found| {
            let whole = found.get(0).expect("the whole match");
            Token {
                text: whole.as_str(),
                folded: whole.as_str().to_lowercase().replace('ё', "е"),
                start: whole.start(),
                end: whole.end(),
                is_number: found.name("number").is_some(),
            }
        })
        .collect()
}

/// The quantities of a text without dates and times.
pub(super) fn quantities(text: &str) -> Vec<Quantity> {
    let tokens = tokens(text);
    let mut all: Vec<Quantity> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let found = if token.is_number {
            Some(in_figures(&tokens, at))
        } else {
            in_words(&tokens, at).or_else(|| only_one(&tokens, at)).or_else(|| half(&tokens, at))
        };
        match found {
            Some((quantity, next)) => {
                all.push(quantity);
                at = next.max(at + 1);
            }
            None => at += 1,
        }
    }
    share_units(&mut all, text);
    all
}

/// A number in figures at `at`, and the token after it.
fn in_figures(tokens: &[Token<'_>], at: usize) -> (Quantity, usize) {
    let token = &tokens[at];
    let mut values = readings(token.text);
    let mut next = at + 1;
    if let Some(times) = tokens.get(next).and_then(|word| multiplier(&word.folded, token.end == word.start)) {
        for value in &mut values {
            *value = value.saturating_mul(times);
        }
        next += 1;
        // "тыс." and its full stop.
        next += usize::from(tokens.get(next).is_some_and(|mark| mark.text == "."));
    }
    let (unit, after) = unit_after(tokens, next);
    let unit = unit.or_else(|| at.checked_sub(1).and_then(|before| money(&tokens[before].folded)));
    // "2026 г.": which year it is, not how long something takes.
    let is_year = token.text.len() == 4
        && values.iter().all(|value| (1_900_000..2_100_000).contains(value))
        && unit.is_some_and(|(unit, _)| matches!(unit, Unit::Months | Unit::Grams));
    let unit = unit.filter(|_| !is_year);
    let end = tokens[after.max(next) - 1].end;
    let bound = at.checked_sub(1).is_some_and(|before| {
        let words = ["с", "до", "после", "к", "from", "to", "until", "till", "by", "between", "and", "before", "after"];
        words.contains(&tokens[before].folded.as_str())
    });
    (Quantity { values, unit, start: token.start, end, bound }, after.max(next))
}

/// What a number in figures may mean, in thousandths.
fn readings(written: &str) -> Vec<i64> {
    let mut readings = Vec::new();
    let groups: Vec<&str> = written.split([' ', ',', '.']).collect();
    let grouped = groups.len() > 1
        && (1..=3).contains(&groups[0].len())
        && groups[1..].iter().all(|group| group.len() == 3)
        && groups[0] != "0";
    if groups.len() == 1 || grouped {
        readings.extend(thousandths(&groups.concat(), ""));
    }
    // "1,5", "1 500,50": what follows the last mark is a fraction.
    if let Some(mark) = written.rfind([',', '.']) {
        let whole: String = written[..mark].chars().filter(char::is_ascii_digit).collect();
        readings.extend(thousandths(&whole, &written[mark + 1..]));
    }
    readings
}

fn thousandths(whole: &str, fraction: &str) -> Option<i64> {
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 3 || whole.len() > 15 {
        // Too long to be an amount: known by its last digits, and apart from all amounts.
        let digits = format!("{whole}{fraction}");
        return digits[digits.len().saturating_sub(15)..].parse::<i64>().ok().map(|number| -number);
    }
    let whole: i64 = whole.parse().ok()?;
    let parts: i64 = format!("{fraction:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(parts)
}

fn multiplier(word: &str, touches: bool) -> Option<i64> {
    match word {
        "k" | "к" if touches => Some(1000),
        "тыс" | "тысяч" | "тысячи" | "тысячу" | "тысячами" | "thousand" => Some(1000),
        "млн" | "миллион" | "миллиона" | "миллионов" | "million" => Some(1_000_000),
        _ => None,
    }
}

/// Values of number words in all their forms.
fn word_value(word: &str) -> Option<i64> {
    const FORMS: &[(i64, &str)] = &[
        (1, "один одна одно одну одного одной одним одном one"),
        (2, "два две двух двум двумя пара пару пары two couple"),
        (3, "три трех трем тремя three"),
        (4, "четыре четырех четырем четырьмя four"),
        (5, "пять пяти пятью five"),
        (6, "шесть шести шестью six"),
        (7, "семь семи семью seven"),
        (8, "восемь восьми восемью восьмью eight"),
        (9, "девять девяти девятью nine"),
        (10, "десять десяти десятью ten"),
        (11, "одиннадцать одиннадцати eleven"),
        (12, "двенадцать двенадцати twelve dozen"),
        (13, "тринадцать тринадцати thirteen"),
        (14, "четырнадцать четырнадцати fourteen"),
        (15, "пятнадцать пятнадцати fifteen"),
        (16, "шестнадцать шестнадцати sixteen"),
        (17, "семнадцать семнадцати seventeen"),
        (18, "восемнадцать восемнадцати eighteen"),
        (19, "девятнадцать девятнадцати nineteen"),
        (20, "двадцать двадцати twenty"),
        (30, "тридцать тридцати thirty"),
        (40, "сорок сорока forty"),
        (50, "пятьдесят пятидесяти fifty"),
        (60, "шестьдесят шестидесяти sixty"),
        (70, "семьдесят семидесяти seventy"),
        (80, "восемьдесят восьмидесяти eighty"),
        (90, "девяносто девяноста ninety"),
        (100, "сто ста"),
        (200, "двести двухсот"),
        (300, "триста трехсот"),
        (400, "четыреста четырехсот"),
        (500, "пятьсот пятисот"),
        (600, "шестьсот шестисот"),
        (700, "семьсот семисот"),
        (800, "восемьсот восьмисот"),
        (900, "девятьсот девятисот"),
    ];
    FORMS.iter().find(|(_, forms)| forms.split(' ').any(|form| form == word)).map(|(value, _)| *value)
}

/// A number in words at `at`: only with a unit, since "one" and "два" say much else.
fn in_words(tokens: &[Token<'_>], at: usize) -> Option<(Quantity, usize)> {
    let (mut total, mut current, mut next) = (0_i64, 0_i64, at);
    let mut seen = false;
    while let Some(token) = tokens.get(next) {
        if let Some(value) = word_value(&token.folded) {
            current += value;
            seen = true;
        } else if seen && token.folded == "hundred" {
            current *= 100;
        } else if let Some(times) = multiplier(&token.folded, false).filter(|_| seen) {
            total += current * times;
            current = 0;
        } else if !(seen
            && matches!(token.text, "-")
            && tokens.get(next + 1).is_some_and(|word| word_value(&word.folded).is_some()))
        {
            break;
        }
        next += 1;
    }
    let half = tokens[at].folded.starts_with("полтор");
    if half {
        next = at + 1;
    } else if !seen {
        return None;
    }
    // "couple of weeks"
    next += usize::from(tokens.get(next).is_some_and(|word| word.folded == "of"));
    let (unit, after) = unit_after(tokens, next);
    let value = if half { 1500 } else { (total + current).saturating_mul(1000) };
    unit.map(|unit| {
        (
            Quantity {
                values: vec![value],
                unit: Some(unit),
                start: tokens[at].start,
                end: tokens[after - 1].end,
                bound: false,
            },
            after,
        )
    })
}

/// Units of time in the singular.
const SINGULAR: &str =
    "минуту минуты час часа сутки суток день дня неделю недели месяц месяца год года minute hour day week month year";

/// "Within a week", "за сутки", "раз в месяц": one of a unit of time, unsaid.
fn only_one(tokens: &[Token<'_>], at: usize) -> Option<(Quantity, usize)> {
    let word = |offset: usize| tokens.get(at + offset).map(|token| token.folded.as_str());
    let skipped = match (word(0)?, word(1), word(2)) {
        ("в", Some("течение" | "течении"), _)
        | ("раз", Some("в"), _)
        | ("within" | "in" | "for" | "once", Some("a" | "an" | "the" | "one"), _) => 2,
        ("за" | "через" | "на" | "per" | "within" | "a" | "an", ..) => 1,
        _ => return None,
    };
    let token = tokens.get(at + skipped)?;
    let before_it = tokens.get(at + skipped + 1).map(|token| token.folded.as_str());
    // "The day before", "за час до": not how long something takes.
    if !SINGULAR.split(' ').any(|form| form == token.folded)
        || matches!(before_it, Some("до" | "before" | "after" | "ago" | "назад"))
    {
        return None;
    }
    let unit = time_unit(&token.folded)?;
    Some((
        Quantity { values: vec![1000], unit: Some(unit), start: tokens[at].start, end: token.end, bound: false },
        at + skipped + 1,
    ))
}

/// "Полгода", "half an hour".
fn half(tokens: &[Token<'_>], at: usize) -> Option<(Quantity, usize)> {
    let token = &tokens[at];
    let (unit, next) = match token.folded.as_str() {
        "полгода" => ((Unit::Months, 12), at + 1),
        "полчаса" | "получаса" => ((Unit::Minutes, 60), at + 1),
        "half" => {
            let skip = usize::from(tokens.get(at + 1).is_some_and(|word| matches!(word.folded.as_str(), "a" | "an")));
            let unit = tokens.get(at + 1 + skip).and_then(|word| time_unit(&word.folded))?;
            (unit, at + 2 + skip)
        }
        _ => return None,
    };
    Some((
        Quantity { values: vec![500], unit: Some(unit), start: token.start, end: tokens[next - 1].end, bound: false },
        next,
    ))
}

/// The unit that begins at `at`, with at most one adjective before it, and the token after it.
fn unit_after(tokens: &[Token<'_>], at: usize) -> (Option<(Unit, i64)>, usize) {
    // "14-day", "4-значный"
    let hyphen = usize::from(
        tokens.get(at).is_some_and(|mark| mark.text == "-" && tokens.get(at + 1).is_some_and(|word| !word.is_number)),
    );
    let first = at + hyphen;
    let Some(token) = tokens.get(first) else { return (None, at) };
    if let Some(unit) = unit(&token.folded) {
        return (Some(unit), first + 1);
    }
    let adjective = is_adjective(&token.folded);
    let working = ["рабоч", "working", "business", "будн"].iter().any(|stem| token.folded.starts_with(stem));
    let hyphen = usize::from(tokens.get(first + 1).is_some_and(|mark| mark.text == "-"));
    match tokens.get(first + 1 + hyphen).filter(|_| adjective || working).and_then(|word| unit(&word.folded)) {
        Some((Unit::Minutes, 1440)) if working => (Some((Unit::WorkingDays, 1)), first + 2 + hyphen),
        Some(unit) => (Some(unit), first + 2 + hyphen),
        None => (None, at),
    }
}

fn is_adjective(word: &str) -> bool {
    matches!(
        word,
        "full" | "whole" | "calendar" | "more" | "extra" | "additional" | "еще" | "mint" | "bonus" | "cubic" | "square"
    ) || ["ых", "их", "ые", "ие", "ого", "его", "ый", "ий", "ая", "ую", "ной", "ым"]
        .iter()
        .any(|ending| word.ends_with(ending))
        && word.chars().count() > 4
}

fn time_unit(word: &str) -> Option<(Unit, i64)> {
    Some(match word {
        "мин" | "минута" | "минуту" | "минуты" | "минут" | "минутах" | "min" | "mins" | "minute" | "minutes" => {
            (Unit::Minutes, 1)
        }
        "ч" | "час" | "часа" | "часов" | "часам" | "часах" | "часовой" | "часовая" | "h" | "hr" | "hrs" | "hour"
        | "hours" => (Unit::Minutes, 60),
        "дн" | "день" | "дня" | "дней" | "дню" | "дням" | "днями" | "днях" | "сутки" | "суток" | "суткам"
        | "дневный" | "дневная" | "дневной" | "day" | "days" => (Unit::Minutes, 1440),
        "нед" | "неделя" | "недели" | "неделю" | "недель" | "неделе" | "неделям" | "недельный" | "week" | "weeks" => {
            (Unit::Minutes, 10_080)
        }
        "мес" | "месяц" | "месяца" | "месяцев" | "месяце" | "месяцам" | "месячный" | "месячная" | "month"
        | "months" => (Unit::Months, 1),
        "год" | "года" | "лет" | "годы" | "годам" | "году" | "годовая" | "годовой" | "летний" | "летняя" | "year"
        | "years" | "yr" | "yrs" => (Unit::Months, 12),
        _ => return None,
    })
}

fn money(word: &str) -> Option<(Unit, i64)> {
    Some(match word {
        "₽" | "rub" | "rubles" | "ruble" | "roubles" | "rouble" | "rubs" | "руб" | "р" | "рубль" | "рубля"
        | "рублей" | "рублям" | "рублях" | "рублями" | "рубли" => (Unit::Roubles, 1),
        "$" | "usd" | "dollar" | "dollars" | "доллар" | "доллара" | "долларов" => {
            (Unit::Dollars, 1)
        }
        "€" | "eur" | "euro" | "euros" | "евро" => (Unit::Euros, 1),
        _ => return None,
    })
}

fn unit(word: &str) -> Option<(Unit, i64)> {
    time_unit(word).or_else(|| money(word)).or_else(|| {
        Some(match word {
            "%"
            | "процент"
            | "процента"
            | "процентов"
            | "процентам"
            | "процентная"
            | "percent"
            | "percents"
            | "pct" => (Unit::Percent, 1),
            "балл" | "балла" | "баллов" | "баллы" | "баллам" | "баллами" | "point" | "points" | "бонус" | "бонуса"
            | "бонусов" => (Unit::Points, 1),
            "г" | "гр" | "грамм" | "грамма" | "граммов" | "g" | "gram" | "grams" => {
                (Unit::Grams, 1)
            }
            "кг"
            | "килограмм"
            | "килограмма"
            | "килограммов"
            | "kg"
            | "kgs"
            | "kilo"
            | "kilos"
            | "kilogram"
            | "kilograms" => (Unit::Grams, 1000),
            "мм" | "mm" | "миллиметр" | "миллиметра" | "миллиметров" => {
                (Unit::Millimetres, 1)
            }
            "см" | "cm" | "сантиметр" | "сантиметра" | "сантиметров" | "centimetres" | "centimeters" => {
                (Unit::Millimetres, 10)
            }
            "м" | "m" | "метр" | "метра" | "метров" | "metre" | "metres" | "meter" | "meters" => {
                (Unit::Millimetres, 1000)
            }
            "км" | "km" | "километр" | "километра" | "километров" | "kilometres" | "kilometers" => {
                (Unit::Millimetres, 1_000_000)
            }
            "мл" | "ml" => (Unit::Millilitres, 1),
            "л" | "l" | "литр" | "литра" | "литров" | "litre" | "litres" | "liter" | "liters" => {
                (Unit::Millilitres, 1000)
            }
            "°" | "градус" | "градуса" | "градусов" | "градусах" | "градусам" | "degree" | "degrees" => {
                (Unit::Degrees, 1)
            }
            "вт" | "w" | "ватт" | "watt" | "watts" => (Unit::Watts, 1),
            "символ" | "символа" | "символов" | "знаков" | "знака" | "character" | "characters" => {
                (Unit::Characters, 1)
            }
            "этаж" | "этажа" | "этажей" | "floor" | "floors" => (Unit::Floors, 1),
            _ => return None,
        })
    })
}

/// "3–7 дней", "from 1,000 to 50,000 ₽": the first number has the unit of the second.
fn share_units(all: &mut [Quantity], text: &str) {
    static JOINT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\s*(?:-|,|до|по|или|и|to|or|and|through)\s*(?:от |from |even )?$")
            .expect("the pattern is written here and compiles")
    });
    for at in (1..all.len()).rev() {
        let (before, after) = all.split_at_mut(at);
        let (first, second) = (&mut before[at - 1], &after[0]);
        if first.unit.is_none() && second.unit.is_some() && JOINT.is_match(&text[first.end..second.start]) {
            first.unit = second.unit;
        }
    }
}
