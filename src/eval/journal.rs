//! How cases went, kept with what each depended on: a case is run again only where something of that has changed, and
//! what a run has done before it was cut need not be done again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::case::{Case, Task};
use super::run::{CaseResult, Seen};
use crate::domain::text::hex;

/// The name of the articles among what cases depend on.
pub const ARTICLES: &str = "articles";

/// What results may depend on: the hash of each, by its name. Files of `prompts/` have their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// What every case depends on: the program, the settings, the model, the embedder, how often cases are run.
    pub common: BTreeMap<String, String>,
    /// Files of `prompts/`, by their names.
    pub prompts: BTreeMap<String, String>,
    /// All articles together: which of them is found, and how surely, depends on all. So whoever changes one changes what
    /// every case depends on, but for those that bring articles of their own and stand alone.
    pub articles: String,
}

impl Inputs {
    /// Reads the files.
    ///
    /// # Errors
    /// Where one can't be read.
    pub fn read(common: BTreeMap<String, String>, prompts: &Path, articles: &Path) -> io::Result<Self> {
        let mut hashes = BTreeMap::new();
        for (name, bytes) in files(prompts)? {
            hashes.insert(name, hash(&bytes));
        }
        let mut all = Sha256::new();
        for (name, bytes) in files(articles)? {
            all.update(name.as_bytes());
            all.update(Sha256::digest(&bytes));
        }
        Ok(Self { common, prompts: hashes, articles: hex(&all.finalize()[..8]) })
    }

    /// What a result depends on: a model's prompt only where the model was asked for that task.
    pub fn needs(&self, case: &Case, result: &CaseResult) -> BTreeMap<String, String> {
        let asked = |task: &str| result.runs.iter().any(|run| run.prompts.iter().any(|(asked, _)| asked == task));
        let is_played = matches!(case.task, Task::Play(_));
        let of_prompts = self.prompts.iter().filter(|(name, _)| match name.split_once('.') {
            Some((task, "md.j2")) => asked(task),
            _ if *name == "phrases.toml" => is_played,
            _ => true,
        });
        let mut needs = self.common.clone();
        needs.extend(of_prompts.map(|(name, hash)| (format!("prompts/{name}"), hash.clone())));
        let stands_alone = matches!(&case.task, Task::Play(script) if script.only_these_articles);
        if !stands_alone {
            needs.insert(ARTICLES.to_owned(), self.articles.clone());
        }
        needs.insert("case".to_owned(), hash(format!("{:?}", case.task).as_bytes()));
        needs
    }
}

/// Every file below a directory with its name there, in order.
///
/// # Errors
/// Where one can't be read.
pub fn files(dir: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
                found.push((name, fs::read(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A short hash of something.
pub fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

/// How a case went, and what that depended on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    needs: BTreeMap<String, String>,
    result: CaseResult,
}

/// How every case went when it was run last: a file with a line a result, the newest of a case counts.
pub struct Journal {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl Journal {
    /// Reads what is kept; a line that a cut run left half written is dropped, as are those of another version.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let read = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        let entries: BTreeMap<String, Entry> = read.map(|entry| (entry.result.id.clone(), entry)).collect();
        let journal = Self { path: path.to_owned(), entries };
        if journal.entries.len() < text.lines().count() {
            journal.write()?;
        }
        Ok(journal)
    }

    fn write(&self) -> io::Result<()> {
        let lines = self.entries.values().map(|entry| Ok(serde_json::to_string(entry)? + "\n"));
        fs::write(&self.path, lines.collect::<Result<String, io::Error>>()?)
    }

    /// How cases went, by id.
    pub fn before(&self) -> BTreeMap<String, CaseResult> {
        self.entries.iter().map(|(id, entry)| (id.clone(), entry.result.clone())).collect()
    }

    /// What has changed of that which a case depends on, by name; `None` where it was never run.
    pub fn changed(&self, case: &Case, inputs: &Inputs) -> Option<BTreeSet<String>> {
        let Entry { needs, result } = self.entries.get(&case.id)?;
        let now = inputs.needs(case, result);
        let names: BTreeSet<&String> = needs.keys().chain(now.keys()).collect();
        Some(names.into_iter().filter(|name| needs.get(*name) != now.get(*name)).cloned().collect())
    }

    /// How a case went, where nothing has changed since that it depended on.
    pub fn still_holds(&self, case: &Case, inputs: &Inputs) -> Option<CaseResult> {
        if !self.changed(case, inputs)?.is_empty() {
            return None;
        }
        let Entry { result, .. } = self.entries.get(&case.id)?;
        // The case may have moved in its file.
        let Case { path, line, tags, critical, .. } = case.clone();
        Some(CaseResult { critical, tags, path, line, ..result.clone() })
    }

    /// Notes how a case went; what could not be run is as if it had not been.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn add(&mut self, case: &Case, result: &CaseResult, inputs: &Inputs) -> io::Result<()> {
        if result.runs.iter().any(|run| matches!(run.seen, Seen::Fault(_))) {
            return Ok(());
        }
        let entry = Entry { needs: inputs.needs(case, result), result: result.clone() };
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.write_all(format!("{}\n", serde_json::to_string(&entry)?).as_bytes())?;
        self.entries.insert(case.id.clone(), entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::parse;
    use super::super::run::made;
    use super::*;

    #[test]
    fn an_article_touches_all_cases_but_those_that_stand_alone() {
        let dir = tempfile::tempdir().unwrap();
        let text = "suite: dialog\ncases:\n- id: a\n  title: t\n  turns: [{customer: Да}]\n\
                    - id: alone\n  title: t\n  only_these_articles: true\n  turns: [{customer: Да}]\n";
        let cases = parse(text, Path::new("a.yaml")).unwrap();
        let inputs = |articles: &str| Inputs { articles: articles.to_owned(), ..Inputs::default() };
        let mut journal = Journal::open(&dir.path().join("results.jsonl")).unwrap();
        assert_eq!(journal.changed(&cases[0], &inputs("then")), None, "it was never run");
        for case in &cases {
            journal.add(case, &made::case(&case.id, []), &inputs("then")).unwrap();
        }
        let changed = |case: &Case| journal.changed(case, &inputs("now")).unwrap();
        assert_eq!(changed(&cases[0]), BTreeSet::from([ARTICLES.to_owned()]));
        assert_eq!(changed(&cases[1]), BTreeSet::new());
        assert!(journal.still_holds(&cases[1], &inputs("now")).is_some());
    }
}
