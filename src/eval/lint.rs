//! What is wrong with a set of cases though every file can be read: articles that are gone, cases that are nearly the same,
//! cases that the bot has seen, labels that nothing tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::case::{Case, Suite, Task};
use super::script::Script;
use super::words::compared;
use crate::domain::turn::Label;

/// From this share of three-letter pieces in common on, two texts are nearly the same.
const ALIKE: f64 = 0.85;

/// Shorter texts are alike by nature, in characters.
const SHORTEST: usize = 16;

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The file.
    pub path: PathBuf,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1.
    pub column: u64,
    /// What is wrong.
    pub why: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: {}", self.path.display(), self.line, self.column, self.why)
    }
}

/// What the bot has seen: texts, each with where it stands.
pub struct Seen<'a> {
    /// Ids of all articles.
    pub articles: BTreeSet<&'a str>,
    /// The rubrics by which replies can be judged.
    pub rubrics: Vec<&'a str>,
    /// Examples of `prompts/triage.toml` and questions of articles.
    pub texts: Vec<(&'a str, String)>,
}

/// Looks a set over.
pub fn lint(cases: &[Case], seen: &Seen<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for case in cases {
        let told = |why: String| finding(case, why);
        let brought = |article: &str| {
            script(case).is_some_and(|script| script.articles.iter().any(|planted| planted.id == bare(article)))
        };
        let known = |article: &&str| seen.articles.contains(bare(article)) || brought(article);
        for article in cited(case).into_iter().filter(|article| !known(article)) {
            findings.push(told(format!("{}: there is no article `{article}`", case.id)));
        }
        let judged = script(case).into_iter().flat_map(|script| &script.judge);
        for rubric in judged.filter(|rubric| !seen.rubrics.contains(&rubric.as_str())) {
            findings.push(told(format!("{}: there is no rubric `{rubric}`", case.id)));
        }
    }
    findings.extend(alike(cases));
    findings.extend(leaked(cases, seen));
    findings.extend(untested(cases));
    findings
}

fn finding(case: &Case, why: String) -> Finding {
    Finding { path: case.path.clone(), line: case.line, column: case.column, why }
}

fn bare(article: &str) -> &str {
    article.split_once('/').map_or(article, |(_, id)| id)
}

fn script(case: &Case) -> Option<&Script> {
    match &case.task {
        Task::Play(script) => Some(script),
        Task::Triage(_) => None,
    }
}

fn cited(case: &Case) -> Vec<&str> {
    let expects = script(case).into_iter().flat_map(|script| &script.turns).map(|step| &step.expect);
    expects.flat_map(|expect| expect.cites_all.iter().chain(&expect.cites_any)).map(String::as_str).collect()
}

/// What the customer says in a case, where that is one message: dialogues begin alike.
fn message(case: &Case) -> Option<&str> {
    match &case.task {
        Task::Triage(case) => Some(case.message.as_str()),
        Task::Play(script) if case.suite == Suite::Answer => {
            script.turns.first()?.customer.as_ref()?.all().first().map(String::as_str)
        }
        Task::Play(_) => None,
    }
    .filter(|text| text.chars().count() >= SHORTEST)
}

fn pieces(text: &str) -> BTreeSet<[char; 3]> {
    let letters: Vec<char> = compared(text).chars().filter(|letter| letter.is_alphanumeric()).collect();
    letters.windows(3).map(|three| [three[0], three[1], three[2]]).collect()
}

fn likeness(a: &BTreeSet<[char; 3]>, b: &BTreeSet<[char; 3]>) -> f64 {
    let common = a.intersection(b).count();
    common as f64 / (a.len() + b.len() - common).max(1) as f64
}

fn alike(cases: &[Case]) -> Vec<Finding> {
    let texts: Vec<_> = cases.iter().filter_map(|case| Some((case, pieces(message(case)?)))).collect();
    let mut findings = Vec::new();
    for (at, (case, text)) in texts.iter().enumerate() {
        let of_suite = texts[..at].iter().filter(|(other, _)| other.suite == case.suite);
        for (other, _) in of_suite.filter(|(_, earlier)| likeness(text, earlier) >= ALIKE) {
            let why = format!("{} says nearly what {} says", case.id, other.id);
            findings.push(finding(case, why));
        }
    }
    findings
}

/// Cases that the bot is shown the answers of measure nothing.
fn leaked(cases: &[Case], seen: &Seen<'_>) -> Vec<Finding> {
    let known: Vec<_> = seen.texts.iter().map(|(text, place)| (pieces(text), place)).collect();
    let of_case = |case: &Case| {
        let text = pieces(message(case)?);
        let (_, place) = known.iter().find(|(known, _)| likeness(&text, known) >= ALIKE)?;
        let why = format!("{} stands in {place}: the bot knows it already", case.id);
        Some(finding(case, why))
    };
    cases.iter().filter_map(of_case).collect()
}

fn untested(cases: &[Case]) -> Vec<Finding> {
    let mut tested: BTreeMap<Label, usize> = BTreeMap::new();
    let mut first = None;
    for case in cases {
        if let Task::Triage(triage) = &case.task {
            first.get_or_insert(case);
            for label in &triage.expect.labels {
                *tested.entry(*label).or_default() += 1;
            }
        }
    }
    let Some(first) = first else { return Vec::new() };
    let untested = Label::ALL.into_iter().filter(|label| !tested.contains_key(label));
    let told = |label: Label| Finding {
        path: first.path.clone(),
        line: 1,
        column: 1,
        why: format!("no case of triage has the label {}", label.name()),
    };
    untested.map(told).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::eval::case::parse;

    #[test]
    fn what_is_wrong_with_a_set_is_found() {
        let text = "suite: answer\ncases:\n- id: a\n  in: \"Сколько стоит доставка курьером?\"\n  expect: {decision: answer, cites_any: [gone]}\n\
                    - id: b\n  in: \"сколько стоит доставка курьером\"\n  expect: {decision: answer, cites_any: [ru/here]}\n\
                    - id: c\n  in: \"Можно ли вернуть ковёр без чека?\"\n  expect: {decision: answer}\n";
        let cases = parse(text, Path::new("a.yaml")).unwrap();
        let texts = vec![("Можно ли вернуть ковер, без чека", "ru/return".to_owned())];
        let found = lint(&cases, &Seen { rubrics: Vec::new(), articles: ["here"].into(), texts });
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "a.yaml:3:3: a: there is no article `gone`",
                "a.yaml:6:3: b says nearly what a says",
                "a.yaml:9:3: c stands in ru/return: the bot knows it already",
            ]
        );
    }

    #[test]
    fn labels_that_nothing_tests_are_named() {
        let text = "suite: triage\ncases:\n- id: a\n  in: \"Позовите человека\"\n  expect: {labels: [human_request]}\n";
        let cases = parse(text, Path::new("a.yaml")).unwrap();
        let found = lint(&cases, &Seen { rubrics: Vec::new(), articles: BTreeSet::new(), texts: Vec::new() });
        assert_eq!(found.len(), Label::ALL.len() - 1);
        assert!(found.iter().any(|finding| finding.why.contains("safety_legal")));
    }
}
