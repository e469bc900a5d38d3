//! What tests of several modules share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use std::sync::LazyLock;

use jiff::Timestamp;

use super::triage::Triage;
use crate::domain::id::{ConversationId, Ids, MessageId, OperatorId};
use crate::domain::message::{Author, Citation, Message};
use crate::domain::text::MessageText;

/// How many measurements were skipped in this run.
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// The directory of public data sets, which are not part of the repository. Without it a measurement is skipped,
/// and says so.
#[expect(clippy::disallowed_methods, reason = "tests have no main that could read settings")]
pub(crate) fn data_dir(measurement: &str) -> Option<PathBuf> {
    let dir = std::env::var("FIRSTLINE_DATA_DIR").ok().map(PathBuf::from).filter(|dir| dir.is_dir());
    if dir.is_none() {
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        eprintln!("SKIPPED no. {count}: {measurement}: FIRSTLINE_DATA_DIR names no directory");
    }
    dir
}

/// A conversation that grows message by message, a minute apart, with ids that repeat from run to run.
pub(crate) struct Talk {
    ids: Ids,
    /// What was said so far.
    pub(crate) messages: Vec<Message>,
}

impl Talk {
    pub(crate) fn new() -> Self {
        Self { ids: Ids::seeded(1), messages: Vec::new() }
    }

    /// 2 March 2026, noon in UTC, and `minutes`.
    pub(crate) fn at(minutes: usize) -> Timestamp {
        Timestamp::from_second(1_772_452_800 + i64::try_from(minutes).unwrap() * 60).unwrap()
    }

    pub(crate) fn customer(self, text: &str) -> Self {
        self.says(Author::Customer, text, &[])
    }

    /// The bot says something that stands on articles of these titles.
    pub(crate) fn bot(self, text: &str, titles: &[&str]) -> Self {
        self.says(Author::Bot, text, titles)
    }

    pub(crate) fn operator(self, text: &str) -> Self {
        let operator = OperatorId::fresh(&self.ids, Self::at(0));
        self.says(Author::Operator(operator), text, &[])
    }

    pub(crate) fn note(self, text: &str) -> Self {
        let operator = OperatorId::fresh(&self.ids, Self::at(0));
        self.says(Author::Note(operator), text, &[])
    }

    fn says(mut self, author: Author, text: &str, titles: &[&str]) -> Self {
        let at = Self::at(self.messages.len());
        let citation = |title: &&str| Citation { source: format!("ru/{title}"), title: (*title).to_owned() };
        self.messages.push(Message {
            id: MessageId::fresh(&self.ids, at),
            conversation: ConversationId::fresh(&Ids::seeded(2), Self::at(0)),
            seq: i64::try_from(self.messages.len()).unwrap() + 1,
            author,
            text: MessageText::new(text),
            citations: titles.iter().map(citation).collect(),
            received_at: at,
            delivered_at: Some(at),
        });
        self
    }
}

/// The shipped labels, rules and examples; read once, since compiling so many patterns takes a while.
pub(crate) fn triage() -> &'static Triage {
    static TRIAGE: LazyLock<Triage> = LazyLock::new(|| {
        let text = include_str!("../../prompts/triage.toml");
        Triage::parse(text, "prompts/triage.toml").unwrap_or_else(|error| panic!("{error}"))
    });
    &TRIAGE
}

/// The shipped file with a line put under one of its tables.
pub(crate) fn triage_with(table: &str, line: &str) -> Triage {
    let text = include_str!("../../prompts/triage.toml");
    assert!(text.contains(table), "{table}");
    let text = text.replacen(table, &format!("{table}\n{line}"), 1);
    Triage::parse(&text, "prompts/triage.toml").unwrap_or_else(|error| panic!("{error}"))
}
