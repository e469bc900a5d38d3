//! The format of a dialogue script.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use jiff::SignedDuration;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, IntoDeserializer as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::case::{AnswerCase, Suite};
use super::words::Wanted;
use crate::domain::channel::ChannelKind;
use crate::domain::conversation::Ownership;
use crate::domain::handoff::HandoffReason;

/// One dialogue, from the first word to the state it must end in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The suite, where the script has a file to itself.
    pub suite: Option<Suite>,
    /// Unique among all cases.
    pub id: String,
    /// What it shows, in one sentence.
    pub title: String,
    /// Where the customer writes.
    #[serde(default = "web")]
    pub channel: ChannelKind,
    /// Replies of the scripted model, in the order in which it is asked; a live run asks a real one instead. Absent:
    /// the dialogue is played without a model.
    pub model: Option<Vec<ScriptedReply>>,
    /// What is remembered before it begins, by customer, as `key = value`.
    #[serde(default)]
    pub known: BTreeMap<String, Vec<String>>,
    /// What was said before it begins, by customer, oldest first.
    #[serde(default)]
    pub past: BTreeMap<String, Vec<Earlier>>,
    /// Articles beside those of the company.
    #[serde(default)]
    pub articles: Vec<Planted>,
    /// The articles of the script stand alone, without the company's; where it brings none, there is none.
    #[serde(default)]
    pub only_these_articles: bool,
    /// Words that only this customer's own chat may ever see, or cause to be seen.
    #[serde(default)]
    pub canaries: BTreeMap<String, Vec<Wanted>>,
    /// What happens.
    pub turns: Vec<Step>,
    /// What must hold at the end.
    #[serde(default)]
    pub end_state: EndState,
    /// A customer whom a model plays once the turns are over.
    pub simulate: Option<Simulated>,
    /// Rubrics of `eval/judges` by which the last reply is judged.
    #[serde(default)]
    pub judge: Vec<String>,
    /// A miss is a scandal: it fails the run by itself.
    #[serde(default)]
    pub critical: bool,
    /// To choose cases by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// It is a single question, of which nothing but the answer is looked at.
    #[serde(skip)]
    pub only_its_answer: bool,
}

impl Script {
    /// Whether its lines do what a real model can't be made to do: then it is played with them also where one is asked.
    pub fn needs_its_lines(&self) -> bool {
        let odd = |line: &ScriptedReply| line.down || line.garbage.is_some() || line.meanwhile.is_some();
        self.model.iter().flatten().any(odd)
    }
}

/// A customer whom a model plays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulated {
    /// What kind of person it is, and how they write.
    pub persona: String,
    /// What they want.
    pub goal: String,
    /// What they tell when asked, by key; nothing else of the kind is theirs.
    #[serde(default)]
    pub reveal: BTreeMap<String, String>,
    /// Messages after which they give up.
    #[serde(default = "most_turns")]
    pub max_turns: usize,
}

fn most_turns() -> usize {
    6
}

/// Who writes where a script does not say.
pub const ANA: &str = "ana";

/// An article that the script brings along.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Questions under which it is found.
    #[serde(default)]
    pub questions: Vec<String>,
    /// What it says.
    pub text: String,
}

/// Something that was said before a script begins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// Who said it.
    pub from: EarlierBy,
    /// What.
    pub text: String,
    /// How long before.
    pub ago: SignedDuration,
}

/// Who said something before a script begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EarlierBy {
    /// The customer.
    Customer,
    /// The bot.
    Bot,
    /// An operator.
    Operator,
}

fn web() -> ChannelKind {
    ChannelKind::Web
}

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelTask {
    /// A reply.
    Answer,
    /// A reply that can be read, after one that could not.
    Repair,
    /// What an operator receives.
    Package,
    /// What is learnt when a conversation ends.
    Episode,
}

impl ModelTask {
    /// The name of its prompt.
    pub fn name(self) -> &'static str {
        match self {
            ModelTask::Answer => "answer",
            ModelTask::Repair => "repair",
            ModelTask::Package => "package",
            ModelTask::Episode => "episode",
        }
    }
}

/// What the scripted model does when it is asked for `task`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReply {
    /// What it is asked for.
    pub task: ModelTask,
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
    /// Whose chat it is. Where it is left out, a customer who writes or demands something is [`ANA`], and an operator is in
    /// the chat of the step before.
    #[serde(rename = "as")]
    pub who: Option<String>,
    /// The customer writes: one message, or a burst.
    pub customer: Option<OneOrMany<String>>,
    /// Every update of this step comes twice.
    #[serde(default)]
    pub twice: bool,
    /// An operator acts.
    pub operator: Option<OperatorStep>,
    /// Time passes.
    pub advance: Option<SignedDuration>,
    /// The customer wants the fact of this key forgotten.
    pub forget: Option<String>,
    /// The customer wants to be erased.
    #[serde(default)]
    pub erase: bool,
    /// Memory is switched on or off for the customer.
    pub memory: Option<Switch>,
    /// Two customers are found to be one person.
    pub merge: Option<Merging>,
    /// The last merge was wrong.
    #[serde(default)]
    pub unmerge: bool,
    /// What must follow.
    #[serde(default)]
    pub expect: Expect,
}

/// On or off, also as YAML of old reads the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Switch {
    /// `true`, `false`.
    Bool(bool),
    /// `on`, `off`.
    Word(OnOff),
}

/// The words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnOff {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        matches!(self, Switch::Bool(true) | Switch::Word(OnOff::On))
    }
}

/// Who becomes part of whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merging {
    /// Who becomes part of the other.
    pub part: String,
    /// Whose key stands for both.
    pub whole: String,
}

/// One, or several.
#[derive(Debug, Clone)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// As a list.
    pub fn all(&self) -> &[T] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        OneOrMany::Many(Vec::new())
    }
}

/// Read by hand: an untagged enum forgets what was wrong, and where.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either(PhantomData))
    }
}

struct Either<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one text or a list of them, with numbers, yes and no in quotation marks")
    }

    fn visit_str<E: de::Error>(self, one: &str) -> Result<Self::Value, E> {
        T::deserialize(one.into_deserializer()).map(OneOrMany::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, many: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(many)).map(OneOrMany::Many)
    }
}

/// What a turn comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// Something is answered.
    Answer,
    /// The customer is asked for what is missing.
    AskBack,
    /// People get it.
    HandOff,
    /// Nothing is said.
    Ignore,
}

impl Decided {
    /// The name in turns and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Decided::Answer => "answer",
            Decided::AskBack => "ask_back",
            Decided::HandOff => "hand_off",
            Decided::Ignore => "ignore",
        }
    }
}

/// Who owns a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The bot answers.
    Bot,
    /// It waits for a person.
    Queued,
    /// A person answers.
    Human,
    /// It is closed.
    Resolved,
}

impl Owner {
    /// The name in case files.
    pub fn name(self) -> &'static str {
        match self {
            Owner::Bot => "bot",
            Owner::Queued => "queued",
            Owner::Human => "human",
            Owner::Resolved => "resolved",
        }
    }
}

impl From<Ownership> for Owner {
    fn from(owner: Ownership) -> Self {
        match owner {
            Ownership::Bot => Owner::Bot,
            Ownership::Queued => Owner::Queued,
            Ownership::Human(_) => Owner::Human,
            Ownership::Resolved => Owner::Resolved,
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
    /// Decision of the turn, or several that are right.
    pub decision: Option<OneOrMany<Decided>>,
    /// Reason of the handoff, or several that are right.
    pub reason: Option<OneOrMany<HandoffReason>>,
    /// Articles that the last reply cites, all of them; `ru/` or `en/` before the id may be left out.
    #[serde(default, alias = "cites")]
    pub cites_all: Vec<String>,
    /// Articles of which the last reply cites one.
    #[serde(default)]
    pub cites_any: Vec<String>,
    /// What the customer sees, all of it.
    #[serde(default)]
    pub says: Vec<Wanted>,
    /// What the customer must not see.
    #[serde(default)]
    pub says_not: Vec<Wanted>,
    /// Keys of facts that the customer is not asked for.
    #[serde(default)]
    pub asks_none_of: Vec<String>,
    /// Who owns the conversation then.
    pub owner: Option<Owner>,
    /// Words of what was brought to mind for this turn from the customer's memory, all of them.
    #[serde(default)]
    pub recalls: Vec<Wanted>,
    /// Words that nothing of it may hold.
    #[serde(default)]
    pub recalls_not: Vec<Wanted>,
    /// Facts that hold, as `key = value`.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Facts that don't hold, as `key = value`, or keys of which none does.
    #[serde(default)]
    pub facts_not: Vec<String>,
    /// Substrings of the prompt that the model was shown, all of them.
    #[serde(default)]
    pub prompt_has: Vec<Wanted>,
    /// Substrings that the prompt must not hold.
    #[serde(default)]
    pub prompt_has_not: Vec<Wanted>,
}

/// What must hold at the end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndState {
    /// Open or claimed handoffs.
    pub handoffs_open: Option<usize>,
    /// The queue of the handoff that is open.
    pub queue: Option<String>,
    /// What the handoff package says, all of it: the facts that an operator needs.
    #[serde(default)]
    pub package_has: Vec<Wanted>,
    /// What the package must not say.
    #[serde(default)]
    pub package_has_not: Vec<Wanted>,
    /// The longest package, in characters.
    pub package_max_chars: Option<usize>,
    /// Facts that hold, as `key = value`.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Facts that don't hold, as `key = value`, or keys of which none does.
    #[serde(default, alias = "no_facts")]
    pub facts_not: Vec<String>,
    /// Episodes of the customer.
    pub episodes: Option<usize>,
}

/// A question is a dialogue of one step.
impl From<AnswerCase> for Script {
    fn from(case: AnswerCase) -> Self {
        let asked = case.expect;
        let expect = Expect {
            decision: Some(asked.decision),
            cites_all: asked.cites_all,
            cites_any: asked.cites_any,
            says: asked.says,
            says_not: asked.says_not,
            asks_none_of: asked.asks_none_of,
            ..Expect::default()
        };
        let known = if case.known.is_empty() { BTreeMap::new() } else { [(ANA.to_owned(), case.known)].into() };
        let step = Step { customer: Some(case.messages), expect, ..Step::default() };
        let (critical, tags) = (case.critical, case.tags);
        Script {
            suite: None,
            title: case.id.clone(),
            id: case.id,
            channel: web(),
            model: None,
            known,
            past: BTreeMap::new(),
            articles: Vec::new(),
            only_these_articles: false,
            canaries: BTreeMap::new(),
            turns: vec![step],
            end_state: EndState::default(),
            simulate: None,
            judge: Vec::new(),
            critical,
            tags,
            only_its_answer: true,
        }
    }
}
