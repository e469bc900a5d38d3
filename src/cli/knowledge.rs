//! `firstline knowledge`: the articles, as search sees them.

use super::output;
use crate::adapters::articles::read_articles;
use crate::app;
use crate::config::Config;
use crate::domain::text::Language;

/// Longest excerpt in the table, in characters.
const EXCERPT: usize = 160;

pub(super) async fn search(
    config: &Config,
    question: &str,
    language: Option<Language>,
    limit: usize,
    json: bool,
) -> anyhow::Result<()> {
    let found = app::search_knowledge(config, question, language, limit).await?;
    if json {
        return output::json(&found);
    }
    if found.is_empty() {
        output::line("nothing found");
        return Ok(());
    }
    let rows = found.into_iter().map(|section| {
        let heading = if section.heading.is_empty() { section.title } else { section.heading };
        let excerpt: String = section.text.replace('\n', " ").chars().take(EXCERPT).collect();
        let meaning = section.meaning.map_or_else(|| "-".to_owned(), |meaning| format!("{meaning:.3}"));
        let [score, words, coverage, sure] =
            [section.score, section.words, section.coverage, section.confidence].map(|it| format!("{it:.2}"));
        vec![section.article, heading, score, words, meaning, coverage, sure, excerpt]
    });
    output::table(
        &["article", "section", "score", "words", "meaning", "coverage", "confidence", "text"],
        rows.collect(),
    );
    Ok(())
}

pub(super) fn check(config: &Config, json: bool) -> anyhow::Result<()> {
    let articles = read_articles(&config.knowledge.dir)?;
    let sections: usize = articles.iter().map(|article| article.sections.len()).sum();
    if json {
        return output::json(&serde_json::json!({ "articles": articles.len(), "sections": sections }));
    }
    output::line(&format!("{} articles with {sections} sections can be read", articles.len()));
    Ok(())
}
