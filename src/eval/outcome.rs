//! How a case went: every check by itself, and what was seen on the way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judge::{Item, Verdicts};

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// How many messages the customer sees.
    Replies,
    /// What the turn decided.
    Decision,
    /// Why it was handed over.
    Reason,
    /// Who owns the conversation.
    Owner,
    /// What is cited.
    Cites,
    /// What is said.
    Says,
    /// What is not said.
    SaysNot,
    /// What is known is not asked for.
    AsksAgain,
    /// What is brought to mind.
    Recalls,
    /// What is not brought to mind: outdated as current, forgotten, another's.
    RecallsNot,
    /// Facts that hold.
    Facts,
    /// Facts that don't.
    FactsNot,
    /// What the model is shown.
    Prompt,
    /// How many handoffs are open.
    Handoffs,
    /// The queue.
    Queue,
    /// What the package says.
    PackageHas,
    /// What it does not say.
    PackageHasNot,
    /// How long it is.
    PackageLength,
    /// That its figures and names stand in the conversation or in memory.
    PackageStands,
    /// How many episodes there are.
    Episodes,
    /// That another customer's words are nowhere.
    Leak,
    /// That the model of the script was asked for all its lines.
    Script,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub kind: CheckKind,
    /// The step, counted from 1; 0 at the end.
    pub step: usize,
    /// Whether it was as wanted.
    pub passed: bool,
    /// What was wanted, and what was there instead.
    pub why: String,
}

/// Who said a line of a dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The customer.
    Customer,
    /// The bot.
    Bot,
    /// An operator.
    Operator,
    /// Nobody: something happened.
    Stage,
}

/// A line of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who.
    pub by: Speaker,
    /// Whose chat it was said in.
    pub who: String,
    /// What.
    pub text: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let by = match self.by {
            Speaker::Customer => &self.who,
            Speaker::Bot => "bot",
            Speaker::Operator => "operator",
            Speaker::Stage => "--",
        };
        write!(f, "{by}: {}", self.text)
    }
}

/// A dialogue as text, a line each.
pub fn text_of(lines: &[Line]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| line.to_string() + "\n").collect();
    lines.concat()
}

/// What a turn of the bot came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The step.
    pub step: usize,
    /// The decision.
    pub decision: String,
    /// The reason of a handoff.
    pub reason: Option<String>,
    /// What the customer saw.
    pub reply: String,
    /// Sources at hand.
    pub recalled: Vec<String>,
    /// Sources cited.
    pub cited: Vec<String>,
    /// How sure the first article answers, 0 to 1.
    pub coverage: f32,
    /// Words and figures of the reply that stand in no source, as the guards see it.
    pub unfounded: bool,
    /// Tokens that a model read and wrote.
    pub tokens: (u64, u64),
}

/// How a dialogue went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// The dialogue as it went.
    pub transcript: Vec<Line>,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// The bot's turns.
    pub turns: Vec<Turn>,
    /// The package of the handoff that is open at the end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub package: String,
    /// What a judge says of the last reply, by rubric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub verdicts: BTreeMap<String, Verdicts>,
    /// What was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Item>,
}

impl Played {
    /// Notes a check.
    pub(super) fn check(&mut self, kind: CheckKind, step: usize, passed: bool, why: impl FnOnce() -> String) {
        self.checks.push(Check { kind, step, passed, why: why() });
    }

    /// Notes a line.
    pub(super) fn line(&mut self, by: Speaker, who: &str, text: &str) {
        self.transcript.push(Line { by, who: who.to_owned(), text: text.to_owned() });
    }

    /// What the customer wrote last without an answer between, and what the bot replied to it.
    pub fn last_exchange(&self) -> (Vec<String>, String) {
        let texts = |lines: &[Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        let by = |speaker: Speaker| move |line: &Line| line.by == speaker;
        let Some(last) = self.transcript.iter().rposition(by(Speaker::Bot)) else { return Default::default() };
        let (before, _) = self.transcript.split_at(last + 1);
        let reply = before.iter().rposition(|line| line.by != Speaker::Bot).map_or(0, |at| at + 1);
        let asked = &before[..reply];
        let from = asked.iter().rposition(by(Speaker::Bot)).map_or(0, |at| at + 1);
        let customer: Vec<Line> = asked[from..].iter().filter(|line| line.by == Speaker::Customer).cloned().collect();
        (texts(&customer), texts(&before[reply..]).join("\n"))
    }

    /// What went otherwise than wanted, in words.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.checks.iter().filter(|check| !check.passed);
        let told = |check: &Check| match check.step {
            0 => format!("at the end: {}", check.why),
            step => format!("step {step}: {}", check.why),
        };
        failed.map(told).collect()
    }
}
