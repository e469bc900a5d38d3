//! A run in the format that CI systems read.

use std::fmt::Write as _;

use super::{Report, reasons};
use crate::eval::case::Suite;
use crate::eval::run::Seen;

/// The run as JUnit's XML: a suite of tests for each suite of cases.
pub fn junit(report: &Report) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"firstline eval\">\n");
    for suite in Suite::ALL {
        let cases: Vec<_> = report.cases.iter().filter(|case| case.suite == suite).collect();
        if cases.is_empty() {
            continue;
        }
        let faulty =
            |case: &&&crate::eval::run::CaseResult| case.runs.iter().any(|run| matches!(run.seen, Seen::Fault(_)));
        let errors = cases.iter().filter(faulty).count();
        let failures = cases.iter().filter(|case| !case.is_passed()).count() - errors;
        let (name, all) = (suite.name(), cases.len());
        let _ =
            writeln!(xml, "  <testsuite name=\"{name}\" tests=\"{all}\" failures=\"{failures}\" errors=\"{errors}\">");
        for case in cases {
            let seconds = case.runs.iter().map(|run| run.ms).sum::<u64>() as f64 / 1_000.0;
            let (id, file, line) = (escaped(&case.id), escaped(&case.path.display().to_string()), case.line);
            let _ = write!(
                xml,
                "    <testcase classname=\"{name}\" name=\"{id}\" file=\"{file}\" line=\"{line}\" time=\"{seconds:.3}\""
            );
            if case.is_passed() {
                let _ = writeln!(xml, "/>");
            } else {
                let kind = if faulty(&&case) { "error" } else { "failure" };
                let why = escaped(&reasons(case).join("\n"));
                let _ = writeln!(xml, "><{kind} message=\"{why}\"/></testcase>");
            }
        }
        let _ = writeln!(xml, "  </testsuite>");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// A text as it may stand in XML; what XML can't hold at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            letter if letter < ' ' || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}
