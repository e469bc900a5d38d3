//! `firstline doctor`: every configured part, looked at one by one, with the mend.

use std::path::Path;

use anyhow::bail;
use serde_json::json;

use super::output;
use crate::adapters::articles::read_articles;
use crate::adapters::max::Max;
use crate::adapters::openai::{Check, probe_embedder, probe_model};
use crate::adapters::qdrant::QdrantServer;
use crate::adapters::telegram::{Telegram, Waits};
use crate::adapters::whatsapp::{self, WhatsApp};
use crate::app;
use crate::config::Config;

pub(super) async fn run(config: &Config, json: bool) -> anyhow::Result<()> {
    let mut checks = vec![words(config), knowledge(config), directory(&config.data.dir), store(config).await];
    if config.index.is_server() {
        checks.push(index(config).await);
    }
    for model in &config.model {
        checks.extend(probe_model(model).await);
    }
    checks.extend(probe_embedder(&config.embedder).await);
    if config.telegram.is_on() {
        checks.push(telegram(config).await);
    }
    if config.whatsapp.is_on() {
        checks.push(whatsapp(config).await);
    }
    if config.max.is_on() {
        checks.push(max(config).await);
    }
    let faults = checks.iter().filter(|check| check.found.is_err()).count();
    if json {
        let list = checks.iter().map(|check| match &check.found {
            Ok(found) => json!({ "part": check.what, "ok": true, "found": found }),
            Err(fault) => json!({ "part": check.what, "ok": false, "fault": fault }),
        });
        output::json(&list.collect::<Vec<_>>())?;
    } else {
        let rows = checks.into_iter().map(|check| match check.found {
            Ok(found) => vec!["ok".to_owned(), check.what, found],
            Err(fault) => vec!["FAULT".to_owned(), check.what, fault],
        });
        output::table(&["", "part", "found"], rows.collect());
        if config.model.is_empty() {
            output::line("no model is configured: the bot quotes articles and hands over the rest");
        }
    }
    if faults > 0 {
        bail!("{faults} of the configured parts need a mend");
    }
    Ok(())
}

fn check<T>(what: &str, found: anyhow::Result<T>, words: impl FnOnce(T) -> String) -> Check {
    Check { what: what.to_owned(), found: found.map(words).map_err(|error| format!("{error:#}")) }
}

fn words(config: &Config) -> Check {
    check("prompts, phrases, triage", app::load_words(config), |_| "every template renders".to_owned())
}

fn knowledge(config: &Config) -> Check {
    let articles = read_articles(&config.knowledge.dir).map_err(anyhow::Error::from);
    check("articles", articles, |articles| format!("{} can be read", articles.len()))
}

/// The data directory can be written: the first thing that a full disk or a wrong owner breaks.
fn directory(dir: &Path) -> Check {
    let tried = std::fs::create_dir_all(dir).and_then(|()| {
        let probe = dir.join(".doctor");
        std::fs::write(&probe, [0; 4096]).and_then(|()| std::fs::remove_file(&probe))
    });
    let tried = tried.map_err(|error| anyhow::anyhow!("{error}: give it to this user, or set data.dir"));
    check(&format!("data directory {}", dir.display()), tried, |()| "can be written".to_owned())
}

async fn store(config: &Config) -> Check {
    let looked = async {
        let store = app::open_store_beside(config).await?;
        Ok(store.depth().await?)
    };
    check("store", looked.await, |depth| {
        format!(
            "{} unanswered, {} owed, {} unknown, {} queued",
            depth.unanswered, depth.owed, depth.unknown, depth.queued
        )
    })
}

async fn index(config: &Config) -> Check {
    let looked = async {
        let server = QdrantServer::new(&config.index)?;
        // Asked first, for the key: a version is told to anybody.
        let kept = server.kept().await?;
        Ok((server.version().await?, kept))
    };
    check("index", looked.await, |(version, kept)| {
        let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
        let kept = if kept.is_empty() { "nothing yet".to_owned() } else { kept.join("; ") };
        format!("Qdrant {version} holds: {kept}")
    })
}

async fn telegram(config: &Config) -> Check {
    let looked = async { Ok(Telegram::new(&config.telegram, Waits::default())?.check().await?) };
    check("telegram", looked.await, |name| format!("the bot is {name}"))
}

async fn whatsapp(config: &Config) -> Check {
    let looked = async { Ok(WhatsApp::new(&config.whatsapp, whatsapp::Waits::default())?.check().await?) };
    check("whatsapp", looked.await, |number| format!("the number is {number}"))
}

async fn max(config: &Config) -> Check {
    let looked = async { Ok(Max::new(&config.max, Waits::default())?.check().await?) };
    check("max", looked.await, |name| format!("the bot is {name}"))
}
