//! Which cases are run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::RunArgs;
use super::worktree::git;
use crate::adapters::articles;
use crate::app;
use crate::cli::Exit;
use crate::config::Config;
use crate::eval::case::{self, Case, Suite};
use crate::eval::lint::{self, Names};
use crate::eval::report::Report;
use crate::eval::run::CaseResult;
use crate::eval::words::meant;

/// The cases that the arguments choose; the last run is in `out`.
///
/// # Errors
/// Where a file is wrong, or nothing is as asked for.
pub(super) fn chosen(args: &RunArgs, out: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = read(&args.what, &args.dir)?;
    let ids: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
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
        let meant = meant(unknown, ids.iter().map(String::as_str));
        return Err(Exit::invalid(&format!("--only: there is no case `{unknown}`{meant}")).into());
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
                    let meant = meant(name, all.iter().map(String::as_str));
                    Exit::invalid(&format!("`{name}` is neither a suite ({}) nor a file{meant}", all.join(", ")))
                })?;
                case::parse(&text, path)
            }
        };
        cases.extend(found.map_err(|error| Exit::invalid(&error))?);
    }
    let mut seen: BTreeMap<&str, &Case> = BTreeMap::new();
    for case in &cases {
        if let Some(other) = seen.insert(&case.id, case) {
            let (older, newer) = by_age(case, other);
            let place = |case: &Case| format!("{}:{}:{}", case.path.display(), case.line, case.column);
            let told = format!("`{}` is the id of another case as well, at {}", case.id, place(older));
            return Err(Exit::invalid(&format!("{}: {told}: give this one an id of its own", place(newer))).into());
        }
    }
    Ok(cases)
}

/// Which of two cases was there first: the one that git knows, else the one whose path comes first.
fn by_age<'a>(one: &'a Case, other: &'a Case) -> (&'a Case, &'a Case) {
    let is_new = |case: &Case| {
        let name = case.path.file_name().unwrap_or_default().to_string_lossy();
        let dir = case.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        git(&["ls-files", "--error-unmatch", "--", &name], dir).is_err()
    };
    let age = |case: &'a Case| (is_new(case), &case.path, case.line);
    if age(one) <= age(other) { (one, other) } else { (other, one) }
}

/// What cases may name: articles, rubrics, queues.
///
/// # Errors
/// Where articles or prompts can't be read.
pub(super) fn names(config: &Config, rubrics: Vec<String>) -> anyhow::Result<Names> {
    let articles = articles::read_articles(&config.knowledge.dir)?;
    Ok(Names {
        articles: articles.into_iter().map(|article| article.id).collect(),
        rubrics: rubrics.into_iter().collect(),
        queues: app::load_words(config)?.triage.queues().into_iter().collect(),
    })
}

/// Refuses cases that name what nothing is called.
///
/// # Errors
/// With the place of each such name.
pub(super) fn check_names(config: &Config, cases: &[Case], rubrics: Vec<String>) -> anyhow::Result<()> {
    let unknown = lint::unknown(cases, &names(config, rubrics)?);
    let told: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    if told.is_empty() { Ok(()) } else { Err(Exit::invalid(&told.join("\n")).into()) }
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
