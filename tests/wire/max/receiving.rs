//! How updates come: polled, posted, subscribed to again.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use firstline::adapters::max::{Max, Waits};
use firstline::config::MaxMode;
use firstline::domain::channel::{ChannelKind, Inbound, InboundEvent};
use firstline::domain::text::MessageText;
use firstline::ports::Retry;
use firstline::ports::channel::{Channel, DecodeError, PollError, Polled};
use jiff::SignedDuration;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::task::TaskTracker;

use super::{ANA, SECRET, SOON, connect, headers, offline, query, settings, settings_at, short_waits, with_customer};
use crate::support::fake_max::{FakeMax, Fault};

const KINDS: [&str; 7] = [
    "message_created",
    "message_callback",
    "message_edited",
    "message_removed",
    "bot_started",
    "bot_stopped",
    "dialog_removed",
];

async fn poll(max: &Max, cursor: Option<&str>) -> Result<Polled, PollError> {
    max.poll(cursor).await.expect("it is polled")
}

fn texts(polled: &Polled) -> Vec<&str> {
    polled.updates.iter().map(text).collect()
}

fn text(inbound: &Inbound) -> &str {
    match &inbound.event {
        InboundEvent::Message(text) => text.as_str(),
        other => panic!("not a message: {other:?}"),
    }
}

#[tokio::test]
async fn what_was_not_stored_is_read_again_and_nothing_is_skipped() {
    let fake = FakeMax::start().await;
    fake.customer_writes(ANA, "Где мой заказ?");
    fake.customer_writes(12, "Привет");
    let before = poll(&connect(&fake), None).await.unwrap();
    assert_eq!(texts(&before), ["Где мой заказ?", "Привет"]);

    // The process dies before it has stored them, and starts without a cursor.
    let again = poll(&connect(&fake), None).await.unwrap();
    assert_eq!(again.updates, before.updates);
    let cursor = again.cursor.unwrap();
    assert_eq!((cursor.channel, cursor.account.as_str(), cursor.position.as_str()), (ChannelKind::Max, "max", "1003"));

    // It dies once more, after it has stored them.
    fake.customer_writes(ANA, "Алло");
    let rest = poll(&connect(&fake), Some(&cursor.position)).await.unwrap();
    assert_eq!(texts(&rest), ["Алло"]);
    assert_eq!(fake.pending(), 1, "the third is not committed until it is stored");
    let nothing = poll(&connect(&fake), Some(&rest.cursor.unwrap().position)).await.unwrap();
    assert!(nothing.updates.is_empty());
    assert_eq!(fake.pending(), 0);
    let asked = fake.calls("GET /updates");
    assert_eq!(query(&asked[0]), [("limit", "100"), ("timeout", "0"), ("types", KINDS.join(",").as_str())]);
    assert_eq!(asked[3].query["marker"], "1004");

    let garbled = poll(&connect(&fake), Some("мусор")).await.unwrap();
    assert!(garbled.updates.is_empty() && !fake.calls("GET /updates")[4].query.contains_key("marker"));
}

#[tokio::test]
async fn a_poll_waits_for_news_and_two_begin_half_a_second_apart() {
    let fake = FakeMax::start().await;
    let waits = Waits { news: Duration::from_secs(30), ..short_waits() };
    let max = Max::new(&settings(&fake, MaxMode::Polling), waits).unwrap();
    let write_when_polled = async {
        assert!(fake.wait(SOON, || fake.calls("GET /updates").len() == 1).await);
        fake.customer_writes(ANA, "Алло");
    };
    let began = Instant::now();
    let (polled, ()) =
        tokio::time::timeout(SOON, async { tokio::join!(poll(&max, None), write_when_polled) }).await.unwrap();
    assert_eq!(texts(&polled.unwrap()), ["Алло"]);
    poll(&max, None).await.unwrap();
    poll(&max, None).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "three polls: {:?}", began.elapsed());
}

#[tokio::test]
async fn malformed_updates_are_counted_and_passed() {
    let fake = FakeMax::start().await;
    let max = connect(&fake);
    fake.customer_writes(ANA, "Где мой заказ?");
    fake.push("message_created", json!({ "message": 17 }));
    fake.push("message_created", json!({ "message": { "body": { "text": "без отправителя" } } }));
    fake.push("message_removed", json!({ "chat_id": 5, "user_id": 5 }));
    fake.push("bot_stopped", json!({ "chat_id": 5 }));
    fake.push("message_created", json!({ "update_type": 17 }));
    fake.customer_writes(ANA, "Алло");

    let polled = poll(&max, None).await.unwrap();
    assert_eq!(texts(&polled), ["Где мой заказ?", "Алло"]);
    assert_eq!(polled.malformed, 5);
    let position = polled.cursor.unwrap().position;
    assert_eq!(position, "1008");

    // A batch of nothing but malformed ones does not stop the channel either.
    fake.push("message_callback", json!(null));
    let polled = poll(&max, Some(&position)).await.unwrap();
    assert_eq!((polled.updates.len(), polled.malformed), (0, 1));
    assert_eq!(polled.cursor.unwrap().position, "1009");
}

#[tokio::test]
async fn a_poll_that_fails_says_why_and_what_mends_it() {
    let later = Retry::Later;
    let rows = [
        (Fault::Error(401, "verify.token"), Retry::Never, "business.max.ru"),
        (Fault::TooMany(Some(3)), Retry::After(SignedDuration::from_secs(3)), "429"),
        (Fault::TooMany(None), later, "429"),
        (Fault::Error(500, "internal.error"), later, "500"),
        (Fault::Html(404), later, "404"),
        (Fault::Html(200), later, "not the bot api's"),
        (Fault::Unsuccessful, later, "as ordered"),
        (Fault::Reset, later, "no answer"),
    ];
    let fake = with_customer().await;
    let max = connect(&fake);
    for (fault, retry, words) in rows {
        fake.fail_next("GET /updates", 1, fault);
        let polled = tokio::time::timeout(SOON / 2, poll(&max, None)).await.expect("an answer at once");
        let error = polled.expect_err("it fails");
        assert_eq!(error.retry, retry, "{fault:?}");
        assert!(error.to_string().contains(words), "{fault:?}: {error}");
        assert!(!error.to_string().contains("f9LHfake"), "{fault:?}: {error}");
    }
    assert_eq!(poll(&max, None).await.unwrap().updates.len(), 1, "nothing was lost meanwhile");
    fake.subscribe("https://crm.example/hook", &[]);
    let conflict = poll(&max, None).await.expect_err("a webhook is set");
    assert!(conflict.why.contains("delete it"), "{conflict}");
    fake.go_down().await;
    assert_eq!(poll(&max, None).await.expect_err("nobody listens").retry, later);
}

#[tokio::test]
async fn duplicates_keep_their_key() {
    let fake = FakeMax::start().await;
    fake.deliver_twice(true);
    let mid = fake.customer_writes(ANA, "Алло");
    fake.customer_edits(ANA, &mid, "Алло!");
    fake.customer_edits(ANA, &mid, "Алло?!");
    fake.customer_taps(ANA, "csat:5", &json!(null));
    fake.customer_taps(ANA, "csat:5", &json!(null));
    fake.customer_removes(ANA, &mid);
    fake.customer_stops(ANA);
    fake.customer_starts(ANA, None);
    let keys: Vec<String> =
        poll(&connect(&fake), None).await.unwrap().updates.into_iter().map(|inbound| inbound.external_id).collect();
    assert_eq!(keys.len(), 16);
    let mut once = keys.clone();
    once.dedup();
    assert_eq!(once.len(), 8, "each comes twice with one key: {keys:#?}");
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), 8, "no two have the same: {keys:#?}");
}

#[test]
fn a_webhook_without_the_right_secret_is_forged() {
    let body = json!({
        "update_type": "message_created",
        "message": { "sender": { "user_id": 5 }, "recipient": { "chat_type": "dialog" }, "body": { "text": "Привет" } },
    });
    let body = body.to_string();
    let max = offline();
    assert_eq!(max.decode(&headers(SECRET), body.as_bytes()).unwrap().len(), 1);
    let longer = format!("{SECRET}x");
    for wrong in [
        std::collections::HashMap::new(),
        headers(""),
        headers(&SECRET[..5]),
        headers(&longer),
        headers("S3cret_of-the-webhook"),
    ] {
        assert!(matches!(max.decode(&wrong, body.as_bytes()), Err(DecodeError::Forged)), "{wrong:?}");
    }
    let mut without = settings_at("http://127.0.0.1:9", "max-token", MaxMode::Webhook);
    without.secret = String::new().into();
    let without = Max::new(&without, short_waits()).unwrap();
    assert!(matches!(without.decode(&headers(""), body.as_bytes()), Err(DecodeError::Forged)), "no secret, no webhook");
}

#[test]
fn a_signed_body_that_is_no_update_is_malformed_and_not_quoted() {
    for body in
        ["", "{", "[]", "17", r#"{"message":{"text":"тайна"}}"#, r#"{"update_type":"bot_started","user":"тайна"}"#]
    {
        match offline().decode(&headers(SECRET), body.as_bytes()) {
            Err(DecodeError::Malformed(why)) => assert!(!why.contains("тайна"), "{why}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_subscription_is_made_kept_and_made_again() {
    let fake = FakeMax::start().await;
    let max = Max::new(&settings(&fake, MaxMode::Webhook), short_waits()).unwrap();
    assert!(max.poll(None).await.is_none(), "a channel that pushes is not polled");
    assert_eq!(max.prepared_again_after(), Some(SignedDuration::from_mins(5)));
    let (ours, others) = ("https://help.example/max/max", "https://help.example/crm/max");
    // What stood there before: ours under another name, another program's, another host's, and ours as it was last year.
    fake.subscribe("https://help.example/max/old", &[]);
    fake.subscribe(others, &[]);
    fake.subscribe("https://test.example/max/old", &[]);
    fake.subscribe(ours, &["message_created"]);

    max.prepare("https://help.example").await.unwrap();
    let expected = json!({ "url": ours, "secret": SECRET, "update_types": KINDS });
    let made = |count: usize| {
        let calls = fake.calls("POST /subscriptions");
        assert_eq!(calls.len(), count);
        assert_eq!(calls[count - 1].body, expected);
    };
    made(1);
    assert_eq!(fake.subscriptions(), [others, "https://test.example/max/old", ours]);
    max.prepare("https://help.example").await.unwrap();
    made(1);

    fake.drops_subscriptions();
    max.prepare("https://help.example").await.unwrap();
    made(2);
    assert_eq!(fake.subscriptions(), [ours]);
    // A start can't see whether the secret is still the same, so it says it once more.
    let started = Max::new(&settings(&fake, MaxMode::Webhook), short_waits()).unwrap();
    started.prepare("https://help.example").await.unwrap();
    made(3);
    assert_eq!(fake.subscriptions(), [ours], "subscriptions do not add up");
}

#[tokio::test]
async fn polling_ends_what_we_subscribed_to_and_names_what_others_did() {
    let fake = FakeMax::start().await;
    fake.subscribe("https://help.example/max/max", &[]);
    connect(&fake).prepare("").await.unwrap();
    assert_eq!(fake.subscriptions(), [""; 0]);
    fake.subscribe("https://crm.example/hook?key=very-secret", &[]);
    let error = connect(&fake).prepare("").await.expect_err("it is not ours to end");
    assert!(error.why.contains("posts this bot's updates to crm.example:") && !error.why.contains("very"), "{error}");
    assert_eq!(fake.subscriptions().len(), 1);
}

#[tokio::test]
async fn what_can_not_be_made_ready_says_why() {
    let fake = FakeMax::start().await;
    let max = Max::new(&settings(&fake, MaxMode::Webhook), short_waits()).unwrap();
    for (name, fault, retry, words) in [
        ("GET /subscriptions", Fault::Error(401, "verify.token"), Retry::Never, "business.max.ru"),
        ("GET /subscriptions", Fault::Html(502), Retry::Later, "502"),
        ("GET /subscriptions", Fault::Unsuccessful, Retry::Later, "as ordered"),
        ("POST /subscriptions", Fault::Unsuccessful, Retry::Later, "as ordered"),
        ("POST /subscriptions", Fault::Reset, Retry::Later, "can't be reached"),
    ] {
        fake.fail_next(name, 1, fault);
        let error = max.prepare("https://help.example").await.expect_err("it fails");
        assert_eq!(error.retry, retry, "{name} {fault:?}");
        assert!(error.why.contains(words) && !error.why.contains(SECRET), "{name} {fault:?}: {error}");
    }
    max.prepare("https://help.example").await.unwrap();
    let mut settings = settings(&fake, MaxMode::Webhook);
    settings.secret = String::new().into();
    let without = Max::new(&settings, short_waits()).unwrap();
    assert!(without.prepare("https://help.example").await.expect_err("no secret").why.contains("max.secret"));
}

/// A bot's own web server, which answers the first posts with 503.
async fn serve_webhook(max: Arc<Max>, refuse: usize) -> (String, UnboundedReceiver<Vec<Inbound>>) {
    let (taken, comes) = unbounded_channel();
    let refuse = Arc::new(AtomicUsize::new(refuse));
    let hook = post(async move |headers: HeaderMap, body: Bytes| {
        if refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        taken.send(max.decode(&headers, &body).expect("max signs")).expect("the test listens");
        StatusCode::OK
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(axum::serve(listener, Router::new().route("/max/max", hook)).into_future());
    (url, comes)
}

#[tokio::test]
async fn a_webhook_brings_each_update_until_it_is_taken() {
    let fake = FakeMax::start().await;
    let max = Arc::new(Max::new(&settings(&fake, MaxMode::Webhook), short_waits()).unwrap());
    let (url, mut comes) = serve_webhook(Arc::clone(&max), 3).await;
    fake.customer_writes(ANA, "Где мой заказ?");
    max.prepare(&url).await.unwrap();
    fake.customer_writes(ANA, "Алло");
    fake.push("dialog_muted", json!({ "chat_id": 5, "user": { "user_id": 5 } }));
    fake.wait_until_read(SOON).await;
    for expected in ["Где мой заказ?", "Алло"] {
        assert_eq!(text(&comes.try_recv().unwrap()[0]), expected, "in order, refused or not");
    }
    assert!(comes.try_recv().is_err(), "each is brought once, and what was not asked for is not");

    fake.deliver_twice(true);
    fake.customer_writes(ANA, "Алло!");
    fake.wait_until_read(SOON).await;
    let (first, second) = (comes.try_recv().unwrap(), comes.try_recv().unwrap());
    assert_eq!(first[0].external_id, second[0].external_id);
    assert_eq!(first[0].event, InboundEvent::Message(MessageText::new("Алло!")));
}
