//! A run as one page that needs nothing else: it opens from a file, filters, and shows every case.

use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;

use super::{Changed, Compared, Report, Row, Subject, reasons};
use crate::domain::turn::Label;
use crate::eval::gates::Kept;
use crate::eval::judge::Judging;
use crate::eval::metrics::{Better, Figure, OfLabel, confusion, judged_in};
use crate::eval::run::{CaseResult, Judged};
use crate::eval::sweep::{CHARTS, Chart};

const PAGE: &str = include_str!("page.html.j2");

/// How one label fares, as the page shows it.
#[derive(Serialize)]
struct OfOne {
    name: &'static str,
    right: usize,
    said: usize,
    support: usize,
    f1: f64,
    /// Of the messages that have it: what they are taken for, by label, and for nothing.
    taken_for: Vec<usize>,
}

/// A figure with its gate and what it was before.
#[derive(Serialize)]
struct Shown<'a> {
    suite: &'static str,
    figure: &'a Figure,
    value: String,
    range: String,
    of: String,
    gate: Option<&'a Kept>,
    /// What the metric says, and which way is better.
    meaning: String,
    change: String,
    verdict: String,
}

/// A case with what went otherwise.
#[derive(Serialize)]
struct Told<'a> {
    suite: &'static str,
    case: &'a CaseResult,
    passed: bool,
    why: Vec<String>,
    /// What a model was shown: the task, and the beginning of its prompt.
    prompts: Vec<(&'a str, String)>,
}

/// What the page is made of.
#[derive(Serialize)]
struct Page<'a> {
    made_at: String,
    took: u64,
    subject: &'a Subject,
    gates: &'a [Kept],
    figures: Vec<Shown<'a>>,
    labels: Vec<OfOne>,
    messages: usize,
    cases: Vec<Told<'a>>,
    failed: usize,
    changed: Option<&'a Changed>,
    left_out: Vec<String>,
    charts: Vec<Chart<'a>>,
    judges: &'a [Judging],
}

/// Prompts of a case that the page shows, and how much of each, in characters: five hundred cases stay below two megabytes.
const PROMPTS: (usize, usize) = (2, 900);

/// The run as HTML, beside another one where there is one.
///
/// # Panics
/// Never: the template is written here, and a test renders it.
pub fn html(report: &Report, compared: Option<&(Vec<Compared>, Changed)>) -> String {
    let mut environment = Environment::new();
    environment.add_filter("percent", |share: f64| format!("{:.1}", share * 100.0));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.add_template("charts", CHARTS).expect("the template is written here");
    environment.add_template("page", PAGE).expect("the template is written here");
    let page = environment.get_template("page").expect("it was added");
    let judged: Vec<&Judged> = report.cases.iter().flat_map(|case| &case.runs).filter_map(judged_in).collect();
    let data = Page {
        made_at: report.made_at.strftime("%Y-%m-%d %H:%M").to_string(),
        took: report.took_ms / 1_000,
        subject: &report.subject,
        gates: &report.gates,
        figures: report.rows(compared).iter().map(shown).collect(),
        labels: confusion(&judged).into_iter().map(|of| of_one(of, &judged)).collect(),
        messages: judged.len(),
        cases: report.cases.iter().map(told).collect(),
        failed: report.failed().count(),
        changed: compared.map(|(_, changed)| changed),
        left_out: compared.map(|(_, changed)| changed.left_out()).unwrap_or_default(),
        charts: report.thresholds.iter().map(Chart::of).collect(),
        judges: &report.judges,
    };
    page.render(Value::from(Serde(&data))).expect("the template fits its data")
}

fn told(case: &CaseResult) -> Told<'_> {
    let prompts = case.runs.iter().flat_map(|run| &run.prompts).take(PROMPTS.0);
    let prompts = prompts.map(|(task, text)| (task.as_str(), text.chars().take(PROMPTS.1).collect())).collect();
    Told { suite: case.suite.name(), case, passed: case.is_passed(), why: reasons(case), prompts }
}

fn shown<'a>(row: &Row<'a>) -> Shown<'a> {
    let figure = row.figure;
    let way = if figure.better == Better::Higher { "more" } else { "less" };
    Shown {
        suite: figure.suite.name(),
        figure,
        value: figure.value(),
        range: figure.range(),
        of: figure.of(),
        gate: row.gate,
        meaning: format!("{}; {way} is better", figure.meaning),
        change: row.change(),
        verdict: row.verdict(),
    }
}

fn of_one(of: OfLabel, judged: &[&Judged]) -> OfOne {
    let f1 = of.f1();
    let OfLabel { label, right, said, support } = of;
    let having: Vec<&&Judged> = judged.iter().filter(|one| one.gold.contains(&label)).collect();
    // A message with several labels is confused only where it is taken for one that it has not.
    let taken = |other: &Label| {
        let is = |one: &&&&Judged| one.said.contains(other) && (*other == label || !one.gold.contains(other));
        having.iter().filter(is).count()
    };
    let mut taken_for: Vec<usize> = Label::ALL.iter().map(taken).collect();
    taken_for.push(having.iter().filter(|one| one.said.is_empty()).count());
    OfOne { name: label.name(), right, said, support, f1, taken_for }
}
