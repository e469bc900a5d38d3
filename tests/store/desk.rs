//! What pages read.

use firstline::domain::handoff::HandoffReason;
use firstline::domain::id::{ConversationId, CustomerId};
use firstline::ports::desk::{DeskStore, Operator, Session, TurnView, Undelivered};
use firstline::ports::ledger::Ledger;
use firstline::ports::store::Loop;

use crate::support::{Stage, at, dead, reply, take, texts, unknown, web};

pub(crate) async fn the_queue_is_in_order_of_urgency(stage: &Stage) {
    let mut handed_over = Vec::new();
    for (who, priority, now) in [("late", 3, 30), ("urgent", 1, 40), ("early", 3, 20)] {
        stage.writes(&web(who), "Верните деньги", now - 10).await;
        handed_over.push(stage.hands_over(HandoffReason::Complex, priority, now).await);
    }
    let [late, urgent, early] = handed_over[..] else { panic!() };
    let (older, _) = stage.writes(&web("older"), "Вопрос", 50).await;
    let (newer, _) = stage.writes(&web("newer"), "Вопрос", 60).await;
    let (resolved, _) = stage.writes(&web("gone"), "Вопрос", 70).await;
    let ann = stage.operator();
    stage.acts(ann, resolved, firstline::domain::conversation::OperatorAction::Resolve, 71).await;
    stage.acts(ann, late, take(), 72).await;

    let listed = stage.store.queue(10).await.unwrap();
    let ids: Vec<ConversationId> = listed.iter().map(|entry| entry.conversation.id).collect();
    assert_eq!(ids, [urgent, early, late, newer, older]);
    let first = &listed[0];
    assert_eq!(first.customer.id, first.conversation.customer);
    assert_eq!(first.handoff.as_ref().unwrap().priority, 1);
    assert_eq!(first.last.as_ref().unwrap().text.as_str(), "Верните деньги", "the customer's own words");
    assert!(listed[3].handoff.is_none());
    assert_eq!(stage.store.queue(4).await.unwrap().len(), 4);
    assert_eq!(stage.store.queue(2).await.unwrap().len(), 2);

    assert_eq!(stage.store.conversation(ConversationId::fresh(&stage.ids, at(0))).await.unwrap(), None);
    assert_eq!(stage.store.customer(CustomerId::fresh(&stage.ids, at(0))).await.unwrap(), None);
    assert_eq!(stage.store.handoff(older).await.unwrap(), None);
    assert_eq!(stage.store.conversation_at(&web("nobody")).await.unwrap(), None);

    // The newest of several handoffs.
    stage.acts(ann, late, firstline::domain::conversation::OperatorAction::Release, 80).await;
    stage.acts(ann, late, take(), 81).await;
    let newest = stage.store.handoff(late).await.unwrap().unwrap();
    assert_eq!((newest.reason, newest.opened_at), (HandoffReason::Taken, at(81)));
}

pub(crate) async fn a_transcript_can_be_paged(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "1", 0).await;
    for n in 2..=5 {
        stage.writes(&web("ana"), &n.to_string(), n).await;
    }
    assert_eq!(texts(&stage.store.transcript(id, 0, 2).await.unwrap()), ["1", "2"]);
    assert_eq!(texts(&stage.store.transcript(id, 2, 2).await.unwrap()), ["3", "4"]);
    assert_eq!(texts(&stage.store.transcript(id, 4, usize::MAX).await.unwrap()), ["5"]);
    assert_eq!(stage.store.transcript(id, 5, 2).await.unwrap(), []);
}

pub(crate) async fn operators_have_logins_and_sessions(stage: &Stage) {
    let ann =
        Operator {
            id: stage.operator(), login: "ann".to_owned(), name: "Анна".to_owned(), one_time_password: true
        };
    assert_eq!(stage.store.operators().await.unwrap(), []);
    assert!(stage.store.add_operator(&ann, "hash 1", at(0)).await.unwrap());
    let double = Operator { id: stage.operator(), ..ann.clone() };
    assert!(!stage.store.add_operator(&double, "hash 2", at(1)).await.unwrap(), "the login is taken");
    let bob =
        Operator { id: stage.operator(), login: "bob".to_owned(), name: "Боб".to_owned(), one_time_password: false };
    assert!(stage.store.add_operator(&bob, "hash 3", at(1)).await.unwrap());
    assert_eq!(stage.store.operators().await.unwrap(), [ann.clone(), bob.clone()]);
    assert_eq!(stage.store.operator_login("ann").await.unwrap(), Some((ann.clone(), "hash 1".to_owned())));
    assert_eq!(stage.store.operator_login("Ann").await.unwrap(), None);

    let session = |token: &str, operator: &Operator| Session {
        token_hash: token.to_owned(),
        operator: operator.id,
        csrf: "csrf".to_owned(),
        expires_at: at(100),
    };
    let (first, second, of_bob) = (session("a", &ann), session("b", &ann), session("c", &bob));
    for one in [&first, &second, &of_bob] {
        stage.store.add_session(one).await.unwrap();
    }
    assert_eq!(stage.store.session("a", at(99)).await.unwrap(), Some((first, ann.clone())));
    assert_eq!(stage.store.session("a", at(100)).await.unwrap(), None, "it has expired");
    stage.store.end_session("a").await.unwrap();
    assert_eq!(stage.store.session("a", at(1)).await.unwrap(), None);

    assert!(!stage.store.set_password("nobody", "x", false).await.unwrap());
    assert!(stage.store.set_password("ann", "hash 4", false).await.unwrap());
    assert_eq!(stage.store.session("b", at(1)).await.unwrap(), None, "a new password ends sessions");
    assert_eq!(stage.store.session("c", at(1)).await.unwrap(), Some((of_bob, bob)), "of that operator only");
    let changed = Operator { one_time_password: false, ..ann };
    assert_eq!(stage.store.operator_login("ann").await.unwrap(), Some((changed, "hash 4".to_owned())));

    // Expired sessions go at the next recovery.
    stage.store.recover(&stage.claim(), &[], at(200), at(200)).await.unwrap();
    assert_eq!(stage.figure("select count(*) from sessions").await, 0);
}

pub(crate) async fn undelivered_messages_are_listed_once(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["раз", "два", "три"], 10).await;
    for outcome in [dead(), unknown(), dead()] {
        let part = stage.next_part(11).await.unwrap();
        assert!(stage.settle(&part, outcome, 12).await);
    }
    let ann = stage.operator();
    stage.acts(ann, id, reply("Проверяю"), 20).await;
    let part = stage.next_part(20).await.unwrap();
    assert!(stage.settle(&part, dead(), 21).await);
    let expected = [
        Undelivered { seq: 2, state: "unknown".to_owned(), why: "reset after the body was written".to_owned() },
        Undelivered { seq: 3, state: "dead".to_owned(), why: "bad request".to_owned() },
    ];
    assert_eq!(stage.store.undelivered(id).await.unwrap(), expected);
}

pub(crate) async fn the_last_turn_can_be_explained(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    assert_eq!(stage.store.last_turn(id).await.unwrap(), None);
    stage.answers(&["В пути"], 10).await;
    stage.delivers(11).await;
    stage.writes(&web("ana"), "Спасибо", 20).await;
    stage.writes(&web("ana"), "большое", 21).await;
    let lease = stage.lease(30).await.unwrap();
    let mut commit = stage.turn(&stage.load(&lease).await, None);
    commit.reason = Some("thanks".to_owned());
    commit.record.cited = vec!["ru/order-tracking".to_owned()];
    stage.store.commit_turn(&lease, &commit, at(31)).await.unwrap();
    let expected = TurnView {
        from_seq: 3,
        to_seq: 4,
        decision: "ignore".to_owned(),
        reason: Some("thanks".to_owned()),
        record: commit.record,
    };
    assert_eq!(stage.store.last_turn(id).await.unwrap(), Some(expected));
}

pub(crate) async fn a_handoff_is_raised_until_somebody_has_it(stage: &Stage) {
    stage.writes(&web("ana"), "Верните деньги", 0).await;
    let id = stage.hands_over(HandoffReason::Complex, 3, 10).await;
    let handoff = stage.store.handoff(id).await.unwrap().unwrap();
    let raise = async |priority| {
        stage.store.raise_handoff(handoff.id, HandoffReason::SafetyLegal, "complaints", priority).await.unwrap()
    };
    assert!(!raise(handoff.priority).await, "it is as urgent as that");
    assert!(raise(handoff.priority - 1).await);
    let raised = stage.store.handoff(id).await.unwrap().unwrap();
    assert_eq!((raised.reason, raised.queue.as_str()), (HandoffReason::SafetyLegal, "complaints"));
    assert_eq!(raised.priority, handoff.priority - 1);
    let ann = stage.operator();
    stage.acts(ann, id, take(), 11).await;
    assert!(!raise(0).await, "somebody has it");
}
