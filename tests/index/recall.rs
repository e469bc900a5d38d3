//! The histories of `eval/memory`: that they are whole, and that what answers their questions is still recalled.

use std::collections::BTreeSet;
use std::path::Path;

use firstline::adapters::embedded::EmbeddedEmbedder;
use firstline::adapters::qdrant::EdgeIndex;
use firstline::config::Config;
use firstline::domain::id::{CustomerId, Ids};
use firstline::domain::text::Language;
use firstline::engine::fusion::Weights;
use firstline::engine::recall::{self, Candidate};
use firstline::eval::histories::{self, History, Kind, TESTED};
use firstline::flow::indexing::MEMORY_CANDIDATES;
use firstline::ports::index::{Hit, Point, Query, Scope, SearchIndex, Shelf};
use firstline::ports::model::{EmbedRole, Embedder};
use jiff::Timestamp;
use uuid::Uuid;

/// Percent of what answers that was among the first ten on the day the histories came, 23 November 2026, and the lower
/// end of its 95 % interval, as `cargo bench --bench recall` printed them for the histories up to [`TESTED`]: below that,
/// something is lost.
const FIRST: [(Language, f64, f64); 2] = [(Language::Ru, 56.7, 43.3), (Language::En, 63.7, 50.0)];

fn all() -> Vec<History> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/memory/histories");
    let all = histories::read_dir(&dir).unwrap();
    for (path, history) in &all {
        assert_eq!(path.file_stem().unwrap().to_str(), Some(history.id.as_str()));
    }
    all.into_iter().map(|(_, history)| history).collect()
}

#[test]
fn histories_are_whole() {
    let all = all();
    for language in Language::ALL {
        let questions = all.iter().filter(|it| it.language() == Some(language)).flat_map(|it| &it.questions);
        let kinds: Vec<Kind> = questions.map(|question| question.kind).collect();
        let count = |kind: Kind| kinds.iter().filter(|other| **other == kind).count();
        assert_eq!(Kind::ALL.map(count), [25, 15, 15, 15, 10, 10, 10], "{language}");
    }
    for History { id, messages, questions, .. } in &all {
        let ids: BTreeSet<&str> = messages.iter().map(|message| message.id.as_str()).collect();
        assert_eq!(ids.len(), messages.len(), "{id}: an id stands twice");
        assert!(messages.is_sorted_by(|a, b| a.at < b.at), "{id}: times don't rise");
        let last = messages.last().unwrap().at;
        for question in questions {
            let gold: BTreeSet<&str> = question.gold.iter().map(String::as_str).collect();
            let text = &question.r#in;
            assert!(gold.is_subset(&ids), "{id}: no message holds the answer to {text:?}");
            assert_eq!(gold.len(), question.gold.len(), "{id}: a message is named twice for {text:?}");
            assert_eq!(gold.is_empty(), question.kind == Kind::Unanswerable, "{id}: {text:?}");
            assert!(question.at > last, "{id}: {text:?} is asked before the history ends");
        }
    }
}

/// Fills an index with a history as a customer's memory.
async fn remember(index: &EdgeIndex, embedder: &EmbeddedEmbedder, customer: CustomerId, history: &History) {
    let language = history.language().unwrap();
    let keys = history.keys(language, &Config::defaults().company.timezone);
    let meant: Vec<String> = keys.iter().map(|keys| keys.meant.clone()).collect();
    let vectors = embedder.embed(&meant, EmbedRole::Passage).await.unwrap();
    let points = keys.into_iter().zip(vectors).enumerate().map(|(place, (keys, vector))| Point {
        id: Uuid::new_v5(&customer.uuid(), &place.to_le_bytes()),
        customer: Some(customer),
        language,
        text: keys.text,
        around: Some(keys.around),
        dense: Some(vector),
        payload: place.into(),
    });
    index.upsert(Shelf::Memory, points.collect()).await.unwrap();
}

/// The places of the first ten messages that a question calls up.
async fn ten(index: &EdgeIndex, embedder: &EmbeddedEmbedder, customer: CustomerId, text: &str) -> Vec<usize> {
    let text = text.to_owned();
    let dense = embedder.embed(std::slice::from_ref(&text), EmbedRole::Query).await.unwrap().pop();
    let query = Query { scope: Scope::Customer(customer), text, dense, limit: MEMORY_CANDIDATES };
    let candidate = |hit: Hit| {
        let memory = serde_json::from_value(hit.payload).unwrap();
        Candidate { memory, words: hit.words, around: hit.around, meaning: hit.meaning, fading: None }
    };
    let found: Vec<Candidate<usize>> = index.search(query).await.unwrap().into_iter().map(candidate).collect();
    let ranking = recall::ranking(&found, Timestamp::UNIX_EPOCH, Weights::of(&embedder.fingerprint().model));
    ranking.into_iter().map(|(place, _)| place).take(10).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_a_question_is_recalled_as_well_as_on_the_first_day() {
    let embedder = EmbeddedEmbedder::with_threads(2).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = EdgeIndex::open(dir.path(), Some(embedder.fingerprint())).await.unwrap();
    let ids = Ids::seeded(1);
    let mut customers = Vec::new();
    // How rare a word is depends on all that the index holds.
    for history in all().into_iter().filter(|history| history.number().unwrap() <= TESTED) {
        let customer = CustomerId::fresh(&ids, Timestamp::UNIX_EPOCH);
        remember(&index, &embedder, customer, &history).await;
        customers.push((customer, history));
    }
    let mut recalled = Language::ALL.map(|language| (language, Vec::new()));
    for (customer, history) in &customers {
        let (_, shares) = recalled.iter_mut().find(|(language, _)| history.language() == Some(*language)).unwrap();
        for question in history.questions.iter().filter(|question| !question.gold.is_empty()) {
            let found = ten(&index, &embedder, *customer, &question.r#in).await;
            let gold = history.gold(question).filter(|place| found.contains(place)).count();
            shares.push(gold as f64 / question.gold.len() as f64);
        }
    }
    index.close().await.unwrap();
    for ((language, shares), (same, first, least)) in recalled.into_iter().zip(FIRST) {
        assert_eq!((language, shares.len()), (same, 45));
        let now = 100.0 * shares.iter().sum::<f64>() / shares.len() as f64;
        println!("{language}: {now:.1} % recalled among the first ten, on the first day {first:.1} %");
        assert!(now >= least, "{language}: {now:.1} %, on the first day {first:.1} %, at least {least:.1} %");
    }
}
