//! `firstline customer`: who is who, and who is one person.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;

use super::output;
use crate::app::{self, identity};
use crate::config::Config;
use crate::domain::channel::{Address, ChannelKind};
use crate::domain::id::{CustomerId, MergeId};
use crate::ports::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum CustomerCommand {
    /// Show where a customer writes from, and with whom they were found to be one person
    Show {
        /// cust_…, or an address: web:…, terminal:ana, telegram:12345
        #[arg(long)]
        customer: String,
    },
    /// Make two customers one person: each is told from then on what the other said. It can be undone
    Merge {
        /// Who becomes part of the other: cust_…, or an address
        #[arg(long)]
        customer: String,
        /// Whose key stands for both: cust_…, or an address
        #[arg(long)]
        into: String,
        /// The login of the operator who answers for it
        #[arg(long)]
        by: String,
    },
    /// Undo a merge: each side has what was said at its own addresses, before and since
    Unmerge {
        /// merge_…, as customer show names it
        merge: MergeId,
        /// The login of the operator who says so
        #[arg(long)]
        by: String,
    },
}

pub(super) async fn run(config: &Config, command: CustomerCommand, json: bool) -> anyhow::Result<()> {
    let store = app::open_store_beside(config).await?;
    let store = &*store;
    match command {
        CustomerCommand::Show { customer } => show(store, find(config, store, &customer).await?, json).await,
        CustomerCommand::Merge { customer, into, by } => {
            let (part, whole) = (find(config, store, &customer).await?, find(config, store, &into).await?);
            let merge = identity::merge(store, (part, whole), &by).await?;
            if json {
                return output::json(&merge);
            }
            output::line(&format!("{} is part of {} from now on: {}", merge.part, merge.whole, merge.id));
            output::line(&format!("firstline customer unmerge {} --by {by} undoes it", merge.id));
            Ok(())
        }
        CustomerCommand::Unmerge { merge, by } => {
            let undone = identity::unmerge(store, merge, &by).await?;
            let undone =
                undone.with_context(|| format!("there is no {merge} that holds: see firstline customer show"))?;
            if json {
                return output::json(&undone);
            }
            output::line(&format!("{} and {} are two again, each with their own", undone.part, undone.whole));
            Ok(())
        }
    }
}

async fn show(store: &dyn Store, customer: CustomerId, json: bool) -> anyhow::Result<()> {
    let person = store.customer(customer).await.context("the customer can't be read")?;
    let person = person.with_context(|| format!("there is no customer {customer}"))?;
    let addresses = store.addresses(customer).await.context("addresses can't be read")?;
    let merges = store.merges(customer).await.context("merges can't be read")?;
    if json {
        let memory = person.remembered;
        return output::json(
            &json!({ "customer": customer, "memory": memory, "addresses": addresses, "merges": merges }),
        );
    }
    output::line(&format!("{customer}, since {}", minute(person.created_at)));
    let rows = addresses.into_iter().map(|known| {
        let Address { channel, external, .. } = known.address;
        vec![format!("{channel}:{external}"), minute(known.first_seen_at), known.home.to_string()]
    });
    output::table(&["writes from", "since", "as"], rows.collect());
    let rows = merges.into_iter().map(|merge| {
        let undone = merge.undone.map(|undone| format!("{} by {}", minute(undone.at), undone.by));
        let made = format!("{} by {}", minute(merge.at), merge.by);
        vec![merge.part.to_string(), merge.whole.to_string(), made, undone.unwrap_or_default(), merge.id.to_string()]
    });
    output::table(&["part", "whole", "merged", "undone", "id"], rows.collect());
    Ok(())
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The customer of a `cust_…` id or of an address such as `telegram:12345`; of a part, the whole.
pub(super) async fn find(config: &Config, store: &dyn Store, text: &str) -> anyhow::Result<CustomerId> {
    if let Ok(id) = text.parse() {
        // Nobody of that key may be left, but an erasure can still be told of.
        return Ok(store.whole(id).await.context("customers can't be read")?.unwrap_or(id));
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
