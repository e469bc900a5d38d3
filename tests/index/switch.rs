//! A change of the embedder: the earlier index serves until the new one holds everything.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use firstline::adapters::clock::SystemClock;
use firstline::adapters::qdrant::{Filled, Kept, QdrantServer};
use firstline::app::{self, Outside, upkeep};
use firstline::config::{Config, EmbedderKind};
use firstline::domain::id::Ids;
use firstline::domain::text::Language;
use firstline::flow::Ctx;
use firstline::ports::Retry;
use firstline::ports::clock::Clock as _;
use firstline::ports::index::Shelf;
use firstline::ports::model::{EmbedError, EmbedRole, Embedder, Fingerprint};
use jiff::Timestamp;
use qdrant_client::qdrant::{CreateCollectionBuilder, PointStruct, UpsertPointsBuilder};
use qdrant_client::{Payload, Qdrant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::fake_qdrant::{FakeQdrant, Fault};

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

/// Names and states of the indexes on a server.
async fn on_server(server: &QdrantServer) -> Vec<(String, Filled)> {
    let kept = server.kept().await.unwrap().into_iter();
    let name = |kept: Kept| (kept.made_with().unwrap().map_or("words".to_owned(), |it| it.model), kept.filled());
    let mut kept: Vec<(String, Filled)> = kept.map(name).collect();
    kept.sort_by(|a, b| a.0.cmp(&b.0));
    kept
}

fn all(expected: &[(&str, Filled)]) -> Vec<(String, Filled)> {
    expected.iter().map(|(name, filled)| ((*name).to_owned(), *filled)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_server_too_the_earlier_index_serves_until_the_new_one_is_full() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeQdrant::start());
    let mut config = Config::defaults();
    config.data.dir = dir.path().to_owned();
    config.index = crate::server::settings(&fake.url(), "shop");
    let server = QdrantServer::new(&config.index).unwrap();

    let ctx = open_with(config.clone(), "first", false).await;
    assert!(ctx.search.coming().is_none() && finds_delivery(&ctx).await);
    assert!(upkeep::sync_articles(&ctx, false).await.unwrap(), "every section gets its vector");
    let name = ctx.search.serving().index.name().to_owned();
    drop(ctx);
    assert_eq!(on_server(&server).await, all(&[("first", Filled::Wholly)]));
    let ctx = open_with(config.clone(), "first", false).await;
    assert_eq!(ctx.search.serving().index.name(), name);
    assert!(!ctx.knowledge.lacks_vectors(), "another start finds everything there");
    drop(ctx);

    let ctx = open_with(config.clone(), "second", true).await;
    assert_eq!((serving(&ctx), ctx.search.coming().is_some()), (None, true));
    assert!(finds_delivery(&ctx).await, "words serve");
    drop(ctx);
    // Another process tries a third one, and what an older version has left behind lies there too.
    let third = Some(Fingerprint { model: "third".to_owned(), dimensions: 4 });
    server.open(third.clone(), SystemClock.now()).await.unwrap();
    let given_up = Some(Fingerprint { model: "given up".to_owned(), dimensions: 4 });
    server.open(given_up, Timestamp::UNIX_EPOCH).await.unwrap();
    let (partly, words) = (Filled::Partly, Filled::WordsOnly);
    let expected = all(&[("first", words), ("given up", partly), ("second", partly), ("third", partly)]);
    assert_eq!(on_server(&server).await, expected);

    // The server fails for a while in the middle of it.
    let ctx = open_with(config.clone(), "second", false).await;
    let asked = fake.calls("scroll");
    fake.goes_wrong(Some(Fault::Unavailable));
    let changing = tokio::spawn(upkeep::change_embedder(Arc::clone(&ctx), CancellationToken::new()));
    while fake.calls("scroll") == asked {
        tokio::task::yield_now().await;
    }
    assert!(ctx.search.coming().is_some());
    fake.goes_wrong(None);
    changing.await.unwrap();
    assert_eq!((serving(&ctx).as_deref(), ctx.search.coming().is_some()), (Some("second"), false));
    assert!(finds_delivery(&ctx).await);
    let filled = ctx.search.serving().index.count(Shelf::Knowledge).await.unwrap();
    assert_eq!(filled, ctx.knowledge.indexed_count());
    let expected = all(&[("second", Filled::Wholly), ("third", partly)]);
    assert_eq!(on_server(&server).await, expected, "what another process is filling stays");
    assert_eq!(fake.collections().len(), 5, "{:?}", fake.collections());
    assert!(!dir.path().join("index").exists(), "nothing of it is in the data directory");
    drop(ctx);

    // Back to the first one: it is made anew, and nothing of its earlier self is served.
    let ctx = open_with(config.clone(), "first", false).await;
    assert_eq!(ctx.search.coming().unwrap().index.count(Shelf::Knowledge).await.unwrap(), 0);
    assert_eq!(ctx.search.coming().unwrap().index.count(Shelf::Memory).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_served_without_its_embedder_is_made_anew_when_that_is_back() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeQdrant::start());
    let mut config = Config::defaults();
    config.data.dir = dir.path().to_owned();
    config.index = crate::server::settings(&fake.url(), "shop");
    let first = open_with(config.clone(), "first", false).await;
    let name = first.search.serving().index.name().to_owned();
    drop(first);
    drop(open_with(config.clone(), "second", true).await);
    let first = open_with(config.clone(), "first", false).await;
    assert_ne!(first.search.serving().index.name(), name);
    assert!(finds_delivery(&first).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_version_has_left_on_a_server_is_deleted() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeQdrant::start());
    let mut config = Config::defaults();
    config.data.dir = dir.path().to_owned();
    config.index = crate::server::settings(&fake.url(), "shop");
    drop(open_with(config.clone(), "first", false).await);
    let ours = fake.collections();

    let client = Qdrant::from_url(&fake.url()).skip_compatibility_check().build().unwrap();
    let (memory, knowledge) = ("shop_memory_v1_words", "shop_knowledge_v1_words");
    for name in [memory, knowledge] {
        client.create_collection(CreateCollectionBuilder::new(name)).await.unwrap();
    }
    let mark = serde_json::json!({
        "version": 1, "embedder": null, "build": "old", "filled": "wholly", "begun": "2026-01-01T00:00:00Z",
        "knowledge": knowledge, "memory": memory,
    });
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, memory.as_bytes()).to_string();
    let point = PointStruct::new(id, vec![1.0], Payload::try_from(mark).unwrap());
    client.upsert_points(UpsertPointsBuilder::new("shop_marks", vec![point]).wait(true)).await.unwrap();
    let server = QdrantServer::new(&config.index).unwrap();
    assert_eq!(server.kept().await.unwrap().iter().filter(|kept| kept.made_with().is_none()).count(), 1);

    let ctx = open_with(config.clone(), "first", false).await;
    assert_eq!(fake.collections(), ours);
    assert_eq!(on_server(&server).await, all(&[("first", Filled::Wholly)]));
    assert!(finds_delivery(&ctx).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_server_a_start_says_what_is_missing() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeQdrant::start());
    let mut config = Config::defaults();
    config.data.dir = dir.path().to_owned();
    config.embedder.kind = EmbedderKind::None;
    config.index = crate::server::settings(&fake.url(), "shop");
    let address = fake.url().replace("http://", "");
    drop(fake);
    let outside =
        Outside { clock: Arc::new(SystemClock), ids: Ids::os(), model: None, embedder: None, channels: Vec::new() };
    let error = app::open(config, outside).await.err().unwrap();
    let words = format!("{error:#}");
    assert!(words.contains("index.url") && words.contains(&address), "{words}");
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
