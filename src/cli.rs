//! The command line: what people type, and what they see.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::domain::text::Language;

mod chat;
mod customer;
mod doctor;
mod eval;
mod knowledge;
mod memory;
mod operator;
mod output;
mod serve;
mod triage;
mod triage_report;

/// A memory-rich AI first line of support for messengers.
#[derive(Debug, Parser)]
#[command(name = "firstline", version, about, long_about = LONG_ABOUT, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

const LONG_ABOUT: &str = "\
A memory-rich AI first line of support for messengers.

Without a command, `firstline` serves: it keeps everything in one data directory, answers customers in the web chat and \
in Telegram from the articles in knowledge/, remembers every earlier dialogue, and hands over to people at the desk \
what is complex, emotional or commercial.

Settings stand in config.toml, where each is explained; FIRSTLINE__SECTION__KEY in the environment overrides them.";

/// Options that every command takes.
#[derive(Debug, Args)]
struct Global {
    /// Settings to use instead of ./config.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer customers: web chat, desk, channels and workers (the default)
    Serve,
    /// Talk to a running Firstline from this terminal
    Chat {
        /// Who is writing: the same name is the same customer
        #[arg(long = "as", value_name = "NAME", default_value = "me")]
        name: String,
    },
    /// Look into the articles
    Knowledge {
        #[command(subcommand)]
        command: KnowledgeCommand,
    },
    /// Look into what is remembered
    Memory {
        #[command(subcommand)]
        command: memory::MemoryCommand,
    },
    /// Who is who: where customers write from, and who is one person
    Customer {
        #[command(subcommand)]
        command: customer::CustomerCommand,
    },
    /// Manage the people who answer
    Operator {
        #[command(subcommand)]
        command: OperatorCommand,
    },
    /// Check the settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Check prompts, phrases and triage rules
    Prompts {
        #[command(subcommand)]
        command: PromptsCommand,
    },
    /// Train the triage classifier, and see why a message goes where it goes
    Triage {
        #[command(subcommand)]
        command: TriageCommand,
    },
    /// Measure the bot on cases: what got better, what got worse, and what can't be told
    Eval(Box<eval::EvalArgs>),
    /// Play a conversation that took place again, with the memory of then: what would be said now, or with other prompts
    Replay(Box<eval::ReplayArgs>),
    /// Check every configured part and say the mend
    Doctor,
}

#[derive(Debug, Subcommand)]
enum TriageCommand {
    /// Train the classifier on labelled messages, write it, and report how good it is
    Train {
        /// Where the messages, the split, the vectors and the classifier are
        #[arg(long, value_name = "DIR", default_value = "models/triage")]
        dir: PathBuf,
        /// Report only: write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Leave each source of public data out in turn, beside TF-IDF with logistic regression
    Sources {
        /// Where train.jsonl and dev.jsonl are; FIRSTLINE_DATA_DIR/triage if it is left out
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Show what rules, neighbours and the classifier say of a message, and what is done with it
    Explain {
        /// The message, as a customer would write it
        message: String,
        /// Where labelled messages are, for neighbours
        #[arg(long, value_name = "DIR", default_value = "models/triage")]
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum KnowledgeCommand {
    /// Search the articles and show scores
    Search {
        /// The question, as a customer would put it
        question: String,
        /// Only articles in this language: ru or en
        #[arg(long, value_parser = parse_language)]
        language: Option<Language>,
        /// How many sections
        #[arg(long, default_value_t = 5)]
        limit: usize,
    },
    /// Check that every article can be read
    Check,
}

#[derive(Debug, Subcommand)]
enum OperatorCommand {
    /// Add an operator, or give an existing one a new one-time password
    Add {
        /// What they type to log in
        login: String,
        /// What colleagues and customers see; the login if it is left out
        #[arg(long)]
        name: Option<String>,
    },
    /// List the operators
    List,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the settings in force, secrets masked
    Check,
}

#[derive(Debug, Subcommand)]
enum PromptsCommand {
    /// Render every template with samples
    Check,
}

/// An end with a code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
struct Exit {
    code: u8,
    told: String,
}

impl Exit {
    fn new(code: u8, told: String) -> Self {
        Self { code, told }
    }

    /// What was given can't be used.
    fn invalid(told: &impl ToString) -> Self {
        Self::new(2, told.to_string())
    }
}

fn parse_language(code: &str) -> Result<Language, String> {
    Language::from_code(code).ok_or_else(|| format!("`{code}` is not a language Firstline speaks: ru or en"))
}

/// Parses the command line, runs the command and says how it ended: 0 done, 1 failed, 2 wrong words.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(anyhow::Error::new(error).context("threads can't be started")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("firstline: {error:#}");
            error.downcast_ref::<Exit>().map_or(ExitCode::FAILURE, |exit| ExitCode::from(exit.code))
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = cli.global.config;
    let config = load_config(settings.as_deref())?;
    let json = cli.global.json;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => Box::pin(serve::run(config)).await,
        Command::Chat { name } => chat::run(&config, &name).await,
        Command::Knowledge { command: KnowledgeCommand::Search { question, language, limit } } => {
            knowledge::search(&config, &question, language, limit, json).await
        }
        Command::Knowledge { command: KnowledgeCommand::Check } => knowledge::check(&config, json),
        Command::Memory { command } => memory::run(&config, command, json).await,
        Command::Customer { command } => customer::run(&config, command, json).await,
        Command::Operator { command: OperatorCommand::Add { login, name } } => {
            operator::add(&config, &login, name.as_deref(), json).await
        }
        Command::Operator { command: OperatorCommand::List } => operator::list(&config, json).await,
        Command::Config { command: ConfigCommand::Check } => {
            let settings = config.redacted();
            if json {
                return output::json(&settings);
            }
            output::line(toml::to_string(&settings)?.trim_end());
            Ok(())
        }
        Command::Prompts { command: PromptsCommand::Check } => {
            crate::app::load_words(&config)?;
            if json {
                return output::json(&serde_json::json!({ "ok": true }));
            }
            output::line("every prompt, phrase and triage rule is in order");
            Ok(())
        }
        Command::Triage { command: TriageCommand::Train { dir, dry_run } } => {
            triage::train(&config, &dir, dry_run, json).await
        }
        Command::Triage { command: TriageCommand::Sources { data } } => triage::sources(&config, data, json).await,
        Command::Triage { command: TriageCommand::Explain { message, dir } } => {
            triage::explain(&config, &dir, &message, json).await
        }
        Command::Eval(args) => Box::pin(eval::run(&config, settings.as_deref(), *args, json)).await,
        Command::Replay(args) => Box::pin(eval::replay(&config, settings.as_deref(), *args, json)).await,
        Command::Doctor => doctor::run(&config, json).await,
    }
}

/// The settings: `--config`, or `config.toml` in the working directory, or the built-in defaults.
fn load_config(file: Option<&Path>) -> anyhow::Result<Config> {
    let here = Path::new("config.toml");
    let file = file.or_else(|| here.exists().then_some(here));
    Config::load(file, std::env::vars()).context("the settings are wrong")
}
