//! A run as it is kept, compared and shown.

mod html;
mod junit;
mod markdown;

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use html::html;
pub use junit::junit;
pub use markdown::markdown;

use super::case::Suite;
use super::gates::{Gates, Kept};
use super::metrics::{Better, Figure, METRICS, figures};
use super::run::{CaseResult, Seen};
use super::stats::{self, Comparison, Part, Verdict};

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

impl Report {
    /// Puts a run together.
    pub fn new(subject: Subject, gates: &Gates, cases: Vec<CaseResult>, (made_at, took_ms): (Timestamp, u64)) -> Self {
        let figures: Vec<Figure> = Suite::ALL.into_iter().flat_map(|suite| figures(suite, &cases)).collect();
        let gates = gates.check(&figures, &cases);
        Self { version: VERSION, made_at, took_ms, subject, figures, gates, cases }
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
        let shares = self.cases.iter().filter_map(|case| stats::pass_k(case.passed(), case.runs.len(), runs));
        let (sum, cases) = shares.fold((0.0, 0.0), |(sum, cases), share| (sum + share, cases + 1.0));
        Some((sum / cases, runs))
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
}

/// What two runs over the same cases differ in: `better` and `worse` in the sense of the metric.
pub fn compare(before: &Report, after: &Report) -> (Vec<Compared>, Changed) {
    let pairs = |suite: Suite| {
        let of_suite = after.cases.iter().filter(move |case| case.suite == suite);
        of_suite.filter_map(|case| Some((before.cases.iter().find(|other| other.id == case.id)?, case)))
    };
    let mut compared = Vec::new();
    for suite in Suite::ALL {
        for metric in METRICS.iter().filter(|metric| metric.is_of(suite)) {
            let parts: Vec<(Part, Part)> = pairs(suite)
                .map(|(before, after)| (metric.part_of(before), metric.part_of(after)))
                .filter(|(before, after)| before.of > 0.0 || after.of > 0.0)
                .collect();
            if !parts.is_empty() {
                let comparison = in_its_sense(stats::compare(&parts, SEED), metric.better);
                compared.push(Compared { suite, name: metric.name.to_owned(), comparison });
            }
        }
    }
    let mut changed = Changed::default();
    for (before, after) in Suite::ALL.into_iter().flat_map(pairs) {
        let is_flaky = |case: &CaseResult| (1..case.runs.len()).contains(&case.passed());
        let list = match (before.is_passed(), after.is_passed()) {
            _ if is_flaky(before) || is_flaky(after) => &mut changed.flaky,
            (false, true) => &mut changed.fixed,
            (true, false) => &mut changed.broken,
            _ => continue,
        };
        list.push(after.id.clone());
    }
    (compared, changed)
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
            Seen::Fault(why) => vec![why.clone()],
        })
        .collect();
    reasons.dedup();
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_be_small_is_better_where_it_fell() {
        let part = |hits: f64| Part { hits, of: 1.0 };
        let fell: Vec<(Part, Part)> = (0..20).map(|_| (part(1.0), part(0.0))).collect();
        let verdict = |better| in_its_sense(stats::compare(&fell, 1), better);
        assert_eq!((verdict(Better::Higher).verdict, verdict(Better::Higher).broken), (Verdict::Worse, 20));
        assert_eq!((verdict(Better::Lower).verdict, verdict(Better::Lower).fixed), (Verdict::Better, 20));
    }
}
