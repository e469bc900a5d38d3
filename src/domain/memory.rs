//! What is remembered of one customer, each item with its source.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::ChannelKind;
use super::id::{ConversationId, CustomerId, EpisodeId, FactId, MessageId};

/// What sort of statement a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactKind {
    /// True of the customer: a name, an order number, an address.
    Attribute,
    /// How they want to be treated.
    Preference,
    /// What they assert about us. Never policy, whatever it says.
    Claim,
    /// What we committed ourselves to. It holds while it is open.
    Promise,
}

impl FactKind {
    /// All kinds.
    pub const ALL: [FactKind; 4] = [FactKind::Attribute, FactKind::Preference, FactKind::Claim, FactKind::Promise];

    /// The name in the database and in settings.
    pub fn name(self) -> &'static str {
        match self {
            FactKind::Attribute => "attribute",
            FactKind::Preference => "preference",
            FactKind::Claim => "claim",
            FactKind::Promise => "promise",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a statement does to a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    /// It is so, from the statement's time on.
    Stated,
    /// It is so no longer, from the statement's time on: moved away, a promise kept.
    Ended,
    /// It never was so: a slip, a misunderstanding.
    Retracted,
}

impl Stance {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Stance::Stated => "stated",
            Stance::Ended => "ended",
            Stance::Retracted => "retracted",
        }
    }

    /// The stance of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Stance::Stated, Stance::Ended, Stance::Retracted].into_iter().find(|stance| stance.name() == name)
    }
}

/// One version of one fact of a customer, on two axes of time: when it holds in the world, and when we knew so. A version
/// is superseded by another that says better, and never overwritten: "what did we know then" stays answerable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its key.
    pub id: FactId,
    /// Whose.
    pub customer: CustomerId,
    /// What it speaks of: `name`, `order_number`, `city`; only keys on the list of [`crate::engine::learn`].
    pub key: String,
    /// The value.
    pub value: String,
    /// What sort.
    pub kind: FactKind,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Where it was said.
    pub source: MessageId,
    /// From when it holds in the world.
    pub valid_at: Timestamp,
    /// Until when it holds in the world; `None` while it does.
    pub invalid_at: Option<Timestamp>,
    /// When we learnt it.
    pub recorded_at: Timestamp,
    /// When we learnt better; `None` while we have not.
    pub superseded_at: Option<Timestamp>,
    /// When a promise falls due; `None` where no time was named.
    pub due_at: Option<Timestamp>,
}

impl Fact {
    /// Whether it holds now, as far as we know now.
    pub fn holds(&self) -> bool {
        self.superseded_at.is_none() && self.invalid_at.is_none()
    }

    /// Whether it held at `valid`, as far as we knew at `known`.
    pub fn held_at(&self, valid: Timestamp, known: Timestamp) -> bool {
        let within = |from: Timestamp, until: Option<Timestamp>, at| from <= at && until.is_none_or(|until| at < until);
        within(self.valid_at, self.invalid_at, valid) && within(self.recorded_at, self.superseded_at, known)
    }
}

/// What a message says of a fact: the evidence that the ledger is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// See [`Fact::key`].
    pub key: String,
    /// See [`Fact::value`].
    pub value: String,
    /// What it does to the fact.
    pub stance: Stance,
    /// See [`Fact::kind`].
    pub kind: FactKind,
    /// See [`Fact::confidence`].
    pub confidence: f64,
    /// See [`Fact::source`].
    pub source: MessageId,
    /// From when it counts: when it was said.
    pub valid_at: Timestamp,
    /// See [`Fact::due_at`].
    pub due_at: Option<Timestamp>,
}

/// What changes in the facts of one customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LedgerChange {
    /// Versions that are new, oldest first.
    pub learnt: Vec<Fact>,
    /// Versions that we know better than now.
    pub superseded: Vec<FactId>,
}

/// How a finished stretch of conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The bot's answers sufficed, as far as we know.
    AnsweredByBot,
    /// A person finished it.
    AnsweredByHuman,
    /// It went quiet while the customer waited for us.
    Unanswered,
}

impl Outcome {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::AnsweredByBot => "answered_by_bot",
            Outcome::AnsweredByHuman => "answered_by_human",
            Outcome::Unanswered => "unanswered",
        }
    }

    /// The outcome of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Outcome::AnsweredByBot, Outcome::AnsweredByHuman, Outcome::Unanswered]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// Where a customer's mood went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trend {
    /// They ended better than they began.
    Better,
    /// As they began.
    #[default]
    Same,
    /// They ended worse.
    Worse,
}

impl Trend {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Trend::Better => "better",
            Trend::Same => "same",
            Trend::Worse => "worse",
        }
    }

    /// The trend of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Trend::Better, Trend::Same, Trend::Worse].into_iter().find(|trend| trend.name() == name)
    }
}

/// A finished stretch of conversation: immutable evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Its key.
    pub id: EpisodeId,
    /// Whose.
    pub customer: CustomerId,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// First message of it.
    pub from_seq: i64,
    /// Last message of it.
    pub to_seq: i64,
    /// Where it took place.
    pub channel: ChannelKind,
    /// What it was about, in one or two sentences.
    pub summary: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The customer's mood at the end, one word.
    pub mood: String,
    /// Where it went.
    #[serde(default)]
    pub trend: Trend,
    /// First message.
    pub started_at: Timestamp,
    /// Last message.
    pub ended_at: Timestamp,
}

/// A customer message with the answer it got: the unit that recalls how something was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The customer's (first) message; the key of the exchange.
    pub message: MessageId,
    /// Whose.
    pub customer: CustomerId,
    /// Where it took place.
    pub conversation: ConversationId,
    /// The customer's words.
    pub question: String,
    /// Ours; empty while there are none.
    pub answer: String,
    /// When the customer said it.
    pub at: Timestamp,
}

/// Something remembered that bears on this turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Remembered {
    /// A fact that holds now.
    Fact(Fact),
    /// An earlier episode.
    Episode(Episode),
    /// An earlier exchange.
    Exchange(Exchange),
}

impl Remembered {
    /// The key under which an answer cites it: a fact's and an exchange's message, an episode's id.
    pub fn source(&self) -> String {
        match self {
            Remembered::Fact(fact) => fact.source.to_string(),
            Remembered::Episode(episode) => episode.id.to_string(),
            Remembered::Exchange(exchange) => exchange.message.to_string(),
        }
    }

    /// What sort of memory it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Remembered::Fact(_) => "fact",
            Remembered::Episode(_) => "episode",
            Remembered::Exchange(_) => "exchange",
        }
    }

    /// The message that it stands on; an episode stands on many.
    pub fn message(&self) -> Option<MessageId> {
        match self {
            Remembered::Fact(fact) => Some(fact.source),
            Remembered::Episode(_) => None,
            Remembered::Exchange(exchange) => Some(exchange.message),
        }
    }

    /// The words in it, for prompts and for checking an answer against its sources.
    pub fn text(&self) -> String {
        match self {
            Remembered::Fact(fact) => format!("{} = {}", fact.key, fact.value),
            Remembered::Episode(episode) => episode.summary.clone(),
            Remembered::Exchange(exchange) => format!("{}\n{}", exchange.question, exchange.answer),
        }
    }

    /// The day it dates from.
    pub fn at(&self) -> Timestamp {
        match self {
            Remembered::Fact(fact) => fact.valid_at,
            Remembered::Episode(episode) => episode.ended_at,
            Remembered::Exchange(exchange) => exchange.at,
        }
    }
}
