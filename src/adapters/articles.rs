//! Articles in a directory of Markdown files: what the shop's people write, read into what is indexed and quoted.
//!
//! A file begins with front matter (`id`, `title`, `language`, `tags`, `questions`, `updated`) and goes on in Markdown, where each
//! `##` begins a section. Whatever can't be understood is a fault with its place and its mend, never a guess.

mod body;
mod front;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use self::front::Head;
use crate::domain::knowledge::{Article, Section};
use crate::domain::text::Language;

/// A fault in the articles, and what to do about it. Its text is `file:line:column: why`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {why}", path.display(), place.map_or(String::new(), |place| format!(":{}:{}", place.line, place.column)))]
pub struct ArticleError {
    /// The file or directory.
    pub path: PathBuf,
    /// Where in the file; `None` where the fault is that of the file as a whole.
    pub place: Option<Place>,
    /// What is wrong and how it is mended.
    pub why: String,
}

/// A place in a file, as editors count: both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

/// All faults, in the order of files and lines; at least one. Its text has one line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleErrors(pub Vec<ArticleError>);

impl std::fmt::Display for ArticleErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            let divider = if number == 0 { "" } else { "\n" };
            write!(f, "{divider}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ArticleErrors {}

/// Reads every article below `dir`, in the order of their paths: all `*.md` but `README.md` and what is hidden.
///
/// # Errors
/// [`ArticleErrors`] with every fault of every file, or that there is no article.
pub fn read_articles(dir: &Path) -> Result<Vec<Article>, ArticleErrors> {
    let (articles, faults) = read_what_can_be_read(dir)?;
    if faults.is_empty() { Ok(articles) } else { Err(ArticleErrors(faults)) }
}

/// Reads the articles below `dir` that have no fault, and the faults of the others.
///
/// # Errors
/// [`ArticleErrors`] where the directory can't be read or no article in it can be used.
pub fn read_what_can_be_read(dir: &Path) -> Result<(Vec<Article>, Vec<ArticleError>), ArticleErrors> {
    let listed = list(dir);
    if listed.root_failed {
        return Err(ArticleErrors(listed.faults));
    }
    let (mut articles, mut faults) = (Vec::new(), listed.faults);
    let mut taken: HashMap<(String, Language), PathBuf> = HashMap::new();
    for path in listed.files {
        match read(&path, &mut taken) {
            Ok(article) => articles.push(article),
            Err(found) => faults.extend(found),
        }
    }
    if articles.is_empty() && faults.is_empty() {
        faults.push(whole(dir, "there is no article (*.md) here: write one, or set another directory".to_owned()));
    }
    faults.sort_by(|a, b| (&a.path, a.place).cmp(&(&b.path, b.place)));
    if articles.is_empty() { Err(ArticleErrors(faults)) } else { Ok((articles, faults)) }
}

/// Another value whenever a file is added, removed, renamed or written: cheap enough to be asked every few seconds.
///
/// # Errors
/// What the file system answers.
pub fn directory_fingerprint(dir: &Path) -> io::Result<[u8; 32]> {
    fs::read_dir(dir)?;
    let mut hash = Sha256::new();
    for path in list(dir).files {
        // A file that goes away between listing and asking is one that is not there.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let changed = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        let name = path.as_os_str().as_encoded_bytes();
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update(metadata.len().to_le_bytes());
        hash.update(changed.as_nanos().to_le_bytes());
    }
    Ok(hash.finalize().into())
}

/// The files of a directory and of those below.
#[derive(Default)]
struct Listed {
    files: Vec<PathBuf>,
    faults: Vec<ArticleError>,
    root_failed: bool,
    /// Directories by their real path: links may lead in a circle.
    seen: HashSet<PathBuf>,
}

fn list(dir: &Path) -> Listed {
    let mut listed = Listed::default();
    if let Err(error) = list_into(dir, &mut listed) {
        listed.root_failed = true;
        listed.faults = vec![whole(dir, format!("can't be read: {error}; set the directory of your articles"))];
    }
    listed.files.sort();
    listed
}

fn list_into(dir: &Path, listed: &mut Listed) -> io::Result<()> {
    if !listed.seen.insert(fs::canonicalize(dir)?) {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        // Links are followed: mounted configuration consists of them.
        if path.is_dir() {
            if let Err(error) = list_into(&path, listed) {
                listed.faults.push(whole(&path, format!("can't be read: {error}; check its permissions")));
            }
        } else if name != "readme.md" && path.extension().is_some_and(|end| end.eq_ignore_ascii_case("md")) {
            listed.files.push(path);
        }
    }
    Ok(())
}

/// One file, and all that is wrong with it.
fn read(path: &Path, taken: &mut HashMap<(String, Language), PathBuf>) -> Result<Article, Vec<ArticleError>> {
    let source = Source::read(path).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let Some((front, body_start)) = source.front_matter(&mut faults) else { return Err(faults) };
    let head = front::read(front, &source, &mut faults);
    if let Some(head) = &head {
        let key = (head.id.clone(), head.language);
        match taken.get(&key) {
            Some(first) => faults.push(source.fault(
                Some(head.id_place),
                format!("{}/{} is already written in {}: give it another id", key.1, key.0, first.display()),
            )),
            None => {
                taken.insert(key, path.to_owned());
            }
        }
    }
    let sections = body::read(&source, body_start, &mut faults);
    if let Some(head) = &head {
        faults.extend(wrong_language(head, &sections, &source));
    }
    match head {
        Some(head) if faults.is_empty() => Ok(Article {
            id: head.id,
            file: path.to_owned(),
            title: head.title,
            language: head.language,
            tags: head.tags,
            questions: head.questions,
            updated: head.updated,
            sections,
        }),
        _ => Err(faults),
    }
}

/// Whether title and text are in another language than the front matter says: it would be quoted to the wrong customers.
fn wrong_language(head: &Head, sections: &[Section], source: &Source) -> Option<ArticleError> {
    let text: Vec<&str> = sections.iter().map(|section| section.text.as_str()).collect();
    let is = Language::detect(&text.join("\n")).filter(|is| *is != head.language)?;
    // A text may consist of addresses, or of words to be copied; its title does not.
    let wrong = Language::detect(&head.title) == Some(is);
    let why = format!("the front matter says {}, but title and text are in {is}: change one of them", head.language);
    wrong.then(|| source.fault(Some(head.language_place), why))
}

/// A file as it was read: without byte order mark, with line ends of one character.
struct Source<'a> {
    path: &'a Path,
    text: String,
}

impl<'a> Source<'a> {
    fn read(path: &'a Path) -> Result<Self, ArticleError> {
        let bytes = fs::read(path).map_err(|error| whole(path, format!("can't be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let place = Place { line: 1, column: 1 }
                .after(&String::from_utf8_lossy(error.as_bytes().split_at(error.utf8_error().valid_up_to()).0));
            ArticleError {
                path: path.to_owned(),
                place: Some(place),
                why: "this is not UTF-8: save the file in that encoding".to_owned(),
            }
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n");
        Ok(Self { path, text })
    }

    /// The front matter without its lines of dashes, and where the body begins.
    fn front_matter(&self, faults: &mut Vec<ArticleError>) -> Option<(&str, usize)> {
        let first = self.text.split_inclusive('\n').next().unwrap_or_default();
        if first.trim_end() != "---" {
            let keys = "`---`, then id, title, language, tags and updated, then `---`";
            faults
                .push(self.fault(Some(self.place(0)), format!("there is no front matter: begin the file with {keys}")));
            return None;
        }
        let mut at = first.len();
        for line in self.text[first.len()..].split_inclusive('\n') {
            if line.trim_end() == "---" {
                return Some((&self.text[first.len()..at], at + line.len()));
            }
            at += line.len();
        }
        let why = "the front matter does not end: add a line `---` after it".to_owned();
        faults.push(self.fault(Some(self.place(0)), why));
        None
    }

    fn place(&self, offset: usize) -> Place {
        Place { line: 1, column: 1 }.after(&self.text[..offset])
    }

    fn fault(&self, place: Option<Place>, why: String) -> ArticleError {
        ArticleError { path: self.path.to_owned(), place, why }
    }
}

impl Place {
    fn after(self, text: &str) -> Self {
        match text.rsplit_once('\n') {
            Some((before, line)) => {
                Self { line: self.line + before.matches('\n').count() + 1, column: line.chars().count() + 1 }
            }
            None => Self { line: self.line, column: self.column + text.chars().count() },
        }
    }
}

fn whole(path: &Path, why: String) -> ArticleError {
    ArticleError { path: path.to_owned(), place: None, why }
}

#[cfg(test)]
mod tests;
