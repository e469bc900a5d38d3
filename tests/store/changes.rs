//! What customers change about what they have said, and what happens in the messenger without us.

use firstline::domain::channel::{Address, Attachment, AttachmentKind, Inbound, InboundEvent, Press, SharedContact};
use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::handoff::{HandoffReason, HandoffState};
use firstline::domain::id::{ConversationId, EpisodeId, MessageId, OperatorId};
use firstline::domain::memory::{Episode, FactKind, LedgerChange, Outcome, Stance, Statement, Trend};
use firstline::domain::message::{AttachmentState, Author};
use firstline::domain::text::MessageText;
use firstline::flow::ledger;
use firstline::ports::desk::{DeskStore, Mark};
use firstline::ports::ledger::{Entry, EpisodeCommit, Learning, Ledger, Unit, UnitId};
use firstline::ports::store::{Accepted, Committed, Loop, TAKEN_BACK, TimerKind};

use crate::support::{Stage, at, take, telegram, texts, timing, update, words};

pub(crate) fn ana() -> Address {
    telegram("7001234567890")
}

pub(crate) async fn accepts(stage: &Stage, update: Inbound, now: i64) -> Accepted {
    stage.store.accept(&[update], None, &timing(), at(now)).await.unwrap().remove(0)
}

/// A message that the channel calls `id`.
pub(crate) async fn says(stage: &Stage, id: &str, text: &str, now: i64) -> (ConversationId, MessageId, i64) {
    let mut said = update(&ana(), &format!("said {id}"), words(text));
    said.message_id = Some(id.to_owned());
    let accepted = accepts(stage, said, now).await;
    let Accepted::New { conversation, message, seq } = accepted else { panic!("{accepted:?}") };
    (conversation, message, seq)
}

pub(crate) fn edit(id: &str, text: &str, now: i64) -> Inbound {
    let event = InboundEvent::Edited { message_id: id.to_owned(), text: MessageText::new(text) };
    update(&ana(), &format!("edited {id} {now}"), event)
}

pub(crate) fn delete(ids: &[&str], now: i64) -> Inbound {
    let event = InboundEvent::Deleted { message_ids: ids.iter().map(|id| (*id).to_owned()).collect() };
    update(&ana(), &format!("deleted {} {now}", ids.join(" ")), event)
}

async fn shown(stage: &Stage, id: ConversationId) -> Vec<String> {
    let all = stage.store.transcript(id, 0, 100).await.unwrap();
    texts(&all).into_iter().map(str::to_owned).collect()
}

async fn mark(stage: &Stage, id: ConversationId, seq: i64) -> Option<Mark> {
    stage.store.marks(id, 0).await.unwrap().into_iter().find(|mark| mark.seq == seq)
}

/// Does what the timer of the ledger asks for.
async fn in_line(stage: &Stage, id: ConversationId, now: i64) {
    let conversation = stage.conversation(id).await;
    ledger::bring_in_line(&stage.store, &stage.ids, &conversation, at(now)).await.unwrap();
}

async fn learns(stage: &Stage, id: ConversationId, source: MessageId, order: &str, now: i64) -> Learning {
    let conversation = stage.conversation(id).await;
    let customer = conversation.customer;
    let statement = Statement {
        key: "order_number".to_owned(),
        value: order.to_owned(),
        stance: Stance::Stated,
        kind: FactKind::Attribute,
        confidence: 0.9,
        source,
        valid_at: at(now),
        due_at: None,
    };
    ledger::enter(&stage.store, &stage.ids, customer, vec![statement], at(now)).await.unwrap();
    let number = stage.store.ledger(customer).await.unwrap().number;
    let episode = Episode {
        id: EpisodeId::fresh(&stage.ids, at(now)),
        customer,
        conversation: id,
        from_seq: 1,
        to_seq: conversation.last_seq,
        channel: conversation.address.channel,
        summary: format!("Спросила о заказе {order}"),
        outcome: Outcome::AnsweredByBot,
        mood: "спокойна".to_owned(),
        trend: Trend::Same,
        started_at: at(0),
        ended_at: at(now),
    };
    let entry = Entry { customer, number, statements: Vec::new(), change: LedgerChange::default() };
    stage.store.commit_episode(&EpisodeCommit { episode, entry }, at(now)).await.unwrap()
}

async fn values(stage: &Stage, id: ConversationId) -> Vec<String> {
    let customer = stage.conversation(id).await.customer;
    stage.store.facts(customer).await.unwrap().into_iter().map(|fact| fact.value).collect()
}

pub(crate) async fn a_message_is_known_by_the_channels_id(stage: &Stage) {
    let (id, message, _) = says(stage, "m1", "Где заказ?", 0).await;
    let mut again = update(&ana(), "another update of it", words("Где заказ?"));
    again.message_id = Some("m1".to_owned());
    let seen = Accepted::Duplicate { message: Some(message), conversation: Some(id), seq: 1 };
    assert_eq!(accepts(stage, again.clone(), 1).await, seen);
    assert_eq!(accepts(stage, again.clone(), 2).await, seen);
    // The same id of somebody else is another message; a tap tells of the message under which the button is.
    again.from = telegram("bob");
    again.external_id = "of bob".to_owned();
    assert!(matches!(accepts(stage, again, 3).await, Accepted::New { .. }));
    for n in 0..2 {
        let press = Press { payload: "yes".to_owned(), title: Some("Да".to_owned()), acknowledge: None };
        let mut tap = update(&ana(), &format!("tap {n}"), InboundEvent::Pressed(press));
        tap.message_id = Some("m1".to_owned());
        assert!(matches!(accepts(stage, tap, 4).await, Accepted::New { .. }));
    }
    assert_eq!(shown(stage, id).await, ["Где заказ?", "Да", "Да"]);
}

pub(crate) async fn files_are_kept_with_their_message(stage: &Stage) {
    let file = |name: &str, size| Attachment {
        kind: AttachmentKind::Document,
        remote: format!("file id of {name}"),
        name: Some(name.to_owned()),
        mime: None,
        size,
        seconds: None,
        transcript: None,
    };
    let voice = Attachment {
        kind: AttachmentKind::Voice,
        seconds: Some(7),
        transcript: Some(MessageText::new("Где мой заказ")),
        ..file("voice", None)
    };
    let mut said = update(&ana(), "1", InboundEvent::Unsupported("document".to_owned()));
    said.attachments = vec![file("чек.pdf", Some(12_345)), voice.clone()];
    said.message_id = Some("m1".to_owned());
    let Accepted::New { conversation, message, .. } = accepts(stage, said, 0).await else { panic!("it is new") };
    let kept = stage.store.attachments(conversation, 0).await.unwrap();
    assert_eq!(kept.iter().map(|one| one.message).collect::<Vec<_>>(), [message, message]);
    assert_eq!((&kept[0].file, kept[0].state), (&file("чек.pdf", Some(12_345)), AttachmentState::Remote));
    assert_eq!(kept[1].file, voice);
    assert_eq!(stage.store.attachments(conversation, 1).await.unwrap(), []);
    // Taken back with the message: nothing can be fetched or read any more.
    accepts(stage, delete(&["m1"], 1), 1).await;
    let kept = stage.store.attachments(conversation, 0).await.unwrap();
    assert!(kept.iter().all(|one| one.state == AttachmentState::Gone && one.file.remote.is_empty()));
    assert!(kept.iter().all(|one| one.file.name.is_none() && one.file.transcript.is_none()));
}

pub(crate) async fn what_nobody_has_answered_is_said_in_the_new_words(stage: &Stage) {
    let (id, _, _) = says(stage, "m1", "Где заказ М-111111?", 0).await;
    let lease = stage.lease(10).await.unwrap();
    let input = stage.load(&lease).await;
    assert!(stage.store.save_turn(&lease, &stage.draft(&input), at(11)).await.unwrap());
    assert_eq!(accepts(stage, edit("m1", " Где  заказ М-111111? ", 11), 11).await, Accepted::Noted, "white space");
    assert!(stage.store.renew_lease(&lease, at(40)).await.unwrap());

    let changed = Accepted::Changed { conversation: id };
    assert_eq!(accepts(stage, edit("m1", "Где заказ М-222222?", 12), 12).await, changed);
    // The turn that has read the old words is over, with its draft.
    assert!(!stage.store.renew_lease(&lease, at(40)).await.unwrap());
    let commit = stage.turn(&input, Some(stage.message(&["Заказ М-111111 в пути"])));
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(13)).await.unwrap(), Committed::Fenced);
    assert_eq!(stage.lease(7).await, None, "a quiet window, which is over for the first words");
    let lease = stage.lease(13).await.unwrap();
    let input = stage.load(&lease).await;
    assert_eq!((texts(&input.unread), input.saved), (vec!["Где заказ М-222222?"], None));
    assert_eq!(mark(stage, id, 1).await.map(|mark| mark.edited), Some(true));
    let deadline = stage.store.claim_timer(&stage.claim(), at(90)).await.unwrap().unwrap();
    assert_eq!((deadline.kind, deadline.due_at), (TimerKind::ReplyDeadline, at(90)), "it can't be put off");
}

pub(crate) async fn what_was_answered_is_said_anew(stage: &Stage) {
    let (id, _, _) = says(stage, "m1", "Где заказ М-111111?", 0).await;
    stage.answers(&["Такого заказа нет"], 10).await;
    stage.delivers(11).await;
    let accepted = accepts(stage, edit("m1", "Где заказ М-222222?", 20), 20).await;
    let Accepted::New { conversation, message, seq: 3 } = accepted else { panic!("{accepted:?}") };
    assert_eq!(conversation, id);
    assert_eq!(shown(stage, id).await, ["Где заказ М-111111?", "Такого заказа нет", "Где заказ М-222222?"]);
    let replaced = mark(stage, id, 1).await.unwrap();
    assert_eq!((replaced.edited, replaced.replaced_by), (false, Some(message)));
    // The bot looks again, and what it sees is what the customer says now.
    let lease = stage.lease(30).await.unwrap();
    let input = stage.load(&lease).await;
    assert_eq!((texts(&input.unread), texts(&input.window)), (vec!["Где заказ М-222222?"], vec!["Такого заказа нет"]));
    // Changed again before that: one message.
    accepts(stage, edit("m1", "Где заказ М-333333?", 31), 31).await;
    assert_eq!(shown(stage, id).await[2..], ["Где заказ М-333333?"]);
    stage.answers(&["В пути"], 40).await;
    // Only the newest words are learnt from.
    let learnt = stage.store.load_episode(id).await.unwrap().unwrap();
    assert_eq!(texts(&learnt.messages), ["Такого заказа нет", "Где заказ М-333333?", "В пути"]);
    // Taken back: with all that it ever said.
    assert_eq!(accepts(stage, delete(&["m1"], 50), 50).await, Accepted::Changed { conversation: id });
    assert_eq!(shown(stage, id).await, ["", "Такого заказа нет", "", "В пути"]);
    assert!(mark(stage, id, 1).await.unwrap().deleted);
}

pub(crate) async fn an_edit_of_what_we_never_got_is_a_message(stage: &Stage) {
    let accepted = accepts(stage, edit("m0", "Где заказ?", 0), 0).await;
    let Accepted::New { conversation, message, .. } = accepted else { panic!("{accepted:?}") };
    // The first words come late: they are known.
    let mut late = update(&ana(), "late", words("Где закз?"));
    late.message_id = Some("m0".to_owned());
    let seen = Accepted::Duplicate { message: Some(message), conversation: Some(conversation), seq: 1 };
    assert_eq!(accepts(stage, late, 1).await, seen);
    assert_eq!(shown(stage, conversation).await, ["Где заказ?"]);
}

pub(crate) async fn people_see_a_correction_below(stage: &Stage) {
    let (id, _, _) = says(stage, "m1", "Позовите человека, заказ М-111111", 0).await;
    stage.hands_over(HandoffReason::HumanRequest, 2, 10).await;
    let ann = stage.operator();
    stage.acts(ann, id, take(), 20).await;
    assert!(matches!(accepts(stage, edit("m1", "Заказ М-222222", 30), 30).await, Accepted::New { seq: 3, .. }));
    assert_eq!(stage.owner(id).await, Ownership::Human(ann));
    assert_eq!(stage.lease(100).await, None, "the bot is silent");
    // In another conversation, where this one is over.
    stage.acts(ann, id, OperatorAction::Resolve, 40).await;
    let accepted = accepts(stage, edit("m1", "Заказ М-333333", 50), 50).await;
    assert!(matches!(accepted, Accepted::New { conversation, seq: 1, .. } if conversation != id), "{accepted:?}");
}

pub(crate) async fn what_is_taken_back_is_not_answered(stage: &Stage) {
    let (id, _, _) = says(stage, "m1", "Раз", 0).await;
    says(stage, "m2", "Два", 1).await;
    says(stage, "m3", "Три", 2).await;
    let lease = stage.lease(10).await.unwrap();
    let input = stage.load(&lease).await;
    let changed = Accepted::Changed { conversation: id };
    assert_eq!(accepts(stage, delete(&["m3", "m2", "unknown"], 11), 11).await, changed);
    let commit = stage.turn(&input, Some(stage.message(&["Раз, два, три"])));
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(12)).await.unwrap(), Committed::Fenced);
    let lease = stage.lease(20).await.unwrap();
    let input = stage.load(&lease).await;
    assert_eq!(texts(&input.unread), ["Раз"]);
    // The rest goes as well, while the bot thinks.
    assert_eq!(accepts(stage, delete(&["m1"], 21), 21).await, changed);
    let commit = stage.turn(&input, Some(stage.message(&["Раз"])));
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(22)).await.unwrap(), Committed::Fenced);
    assert_eq!(stage.lease(1_000).await, None, "there is nothing to answer");
    let turn = stage.store.last_turn(id).await.unwrap().unwrap();
    assert_eq!((turn.decision.as_str(), turn.reason.as_deref()), ("ignore", Some(TAKEN_BACK)));
    assert_eq!((turn.from_seq, turn.to_seq), (1, 3));
    assert_eq!(stage.store.depth().await.unwrap().unanswered, 0);
    let timers = timers(stage, 90).await;
    assert!(!timers.contains(&TimerKind::ReplyDeadline), "{timers:?}");
    assert_eq!(accepts(stage, delete(&["m1"], 23), 23).await, changed, "once more is nothing new");
    // An operator takes it and gives it back: still nothing is owed.
    let ann = stage.operator();
    stage.acts(ann, id, take(), 100).await;
    stage.acts(ann, id, OperatorAction::Release, 110).await;
    assert_eq!(stage.lease(1_000).await, None);
    // And what is written then is answered.
    says(stage, "m4", "Четыре", 200).await;
    let lease = stage.lease(210).await.unwrap();
    assert_eq!(texts(&stage.load(&lease).await.unread), ["Четыре"]);
}

/// The kinds of the timers that are due.
async fn timers(stage: &Stage, now: i64) -> Vec<TimerKind> {
    let mut kinds = Vec::new();
    while let Some(timer) = stage.store.claim_timer(&stage.claim(), at(now)).await.unwrap() {
        stage.store.finish_timer(&timer).await.unwrap();
        kinds.push(timer.kind);
    }
    kinds
}

pub(crate) async fn what_is_taken_back_is_forgotten(stage: &Stage) {
    let (id, message, _) = says(stage, "m1", "Где заказ М-111111?", 0).await;
    stage.answers(&["В пути"], 10).await;
    stage.delivers(11).await;
    let (_, other, _) = says(stage, "m2", "И заказ М-222222?", 20).await;
    stage.answers(&["Тоже"], 30).await;
    stage.delivers(31).await;
    assert_eq!(learns(stage, id, message, "111111", 40).await, Learning::Stored);
    let customer = stage.conversation(id).await.customer;
    ledger::enter(&stage.store, &stage.ids, customer, vec![order(other, "222222")], at(41)).await.unwrap();
    assert_eq!(values(stage, id).await, ["222222", "111111"]);
    let ledger_read = stage.store.ledger(customer).await.unwrap().number;

    accepts(stage, delete(&["m1"], 50), 50).await;
    assert!(timers(stage, 50).await.contains(&TimerKind::Ledger));
    // Who had read the ledger before comes too late.
    let stale = Entry {
        customer,
        number: ledger_read,
        statements: vec![order(message, "111111")],
        change: LedgerChange::default(),
    };
    assert!(!stage.store.commit_entry(&stale, at(51)).await.unwrap());
    let number = stage.store.ledger(customer).await.unwrap().number;
    assert!(!stage.store.commit_entry(&Entry { number, ..stale }, at(51)).await.unwrap(), "nobody says so any more");

    in_line(stage, id, 52).await;
    assert_eq!(values(stage, id).await, ["222222"]);
    assert_eq!(stage.store.facts_at(customer, at(45), at(45)).await.unwrap().len(), 1, "in no version");
    in_line(stage, id, 53).await;
    assert_eq!(stage.store.episodes(customer, 9).await.unwrap(), [], "the summary told of it");
    let learnt = stage.store.load_episode(id).await.unwrap().unwrap();
    assert_eq!(texts(&learnt.messages), ["В пути", "И заказ М-222222?", "Тоже"], "the rest is learnt anew");
    let units = stage.store.units(customer).await.unwrap();
    let units = stage.store.remembered(customer, &units).await.unwrap();
    assert!(units.iter().any(|unit| matches!(unit, Unit::Exchange(one, _) if one.message == other)));
    assert!(units.iter().all(|unit| !format!("{unit:?}").contains("111111")), "{units:?}");
}

fn order(source: MessageId, value: &str) -> Statement {
    Statement {
        key: "order_number".to_owned(),
        value: value.to_owned(),
        stance: Stance::Stated,
        kind: FactKind::Attribute,
        confidence: 0.9,
        source,
        valid_at: at(0),
        due_at: None,
    }
}

pub(crate) async fn a_correction_takes_the_place_of_what_was_learnt(stage: &Stage) {
    let (id, message, _) = says(stage, "m1", "Где заказ М-111111?", 0).await;
    stage.answers(&["Такого нет"], 10).await;
    stage.delivers(11).await;
    assert_eq!(learns(stage, id, message, "111111", 20).await, Learning::Stored);
    accepts(stage, edit("m1", "Где заказ М-222222?", 30), 30).await;
    in_line(stage, id, 31).await;
    assert_eq!(values(stage, id).await, Vec::<String>::new());
    let learnt = stage.store.load_episode(id).await.unwrap().unwrap();
    assert_eq!(texts(&learnt.messages), ["Где заказ М-222222?"]);
    let customer = stage.conversation(id).await.customer;
    let found = stage.store.remembered(customer, &[UnitId::Exchange(message)]).await.unwrap();
    assert_eq!(found, [], "nor are they recalled");
}

pub(crate) async fn an_exchange_keeps_what_is_left_of_it(stage: &Stage) {
    let (id, _, _) = says(stage, "m1", "Секрет", 0).await;
    says(stage, "m2", "Вопрос", 1).await;
    stage.answers(&["Ответ"], 10).await;
    stage.delivers(11).await;
    let customer = stage.conversation(id).await.customer;
    accepts(stage, delete(&["m1"], 20), 20).await;
    let units = stage.store.units(customer).await.unwrap();
    let found = stage.store.remembered(customer, &units).await.unwrap();
    let [Unit::Exchange(one, _)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((one.question.as_str(), one.answer.as_str()), ("Вопрос", "Ответ"));
    let owed = stage.store.index_changes("edge", 100).await.unwrap();
    assert!(owed.iter().any(|change| change.now == Some(found[0].clone())), "the index hears of it");
    accepts(stage, delete(&["m2"], 30), 30).await;
    assert_eq!(stage.store.units(customer).await.unwrap(), []);
}

pub(crate) async fn who_writes_in_the_messenger_has_the_chat(stage: &Stage) {
    let (id, _, _) = says(stage, "m1", "Где заказ?", 0).await;
    stage.answers(&["В пути"], 10).await;
    let outside =
        |n: i64, text: &str| update(&ana(), &format!("echo {n}"), InboundEvent::TakenOver(MessageText::new(text)));
    let changed = Accepted::Changed { conversation: id };
    assert_eq!(accepts(stage, outside(1, "Здравствуйте, это Ольга"), 11).await, changed);
    assert_eq!(stage.owner(id).await, Ownership::Human(OperatorId::OUTSIDE));
    assert_eq!(stage.next_part(12).await, None, "what the bot has not sent is withdrawn");
    let said = stage.store.transcript(id, 2, 9).await.unwrap();
    assert_eq!((said[0].author, said[0].delivered_at), (Author::Operator(OperatorId::OUTSIDE), Some(at(11))));
    let handoff = stage.store.handoff(id).await.unwrap().unwrap();
    assert_eq!((handoff.reason, handoff.state), (HandoffReason::Taken, HandoffState::Claimed));
    says(stage, "m2", "Спасибо", 20).await;
    assert_eq!(stage.lease(100).await, None, "the bot is silent");
    // Everybody may take it from them; and then it stays theirs, whatever is written outside.
    let ann = stage.operator();
    stage.acts(ann, id, take(), 30).await;
    assert_eq!(accepts(stage, outside(2, "И ещё"), 31).await, changed);
    assert_eq!(stage.owner(id).await, Ownership::Human(ann));
    stage.acts(ann, id, OperatorAction::Resolve, 40).await;
    // Who is written to first has a conversation, which is not the bot's.
    let Accepted::Changed { conversation } = accepts(stage, outside(3, "Добрый день"), 50).await else {
        panic!("it is changed")
    };
    assert_ne!(conversation, id);
    assert_eq!(stage.owner(conversation).await, Ownership::Human(OperatorId::OUTSIDE));
    stage.acts(ann, conversation, OperatorAction::Release, 60).await;
    assert_eq!(stage.owner(conversation).await, Ownership::Bot);
}

pub(crate) async fn an_address_moves_where_nobody_is(stage: &Stage) {
    let (id, _, _) = says(stage, "m1", "Где заказ?", 0).await;
    let moved = |from: &Address, to: &str, n: i64| {
        update(from, &format!("moved {n}"), InboundEvent::Moved { to: to.to_owned() })
    };
    let accepted = accepts(stage, moved(&ana(), "700222", 1), 1).await;
    assert_eq!(accepted, Accepted::Changed { conversation: id });
    let (same, _) = stage.writes(&telegram("700222"), "Алло", 2).await;
    assert_eq!(same, id);
    assert_eq!(stage.store.customer_at(&ana()).await.unwrap(), None);
    stage.answers(&["Да"], 20).await;
    assert_eq!(stage.next_part(21).await.unwrap().to, telegram("700222"));
    // Somebody is there: both stay who they are.
    let (bob, _) = stage.writes(&telegram("bob"), "Привет", 30).await;
    assert_eq!(accepts(stage, moved(&telegram("bob"), "700222", 2), 31).await, Accepted::Noted);
    assert_eq!(accepts(stage, moved(&telegram("nobody"), "700333", 3), 32).await, Accepted::Noted);
    assert_eq!(stage.conversation(bob).await.address, telegram("bob"));
    assert_ne!(stage.conversation(bob).await.customer, stage.conversation(id).await.customer);
}

pub(crate) async fn a_number_that_the_channel_vouches_for_is_known(stage: &Stage) {
    let contact = |is_own, phone: &str| {
        let shared = SharedContact { phone: phone.to_owned(), name: Some("Анна".to_owned()), is_own };
        update(&ana(), &format!("contact {phone}"), InboundEvent::Contact(shared))
    };
    let accepted = accepts(stage, contact(false, "+79991234567"), 0).await;
    let Accepted::New { conversation, .. } = accepted else { panic!("{accepted:?}") };
    assert!(!timers(stage, 0).await.contains(&TimerKind::Ledger), "somebody's number");
    let accepted = accepts(stage, contact(true, "+79997654321"), 1).await;
    let Accepted::New { message, .. } = accepted else { panic!("{accepted:?}") };
    assert!(timers(stage, 1).await.contains(&TimerKind::Ledger));
    in_line(stage, conversation, 2).await;
    let customer = stage.conversation(conversation).await.customer;
    let facts = stage.store.facts(customer).await.unwrap();
    let known: Vec<_> = facts.iter().map(|fact| (fact.key.as_str(), fact.value.as_str(), fact.source)).collect();
    assert_eq!(known, [("phone", "+79997654321", message)]);
    assert!((facts[0].confidence - 1.0).abs() < f64::EPSILON);
}
