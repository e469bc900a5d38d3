//! What channels tell of parts, in any order and at any time; and sends that wait for their turn.

use firstline::domain::channel::{DeliveryReport, DeliveryState, InboundEvent};
use firstline::domain::conversation::Ownership;
use firstline::domain::id::ConversationId;
use firstline::domain::outbox::{Outbound, SendOutcome};
use firstline::ports::desk::DeskStore;
use firstline::ports::store::{Accepted, Loop, TimerKind};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::changes::{accepts, ana};
use crate::support::{Stage, at, not_sent, timing, unknown, update, words};

/// The channel's word on what it calls `id`.
fn report(id: &str, state: DeliveryState) -> DeliveryReport {
    DeliveryReport {
        provider_id: id.to_owned(),
        dedupe_key: None,
        state,
        why: (state == DeliveryState::Failed).then(|| "131026: not on the messenger".to_owned()),
        unreachable: false,
        billed: Some("service".to_owned()),
    }
}

async fn tells(stage: &Stage, report: DeliveryReport, now: i64) -> Accepted {
    let key = stage.message(&[]).id.to_string();
    accepts(stage, update(&ana(), &key, InboundEvent::Receipt(report)), now).await
}

/// A part that is on its way.
async fn under_way(stage: &Stage) -> (ConversationId, Outbound) {
    let (id, _) = stage.writes(&ana(), "Где заказ?", 0).await;
    stage.answers(&["В пути"], 10).await;
    (id, stage.next_part(11).await.unwrap())
}

fn taken(id: &str) -> SendOutcome {
    SendOutcome::Sent(Some(id.to_owned()))
}

async fn far(stage: &Stage, id: ConversationId) -> Option<DeliveryState> {
    stage.store.marks(id, 0).await.unwrap().into_iter().find(|mark| mark.seq == 2)?.delivery
}

pub(crate) async fn a_part_comes_further_and_never_back(stage: &Stage) {
    let (id, part) = under_way(stage).await;
    assert_eq!(far(stage, id).await, None);
    assert!(stage.settle(&part, taken("w1"), 12).await);
    assert_eq!(far(stage, id).await, Some(DeliveryState::Sent));
    for (told, expected) in [
        (DeliveryState::Sent, DeliveryState::Sent),
        (DeliveryState::Delivered, DeliveryState::Delivered),
        (DeliveryState::Read, DeliveryState::Read),
        (DeliveryState::Delivered, DeliveryState::Read),
        (DeliveryState::Failed, DeliveryState::Read),
    ] {
        assert_eq!(tells(stage, report("w1", told), 20).await, Accepted::Changed { conversation: id });
        assert_eq!(far(stage, id).await, Some(expected));
    }
    assert_eq!(stage.figure("select count(*) from outbox where billed = 'service'").await, 1);
    assert_eq!(tells(stage, report("of another system", DeliveryState::Read), 30).await, Accepted::Noted);
}

pub(crate) async fn a_report_settles_what_nobody_could_tell(stage: &Stage) {
    let (id, part) = under_way(stage).await;
    assert!(stage.settle(&part, unknown(), 12).await);
    let known = DeliveryReport { dedupe_key: Some(part.dedupe_key.clone()), ..report("w1", DeliveryState::Sent) };
    tells(stage, known, 13).await;
    assert_eq!(stage.store.undelivered(id).await.unwrap(), []);
    assert_eq!(stage.store.transcript(id, 1, 1).await.unwrap()[0].delivered_at, Some(at(13)));
    while let Some(timer) = stage.store.claim_timer(&stage.claim(), at(1_000)).await.unwrap() {
        assert_ne!(timer.kind, TimerKind::UnknownSend, "nobody has to look");
        stage.store.finish_timer(&timer).await.unwrap();
    }
    tells(stage, report("w1", DeliveryState::Read), 14).await;
    assert_eq!(far(stage, id).await, Some(DeliveryState::Read), "its id is known from the report");
}

pub(crate) async fn a_report_may_be_faster_than_the_answer(stage: &Stage) {
    // With our own key.
    let (id, part) = under_way(stage).await;
    let keyed = DeliveryReport { dedupe_key: Some(part.dedupe_key.clone()), ..report("w1", DeliveryState::Delivered) };
    tells(stage, keyed, 11).await;
    assert_eq!(far(stage, id).await, Some(DeliveryState::Delivered));
    assert!(!stage.settle(&part, not_sent(13), 12).await, "it is settled, and not sent again");
    assert_eq!(stage.next_part(1_000).await, None);
    // Without: kept until the id is known.
    stage.writes(&ana(), "И ещё?", 100).await;
    stage.answers(&["Да"], 110).await;
    let part = stage.next_part(111).await.unwrap();
    assert_eq!(tells(stage, report("w2", DeliveryState::Read), 111).await, Accepted::Noted);
    assert_eq!(tells(stage, report("another's", DeliveryState::Read), 111).await, Accepted::Noted);
    assert!(stage.settle(&part, taken("w2"), 112).await);
    let marks = stage.store.marks(id, 2).await.unwrap();
    assert_eq!(marks.iter().map(|mark| mark.delivery).collect::<Vec<_>>(), [Some(DeliveryState::Read)]);
    assert_eq!(stage.figure("select count(*) from receipts").await, 1, "nobody's, until it is too old");
    stage.writes(&ana(), "И ещё?", 9_000).await;
    stage.answers(&["Да"], 9_010).await;
    let part = stage.next_part(9_011).await.unwrap();
    assert!(stage.settle(&part, taken("w3"), 9_012).await);
    assert_eq!(stage.figure("select count(*) from receipts").await, 0);
}

pub(crate) async fn what_the_channel_gives_up_did_not_arrive(stage: &Stage) {
    let (id, part) = under_way(stage).await;
    assert!(stage.settle(&part, taken("w1"), 12).await);
    tells(stage, report("w1", DeliveryState::Failed), 20).await;
    let lost = stage.store.undelivered(id).await.unwrap();
    assert_eq!((lost[0].state.as_str(), lost[0].why.as_str()), ("dead", "131026: not on the messenger"));
    assert_eq!(stage.store.transcript(id, 1, 1).await.unwrap()[0].delivered_at, None);
    assert_eq!(far(stage, id).await, None);
    let timer = stage.store.claim_timer(&stage.claim(), at(20)).await.unwrap().unwrap();
    assert_eq!((timer.conversation, timer.kind), (id, TimerKind::Undelivered), "a person must see it");
    tells(stage, report("w1", DeliveryState::Delivered), 21).await;
    assert_eq!(far(stage, id).await, None, "that was its end");
    // Nobody is there.
    stage.writes(&ana(), "Алло", 30).await;
    stage.answers(&["Да"], 40).await;
    let part = stage.next_part(41).await.unwrap();
    assert!(stage.settle(&part, taken("w2"), 42).await);
    tells(stage, DeliveryReport { unreachable: true, ..report("w2", DeliveryState::Failed) }, 43).await;
    assert_eq!(stage.owner(id).await, Ownership::Resolved);
}

/// In whatever order the channel's words and our own settling come: the same in the end.
pub(crate) async fn reports_come_in_any_order(stage: &Stage) {
    let mut random = StdRng::seed_from_u64(5);
    for round in 0..30 {
        let start = round * 1_000;
        let (id, seq) = stage.writes(&ana(), "Где заказ?", start).await;
        stage.answers(&["В пути"], start + 10).await;
        let part = stage.next_part(start + 11).await.unwrap();
        let (key, name) = (part.dedupe_key.clone(), format!("w{round}"));
        let mut states: Vec<Option<DeliveryState>> =
            [DeliveryState::Sent, DeliveryState::Delivered, DeliveryState::Read].map(Some).to_vec();
        states.truncate(random.random_range(1..=3));
        let expected = states.iter().max().copied().flatten();
        states.extend_from_within(..random.random_range(0..states.len()));
        states.push(None);
        states.shuffle(&mut random);
        for (state, now) in states.into_iter().zip(start + 12..) {
            let Some(state) = state else {
                stage.settle(&part, taken(&name), now).await;
                continue;
            };
            let dedupe_key = random.random_bool(0.5).then(|| key.clone());
            tells(stage, DeliveryReport { dedupe_key, ..report(&name, state) }, now).await;
        }
        let marks = stage.store.marks(id, seq).await.unwrap();
        assert_eq!(marks.iter().map(|mark| mark.delivery).collect::<Vec<_>>(), [expected], "round {round}");
    }
    assert_eq!(stage.figure("select count(*) from outbox where state <> 'sent'").await, 0);
    assert_eq!(stage.figure("select count(*) from receipts").await, 0);
}

pub(crate) async fn what_would_be_too_soon_counts_no_attempt(stage: &Stage) {
    let (_, part) = under_way(stage).await;
    let too_soon = SendOutcome::TooSoon { retry_at: at(14) };
    for _ in 0..20 {
        assert_eq!(part.attempts, 1);
        assert!(stage.settle(&part, too_soon.clone(), 12).await);
        assert!(!stage.settle(&part, taken("w1"), 12).await, "it is not being sent");
        assert_eq!(stage.next_part(13).await, None);
        assert_eq!(stage.next_part(14).await.unwrap(), part);
    }
    // Others go on.
    assert!(stage.settle(&part, too_soon, 14).await);
    stage.writes(&crate::support::telegram("bob"), "Привет", 0).await;
    stage.answers(&["Здравствуйте"], 13).await;
    assert_eq!(stage.delivers(13).await, ["Здравствуйте"]);
}

pub(crate) async fn a_part_tells_when_the_customer_wrote_last(stage: &Stage) {
    let writes = async |id: &str, sent_at, now| {
        let mut said = update(&ana(), id, words("Где заказ?"));
        said.sent_at = sent_at;
        stage.store.accept(&[said], None, &timing(), at(now)).await.unwrap();
        stage.answers(&["В пути"], now + 10).await;
        let part = stage.next_part(now + 11).await.unwrap();
        stage.sent(&part, now + 11).await;
        part.last_inbound_at
    };
    // A webhook that was held up for hours tells what counts; a clock that is ahead of ours tells nothing.
    assert_eq!(writes("1", Some(at(5)), 50_000).await, Some(at(5)));
    assert_eq!(writes("2", None, 60_000).await, Some(at(60_000)));
    assert_eq!(writes("3", Some(at(20)), 70_000).await, Some(at(60_000)), "the newest of all");
    assert_eq!(writes("4", Some(at(99_999)), 80_000).await, Some(at(80_000)));
}
