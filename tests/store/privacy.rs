//! What a customer may demand: nothing is learnt, one thing is forgotten, everything is erased.

use std::collections::BTreeSet;

use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::channel::{
    Address, Attachment, AttachmentKind, ChannelKind, DeliveryReport, DeliveryState, InboundEvent,
};
use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::handoff::HandoffReason;
use firstline::domain::id::{ConversationId, CustomerId, EpisodeId, FactId, OperatorId};
use firstline::domain::memory::{Episode, FactKind, LedgerChange, Outcome, Stance, Statement, Trend};
use firstline::domain::text::MessageText;
use firstline::flow::ledger::{self, AmendError, Amendment};
use firstline::flow::{indexing, privacy};
use firstline::ports::desk::DeskStore;
use firstline::ports::index::{SearchIndex, Shelf};
use firstline::ports::ledger::{Entry, EpisodeCommit, Learning, Ledger, UnitId};
use firstline::ports::privacy::{Access, Privacy, Retention};
use firstline::ports::store::{Accepted, Committed, Loop};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use sqlx::Row;

use crate::support::{Kind, Stage, at, reply, take, telegram, timing, update, web, words};

/// Words that stand nowhere else.
const CANARY: &str = "канарейка по имени Ромуальд живёт на улице Синичкина";

/// A customer with something in every table.
pub(crate) async fn lived(stage: &Stage, who: &Address, now: i64) -> (ConversationId, CustomerId) {
    let mut said = update(who, &stage.message(&[]).id.to_string(), words(CANARY));
    said.attachments = vec![Attachment {
        kind: AttachmentKind::Document,
        remote: CANARY.to_owned(),
        name: Some(CANARY.to_owned()),
        mime: None,
        size: None,
        seconds: None,
        transcript: Some(MessageText::new(CANARY)),
    }];
    let accepted = stage.store.accept(&[said], None, &timing(), at(now)).await.unwrap();
    let [Accepted::New { conversation: id, .. }] = accepted[..] else { panic!("{accepted:?}") };
    assert_eq!(stage.answers(&[CANARY], now + 10).await, Committed::Yes);
    early_report(stage, who, now + 11).await;
    stage.delivers(now + 11).await;
    let customer = stage.conversation(id).await.customer;
    knows(stage, id, "address", CANARY, now + 20).await;
    learns(stage, id, CANARY, now + 21).await;
    stage.writes(who, "Дайте человека", now + 30).await;
    stage.hands_over(HandoffReason::HumanRequest, 2, now + 40).await;
    stage.delivers(now + 41).await;
    let ann = stage.operator();
    stage.acts(ann, id, take(), now + 50).await;
    stage.acts(ann, id, OperatorAction::Note(MessageText::new(CANARY)), now + 51).await;
    stage.acts(ann, id, reply(CANARY), now + 52).await;
    stage.delivers(now + 53).await;
    let access = Access { customer, who: "ann".to_owned(), what: "desk".to_owned(), at: at(now + 54) };
    stage.store.note_access(&access).await.unwrap();
    (id, customer)
}

/// The channel tells of something while a part is on its way.
async fn early_report(stage: &Stage, who: &Address, now: i64) {
    let part = stage.next_part(now).await.expect("a part is due");
    let report = DeliveryReport {
        provider_id: CANARY.to_owned(),
        dedupe_key: None,
        state: DeliveryState::Failed,
        why: Some(CANARY.to_owned()),
        unreachable: false,
        billed: None,
    };
    let report = update(who, &stage.message(&[]).id.to_string(), InboundEvent::Receipt(report));
    stage.store.accept(&[report], None, &timing(), at(now)).await.unwrap();
    stage.sent(&part, now).await;
}

/// The operator who has a conversation.
async fn holder(stage: &Stage, id: ConversationId) -> OperatorId {
    let Ownership::Human(operator) = stage.owner(id).await else { panic!("nobody has it") };
    operator
}

async fn states(stage: &Stage, id: ConversationId, key: &str, value: &str, now: i64) -> Statement {
    let source = stage.store.transcript(id, 0, 1).await.unwrap().remove(0);
    Statement {
        key: key.to_owned(),
        value: value.to_owned(),
        stance: Stance::Stated,
        kind: FactKind::Attribute,
        confidence: 0.75,
        source: source.id,
        valid_at: at(now),
        due_at: None,
    }
}

async fn knows(stage: &Stage, id: ConversationId, key: &str, value: &str, now: i64) -> FactId {
    let customer = stage.conversation(id).await.customer;
    let statement = states(stage, id, key, value, now).await;
    ledger::enter(&stage.store, &stage.ids, customer, vec![statement], at(now)).await.unwrap();
    let facts = stage.store.facts(customer).await.unwrap();
    facts.iter().find(|fact| fact.key == key && fact.value == value).expect("it holds now").id
}

async fn learns(stage: &Stage, id: ConversationId, summary: &str, now: i64) -> EpisodeId {
    let conversation = stage.conversation(id).await;
    let episode = Episode {
        id: EpisodeId::fresh(&stage.ids, at(now)),
        customer: conversation.customer,
        conversation: id,
        from_seq: 1,
        to_seq: conversation.last_seq,
        channel: ChannelKind::Web,
        summary: summary.to_owned(),
        outcome: Outcome::AnsweredByBot,
        mood: "спокойна".to_owned(),
        trend: Trend::Worse,
        started_at: at(0),
        ended_at: at(now),
    };
    let number = stage.store.ledger(conversation.customer).await.unwrap().number;
    let entry =
        Entry { customer: conversation.customer, number, statements: Vec::new(), change: LedgerChange::default() };
    let key = episode.id;
    let commit = EpisodeCommit { episode, entry };
    assert_eq!(stage.store.commit_episode(&commit, at(now)).await.unwrap(), Learning::Stored);
    key
}

/// Tables in which something of a customer may stand, by their columns.
async fn tables(stage: &Stage) -> BTreeSet<String> {
    let sql = match stage.database.kind {
        Kind::Sqlite => {
            "select distinct cast(m.name as text) as name from sqlite_master m join pragma_table_info(m.name) c \
             where m.type = 'table' and c.name in ('customer_id', 'conversation_id', 'message_id', 'address_id', 'external')"
        }
        Kind::Postgres => {
            "select distinct cast(table_name as text) as name from information_schema.columns \
             where table_schema = current_schema() \
             and column_name in ('customer_id', 'conversation_id', 'message_id', 'address_id', 'external')"
        }
    };
    let raw = stage.database.raw().await;
    let rows = sqlx::query(sql).fetch_all(&raw).await.unwrap();
    raw.close().await;
    rows.iter().map(|row| row.get::<String, _>("name")).filter(|name| name != "erased").collect()
}

pub(crate) async fn an_export_holds_every_table(stage: &Stage) {
    let (_, ana) = lived(stage, &web("ana"), 0).await;
    let export = stage.store.export(ana).await.unwrap().unwrap();
    let held: BTreeSet<String> = export.as_object().unwrap().keys().cloned().collect();
    let mut expected = tables(stage).await;
    expected.extend(["customers", "merges"].map(str::to_owned));
    assert_eq!(held, expected, "a table that knows customers is exported and erased");
    let count = |table: &str| export[table].as_array().unwrap().len();
    assert_eq!((count("customers"), count("conversations"), count("facts"), count("episodes")), (1, 1, 1, 1));
    assert_eq!(count("messages"), 6);
    assert_eq!(export["messages"][0]["text"], CANARY);
    assert_eq!(export["messages"][0]["received_at"], at(0).to_string());
    assert_eq!(export["handoffs"][0]["package"]["mood"], "calm", "documents are told as what they are");
    assert!(!export.to_string().contains("token_hash"));
    assert_eq!(export["accesses"][0]["at"], at(54).to_string());
    let nobody = CustomerId::fresh(&stage.ids, at(0));
    assert!(stage.store.export(nobody).await.unwrap().is_none());
}

pub(crate) async fn who_is_erased_is_gone(stage: &Stage) {
    let (id, ana) = lived(stage, &telegram("7001234567890"), 0).await;
    let (at_bob, bob) = lived(stage, &telegram("7009876543210"), 100).await;
    let before = stage.store.export(bob).await.unwrap();
    let erased = stage.store.erase(ana, at(200)).await.unwrap().unwrap();
    assert!(erased.rows > 15, "{erased:?}");
    assert_eq!(stage.store.erase(ana, at(201)).await.unwrap(), Some(erased.clone()), "asked twice, told the same");
    assert!(stage.store.export(ana).await.unwrap().is_none());
    assert!(stage.store.conversation(id).await.unwrap().is_none());
    assert_eq!(stage.store.facts(ana).await.unwrap(), []);
    assert_eq!(stage.store.export(bob).await.unwrap(), before, "nobody else lost anything");
    assert_eq!(stage.owner(at_bob).await, stage.owner(at_bob).await);
    assert_eq!(stage.store.erase(CustomerId::fresh(&stage.ids, at(0)), at(202)).await.unwrap(), None);
    // Every index hears of it, and of nothing else of hers.
    let owed = stage.store.index_changes("edge-1", 100).await.unwrap();
    let hers: Vec<_> = owed.iter().filter(|change| change.customer == ana).collect();
    assert_eq!(hers.len(), 1);
    assert_eq!((hers[0].unit, &hers[0].now, hers[0].number), (UnitId::Customer(ana), &None, erased.change));
}

pub(crate) async fn nothing_of_the_erased_stays_in_the_files(stage: &Stage) {
    if stage.database.kind != Kind::Sqlite {
        return;
    }
    let here = stage.database.sqlite_file().parent().unwrap().to_owned();
    let files = || {
        let files = std::fs::read_dir(&here).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.collect::<Vec<_>>()
    };
    let found = |text: &str| files().iter().any(|file| file.windows(text.len()).any(|bytes| bytes == text.as_bytes()));
    let (id, ana) = lived(stage, &telegram("7001234567890"), 0).await;
    for n in 0..40 {
        // Overwritten and deleted on the way: pages that are free by now.
        let value = format!("{CANARY} {n} {}", "длинно ".repeat(60));
        let fact = knows(stage, id, "address", &value, 60 + n).await;
        if n % 2 == 0 {
            privacy::forget(&stage.store, &stage.ids, ana, fact, at(61 + n)).await.unwrap().unwrap();
        }
    }
    assert!(found(CANARY) && found("7001234567890"));
    stage.store.erase(ana, at(200)).await.unwrap().unwrap();
    for text in [CANARY, "Ромуальд", "7001234567890"] {
        assert!(!found(text), "{text} is still in a file");
    }
}

pub(crate) async fn the_erased_do_not_come_back(stage: &Stage) {
    let ana = telegram("7001234567890");
    let mut first = update(&ana, "1", words("Я Анна"));
    first.sent_at = Some(at(0));
    let accept = async |inbound, now| stage.store.accept(&[inbound], None, &timing(), at(now)).await.unwrap().remove(0);
    let Accepted::New { conversation, .. } = accept(first.clone(), 1).await else { panic!("it is new") };
    let customer = stage.conversation(conversation).await.customer;
    let lease = stage.lease(5).await.unwrap();
    let input = stage.load(&lease).await;
    stage.store.erase(customer, at(10)).await.unwrap().unwrap();

    assert!(matches!(accept(first.clone(), 11).await, Accepted::Duplicate { .. }), "delivered once more");
    first.external_id = "2".to_owned();
    assert_eq!(accept(first.clone(), 12).await, Accepted::Noted, "written before, delivered late");
    let commit = stage.turn(&input, Some(stage.message(&["Здравствуйте, Анна"])));
    assert_ne!(stage.store.commit_turn(&lease, &commit, at(13)).await.unwrap(), Committed::Yes);
    for table in ["select count(*) from customers", "select count(*) from messages", "select count(*) from outbox"] {
        assert_eq!(stage.figure(table).await, 0, "{table}");
    }
    // Who writes again is somebody new.
    first.external_id = "3".to_owned();
    first.sent_at = Some(at(20));
    let Accepted::New { conversation, .. } = accept(first, 21).await else { panic!("it is new") };
    assert_ne!(stage.conversation(conversation).await.customer, customer);
}

pub(crate) async fn what_is_forgotten_is_not_learnt_again(stage: &Stage) {
    let (id, ana) = lived(stage, &web("ana"), 0).await;
    let omsk = knows(stage, id, "city", "Омск", 60).await;
    let tomsk = knows(stage, id, "city", "Томск", 61).await;
    learns(stage, id, "Клиентка из томска спросила о доставке", 62).await;
    let index = index(stage).await;
    fills(stage, &index).await;
    let before = index.count(Shelf::Memory).await.unwrap();
    let forgotten = privacy::forget(&stage.store, &stage.ids, ana, tomsk, at(70)).await.unwrap().unwrap();
    assert_eq!(forgotten.value, "Томск");
    let values = async || stage.store.facts(ana).await.unwrap().into_iter().map(|fact| fact.value).collect::<Vec<_>>();
    assert_eq!(values().await, [CANARY], "what it had replaced does not come back");
    assert_eq!(stage.store.facts_at(ana, at(60), at(99)).await.unwrap().len(), 2, "and was so before");
    let summaries: Vec<String> =
        stage.store.episodes(ana, 9).await.unwrap().into_iter().map(|episode| episode.summary).collect();
    assert!(summaries.iter().any(|summary| summary == "Клиентка из …а спросила о доставке"), "{summaries:?}");
    fills(stage, &index).await;
    assert!(index.count(Shelf::Memory).await.unwrap() < before, "the exchange is recalled no more");
    // Said before: never again. Said anew: the customer may.
    let again = states(stage, id, "city", "томске", 65).await;
    ledger::enter(&stage.store, &stage.ids, ana, vec![again], at(71)).await.unwrap();
    assert_eq!(values().await, [CANARY]);
    let anew = states(stage, id, "city", "Томск", 80).await;
    ledger::enter(&stage.store, &stage.ids, ana, vec![anew], at(81)).await.unwrap();
    assert_eq!(values().await, [CANARY, "Томск"]);
    let gone = privacy::forget(&stage.store, &stage.ids, ana, tomsk, at(90)).await.unwrap();
    assert_eq!(gone, None);
    assert!(
        privacy::forget(&stage.store, &stage.ids, CustomerId::fresh(&stage.ids, at(0)), omsk, at(90))
            .await
            .unwrap()
            .is_none()
    );
}

async fn index(stage: &Stage) -> EdgeIndex {
    let dir = tempfile::tempdir().unwrap().keep();
    let _ = stage;
    EdgeIndex::open(&dir, None).await.unwrap().0
}

/// Brings an index in line with the store.
async fn fills(stage: &Stage, index: &EdgeIndex) {
    while indexing::tick(&stage.store, index, None, &TimeZone::UTC).await.unwrap() > 0 {}
}

pub(crate) async fn an_erased_customer_leaves_the_index(stage: &Stage) {
    let (_, ana) = lived(stage, &web("ana"), 0).await;
    let (_, bob) = lived(stage, &web("bob"), 100).await;
    let index = index(stage).await;
    fills(stage, &index).await;
    let all = index.count(Shelf::Memory).await.unwrap();
    stage.store.erase(ana, at(200)).await.unwrap().unwrap();
    fills(stage, &index).await;
    assert_eq!(index.count(Shelf::Memory).await.unwrap() * 2, all);
    let found = async |who| indexing::search_memory(&index, None, who, CANARY, at(300), 10).await.unwrap().len();
    assert_eq!((found(ana).await, found(bob).await > 0), (0, true));
    // An index that reads everything from the beginning hears of it as well.
    stage.store.reindex_all(index.name()).await.unwrap();
    fills(stage, &index).await;
    assert_eq!(index.count(Shelf::Memory).await.unwrap() * 2, all);
}

pub(crate) async fn with_memory_off_nothing_is_learnt_or_recalled(stage: &Stage) {
    let (id, ana) = lived(stage, &web("ana"), 0).await;
    let index = index(stage).await;
    fills(stage, &index).await;
    let before = index.count(Shelf::Memory).await.unwrap();
    assert!(before > 0 && stage.store.customer(ana).await.unwrap().unwrap().remembered);

    assert!(stage.store.set_memory(ana, false, at(60)).await.unwrap());
    assert!(stage.store.set_memory(ana, false, at(61)).await.unwrap(), "twice is once");
    fills(stage, &index).await;
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 0);
    assert!(!stage.store.customer(ana).await.unwrap().unwrap().remembered);
    stage.acts(holder(stage, id).await, id, OperatorAction::Release, 62).await;
    stage.writes(&web("ana"), "Меня зовут Анна", 63).await;
    assert_eq!(stage.answers(&["Здравствуйте"], 70).await, Committed::Yes, "the bot still answers");
    assert!(stage.store.load_episode(id).await.unwrap().is_none());

    assert!(stage.store.set_memory(ana, true, at(80)).await.unwrap());
    assert!(stage.store.load_episode(id).await.unwrap().is_none(), "what was said meanwhile is never learnt");
    fills(stage, &index).await;
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), before, "nor recalled");
    stage.writes(&web("ana"), "Я из Казани", 90).await;
    let input = stage.store.load_episode(id).await.unwrap().unwrap();
    assert_eq!(input.messages.len(), 1);
    assert!(!stage.store.set_memory(CustomerId::fresh(&stage.ids, at(0)), false, at(99)).await.unwrap());
}

pub(crate) async fn looks_are_noted(stage: &Stage) {
    let (_, ana) = lived(stage, &web("ana"), 0).await;
    let look = async |who: &str, what: &str, now| {
        let access = Access { customer: ana, who: who.to_owned(), what: what.to_owned(), at: at(now) };
        stage.store.note_access(&access).await.unwrap();
    };
    look("bob", "desk", 100).await;
    look("bob", "desk", 3000).await;
    look("bob", "export", 3001).await;
    look("bob", "desk", 3701).await;
    let noted = stage.store.accesses(ana, 10).await.unwrap();
    let noted: Vec<_> = noted.iter().map(|access| (access.who.as_str(), access.what.as_str(), access.at)).collect();
    let expected =
        [("bob", "desk", at(3701)), ("bob", "export", at(3001)), ("bob", "desk", at(100)), ("ann", "desk", at(54))];
    assert_eq!(noted, expected);
    assert_eq!(stage.store.accesses(ana, 1).await.unwrap().len(), 1);
}

pub(crate) async fn what_is_too_old_is_let_go(stage: &Stage) {
    let (id, ana) = lived(stage, &web("ana"), 0).await;
    knows(stage, id, "city", "Омск", 60).await;
    let claim =
        Statement { kind: FactKind::Claim, ..states(stage, id, "claim", "обещали скидку", 60).await };
    ledger::enter(&stage.store, &stage.ids, ana, vec![claim], at(60)).await.unwrap();
    let day = SignedDuration::from_hours(24);
    let all = Retention { transcripts: Some(day), episodes: Some(day), facts: vec![(FactKind::Claim, day)] };
    let soon = stage.store.expire(&all, at(100)).await.unwrap();
    assert_eq!((soon.messages, soon.episodes, soon.facts), (0, 0, 0), "nothing is old yet");
    let later = 100 + 3 * 24 * 3600;
    let open = stage.store.expire(&all, at(later)).await.unwrap();
    assert_eq!((open.messages, open.episodes, open.facts), (0, 0, 1), "a conversation that goes on is kept");
    stage.acts(holder(stage, id).await, id, OperatorAction::Resolve, 101).await;
    let gone = stage.store.expire(&all, at(later)).await.unwrap();
    assert_eq!((gone.messages, gone.episodes, gone.facts), (6, 1, 0));
    assert_eq!(stage.store.expire(&all, at(later)).await.unwrap().messages, 0, "once");
    let transcript = stage.store.transcript(id, 0, 10).await.unwrap();
    assert!(transcript.len() == 6 && transcript.iter().all(|message| message.text.as_str().is_empty()));
    let facts: Vec<String> = stage.store.facts(ana).await.unwrap().into_iter().map(|fact| fact.value).collect();
    assert_eq!(facts, [CANARY, "Омск"], "facts of other kinds stay, and name their source");
    let index = index(stage).await;
    fills(stage, &index).await;
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 2);
    knows(stage, id, "city", "Томск", later).await;
}

pub(crate) async fn an_operator_amends_a_fact(stage: &Stage) {
    let (id, ana) = lived(stage, &web("ana"), 0).await;
    let city = knows(stage, id, "city", "Омск", 60).await;
    let ann = stage.operator();
    let amend = async |fact, amendment: Amendment, now| {
        ledger::amend(&stage.store, &stage.ids, ann, (ana, fact), &amendment, at(now)).await
    };
    let changed = amend(city, Amendment::Value("Томск".to_owned()), 70).await.unwrap();
    let new = changed.learnt.iter().find(|fact| fact.holds()).unwrap().clone();
    assert_eq!((new.value.as_str(), new.valid_at), ("Томск", at(70)));
    let note = stage.store.transcript(id, 0, 20).await.unwrap().pop().unwrap();
    assert_eq!((note.id, note.text.as_str()), (new.source, "city: Омск → Томск"), "colleagues see who said so");
    assert_eq!(
        stage.store.facts_at(ana, at(65), at(99)).await.unwrap().iter().filter(|it| it.value == "Омск").count(),
        1
    );
    assert!(matches!(amend(city, Amendment::Ended, 71).await, Err(AmendError::NotFound)), "it is another version now");
    assert!(matches!(amend(new.id, Amendment::Value("12".to_owned()), 72).await, Err(AmendError::Value(_))));
    amend(new.id, Amendment::Never, 73).await.unwrap();
    let holds: Vec<String> = stage.store.facts(ana).await.unwrap().into_iter().map(|fact| fact.value).collect();
    assert_eq!(holds, [CANARY], "it never was so, and what it replaced has ended");
    let address = stage.store.facts(ana).await.unwrap()[0].id;
    amend(address, Amendment::Ended, 80).await.unwrap();
    assert_eq!(stage.store.facts(ana).await.unwrap(), []);
}

pub(crate) async fn a_promise_brings_a_resolved_conversation_back(stage: &Stage) {
    let (id, _) = lived(stage, &web("ana"), 0).await;
    stage.acts(holder(stage, id).await, id, OperatorAction::Resolve, 60).await;
    let mut commit = stage.handoff_commit(id, None, 70).await;
    assert!(!stage.store.commit_handoff(&commit, at(70)).await.unwrap(), "it is over");
    commit.handoff.reason = HandoffReason::PromiseDue;
    assert!(stage.store.commit_handoff(&commit, at(71)).await.unwrap());
    assert_eq!(stage.owner(id).await, Ownership::Queued);
    stage.acts(stage.operator(), id, OperatorAction::Resolve, 80).await;
    stage.writes(&web("ana"), "Ещё вопрос", 90).await;
    let mut late = stage.handoff_commit(id, None, 91).await;
    late.handoff.reason = HandoffReason::PromiseDue;
    assert!(!stage.store.commit_handoff(&late, at(91)).await.unwrap(), "another conversation goes on at that address");
}
