//! `firstline memory`: what is remembered, and the index made anew.

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::output;
use crate::app;
use crate::config::Config;
use crate::domain::channel::{Address, ChannelKind};
use crate::domain::id::CustomerId;
use crate::ports::store::Store;

/// How many episodes are shown.
const EPISODES: usize = 50;

pub(super) async fn show(config: &Config, customer: &str, json: bool) -> anyhow::Result<()> {
    let store = app::open_store_beside(config).await?;
    let customer = find(config, &*store, customer).await?;
    let facts = store.facts(customer).await.context("facts can't be read")?;
    let episodes = store.episodes(customer, EPISODES).await.context("episodes can't be read")?;
    if json {
        return output::json(&json!({ "customer": customer, "facts": facts, "episodes": episodes }));
    }
    output::line(&format!("{customer}: {} facts that hold now, {} episodes", facts.len(), episodes.len()));
    if facts.is_empty() && episodes.is_empty() {
        output::line("what a conversation tells is learnt when it is resolved, or has been silent for episode.after");
    }
    let rows = facts.into_iter().map(|fact| {
        vec![fact.key, fact.value, fact.kind.name().to_owned(), day(fact.valid_at), fact.source.to_string()]
    });
    output::table(&["fact", "value", "kind", "since", "said in"], rows.collect());
    let rows = episodes.into_iter().map(|episode| {
        vec![day(episode.ended_at), episode.channel.to_string(), episode.outcome.name().to_owned(), episode.summary]
    });
    output::table(&["ended", "channel", "outcome", "summary"], rows.collect());
    Ok(())
}

pub(super) async fn rebuild(config: &Config) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let units = app::rebuild_memory(config, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    output::line(&format!("the index was built anew: {units} exchanges, episodes and facts"));
    Ok(())
}

/// The customer of a `cust_…` id or of an address such as `telegram:12345`.
async fn find(config: &Config, store: &dyn Store, text: &str) -> anyhow::Result<CustomerId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let Some((kind, external)) = text.split_once(':') else {
        bail!("`{text}` is neither a cust_… id nor an address such as telegram:12345");
    };
    let Some(kind) = ChannelKind::from_name(kind) else {
        let known: Vec<&str> = ChannelKind::ALL.iter().map(|kind| kind.name()).collect();
        bail!("`{kind}` is not a channel: {}", known.join(", "));
    };
    let Some(account) = app::account(config, kind) else {
        bail!("{kind} is switched off, so its addresses are not known: use the cust_… id");
    };
    let address = Address { channel: kind, account, external: external.to_owned() };
    let found = store.customer_at(&address).await.context("customers can't be read")?;
    found.with_context(|| format!("nobody has written from {text} yet"))
}

fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
