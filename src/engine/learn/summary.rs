//! A summary of a finished stretch of conversation from its own words, for when no model writes one.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::extract;
use super::instructions::is_instruction;
use crate::domain::channel::STARTED_TEXT;
use crate::domain::memory::{Outcome, Trend};
use crate::domain::message::{Author, Message};
use crate::domain::text::Language;
use crate::engine::quote::{line, quoted};
use crate::engine::tone::Mood;
use crate::engine::words::{content_stems, is_question, is_stop_word, sentences, shortened, words};

/// Longest summary, in characters.
const LONGEST: usize = 400;
/// Longest quotation of the customer in it.
const QUOTE: usize = 160;
/// Longest title of an article in it.
const TITLE: usize = 60;
/// Articles named in it.
const TITLES: usize = 3;
/// Order numbers named in it.
const ORDERS: usize = 5;

/// What is kept of a finished stretch of conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    /// What it was about, in the customer's language, at most 400 characters.
    pub summary: String,
    /// The customer's mood in their last message, one word in their language.
    pub mood: String,
    /// Where it went from their first message to the last.
    pub trend: Trend,
    /// How it ended.
    ///
    /// What counts is the customer's last message that is more than a greeting, thanks or an "ok":
    /// - an operator wrote after it: [`Outcome::AnsweredByHuman`];
    /// - otherwise the bot's last words before the customer wrote again, or before the end, stand on citations:
    ///   [`Outcome::AnsweredByBot`]; a notice or a question back does not count as an answer;
    /// - otherwise [`Outcome::Unanswered`], also where an operator had answered something earlier.
    ///
    /// Where the customer asked for nothing, nobody waits: the outcome names who spoke to them, a person first.
    /// An answer counts from when it was written: one that ends a conversation is often still on its way.
    pub outcome: Outcome,
}

/// Sums up a stretch of conversation, oldest message first. Notes to colleagues are left out.
pub fn summary(messages: &[Message]) -> Learnt {
    let messages: Vec<&Message> =
        messages.iter().filter(|message| !matches!(message.author, Author::Note(_))).collect();
    let said: Vec<&Message> = messages.iter().copied().filter(|message| message.author == Author::Customer).collect();
    let said_all: Vec<&str> = said.iter().map(|message| message.text.as_str()).filter(|text| is_speech(text)).collect();
    let last_word = said_all.last().copied().unwrap_or_default();
    let language =
        Language::detect(last_word).or_else(|| Language::detect(&said_all.join(" "))).unwrap_or(Language::Ru);
    let outcome = outcome(&messages);
    let parts = [
        matter(&said, language),
        orders(&said, language),
        answered(&messages, language),
        ending(&messages, outcome, language).to_owned(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Learnt {
        summary: shortened(&parts.join(" "), LONGEST),
        mood: Mood::of(last_word).word(language).to_owned(),
        trend: trend(Mood::of(said_all.first().copied().unwrap_or_default()), Mood::of(last_word)),
        outcome,
    }
}

fn trend(first: Mood, last: Mood) -> Trend {
    match last.cmp(&first) {
        Ordering::Less => Trend::Better,
        Ordering::Equal => Trend::Same,
        Ordering::Greater => Trend::Worse,
    }
}

/// Whether a line of the transcript holds words: neither the opening of a chat nor something the bot can't read.
fn is_speech(text: &str) -> bool {
    text != STARTED_TEXT && !(text.starts_with('[') && text.ends_with(']') && !text.contains(' '))
}

static GREETING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(?:(?:здравствуйте|здрасте|здравствуй|приветствую|привет|добрый день|добрый вечер|доброе утро|доброй ночи|доброго времени суток|алло|hello|hi|hey|good (?:morning|afternoon|evening|day))(?: there| again| еще раз| ещё раз| всем)?\b[\s,.!)—–-]*)+",
    )
    .expect("the pattern is written here and compiles")
});

/// The sentence without its greeting.
pub(crate) fn without_greeting(sentence: &str) -> &str {
    GREETING.find(sentence).map_or(sentence, |found| &sentence[found.end()..]).trim()
}

/// Words that end a conversation or keep it up, and ask for nothing.
static CLOSING: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "ок окей хорошо понял поняла понятно ясно ладно договорились жду ждем подожду отлично супер класс здорово \
     прекрасно замечательно принято большое огромное благодарю спс помощь ответ информацию выручили помогли \
     свидания хорошего дня вечера разобралась разобрался ага угу приветствую алло okay thx great perfect \
     awesome cool nice good fine sure understood bye goodbye cheers wait waiting help much lot very appreciate \
     appreciated day morning evening afternoon information answer welcome lovely wonderful"
        .split_whitespace()
        .collect()
});

/// Words that ask or refuse, though they carry no subject.
const ASKING: &[&str] =
    &["где", "когда", "почему", "зачем", "куда", "сколько", "как", "where", "when", "why", "how", "what", "who"];
const REFUSING: &[&str] = &["нет", "не", "no", "not", "dont", "cant"];
const THANKING: &[&str] = &["спасибо", "благодарю", "спс", "надо", "нужно", "thanks", "thank", "thx"];

/// Whether a message asks for nothing: greetings, thanks, agreement. Questions always ask, and a bare "no" refuses what
/// was said.
pub(crate) fn is_closing(text: &str) -> bool {
    if !is_speech(text) {
        return text == STARTED_TEXT;
    }
    let words = words(text);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let asks = text.contains('?') || any(ASKING) || (any(REFUSING) && !any(THANKING));
    !asks && words.iter().all(|word| is_stop_word(word) || CLOSING.contains(word.as_str()))
}

fn outcome(messages: &[&Message]) -> Outcome {
    let is_operator = |message: &&Message| matches!(message.author, Author::Operator(_));
    let asked =
        messages.iter().rposition(|message| message.author == Author::Customer && !is_closing(message.text.as_str()));
    let Some(asked) = asked else {
        return if messages.iter().any(is_operator) {
            Outcome::AnsweredByHuman
        } else if messages.iter().any(|message| message.author == Author::Bot) {
            Outcome::AnsweredByBot
        } else {
            Outcome::Unanswered
        };
    };
    let after = &messages[asked + 1..];
    if after.iter().any(is_operator) {
        return Outcome::AnsweredByHuman;
    }
    let at_once = after.iter().take_while(|message| message.author != Author::Customer);
    match at_once.last() {
        Some(answer) if !answer.citations.is_empty() => Outcome::AnsweredByBot,
        _ => Outcome::Unanswered,
    }
}

/// The first real question, or the first words that are about something.
fn matter(said: &[&Message], language: Language) -> String {
    let all: Vec<&str> = said
        .iter()
        .map(|message| message.text.as_str())
        .filter(|text| is_speech(text))
        .flat_map(sentences)
        .map(without_greeting)
        .filter(|sentence| !content_stems(sentence).is_empty() && !is_closing(sentence) && !is_instruction(sentence))
        .collect();
    let question = all.iter().find(|sentence| is_question(sentence));
    let (opening, words) = match (question, all.first(), language) {
        (Some(question), _, Language::Ru) => ("Вопрос клиента:", *question),
        (Some(question), _, Language::En) => ("The customer asked:", *question),
        (None, Some(first), Language::Ru) => ("Клиент написал:", *first),
        (None, Some(first), Language::En) => ("The customer wrote:", *first),
        (None, None, Language::Ru) => return "Клиент ни о чём не спросил.".to_owned(),
        (None, None, Language::En) => return "The customer asked nothing.".to_owned(),
    };
    format!("{opening} {}.", quoted(words.trim_end_matches('.'), QUOTE, language))
}

fn orders(said: &[&Message], language: Language) -> String {
    let mut numbers: Vec<String> = Vec::new();
    for message in said {
        let facts = extract(message.text.as_str(), message.id, message.received_at);
        for fact in facts.into_iter().filter(|fact| fact.key == "order_number") {
            if !numbers.contains(&fact.value) && numbers.len() < ORDERS {
                numbers.push(fact.value);
            }
        }
    }
    let list = numbers.join(", ");
    match (numbers.len(), language) {
        (0, _) => String::new(),
        (1, Language::Ru) => format!("Заказ {list}."),
        (_, Language::Ru) => format!("Заказы {list}."),
        (1, Language::En) => format!("Order {list}."),
        (_, Language::En) => format!("Orders {list}."),
    }
}

/// What the bot answered, by the titles it cited.
fn answered(messages: &[&Message], language: Language) -> String {
    let mut titles: Vec<String> = Vec::new();
    let bot = messages.iter().filter(|message| message.author == Author::Bot);
    for citation in bot.flat_map(|message| &message.citations).filter(|citation| !citation.title.is_empty()) {
        let title = quoted(&line(&citation.title, TITLE), TITLE, language);
        if !titles.contains(&title) && titles.len() < TITLES {
            titles.push(title);
        }
    }
    let list = titles.join(", ");
    match (titles.is_empty(), language) {
        (true, _) => String::new(),
        (false, Language::Ru) => format!("Бот ответил по статьям: {list}."),
        (false, Language::En) => format!("The bot answered from: {list}."),
    }
}

/// Who finished it, where the titles don't say so already.
fn ending(messages: &[&Message], outcome: Outcome, language: Language) -> &'static str {
    let person = messages.iter().any(|message| matches!(message.author, Author::Operator(_)));
    match (outcome, person, language) {
        (Outcome::AnsweredByBot, false, _) => "",
        (Outcome::Unanswered, false, Language::Ru) => "Ответа не дождался.",
        (Outcome::Unanswered, false, Language::En) => "Nobody answered in the end.",
        (Outcome::Unanswered, true, Language::Ru) => "Отвечал оператор, но последнее сообщение осталось без ответа.",
        (Outcome::Unanswered, true, Language::En) => "An operator answered, but the last message did not get a reply.",
        (_, _, Language::Ru) => "Ответил оператор.",
        (_, _, Language::En) => "An operator answered.",
    }
}
