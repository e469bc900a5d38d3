//! What every search index does.

use firstline::domain::id::{CustomerId, Ids};
use firstline::domain::text::Language;
use firstline::ports::index::{Hit, IndexError, Point, Query, Scope, SearchIndex, Shelf};
use firstline::ports::model::Fingerprint;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// The embedder that the hand-made vectors are of.
pub(crate) fn fingerprint() -> Fingerprint {
    Fingerprint { model: "hand-made".to_owned(), dimensions: 2 }
}

const NONE: [u64; 0] = [];

pub(crate) fn customers() -> [CustomerId; 2] {
    let ids = Ids::seeded(42);
    [CustomerId::fresh(&ids, Timestamp::UNIX_EPOCH), CustomerId::fresh(&ids, Timestamp::UNIX_EPOCH)]
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number + 1)
}

pub(crate) fn memory(number: u128, customer: CustomerId, text: &str) -> Point {
    point(number, Some(customer), text)
}

pub(crate) fn knowledge(number: u128, text: &str) -> Point {
    point(number, None, text)
}

fn point(number: u128, customer: Option<CustomerId>, text: &str) -> Point {
    Point {
        id: id(number),
        customer,
        language: Language::detect(text).unwrap_or(Language::En),
        text: text.to_owned(),
        around: None,
        dense: None,
        payload: json!({ "number": u64::try_from(number).unwrap() }),
    }
}

pub(crate) fn ask(scope: Scope, text: &str) -> Query {
    Query { scope, text: text.to_owned(), dense: None, limit: 10 }
}

/// The points found, by number, best first.
pub(crate) async fn found(index: &dyn SearchIndex, query: Query) -> Vec<u64> {
    numbers(&index.search(query).await.unwrap())
}

fn numbers(hits: &[Hit]) -> Vec<u64> {
    hits.iter().map(|hit| hit.payload["number"].as_u64().unwrap()).collect()
}

pub(crate) async fn words_in_both_languages_are_found_by_their_stems(index: &dyn SearchIndex) {
    let articles = ["Доставка курьером стоит 390 ₽", "Возврат товара за 14 дней", "How to return your parcels"];
    let points = articles.iter().zip(0..).map(|(text, number)| knowledge(number, text)).collect();
    index.upsert(Shelf::Knowledge, points).await.unwrap();
    for (question, number) in [("сколько ДОСТАВКИ?", 0), ("возвраты", 1), ("returning a parcel", 2)]
    {
        assert_eq!(found(index, ask(Scope::Knowledge(None), question)).await, [number], "{question}");
    }
    assert_eq!(found(index, ask(Scope::Knowledge(Some(Language::En)), "возвраты parcels")).await, [2]);
    assert_eq!(found(index, ask(Scope::Knowledge(Some(Language::Ru)), "возвраты parcels")).await, [1]);
}

pub(crate) async fn an_upsert_replaces_text_vector_and_payload(index: &dyn SearchIndex) {
    let mut point = knowledge(1, "lamps");
    point.dense = Some(vec![1.0, 0.0]);
    index.upsert(Shelf::Knowledge, vec![point, knowledge(2, "kettles")]).await.unwrap();
    let mut changed = knowledge(1, "towels");
    changed.payload = json!({ "number": 3 });
    index.upsert(Shelf::Knowledge, vec![changed]).await.unwrap();
    assert_eq!(index.count(Shelf::Knowledge).await.unwrap(), 2);
    assert_eq!(found(index, ask(Scope::Knowledge(None), "lamp")).await, NONE);
    assert_eq!(found(index, ask(Scope::Knowledge(None), "towel")).await, [3]);
    let hits = index.search(Query { dense: Some(vec![1.0, 0.0]), ..ask(Scope::Knowledge(None), "") }).await.unwrap();
    assert!(hits.is_empty(), "the old vector is still there: {hits:?}");
}

pub(crate) async fn what_is_removed_is_not_found(index: &dyn SearchIndex) {
    index.upsert(Shelf::Knowledge, vec![knowledge(1, "lamp"), knowledge(2, "lamp shade")]).await.unwrap();
    index.remove(Shelf::Knowledge, vec![id(1), id(77)]).await.unwrap();
    index.remove(Shelf::Knowledge, Vec::new()).await.unwrap();
    assert_eq!(found(index, ask(Scope::Knowledge(None), "lamp")).await, [2]);
    assert_eq!(index.ids(Shelf::Knowledge).await.unwrap(), [id(2)]);
    index.upsert(Shelf::Knowledge, vec![knowledge(1, "lamp")]).await.unwrap();
    assert_eq!(index.count(Shelf::Knowledge).await.unwrap(), 2);
}

pub(crate) async fn one_customer_never_finds_the_memory_of_another(index: &dyn SearchIndex) {
    let [anna, boris] = customers();
    let mut points = Vec::new();
    for number in 0..40 {
        let mut point = memory(number, if number % 2 == 0 { anna } else { boris }, "промокод на скидку");
        point.dense = Some(vec![1.0, 0.0]);
        points.push(point);
    }
    index.upsert(Shelf::Memory, points).await.unwrap();
    index.upsert(Shelf::Knowledge, vec![knowledge(100, "промокод на скидку")]).await.unwrap();
    for (customer, parity) in [(anna, 0), (boris, 1)] {
        for dense in [None, Some(vec![1.0, 0.0])] {
            let query = Query { limit: 50, dense, ..ask(Scope::Customer(customer), "промокод") };
            let found = found(index, query).await;
            assert_eq!(found.len(), 20);
            assert!(found.iter().all(|number| number % 2 == parity), "{found:?}");
        }
    }
    let query = Query { dense: Some(vec![1.0, 0.0]), ..ask(Scope::Knowledge(None), "промокод") };
    assert_eq!(found(index, query).await, [100]);
}

pub(crate) async fn a_forgotten_customer_is_gone_and_others_stay(index: &dyn SearchIndex) {
    let [anna, boris] = customers();
    let of = |number, customer| {
        let mut point = memory(number, customer, "plate");
        point.dense = Some(vec![0.5, 0.5]);
        point
    };
    index.upsert(Shelf::Memory, (0..300).map(|number| of(number, anna)).collect()).await.unwrap();
    index.upsert(Shelf::Memory, (300..600).map(|number| of(number, boris)).collect()).await.unwrap();
    index.forget(anna).await.unwrap();
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 300);
    assert_eq!(found(index, ask(Scope::Customer(anna), "plate")).await, NONE);
    let both = Query { dense: Some(vec![1.0, 0.0]), ..ask(Scope::Customer(boris), "plates") };
    // Of so many alike, each leg may find other ten.
    let plates = found(index, both).await;
    assert!((10..=20).contains(&plates.len()) && plates.iter().all(|number| *number >= 300), "{plates:?}");
    // Writes go on as before.
    index.upsert(Shelf::Memory, vec![memory(300, boris, "cup"), memory(0, anna, "cup")]).await.unwrap();
    assert_eq!(found(index, ask(Scope::Customer(boris), "cup")).await, [300]);
    assert_eq!(found(index, ask(Scope::Customer(anna), "cup plate")).await, [0]);
    index.forget(anna).await.unwrap();
    index.forget(anna).await.unwrap();
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 300);
}

fn with_vector(point: Point, dense: [f32; 2]) -> Point {
    Point { dense: Some(dense.to_vec()), ..point }
}

#[track_caller]
fn meanings(hits: &[Hit], expected: &[(u64, Option<f32>)]) {
    assert_eq!(numbers(hits), expected.iter().map(|(number, _)| *number).collect::<Vec<_>>());
    for (hit, (number, meaning)) in hits.iter().zip(expected) {
        let same = match (hit.meaning, meaning) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-5,
            (found, expected) => found.is_none() && expected.is_none(),
        };
        assert!(same, "{number}: {:?} is not {meaning:?}", hit.meaning);
    }
}

pub(crate) async fn each_hit_has_its_scores_of_both_legs(index: &dyn SearchIndex) {
    let points = vec![
        with_vector(knowledge(1, "kettle kettle kettle"), [0.0, 1.0]),
        with_vector(knowledge(2, "kettle and many more words about other things"), [0.6, 0.8]),
        with_vector(knowledge(3, "nothing that matches"), [1.0, 0.0]),
        knowledge(4, "a kettle without a vector in a long sentence that goes on and on about nothing at all"),
        knowledge(5, "no vector, no match"),
    ];
    index.upsert(Shelf::Knowledge, points).await.unwrap();
    let query = Query { dense: Some(vec![3.0, 0.0]), ..ask(Scope::Knowledge(None), "kettle") };
    let hits = index.search(query.clone()).await.unwrap();
    meanings(&hits, &[(1, Some(0.0)), (2, Some(0.6)), (4, None), (3, Some(1.0))]);
    let words: Vec<f32> = hits.iter().map(|hit| hit.words).collect();
    assert!(words[0] > words[1] && words[1] > words[2] && words[2] > 0.0, "{words:?}");
    assert_eq!(words[3].to_bits(), 0.0_f32.to_bits());
    let without_words = index.search(Query { text: String::new(), ..query.clone() }).await.unwrap();
    meanings(&without_words, &[(3, Some(1.0)), (2, Some(0.6)), (1, Some(0.0))]);
    assert!(without_words.iter().all(|hit| hit.words.abs() < f32::EPSILON));
    let without_vector = index.search(Query { dense: None, ..query }).await.unwrap();
    meanings(&without_vector, &[(1, None), (2, None), (4, None)]);
    for (alone, both) in without_vector.iter().zip(&words) {
        assert!((alone.words - both).abs() < 1e-6, "{} is not {both}", alone.words);
    }
}

pub(crate) async fn a_leg_scores_what_only_the_other_found(index: &dyn SearchIndex) {
    let points = vec![
        with_vector(knowledge(1, "kettle kettle"), [0.0, 1.0]),
        with_vector(knowledge(2, "kettle and other things"), [0.6, 0.8]),
        with_vector(knowledge(3, "a kettle among many other things in a long sentence"), [1.0, 0.0]),
    ];
    index.upsert(Shelf::Knowledge, points).await.unwrap();
    let query = Query { dense: Some(vec![1.0, 0.0]), limit: 1, ..ask(Scope::Knowledge(None), "kettle") };
    let hits = index.search(query).await.unwrap();
    // The first by words and the first by vector, and both know both scores.
    meanings(&hits, &[(1, Some(0.0)), (3, Some(1.0))]);
    assert!(hits[0].words > hits[1].words && hits[1].words > 0.0, "{hits:?}");
}

fn with_around(point: Point, around: &str) -> Point {
    Point { around: Some(around.to_owned()), ..point }
}

pub(crate) async fn the_words_around_are_a_leg_of_their_own(index: &dyn SearchIndex) {
    let [anna, boris] = customers();
    let points = vec![
        with_around(memory(1, anna, "it is red"), "which kettle is it? it is red"),
        with_around(memory(2, anna, "a kettle"), "a kettle among many other words that stand before and after it"),
        with_vector(memory(3, anna, "a kettle without anything around"), [1.0, 0.0]),
        with_around(with_vector(memory(4, anna, "a lamp"), [0.6, 0.8]), "the old lamp"),
        with_around(memory(5, boris, "it is blue"), "which kettle is it?"),
    ];
    index.upsert(Shelf::Memory, points).await.unwrap();
    let query = Query { dense: Some(vec![1.0, 0.0]), ..ask(Scope::Customer(anna), "kettle") };
    let hits = index.search(query.clone()).await.unwrap();
    let of = |number: u64| hits.iter().find(|hit| hit.payload["number"] == number).unwrap();
    assert_eq!(hits.len(), 4, "{hits:?}");
    // What is found by any leg has its scores of all.
    assert!(of(1).words.abs() < f32::EPSILON && of(1).around > of(2).around && of(2).around > 0.0, "{hits:?}");
    assert!(of(2).words > 0.0 && of(3).words > 0.0, "{hits:?}");
    assert!(of(3).around.abs() < f32::EPSILON && of(4).around.abs() < f32::EPSILON, "{hits:?}");
    assert_eq!(of(4).meaning.map(|cosine| cosine > 0.5), Some(true));
    // The best of each leg, however few are asked for.
    let best = index.search(Query { limit: 1, ..query.clone() }).await.unwrap();
    let mut best = numbers(&best);
    best.sort_unstable();
    assert!(best.contains(&1) && best.contains(&3) && !best.contains(&4), "{best:?}");
    // On the average of the words, as the other leg.
    let half = index.search(Query { text: "kettle zeppelin".to_owned(), ..query.clone() }).await.unwrap();
    let half = half.iter().find(|hit| hit.payload["number"] == 1).unwrap().around;
    assert!(half < of(1).around * 0.6 && half > 0.0, "{half} of {}", of(1).around);
    // Written anew without it, a point is not found by it.
    index.upsert(Shelf::Memory, vec![memory(1, anna, "it is red")]).await.unwrap();
    let hits = index.search(Query { dense: None, ..query }).await.unwrap();
    assert!(!numbers(&hits).contains(&1), "{hits:?}");
}

pub(crate) async fn words_count_on_their_average(index: &dyn SearchIndex) {
    index.upsert(Shelf::Knowledge, vec![knowledge(1, "kettle"), knowledge(2, "lamp")]).await.unwrap();
    let of = async |text: &str| index.search(ask(Scope::Knowledge(None), text)).await.unwrap()[0].words;
    let (one, unknown) = (of("kettle").await, of("kettle zeppelin").await);
    assert!(unknown < one * 0.6 && unknown > 0.0, "{unknown} of {one}");
}

pub(crate) async fn no_leg_leaves_its_scope(index: &dyn SearchIndex) {
    let [anna, boris] = customers();
    let points = vec![
        with_vector(memory(1, anna, "kettle"), [0.0, 1.0]),
        with_vector(memory(2, anna, "lamp"), [1.0, 0.0]),
        with_vector(memory(3, boris, "kettle"), [1.0, 0.0]),
    ];
    index.upsert(Shelf::Memory, points).await.unwrap();
    for limit in [1, 10] {
        let query = Query { dense: Some(vec![1.0, 0.0]), limit, ..ask(Scope::Customer(anna), "kettle") };
        meanings(&index.search(query).await.unwrap(), &[(1, Some(0.0)), (2, Some(1.0))]);
    }
    let russian = with_vector(knowledge(4, "чайник kettle"), [1.0, 0.0]);
    let english = with_vector(knowledge(5, "a kettle"), [1.0, 0.0]);
    index.upsert(Shelf::Knowledge, vec![russian, english]).await.unwrap();
    let query = Query { dense: Some(vec![1.0, 0.0]), ..ask(Scope::Knowledge(Some(Language::Ru)), "kettle") };
    meanings(&index.search(query).await.unwrap(), &[(4, Some(1.0))]);
}

pub(crate) async fn equal_scores_have_one_order(index: &dyn SearchIndex) {
    index.upsert(Shelf::Knowledge, (0..30).rev().map(|number| knowledge(number, "cup")).collect()).await.unwrap();
    let ten = found(index, ask(Scope::Knowledge(None), "cup")).await;
    assert_eq!(ten, (0..10).collect::<Vec<_>>());
}

pub(crate) async fn a_wiped_shelf_is_empty_and_usable(index: &dyn SearchIndex) {
    let [anna, _] = customers();
    index.upsert(Shelf::Memory, vec![memory(1, anna, "cup")]).await.unwrap();
    index.upsert(Shelf::Knowledge, vec![knowledge(1, "cup")]).await.unwrap();
    index.wipe(Shelf::Memory).await.unwrap();
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 0);
    assert_eq!(index.count(Shelf::Knowledge).await.unwrap(), 1);
    assert_eq!(found(index, ask(Scope::Customer(anna), "cup")).await, NONE);
    index.upsert(Shelf::Memory, vec![memory(2, anna, "cup")]).await.unwrap();
    assert_eq!(found(index, ask(Scope::Customer(anna), "cup")).await, [2]);
}

pub(crate) async fn nothing_to_search_for_finds_nothing(index: &dyn SearchIndex) {
    assert_eq!(found(index, ask(Scope::Knowledge(None), "cup")).await, NONE);
    index.upsert(Shelf::Knowledge, vec![knowledge(1, "cup"), knowledge(2, "😀")]).await.unwrap();
    index.upsert(Shelf::Knowledge, Vec::new()).await.unwrap();
    for text in ["", "😀?!", "и не на", "the"] {
        assert_eq!(found(index, ask(Scope::Knowledge(None), text)).await, NONE, "{text}");
    }
    assert_eq!(found(index, Query { limit: 0, ..ask(Scope::Knowledge(None), "cup") }).await, NONE);
    assert_eq!(index.count(Shelf::Knowledge).await.unwrap(), 2);
}

pub(crate) async fn what_makes_no_sense_is_refused(index: &dyn SearchIndex) {
    let [anna, _] = customers();
    let wrong = [
        (Shelf::Knowledge, memory(1, anna, "cup")),
        (Shelf::Memory, knowledge(1, "cup")),
        (Shelf::Knowledge, Point { dense: Some(vec![1.0]), ..knowledge(1, "cup") }),
        (Shelf::Knowledge, Point { dense: Some(vec![f32::NAN, 1.0]), ..knowledge(1, "cup") }),
    ];
    for (shelf, point) in wrong {
        let error = index.upsert(shelf, vec![knowledge(9, "fine"), point]).await.unwrap_err();
        assert!(matches!(error, IndexError::Refused(_)), "{error}");
    }
    let query = Query { dense: Some(vec![1.0, 2.0, 3.0]), ..ask(Scope::Knowledge(None), "cup") };
    assert!(matches!(index.search(query).await, Err(IndexError::Refused(_))));
    assert_eq!(index.count(Shelf::Knowledge).await.unwrap(), 0);
}

/// What an index lives in.
#[expect(dead_code, reason = "it only has to live as long")]
pub(crate) enum Guard {
    Directory(tempfile::TempDir),
    Fake(crate::support::fake_qdrant::FakeQdrant),
    Server(firstline::adapters::qdrant::QdrantServer),
}

impl Guard {
    /// Leaves nothing on a server that is not ours.
    async fn end(self) {
        if let Self::Server(server) = self {
            crate::server::clear(&server).await;
        }
    }
}

/// The suite, for one implementation: `$open` gives a guard of what must outlive the index, and the index; or nothing,
/// where there is nothing to open one on.
macro_rules! index_contract {
    ($module:ident, $open:expr) => {
        mod $module {
            macro_rules! case {
                ($case:ident) => {
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        // Where there is nothing to test on, that was said.
                        let Some((guard, index)) = $open.await else { return };
                        super::$case(&index).await;
                        drop(index);
                        guard.end().await;
                    }
                };
            }
            case!(words_in_both_languages_are_found_by_their_stems);
            case!(an_upsert_replaces_text_vector_and_payload);
            case!(what_is_removed_is_not_found);
            case!(one_customer_never_finds_the_memory_of_another);
            case!(a_forgotten_customer_is_gone_and_others_stay);
            case!(each_hit_has_its_scores_of_both_legs);
            case!(a_leg_scores_what_only_the_other_found);
            case!(the_words_around_are_a_leg_of_their_own);
            case!(words_count_on_their_average);
            case!(no_leg_leaves_its_scope);
            case!(equal_scores_have_one_order);
            case!(a_wiped_shelf_is_empty_and_usable);
            case!(nothing_to_search_for_finds_nothing);
            case!(what_makes_no_sense_is_refused);
        }
    };
}

index_contract!(edge, async {
    let dir = crate::files::temporary();
    let embedder = Some(crate::contract::fingerprint());
    let (index, _) = firstline::adapters::qdrant::EdgeIndex::open(dir.path(), embedder).await.unwrap();
    Some((crate::contract::Guard::Directory(dir), index))
});

index_contract!(server, async {
    let fake = crate::support::fake_qdrant::FakeQdrant::start();
    let index = crate::server::opened(&fake).await;
    Some((crate::contract::Guard::Fake(fake), index))
});

index_contract!(real_server, crate::server::opened_on_a_real_one());
