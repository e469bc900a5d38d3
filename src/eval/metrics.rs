//! Figures of a run: each a share of cases or of checks, with its interval, and who contributes what to it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::case::Suite;
use super::judge::Verdicts;
use super::outcome::{Check, CheckKind, Played};
use super::run::{CaseResult, Judged, Run, Seen};
use super::stats::{self, Comparison, Interval, Part, share, wilson};
use crate::domain::turn::{Label, LabelSource};

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// A figure that is a share.
#[derive(Clone)]
pub struct Metric {
    /// The suite that it is of; of all where there is none.
    pub suite: Option<Suite>,
    /// Its name in `eval/gates.toml` and in reports.
    pub name: Cow<'static, str>,
    /// What it says, for people.
    pub meaning: &'static str,
    /// Which way is better.
    pub better: Better,
    /// What one run of a case adds.
    source: Source,
}

/// Where a metric comes from.
#[derive(Clone)]
enum Source {
    /// From what was seen; nothing where that says nothing of it.
    Seen(fn(&Seen) -> Part),
    /// From what a judge says by the rubric of that name.
    Judge,
}

/// A figure of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The suite.
    pub suite: Suite,
    /// The metric.
    pub name: String,
    /// What it says.
    pub meaning: String,
    /// Which way is better.
    pub better: Better,
    /// So many of so many; of repeated runs all.
    pub part: Part,
    /// The share with its interval; the value alone for what is no share.
    pub interval: Interval,
}

impl Figure {
    /// Whether it is a share: what is none has no interval, and is of nothing that could be counted.
    pub fn is_share(&self) -> bool {
        self.part.of > 0.0
    }

    /// The value for people: `47.3 %` of a share, `0.473` otherwise.
    pub fn value(&self) -> String {
        let value = self.interval.value;
        if self.is_share() { format!("{:.1} %", value * 100.0) } else { format!("{value:.3}") }
    }

    /// Its interval, in percent; empty where it has none.
    pub fn range(&self) -> String {
        let Interval { low, high, .. } = self.interval;
        if self.is_share() { format!("{:.1} to {:.1}", low * 100.0, high * 100.0) } else { String::new() }
    }

    /// Of how many; empty where nothing is counted.
    pub fn of(&self) -> String {
        if self.is_share() { self.part.of.to_string() } else { String::new() }
    }
}

const NOTHING: Part = Part { hits: 0.0, of: 0.0 };

/// The name of the mean F1 over labels.
pub const MACRO_F1: &str = "macro_f1";

/// Figures of triage that are no share: their names, what they say, and which way is better.
pub const VALUES: [(&str, &str, Better); 2] = [
    (MACRO_F1, "mean F1 over the labels that occur", Better::Higher),
    ("calibration_error", "how far the classifier's probabilities are from what happens", Better::Lower),
];

/// The metrics of these results, in the order of reports: ours, and one a rubric by which something was judged.
pub fn metrics_of(results: &[CaseResult]) -> Vec<Metric> {
    let played = results.iter().flat_map(|case| &case.runs).filter_map(|run| match &run.seen {
        Seen::Played(played) => Some(played),
        _ => None,
    });
    let rubrics: BTreeSet<&String> = played.flat_map(|played| played.verdicts.keys()).collect();
    METRICS.iter().cloned().chain(rubrics.into_iter().map(|name| of_rubric(name))).collect()
}

fn of_rubric(name: &str) -> Metric {
    let meaning = "criteria of the rubric that a judge finds met";
    Metric { suite: None, name: Cow::Owned(name.to_owned()), meaning, better: Better::Higher, source: Source::Judge }
}

/// The metrics that need no judge, in the order of reports.
pub const METRICS: &[Metric] = &[
    of(None, "passed", "cases in which everything was as wanted", Better::Higher, passed),
    of(Some(Suite::Triage), "accuracy", "messages that go where they should", Better::Higher, |seen| {
        judged(seen, |one| part(one.to_people == one.handed_over, true))
    }),
    of(Some(Suite::Triage), "missed_escalation", "messages for people that are kept", Better::Lower, |seen| {
        judged(seen, |one| part(!one.handed_over, one.to_people))
    }),
    of(Some(Suite::Triage), "over_escalation", "messages for nobody that are handed over", Better::Lower, |seen| {
        judged(seen, |one| part(one.handed_over, !one.to_people))
    }),
    of(Some(Suite::Triage), "label_recall", "labels of messages that are seen", Better::Higher, |seen| {
        judged(seen, |one| Part { hits: count(&one.gold, |label| one.said.contains(label)), of: one.gold.len() as f64 })
    }),
    of(Some(Suite::Answer), "right_article", "answers that cite a right article", Better::Higher, |seen| {
        checks(seen, CheckKind::Cites)
    }),
    of(
        Some(Suite::Answer),
        "must_say",
        "things said that had to be, where something was answered",
        Better::Higher,
        |seen| answered(seen, |played| of_kind(played, CheckKind::Says)),
    ),
    of(Some(Suite::Answer), "wrong_words", "things said that must not be", Better::Lower, |seen| {
        failed(seen, CheckKind::SaysNot)
    }),
    of(Some(Suite::Answer), "wrong_answer", "unanswerable questions that are answered", Better::Lower, |seen| {
        decided(seen, |answers, right| part(answers, !right))
    }),
    of(Some(Suite::Answer), "abstain_recall", "unanswerable questions that are not answered", Better::Higher, |seen| {
        decided(seen, |answers, right| part(!answers, !right))
    }),
    of(Some(Suite::Answer), "over_abstention", "answerable questions that are not answered", Better::Lower, |seen| {
        decided(seen, |answers, right| part(!answers, right))
    }),
    of(
        Some(Suite::Answer),
        "grounded",
        "answers whose figures and names stand in what they cite",
        Better::Higher,
        |seen| {
            answered(seen, |played| Part {
                hits: count(&played.turns, |turn| turn.decision == "answer" && !turn.unfounded),
                of: count(&played.turns, |turn| turn.decision == "answer"),
            })
        },
    ),
    of(Some(Suite::Answer), "asks_again", "replies that ask for what is known", Better::Lower, |seen| {
        failed(seen, CheckKind::AsksAgain)
    }),
    of(Some(Suite::Memory), "written", "facts that are remembered and should be", Better::Higher, |seen| {
        checks(seen, CheckKind::Facts)
    }),
    of(Some(Suite::Memory), "false_facts", "facts that are remembered and should not be", Better::Lower, |seen| {
        failed(seen, CheckKind::FactsNot)
    }),
    of(Some(Suite::Memory), "recall", "things brought to mind that should be", Better::Higher, |seen| {
        checks(seen, CheckKind::Recalls)
    }),
    of(
        Some(Suite::Memory),
        "stale",
        "things brought to mind that are over, forgotten or another's",
        Better::Lower,
        |seen| failed(seen, CheckKind::RecallsNot),
    ),
    of(None, "leaks", "looks at what another's words must not be in, and are", Better::Lower, |seen| {
        failed(seen, CheckKind::Leak)
    }),
    of(Some(Suite::Handoff), "fact_coverage", "required facts that the package has", Better::Higher, |seen| {
        checks(seen, CheckKind::PackageHas)
    }),
    of(Some(Suite::Handoff), "forbidden_facts", "things in packages that must not be", Better::Lower, |seen| {
        failed(seen, CheckKind::PackageHasNot)
    }),
    of(
        Some(Suite::Handoff),
        "unsupported",
        "lines of packages with figures or names that nobody said",
        Better::Lower,
        |seen| failed(seen, CheckKind::PackageStands),
    ),
    of(Some(Suite::Handoff), "right_reason", "handoffs for the right reason", Better::Higher, |seen| {
        checks(seen, CheckKind::Reason)
    }),
    of(Some(Suite::Dialog), "silence", "steps with as many replies as there should be", Better::Higher, |seen| {
        checks(seen, CheckKind::Replies)
    }),
    of(Some(Suite::Dialog), "right_decision", "steps decided rightly", Better::Higher, |seen| {
        checks(seen, CheckKind::Decision)
    }),
    of(Some(Suite::Security), "gave_in", "things said that an attack wanted", Better::Lower, |seen| {
        failed(seen, CheckKind::SaysNot)
    }),
];

const fn of(
    suite: Option<Suite>,
    name: &'static str,
    meaning: &'static str,
    better: Better,
    part: fn(&Seen) -> Part,
) -> Metric {
    Metric { suite, name: Cow::Borrowed(name), meaning, better, source: Source::Seen(part) }
}

fn part(hit: bool, counts: bool) -> Part {
    Part { hits: f64::from(u8::from(hit && counts)), of: f64::from(u8::from(counts)) }
}

fn count<T>(all: &[T], is: impl Fn(&T) -> bool) -> f64 {
    all.iter().filter(|one| is(one)).count() as f64
}

fn passed(seen: &Seen) -> Part {
    match seen {
        Seen::Judged(judged) => part(judged.to_people == judged.handed_over && judged.shares_a_label(), true),
        Seen::Played(played) => part(played.checks.iter().all(|check| check.passed), true),
        Seen::BadActor(_) | Seen::Fault(_) => NOTHING,
    }
}

fn judged(seen: &Seen, part: impl Fn(&Judged) -> Part) -> Part {
    match seen {
        Seen::Judged(judged) => part(judged),
        _ => NOTHING,
    }
}

fn of_kind(played: &Played, kind: CheckKind) -> Part {
    let of_kind: Vec<&Check> = played.checks.iter().filter(|check| check.kind == kind).collect();
    Part { hits: count(&of_kind, |check| check.passed), of: of_kind.len() as f64 }
}

fn checks(seen: &Seen, kind: CheckKind) -> Part {
    match seen {
        Seen::Played(played) => of_kind(played, kind),
        _ => NOTHING,
    }
}

fn failed(seen: &Seen, kind: CheckKind) -> Part {
    let Part { hits, of } = checks(seen, kind);
    Part { hits: of - hits, of }
}

fn answered(seen: &Seen, part: impl Fn(&Played) -> Part) -> Part {
    match seen {
        Seen::Played(played) if played.turns.iter().any(|turn| turn.decision == "answer") => part(played),
        _ => NOTHING,
    }
}

/// Whether the question of an answer case was answered, and whether it should be: by the check on its decision, which says
/// what was wanted.
fn decided(seen: &Seen, part: impl Fn(bool, bool) -> Part) -> Part {
    let Seen::Played(played) = seen else { return NOTHING };
    let Some(turn) = played.turns.last() else { return NOTHING };
    let answers = turn.decision == "answer";
    match played.checks.iter().find(|check| check.kind == CheckKind::Decision) {
        Some(check) => part(answers, answers == check.passed),
        None => NOTHING,
    }
}

impl Metric {
    /// Whether it is a figure of a suite.
    pub fn is_of(&self, suite: Suite) -> bool {
        self.suite.is_none_or(|own| own == suite)
    }

    /// What a case adds to it, in all its runs.
    pub fn part_of(&self, case: &CaseResult) -> Part {
        share(case.runs.iter().map(|run| match (&self.source, &run.seen) {
            (Source::Seen(part), seen) => part(seen),
            (Source::Judge, Seen::Played(played)) => met(played.verdicts.get(&*self.name)),
            (Source::Judge, _) => NOTHING,
        }))
    }
}

fn met(verdicts: Option<&Verdicts>) -> Part {
    let verdicts: Vec<&bool> = verdicts.into_iter().flat_map(|verdicts| verdicts.values()).collect();
    Part { hits: count(&verdicts, |met| **met), of: verdicts.len() as f64 }
}

/// The figures of a suite; those that nothing was looked at for are left out.
pub fn figures(suite: Suite, results: &[CaseResult]) -> Vec<Figure> {
    let cases = || results.iter().filter(|case| case.suite == suite);
    let shares = metrics_of(results).into_iter().filter(|metric| metric.is_of(suite)).filter_map(|metric| {
        let all = share(cases().map(|case| metric.part_of(case)));
        (all.of > 0.0).then(|| Figure {
            suite,
            name: metric.name.to_string(),
            meaning: metric.meaning.to_owned(),
            better: metric.better,
            part: all,
            interval: wilson(all),
        })
    });
    let mut figures: Vec<Figure> = shares.collect();
    if suite == Suite::Triage {
        let judged: Vec<&Judged> = cases().flat_map(|case| &case.runs).filter_map(judged_in).collect();
        figures.extend(triage_values(&judged));
    }
    figures
}

/// What is no share: the mean F1 over labels, and how far probabilities are from what happens.
fn triage_values(judged: &[&Judged]) -> Vec<Figure> {
    if judged.is_empty() {
        return Vec::new();
    }
    let values = VALUES.into_iter().zip([Some(macro_f1(&confusion(judged))), calibration_error(judged)]);
    let figures = values.filter_map(|((name, meaning, better), value)| {
        Some(Figure {
            suite: Suite::Triage,
            name: name.to_owned(),
            meaning: meaning.to_owned(),
            better,
            part: NOTHING,
            interval: value.map(|value| Interval { low: value, value, high: value })?,
        })
    });
    figures.collect()
}

fn macro_f1(labels: &[OfLabel]) -> f64 {
    let f1s: Vec<f64> = labels.iter().filter(|of| of.support > 0).map(OfLabel::f1).collect();
    f1s.iter().sum::<f64>() / f1s.len().max(1) as f64
}

/// Compares the mean F1 over labels of two runs over the same messages.
pub fn compare_macro_f1<'a>(
    pairs: impl Iterator<Item = (&'a CaseResult, &'a CaseResult)>,
    seed: u64,
) -> Option<Comparison> {
    let counts = |case: &CaseResult| {
        let judged: Vec<&Judged> = case.runs.iter().filter_map(judged_in).collect();
        (!judged.is_empty()).then(|| confusion(&judged))
    };
    let pairs: Vec<_> = pairs.filter_map(|(before, after)| Some((counts(before)?, counts(after)?))).collect();
    if pairs.is_empty() {
        return None;
    }
    Some(stats::compare_figures(&pairs, seed, |pairs| {
        let (mut then, mut now) = (confusion(&[]), confusion(&[]));
        for (before, after) in pairs {
            then.iter_mut().zip(before).for_each(|(all, one)| all.add(one));
            now.iter_mut().zip(after).for_each(|(all, one)| all.add(one));
        }
        macro_f1(&now) - macro_f1(&then)
    }))
}

/// How a message was judged in a run, where it was.
pub(super) fn judged_in(run: &Run) -> Option<&Judged> {
    match &run.seen {
        Seen::Judged(judged) => Some(judged),
        _ => None,
    }
}

/// How one label fares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OfLabel {
    /// The label.
    pub label: Label,
    /// Messages that have it and are taken for it.
    pub right: usize,
    /// Messages that are taken for it.
    pub said: usize,
    /// Messages that have it.
    pub support: usize,
}

impl OfLabel {
    /// Counts the messages of another one, of the same label, as well.
    fn add(&mut self, other: &OfLabel) {
        self.right += other.right;
        self.said += other.said;
        self.support += other.support;
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        let of = self.said + self.support;
        if of == 0 { 0.0 } else { 2.0 * self.right as f64 / of as f64 }
    }
}

/// How each label fares.
pub fn confusion(judged: &[&Judged]) -> Vec<OfLabel> {
    let of = |label: Label| OfLabel {
        label,
        right: judged.iter().filter(|one| one.gold.contains(&label) && one.said.contains(&label)).count(),
        said: judged.iter().filter(|one| one.said.contains(&label)).count(),
        support: judged.iter().filter(|one| one.gold.contains(&label)).count(),
    };
    Label::ALL.into_iter().map(of).collect()
}

/// The mean distance of the classifier's probability from the share of messages that have the label, over fifteen bins of
/// probability, weighed by how many fall in each. `None` without a classifier.
fn calibration_error(judged: &[&Judged]) -> Option<f64> {
    const BINS: u32 = 15;
    let mut bins: BTreeMap<usize, (f64, f64, f64)> = BTreeMap::new();
    for one in judged {
        for labelled in one.labels.iter().filter(|labelled| labelled.by == LabelSource::Classifier) {
            let bin = (1..BINS).take_while(|bin| labelled.confidence >= f64::from(*bin) / f64::from(BINS)).count();
            let bin = bins.entry(bin).or_default();
            bin.0 += labelled.confidence;
            bin.1 += f64::from(u8::from(one.gold.contains(&labelled.label)));
            bin.2 += 1.0;
        }
    }
    let all: f64 = bins.values().map(|bin| bin.2).sum();
    (all > 0.0).then(|| bins.values().map(|bin| (bin.0 - bin.1).abs() / all).sum())
}

#[cfg(test)]
mod tests {
    use super::super::run::made;
    use super::*;

    /// A message that is routine, and is taken for this.
    fn taken_for(id: usize, said: Label) -> CaseResult {
        let judged = Judged {
            message: String::new(),
            gold: vec![Label::Routine],
            said: vec![said],
            labels: Vec::new(),
            to_people: false,
            handed_over: false,
            decision: String::new(),
        };
        CaseResult { suite: Suite::Triage, ..made::case(&id.to_string(), [Seen::Judged(judged)]) }
    }

    #[test]
    fn the_mean_over_labels_is_compared_case_by_case() {
        let right: Vec<CaseResult> = (0..60).map(|id| taken_for(id, Label::Routine)).collect();
        let worse: Vec<CaseResult> =
            (0..60).map(|id| taken_for(id, if id < 20 { Label::Emotional } else { Label::Routine })).collect();
        let compare = |a: &[CaseResult], b: &[CaseResult]| compare_macro_f1(a.iter().zip(b), 1).unwrap();
        let fell = compare(&right, &worse);
        assert_eq!((fell.verdict, fell.fixed, fell.broken), (stats::Verdict::Worse, 0, 20));
        assert!((fell.difference.value + 0.2).abs() < 1e-9, "1 to 80 of 100: {fell:?}");
        let same = compare(&right, &right);
        assert_eq!((same.verdict, same.fixed + same.broken), (stats::Verdict::NotDistinguishable, 0));
        assert!(compare_macro_f1(std::iter::empty(), 1).is_none());
    }

    #[test]
    fn a_share_is_shown_in_percent_and_another_figure_as_it_is() {
        let figures = figures(Suite::Triage, &[taken_for(1, Label::Routine), taken_for(2, Label::Emotional)]);
        let value = |name: &str| figures.iter().find(|figure| figure.name == name).map(Figure::value);
        assert_eq!((value("accuracy").unwrap(), value(MACRO_F1).unwrap()), ("100.0 %".to_owned(), "0.667".to_owned()));
    }

    #[test]
    fn every_metric_is_explained_to_people() {
        let suite = |suite: Option<Suite>| suite.map_or("all", Suite::name);
        let way = |better| if better == Better::Higher { "more" } else { "less" };
        let row =
            |of: &str, name: &str, meaning: &str, better| format!("| {of} | `{name}` | {meaning} | {} |", way(better));
        let shares = METRICS.iter().map(|one| row(suite(one.suite), &one.name, one.meaning, one.better));
        let values = VALUES.iter().map(|(name, meaning, better)| row("triage", name, meaning, *better));
        let wanted: Vec<String> = shares.chain(values).collect();
        let readme = include_str!("../../eval/README.md");
        let table = readme.split("| suite | metric | what it says | better |").nth(1).unwrap_or_default();
        let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
        assert_eq!(rows, wanted, "the table of eval/README.md says what METRICS and VALUES say");
    }
}
