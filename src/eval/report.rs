//! A run as it is kept, compared and shown.

mod html;
mod junit;
mod markdown;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

pub use html::html;
pub use junit::junit;
pub use markdown::markdown;

use super::case::Suite;
use super::gates::{Gates, Kept};
use super::judge::Judging;
use super::metrics::{Better, Figure, figures, metrics_of};
use super::outcome::Played;
use super::run::{CaseResult, Seen};
use super::stats::{self, Comparison, Part, Verdict};
use super::sweep::Swept;

/// The version of the format: a report of another one is not compared with.
const VERSION: u32 = 1;

/// Draws of a bootstrap are the same in every comparison.
const SEED: u64 = 2_611;

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of the format.
    pub version: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What was measured.
    pub subject: Subject,
    /// What it has cost, and what was not run.
    #[serde(default)]
    pub economy: Economy,
    /// Who judged, and how far they can be believed.
    #[serde(default)]
    pub judges: Vec<Judging>,
    /// What thresholds of triage cost.
    #[serde(default)]
    pub thresholds: Vec<Swept>,
    /// The figures of all suites.
    pub figures: Vec<Figure>,
    /// How the gates were kept.
    pub gates: Vec<Kept>,
    /// Every case.
    pub cases: Vec<CaseResult>,
}

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The state of the files, as git names it.
    pub revision: Option<String>,
    /// The language model; none: articles are quoted.
    pub model: Option<String>,
    /// The embedder; none: words alone.
    pub embedder: Option<String>,
}

/// What a run has cost, and what it did without.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Economy {
    /// Cases that were not run again because nothing has changed that they depend on.
    pub reused: usize,
    /// Cases that were not run because the budget was spent.
    pub left: usize,
    /// Tokens read and written by a model that was really asked.
    pub tokens: (u64, u64),
    /// What these cost, where the model has a price.
    pub money: Option<f64>,
}

/// How a run was made.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What it has cost, and what was not run.
    pub economy: Economy,
    /// What thresholds of triage cost.
    pub thresholds: Vec<Swept>,
}

impl Report {
    /// Puts a run together.
    pub fn new(subject: Subject, cases: Vec<CaseResult>, gates: &Gates, judges: Vec<Judging>, made: Made) -> Self {
        let figures: Vec<Figure> = Suite::ALL.into_iter().flat_map(|suite| figures(suite, &cases)).collect();
        let gates = gates.check(&figures, &cases, &judges);
        let Made { at: made_at, took_ms, economy, thresholds } = made;
        Self { version: VERSION, made_at, took_ms, subject, economy, judges, thresholds, figures, gates, cases }
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    /// Where it can't be read, or is of another version, in words.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let report: Self = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        if report.version == VERSION {
            Ok(report)
        } else {
            Err(format!("{}: it is of version {}, not {VERSION}: make it anew", path.display(), report.version))
        }
    }

    /// The report without what a comparison does not look at: it stands in the repository.
    #[must_use]
    pub fn for_comparison(mut self) -> Self {
        self.thresholds.clear();
        for run in self.cases.iter_mut().flat_map(|case| &mut case.runs) {
            run.prompts.clear();
            match &mut run.seen {
                Seen::Judged(judged) => judged.labels.clear(),
                Seen::Played(played) => {
                    played.checks.iter_mut().filter(|check| check.passed).for_each(|check| check.why.clear());
                    played.turns.iter_mut().for_each(|turn| turn.recalled.clear());
                    played.package.clear();
                }
                Seen::BadActor(_) | Seen::Fault(_) => {}
            }
        }
        self
    }

    /// Cases that could not be run, with what was wrong.
    pub fn faults(&self) -> impl Iterator<Item = (&CaseResult, &str)> {
        self.cases.iter().flat_map(|case| {
            case.runs.iter().filter_map(move |run| match &run.seen {
                Seen::Fault(why) => Some((case, why.as_str())),
                _ => None,
            })
        })
    }

    /// How likely a case passes in all of so many runs as were made of it, and how many these are; `None` where each was run
    /// once.
    pub fn all_runs_pass(&self) -> Option<(f64, usize)> {
        let runs = self.cases.iter().map(|case| case.runs.len()).max().filter(|runs| *runs > 1)?;
        let said = self.cases.iter().filter(|case| case.is_said());
        let shares = said.filter_map(|case| stats::pass_k(case.passed(), case.runs.len(), runs));
        let (sum, cases) = shares.fold((0.0, 0.0), |(sum, cases), share| (sum + share, cases + 1.0));
        Some((sum / cases, runs))
    }

    /// Cases whose simulated customer fell out of their role, with how.
    pub fn bad_actors(&self) -> impl Iterator<Item = (&CaseResult, &str)> {
        self.cases.iter().flat_map(|case| {
            case.runs.iter().filter_map(move |run| match &run.seen {
                Seen::BadActor(how) => Some((case, how.as_str())),
                _ => None,
            })
        })
    }

    /// Cases that failed in some run.
    pub fn failed(&self) -> impl Iterator<Item = &CaseResult> {
        self.cases.iter().filter(|case| !case.is_passed())
    }
}

/// A metric of two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The suite.
    pub suite: Suite,
    /// The metric.
    pub name: String,
    /// What can be said.
    pub comparison: Comparison,
    /// Of a judge's figure: how much of the difference was the judge's own, by replies that both have judged. It is taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge_shift: Option<f64>,
}

impl Compared {
    fn new(suite: Suite, name: &str, comparison: Comparison) -> Self {
        Self { suite, name: name.to_owned(), comparison, judge_shift: None }
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

/// Cases whose verdict is another one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// From wrong to right.
    pub fixed: Vec<String>,
    /// From right to wrong.
    pub broken: Vec<String>,
    /// Right in some runs only, in either.
    pub flaky: Vec<String>,
    /// What was said then and is now, of those that say something else: a unified diff by case.
    pub diffs: BTreeMap<String, String>,
}

/// What two runs over the same cases differ in: `better` and `worse` in the sense of the metric.
pub fn compare(before: &Report, after: &Report) -> (Vec<Compared>, Changed) {
    let pairs = |suite: Suite| {
        let of_suite = after.cases.iter().filter(move |case| case.suite == suite);
        let both = of_suite.filter_map(|case| Some((before.cases.iter().find(|other| other.id == case.id)?, case)));
        // What could not be run, then or now, says nothing.
        both.filter(|(before, after)| before.is_said() && after.is_said())
    };
    let (mut compared, metrics) = (Vec::new(), metrics_of(&after.cases));
    for suite in Suite::ALL {
        for metric in metrics.iter().filter(|metric| metric.is_of(suite)) {
            let parts: Vec<(Part, Part)> = pairs(suite)
                .map(|(before, after)| (metric.part_of(before), metric.part_of(after)))
                .filter(|(before, after)| before.of > 0.0 || after.of > 0.0)
                .collect();
            if !parts.is_empty() {
                let comparison = in_its_sense(stats::compare(&parts, SEED), metric.better);
                compared.extend(judges_apart(before, after, Compared::new(suite, &metric.name, comparison)));
            }
        }
    }
    let mut changed = Changed::default();
    for (before, after) in Suite::ALL.into_iter().flat_map(pairs) {
        let list = match (before.is_passed(), after.is_passed()) {
            _ if before.is_flaky() || after.is_flaky() => &mut changed.flaky,
            (false, true) => &mut changed.fixed,
            (true, false) => &mut changed.broken,
            _ => continue,
        };
        list.push(after.id.clone());
        if let Some(diff) = difference(before, after) {
            changed.diffs.insert(after.id.clone(), diff);
        }
    }
    (compared, changed)
}

fn lines_of(played: &Played) -> String {
    played.transcript.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n") + "\n"
}

/// What a case said then and says now; `None` where that is the same.
fn difference(before: &CaseResult, after: &CaseResult) -> Option<String> {
    let said = |case: &CaseResult| match &case.runs.first()?.seen {
        Seen::Played(played) => Some(lines_of(played)),
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

/// What went otherwise in a case, in words.
pub fn reasons(case: &CaseResult) -> Vec<String> {
    let mut reasons: Vec<String> = case
        .runs
        .iter()
        .flat_map(|run| match &run.seen {
            Seen::Played(played) => played.failures(),
            Seen::Judged(_) if run.passed() => Vec::new(),
            Seen::Judged(judged) => {
                let names = |labels: &[crate::domain::turn::Label]| {
                    labels.iter().map(|label| label.name()).collect::<Vec<_>>().join(", ")
                };
                let goes = |to_people| if to_people { "to people" } else { "to nobody" };
                vec![format!(
                    "is {} and goes {}; taken for {} it goes {}",
                    names(&judged.gold),
                    goes(judged.to_people),
                    names(&judged.said),
                    goes(judged.handed_over)
                )]
            }
            Seen::BadActor(_) => Vec::new(),
            Seen::Fault(why) => vec![why.clone()],
        })
        .collect();
    reasons.dedup();
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::run::Run;

    /// Replies of which a judge says so, by a judge of that name who says so of the anchors.
    fn judged(hash: &str, replies: &[bool], anchors: &[bool]) -> Report {
        let verdicts = |yes: &bool| BTreeMap::from([("kind".to_owned(), *yes)]);
        let case = |(id, yes): (usize, &bool)| {
            let played = Played { verdicts: [("tone".to_owned(), verdicts(yes))].into(), ..Played::default() };
            let run = Run { seen: Seen::Played(played), ms: 0, prompts: Vec::new(), spent: (0, 0) };
            CaseResult {
                id: id.to_string(),
                suite: Suite::Dialog,
                critical: false,
                tags: Vec::new(),
                path: Path::new("a.yaml").to_owned(),
                line: 1,
                runs: vec![run],
            }
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
}
