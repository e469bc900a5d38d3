//! Leases, and the one commit of a turn.

use std::collections::HashSet;

use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::handoff::{HandoffReason, HandoffState};
use firstline::domain::message::{Author, Citation};
use firstline::domain::text::{Language, MessageText};
use firstline::ports::desk::DeskStore;
use firstline::ports::store::{Committed, Loop, TimerKind};
use futures_util::future::{join, join_all};

use crate::support::{LEASE, Stage, at, take, texts, timing, update, web, words};

pub(crate) async fn the_longest_waiting_goes_first(stage: &Stage) {
    let (later, _) = stage.writes(&web("bob"), "Привет", 5).await;
    let (earlier, _) = stage.writes(&web("ana"), "Привет", 1).await;
    assert_eq!(stage.lease(100).await.unwrap().conversation, earlier);
    assert_eq!(stage.lease(100).await.unwrap().conversation, later);
    assert_eq!(stage.lease(100).await, None);
}

pub(crate) async fn concurrent_claims_never_meet(stage: &Stage) {
    stage.open_connections().await;
    for n in 0..20 {
        stage.writes(&web(&format!("customer {n}")), "Привет", 0).await;
    }
    let worker = || async {
        let mut mine = Vec::new();
        // A claim may pass over rows that another worker is just claiming: none to claim is not the end.
        for _ in 0..60 {
            mine.extend(stage.lease(10).await);
        }
        mine
    };
    let claimed: Vec<_> = join_all((0..6).map(|_| worker())).await.into_iter().flatten().collect();
    let distinct: HashSet<_> = claimed.iter().map(|lease| lease.conversation).collect();
    assert_eq!((claimed.len(), distinct.len()), (20, 20));
}

pub(crate) async fn an_expired_lease_fences_its_holder(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Привет", 0).await;
    let old = stage.lease(10).await.unwrap();
    let input = stage.load(&old).await;
    assert_eq!(stage.lease(39).await, None, "the lease lives for thirty seconds");
    let new = stage.lease(40).await.unwrap();
    assert!(new.token > old.token);

    assert!(!stage.store.renew_lease(&old, at(100)).await.unwrap());
    assert!(stage.store.load_turn(&old, 30).await.unwrap().is_none());
    assert!(!stage.store.save_turn(&old, &stage.draft(&input), at(41)).await.unwrap());
    let commit = stage.turn(&input, Some(stage.message(&["Ответ зомби"])));
    assert_eq!(stage.store.commit_turn(&old, &commit, at(41)).await.unwrap(), Committed::Fenced);
    assert_eq!(stage.store.fail_turn(&old, "late", at(41), at(41)).await.unwrap(), 0);
    stage.store.release_lease(&old, at(0)).await.unwrap();
    assert_eq!(stage.lease(41).await, None, "the new lease is untouched");
    assert_eq!(stage.conversation(id).await.failures, 0);

    let input = stage.load(&new).await;
    assert!(input.saved.is_none());
    let commit = stage.turn(&input, Some(stage.message(&["Ответ"])));
    assert_eq!(stage.store.commit_turn(&new, &commit, at(42)).await.unwrap(), Committed::Yes);
    assert_eq!(stage.store.commit_turn(&new, &commit, at(42)).await.unwrap(), Committed::Fenced, "once");
    assert_eq!(stage.delivers(50).await, ["Ответ"]);
}

pub(crate) async fn a_lease_can_be_renewed_and_released(stage: &Stage) {
    stage.writes(&web("ana"), "Привет", 0).await;
    let lease = stage.lease(10).await.unwrap();
    assert!(stage.store.renew_lease(&lease, at(10) + LEASE + LEASE).await.unwrap());
    assert_eq!(stage.lease(69).await, None);
    stage.store.release_lease(&lease, at(80)).await.unwrap();
    assert!(!stage.store.renew_lease(&lease, at(200)).await.unwrap(), "given back is given back");
    assert_eq!(stage.lease(79).await, None);
    assert!(stage.lease(80).await.is_some());
}

pub(crate) async fn a_turn_sees_its_messages(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Первый вопрос", 0).await;
    stage.answers(&["Первый ответ"], 10).await;
    let ann = stage.operator();
    stage.acts(ann, id, OperatorAction::Note(MessageText::new("сложный клиент")), 11).await;
    stage.writes(&web("ana"), "Второй вопрос", 20).await;
    let notice = stage.message(&["Минуту"]);
    assert!(stage.store.commit_notice(id, stage.conversation(id).await.epoch, &notice, at(21)).await.unwrap());
    stage.writes(&web("ana"), "Третий вопрос", 22).await;
    stage.writes(&web("other"), "Чужой вопрос", 5).await;

    let lease = stage.lease(1000).await.unwrap();
    stage.store.release_lease(&lease, at(9999)).await.unwrap();
    let lease = stage.lease(1000).await.unwrap();
    let input = stage.load(&lease).await;
    assert_eq!(input.conversation.id, id);
    assert_eq!(input.customer.id, input.conversation.customer);
    assert_eq!(texts(&input.unread), ["Второй вопрос", "Третий вопрос"]);
    assert_eq!(texts(&input.window), ["Первый вопрос", "Первый ответ", "Минуту"]);
    assert_eq!(input.messages_today, 3);
    let short = stage.store.load_turn(&lease, 1).await.unwrap().unwrap();
    assert_eq!(texts(&short.window), ["Минуту"]);
    assert!(stage.store.load_turn(&lease, 0).await.unwrap().unwrap().window.is_empty());

    let commit = stage.turn(&input, None);
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(1001)).await.unwrap(), Committed::Yes);
    stage.writes(&web("ana"), "Через два дня", 2 * 86_400).await;
    let lease = loop {
        let lease = stage.lease(3 * 86_400).await.unwrap();
        if lease.conversation == id {
            break lease;
        }
    };
    assert_eq!(stage.load(&lease).await.messages_today, 1);
}

pub(crate) async fn a_draft_serves_the_same_messages_only(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let lease = stage.lease(10).await.unwrap();
    let draft = stage.draft(&stage.load(&lease).await);
    assert!(stage.store.save_turn(&lease, &draft, at(11)).await.unwrap());
    assert_eq!(stage.load(&lease).await.saved, Some(draft.clone()));

    // After a crash, the next worker finds it.
    let lease = stage.lease(100).await.unwrap();
    assert_eq!(stage.load(&lease).await.saved, Some(draft.clone()));

    stage.writes(&web("ana"), "Номер М-1", 101).await;
    let input = stage.load(&lease).await;
    assert_eq!((input.unread.len(), input.saved.as_ref()), (2, None), "it did not see the newer message");
    let second = stage.draft(&input);
    assert!(stage.store.save_turn(&lease, &second, at(102)).await.unwrap());
    assert_eq!(stage.load(&lease).await.saved, Some(second));

    // A person came between: what was drafted before is stale.
    let ann = stage.operator();
    stage.acts(ann, id, take(), 103).await;
    stage.acts(ann, id, OperatorAction::Release, 104).await;
    let lease = stage.lease(105).await.unwrap();
    let input = stage.load(&lease).await;
    assert_eq!((input.unread.len(), input.saved), (2, None));

    // What an older version wrote and this one can't read is asked for again, not an error.
    let third = stage.draft(&stage.load(&lease).await);
    assert!(stage.store.save_turn(&lease, &third, at(106)).await.unwrap());
    stage.change_rows("update turns set saved = '{}'").await;
    assert_eq!(stage.load(&lease).await.saved, None);
}

pub(crate) async fn a_commit_writes_everything(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Сколько стоит доставка?", 0).await;
    let lease = stage.lease(10).await.unwrap();
    let input = stage.load(&lease).await;
    let mut message = stage.message(&["Доставка стоит ", "390 ₽."]);
    message.citations = vec![Citation { source: "ru/delivery-cost".to_owned(), title: "Доставка".to_owned() }];
    let mut commit = stage.turn(&input, Some(message.clone()));
    (commit.disclosed, commit.ask_backs, commit.language) = (true, 2, Some(Language::En));
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(12)).await.unwrap(), Committed::Yes);

    let after = stage.conversation(id).await;
    assert_eq!((after.ownership, after.epoch), (Ownership::Bot, input.conversation.epoch));
    assert_eq!((after.last_seq, after.handled_seq), (2, 1));
    assert_eq!((after.disclosed_at, after.ask_backs, after.language), (Some(at(12)), 2, Some(Language::En)));
    assert_eq!(after.last_activity_at, at(12));
    let said = stage.store.transcript(id, 1, 10).await.unwrap();
    assert_eq!((said[0].id, said[0].author, said[0].seq), (message.id, Author::Bot, 2));
    assert_eq!(said[0].text.as_str(), "Доставка стоит 390 ₽.");
    assert_eq!(said[0].citations, message.citations);
    assert_eq!(said[0].delivered_at, None, "it was promised, not sent");
    assert_eq!(stage.lease(1000).await, None);
    assert_eq!(stage.figure("select count(*) from turns where state = 'committed' and saved is null").await, 1);

    let depth = stage.store.depth().await.unwrap();
    assert_eq!((depth.unanswered, depth.owed, depth.unindexed), (0, 2, 1));
    let timer = stage.store.claim_timer(&stage.claim(), at(86_400)).await.unwrap().unwrap();
    assert_eq!(timer.kind, TimerKind::EpisodeEnd, "an answered message has no deadline");
    assert_eq!(stage.delivers(13).await, ["Доставка стоит ", "390 ₽."]);

    // Nothing to say is a decision too: the disclosure and the counters of before stay or go as it says.
    stage.writes(&web("ana"), "Спасибо", 20).await;
    let lease = stage.lease(30).await.unwrap();
    let commit = stage.turn(&stage.load(&lease).await, None);
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(31)).await.unwrap(), Committed::Yes);
    let after = stage.conversation(id).await;
    assert_eq!((after.handled_seq, after.last_seq, after.ask_backs), (3, 3, 0));
    assert_eq!((after.disclosed_at, after.last_activity_at), (Some(at(12)), at(20)));
    assert_eq!(stage.store.depth().await.unwrap().owed, 0);
}

pub(crate) async fn a_newer_message_supersedes(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let lease = stage.lease(2).await.unwrap();
    let input = stage.load(&lease).await;
    assert!(stage.store.save_turn(&lease, &stage.draft(&input), at(3)).await.unwrap());
    stage.writes(&web("ana"), "Уже не надо", 4).await;
    let commit = stage.turn(&input, Some(stage.message(&["Ищу"])));
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(5)).await.unwrap(), Committed::Superseded);

    let after = stage.conversation(id).await;
    assert_eq!((after.handled_seq, after.last_seq), (0, 2), "nothing was said");
    assert_eq!(stage.store.depth().await.unwrap().owed, 0);
    assert_eq!(stage.figure("select count(*) from turns where state = 'superseded'").await, 2, "turn and draft");
    assert_eq!(stage.figure("select count(*) from turns where saved is not null").await, 0);
    assert_eq!(stage.lease(5).await, None, "the quiet window of the newer message");
    let lease = stage.lease(6).await.unwrap();
    assert_eq!(texts(&stage.load(&lease).await.unread), ["Где заказ?", "Уже не надо"]);
}

pub(crate) async fn a_takeover_fences_the_turn(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let lease = stage.lease(10).await.unwrap();
    let input = stage.load(&lease).await;
    stage.acts(stage.operator(), id, take(), 11).await;
    let commit = stage.turn(&input, Some(stage.message(&["Ищу"])));
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(12)).await.unwrap(), Committed::Fenced);
    assert!(!stage.store.save_turn(&lease, &stage.draft(&input), at(12)).await.unwrap());
    assert!(!stage.store.renew_lease(&lease, at(100)).await.unwrap());
    assert!(stage.store.load_turn(&lease, 30).await.unwrap().is_none());
    assert_eq!(stage.delivers(100).await, Vec::<String>::new());
    assert_eq!(texts(&stage.store.transcript(id, 0, 10).await.unwrap()), ["Где заказ?"]);
}

pub(crate) async fn a_handoff_passes_the_conversation(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Верните деньги!", 0).await;
    let before = stage.conversation(id).await.epoch;
    stage.hands_over(HandoffReason::Emotional, 2, 10).await;
    let after = stage.conversation(id).await;
    assert_eq!((after.ownership, after.epoch, after.handled_seq), (Ownership::Queued, before + 1, 1));
    let handoff = stage.store.handoff(id).await.unwrap().unwrap();
    assert_eq!((handoff.state, handoff.reason), (HandoffState::Open, HandoffReason::Emotional));
    assert_eq!((handoff.queue.as_str(), handoff.priority, handoff.package.mood.as_str()), ("support", 2, "calm"));
    assert_eq!((handoff.opened_at, handoff.claimed_at, handoff.operator), (at(10), None, None));
    assert_eq!(stage.store.depth().await.unwrap().queued, 1);
    assert_eq!(stage.delivers(11).await, ["Позову коллегу."], "the notice was promised under the new epoch");
    assert_eq!(stage.lease(1000).await, None);

    let mut due = Vec::new();
    while let Some(timer) = stage.store.claim_timer(&stage.claim(), at(86_400)).await.unwrap() {
        stage.store.finish_timer(&timer).await.unwrap();
        due.push((timer.kind, timer.due_at));
    }
    let expected =
        [(TimerKind::Package, at(10)), (TimerKind::UnclaimedNotice, at(610)), (TimerKind::EpisodeEnd, at(6 * 3600))];
    assert_eq!(due, expected);
}

pub(crate) async fn failures_are_counted_until_a_success(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    for n in 1..=3 {
        let lease = stage.lease(10 * n).await.unwrap();
        let failed = stage.store.fail_turn(&lease, "model is down", at(10 * n + 5), at(10 * n)).await.unwrap();
        assert_eq!(failed, n);
        assert_eq!(stage.lease(10 * n + 4).await, None, "not before it is ready");
    }
    assert_eq!(stage.figure("select count(*) from turns where state = 'failed' and to_seq = 1").await, 3);
    stage.answers(&["Вот он"], 40).await;
    assert_eq!(stage.conversation(id).await.failures, 0);
}

/// The customer writes while the turn commits, again and again: either the turn saw the message or the next one does.
pub(crate) async fn writing_and_committing_at_once_loses_nothing(stage: &Stage) {
    stage.open_connections().await;
    for round in 0..25 {
        let who = web(&format!("customer {round}"));
        let (id, _) = stage.writes(&who, "Первое", 0).await;
        let lease = stage.lease(10).await.unwrap();
        assert_eq!(lease.conversation, id);
        let input = stage.load(&lease).await;
        let commit = stage.turn(&input, Some(stage.message(&["Ответ"])));
        let second = [update(&who, &format!("second {round}"), words("Второе"))];
        let timing = timing();
        let (accepted, committed) =
            join(stage.store.accept(&second, None, &timing, at(11)), stage.store.commit_turn(&lease, &commit, at(11)))
                .await;
        accepted.unwrap();
        let seen = match committed.unwrap() {
            Committed::Yes => vec!["Второе"],
            Committed::Superseded => vec!["Первое", "Второе"],
            Committed::Fenced => panic!("the lease was ours"),
        };
        let lease = stage.lease(20).await.unwrap();
        assert_eq!(lease.conversation, id);
        let input = stage.load(&lease).await;
        assert_eq!(texts(&input.unread), seen);
        let commit = stage.turn(&input, None);
        assert_eq!(stage.store.commit_turn(&lease, &commit, at(21)).await.unwrap(), Committed::Yes);
    }
}
