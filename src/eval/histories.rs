//! Support histories: what customers, the bot and operators said over one to two years, what the customer then asks, and
//! which messages answer it. `eval/memory/README.md` tells where they are from and what is found in them.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::files::{self, FileError};
use crate::domain::text::Language;
use crate::engine::recall;
use crate::ports::ledger::BESIDE;

/// Silence after which a new stretch of the history begins.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// The test that recall gets no worse has a minute, and takes the histories up to this number in each language.
pub const TESTED: u32 = 10;

/// One customer's history, and what is asked of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The language and a number: `ru-01`.
    pub id: String,
    /// The customer's name.
    pub customer: String,
    /// What was said, oldest first.
    pub messages: Vec<Message>,
    /// What the customer asks afterwards.
    pub questions: Vec<Question>,
}

/// Something that was said.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Unique in its history.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub channel: Medium,
    /// By whom.
    pub from: Speaker,
    /// The words.
    pub text: String,
}

/// Where something was said: more than Firstline serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names of the channels")]
pub enum Medium {
    Telegram,
    Web,
    Email,
    Whatsapp,
    Vk,
    Max,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The customer.
    Customer,
    /// The bot.
    Bot,
    /// A person of the shop.
    Operator,
}

/// Something that can be answered only by who remembers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// When it is asked.
    pub at: Timestamp,
    /// The words.
    pub r#in: String,
    /// The ids of the messages that hold the answer, all of them; none where it was never said.
    pub gold: Vec<String>,
    /// What makes it hard.
    pub kind: Kind,
}

/// What makes a question hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was said once.
    Fact,
    /// It was said twice, and the newer holds.
    Update,
    /// Messages of different months are needed.
    MultiSession,
    /// It names a time, not a matter.
    Time,
    /// It matters who said it.
    WrongSpeaker,
    /// An ordinary request that must respect what was said long ago and is not named in it.
    Standing,
    /// It was never said.
    Unanswerable,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 7] = [
        Kind::Fact,
        Kind::Update,
        Kind::MultiSession,
        Kind::Time,
        Kind::WrongSpeaker,
        Kind::Standing,
        Kind::Unanswerable,
    ];

    /// The name in a history.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Fact => "fact",
            Kind::Update => "update",
            Kind::MultiSession => "multi_session",
            Kind::Time => "time",
            Kind::WrongSpeaker => "wrong_speaker",
            Kind::Standing => "standing",
            Kind::Unanswerable => "unanswerable",
        }
    }
}

/// Under what a message is found, as [`crate::flow::indexing`] would have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Its day, who said it, and the words.
    pub text: String,
    /// Its day and the words around it as well, [`BESIDE`] messages on each side in the same stretch.
    pub around: String,
    /// What its vector is of.
    pub meant: String,
}

impl History {
    /// The language that its id names.
    pub fn language(&self) -> Option<Language> {
        Language::from_code(&self.id)
    }

    /// The number in its id.
    pub fn number(&self) -> Option<u32> {
        self.id.split_once('-')?.1.parse().ok()
    }

    /// The keys of every message, in their order, with days as people count them in `zone`.
    pub fn keys(&self, language: Language, zone: &TimeZone) -> Vec<Keys> {
        let stretches = self.messages.chunk_by(|a, b| b.at.duration_since(a.at) <= SILENCE);
        let keys = stretches.flat_map(|stretch| (0..stretch.len()).map(|at| keys(stretch, at, language, zone)));
        keys.collect()
    }

    /// The places in `messages` of what answers a question; what is not there is left out.
    pub fn gold(&self, question: &Question) -> impl Iterator<Item = usize> {
        question.gold.iter().filter_map(|id| self.messages.iter().position(|message| message.id == *id))
    }
}

impl Message {
    /// Who said it, as the index names him, and the words.
    pub fn said(&self, language: Language) -> String {
        let [customer, support] = recall::speakers(language);
        recall::said(if self.from == Speaker::Customer { customer } else { support }, &self.text)
    }
}

fn keys(stretch: &[Message], at: usize, language: Language, zone: &TimeZone) -> Keys {
    let day = stretch[at].at.to_zoned(zone.clone()).date();
    let meant = stretch[at].said(language);
    let beside = &stretch[at.saturating_sub(BESIDE)..stretch.len().min(at + BESIDE + 1)];
    Keys {
        text: recall::dated(day, language, [meant.as_str()]),
        around: recall::dated(day, language, beside.iter().map(|message| message.text.as_str())),
        meant,
    }
}

/// Reads every history of a directory, in the order of their names.
///
/// # Errors
/// [`FileError`] of the first that can't be read.
pub fn read_dir(dir: &Path) -> Result<Vec<(PathBuf, History)>, FileError> {
    files::read_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_a_message_is_of_the_same_stretch() {
        let text = r#"
            id: en-00
            customer: Ana
            messages:
              - { id: m1, at: "2025-01-13T22:30:00Z", channel: web, from: customer, text: one }
              - { id: m2, at: "2025-01-14T22:30:00Z", channel: web, from: bot, text: two }
              - { id: m3, at: "2025-01-14T22:31:00Z", channel: web, from: operator, text: three }
              - { id: m4, at: "2025-01-14T22:32:00Z", channel: web, from: customer, text: four }
              - { id: m5, at: "2025-01-15T22:32:01Z", channel: email, from: customer, text: five }
            questions:
              - { at: "2025-02-01T10:00:00Z", in: what, gold: [m5, m9, m2], kind: multi_session }
        "#;
        let history: History = files::parse(text, Path::new("en-00.yaml")).unwrap();
        let language = history.language().unwrap();
        assert_eq!((language, history.number()), (Language::En, Some(0)));
        let keys = history.keys(language, &TimeZone::get("Europe/Moscow").unwrap());
        let around: Vec<&str> = keys.iter().map(|keys| keys.around.as_str()).collect();
        let expected = [
            "14 January 2025\none\ntwo\nthree",
            "15 January 2025\none\ntwo\nthree\nfour",
            "15 January 2025\none\ntwo\nthree\nfour",
            "15 January 2025\ntwo\nthree\nfour",
            "16 January 2025\nfive",
        ];
        assert_eq!(around, expected);
        assert_eq!(
            (keys[0].text.as_str(), keys[0].meant.as_str()),
            ("14 January 2025\nCustomer: one", "Customer: one")
        );
        assert_eq!((keys[2].meant.as_str(), keys[1].meant.as_str()), ("Support: three", "Support: two"));
        assert_eq!(history.gold(&history.questions[0]).collect::<Vec<_>>(), [4, 1]);
    }

    #[test]
    fn a_kind_is_read_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(serde_saphyr::from_str::<Kind>(kind.name()).unwrap(), kind);
        }
        assert!(serde_saphyr::from_str::<Kind>("facts").is_err());
    }
}
