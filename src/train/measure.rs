//! How good a classifier is: figures with their intervals, as the product decides.

use serde::Serialize;

use super::rows::{OutOfScope, Row, is_escalation};
use crate::domain::text::Language;
use crate::domain::turn::Label;
use crate::engine::triage::{LABELS, Score, Triage};
use crate::eval::stats::{self, Interval, Part};

/// Bins of the calibration error.
const BINS: usize = 15;

/// A message with what was said of it.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// The message with its true labels.
    pub row: &'a Row,
    /// The classifier's scores.
    pub scores: Vec<Score>,
    /// Labels that rules give.
    pub rules: Vec<Label>,
    /// What holds: more likely than not, or by a rule; the likeliest where nothing is.
    pub says: Vec<Label>,
    /// It is handed over: a rule, or a probability over the threshold of the costs.
    pub handed_over: bool,
}

/// A share with its 95 % interval (Wilson).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many of them.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// The lower end of the interval, 0 to 1.
    pub low: f64,
    /// The share itself; 0 of none is 0.
    pub share: f64,
    /// The upper end, 0 to 1.
    pub high: f64,
}

/// How well one label is told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OfLabel {
    /// Which.
    pub label: Label,
    /// Of those it was said of, how many have it.
    pub precision: f64,
    /// Of those that have it, of how many it was said.
    pub recall: f64,
    /// Both in one figure.
    pub f1: f64,
    /// How many have it.
    pub support: usize,
}

/// All figures on one set of messages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// How many messages.
    pub messages: usize,
    /// By label.
    pub labels: Vec<OfLabel>,
    /// The mean of the labels' F1.
    pub macro_f1: f64,
    /// On messages with several labels, by label.
    pub several_labels: Vec<OfLabel>,
    /// Messages with several labels of which exactly these were said.
    pub several_exact: Share,
    /// Messages for people that were kept.
    pub missed: Share,
    /// Messages for nobody that were handed over.
    pub needless: Share,
    /// Critical messages that were kept; must be none.
    pub critical_missed: Share,
    /// How far probabilities are from what happens, over all labels and messages.
    pub calibration_error: f64,
    /// How often a message for another company is more out of scope than one for us: area under the curve.
    pub near_auroc: f64,
    /// How often a message for no company is.
    pub far_auroc: f64,
}

/// Judges a message as the product does without a language model.
pub fn judge<'a>(triage: &Triage, row: &'a Row, scores: Vec<Score>) -> Judged<'a> {
    let rules = triage.rules(&row.text);
    let says = triage.likely(&rules, &scores);
    let handed_over = triage.holding(&rules, &scores).iter().any(|labelled| is_escalation(labelled.label));
    Judged { row, scores, rules: rules.iter().map(|rule| rule.label).collect(), says, handed_over }
}

/// The figures on these messages.
pub fn figures(judged: &[&Judged<'_>]) -> Figures {
    let labels: Vec<OfLabel> = LABELS.iter().map(|label| of_label(*label, judged)).collect();
    let several: Vec<&Judged<'_>> = judged.iter().filter(|one| one.row.labels.len() > 1).copied().collect();
    let exact = several.iter().filter(|one| same(&one.says, &one.row.labels)).count();
    let of = |wanted: &dyn Fn(&Judged<'_>) -> bool, counted: &dyn Fn(&Judged<'_>) -> bool| {
        let all: Vec<_> = judged.iter().filter(|one| wanted(one)).collect();
        wilson(all.iter().filter(|one| counted(one)).count(), all.len())
    };
    Figures {
        messages: judged.len(),
        macro_f1: mean_f1(&labels),
        labels,
        several_labels: LABELS.iter().map(|label| of_label(*label, &several)).collect(),
        several_exact: wilson(exact, several.len()),
        missed: of(&|one| one.row.is_escalation(), &|one| !one.handed_over),
        needless: of(&|one| !one.row.is_escalation(), &|one| one.handed_over),
        critical_missed: of(&|one| one.row.critical, &|one| !one.handed_over),
        calibration_error: calibration_error(judged),
        near_auroc: auroc(judged, OutOfScope::Near),
        far_auroc: auroc(judged, OutOfScope::Far),
    }
}

/// Those in one language, or all.
pub fn in_language<'a, 'b>(judged: &'a [Judged<'b>], language: Option<Language>) -> Vec<&'a Judged<'b>> {
    judged.iter().filter(|one| language.is_none_or(|language| one.row.lang == language)).collect()
}

fn same(a: &[Label], b: &[Label]) -> bool {
    a.len() == b.len() && a.iter().all(|label| b.contains(label))
}

fn of_label(label: Label, judged: &[&Judged<'_>]) -> OfLabel {
    let (mut right, mut said, mut support) = (0_usize, 0_usize, 0_usize);
    for one in judged {
        let (has, is_said) = (one.row.labels.contains(&label), one.says.contains(&label));
        support += usize::from(has);
        said += usize::from(is_said);
        right += usize::from(has && is_said);
    }
    OfLabel {
        label,
        precision: ratio(right, said),
        recall: ratio(right, support),
        f1: ratio(2 * right, said + support),
        support,
    }
}

/// The mean F1 of the labels that occur.
pub fn mean_f1(labels: &[OfLabel]) -> f64 {
    let occurring: Vec<f64> = labels.iter().filter(|label| label.support > 0).map(|label| label.f1).collect();
    occurring.iter().sum::<f64>() / occurring.len().max(1) as f64
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Wilson's interval at 95 %.
pub fn wilson(count: usize, of: usize) -> Share {
    let Interval { low, value, high } = stats::wilson(Part { hits: count as f64, of: of as f64 });
    Share { count, of, low, share: value, high }
}

/// Expected calibration error over all pairs of message and label, in bins of equal width.
fn calibration_error(judged: &[&Judged<'_>]) -> f64 {
    let mut bins = [(0.0_f64, 0_usize, 0_usize); BINS];
    for one in judged {
        for score in &one.scores {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a probability times the bins")]
            let bin = ((score.probability * BINS as f64) as usize).min(BINS - 1);
            bins[bin].0 += score.probability;
            bins[bin].1 += usize::from(one.row.labels.contains(&score.label));
            bins[bin].2 += 1;
        }
    }
    let all: usize = bins.iter().map(|bin| bin.2).sum();
    bins.iter().map(|(promised, held, _)| (promised - *held as f64).abs()).sum::<f64>() / all.max(1) as f64
}

/// How often a message that far out of scope has a higher score for it than one in scope; ties count half.
fn auroc(judged: &[&Judged<'_>], scope: OutOfScope) -> f64 {
    let score = |one: &&Judged<'_>| {
        one.scores.iter().find(|score| score.label == Label::OutOfScope).map_or(0.0, |score| score.probability)
    };
    let outside: Vec<f64> = judged.iter().filter(|one| one.row.scope == Some(scope)).map(score).collect();
    let inside: Vec<f64> = judged.iter().filter(|one| one.row.scope.is_none()).map(score).collect();
    let wins: f64 = outside
        .iter()
        .flat_map(|outside| inside.iter().map(move |inside| (outside, inside)))
        .map(|(outside, inside)| if outside > inside { 1.0 } else { f64::from(u8::from(outside >= inside)) / 2.0 })
        .sum();
    wins / (outside.len() * inside.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        let share = wilson(5, 100);
        assert!((share.low - 0.0215).abs() < 1e-3 && (share.high - 0.1118).abs() < 1e-3, "{share:?}");
        assert!(wilson(0, 0).high > 0.999);
        assert!((wilson(0, 10).high - 0.2775).abs() < 1e-3);
    }

    #[test]
    fn figures_are_of_what_was_said() {
        let row = |labels: &[Label], critical| Row {
            text: "x".to_owned(),
            labels: labels.to_vec(),
            lang: Language::En,
            trade: String::new(),
            author: String::new(),
            hard: false,
            critical,
            scope: labels.contains(&Label::OutOfScope).then_some(OutOfScope::Far),
            before: Vec::new(),
            balanced: true,
        };
        let rows = [
            row(&[Label::Routine], false),
            row(&[Label::Emotional, Label::Routine], true),
            row(&[Label::OutOfScope], false),
        ];
        let says = [vec![Label::Routine], vec![Label::Routine], vec![Label::OutOfScope]];
        let score = |p: f64| vec![Score { label: Label::OutOfScope, raw: 0.0, probability: p }];
        let judged: Vec<Judged<'_>> = rows
            .iter()
            .zip(says)
            .zip([0.2, 0.1, 0.9])
            .map(|((row, says), p)| Judged { row, scores: score(p), rules: Vec::new(), says, handed_over: false })
            .collect();
        let figures = figures(&in_language(&judged, None));
        let f1 = |label| figures.labels.iter().find(|of| of.label == label).unwrap().f1;
        let near = |label, expected: f64| (f1(label) - expected).abs() < 1e-9;
        assert!(near(Label::Routine, 1.0) && near(Label::Emotional, 0.0) && near(Label::OutOfScope, 1.0));
        assert!((figures.macro_f1 - 2.0 / 3.0).abs() < 1e-9, "labels that occur");
        assert_eq!((figures.missed.count, figures.missed.of, figures.critical_missed.count), (1, 1, 1));
        assert_eq!((figures.several_exact.count, figures.several_exact.of), (0, 1));
        assert!(figures.far_auroc > 0.999);
        assert!(in_language(&judged, Some(Language::Ru)).is_empty());
    }
}
