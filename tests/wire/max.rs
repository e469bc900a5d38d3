//! MAX: the adapter against a Bot API that goes wrong in every way that matters.

mod files;
mod receiving;
mod schema;
mod updates;

use std::collections::HashMap;
use std::time::Duration;

use firstline::adapters::max::{Max, MaxError, Waits};
use firstline::config::{self, Config, MaxMode};
use firstline::domain::channel::{Address, ChannelKind};
use firstline::domain::outbox::Outbound;
use firstline::ports::Retry;
use firstline::ports::channel::{Channel, SendError};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::telegram::{Ending, SOON, buttons, ending, short_waits};
use crate::support::fake_max::{Call, FakeMax, Fault};

const ANA: i64 = 11;
const SECRET: &str = "s3cret_of-the-webhook";
const SEND: &str = "POST /messages";

fn settings(fake: &FakeMax, mode: MaxMode) -> config::Max {
    settings_at(&fake.api_url, &fake.token, mode)
}

fn settings_at(api_url: &str, token: &str, mode: MaxMode) -> config::Max {
    let mut settings = Config::defaults().max;
    settings.api_url = api_url.parse().unwrap();
    settings.token = token.to_owned().into();
    settings.secret = SECRET.to_owned().into();
    settings.mode = mode;
    settings
}

fn connect(fake: &FakeMax) -> Max {
    Max::new(&settings(fake, MaxMode::Polling), short_waits()).unwrap()
}

/// An adapter that is never asked to call anybody.
fn offline() -> Max {
    Max::new(&settings_at("http://127.0.0.1:9", "max-token", MaxMode::Webhook), short_waits()).unwrap()
}

fn address(user: &str) -> Address {
    Address { channel: ChannelKind::Max, account: "max".to_owned(), external: user.to_owned() }
}

fn part(user: &str, text: &str) -> Outbound {
    Outbound { to: address(user), ..super::telegram::part(user, text) }
}

fn headers(secret: &str) -> HashMap<String, String> {
    HashMap::from([("x-max-bot-api-secret".to_owned(), secret.to_owned())])
}

fn query(call: &Call) -> Vec<(&str, &str)> {
    let mut query: Vec<_> = call.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    query.sort_unstable();
    query
}

/// A fake that [`ANA`] has started.
async fn with_customer() -> FakeMax {
    let fake = FakeMax::start().await;
    fake.customer_starts(ANA, None);
    fake
}

#[tokio::test]
async fn a_message_is_sent_as_plain_text_in_one_request() {
    let fake = with_customer().await;
    let words = "Заказ *M-1* в <b>пути</b>: https://myata.example/track_1";
    let receipt = connect(&fake).send(&part("11", words)).await.unwrap();

    assert_eq!(fake.replies(ANA), [words]);
    assert_eq!(receipt.provider_id.as_deref(), Some("mid.000000000adf429c0000000000000001"));
    let [call] = &fake.calls(SEND)[..] else { panic!("one request") };
    assert_eq!(query(call), [("disable_link_preview", "true"), ("user_id", "11")]);
    assert_eq!(
        call.body,
        json!({ "text": words, "attachments": null, "link": null }),
        "nulls are sent, a format is not"
    );
}

#[tokio::test]
async fn each_failure_of_a_send_has_its_outcome() {
    let later = || Ending::NotSent(Retry::Later);
    let refused = |unreachable| Ending::Refused { unreachable };
    let rows = [
        (Fault::TooMany(Some(7)), Ending::NotSent(Retry::After(SignedDuration::from_secs(7))), "429"),
        (Fault::TooMany(None), later(), "429 too.many.requests"),
        (Fault::Html(429), later(), "429"),
        (Fault::Error(503, "service.unavailable"), later(), "503"),
        (Fault::Html(503), later(), "503"),
        (Fault::Html(302), later(), "302"),
        (Fault::Html(407), later(), "407"),
        (Fault::Html(403), later(), "403 without a word of max"),
        (Fault::Html(404), later(), "404"),
        (Fault::Error(401, "verify.token"), later(), "business.max.ru"),
        (Fault::Error(403, "verify.token"), later(), "business.max.ru"),
        (Fault::Error(403, "chat.denied"), refused(true), "403 chat.denied"),
        (Fault::Error(403, "dialog.suspended"), refused(true), "suspended"),
        (Fault::Error(404, "chat.not.found"), refused(true), "chat.not.found"),
        (Fault::Error(400, "chat.denied"), refused(true), "400 chat.denied"),
        (Fault::Error(400, "user.not.found"), refused(true), "not.found"),
        (Fault::Error(400, "proto.payload"), refused(false), "400 proto.payload"),
        (Fault::Error(422, "something.new"), refused(false), "something.new"),
        (Fault::Unsuccessful, refused(false), "unsuccessful"),
        (Fault::Error(500, "internal.error"), Ending::Unknown, "500"),
        (Fault::Error(500, "chat.denied"), Ending::Unknown, "500"),
        (Fault::Html(502), Ending::Unknown, "502"),
        (Fault::Html(504), Ending::Unknown, "504"),
        (Fault::Html(200), Ending::Unknown, "not the bot api's"),
        (Fault::HalfAnswer, Ending::Unknown, "not the bot api's"),
        (Fault::Reset, Ending::Unknown, ""),
        (Fault::DoneThenReset, Ending::Unknown, ""),
    ];
    let fake = with_customer().await;
    let max = connect(&fake);
    let mut shown = 0;
    for (attempts, (fault, expected, words)) in rows.into_iter().enumerate() {
        fake.fail_next(SEND, 1, fault);
        let sent = tokio::time::timeout(SOON / 2, max.send(&part("11", "тайна"))).await.expect("an answer at once");
        let error = sent.expect_err("it fails");
        assert_eq!(ending(&error), expected, "{fault:?}");
        let told = error.to_string();
        assert!(told.contains(words), "{fault:?}: {told}");
        assert!(!told.contains("тайна") && !told.contains("f9LHfake") && !told.contains("=11"), "{fault:?}: {told}");
        assert_eq!(fake.calls(SEND).len(), attempts + 1, "{fault:?} is tried once");
        shown += usize::from(fault == Fault::DoneThenReset);
        assert_eq!(fake.replies(ANA).len(), shown, "{fault:?}");
    }
    max.send(&part("11", "снова")).await.expect("after all that it works");
}

#[tokio::test]
async fn an_answer_that_does_not_come_leaves_the_outcome_unknown() {
    let fake = with_customer().await;
    let waits = Waits { answer: Duration::from_secs(1), ..short_waits() };
    let max = Max::new(&settings(&fake, MaxMode::Polling), waits).unwrap();
    for (fault, shown) in [(Fault::Hang, 0), (Fault::DoneThenHang, 1)] {
        fake.fail_next(SEND, 1, fault);
        let error = max.send(&part("11", "тайна")).await.expect_err("no answer");
        assert_eq!(ending(&error), Ending::Unknown);
        assert_eq!(fake.replies(ANA).len(), shown);
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let fake = with_customer().await;
    let max = connect(&fake);
    max.send(&part("11", "раз")).await.unwrap();
    fake.go_down().await;
    // A connection kept from the first send would be reset now, and leave the outcome unknown.
    let refused = max.send(&part("11", "два")).await.expect_err("nobody listens");
    assert_eq!(ending(&refused), Ending::NotSent(Retry::Later), "{refused}");
    fake.come_up().await;
    max.send(&part("11", "три")).await.unwrap();
    assert_eq!(fake.replies(ANA), ["раз", "три"]);
}

#[tokio::test]
async fn choices_stand_under_the_message() {
    let fake = with_customer().await;
    let max = connect(&fake);
    let offered =
        Outbound { buttons: buttons(&["Да", "Позвать человека"]), ..part("11", "Это всё?") };
    assert!(offered.buttons.len() <= max.limits().buttons);
    max.send(&offered).await.unwrap();
    let button = |title: &str| json!({ "type": "callback", "text": title, "payload": format!("to {title}") });
    let rows = json!([[button("Да")], [button("Позвать человека")]]);
    let expected = json!([{ "type": "inline_keyboard", "payload": { "buttons": rows } }]);
    assert_eq!(fake.calls("POST /messages").pop().unwrap().body["attachments"], expected);
}

#[tokio::test]
async fn maxs_own_rules_are_told_apart() {
    let fake = with_customer().await;
    let max = connect(&fake);
    let limits = max.limits();
    assert_eq!((limits.text_units, limits.idempotent, limits.window), (4000, false, None));
    let pace = limits.pace.unwrap();
    assert_eq!((pace.account_per_second.get(), pace.between), (30, SignedDuration::from_millis(500)));
    max.send(&part("11", &"😀".repeat(2000))).await.expect("4000 units fit");
    let longer = max.send(&part("11", &"я".repeat(4001))).await.expect_err("4001 do not");
    assert_eq!(ending(&longer), Ending::Refused { unreachable: false });
    assert!(!longer.to_string().contains("яя"), "the fake quotes what was sent, we do not: {longer}");
    let stranger = max.send(&part("12", "Здравствуйте")).await.expect_err("never started");
    assert_eq!(ending(&stranger), Ending::Refused { unreachable: true });
    let web = max.send(&part("visitor", "Здравствуйте")).await.expect_err("not a user of max");
    assert_eq!(ending(&web), Ending::Refused { unreachable: true });
    fake.customer_stops(ANA);
    let stopped = max.send(&part("11", "Здравствуйте")).await.expect_err("stopped");
    assert_eq!(ending(&stopped), Ending::Refused { unreachable: true });
    fake.customer_starts(ANA, None);
    max.send(&part("11", "Здравствуйте")).await.expect("started again");
}

#[tokio::test]
async fn signs_are_shown_where_the_dialog_is_known_and_their_failure_is_nobodys_concern() {
    let fake = with_customer().await;
    let max = connect(&fake);
    let actions = format!("POST /chats/{}/actions", FakeMax::dialog(ANA));
    let done = |name: &str| fake.calls(name).iter().map(|call| call.body.clone()).collect::<Vec<Value>>();
    max.show_typing(&address("11")).await;
    assert!(fake.all_calls().is_empty(), "nothing tells the dialog's number yet");

    max.send(&part("11", "Здравствуйте")).await.unwrap();
    max.show_typing(&address("11")).await;
    assert_eq!(done(&actions), [json!({ "action": "typing_on" })], "the answer to a send tells it");

    let max = connect(&fake);
    let mid = fake.customer_writes(ANA, "Где заказ?");
    fake.customer_edits(ANA, &mid, "Где мой заказ?");
    fake.customer_taps(ANA, "csat:5", &Value::Null);
    let polled = max.poll(None).await.unwrap().unwrap();
    assert_eq!(polled.updates.len(), 4);
    fake.fail_next(&actions, 1, Fault::Error(500, "internal.error"));
    fake.fail_next("POST /answers", 1, Fault::Reset);
    for _ in 0..2 {
        for update in &polled.updates {
            max.stored(update).await;
        }
    }
    assert_eq!(done(&actions)[1..], [json!({ "action": "mark_seen" }), json!({ "action": "mark_seen" })]);
    let answers = fake.calls("POST /answers");
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0].body, json!({ "notification": "✓" }));
    assert_eq!(query(&answers[0]), [("callback_id", "f9LHodD0cOJ-1003")]);
    max.show_typing(&address("11")).await;
    max.show_typing(&address("visitor")).await;
    assert_eq!(done(&actions).len(), 4);
}

#[tokio::test]
async fn doctor_learns_the_name_or_what_is_wrong() {
    let fake = FakeMax::start().await;
    assert_eq!(connect(&fake).check().await.unwrap(), "@id7700000000_bot");
    assert_eq!(connect(&fake).account(), "max");

    let stranger = settings_at(&fake.api_url, "other", MaxMode::Polling);
    let error = Max::new(&stranger, short_waits()).unwrap().check().await.expect_err("an unknown token");
    assert!(matches!(error, MaxError::UnknownToken), "{error}");
    fake.fail_next("GET /me", 1, Fault::Html(403));
    let error = connect(&fake).check().await.expect_err("a proxy in between");
    assert!(matches!(error, MaxError::Unreachable(_)), "{error}");
    fake.fail_next("GET /me", 1, Fault::Error(403, "bot.suspended"));
    let error = connect(&fake).check().await.expect_err("a bot that is not allowed");
    assert_eq!(error.to_string(), "max refused: 403 bot.suspended: as ordered");
    fake.go_down().await;
    let error = connect(&fake).check().await.expect_err("nobody listens");
    assert!(matches!(error, MaxError::Unreachable(_)), "{error}");
    assert!(!error.to_string().contains("f9LHfake"), "{error}");
}

#[test]
fn settings_that_can_not_work_are_refused() {
    let kept = tempfile::tempdir().unwrap();
    let empty = kept.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let with = |url: &str, token: &str, ca_file: &std::path::Path| {
        let mut settings = settings_at(url, token, MaxMode::Polling);
        settings.ca_file = ca_file.to_owned();
        Max::new(&settings, short_waits())
    };
    let none = std::path::Path::new("");
    let (url, missing) = ("http://127.0.0.1:9", kept.path().join("missing.pem"));
    for (url, token, ca_file, told) in [
        (url, "", none, "max.token"),
        (url, "Bearer very-secret", none, "without \"Bearer\""),
        (url, "very-secret\n", none, "max.token"),
        (url, "токен", none, "max.token"),
        ("mailto:x", "very-secret", none, "max.api_url"),
        (url, "very-secret", &missing, "can't be read"),
        (url, "very-secret", &empty, "holds no certificate"),
    ] {
        match with(url, token, ca_file) {
            Err(error @ MaxError::Setting(_)) => {
                assert!(error.to_string().contains(told) && !error.to_string().contains("very-secret"), "{error}");
            }
            _ => panic!("{url} {token}"),
        }
    }
}

/// The class of an outcome, for those tests that only care about that.
fn is_not_sent(error: &SendError) -> bool {
    matches!(error, SendError::NotSent { .. })
}
