//! A thousand customers in one index, many thousand questions, and nobody ever gets to see another's memory.

use std::collections::HashMap;

use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::id::CustomerId;
use firstline::domain::memory::{FactKind, Stance, Statement};
use firstline::flow::{indexing, ledger, privacy};
use firstline::ports::ledger::{Ledger, Unit, UnitId};
use firstline::ports::privacy::Privacy;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::bulk::{self, Past, Told};
use crate::support::{Kind, Stage, at};

const CUSTOMERS: usize = 1_000;
/// Questions of a run; `FIRSTLINE_TEST_TURNS` asks for another number.
const TURNS: usize = 25_000;

fn turns() -> usize {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration but the environment")]
    let asked = std::env::var("FIRSTLINE_TEST_TURNS").ok();
    asked.and_then(|turns| turns.parse().ok()).unwrap_or(TURNS)
}

const EXCHANGES: usize = 4;

/// A word that only this customer ever said.
fn canary(customer: usize) -> String {
    format!("канарейка{customer:04}")
}

async fn fills(stage: &Stage, index: &EdgeIndex) {
    while indexing::tick(&stage.store, index, None, &TimeZone::UTC).await.unwrap() > 0 {}
}

/// Asks in the name of `who`, about anybody's canary, and looks at whose the answers are.
async fn asks(index: &EdgeIndex, owners: &HashMap<UnitId, usize>, past: &[Past], who: usize, about: usize) -> usize {
    let question = format!("{} заказ", canary(about));
    let found = indexing::search_memory(index, None, past[who].customer, &question, at(0), 8).await.unwrap();
    for (unit, _) in &found {
        assert_eq!(owners.get(unit), Some(&who), "{unit:?} is another's, asked about {about}");
    }
    found.len()
}

/// What the store gives for keys that somebody found, also where they are another's.
async fn reads(stage: &Stage, units: &[UnitId], owners: &HashMap<UnitId, usize>, past: &[Past], who: usize) {
    for unit in stage.store.remembered(past[who].customer, units).await.unwrap() {
        let Unit::Exchange(exchange, beside) = unit else { panic!("only exchanges were asked for") };
        assert_eq!(owners[&UnitId::Exchange(exchange.message)], who);
        let words = [exchange.question, exchange.answer].into_iter().chain(beside.before).chain(beside.after);
        assert!(words.into_iter().all(|words| words.contains(&canary(who))));
    }
    let facts = stage.store.facts(past[who].customer).await.unwrap();
    assert!(facts.iter().all(|fact| fact.value.contains(&canary(who)) && fact.customer == past[who].customer));
}

pub(crate) async fn nobody_gets_to_see_anothers_memory(stage: &Stage) {
    if stage.database.kind != Kind::Sqlite {
        // The store's part of it is in the contract; the index is the same one.
        return;
    }
    let mut random = StdRng::seed_from_u64(11);
    let mut past = Vec::new();
    let mut owners: HashMap<UnitId, usize> = HashMap::new();
    for who in 0..CUSTOMERS {
        let told: Vec<Told> = (0..EXCHANGES)
            .map(|n| Told {
                at: at(i64::try_from(n).unwrap()),
                question: format!("Где мой заказ {n}, {}?", canary(who)),
                answer: format!("Заказ в пути, {}.", canary(who)),
            })
            .collect();
        let one = bulk::past(stage, &canary(who), &told).await;
        owners.extend(one.said.iter().map(|message| (UnitId::Exchange(*message), who)));
        past.push(one);
    }
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = EdgeIndex::open(dir.path(), None).await.unwrap();
    fills(stage, &index).await;
    let units: Vec<UnitId> = owners.keys().copied().collect();
    let mut erased: Vec<usize> = Vec::new();
    let mut hits = 0;
    for turn in 0..turns() {
        let (who, about) = (random.random_range(0..CUSTOMERS), random.random_range(0..CUSTOMERS));
        let found = asks(&index, &owners, &past, who, about).await;
        assert!(!erased.contains(&who) || found == 0, "{who} was erased");
        hits += found;
        match turn % 1_000 {
            0..=20 => {
                let some: Vec<UnitId> = (0..20).map(|_| units[random.random_range(0..units.len())]).collect();
                reads(stage, &some, &owners, &past, who).await;
            }
            300 => learns(stage, &past[who], who).await,
            500 => {
                let on = random.random_bool(0.5);
                stage.store.set_memory(past[who].customer, on, at(100)).await.unwrap();
            }
            700 => forgets(stage, past[who].customer).await,
            _ => {}
        }
        // Each erasure writes the index's files anew.
        if turn % 4_000 == 900 {
            stage.store.erase(past[who].customer, at(200)).await.unwrap();
            erased.push(who);
        }
        if turn % 1_000 == 950 {
            fills(stage, &index).await;
        }
    }
    assert!(hits > turns(), "questions find something: {hits}");
    assert_eq!(erased.len(), turns().div_ceil(4_000));
    index.close().await.unwrap();
}

async fn learns(stage: &Stage, past: &Past, who: usize) {
    let statement = Statement {
        key: "product".to_owned(),
        value: format!("лампа {}", canary(who)),
        stance: Stance::Stated,
        kind: FactKind::Attribute,
        confidence: 0.9,
        source: past.said[0],
        valid_at: at(50),
        due_at: None,
    };
    // Who is erased learns nothing.
    let _ = ledger::enter(&stage.store, &stage.ids, past.customer, vec![statement], at(60)).await;
}

async fn forgets(stage: &Stage, customer: CustomerId) {
    if let Some(fact) = stage.store.facts(customer).await.unwrap().first() {
        privacy::forget(&stage.store, &stage.ids, customer, fact.id, at(90)).await.unwrap();
    }
}
