//! The formats of case files: what goes in, and what must come out.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::files::{self, FileError};
use super::script::{Decided, OneOrMany, Script};
use super::words::Wanted;
use crate::domain::turn::Label;

/// What a file of cases measures; the name of its directory under `eval/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// Single messages: what they are, and whether they go to people.
    Triage,
    /// Single questions: answered from the right article, or not answered.
    Answer,
    /// What is learnt, recalled, corrected, forgotten, and kept apart.
    Memory,
    /// What an operator receives.
    Handoff,
    /// Whole dialogues.
    Dialog,
    /// Attacks.
    Security,
}

impl Suite {
    /// All suites, in the order of reports.
    pub const ALL: [Suite; 6] =
        [Suite::Triage, Suite::Answer, Suite::Memory, Suite::Handoff, Suite::Dialog, Suite::Security];

    /// The name in files, directories and reports.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Triage => "triage",
            Suite::Answer => "answer",
            Suite::Memory => "memory",
            Suite::Handoff => "handoff",
            Suite::Dialog => "dialog",
            Suite::Security => "security",
        }
    }
}

/// A message and what it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriageCase {
    /// Unique among all cases.
    pub id: String,
    /// What the customer writes.
    #[serde(rename = "in")]
    pub message: String,
    /// What must come out.
    pub expect: TriageExpect,
    /// A miss is a scandal: it fails the run by itself.
    #[serde(default)]
    pub critical: bool,
    /// To choose cases by.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// What a message is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriageExpect {
    /// Every label that holds. Whether it is handed over follows from them, by `prompts/triage.toml`.
    pub labels: Vec<Label>,
}

/// A question and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerCase {
    /// Unique among all cases.
    pub id: String,
    /// What the customer writes: one message, or a burst.
    #[serde(rename = "in")]
    pub messages: OneOrMany<String>,
    /// What is remembered of the customer, as `key = value`.
    #[serde(default)]
    pub known: Vec<String>,
    /// What must come out.
    pub expect: AnswerExpect,
    /// A miss is a scandal: it fails the run by itself.
    #[serde(default)]
    pub critical: bool,
    /// To choose cases by.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// What an answer must be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerExpect {
    /// One that is right, or several. Without `answer` among them, nothing answers it.
    pub decision: OneOrMany<Decided>,
    /// Articles of which one must be cited, by their ids.
    #[serde(default)]
    pub cites_any: Vec<String>,
    /// Articles that must all be cited.
    #[serde(default)]
    pub cites_all: Vec<String>,
    /// What must be said.
    #[serde(default)]
    pub says: Vec<Wanted>,
    /// What must not be said.
    #[serde(default)]
    pub says_not: Vec<Wanted>,
    /// Keys of facts that the reply must not ask for.
    #[serde(default)]
    pub asks_none_of: Vec<String>,
}

/// What is done with a case.
#[derive(Debug, Clone)]
pub enum Task {
    /// Triage of one message.
    Triage(TriageCase),
    /// A dialogue, of one question or many.
    Play(Box<Script>),
}

/// A case with its place.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it measures.
    pub suite: Suite,
    /// Unique among all.
    pub id: String,
    /// Whether its failure fails the run by itself.
    pub critical: bool,
    /// To choose by.
    pub tags: Vec<String>,
    /// Its file.
    pub path: PathBuf,
    /// Where it begins: the line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
    /// What is done.
    pub task: Task,
}

/// The suite of a file, read before its cases.
#[derive(Deserialize)]
struct Header {
    suite: Suite,
    /// A list of cases; a script by itself has none.
    cases: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases<T> {
    #[serde(rename = "suite")]
    _suite: Suite,
    cases: Vec<Spanned<T>>,
}

/// Reads a file: a list of cases, or one script.
///
/// # Errors
/// [`FileError`] with its place.
pub fn parse(text: &str, path: &Path) -> Result<Vec<Case>, FileError> {
    let Header { suite, cases } = files::parse(text, path)?;
    if cases.is_none() {
        let script: Script = files::parse(text, path)?;
        return Ok(vec![played(suite, script, path, (1, 1))]);
    }
    match suite {
        Suite::Triage => list(text, path, |case: TriageCase, (line, column)| Case {
            suite,
            id: case.id.clone(),
            critical: case.critical,
            tags: case.tags.clone(),
            path: path.to_owned(),
            line,
            column,
            task: Task::Triage(case),
        }),
        Suite::Answer => list(text, path, |case: AnswerCase, place| played(suite, case.into(), path, place)),
        _ => list(text, path, |script: Script, place| played(suite, script, path, place)),
    }
}

fn list<T: for<'a> Deserialize<'a>>(
    text: &str,
    path: &Path,
    case: impl Fn(T, (u64, u64)) -> Case,
) -> Result<Vec<Case>, FileError> {
    let Cases { cases, .. } = files::parse(text, path)?;
    let place = |spanned: &Spanned<T>| (spanned.defined.line(), spanned.defined.column());
    Ok(cases.into_iter().map(|spanned| (place(&spanned), spanned)).map(|(place, one)| case(one.value, place)).collect())
}

fn played(suite: Suite, script: Script, path: &Path, (line, column): (u64, u64)) -> Case {
    Case {
        suite,
        id: script.id.clone(),
        critical: script.critical,
        tags: script.tags.clone(),
        path: path.to_owned(),
        line,
        column,
        task: Task::Play(Box::new(script)),
    }
}

/// Reads every `*.yaml` of a suite's directory below `root`; a suite may be absent.
///
/// # Errors
/// [`FileError`] of the first that can't be read.
pub fn read_suite(root: &Path, suite: Suite) -> Result<Vec<Case>, FileError> {
    let dir = root.join(suite.name());
    if dir.is_dir() { files::read_dir_with(&dir, parse) } else { Ok(Vec::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_is_named_with_its_place_and_what_was_meant() {
        let triage = |expect: &str| format!("suite: triage\ncases:\n- id: a\n  in: Да\n  expect: {expect}\n");
        let answer = |expect: &str| format!("suite: answer\ncases:\n- id: a\n  in: Да\n  expect: {expect}\n");
        let dialog = |step: &str| format!("suite: dialog\nid: a\ntitle: t\nturns:\n- customer: Да\n  {step}\n");
        for (text, place, told) in [
            (triage("{labels: routine}"), "a.yaml:5:20: ", "a list is wanted, `[routine]`"),
            (triage("{labels: [angry, emotinal]}"), "a.yaml:5:21: ", "unknown variant `angry`"),
            (triage("{labels: [emotinal]}"), "a.yaml:5:21: ", "did you mean `emotional`?"),
            (triage("{lables: [routine]}"), "a.yaml:5:12: ", "did you mean `labels`?"),
            (answer("{decision: anwser}"), "a.yaml:5:", "did you mean `answer`?"),
            (answer("{decision: [answer, handof]}"), "a.yaml:5:", "did you mean `hand_off`?"),
            (answer("{decision: 5}"), "a.yaml:5:", "one text or a list of them"),
            (answer("{decision: answer, cites_any: hours}"), "a.yaml:5:", "`[hours]`"),
            (dialog("expect: {reason: human_reqest}"), "a.yaml:6:", "did you mean `human_request`?"),
            (dialog("expect: {owner: que}"), "a.yaml:6:", "unknown variant `que`"),
            (dialog("expect: {owner: qued}"), "a.yaml:6:", "did you mean `queued`?"),
            (dialog("operator: tak"), "a.yaml:6:", "did you mean `take`?"),
            (dialog("expect: {}\nmodel: [{task: anser}]"), "a.yaml:7:", "did you mean `answer`?"),
            ("suite: tirage\ncases: []\n".to_owned(), "a.yaml:1:8: ", "did you mean `triage`?"),
        ] {
            let error = parse(&text, Path::new("a.yaml")).unwrap_err().to_string();
            assert!(error.starts_with(place) && error.contains(told), "{told}, at {place}, is not in {error}");
        }
    }
}
