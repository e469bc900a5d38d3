//! The decision of a turn, as a pure state machine: event in, effect out.
//!
//! ```text
//! begin ─┬─ a rule, a limit, a greeting ────────────────────────────────► Effect::Done
//!        └─ Effect::Recall ─ Recalled ─┬─ (a model is there) Effect::Draft ─ Drafted ──► Done
//!                                      │                                   └ DraftFailed ─┐
//!                                      └─ (none) ── what one article answers, or people ◄─┘
//! ```
//! Where the trained classifier is sure that people must have the message, no draft is asked for.
//! The driver ([`crate::flow::turn`]) performs the effects. What is said to the customer in fixed words is named here
//! and worded outside ([`Plan`]).

use super::guard::{self, Sources, Violation};
use super::learn;
use super::lexical;
use super::triage::{self, Destination, Does, Evidence, Heard, Route, Score, Triage};
use crate::domain::channel::STARTED_TEXT;
use crate::domain::handoff::HandoffReason;
use crate::domain::knowledge::FoundSection;
use crate::domain::memory::{Remembered, Statement};
use crate::domain::message::{Author, Citation, Message};
use crate::domain::text::Language;
use crate::domain::turn::{Draft, Label, Labelled, Scored, TurnRecord};

/// Longest reply of a model, in characters: a messenger is no place for an essay.
const LONGEST_REPLY: usize = 1_500;

/// What decisions depend on besides the turn itself.
pub struct Policy<'a> {
    /// Labels, rules, thresholds and queues.
    pub triage: &'a Triage,
    /// Hosts that a reply may link to.
    pub hosts: &'a [String],
    /// The company's name.
    pub company: &'a str,
    /// Marks of the prompt that a reply must never say.
    pub forbidden: &'a [String],
    /// Customer messages a day, over which people decide.
    pub messages_per_day: i64,
    /// A language model is configured.
    pub has_model: bool,
}

/// What a turn begins with.
#[derive(Debug, Clone)]
pub struct Input {
    /// New messages of the customer, oldest first; never empty.
    pub unread: Vec<Message>,
    /// Messages before them.
    pub window: Vec<Message>,
    /// The language of the customer's words, or of the conversation so far.
    pub language: Language,
    /// How often in a row the bot asked back.
    pub ask_backs: i64,
    /// Customer messages in the last 24 hours.
    pub messages_today: i64,
}

impl Input {
    /// The new words as one text, a line a message.
    pub fn words(&self) -> String {
        self.unread.iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// What was recalled for the turn.
#[derive(Debug, Clone, Default)]
pub struct Recall {
    /// Sections of articles, best first.
    pub sections: Vec<FoundSection>,
    /// Facts, episodes and exchanges of this customer.
    pub memory: Vec<Remembered>,
    /// How each of them scored.
    pub scored: Vec<Scored>,
    /// What the trained classifier says of the new words; none where no embedder serves it.
    pub scores: Option<Vec<Score>>,
}

/// What happened outside.
#[derive(Debug, Clone)]
pub enum Event {
    /// Recall answered.
    Recalled(Recall),
    /// Recall failed: the index and its fallback are down.
    RecallFailed,
    /// The model drafted.
    Drafted(Draft),
    /// No model answered, or none answered usably.
    DraftFailed,
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Look for articles and memories.
    Recall,
    /// Ask the model.
    Draft,
    /// Commit this.
    Done(Plan),
}

/// What is to be committed; fixed words are still to be put.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Greet somebody who has opened the chat without a word.
    Greet,
    /// Answer a greeting, thanks or a goodbye.
    SmallTalk,
    /// Thank for details that were told, and ask what they are about.
    Noted {
        /// How the customer calls themselves.
        name: Option<String>,
        /// An order of theirs.
        order_number: Option<String>,
    },
    /// Say what is not answered here.
    OutOfScope,
    /// Quote one article's section.
    Quote(Box<FoundSection>),
    /// Ask which of these is meant.
    AskWhich(Vec<FoundSection>),
    /// Say what the model drafted; checked.
    Say {
        /// The words, cleaned.
        text: String,
        /// What they stand on.
        citations: Vec<Citation>,
    },
    /// Ask back what the model drafted, or that the question be put in other words.
    AskBack {
        /// The model's question; none: ask to put it in other words.
        text: Option<String>,
    },
    /// Pass it to people.
    HandOff(Destination),
    /// Say nothing: the labels' policy is silence.
    Ignore,
}

/// A turn between two steps.
#[derive(Debug, Clone)]
pub struct State {
    input: Input,
    rules: Vec<Labelled>,
    labels: Vec<Labelled>,
    /// What was recalled; kept for the handoff package.
    pub recall: Recall,
    /// Why it goes as it does.
    pub record: TurnRecord,
}

/// Begins a turn.
pub fn begin(policy: &Policy, input: Input) -> (State, Effect) {
    let labels = policy.triage.rules(&input.words());
    let record = TurnRecord { labels: labels.clone(), ..TurnRecord::default() };
    let state = State { input, rules: labels.clone(), labels, recall: Recall::default(), record };
    let effect = state.at_once(policy).map_or(Effect::Recall, Effect::Done);
    (state, effect)
}

/// Takes what happened outside and says what is next.
pub fn step(policy: &Policy, mut state: State, event: Event) -> (State, Effect) {
    let effect = match event {
        Event::Recalled(recall) => {
            state.remember(recall);
            match state.sure_escalation(policy) {
                _ if !policy.has_model => Effect::Done(state.without_model(policy, HandoffReason::NoAnswer)),
                Some(plan) => Effect::Done(plan),
                None => Effect::Draft,
            }
        }
        Event::RecallFailed => Effect::Done(hand_off(policy, HandoffReason::PartDown)),
        Event::Drafted(draft) => Effect::Done(state.with_draft(policy, &draft)),
        Event::DraftFailed => Effect::Done(state.without_model(policy, HandoffReason::PartDown)),
    };
    (state, effect)
}

impl State {
    /// What needs neither articles nor memory.
    fn at_once(&self, policy: &Policy) -> Option<Plan> {
        if self.input.messages_today > policy.messages_per_day {
            return Some(hand_off(policy, HandoffReason::Limit));
        }
        if self.input.unread.iter().all(|message| message.text.as_str() == STARTED_TEXT) {
            return Some(Plan::Greet);
        }
        if self.input.unread.iter().any(|message| is_unsupported(message.text.as_str())) {
            return Some(hand_off(policy, HandoffReason::Unsupported));
        }
        self.route(policy).hand_off.map(Plan::HandOff)
    }

    /// Where the labels so far lead.
    fn route(&self, policy: &Policy) -> Route {
        triage::route(&self.labels, policy.triage)
    }

    fn remember(&mut self, recall: Recall) {
        let surest = recall.sections.iter().map(|section| section.confidence).reduce(f32::max);
        self.record.coverage = surest.unwrap_or(0.0).clamp(0.0, 1.0);
        self.record.recalled = recall.sections.iter().map(|section| section.article.clone()).collect();
        self.record.recalled.extend(recall.memory.iter().map(Remembered::source));
        self.record.memories.clone_from(&recall.scored);
        self.recall = recall;
    }

    /// A handoff of which the classifier is so sure that no model is asked: a draft could not talk it away.
    fn sure_escalation(&mut self, policy: &Policy) -> Option<Plan> {
        let scores = self.recall.scores.as_deref()?;
        if !policy.triage.is_sure_escalation(scores) {
            return None;
        }
        self.label(policy, None);
        self.route(policy).hand_off.map(Plan::HandOff)
    }

    /// Says what the message is, by everybody who was heard on it; see [`Triage::labels_of`].
    fn label(&mut self, policy: &Policy, model: Option<&[Label]>) {
        let words = self.input.words();
        // Coverage by words says nothing of what a model can answer from what was found.
        let coverage = model.is_none().then_some(self.record.coverage);
        let evidence = Evidence::read(policy.triage, &words, &self.input.window, coverage);
        let heard = Heard { classifier: self.recall.scores.as_deref(), model };
        self.labels = policy.triage.labels_of(&words, &self.rules, heard, &evidence);
        self.record.labels = self.labels.clone();
    }

    /// The section that may be quoted, where one answers and no other ties with it.
    fn quotable(&self, policy: &Policy) -> Option<usize> {
        let answer = &policy.triage.answer;
        let sections = &self.recall.sections;
        let best = lexical::confident(sections, answer.least_coverage, answer.least_margin)?;
        Some(lexical::leading(sections, best))
    }

    /// Quotes the section that answers, where one does.
    fn quote(&mut self, policy: &Policy) -> Option<Plan> {
        let mut section = self.recall.sections[self.quotable(policy)?].clone();
        section.text = guard::quotable(&section.text, policy.hosts)?;
        self.record.cited = vec![section.article.clone()];
        Some(Plan::Quote(Box::new(section)))
    }

    /// A model that gives up on one question which an article plainly answers: its words are quoted, as without a model.
    /// Small models give up often; what asks for more than an answer is not a question, or has another label.
    fn plainly_answered(&mut self, policy: &Policy) -> Option<Plan> {
        const PLAINLY: f32 = 0.9;
        let asked = triage::questions(&self.input.words()).len() == 1;
        let routine = self.labels.iter().all(|labelled| labelled.label == Label::Routine);
        let sure = self.record.coverage >= PLAINLY;
        if asked && routine && sure { self.quote(policy) } else { None }
    }

    /// What can be decided without a model: what one article answers is quoted, everything else goes to people.
    fn without_model(&mut self, policy: &Policy, otherwise: HandoffReason) -> Plan {
        self.label(policy, None);
        let route = self.route(policy);
        if let Some(destination) = route.hand_off {
            return Plan::HandOff(destination);
        }
        if route.small_talk {
            return Plan::SmallTalk;
        }
        if let Some(noted) = self.noted() {
            return noted;
        }
        if let Some(quote) = self.quote(policy) {
            return quote;
        }
        if route.does == Does::Ignore {
            return Plan::Ignore;
        }
        if route.label == Some(Label::OutOfScope) {
            return Plan::OutOfScope;
        }
        let close = self.contenders(policy);
        if close.len() > 1 && self.input.ask_backs < policy.triage.answer.ask_back_most {
            return Plan::AskWhich(close);
        }
        hand_off(policy, otherwise)
    }

    /// What to say where all the new messages only tell who is writing.
    fn noted(&self) -> Option<Plan> {
        let details = |message: &Message| learn::only_details(message.text.as_str(), message.id, message.received_at);
        let told: Vec<Vec<Statement>> = self.input.unread.iter().map(details).collect();
        if told.iter().any(Vec::is_empty) {
            return None;
        }
        let last = |key: &str| told.iter().flatten().rev().find(|fact| fact.key == key).map(|fact| fact.value.clone());
        Some(Plan::Noted { name: last("name"), order_number: last("order_number") })
    }

    /// Articles that may all answer the question: asking which is meant is better than guessing.
    fn contenders(&self, policy: &Policy) -> Vec<FoundSection> {
        let least = policy.triage.answer.least_coverage;
        let mut found: Vec<FoundSection> = Vec::new();
        for section in self.recall.sections.iter().filter(|section| section.confidence >= least) {
            if found.len() < 3 && found.iter().all(|other| other.article != section.article) {
                found.push(section.clone());
            }
        }
        found
    }

    /// What becomes of a draft: nothing in it is believed before the checks.
    fn with_draft(&mut self, policy: &Policy, draft: &Draft) -> Plan {
        self.label(policy, Some(&draft.labels));
        let route = self.route(policy);
        if let Some(destination) = route.hand_off {
            return Plan::HandOff(destination);
        }
        if route.does == Does::Ignore {
            return Plan::Ignore;
        }
        if draft.needs_human {
            return self.plainly_answered(policy).unwrap_or_else(|| hand_off(policy, HandoffReason::ModelAsked));
        }
        // What is sent is what is checked: links that lead elsewhere are out already.
        let draft = Draft { reply: guard::clean(&draft.reply, policy.hosts), ..draft.clone() };
        let violations = self.violations(policy, &draft, &route);
        self.record.failed_checks = violations.iter().map(|violation| violation.kind.name().to_owned()).collect();
        let may_ask = self.input.ask_backs < policy.triage.answer.ask_back_most;
        if !violations.is_empty() {
            // An article's own words where the model's did not stand on it.
            if let Some(quote) = self.quote(policy) {
                return quote;
            }
            let curable = violations.iter().all(|violation| violation.kind.may_ask_back());
            return if curable && may_ask {
                Plan::AskBack { text: None }
            } else {
                hand_off(policy, HandoffReason::Ungrounded)
            };
        }
        if draft.asks_back {
            return if may_ask {
                Plan::AskBack { text: Some(draft.reply) }
            } else {
                hand_off(policy, HandoffReason::NoAnswer)
            };
        }
        if draft.confidence < policy.triage.answer.least_confidence {
            return hand_off(policy, HandoffReason::NoAnswer);
        }
        let citations = self.citations(&draft);
        self.record.cited = citations.iter().map(|citation| citation.source.clone()).collect();
        Plan::Say { text: draft.reply, citations }
    }

    fn violations(&self, policy: &Policy, draft: &Draft, route: &Route) -> Vec<Violation> {
        let before = self.input.window.iter().filter(|message| message.author == Author::Customer);
        let customer: Vec<&str> = before.chain(&self.input.unread).map(|message| message.text.as_str()).collect();
        let sources = Sources { articles: &self.recall.sections, memory: &self.recall.memory, customer: &customer };
        let expected = guard::Policy {
            language: Some(self.input.language),
            longest: LONGEST_REPLY,
            hosts: policy.hosts,
            company: policy.company,
            forbidden: policy.forbidden,
            small_talk: route.small_talk || route.label == Some(Label::OutOfScope),
        };
        guard::check(draft, &sources, &expected)
    }

    /// Cited articles with their titles; memories are cited by their message.
    fn citations(&self, draft: &Draft) -> Vec<Citation> {
        let mut citations: Vec<Citation> = Vec::new();
        for source in &draft.citations {
            let section = self.recall.sections.iter().find(|section| &section.article == source);
            let title = section.map_or_else(String::new, |section| section.title.clone());
            if citations.iter().all(|citation| &citation.source != source) {
                citations.push(Citation { source: source.clone(), title });
            }
        }
        citations
    }

    /// What the customer wrote and what came before.
    pub fn input(&self) -> &Input {
        &self.input
    }
}

fn hand_off(policy: &Policy, reason: HandoffReason) -> Plan {
    Plan::HandOff(policy.triage.destination(reason))
}

/// A line that stands for something the bot can't read; see
/// [`crate::domain::channel::InboundEvent::transcript_text`].
fn is_unsupported(text: &str) -> bool {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inside.is_some_and(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}
