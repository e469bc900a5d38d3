//! From labels to what is done.

use super::{Does, Evidence, Score, Triage};
use crate::domain::handoff::HandoffReason;
use crate::domain::turn::{Label, LabelSource, Labelled};

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

/// Who has been heard on a message besides the rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard<'a> {
    /// The trained classifier, where an embedder serves it.
    pub classifier: Option<&'a [Score]>,
    /// The language model's verdict, where one spoke.
    pub model: Option<&'a [Label]>,
}

/// Labels of which a message has one.
const EXCLUSIVE: [Label; 3] = [Label::Routine, Label::OutOfScope, Label::SmallTalk];

impl Triage {
    /// The labels of a message.
    ///
    /// Rules come first. Then, where a classifier was heard:
    /// - no model: every label whose probability reaches its threshold; where it is unsure and a label holds by the nearest
    ///   examples, which are the company's own, those, and the escalations that the classifier is sure of all the same;
    /// - a model, and the classifier is sure: the same, and what the model says that hands over: a model may always add
    ///   an escalation;
    /// - a model, and the classifier is unsure ([`Triage::is_unsure`]): the model's labels, and the escalations that the
    ///   classifier is sure of all the same: they can't be talked away.
    ///
    /// Without a classifier the model's labels count, and where there are none the nearest examples'. What evidence says
    /// is added to all.
    pub fn labels_of(&self, text: &str, rules: &[Labelled], heard: Heard<'_>, evidence: &Evidence) -> Vec<Labelled> {
        let model = heard.model.filter(|labels| !labels.is_empty()).map(|labels| self.of_model(labels));
        let spoken = match (heard.classifier, model) {
            (Some(scores), None) => self.without_model(text, scores),
            (Some(scores), Some(mut model)) if self.is_unsure(scores) => {
                let mut labels = self.of_classifier(scores, true);
                labels.append(&mut model);
                labels
            }
            (Some(scores), Some(mut model)) => {
                model.retain(|labelled| self.label(labelled.label).does == Does::HandOff);
                let mut labels = self.of_classifier(scores, false);
                labels.append(&mut model);
                labels
            }
            (None, Some(model)) => model,
            (None, None) => self.nearest(text),
        };
        let mut labels: Vec<Labelled> = Vec::new();
        for labelled in rules.iter().cloned().chain(spoken).chain(evidence.label()) {
            if !labels.iter().any(|known| known.label == labelled.label) {
                labels.push(labelled);
            }
        }
        labels
    }

    fn without_model(&self, text: &str, scores: &[Score]) -> Vec<Labelled> {
        let near = if self.is_unsure(scores) { self.nearest(text) } else { Vec::new() };
        if !near.iter().any(|labelled| self.holds(labelled)) {
            return self.of_classifier(scores, false);
        }
        let mut labels = self.of_classifier(scores, true);
        labels.extend(near);
        labels
    }

    /// Whether a model's verdict on this message counts more than the classifier's: no label reaches its threshold, or one
    /// that hands over does and none is sure, or two labels that exclude each other are close.
    pub fn is_unsure(&self, scores: &[Score]) -> bool {
        let holding: Vec<&Score> =
            scores.iter().filter(|score| score.probability >= self.label(score.label).threshold).collect();
        let escalations: Vec<&&Score> =
            holding.iter().filter(|score| self.label(score.label).does == Does::HandOff).collect();
        if holding.is_empty() {
            return true;
        }
        if !escalations.is_empty() {
            return escalations.iter().all(|score| score.probability < self.unsure.sure);
        }
        let mut exclusive: Vec<f64> =
            scores.iter().filter(|score| EXCLUSIVE.contains(&score.label)).map(|score| score.probability).collect();
        exclusive.sort_by(|a, b| b.total_cmp(a));
        matches!(exclusive[..], [first, second, ..] if first - second < self.unsure.close)
    }

    /// Whether the classifier is so sure of a label that hands over that a model need not be asked.
    pub fn is_sure_escalation(&self, scores: &[Score]) -> bool {
        !self.of_classifier(scores, true).is_empty()
    }

    /// What the classifier gives: labels that reach their threshold; with `sure`, only those that hand over and of which
    /// it is sure.
    fn of_classifier(&self, scores: &[Score], sure: bool) -> Vec<Labelled> {
        let mut labels: Vec<Labelled> = scores
            .iter()
            .filter(|score| {
                let policy = self.label(score.label);
                score.probability >= policy.threshold
                    && (!sure || (policy.does == Does::HandOff && score.probability >= self.unsure.sure))
            })
            .map(|score| Labelled { label: score.label, confidence: score.probability, by: LabelSource::Classifier })
            .collect();
        labels.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        labels
    }

    /// Labels that hold by rules and classifier alone, as where no model is configured.
    pub fn holding(&self, rules: &[Labelled], scores: &[Score]) -> Vec<Labelled> {
        let by_rule = rules.iter().filter(|labelled| self.holds(labelled)).cloned();
        by_rule.chain(self.of_classifier(scores, false)).collect()
    }

    /// What a message most likely is, whatever would be done: labels of rules, labels more likely than not, and the
    /// likeliest where nothing is.
    pub fn likely(&self, rules: &[Labelled], scores: &[Score]) -> Vec<Label> {
        let by_rule = rules.iter().filter(|labelled| self.holds(labelled)).map(|labelled| labelled.label);
        let mut labels: Vec<Label> = by_rule.collect();
        let more_likely = scores.iter().filter(|score| score.probability >= 0.5).map(|score| score.label);
        for label in more_likely {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        if labels.is_empty() {
            let likeliest = scores.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
            labels.extend(likeliest.map(|score| score.label));
        }
        labels
    }

    /// Whether a label holds: a probability is measured by the costs' threshold, other confidences by their own.
    pub fn holds(&self, labelled: &Labelled) -> bool {
        let policy = self.label(labelled.label);
        match labelled.by {
            LabelSource::Classifier => labelled.confidence >= policy.threshold,
            LabelSource::Rule | LabelSource::Model | LabelSource::Examples | LabelSource::Policy => {
                labelled.confidence >= policy.least_confidence
            }
        }
    }
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
    let mut holding: Vec<&Labelled> = labels.iter().filter(|labelled| triage.holds(labelled)).collect();
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
