//! What a run says, in tables and sentences.

use std::path::Path;

use crate::cli::output;
use crate::eval::judge::Judging;
use crate::eval::report::{Changed, Compared, Report, Row, reasons};
use crate::eval::run::{CaseResult, Seen};
use crate::eval::words::counted;

/// Cases that are told; the report has all.
const TOLD: usize = 12;

/// Says how good the bot is; with a run before, what changed stands last, where people look.
pub(super) fn print(report: &Report, compared: Option<&(Vec<Compared>, Changed)>, out: &Path) {
    output::table(&Row::HEADER, report.rows(compared).iter().map(|row| row.cells().to_vec()).collect());
    counts(report);
    for judge in &report.judges {
        output::line(&judged(judge));
    }
    for (case, how) in report.bad_actors() {
        output::line(&format!("{}: says nothing of the bot: {how}", case.id));
    }
    failures(report, compared, out);
    for gate in report.gates.iter().filter(|gate| gate.kept && gate.name == "critical") {
        output::line(&gate.told);
    }
    for gate in report.gates.iter().filter(|gate| !gate.kept) {
        output::line(&format!("gate, {}: {}", gate.suite.name(), gate.told));
    }
    if let Some((_, changed)) = compared {
        news(changed);
    }
}

fn counts(report: &Report) {
    let (all, failed) = (report.cases.len(), report.failed().filter(|case| case.is_said()).count());
    let seconds = report.took_ms as f64 / 1_000.0;
    let per_second = (all - report.economy.reused) as f64 / seconds.max(0.001);
    let without_verdict = match report.cases.iter().filter(|case| !case.is_said()).count() {
        0 => String::new(),
        some => format!(", {some} without a verdict"),
    };
    let all = counted(all, "case");
    output::line(&format!("{all} in {seconds:.1} s, {per_second:.0} a second; {failed} failed{without_verdict}"));
    let economy = &report.economy;
    if economy.reused > 0 {
        output::line(&format!("{} of them not run again: nothing has changed that they need", economy.reused));
    }
    if economy.tokens != (0, 0) {
        let (read, written) = economy.tokens;
        let money = economy.money.map(|money| format!(": {money:.4}")).unwrap_or_default();
        output::line(&format!("the model read {read} tokens and wrote {written}{money}"));
    }
    if let Some((share, runs)) = report.all_runs_pass() {
        output::line(&format!("pass^{runs}, right in all of {runs} runs: {:.1} %", share * 100.0));
    }
}

/// The cases that failed; those that did so before are no news.
fn failures(report: &Report, compared: Option<&(Vec<Compared>, Changed)>, out: &Path) {
    let (new, old) = report.newly_failed(compared);
    let json = out.join("report.json");
    for case in new.iter().take(TOLD) {
        output::line(&format!("{}:{}: {}", case.path.display(), case.line, case.id));
        for why in reasons(case) {
            output::line(&format!("    {why}"));
        }
    }
    if new.len() > TOLD {
        output::line(&format!("… and {} more in {}", new.len() - TOLD, json.display()));
    }
    if old > 0 {
        let old = counted(old, "case");
        output::line(&format!("{old} failed before as well: {}, or --report html", json.display()));
    }
}

/// What changed since the run before; the worst of it is nearest to the prompt.
fn news(changed: &Changed) {
    for told in changed.left_out() {
        output::line(&told);
    }
    for (id, diff) in changed.broken.iter().filter_map(|id| Some((id, changed.diffs.get(id)?))).take(TOLD) {
        output::line(&format!("{id}, then and now:\n{}", diff.trim_end()));
    }
    for (what, ids) in [
        ("flaky", &changed.flaky),
        ("fixed", &changed.fixed),
        ("broken", &changed.broken),
        ("critical, and failing since", &changed.critical),
    ] {
        if !ids.is_empty() {
            output::line(&format!("{what}: {}", ids.join(", ")));
        }
    }
}

fn judged(judge: &Judging) -> String {
    let believed = if judge.is_calibrated() { "may gate" } else { "informs only" };
    let (replies, figures) = (counted(judge.anchors.len(), "labelled reply"), judge.figures());
    format!("{} is judged by {}, which {believed}: over {replies} {figures}", judge.rubric, judge.model)
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
                    let mark = if check.passed { "as wanted" } else { "NOT AS WANTED" };
                    let why = if check.passed { String::new() } else { format!(": {}", check.why) };
                    output::line(&format!("step {} {:?}: {mark}{why}", check.step, check.kind));
                }
            }
        }
    }
}
