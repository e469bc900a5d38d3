//! A change of the embedder: the earlier index serves until the new one holds everything.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use firstline::adapters::clock::SystemClock;
use firstline::app::{self, Outside, upkeep};
use firstline::config::Config;
use firstline::domain::id::Ids;
use firstline::domain::text::Language;
use firstline::flow::Ctx;
use firstline::ports::Retry;
use firstline::ports::index::Shelf;
use firstline::ports::model::{EmbedError, EmbedRole, Embedder, Fingerprint};
use tokio_util::sync::CancellationToken;

/// An embedder of few dimensions, which counts letters; it may be down.
struct Letters {
    name: &'static str,
    is_down: bool,
}

#[async_trait]
impl Embedder for Letters {
    async fn embed(&self, texts: &[String], _: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
        if self.is_down {
            return Err(EmbedError { why: "it is down".to_owned(), retry: Retry::Later });
        }
        let count = |text: &String, letter| text.chars().filter(|c| *c == letter).count() as f32 + 0.1;
        Ok(texts.iter().map(|text| ['а', 'о', 'e', 't'].map(|letter| count(text, letter)).to_vec()).collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { model: self.name.to_owned(), dimensions: 4 }
    }
}

async fn open(dir: &Path, name: &'static str, is_down: bool) -> Arc<Ctx> {
    let mut config = Config::defaults();
    config.data.dir = dir.to_owned();
    open_with(config, name, is_down).await
}

async fn open_with(config: Config, name: &'static str, is_down: bool) -> Arc<Ctx> {
    let outside = Outside {
        clock: Arc::new(SystemClock),
        ids: Ids::os(),
        model: None,
        embedder: Some(Arc::new(Letters { name, is_down })),
        channels: Vec::new(),
    };
    app::open(config, outside).await.unwrap()
}

async fn finds_delivery(ctx: &Ctx) -> bool {
    let search = ctx.search.serving();
    let question = "Сколько стоит доставка курьером по Москве?";
    let found = ctx.knowledge.search(&*search.index, search.embedder.as_deref(), question, Some(Language::Ru), 3).await;
    found.unwrap().iter().any(|section| section.article == "ru/delivery-cost-moscow")
}

fn directories(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir.join("index")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn serving(ctx: &Ctx) -> Option<String> {
    ctx.search.serving().embedder.as_ref().map(|embedder| embedder.fingerprint().model)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_of_the_embedder_the_earlier_index_serves_until_the_new_one_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = open(dir.path(), "first", false).await;
    assert!(ctx.search.coming().is_none(), "there is nothing to come from");
    assert!(finds_delivery(&ctx).await, "words serve at once");
    assert!(ctx.knowledge.lacks_vectors());
    assert!(upkeep::sync_articles(&ctx, false).await.unwrap(), "every section gets its vector");
    drop(ctx);

    // The new embedder is down: nothing is lost, the earlier index serves, also after another start.
    for _ in 0..2 {
        let ctx = open(dir.path(), "second", true).await;
        assert_eq!(serving(&ctx), None, "the first embedder is not to be had: words");
        assert!(finds_delivery(&ctx).await);
        let stop = CancellationToken::new();
        let changing = tokio::spawn(upkeep::change_embedder(Arc::clone(&ctx), stop.clone()));
        tokio::task::yield_now().await;
        stop.cancel();
        changing.await.unwrap();
        assert!(ctx.search.coming().is_some(), "it is not full");
        drop(ctx);
        assert_eq!(directories(dir.path()), ["first-4", "second-4"]);
    }

    let ctx = open(dir.path(), "second", false).await;
    assert!(finds_delivery(&ctx).await);
    upkeep::change_embedder(Arc::clone(&ctx), CancellationToken::new()).await;
    assert_eq!(serving(&ctx).as_deref(), Some("second"));
    assert!(ctx.search.coming().is_none());
    assert!(finds_delivery(&ctx).await);
    let filled = ctx.search.serving().index.count(Shelf::Knowledge).await.unwrap();
    assert_eq!(filled, ctx.knowledge.indexed_count());
    assert_eq!(directories(dir.path()), ["second-4"]);
    drop(ctx);

    let ctx = open(dir.path(), "second", false).await;
    assert_eq!(serving(&ctx).as_deref(), Some("second"));
    assert!(ctx.search.coming().is_none() && !ctx.knowledge.lacks_vectors(), "nothing is done twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_breaks_goes_on_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let articles = dir.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    for name in ["delivery-cost-moscow.md", "gift-cards.md"] {
        std::fs::copy(format!("knowledge/ru/{name}"), articles.join(name)).unwrap();
    }
    let mut config = Config::defaults();
    config.data.dir = dir.path().join("data");
    config.knowledge.dir = articles.clone();
    let ctx = open_with(config, "first", false).await;
    let delivery = articles.join("delivery-cost-moscow.md");
    let whole = std::fs::read_to_string(&delivery).unwrap();

    std::fs::write(&delivery, whole.replace("language: ru", "language: [ru")).unwrap();
    upkeep::sync_articles(&ctx, false).await.unwrap();
    assert_eq!(ctx.knowledge.article_count(), 2);
    assert!(finds_delivery(&ctx).await, "somebody is in the middle of an edit");

    let moved = articles.join("another-name.md");
    std::fs::write(&moved, &whole).unwrap();
    upkeep::sync_articles(&ctx, false).await.unwrap();
    assert_eq!(ctx.knowledge.article_count(), 2, "an article that can be read takes the place of its earlier self");
    assert_eq!(ctx.knowledge.written_in(&moved).len(), 1);

    std::fs::remove_file(&moved).unwrap();
    std::fs::remove_file(&delivery).unwrap();
    upkeep::sync_articles(&ctx, false).await.unwrap();
    assert!(!finds_delivery(&ctx).await, "what is taken away is gone");
}
