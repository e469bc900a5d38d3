//! A run as it is kept, compared and shown.

mod comparison;
mod html;
mod junit;
mod markdown;

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use comparison::{Changed, Compared, compare};
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;

use super::case::Suite;
use super::gates::{Gates, Kept};
use super::judge::Judging;
use super::metrics::{Figure, figures};
use super::run::{CaseResult, Seen};
use super::stats;
use super::sweep::Swept;
use crate::domain::turn::Label;

/// The version of the format: a report of another one is not compared with.
const VERSION: u32 = 1;

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of the format.
    pub version: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// How long the cases took, in milliseconds; reading the knowledge base before them is not in it.
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
    /// Rubrics whose judge was not asked about labelled replies because the budget was spent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncalibrated: Vec<String>,
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
    /// How long the cases took, in milliseconds; reading the knowledge base before them is not in it.
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

    /// Cases that failed and did not fail in the run before; all that failed where there is none. And how many others did.
    pub fn newly_failed(&self, compared: Option<&(Vec<Compared>, Changed)>) -> (Vec<&CaseResult>, usize) {
        let is_old = |case: &&CaseResult| compared.is_some_and(|(_, changed)| changed.still_wrong.contains(&case.id));
        let (old, new): (Vec<_>, Vec<_>) = self.failed().partition(is_old);
        (new, old.len())
    }

    /// Every figure with what is told beside it.
    pub fn rows<'a>(&'a self, compared: Option<&'a (Vec<Compared>, Changed)>) -> Vec<Row<'a>> {
        let row = |figure: &'a Figure| Row {
            figure,
            gate: self.gates.iter().find(|gate| gate.suite == figure.suite && gate.name == figure.name),
            has_before: compared.is_some(),
            beside: compared
                .and_then(|(all, _)| all.iter().find(|one| one.suite == figure.suite && one.name == figure.name)),
        };
        self.figures.iter().map(row).collect()
    }
}

/// A figure with its gate, and with what it was before.
pub struct Row<'a> {
    /// The figure.
    pub figure: &'a Figure,
    /// How its gate was kept, where it has one.
    pub gate: Option<&'a Kept>,
    has_before: bool,
    /// What can be said beside the run before, if anything can.
    beside: Option<&'a Compared>,
}

impl Row<'_> {
    /// What stands above [`Self::cells`].
    pub const HEADER: [&'static str; 8] = ["suite", "metric", "value", "95 %", "of", "gate", "change", "verdict"];

    /// The row as tables show it.
    pub fn cells(&self) -> [String; 8] {
        let figure = self.figure;
        [
            figure.suite.name().to_owned(),
            figure.name.clone(),
            figure.value(),
            figure.range(),
            figure.of(),
            self.gate.map(Kept::words).unwrap_or_default(),
            self.change(),
            self.verdict(),
        ]
    }

    /// By how much it changed, in words; empty where there is nothing to say.
    pub fn change(&self) -> String {
        self.beside.map(Compared::change).unwrap_or_default()
    }

    /// What can be said of the change, in words; empty without a run before.
    pub fn verdict(&self) -> String {
        let uncompared = if self.has_before { "not compared" } else { "" };
        self.beside.map_or_else(|| uncompared.to_owned(), Compared::verdict)
    }
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
                let goes = |to_people| if to_people { "to people" } else { "to nobody" };
                vec![format!(
                    "is {} and goes {}; taken for {}, it goes {}",
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

/// Labels by name; a message may be taken for none.
fn names(labels: &[Label]) -> String {
    if labels.is_empty() {
        return "nothing".to_owned();
    }
    labels.iter().map(|label| label.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::run::{Judged, made};
    use super::*;

    #[test]
    fn a_message_that_is_taken_for_nothing_is_told_so() {
        let judged = Judged {
            message: String::new(),
            gold: vec![Label::HumanRequest],
            said: Vec::new(),
            labels: Vec::new(),
            to_people: true,
            handed_over: false,
            decision: String::new(),
        };
        let told = reasons(&made::case("a", [Seen::Judged(judged)]));
        assert_eq!(told, ["is human_request and goes to people; taken for nothing, it goes to nobody"]);
    }
}
