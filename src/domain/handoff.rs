//! The passing of responsibility to people, and what they receive.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{ConversationId, EpisodeId, HandoffId, MessageId, OperatorId};

/// Why a conversation went to people. A closed list: reports and gates count by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffReason {
    /// The customer asked for a person.
    HumanRequest,
    /// A legal threat, or somebody's safety.
    SafetyLegal,
    /// The customer is upset.
    Emotional,
    /// Something to sell or to negotiate.
    Commercial,
    /// Several questions at once, or a matter that policy gives to people.
    Complex,
    /// Nothing we know answers it.
    NoAnswer,
    /// The model's draft did not stand on its sources.
    Ungrounded,
    /// The model said that a person is needed.
    ModelAsked,
    /// The model, the index or another part is down.
    PartDown,
    /// The turn failed again and again, or took too long.
    Deadline,
    /// A limit on length, number of messages or spending was reached.
    Limit,
    /// Something the bot can't read: a photo, a voice note.
    Unsupported,
    /// A send stayed unknown: nobody can say whether the customer saw it.
    UnknownSend,
    /// An operator took it without being asked.
    Taken,
    /// Something that we promised falls due.
    PromiseDue,
}

impl HandoffReason {
    /// All reasons.
    pub const ALL: [HandoffReason; 15] = [
        HandoffReason::HumanRequest,
        HandoffReason::SafetyLegal,
        HandoffReason::Emotional,
        HandoffReason::Commercial,
        HandoffReason::Complex,
        HandoffReason::NoAnswer,
        HandoffReason::Ungrounded,
        HandoffReason::ModelAsked,
        HandoffReason::PartDown,
        HandoffReason::Deadline,
        HandoffReason::Limit,
        HandoffReason::Unsupported,
        HandoffReason::UnknownSend,
        HandoffReason::Taken,
        HandoffReason::PromiseDue,
    ];

    /// The name in the database, in reports and in configuration.
    pub fn name(self) -> &'static str {
        match self {
            HandoffReason::HumanRequest => "human_request",
            HandoffReason::SafetyLegal => "safety_legal",
            HandoffReason::Emotional => "emotional",
            HandoffReason::Commercial => "commercial",
            HandoffReason::Complex => "complex",
            HandoffReason::NoAnswer => "no_answer",
            HandoffReason::Ungrounded => "ungrounded",
            HandoffReason::ModelAsked => "model_asked",
            HandoffReason::PartDown => "part_down",
            HandoffReason::Deadline => "deadline",
            HandoffReason::Limit => "limit",
            HandoffReason::Unsupported => "unsupported",
            HandoffReason::UnknownSend => "unknown_send",
            HandoffReason::Taken => "taken",
            HandoffReason::PromiseDue => "promise_due",
        }
    }

    /// The reason of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Where a handoff stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HandoffState {
    /// In the queue.
    Open,
    /// An operator has it.
    Claimed,
    /// Given back to the bot.
    Released,
    /// Closed with the conversation.
    Resolved,
}

impl HandoffState {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            HandoffState::Open => "open",
            HandoffState::Claimed => "claimed",
            HandoffState::Released => "released",
            HandoffState::Resolved => "resolved",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [HandoffState::Open, HandoffState::Claimed, HandoffState::Released, HandoffState::Resolved]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A passing of responsibility. At most one is open or claimed per conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Handoff {
    /// Its key.
    pub id: HandoffId,
    /// What is passed.
    pub conversation: ConversationId,
    /// Why.
    pub reason: HandoffReason,
    /// To whom: a queue of `prompts/triage.toml`.
    pub queue: String,
    /// 1 is the most urgent, 9 the least.
    pub priority: i64,
    /// Where it stands.
    pub state: HandoffState,
    /// Who has it, or had it last.
    pub operator: Option<OperatorId>,
    /// What the operator receives; never absent: a template stands in until, or unless, the model has written one.
    pub package: Package,
    /// When it entered the queue.
    pub opened_at: Timestamp,
    /// When an operator took it.
    pub claimed_at: Option<Timestamp>,
    /// When it was released or resolved.
    pub closed_at: Option<Timestamp>,
}

/// What an operator receives, so as not to start cold: every line names the messages it stands on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Package {
    /// Who wrote it.
    pub written_by: PackageAuthor,
    /// Who the customer is and what we know.
    pub customer: Vec<PackageLine>,
    /// What they want.
    pub wants: Vec<PackageLine>,
    /// What was tried and found.
    pub tried: Vec<PackageLine>,
    /// What is still open.
    pub open_questions: Vec<PackageLine>,
    /// Mood now, and its trend.
    pub mood: String,
    /// Promises outstanding.
    pub promises: Vec<PackageLine>,
    /// Earlier conversations that bear on this one.
    pub episodes: Vec<PackageEpisode>,
    /// A first reply the operator may send as it is.
    pub suggested_reply: String,
}

/// Who wrote a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageAuthor {
    /// The template over transcript, facts and episodes.
    #[default]
    Template,
    /// The language model, checked against the transcript.
    Model,
}

/// One line of a package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackageLine {
    /// The statement.
    pub text: String,
    /// The messages it stands on.
    pub messages: Vec<MessageId>,
}

/// An earlier conversation, in a package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackageEpisode {
    /// Which.
    pub id: EpisodeId,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What it was about.
    pub summary: String,
}
