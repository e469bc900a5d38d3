//! Thresholds by what they cost: from probabilities that a run has stored, without running anything again.

use std::fmt::Write as _;

use minijinja::value::Serde;
use minijinja::{Environment, Value};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::run::{CaseResult, Judged, Seen};
use super::stats::Interval;
use crate::domain::turn::{Label, LabelSource};
use crate::engine::triage::{Does, Triage};

/// Thresholds that are tried: hundredths, without the ends.
const STEPS: usize = 99;
/// Draws of the bootstrap.
const DRAWS: usize = 400;
/// Draws are the same every time.
const SEED: u64 = 4_099;
/// Bins of a reliability diagram.
const BINS: usize = 10;
/// Fewer messages with a label say nothing of its threshold.
const LEAST: usize = 15;

/// What is known of a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Swept {
    /// The label.
    pub label: Label,
    /// What it costs not to act on a message that has it, and to act on one that has it not.
    pub costs: (f64, f64),
    /// Messages, and those of them that have the label.
    pub messages: (usize, usize),
    /// The threshold in force.
    pub now: f64,
    /// The cheapest one, with the interval of a bootstrap that draws messages.
    pub best: Interval,
    /// What a hundred messages cost less with it than with the one in force.
    pub saves: Interval,
    /// What a hundred messages cost with each threshold that was tried.
    pub curve: Vec<(f64, f64)>,
    /// What was foretold and what came, by bins of the probability: the mean probability, the share, how many messages.
    pub bins: Vec<(f64, f64, usize)>,
}

impl Swept {
    /// Whether there are messages enough, and the cheapest threshold is cheaper also at the worse end of the interval.
    pub fn is_worth_it(&self) -> bool {
        self.messages.1 >= LEAST && self.saves.low > 0.0
    }
}

/// One message: the probability of a label, and whether it has it.
type Point = (f64, bool);

/// Sweeps the thresholds of all labels that hand over and of which the classifier has said how likely they are.
pub fn sweep<'a>(results: impl Iterator<Item = &'a CaseResult>, triage: &Triage) -> Vec<Swept> {
    let judged: Vec<&Judged> = results
        // Repeats of a message are no more messages.
        .filter_map(|case| case.runs.first())
        .filter_map(|run| match &run.seen {
            Seen::Judged(judged) => Some(judged),
            _ => None,
        })
        .collect();
    let hands_over = Label::ALL.into_iter().filter(|label| triage.label(*label).does == Does::HandOff);
    let swept = hands_over.filter_map(|label| {
        let points: Vec<Point> = judged.iter().filter_map(|one| point(one, label)).collect();
        let policy = triage.label(label);
        (!points.is_empty())
            .then(|| swept(label, &points, (policy.costs.missed, policy.costs.needless), policy.threshold))
    });
    swept.collect()
}

fn point(judged: &Judged, label: Label) -> Option<Point> {
    let by_classifier = |labelled: &&crate::domain::turn::Labelled| labelled.by == LabelSource::Classifier;
    let found = judged.labels.iter().filter(by_classifier).find(|labelled| labelled.label == label)?;
    Some((found.confidence, judged.gold.contains(&label)))
}

fn swept(label: Label, points: &[Point], costs: (f64, f64), now: f64) -> Swept {
    let curve = costs_of(points, costs);
    let best = cheapest(&curve);
    let at_now = step_of(now);
    let mut random = StdRng::seed_from_u64(SEED);
    let (mut bests, mut savings) = (Vec::with_capacity(DRAWS), Vec::with_capacity(DRAWS));
    for _ in 0..DRAWS {
        let drawn: Vec<Point> = points.iter().map(|_| points[random.random_range(0..points.len())]).collect();
        let drawn = costs_of(&drawn, costs);
        bests.push(threshold(cheapest(&drawn)));
        savings.push(drawn[at_now] - drawn[best]);
    }
    Swept {
        label,
        costs,
        messages: (points.len(), points.iter().filter(|(_, has)| *has).count()),
        now,
        best: interval(threshold(best), bests),
        saves: interval(curve[at_now] - curve[best], savings),
        curve: curve.iter().enumerate().map(|(step, cost)| (threshold(step), *cost)).collect(),
        bins: bins(points),
    }
}

fn threshold(step: usize) -> f64 {
    (step + 1) as f64 / (STEPS + 1) as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a threshold is between 0 and 1")]
fn step_of(threshold: f64) -> usize {
    ((threshold * (STEPS + 1) as f64).round() as usize).clamp(1, STEPS) - 1
}

/// What a hundred messages cost with each threshold: a label holds from it on.
fn costs_of(points: &[Point], (missed, needless): (f64, f64)) -> Vec<f64> {
    let cost = |step: usize| {
        let of_point = |&(probability, has): &Point| match (probability >= threshold(step), has) {
            (false, true) => missed,
            (true, false) => needless,
            _ => 0.0,
        };
        points.iter().map(of_point).sum::<f64>() * 100.0 / points.len() as f64
    };
    (0..STEPS).map(cost).collect()
}

/// The middle of the steps that cost least: the ends of such a stretch are next to a message that changes sides.
fn cheapest(curve: &[f64]) -> usize {
    let least = curve.iter().copied().fold(f64::INFINITY, f64::min);
    let steps: Vec<usize> = (0..curve.len()).filter(|&step| curve[step] <= least + 1e-9).collect();
    steps[steps.len() / 2]
}

fn interval(value: f64, mut drawn: Vec<f64>) -> Interval {
    drawn.sort_by(f64::total_cmp);
    Interval { low: drawn[DRAWS / 40], value, high: drawn[DRAWS - 1 - DRAWS / 40] }
}

fn bins(points: &[Point]) -> Vec<(f64, f64, usize)> {
    let of_bin = |bin: usize| {
        let (low, high) = (bin as f64 / BINS as f64, (bin + 1) as f64 / BINS as f64);
        let is_last = bin + 1 == BINS;
        let inside: Vec<&Point> = points.iter().filter(|(p, _)| *p >= low && (*p < high || is_last)).collect();
        let mean = inside.iter().map(|(p, _)| p).sum::<f64>() / inside.len() as f64;
        let share = inside.iter().filter(|(_, has)| *has).count() as f64 / inside.len() as f64;
        (!inside.is_empty()).then_some((mean, share, inside.len()))
    };
    (0..BINS).filter_map(of_bin).collect()
}

/// `prompts/triage.toml` with the thresholds that are worth it.
///
/// # Errors
/// Where the text is no TOML, in words.
pub fn with_thresholds(text: &str, swept: &[Swept]) -> Result<String, String> {
    let mut file: toml_edit::DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    for one in swept.iter().filter(|one| one.is_worth_it()) {
        file["label"][one.label.name()]["threshold"] = toml_edit::value(one.best.value);
    }
    Ok(file.to_string())
}

/// The change as a unified diff that `git apply` takes.
pub fn diff(path: &str, before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(3).header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}

const PAGE: &str = include_str!("sweep/page.html.j2");

/// The charts of a page, which gives them as `charts`.
pub(super) const CHARTS: &str = include_str!("sweep/charts.html.j2");

/// Cost curves and reliability diagrams as one page that needs nothing else.
///
/// # Panics
/// Never: the template is written here, and a test renders it.
pub fn html(swept: &[Swept]) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.add_template("charts", CHARTS).expect("the template is written here");
    environment.add_template("page", PAGE).expect("the template is written here");
    let charts: Vec<Chart> = swept.iter().map(Chart::of).collect();
    let page = environment.get_template("page").expect("it was added");
    page.render(Value::from(Serde(&Page { charts }))).expect("the template fits its data")
}

/// What the page is made of.
#[derive(Serialize)]
struct Page<'a> {
    charts: Vec<Chart<'a>>,
}

/// A threshold as the page draws it, on a plane of 100 by 100 with the origin at the top.
#[derive(Serialize)]
pub(super) struct Chart<'a> {
    swept: &'a Swept,
    worth: bool,
    /// Points of the cost curve.
    curve: String,
    /// The cost at the top of the plane.
    most: f64,
    /// Points of the reliability diagram: across, down, radius.
    bins: Vec<(f64, f64, f64)>,
}

impl<'a> Chart<'a> {
    /// Of a threshold.
    pub(super) fn of(swept: &'a Swept) -> Self {
        let most = swept.curve.iter().map(|(_, cost)| *cost).fold(1e-9, f64::max);
        let mut curve = String::new();
        for (threshold, cost) in &swept.curve {
            let _ = write!(curve, "{:.1},{:.1} ", threshold * 100.0, 100.0 - cost / most * 100.0);
        }
        let dot = |(mean, share, count): &(f64, f64, usize)| {
            (mean * 100.0, 100.0 - share * 100.0, 1.0 + (*count as f64).sqrt().min(12.0) / 3.0)
        };
        Self { swept, worth: swept.is_worth_it(), curve, most, bins: swept.bins.iter().map(dot).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages that have the label as often as is foretold.
    fn calibrated() -> Vec<Point> {
        let mut random = StdRng::seed_from_u64(1);
        let point = |_| {
            let probability: f64 = random.random();
            (probability, random.random::<f64>() < probability)
        };
        (0..600).map(point).collect()
    }

    #[test]
    fn where_probabilities_are_right_the_cheapest_threshold_follows_from_the_costs() {
        for (costs, expected) in [((4.0, 1.0), 0.2), ((1.0, 1.0), 0.5), ((10.0, 1.0), 1.0 / 11.0)] {
            let found = swept(Label::Emotional, &calibrated(), costs, 0.9);
            assert!((found.best.value - expected).abs() < 0.2, "{costs:?}: {:?}", found.best);
            assert!(found.best.low <= expected + 0.02 && expected - 0.02 <= found.best.high, "{:?}", found.best);
            assert!(found.is_worth_it(), "0.9 is far off: {:?}", found.saves);
        }
        let found = swept(Label::Emotional, &calibrated(), (4.0, 1.0), 0.2);
        assert!(!found.is_worth_it(), "it is right already: {:?}", found.saves);
        assert!(found.bins.iter().all(|(mean, share, _)| (mean - share).abs() < 0.2), "{:?}", found.bins);
    }

    #[test]
    fn few_messages_change_nothing() {
        let few: Vec<Point> = (0..40).map(|number| (f64::from(number) / 40.0, number >= 38)).collect();
        assert!(!swept(Label::Emotional, &few, (1.0, 1.0), 0.02).is_worth_it());
    }

    #[test]
    fn a_threshold_is_proposed_as_a_diff_that_leaves_the_rest_as_it_is() {
        let text =
            "# why\n[label.emotional]\nru = \"а\"\nneedless = 1\n\n# more\n[label.complex]\nthreshold = 0.9 # old\n";
        let proposed = |label, now| Swept { label, ..swept(Label::Emotional, &calibrated(), (1.0, 1.0), now) };
        let after = with_thresholds(text, &[proposed(Label::Emotional, 0.95), proposed(Label::Complex, 0.95)]).unwrap();
        assert!(after.contains("needless = 1\nthreshold = 0.") && after.contains("# more\n[label.complex]"), "{after}");
        let diff = diff("prompts/triage.toml", text, &after);
        assert!(diff.starts_with("--- a/prompts/triage.toml\n+++ b/prompts/triage.toml\n@@"), "{diff}");
        assert!(diff.contains("\n+threshold = 0.") && diff.contains("\n-threshold = 0.9"), "{diff}");
        assert_eq!(with_thresholds(text, &[]).unwrap(), text);
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = html(&[swept(Label::Emotional, &calibrated(), (4.0, 1.0), 0.9)]);
        assert!(
            page.contains("<svg") && page.contains("emotional") && !page.contains("src=") && !page.contains("href=")
        );
    }
}
