//! What must hold for a change to be let through: `eval/gates.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::case::Suite;
use super::files::FileError;
use super::judge::{Judging, LEAST_KAPPA, LEAST_TNR};
use super::metrics::{Figure, METRICS, VALUES};
use super::report::Compared;
use super::run::CaseResult;

/// The gates of every suite.
#[derive(Debug, Clone, Default)]
pub struct Gates {
    of_suites: BTreeMap<Option<Suite>, BTreeMap<String, Gate>>,
    /// Critical cases that are known to fail: each is work to be done, and a new one is a gate.
    known: BTreeSet<String>,
    /// How much smaller the share of passed cases may be than in the run that is compared with, at the worse end of the
    /// interval.
    max_drop: Option<f64>,
}

/// The key of `[all]` that speaks of a comparison.
const REGRESSION: &str = "regression";
/// The key of `[all]` that lists the critical cases which are known to fail.
const CRITICAL: &str = "critical";

/// What a figure must keep to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// At most this.
    pub max: Option<f64>,
    /// At least this.
    pub min: Option<f64>,
    /// What is held against it.
    #[serde(default)]
    pub on: On,
    /// What it should come to be: told where it is not, and no gate.
    pub goal: Option<f64>,
    /// Of `regression`: how much smaller a share may be.
    pub max_drop: Option<f64>,
    /// Of `critical`: cases that are known to fail.
    #[serde(default)]
    pub known: Vec<String>,
}

/// What is held against a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// The figure.
    #[default]
    Point,
    /// The worse end of its interval: few cases don't pass by luck.
    Bound,
}

/// How a gate was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The suite.
    pub suite: Suite,
    /// The metric, or `critical`.
    pub name: String,
    /// Whether it was kept.
    pub kept: bool,
    /// In words.
    pub told: String,
    /// What the figure should come to be and is not.
    #[serde(default)]
    pub goal: Option<f64>,
}

impl Kept {
    /// In two words for a table, with what the figure should come to be.
    pub fn words(&self) -> String {
        let kept = if self.kept { "kept" } else { "NOT KEPT" };
        self.goal.map_or_else(|| kept.to_owned(), |goal| format!("{kept}, goal {goal}"))
    }
}

impl Gates {
    /// Reads the file; `rubrics` are metrics as well.
    ///
    /// # Errors
    /// [`FileError`]: it can't be read, a suite or metric is unknown, a gate has no limit.
    pub fn read(path: &Path, rubrics: &[String]) -> Result<Self, FileError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| fault(path, "", 0, format!("can't be read: {error}")))?;
        Self::parse(&text, path, rubrics)
    }

    /// Reads its text.
    ///
    /// # Errors
    /// [`FileError`] with its place.
    pub fn parse(text: &str, path: &Path, rubrics: &[String]) -> Result<Self, FileError> {
        type Tables = BTreeMap<toml::Spanned<String>, BTreeMap<toml::Spanned<String>, Gate>>;
        let tables: Tables = toml::from_str(text).map_err(|error| {
            fault(path, text, error.span().map_or(0, |span| span.start), error.message().to_owned())
        })?;
        let mut gates = Self::default();
        for (table, entries) in tables {
            let (name, place) = (table.get_ref().as_str(), table.span().start);
            let suite = Suite::ALL.into_iter().find(|suite| suite.name() == name);
            if suite.is_none() && name != "all" {
                return Err(fault(path, text, place, format!("`{name}` is no suite")));
            }
            let mut of_suite = BTreeMap::new();
            for (metric, gate) in entries {
                let (name, place) = (metric.get_ref().clone(), metric.span().start);
                if suite.is_none() && name == REGRESSION && gate.max_drop.is_some() {
                    gates.max_drop = gate.max_drop;
                    continue;
                }
                if suite.is_none() && name == CRITICAL {
                    gates.known.extend(gate.known);
                    continue;
                }
                if !is_metric(suite, &name, rubrics) {
                    return Err(fault(path, text, place, format!("`{name}` is no metric of it")));
                }
                if gate.max_drop.is_some() {
                    return Err(fault(
                        path,
                        text,
                        place,
                        format!("`{name}` has max_drop, which `{REGRESSION}` of [all] has"),
                    ));
                }
                if gate.max.is_none() && gate.min.is_none() {
                    return Err(fault(path, text, place, format!("`{name}` has neither min nor max")));
                }
                of_suite.insert(name, gate);
            }
            gates.of_suites.insert(suite, of_suite);
        }
        Ok(gates)
    }

    /// Holds figures against the gates of their suite and of all; a critical case that fails is a gate by itself. A judge who
    /// does not agree with people may not gate.
    pub fn check(&self, figures: &[Figure], results: &[CaseResult], judges: &[Judging]) -> Vec<Kept> {
        let believed = |kept: Kept| match judges.iter().find(|judge| judge.rubric == kept.name) {
            Some(judge) if !judge.is_calibrated() => not_believed(kept, judge),
            _ => kept,
        };
        let mut kept: Vec<Kept> = figures.iter().filter_map(|figure| self.of(figure)).map(believed).collect();
        for case in results.iter().filter(|case| case.critical && case.is_said()) {
            let (is_known, passed) = (self.known.contains(&case.id), case.is_passed());
            if is_known == passed {
                let told = if passed {
                    format!("critical case {} passes: take it off the list of {CRITICAL}", case.id)
                } else {
                    format!("critical case {} failed: {}:{}", case.id, case.path.display(), case.line)
                };
                kept.push(Kept { suite: case.suite, name: CRITICAL.to_owned(), kept: passed, told, goal: None });
            }
        }
        kept
    }

    /// Holds a comparison against the gate for it: at the worse end of its interval, no suite may have fallen too far.
    pub fn check_comparison(&self, compared: &[Compared]) -> Vec<Kept> {
        let Some(max_drop) = self.max_drop else { return Vec::new() };
        let of_passed = compared.iter().filter(|one| one.name == "passed");
        let kept = of_passed.map(|one| {
            let fell = (-one.comparison.difference.low).max(0.0);
            let told = format!("passed may have fallen by {fell:.3}, at most {max_drop}");
            Kept { suite: one.suite, name: REGRESSION.to_owned(), kept: fell <= max_drop, told, goal: None }
        });
        kept.collect()
    }

    fn of(&self, figure: &Figure) -> Option<Kept> {
        let gate = [Some(figure.suite), None].iter().find_map(|suite| self.of_suites.get(suite)?.get(&figure.name))?;
        let (low, high) = match gate.on {
            On::Point => (figure.interval.value, figure.interval.value),
            On::Bound => (figure.interval.low, figure.interval.high),
        };
        let too_low = gate.min.filter(|min| low < *min);
        let too_high = gate.max.filter(|max| high > *max);
        let told = match (gate.min, gate.max) {
            (Some(min), _) => format!("{} is {low:.3}, at least {min}", figure.name),
            (_, Some(max)) => format!("{} is {high:.3}, at most {max}", figure.name),
            (None, None) => return None,
        };
        let kept = too_low.is_none() && too_high.is_none();
        let goal = gate.goal.filter(|goal| if gate.min.is_some() { low < *goal } else { high > *goal });
        Some(Kept { suite: figure.suite, name: figure.name.clone(), kept, told, goal })
    }
}

fn not_believed(kept: Kept, judge: &Judging) -> Kept {
    let told = format!(
        "{} can't be gated: its judge {} does not agree with people, from κ {LEAST_KAPPA} and TNR {LEAST_TNR} on ({}): see \
         firstline eval label",
        kept.name,
        judge.model,
        judge.figures()
    );
    Kept { kept: false, told, ..kept }
}

fn is_metric(suite: Option<Suite>, name: &str, rubrics: &[String]) -> bool {
    let is_value = VALUES.iter().any(|(value, ..)| *value == name) && suite == Some(Suite::Triage);
    let of_suite = |own: Option<Suite>| own.is_none() || own == suite;
    is_value
        || rubrics.iter().any(|rubric| rubric == name)
        || METRICS.iter().any(|metric| metric.name == name && of_suite(metric.suite))
}

fn fault(path: &Path, text: &str, at: usize, why: String) -> FileError {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) as u64 + 1;
    FileError { path: path.display().to_string(), line, column, why }
}

#[cfg(test)]
mod tests {
    use super::super::judge::Agreement;
    use super::super::metrics::Better;
    use super::super::stats::{self, Part, wilson};
    use super::*;

    fn gates(text: &str) -> Result<Gates, String> {
        Gates::parse(text, Path::new("gates.toml"), &["tone".to_owned()]).map_err(|error| error.to_string())
    }

    fn figure(suite: Suite, name: &str, hits: f64, of: f64) -> Figure {
        let part = Part { hits, of };
        let (name, meaning) = (name.to_owned(), String::new());
        Figure { suite, name, meaning, better: Better::Lower, part, interval: wilson(part) }
    }

    #[test]
    fn figures_are_held_against_their_gates() {
        let gates =
            gates("[triage]\nmissed_escalation = { max = 0.05 }\n[all]\npassed = { min = 0.9, on = \"bound\" }\n")
                .unwrap();
        let check = |figure| gates.check(&[figure], &[], &[]).first().map(|kept| kept.kept);
        assert_eq!(check(figure(Suite::Triage, "missed_escalation", 5.0, 100.0)), Some(true));
        assert_eq!(check(figure(Suite::Triage, "missed_escalation", 6.0, 100.0)), Some(false));
        assert_eq!(check(figure(Suite::Memory, "passed", 95.0, 100.0)), Some(false), "its bound is below");
        assert_eq!(check(figure(Suite::Memory, "passed", 99.0, 100.0)), Some(true));
        assert_eq!(check(figure(Suite::Memory, "recall", 1.0, 100.0)), None);
    }

    #[test]
    fn a_judge_who_does_not_agree_with_people_may_not_gate() {
        let gates = gates("[dialog]\ntone = { min = 0.5 }\n").unwrap();
        let judge = |agreement| Judging {
            rubric: "tone".to_owned(),
            model: "m".to_owned(),
            hash: String::new(),
            agreement: [("kind".to_owned(), agreement)].into(),
            anchors: BTreeMap::new(),
        };
        let check =
            |agreement| gates.check(&[figure(Suite::Dialog, "tone", 9.0, 10.0)], &[], &[judge(agreement)]).remove(0);
        let good = Agreement { both_yes: 20, both_no: 20, judge_yes: 2, people_yes: 2 };
        assert!(check(good).kept);
        let agreeable = check(Agreement { both_yes: 20, both_no: 5, judge_yes: 17, people_yes: 0 });
        assert!(
            !agreeable.kept && agreeable.told.contains("κ 0.2") && agreeable.told.contains("eval label"),
            "{}",
            agreeable.told
        );
    }

    #[test]
    fn a_critical_case_that_is_known_to_fail_is_no_gate_and_told_when_it_passes() {
        use super::super::outcome::{Check, CheckKind, Played};
        use super::super::run::{Seen, made};
        let gates = gates("[all]\ncritical = { known = [\"a\"] }\n").unwrap();
        let failed = Check { kind: CheckKind::Says, step: 1, passed: false, why: String::new() };
        let result = |id: &str, fails: bool| {
            let checks = fails.then(|| failed.clone()).into_iter().collect();
            let played = Seen::Played(Played { checks, ..Played::default() });
            CaseResult { critical: true, line: 3, ..made::case(id, [played]) }
        };
        let check = |id, fails| gates.check(&[], &[result(id, fails)], &[]).pop().map(|kept| (kept.kept, kept.told));
        assert_eq!(check("a", true), None, "it is known");
        assert_eq!(check("b", false), None, "it passes");
        assert_eq!(check("b", true), Some((false, "critical case b failed: a.yaml:3".to_owned())));
        assert_eq!(check("a", false).map(|(kept, _)| kept), Some(true), "told, and no gate");
    }

    #[test]
    fn no_suite_may_fall_too_far() {
        let gates = gates("[all]\nregression = { max_drop = 0.02 }\n").unwrap();
        let fell = |cases: usize| {
            let pairs: Vec<(Part, Part)> = (0..200)
                .map(|case| (Part { hits: 1.0, of: 1.0 }, Part { hits: f64::from(u8::from(case >= cases)), of: 1.0 }))
                .collect();
            let comparison = stats::compare(&pairs, 1);
            let compared = Compared::new(Suite::Dialog, "passed", comparison);
            gates.check_comparison(&[compared]).remove(0).kept
        };
        assert!(fell(0) && !fell(20), "none of 200, a tenth");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, told) in [
            ("[triage]\nmised = { max = 0 }\n", "gates.toml:2:1: `mised` is no metric of it"),
            ("[tirage]\npassed = { min = 1 }\n", "gates.toml:1:2: `tirage` is no suite"),
            ("[answer]\nmissed_escalation = { max = 0 }\n", "gates.toml:2:1: `missed_escalation` is no metric of it"),
            ("[all]\npassed = {}\n", "gates.toml:2:1: `passed` has neither min nor max"),
            ("[all]\npassed = { least = 1 }\n", "gates.toml:2:"),
            ("[all\n", "gates.toml:1:"),
            ("[triage]\naccuracy = { max_drop = 0.1 }\n", "gates.toml:2:1: `accuracy` has max_drop"),
        ] {
            let error = gates(text).unwrap_err();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
