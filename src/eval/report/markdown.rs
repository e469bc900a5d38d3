//! A run for a pull request: first what changed, then how good it is.

use std::fmt::Write as _;

use super::{Changed, Compared, Report, Row, reasons};
use crate::eval::words::counted;

/// Cases that are listed.
const LISTED: usize = 20;

/// The run as Markdown, beside another one where there is one.
pub fn markdown(report: &Report, compared: Option<&(Vec<Compared>, Changed)>) -> String {
    let mut text = compared.map(|(_, changed)| news(changed)).unwrap_or_default();
    let _ = writeln!(text, "| {} |\n| --- | --- | --: | --- | --: | --- | --: | --- |", Row::HEADER.join(" | "));
    for row in report.rows(compared) {
        let _ = writeln!(text, "| {} |", row.cells().join(" | "));
    }
    for gate in report.gates.iter().filter(|gate| !gate.kept) {
        let _ = writeln!(text, "\n**Gate**, {}: {}", gate.suite.name(), gate.told);
    }
    failures(&mut text, report, compared);
    text
}

/// What changed since the run before, and what can't be compared with it.
fn news(changed: &Changed) -> String {
    let mut text = String::new();
    for (what, ids) in [
        ("**Critical, and failing since**", &changed.critical),
        ("**Broken**", &changed.broken),
        ("**Fixed**", &changed.fixed),
        ("Flaky", &changed.flaky),
    ] {
        if !ids.is_empty() {
            let _ = writeln!(text, "{what}: {}\n", ids.join(", "));
        }
    }
    if text.is_empty() {
        text.push_str("No case went otherwise than before.\n\n");
    }
    for (id, diff) in changed.broken.iter().filter_map(|id| Some((id, changed.diffs.get(id)?))).take(LISTED) {
        let _ = writeln!(text, "<details><summary>{id}, then and now</summary>\n\n```diff\n{diff}```\n</details>\n");
    }
    for told in changed.left_out() {
        let _ = writeln!(text, "{told}\n");
    }
    text
}

fn failures(text: &mut String, report: &Report, compared: Option<&(Vec<Compared>, Changed)>) {
    let (new, old) = report.newly_failed(compared);
    if !new.is_empty() {
        let _ = writeln!(text, "\n<details><summary>{} failed</summary>\n", counted(new.len(), "case"));
        for case in new.iter().take(LISTED) {
            let _ =
                writeln!(text, "- `{}` ({}:{}): {}", case.id, case.path.display(), case.line, reasons(case).join("; "));
        }
        let _ = writeln!(text, "\n</details>");
    }
    if old > 0 {
        let _ = writeln!(
            text,
            "\n{} failed before as well: report.json and the HTML report have them.",
            counted(old, "case")
        );
    }
}
