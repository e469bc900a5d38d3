//! The index on a Qdrant server: against a fake of it on loopback, and against a real one where
//! `FIRSTLINE_TEST_QDRANT_URL` names it (its gRPC address; `FIRSTLINE_TEST_QDRANT_KEY` is its key).

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use firstline::adapters::qdrant::{EdgeIndex, Filled, Kept, Opened, QdrantServer, ServerIndex};
use firstline::config::{self, Config};
use firstline::domain::text::Language;
use firstline::ports::index::{Hit, IndexError, Point, Query, Scope, SearchIndex, Shelf};
use firstline::ports::model::Fingerprint;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};

use crate::contract::{Guard, ask, customers, fingerprint, found, id, knowledge, memory};
use crate::support::fake_qdrant::{FakeQdrant, Fault};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub(crate) fn settings(url: &str, prefix: &str) -> config::Index {
    let mut settings = Config::defaults().index;
    settings.url = url.to_owned();
    settings.prefix = prefix.to_owned();
    settings
}

fn server(fake: &FakeQdrant) -> QdrantServer {
    QdrantServer::new(&settings(&fake.url(), "test")).unwrap()
}

async fn open(fake: &FakeQdrant) -> (ServerIndex, Opened) {
    server(fake).open(Some(fingerprint()), NOW).await.unwrap()
}

pub(crate) async fn opened(fake: &FakeQdrant) -> ServerIndex {
    open(fake).await.0
}

/// An index on the real server under a prefix of its own, where there is such a server.
pub(crate) async fn opened_on_a_real_one() -> Option<(Guard, ServerIndex)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(url) = read("FIRSTLINE_TEST_QDRANT_URL") else {
        // Not through the macro, whose words the test harness keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: 1 index test, for want of a Qdrant at FIRSTLINE_TEST_QDRANT_URL");
        return None;
    };
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut settings = settings(&url, &format!("test-{}-{number}", std::process::id()));
    settings.key = read("FIRSTLINE_TEST_QDRANT_KEY").unwrap_or_default().into();
    let server = QdrantServer::new(&settings).unwrap();
    clear(&server).await;
    let (index, _) = server.open(Some(fingerprint()), NOW).await.unwrap();
    Some((Guard::Server(server), index))
}

/// Deletes every index under the prefix of this server.
pub(crate) async fn clear(server: &QdrantServer) {
    for kept in server.kept().await.unwrap() {
        server.delete(&kept).await.unwrap();
    }
    server.delete_marks().await.unwrap();
}

fn with_vector(point: Point, dense: [f32; 2]) -> Point {
    Point { dense: Some(dense.to_vec()), ..point }
}

fn unavailable(answer: Result<impl std::fmt::Debug, IndexError>) -> String {
    match answer.unwrap_err() {
        IndexError::Unavailable(why) => why,
        IndexError::Refused(why) => panic!("it is refused: {why}"),
    }
}

fn refused(answer: Result<impl std::fmt::Debug, IndexError>) -> String {
    match answer.unwrap_err() {
        IndexError::Refused(why) => why,
        IndexError::Unavailable(why) => panic!("it is unavailable: {why}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn collections_are_made_for_what_they_hold() {
    let fake = FakeQdrant::start();
    let _index = opened(&fake).await;
    let words = server(&fake).open(None, NOW).await.unwrap().0;
    let names = fake.collections();
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(names.contains(&"test_marks".to_owned()), "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("test_")), "{names:?}");
    for name in names.iter().filter(|name| *name != "test_marks") {
        let made = format!("{:?}", fake.made(name));
        let indexed = fake.indexed(name);
        let sparse = fake.made(name).sparse_vectors_config.unwrap().map;
        assert_eq!(sparse.keys().collect::<BTreeSet<_>>().len(), 2);
        assert!(sparse.values().all(|params| params.modifier == Some(1)), "words that are rare count more");
        assert_eq!(made.contains("\"dense\""), !name.ends_with("words"), "{made}");
        if name.contains("_memory_") {
            assert_eq!(indexed["customer"].is_tenant, Some(true));
            let hnsw = fake.made(name).hnsw_config.unwrap();
            assert_eq!((hnsw.m, hnsw.payload_m), (Some(0), Some(16)));
        } else {
            assert_eq!(indexed.keys().collect::<Vec<_>>(), ["language"]);
        }
    }
    // Without an embedder there are words alone.
    words.upsert(Shelf::Knowledge, vec![knowledge(1, "lamp")]).await.unwrap();
    assert_eq!(found(&words, ask(Scope::Knowledge(None), "lamps")).await, [1]);
    refused(words.search(Query { dense: Some(vec![1.0, 0.0]), ..ask(Scope::Knowledge(None), "lamp") }).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_a_memory_carries_its_customer() {
    let fake = FakeQdrant::start();
    let index = opened(&fake).await;
    let [anna, boris] = customers();
    let points = (0..120).map(|number| {
        let point = memory(number, if number % 2 == 0 { anna } else { boris }, &format!("cup {number}"));
        Point { around: Some("a cup of tea".to_owned()), ..with_vector(point, [1.0, number as f32]) }
    });
    index.upsert(Shelf::Memory, points.collect()).await.unwrap();
    for (text, dense, limit) in [
        ("cup", None, 3),
        ("cup 7", Some(vec![0.0, 1.0]), 3),
        ("", Some(vec![1.0, 0.0]), 60),
        ("cup", Some(vec![1.0, 0.0]), 3),
        ("zeppelin", None, 3),
    ] {
        let query = Query { dense, limit, ..ask(Scope::Customer(anna), text) };
        index.search(query).await.unwrap();
    }
    let queries = fake.queries();
    assert!(queries.len() >= 8, "{}", queries.len());
    assert!(fake.calls("query_batch") > 4, "some asked for the scores of what another leg has found");
    for query in queries {
        assert!(query.collection_name.contains("_memory_"), "{}", query.collection_name);
        let must = format!("{:?}", query.filter.expect("it has a filter").must);
        assert!(must.contains("\"customer\"") && must.contains(&anna.to_string()), "{must}");
        assert!(!must.contains(&boris.to_string()), "{must}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_of_a_small_memory_is_one_question() {
    let fake = FakeQdrant::start();
    let index = opened(&fake).await;
    let [anna, _] = customers();
    let points =
        (0..20).map(|number| with_vector(memory(number, anna, &format!("cup {number}")), [1.0, number as f32]));
    index.upsert(Shelf::Memory, points.collect()).await.unwrap();
    let query = Query { dense: Some(vec![1.0, 0.0]), limit: 100, ..ask(Scope::Customer(anna), "cup") };
    assert_eq!(found(&index, query).await.len(), 20);
    assert_eq!(fake.calls("query_batch"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_points_than_a_page_are_all_named() {
    let fake = FakeQdrant::start();
    let index = opened(&fake).await;
    let [anna, _] = customers();
    index.upsert(Shelf::Memory, (0..2_300).map(|number| memory(number, anna, "")).collect()).await.unwrap();
    let mut ids = index.ids(Shelf::Memory).await.unwrap();
    ids.sort();
    assert_eq!(ids, (0..2_300).map(id).collect::<Vec<_>>());
    assert!(fake.calls("scroll") == 3 && fake.calls("upsert") > 8, "in pages and in batches");
    index.remove(Shelf::Memory, (0..2_299).map(id).collect()).await.unwrap();
    assert_eq!(index.ids(Shelf::Memory).await.unwrap(), [id(2_299)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_for_a_while_is_unavailable_and_then_goes_on() {
    let fake = FakeQdrant::start();
    let index = opened(&fake).await;
    index.upsert(Shelf::Knowledge, vec![knowledge(1, "cup")]).await.unwrap();
    for fault in [Fault::Unavailable, Fault::Internal] {
        fake.goes_wrong(Some(fault));
        let address = fake.url().replace("http://", "");
        let whys = [
            unavailable(index.search(ask(Scope::Knowledge(None), "cup")).await),
            unavailable(index.upsert(Shelf::Knowledge, vec![knowledge(2, "cup")]).await),
            unavailable(index.remove(Shelf::Knowledge, vec![id(1)]).await),
            unavailable(index.forget(customers()[0]).await),
            unavailable(index.count(Shelf::Memory).await),
            unavailable(index.ids(Shelf::Memory).await),
            unavailable(index.wipe(Shelf::Memory).await),
            unavailable(index.flush().await),
            unavailable(server(&fake).open(Some(fingerprint()), NOW).await.map(drop)),
        ];
        assert!(whys.iter().all(|why| why.contains(&address)), "{whys:?}");
        fake.goes_wrong(None);
        assert_eq!(found(&index, ask(Scope::Knowledge(None), "cup")).await, [1], "nothing was written or lost");
    }
    index.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let fake = FakeQdrant::start();
    opened(&fake).await;
    let mut settings = settings(&fake.url(), "test");
    settings.within = SignedDuration::from_millis(300);
    let impatient = QdrantServer::new(&settings).unwrap();
    let (index, _) = impatient.open(Some(fingerprint()), NOW).await.unwrap();
    fake.goes_wrong(Some(Fault::Hang));
    let asked = index.search(ask(Scope::Knowledge(None), "cup"));
    let why = unavailable(tokio::time::timeout(Duration::from_secs(20), asked).await.expect("it ends"));
    assert!(why.contains("no answer within 300ms"), "{why}");
    unavailable(index.flush().await);
    fake.goes_wrong(None);
    index.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named_without_the_key() {
    let fake = FakeQdrant::with_key("the-right-key");
    let mut settings = settings(&fake.url(), "test");
    for key in ["", "a-wrong-key"] {
        settings.key = key.to_owned().into();
        let wrong = QdrantServer::new(&settings).unwrap();
        let why = refused(wrong.open(Some(fingerprint()), NOW).await.map(drop));
        assert!(why.contains("refuses the key") && why.contains("index.key"), "{why}");
        assert!(!why.contains("a-wrong-key") && !format!("{wrong:?}").contains("a-wrong-key"), "{why}");
        assert_eq!(wrong.version().await.unwrap(), "1.20.0-fake", "that much it tells anybody");
    }
    settings.key = "the-right-key".to_owned().into();
    let right = QdrantServer::new(&settings).unwrap();
    let (index, _) = right.open(Some(fingerprint()), NOW).await.unwrap();
    index.flush().await.unwrap();
    let address = right.address().to_owned();
    drop(fake);
    let why = unavailable(index.flush().await);
    assert!(why.contains(&address) && !why.contains("the-right-key"), "{why}");
    settings.key = "ключ".to_owned().into();
    let why = refused(QdrantServer::new(&settings));
    assert!(why.contains("index.key") && !why.contains("ключ"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_keeps_its_name_until_it_begins_anew() {
    let fake = FakeQdrant::start();
    let (index, first) = open(&fake).await;
    assert_eq!(first, Opened::Fresh("there was none".to_owned()));
    let [anna, _] = customers();
    index.upsert(Shelf::Memory, vec![memory(1, anna, "cup")]).await.unwrap();
    let (again, second) = open(&fake).await;
    assert_eq!((again.name(), second), (index.name(), Opened::Existing));
    again.wipe(Shelf::Memory).await.unwrap();
    assert_eq!(opened(&fake).await.name(), index.name(), "a shelf is emptied, and the index stays the same");
    index.flush().await.unwrap();

    // Half of it, or all of it, is lost while a process uses it.
    for (lost, reason) in [("_knowledge_", "a collection of it is gone"), ("", "there was none")] {
        let before = opened(&fake).await;
        before.upsert(Shelf::Memory, vec![memory(1, anna, "cup")]).await.unwrap();
        fake.lose(lost);
        let (after, opened) = open(&fake).await;
        assert_eq!(opened, Opened::Fresh(reason.to_owned()));
        assert_ne!(after.name(), before.name());
        let why = unavailable(before.flush().await);
        assert!(why.contains("made anew"), "what was written before must not count as applied: {why}");
        after.flush().await.unwrap();
    }

    // Points for which nobody answers: who was forgotten since may be among them.
    opened(&fake).await.upsert(Shelf::Memory, vec![memory(1, anna, "cup")]).await.unwrap();
    fake.lose("_marks");
    assert_eq!(opened(&fake).await.count(Shelf::Memory).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_at_once_find_one_index_and_write_into_it() {
    let fake = FakeQdrant::start();
    let [anna, _] = customers();
    let mut indexes = Vec::new();
    for lost in ["nothing", "_knowledge_", "_marks"] {
        fake.lose(lost);
        let starts = (0..6).map(|_| {
            let server = server(&fake);
            tokio::spawn(async move { server.open(Some(fingerprint()), NOW).await.unwrap().0 })
        });
        indexes.clear();
        for start in starts.collect::<Vec<_>>() {
            indexes.push(start.await.unwrap());
        }
        let names: BTreeSet<&str> = indexes.iter().map(SearchIndex::name).collect();
        assert_eq!(names.len(), 1, "{lost}: {names:?}");
    }
    for (number, index) in indexes.iter().enumerate() {
        index.upsert(Shelf::Memory, vec![memory(number as u128, anna, "cup")]).await.unwrap();
    }
    for index in &indexes {
        assert_eq!(found(index, ask(Scope::Customer(anna), "cups")).await.len(), 6);
        index.flush().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_deleted_only_as_it_was_seen() {
    let fake = FakeQdrant::start();
    let server = server(&fake);
    let other = Some(Fingerprint { model: "other".to_owned(), dimensions: 3 });
    opened(&fake).await;
    server.open(other.clone(), NOW).await.unwrap();
    server.set_filled(other.as_ref(), Filled::Wholly).await.unwrap();
    let of = |kept: Vec<Kept>| kept.into_iter().find(|kept| kept.made_with() == Some(other.clone()));
    let seen = of(server.kept().await.unwrap()).unwrap();
    assert_eq!(seen.filled(), Filled::Wholly);
    assert!(server.is_of(&seen, other.as_ref()) && !server.is_of(&seen, None));

    // Another process makes it anew before we delete it.
    fake.lose("_other_");
    let (anew, _) = server.open(other.clone(), NOW).await.unwrap();
    server.delete(&seen).await.unwrap();
    anew.flush().await.unwrap();
    let seen = of(server.kept().await.unwrap()).unwrap();
    assert_eq!((seen.filled(), seen.name()), (Filled::Partly, anew.name()));
    let day = SignedDuration::from_hours(24);
    assert!(!seen.is_given_up(NOW + day) && seen.is_given_up(NOW + day + SignedDuration::from_secs(1)));
    server.delete(&seen).await.unwrap();
    assert!(of(server.kept().await.unwrap()).is_none());
    unavailable(anew.flush().await);
    opened(&fake).await.flush().await.unwrap();
    assert_eq!(fake.collections().len(), 3, "the one of the other embedder is gone: {:?}", fake.collections());
}

/// Words of which texts are made: some share a stem, some stand in both languages, some in none.
const WORDS: [&str; 12] =
    ["чайник", "чайника", "кружка", "доставка", "доставку", "kettle", "kettles", "mug", "Bosch", "и", "the", "42"];

fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..8).prop_map(|words| words.join(" "))
}

fn vectors() -> impl Strategy<Value = Option<Vec<f32>>> {
    prop::option::of((1_u8..9, 1_u8..9).prop_map(|(a, b)| vec![f32::from(a), f32::from(b)]))
}

/// Whether it is Anna's, its words, the words around, its vector.
type Made = (bool, String, Option<String>, Option<Vec<f32>>);

#[derive(Debug, Clone)]
struct Case {
    points: Vec<Made>,
    query: (String, Option<Vec<f32>>, usize),
}

fn cases() -> impl Strategy<Value = Case> {
    let points = prop::collection::vec((any::<bool>(), texts(), prop::option::of(texts()), vectors()), 0..25);
    (points, (texts(), vectors(), 1_usize..12)).prop_map(|(points, query)| Case { points, query })
}

fn same(edge: &[Hit], server: &[Hit]) -> Result<(), TestCaseError> {
    let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
    let ids = |hits: &[Hit]| hits.iter().map(|hit| hit.id).collect::<BTreeSet<_>>();
    prop_assert_eq!(ids(edge), ids(server));
    for hit in edge {
        let other = server.iter().find(|other| other.id == hit.id).unwrap();
        prop_assert!(near(hit.words, other.words) && near(hit.around, other.around), "{:?} {:?}", hit, other);
        prop_assert!(hit.meaning.is_some() == other.meaning.is_some(), "{:?} {:?}", hit, other);
        prop_assert!(near(hit.meaning.unwrap_or(0.0), other.meaning.unwrap_or(0.0)), "{:?} {:?}", hit, other);
        prop_assert_eq!(&hit.payload, &other.payload);
    }
    for (hit, other) in edge.iter().zip(server) {
        // The last digits of equal scores may differ between the two, and with them their order.
        prop_assert!(near(hit.words, other.words) && near(hit.around, other.around), "{:?} {:?}", hit, other);
    }
    Ok(())
}

/// Everything that can be asked of both is answered alike by both.
#[test]
fn the_server_answers_as_the_index_in_our_own_process_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = crate::files::temporary();
    let fake = FakeQdrant::start();
    let [anna, boris] = customers();
    let edge = runtime.block_on(EdgeIndex::open(dir.path(), Some(fingerprint()))).unwrap().0;
    let server = runtime.block_on(opened(&fake));
    let runs = Runs { cases: 48, failure_persistence: None, ..Runs::default() };
    let outcome = TestRunner::new(runs).run(&cases(), |Case { points, query }| {
        let points: Vec<Point> = points
            .into_iter()
            .zip(0..)
            .map(|((is_annas, text, around, dense), number)| {
                let language = Language::Ru;
                Point { around, dense, language, ..memory(number, if is_annas { anna } else { boris }, &text) }
            })
            .collect();
        let (text, dense, limit) = query;
        let query = Query { dense, limit, ..ask(Scope::Customer(anna), &text) };
        runtime.block_on(async {
            let mut answers = Vec::new();
            for index in [&edge as &dyn SearchIndex, &server] {
                index.wipe(Shelf::Memory).await.unwrap();
                index.upsert(Shelf::Memory, points.clone()).await.unwrap();
                answers.push(index.search(query.clone()).await.unwrap());
            }
            same(&answers[0], &answers[1])
        })
    });
    runtime.block_on(edge.close()).unwrap();
    outcome.unwrap();
}
