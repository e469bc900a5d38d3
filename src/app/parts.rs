//! What is on and what is off, in the words of the start-up and the start page.

use super::Ctx;
use crate::config::{MaxMode, TelegramMode};
use crate::flow::search::Searcher;

/// One part of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is called.
    pub name: &'static str,
    /// It is on.
    pub on: bool,
    /// What is used, or what does without it and how to switch it on.
    pub words: String,
}

/// All parts, in the order in which a newcomer asks for them.
pub fn all(ctx: &Ctx) -> Vec<Part> {
    vec![
        knowledge(ctx),
        model(ctx),
        embedder(ctx),
        index(ctx),
        triage(ctx),
        store(ctx),
        telegram(ctx),
        whatsapp(ctx),
        max(ctx),
    ]
}

fn knowledge(ctx: &Ctx) -> Part {
    let articles = ctx.knowledge.article_count();
    let words = format!("{articles} articles in {}", ctx.config.knowledge.dir.display());
    Part { name: "knowledge", on: articles > 0, words }
}

fn model(ctx: &Ctx) -> Part {
    let words = match &ctx.model {
        Some(model) => format!("{}, answers from articles and memory", model.name()),
        None => "none: the bot quotes what one article answers and hands over the rest; add [[model]] to config.toml"
            .to_owned(),
    };
    Part { name: "model", on: ctx.model.is_some(), words }
}

fn embedder(ctx: &Ctx) -> Part {
    let described = |searcher: &Searcher| match &searcher.embedder {
        Some(embedder) => format!("{}, search by words and meaning", embedder.fingerprint().model),
        None => "none: search is by words (BM25); set embedder.kind in config.toml".to_owned(),
    };
    let serving = ctx.search.serving();
    let words = match ctx.search.coming() {
        None => described(&serving),
        Some(coming) => format!("{}; the index is being made, until then the earlier one serves", described(&coming)),
    };
    Part { name: "embedder", on: serving.embedder.is_some(), words }
}

fn index(ctx: &Ctx) -> Part {
    let words = match super::indexes::server(&ctx.config) {
        Ok(Some(server)) => format!("on the Qdrant server at {}", server.address()),
        Ok(None) | Err(_) => "in this process; set index.url in config.toml to share one on a Qdrant server".to_owned(),
    };
    Part { name: "index", on: true, words }
}

fn triage(ctx: &Ctx) -> Part {
    let serving = ctx.search.serving();
    let fingerprint = serving.embedder.as_ref().map(|embedder| embedder.fingerprint());
    let examples = "messages are told apart by the nearest examples of prompts/triage.toml";
    let (on, words) = match (ctx.words.classifier, fingerprint) {
        (None, _) => (false, format!("the classifier can't be read: {examples}; run firstline triage train")),
        (Some(_), None) => (false, format!("the classifier needs an embedder: {examples}")),
        (Some(classifier), Some(fingerprint)) if classifier.reads(&fingerprint.model, fingerprint.dimensions) => {
            (true, format!("the classifier, trained on {} messages", classifier.head().messages))
        }
        (Some(classifier), Some(fingerprint)) => (
            false,
            format!(
                "the classifier was trained with {}, not with {}: {examples}",
                classifier.head().embedder,
                fingerprint.model
            ),
        ),
    };
    Part { name: "triage", on, words }
}

fn store(ctx: &Ctx) -> Part {
    let words = match ctx.config.store.postgres() {
        Some(_) => "PostgreSQL".to_owned(),
        None => format!("SQLite in {}", ctx.config.sqlite_file().display()),
    };
    Part { name: "store", on: true, words }
}

fn telegram(ctx: &Ctx) -> Part {
    let on = ctx.config.telegram.is_on();
    let words = match ctx.config.telegram.mode {
        _ if !on => "off: set telegram.token in config.toml".to_owned(),
        TelegramMode::Polling => "by polling".to_owned(),
        TelegramMode::Webhook => "by webhook".to_owned(),
    };
    Part { name: "telegram", on, words }
}

fn whatsapp(ctx: &Ctx) -> Part {
    let config = &ctx.config;
    let on = config.whatsapp.is_on();
    let words = if on {
        let public = config.server.public_url.trim_end_matches('/');
        format!("by webhook: {public}/whatsapp/{}", config.whatsapp.phone_number_id)
    } else {
        "off: set whatsapp.token and its neighbours in config.toml".to_owned()
    };
    Part { name: "whatsapp", on, words }
}

fn max(ctx: &Ctx) -> Part {
    let on = ctx.config.max.is_on();
    let words = match ctx.config.max.mode {
        _ if !on => "off: set max.token in config.toml".to_owned(),
        MaxMode::Polling => "by polling: for trying out, MAX wants a webhook for more".to_owned(),
        MaxMode::Webhook => "by webhook".to_owned(),
    };
    Part { name: "max", on, words }
}
