//! What a start, or a renewal, takes back from processes that are gone.

use firstline::domain::channel::ChannelKind;
use firstline::domain::id::BootId;
use firstline::domain::outbox::SendOutcome;
use firstline::ports::desk::DeskStore;
use firstline::ports::store::{Claim, Loop, Recovered, TimerKind};

use crate::support::{Kind, LEASE, Stage, at, take, telegram, web};

const IDEMPOTENT: [ChannelKind; 2] = [ChannelKind::Web, ChannelKind::Terminal];

/// A later start of the program.
fn next_boot(stage: &Stage) -> Claim {
    Claim { boot: BootId::fresh(&stage.ids, at(0)), lease_for: LEASE }
}

async fn recover(stage: &Stage, claim: &Claim, now: i64) -> Recovered {
    stage.store.recover(claim, &IDEMPOTENT, at(now + 120), at(now)).await.unwrap()
}

/// Long enough for a shared store to give a silent process up.
fn after_silence(stage: &Stage, now: i64) -> i64 {
    match stage.database.kind {
        Kind::Sqlite => now,
        Kind::Postgres => now + 31,
    }
}

pub(crate) async fn the_dead_lose_their_leases(stage: &Stage) {
    stage.store.renew_boot(stage.boot, at(10)).await.unwrap();
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let claim = Claim { lease_for: jiff::SignedDuration::from_hours(1), ..stage.claim() };
    let lease = stage.store.claim_turn(&claim, at(10)).await.unwrap().unwrap();
    let timer = stage.store.claim_timer(&claim, at(90)).await.unwrap().unwrap();
    let now = after_silence(stage, 91);
    assert_eq!(stage.lease(now).await, None);

    let next = next_boot(stage);
    assert_eq!(recover(stage, &next, now).await, Recovered { leases: 1, resend: 0, unknown: 0 });
    assert_eq!(recover(stage, &next, now).await, Recovered::default(), "once");
    assert!(!stage.store.renew_lease(&lease, at(5000)).await.unwrap());
    assert_eq!(stage.store.claim_turn(&next, at(now)).await.unwrap().unwrap().conversation, id);
    assert_eq!(stage.store.claim_timer(&next, at(now)).await.unwrap().unwrap(), timer);
}

pub(crate) async fn interrupted_sends_are_resent_or_unknown(stage: &Stage) {
    stage.writes(&web("ana"), "Где заказ?", 0).await;
    let (on_telegram, _) = stage.writes(&telegram("7"), "Где заказ?", 1).await;
    stage.answers(&["на сайт"], 10).await;
    stage.answers(&["в телеграм", "ещё"], 10).await;
    let lost = [stage.next_part(11).await.unwrap(), stage.next_part(11).await.unwrap()];
    let now = after_silence(stage, 12);

    let next = next_boot(stage);
    assert_eq!(recover(stage, &next, now).await, Recovered { leases: 0, resend: 1, unknown: 1 });
    let mut sent = Vec::new();
    while let Some(part) = stage.store.claim_outbound(&next, at(now)).await.unwrap() {
        assert!(stage.settle(&part, SendOutcome::Sent(None), now).await);
        sent.push((part.text.as_str().to_owned(), part.attempts));
    }
    sent.sort();
    assert_eq!(sent, [("ещё".to_owned(), 1), ("на сайт".to_owned(), 2)]);
    let undelivered = stage.store.undelivered(on_telegram).await.unwrap();
    assert!(undelivered.len() == 1 && undelivered[0].state == "unknown", "{undelivered:?}");
    // The process was only stopped, and wakes up: what it knows about the unknown one is worth having.
    let web_part = lost.iter().find(|part| part.to.channel == ChannelKind::Web).unwrap();
    let telegram_part = lost.iter().find(|part| part.to.channel == ChannelKind::Telegram).unwrap();
    assert!(!stage.settle(web_part, SendOutcome::Sent(None), now).await);
    let due = stage.store.claim_timer(&next, at(now + 120)).await.unwrap();
    assert!(due.is_some_and(|timer| timer.kind == TimerKind::UnknownSend && timer.conversation == on_telegram));
    assert!(stage.settle(telegram_part, SendOutcome::Sent(None), now).await);
    assert_eq!(stage.store.undelivered(on_telegram).await.unwrap(), []);
}

pub(crate) async fn an_expired_send_is_recovered_while_its_process_lives(stage: &Stage) {
    stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["раз"], 10).await;
    let slow = stage.next_part(11).await.unwrap();
    stage.store.renew_boot(stage.boot, at(40)).await.unwrap();
    assert_eq!(recover(stage, &stage.claim(), 40).await, Recovered::default(), "its lease still runs");
    assert_eq!(stage.next_part(500).await, None, "no claim takes it over by itself");
    assert_eq!(recover(stage, &stage.claim(), 41).await, Recovered { leases: 0, resend: 1, unknown: 0 });
    let again = stage.next_part(41).await.unwrap();
    assert_eq!((again.id, again.attempts), (slow.id, 2));
    assert!(!stage.settle(&slow, SendOutcome::Sent(None), 42).await);
    stage.sent(&again, 43).await;
}

pub(crate) async fn a_stale_interrupted_send_is_never_repeated(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["бот"], 10).await;
    stage.next_part(11).await.unwrap();
    stage.acts(stage.operator(), id, take(), 12).await;
    let now = after_silence(stage, 13);
    let recovered = recover(stage, &next_boot(stage), now).await;
    assert_eq!(recovered, Recovered { leases: 0, resend: 0, unknown: 1 }, "a person has the conversation");
    assert_eq!(stage.next_part(5000).await, None);
}

pub(crate) async fn a_clean_stop_gives_leases_back(stage: &Stage) {
    stage.store.renew_boot(stage.boot, at(0)).await.unwrap();
    stage.writes(&web("ana"), "Где заказ?", 0).await;
    let lease = stage.lease(10).await.unwrap();
    let timer = stage.store.claim_timer(&stage.claim(), at(90)).await.unwrap().unwrap();
    stage.store.renew_lease(&lease, at(1000)).await.unwrap();
    stage.store.release_boot(stage.boot, at(91)).await.unwrap();
    let next = next_boot(stage);
    assert!(stage.store.claim_turn(&next, at(91)).await.unwrap().is_some());
    assert_eq!(stage.store.claim_timer(&next, at(91)).await.unwrap(), Some(timer));
    assert_eq!(stage.figure("select count(*) from boots").await, 0);
    assert!(!stage.store.renew_lease(&lease, at(2000)).await.unwrap());
}

/// On a shared store a process that renews keeps what it holds; on SQLite there is no other process.
pub(crate) async fn the_living_keep_what_they_hold(stage: &Stage) {
    stage.store.renew_boot(stage.boot, at(0)).await.unwrap();
    stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["раз"], 2).await;
    stage.writes(&web("bob"), "Hello", 0).await;
    let lease = stage.lease(10).await.unwrap();
    let part = stage.next_part(10).await.unwrap();
    stage.store.renew_boot(stage.boot, at(20)).await.unwrap();
    let recovered = recover(stage, &next_boot(stage), 39).await;
    match stage.database.kind {
        Kind::Sqlite => assert_eq!(recovered, Recovered { leases: 1, resend: 1, unknown: 0 }),
        Kind::Postgres => {
            assert_eq!(recovered, Recovered::default());
            assert!(stage.store.renew_lease(&lease, at(70)).await.unwrap());
            stage.sent(&part, 40).await;
            // The other one renewed itself by recovering: both are alive.
            assert_eq!(stage.figure("select count(*) from boots").await, 2);
        }
    }
}
