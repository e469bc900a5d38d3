//! Which cases are run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::RunArgs;
use crate::cli::Exit;
use crate::eval::case::{self, Case, Suite};
use crate::eval::report::Report;
use crate::eval::run::CaseResult;

/// The cases that the arguments choose; the last run is in `out`.
///
/// # Errors
/// Where a file is wrong, or nothing is as asked for.
pub(super) fn chosen(args: &RunArgs, out: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = read(&args.what, &args.dir)?;
    let last = (args.failed || args.flaky)
        .then(|| Report::read(&out.join("report.json")).map_err(anyhow::Error::msg))
        .transpose()?;
    let wanted = |case: &&CaseResult| (args.failed && !case.is_passed()) || (args.flaky && case.is_flaky());
    let of_last: Option<BTreeSet<&str>> =
        last.as_ref().map(|last| last.cases.iter().filter(wanted).map(|case| case.id.as_str()).collect());
    cases.retain(|case| {
        (args.only.is_empty() || args.only.contains(&case.id))
            && (args.tag.is_empty() || args.tag.iter().any(|tag| case.tags.contains(tag)))
            && args.grep.as_ref().is_none_or(|text| format!("{case:?}").contains(text.as_str()))
            && of_last.as_ref().is_none_or(|ids| ids.contains(case.id.as_str()))
    });
    if let Some(unknown) = args.only.iter().find(|id| cases.iter().all(|case| case.id != **id)) {
        return Err(Exit::invalid(&format!("--only: there is no case `{unknown}`")).into());
    }
    if !args.sample.is_empty() {
        cases = sampled(cases, &args.sample, args.seed);
    }
    if cases.is_empty() { Err(Exit::invalid(&"no case is chosen").into()) } else { Ok(cases) }
}

/// The cases of suites and files; of all suites where none is named.
///
/// # Errors
/// Where a file is wrong, with the place, or two cases have one id.
pub(super) fn read(what: &[String], dir: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    let all = Suite::ALL.map(|suite| suite.name().to_owned());
    for name in if what.is_empty() { &all[..] } else { what } {
        let found = match Suite::ALL.into_iter().find(|suite| suite.name() == name) {
            Some(suite) => case::read_suite(dir, suite),
            None => {
                let path = Path::new(name);
                let text = fs::read_to_string(path).map_err(|_| {
                    Exit::invalid(&format!("`{name}` is neither a suite ({}) nor a file", all.join(", ")))
                })?;
                case::parse(&text, path)
            }
        };
        cases.extend(found.map_err(|error| Exit::invalid(&error))?);
    }
    let mut seen: BTreeMap<&str, &Case> = BTreeMap::new();
    for case in &cases {
        if let Some(first) = seen.insert(&case.id, case) {
            let (path, line) = (case.path.display(), case.line);
            let told = format!("{path}:{line}: `{}` is the id of {}:{} too", case.id, first.path.display(), first.line);
            return Err(Exit::invalid(&told).into());
        }
    }
    Ok(cases)
}

/// So many cases of each suite: those with the least hash of id and seed, so that a case that is added moves few others.
fn sampled(cases: Vec<Case>, sample: &[(Option<Suite>, usize)], seed: u64) -> Vec<Case> {
    let mut by_suite: BTreeMap<Suite, Vec<([u8; 32], Case)>> = BTreeMap::new();
    for case in cases {
        let hash = Sha256::digest(format!("{seed}\n{}", case.id)).into();
        by_suite.entry(case.suite).or_default().push((hash, case));
    }
    let chosen = by_suite.into_iter().flat_map(|(suite, mut cases)| {
        let named = sample.iter().find(|(of, _)| *of == Some(suite));
        let most = named.or_else(|| sample.iter().find(|(of, _)| of.is_none())).map_or(0, |(_, most)| *most);
        cases.sort_by_key(|(hash, _)| *hash);
        cases.truncate(most);
        cases.into_iter().map(|(_, case)| case)
    });
    chosen.collect()
}
