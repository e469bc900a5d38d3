//! From life to test: a conversation becomes a case, or is played again under other prompts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::ModeArgs;
use super::measure::Cast;
use super::worktree::{Worktree, git};
use crate::adapters::articles;
use crate::app;
use crate::app::studio::Studio;
use crate::cli::{Exit, output};
use crate::config::Config;
use crate::domain::conversation::Conversation;
use crate::domain::id::{ConversationId, CustomerId, Ids};
use crate::domain::knowledge::Article;
use crate::domain::memory::Statement;
use crate::domain::message::{Author, Message};
use crate::engine::learn;
use crate::eval::case;
use crate::eval::life::{File, Past, Redaction, frozen, id_of};
use crate::eval::outcome::{Line, Speaker, text_of};
use crate::eval::run::{self, How, Repeat, Seen};
use crate::ports::store::Store;

/// Messages of earlier conversations that a case brings along, the newest ones.
const EARLIER: usize = 60;

/// What the customer is called where a conversation is shown as it was and as it would be.
const CUSTOMER: &str = "customer";

/// Writes a case of a conversation; says where it stands.
///
/// # Errors
/// Where there is no such conversation, or something can't be read or written.
pub(super) async fn add(config: &Config, conversation: ConversationId, dir: &Path, json: bool) -> anyhow::Result<()> {
    let store = app::open_store_beside(config).await?;
    let at = conversation_of(&*store, conversation).await?;
    let past = past(config, &*store, &at).await?;
    let salt = Ids::os().random();
    let said = past.messages.iter().chain(&past.earlier).filter(|message| message.author == Author::Customer);
    let stated: Vec<Statement> =
        said.flat_map(|message| learn::extract(message.text.as_str(), message.id, message.received_at)).collect();
    let facts = known_of(&*store, at.customer).await?;
    let known = facts.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let known = known.chain(stated.iter().map(|one| (one.key.as_str(), one.value.as_str())));
    let redaction = Redaction::of(known, salt);
    let id = id_of(&conversation.to_string(), salt);
    let text = serde_saphyr::to_string(&File::of(frozen(&past, &id, Some(&redaction))))?;
    let path = dir.join("dialog").join(format!("{id}.yaml"));
    // What is written can be read.
    case::parse(&text, &path).map_err(|error| Exit::invalid(&error))?;
    fs::create_dir_all(dir.join("dialog"))
        .and_then(|()| fs::write(&path, text))
        .with_context(|| format!("{} can't be written", path.display()))?;
    if json {
        return output::json(&json!({ "id": id, "file": path }));
    }
    output::line(&format!(
        "{}: read it over for what tells who it was, and say in expect what should have come",
        path.display()
    ));
    output::line(&format!("firstline eval explain {id} plays it"));
    Ok(())
}

async fn conversation_of(store: &dyn Store, id: ConversationId) -> anyhow::Result<Conversation> {
    let conversation = store.conversation(id).await.context("conversations can't be read")?;
    Ok(conversation.ok_or_else(|| Exit::invalid(&format!("there is no conversation {id}")))?)
}

/// What is known of a customer: facts of now and the name that is shown, by their keys.
async fn known_of(store: &dyn Store, customer: CustomerId) -> anyhow::Result<Vec<(String, String)>> {
    let facts = store.facts(customer).await.context("facts can't be read")?;
    let shown = store.customer(customer).await.context("the customer can't be read")?;
    let name = shown.and_then(|customer| customer.display_name).map(|name| ("name".to_owned(), name));
    Ok(facts.into_iter().map(|fact| (fact.key, fact.value)).chain(name).collect())
}

/// Plays a conversation again, with the memory of then, and shows what was said then beside what would be said now.
///
/// # Errors
/// Where there is no such conversation or revision, or a part is down.
pub(super) async fn replay(
    config: &Config,
    settings: Option<&Path>,
    (conversation, with): (ConversationId, Option<&str>),
    mode: &ModeArgs,
    json: bool,
) -> anyhow::Result<()> {
    let store = app::open_store_beside(config).await?;
    let past = past(config, &*store, &conversation_of(&*store, conversation).await?).await?;
    let there = with.map(Worktree::of).transpose();
    let there = there.map_err(|why| Exit::invalid(&format!("--with: git knows no such revision: {why}")))?;
    let config = there.as_ref().map_or_else(|| Ok(config.clone()), |there| there.config(settings))?;
    let file = File::of(frozen(&past, "replay", None)).with_articles_of_the_company();
    let path = PathBuf::from("replay.yaml");
    let cases = case::parse(&serde_saphyr::to_string(&file)?, &path)?;
    let cast = Cast::of(&config, mode, Path::new("eval"))?;
    let studio = Studio::open(&config, cast.embedder.clone(), cast.models.clone()).await?;
    let how = How { repeat: Repeat::Times(1), jobs: 1, before: &BTreeMap::new(), rubrics: &[] };
    let results = run::run(&studio, &cases, &how, |_, _| ControlFlow::Continue(())).await;
    let seen = results.into_iter().flat_map(|case| case.runs).map(|run| run.seen).next();
    match seen.context("the conversation was played")? {
        Seen::Played(played) if json => output::json(&json!({ "then": past.messages, "now": played })),
        Seen::Played(played) => {
            let then = text_of(&past.messages.iter().map(line_of).collect::<Vec<_>>());
            let is_said = |line: &Line| {
                let acts = ["(takes it)", "(gives it back to the bot)"].contains(&line.text.as_str());
                line.by != Speaker::Stage && !(line.by == Speaker::Operator && acts)
            };
            let now =
                played.transcript.into_iter().filter(is_said).map(|line| Line { who: CUSTOMER.to_owned(), ..line });
            let now = text_of(&now.collect::<Vec<_>>());
            let diff = similar::TextDiff::from_lines(&then, &now);
            output::line(&diff.unified_diff().context_radius(1_000).header("then", "now").to_string());
            Ok(())
        }
        Seen::Fault(why) => Err(Exit::new(3, why).into()),
        Seen::Judged(_) | Seen::BadActor(_) => Ok(()),
    }
}

/// A message as the line of a dialogue that it would be on a stage.
fn line_of(message: &Message) -> Line {
    let text = message.text.as_str();
    let (by, text) = match message.author {
        Author::Customer => (Speaker::Customer, text.to_owned()),
        Author::Bot => (Speaker::Bot, text.to_owned()),
        Author::Operator(_) => (Speaker::Operator, text.to_owned()),
        Author::Note(_) => (Speaker::Operator, format!("(notes) {text}")),
    };
    Line { by, who: CUSTOMER.to_owned(), text }
}

/// Everything that the bot saw in a conversation.
async fn past(config: &Config, store: &dyn Store, conversation: &Conversation) -> anyhow::Result<Past> {
    let messages = store.transcript(conversation.id, 0, usize::MAX >> 1).await.context("messages can't be read")?;
    let mut turns = BTreeMap::new();
    let mut recalled = BTreeSet::new();
    for message in &messages {
        if let Some(turn) = store.turn_about(message.id).await.context("turns can't be read")? {
            recalled.extend(turn.record.recalled.iter().filter(|source| source.contains('/')).cloned());
            turns.insert(turn.to_seq, turn);
        }
    }
    let at = conversation.opened_at;
    let known = store.facts_at(conversation.customer, at, at).await.context("facts can't be read")?;
    let earlier = earlier(store, conversation).await?;
    let mut articles = articles_at(config, at)?;
    articles.retain(|article| recalled.contains(&article.key()));
    Ok(Past { opened_at: at, messages, turns, known, earlier, articles })
}

/// What was said in the customer's earlier conversations, the newest of it.
async fn earlier(store: &dyn Store, conversation: &Conversation) -> anyhow::Result<Vec<Message>> {
    let export = store.export(conversation.customer).await.context("the customer can't be read")?;
    let rows = export.as_ref().and_then(|export| export["conversations"].as_array()).into_iter().flatten();
    let ids = rows.filter_map(|row| row["id"].as_str()?.parse::<ConversationId>().ok());
    let mut all = Vec::new();
    for id in ids.filter(|id| *id != conversation.id) {
        all.extend(store.transcript(id, 0, usize::MAX >> 1).await.context("messages can't be read")?);
    }
    all.retain(|message: &Message| message.received_at < conversation.opened_at && !message.text.as_str().is_empty());
    all.sort_by_key(|message| message.received_at);
    Ok(all.split_off(all.len().saturating_sub(EARLIER)))
}

/// The articles as they stood then, where git knows; else as they stand.
fn articles_at(config: &Config, at: jiff::Timestamp) -> anyhow::Result<Vec<Article>> {
    let dir = &config.knowledge.dir;
    let (before, path) = (format!("--before={at}"), dir.display().to_string());
    let then = git(&["rev-list", "-1", &before, "HEAD", "--", &path], Path::new("."));
    let there = then.ok().filter(|then| !then.is_empty()).and_then(|then| Worktree::of(&then).ok());
    let stood = there.as_ref().and_then(|there| there.check_out("knowledge.dir", dir).ok());
    if stood.is_none() {
        output::note(&format!("git does not know how {path} stood at {at}: the articles of now are taken"));
    }
    Ok(articles::read_articles(stood.as_ref().unwrap_or(dir))?)
}
