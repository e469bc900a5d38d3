//! Labelled messages of others as cases of triage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::text::hex;
use crate::domain::turn::Label;

/// A line of a set: a message with one label or several. Whatever else stands in it is passed over.
#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    label: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    lang: Option<String>,
    source: Option<String>,
    licence: Option<String>,
}

/// Cases that were read in.
#[derive(Debug, Default)]
pub struct Imported {
    /// The cases, in the order of their ids.
    pub file: File,
    /// How many are of which source and licence: only what its licence allows may be passed on.
    pub licences: BTreeMap<(String, String), usize>,
    /// Labels that are none of ours, and how many messages were left out for them.
    pub unknown: BTreeMap<String, usize>,
}

/// A file of triage cases as it is written.
#[derive(Debug, Default, Serialize)]
pub struct File {
    suite: &'static str,
    /// Its cases.
    pub cases: Vec<Case>,
}

/// A case.
#[derive(Debug, Serialize)]
pub struct Case {
    id: String,
    #[serde(rename = "in")]
    message: String,
    expect: Expect,
    tags: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Expect {
    labels: Vec<Label>,
}

/// Reads lines; `renamed` says what labels of theirs are called here. With `most`, so many messages: those with the least
/// hash of themselves and `seed`.
///
/// # Errors
/// Where a line is wrong, with its number.
pub fn import(
    text: &str,
    renamed: &BTreeMap<String, Label>,
    (most, seed): (Option<usize>, u64),
) -> Result<Imported, String> {
    let mut imported = Imported::default();
    let mut cases: BTreeMap<String, (Case, (String, String))> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line: Line = serde_json::from_str(line).map_err(|error| format!("{}: {error}", number + 1))?;
        let theirs: Vec<String> = line.label.into_iter().chain(line.labels).collect();
        let ours = |label: &String| renamed.get(label).copied().or_else(|| Label::from_name(label));
        if let Some(unknown) = theirs.iter().find(|label| ours(label).is_none()) {
            *imported.unknown.entry(unknown.clone()).or_default() += 1;
            continue;
        }
        let labels: Vec<Label> = theirs.iter().filter_map(ours).collect();
        if labels.is_empty() {
            return Err(format!("{}: there is neither `label` nor `labels`", number + 1));
        }
        let hash = hex(&Sha256::digest(format!("{seed}\n{}", line.text))[..6]);
        let source = line.source.unwrap_or_else(|| "unknown".to_owned());
        let id = format!("imported-{hash}");
        let tags = line.lang.into_iter().chain([source.clone()]).collect();
        let case = Case { id: id.clone(), message: line.text, expect: Expect { labels }, tags };
        cases.insert(id, (case, (source, line.licence.unwrap_or_else(|| "unknown".to_owned()))));
    }
    imported.file.suite = "triage";
    for (case, licence) in cases.into_values().take(most.unwrap_or(usize::MAX)) {
        *imported.licences.entry(licence).or_default() += 1;
        imported.file.cases.push(case);
    }
    Ok(imported)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::eval::case;

    const SET: &str = r#"{"text": "where's my parcel?", "lang": "en", "label": "routine", "source": "a", "licence": "MIT"}
{"text": "hi: \"you\" # there", "lang": "en", "label": "chitchat", "source": "a", "licence": "MIT"}
{"text": "Верните деньги, подам в суд", "lang": "ru", "labels": ["emotional", "safety_legal"], "source": "b", "licence": "CC0-1.0"}
{"text": "???", "label": "spam"}"#;

    #[test]
    fn labelled_messages_become_cases_that_can_be_read() {
        let renamed = [("chitchat".to_owned(), Label::SmallTalk)].into();
        let imported = import(SET, &renamed, (None, 1)).unwrap();
        assert_eq!(imported.unknown, [("spam".to_owned(), 1)].into());
        assert_eq!(imported.licences[&("a".to_owned(), "MIT".to_owned())], 2);
        let text = serde_saphyr::to_string(&imported.file).unwrap();
        let cases = case::parse(&text, Path::new("imported.yaml")).unwrap_or_else(|error| panic!("{error} in {text}"));
        let messages = |text: &str| cases.iter().filter(|case| format!("{case:?}").contains(text)).count();
        assert_eq!((cases.len(), messages("SafetyLegal"), messages("# there")), (3, 1, 1));
        assert_eq!(import(SET, &renamed, (Some(2), 1)).unwrap().file.cases.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let error = |text: &str| import(text, &BTreeMap::new(), (None, 1)).unwrap_err();
        assert!(error(&format!("{}\n{{}}", SET.lines().next().unwrap())).starts_with("2: "));
        assert!(error(r#"{"text": "x"}"#).starts_with("1: there is neither"));
    }
}
