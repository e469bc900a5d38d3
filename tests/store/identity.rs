//! Customers who turn out to be one person, and those who turn out not to be.

use std::collections::{BTreeMap, BTreeSet};

use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::channel::{Address, ChannelKind};
use firstline::domain::customer::Merge;
use firstline::domain::handoff::{HandoffReason, Package};
use firstline::domain::id::{ConversationId, CustomerId, EpisodeId, MergeId};
use firstline::domain::memory::{Episode, FactKind, Outcome, Stance, Statement, Trend};
use firstline::flow::identity::{self, MergeError};
use firstline::flow::{indexing, ledger, privacy};
use firstline::ports::desk::DeskStore;
use firstline::ports::identity::{Identity, Merging};
use firstline::ports::ledger::{Entry, EpisodeCommit, Learning, Ledger, UnitId};
use firstline::ports::privacy::Privacy;
use firstline::ports::store::{Committed, Loop};
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::support::{Stage, at, telegram, timing, update, web, words};

/// Somebody says something, is answered, and it is learnt.
async fn says(stage: &Stage, from: &Address, key: &str, value: &str, now: i64) -> (ConversationId, CustomerId) {
    let (id, _) = stage.writes(from, value, now).await;
    assert_eq!(stage.answers(&["Записала."], now + 10).await, Committed::Yes);
    stage.delivers(now + 11).await;
    let customer = stage.conversation(id).await.customer;
    let statement = stated(stage, id, key, value).await;
    ledger::enter(&stage.store, &stage.ids, customer, vec![statement], at(now + 12)).await.unwrap();
    (id, customer)
}

/// A statement of what the customer said last.
async fn stated(stage: &Stage, id: ConversationId, key: &str, value: &str) -> Statement {
    let said = stage.store.transcript(id, 0, 1_000).await.unwrap();
    let said = said.iter().rfind(|message| message.text.as_str() == value).expect("it was said");
    Statement {
        key: key.to_owned(),
        value: value.to_owned(),
        stance: Stance::Stated,
        kind: FactKind::Attribute,
        confidence: 0.75,
        source: said.id,
        valid_at: said.received_at,
        due_at: None,
    }
}

async fn episode(stage: &Stage, id: ConversationId, summary: &str) -> Episode {
    let conversation = stage.conversation(id).await;
    Episode {
        id: EpisodeId::fresh(&stage.ids, at(0)),
        customer: conversation.customer,
        conversation: id,
        from_seq: 1,
        to_seq: conversation.last_seq,
        channel: ChannelKind::Web,
        summary: summary.to_owned(),
        outcome: Outcome::AnsweredByBot,
        mood: "calm".to_owned(),
        trend: Trend::Same,
        started_at: at(0),
        ended_at: at(1),
    }
}

async fn learns_of(stage: &Stage, episode: Episode, now: i64) -> Learning {
    let entry = Entry {
        customer: episode.customer,
        number: stage.store.ledger(episode.customer).await.unwrap().number,
        statements: Vec::new(),
        change: firstline::domain::memory::LedgerChange::default(),
    };
    stage.store.commit_episode(&EpisodeCommit { episode, entry }, at(now)).await.unwrap()
}

async fn merged(stage: &Stage, part: CustomerId, whole: CustomerId, now: i64) -> MergeId {
    identity::merge(&stage.store, &stage.ids, (part, whole), "ann", at(now)).await.unwrap().id
}

async fn parted(stage: &Stage, merge: MergeId, now: i64) -> Option<Merge> {
    identity::unmerge(&stage.store, &stage.ids, merge, "bea", at(now)).await.unwrap()
}

/// What is known of somebody now.
async fn known(stage: &Stage, customer: CustomerId) -> BTreeSet<(String, String)> {
    let facts = stage.store.facts(customer).await.unwrap();
    assert!(facts.iter().all(|fact| fact.customer == customer));
    facts.into_iter().map(|fact| (fact.key, fact.value)).collect()
}

fn facts(all: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) async fn merged_they_are_one(stage: &Stage) {
    let (at_web, ana) = says(stage, &web("ana"), "product", "лампа", 0).await;
    let mut first = update(&telegram("77"), "first", words("кружка"));
    first.display_name = Some("Анна Т.".to_owned());
    stage.store.accept(&[first], None, &timing(), at(50)).await.unwrap();
    assert_eq!(stage.answers(&["Здравствуйте."], 60).await, Committed::Yes);
    let (at_telegram, part) = says(stage, &telegram("77"), "product", "кружка", 100).await;
    assert_ne!(ana, part);
    assert_eq!(learns_of(stage, episode(stage, at_telegram, "О кружке").await, 130).await, Learning::Stored);

    let merge = merged(stage, part, ana, 200).await;
    assert_eq!(known(stage, ana).await, facts(&[("product", "лампа"), ("product", "кружка")]));
    assert_eq!(known(stage, part).await, facts(&[]));
    assert_eq!(stage.conversation(at_telegram).await.customer, ana);
    assert_eq!(stage.store.episodes(ana, 10).await.unwrap().len(), 1);
    assert_eq!(stage.store.units(part).await.unwrap(), []);
    assert_eq!(stage.store.whole(part).await.unwrap(), Some(ana));
    assert_eq!(stage.store.whole(ana).await.unwrap(), Some(ana));
    assert_eq!(stage.store.whole(CustomerId::fresh(&stage.ids, at(0))).await.unwrap(), None);
    assert_eq!(stage.store.customer(ana).await.unwrap().unwrap().display_name.as_deref(), Some("Анна Т."));
    let homes: Vec<CustomerId> =
        stage.store.addresses(ana).await.unwrap().into_iter().map(|known| known.home).collect();
    assert_eq!(homes, [ana, part]);
    let merges = stage.store.merges(ana).await.unwrap();
    assert_eq!((merges.len(), merges[0].id, merges[0].by.as_str(), &merges[0].undone), (1, merge, "ann", &None));

    // What either says from now on is said by both.
    let (id, who) = says(stage, &telegram("77"), "name", "Анна", 300).await;
    assert_eq!((id, who), (at_telegram, ana));
    assert_eq!(says(stage, &web("ana"), "city", "Казань", 400).await, (at_web, ana));
    assert!(known(stage, ana).await.is_superset(&facts(&[("name", "Анна"), ("city", "Казань")])));
    let again = identity::merge(&stage.store, &stage.ids, (ana, part), "ann", at(500)).await;
    assert!(matches!(again, Err(MergeError::Same(..))), "{again:?}");
    let nobody = CustomerId::fresh(&stage.ids, at(0));
    let gone = identity::merge(&stage.store, &stage.ids, (nobody, ana), "ann", at(500)).await;
    assert!(matches!(gone, Err(MergeError::NotFound(one)) if one == nobody), "{gone:?}");
}

pub(crate) async fn parted_each_has_their_own(stage: &Stage) {
    let (_, ana) = says(stage, &web("ana"), "city", "Казань", 0).await;
    let (at_telegram, bob) = says(stage, &telegram("77"), "city", "Москва", 100).await;
    let before = at(150);
    let merge = merged(stage, bob, ana, 200).await;
    assert_eq!(known(stage, ana).await, facts(&[("city", "Москва")]), "who is one person lives in one city");
    says(stage, &telegram("77"), "name", "Борис", 300).await;
    says(stage, &web("ana"), "name", "Анна", 400).await;
    assert_eq!(known(stage, ana).await, facts(&[("city", "Москва"), ("name", "Анна")]));
    assert_eq!(learns_of(stage, episode(stage, at_telegram, "О городе").await, 430).await, Learning::Stored);

    let undone = parted(stage, merge, 500).await.expect("it can be undone");
    assert_eq!((undone.part, undone.whole), (bob, ana));
    assert_eq!(known(stage, ana).await, facts(&[("city", "Казань"), ("name", "Анна")]));
    assert_eq!(known(stage, bob).await, facts(&[("city", "Москва"), ("name", "Борис")]));
    assert_eq!(stage.conversation(at_telegram).await.customer, bob);
    assert_eq!(
        (stage.store.episodes(ana, 9).await.unwrap().len(), stage.store.episodes(bob, 9).await.unwrap().len()),
        (0, 1)
    );
    let then = stage.store.facts_at(bob, before, at(600)).await.unwrap();
    assert_eq!(then.iter().map(|fact| fact.value.as_str()).collect::<Vec<_>>(), ["Москва"]);
    let merges = stage.store.merges(bob).await.unwrap();
    assert_eq!(merges[0].undone.as_ref().map(|undone| (undone.by.as_str(), undone.at)), Some(("bea", at(500))));
    assert_eq!(parted(stage, merge, 501).await, None, "undone once");
    // And they may be found to be one after all.
    merged(stage, ana, bob, 600).await;
    assert_eq!(known(stage, bob).await, facts(&[("city", "Москва"), ("name", "Анна")]));
}

pub(crate) async fn an_inner_merge_can_be_undone(stage: &Stage) {
    let mut people = Vec::new();
    for (place, who) in (0_i64..).zip(["ana", "bob", "cem"]) {
        people.push(says(stage, &web(who), "product", who, 100 * place).await.1);
    }
    let [ana, bob, cem] = people[..] else { panic!("three of them") };
    let inner = merged(stage, bob, ana, 400).await;
    let outer = merged(stage, ana, cem, 410).await;
    assert_eq!(stage.store.whole(bob).await.unwrap(), Some(cem));
    assert_eq!(stage.store.merges(cem).await.unwrap().len(), 2);
    parted(stage, inner, 420).await.unwrap();
    assert_eq!(known(stage, bob).await, facts(&[("product", "bob")]));
    assert_eq!(known(stage, cem).await, facts(&[("product", "ana"), ("product", "cem")]));
    parted(stage, outer, 430).await.unwrap();
    for (who, name) in [(ana, "ana"), (bob, "bob"), (cem, "cem")] {
        assert_eq!(known(stage, who).await, facts(&[("product", name)]));
        assert_eq!(stage.store.units(who).await.unwrap().len(), 2, "an exchange and a fact");
    }
}

pub(crate) async fn what_was_made_with_anothers_memory_in_view_does_not_go_out(stage: &Stage) {
    let (_, ana) = says(stage, &web("ana"), "product", "лампа", 0).await;
    let (at_telegram, bob) = says(stage, &telegram("77"), "product", "кружка", 100).await;
    let merge = merged(stage, bob, ana, 200).await;
    // A reply that has not gone, a draft under way, and a package before people.
    stage.writes(&telegram("77"), "Что я покупал?", 300).await;
    assert_eq!(stage.answers(&["Лампу."], 310).await, Committed::Yes);
    stage.writes(&web("ana"), "А я?", 320).await;
    let lease = stage.lease(330).await.unwrap();
    let input = stage.load(&lease).await;
    stage.writes(&web("cem"), "Человека!", 340).await;
    let queued = stage.hands_over(HandoffReason::HumanRequest, 2, 350).await;
    let cem = stage.conversation(queued).await.customer;
    let other = merged(stage, cem, ana, 360).await;

    parted(stage, merge, 400).await.unwrap();
    let late = stage.turn(&input, Some(stage.message(&["Кружку."])));
    assert_eq!(stage.store.commit_turn(&lease, &late, at(410)).await.unwrap(), Committed::Fenced);
    let left = stage.delivers(420).await;
    assert!(!left.contains(&"Лампу.".to_owned()), "{left:?}");
    let mut owed = Vec::new();
    while let Some(lease) = stage.lease(430).await {
        owed.push(lease.conversation);
    }
    assert!(owed.contains(&at_telegram) && owed.contains(&lease.conversation), "both are owed an answer: {owed:?}");
    parted(stage, other, 440).await.unwrap();
    assert_eq!(stage.store.handoff(queued).await.unwrap().unwrap().package, Package::default());
    assert_eq!(stage.figure("select count(*) from timers where kind = 'package' and due_at is not null").await, 1);
}

pub(crate) async fn who_reads_before_a_merge_can_not_write_after_it(stage: &Stage) {
    let (_, ana) = says(stage, &web("ana"), "product", "лампа", 0).await;
    let (id, bob) = says(stage, &telegram("77"), "product", "кружка", 100).await;
    let late = episode(stage, id, "О кружке").await;
    let statement = stated(stage, id, "product", "кружка").await;
    let entry = async |customer, statements| Entry {
        customer,
        number: stage.store.ledger(customer).await.unwrap().number,
        statements,
        change: firstline::domain::memory::LedgerChange::default(),
    };
    let stale = entry(bob, vec![statement.clone()]).await;
    let number = stage.store.ledger(ana).await.unwrap().number;
    let merge = merged(stage, bob, ana, 200).await;
    assert!(!stage.store.commit_entry(&stale, at(210)).await.unwrap());
    assert!(!stage.store.commit_entry(&entry(bob, vec![statement.clone()]).await, at(210)).await.unwrap());
    let commit = EpisodeCommit { episode: late.clone(), entry: entry(bob, Vec::new()).await };
    assert_eq!(stage.store.commit_episode(&commit, at(210)).await.unwrap(), Learning::Moved);
    let again = Merge {
        id: MergeId::fresh(&stage.ids, at(0)),
        part: ana,
        whole: bob,
        by: "x".to_owned(),
        at: at(0),
        undone: None,
    };
    let merging = Merging { merge: again, part_number: number, entry: entry(bob, Vec::new()).await };
    assert!(!stage.store.merge(&merging, at(220)).await.unwrap(), "a part is nobody's whole");
    parted(stage, merge, 300).await.unwrap();
    // Read while they were one, written when they are not.
    let of_other = entry(ana, vec![statement]).await;
    assert!(!stage.store.commit_entry(&of_other, at(310)).await.unwrap());
    let commit = EpisodeCommit { episode: Episode { customer: ana, ..late }, entry: entry(ana, Vec::new()).await };
    assert_eq!(stage.store.commit_episode(&commit, at(310)).await.unwrap(), Learning::Moved);
}

pub(crate) async fn what_one_demands_holds_for_all_of_them(stage: &Stage) {
    let (_, ana) = says(stage, &web("ana"), "product", "лампа", 0).await;
    let (id, bob) = says(stage, &telegram("77"), "product", "кружка", 100).await;
    let statement = stated(stage, id, "product", "кружка").await;
    let merge = merged(stage, bob, ana, 200).await;
    let cup = stage.store.facts(ana).await.unwrap().into_iter().find(|fact| fact.value == "кружка").unwrap();
    privacy::forget(&stage.store, &stage.ids, ana, cup.id, at(210)).await.unwrap();
    parted(stage, merge, 220).await.unwrap();
    ledger::enter(&stage.store, &stage.ids, bob, vec![statement], at(230)).await.unwrap();
    assert_eq!(known(stage, bob).await, facts(&[]), "forgotten is forgotten on either side");
    // Who does not want to be remembered is one person with who was not asked.
    stage.store.set_memory(bob, false, at(240)).await.unwrap();
    merged(stage, bob, ana, 250).await;
    assert!(!stage.store.customer(ana).await.unwrap().unwrap().remembered);
    let units = stage.store.units(ana).await.unwrap();
    assert_eq!(stage.store.remembered(ana, &units).await.unwrap(), []);
    stage.store.set_memory(ana, true, at(260)).await.unwrap();
    assert!(stage.store.customer(bob).await.unwrap().unwrap().remembered);
    // One of two keys is enough to be erased, and what is told beforehand is all.
    let export = stage.store.export(ana).await.unwrap().unwrap();
    assert_eq!((export["customers"].as_array().unwrap().len(), export["merges"].as_array().unwrap().len()), (2, 2));
    let erased = stage.store.erase(bob, at(300)).await.unwrap().unwrap();
    assert_eq!(erased.customer, ana);
    for gone in [ana, bob] {
        assert_eq!(stage.store.export(gone).await.unwrap(), None);
        assert_eq!(stage.store.erase(gone, at(301)).await.unwrap().map(|erased| erased.customer), Some(gone));
    }
    let owed = stage.store.index_changes("edge-1", 100).await.unwrap();
    for gone in [ana, bob] {
        assert!(owed.iter().any(|change| change.unit == UnitId::Customer(gone) && change.now.is_none()));
    }
    assert_eq!(stage.figure("select count(*) from merges").await, 0);
}

/// Everybody of the random test, and who is one with whom.
struct Crowd {
    addresses: Vec<Address>,
    /// The customer of each address, as they met first; none yet, or erased.
    keys: Vec<Option<CustomerId>>,
    /// Of which other each is a part.
    part_of: Vec<Option<usize>>,
    merges: Vec<(MergeId, usize)>,
    /// What each has said.
    canaries: BTreeMap<usize, BTreeSet<String>>,
}

impl Crowd {
    fn whole(&self, mut who: usize) -> usize {
        while let Some(whole) = self.part_of[who] {
            who = whole;
        }
        who
    }

    fn living(&self) -> Vec<usize> {
        (0..self.keys.len()).filter(|who| self.keys[*who].is_some()).collect()
    }

    /// What may, and must, be known of the person whose key is that of `whole`.
    fn canaries_of(&self, whole: usize) -> BTreeSet<String> {
        let of = |who: &&usize| self.keys[**who].is_some() && self.whole(**who) == whole;
        self.canaries.keys().filter(of).flat_map(|who| self.canaries[who].iter().cloned()).collect()
    }
}

/// Every canary in a text.
fn canaries_in(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| word.starts_with("канарейка"))
        .map(str::to_owned)
        .collect()
}

/// All that is kept and found of everybody is theirs, and nothing of it is missing.
async fn nobody_has_what_is_anothers(stage: &Stage, index: &EdgeIndex, crowd: &Crowd, step: usize) {
    for who in crowd.living() {
        let Some(key) = crowd.keys[who] else { continue };
        if crowd.whole(who) != who {
            assert_eq!(stage.store.units(key).await.unwrap(), [], "step {step}: a part has nothing of its own");
            continue;
        }
        let theirs = crowd.canaries_of(who);
        let units = stage.store.units(key).await.unwrap();
        let remembered = stage.store.remembered(key, &units).await.unwrap();
        let state = stage.store.ledger(key).await.unwrap();
        let export = stage.store.export(key).await.unwrap().unwrap();
        assert_eq!(canaries_in(&format!("{remembered:?}")), theirs, "step {step}: remembered of {who}");
        assert_eq!(canaries_in(&format!("{:?}{:?}", state.facts, state.statements)), theirs, "step {step}: of {who}");
        assert_eq!(canaries_in(&export.to_string()), theirs, "step {step}: exported of {who}");
        for other in crowd.living() {
            for canary in crowd.canaries_of(crowd.whole(other)).iter().take(1) {
                let found = indexing::search_memory(index, None, key, canary, at(0), 8).await.unwrap();
                let units: Vec<UnitId> = found.into_iter().map(|(unit, _)| unit).collect();
                let read = stage.store.remembered(key, &units).await.unwrap();
                assert!(canaries_in(&format!("{read:?}")).is_subset(&theirs), "step {step}: {who} found {canary}");
                let is_theirs = crowd.whole(other) == who;
                assert_eq!(
                    canaries_in(&format!("{read:?}")).contains(canary),
                    is_theirs,
                    "step {step}: {who}, {canary}"
                );
            }
        }
    }
}

pub(crate) async fn whatever_happens_nobody_has_what_is_anothers(stage: &Stage) {
    const PEOPLE: usize = 6;
    const STEPS: usize = 120;
    let seed = 20_261_123;
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = EdgeIndex::open(dir.path(), None).await.unwrap();
    let addresses =
        (0..PEOPLE).map(|who| if who % 2 == 0 { web(&format!("w{who}")) } else { telegram(&format!("{who}")) });
    let mut crowd = Crowd {
        addresses: addresses.collect(),
        keys: vec![None; PEOPLE],
        part_of: vec![None; PEOPLE],
        merges: Vec::new(),
        canaries: BTreeMap::new(),
    };
    let mut merges = 0;
    for step in 0..STEPS {
        let now = 1_000 * i64::try_from(step).unwrap();
        let who = random.random_range(0..PEOPLE);
        match random.random_range(0..10) {
            0..=4 => {
                let canary = format!("канарейка{step}");
                let (_, key) = says(stage, &crowd.addresses[who].clone(), "product", &canary, now).await;
                if crowd.keys[who].is_none() {
                    crowd.keys[who] = Some(key);
                    crowd.canaries.insert(who, BTreeSet::new());
                }
                assert_eq!(Some(key), crowd.keys[crowd.whole(who)]);
                crowd.canaries.entry(who).or_default().insert(canary);
            }
            5..=6 => {
                let living = crowd.living();
                let (Some(&part), Some(&whole)) = (living.choose(&mut random), living.choose(&mut random)) else {
                    continue;
                };
                let (part, whole) = (crowd.whole(part), crowd.whole(whole));
                if part != whole {
                    let keys = (crowd.keys[part].unwrap(), crowd.keys[whole].unwrap());
                    crowd.merges.push((merged(stage, keys.0, keys.1, now).await, part));
                    crowd.part_of[part] = Some(whole);
                    merges += 1;
                }
            }
            7..=8 if !crowd.merges.is_empty() => {
                let (merge, part) = crowd.merges.swap_remove(random.random_range(0..crowd.merges.len()));
                parted(stage, merge, now).await.expect("it was not undone");
                crowd.part_of[part] = None;
            }
            9 if step % 3 == 0 => {
                let Some(key) = crowd.keys[who] else { continue };
                let whole = crowd.whole(who);
                stage.store.erase(key, at(now)).await.unwrap().expect("they were there");
                let gone: Vec<usize> = crowd.living().into_iter().filter(|one| crowd.whole(*one) == whole).collect();
                crowd.merges.retain(|(_, part)| !gone.contains(part));
                for one in gone {
                    (crowd.keys[one], crowd.part_of[one]) = (None, None);
                    crowd.canaries.remove(&one);
                }
            }
            _ => {}
        }
        while indexing::tick(&stage.store, &index, None, &TimeZone::UTC).await.unwrap() > 0 {}
        nobody_has_what_is_anothers(stage, &index, &crowd, step).await;
    }
    assert!(merges > 10, "{merges} merges");
    index.close().await.unwrap();
}
