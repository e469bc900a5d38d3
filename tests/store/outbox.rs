//! Delivery: order, exclusiveness, and what becomes of each outcome; timers, which are claimed alike.

use std::collections::{HashMap, HashSet};

use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::id::BootId;
use firstline::domain::outbox::SendOutcome;
use firstline::ports::desk::DeskStore;
use firstline::ports::ledger::Ledger;
use firstline::ports::store::{Claim, Committed, Loop, OperatorOutcome, Recovered, TimerKind};
use futures_util::future::{join, join_all};

use crate::support::{
    Kind, LEASE, Stage, at, dead, not_sent, reply, take, telegram, texts, timing, unknown, update, web, words,
};

pub(crate) async fn parts_go_one_after_another(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["раз", "два"], 10).await;
    let notice = stage.message(&["три"]);
    stage.store.commit_notice(id, stage.conversation(id).await.epoch, &notice, at(11)).await.unwrap();

    let first = stage.next_part(11).await.unwrap();
    assert_eq!((first.part, first.attempts, first.text.as_str(), &first.to), (0, 1, "раз", &web("ana")));
    assert_eq!(stage.next_part(12).await, None, "the second waits for the first");
    assert!(stage.settle(&first, not_sent(20), 13).await);
    assert_eq!(stage.next_part(19).await, None, "and while the first will be tried again");
    let again = stage.next_part(20).await.unwrap();
    assert_eq!((again.id, again.attempts, &again.dedupe_key), (first.id, 2, &first.dedupe_key));
    stage.sent(&again, 21).await;
    assert_eq!(stage.delivers(21).await, ["два", "три"]);
    assert_eq!(stage.figure("select count(distinct dedupe_key) from outbox").await, 3);
    assert_eq!(stage.store.depth().await.unwrap().owed, 0);
}

pub(crate) async fn what_is_settled_for_good_does_not_hold_up(stage: &Stage) {
    stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["раз", "два", "три"], 10).await;
    for outcome in [dead(), unknown()] {
        let part = stage.next_part(11).await.unwrap();
        assert!(stage.settle(&part, outcome, 12).await);
    }
    assert_eq!(stage.delivers(12).await, ["три"]);
    assert_eq!(stage.next_part(100_000).await, None, "neither is ever sent again");
    assert_eq!(stage.store.depth().await.unwrap().unknown, 1);
}

pub(crate) async fn concurrent_senders_never_share_a_part(stage: &Stage) {
    stage.open_connections().await;
    for n in 0..8 {
        stage.writes(&web(&format!("customer {n}")), "Привет", 0).await;
        stage.answers(&["0", "1", "2"], 10).await;
    }
    let sender = || async {
        let mut sent = Vec::new();
        for _ in 0..60 {
            if let Some(part) = stage.next_part(20).await {
                stage.sent(&part, 20).await;
                sent.push(part);
            }
        }
        sent
    };
    let sent: Vec<_> = join_all((0..5).map(|_| sender())).await.into_iter().flatten().collect();
    let distinct: HashSet<_> = sent.iter().map(|part| part.id).collect();
    assert_eq!((sent.len(), distinct.len()), (24, 24));
    assert!(sent.iter().all(|part| part.attempts == 1));
    assert_eq!(
        stage.figure("select count(*) from messages where delivered_at is not null and author = 'bot'").await,
        8
    );
}

pub(crate) async fn a_stale_retry_neither_goes_nor_blocks(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["бот"], 10).await;
    let part = stage.next_part(11).await.unwrap();
    let ann = stage.operator();
    stage.acts(ann, id, reply("человек"), 12).await;
    assert_eq!(stage.next_part(12).await, None, "the bot's part may still arrive: the reply waits for it");
    assert!(stage.settle(&part, not_sent(1000), 13).await);
    assert_eq!(stage.delivers(13).await, ["человек"], "and not for its next attempt");
    assert_eq!(stage.delivers(2000).await, Vec::<String>::new());
    assert_eq!(stage.figure("select count(*) from outbox where state = 'cancelled'").await, 1);
    let learnt_from = stage.store.load_episode(id).await.unwrap().unwrap();
    assert_eq!(texts(&learnt_from.messages), ["Где заказ?", "человек"]);

    // A row that slipped through in an older state is met by the next claim.
    stage.change_rows("update outbox set state = 'pending', next_attempt_at = 0 where state = 'cancelled'").await;
    assert_eq!(stage.next_part(3000).await, None);
    assert_eq!(stage.figure("select count(*) from outbox where state = 'cancelled'").await, 1);
}

pub(crate) async fn a_stale_retry_is_owed_again_after_release(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["В пути"], 10).await;
    let part = stage.next_part(11).await.unwrap();
    let ann = stage.operator();
    stage.acts(ann, id, take(), 12).await;
    stage.acts(ann, id, OperatorAction::Release, 13).await;
    assert_eq!(stage.lease(13).await, None, "the answer may still arrive");
    assert!(stage.settle(&part, not_sent(47), 14).await);
    let lease = stage.lease(14).await.expect("it did not, and never will");
    assert_eq!(texts(&stage.load(&lease).await.unread), ["Где заказ?"]);
    let deadline = stage.store.claim_timer(&stage.claim(), at(104)).await.unwrap().unwrap();
    assert_eq!((deadline.kind, deadline.due_at), (TimerKind::ReplyDeadline, at(104)));
}

/// The bot has the conversation again, and nobody holds its lease: that the part is of an earlier time is in its epoch
/// only.
pub(crate) async fn a_part_of_an_earlier_epoch_is_not_sent_though_the_bot_is_back(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["В пути"], 10).await;
    let ann = stage.operator();
    stage.acts(ann, id, take(), 12).await;
    stage.acts(ann, id, OperatorAction::Release, 13).await;
    assert_eq!(stage.owner(id).await, Ownership::Bot);
    assert_eq!(stage.next_part(14).await, None);
    stage.answers(&["Уже у вас"], 14).await;
    assert_eq!(stage.delivers(15).await, ["Уже у вас"]);

    // Nor where the takeover passed it over, as it would if the row had been written in another order.
    stage.change_rows("update outbox set state = 'pending' where state = 'cancelled'").await;
    assert_eq!(stage.delivers(1000).await, Vec::<String>::new());
    assert_eq!(stage.figure("select count(*) from outbox where state = 'cancelled'").await, 1);
}

/// Every change of owner that the program makes ends the lease too. Were there one that did not, the epoch alone would
/// still fence a turn out that began before: the lease is its own, and the bot has the conversation.
pub(crate) async fn an_earlier_epoch_fences_a_turn_that_still_has_its_lease(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let lease = stage.lease(10).await.unwrap();
    let input = stage.load(&lease).await;
    stage.change_rows("update conversations set epoch = epoch + 2").await;

    assert!(!stage.store.renew_lease(&lease, at(100)).await.unwrap());
    assert!(stage.store.load_turn(&lease, 30).await.unwrap().is_none());
    assert!(!stage.store.save_turn(&lease, &stage.draft(&input), at(11)).await.unwrap());
    assert_eq!(stage.store.fail_turn(&lease, "late", at(11), at(11)).await.unwrap(), 0);
    let commit = stage.turn(&input, Some(stage.message(&["В пути"])));
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(11)).await.unwrap(), Committed::Fenced);
    stage.store.release_lease(&lease, at(0)).await.unwrap();
    assert_eq!(stage.lease(39).await, None, "the lease was not touched");
    assert_eq!(stage.delivers(39).await, Vec::<String>::new());
    assert_eq!(stage.conversation(id).await.failures, 0);

    // Under the epoch that holds the question is answered.
    assert_eq!(stage.answers(&["Уже у вас"], 40).await, Committed::Yes);
    assert_eq!(stage.delivers(41).await, ["Уже у вас"]);
}

pub(crate) async fn a_late_failure_fences_the_turn_that_does_not_know_of_it(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Первый вопрос", 0).await;
    stage.answers(&["Ответ"], 10).await;
    let part = stage.next_part(11).await.unwrap();
    let ann = stage.operator();
    stage.acts(ann, id, take(), 12).await;
    stage.acts(ann, id, OperatorAction::Release, 13).await;
    stage.writes(&web("ana"), "Второй вопрос", 14).await;
    let lease = stage.lease(20).await.unwrap();
    let input = stage.load(&lease).await;
    assert_eq!(texts(&input.unread), ["Второй вопрос"]);
    assert!(stage.settle(&part, not_sent(60), 21).await, "the first answer never arrived, and may not be sent again");
    let commit = stage.turn(&input, Some(stage.message(&["Второй ответ"])));
    assert_eq!(stage.store.commit_turn(&lease, &commit, at(22)).await.unwrap(), Committed::Fenced);
    let lease = stage.lease(22).await.unwrap();
    assert_eq!(texts(&stage.load(&lease).await.unread), ["Первый вопрос", "Второй вопрос"]);
}

/// A process that froze in the middle of a transaction holds a conversation; what it left elsewhere is taken back.
pub(crate) async fn a_conversation_that_is_held_does_not_hold_up_recovery(stage: &Stage) {
    if stage.database.kind == Kind::Sqlite {
        // One process owns the file, and when it is frozen so is all of it.
        return;
    }
    let (held, _) = stage.writes(&telegram("7"), "Где заказ?", 0).await;
    let (free, _) = stage.writes(&telegram("8"), "Где заказ?", 0).await;
    stage.answers(&["раз"], 10).await;
    stage.answers(&["раз"], 10).await;
    for _ in 0..2 {
        stage.next_part(11).await.unwrap();
    }
    stage.writes(&telegram("9"), "Где заказ?", 12).await;
    stage.lease(20).await.unwrap();
    let raw = stage.database.raw().await;
    let mut frozen = raw.begin().await.unwrap();
    let lock = "select id from conversations where id = $1 for update";
    sqlx::query(lock).bind(held.to_string()).fetch_one(&mut *frozen).await.unwrap();

    let next = Claim { boot: BootId::fresh(&stage.ids, at(0)), lease_for: LEASE };
    let recover = async |now| {
        let recovered = stage.store.recover(&next, &[], at(now + 120), at(now));
        tokio::time::timeout(std::time::Duration::from_secs(5), recovered).await.expect("it waits for nobody").unwrap()
    };
    assert_eq!(recover(100).await, Recovered { leases: 1, resend: 0, unknown: 1 });
    assert_eq!(stage.store.undelivered(free).await.unwrap().len(), 1);
    assert_eq!(stage.store.undelivered(held).await.unwrap(), []);
    frozen.rollback().await.unwrap();
    raw.close().await;
    assert_eq!(recover(101).await, Recovered { leases: 0, resend: 0, unknown: 1 });
}

/// What was refused leaves no lock behind that others would have to wait for, or would pass over.
pub(crate) async fn a_refused_commit_holds_nothing(stage: &Stage) {
    stage.open_connections().await;
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["раз"], 10).await;
    for now in 11..41 {
        let notice = stage.message(&["Минуту"]);
        assert!(!stage.store.commit_notice(id, 77, &notice, at(now)).await.unwrap());
        let mut stale = stage.action(stage.operator(), id, take()).await;
        stale.epoch = 77;
        assert_eq!(stage.store.commit_operator(&stale, at(now)).await.unwrap(), OperatorOutcome::Moved);
        let mut handoff = stage.handoff_commit(id, None, now).await;
        handoff.epoch = 77;
        assert!(!stage.store.commit_handoff(&handoff, at(now)).await.unwrap());
        let part = stage.next_part(now).await.expect("nobody holds it");
        assert!(stage.settle(&part, not_sent(now + 1), now).await);
        assert!(!stage.settle(&part, not_sent(now + 1), now).await);
    }
}

pub(crate) async fn an_unknown_send_starts_a_timer_and_may_still_turn_out_well(stage: &Stage) {
    let (id, _) = stage.writes(&telegram("7"), "Где заказ?", 0).await;
    stage.answers(&["раз", "два"], 10).await;
    let first = stage.next_part(11).await.unwrap();
    assert!(stage.settle(&first, unknown(), 12).await);
    let second = stage.next_part(12).await.unwrap();
    assert!(stage.settle(&second, unknown(), 50).await);
    let timer = stage.store.claim_timer(&stage.claim(), at(132)).await.unwrap().unwrap();
    assert_eq!((timer.kind, timer.due_at), (TimerKind::UnknownSend, at(132)), "the first one's deadline");
    assert_eq!(stage.store.undelivered(id).await.unwrap().len(), 1);

    // Word comes late that it was sent after all.
    assert!(!stage.settle(&first, not_sent(200), 140).await, "no blind second attempt");
    assert!(stage.settle(&first, SendOutcome::Sent(None), 140).await);
    assert_eq!(stage.store.depth().await.unwrap().unknown, 1);
    assert!(stage.settle(&second, SendOutcome::Sent(Some("9".to_owned())), 141).await);
    assert_eq!(stage.store.undelivered(id).await.unwrap(), []);
    assert_eq!(stage.store.transcript(id, 1, 1).await.unwrap()[0].delivered_at, Some(at(141)));
    let left = stage.store.claim_timer(&stage.claim(), at(1000)).await.unwrap();
    assert_eq!(left, None, "nobody has to look any more");
}

pub(crate) async fn an_attempt_is_settled_once(stage: &Stage) {
    stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["раз"], 10).await;
    let first = stage.next_part(11).await.unwrap();
    assert!(stage.settle(&first, not_sent(12), 11).await);
    assert!(!stage.settle(&first, SendOutcome::Sent(None), 11).await);
    let second = stage.next_part(12).await.unwrap();
    assert!(!stage.settle(&first, SendOutcome::Sent(None), 12).await, "the first attempt is over");
    stage.sent(&second, 13).await;
    for outcome in [SendOutcome::Sent(None), not_sent(20), unknown(), dead()] {
        assert!(!stage.settle(&second, outcome, 14).await);
    }
    assert_eq!(stage.next_part(1000).await, None);
}

pub(crate) async fn an_unreachable_customer_is_let_go(stage: &Stage) {
    let (id, _) = stage.writes(&telegram("7"), "Где заказ?", 0).await;
    stage.answers(&["раз", "два"], 10).await;
    let part = stage.next_part(11).await.unwrap();
    let gone = SendOutcome::Dead { why: "blocked".to_owned(), unreachable: true };
    assert!(stage.settle(&part, gone, 12).await);
    assert_eq!(stage.owner(id).await, Ownership::Resolved);
    assert_eq!(stage.next_part(1000).await, None);
    let lost = stage.store.undelivered(id).await.unwrap();
    assert_eq!(lost.iter().map(|one| (one.seq, one.why.as_str())).collect::<Vec<_>>(), [(2, "blocked")]);
    let timer = stage.store.claim_timer(&stage.claim(), at(12)).await.unwrap().unwrap();
    assert_eq!(timer.kind, TimerKind::EpisodeEnd);
    // They come back.
    let (next, _) = stage.writes(&telegram("7"), "Я вернулась", 100).await;
    assert_ne!(id, next);
    stage.answers(&["Рады видеть"], 110).await;
    assert_eq!(stage.delivers(111).await, ["Рады видеть"]);
}

pub(crate) async fn a_message_is_visible_with_its_last_part(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["раз", "два"], 10).await;
    let visible = async || {
        let feed = stage.store.feed(&web("ana"), 0, 10).await.unwrap();
        feed.into_iter().map(|item| item.message.seq).collect::<Vec<_>>()
    };
    let first = stage.next_part(11).await.unwrap();
    stage.sent(&first, 12).await;
    assert_eq!(visible().await, [1]);
    // The customer writes before the answer arrives: it stands below their words.
    stage.writes(&web("ana"), "Алло?", 13).await;
    let second = stage.next_part(14).await.unwrap();
    stage.sent(&second, 15).await;
    assert_eq!(visible().await, [1, 3, 2]);
    assert_eq!(stage.store.transcript(id, 1, 1).await.unwrap()[0].delivered_at, Some(at(15)));
    let feed = stage.store.feed(&web("ana"), 1, 1).await.unwrap();
    assert_eq!((feed.len(), feed[0].position, feed[0].message.seq), (1, 2, 3));
    assert_eq!(stage.store.feed(&web("bob"), 0, 10).await.unwrap(), []);
}

/// A page that asks for what is above the last position it saw sees every message once, however many write at once.
pub(crate) async fn a_feed_reader_misses_nothing(stage: &Stage) {
    stage.open_connections().await;
    let timing = timing();
    let updates: Vec<_> = (0..60).map(|n| [update(&web("ana"), &n.to_string(), words(&n.to_string()))]).collect();
    let writers = join_all(updates.iter().map(|update| stage.store.accept(update, None, &timing, at(0))));
    let reader = async {
        let (mut seen, mut last) = (Vec::new(), 0);
        while seen.len() < 60 {
            for item in stage.store.feed(&web("ana"), last, 7).await.unwrap() {
                assert!(item.position > last);
                last = item.position;
                seen.push(item.message.text.as_str().to_owned());
            }
            tokio::task::yield_now().await;
        }
        seen
    };
    let (written, seen) = join(writers, tokio::time::timeout(std::time::Duration::from_mins(1), reader)).await;
    for one in written {
        one.unwrap();
    }
    let distinct: HashSet<_> = seen.expect("a message was missed").into_iter().collect();
    assert_eq!(distinct.len(), 60);
}

pub(crate) async fn timers_are_claimed_finished_and_set_anew(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    assert_eq!(stage.store.claim_timer(&stage.claim(), at(89)).await.unwrap(), None);
    let timer = stage.store.claim_timer(&stage.claim(), at(90)).await.unwrap().unwrap();
    assert_eq!((timer.conversation, timer.kind), (id, TimerKind::ReplyDeadline));
    assert_eq!(stage.store.claim_timer(&stage.claim(), at(119)).await.unwrap(), None, "somebody is at it");
    let again = stage.store.claim_timer(&stage.claim(), at(120)).await.unwrap().unwrap();
    assert_eq!(again, timer, "it was not finished in time");

    // Set anew while it is held: the holder's word does not count for the new one.
    stage.writes(&web("ana"), "Алло?", 121).await;
    stage.store.finish_timer(&again).await.unwrap();
    let anew = stage.store.claim_timer(&stage.claim(), at(122)).await.unwrap().unwrap();
    assert!(anew.version > timer.version);
    stage.store.finish_timer(&anew).await.unwrap();
    assert_eq!(stage.store.claim_timer(&stage.claim(), at(1000)).await.unwrap(), None);

    // And a version is never used twice, though the timer was gone in between.
    stage.answers(&["Вот"], 1000).await;
    stage.writes(&web("ana"), "Ещё вопрос", 2000).await;
    stage.store.finish_timer(&anew).await.unwrap();
    let last = stage.store.claim_timer(&stage.claim(), at(2090)).await.unwrap().unwrap();
    assert_eq!((last.kind, last.due_at), (TimerKind::ReplyDeadline, at(2090)));
    assert!(last.version > anew.version);
}

pub(crate) async fn concurrent_timer_claims_never_meet(stage: &Stage) {
    stage.open_connections().await;
    for n in 0..12 {
        stage.writes(&web(&format!("customer {n}")), "Привет", 0).await;
    }
    let worker = || async {
        let mut mine = Vec::new();
        for _ in 0..30 {
            mine.extend(stage.store.claim_timer(&stage.claim(), at(100)).await.unwrap());
        }
        mine
    };
    let claimed: Vec<_> = join_all((0..4).map(|_| worker())).await.into_iter().flatten().collect();
    let mut times = HashMap::new();
    for timer in &claimed {
        *times.entry(timer.conversation).or_insert(0) += 1;
    }
    assert_eq!((claimed.len(), times.len()), (12, 12));
}
