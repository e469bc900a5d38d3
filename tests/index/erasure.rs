//! The erasure of a customer out of a whole installation, while it serves and while it does not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use firstline::adapters::clock::SystemClock;
use firstline::app::{self, Outside, WEB_ACCOUNT, erasure};
use firstline::config::{Config, EmbedderKind};
use firstline::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
use firstline::domain::id::{CustomerId, Ids};
use firstline::domain::text::MessageText;
use firstline::flow::{Ctx, Progress, indexing, learn, turn};
use firstline::ports::clock::Clock as _;
use firstline::ports::index::Shelf;
use firstline::ports::store::Accepted;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::support::fake_qdrant::FakeQdrant;

/// Words that stand nowhere else.
const CANARY: &str = "Меня зовут Ромуальд, мой адрес: ул. Синичкина, д. 5, кв. 17";

fn config(dir: &Path) -> Config {
    let mut config = Config::defaults();
    config.data.dir = dir.to_owned();
    config.embedder.kind = EmbedderKind::None;
    config.turn.quiet = SignedDuration::ZERO;
    config
}

async fn open(config: &Config) -> Arc<Ctx> {
    let outside =
        Outside { clock: Arc::new(SystemClock), ids: Ids::os(), model: None, embedder: None, channels: Vec::new() };
    app::open(config.clone(), outside).await.unwrap()
}

/// A customer tells of themselves, is answered, learnt from and indexed.
async fn talks(ctx: &Ctx, who: &str) -> CustomerId {
    let from = Address { channel: ChannelKind::Web, account: WEB_ACCOUNT.to_owned(), external: who.to_owned() };
    let update = Inbound::new(from, format!("{who}:1"), InboundEvent::Message(MessageText::new(CANARY)));
    let accepted = ctx.store.accept(&[update], None, &ctx.timing(), ctx.clock.now()).await.unwrap();
    let [Accepted::New { conversation, .. }] = accepted[..] else { panic!("{accepted:?}") };
    while turn::tick(ctx).await.unwrap() == Progress::Worked {}
    let conversation = ctx.store.conversation(conversation).await.unwrap().unwrap();
    learn::episode(ctx, &conversation).await.unwrap();
    assert!(!ctx.store.facts(conversation.customer).await.unwrap().is_empty());
    while indexing::tick_ctx(ctx).await.unwrap() == Progress::Worked {}
    conversation.customer
}

async fn remembered(ctx: &Ctx) -> usize {
    ctx.search.serving().index.count(Shelf::Memory).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_erased_from_rows_index_and_files() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let ctx = open(&config).await;
    let ana = talks(&ctx, "visitor-ana-0001").await;
    let bob = talks(&ctx, "visitor-bob-0002").await;
    let both = remembered(&ctx).await;

    // While a process serves, it takes part.
    let stop = CancellationToken::new();
    let serving = tokio::spawn({
        let (ctx, stop) = (Arc::clone(&ctx), stop.clone());
        async move {
            while !stop.is_cancelled() {
                indexing::tick_ctx(&ctx).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let certificate = erasure::erase(&config, ana, SystemClock.now()).await.unwrap().unwrap();
    assert!(certificate.texts_sought >= 3 && certificate.erased.rows > 5, "{certificate:?}");
    // Bob has said the same words: the probe is honest about the files in which they stand.
    assert!(!certificate.found_in.is_empty());
    assert_eq!((certificate.rows_left, certificate.indexes), (0, 1));
    assert_eq!(remembered(&ctx).await * 2, both);
    stop.cancel();
    serving.await.unwrap();
    drop(ctx);

    // While none serves, the command does it alone.
    let certificate = erasure::erase(&config, bob, SystemClock.now()).await.unwrap().unwrap();
    assert!(certificate.holds(), "{certificate:?}");
    let again = erasure::erase(&config, bob, SystemClock.now()).await.unwrap().unwrap();
    assert_eq!(again.erased, certificate.erased, "asked twice, told the same");
    let nobody = CustomerId::fresh(&Ids::os(), SystemClock.now());
    assert!(erasure::erase(&config, nobody, SystemClock.now()).await.unwrap().is_none());
    let ctx = open(&config).await;
    assert_eq!(remembered(&ctx).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_erased_from_an_index_on_a_server() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeQdrant::start());
    let mut config = config(dir.path());
    config.index = crate::server::settings(&fake.url(), "shop");
    let ctx = open(&config).await;
    let ana = talks(&ctx, "visitor-ana-0001").await;
    let bob = talks(&ctx, "visitor-bob-0002").await;
    let both = remembered(&ctx).await;

    // While a process serves, what it has read before must not come in again: it is waited for.
    let erasing = tokio::spawn({
        let config = config.clone();
        async move { erasure::erase(&config, ana, SystemClock.now()).await.unwrap().unwrap() }
    });
    while !erasing.is_finished() {
        indexing::tick_ctx(&ctx).await.unwrap();
        tokio::task::yield_now().await;
    }
    let certificate = erasing.await.unwrap();
    assert_eq!((certificate.rows_left, certificate.indexes), (0, 1));
    assert_eq!(remembered(&ctx).await * 2, both);
    drop(ctx);

    // A command builds it anew, and another erases, while none serves.
    let built = app::rebuild_memory(&config, |_, _| {}).await.unwrap();
    assert!(built > 0);
    let ctx = open(&config).await;
    assert_eq!(remembered(&ctx).await * 2, both);
    drop(ctx);
    let certificate = erasure::erase(&config, bob, SystemClock.now()).await.unwrap().unwrap();
    assert!(certificate.holds() && certificate.indexes == 1, "{certificate:?}");
    let ctx = open(&config).await;
    assert_eq!(remembered(&ctx).await, 0);
    drop(ctx);

    // Without its server, an erasure says that it is not done.
    drop(fake);
    let error = erasure::erase(&config, bob, SystemClock.now()).await.unwrap_err();
    assert!(format!("{error:#}").contains("server"), "{error:#}");
}
