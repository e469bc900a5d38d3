//! A run of cases: what they are run with, how far, and what is told of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};

use super::{BASELINE, Format, ModeArgs, RunArgs, choice, table};
use crate::adapters::clock::SystemClock;
use crate::adapters::embedded::EmbeddedEmbedder;
use crate::adapters::openai;
use crate::app::studio::{Models, Studio};
use crate::app::{self, progress};
use crate::cli::{Exit, output};
use crate::config::{Config, EmbedderKind, Model};
use crate::eval::case::Case;
use crate::eval::cassette::{self, Cassettes, Mode, RecordedEmbedder, RecordedModel};
use crate::eval::gates::Gates;
use crate::eval::journal::{self, Inputs, Journal};
use crate::eval::judge::{self, Judging, Rubric};
use crate::eval::report::{self, Changed, Compared, Economy, Made, Report, Subject};
use crate::eval::run::{self, CaseResult, How, Seen, Stages as _};
use crate::eval::sweep::sweep;
use crate::eval::vectors::KeptEmbedder;
use crate::ports::clock::Clock as _;
use crate::ports::model::{ChatModel, Embedder};

/// Where it is kept how cases went, beside the reports.
const JOURNAL: &str = "results.jsonl";

/// Runs the cases that are chosen, tells how they went, and ends by it.
///
/// # Errors
/// With the code by which the program ends.
pub(super) async fn measure(config: &Config, args: &RunArgs, json: bool) -> anyhow::Result<()> {
    let rubrics = judge::rubrics(&args.dir.join("judges")).map_err(|error| Exit::invalid(&error))?;
    let names: Vec<String> = rubrics.iter().map(|rubric| rubric.name.clone()).collect();
    let gates = Gates::read(&args.dir.join("gates.toml"), &names).map_err(|error| Exit::invalid(&error))?;
    let out = args.out.clone().unwrap_or_else(|| config.data.dir.join("eval"));
    let cases = choice::chosen(args, &out)?;
    fs::create_dir_all(&out).with_context(|| format!("{} can't be made", out.display()))?;
    let journal = out.join(JOURNAL);
    let mut journal = Journal::open(&journal).with_context(|| format!("{} can't be used", journal.display()))?;
    let revision = git(&["rev-parse", "--short", "HEAD"], Path::new("."));
    let what = What { cases: &cases, gates: &gates, rubrics: &rubrics };
    let mut report = measured(config, args, &what, revision, Some(&mut journal)).await?;
    let before = match &args.compare {
        Some(with) => Some(earlier(with, args, &what).await?),
        None => None,
    };
    let compared = before.map(|before| report::compare(&before, &report));
    if let Some((compared, _)) = &compared {
        report.gates.extend(gates.check_comparison(compared));
    }
    write(&out, args, &report, compared.as_ref())?;
    if json {
        output::json(
            &serde_json::json!({ "figures": report.figures, "gates": report.gates, "economy": report.economy,
            "compared": compared.as_ref().map(|(compared, _)| compared),
            "changed": compared.as_ref().map(|(_, changed)| changed) }),
        )?;
    } else {
        table::print(&report, compared.as_ref(), &out);
    }
    ended(&report)
}

/// How the run ends: 3 where a part was down, 4 where the budget did not do, 1 where a gate was not kept.
fn ended(report: &Report) -> anyhow::Result<()> {
    let faults = report.faults().count();
    if let Some((case, why)) = report.faults().next() {
        return Err(Exit::new(3, format!("{faults} runs of cases could not be made; {}: {why}", case.id)).into());
    }
    if report.economy.left > 0 {
        let left = report.economy.left;
        return Err(Exit::new(4, format!("the budget is spent: {left} cases were not run; --resume goes on")).into());
    }
    match report.gates.iter().filter(|gate| !gate.kept).count() {
        0 => Ok(()),
        broken => Err(Exit::new(1, format!("{broken} gates are not kept")).into()),
    }
}

/// The model and the embedder of a run, and the recordings between them and the cases.
pub(super) struct Cast {
    cassettes: Arc<Cassettes>,
    pub(super) models: Models,
    pub(super) embedder: Option<Arc<dyn Embedder>>,
    mode: Option<Mode>,
}

impl Cast {
    /// What the settings name; recordings are among the cases of `dir` where nothing else is said.
    ///
    /// # Errors
    /// Where a model is wanted and none is set, or recordings can't be read.
    pub(super) fn of(config: &Config, args: &ModeArgs, dir: &Path) -> anyhow::Result<Self> {
        let dir = args.cassettes.clone().unwrap_or_else(|| dir.join("cassettes"));
        let cassettes = Arc::new(Cassettes::open(&dir).map_err(|why| Exit::invalid(&why))?);
        let mode = match (args.live, args.record, args.replay) {
            (true, ..) => Some(Mode::Live),
            (_, true, _) => Some(Mode::Record),
            (.., true) => Some(Mode::Replay),
            _ => None,
        };
        let settings = if config.examiner.is_empty() { &config.model } else { &config.examiner };
        let examiner = mode.map(|mode| recorded(config, settings, &cassettes, mode)).transpose()?;
        let model = mode.map(|mode| recorded(config, &config.model, &cassettes, mode)).transpose()?;
        let embedder = match (embedder(config)?, mode) {
            (Some(inner), Some(mode)) if config.embedder.kind == EmbedderKind::Endpoint => {
                Some(Arc::new(RecordedEmbedder { inner, cassettes: Arc::clone(&cassettes), mode }) as Arc<dyn Embedder>)
            }
            (embedder, _) => embedder,
        };
        Ok(Self { cassettes, models: Models { model, examiner }, embedder, mode })
    }

    fn subject(&self, revision: Option<String>) -> Subject {
        Subject {
            revision,
            model: self.models.model.as_deref().map(|model| model.name().to_owned()),
            embedder: self.embedder.as_deref().map(|embedder| embedder.fingerprint().model),
        }
    }
}

/// The embedder that the settings name. The encoder in this program has all cores, since nobody else wants them, and computes
/// the same every time: its vectors are kept beside the results.
///
/// # Errors
/// Where it can't be made of the settings, or the directory can't be used.
pub(super) fn embedder(config: &Config) -> anyhow::Result<Option<Arc<dyn Embedder>>> {
    if config.embedder.kind != EmbedderKind::Embedded {
        return app::embedder(config);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let dir = config.data.dir.join("eval");
    let kept = KeptEmbedder::open(Arc::new(EmbeddedEmbedder::with_threads(cores)?), &dir);
    Ok(Some(Arc::new(kept.with_context(|| format!("{} can't be used", dir.display()))?)))
}

/// The first of the models that are set, with its recordings before it.
fn recorded(
    config: &Config,
    settings: &[Model],
    cassettes: &Arc<Cassettes>,
    mode: Mode,
) -> anyhow::Result<Arc<dyn ChatModel>> {
    let inner = if mode == Mode::Replay { None } else { app::model_of(settings, config)? };
    let name = match (&inner, settings.first()) {
        (Some(inner), _) => inner.name().to_owned(),
        (None, _) if mode != Mode::Replay => bail!("no language model is configured: add [[model]] to config.toml"),
        (None, Some(model)) => model.name.clone(),
        (None, None) => cassettes.only_model().ok_or_else(|| {
            Exit::invalid(
                &"--replay: there are no recordings, or of several models: name one as [[model]] in config.toml",
            )
        })?,
    };
    let (cassettes, count) = (Arc::clone(cassettes), openai::count_tokens as fn(&str) -> usize);
    Ok(Arc::new(RecordedModel { inner, name, count, cassettes, mode }))
}

/// What a token costs that is read, and one that is written.
fn prices(config: &Config, args: &RunArgs) -> anyhow::Result<Option<(f64, f64)>> {
    let model = config.model.first().map(|model| (model.price_read / 1e6, model.price_written / 1e6));
    let prices = model.filter(|(read, written)| *read > 0.0 || *written > 0.0);
    if args.budget.is_some() && prices.is_none() {
        bail!("--budget: the model has no price: set price_read and price_written of [[model]] in config.toml");
    }
    Ok(prices)
}

/// What is measured, and by what.
struct What<'a> {
    cases: &'a [Case],
    gates: &'a Gates,
    rubrics: &'a [Rubric],
}

async fn measured(
    config: &Config,
    args: &RunArgs,
    &What { cases, gates, rubrics }: &What<'_>,
    revision: Option<String>,
    mut journal: Option<&mut Journal>,
) -> anyhow::Result<Report> {
    let (cast, prices) = (Cast::of(config, &args.mode, &args.dir)?, prices(config, args)?);
    let inputs = inputs(config, args, rubrics, &cast)?;
    let mut results: BTreeMap<String, CaseResult> = BTreeMap::new();
    if let Some(journal) = journal.as_deref_mut().filter(|_| args.changed || args.watch) {
        let holding = cases.iter().filter_map(|case| journal.still_holds(case, &inputs));
        results.extend(holding.map(|result| (result.id.clone(), result)));
    }
    let reused = results.len();
    let to_run: Vec<Case> = cases.iter().filter(|case| !results.contains_key(&case.id)).cloned().collect();
    let (began, made_at) = (Instant::now(), SystemClock.now());
    let mut thresholds = Vec::new();
    let mut spending = Spending { prices, budget: args.budget, ..Spending::default() };
    if !to_run.is_empty() {
        let studio = Studio::open(config, cast.embedder.clone(), cast.models.clone()).await;
        let studio =
            studio.map_err(|error| if cast.mode == Some(Mode::Replay) { out_of_order(&error) } else { error })?;
        let before = journal.as_deref().map(Journal::before).unwrap_or_default();
        let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let how = How { repeat: args.repeat, jobs, before: &before, rubrics };
        let mut kept = Ok(());
        let run = with_progress(&studio, &to_run, &how, &mut spending, |case, result| {
            if let Some(journal) = journal.as_deref_mut() {
                kept = journal.add(case, result, &inputs);
            }
        });
        results.extend(run.await.into_iter().map(|result| (result.id.clone(), result)));
        kept.context("how the cases went can't be kept")?;
        thresholds = sweep(results.values(), &studio.shared().words.triage);
    }
    let judges = judges(args, rubrics, &results, cast.models.examiner.as_deref()).await?;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let results: Vec<CaseResult> = cases.iter().filter_map(|case| results.remove(&case.id)).collect();
    let left = cases.len() - results.len();
    if cast.mode == Some(Mode::Record) {
        let is_whole = args.chooses_nothing() && left == 0 && reused == 0 && args.compare.is_none();
        let is_whole = is_whole && results.iter().all(CaseResult::is_said);
        cast.cassettes.tidy(is_whole).map_err(|why| anyhow!(why))?;
    }
    let economy = Economy { reused, left, tokens: spending.tokens, money: spending.money() };
    Ok(Report::new(cast.subject(revision), results, gates, judges, Made { at: made_at, took_ms, economy, thresholds }))
}

/// Lets those who judged in this run judge what people have labelled as well.
async fn judges(
    args: &RunArgs,
    rubrics: &[Rubric],
    results: &BTreeMap<String, CaseResult>,
    examiner: Option<&dyn ChatModel>,
) -> anyhow::Result<Vec<Judging>> {
    let judged = |rubric: &&Rubric| {
        results.values().flat_map(|case| &case.runs).any(|run| match &run.seen {
            Seen::Played(played) => played.verdicts.contains_key(&rubric.name),
            _ => false,
        })
    };
    let Some(examiner) = examiner else { return Ok(Vec::new()) };
    let mut judges = Vec::new();
    for rubric in rubrics.iter().filter(judged) {
        let labels = judge::labels_of(&args.dir.join("labels"), &rubric.name);
        let labels = judge::labellings(&labels).map_err(|why| Exit::invalid(&why))?;
        let judging = cassette::take(0, rubric.calibrate(examiner, &labels)).await;
        judges.push(judging.0.map_err(|error| Exit::new(3, format!("the judge of {}: {error}", rubric.name)))?);
    }
    Ok(judges)
}

/// A replay that lacks vectors of articles can't begin.
fn out_of_order(error: &anyhow::Error) -> anyhow::Error {
    Exit::new(3, format!("{error:#}")).into()
}

/// What results depend on.
fn inputs(config: &Config, args: &RunArgs, rubrics: &[Rubric], cast: &Cast) -> anyhow::Result<Inputs> {
    let subject = cast.subject(None);
    let mut settings = config.redacted().clone();
    // Where data is says nothing of what comes out.
    settings.remove("data");
    let common = [
        ("program", program()?),
        ("settings", journal::hash(settings.to_string().as_bytes())),
        ("model", format!("{:?} {:?}", subject.model, cast.mode.filter(|mode| *mode == Mode::Live))),
        ("embedder", format!("{:?}", subject.embedder)),
        ("judges", rubrics.iter().map(|rubric| rubric.hash("")).collect::<Vec<_>>().join(" ")),
        ("repeat", format!("{:?}", args.repeat)),
    ];
    let common = common.map(|(name, value)| (name.to_owned(), value)).into();
    Inputs::read(common, &config.prompts.dir, &config.knowledge.dir).context("prompts or articles can't be read")
}

/// This program, as it was built.
fn program() -> io::Result<String> {
    let built = fs::metadata(std::env::current_exe()?)?;
    Ok(format!("{} of {:?}, {} bytes", env!("CARGO_PKG_VERSION"), built.modified()?, built.len()))
}

/// What a run has cost so far.
#[derive(Default)]
struct Spending {
    prices: Option<(f64, f64)>,
    budget: Option<f64>,
    tokens: (u64, u64),
}

impl Spending {
    fn add(&mut self, (read, written): (u64, u64)) {
        self.tokens = (self.tokens.0 + read, self.tokens.1 + written);
    }

    fn money(&self) -> Option<f64> {
        self.prices.map(|(read, written)| self.tokens.0 as f64 * read + self.tokens.1 as f64 * written)
    }

    fn is_over(&self) -> bool {
        self.budget.zip(self.money()).is_some_and(|(budget, money)| money >= budget)
    }
}

/// Runs the cases under a bar that says how many have passed so far, and what they have cost.
async fn with_progress(
    studio: &Studio,
    cases: &[Case],
    how: &How<'_>,
    spending: &mut Spending,
    mut each: impl FnMut(&Case, &CaseResult),
) -> Vec<CaseResult> {
    let bar = progress::bar("cases");
    let (mut done, mut passed) = (0_u64, 0_u64);
    let results = run::run(studio, cases, how, |case, result| {
        each(case, result);
        spending.add(result.spent());
        done += 1;
        passed += u64::from(result.is_passed());
        let spent = spending.money().map(|money| format!(", spent {money:.2}")).unwrap_or_default();
        bar.set_message(format!("passed {passed} of {done}{spent}"));
        progress::show(&bar, done, cases.len() as u64);
        if spending.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await;
    bar.finish_and_clear();
    results
}

/// The run to compare with: kept, or made now over the same cases with the files of a git revision.
async fn earlier(with: &str, args: &RunArgs, what: &What<'_>) -> anyhow::Result<Report> {
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
    measured(&there.config()?, args, what, Some(revision), None).await
}

/// The prompts, articles and settings of a revision, for as long as it lives.
pub(super) struct Worktree(PathBuf);

impl Worktree {
    /// The settings of then, with the prompts and articles of then.
    ///
    /// # Errors
    /// Where they can't be read.
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        let settings = self.0.join("config.toml");
        let mut config = Config::load(settings.is_file().then_some(settings.as_path()), std::env::vars())?;
        config.prompts.dir = self.0.join(&config.prompts.dir);
        config.knowledge.dir = self.0.join(&config.knowledge.dir);
        Ok(config)
    }

    /// Of this revision.
    ///
    /// # Errors
    /// Where git can't check it out.
    pub(super) fn of(revision: &str) -> anyhow::Result<Self> {
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
pub(super) fn git(arguments: &[&str], dir: &Path) -> Option<String> {
    let done = Command::new("git").args(arguments).current_dir(dir).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

fn write(
    out: &Path,
    args: &RunArgs,
    report: &Report,
    compared: Option<&(Vec<Compared>, Changed)>,
) -> anyhow::Result<()> {
    let save = |name: &str, text: String| {
        fs::write(out.join(name), text).with_context(|| format!("{} can't be written", out.join(name).display()))
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
