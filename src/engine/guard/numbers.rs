//! Quantities in a text: numbers in figures and in words, with their units; dates and times of day.

use std::sync::LazyLock;

use regex::Regex;

/// A unit in its canonical form; amounts are counted in the smallest of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Minutes,
    Months,
    WorkingDays,
    Roubles,
    Dollars,
    Euros,
    Percent,
    Points,
    Grams,
    Millimetres,
    Millilitres,
    Degrees,
    Watts,
    Characters,
    Floors,
}

impl Unit {
    pub(super) fn is_money(self) -> bool {
        matches!(self, Unit::Roubles | Unit::Dollars | Unit::Euros | Unit::Points)
    }

    pub(super) fn is_duration(self) -> bool {
        matches!(self, Unit::Minutes | Unit::Months | Unit::WorkingDays)
    }

    /// Whether a policy is made of such figures: terms, prices, shares.
    pub(super) fn is_policy(self) -> bool {
        self.is_money() || self.is_duration() || self == Unit::Percent
    }
}

/// A number as it was written, with what it counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    /// What it may mean, in thousandths: "1.500" may be 1500 or 1.5.
    pub(super) values: Vec<i64>,
    /// The unit, with its size in the smallest of its class.
    pub(super) unit: Option<(Unit, i64)>,
    /// Where it stands.
    pub(super) start: usize,
    /// Where it ends, its unit included.
    pub(super) end: usize,
    /// It follows "from", "до" or the like: with hours, a time of day.
    pub(super) bound: bool,
}

impl Quantity {
    /// Whether it may be an hour of the day: a bare number, or "до 22 часов".
    pub(super) fn may_be_hour(&self) -> bool {
        self.unit.is_none() || (self.bound && self.unit == Some((Unit::Minutes, 60)))
    }

    /// Whether the other says the same: with units if both have one, else by the bare number.
    pub(super) fn agrees(&self, other: &Quantity) -> bool {
        match (self.unit, other.unit) {
            (Some((unit, size)), Some((other_unit, other_size))) => {
                unit == other_unit
                    && self
                        .values
                        .iter()
                        .any(|value| other.values.iter().any(|known| value * size == known * other_size))
            }
            _ => self.values.iter().any(|value| other.values.contains(value)),
        }
    }
}

/// What a text counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    pub(super) quantities: Vec<Quantity>,
    /// Day and month, and where it stands.
    pub(super) dates: Vec<((u32, u32), usize)>,
    /// Minutes after midnight, and where it stands.
    pub(super) times: Vec<(u32, usize)>,
    /// Days of the week, Monday being 0, and where it stands.
    pub(super) weekdays: Vec<(usize, usize)>,
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns of this file compile")
}

const MONTHS: [(&str, &str); 12] = [
    ("январ", "jan"),
    ("феврал", "feb"),
    ("март", "mar"),
    ("апрел", "apr"),
    ("ма[йяею]", "may"),
    ("июн", "jun"),
    ("июл", "jul"),
    ("август", "aug"),
    ("сентябр", "sep"),
    ("октябр", "oct"),
    ("ноябр", "nov"),
    ("декабр", "dec"),
];

static MONTH: LazyLock<String> = LazyLock::new(|| {
    let russian = r"январ[ьяею]|феврал[ьяею]|марта?|марте|апрел[ьяею]|ма[йяею]|июн[ьяею]|июл[ьяею]|августа?|августе|сентябр[ьяею]|октябр[ьяею]|ноябр[ьяею]|декабр[ьяею]";
    let english = r"january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec";
    format!(r"(?:{russian}|{english})\b")
});
/// "1, 2 и 7 января", "1–2 January".
static DAYS_OF_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    let day = r"[0-9]{1,2}(?:-?го|-?е|st|nd|rd|th)?";
    pattern(&format!(r"(?i)\b({day}(?:(?:\s*[,-]\s*|\s+(?:и|по|до|and|to|or|или)\s+){day})*)\s+(?:of\s+)?({})", *MONTH))
});
/// "January 1", "January 1–2".
static MONTH_AND_DAYS: LazyLock<Regex> = LazyLock::new(|| {
    let day = r"[0-9]{1,2}(?:st|nd|rd|th)?";
    pattern(&format!(r"(?i)\b({})\.?\s+({day}(?:(?:\s*[,-]\s*|\s+(?:and|to|or)\s+){day})*)(?:[^0-9:]|$)", *MONTH))
});
static WRITTEN_DATE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b([0-9]{2})[./]([0-9]{2})(?:[./](?:[0-9]{4}|[0-9]{2}))?\b"));
static ISO_DATE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-9]{4}-([0-9]{2})-([0-9]{2})\b"));
static DIGITS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]{1,2}"));
static CLOCK: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b([0-9]{1,2}):([0-9]{2})\b(?:\s*(a\.?m\.?|p\.?m\.?)(?:[^\p{L}]|$))?"));
static HALF_DAY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b([0-9]{1,2})\s*(a\.?m\b\.?|p\.?m\b\.?|утра|вечера)"));
static PART_OF_DAY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b([0-9]{1,2})\s+час(?:а|ов)?\s+(утра|вечера|ночи|дня)"));
static NOON: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:noon|midday|полдень|полудня)\b"));
static WEEKDAYS: LazyLock<[Regex; 7]> = LazyLock::new(|| {
    [
        r"понедельник\w*|mondays?",
        r"вторник\w*|tuesdays?",
        r"сред[ауеы]\b|по средам|wednesdays?",
        r"четверг\w*|thursdays?",
        r"пятниц\w+|fridays?",
        r"суббот\w+|saturdays?",
        r"воскресень\w+|sundays?",
    ]
    .map(|source| pattern(&format!(r"(?i)\b(?:{source})\b")))
});

/// Reads everything that a text counts. The text has plain spaces and hyphens for dashes; see `items`.
pub(super) fn numbers(text: &str) -> Numbers {
    let mut numbers = Numbers::default();
    let mut rest = text.to_owned();
    for (pattern, days, month) in [(&*DAYS_OF_MONTH, 1, 2), (&*MONTH_AND_DAYS, 2, 1)] {
        let before = rest.clone();
        for found in pattern.captures_iter(&before) {
            let month = month_of(&found[month]);
            let days = found.get(days).expect("a group of every match");
            let numbers_of_days = DIGITS.find_iter(days.as_str()).filter_map(|day| day.as_str().parse().ok());
            numbers.dates.extend(numbers_of_days.map(|day| ((day, month), days.start())));
            blank(&mut rest, days.range());
        }
    }
    for (pattern, day, month) in [(&*ISO_DATE, 2, 1), (&*WRITTEN_DATE, 1, 2)] {
        let before = rest.clone();
        for found in pattern.captures_iter(&before) {
            let (Ok(day), Ok(month)) = (found[day].parse::<u32>(), found[month].parse::<u32>()) else { continue };
            let whole = found.get(0).expect("the whole match");
            if (1..=31).contains(&day) && (1..=12).contains(&month) {
                numbers.dates.push(((day, month), whole.start()));
                blank(&mut rest, whole.range());
            }
        }
    }
    for pattern in [&*CLOCK, &*PART_OF_DAY, &*HALF_DAY] {
        let before = rest.clone();
        for found in pattern.captures_iter(&before) {
            let whole = found.get(0).expect("the whole match");
            if let Some(minutes) = minutes_of(&found) {
                numbers.times.push((minutes, whole.start()));
                blank(&mut rest, found.get(1).expect("a group of every match").start()..whole.end());
            }
        }
    }
    numbers.times.extend(NOON.find_iter(&rest).map(|noon| (12 * 60, noon.start())));
    for (day, pattern) in WEEKDAYS.iter().enumerate() {
        numbers.weekdays.extend(pattern.find_iter(&rest).map(|found| (day, found.start())));
    }
    numbers.quantities = super::quantities::quantities(&rest);
    numbers
}

/// Puts filler in place of what has been read; bytes stay where they are, so that places stay true.
fn blank(rest: &mut String, range: std::ops::Range<usize>) {
    let filler = "|".repeat(range.len());
    rest.replace_range(range, &filler);
}

fn month_of(written: &str) -> u32 {
    let written = written.to_lowercase();
    let position = MONTHS.iter().position(|(russian, english)| {
        written.starts_with(english) || (*russian == "ма[йяею]" && is_may(&written)) || written.starts_with(russian)
    });
    position.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(0)
}

fn is_may(written: &str) -> bool {
    matches!(written, "май" | "мая" | "мае" | "маю")
}

fn minutes_of(found: &regex::Captures<'_>) -> Option<u32> {
    let hour: u32 = found[1].parse().ok()?;
    let (minute, half) = match found.get(2).map(|group| group.as_str().to_lowercase()) {
        Some(minute) if minute.bytes().all(|byte| byte.is_ascii_digit()) => {
            (minute.parse().ok()?, found.get(3).map(|half| half.as_str().to_lowercase()))
        }
        half => (0, half),
    };
    let late = half.as_deref().is_some_and(|half| half.starts_with('p') || half == "вечера" || half == "дня");
    let early = half.as_deref().is_some_and(|half| half.starts_with('a') || half == "утра" || half == "ночи");
    let hour = match hour {
        12 if early => 0,
        1..=11 if late => hour + 12,
        _ => hour,
    };
    (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
}
