//! From labels to what is done.

use super::{Does, Evidence, Triage};
use crate::domain::handoff::HandoffReason;
use crate::domain::turn::{Label, Labelled};

/// Where a handoff goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Why.
    pub reason: HandoffReason,
    /// To which queue.
    pub queue: String,
    /// 1 is the most urgent.
    pub priority: i64,
}

/// What follows from the labels of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What is done.
    pub does: Does,
    /// The label that decides it; `None` where none holds and the bot tries to answer.
    pub label: Option<Label>,
    /// Where it goes, if it is handed over.
    pub hand_off: Option<Destination>,
    /// It is nothing but small talk: a reply needs no source.
    pub small_talk: bool,
}

/// The labels of a message: for each label, the first of rules, model, examples and evidence that gives it. Examples
/// stand in for a model and are not heard where one spoke.
pub fn decide_labels(
    rule: &[Labelled],
    model: Option<&[Labelled]>,
    examples: &[Labelled],
    evidence: &Evidence,
) -> Vec<Labelled> {
    let stand_in = model.filter(|labels| !labels.is_empty()).unwrap_or(examples);
    let policy = evidence.label();
    let mut labels: Vec<Labelled> = Vec::new();
    for labelled in rule.iter().chain(stand_in).chain(policy.as_ref()) {
        if !labels.iter().any(|known| known.label == labelled.label) {
            labels.push(labelled.clone());
        }
    }
    labels
}

/// The reason of a handoff by this label.
pub(super) fn reason_of(label: Label) -> Option<HandoffReason> {
    match label {
        Label::HumanRequest => Some(HandoffReason::HumanRequest),
        Label::SafetyLegal => Some(HandoffReason::SafetyLegal),
        Label::Emotional => Some(HandoffReason::Emotional),
        Label::Commercial => Some(HandoffReason::Commercial),
        Label::Complex => Some(HandoffReason::Complex),
        Label::Routine | Label::OutOfScope | Label::SmallTalk => None,
    }
}

/// What is done with a message of these labels. A handover goes before all else, and of several the most urgent one,
/// safety before others of the same priority. Then an answer, then a question back, then silence.
pub fn route(labels: &[Labelled], triage: &Triage) -> Route {
    let mut holding: Vec<&Labelled> =
        labels.iter().filter(|labelled| labelled.confidence >= triage.label(labelled.label).threshold).collect();
    holding.sort_by(|a, b| rank(a, triage).cmp(&rank(b, triage)).then(b.confidence.total_cmp(&a.confidence)));
    let small_talk = !holding.is_empty() && holding.iter().all(|labelled| labelled.label == Label::SmallTalk);
    let Some(first) = holding.first() else {
        return Route { does: Does::Answer, label: None, hand_off: None, small_talk: false };
    };
    let policy = triage.label(first.label);
    let hand_off = (policy.does == Does::HandOff).then(|| Destination {
        reason: reason_of(first.label).unwrap_or(HandoffReason::NoAnswer),
        queue: triage.destination_queue(first.label),
        priority: policy.priority,
    });
    Route { does: policy.does, label: Some(first.label), hand_off, small_talk }
}

/// Smaller goes first.
fn rank(labelled: &Labelled, triage: &Triage) -> (u8, i64, bool, bool) {
    let policy = triage.label(labelled.label);
    let kind = match policy.does {
        Does::HandOff => 0,
        Does::Answer => 1,
        Does::AskBack => 2,
        Does::Ignore => 3,
    };
    let priority = if policy.does == Does::HandOff { policy.priority } else { 0 };
    (kind, priority, labelled.label != Label::SafetyLegal, labelled.label == Label::SmallTalk)
}

impl Triage {
    fn destination_queue(&self, label: Label) -> String {
        self.label(label).queue.clone().unwrap_or_else(|| self.other.0.clone())
    }
}
