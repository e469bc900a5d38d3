//! `firstline eval`: whether the bot got better, worse, or can't be told apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};

use super::{Exit, output};
use crate::adapters::articles;
use crate::app;
use crate::app::studio::{Models, Studio};
use crate::config::Config;
use crate::domain::id::ConversationId;
use crate::domain::turn::Label;
use crate::eval::case::{Case, Suite};
use crate::eval::gates::Gates;
use crate::eval::judge;
use crate::eval::lint;
use crate::eval::report::Report;
use crate::eval::run::{self, How, Repeat};
use crate::eval::words::{counted, meant};

mod choice;
mod import;
mod label;
mod life;
mod measure;
mod spending;
mod sweep;
mod table;
mod watch;
mod worktree;

/// Where the last accepted run is, below the directory of cases.
const BASELINE: &str = "baselines/main.json";

/// Cases that are named where there are many.
const NAMED: usize = 5;

/// What it is called on the command line.
const BASELINE_NAME: &str = "baseline";

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
    /// Make the last run the one that others are compared with; it must be of all cases
    Accept {
        #[command(flatten)]
        report: ReportArgs,
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
    /// Make a case of a conversation that took place, with the memory and the articles of then; names, numbers and addresses
    /// that are known or can be read out of it are replaced: read it over
    Add {
        /// The conversation: conv_…
        #[arg(long, value_name = "ID")]
        conversation: ConversationId,
        /// Where the cases are
        #[arg(long, value_name = "DIR", default_value = "eval")]
        dir: PathBuf,
    },
    /// Make cases of labelled messages, a JSON object a line with `text` and `label` or `labels`; also of public sets
    Import {
        /// The file
        file: PathBuf,
        /// Where to: cases of triage are written below it
        #[arg(long, value_name = "DIR", default_value = "eval")]
        out: PathBuf,
        /// What a label of theirs is called here
        #[arg(long, value_name = "THEIRS=OURS", value_delimiter = ',', value_parser = parse_renamed)]
        rename: Vec<(String, Label)>,
        /// So many messages, the same ones for the same --seed
        #[arg(long, value_name = "N")]
        sample: Option<usize>,
        /// Chooses them
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Say of judged replies what you think of them, without seeing the judge's verdict: by it the judge is calibrated
    Label {
        /// Your name
        #[arg(long, value_name = "NAME")]
        by: String,
        /// The rubric
        #[arg(long, value_name = "NAME", default_value = "tone")]
        rubric: String,
        /// Replies to label, a JSON object a line, or a file of labels/, whose replies are labelled once more; those that were
        /// judged in the last run if it is left out
        #[arg(long, value_name = "FILE")]
        items: Option<PathBuf>,
        #[command(flatten)]
        report: ReportArgs,
        /// Where the cases are
        #[arg(long, value_name = "DIR", default_value = "eval")]
        dir: PathBuf,
    },
    /// Find the thresholds that cost least from a run's probabilities, and what that is worth; asks no model
    Sweep {
        #[command(flatten)]
        report: ReportArgs,
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
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that people type")]
struct RunArgs {
    /// Suites, or files of cases; all suites if none is named
    #[arg(value_name = "SUITE|FILE")]
    what: Vec<String>,
    /// Where the cases are
    #[arg(long, value_name = "DIR", default_value = "eval")]
    dir: PathBuf,
    /// What must hold; gates.toml among the cases if it is left out
    #[arg(long, value_name = "FILE")]
    gates: Option<PathBuf>,
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
    /// Only cases of which some runs passed and others did not in the last run
    #[arg(long)]
    flaky: bool,
    /// Run only what has changed since it was run last: the case, the program, the settings, the articles or a prompt that it
    /// needs; a run that was cut goes on
    #[arg(long, visible_alias = "resume")]
    changed: bool,
    /// So many cases of each suite, or of those that are named; the same ones for the same --seed
    #[arg(long, value_name = "N|SUITE=N", value_delimiter = ',', value_parser = parse_sample)]
    sample: Vec<(Option<Suite>, usize)>,
    /// Chooses the sample
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run every case so many times; `auto`: again, up to 4 times, only where it failed or went otherwise than before
    #[arg(long, value_name = "N|auto", default_value = "1", value_parser = parse_repeat)]
    repeat: Repeat,
    /// Cases at a time; as many as there are processors if it is left out
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    mode: ModeArgs,
    /// Begin no further case when the model has cost so much, by the prices in config.toml
    #[arg(long, value_name = "MONEY")]
    budget: Option<f64>,
    /// Stay, and run again what changes when prompts, articles, settings or cases are saved
    #[arg(long)]
    watch: bool,
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

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The conversation: conv_…
    #[arg(long, value_name = "ID")]
    conversation: ConversationId,
    /// The prompts, articles and settings of this git revision; those of now if it is left out
    #[arg(long, value_name = "REF")]
    with: Option<String>,
    #[command(flatten)]
    mode: ModeArgs,
}

/// Plays a conversation again.
pub(super) async fn replay(
    config: &Config,
    settings: Option<&Path>,
    args: ReplayArgs,
    json: bool,
) -> anyhow::Result<()> {
    life::replay(config, settings, (args.conversation, args.with.as_deref()), &args.mode, json).await
}

/// Where the replies of language models come from.
#[derive(Debug, Args)]
pub(super) struct ModeArgs {
    /// Ask the configured language model, where a script has no lines of its own; without one of these three none is asked
    #[arg(long, group = "mode")]
    live: bool,
    /// Take the model's replies from recordings; ask it for those that are missing, and record them
    #[arg(long, group = "mode")]
    record: bool,
    /// Take the model's replies from recordings alone: offline, and the same every time
    #[arg(long, group = "mode")]
    replay: bool,
    /// Where recordings are; cassettes/ among the cases if it is left out
    #[arg(long, value_name = "DIR")]
    cassettes: Option<PathBuf>,
}

/// The run of which something is wanted.
#[derive(Debug, Args)]
struct ReportArgs {
    /// The report of the run; the last one in the data directory if it is left out
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl ReportArgs {
    fn path(self, config: &Config) -> PathBuf {
        self.report.unwrap_or_else(|| results_dir(config).join("report.json"))
    }
}

/// Where results are kept if nothing else is said.
fn results_dir(config: &Config) -> PathBuf {
    config.data.dir.join("eval")
}

impl RunArgs {
    /// Whether all cases are run.
    fn chooses_nothing(&self) -> bool {
        let named = [&self.what, &self.only, &self.tag].into_iter().any(|names| !names.is_empty());
        !(named || self.failed || self.flaky || self.grep.is_some() || !self.sample.is_empty())
    }
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

fn parse_renamed(words: &str) -> Result<(String, Label), String> {
    let (theirs, ours) = words.split_once('=').ok_or("write THEIRS=OURS")?;
    let ours = Label::from_name(ours).ok_or_else(|| format!("`{ours}` is no label of prompts/triage.toml"))?;
    Ok((theirs.to_owned(), ours))
}

fn parse_sample(words: &str) -> Result<(Option<Suite>, usize), String> {
    let (suite, most) = words.split_once('=').map_or((None, words), |(suite, most)| (Some(suite), most));
    let known = |name: &str| Suite::ALL.into_iter().find(|known| known.name() == name);
    let names = Suite::ALL.map(Suite::name);
    let told = |name: &str| format!("`{name}` is no suite{}", meant(name, names));
    let suite = suite.map(|name| known(name).ok_or_else(|| told(name))).transpose()?;
    Ok((suite, most.parse().map_err(|_| format!("`{most}` is no number of cases"))?))
}

fn parse_repeat(words: &str) -> Result<Repeat, String> {
    match words.parse() {
        Ok(times @ 1..) => Ok(Repeat::Times(times)),
        _ if words == "auto" => Ok(Repeat::Auto),
        _ => Err(format!("`{words}` is neither a number of times from 1 on nor `auto`")),
    }
}

/// Measures, or does what else is asked for; `settings` is the file that was named.
pub(super) async fn run(config: &Config, settings: Option<&Path>, args: EvalArgs, json: bool) -> anyhow::Result<()> {
    match args.command {
        Some(EvalCommand::Accept { report, dir }) => accept(&report.path(config), &dir),
        Some(EvalCommand::Lint { dir }) => lint(config, &dir, json),
        Some(EvalCommand::Add { conversation, dir }) => life::add(config, conversation, &dir, json).await,
        Some(EvalCommand::Import { file, out, rename, sample, seed }) => {
            import::run(&file, &out, &rename, (sample, seed), json)
        }
        Some(EvalCommand::Label { by, rubric, items, report, dir }) => {
            label::run(&by, &rubric, &label::Source { items, report: report.path(config) }, &dir)
        }
        Some(EvalCommand::Sweep { report }) => sweep::run(config, &report.path(config), json),
        Some(EvalCommand::Explain { id, dir }) => explain(config, &id, &dir, json).await,
        None if args.run.watch => watch::watch(settings, &args.run, json).await,
        None => measure::measure(config, settings, &args.run, json).await,
    }
}

fn accept(report: &Path, dir: &Path) -> anyhow::Result<()> {
    let run = Report::read(report).map_err(|why| Exit::invalid(&why))?;
    is_whole(&run, &choice::read(&[], dir)?).map_err(|why| Exit::invalid(&format!("{}: {why}", report.display())))?;
    let accepted = run.for_comparison();
    let (baseline, cases) = (dir.join(BASELINE), counted(accepted.cases.len(), "case"));
    if let Some(parent) = baseline.parent() {
        fs::create_dir_all(parent).with_context(|| format!("{} can't be made", parent.display()))?;
    }
    let written = fs::write(&baseline, serde_json::to_string(&accepted)?);
    written.with_context(|| format!("{} can't be written", baseline.display()))?;
    output::line(&format!("{} is the run of {} over {cases}", baseline.display(), accepted.made_at));
    Ok(())
}

/// Refuses a run that leaves cases out: what an accepted run lacks, no later one is compared on.
fn is_whole(run: &Report, cases: &[Case]) -> Result<(), String> {
    let said: BTreeSet<&str> = run.cases.iter().map(|case| case.id.as_str()).collect();
    let faulty: BTreeSet<&str> = run.faults().map(|(case, _)| case.id.as_str()).collect();
    let lacks: Vec<&str> = cases.iter().map(|case| case.id.as_str()).filter(|id| !said.contains(id)).collect();
    let named = |ids: &[&str]| ids.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if !lacks.is_empty() {
        let (count, named) = (counted(lacks.len(), "case"), named(&lacks));
        return Err(format!(
            "it lacks {count} of {}, such as {named}: run firstline eval whole, then accept",
            cases.len()
        ));
    }
    if !faulty.is_empty() {
        let faulty: Vec<&str> = faulty.into_iter().collect();
        let (count, named) = (counted(faulty.len(), "case"), named(&faulty));
        return Err(format!("{count} in it could not be run, such as {named}: mend that, run it again, then accept"));
    }
    Ok(())
}

fn lint(config: &Config, dir: &Path, json: bool) -> anyhow::Result<()> {
    let cases = choice::read(&[], dir)?;
    let rubrics = judge::rubrics(&dir.join("judges")).map_err(|error| Exit::invalid(&error))?;
    let names: Vec<String> = rubrics.iter().map(|rubric| rubric.name.clone()).collect();
    Gates::read(&dir.join("gates.toml"), &names).map_err(|error| Exit::invalid(&error))?;
    let articles = articles::read_articles(&config.knowledge.dir)?;
    let allowed = choice::names(config, names)?;
    let triage = app::load_words(config)?.triage;
    let examples = triage.examples().map(|(_, _, text)| (text, "prompts/triage.toml".to_owned()));
    let of_articles = articles.iter().flat_map(|article| {
        article.questions.iter().map(|question| (question.as_str(), format!("the questions of {}", article.key())))
    });
    let texts: Vec<(&str, String)> = examples.chain(of_articles).collect();
    let findings = lint::lint(&cases, &allowed, &texts);
    if json {
        output::json(&findings)?;
    } else {
        for finding in &findings {
            output::line(&finding.to_string());
        }
    }
    if findings.is_empty() {
        if !json {
            output::line(&format!("in order: {}", counted(cases.len(), "case")));
        }
        return Ok(());
    }
    Err(Exit::invalid(&counted(findings.len(), "finding")).into())
}

async fn explain(config: &Config, id: &str, dir: &Path, json: bool) -> anyhow::Result<()> {
    let mut cases = choice::read(&[], dir)?;
    cases.retain(|case| case.id == id);
    if cases.is_empty() {
        return Err(Exit::invalid(&format!("there is no case `{id}`")).into());
    }
    let studio = Studio::open(config, measure::embedder(config)?, Models::default()).await?;
    let how = How { repeat: Repeat::Times(1), jobs: 1, before: &BTreeMap::new(), rubrics: &[] };
    let results = run::run(&studio, &cases, &how, |_, _| ControlFlow::Continue(())).await;
    let result = results.first().context("the case was run")?;
    if json {
        return output::json(result);
    }
    table::explain(result);
    Ok(())
}
