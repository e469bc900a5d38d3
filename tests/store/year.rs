//! A customer's year: ten thousand messages, two hundred facts, and a ledger that is exact on every day of it.
//!
//! What holds when is told here a second time, straight from the plan and without the engine: of everything said by then
//! and known by then, the last word on a matter.

use std::collections::{BTreeSet, HashSet};

use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::id::MessageId;
use firstline::domain::memory::{FactKind, Stance, Statement};
use firstline::flow::{indexing, ledger};
use firstline::ports::index::{SearchIndex, Shelf};
use firstline::ports::ledger::Ledger;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::bulk::{self, Told};
use crate::support::{Stage, at};

const DAY: i64 = 24 * 3600;
const EXCHANGES: usize = 5_000;

/// Something said on a matter, and when we learnt it.
#[derive(Debug, Clone)]
struct Planted {
    /// Facts of one matter replace each other; those of different matters don't.
    matter: usize,
    statement: Statement,
    recorded: Timestamp,
}

/// One value at a time.
const SINGLE: [&str; 10] = [
    "name",
    "phone",
    "email",
    "city",
    "address",
    "company",
    "contact_preference",
    "contact_channel",
    "call_time",
    "phone",
];

fn value(key: &str, n: usize) -> String {
    match key {
        "name" => format!("Имя{}", char::from_u32(0x430 + u32::try_from(n % 32).unwrap()).unwrap()),
        "phone" => format!("+7916{n:07}"),
        "email" => format!("a{n}@mail.example"),
        "order_number" => format!("М-{}", 100_000 + n),
        _ => format!("{key} номер {n}"),
    }
}

/// 200 facts, of which 60 take another's place, 20 are taken back, 20 are claims and 20 promises.
fn plan(said: &[MessageId], random: &mut StdRng) -> Vec<Planted> {
    let mut planted = Vec::new();
    let mut plant = |matter: usize, key: &str, value: String, stance: Stance, when: usize, random: &mut StdRng| {
        let valid_at = when_said(when);
        // Some are learnt months later: an import, a retry.
        let late =
            if random.random_ratio(1, 5) { random.random_range(0..90 * DAY) } else { random.random_range(60..DAY) };
        let kind = match key {
            "claim" => FactKind::Claim,
            "promise" => FactKind::Promise,
            _ => FactKind::Attribute,
        };
        let due_at = (key == "promise").then(|| valid_at + SignedDuration::from_hours(48));
        let (key, source) = (key.to_owned(), said[when]);
        let statement = Statement { key, value, stance, kind, confidence: 0.9, source, valid_at, due_at };
        planted.push(Planted { matter, statement, recorded: valid_at + SignedDuration::from_secs(late) });
    };
    let mut moments: Vec<usize> = (0..EXCHANGES).collect();
    // No two statements at the same moment: who spoke last is never a matter of taste.
    let mut moment = |random: &mut StdRng| moments.swap_remove(random.random_range(0..moments.len()));
    let keys: Vec<&str> = SINGLE.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let mut n = 0;
    // 9 first values and 60 that take another's place.
    for change in 0..keys.len() + 60 {
        let matter = change % keys.len();
        n += 1;
        plant(matter, keys[matter], value(keys[matter], n), Stance::Stated, moment(random), random);
    }
    let mut matter = 100;
    for (key, count) in [("order_number", 71), ("claim", 20), ("promise", 20)] {
        for _ in 0..count {
            n += 1;
            matter += 1;
            plant(matter, key, value(key, n), Stance::Stated, moment(random), random);
        }
    }
    // 20 more that are taken back, and promises that are kept.
    for _ in 0..20 {
        n += 1;
        matter += 1;
        let mut when = [moment(random), moment(random)];
        when.sort_unstable();
        plant(matter, "product", value("product", n), Stance::Stated, when[0], random);
        plant(matter, "product", value("product", n), Stance::Retracted, when[1], random);
    }
    planted.sort_by_key(|one| one.recorded);
    planted
}

fn when_said(exchange: usize) -> Timestamp {
    at(0) + SignedDuration::from_secs(i64::try_from(exchange).unwrap() * 365 * DAY / i64::try_from(EXCHANGES).unwrap())
}

/// What held at `valid`, of all that was known at `known`: of each matter the last word.
fn expected(planted: &[Planted], valid: Timestamp, known: Timestamp) -> BTreeSet<String> {
    let heard = || planted.iter().filter(|one| one.recorded <= known);
    let taken_back =
        |one: &Planted| heard().any(|other| other.matter == one.matter && other.statement.stance == Stance::Retracted);
    let said: Vec<&Planted> = heard()
        .filter(|one| one.statement.stance == Stance::Stated && one.statement.valid_at <= valid && !taken_back(one))
        .collect();
    let is_last = |one: &&&Planted| {
        said.iter().all(|other| other.matter != one.matter || other.statement.valid_at <= one.statement.valid_at)
    };
    said.iter().filter(is_last).map(|one| one.statement.value.clone()).collect()
}

pub(crate) async fn a_ledger_of_a_year_is_exact_on_every_day(stage: &Stage) {
    let mut random = StdRng::seed_from_u64(7);
    let told: Vec<Told> = (0..EXCHANGES)
        .map(|n| Told {
            at: when_said(n), question: format!("Вопрос {n} о заказе"), answer: format!("Ответ {n}")
        })
        .collect();
    let past = bulk::past(stage, "ana", &told).await;
    assert_eq!(stage.figure("select count(*) from messages").await, 10_000);
    let planted = plan(&past.said, &mut random);
    let stated = |stance| planted.iter().filter(|one| one.statement.stance == stance).count();
    assert_eq!((stated(Stance::Stated), stated(Stance::Retracted)), (200, 20));
    for one in &planted {
        ledger::enter(&stage.store, &stage.ids, past.customer, vec![one.statement.clone()], one.recorded)
            .await
            .unwrap();
    }

    let second = SignedDuration::from_secs(1);
    let mut days: Vec<(Timestamp, Timestamp)> = Vec::new();
    for one in &planted {
        // Before and after everything that happened, on both axes.
        days.push((one.statement.valid_at, one.recorded));
        days.push((one.statement.valid_at - second, one.recorded));
        days.push((one.statement.valid_at, one.recorded - second));
        days.push((one.recorded, one.recorded));
    }
    let day = |random: &mut StdRng| at(random.random_range(-DAY..460 * DAY));
    days.extend((0..300).map(|_| (day(&mut random), day(&mut random))));
    for (valid, known) in days {
        let facts = stage.store.facts_at(past.customer, valid, known).await.unwrap();
        let values: BTreeSet<String> = facts.iter().map(|fact| fact.value.clone()).collect();
        assert_eq!(values.len(), facts.len(), "a value stands twice");
        assert_eq!(values, expected(&planted, valid, known), "valid at {valid}, known at {known}");
    }
    nothing_stale_is_recalled(stage, &past, &planted).await;
}

/// What holds no more is neither among the facts nor in the index.
async fn nothing_stale_is_recalled(stage: &Stage, past: &bulk::Past, planted: &[Planted]) {
    let now = at(460 * DAY);
    let facts = stage.store.facts(past.customer).await.unwrap();
    let current: BTreeSet<String> = facts.iter().map(|fact| fact.value.clone()).collect();
    assert_eq!(current, expected(planted, now, now));
    let promises = facts.iter().filter(|fact| fact.kind == FactKind::Promise && fact.due_at.is_some()).count();
    assert_eq!((promises, facts.iter().filter(|fact| fact.kind == FactKind::Claim).count()), (20, 20));
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = EdgeIndex::open(dir.path(), None).await.unwrap();
    while indexing::tick(&stage.store, &index, None, &TimeZone::UTC).await.unwrap() > 0 {}
    let held: HashSet<uuid::Uuid> = index.ids(Shelf::Memory).await.unwrap().into_iter().collect();
    assert_eq!(held.len(), 2 * EXCHANGES + facts.len(), "two keys an exchange, one a fact that holds");
    assert!(facts.iter().all(|fact| held.contains(&fact.id.uuid())));
    index.close().await.unwrap();
}
