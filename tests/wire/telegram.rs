//! Telegram: the adapter against a Bot API that goes wrong in every way that matters.

mod business;
mod buttons;
mod files;
mod schema;
mod updates;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use firstline::adapters::telegram::{Telegram, TelegramError, Waits};
use firstline::config::{self, Config, TelegramMode};
use firstline::domain::channel::{Address, Button, ChannelKind, Inbound, InboundEvent};
use firstline::domain::id::{ConversationId, Ids, MessageId, OutboxId};
use firstline::domain::outbox::Outbound;
use firstline::domain::text::MessageText;
use firstline::ports::Retry;
use firstline::ports::channel::{Channel, DecodeError, PollError, Polled, SendError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use teloxide::requests::Requester;
use teloxide::types::{ChatId, UpdateKind};
use teloxide::{ApiError, RequestError};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::task::TaskTracker;
use url::Url;

use crate::support::fake_telegram::{FakeTelegram, Fault};

const CHAT: i64 = 11;
const SECRET: &str = "s3cret_of-the-webhook";
pub(super) const SOON: Duration = Duration::from_secs(10);
const UPDATES: [&str; 8] = [
    "message",
    "edited_message",
    "my_chat_member",
    "callback_query",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
];

fn settings(api_url: &str, token: &str, mode: TelegramMode) -> config::Telegram {
    let mut settings = Config::defaults().telegram;
    settings.api_url = api_url.parse().unwrap();
    settings.token = token.to_owned().into();
    settings.secret = SECRET.to_owned().into();
    settings.mode = mode;
    settings
}

pub(super) fn short_waits() -> Waits {
    Waits { news: Duration::ZERO, answer: Duration::from_secs(5) }
}

fn connect(fake: &FakeTelegram) -> Telegram {
    Telegram::new(&settings(&fake.api_url, &fake.token, TelegramMode::Polling), short_waits()).unwrap()
}

/// An adapter that is never asked to call anybody.
fn offline() -> Telegram {
    Telegram::new(&settings("http://127.0.0.1:9", "42:key", TelegramMode::Webhook), short_waits()).unwrap()
}

pub(super) fn part(chat: &str, text: &str) -> Outbound {
    let (ids, now) = (Ids::seeded(1), Timestamp::UNIX_EPOCH);
    Outbound {
        last_inbound_at: None,
        id: OutboxId::fresh(&ids, now),
        conversation: ConversationId::fresh(&ids, now),
        message: MessageId::fresh(&ids, now),
        part: 0,
        to: Address { channel: ChannelKind::Telegram, account: "42".to_owned(), external: chat.to_owned() },
        text: MessageText::new(text),
        buttons: Vec::new(),
        dedupe_key: "key".to_owned(),
        attempts: 1,
    }
}

/// A fake whose chat [`CHAT`] the bot may write to.
async fn with_customer() -> FakeTelegram {
    let fake = FakeTelegram::start().await;
    fake.customer_starts(CHAT);
    fake
}

#[tokio::test]
async fn a_message_is_sent_as_plain_text_in_one_request() {
    let fake = with_customer().await;
    let words = "Заказ *M-1* в <b>пути</b>: https://myata.example/track_1";
    let receipt = connect(&fake).send(&part("11", words)).await.unwrap();

    assert_eq!(fake.replies(CHAT), [words]);
    assert_eq!(receipt.provider_id.as_deref(), Some("2"), "the customer's own message is the first");
    let expected = json!({ "chat_id": 11, "text": words, "link_preview_options": { "is_disabled": true } });
    assert_eq!(fake.calls("sendMessage"), [expected]);
}

pub(super) fn buttons(titles: &[&str]) -> Vec<Button> {
    titles.iter().map(|title| Button { title: (*title).to_owned(), payload: format!("to {title}") }).collect()
}

/// How a send ended, and whether the customer saw the message.
#[derive(Debug, PartialEq)]
pub(super) enum Ending {
    NotSent(Retry),
    Unknown,
    Refused { unreachable: bool },
}

pub(super) fn ending(error: &SendError) -> Ending {
    match error {
        SendError::NotSent { retry, .. } => Ending::NotSent(*retry),
        SendError::Unknown { .. } => Ending::Unknown,
        SendError::Refused { unreachable, .. } => Ending::Refused { unreachable: *unreachable },
    }
}

#[tokio::test]
async fn each_failure_of_a_send_has_its_outcome() {
    let later = || Ending::NotSent(Retry::Later);
    let refused = |unreachable| Ending::Refused { unreachable };
    let rows = [
        (Fault::TooMany(7), Ending::NotSent(Retry::After(SignedDuration::from_secs(7))), "429"),
        (Fault::Html(429), later(), "429"),
        (Fault::Error(503, "Service Unavailable"), later(), "503"),
        (Fault::Html(302), later(), "302"),
        (Fault::Html(407), later(), "407"),
        (Fault::Html(404), later(), "404"),
        (Fault::Error(401, "Unauthorized"), later(), "@BotFather"),
        (Fault::Error(404, "Not Found"), later(), "@BotFather"),
        (Fault::Blocked, refused(true), "blocked by the user"),
        (Fault::Error(403, "Forbidden: user is deactivated"), refused(true), "deactivated"),
        (Fault::Error(403, "Forbidden: bot can't initiate conversation with a user"), refused(true), "initiate"),
        (Fault::Error(400, "Bad Request: chat not found"), refused(true), "chat not found"),
        (Fault::Error(400, "Bad Request: PEER_ID_INVALID"), refused(true), "PEER_ID_INVALID"),
        (Fault::Error(400, "Bad Request: message is too long"), refused(false), "too long"),
        (Fault::Error(400, "Bad Request: something new"), refused(false), "something new"),
        (Fault::Migrated(-100_500), refused(false), "-100500"),
        (Fault::Error(500, "Internal Server Error"), Ending::Unknown, "500"),
        (Fault::Error(502, "Bad Gateway"), Ending::Unknown, "502"),
        (Fault::Html(502), Ending::Unknown, "502"),
        (Fault::Html(504), Ending::Unknown, "504"),
        (Fault::Html(200), Ending::Unknown, "not the bot api's"),
        (Fault::HalfAnswer, Ending::Unknown, "not the bot api's"),
        (Fault::Reset, Ending::Unknown, ""),
        (Fault::ShowThenReset, Ending::Unknown, ""),
    ];
    let fake = with_customer().await;
    let telegram = connect(&fake);
    let mut shown = 0;
    for (attempts, (fault, expected, words)) in rows.into_iter().enumerate() {
        fake.fail_next_sends(1, fault);
        // The client of the crate sleeps for ten seconds over a 5xx; ours must not.
        let sent =
            tokio::time::timeout(SOON / 2, telegram.send(&part("11", "тайна"))).await.expect("an answer at once");
        let error = sent.expect_err("it fails");
        assert_eq!(ending(&error), expected, "{fault:?}");
        let told = error.to_string();
        assert!(told.contains(words), "{fault:?}: {told}");
        assert!(!told.contains("тайна") && !told.contains("AAEfake"), "{fault:?}: {told}");
        assert_eq!(fake.calls("sendMessage").len(), attempts + 1, "{fault:?} is tried once");
        shown += usize::from(fault == Fault::ShowThenReset);
        assert_eq!(fake.replies(CHAT).len(), shown, "{fault:?}");
    }
    telegram.send(&part("11", "снова")).await.expect("after all that it works");
}

#[tokio::test]
async fn an_answer_that_does_not_come_leaves_the_outcome_unknown() {
    let fake = with_customer().await;
    let waits = Waits { answer: Duration::from_secs(1), ..short_waits() };
    let settings = settings(&fake.api_url, &fake.token, TelegramMode::Polling);
    let telegram = Telegram::new(&settings, waits).unwrap();
    for (fault, shown) in [(Fault::Hang, 0), (Fault::ShowThenHang, 1)] {
        fake.fail_next_sends(1, fault);
        let error = telegram.send(&part("11", "тайна")).await.expect_err("no answer");
        assert_eq!(ending(&error), Ending::Unknown);
        assert!(!error.to_string().contains("AAEfake"), "{error}");
        assert_eq!(fake.replies(CHAT).len(), shown);
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let fake = with_customer().await;
    let telegram = connect(&fake);
    telegram.send(&part("11", "раз")).await.unwrap();
    fake.go_down().await;
    // A connection kept from the first send would be reset now, and leave the outcome unknown.
    let refused = telegram.send(&part("11", "два")).await.expect_err("nobody listens");
    assert_eq!(ending(&refused), Ending::NotSent(Retry::Later), "{refused}");
    assert!(!refused.to_string().contains("AAEfake"), "{refused}");
    fake.come_up().await;
    telegram.send(&part("11", "три")).await.unwrap();
    assert_eq!(fake.replies(CHAT), ["раз", "три"]);

    let with_tls = fake.api_url.replace("http://", "https://");
    let telegram = Telegram::new(&settings(&with_tls, &fake.token, TelegramMode::Polling), short_waits()).unwrap();
    let no_handshake = telegram.send(&part("11", "четыре")).await.expect_err("it speaks no TLS");
    assert_eq!(ending(&no_handshake), Ending::NotSent(Retry::Later), "{no_handshake}");
}

#[tokio::test]
async fn telegrams_own_rules_are_told_apart() {
    let fake = with_customer().await;
    let telegram = connect(&fake);
    assert_eq!(telegram.limits().text_units, 4096);
    assert!(!telegram.limits().idempotent);
    telegram.send(&part("11", &"😀".repeat(2048))).await.expect("4096 units fit");
    let longer = telegram.send(&part("11", &"я".repeat(4097))).await.expect_err("4097 do not");
    assert_eq!(ending(&longer), Ending::Refused { unreachable: false });
    let stranger = telegram.send(&part("12", "Здравствуйте")).await.expect_err("never wrote");
    assert_eq!(ending(&stranger), Ending::Refused { unreachable: true });
    let web = telegram.send(&part("visitor", "Здравствуйте")).await.expect_err("not a chat of telegram");
    assert_eq!(ending(&web), Ending::Refused { unreachable: true });
    fake.customer_blocks(CHAT);
    let blocked = telegram.send(&part("11", "Здравствуйте")).await.expect_err("blocked");
    assert_eq!(ending(&blocked), Ending::Refused { unreachable: true });
    fake.customer_unblocks(CHAT);
    telegram.send(&part("11", "Здравствуйте")).await.expect("unblocked");
}

#[tokio::test]
async fn typing_is_shown_and_its_failure_is_nobodys_concern() {
    let fake = with_customer().await;
    let telegram = connect(&fake);
    telegram.show_typing(&part("11", "").to).await;
    assert_eq!(fake.calls("sendChatAction"), [json!({ "chat_id": 11, "action": "typing" })]);
    fake.fail_next("sendChatAction", 1, Fault::Error(500, "Internal Server Error"));
    telegram.show_typing(&part("11", "").to).await;
    assert_eq!(fake.calls("sendChatAction").len(), 2);
}

async fn poll(telegram: &Telegram, cursor: Option<&str>) -> Result<Polled, PollError> {
    telegram.poll(cursor).await.expect("it is polled")
}

fn ids(polled: &Polled) -> Vec<i64> {
    polled.updates.iter().map(|inbound| inbound.external_id.parse().unwrap()).collect()
}

#[tokio::test]
async fn what_was_not_stored_is_read_again_and_nothing_is_skipped() {
    let fake = FakeTelegram::start().await;
    let first = fake.customer_writes(CHAT, "Где мой заказ?");
    let second = fake.customer_writes(12, "Привет");
    let before = poll(&connect(&fake), None).await.unwrap();
    assert_eq!(ids(&before), [first, second]);

    // The process dies before it has stored them, and starts without a cursor.
    let again = poll(&connect(&fake), None).await.unwrap();
    assert_eq!(again.updates, before.updates);
    let cursor = again.cursor.unwrap();
    assert_eq!((cursor.channel, cursor.account.as_str()), (ChannelKind::Telegram, "123456789"));
    assert_eq!(cursor.position, (second + 1).to_string());

    // It dies once more, after it has stored them.
    let third = fake.customer_writes(CHAT, "Алло");
    let rest = poll(&connect(&fake), Some(&cursor.position)).await.unwrap();
    assert_eq!(ids(&rest), [third]);
    assert_eq!(fake.pending(), 1, "the third is not confirmed until it is stored");
    let cursor = rest.cursor.unwrap();
    let nothing = poll(&connect(&fake), Some(&cursor.position)).await.unwrap();
    assert!(nothing.updates.is_empty() && nothing.cursor.is_none());
    assert_eq!(fake.pending(), 0);
    let asked = fake.calls("getUpdates");
    assert_eq!(
        asked[0],
        json!({
            "timeout": 0, "limit": 100,
            "allowed_updates": UPDATES,
        })
    );
    assert_eq!(asked[3]["offset"], json!(third + 1));
}

#[tokio::test]
async fn a_poll_waits_for_news() {
    let fake = FakeTelegram::start().await;
    let settings = settings(&fake.api_url, &fake.token, TelegramMode::Polling);
    let telegram = Telegram::new(&settings, Waits { news: Duration::from_secs(30), ..short_waits() }).unwrap();
    let write_when_polled = async {
        assert!(fake.wait(SOON, || fake.calls("getUpdates").len() == 1).await);
        fake.customer_writes(CHAT, "Алло")
    };
    let (polled, written) =
        tokio::time::timeout(SOON, async { tokio::join!(poll(&telegram, None), write_when_polled) }).await.unwrap();
    assert_eq!(ids(&polled.unwrap()), [written]);
}

#[tokio::test]
async fn malformed_updates_are_counted_and_passed() {
    let fake = FakeTelegram::start().await;
    let telegram = connect(&fake);
    let good = fake.customer_writes(CHAT, "Где мой заказ?");
    fake.push("message", json!(17));
    fake.push("message", json!({ "text": "без чата" }));
    fake.push("message", json!({ "chat": { "id": 5, "type": "private" }, "text": { "not": "a text" } }));
    fake.push("my_chat_member", json!({ "chat": { "id": 5, "type": "private" } }));
    let also_good = fake.customer_writes(CHAT, "Алло");
    let last = fake.push("message", json!([]));

    let polled = poll(&telegram, None).await.unwrap();
    assert_eq!(ids(&polled), [good, also_good]);
    assert_eq!(polled.malformed, 5);
    let position = polled.cursor.unwrap().position;
    assert_eq!(position, (last + 1).to_string());

    // A batch of nothing but malformed ones does not stop the channel either.
    let poison = fake.push("message", json!(null));
    let polled = poll(&telegram, Some(&position)).await.unwrap();
    assert_eq!((polled.updates.len(), polled.malformed), (0, 1));
    assert_eq!(polled.cursor.unwrap().position, (poison + 1).to_string());
}

#[tokio::test]
async fn a_poll_that_fails_says_why_and_what_mends_it() {
    let later = Retry::Later;
    let rows = [
        (Fault::Error(401, "Unauthorized"), Retry::Never, "@BotFather"),
        (Fault::Error(404, "Not Found"), Retry::Never, "@BotFather"),
        (Fault::Error(409, "Conflict: terminated by other getUpdates request"), later, "another process"),
        (Fault::TooMany(3), Retry::After(SignedDuration::from_secs(3)), "429"),
        (Fault::Error(500, "Internal Server Error"), later, "500"),
        (Fault::Html(404), later, "404"),
        (Fault::Html(200), later, "not the bot api's"),
        (Fault::Reset, later, "no answer"),
    ];
    let fake = with_customer().await;
    let telegram = connect(&fake);
    for (fault, retry, words) in rows {
        fake.fail_next("getUpdates", 1, fault);
        let polled = tokio::time::timeout(SOON / 2, poll(&telegram, None)).await.expect("an answer at once");
        let error = polled.expect_err("it fails");
        assert_eq!(error.retry, retry, "{fault:?}");
        assert!(error.to_string().contains(words), "{fault:?}: {error}");
        assert!(!error.to_string().contains("AAEfake"), "{fault:?}: {error}");
    }
    assert_eq!(poll(&telegram, None).await.unwrap().updates.len(), 1, "nothing was lost meanwhile");

    telegram.set_webhook(&"http://127.0.0.1:9/hook".parse().unwrap()).await.unwrap();
    let conflict = poll(&telegram, None).await.expect_err("a webhook is set");
    assert!(conflict.why.contains("delete it"), "{conflict}");
    telegram.delete_webhook().await.unwrap();
    assert_eq!(poll(&telegram, None).await.unwrap().updates.len(), 1);
    fake.go_down().await;
    assert_eq!(poll(&telegram, None).await.expect_err("nobody listens").retry, later);
}

#[tokio::test]
async fn a_second_process_that_polls_is_a_conflict() {
    let fake = FakeTelegram::start().await;
    let settings = settings(&fake.api_url, &fake.token, TelegramMode::Polling);
    let first = Telegram::new(&settings, Waits { news: Duration::from_secs(30), ..short_waits() }).unwrap();
    let second = connect(&fake);
    let intrude = async {
        assert!(fake.wait(SOON, || fake.calls("getUpdates").len() == 1).await);
        poll(&second, None).await.unwrap();
    };
    let (ended, ()) = tokio::time::timeout(SOON, async { tokio::join!(poll(&first, None), intrude) }).await.unwrap();
    assert!(ended.expect_err("ended by the second").why.contains("another process polls this bot"));
}

#[tokio::test]
async fn a_cursor_that_is_no_number_reads_all_that_waits() {
    let fake = with_customer().await;
    let polled = poll(&connect(&fake), Some("мусор")).await.unwrap();
    assert_eq!(polled.updates.len(), 1);
}

#[tokio::test]
async fn duplicates_keep_their_key() {
    let fake = FakeTelegram::start().await;
    fake.deliver_twice(true);
    let id = fake.customer_writes(CHAT, "Алло");
    assert_eq!(ids(&poll(&connect(&fake), None).await.unwrap()), [id, id]);
}

fn headers(secret: &str) -> HashMap<String, String> {
    HashMap::from([("x-telegram-bot-api-secret-token".to_owned(), secret.to_owned())])
}

#[test]
fn a_webhook_without_the_right_secret_is_forged() {
    let body = json!({ "update_id": 77, "message": { "chat": { "id": 1, "type": "private" }, "text": "Привет" } });
    let body = body.to_string();
    let telegram = offline();
    assert_eq!(telegram.decode(&headers(SECRET), body.as_bytes()).unwrap().len(), 1);
    let longer = format!("{SECRET}x");
    for wrong in
        [HashMap::new(), headers(""), headers(&SECRET[..5]), headers(&longer), headers("S3cret_of-the-webhook")]
    {
        assert!(matches!(telegram.decode(&wrong, body.as_bytes()), Err(DecodeError::Forged)), "{wrong:?}");
    }
    let mut without = settings("http://127.0.0.1:9", "42:key", TelegramMode::Webhook);
    without.secret = String::new().into();
    let without = Telegram::new(&without, short_waits()).unwrap();
    assert!(matches!(without.decode(&headers(""), body.as_bytes()), Err(DecodeError::Forged)), "no secret, no webhook");
    assert!(matches!(without.decode(&HashMap::new(), body.as_bytes()), Err(DecodeError::Forged)));
}

#[test]
fn a_signed_body_that_is_no_update_is_malformed_and_not_quoted() {
    for body in [
        "",
        "{",
        "[]",
        "17",
        r#"{"message":{"text":"тайна"}}"#,
        r#"{"update_id":"77"}"#,
        r#"{"update_id":5,"message":"тайна"}"#,
    ] {
        match offline().decode(&headers(SECRET), body.as_bytes()) {
            Err(DecodeError::Malformed(why)) => assert!(!why.contains("тайна"), "{why}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn updates_left_out_move_the_cursor() {
    let fake = FakeTelegram::start().await;
    let edit = fake.push("edited_message", json!({ "chat": { "id": 11, "type": "private" }, "text": "Исправлено" }));
    let polled = poll(&connect(&fake), None).await.unwrap();
    assert_eq!((polled.updates.len(), polled.malformed), (0, 0));
    assert_eq!(polled.cursor.unwrap().position, (edit + 1).to_string());
    fake.customer_starts(CHAT);
    fake.customer_blocks(CHAT);
    let polled = poll(&connect(&fake), None).await.unwrap();
    let events: Vec<_> = polled.updates.into_iter().map(|inbound| inbound.event).collect();
    assert_eq!(events, [InboundEvent::Started { payload: None }, InboundEvent::Blocked]);
}

/// A bot's own web server, which answers the first posts with 503.
async fn serve_webhook(telegram: Arc<Telegram>, refuse: usize) -> (Url, UnboundedReceiver<Vec<Inbound>>) {
    let (taken, comes) = unbounded_channel();
    let refuse = Arc::new(AtomicUsize::new(refuse));
    let hook = post(async move |headers: HeaderMap, body: Bytes| {
        if refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        taken.send(telegram.decode(&headers, &body).expect("telegram signs")).expect("the test listens");
        StatusCode::OK
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap()).parse().unwrap();
    TaskTracker::new().spawn(axum::serve(listener, Router::new().route("/hook", hook)).into_future());
    (url, comes)
}

#[tokio::test]
async fn a_webhook_brings_each_update_until_it_is_taken() {
    let fake = FakeTelegram::start().await;
    let settings = settings(&fake.api_url, &fake.token, TelegramMode::Webhook);
    let telegram = Arc::new(Telegram::new(&settings, short_waits()).unwrap());
    assert!(telegram.poll(None).await.is_none(), "a channel that pushes is not polled");
    let (url, mut comes) = serve_webhook(Arc::clone(&telegram), 3).await;

    let waited = fake.customer_writes(CHAT, "Где мой заказ?");
    telegram.set_webhook(&url).await.unwrap();
    let expected = json!({
        "url": url.as_str(), "secret_token": SECRET, "max_connections": 8,
        "allowed_updates": UPDATES,
    });
    assert_eq!(fake.calls("setWebhook"), [expected]);
    let second = fake.customer_writes(CHAT, "Алло");
    fake.wait_until_read(SOON).await;
    for id in [waited, second] {
        assert_eq!(comes.try_recv().unwrap()[0].external_id, id.to_string(), "in order, refused or not");
    }
    assert!(comes.try_recv().is_err(), "each is brought once");

    fake.deliver_twice(true);
    let third = fake.customer_writes(CHAT, "Алло!");
    fake.wait_until_read(SOON).await;
    for _ in 0..2 {
        assert_eq!(comes.try_recv().unwrap()[0].external_id, third.to_string());
    }

    telegram.delete_webhook().await.unwrap();
    fake.customer_writes(CHAT, "Есть кто?");
    assert_eq!((fake.webhook(), fake.pending()), (None, 1), "it waits to be polled");
}

#[tokio::test]
async fn doctor_learns_the_name_or_what_is_wrong() {
    let fake = FakeTelegram::start().await;
    assert_eq!(connect(&fake).check().await.unwrap(), "@myata_help_bot");
    assert_eq!(connect(&fake).account(), "123456789");

    let stranger = settings(&fake.api_url, "1:other", TelegramMode::Polling);
    let error = Telegram::new(&stranger, short_waits()).unwrap().check().await.expect_err("an unknown token");
    assert!(matches!(error, TelegramError::UnknownToken), "{error}");
    fake.fail_next("getMe", 1, Fault::Html(403));
    let error = connect(&fake).check().await.expect_err("a proxy in between");
    assert!(matches!(error, TelegramError::Unreachable(_)), "{error}");
    fake.go_down().await;
    let error = connect(&fake).check().await.expect_err("nobody listens");
    assert!(matches!(error, TelegramError::Unreachable(_)), "{error}");
    assert!(!error.to_string().contains("AAEfake"), "{error}");
}

#[test]
fn settings_that_can_not_work_are_refused() {
    let url = "http://127.0.0.1:9";
    for (url, token) in [
        (url, ""),
        (url, "42"),
        (url, ":key"),
        (url, "42:"),
        (url, "bot42:key"),
        (url, "42:ключ"),
        ("mailto:x", "42:key"),
    ] {
        let refused = Telegram::new(&settings(url, token, TelegramMode::Polling), short_waits());
        assert!(matches!(refused, Err(TelegramError::Setting(_))), "{url} {token}");
    }
}

#[tokio::test]
async fn a_webhook_is_never_set_without_a_secret() {
    let fake = FakeTelegram::start().await;
    let mut settings = settings(&fake.api_url, &fake.token, TelegramMode::Webhook);
    settings.secret = String::new().into();
    let telegram = Telegram::new(&settings, short_waits()).unwrap();
    let refused = telegram.set_webhook(&"http://127.0.0.1:9/hook".parse().unwrap()).await;
    assert!(matches!(refused, Err(TelegramError::Setting(_))));
    assert_eq!(fake.webhook(), None);
}

/// Somebody else's client reads what the fake says, so that it and the adapter do not share one misunderstanding.
#[tokio::test]
async fn the_fake_speaks_what_teloxide_understands() {
    let fake = FakeTelegram::start().await;
    let bot = teloxide::Bot::new(&fake.token).set_api_url(fake.api_url.parse().unwrap());
    assert_eq!(bot.get_me().await.unwrap().username(), "myata_help_bot");

    fake.introduce(CHAT, "Ann", "Lee", "en");
    fake.customer_writes(CHAT, "/start x");
    let photo = json!({ "file_id": "f", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 9 });
    fake.customer_sends(CHAT, json!({ "photo": [photo], "caption": "Broken" }));
    let last = fake.customer_blocks(CHAT);
    let updates = bot.get_updates().await.unwrap();
    let kinds = updates.iter().map(|update| match &update.kind {
        UpdateKind::Message(message) => message.text().or(message.caption()).unwrap_or_default(),
        UpdateKind::MyChatMember(change) if change.new_chat_member.is_banned() => "blocked",
        other => panic!("not understood: {other:?}"),
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["/start x", "Broken", "blocked"]);
    assert_eq!(i64::from(updates[2].id.0), last);
    assert_eq!(updates[0].from().unwrap().full_name(), "Ann Lee");

    let blocked = bot.send_message(ChatId(CHAT), "Hello").await;
    assert!(matches!(blocked, Err(RequestError::Api(ApiError::BotBlocked))), "{blocked:?}");
    fake.customer_unblocks(CHAT);
    let sent = bot.send_message(ChatId(CHAT), "Hello").await.unwrap();
    assert_eq!((sent.text(), sent.chat.id), (Some("Hello"), ChatId(CHAT)));
    fake.fail_next_sends(1, Fault::TooMany(9));
    let limited = bot.send_message(ChatId(CHAT), "Hello").await;
    assert!(matches!(limited, Err(RequestError::RetryAfter(wait)) if wait.seconds() == 9), "{limited:?}");
    assert_eq!(bot.get_webhook_info().await.unwrap().pending_update_count, 4);
    let stranger = teloxide::Bot::new("1:other").set_api_url(fake.api_url.parse().unwrap()).get_me().await;
    assert!(matches!(stranger, Err(RequestError::Api(ApiError::InvalidToken))), "{stranger:?}");
}
