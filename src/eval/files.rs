//! Case files: YAML, read strictly, with the place of what is wrong.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

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
        FileError { path: path.display().to_string(), line, column, why: error.to_string() }
    })
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
