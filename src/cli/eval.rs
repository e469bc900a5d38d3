//! `firstline eval`: whether the bot got better, worse, or can't be told apart.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::{Exit, eval_report, output};
use crate::adapters::articles;
use crate::adapters::clock::SystemClock;
use crate::app::studio::Studio;
use crate::app::{self, progress};
use crate::config::Config;
use crate::eval::case::{self, Case, Suite};
use crate::eval::gates::Gates;
use crate::eval::lint::{self, Seen};
use crate::eval::report::{self, Changed, Compared, Report, Subject};
use crate::eval::run::{self, CaseResult};
use crate::ports::clock::Clock as _;
use crate::ports::model::{ChatModel, Embedder};

/// Where the last accepted run is, below the directory of cases.
const BASELINE: &str = "baselines/main.json";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: Option<EvalCommand>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum EvalCommand {
    /// Make the last run the one that others are compared with
    Accept {
        /// The report of the run
        #[arg(long, value_name = "FILE", default_value = "data/eval/report.json")]
        report: PathBuf,
        /// Where the cases are
        #[arg(long, value_name = "DIR", default_value = "eval")]
        dir: PathBuf,
    },
    /// Look the cases over: articles that are gone, cases nearly the same or known to the bot, labels that nothing tests
    Lint {
        /// Where the cases are
        #[arg(long, value_name = "DIR", default_value = "eval")]
        dir: PathBuf,
    },
    /// Show the whole path of one case: what was said, recalled, cited and decided, and every check
    Explain {
        /// The case
        id: String,
        /// Where the cases are
        #[arg(long, value_name = "DIR", default_value = "eval")]
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Suites, or files of cases; all suites if none is named
    #[arg(value_name = "SUITE|FILE")]
    what: Vec<String>,
    /// Where the cases are
    #[arg(long, value_name = "DIR", default_value = "eval")]
    dir: PathBuf,
    /// Only these cases
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Only cases with one of these tags
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tag: Vec<String>,
    /// Only cases whose id or texts hold this
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
    /// Only cases that failed in the last run
    #[arg(long)]
    failed: bool,
    /// So many cases of each suite, the same ones for the same --seed
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Chooses the sample
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run every case so many times
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: usize,
    /// Cases at a time; as many as there are processors if it is left out
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Ask the configured language model, where a script has no lines of its own
    #[arg(long)]
    live: bool,
    /// Compare with `baseline`, the report of an earlier run, or the prompts, articles and settings of a git revision
    #[arg(long, value_name = "baseline|FILE|REF")]
    compare: Option<String>,
    /// Reports to write beside report.json
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    report: Vec<Format>,
    /// Where reports go; eval/ in the data directory if it is left out
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A report for something else than this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page, to look at in a browser
    Html,
    /// For CI
    Junit,
    /// For a pull request
    Md,
}

pub(super) async fn run(config: &Config, args: EvalArgs, json: bool) -> anyhow::Result<()> {
    match args.command {
        Some(EvalCommand::Accept { report, dir }) => accept(&report, &dir),
        Some(EvalCommand::Lint { dir }) => lint(config, &dir, json),
        Some(EvalCommand::Explain { id, dir }) => explain(config, &id, &dir, json).await,
        None => measure(config, &args.run, json).await,
    }
}

async fn measure(config: &Config, args: &RunArgs, json: bool) -> anyhow::Result<()> {
    let gates = Gates::read(&args.dir.join("gates.toml")).map_err(|error| Exit::invalid(&error))?;
    let out = args.out.clone().unwrap_or_else(|| config.data.dir.join("eval"));
    let cases = chosen(args, &out)?;
    if cases.is_empty() {
        return Err(Exit::invalid(&"no case is chosen").into());
    }
    let report = measured(config, args, &cases, &gates, git(&["rev-parse", "--short", "HEAD"], Path::new("."))).await?;
    let before = match &args.compare {
        Some(with) => Some(earlier(with, args, &cases, &gates).await?),
        None => None,
    };
    let compared = before.map(|before| report::compare(&before, &report));
    write(&out, args, &report, compared.as_ref())?;
    if json {
        output::json(&serde_json::json!({ "figures": report.figures, "gates": report.gates,
            "compared": compared.as_ref().map(|(compared, _)| compared),
            "changed": compared.as_ref().map(|(_, changed)| changed) }))?;
    } else {
        eval_report::print(&report, compared.as_ref(), &out);
    }
    ended(&report)
}

/// How the run ends: 3 where a part was down, 1 where a gate was not kept.
fn ended(report: &Report) -> anyhow::Result<()> {
    let faults = report.faults().count();
    if let Some((case, why)) = report.faults().next() {
        return Err(Exit::new(3, format!("{faults} runs of cases could not be made; {}: {why}", case.id)).into());
    }
    match report.gates.iter().filter(|gate| !gate.kept).count() {
        0 => Ok(()),
        broken => Err(Exit::new(1, format!("{broken} gates are not kept")).into()),
    }
}

async fn measured(
    config: &Config,
    args: &RunArgs,
    cases: &[Case],
    gates: &Gates,
    revision: Option<String>,
) -> anyhow::Result<Report> {
    let embedder = app::embedder(config)?;
    let model = if args.live { app::model(config)? } else { None };
    if args.live && model.is_none() {
        bail!("--live: no language model is configured: add [[model]] to config.toml");
    }
    let subject = Subject {
        revision,
        model: model.as_deref().map(|model: &dyn ChatModel| model.name().to_owned()),
        embedder: embedder.as_deref().map(|embedder: &dyn Embedder| embedder.fingerprint().model),
    };
    let studio = Studio::open(config, embedder, model).await?;
    let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let (began, made_at) = (Instant::now(), SystemClock.now());
    let results = with_progress(&studio, cases, (args.repeat.max(1), jobs)).await;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Report::new(subject, gates, results, (made_at, took_ms)))
}

/// Runs the cases under a bar that says how many have passed so far.
async fn with_progress(studio: &Studio, cases: &[Case], how: (usize, usize)) -> Vec<CaseResult> {
    let bar = progress::bar("cases");
    let (mut done, mut passed) = (0_u64, 0_u64);
    let results = run::run(studio, cases, how, |result| {
        done += 1;
        passed += u64::from(result.is_passed());
        bar.set_message(format!("passed {passed} of {done}"));
        progress::show(&bar, done, cases.len() as u64);
    })
    .await;
    bar.finish_and_clear();
    results
}

/// The run to compare with: kept, or made now over the same cases with the files of a git revision.
async fn earlier(with: &str, args: &RunArgs, cases: &[Case], gates: &Gates) -> anyhow::Result<Report> {
    let file = if with == "baseline" { args.dir.join(BASELINE) } else { PathBuf::from(with) };
    if file.is_file() {
        return Report::read(&file).map_err(anyhow::Error::msg).context("--compare");
    }
    if with == "baseline" {
        bail!("--compare baseline: {} is not there: firstline eval accept writes it", file.display());
    }
    let Some(revision) = git(&["rev-parse", "--short", "--verify", &format!("{with}^{{commit}}")], Path::new("."))
    else {
        bail!("--compare: `{with}` is neither a file nor a revision of git");
    };
    let there = Worktree::of(with)?;
    let settings = there.0.join("config.toml");
    let mut config = Config::load(settings.is_file().then_some(settings.as_path()), std::env::vars())?;
    config.prompts.dir = there.0.join(&config.prompts.dir);
    config.knowledge.dir = there.0.join(&config.knowledge.dir);
    measured(&config, args, cases, gates, Some(revision)).await
}

/// The prompts, articles and settings of a revision, for as long as it lives.
struct Worktree(PathBuf);

impl Worktree {
    fn of(revision: &str) -> anyhow::Result<Self> {
        let dir =
            std::env::temp_dir().join(format!("firstline-eval-{}-{}", std::process::id(), revision.replace('/', "-")));
        let path = dir.display().to_string();
        let added = git(&["worktree", "add", "--force", "--detach", "--no-checkout", &path, revision], Path::new("."));
        let there = Self(dir);
        added.context("git can't make a work tree")?;
        for what in ["prompts", "knowledge", "config.toml"] {
            git(&["checkout", revision, "--", what], &there.0);
        }
        Ok(there)
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        git(&["worktree", "remove", "--force", &self.0.display().to_string()], Path::new("."));
    }
}

/// What a command of git says; `None` where it fails, or there is no git.
fn git(arguments: &[&str], dir: &Path) -> Option<String> {
    let done = Command::new("git").args(arguments).current_dir(dir).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// The cases that the arguments choose.
fn chosen(args: &RunArgs, out: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = read(&args.what, &args.dir)?;
    let last = args.failed.then(|| Report::read(&out.join("report.json")).map_err(anyhow::Error::msg)).transpose()?;
    let failed: Option<Vec<&str>> = last.as_ref().map(|last| last.failed().map(|case| case.id.as_str()).collect());
    cases.retain(|case| {
        (args.only.is_empty() || args.only.contains(&case.id))
            && (args.tag.is_empty() || args.tag.iter().any(|tag| case.tags.contains(tag)))
            && args.grep.as_ref().is_none_or(|text| format!("{case:?}").contains(text.as_str()))
            && failed.as_ref().is_none_or(|failed| failed.contains(&case.id.as_str()))
    });
    if let Some(unknown) = args.only.iter().find(|id| cases.iter().all(|case| case.id != **id)) {
        return Err(Exit::invalid(&format!("--only: there is no case `{unknown}`")).into());
    }
    Ok(match args.sample {
        Some(most) => sampled(cases, most, args.seed),
        None => cases,
    })
}

fn read(what: &[String], dir: &Path) -> anyhow::Result<Vec<Case>> {
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
fn sampled(cases: Vec<Case>, most: usize, seed: u64) -> Vec<Case> {
    use sha2::{Digest as _, Sha256};
    let mut by_suite: BTreeMap<Suite, Vec<([u8; 32], Case)>> = BTreeMap::new();
    for case in cases {
        let hash = Sha256::digest(format!("{seed}\n{}", case.id)).into();
        by_suite.entry(case.suite).or_default().push((hash, case));
    }
    let chosen = by_suite.into_values().flat_map(|mut cases| {
        cases.sort_by_key(|(hash, _)| *hash);
        cases.truncate(most);
        cases.into_iter().map(|(_, case)| case)
    });
    chosen.collect()
}

fn write(
    out: &Path,
    args: &RunArgs,
    report: &Report,
    compared: Option<&(Vec<Compared>, Changed)>,
) -> anyhow::Result<()> {
    let save = |name: &str, text: String| {
        fs::create_dir_all(out)
            .and_then(|()| fs::write(out.join(name), text))
            .with_context(|| format!("{} can't be written", out.join(name).display()))
    };
    save("report.json", serde_json::to_string(report)?)?;
    for format in &args.report {
        match format {
            Format::Html => save("report.html", report::html(report, compared))?,
            Format::Junit => save("report.xml", report::junit(report))?,
            Format::Md => save("report.md", report::markdown(report, compared))?,
        }
    }
    Ok(())
}

fn accept(report: &Path, dir: &Path) -> anyhow::Result<()> {
    let accepted = Report::read(report).map_err(anyhow::Error::msg)?;
    let (baseline, cases) = (dir.join(BASELINE), accepted.cases.len());
    if let Some(parent) = baseline.parent() {
        fs::create_dir_all(parent).with_context(|| format!("{} can't be made", parent.display()))?;
    }
    let written = fs::write(&baseline, serde_json::to_string(&accepted)?);
    written.with_context(|| format!("{} can't be written", baseline.display()))?;
    output::line(&format!("{} is the run of {} over {cases} cases", baseline.display(), accepted.made_at));
    Ok(())
}

fn lint(config: &Config, dir: &Path, json: bool) -> anyhow::Result<()> {
    let cases = read(&[], dir)?;
    Gates::read(&dir.join("gates.toml")).map_err(|error| Exit::invalid(&error))?;
    let articles = articles::read_articles(&config.knowledge.dir)?;
    let triage = app::load_words(config)?.triage;
    let examples = triage.examples().map(|(_, _, text)| (text, "prompts/triage.toml".to_owned()));
    let of_articles = articles.iter().flat_map(|article| {
        article.questions.iter().map(|question| (question.as_str(), format!("the questions of {}", article.key())))
    });
    let seen = Seen {
        articles: articles.iter().map(|article| article.id.as_str()).collect(),
        texts: examples.chain(of_articles).collect(),
    };
    let findings = lint::lint(&cases, &seen);
    if json {
        output::json(&findings)?;
    } else {
        for finding in &findings {
            output::line(&finding.to_string());
        }
    }
    if findings.is_empty() {
        if !json {
            output::line(&format!("{} cases are in order", cases.len()));
        }
        return Ok(());
    }
    Err(Exit::new(2, format!("{} findings", findings.len())).into())
}

async fn explain(config: &Config, id: &str, dir: &Path, json: bool) -> anyhow::Result<()> {
    let mut cases = read(&[], dir)?;
    cases.retain(|case| case.id == id);
    if cases.is_empty() {
        return Err(Exit::invalid(&format!("there is no case `{id}`")).into());
    }
    let studio = Studio::open(config, app::embedder(config)?, None).await?;
    let results = run::run(&studio, &cases, (1, 1), |_| {}).await;
    let result = results.first().context("the case was run")?;
    if json {
        return output::json(result);
    }
    eval_report::explain(result);
    Ok(())
}
