//! A run for a pull request.

use std::fmt::Write as _;

use super::{Changed, Compared, Report, reasons};
use crate::eval::stats::Verdict;

/// Failed cases that are listed.
const LISTED: usize = 20;

/// The run as Markdown, beside another one where there is one.
pub fn markdown(report: &Report, compared: Option<&(Vec<Compared>, Changed)>) -> String {
    let mut text = String::from(
        "| suite | metric | value | 95 % | of | change | verdict |\n| --- | --- | --: | --- | --: | --: | --- |\n",
    );
    for figure in &report.figures {
        let interval = figure.interval;
        let beside =
            compared.and_then(|(all, _)| all.iter().find(|one| one.suite == figure.suite && one.name == figure.name));
        let (change, verdict) = beside.map_or((String::new(), String::new()), |beside| {
            (format!("{:+.1} pp", beside.comparison.difference.value * 100.0), verdict(beside))
        });
        let (range, of) = if figure.part.of > 0.0 {
            (format!("{:.1} to {:.1}", interval.low * 100.0, interval.high * 100.0), format!("{}", figure.part.of))
        } else {
            (String::new(), String::new())
        };
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} % | {range} | {of} | {change} | {verdict} |",
            figure.suite.name(),
            figure.name,
            interval.value * 100.0
        );
    }
    for gate in report.gates.iter().filter(|gate| !gate.kept) {
        let _ = writeln!(text, "\n**Gate**, {}: {}", gate.suite.name(), gate.told);
    }
    if let Some((_, changed)) = compared {
        for (what, ids) in [("Fixed", &changed.fixed), ("Broken", &changed.broken), ("Flaky", &changed.flaky)] {
            if !ids.is_empty() {
                let _ = writeln!(text, "\n{what}: {}", ids.join(", "));
            }
        }
        for (id, diff) in changed.broken.iter().filter_map(|id| Some((id, changed.diffs.get(id)?))).take(LISTED) {
            let _ =
                writeln!(text, "\n<details><summary>{id}, then and now</summary>\n\n```diff\n{diff}```\n</details>");
        }
    }
    let failed: Vec<_> = report.failed().collect();
    if !failed.is_empty() {
        let _ = writeln!(text, "\n<details><summary>{} cases failed</summary>\n", failed.len());
        for case in failed.iter().take(LISTED) {
            let _ =
                writeln!(text, "- `{}` ({}:{}): {}", case.id, case.path.display(), case.line, reasons(case).join("; "));
        }
        let _ = writeln!(text, "\n</details>");
    }
    text
}

fn verdict(compared: &Compared) -> String {
    let comparison = &compared.comparison;
    match comparison.verdict {
        Verdict::Better => "better".to_owned(),
        Verdict::Worse => "worse".to_owned(),
        Verdict::NotDistinguishable if comparison.fixed + comparison.broken == 0 => "the same".to_owned(),
        Verdict::NotDistinguishable => format!("not distinguishable, needs {} more cases", comparison.more_cases),
    }
}
