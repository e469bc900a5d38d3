//! A thousand customers in one index, many thousand questions, and nobody ever gets to see another's memory.

use std::collections::{HashMap, HashSet};

use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::id::{CustomerId, MergeId};
use firstline::domain::memory::{FactKind, Stance, Statement};
use firstline::flow::{identity, indexing, ledger, privacy};
use firstline::ports::ledger::{Ledger, Unit, UnitId};
use firstline::ports::privacy::Privacy;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::bulk::{self, Past, Told};
use crate::support::{Kind, Stage, at};

const CUSTOMERS: usize = 1_000;
/// Questions of a run; `FIRSTLINE_TEST_TURNS` asks for another number.
const TURNS: usize = 8_000;

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

/// A thousand customers, and who is one person with whom.
struct Crowd {
    past: Vec<Past>,
    /// Who said what an exchange holds.
    owners: HashMap<UnitId, usize>,
    /// Of which other each is a part.
    part_of: Vec<Option<usize>>,
    merges: Vec<(MergeId, usize)>,
    erased: HashSet<usize>,
}

impl Crowd {
    /// Whose key stands for somebody.
    fn whole(&self, mut who: usize) -> usize {
        while let Some(whole) = self.part_of[who] {
            who = whole;
        }
        who
    }

    fn key(&self, who: usize) -> CustomerId {
        self.past[self.whole(who)].customer
    }

    /// Whether one may be told what the other said.
    fn are_one(&self, who: usize, other: usize) -> bool {
        self.whole(who) == self.whole(other)
    }

    /// Whether a text has the words of somebody whom `who` is one with, and of nobody else.
    fn is_theirs(&self, who: usize, text: &str) -> bool {
        let mut owners =
            text.split("канарейка").skip(1).map(|rest| rest[..4].parse().expect("a number of four digits"));
        text.contains("канарейка") && owners.all(|owner: usize| self.are_one(who, owner))
    }
}

/// Asks in the name of `who`, about anybody's canary, and looks at whose the answers are.
async fn asks(stage: &Stage, index: &EdgeIndex, crowd: &Crowd, who: usize, about: usize) -> usize {
    let question = format!("{} заказ", canary(about));
    let key = crowd.key(who);
    let found = indexing::search_memory(index, None, key, &question, at(0), 8).await.unwrap();
    let units: Vec<UnitId> = found.into_iter().map(|(unit, _)| unit).collect();
    // An index may lag behind a merge or its end, and what it finds is read from the store, in the customer's name.
    let read = stage.store.remembered(key, &units).await.unwrap();
    for unit in &read {
        assert!(crowd.is_theirs(who, &format!("{unit:?}")), "{unit:?} is another's: asked by {who} about {about}");
    }
    read.len()
}

/// The index alone, once it lags behind nothing: what it finds is theirs.
async fn the_index_keeps_them_apart(index: &EdgeIndex, crowd: &Crowd, who: usize, about: usize) {
    let found = indexing::search_memory(index, None, crowd.key(who), &canary(about), at(0), 8).await.unwrap();
    for (unit, _) in &found {
        let owner = crowd.owners.get(unit);
        assert!(owner.is_none_or(|owner| crowd.are_one(who, *owner)), "{unit:?} is another's: asked by {who}");
    }
}

/// What the store gives for keys that somebody found, also where they are another's.
async fn reads(stage: &Stage, units: &[UnitId], crowd: &Crowd, who: usize) {
    for unit in stage.store.remembered(crowd.key(who), units).await.unwrap() {
        let Unit::Exchange(exchange, beside) = unit else { panic!("only exchanges were asked for") };
        assert!(crowd.are_one(who, crowd.owners[&UnitId::Exchange(exchange.message)]));
        let words = [exchange.question, exchange.answer].into_iter().chain(beside.before).chain(beside.after);
        assert!(words.into_iter().all(|words| crowd.is_theirs(who, &words)));
    }
    let facts = stage.store.facts(crowd.key(who)).await.unwrap();
    assert!(facts.iter().all(|fact| crowd.is_theirs(who, &fact.value) && fact.customer == crowd.key(who)));
}

async fn a_thousand(stage: &Stage) -> Crowd {
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
    let part_of = vec![None; past.len()];
    Crowd { past, owners, part_of, merges: Vec::new(), erased: HashSet::new() }
}

pub(crate) async fn nobody_gets_to_see_anothers_memory(stage: &Stage) {
    if stage.database.kind != Kind::Sqlite {
        // The store's part of it is in the contract; the index is the same one.
        return;
    }
    let mut random = StdRng::seed_from_u64(11);
    let mut crowd = a_thousand(stage).await;
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = EdgeIndex::open(dir.path(), None).await.unwrap();
    fills(stage, &index).await;
    let units: Vec<UnitId> = crowd.owners.keys().copied().collect();
    let (mut hits, mut merges) = (0, 0);
    for turn in 0..turns() {
        let (who, about) = (random.random_range(0..CUSTOMERS), random.random_range(0..CUSTOMERS));
        let found = asks(stage, &index, &crowd, who, about).await;
        assert!(!crowd.erased.contains(&who) || found == 0, "{who} was erased");
        hits += found;
        match turn % 1_000 {
            0..=20 => {
                let some: Vec<UnitId> = (0..20).map(|_| units[random.random_range(0..units.len())]).collect();
                reads(stage, &some, &crowd, who).await;
            }
            300 => learns(stage, &crowd, who).await,
            500 => {
                let on = random.random_bool(0.5);
                stage.store.set_memory(crowd.key(who), on, at(100)).await.unwrap();
            }
            700 => forgets(stage, crowd.key(who)).await,
            _ => {}
        }
        match turn % 100 {
            10 | 40 | 70 => merges += usize::from(meets(stage, &mut crowd, who, about).await),
            25 | 85 if !crowd.merges.is_empty() => {
                let (merge, part) = crowd.merges.swap_remove(random.random_range(0..crowd.merges.len()));
                identity::unmerge(&stage.store, &stage.ids, merge, "ann", at(150)).await.unwrap().expect("it holds");
                crowd.part_of[part] = None;
            }
            _ => {}
        }
        // Each erasure writes the index's files anew.
        if turn % 4_000 == 900 {
            erases(stage, &mut crowd, who).await;
        }
        if turn % 1_000 == 950 {
            fills(stage, &index).await;
            for _ in 0..50 {
                let (who, about) = (random.random_range(0..CUSTOMERS), random.random_range(0..CUSTOMERS));
                the_index_keeps_them_apart(&index, &crowd, who, about).await;
            }
        }
    }
    assert!(hits > turns(), "questions find something: {hits}");
    assert!(merges > turns() / 50, "{merges} merges");
    assert!(crowd.erased.len() >= turns().div_ceil(4_000));
    index.close().await.unwrap();
}

/// Two turn out to be one person, unless they are already.
async fn meets(stage: &Stage, crowd: &mut Crowd, who: usize, other: usize) -> bool {
    let (part, whole) = (crowd.whole(who), crowd.whole(other));
    if part == whole || crowd.erased.contains(&part) || crowd.erased.contains(&whole) {
        return false;
    }
    let keys = (crowd.past[part].customer, crowd.past[whole].customer);
    let merge = identity::merge(&stage.store, &stage.ids, keys, "ann", at(140)).await.unwrap();
    crowd.part_of[part] = Some(whole);
    crowd.merges.push((merge.id, part));
    true
}

/// Somebody is erased, with all that they are one with.
async fn erases(stage: &Stage, crowd: &mut Crowd, who: usize) {
    stage.store.erase(crowd.past[who].customer, at(200)).await.unwrap();
    let gone: Vec<usize> = (0..CUSTOMERS).filter(|other| crowd.are_one(who, *other)).collect();
    for one in &gone {
        crowd.part_of[*one] = None;
    }
    crowd.merges.retain(|(_, part)| !gone.contains(part));
    crowd.erased.extend(gone);
}

async fn learns(stage: &Stage, crowd: &Crowd, who: usize) {
    let statement = Statement {
        key: "product".to_owned(),
        value: format!("лампа {}", canary(who)),
        stance: Stance::Stated,
        kind: FactKind::Attribute,
        confidence: 0.9,
        source: crowd.past[who].said[0],
        valid_at: at(50),
        due_at: None,
    };
    // Who is erased learns nothing.
    let _ = ledger::enter(&stage.store, &stage.ids, crowd.key(who), vec![statement], at(60)).await;
}

async fn forgets(stage: &Stage, customer: CustomerId) {
    if let Some(fact) = stage.store.facts(customer).await.unwrap().first() {
        privacy::forget(&stage.store, &stage.ids, customer, fact.id, at(90)).await.unwrap();
    }
}
