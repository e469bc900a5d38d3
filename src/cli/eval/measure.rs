//! A run of cases: what they are run with, how far, and what is told of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};

use super::spending::Spending;
use super::worktree::{Worktree, git};
use super::{BASELINE, BASELINE_NAME, Format, ModeArgs, RunArgs, choice, results_dir, table};
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
use crate::eval::journal::{self, ARTICLES, Inputs, Journal};
use crate::eval::judge::{self, Judging, Rubric};
use crate::eval::report::{self, Changed, Compared, Economy, Made, Report, Subject};
use crate::eval::run::{self, CaseResult, How, Seen, Stages as _};
use crate::eval::sweep::sweep;
use crate::eval::vectors::KeptEmbedder;
use crate::eval::words::{counted, meant};
use crate::ports::clock::Clock as _;
use crate::ports::model::{ChatModel, Embedder};

/// Where it is kept how cases went, beside the reports.
const JOURNAL: &str = "results.jsonl";

/// Runs the cases that are chosen, tells how they went, and ends by it; `settings` is the file that was named.
///
/// # Errors
/// With the code by which the program ends.
pub(super) async fn measure(
    config: &Config,
    settings: Option<&Path>,
    args: &RunArgs,
    json: bool,
) -> anyhow::Result<()> {
    let rubrics = judge::rubrics(&args.dir.join("judges")).map_err(|error| Exit::invalid(&error))?;
    let names: Vec<String> = rubrics.iter().map(|rubric| rubric.name.clone()).collect();
    let gates = args.gates.clone().unwrap_or_else(|| args.dir.join("gates.toml"));
    let gates = Gates::read(&gates, &names).map_err(|error| Exit::invalid(&error))?;
    let out = args.out.clone().unwrap_or_else(|| results_dir(config));
    let cases = choice::chosen(args, &out)?;
    choice::check_names(config, &cases, names)?;
    let earlier = args.compare.as_deref().map(|with| Earlier::of(with, settings, args)).transpose()?;
    fs::create_dir_all(&out).with_context(|| format!("{} can't be made", out.display()))?;
    let journal = out.join(JOURNAL);
    let mut journal = Journal::open(&journal).with_context(|| format!("{} can't be used", journal.display()))?;
    let revision = git(&["rev-parse", "--short", "HEAD"], Path::new(".")).ok();
    let what = What { cases: &cases, gates: &gates, rubrics: &rubrics };
    let mut spending = Spending::of(config, args)?;
    let mut report = measured(config, args, &what, revision, Some(&mut journal), &mut spending).await?;
    let before = match earlier {
        Some(earlier) => Some(earlier.report(args, &what, &mut spending).await?),
        None => None,
    };
    spending.tell(&mut report.economy);
    let compared = before.as_ref().map(|before| report::compare(before, &report));
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
    ended(&report, before.as_ref())
}

/// How the run ends: 3 where a part was down, 4 where the budget did not do, 1 where a gate was not kept.
fn ended(report: &Report, before: Option<&Report>) -> anyhow::Result<()> {
    for (report, which) in [Some((report, "")), before.map(|before| (before, "the run before: "))].into_iter().flatten()
    {
        if let Some((case, why)) = report.faults().next() {
            let faults = counted(report.faults().count(), "run");
            return Err(Exit::new(3, format!("{which}{faults} of cases could not be made; {}: {why}", case.id)).into());
        }
    }
    let Economy { left, uncalibrated, .. } = &report.economy;
    if *left > 0 {
        let left = counted(*left, "case");
        return Err(Exit::new(4, format!("the budget is spent with {left} not run: --resume goes on")).into());
    }
    if !uncalibrated.is_empty() {
        let rubrics = uncalibrated.join(", ");
        let why = format!("the budget is spent before the judge of {rubrics} was asked about all labelled replies");
        return Err(Exit::new(4, format!("{why}: --resume goes on")).into());
    }
    match report.gates.iter().filter(|gate| !gate.kept).count() {
        0 => Ok(()),
        broken => Err(Exit::new(1, format!("{} not kept", counted(broken, "gate"))).into()),
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
        let mode = match (args.live, args.record, args.replay) {
            (true, ..) => Some(Mode::Live),
            (_, true, _) => Some(Mode::Record),
            (.., true) => Some(Mode::Replay),
            _ => None,
        };
        let cassettes = Arc::new(Cassettes::open(&dir, mode).map_err(|why| Exit::invalid(&why))?);
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
    let dir = results_dir(config);
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
    spending: &mut Spending,
) -> anyhow::Result<Report> {
    let cast = Cast::of(config, &args.mode, &args.dir)?;
    let inputs = inputs(config, args, rubrics, &cast)?;
    let mut results: BTreeMap<String, CaseResult> = BTreeMap::new();
    if let Some(journal) = journal.as_deref_mut().filter(|_| args.changed || args.watch) {
        let holding = cases.iter().filter_map(|case| journal.still_holds(case, &inputs));
        results.extend(holding.map(|result| (result.id.clone(), result)));
    }
    let reused = results.len();
    let to_run: Vec<Case> = cases.iter().filter(|case| !results.contains_key(&case.id)).cloned().collect();
    if let Some(journal) = journal.as_deref().filter(|_| args.changed && !to_run.is_empty()) {
        output::note(&why_again(journal, &to_run, &inputs));
    }
    let (mut began, made_at) = (Instant::now(), SystemClock.now());
    let mut thresholds = Vec::new();
    if !to_run.is_empty() {
        let studio = Studio::open(config, cast.embedder.clone(), cast.models.clone()).await;
        let studio =
            studio.map_err(|error| if cast.mode == Some(Mode::Replay) { out_of_order(&error) } else { error })?;
        output::note(&format!("the knowledge base was read in {:.1} s", began.elapsed().as_secs_f64()));
        began = Instant::now();
        let before = journal.as_deref().map(Journal::before).unwrap_or_default();
        let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let how = How { repeat: args.repeat, jobs, before: &before, rubrics };
        let mut kept = Ok(());
        let run = with_progress(&studio, &to_run, &how, spending, |case, result| {
            if let Some(journal) = journal.as_deref_mut() {
                kept = journal.add(case, result, &inputs);
            }
        });
        results.extend(run.await.into_iter().map(|result| (result.id.clone(), result)));
        kept.context("how the cases went can't be kept")?;
        thresholds = sweep(results.values(), &studio.shared().words.triage);
    }
    let (judges, uncalibrated) =
        judges(args, rubrics, &results, (cast.models.examiner.as_deref(), &mut *spending)).await?;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let results: Vec<CaseResult> = cases.iter().filter_map(|case| results.remove(&case.id)).collect();
    let left = cases.len() - results.len();
    if cast.mode == Some(Mode::Record) {
        let is_whole = args.chooses_nothing() && left == 0 && reused == 0 && args.compare.is_none();
        let is_whole = is_whole && results.iter().all(CaseResult::is_said);
        cast.cassettes.tidy(is_whole).map_err(|why| anyhow!(why))?;
    }
    let economy = Economy { reused, left, uncalibrated, ..Economy::default() };
    Ok(Report::new(cast.subject(revision), results, gates, judges, Made { at: made_at, took_ms, economy, thresholds }))
}

/// Says why cases are run again, and how many for what.
fn why_again(journal: &Journal, to_run: &[Case], inputs: &Inputs) -> String {
    let (mut changed, mut new) = (BTreeMap::<String, usize>::new(), 0);
    for case in to_run {
        match journal.changed(case, inputs) {
            Some(names) => names.into_iter().for_each(|name| *changed.entry(name).or_default() += 1),
            None => new += 1,
        }
    }
    let told = |(name, cases): (String, usize)| match name.as_str() {
        ARTICLES => format!("{cases} since an article changed, and these search all of them"),
        "case" => format!("{cases} changed by themselves"),
        name => format!("{cases} since this changed: {name}"),
    };
    let mut told: Vec<String> = changed.into_iter().map(told).collect();
    if new > 0 {
        told.push(format!("{new} not run before"));
    }
    format!("{} to run: {}", counted(to_run.len(), "case"), told.join("; "))
}

/// Lets those who judged in this run judge what people have labelled as well; and those for whom the budget did not do.
async fn judges(
    args: &RunArgs,
    rubrics: &[Rubric],
    results: &BTreeMap<String, CaseResult>,
    (examiner, spending): (Option<&dyn ChatModel>, &mut Spending),
) -> anyhow::Result<(Vec<Judging>, Vec<String>)> {
    let judged = |rubric: &&Rubric| {
        results.values().flat_map(|case| &case.runs).any(|run| match &run.seen {
            Seen::Played(played) => played.verdicts.contains_key(&rubric.name),
            _ => false,
        })
    };
    let (mut judges, mut uncalibrated) = (Vec::new(), Vec::new());
    let Some(examiner) = examiner else { return Ok((judges, uncalibrated)) };
    for rubric in rubrics.iter().filter(judged) {
        let labels = judge::labels_of(&args.dir.join("labels"), &rubric.name);
        let labels = judge::labellings(&labels).map_err(|why| Exit::invalid(&why))?;
        let goes_on = || !spending.is_over_with(cassette::spent());
        let (judging, asked) = cassette::take(0, rubric.calibrate(examiner, &labels, goes_on)).await;
        spending.add(asked.spent);
        let told = |error| Exit::new(3, format!("the judge of {}: {error}", rubric.name));
        match judging.map_err(told)? {
            Some(judging) => judges.push(judging),
            None => uncalibrated.push(rubric.name.clone()),
        }
    }
    Ok((judges, uncalibrated))
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
        if spending.is_over_with((0, 0)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await;
    bar.finish_and_clear();
    results
}

/// What a run is compared with.
enum Earlier {
    /// A run that was kept.
    Kept(Box<Report>),
    /// The prompts, articles and settings of then, with which the same cases are run now.
    Files(Box<Config>, Worktree),
}

impl Earlier {
    /// What `--compare` names: told before anything is run.
    ///
    /// # Errors
    /// Where there is no such run or revision.
    fn of(with: &str, settings: Option<&Path>, args: &RunArgs) -> anyhow::Result<Self> {
        let is_baseline = with == BASELINE_NAME;
        let file = if is_baseline { args.dir.join(BASELINE) } else { PathBuf::from(with) };
        let invalid = |why: &str| Exit::invalid(&format!("--compare: {why}"));
        if file.is_file() {
            return Ok(Self::Kept(Box::new(Report::read(&file).map_err(|why| invalid(&why))?)));
        }
        if is_baseline {
            let why = format!("{} is not there: firstline eval accept writes it", file.display());
            return Err(invalid(&why).into());
        }
        let there = Worktree::of(with).map_err(|why| {
            let meant = meant(with, [BASELINE_NAME]);
            let why = if meant.is_empty() { format!(": {why}") } else { meant };
            invalid(&format!("`{with}` is neither a file nor a revision of git{why}"))
        })?;
        Ok(Self::Files(Box::new(there.config(settings)?), there))
    }

    async fn report(self, args: &RunArgs, what: &What<'_>, spending: &mut Spending) -> anyhow::Result<Report> {
        match self {
            Self::Kept(report) => Ok(*report),
            Self::Files(config, there) => {
                measured(&config, args, what, Some(there.revision.clone()), None, spending).await
            }
        }
    }
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
