//! Case files: YAML, read strictly, with the place of what is wrong.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use super::words::meant;

/// A case file that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}:{line}:{column}: {why}")]
pub struct FileError {
    /// The file.
    pub path: String,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1.
    pub column: u64,
    /// What is wrong.
    pub why: String,
}

/// Reads a case.
pub(super) fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, FileError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
        let told = error.to_string();
        let (told, shown) = told.split_once('\n').unwrap_or((&told, ""));
        // Its own place stands before it.
        let told = told.split_once(&format!("column {column}: ")).map_or(told, |(_, told)| told);
        let why = format!("{told}{}\n{shown}", mend(&error, text, (line, column)));
        FileError { path: path.display().to_string(), line, column, why: why.trim_end().to_owned() }
    })
}

/// What should stand there instead, where that can be told.
fn mend(error: &Error, text: &str, place: (u64, u64)) -> String {
    match error.without_snippet() {
        Error::SerdeUnknownVariant { variant: written, expected, .. }
        | Error::SerdeUnknownField { field: written, expected, .. } => meant(written, expected.iter().copied()),
        other if other.to_string().contains("expected sequence start") => {
            let written = word_at(text, place);
            format!(": a list is wanted, `[{written}]`")
        }
        _ => String::new(),
    }
}

/// What stands at a place up to the end of its entry.
fn word_at(text: &str, (line, column): (u64, u64)) -> String {
    let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    let rest: String = text.lines().nth(at(line)).unwrap_or_default().chars().skip(at(column)).collect();
    rest.split([',', '}', '#']).next().unwrap_or_default().trim().to_owned()
}

/// Reads every `*.yaml` of a directory, in the order of their names.
pub(super) fn read_dir<T: DeserializeOwned>(dir: &Path) -> Result<Vec<(PathBuf, T)>, FileError> {
    read_dir_with(dir, |text, path| Ok(vec![(path.to_owned(), parse(text, path)?)]))
}

/// Reads every `*.yaml` of a directory, in the order of their names, each by `parse`.
pub(super) fn read_dir_with<T>(
    dir: &Path,
    parse: impl Fn(&str, &Path) -> Result<Vec<T>, FileError>,
) -> Result<Vec<T>, FileError> {
    let unreadable = |path: &Path, error: std::io::Error| FileError {
        path: path.display().to_string(),
        line: 1,
        column: 1,
        why: format!("can't be read: {error}"),
    };
    let entries = std::fs::read_dir(dir).map_err(|error| unreadable(dir, error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        cases.extend(parse(&text, &path)?);
    }
    Ok(cases)
}
