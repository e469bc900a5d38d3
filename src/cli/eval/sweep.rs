//! `firstline eval sweep`: thresholds by what they cost.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::app;
use crate::cli::{Exit, output};
use crate::config::Config;
use crate::eval::case::Suite;
use crate::eval::report::Report;
use crate::eval::sweep::{Swept, diff, html, sweep, with_thresholds};

/// Sweeps the thresholds over a run, tells what is worth changing, and writes the page beside the run.
///
/// # Errors
/// Where there is no run, or nothing in it that a threshold could be found from.
pub(super) fn run(config: &Config, report: &Path, json: bool) -> anyhow::Result<()> {
    let run = Report::read(report).map_err(|why| Exit::invalid(&why))?;
    let triage = app::load_words(config)?.triage;
    let swept = sweep(run.cases.iter(), &triage);
    if swept.is_empty() {
        return Err(Exit::invalid(&format!("{}: {}", report.display(), lacks(&run))).into());
    }
    let page = report.with_file_name("sweep.html");
    fs::write(&page, html(&swept)).with_context(|| format!("{} can't be written", page.display()))?;
    let file = config.prompts.dir.join("triage.toml");
    let before = fs::read_to_string(&file).with_context(|| format!("{} can't be read", file.display()))?;
    let after = with_thresholds(&before, &swept).map_err(|why| Exit::invalid(&format!("{}: {why}", file.display())))?;
    let diff = diff(&file.display().to_string(), &before, &after);
    if json {
        return output::json(&json!({ "labels": swept, "diff": diff, "page": page }));
    }
    let header = ["label", "with it", "messages", "now", "cheapest", "95 %", "saves per 100", "95 %", "change it"];
    output::table(&header, swept.iter().map(row).collect());
    output::line(&format!("curves: {}", page.display()));
    if diff.is_empty() {
        output::line("no threshold is worth changing: the run can't tell a cheaper one from the one in force");
    } else {
        output::line("what is worth changing, for git apply:");
        output::line(diff.trim_end_matches('\n'));
    }
    Ok(())
}

/// Why there is no probability of the classifier in a run, and what to do about it.
fn lacks(run: &Report) -> String {
    let has_triage = run.cases.iter().any(|case| case.suite == Suite::Triage);
    match &run.subject.embedder {
        _ if !has_triage => "no case of triage is in it: run firstline eval triage".to_owned(),
        None => {
            "it was run without an embedder, and the classifier of triage reads vectors: set kind = \"embedded\" below \
                 [embedder] in config.toml, then run firstline eval triage"
                .to_owned()
        }
        Some(embedder) => format!(
            "no probability of the classifier is in it. An accepted run keeps none: run firstline eval triage. If that changes \
             nothing, the classifier was trained with another embedder than {embedder}: firstline triage train"
        ),
    }
}

fn row(one: &Swept) -> Vec<String> {
    let range = |low: f64, high: f64| format!("{low:.2} to {high:.2}");
    vec![
        one.label.name().to_owned(),
        one.messages.1.to_string(),
        one.messages.0.to_string(),
        format!("{:.2}", one.now),
        format!("{:.2}", one.best.value),
        range(one.best.low, one.best.high),
        format!("{:.2}", one.saves.value),
        range(one.saves.low, one.saves.high),
        if one.is_worth_it() { "yes" } else { "no" }.to_owned(),
    ]
}
