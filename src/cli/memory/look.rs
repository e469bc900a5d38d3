//! Looking at what is remembered. Every look is noted.

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::{day, minute, note_look};
use crate::app;
use crate::cli::output;
use crate::config::Config;
use crate::domain::id::{CustomerId, MessageId};
use crate::domain::memory::{Episode, Fact};
use crate::domain::turn::Found;
use crate::ports::store::Store;

/// How many episodes are shown.
const EPISODES: usize = 50;

/// How many looks are shown.
const ACCESSES: usize = 100;

/// Longest excerpt in a table, in characters.
const EXCERPT: usize = 160;

pub(super) async fn show(
    store: &dyn Store,
    customer: CustomerId,
    at: Option<Timestamp>,
    json: bool,
) -> anyhow::Result<()> {
    note_look(store, customer, "show").await?;
    let facts = match at {
        None => store.facts(customer).await,
        Some(at) => store.facts_at(customer, at, at).await,
    };
    let facts = facts.context("facts can't be read")?;
    let mut episodes = store.episodes(customer, EPISODES).await.context("episodes can't be read")?;
    episodes.retain(|episode| at.is_none_or(|at| episode.ended_at <= at));
    let person = store.customer(customer).await.context("the customer can't be read")?;
    let remembered = person.is_some_and(|person| person.remembered);
    if json {
        return output::json(
            &json!({ "customer": customer, "memory": remembered, "as_of": at, "facts": facts, "episodes": episodes }),
        );
    }
    let when = at.map_or("now".to_owned(), |at| format!("at {}", minute(at)));
    output::line(&format!("{customer}: {} facts that hold {when}, {} episodes", facts.len(), episodes.len()));
    if !remembered {
        output::line("memory is off: nothing is learnt and nothing of this is recalled");
    }
    if facts.is_empty() && episodes.is_empty() {
        output::line("what a conversation tells is learnt when it is resolved, or has been silent for episode.after");
    }
    show_facts(store, facts).await?;
    show_episodes(episodes);
    Ok(())
}

async fn show_facts(store: &dyn Store, facts: Vec<Fact>) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for fact in facts {
        let source = store.conversation_of(fact.source).await.context("conversations can't be read")?;
        rows.push(vec![
            fact.key,
            fact.value,
            fact.kind.name().to_owned(),
            format!("{:.2}", fact.confidence),
            day(fact.valid_at),
            fact.due_at.map(minute).unwrap_or_default(),
            source.map(|conversation| conversation.address.channel.to_string()).unwrap_or_default(),
            fact.source.to_string(),
            fact.id.to_string(),
        ]);
    }
    output::table(&["fact", "value", "kind", "sure", "since", "due", "channel", "said in", "id"], rows);
    Ok(())
}

fn show_episodes(episodes: Vec<Episode>) {
    let rows = episodes.into_iter().map(|episode| {
        vec![
            day(episode.ended_at),
            episode.channel.to_string(),
            episode.outcome.name().to_owned(),
            episode.mood,
            episode.summary,
        ]
    });
    output::table(&["ended", "channel", "outcome", "mood", "summary"], rows.collect());
}

pub(super) async fn search(
    config: &Config,
    store: &dyn Store,
    customer: CustomerId,
    question: &str,
    limit: usize,
    json: bool,
) -> anyhow::Result<()> {
    note_look(store, customer, "search").await?;
    let found = app::search_memory(config, store, customer, question, limit).await?;
    if json {
        let rows: Vec<_> = found.iter().map(|(memory, found)| json!({ "memory": memory, "found": found })).collect();
        return output::json(&rows);
    }
    if found.is_empty() {
        output::line("nothing found");
    }
    let rows = found.into_iter().map(|(memory, found)| {
        let text: String = memory.text().replace('\n', " / ").chars().take(EXCERPT).collect();
        let [score, words, around, meaning] = figures(Some(found));
        vec![memory.kind().to_owned(), day(memory.at()), memory.source(), score, words, around, meaning, text]
    });
    output::table(&["memory", "day", "source", "score", "words", "around", "meaning", "text"], rows.collect());
    Ok(())
}

fn figures(found: Option<Found>) -> [String; 4] {
    let Some(found) = found else { return ["always".to_owned(), String::new(), String::new(), String::new()] };
    let meaning = found.meaning.map_or_else(|| "-".to_owned(), |meaning| format!("{meaning:.3}"));
    [format!("{:.2}", found.score), format!("{:.2}", found.words), format!("{:.2}", found.around), meaning]
}

pub(super) async fn why(store: &dyn Store, message: MessageId, json: bool) -> anyhow::Result<()> {
    let conversation = store.conversation_of(message).await.context("conversations can't be read")?;
    let conversation = conversation.with_context(|| format!("there is no message {message}"))?;
    note_look(store, conversation.customer, "why").await?;
    let turn = store.turn_about(message).await.context("turns can't be read")?;
    let turn = turn.with_context(|| {
        format!("no turn of the bot is about {message}: a person answered it, or its record is past its retention")
    })?;
    if json {
        return output::json(&json!({
            "conversation": conversation.id, "customer": conversation.customer, "from_seq": turn.from_seq,
            "to_seq": turn.to_seq, "decision": turn.decision, "reason": turn.reason, "record": turn.record,
        }));
    }
    let record = turn.record;
    let reason = turn.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    output::line(&format!(
        "{}, messages {} to {}: {}{reason}",
        conversation.id, turn.from_seq, turn.to_seq, turn.decision
    ));
    let labels: Vec<String> =
        record.labels.iter().map(|it| format!("{} {:.2}", it.label.name(), it.confidence)).collect();
    output::line(&format!("labels: {}", labels.join(", ")));
    output::line(&format!("coverage of the first article: {:.2}", record.coverage));
    if let Some(model) = &record.model {
        output::line(&format!("model: {model}, {} tokens read, {} written", record.tokens_in, record.tokens_out));
    }
    if !record.failed_checks.is_empty() {
        output::line(&format!("checks that the draft failed: {}", record.failed_checks.join(", ")));
    }
    let articles =
        record.recalled.iter().filter(|source| record.memories.iter().all(|memory| memory.source != **source));
    let cited = |source: &str| if record.cited.iter().any(|cited| cited == source) { "cited" } else { "" }.to_owned();
    let rows = articles.map(|source| vec!["article".to_owned(), source.clone(), cited(source)]);
    output::table(&["recalled", "source", ""], rows.collect());
    let rows = record.memories.iter().map(|memory| {
        let [score, words, around, meaning] = figures(memory.found);
        vec![memory.kind.clone(), memory.source.clone(), score, words, around, meaning, cited(&memory.source)]
    });
    output::table(&["memory", "source", "score", "words", "around", "meaning", ""], rows.collect());
    Ok(())
}

pub(super) async fn export(store: &dyn Store, customer: CustomerId) -> anyhow::Result<()> {
    note_look(store, customer, "export").await?;
    let held = store.export(customer).await.context("what is held can't be read")?;
    output::json(&held.with_context(|| format!("nothing is held of {customer}"))?)
}

pub(super) async fn accesses(store: &dyn Store, customer: CustomerId, json: bool) -> anyhow::Result<()> {
    let accesses = store.accesses(customer, ACCESSES).await.context("looks can't be read")?;
    if json {
        return output::json(&accesses);
    }
    if accesses.is_empty() {
        output::line("nobody has looked yet");
    }
    let rows = accesses.into_iter().map(|access| vec![minute(access.at), access.who, access.what]);
    output::table(&["when", "who", "at"], rows.collect());
    Ok(())
}
