//! What a run says, in tables and sentences.

use std::path::Path;

use crate::cli::output;
use crate::eval::gates::Kept;
use crate::eval::judge::Judging;
use crate::eval::metrics::Figure;
use crate::eval::report::{Changed, Compared, Report, reasons};
use crate::eval::run::{CaseResult, Seen};
use crate::eval::stats::Verdict;

/// Failed cases that are told; the report has all.
const TOLD: usize = 12;

pub(super) fn print(report: &Report, compared: Option<&(Vec<Compared>, Changed)>, out: &Path) {
    let header = ["suite", "metric", "value", "95 %", "of", "gate", "change", "verdict"];
    let rows = report.figures.iter().map(|figure| row(figure, report, compared));
    output::table(&header, rows.collect());
    let (all, failed) = (report.cases.len(), report.failed().count());
    let seconds = report.took_ms as f64 / 1_000.0;
    let per_second = all as f64 / seconds.max(0.001);
    output::line(&format!("{all} cases in {seconds:.1} s, {per_second:.0} a second; {failed} failed"));
    let economy = &report.economy;
    if economy.reused > 0 {
        output::line(&format!("{} of them are as they were: nothing has changed that they need", economy.reused));
    }
    if economy.tokens != (0, 0) {
        let (read, written) = economy.tokens;
        let money = economy.money.map(|money| format!(": {money:.4}")).unwrap_or_default();
        output::line(&format!("the model read {read} tokens and wrote {written}{money}"));
    }
    if let Some((share, runs)) = report.all_runs_pass() {
        output::line(&format!("pass^{runs}, right in all of {runs} runs: {:.1} %", share * 100.0));
    }
    if let Some((_, changed)) = compared {
        for (what, ids) in [("fixed", &changed.fixed), ("broken", &changed.broken), ("flaky", &changed.flaky)] {
            if !ids.is_empty() {
                output::line(&format!("{what}: {}", ids.join(", ")));
            }
        }
        for (id, diff) in changed.broken.iter().filter_map(|id| Some((id, changed.diffs.get(id)?))).take(TOLD) {
            output::line(&format!("{id}, then and now:\n{}", diff.trim_end()));
        }
    }
    for judge in &report.judges {
        output::line(&judged(judge));
    }
    for (case, how) in report.bad_actors() {
        output::line(&format!("{}: says nothing of the bot: {how}", case.id));
    }
    for case in report.failed().take(TOLD) {
        output::line(&format!("{}:{}: {}", case.path.display(), case.line, case.id));
        for why in reasons(case) {
            output::line(&format!("    {why}"));
        }
    }
    if failed > TOLD {
        output::line(&format!("… and {} more in {}", failed - TOLD, out.join("report.json").display()));
    }
    for gate in report.gates.iter().filter(|gate| gate.kept && gate.name == "critical") {
        output::line(&gate.told);
    }
    for gate in report.gates.iter().filter(|gate| !gate.kept) {
        output::line(&format!("gate, {}: {}", gate.suite.name(), gate.told));
    }
}

fn row(figure: &Figure, report: &Report, compared: Option<&(Vec<Compared>, Changed)>) -> Vec<String> {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let is_share = figure.part.of > 0.0;
    let gate = report.gates.iter().find(|gate| gate.suite == figure.suite && gate.name == figure.name);
    let beside =
        compared.and_then(|(all, _)| all.iter().find(|one| one.suite == figure.suite && one.name == figure.name));
    vec![
        figure.suite.name().to_owned(),
        figure.name.clone(),
        if is_share { percent(figure.interval.value) } else { format!("{:.3}", figure.interval.value) },
        if is_share {
            format!("{:.1} to {:.1}", figure.interval.low * 100.0, figure.interval.high * 100.0)
        } else {
            String::new()
        },
        if is_share { figure.part.of.to_string() } else { String::new() },
        gate.map(gate_words).unwrap_or_default(),
        beside.map(change).unwrap_or_default(),
        beside.map(verdict).unwrap_or_default(),
    ]
}

fn change(compared: &Compared) -> String {
    let change = format!("{:+.1} pp", compared.comparison.difference.value * 100.0);
    match compared.judge_shift {
        Some(shift) => format!("{change}, without {:+.1} of the judge itself", shift * 100.0),
        None => change,
    }
}

fn judged(judge: &Judging) -> String {
    let Judging { rubric, model, agreement, anchors, .. } = judge;
    let figures = agreement.iter().map(|(criterion, one)| {
        format!("{criterion} κ {:.2}, TPR {:.2}, TNR {:.2}", one.kappa(), one.tpr(), one.tnr())
    });
    let believed = if judge.is_calibrated() { "may gate" } else { "informs only" };
    let figures = figures.collect::<Vec<_>>().join("; ");
    format!("{rubric} is judged by {model}, which {believed}: over {} labelled replies {figures}", anchors.len())
}

fn gate_words(gate: &Kept) -> String {
    let kept = if gate.kept { "kept" } else { "NOT KEPT" };
    gate.goal.map_or_else(|| kept.to_owned(), |goal| format!("{kept}, goal {goal}"))
}

fn verdict(compared: &Compared) -> String {
    let comparison = &compared.comparison;
    match comparison.verdict {
        Verdict::Better => "better".to_owned(),
        Verdict::Worse => "worse".to_owned(),
        Verdict::NotDistinguishable if comparison.fixed + comparison.broken == 0 => "the same".to_owned(),
        Verdict::NotDistinguishable => {
            let (more, least) = (comparison.more_cases, comparison.detectable * 100.0);
            format!("not distinguishable (from {least:.1} pp on; needs {more} more)")
        }
    }
}

pub(super) fn explain(case: &CaseResult) {
    output::line(&format!("{} ({}:{})", case.id, case.path.display(), case.line));
    for run in &case.runs {
        match &run.seen {
            Seen::Fault(why) => output::line(&format!("could not be run: {why}")),
            Seen::BadActor(why) => output::line(&format!("says nothing of the bot: {why}")),
            Seen::Judged(judged) => {
                output::line(&format!("customer: {}", judged.message));
                let rows = judged.labels.iter().map(|labelled| {
                    let gold = if judged.gold.contains(&labelled.label) { "yes" } else { "" };
                    let said = if judged.said.contains(&labelled.label) { "yes" } else { "" };
                    let (label, by) = (labelled.label.name().to_owned(), format!("{:?}", labelled.by).to_lowercase());
                    vec![label, format!("{:.2}", labelled.confidence), by, said.to_owned(), gold.to_owned()]
                });
                output::table(&["label", "figure", "by", "holds", "is"], rows.collect());
                output::line(&format!("decision: {}", judged.decision));
            }
            Seen::Played(played) => {
                for line in &played.transcript {
                    output::line(&line.to_string());
                }
                let rows = played.turns.iter().map(|turn| {
                    vec![
                        turn.step.to_string(),
                        turn.decision.clone(),
                        turn.reason.clone().unwrap_or_default(),
                        format!("{:.2}", turn.coverage),
                        turn.recalled.join(", "),
                        turn.cited.join(", "),
                    ]
                });
                output::table(&["step", "decision", "reason", "covered", "at hand", "cited"], rows.collect());
                if !played.package.is_empty() {
                    output::line(&format!("package:\n{}", played.package));
                }
                for check in &played.checks {
                    let mark = if check.passed { "as wanted" } else { "OTHERWISE" };
                    let why = if check.passed { String::new() } else { format!(": {}", check.why) };
                    output::line(&format!("step {} {:?}: {mark}{why}", check.step, check.kind));
                }
            }
        }
    }
}
