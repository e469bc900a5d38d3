//! The handoff package from transcript, memory and search, for the moment of escalation and for when no model writes
//! one. Every line names the messages it stands on; what customers wrote is shown as theirs and can't be clicked.

mod checked;
mod known;
mod promises;
mod reply;
#[cfg(test)]
mod tests;

pub use checked::{By, Said, checked};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::learn::{is_closing, only_details};
use super::quote::{line, quoted};
use super::tone::Mood;
use super::words::{content_stems, folded, is_question, sentences};
use crate::domain::channel::STARTED_TEXT;
use crate::domain::conversation::Conversation;
use crate::domain::customer::Customer;
use crate::domain::handoff::{HandoffReason, Package, PackageAuthor, PackageEpisode, PackageLine};
use crate::domain::id::MessageId;
use crate::domain::knowledge::FoundSection;
use crate::domain::memory::Remembered;
use crate::domain::message::{Author, Message};
use crate::domain::text::Language;

/// Most lines of a section: an operator reads them while the customer waits.
pub const LINES_MOST: usize = 8;
/// Longest quotation in a line, in characters.
const QUOTE: usize = 200;
/// Longest title of an article in a line.
const TITLE: usize = 100;
/// Articles named that were found and not used.
const UNUSED: usize = 3;
/// Longest summary of an earlier conversation.
const SUMMARY: usize = 400;

/// What a package is made from.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The conversation handed over.
    pub conversation: &'a Conversation,
    /// Whose it is.
    pub customer: &'a Customer,
    /// Its newest messages, oldest first.
    pub messages: &'a [Message],
    /// What is remembered of the customer.
    pub memory: &'a [Remembered],
    /// Articles that were found for the newest words, best first.
    pub sections: &'a [FoundSection],
    /// Why it goes to people.
    pub reason: HandoffReason,
    /// The language of the package and of the suggested reply: the customer's.
    pub language: Language,
    /// The company's time zone: days are told as its people count them.
    pub zone: &'a TimeZone,
}

impl Material<'_> {
    /// Russian or English words.
    fn say<'w>(&self, russian: &'w str, english: &'w str) -> &'w str {
        match self.language {
            Language::Ru => russian,
            Language::En => english,
        }
    }

    fn said(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(|message| message.author == Author::Customer)
    }

    /// The customer's newest message, for lines that stand on the conversation as a whole.
    fn newest(&self) -> Vec<MessageId> {
        self.said().next_back().map(|message| message.id).into_iter().collect()
    }

    /// Messages before this place were answered: by a person, or by the bot on the strength of articles.
    fn answered_before(&self) -> usize {
        let answers = |message: &Message| match message.author {
            Author::Operator(_) => true,
            Author::Bot => !message.citations.is_empty(),
            Author::Customer | Author::Note(_) => false,
        };
        self.messages.iter().rposition(answers).map_or(0, |place| place + 1)
    }

    /// A day as people of this language write it.
    fn day(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime(self.say("%d.%m.%Y", "%-d %b %Y")).to_string()
    }
}

/// The package that needs no model.
pub fn template(material: &Material<'_>) -> Package {
    Package {
        written_by: PackageAuthor::Template,
        customer: known::customer(material),
        wants: wants(material),
        tried: tried(material),
        open_questions: open_questions(material),
        mood: mood(material),
        promises: promises::promises(material),
        episodes: episodes(material),
        suggested_reply: reply::suggested(material),
    }
}

/// One sentence of the customer, with how much it matters.
struct Sentence<'a> {
    place: usize,
    message: &'a Message,
    text: &'a str,
    answered: bool,
    weight: u8,
}

impl Sentence<'_> {
    fn asks(&self) -> bool {
        self.weight == 3
    }
}

/// The customer's sentences that say something, in order, each once: the latest of those that repeat.
fn matter<'a>(material: &Material<'a>) -> Vec<Sentence<'a>> {
    let answered_before = material.answered_before();
    let mut all: Vec<Sentence<'a>> = Vec::new();
    for (number, message) in material.messages.iter().enumerate() {
        let text = message.text.as_str();
        if message.author != Author::Customer || text == STARTED_TEXT || unreadable(text).is_some() {
            continue;
        }
        for text in sentences(text) {
            let weight = weight(text);
            if weight == 0 {
                continue;
            }
            let same = folded(text);
            all.retain(|other| folded(other.text) != same);
            all.push(Sentence { place: 0, message, text, answered: number < answered_before, weight });
        }
    }
    for (place, sentence) in all.iter_mut().enumerate() {
        sentence.place = place;
    }
    all
}

/// 3 for questions, 2 for complaints and requests, 1 for other words about something, 0 for the rest.
fn weight(sentence: &str) -> u8 {
    if is_closing(sentence) {
        0
    } else if is_question(sentence) {
        if content_stems(sentence).is_empty() && !sentence.contains('?') { 0 } else { 3 }
    } else if Mood::of(sentence) >= Mood::Tense || requests(sentence) {
        2
    } else {
        u8::from(!content_stems(sentence).is_empty())
    }
}

/// Whether a sentence asks for something to be done, by its verb: «верните», "cancel my order", "I want a refund".
fn requests(sentence: &str) -> bool {
    const WISHES: [&str; 12] =
        ["хочу", "хотел", "хотела", "прошу", "требую", "нужно", "надо", "want", "need", "please", "cancel", "refund"];
    folded(sentence).split_whitespace().any(|word| {
        let imperative = ["ите", "йте", "ьте"].iter().any(|end| word.ends_with(end));
        WISHES.contains(&word) || imperative && word != "здравствуйте" && word != "подскажите" && word != "извините"
    })
}

/// The weightiest words of the customer, what is unanswered first, shown in the order in which they were said.
fn wants(material: &Material<'_>) -> Vec<PackageLine> {
    let mut chosen = matter(material);
    // What carries the matter comes first; what else was said fills the lines that are left, for it may be the fact that counts.
    // Who only says their name is told of elsewhere.
    chosen.retain(|one| one.weight > 1 || only_details(one.text, one.message.id, one.message.received_at).is_empty());
    chosen.sort_by_key(|sentence| {
        (sentence.answered, std::cmp::Reverse(sentence.weight), std::cmp::Reverse(sentence.place))
    });
    let sent = attachments(material);
    chosen.truncate(LINES_MOST - sent.len());
    chosen.sort_by_key(|sentence| sentence.place);
    let writes = material.say("пишет:", "writes:");
    let lines = chosen.into_iter().map(|sentence| PackageLine {
        text: format!("{writes} {}", quoted(sentence.text, QUOTE, material.language)),
        messages: vec![sentence.message.id],
    });
    lines.chain(sent).collect()
}

/// What the customer sent and the bot can't read, the newest few, one line.
fn attachments(material: &Material<'_>) -> Vec<PackageLine> {
    let sent: Vec<(&str, MessageId)> =
        material.said().filter_map(|message| Some((unreadable(message.text.as_str())?, message.id))).collect();
    let newest = &sent[sent.len().saturating_sub(LINES_MOST)..];
    if newest.is_empty() {
        return Vec::new();
    }
    let mut kinds: Vec<&str> = Vec::new();
    for (kind, _) in newest {
        let kind = attachment(kind, material.language);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let opening = material.say("присылает то, чего бот не читает:", "sends what the bot can't read:");
    let text = line(&format!("{opening} {}", kinds.join(", ")), QUOTE);
    vec![PackageLine { text, messages: newest.iter().map(|(_, id)| *id).collect() }]
}

/// The kind of a message that stands for something the bot can't read: `photo` of `[photo]`.
fn unreadable(text: &str) -> Option<&str> {
    let kind = text.strip_prefix('[')?.strip_suffix(']')?;
    (!kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase() || c == '_')).then_some(kind)
}

fn attachment(kind: &str, language: Language) -> &str {
    match (kind, language) {
        ("photo", Language::Ru) => "фото",
        ("voice" | "audio", Language::Ru) => "голосовое сообщение",
        ("voice" | "audio", Language::En) => "voice message",
        ("video" | "video_note" | "animation", Language::Ru) => "видео",
        ("video_note" | "animation", Language::En) => "video",
        ("document", Language::Ru) => "файл",
        ("document", Language::En) => "file",
        ("sticker", Language::Ru) => "стикер",
        ("location" | "venue", Language::Ru) => "место на карте",
        ("location" | "venue", Language::En) => "place on the map",
        ("contact", Language::Ru) => "контакт",
        ("message", Language::Ru) => "вложение",
        ("message", Language::En) => "attachment",
        (other, _) => other,
    }
}

fn tried(material: &Material<'_>) -> Vec<PackageLine> {
    let mut lines: Vec<PackageLine> =
        material.messages.iter().filter_map(|message| attempt(material, message)).collect();
    let last: Vec<PackageLine> = unused(material).into_iter().chain(obstacle(material)).collect();
    let room = LINES_MOST.saturating_sub(last.len());
    lines.drain(..lines.len().saturating_sub(room));
    lines.extend(last);
    lines
}

/// What one message of ours tried.
fn attempt(material: &Material<'_>, message: &Message) -> Option<PackageLine> {
    let text = match message.author {
        Author::Bot if !message.citations.is_empty() => {
            let mut titles: Vec<String> = Vec::new();
            for citation in &message.citations {
                let title = if citation.title.is_empty() { &citation.source } else { &citation.title };
                let title = quoted(title, TITLE, material.language);
                if !titles.contains(&title) {
                    titles.push(title);
                }
            }
            let opening = match titles.len() {
                1 => material.say("бот ответил по статье", "the bot answered from"),
                _ => material.say("бот ответил по статьям", "the bot answered from"),
            };
            format!("{opening} {}", titles.join(", "))
        }
        Author::Operator(_) => {
            let words = quoted(message.text.as_str(), QUOTE, material.language);
            format!("{} {words}", material.say("оператор ответил:", "an operator answered:"))
        }
        Author::Bot | Author::Customer | Author::Note(_) => return None,
    };
    Some(PackageLine { text: line(&text, QUOTE + TITLE), messages: vec![message.id] })
}

/// Articles that were found for the newest words and that no answer stands on.
fn unused(material: &Material<'_>) -> Vec<PackageLine> {
    let cited = |article: &str| {
        material.messages.iter().flat_map(|message| &message.citations).any(|citation| citation.source == article)
    };
    let mut articles: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for section in material.sections.iter().filter(|section| !cited(&section.article)) {
        if lines.len() < UNUSED && !articles.contains(&section.article.as_str()) {
            articles.push(&section.article);
            let title = quoted(&section.title, TITLE, material.language);
            let opening =
                material.say("статья нашлась, но ответа по ней не было:", "found, but no answer was given from it:");
            lines.push(PackageLine { text: format!("{opening} {title}"), messages: material.newest() });
        }
    }
    lines
}

/// What kept the bot from answering, where it tried.
fn obstacle(material: &Material<'_>) -> Option<PackageLine> {
    let text = match material.reason {
        HandoffReason::NoAnswer => material.say("ответа в статьях не нашлось", "no article answers it"),
        HandoffReason::Ungrounded => material.say(
            "черновик ответа не подтвердился статьями и не отправлен",
            "a draft did not stand on its sources and was not sent",
        ),
        HandoffReason::PartDown => material
            .say("бот не ответил: одна из частей системы не работает", "the bot could not answer: a part is down"),
        HandoffReason::Deadline => {
            material.say("бот не успел ответить вовремя", "the bot did not manage to answer in time")
        }
        HandoffReason::UnknownSend => material.say(
            "неизвестно, увидел ли клиент последнее сообщение бота",
            "nobody knows whether the customer saw the bot's last message",
        ),
        HandoffReason::Limit => material.say("достигнут предел сообщений или расходов", "a limit was reached"),
        HandoffReason::Complex => {
            material.say("вопрос сложный: ему нужен человек", "the matter is complex and needs a person")
        }
        HandoffReason::ModelAsked => {
            material.say("модель сочла, что нужен человек", "the model found that a person is needed")
        }
        HandoffReason::PromiseDue => {
            material.say("настал срок того, что мы обещали", "something that we promised falls due")
        }
        HandoffReason::HumanRequest
        | HandoffReason::SafetyLegal
        | HandoffReason::Emotional
        | HandoffReason::Commercial
        | HandoffReason::Unsupported
        | HandoffReason::Taken => return None,
    };
    Some(PackageLine { text: text.to_owned(), messages: material.newest() })
}

/// The newest questions that nobody answered.
fn open_questions(material: &Material<'_>) -> Vec<PackageLine> {
    let mut open = matter(material);
    open.retain(|sentence| sentence.asks() && !sentence.answered);
    open.drain(..open.len().saturating_sub(LINES_MOST));
    let asks = material.say("спрашивает:", "asks:");
    let lines = open.into_iter().map(|sentence| PackageLine {
        text: format!("{asks} {}", quoted(sentence.text, QUOTE, material.language)),
        messages: vec![sentence.message.id],
    });
    lines.collect()
}

/// The mood of the customer's newest words, and how it compares with the words before.
fn mood(material: &Material<'_>) -> String {
    let readable = material.said().map(|message| message.text.as_str());
    let moods: Vec<Mood> =
        readable.filter(|text| *text != STARTED_TEXT && unreadable(text).is_none()).map(Mood::of).collect();
    let Some((now, before)) = moods.split_last() else {
        return material.say("неизвестно", "unknown").to_owned();
    };
    let word = now.word(material.language);
    if before.is_empty() {
        return word.to_owned();
    }
    // Sums instead of means: now times their number against all before, half a step apart at least.
    let step = |mood: Mood| match mood {
        Mood::Pleased => 0,
        Mood::Calm => 2,
        Mood::Tense => 4,
        Mood::Upset => 6,
    };
    let count = before.len();
    let (now_all, before_all) = (step(*now) * count, before.iter().map(|mood| step(*mood)).sum::<usize>());
    let trend = if now_all >= before_all + count {
        material.say("становится хуже", "getting worse")
    } else if now_all + count <= before_all {
        material.say("становится лучше", "getting better")
    } else {
        material.say("без перемен", "unchanged")
    };
    format!("{word}, {trend}")
}

/// Earlier conversations, newest first.
fn episodes(material: &Material<'_>) -> Vec<PackageEpisode> {
    let earlier = material.memory.iter().filter_map(|item| match item {
        Remembered::Episode(episode) => Some(episode),
        Remembered::Fact(_) | Remembered::Exchange(_) => None,
    });
    let mut episodes: Vec<PackageEpisode> = Vec::new();
    for episode in earlier {
        if episodes.iter().all(|other| other.id != episode.id) {
            let summary = line(&episode.summary, SUMMARY);
            episodes.push(PackageEpisode { id: episode.id, ended_at: episode.ended_at, summary });
        }
    }
    episodes.sort_by_key(|episode| std::cmp::Reverse((episode.ended_at, episode.id)));
    episodes.truncate(LINES_MOST);
    episodes
}
