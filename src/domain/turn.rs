//! A turn: all unread messages in, one committed decision out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::handoff::{HandoffReason, Package};
use super::id::TurnId;
use super::message::Citation;

/// The labels of triage. Several may hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// A question that an article answers.
    Routine,
    /// The customer is upset.
    Emotional,
    /// Something to sell or to negotiate.
    Commercial,
    /// Asks for a person.
    HumanRequest,
    /// A legal threat, or somebody's safety.
    SafetyLegal,
    /// Nothing that this company answers.
    OutOfScope,
    /// Greetings, thanks, goodbyes.
    SmallTalk,
    /// Added by policy from evidence, never by a classifier.
    Complex,
}

impl Label {
    /// All labels.
    pub const ALL: [Label; 8] = [
        Label::Routine,
        Label::Emotional,
        Label::Commercial,
        Label::HumanRequest,
        Label::SafetyLegal,
        Label::OutOfScope,
        Label::SmallTalk,
        Label::Complex,
    ];

    /// The name in `prompts/triage.toml`, in the database and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Label::Routine => "routine",
            Label::Emotional => "emotional",
            Label::Commercial => "commercial",
            Label::HumanRequest => "human_request",
            Label::SafetyLegal => "safety_legal",
            Label::OutOfScope => "out_of_scope",
            Label::SmallTalk => "small_talk",
            Label::Complex => "complex",
        }
    }

    /// The label of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.name() == name)
    }
}

/// One label with its confidence and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    /// The label.
    pub label: Label,
    /// 0 to 1.
    pub confidence: f64,
    /// Who said so.
    pub by: LabelSource,
}

/// Where a label came from; the first that speaks wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSource {
    /// An explicit rule of `prompts/triage.toml`.
    Rule,
    /// The language model's structured verdict.
    Model,
    /// The trained classifier; its confidence is a calibrated probability.
    Classifier,
    /// The nearest labelled examples.
    Examples,
    /// Policy, from evidence.
    Policy,
}

/// What a language model drafted, parsed. Nothing in it is trusted before the checks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Draft {
    /// The reply, in the customer's language.
    pub reply: String,
    /// Sources it claims to stand on.
    pub citations: Vec<String>,
    /// Its own confidence, 0 to 1.
    pub confidence: f64,
    /// It asks for a person.
    pub needs_human: bool,
    /// Why it does; empty otherwise.
    pub why: String,
    /// The reply is a question back to the customer.
    pub asks_back: bool,
    /// Its triage verdict.
    pub labels: Vec<Label>,
}

/// A decision, ready to be committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision")]
pub enum Decision {
    /// Say this, standing on that.
    Answer {
        /// The words, without notices.
        text: String,
        /// What they stand on; empty for small talk only.
        citations: Vec<Citation>,
    },
    /// Ask the customer for what is missing.
    AskBack {
        /// The question.
        text: String,
    },
    /// Pass it to people.
    HandOff {
        /// Why.
        reason: HandoffReason,
        /// To which queue.
        queue: String,
        /// 1 is the most urgent.
        priority: i64,
        /// What they receive until the model has written better.
        package: Box<Package>,
        /// What the customer is told.
        notice: String,
    },
    /// Say nothing, for a recorded reason.
    Ignore {
        /// Why.
        reason: String,
    },
}

impl Decision {
    /// The name in the database and in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Decision::Answer { .. } => "answer",
            Decision::AskBack { .. } => "ask_back",
            Decision::HandOff { .. } => "hand_off",
            Decision::Ignore { .. } => "ignore",
        }
    }

    /// What the customer is told, if anything.
    pub fn words(&self) -> Option<&str> {
        match self {
            Decision::Answer { text, .. } | Decision::AskBack { text } => Some(text),
            Decision::HandOff { notice, .. } => Some(notice).filter(|text| !text.is_empty()).map(String::as_str),
            Decision::Ignore { .. } => None,
        }
    }
}

/// Why a turn went as it did: what `memory why`, reports and audits read. Holds sources and figures, nobody's words.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TurnRecord {
    /// Labels with their confidence.
    pub labels: Vec<Labelled>,
    /// Sources recalled: article keys, message and episode ids.
    pub recalled: Vec<String>,
    /// How what was recalled of the customer scored.
    #[serde(default)]
    pub memories: Vec<Scored>,
    /// Sources cited.
    pub cited: Vec<String>,
    /// How sure the first article answers: its coverage of the question, moved by its meaning, 0 to 1.
    pub coverage: f32,
    /// Checks that the draft failed, by name.
    pub failed_checks: Vec<String>,
    /// The model that drafted, if one did.
    pub model: Option<String>,
    /// Hash of the prompt template and its stable part.
    pub prompt_hash: Option<String>,
    /// Tokens read by the model.
    pub tokens_in: u64,
    /// Tokens written by the model.
    pub tokens_out: u64,
    /// Milliseconds that the model took.
    pub model_ms: u64,
}

/// A memory that was recalled for a turn, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// [`super::memory::Remembered::source`].
    pub source: String,
    /// `fact`, `episode` or `exchange`.
    pub kind: String,
    /// What search said of it; `None` for what is always at hand: facts that hold, the newest episodes, short histories.
    pub found: Option<Found>,
}

/// How something was found: comparable inside one search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The score of the ranking.
    pub score: f32,
    /// BM25 on the average of the question's words.
    pub words: f32,
    /// The same of the words around as well.
    pub around: f32,
    /// Cosine; `None` without vectors.
    pub meaning: Option<f32>,
}

/// A draft that outlives a crash: kept from before the commit, so that no model is asked twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedTurn {
    /// The turn.
    pub id: TurnId,
    /// The newest customer message it saw.
    pub to_seq: i64,
    /// What was decided.
    pub decision: Decision,
    /// Why.
    pub record: TurnRecord,
    /// When it was begun.
    pub started_at: Timestamp,
}
