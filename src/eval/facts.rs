//! Dialogues with the facts that a careful note-taker would write down from them, and how many of these are read out by
//! rule. `eval/memory/README.md` tells whose texts they are and how they are scored.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Zoned, fmt::temporal::DateTimeParser};
use serde::Deserialize;

use super::files::FileError;
use super::histories::Speaker;
use crate::domain::id::{ConversationId, Ids, MessageId, OperatorId};
use crate::domain::memory::Statement;
use crate::domain::message::{Author, Message};
use crate::domain::text::{Language, MessageText};
use crate::engine::learn::{self, PROMISE};

mod same;

/// A short dialogue with what should be learnt from it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialogue {
    /// The language, the set and a number: `ru-d-001`.
    pub id: String,
    /// Its language.
    pub lang: Language,
    /// The local time of the first message, with its offset: `2026-03-10T14:05:00+03:00`.
    pub at: String,
    /// What was said, oldest first, a minute apart.
    pub messages: Vec<Said>,
    /// What should be learnt.
    pub facts: Vec<Gold>,
}

/// One message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// By whom.
    pub from: Speaker,
    /// The words.
    pub text: String,
}

/// A fact that should be learnt.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gold {
    /// The message that states it, counted from 0.
    pub message: usize,
    /// One of [`learn::KEYS`].
    pub key: String,
    /// The value, as the authors agreed to write it.
    pub value: String,
    /// Of a product: the words without which it is not named.
    #[serde(default)]
    pub core: Option<String>,
    /// Of a promise: the day, or day and time, by which it is to be kept.
    #[serde(default)]
    pub due: Option<String>,
}

/// What was read out of a dialogue that is on the list, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The message, counted from 0.
    pub message: usize,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// When a promise falls due, in the dialogue's own zone.
    pub due: Option<DateTime>,
}

/// How often it was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Read, and on the list.
    pub right: usize,
    /// Read, and not on the list.
    pub wrong: usize,
    /// On the list, and not read.
    pub missed: usize,
}

impl Counts {
    /// The share of what was read that is right; 1 where nothing was read.
    pub fn precision(self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    /// The share of the list that was read; 1 where there is none.
    pub fn recall(self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    fn add(&mut self, other: Counts) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// A fact that was read and should not have been, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The dialogue.
    pub dialogue: String,
    /// The message, counted from 0.
    pub message: usize,
    /// It was read; otherwise it was missed.
    pub read: bool,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// How well a set of dialogues was read.
#[derive(Debug, Clone, Default)]
pub struct Score {
    /// By key.
    pub of: BTreeMap<String, Counts>,
    /// Matched promises that have a day in the list or were given one: on how many of them it agrees.
    pub days: (usize, usize),
    /// Matched promises that have a time in the list: on how many of them it agrees.
    pub times: (usize, usize),
    /// Everything that went wrong, in the order of the dialogues.
    pub mistakes: Vec<Mistake>,
}

impl Score {
    /// All keys together.
    pub fn pooled(&self) -> Counts {
        let mut all = Counts::default();
        self.of.values().for_each(|counts| all.add(*counts));
        all
    }
}

/// Reads a file of dialogues, one a line. Empty lines are skipped.
pub fn read(path: &Path) -> Result<Vec<Dialogue>, FileError> {
    let wrong = |line: usize, column: usize, why: String| FileError {
        path: path.display().to_string(),
        line: u64::try_from(line).unwrap_or(u64::MAX),
        column: u64::try_from(column).unwrap_or(u64::MAX),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(1, 1, format!("can't be read: {error}")))?;
    let mut all = Vec::new();
    for (line, json) in text.lines().enumerate().filter(|(_, json)| !json.trim().is_empty()) {
        let dialogue: Dialogue =
            serde_json::from_str(json).map_err(|error| wrong(line + 1, error.column(), error.to_string()))?;
        checked(&dialogue).map_err(|why| wrong(line + 1, 1, why))?;
        all.push(dialogue);
    }
    Ok(all)
}

/// What the format alone does not say.
fn checked(dialogue: &Dialogue) -> Result<(), String> {
    began(dialogue)?;
    for gold in &dialogue.facts {
        let said = dialogue.messages.get(gold.message).ok_or_else(|| format!("no message {}", gold.message))?;
        let ours = gold.key == PROMISE;
        if learn::key(&gold.key).is_none() {
            return Err(format!("no key {}", gold.key));
        }
        if ours == (said.from == Speaker::Customer) {
            return Err(format!("{} in a message of {:?}", gold.key, said.from));
        }
        if (gold.key == "product") != gold.core.is_some() {
            return Err("a product has a core, and nothing else has".to_owned());
        }
        if let Some(due) = &gold.due {
            due_of(due).ok_or_else(|| format!("{due} is no day and no time of a day"))?;
        }
    }
    Ok(())
}

fn began(dialogue: &Dialogue) -> Result<Zoned, String> {
    let unread = |error: jiff::Error| format!("{}: {error}", dialogue.at);
    let parser = DateTimeParser::new();
    let pieces = parser.parse_timestamp(&dialogue.at).map_err(unread)?;
    let local: DateTime = parser.parse_datetime(&dialogue.at).map_err(unread)?;
    let seconds = (local.to_zoned(jiff::tz::TimeZone::UTC).map_err(unread)?.timestamp() - pieces).get_seconds();
    let offset = i32::try_from(seconds).map_err(|_| "an offset of years".to_owned())?;
    let offset = jiff::tz::Offset::from_seconds(offset).map_err(unread)?;
    Ok(pieces.to_zoned(offset.to_time_zone()))
}

/// The day, with the time where one is said.
fn due_of(text: &str) -> Option<(Date, Option<jiff::civil::Time>)> {
    match text.split_once('T') {
        Some(_) => text.parse::<DateTime>().ok().map(|due| (due.date(), Some(due.time()))),
        None => text.parse::<Date>().ok().map(|day| (day, None)),
    }
}

/// The messages of a dialogue as the product stores them.
pub fn messages(dialogue: &Dialogue) -> Vec<Message> {
    let Ok(began) = began(dialogue) else { return Vec::new() };
    let ids = Ids::seeded(1);
    let conversation = ConversationId::fresh(&ids, began.timestamp());
    let operator = OperatorId::fresh(&ids, began.timestamp());
    let mut all = Vec::new();
    for (seq, said) in (1_i64..).zip(&dialogue.messages) {
        let at = began.timestamp() + SignedDuration::from_mins(seq - 1);
        all.push(Message {
            id: MessageId::fresh(&ids, at),
            conversation,
            seq,
            author: match said.from {
                Speaker::Customer => Author::Customer,
                Speaker::Bot => Author::Bot,
                Speaker::Operator => Author::Operator(operator),
            },
            text: MessageText::new(said.text.clone()),
            citations: Vec::new(),
            received_at: at,
            delivered_at: Some(at),
        });
    }
    all
}

/// What the product reads out of a dialogue by rule.
pub fn by_rule(dialogue: &Dialogue) -> Vec<Statement> {
    let Ok(began) = began(dialogue) else { return Vec::new() };
    messages(dialogue).iter().flat_map(|message| learn::statements(message, began.time_zone())).collect()
}

/// What was stated in a dialogue, each value once, at the first message that states it.
fn learnt(dialogue: &Dialogue, stated: &[Statement]) -> Vec<Read> {
    let Ok(began) = began(dialogue) else { return Vec::new() };
    let messages = messages(dialogue);
    let mut all: Vec<Read> = Vec::new();
    for said in stated {
        let Some(place) = messages.iter().position(|message| message.id == said.source) else { continue };
        let read = seen(said, place, began.time_zone());
        if !all.iter().any(|other| same::value(&other.key, &other.value, &read.key, &read.value)) {
            all.push(read);
        }
    }
    all
}

fn seen(said: &Statement, message: usize, zone: &jiff::tz::TimeZone) -> Read {
    let due = said.due_at.map(|due| due.to_zoned(zone.clone()).datetime());
    Read { message, key: said.key.clone(), value: said.value.clone(), due }
}

/// How well the dialogues are read by rule.
pub fn score(dialogues: &[Dialogue]) -> Score {
    score_of(dialogues.iter().map(|dialogue| (dialogue, by_rule(dialogue))))
}

/// How well dialogues were read in which this was found.
pub fn score_of<'a>(read: impl IntoIterator<Item = (&'a Dialogue, Vec<Statement>)>) -> Score {
    let mut score = Score::default();
    for (dialogue, stated) in read {
        compare(dialogue, &learnt(dialogue, &stated), &mut score);
    }
    score
}

fn compare(dialogue: &Dialogue, read: &[Read], score: &mut Score) {
    let mut open: Vec<&Gold> = dialogue.facts.iter().collect();
    let mistake = |message: usize, read: bool, key: &str, value: &str| Mistake {
        dialogue: dialogue.id.clone(),
        message,
        read,
        key: key.to_owned(),
        value: value.to_owned(),
    };
    for one in read {
        let counts = score.of.entry(one.key.clone()).or_default();
        let Some(place) = open.iter().position(|gold| same::fact(one, gold)) else {
            counts.wrong += 1;
            score.mistakes.push(mistake(one.message, true, &one.key, &one.value));
            continue;
        };
        counts.right += 1;
        let gold = open.remove(place);
        if one.key == PROMISE {
            fell_due(one.due, gold, score, &mistake);
        }
    }
    for gold in open {
        score.of.entry(gold.key.clone()).or_default().missed += 1;
        score.mistakes.push(mistake(gold.message, false, &gold.key, &gold.value));
    }
}

fn fell_due(
    due: Option<DateTime>,
    gold: &Gold,
    score: &mut Score,
    mistake: &dyn Fn(usize, bool, &str, &str) -> Mistake,
) {
    let wanted = gold.due.as_deref().and_then(due_of);
    if wanted.is_none() && due.is_none() {
        return;
    }
    let day = wanted.map(|(day, _)| day) == due.map(DateTime::date);
    score.days = (score.days.0 + usize::from(day), score.days.1 + 1);
    let time = wanted.and_then(|(_, time)| time);
    // A length of time is told to the minute, from a message that came a minute after the one before.
    let near = |time: jiff::civil::Time| {
        due.is_some_and(|due| (due.time() - time).total(jiff::Unit::Minute).is_ok_and(|off| off.abs() < 5.0))
    };
    if let Some(time) = time {
        score.times = (score.times.0 + usize::from(near(time)), score.times.1 + 1);
    }
    if !day || time.is_some_and(|time| !near(time)) {
        let said = due.map_or_else(|| "none".to_owned(), |due| due.to_string());
        let value = format!("due {said}, not {}: {}", gold.due.as_deref().unwrap_or("none"), gold.value);
        score.mistakes.push(mistake(gold.message, true, "due", &value));
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn facts(name: &str) -> Vec<Dialogue> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/memory/facts").join(name);
        read(&path).unwrap()
    }

    #[track_caller]
    fn holds(name: &str, precision: f64, recall: f64) {
        let score = score(&facts(name));
        let pooled = score.pooled();
        let enough = pooled.precision() >= precision && pooled.recall() >= recall;
        assert!(enough, "{name}: {pooled:?}, {:?}, {:#?}", score.of, score.mistakes);
    }

    #[test]
    fn russian_facts_are_read_precisely_and_nearly_all() {
        holds("ru.dev.jsonl", 0.99, 0.955);
        holds("ru.dev2.jsonl", 0.98, 0.95);
        holds("ru.dev3.jsonl", 0.975, 0.78);
        holds("ru.dev4.jsonl", 0.985, 0.81);
    }

    #[test]
    fn english_facts_are_read_precisely_and_nearly_all() {
        holds("en.dev.jsonl", 0.99, 0.96);
        holds("en.dev2.jsonl", 0.99, 0.93);
        holds("en.dev3.jsonl", 0.99, 0.745);
        holds("en.dev4.jsonl", 0.99, 0.87);
        holds("en.dev5.jsonl", 0.99, 0.95);
        holds("en.dev6.jsonl", 0.99, 0.9);
        holds("en.dev7.jsonl", 0.99, 0.87);
        holds("en.dev8.jsonl", 0.99, 0.9);
    }

    fn written(lines: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        std::fs::write(&path, lines).unwrap();
        (dir, path)
    }

    #[test]
    fn errors_name_the_line() {
        let good = r#"{"id":"x","lang":"en","at":"2026-03-10T14:05:00+03:00","messages":[{"from":"customer","text":"I'm Ann"}],"facts":[]}"#;
        for (bad, why) in [
            ("{", "EOF"),
            (&good.replace("\"en\"", "\"de\""), "de"),
            (&good.replace("+03:00", ""), "2026"),
            (&good.replace("[]}", r#"[{"message":1,"key":"name","value":"Ann"}]}"#), "no message 1"),
            (&good.replace("[]}", r#"[{"message":0,"key":"mood","value":"sad"}]}"#), "no key mood"),
            (&good.replace("[]}", r#"[{"message":0,"key":"promise","value":"sad"}]}"#), "promise in a message"),
            (&good.replace("[]}", r#"[{"message":0,"key":"product","value":"lamp"}]}"#), "core"),
        ] {
            let (_dir, path) = written(&format!("{good}\n\n{bad}\n"));
            let error = read(&path).unwrap_err();
            assert_eq!(error.line, 3, "{bad}");
            assert!(error.to_string().contains("x.jsonl:3:") && error.why.contains(why), "{error}");
        }
    }

    #[test]
    fn messages_are_a_minute_apart_in_the_zone_of_the_first() {
        let line = r#"{"id":"x","lang":"en","at":"2026-03-10T23:59:30+07:00","messages":[{"from":"operator","text":"We'll post it tomorrow."},{"from":"operator","text":"We will post it tomorrow by 12:00."}],"facts":[{"message":0,"key":"promise","value":"We'll post it tomorrow.","due":"2026-03-11"},{"message":1,"key":"promise","value":"We will post it tomorrow by 12:00.","due":"2026-03-12T12:00"}]}"#;
        let (_dir, path) = written(line);
        let score = score(&read(&path).unwrap());
        assert_eq!(score.pooled(), Counts { right: 2, wrong: 0, missed: 0 }, "{score:?}");
        assert_eq!((score.days, score.times), ((2, 2), (1, 1)));
    }

    #[test]
    fn what_is_wrong_and_what_is_missed_are_counted() {
        let dialogue = facts("en.dev.jsonl").remove(0);
        let read =
            |key: &str, value: &str| Read { message: 0, key: key.to_owned(), value: value.to_owned(), due: None };
        let mut score = Score::default();
        compare(&dialogue, &[read("order_number", "М-482913"), read("phone", "+44 7700 900418")], &mut score);
        let pooled = score.pooled();
        assert_eq!((pooled.right, pooled.wrong, pooled.missed), (1, 1, dialogue.facts.len() - 1));
        assert_eq!(score.mistakes.len(), dialogue.facts.len());
        assert!((pooled.precision() - 0.5).abs() < 1e-9);
        assert!((Counts::default().recall() - 1.0).abs() < 1e-9);
    }
}
