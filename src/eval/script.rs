//! The format of a dialogue script.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::Deserialize;

use super::files::{self, FileError};
use crate::domain::channel::ChannelKind;

/// One dialogue, from the first word to the state it must end in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Always `dialog`.
    pub suite: Suite,
    /// Unique among all scripts.
    pub id: String,
    /// What it shows, in one sentence.
    pub title: String,
    /// Where the customer writes.
    #[serde(default = "web")]
    pub channel: ChannelKind,
    /// Replies of the scripted model, in the order in which it is asked; a live run asks a real one instead. Absent:
    /// the dialogue is played without a model.
    pub model: Option<Vec<ScriptedReply>>,
    /// What happens.
    pub turns: Vec<Step>,
    /// What must hold at the end.
    #[serde(default)]
    pub end_state: EndState,
}

/// The kind of a case file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// Dialogues.
    Dialog,
}

fn web() -> ChannelKind {
    ChannelKind::Web
}

/// What the scripted model does when it is asked for `task`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReply {
    /// `answer`, `repair`, `package` or `episode`.
    pub task: String,
    /// The structured reply.
    pub reply: Option<serde_json::Value>,
    /// A reply that is no JSON.
    pub garbage: Option<String>,
    /// The model is down.
    #[serde(default)]
    pub down: bool,
    /// What happens while it thinks.
    pub meanwhile: Option<Meanwhile>,
}

/// Something that happens while the model thinks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Meanwhile {
    /// The customer writes again.
    Customer(String),
    /// An operator takes the conversation.
    OperatorTakes,
}

/// One thing that happens, and what must follow.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The customer writes: one message, or a burst.
    pub customer: Option<OneOrMany>,
    /// Every update of this step comes twice.
    #[serde(default)]
    pub twice: bool,
    /// An operator acts.
    pub operator: Option<OperatorStep>,
    /// Time passes.
    pub advance: Option<SignedDuration>,
    /// What must follow.
    #[serde(default)]
    pub expect: Expect,
}

/// A message, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several, one right after the other.
    Many(Vec<String>),
}

impl OneOrMany {
    /// As a list.
    pub fn all(&self) -> Vec<&str> {
        match self {
            OneOrMany::One(text) => vec![text],
            OneOrMany::Many(texts) => texts.iter().map(String::as_str).collect(),
        }
    }
}

/// What an operator does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum OperatorStep {
    /// Takes the conversation.
    Take,
    /// Says something to the customer.
    Reply(String),
    /// Says something to colleagues.
    Note(String),
    /// Gives the conversation back to the bot.
    Release,
    /// Closes it.
    Resolve,
}

/// What must follow a step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Messages that the customer sees after this step.
    pub replies: Option<usize>,
    /// Decision of the turn: `answer`, `ask_back`, `hand_off`, `ignore`.
    pub decision: Option<String>,
    /// Reason of the handoff.
    pub reason: Option<String>,
    /// Articles that the last reply cites, all of them.
    pub cites: Option<Vec<String>>,
    /// Substrings of what the customer sees, all of them.
    #[serde(default)]
    pub says: Vec<String>,
    /// Substrings that the customer must not see.
    #[serde(default)]
    pub says_not: Vec<String>,
    /// Who owns the conversation then: `bot`, `queued`, `human`, `resolved`.
    pub owner: Option<String>,
    /// Substrings of the prompt that the model was shown, all of them.
    #[serde(default)]
    pub prompt_has: Vec<String>,
    /// Substrings that the prompt must not hold.
    #[serde(default)]
    pub prompt_has_not: Vec<String>,
}

/// What must hold at the end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndState {
    /// Open or claimed handoffs.
    pub handoffs_open: Option<usize>,
    /// Substrings of the handoff package, all of them.
    #[serde(default)]
    pub package_has: Vec<String>,
    /// Substrings that the package must not hold.
    #[serde(default)]
    pub package_has_not: Vec<String>,
    /// Facts that hold, as `key = value`.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Keys of which no fact may hold.
    #[serde(default)]
    pub no_facts: Vec<String>,
    /// Episodes of the customer.
    pub episodes: Option<usize>,
}

/// Reads a script.
///
/// # Errors
/// [`FileError`] with its place.
pub fn parse(text: &str, path: &Path) -> Result<Script, FileError> {
    files::parse(text, path)
}

/// Reads every `*.yaml` of a directory, in the order of their names.
///
/// # Errors
/// [`FileError`] of the first that can't be read.
pub fn read_dir(dir: &Path) -> Result<Vec<(PathBuf, Script)>, FileError> {
    files::read_dir(dir)
}
