//! Facts, episodes, exchanges, and the changes owed to the index.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::channel::{Address, ChannelKind};
use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::handoff::{HandoffReason, Package, PackageAuthor};
use firstline::domain::id::{ConversationId, CustomerId, EpisodeId, FactId};
use firstline::domain::memory::{Episode, Exchange, Fact, FactKind, LedgerChange, Outcome, Stance, Statement, Trend};
use firstline::domain::past::{PastAuthor, PastConversation, PastMessage};
use firstline::domain::text::MessageText;
use firstline::flow::{indexing, ledger};
use firstline::ports::desk::DeskStore;
use firstline::ports::index::{SearchIndex, Shelf};
use firstline::ports::ledger::{Beside, Entry, EpisodeCommit, IndexChange, Learning, Ledger, Unit, UnitId};
use firstline::ports::privacy::Privacy;
use firstline::ports::store::{Committed, Loop};
use futures_util::future::{join, join_all};
use jiff::tz::TimeZone;
use sqlx::Row;

use crate::support::{Kind, Stage, at, reply, take, texts, web};

/// A conversation of two messages, of which an episode and a fact can be learnt.
pub(crate) async fn talked(stage: &Stage, who: &Address, now: i64) -> (ConversationId, CustomerId) {
    let (id, _) = stage.writes(who, "Я Анна, где мой заказ?", now).await;
    assert_eq!(stage.answers(&["В пути"], now + 10).await, Committed::Yes);
    stage.delivers(now + 11).await;
    (id, stage.conversation(id).await.customer)
}

async fn fact(stage: &Stage, id: ConversationId, key: &str, value: &str, now: i64) -> Fact {
    let first = stage.store.transcript(id, 0, 1).await.unwrap().remove(0);
    Fact {
        id: FactId::fresh(&stage.ids, at(now)),
        customer: stage.conversation(id).await.customer,
        key: key.to_owned(),
        value: value.to_owned(),
        kind: FactKind::Attribute,
        confidence: 0.625,
        source: first.id,
        valid_at: first.received_at,
        invalid_at: None,
        recorded_at: at(now),
        superseded_at: None,
        due_at: None,
    }
}

async fn episode(stage: &Stage, id: ConversationId, to_seq: i64) -> Episode {
    Episode {
        id: EpisodeId::fresh(&stage.ids, at(0)),
        customer: stage.conversation(id).await.customer,
        conversation: id,
        from_seq: 1,
        to_seq,
        channel: ChannelKind::Web,
        summary: "Спрашивала о заказе".to_owned(),
        outcome: Outcome::AnsweredByBot,
        mood: "спокойна".to_owned(),
        trend: Trend::Worse,
        started_at: at(0),
        ended_at: at(to_seq),
    }
}

/// What an episode enters into the ledger as it is now.
async fn entry(stage: &Stage, customer: CustomerId, learnt: Vec<Fact>, superseded: &[&Fact]) -> Entry {
    let number = stage.store.ledger(customer).await.unwrap().number;
    let superseded = superseded.iter().map(|fact| fact.id).collect();
    Entry { customer, number, statements: Vec::new(), change: LedgerChange { learnt, superseded } }
}

async fn learns(stage: &Stage, episode: Episode, learnt: Vec<Fact>, superseded: &[&Fact], now: i64) -> Learning {
    let entry = entry(stage, episode.customer, learnt, superseded).await;
    stage.store.commit_episode(&EpisodeCommit { episode, entry }, at(now)).await.unwrap()
}

/// Takes everything owed to this process's index, as the indexer does.
async fn applied(stage: &Stage) -> Vec<IndexChange> {
    applied_by(stage, "edge-1").await
}

async fn applied_by(stage: &Stage, index: &str) -> Vec<IndexChange> {
    let mut all: Vec<IndexChange> = Vec::new();
    loop {
        let from = stage.store.index_position(index).await.unwrap();
        let changes = stage.store.index_changes(index, 2).await.unwrap();
        let Some(last) = changes.last() else { return all };
        assert!(all.last().is_none_or(|before| before.number < changes[0].number));
        assert!(stage.store.index_changed(index, from, last.number).await.unwrap());
        all.extend(changes);
    }
}

pub(crate) async fn facts_are_superseded_not_overwritten(stage: &Stage) {
    let (id, ana) = talked(stage, &web("ana"), 0).await;
    let city = fact(stage, id, "city", "Казань", 100).await;
    let name = fact(stage, id, "name", "Анна", 101).await;
    assert_eq!(
        learns(stage, episode(stage, id, 2).await, vec![city.clone(), name.clone()], &[], 100).await,
        Learning::Stored
    );
    assert_eq!(stage.store.facts(ana).await.unwrap(), [city.clone(), name.clone()]);

    let moved = fact(stage, id, "city", "Москва", 200).await;
    assert_eq!(learns(stage, episode(stage, id, 3).await, vec![moved.clone()], &[&city], 200).await, Learning::Stored);
    assert_eq!(stage.store.facts(ana).await.unwrap(), [name.clone(), moved.clone()]);
    assert_eq!(stage.figure("select count(*) from facts").await, 3, "the old one is kept");
    let as_of = async |now| stage.store.facts_at(ana, at(now), at(now)).await.unwrap();
    let then = Fact { superseded_at: Some(at(200)), ..city.clone() };
    assert_eq!(as_of(199).await, [then, name.clone()], "what was known then");
    assert_eq!(as_of(200).await, [name.clone(), moved.clone()]);
    assert_eq!(as_of(50).await, []);
    assert_eq!(stage.store.facts_at(ana, at(0), at(150)).await.unwrap().len(), 2, "what was so before we knew");

    let owed: Vec<_> = applied(stage).await.into_iter().map(|change| (change.unit, change.now)).collect();
    assert!(owed.contains(&(UnitId::Fact(city.id), None)), "what holds no more leaves the index");
    assert!(owed.contains(&(UnitId::Fact(moved.id), Some(Unit::Fact(moved)))));
    assert!(owed.contains(&(UnitId::Fact(name.id), Some(Unit::Fact(name)))));
}

pub(crate) async fn an_entry_for_an_older_ledger_is_refused(stage: &Stage) {
    let (id, ana) = talked(stage, &web("ana"), 0).await;
    let city = fact(stage, id, "city", "Казань", 100).await;
    let stale = entry(stage, ana, vec![city.clone()], &[]).await;
    assert!(stage.store.commit_entry(&stale, at(100)).await.unwrap());
    assert!(!stage.store.commit_entry(&stale, at(101)).await.unwrap(), "another was written since");
    let moved = EpisodeCommit { episode: episode(stage, id, 2).await, entry: stale.clone() };
    assert_eq!(stage.store.commit_episode(&moved, at(102)).await.unwrap(), Learning::Moved);
    assert_eq!(stage.store.episodes(ana, 10).await.unwrap(), [], "nothing of it is stored");
    let nobody = CustomerId::fresh(&stage.ids, at(0));
    assert!(!stage.store.commit_entry(&Entry { customer: nobody, ..stale }, at(103)).await.unwrap());
    let of_nobody = entry(stage, nobody, Vec::new(), &[]).await;
    let of_nobody = EpisodeCommit { episode: Episode { customer: nobody, ..moved.episode.clone() }, entry: of_nobody };
    assert_eq!(stage.store.commit_episode(&of_nobody, at(104)).await.unwrap(), Learning::Moved, "it is another's");
    assert_eq!(stage.store.facts(ana).await.unwrap(), [city]);
    stage.store.erase(ana, at(105)).await.unwrap();
    assert_eq!(stage.store.commit_episode(&moved, at(106)).await.unwrap(), Learning::Gone);
}

pub(crate) async fn statements_are_kept_once_and_promises_ring(stage: &Stage) {
    let (id, ana) = talked(stage, &web("ana"), 0).await;
    let source = fact(stage, id, "name", "Анна", 1).await.source;
    let promise = Statement {
        key: "promise".to_owned(),
        value: "Перезвоним".to_owned(),
        stance: Stance::Stated,
        kind: FactKind::Promise,
        confidence: 0.5,
        source,
        valid_at: at(20),
        due_at: Some(at(500)),
    };
    for now in [100, 101] {
        let statements = vec![promise.clone()];
        ledger::enter(&stage.store, &stage.ids, ana, statements, at(now)).await.unwrap();
    }
    let state = stage.store.ledger(ana).await.unwrap();
    assert_eq!((state.statements, state.facts.len()), (vec![promise.clone()], 1));
    let open = stage.store.promises(id).await.unwrap();
    assert_eq!((open.len(), open[0].due_at, open[0].kind), (1, Some(at(500)), FactKind::Promise));
    let rings = stage.figure("select due_at / 1000000 from timers where kind = 'promise'").await;
    assert_eq!(rings, at(500).as_second());

    let kept = Statement { stance: Stance::Ended, valid_at: at(300), ..promise };
    ledger::enter(&stage.store, &stage.ids, ana, vec![kept], at(301)).await.unwrap();
    assert_eq!(stage.store.promises(id).await.unwrap(), []);
    assert_eq!(stage.store.facts_at(ana, at(299), at(400)).await.unwrap().len(), 1, "it was open until then");
    assert_eq!(stage.store.facts_at(ana, at(300), at(400)).await.unwrap(), []);
}

pub(crate) async fn an_episode_is_stored_once(stage: &Stage) {
    let (id, ana) = talked(stage, &web("ana"), 0).await;
    let (first, second) = (episode(stage, id, 2).await, episode(stage, id, 2).await);
    let name = fact(stage, id, "name", "Анна", 100).await;
    let commits = [
        EpisodeCommit { episode: first, entry: entry(stage, ana, vec![name.clone()], &[]).await },
        EpisodeCommit {
            episode: second,
            entry: entry(stage, ana, vec![Fact { id: FactId::fresh(&stage.ids, at(1)), ..name }], &[]).await,
        },
    ];
    let stored = join_all(commits.iter().map(|commit| stage.store.commit_episode(commit, at(100)))).await;
    let stored: Vec<bool> = stored.into_iter().map(|ended| ended.unwrap() == Learning::Stored).collect();
    assert_eq!(stored.iter().filter(|stored| **stored).count(), 1, "{stored:?}");
    assert_eq!(stage.store.commit_episode(&commits[0], at(101)).await.unwrap(), Learning::Known);
    let winner = if stored[0] { &commits[0] } else { &commits[1] };
    assert_eq!(stage.store.episodes(ana, 10).await.unwrap(), std::slice::from_ref(&winner.episode));
    assert_eq!(stage.store.facts(ana).await.unwrap(), winner.entry.change.learnt);
    let units: Vec<_> = applied(stage).await.into_iter().map(|change| change.unit).collect();
    assert_eq!(units[1..], [UnitId::Episode(winner.episode.id), UnitId::Fact(winner.entry.change.learnt[0].id)]);
}

pub(crate) async fn an_episode_begins_after_the_last(stage: &Stage) {
    let (id, ana) = talked(stage, &web("ana"), 0).await;
    let ann = stage.operator();
    stage.acts(ann, id, OperatorAction::Note(MessageText::new("заметка")), 12).await;
    let input = stage.store.load_episode(id).await.unwrap().unwrap();
    assert_eq!(texts(&input.messages), ["Я Анна, где мой заказ?", "В пути"]);
    assert_eq!(input.conversation.id, id);
    let name = fact(stage, id, "name", "Анна", 100).await;
    assert_eq!(learns(stage, episode(stage, id, 3).await, vec![name.clone()], &[], 100).await, Learning::Stored);
    assert!(stage.store.load_episode(id).await.unwrap().is_none(), "nothing new");

    stage.acts(ann, id, reply("Доставили?"), 200).await;
    assert!(stage.store.load_episode(id).await.unwrap().is_none(), "the customer said nothing");
    stage.writes(&web("ana"), "Да, спасибо", 300).await;
    let input = stage.store.load_episode(id).await.unwrap().unwrap();
    assert_eq!(texts(&input.messages), ["Доставили?", "Да, спасибо"]);

    let second = Episode { from_seq: 4, ..episode(stage, id, 5).await };
    assert_eq!(learns(stage, second.clone(), Vec::new(), &[], 400).await, Learning::Stored);
    let listed = stage.store.episodes(ana, 10).await.unwrap();
    assert_eq!(listed.iter().map(|episode| episode.to_seq).collect::<Vec<_>>(), [5, 3], "newest first");
    assert_eq!(stage.store.episodes(ana, 1).await.unwrap(), [second]);
    assert!(stage.store.load_episode(ConversationId::fresh(&stage.ids, at(0))).await.unwrap().is_none());
}

pub(crate) async fn memory_of_one_customer_is_not_anothers(stage: &Stage) {
    let (at_ana, ana) = talked(stage, &web("ana"), 0).await;
    let (at_bob, bob) = talked(stage, &web("bob"), 20).await;
    let of_ana = fact(stage, at_ana, "name", "Анна", 100).await;
    let of_bob = fact(stage, at_bob, "name", "Боб", 100).await;
    let (first, second) = (episode(stage, at_ana, 2).await, episode(stage, at_bob, 2).await);
    assert_eq!(learns(stage, first.clone(), vec![of_ana.clone()], &[], 100).await, Learning::Stored);
    // What Bob said can't end what is known of Ana.
    assert_eq!(learns(stage, second.clone(), vec![of_bob.clone()], &[&of_ana], 101).await, Learning::Stored);
    assert_eq!(stage.store.facts(ana).await.unwrap(), std::slice::from_ref(&of_ana));
    assert_eq!(stage.store.facts(bob).await.unwrap(), std::slice::from_ref(&of_bob));
    assert_eq!(stage.store.episodes(bob, 10).await.unwrap(), std::slice::from_ref(&second));

    let question = stage.store.transcript(at_ana, 0, 1).await.unwrap()[0].id;
    let gone = UnitId::Fact(FactId::fresh(&stage.ids, at(0)));
    let units = [
        UnitId::Fact(of_bob.id),
        UnitId::Episode(second.id),
        UnitId::Fact(of_ana.id),
        gone,
        UnitId::Exchange(question),
        UnitId::Episode(first.id),
    ];
    let remembered = stage.store.remembered(ana, &units).await.unwrap();
    let expected = Exchange {
        message: question,
        customer: ana,
        conversation: at_ana,
        question: "Я Анна, где мой заказ?".to_owned(),
        answer: "В пути".to_owned(),
        at: at(0),
    };
    let expected = Unit::Exchange(expected, Beside::default());
    assert_eq!(remembered, [Unit::Fact(of_ana), expected, Unit::Episode(first)]);
    let of_bob_only = stage.store.remembered(bob, &units).await.unwrap();
    assert_eq!(of_bob_only, [Unit::Fact(of_bob), Unit::Episode(second)]);
}

fn exchanges(changes: &[IndexChange]) -> Vec<(&str, &str)> {
    let exchange = |change: &'_ IndexChange| match &change.now {
        Some(Unit::Exchange(..)) => true,
        other => panic!("{other:?}"),
    };
    assert!(changes.iter().all(exchange));
    changes
        .iter()
        .filter_map(|change| match &change.now {
            Some(Unit::Exchange(exchange, _)) => Some((exchange.question.as_str(), exchange.answer.as_str())),
            _ => None,
        })
        .collect()
}

pub(crate) async fn an_exchange_is_a_question_with_its_answer(stage: &Stage) {
    let (id, first) = stage.writes(&web("ana"), "Здравствуйте", 0).await;
    stage.writes(&web("ana"), "Где заказ?", 1).await;
    stage.answers(&["В ", "пути"], 10).await;
    let changes = applied(stage).await;
    assert_eq!(exchanges(&changes), [("Здравствуйте\nГде заказ?", "В пути")]);
    let said = stage.store.transcript(id, 0, 10).await.unwrap();
    assert_eq!(changes[0].unit, UnitId::Exchange(said[0].id));
    assert_eq!((changes[0].customer, first), (stage.conversation(id).await.customer, 1));
    stage.delivers(11).await;

    // A turn without a word makes none; an operator's answer makes one of what was written since.
    stage.writes(&web("ana"), "Спасибо", 20).await;
    let lease = stage.lease(30).await.unwrap();
    let silent = stage.turn(&stage.load(&lease).await, None);
    stage.store.commit_turn(&lease, &silent, at(31)).await.unwrap();
    assert_eq!(applied(stage).await, []);
    stage.writes(&web("ana"), "А когда?", 40).await;
    let ann = stage.operator();
    stage.acts(ann, id, reply("Завтра"), 41).await;
    // The one before has something after it now, and is owed again.
    let earlier = ("Здравствуйте\nГде заказ?", "В пути");
    assert_eq!(exchanges(&applied(stage).await), [earlier, ("Спасибо\nА когда?", "Завтра")]);
    stage.acts(ann, id, reply("До обеда"), 42).await;
    assert_eq!(applied(stage).await, [], "nobody asked");
    stage.writes(&web("ana"), "Хорошо", 43).await;
    stage.acts(ann, id, reply("Хорошего дня"), 44).await;
    assert_eq!(exchanges(&applied(stage).await), [("Спасибо\nА когда?", "Завтра"), ("Хорошо", "Хорошего дня")]);
    assert_eq!(stage.store.unit_count().await.unwrap(), 3);
}

pub(crate) async fn an_exchange_knows_what_stands_beside_it(stage: &Stage) {
    let ann = stage.operator();
    let (id, _) = stage.writes(&web("ana"), "Привет", 0).await;
    stage.acts(ann, id, take(), 1).await;
    for (question, answer, now) in
        [("Где заказ?", "В пути", 10), ("А когда?", "Завтра", 20), ("Во сколько?", "До обеда", 30)]
    {
        stage.writes(&web("ana"), question, now).await;
        stage.acts(ann, id, reply(answer), now + 1).await;
        stage.acts(ann, id, OperatorAction::Note(MessageText::new("заметка")), now + 2).await;
    }
    stage.acts(ann, id, reply("Ждём вас"), 40).await;
    let changes = applied(stage).await;
    let beside = |change: &IndexChange| match &change.now {
        Some(Unit::Exchange(exchange, beside)) => (exchange.question.clone(), beside.clone()),
        other => panic!("{other:?}"),
    };
    let told = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let expected = [
        ("Привет\nГде заказ?", told(&[]), told(&["А когда?", "Завтра"])),
        ("А когда?", told(&["Где заказ?", "В пути"]), told(&["Во сколько?", "До обеда"])),
        ("Во сколько?", told(&["А когда?", "Завтра"]), told(&["Ждём вас"])),
    ];
    let expected = expected.map(|(question, before, after)| (question.to_owned(), Beside { before, after }));
    assert_eq!(changes.iter().map(beside).collect::<Vec<_>>(), expected);

    // By any of the messages that it answers, but only of its own customer.
    let said = stage.store.transcript(id, 0, 20).await.unwrap();
    let second = said.iter().find(|message| message.text.as_str() == "Где заказ?").unwrap();
    let units = [UnitId::Exchange(second.id)];
    let ana = stage.conversation(id).await.customer;
    let found = stage.store.remembered(ana, &units).await.unwrap();
    assert!(matches!(&found[..], [Unit::Exchange(exchange, _)] if exchange.message == said[0].id), "{found:?}");
    let (_, bob) = talked(stage, &web("bob"), 50).await;
    assert_eq!(stage.store.remembered(bob, &units).await.unwrap(), []);
    applied(stage).await;

    // What was withdrawn was never said.
    stage.writes(&web("eve"), "Раз", 100).await;
    stage.answers(&["Один"], 110).await;
    stage.delivers(111).await;
    let (eve, _) = stage.writes(&web("eve"), "Два", 120).await;
    stage.answers(&["Не увидят"], 130).await;
    stage.acts(ann, eve, take(), 131).await;
    stage.acts(ann, eve, reply("Второй"), 132).await;
    let last = applied(stage).await;
    let last: Vec<_> = last.iter().filter(|change| change.now.is_some()).map(beside).collect();
    let first = Beside { before: Vec::new(), after: told(&["Два", "Второй"]) };
    let second = Beside { before: told(&["Раз", "Один"]), after: Vec::new() };
    assert_eq!(last, [("Раз".to_owned(), first), ("Два".to_owned(), second)]);
}

/// Through the index and back: by the answer, by what stands around, by the day and by a fact; and no more once withdrawn.
pub(crate) async fn exchanges_are_recalled_by_all_their_keys(stage: &Stage) {
    let place = tempfile::tempdir().unwrap();
    let (index, _) = EdgeIndex::open(place.path(), None).await.unwrap();
    let ann = stage.operator();
    let (id, _) = stage.writes(&web("ana"), "У дивана протёрлась обивка", 0).await;
    stage.acts(ann, id, take(), 1).await;
    stage.acts(ann, id, reply("Пришлите фотографию"), 2).await;
    stage.writes(&web("ana"), "Вот она", 3).await;
    stage.writes(&web("ana"), "И телефон на всякий случай", 4).await;
    stage.acts(ann, id, reply("Заменим по гарантии"), 5).await;
    stage.writes(&web("ana"), "А когда привезут чайник?", 6).await;
    stage.acts(ann, id, reply("В пятницу"), 7).await;
    let said = stage.store.transcript(id, 0, 20).await.unwrap();
    let key = |text: &str| said.iter().find(|message| message.text.as_str() == text).unwrap().id;
    let phone = Fact {
        source: key("И телефон на всякий случай"), ..fact(stage, id, "phone", "+79161234567", 8).await
    };
    assert_eq!(learns(stage, episode(stage, id, 9).await, vec![phone], &[], 8).await, Learning::Stored);
    talked(stage, &web("bob"), 20).await;

    let ana = stage.conversation(id).await.customer;
    let recalled = async |question: &str| {
        while indexing::tick(&stage.store, &index, None, &TimeZone::UTC).await.unwrap() > 0 {}
        let found = indexing::search_memory(&index, None, ana, question, at(30), 10).await.unwrap();
        let units: Vec<UnitId> = found.into_iter().map(|(unit, _)| unit).collect();
        let units = stage.store.remembered(ana, &units).await.unwrap();
        let question = |unit: Unit| match unit {
            Unit::Exchange(exchange, _) => exchange.question,
            other => format!("{other:?}"),
        };
        units.into_iter().map(question).collect::<Vec<_>>()
    };
    let [sofa, guarantee, kettle] =
        ["У дивана протёрлась обивка", "Вот она\nИ телефон на всякий случай", "А когда привезут чайник?"];
    assert_eq!(recalled("пятница").await[0], kettle, "by its answer");
    assert_eq!(recalled("гарантия").await[0], guarantee);
    let around = recalled("обивка").await;
    assert_eq!((&*around[0], around.contains(&guarantee.to_owned())), (sofa, true), "{around:?}");
    assert_eq!(recalled("79161234567").await, [guarantee], "the number stands only in the fact");
    let july = recalled("Что я спрашивала в июле?").await;
    assert!([sofa, guarantee, kettle].iter().all(|question| july.iter().any(|it| it == question)), "{july:?}");
    assert_eq!(recalled("пути").await, Vec::<String>::new(), "that was said to Bob");

    stage.acts(ann, id, OperatorAction::Release, 100).await;
    stage.writes(&web("ana"), "Есть ли зеркала?", 110).await;
    assert_eq!(stage.answers(&["Зеркал нет"], 120).await, Committed::Yes);
    assert_eq!(recalled("зеркала").await[0], "Есть ли зеркала?");
    let points = index.count(Shelf::Memory).await.unwrap();
    stage.acts(ann, id, take(), 121).await;
    assert!(!recalled("зеркала").await.contains(&"Есть ли зеркала?".to_owned()), "the answer was never said");
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), points - 2, "neither question nor answer stays");
}

pub(crate) async fn an_operator_completes_the_exchange_of_a_handoff(stage: &Stage) {
    stage.writes(&web("ana"), "Верните деньги", 0).await;
    let id = stage.hands_over(HandoffReason::Complex, 3, 10).await;
    assert_eq!(exchanges(&applied(stage).await), [("Верните деньги", "Позову коллегу.")]);
    stage.delivers(11).await;
    stage.writes(&web("ana"), "Заказ М-1", 12).await;
    stage.acts(stage.operator(), id, reply("Вернули"), 20).await;
    assert_eq!(exchanges(&applied(stage).await), [("Верните деньги\nЗаказ М-1", "Вернули")]);
    assert_eq!(stage.store.unit_count().await.unwrap(), 1);
}

pub(crate) async fn a_withdrawn_answer_leaves_the_index(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["В пути"], 10).await;
    let first = applied(stage).await;
    assert_eq!(exchanges(&first), [("Где заказ?", "В пути")]);
    let ann = stage.operator();
    stage.acts(ann, id, take(), 11).await;
    let changes = applied(stage).await;
    assert_eq!((changes[0].unit, &changes[0].now), (first[0].unit, &None), "it was never said");
    assert!(changes[0].number > first[0].number, "numbers are not used again");
    stage.acts(ann, id, reply("Уже у вас"), 12).await;
    assert_eq!(exchanges(&applied(stage).await), [("Где заказ?", "Уже у вас")]);
}

pub(crate) async fn the_index_can_be_rebuilt(stage: &Stage) {
    assert_eq!(stage.store.unit_count().await.unwrap(), 0);
    let (id, _) = talked(stage, &web("ana"), 0).await;
    let city = fact(stage, id, "city", "Казань", 100).await;
    let moved = fact(stage, id, "city", "Москва", 200).await;
    learns(stage, episode(stage, id, 2).await, vec![city.clone()], &[], 100).await;
    learns(stage, episode(stage, id, 3).await, vec![moved], &[&city], 200).await;
    let before: HashSet<_> =
        applied(stage).await.into_iter().filter(|one| one.now.is_some()).map(|one| one.unit).collect();
    assert_eq!(stage.store.depth().await.unwrap().unindexed, 0);
    assert_eq!(stage.store.unit_count().await.unwrap(), 4, "an exchange, two episodes, the fact that holds");

    assert_eq!(stage.store.reindex_all("edge-1").await.unwrap(), 5, "and word of the fact that holds no more");
    assert_eq!(stage.store.depth().await.unwrap().unindexed, 5);
    let rebuilt = applied(stage).await;
    assert_eq!(rebuilt.len(), 5);
    let hold: HashSet<_> = rebuilt.into_iter().filter(|one| one.now.is_some()).map(|one| one.unit).collect();
    assert_eq!((hold, stage.store.unit_count().await.unwrap()), (before, 4));
}

/// Each process on a shared store has an index of its own.
pub(crate) async fn every_index_reads_at_its_own_pace(stage: &Stage) {
    talked(stage, &web("ana"), 0).await;
    talked(stage, &web("bob"), 20).await;
    let units = |changes: Vec<IndexChange>| changes.into_iter().map(|change| change.unit).collect::<Vec<_>>();
    let first = units(applied_by(stage, "edge-1").await);
    assert_eq!(first.len(), 2);
    talked(stage, &web("eve"), 40).await;
    let newest = units(applied_by(stage, "edge-1").await);
    assert_eq!(newest.len(), 1);
    assert_eq!(units(applied_by(stage, "edge-2").await), [first, newest].concat(), "one that is new reads everything");
    assert_eq!(stage.store.reindex_all("edge-2").await.unwrap(), 3);
    assert_eq!(applied_by(stage, "edge-1").await, [], "wiping one does not concern the other");
    assert_eq!(applied_by(stage, "edge-2").await.len(), 3);
}

/// Many turns commit while the indexer takes what is owed and forgets it by number: every exchange is met.
pub(crate) async fn concurrent_changes_are_not_skipped(stage: &Stage) {
    stage.open_connections().await;
    let mut commits = Vec::new();
    for n in 0..30 {
        stage.writes(&web(&format!("customer {n}")), "Вопрос", 0).await;
        let lease = stage.lease(10).await.unwrap();
        let commit = stage.turn(&stage.load(&lease).await, Some(stage.message(&["Ответ"])));
        commits.push((lease, commit));
    }
    let committing = join_all(commits.iter().map(|(lease, commit)| stage.store.commit_turn(lease, commit, at(11))));
    let indexing = async {
        let mut met = HashSet::new();
        while met.len() < 30 {
            let from = stage.store.index_position("edge-1").await.unwrap();
            let changes = stage.store.index_changes("edge-1", 5).await.unwrap();
            if let Some(last) = changes.last() {
                assert!(stage.store.index_changed("edge-1", from, last.number).await.unwrap());
            }
            met.extend(changes.into_iter().map(|change| change.unit));
            tokio::task::yield_now().await;
        }
    };
    let (committed, indexed) =
        join(committing, tokio::time::timeout(std::time::Duration::from_mins(1), indexing)).await;
    for one in committed {
        assert_eq!(one.unwrap(), Committed::Yes);
    }
    indexed.expect("a change was forgotten before it was read");
}

/// A lower number may belong to a transaction that ends later: on a shared store, reading waits for it.
pub(crate) async fn a_change_that_commits_late_is_waited_for(stage: &Stage) {
    talked(stage, &web("ana"), 0).await;
    applied(stage).await;
    if stage.database.kind == Kind::Sqlite {
        // One writer at a time: numbers are committed in the order in which they are given.
        return;
    }
    let raw = stage.database.raw().await;
    let mut late = raw.begin().await.unwrap();
    let insert = "insert into index_changes (customer_id, unit, unit_id, changed_at) \
                  select customer_id, 'exchange', message_id, 0 from exchanges";
    sqlx::query(insert).execute(&mut *late).await.unwrap();
    talked(stage, &web("bob"), 20).await;
    let read = std::sync::atomic::AtomicBool::new(false);
    let reading = async {
        let changes = stage.store.index_changes("edge-1", 10).await.unwrap();
        read.store(true, Ordering::SeqCst);
        changes
    };
    let committing = async {
        let waiting = "select count(*) from pg_locks where relation = 'index_changes'::regclass and not granted";
        while !read.load(Ordering::SeqCst) && sqlx::query(waiting).fetch_one(&raw).await.unwrap().get::<i64, _>(0) == 0
        {
            tokio::task::yield_now().await;
        }
        late.commit().await.unwrap();
    };
    let (changes, ()) = join(reading, committing).await;
    assert_eq!(changes.len(), 2, "the late one too");
    raw.close().await;
}

pub(crate) async fn a_package_is_replaced_while_the_handoff_is_open(stage: &Stage) {
    stage.writes(&web("ana"), "Верните деньги", 0).await;
    let id = stage.hands_over(HandoffReason::Complex, 3, 10).await;
    let handoff = stage.store.handoff(id).await.unwrap().unwrap();
    let better =
        Package {
            written_by: PackageAuthor::Model, suggested_reply: "Сейчас верну".to_owned(), ..Package::default()
        };
    assert!(stage.store.attach_package(handoff.id, &handoff.package, &better).await.unwrap());
    let late = stage.store.attach_package(handoff.id, &handoff.package, &Package::default()).await;
    assert!(!late.unwrap(), "it is another one by now");
    assert_eq!(stage.store.handoff(id).await.unwrap().unwrap().package, better);
    let ann = stage.operator();
    stage.acts(ann, id, take(), 11).await;
    assert!(stage.store.attach_package(handoff.id, &better, &better).await.unwrap(), "the operator is still reading");
    stage.acts(ann, id, OperatorAction::Resolve, 12).await;
    assert!(!stage.store.attach_package(handoff.id, &better, &Package::default()).await.unwrap());
    assert_eq!(stage.store.handoff(id).await.unwrap().unwrap().package, better);
}

pub(crate) async fn a_conversation_of_the_past_is_imported_once(stage: &Stage) {
    let said = |n: i64, author: PastAuthor, text: &str| PastMessage {
        external_id: format!("7:{n}"),
        author,
        text: MessageText::new(text),
        at: at(n - 1_000_000),
    };
    let mut past = PastConversation {
        from: web("old"),
        display_name: Some("Анна".to_owned()),
        messages: vec![
            said(1, PastAuthor::Customer, "Меня зовут Анна"),
            said(2, PastAuthor::Customer, "Где мой заказ?"),
            said(3, PastAuthor::Operator, "Едет"),
            said(4, PastAuthor::Customer, "Спасибо"),
        ],
    };
    assert_eq!(stage.store.import(&past).await.unwrap(), 4);
    assert_eq!(stage.store.import(&past).await.unwrap(), 0, "known already");
    let conversation = stage.store.conversation_at(&web("old")).await.unwrap().unwrap();
    assert_eq!((conversation.ownership, conversation.opened_at), (Ownership::Resolved, at(1 - 1_000_000)));
    assert!(stage.lease(0).await.is_none(), "nobody is answered years later");
    let input = stage.store.load_episode(conversation.id).await.unwrap().unwrap();
    assert_eq!(texts(&input.messages), ["Меня зовут Анна", "Где мой заказ?", "Едет", "Спасибо"]);
    let timers = stage.figure("select count(*) from timers where kind = 'episode_end' and due_at is not null").await;
    assert_eq!(timers, 1, "it is learnt from");
    let owed = applied(stage).await;
    let [IndexChange { now: Some(Unit::Exchange(exchange, _)), .. }] = &owed[..] else { panic!("{owed:?}") };
    assert_eq!((exchange.question.as_str(), exchange.answer.as_str()), ("Меня зовут Анна\nГде мой заказ?", "Едет"));

    // What came since is another conversation of the same customer.
    past.messages.push(said(5, PastAuthor::Bot, "Рады помочь"));
    assert_eq!(stage.store.import(&past).await.unwrap(), 1);
    stage.writes(&web("old"), "Снова я", 10).await;
    let now = stage.store.conversation_at(&web("old")).await.unwrap().unwrap();
    assert_eq!((now.customer, now.ownership), (conversation.customer, Ownership::Bot));
    // Who was erased is not brought back by a history.
    stage.store.erase(conversation.customer, at(20)).await.unwrap().unwrap();
    past.messages.iter_mut().for_each(|message| message.external_id.push('x'));
    assert_eq!(stage.store.import(&past).await.unwrap(), 0);
    assert_eq!(stage.figure("select count(*) from messages").await, 0);
}
