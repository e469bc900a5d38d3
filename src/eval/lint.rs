//! What is wrong with a set of cases though every file can be read: articles that are gone, cases that are nearly the same,
//! cases that the bot has seen, labels that nothing tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::case::{Case, Suite, Task};
use super::play::value_of;
use super::script::Script;
use super::words::{compared, meant};
use crate::domain::turn::Label;
use crate::engine::learn::KEYS;

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

/// What a case may name.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Ids of all articles.
    pub articles: BTreeSet<String>,
    /// The rubrics by which replies can be judged.
    pub rubrics: BTreeSet<String>,
    /// The queues of `prompts/triage.toml`.
    pub queues: BTreeSet<String>,
}

/// Looks a set over; `texts` are what the bot has seen, examples of `prompts/triage.toml` and questions of articles, each
/// with where it stands.
pub fn lint(cases: &[Case], names: &Names, texts: &[(&str, String)]) -> Vec<Finding> {
    let mut findings = unknown(cases, names);
    findings.extend(alike(cases));
    findings.extend(leaked(cases, texts));
    findings.extend(untested(cases));
    findings
}

/// What cases name and nothing is called: with it a case can never be right, whatever the bot does.
pub fn unknown(cases: &[Case], names: &Names) -> Vec<Finding> {
    let keys: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    let mut findings = Vec::new();
    for (case, script) in cases.iter().filter_map(|case| Some((case, script(case)?))) {
        let mut look = |what: &str, written: Vec<&str>, known: &BTreeSet<String>| {
            for word in written.into_iter().filter(|word| !known.contains(*word)) {
                let meant = meant(word, known.iter().map(String::as_str));
                findings.push(finding(case, format!("{}: there is no {what} `{word}`{meant}", case.id)));
            }
        };
        let brought = script.articles.iter().map(|planted| planted.id.clone());
        let of_company = if script.only_these_articles { BTreeSet::new() } else { names.articles.clone() };
        look("article", cited(script), &of_company.into_iter().chain(brought).collect());
        look("rubric", script.judge.iter().map(String::as_str).collect(), &names.rubrics);
        look("queue", script.end_state.queue.as_deref().into_iter().collect(), &names.queues);
        look("key of facts", keys_of(script), &keys);
    }
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

fn cited(script: &Script) -> Vec<&str> {
    let expects = script.turns.iter().map(|step| &step.expect);
    expects.flat_map(|expect| expect.cites_all.iter().chain(&expect.cites_any)).map(|id| bare(id)).collect()
}

/// The keys of facts that a script speaks of; not those of `facts_not`, for an attack may want one that there is not.
fn keys_of(script: &Script) -> Vec<&str> {
    let Script { known, turns, end_state: end, .. } = script;
    let of_steps = turns.iter().flat_map(|step| &step.expect.facts);
    let facts = known.values().flatten().chain(of_steps).chain(&end.facts);
    let keys = facts.flat_map(|fact| fact.split(" | ")).map(|fact| value_of(fact).0);
    let bare = turns.iter().flat_map(|step| step.expect.asks_none_of.iter().chain(&step.forget));
    keys.chain(bare.map(String::as_str)).collect()
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
fn leaked(cases: &[Case], texts: &[(&str, String)]) -> Vec<Finding> {
    let known: Vec<_> = texts.iter().map(|(text, place)| (pieces(text), place)).collect();
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
        let names = Names { articles: ["here".to_owned()].into(), ..Names::default() };
        let found = lint(&cases, &names, &texts);
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
    fn names_that_nothing_has_are_found_with_what_was_meant() {
        let text = "suite: memory\ncases:\n- id: a\n  title: t\n  known: {ana: [\"town = Тула\"]}\n  judge: [tome]\n  turns:\n\
                    \x20 - forget: adress\n  - customer: Да\n    expect: {cites_all: [ru/delivery], facts: [\"city = Тула | nmae = Тула\"]}\n\
                    \x20 end_state: {queue: suport, facts_not: [discount]}\n\
                    - id: b\n  title: t\n  only_these_articles: true\n  turns: [{customer: Да, expect: {cites_any: [deliveries]}}]\n";
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        let names = Names { articles: set("deliveries"), rubrics: set("tone"), queues: set("support") };
        let found = unknown(&parse(text, Path::new("a.yaml")).unwrap(), &names);
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "a.yaml:3:3: a: there is no article `delivery`: did you mean `deliveries`?",
                "a.yaml:3:3: a: there is no rubric `tome`: did you mean `tone`?",
                "a.yaml:3:3: a: there is no queue `suport`: did you mean `support`?",
                "a.yaml:3:3: a: there is no key of facts `town`",
                "a.yaml:3:3: a: there is no key of facts `nmae`: did you mean `name`?",
                "a.yaml:3:3: a: there is no key of facts `adress`: did you mean `address`?",
                "a.yaml:12:3: b: there is no article `deliveries`",
            ],
            "an article of the company is none where only the case's own are"
        );
    }

    #[test]
    fn labels_that_nothing_tests_are_named() {
        let text = "suite: triage\ncases:\n- id: a\n  in: \"Позовите человека\"\n  expect: {labels: [human_request]}\n";
        let cases = parse(text, Path::new("a.yaml")).unwrap();
        let found = lint(&cases, &Names::default(), &[]);
        assert_eq!(found.len(), Label::ALL.len() - 1);
        assert!(found.iter().any(|finding| finding.why.contains("safety_legal")));
    }
}
