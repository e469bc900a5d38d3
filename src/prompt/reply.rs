//! Reads what models write. All tolerance for their habits is here: words around the JSON, code fences, thinking aloud,
//! numbers as text. What they mean is checked elsewhere; errors name fields and quote nothing.

use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value};

use super::context::{AnswerContext, EpisodeContext, PackageContext, Source};
use super::schema;
use crate::domain::handoff::{Package, PackageAuthor, PackageLine};
use crate::domain::id::MessageId;
use crate::domain::memory::{FactKind, Outcome, Stance, Statement, Trend};
use crate::domain::message::{Author, Message};
use crate::domain::turn::{Draft, Label};

/// Places at which an object may begin that are looked at.
const BEGINNINGS: usize = 64;
/// Longest value of a fact, in characters; what is longer is no fact but a story.
const LONGEST_VALUE: usize = 200;
/// Longest mood, in characters.
const LONGEST_MOOD: usize = 60;
/// Most lines in one list of a package.
const MOST_LINES: usize = 8;

/// Why a reply can't be read. Its words go into the repair prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// There is no object with the expected field, or it is cut off or broken.
    #[error("no complete JSON object with the field {expected} was found")]
    NoObject {
        /// The field that tells our object from others.
        expected: &'static str,
    },
    /// A field is missing or holds what it can't.
    #[error("the field {field} {why}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong.
        why: &'static str,
    },
}

/// What a model noted of a finished stretch of conversation. Nothing in it is trusted before the checks.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeDraft {
    /// What it was about, in one or two sentences.
    pub summary: String,
    /// The customer's mood at the end.
    pub mood: String,
    /// Where it went.
    pub trend: Trend,
    /// How it ended, where the model could tell.
    pub outcome: Option<Outcome>,
    /// What was said: facts, each with the customer's message that says it; what has ended or never was so; what we
    /// promised, each with our message that promises it.
    pub statements: Vec<Statement>,
}

/// Reads the reply to [`super::Prompts::answer`]. Citations are given as the rest of the program knows them; what was
/// not on the list stays as the model wrote it, for the checks to find.
///
/// # Errors
/// [`ReplyError`]; one repair is worth trying.
pub fn parse_answer(json: &str, context: &AnswerContext) -> Result<Draft, ReplyError> {
    let object = Object::find(json, "reply")?;
    let sources = context.sources();
    let draft = Draft {
        reply: without_marks(&object.text("reply"), &sources),
        citations: citations(&object.strings("citations"), &sources),
        confidence: object.share("confidence")?,
        needs_human: object.flag("needs_human")?,
        why: object.text("why"),
        asks_back: object.flag("asks_back").unwrap_or(false),
        labels: labels(&object.strings("labels")),
    };
    if draft.reply.is_empty() && !draft.needs_human {
        return Err(ReplyError::Field { field: "reply", why: "is empty, and needs_human is false" });
    }
    Ok(draft)
}

/// Reads the reply to [`super::Prompts::package`]: lines keep the messages that there are, and lines that stand on none
/// are left out. Earlier episodes are the caller's to add.
///
/// # Errors
/// [`ReplyError`], also where nothing is left to read; the template's package stays then.
pub fn parse_package(json: &str, context: &PackageContext) -> Result<Package, ReplyError> {
    let object = Object::find(json, "wants")?;
    let sources = context.sources();
    let package = Package {
        written_by: PackageAuthor::Model,
        customer: object.lines("customer", &sources),
        wants: object.lines("wants", &sources),
        tried: object.lines("tried", &sources),
        open_questions: object.lines("open_questions", &sources),
        mood: shortened(&object.text("mood"), LONGEST_MOOD),
        promises: object.lines("promises", &sources),
        episodes: Vec::new(),
        suggested_reply: object.text("suggested_reply"),
    };
    if package.wants.is_empty() && package.tried.is_empty() {
        return Err(ReplyError::Field { field: "wants", why: "has no line that stands on a message" });
    }
    Ok(package)
}

/// Reads the reply to [`super::Prompts::episode`]: facts keep their customer's message, a key on the list, and a value.
///
/// # Errors
/// [`ReplyError`].
pub fn parse_episode(json: &str, context: &EpisodeContext) -> Result<EpisodeDraft, ReplyError> {
    let object = Object::find(json, "summary")?;
    let summary = object.text("summary");
    if summary.is_empty() {
        return Err(ReplyError::Field { field: "summary", why: "is empty" });
    }
    let list = |field: &str| {
        let list = object.0.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_object).cloned().map(Object)
    };
    let facts = list("facts").filter_map(|fact| read_fact(&fact, context));
    let ended = list("ended").filter_map(|ended| read_ended(&ended, context));
    let promises = list("promises").filter_map(|promise| read_promise(&promise, context));
    Ok(EpisodeDraft {
        summary,
        mood: shortened(&object.text("mood"), LONGEST_MOOD),
        trend: Trend::from_name(&object.text("trend")).unwrap_or_default(),
        outcome: Outcome::from_name(&object.text("outcome")),
        statements: facts.chain(ended).chain(promises).collect(),
    })
}

/// The message that an entry names by its number.
fn source<'a>(entry: &Object, context: &'a EpisodeContext) -> Option<&'a Message> {
    let number = whole(entry.0.get("message")?)?;
    context.sources().get(number.checked_sub(1)?).copied()
}

fn read_fact(fact: &Object, context: &EpisodeContext) -> Option<Statement> {
    let message = source(fact, context)?;
    let key = fact.text("key");
    let value = fact.text("value");
    let usable = message.author == Author::Customer
        && context.keys.iter().any(|known| known.name == key)
        && !value.is_empty()
        && value.chars().count() <= LONGEST_VALUE;
    usable.then(|| Statement {
        key,
        value,
        stance: Stance::Stated,
        // The list of keys decides on the kind; a claim is the weakest.
        kind: FactKind::Claim,
        confidence: fact.share("confidence").unwrap_or(0.5),
        source: message.id,
        valid_at: message.received_at,
        due_at: None,
    })
}

/// A fact that was shown and is over, or never was so. Customers end what is theirs, and only we what we promised.
fn read_ended(ended: &Object, context: &EpisodeContext) -> Option<Statement> {
    let message = source(ended, context)?;
    let number = whole(ended.0.get("fact")?)?;
    let fact = context.facts.get(number.checked_sub(1)?)?;
    let by_customer = message.author == Author::Customer;
    if by_customer == (fact.kind == FactKind::Promise) || message.received_at < fact.valid_at {
        return None;
    }
    let never_so = ended.flag("never_so").unwrap_or(false);
    Some(Statement {
        key: fact.key.clone(),
        value: fact.value.clone(),
        stance: if never_so { Stance::Retracted } else { Stance::Ended },
        kind: fact.kind,
        confidence: 0.5,
        source: message.id,
        valid_at: message.received_at,
        due_at: fact.due_at,
    })
}

/// What one of our messages promises. A time that can't be read, or has passed by then, is none.
fn read_promise(promise: &Object, context: &EpisodeContext) -> Option<Statement> {
    let message = source(promise, context)?;
    let what = shortened(&promise.text("what"), LONGEST_VALUE);
    if message.author == Author::Customer || what.is_empty() {
        return None;
    }
    let due = promise.text("due");
    let day = || due.parse::<Date>().map(|day| day.at(23, 59, 0, 0));
    let moment = due.replace(' ', "T").parse::<DateTime>().or_else(|_| day()).ok();
    let due_at = moment.and_then(|moment| moment.to_zoned(context.now.time_zone().clone()).ok());
    Some(Statement {
        key: PROMISE.to_owned(),
        value: what,
        stance: Stance::Stated,
        kind: FactKind::Promise,
        confidence: 0.5,
        source: message.id,
        valid_at: message.received_at,
        due_at: due_at.map(|due_at| due_at.timestamp()).filter(|due_at| *due_at > message.received_at),
    })
}

/// The key of a promise, as the ledger names it.
const PROMISE: &str = "promise";

/// A JSON object of a reply.
struct Object(Map<String, Value>);

impl Object {
    /// The first complete object that has the expected field, wherever in the text it stands: behind the thoughts of a
    /// model that thinks aloud, if it can be.
    fn find(reply: &str, expected: &'static str) -> Result<Self, ReplyError> {
        let behind_thoughts = reply.rsplit_once("</think>").and_then(|(_, said)| Self::first(said, expected));
        behind_thoughts.or_else(|| Self::first(reply, expected)).ok_or(ReplyError::NoObject { expected })
    }

    fn first(text: &str, expected: &str) -> Option<Self> {
        text.match_indices('{')
            .take(BEGINNINGS)
            .filter_map(|(at, _)| serde_json::Deserializer::from_str(&text[at..]).into_iter().next()?.ok())
            .find_map(|value| match value {
                Value::Object(object) if object.contains_key(expected) => Some(Self(object)),
                _ => None,
            })
    }

    /// A text; what is missing or of another type counts as empty.
    fn text(&self, field: &str) -> String {
        self.0.get(field).and_then(Value::as_str).map(tidy).unwrap_or_default()
    }

    /// A list of texts; a single text is a list of one.
    fn strings(&self, field: &str) -> Vec<String> {
        match self.0.get(field) {
            Some(Value::String(one)) => vec![tidy(one)],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(tidy).collect(),
            _ => Vec::new(),
        }
    }

    fn flag(&self, field: &'static str) -> Result<bool, ReplyError> {
        match self.0.get(field) {
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(ReplyError::Field { field, why: "must be true or false" }),
        }
    }

    /// A number from 0 to 1; 85 is taken for 85 %.
    fn share(&self, field: &'static str) -> Result<f64, ReplyError> {
        let number = match self.0.get(field) {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim_end_matches('%').trim().parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if (0.0..=1.0).contains(&number) => Ok(number),
            Some(number) if number > 1.0 && number <= 100.0 => Ok(number / 100.0),
            _ => Err(ReplyError::Field { field, why: "must be a number from 0 to 1" }),
        }
    }

    fn lines(&self, field: &str, sources: &[MessageId]) -> Vec<PackageLine> {
        let lines = self.0.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let line = |line: &Value| {
            let line = Object(line.as_object()?.clone());
            let mut messages: Vec<MessageId> = Vec::new();
            for number in line.0.get("messages").and_then(Value::as_array)?.iter().filter_map(whole) {
                if let Some(id) = number.checked_sub(1).and_then(|place| sources.get(place))
                    && !messages.contains(id)
                {
                    messages.push(*id);
                }
            }
            let text = line.text("text");
            (!text.is_empty() && !messages.is_empty()).then_some(PackageLine { text, messages })
        };
        lines.iter().filter_map(line).take(MOST_LINES).collect()
    }
}

/// A number as models write it: `3`, `"3"`, `"[3]"`.
fn whole(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok(),
        _ => None,
    }
}

/// Labels by name; what is no label of a model's is passed over.
fn labels(names: &[String]) -> Vec<Label> {
    let mut labels = Vec::new();
    for name in names {
        let known = schema::labels().find(|label| label.name().eq_ignore_ascii_case(name));
        labels.extend(known.filter(|label| !labels.contains(label)));
    }
    labels
}

/// Citations as the rest of the program knows them, each once.
fn citations(written: &[String], sources: &[Source]) -> Vec<String> {
    let mut citations: Vec<String> = Vec::new();
    let each = written.iter().flat_map(|entry| entry.split([',', ';', ' ']));
    for entry in each.map(|entry| entry.trim_matches(['[', ']', '(', ')', '"', '\''])).filter(|entry| !entry.is_empty())
    {
        let bare = entry.split('#').next().unwrap_or(entry);
        let known = sources.iter().find(|source| source.shown.eq_ignore_ascii_case(bare) || source.key == bare);
        let key = known.map_or(entry, |source| &source.key);
        if citations.iter().all(|citation| citation != key) {
            citations.push(key.to_owned());
        }
    }
    citations
}

/// The reply without the marks of sources that models put behind their sentences: ` [M1]`, ` (ru/gift-cards)`.
fn without_marks(reply: &str, sources: &[Source]) -> String {
    let mut clean = reply.to_owned();
    for source in sources {
        for mark in [format!("[{}]", source.shown), format!("({})", source.shown)] {
            clean = clean.replace(&format!(" {mark}"), "").replace(&mark, "");
        }
    }
    clean.trim().to_owned()
}

/// Text without control characters, which databases and messengers refuse, and without spaces around.
fn tidy(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    visible.trim().to_owned()
}

fn shortened(text: &str, most: usize) -> String {
    text.lines().next().unwrap_or_default().chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::context::Context;
    use super::*;
    use crate::domain::memory::Remembered;

    fn answer_context() -> AnswerContext {
        AnswerContext::samples().remove(0)
    }

    fn draft() -> Value {
        json!({
            "labels": ["routine", "routine", "complex", "nonsense"],
            "needs_human": false,
            "why": "",
            "citations": ["ru/gift-cards", "M1"],
            "asks_back": false,
            "reply": "Карту вернуть нельзя.",
            "confidence": 0.9,
        })
    }

    fn with(field: &str, value: Value) -> String {
        let mut draft = draft();
        draft[field] = value;
        draft.to_string()
    }

    #[test]
    fn an_answer_as_it_should_be() {
        let context = answer_context();
        let read = parse_answer(&draft().to_string(), &context).unwrap();
        assert_eq!(read.reply, "Карту вернуть нельзя.");
        assert_eq!(read.citations, ["ru/gift-cards".to_owned(), context.remembered[0].source()]);
        assert_eq!(read.labels, [Label::Routine]);
        assert!((read.confidence - 0.9).abs() < 1e-9 && !read.needs_human && !read.asks_back);
    }

    #[test]
    fn words_around_the_object_are_passed_over() {
        let context = answer_context();
        let expected = parse_answer(&draft().to_string(), &context).unwrap();
        for reply in [
            format!("```json\n{}\n```", draft()),
            format!("Here you are: {}\nAnything else?", draft()),
            format!("<think>The customer {{asks}} {{\"reply\": \"no\", \"x\": 1}}</think>\n{}", draft()),
            format!("{{\"note\": {{\"a\": 1}}}} {}", draft()),
            format!("{:#}", draft()),
        ] {
            assert_eq!(parse_answer(&reply, &context).as_ref(), Ok(&expected), "{reply}");
        }
    }

    #[test]
    fn citations_are_found_in_the_ways_models_write_them() {
        let context = answer_context();
        let cited = |value: Value| parse_answer(&with("citations", value), &context).unwrap().citations;
        let gift = "ru/gift-cards".to_owned();
        let memory = context.remembered[3].source();
        assert_eq!(
            cited(json!(["[ru/gift-cards]", "m4", "RU/gift-cards", "ru/gift-cards#1"])),
            [gift.clone(), memory.clone()]
        );
        assert_eq!(cited(json!("ru/gift-cards, M4")), [gift.clone(), memory.clone()]);
        assert_eq!(cited(json!([memory])), [memory], "the full id is fine, too");
        assert_eq!(cited(json!(["ru/made-up", "M99"])), ["ru/made-up", "M99"], "for the checks to find");
        assert!(cited(json!(null)).is_empty());
    }

    #[test]
    fn marks_of_sources_do_not_reach_the_customer() {
        let reply = "Вернуть нельзя [ru/gift-cards]. Ваш заказ М-123456 (M1).";
        let read = parse_answer(&with("reply", json!(reply)), &answer_context()).unwrap();
        assert_eq!(read.reply, "Вернуть нельзя. Ваш заказ М-123456.");
        let read = parse_answer(&with("reply", json!("да\u{0}\u{1b}")), &answer_context()).unwrap();
        assert_eq!(read.reply, "да");
    }

    #[test]
    fn values_of_a_near_type_are_taken() {
        let context = answer_context();
        let confidence =
            |value: Value| parse_answer(&with("confidence", value), &context).map(|draft| draft.confidence);
        assert_eq!(confidence(json!("0.5")), Ok(0.5));
        assert_eq!(confidence(json!(85)), Ok(0.85));
        assert_eq!(confidence(json!("85 %")), Ok(0.85));
        for wrong in [json!(-0.1), json!(101), json!("high"), json!(null), json!("NaN")] {
            assert!(matches!(confidence(wrong), Err(ReplyError::Field { field: "confidence", .. })));
        }
        assert!(parse_answer(&with("needs_human", json!("True")), &context).unwrap().needs_human);
    }

    #[test]
    fn what_can_not_be_read_is_told_without_quoting_it() {
        let context = answer_context();
        let whole = draft().to_string();
        for reply in ["", "нет", "{}", "[1]", "{\"answer\": \"x\"}", &whole[..whole.len() - 3]] {
            assert_eq!(parse_answer(reply, &context), Err(ReplyError::NoObject { expected: "reply" }), "{reply}");
        }
        assert!(matches!(
            parse_answer(&with("needs_human", json!("perhaps")), &context),
            Err(ReplyError::Field { field: "needs_human", .. })
        ));
        assert!(matches!(
            parse_answer(&with("reply", json!(" ")), &context),
            Err(ReplyError::Field { field: "reply", .. })
        ));
        let mut silent = draft();
        silent["reply"] = json!("");
        silent["needs_human"] = json!(true);
        assert!(parse_answer(&silent.to_string(), &context).unwrap().needs_human);
    }

    #[test]
    fn a_package_stands_on_messages_that_there_are() {
        let context = PackageContext::samples().remove(0);
        // Five remembered items have numbers, the episode has none; the conversation follows from 6, its note left out.
        let first = context.messages[0].id;
        let fact = match &context.remembered[0] {
            Remembered::Fact(fact) => fact.source,
            other => panic!("{other:?}"),
        };
        let reply = json!({
            "customer": [{"text": "Заказ М-123456", "messages": [1, "6", 6]}],
            "wants": [{"text": "Узнать, где заказ", "messages": [6]}, {"text": "Выдумано", "messages": [0, 10, 99]}],
            "tried": [{"text": "Без ссылки", "messages": []}, {"text": "", "messages": [6]}, "строка"],
            "open_questions": [],
            "promises": [{"text": "Ответить за день", "messages": [9]}],
            "mood": "раздражён, растёт\nвторая строка",
            "suggested_reply": "Вижу ваш заказ М-123456, проверяю.",
        });
        let package = parse_package(&reply.to_string(), &context).unwrap();
        assert_eq!(package.written_by, PackageAuthor::Model);
        assert_eq!(package.customer, [PackageLine { text: "Заказ М-123456".to_owned(), messages: vec![fact, first] }]);
        assert_eq!(package.wants, [PackageLine { text: "Узнать, где заказ".to_owned(), messages: vec![first] }]);
        assert!(package.tried.is_empty() && package.open_questions.is_empty());
        assert_eq!(package.promises[0].messages, [context.messages[4].id], "the note before it is not counted");
        assert_eq!(package.mood, "раздражён, растёт");
        let nothing = json!({"wants": [{"text": "x", "messages": [77]}]});
        assert!(matches!(parse_package(&nothing.to_string(), &context), Err(ReplyError::Field { field: "wants", .. })));
    }

    #[test]
    fn an_episode_keeps_facts_of_the_customer_under_known_keys() {
        let context = EpisodeContext::samples().remove(0);
        let fact = |message: Value, key: &str, value: &str, kind: &str| json!({"message": message, "key": key, "value": value, "kind": kind, "confidence": 0.8});
        let reply = json!({
            "summary": "Спрашивал о заказе М-123456.",
            "mood": "недоволен",
            "outcome": "answered_by_human",
            "facts": [
                fact(json!(1), "order_number", "М-123456", "attribute"),
                fact(json!(3), "city", "Казань", "attribute"),
                fact(json!(2), "city", "Москва", "attribute"),
                fact(json!(4), "city", "Тула", "attribute"),
                fact(json!(9), "city", "Омск", "attribute"),
                fact(json!(1), "passport", "1234", "attribute"),
                fact(json!(1), "name", "", "attribute"),
                fact(json!(3), "name", "обещали вчера", "rule"),
            ],
        });
        let episode = parse_episode(&reply.to_string(), &context).unwrap();
        assert_eq!(episode.outcome, Some(Outcome::AnsweredByHuman));
        let kept: Vec<_> = episode.statements.iter().map(|fact| (fact.key.as_str(), fact.value.as_str())).collect();
        assert_eq!(
            kept,
            [("order_number", "М-123456"), ("city", "Казань"), ("name", "обещали вчера")],
            "the bot's and the operator's words are no facts of the customer"
        );
        assert!(episode.statements.iter().all(|fact| fact.kind == FactKind::Claim), "nobody trusts a model with it");
        assert_eq!(episode.statements[1].source, context.messages[2].id);
        assert_eq!(episode.statements[1].valid_at, context.messages[2].received_at);
        let unknown = json!({"summary": "x", "outcome": "unknown"});
        assert_eq!(parse_episode(&unknown.to_string(), &context).unwrap().outcome, None);
        assert!(parse_episode(&json!({"summary": " "}).to_string(), &context).is_err());
    }

    proptest! {
        #[test]
        fn no_reply_breaks_the_readers(reply in "(\\{|\\}|\"reply\":|\"wants\":|\"summary\":|\\[|\\]|1|,|\"|</think>|\\PC){0,60}") {
            let _ = parse_answer(&reply, &answer_context());
            let _ = parse_package(&reply, &PackageContext::samples()[0]);
            let _ = parse_episode(&reply, &EpisodeContext::samples()[0]);
        }

        #[test]
        fn an_answer_survives_being_wrapped(reply in "\\PC{1,40}", before in "[^{}]{0,20}", after in "[^{}]{0,20}") {
            prop_assume!(!tidy(&reply).is_empty());
            let wrapped = format!("{before}{}{after}", with("reply", json!(reply)));
            let read = parse_answer(&wrapped, &answer_context()).unwrap();
            prop_assert_eq!(read.reply, without_marks(&tidy(&reply), &answer_context().sources()));
        }
    }
}
