//! What two runs over the same cases differ in.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use similar::TextDiff;

use super::Report;
use crate::eval::case::Suite;
use crate::eval::metrics::{Better, MACRO_F1, compare_macro_f1, metrics_of};
use crate::eval::outcome::text_of;
use crate::eval::run::{CaseResult, Seen};
use crate::eval::stats::{self, Comparison, Part, Verdict};
use crate::eval::words::counted;

/// Draws of a bootstrap are the same in every comparison.
const SEED: u64 = 2_611;

/// Cases that are named of those which only one run has.
const NAMED: usize = 5;

/// A metric of two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The suite.
    pub suite: Suite,
    /// The metric.
    pub name: String,
    /// Whether it is a share; otherwise a figure such as the mean F1.
    pub is_share: bool,
    /// What can be said.
    pub comparison: Comparison,
    /// Of a judge's figure: how much of the difference was the judge's own, by replies that both have judged. It is taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge_shift: Option<f64>,
}

impl Compared {
    /// Of a share.
    pub(in crate::eval) fn new(suite: Suite, name: &str, comparison: Comparison) -> Self {
        Self { suite, name: name.to_owned(), is_share: true, comparison, judge_shift: None }
    }

    /// A difference in the measure of the figure.
    fn measured(&self, difference: f64) -> String {
        if self.is_share { format!("{:+.1} pp", difference * 100.0) } else { format!("{difference:+.3}") }
    }

    /// By how much it changed, in words.
    pub fn change(&self) -> String {
        let change = self.measured(self.comparison.difference.value);
        match self.judge_shift {
            Some(shift) => format!("{change}, without {} of the judge itself", self.measured(shift)),
            None => change,
        }
    }

    /// What can be said of the change, in words: these and no others, wherever a run is shown.
    pub fn verdict(&self) -> String {
        let Comparison { verdict, fixed, broken, difference, detectable, more_cases, .. } = self.comparison;
        match verdict {
            Verdict::Better => "better".to_owned(),
            Verdict::Worse => "worse".to_owned(),
            Verdict::NotDistinguishable if fixed + broken == 0 => "the same".to_owned(),
            Verdict::NotDistinguishable => {
                let least = self.measured(detectable);
                let least = least.trim_start_matches('+');
                // No number of cases tells nothing from nothing.
                let needs =
                    if difference.value.abs() < 1e-9 { String::new() } else { format!("; needs {more_cases} more") };
                format!("not distinguishable (from {least} on{needs})")
            }
        }
    }
}

/// Takes the shift of the judge itself off its figure. Nothing can be said where another judge has judged nothing in common.
fn judges_apart(before: &Report, after: &Report, compared: Compared) -> Option<Compared> {
    let judge_of = |report: &Report| report.judges.iter().find(|judge| judge.rubric == compared.name).cloned();
    let (Some(then), Some(now)) = (judge_of(before), judge_of(after)) else { return Some(compared) };
    if then.hash == now.hash && then.anchors == now.anchors {
        return Some(compared);
    }
    let shift = now.shift_from(&then)?;
    let comparison = stats::shifted(compared.comparison, shift);
    Some(Compared { comparison, judge_shift: Some(shift), ..compared })
}

/// Cases by how they went then and go now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// From wrong to right.
    pub fixed: Vec<String>,
    /// From right to wrong.
    pub broken: Vec<String>,
    /// Critical, wrong now and not known to have been wrong then.
    pub critical: Vec<String>,
    /// Right in some runs only, in either.
    pub flaky: Vec<String>,
    /// Wrong then and now.
    pub still_wrong: Vec<String>,
    /// What the run before has alone: it is compared with nothing.
    pub only_before: Vec<String>,
    /// What this run has alone.
    pub only_now: Vec<String>,
    /// What could not be run, then or now: that says nothing.
    pub unsaid: Vec<String>,
    /// What was said then and is now, of those that say something else: a unified diff by case.
    pub diffs: BTreeMap<String, String>,
}

impl Changed {
    /// What the comparison leaves out, in words.
    pub fn left_out(&self) -> Vec<String> {
        let told = |ids: &[String], how: &str| {
            let more = if ids.len() > NAMED { ", …" } else { "" };
            let named = ids.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            (!ids.is_empty()).then(|| format!("{} {how}: {named}{more}", counted(ids.len(), "case")))
        };
        let all = [
            told(&self.only_before, "only in the run before, compared with nothing"),
            told(&self.only_now, "only in this run, compared with nothing"),
            told(&self.unsaid, "not compared, since it could not be run then or now"),
        ];
        all.into_iter().flatten().collect()
    }
}

/// What two runs differ in, over the cases that both have: `better` and `worse` in the sense of the metric.
pub fn compare(before: &Report, after: &Report) -> (Vec<Compared>, Changed) {
    let then: BTreeMap<&str, &CaseResult> = before.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let both = || after.cases.iter().filter_map(|case| Some((*then.get(case.id.as_str())?, case)));
    // What could not be run, then or now, says nothing.
    let said = || both().filter(|(before, after)| before.is_said() && after.is_said());
    let mut compared = Vec::new();
    for suite in Suite::ALL {
        let pairs = || said().filter(move |(_, after)| after.suite == suite);
        for metric in metrics_of(&after.cases).iter().filter(|metric| metric.is_of(suite)) {
            let parts: Vec<(Part, Part)> = pairs()
                .map(|(before, after)| (metric.part_of(before), metric.part_of(after)))
                .filter(|(before, after)| before.of > 0.0 || after.of > 0.0)
                .collect();
            if !parts.is_empty() {
                let comparison = in_its_sense(stats::compare(&parts, SEED), metric.better);
                compared.extend(judges_apart(before, after, Compared::new(suite, &metric.name, comparison)));
            }
        }
        let f1 = compare_macro_f1(pairs(), SEED);
        compared.extend(f1.map(|f1| Compared { is_share: false, ..Compared::new(suite, MACRO_F1, f1) }));
    }
    let now: BTreeSet<&str> = after.cases.iter().map(|case| case.id.as_str()).collect();
    let ids = |cases: &mut dyn Iterator<Item = &CaseResult>| cases.map(|case| case.id.clone()).collect::<Vec<_>>();
    let mut changed = Changed {
        only_before: ids(&mut before.cases.iter().filter(|case| !now.contains(case.id.as_str()))),
        only_now: ids(&mut after.cases.iter().filter(|case| !then.contains_key(case.id.as_str()))),
        unsaid: ids(&mut both().filter(|(a, b)| !(a.is_said() && b.is_said())).map(|(_, after)| after)),
        critical: ids(&mut after.cases.iter().filter(|case| {
            let was_wrong = then.get(case.id.as_str()).is_some_and(|before| before.is_said() && !before.is_passed());
            case.critical && case.is_said() && !case.is_passed() && !was_wrong
        })),
        ..Changed::default()
    };
    for (before, after) in said() {
        let list = match (before.is_passed(), after.is_passed()) {
            _ if before.is_flaky() || after.is_flaky() => &mut changed.flaky,
            (false, true) => &mut changed.fixed,
            (true, false) => &mut changed.broken,
            (false, false) => &mut changed.still_wrong,
            (true, true) => continue,
        };
        list.push(after.id.clone());
        if let Some(diff) = difference(before, after) {
            changed.diffs.insert(after.id.clone(), diff);
        }
    }
    (compared, changed)
}

/// What a case said then and says now; `None` where that is the same.
fn difference(before: &CaseResult, after: &CaseResult) -> Option<String> {
    let said = |case: &CaseResult| match &case.runs.first()?.seen {
        Seen::Played(played) => Some(text_of(&played.transcript)),
        Seen::Judged(judged) => {
            let labels = judged.said.iter().map(|label| format!("taken for {}\n", label.name()));
            Some(labels.collect::<String>() + &format!("decided: {}\n", judged.decision))
        }
        Seen::BadActor(_) | Seen::Fault(_) => None,
    };
    let (before, after) = (said(before)?, said(after)?);
    let diff = TextDiff::from_lines(&before, &after);
    (before != after).then(|| diff.unified_diff().context_radius(1).to_string())
}

/// A share that should be small is better where it fell.
fn in_its_sense(comparison: Comparison, better: Better) -> Comparison {
    if better == Better::Higher {
        return comparison;
    }
    let verdict = match comparison.verdict {
        Verdict::Better => Verdict::Worse,
        Verdict::Worse => Verdict::Better,
        Verdict::NotDistinguishable => Verdict::NotDistinguishable,
    };
    Comparison { verdict, fixed: comparison.broken, broken: comparison.fixed, ..comparison }
}

#[cfg(test)]
mod tests {
    use super::super::{Made, Subject};
    use super::*;
    use crate::eval::gates::Gates;
    use crate::eval::judge::Judging;
    use crate::eval::outcome::{Check, CheckKind, Played};
    use crate::eval::run::made;

    /// Replies of which a judge says so, by a judge of that name who says so of the anchors.
    fn judged(hash: &str, replies: &[bool], anchors: &[bool]) -> Report {
        let verdicts = |yes: &bool| BTreeMap::from([("kind".to_owned(), *yes)]);
        let case = |(id, yes): (usize, &bool)| {
            let played = Played { verdicts: [("tone".to_owned(), verdicts(yes))].into(), ..Played::default() };
            made::case(&id.to_string(), [Seen::Played(played)])
        };
        let judging = Judging {
            rubric: "tone".to_owned(),
            model: hash.to_owned(),
            hash: hash.to_owned(),
            agreement: BTreeMap::new(),
            anchors: anchors.iter().enumerate().map(|(id, yes)| (id.to_string(), verdicts(yes))).collect(),
        };
        let cases = replies.iter().enumerate().map(case).collect();
        Report::new(Subject::default(), cases, &Gates::default(), vec![judging], Made::default())
    }

    #[test]
    fn the_shift_of_a_judge_is_told_and_taken_off() {
        let (mut kinder, mut replies) = ([false; 40], [false; 40]);
        kinder[..14].fill(true);
        replies[..14].fill(true);
        let (before, after) = (judged("a", &[false; 40], &[false; 40]), judged("b", &replies, &kinder));
        let (compared, _) = compare(&before, &after);
        let tone = compared.iter().find(|one| one.name == "tone").unwrap();
        assert!((tone.judge_shift.unwrap() - 0.35).abs() < 1e-9);
        assert!(tone.comparison.difference.value.abs() < 1e-9, "{:?}", tone.comparison);
        assert_eq!(tone.comparison.verdict, Verdict::NotDistinguishable);

        let same = judged("a", &replies, &[false; 40]);
        let (compared, _) = compare(&before, &same);
        let tone = compared.iter().find(|one| one.name == "tone").unwrap();
        assert_eq!((tone.judge_shift, tone.comparison.verdict), (None, Verdict::Better), "the same judge");

        let (compared, _) = compare(&before, &judged("b", &replies, &[]));
        assert!(compared.iter().all(|one| one.name != "tone"), "another judge, and nothing in common: nothing is said");
    }

    #[test]
    fn what_should_be_small_is_better_where_it_fell() {
        let part = |hits: f64| Part { hits, of: 1.0 };
        let fell: Vec<(Part, Part)> = (0..20).map(|_| (part(1.0), part(0.0))).collect();
        let verdict = |better| in_its_sense(stats::compare(&fell, 1), better);
        assert_eq!((verdict(Better::Higher).verdict, verdict(Better::Higher).broken), (Verdict::Worse, 20));
        assert_eq!((verdict(Better::Lower).verdict, verdict(Better::Lower).fixed), (Verdict::Better, 20));
    }

    fn played(id: &str, passed: bool) -> CaseResult {
        let check = Check { kind: CheckKind::Says, step: 1, passed, why: "nothing is said".to_owned() };
        made::case(id, [Seen::Played(Played { checks: vec![check], ..Played::default() })])
    }

    fn report(cases: Vec<CaseResult>) -> Report {
        Report::new(Subject::default(), cases, &Gates::default(), Vec::new(), Made::default())
    }

    #[test]
    fn what_only_one_run_has_is_told_and_compared_with_nothing() {
        let down = |id: &str| made::case(id, [Seen::Fault("down".to_owned())]);
        let before = report(vec![played("a", true), played("gone", true), played("old", false), down("faulty")]);
        let new = CaseResult { critical: true, ..played("new", false) };
        let after = report(vec![played("a", false), new, played("old", false), played("faulty", false)]);
        let (compared, changed) = compare(&before, &after);
        assert_eq!((changed.broken.join(","), changed.still_wrong.join(",")), ("a".to_owned(), "old".to_owned()));
        assert_eq!(changed.critical, ["new"], "nobody knows that it was wrong");
        assert_eq!(compared.iter().find(|one| one.name == "passed").unwrap().comparison.cases, 2);
        assert_eq!(
            changed.left_out(),
            [
                "1 case only in the run before, compared with nothing: gone",
                "1 case only in this run, compared with nothing: new",
                "1 case not compared, since it could not be run then or now: faulty",
            ]
        );
        let many = Changed { only_now: (0..7).map(|id| id.to_string()).collect(), ..Changed::default() };
        assert!(many.left_out()[0].starts_with("7 cases only in this run") && many.left_out()[0].ends_with("3, 4, …"));
    }

    #[test]
    fn one_vocabulary_says_what_a_change_is_worth() {
        let part = |hit: bool| Part { hits: f64::from(u8::from(hit)), of: 1.0 };
        let said = |then: &[bool], now: &[bool]| {
            let pairs: Vec<(Part, Part)> = then.iter().zip(now).map(|(a, b)| (part(*a), part(*b))).collect();
            Compared::new(Suite::Dialog, "passed", stats::compare(&pairs, 1)).verdict()
        };
        assert_eq!(said(&[false; 9], &[true; 9]), "better");
        assert_eq!(said(&[true; 9], &[false; 9]), "worse");
        assert_eq!(said(&[true; 9], &[true; 9]), "the same");
        assert!(said(&[true, false, true], &[true, true, true]).starts_with("not distinguishable (from "));
        let swapped = said(&[true, false], &[false, true]);
        assert!(swapped.ends_with(" pp on)"), "no number of cases tells a difference of nothing: {swapped}");
    }
}
