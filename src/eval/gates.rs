//! What must hold for a change to be let through: `eval/gates.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::case::Suite;
use super::files::FileError;
use super::metrics::{Figure, METRICS};
use super::run::CaseResult;

/// The gates of every suite.
#[derive(Debug, Clone, Default)]
pub struct Gates(BTreeMap<Option<Suite>, BTreeMap<String, Gate>>);

/// What a figure must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// At most this.
    pub max: Option<f64>,
    /// At least this.
    pub min: Option<f64>,
    /// What is held against it.
    #[serde(default)]
    pub on: On,
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
}

/// Figures that are no share and can be gated all the same.
const VALUES: [&str; 2] = ["macro_f1", "calibration_error"];

impl Gates {
    /// Reads the file.
    ///
    /// # Errors
    /// [`FileError`]: it can't be read, a suite or metric is unknown, a gate has no limit.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| fault(path, "", 0, format!("can't be read: {error}")))?;
        Self::parse(&text, path)
    }

    /// Reads its text.
    ///
    /// # Errors
    /// [`FileError`] with its place.
    pub fn parse(text: &str, path: &Path) -> Result<Self, FileError> {
        type Tables = BTreeMap<toml::Spanned<String>, BTreeMap<toml::Spanned<String>, Gate>>;
        let tables: Tables = toml::from_str(text).map_err(|error| {
            fault(path, text, error.span().map_or(0, |span| span.start), error.message().to_owned())
        })?;
        let mut gates = BTreeMap::new();
        for (table, entries) in tables {
            let (name, place) = (table.get_ref().as_str(), table.span().start);
            let suite = Suite::ALL.into_iter().find(|suite| suite.name() == name);
            if suite.is_none() && name != "all" {
                return Err(fault(path, text, place, format!("`{name}` is no suite")));
            }
            let mut of_suite = BTreeMap::new();
            for (metric, gate) in entries {
                let (name, place) = (metric.get_ref().clone(), metric.span().start);
                if !is_metric(suite, &name) {
                    return Err(fault(path, text, place, format!("`{name}` is no metric of it")));
                }
                if gate.max.is_none() && gate.min.is_none() {
                    return Err(fault(path, text, place, format!("`{name}` has neither min nor max")));
                }
                of_suite.insert(name, gate);
            }
            gates.insert(suite, of_suite);
        }
        Ok(Self(gates))
    }

    /// Holds figures against the gates of their suite and of all; a critical case that fails is a gate by itself.
    pub fn check(&self, figures: &[Figure], results: &[CaseResult]) -> Vec<Kept> {
        let mut kept: Vec<Kept> = figures.iter().filter_map(|figure| self.of(figure)).collect();
        for case in results.iter().filter(|case| case.critical && !case.is_passed()) {
            let told = format!("critical case {} failed: {}:{}", case.id, case.path.display(), case.line);
            kept.push(Kept { suite: case.suite, name: "critical".to_owned(), kept: false, told });
        }
        kept
    }

    fn of(&self, figure: &Figure) -> Option<Kept> {
        let gate = [Some(figure.suite), None].iter().find_map(|suite| self.0.get(suite)?.get(&figure.name))?;
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
        Some(Kept { suite: figure.suite, name: figure.name.clone(), kept, told })
    }
}

fn is_metric(suite: Option<Suite>, name: &str) -> bool {
    let is_value = VALUES.contains(&name) && suite == Some(Suite::Triage);
    let of_suite = |own: Option<Suite>| own.is_none() || own == suite;
    is_value || METRICS.iter().any(|metric| metric.name == name && of_suite(metric.suite))
}

fn fault(path: &Path, text: &str, at: usize, why: String) -> FileError {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) as u64 + 1;
    FileError { path: path.display().to_string(), line, column, why }
}

#[cfg(test)]
mod tests {
    use super::super::metrics::Better;
    use super::super::stats::{Part, wilson};
    use super::*;

    fn gates(text: &str) -> Result<Gates, String> {
        Gates::parse(text, Path::new("gates.toml")).map_err(|error| error.to_string())
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
        let check = |figure| gates.check(&[figure], &[]).first().map(|kept| kept.kept);
        assert_eq!(check(figure(Suite::Triage, "missed_escalation", 5.0, 100.0)), Some(true));
        assert_eq!(check(figure(Suite::Triage, "missed_escalation", 6.0, 100.0)), Some(false));
        assert_eq!(check(figure(Suite::Memory, "passed", 95.0, 100.0)), Some(false), "its bound is below");
        assert_eq!(check(figure(Suite::Memory, "passed", 99.0, 100.0)), Some(true));
        assert_eq!(check(figure(Suite::Memory, "recall", 1.0, 100.0)), None);
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
        ] {
            let error = gates(text).unwrap_err();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
