//! Changing what is remembered: amended, forgotten, erased, switched off.

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::adapters::clock::SystemClock;
use crate::app::erasure;
use crate::app::memory::{self, Amendment};
use crate::cli::output;
use crate::config::Config;
use crate::domain::id::{CustomerId, FactId};
use crate::ports::clock::Clock as _;
use crate::ports::store::Store;

pub(super) async fn edit(
    store: &dyn Store,
    customer: CustomerId,
    fact: FactId,
    value: Option<String>,
    ended: bool,
    by: &str,
    json: bool,
) -> anyhow::Result<()> {
    let amendment = match value {
        Some(value) => Amendment::Value(value),
        None if ended => Amendment::Ended,
        None => Amendment::Never,
    };
    let change = memory::amend(store, (customer, fact), &amendment, by).await?;
    if json {
        return output::json(&json!({ "learnt": change.learnt, "superseded": change.superseded }));
    }
    output::line(&format!("done: {} facts ended, {} new", change.superseded.len(), change.learnt.len()));
    Ok(())
}

pub(super) async fn forget(store: &dyn Store, customer: CustomerId, fact: FactId, json: bool) -> anyhow::Result<()> {
    let forgotten = memory::forget(store, customer, fact).await?;
    let forgotten = forgotten.with_context(|| format!("{customer} has no fact {fact} that is known now"))?;
    if json {
        return output::json(&json!({ "forgotten": forgotten.id, "key": forgotten.key }));
    }
    output::line(&format!("forgotten: {}. The words of the conversation itself stay in its transcript", forgotten.key));
    Ok(())
}

pub(super) async fn erase(config: &Config, customer: CustomerId, yes: bool, json: bool) -> anyhow::Result<()> {
    if !yes {
        bail!("everything of {customer} would be erased and can't be brought back: say --yes if that is meant");
    }
    let certificate = erasure::erase(config, customer, SystemClock.now()).await?;
    let certificate = certificate.with_context(|| format!("nothing is held of {customer}"))?;
    if json {
        output::json(&certificate)?;
    } else {
        output::line(&format!("{customer} was erased at {}", certificate.erased.at));
        output::line(&format!("rows erased: {}, rows left: {}", certificate.erased.rows, certificate.rows_left));
        output::line(&format!("indexes that let go: {}", certificate.indexes));
        output::line(&format!(
            "own texts looked for in the files: {}, files in which one stands: {}",
            certificate.texts_sought,
            certificate.found_in.len()
        ));
    }
    if !certificate.holds() {
        let files: Vec<String> = certificate.found_in.iter().map(|path| path.display().to_string()).collect();
        bail!("something is left: {} rows, in files: {}", certificate.rows_left, files.join(", "));
    }
    Ok(())
}

pub(super) async fn switch(store: &dyn Store, customer: CustomerId, on: bool, json: bool) -> anyhow::Result<()> {
    if !store.set_memory(customer, on, SystemClock.now()).await.context("memory can't be switched")? {
        bail!("there is no customer {customer}");
    }
    if json {
        return output::json(&json!({ "customer": customer, "memory": on }));
    }
    output::line(if on {
        "memory is on: what is said from now on is learnt, and what was learnt before is recalled"
    } else {
        "memory is off: nothing is learnt, and nothing is recalled. What is held stays: see firstline memory erase"
    });
    Ok(())
}
