//! `firstline eval import`: labelled messages of others become cases.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::cli::{Exit, output};
use crate::domain::turn::Label;
use crate::eval::import::import;
use crate::eval::words::counted;

/// Writes the messages of a file as cases, and says whose they are.
///
/// # Errors
/// Where a line is wrong, or the cases can't be written.
pub(super) fn run(
    file: &Path,
    out: &Path,
    renamed: &[(String, Label)],
    chosen: (Option<usize>, u64),
    json: bool,
) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).map_err(|error| Exit::invalid(&format!("{}: {error}", file.display())))?;
    let renamed = renamed.iter().cloned().collect();
    let imported = import(&text, &renamed, chosen);
    let imported = imported.map_err(|why| Exit::invalid(&format!("{}:{why}", file.display())))?;
    if imported.file.cases.is_empty() {
        let unknown: Vec<&str> = imported.unknown.keys().map(String::as_str).collect();
        let why = format!("{}: nothing in it has a label of ours; theirs: {}", file.display(), unknown.join(", "));
        return Err(Exit::invalid(&why).into());
    }
    let path = out.join("triage").join(format!("{}.yaml", file.file_stem().unwrap_or_default().display()));
    if path.exists() {
        return Err(Exit::invalid(&format!("{}: it is there already: choose another --out", path.display())).into());
    }
    let text = serde_saphyr::to_string(&imported.file)?;
    fs::create_dir_all(out.join("triage"))
        .and_then(|()| fs::write(&path, text))
        .with_context(|| format!("{} can't be written", path.display()))?;
    if json {
        return output::json(
            &json!({ "file": path, "cases": imported.file.cases.len(), "left_out": imported.unknown }),
        );
    }
    output::line(&format!("{}: {}", path.display(), counted(imported.file.cases.len(), "case")));
    let rows = imported
        .licences
        .iter()
        .map(|((source, licence), cases)| vec![source.clone(), licence.clone(), cases.to_string()]);
    output::table(&["source", "licence", "cases"], rows.collect());
    for (label, messages) in &imported.unknown {
        output::line(&format!("left out: {messages} with the label `{label}`; --rename {label}=LABEL says what it is"));
    }
    output::line("pass on only what the licence allows");
    output::line(&format!("firstline eval {} runs them", path.display()));
    Ok(())
}
