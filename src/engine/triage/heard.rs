//! Who is heard on a message: rules, the classifier, the model, the examples.

use proptest::prelude::*;

use super::*;
use crate::domain::turn::LabelSource::{Examples, Model, Policy, Rule};
use crate::engine::support::triage;

fn label(label: Label, confidence: f64, by: LabelSource) -> Labelled {
    Labelled { label, confidence, by }
}

/// Scores with these probabilities, and 0.01 for all other labels.
fn scores(given: &[(Label, f64)]) -> Vec<Score> {
    let of = |label: Label| given.iter().find(|(name, _)| *name == label).map_or(0.01, |(_, p)| *p);
    LABELS.iter().map(|label| Score { label: *label, raw: 0.0, probability: of(*label) }).collect()
}

fn labels_of(text: &str, rules: &[Labelled], heard: Heard<'_>) -> Vec<(Label, LabelSource)> {
    let labels = triage().labels_of(text, rules, heard, &Evidence::default());
    labels.into_iter().map(|labelled| (labelled.label, labelled.by)).collect()
}

#[test]
fn without_a_classifier_the_model_speaks_and_examples_stand_in() {
    let rule = [label(Label::Emotional, 0.75, Rule)];
    let heard = Heard { classifier: None, model: Some(&[Label::Emotional, Label::Routine, Label::Complex]) };
    let evidence = Evidence { questions: 3, ..Evidence::default() };
    let labels = triage().labels_of("нужно 300 полотенец для гостиницы", &rule, heard, &evidence);
    let sources: Vec<_> = labels.iter().map(|labelled| (labelled.label, labelled.by)).collect();
    let expected = [(Label::Emotional, Rule), (Label::Routine, Model), (Label::Complex, Policy)];
    assert_eq!(sources, expected, "the first source wins, complex is not a model's, examples are silent");
    let examples = labels_of("нужно 300 полотенец для гостиницы", &rule, Heard::default());
    assert!(examples.contains(&(Label::Commercial, Examples)), "{examples:?}");
    let silent = Heard { classifier: None, model: Some(&[]) };
    assert_eq!(labels_of("нужно 300 полотенец для гостиницы", &rule, silent), examples, "a model without a word");
}

#[test]
fn costs_decide_from_where_on_a_probability_holds() {
    let triage = triage();
    let threshold = triage.label(Label::SafetyLegal).threshold;
    assert!(threshold < triage.label(Label::Commercial).threshold, "what costs more to miss holds earlier");
    let holds =
        |p: f64| labels_of("", &[], Heard { classifier: Some(&scores(&[(Label::SafetyLegal, p)])), model: None });
    assert_eq!(holds(threshold), [(Label::SafetyLegal, LabelSource::Classifier)]);
    assert_eq!(holds(threshold - 1e-6), []);
    let written = crate::engine::support::triage_with("[label.safety_legal]", "threshold = 0.9");
    assert!((written.label(Label::SafetyLegal).threshold - 0.9).abs() < 1e-12);
    assert!(written.label(Label::SafetyLegal).threshold_is_written);
}

#[test]
fn a_model_refines_what_is_unsure_and_talks_no_escalation_away() {
    let triage = triage();
    let unsure = triage.unsure.sure - 0.05;
    let (calm, angry) = ([Label::Routine], [Label::Emotional]);
    let says = |given: &[(Label, f64)], model: &[Label]| {
        labels_of("", &[], Heard { classifier: Some(&scores(given)), model: Some(model) })
    };
    assert_eq!(says(&[(Label::Emotional, unsure)], &calm), [(Label::Routine, Model)], "unsure: the model decides");
    let sure = says(&[(Label::Emotional, 0.95)], &calm);
    assert_eq!(sure, [(Label::Emotional, LabelSource::Classifier)], "sure: it stays");
    let added = says(&[(Label::Routine, 0.95)], &angry);
    assert_eq!(added, [(Label::Routine, LabelSource::Classifier), (Label::Emotional, Model)], "one may be added");
    assert_eq!(says(&[(Label::Routine, 0.95)], &[Label::SmallTalk]), [(Label::Routine, LabelSource::Classifier)]);
    assert_eq!(says(&[], &calm), [(Label::Routine, Model)], "where nothing holds");
    let close = [(Label::Routine, 0.55), (Label::OutOfScope, 0.5)];
    assert_eq!(says(&close, &[Label::OutOfScope]), [(Label::OutOfScope, Model)], "two that exclude each other");
    assert!(triage.is_sure_escalation(&scores(&[(Label::HumanRequest, 0.95)])));
    assert!(!triage.is_sure_escalation(&scores(&[(Label::HumanRequest, unsure)])));
    assert!(!triage.is_sure_escalation(&scores(&[(Label::Routine, 0.99)])));
}

#[test]
fn without_a_model_the_companys_own_examples_refine_what_is_unsure() {
    let triage = triage();
    let hands_over = |given: &[(Label, f64)]| {
        let scores = scores(given);
        let heard = Heard { classifier: Some(&scores), model: None };
        let labels = triage.labels_of("Какие есть способы оплаты?", &[], heard, &Evidence::default());
        route(&labels, triage).hand_off.is_some()
    };
    assert!(!hands_over(&[(Label::Routine, 0.9), (Label::Commercial, 0.25)]), "the examples know this question");
    assert!(hands_over(&[(Label::Routine, 0.9), (Label::Commercial, 0.95)]), "sure: it stays");
}

#[test]
fn what_a_message_most_likely_is() {
    let triage = triage();
    let likely = |rules: &[Labelled], given: &[(Label, f64)]| triage.likely(rules, &scores(given));
    assert_eq!(likely(&[], &[(Label::Routine, 0.4), (Label::Emotional, 0.3)]), [Label::Routine], "the likeliest");
    let both = [(Label::Routine, 0.6), (Label::Emotional, 0.7)];
    assert_eq!(likely(&[], &both), [Label::Routine, Label::Emotional]);
    let rule = [label(Label::HumanRequest, 1.0, Rule)];
    assert_eq!(likely(&rule, &[(Label::Routine, 0.4)]), [Label::HumanRequest]);
}

proptest! {
    #[test]
    fn any_scores_are_survived(given in prop::collection::vec(0.0_f64..=1.0, COUNT), model in prop::option::of(0..COUNT)) {
        let scores: Vec<Score> = LABELS
            .iter()
            .zip(&given)
            .map(|(label, p)| Score { label: *label, raw: 0.0, probability: *p })
            .collect();
        let model = model.map(|at| [LABELS[at]]);
        let heard = Heard { classifier: Some(&scores), model: model.as_ref().map(<[Label; 1]>::as_slice) };
        let labels = triage().labels_of("", &[], heard, &Evidence::default());
        let mut reversed = scores.clone();
        reversed.reverse();
        let heard = Heard { classifier: Some(&reversed), ..heard };
        let mut turned = triage().labels_of("", &[], heard, &Evidence::default());
        turned.sort_by_key(|labelled| labelled.label);
        let mut sorted = labels.clone();
        sorted.sort_by_key(|labelled| labelled.label);
        prop_assert_eq!(sorted, turned, "the order of scores says nothing");
        for score in &scores {
            let sure = score.probability >= triage().unsure.sure && triage().label(score.label).does == Does::HandOff;
            prop_assert!(!sure || labels.iter().any(|labelled| labelled.label == score.label), "never talked away");
        }
    }
}
