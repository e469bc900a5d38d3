//! An index that several processes share: one of them at a time applies changes, and nobody's old words come back.

use std::time::Duration;

use async_trait::async_trait;
use firstline::adapters::qdrant::{QdrantServer, ServerIndex};
use firstline::adapters::store::SqlStore;
use firstline::config::Config;
use firstline::domain::id::CustomerId;
use firstline::flow::indexing;
use firstline::ports::index::{Hit, IndexError, Point, Query, SearchIndex, Shelf};
use firstline::ports::ledger::Ledger;
use firstline::ports::privacy::Privacy;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::doubles::fake_qdrant::FakeQdrant;
use crate::privacy::lived;
use crate::support::{Kind, Stage, at, web};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) async fn one_process_at_a_time_applies_changes(stage: &Stage) {
    for _ in 0..2 {
        assert!(stage.store.applies_changes("one").await.unwrap(), "it stays so");
    }
    if stage.database.kind == Kind::Sqlite {
        let beside = SqlStore::open_sqlite_beside(&stage.database.sqlite_file()).await.unwrap();
        assert!(!beside.applies_changes("one").await.unwrap(), "a command that looks is not the owner");
        return;
    }
    let other = stage.database.open().await;
    assert!(!other.applies_changes("one").await.unwrap());
    assert!(other.applies_changes("two").await.unwrap(), "another index has another");
    assert!(!stage.store.applies_changes("two").await.unwrap());
    other.close().await;
    let taken_over = async { while !stage.store.applies_changes("two").await.unwrap() {} };
    tokio::time::timeout(PATIENCE, taken_over).await.expect("what a process held is free when it ends");
}

pub(crate) async fn a_position_that_another_has_moved_goes_back(stage: &Stage) {
    lived(stage, &web("ana"), 0).await;
    let changes = async |index: &str| stage.store.index_changes(index, 100).await.unwrap();
    let all = changes("one").await;
    let (first, last) = (all[0].number, all.last().unwrap().number);
    assert!(first < last);
    assert!(stage.store.index_changed("one", 0, last).await.unwrap());
    assert!(changes("one").await.is_empty());

    // Another has read from the same place, and comes later: what it wrote may be out of date.
    assert!(!stage.store.index_changed("one", 0, first).await.unwrap());
    assert_eq!(changes("one").await.len(), all.len());
    // Whoever has read from further on may not bring it forward.
    assert!(!stage.store.index_changed("one", first, last).await.unwrap());
    assert_eq!(changes("one").await.len(), all.len());

    // The index is wiped while somebody applies changes to it, at the beginning as well as later.
    for from in [0, last] {
        let index = format!("from {from}");
        if from > 0 {
            assert!(stage.store.index_changed(&index, 0, from).await.unwrap());
        }
        stage.store.reindex_all(&index).await.unwrap();
        assert!(!stage.store.index_changed(&index, from, last).await.unwrap());
        assert_eq!(changes(&index).await.len(), all.len());
        let now = stage.store.index_position(&index).await.unwrap();
        assert!(stage.store.index_changed(&index, now, last).await.unwrap());
        assert!(changes(&index).await.is_empty());
    }
}

async fn opened(fake: &FakeQdrant, prefix: &str) -> ServerIndex {
    let mut settings = Config::defaults().index;
    settings.url = fake.url();
    settings.prefix = prefix.to_owned();
    QdrantServer::new(&settings).unwrap().open(None, Timestamp::UNIX_EPOCH).await.unwrap().0
}

/// A process that shares an index.
type Process<'a> = (&'a SqlStore, &'a ServerIndex);

async fn applies((store, index): Process<'_>) -> usize {
    indexing::tick(store, index, None, &TimeZone::UTC).await.unwrap()
}

/// Applies changes, all processes at once, until `done` is done and there are no more.
async fn caught_up<T>(processes: &[Process<'_>], done: impl Future<Output = T>) -> T {
    let finished = std::cell::Cell::new(false);
    let doing = async {
        let value = done.await;
        finished.set(true);
        value
    };
    let applying = async {
        loop {
            let was_finished = finished.get();
            let applied = futures_util::future::join_all(processes.iter().map(|process| applies(*process))).await;
            let (store, index) = processes[0];
            if was_finished && applied.iter().all(|applied| *applied == 0) {
                assert!(!indexing::is_behind(store, index).await.unwrap(), "nobody applies what is left");
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let both = futures_util::future::join(doing, applying);
    tokio::time::timeout(PATIENCE, both).await.expect("it ends").0
}

async fn ids(index: &ServerIndex) -> Vec<Uuid> {
    let mut ids = index.ids(Shelf::Memory).await.unwrap();
    ids.sort();
    ids
}

pub(crate) async fn processes_that_share_an_index_end_up_with_what_the_store_holds(stage: &Stage) {
    if stage.database.kind == Kind::Sqlite {
        // Its file has one owner.
        return;
    }
    let (fake, second) = (FakeQdrant::start(), stage.database.open().await);
    let stores = [&stage.store, &second];
    let indexes = [opened(&fake, "both").await, opened(&fake, "both").await];
    assert_eq!(indexes[0].name(), indexes[1].name());
    let mut gone = Vec::new();
    for number in 0..12 {
        let (_, customer) = lived(stage, &web(&format!("customer {number}")), number * 100).await;
        if number % 2 == 0 {
            gone.push(customer);
        }
    }
    let erasing = async {
        for customer in &gone {
            stage.store.erase(*customer, at(5_000)).await.unwrap().unwrap();
            tokio::task::yield_now().await;
        }
    };
    let [one, two] = [(stores[0], &indexes[0]), (stores[1], &indexes[1])];
    caught_up(&[one, two], erasing).await;

    let alone = opened(&fake, "alone").await;
    caught_up(&[(&stage.store, &alone)], async {}).await;
    assert!(!ids(&alone).await.is_empty());
    assert_eq!(ids(&indexes[0]).await, ids(&alone).await, "nobody who was erased is there, and nobody else is missing");

    // One of them builds it anew while the other applies what comes, and then the other way round.
    for (builder, other) in [(two, one), (one, two)] {
        let zone = TimeZone::UTC;
        let rebuilding = indexing::rebuild(builder.0, builder.1, None, &zone, |_, _| {});
        assert!(caught_up(&[other], rebuilding).await.unwrap() > 0);
        assert_eq!(ids(&indexes[1]).await, ids(&alone).await);
    }
    second.close().await;
}

/// Where a process is stopped.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    /// It has read what to write.
    Write,
    /// It has written.
    Record,
}

/// An index whose process stands still at one step until it is told to go on.
struct Stopped<'a> {
    index: &'a ServerIndex,
    at: Step,
    reached: Notify,
    go: Notify,
}

impl<'a> Stopped<'a> {
    fn new(index: &'a ServerIndex, at: Step) -> Self {
        Self { index, at, reached: Notify::new(), go: Notify::new() }
    }

    async fn stop(&self, step: Step) {
        if step == self.at {
            self.reached.notify_one();
            self.go.notified().await;
        }
    }
}

#[async_trait]
impl SearchIndex for Stopped<'_> {
    fn name(&self) -> &str {
        self.index.name()
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn upsert(&self, shelf: Shelf, points: Vec<Point>) -> Result<(), IndexError> {
        self.stop(Step::Write).await;
        self.index.upsert(shelf, points).await
    }

    async fn remove(&self, shelf: Shelf, ids: Vec<Uuid>) -> Result<(), IndexError> {
        self.index.remove(shelf, ids).await
    }

    async fn forget(&self, customer: CustomerId) -> Result<(), IndexError> {
        self.index.forget(customer).await
    }

    async fn search(&self, query: Query) -> Result<Vec<Hit>, IndexError> {
        self.index.search(query).await
    }

    async fn count(&self, shelf: Shelf) -> Result<usize, IndexError> {
        self.index.count(shelf).await
    }

    async fn ids(&self, shelf: Shelf) -> Result<Vec<Uuid>, IndexError> {
        self.index.ids(shelf).await
    }

    async fn wipe(&self, shelf: Shelf) -> Result<(), IndexError> {
        self.index.wipe(shelf).await
    }

    async fn flush(&self) -> Result<(), IndexError> {
        self.stop(Step::Record).await;
        self.index.flush().await
    }
}

/// Two processes that both take themselves for the one that applies changes, as after a lost connection: what the first
/// has read of a customer it writes after the second has forgotten them, whoever records it first.
pub(crate) async fn what_was_read_too_early_does_not_bring_the_erased_back(stage: &Stage) {
    let fake = FakeQdrant::start();
    for (round, late_is_first) in [true, false].into_iter().enumerate() {
        let index = opened(&fake, &format!("round-{round}")).await;
        let (_, ana) = lived(stage, &web(&format!("ana {round}")), 0).await;
        let (late, quick) = (Stopped::new(&index, Step::Write), Stopped::new(&index, Step::Record));
        let zone = TimeZone::UTC;
        let mut writes_late = std::pin::pin!(indexing::tick(&stage.store, &late, None, &zone));
        tokio::select! {
            _ = &mut writes_late => panic!("it has something to write"),
            () = late.reached.notified() => {}
        }
        stage.store.erase(ana, at(200)).await.unwrap().unwrap();
        let mut forgets = std::pin::pin!(indexing::tick(&stage.store, &quick, None, &zone));
        tokio::select! {
            _ = &mut forgets => panic!("it has something to forget"),
            () = quick.reached.notified() => {}
        }
        late.go.notify_one();
        quick.go.notify_one();
        if late_is_first {
            writes_late.await.unwrap();
            forgets.await.unwrap();
        } else {
            forgets.await.unwrap();
            writes_late.await.unwrap();
        }
        caught_up(&[(&stage.store, &index)], async {}).await;
        assert_eq!(index.count(Shelf::Memory).await.unwrap(), 0, "round {round}");
    }
}
