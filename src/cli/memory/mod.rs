//! `firstline memory`: what is remembered of a customer, looked at, mended, exported and erased.

mod change;
mod look;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::customer::find;
use super::output;
use crate::adapters::clock::SystemClock;
use crate::adapters::history;
use crate::app::{self, progress};
use crate::config::Config;
use crate::domain::id::{CustomerId, FactId, MessageId};
use crate::ports::clock::Clock as _;
use crate::ports::privacy::Access;
use crate::ports::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum MemoryCommand {
    /// Show what is remembered of a customer, now or at an earlier time
    Show {
        /// cust_…, or an address: web:…, terminal:ana, telegram:12345
        #[arg(long)]
        customer: String,
        /// What was known then: 2026-03-12 (the end of that day), or 2026-03-12T14:00
        #[arg(long, value_parser = parse_moment)]
        as_of: Option<DateTime>,
    },
    /// Search a customer's memory as the bot does, with scores
    Search {
        /// cust_…, or an address
        #[arg(long)]
        customer: String,
        /// What the customer would write
        question: String,
        /// How many memories
        #[arg(long, default_value_t = 10)]
        limit: usize,
    },
    /// Show what was recalled for a message, how it scored and what was decided
    Why {
        /// msg_…, of the customer or of the bot
        message: MessageId,
    },
    /// Amend a fact: another value, or that it is over, or that it never was so
    #[command(group = clap::ArgGroup::new("amendment").required(true))]
    Edit {
        /// fact_…
        fact: FactId,
        /// cust_…, or an address
        #[arg(long)]
        customer: String,
        /// The right value
        #[arg(long, group = "amendment")]
        value: Option<String>,
        /// It is so no longer, as from now: moved away, a promise kept
        #[arg(long, group = "amendment")]
        ended: bool,
        /// It never was so
        #[arg(long, group = "amendment")]
        never: bool,
        /// The login of the operator who says so
        #[arg(long)]
        by: String,
    },
    /// Forget a fact: it is not learnt again from what was said until now
    Forget {
        /// fact_…
        fact: FactId,
        /// cust_…, or an address
        #[arg(long)]
        customer: String,
    },
    /// Print everything that is held of a customer, as JSON
    Export {
        /// cust_…, or an address
        #[arg(long)]
        customer: String,
    },
    /// Erase a customer: rows, index, files; prints a certificate
    Erase {
        /// cust_…, or an address
        #[arg(long)]
        customer: String,
        /// Yes, this can't be undone
        #[arg(long)]
        yes: bool,
    },
    /// Learn of a customer and recall again
    On {
        /// cust_…, or an address
        #[arg(long)]
        customer: String,
    },
    /// Learn nothing of a customer and recall nothing; the bot still answers
    Off {
        /// cust_…, or an address
        #[arg(long)]
        customer: String,
    },
    /// Show who looked at a customer's memory
    Accesses {
        /// cust_…, or an address
        #[arg(long)]
        customer: String,
    },
    /// Read in conversations of the past; what is known already is passed over
    Import {
        /// The file
        file: PathBuf,
        /// What it is: lines (JSON Lines), telegram (result.json of Telegram Desktop) or chatwoot
        #[arg(long)]
        format: Format,
    },
    /// Build the index anew from the store
    Rebuild,
}

/// Where a history comes from.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// One message a line
    Lines,
    /// Telegram Desktop
    Telegram,
    /// Chatwoot
    Chatwoot,
}

pub(super) async fn run(config: &Config, command: MemoryCommand, json: bool) -> anyhow::Result<()> {
    let store = match command {
        MemoryCommand::Rebuild => return rebuild(config).await,
        _ => app::open_store_beside(config).await?,
    };
    let store = &*store;
    match command {
        MemoryCommand::Show { customer, as_of } => {
            let at = as_of.map(|moment| moment_in(moment, &config.company.timezone)).transpose()?;
            look::show(store, find(config, store, &customer).await?, at, json).await
        }
        MemoryCommand::Search { customer, question, limit } => {
            look::search(config, store, find(config, store, &customer).await?, &question, limit, json).await
        }
        MemoryCommand::Why { message } => look::why(store, message, json).await,
        MemoryCommand::Edit { fact, customer, value, ended, never: _, by } => {
            let customer = find(config, store, &customer).await?;
            change::edit(store, customer, fact, value, ended, &by, json).await
        }
        MemoryCommand::Forget { fact, customer } => {
            change::forget(store, find(config, store, &customer).await?, fact, json).await
        }
        MemoryCommand::Export { customer } => look::export(store, find(config, store, &customer).await?).await,
        MemoryCommand::Erase { customer, yes } => {
            change::erase(config, find(config, store, &customer).await?, yes, json).await
        }
        MemoryCommand::On { customer } => {
            change::switch(store, find(config, store, &customer).await?, true, json).await
        }
        MemoryCommand::Off { customer } => {
            change::switch(store, find(config, store, &customer).await?, false, json).await
        }
        MemoryCommand::Accesses { customer } => {
            look::accesses(store, find(config, store, &customer).await?, json).await
        }
        MemoryCommand::Import { file, format } => import(config, store, &file, format, json).await,
        MemoryCommand::Rebuild => Ok(()),
    }
}

async fn import(config: &Config, store: &dyn Store, file: &Path, format: Format, json: bool) -> anyhow::Result<()> {
    let format = match format {
        Format::Lines => history::Format::Lines,
        Format::Telegram => history::Format::Telegram,
        Format::Chatwoot => history::Format::Chatwoot,
    };
    let bar = progress::bar("conversations");
    let (read, imported) =
        app::memory::import(config, store, file, format, |done, all| progress::show(&bar, done, all)).await?;
    bar.finish_and_clear();
    if json {
        return output::json(&imported);
    }
    output::line(&format!(
        "{read} conversations read; new: {} conversations, {} messages. Firstline learns from them while it runs",
        imported.conversations, imported.messages
    ));
    Ok(())
}

async fn rebuild(config: &Config) -> anyhow::Result<()> {
    let bar = progress::bar("index");
    let units = app::rebuild_memory(config, |done, all| progress::show(&bar, done, all)).await?;
    bar.finish_and_clear();
    output::line(&format!("the index was built anew: {units} exchanges, episodes and facts"));
    Ok(())
}

/// Notes that somebody with a command line looked.
async fn note_look(store: &dyn Store, customer: CustomerId, what: &str) -> anyhow::Result<()> {
    let access = Access { customer, who: "cli".to_owned(), what: what.to_owned(), at: SystemClock.now() };
    store.note_access(&access).await.context("the look can't be noted")
}

/// A day stands for its end.
fn parse_moment(text: &str) -> Result<DateTime, String> {
    let day = || text.parse::<Date>().map(|day| day.at(23, 59, 59, 0));
    text.parse().or_else(|_| day()).map_err(|_| format!("`{text}` is no day or time: 2026-03-12, 2026-03-12T14:00"))
}

fn moment_in(moment: DateTime, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    Ok(moment.to_zoned(zone.clone()).context("there is no such time")?.timestamp())
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}
