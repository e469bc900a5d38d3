//! WhatsApp: the adapter against a Cloud API that goes wrong in every way that matters.

mod properties;
mod schema;
mod updates;

use std::collections::HashMap;
use std::time::Duration;

use firstline::adapters::whatsapp::{Waits, WhatsApp, WhatsAppError};
use firstline::config::{self, Config};
use firstline::domain::channel::{Address, Attachment, AttachmentKind, ChannelKind, Inbound, InboundEvent};
use firstline::domain::outbox::Outbound;
use firstline::domain::text::MessageText;
use firstline::ports::Retry;
use firstline::ports::channel::{Channel, DecodeError, FetchError, SendError};
use futures_util::TryStreamExt;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::telegram::buttons;
use crate::support::fake_whatsapp::{FakeWhatsApp, Fault};

/// Our number.
const ACCOUNT: &str = "106540352242922";
/// A customer, by phone and by id.
const ANNA: &str = "79991234567";
const ANNAS_ID: &str = "RU.13491208655302741918";
const SECRET: &str = "appsecret";
const VERIFY: &str = "typed in on both sides";
const SOON: Duration = Duration::from_secs(10);

fn settings(api_url: &str, token: &str) -> config::WhatsApp {
    let mut settings = Config::defaults().whatsapp;
    settings.api_url = api_url.parse().unwrap();
    settings.token = token.to_owned().into();
    settings.phone_number_id = ACCOUNT.to_owned();
    settings.app_secret = SECRET.to_owned().into();
    settings.verify_token = VERIFY.to_owned().into();
    settings
}

fn short_waits() -> Waits {
    Waits { answer: Duration::from_secs(5), file: Duration::from_secs(5), typing: Duration::from_secs(5) }
}

fn connect(fake: &FakeWhatsApp) -> WhatsApp {
    let mut settings = settings(&fake.api_url, &fake.token);
    settings.app_secret = fake.app_secret.clone().into();
    WhatsApp::new(&settings, short_waits()).unwrap()
}

/// An adapter that is never asked to call anybody.
fn offline() -> WhatsApp {
    WhatsApp::new(&settings("http://127.0.0.1:9/v24.0", "EAAtoken"), short_waits()).unwrap()
}

fn address(key: &str) -> Address {
    Address { channel: ChannelKind::WhatsApp, account: ACCOUNT.to_owned(), external: key.to_owned() }
}

fn part(to: &str, text: &str) -> Outbound {
    Outbound { to: address(to), dedupe_key: "msg_7/0".to_owned(), ..super::telegram::part(to, text) }
}

/// A fake to whose number Anna wrote.
async fn with_customer() -> FakeWhatsApp {
    let fake = FakeWhatsApp::start().await;
    fake.introduce(ANNA, "Анна", Some(ANNAS_ID), false);
    fake.customer_writes(ANNA, "Здравствуйте");
    fake
}

#[tokio::test]
async fn a_message_is_sent_as_text_in_one_request() {
    let fake = with_customer().await;
    let words = "Заказ М-1 в пути: https://myata.example/track_1";
    for (key, field) in [(ANNA, "to"), (ANNAS_ID, "recipient")] {
        let receipt = connect(&fake).send(&part(key, words)).await.unwrap();
        assert!(receipt.provider_id.is_some_and(|id| id.starts_with("wamid.")));
        let expected = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", field: key, "type": "text",
            "text": { "body": words, "preview_url": false }, "biz_opaque_callback_data": "msg_7/0",
        });
        assert_eq!(fake.calls().pop(), Some(expected));
    }
    assert_eq!(fake.replies(ANNA), [words, words]);
}

/// How a send ended.
#[derive(Debug, PartialEq)]
enum Ending {
    NotSent(Retry),
    Unknown,
    Refused { unreachable: bool },
}

fn ending(error: &SendError) -> Ending {
    match error {
        SendError::NotSent { retry, .. } => Ending::NotSent(*retry),
        SendError::Unknown { .. } => Ending::Unknown,
        SendError::Refused { unreachable, .. } => Ending::Refused { unreachable: *unreachable },
    }
}

/// Fails a send with each of these; each must end so, and say that.
async fn check_each(rows: impl IntoIterator<Item = (Fault, Ending, &'static str)>) {
    let fake = with_customer().await;
    let whatsapp = connect(&fake);
    let mut shown = 0;
    for (attempts, (fault, expected, words)) in rows.into_iter().enumerate() {
        fake.fail_next_sends(1, fault);
        let sent =
            tokio::time::timeout(SOON / 2, whatsapp.send(&part(ANNA, "тайна"))).await.expect("an answer at once");
        let error = sent.expect_err("it fails");
        assert_eq!(ending(&error), expected, "{fault:?}");
        let told = error.to_string();
        assert!(told.contains(words), "{fault:?}: {told}");
        for secret in ["тайна", "EAAfake", "79990000000", ANNA] {
            assert!(!told.contains(secret), "{fault:?}: {told}");
        }
        assert_eq!(fake.calls().len(), attempts + 1, "{fault:?} is tried once");
        shown += usize::from(fault == Fault::ShowThenReset);
        assert_eq!(fake.replies(ANNA).len(), shown, "{fault:?}");
    }
    whatsapp.send(&part(ANNA, "снова")).await.expect("after all that it works");
}

#[tokio::test]
async fn each_code_of_meta_has_its_outcome() {
    let later = || Ending::NotSent(Retry::Later);
    let after = |seconds| Ending::NotSent(Retry::After(SignedDuration::from_secs(seconds)));
    let refused = |unreachable| Ending::Refused { unreachable };
    let rows = [
        (401, 0, later(), "whatsapp.token"),
        (401, 190, later(), "whatsapp.token"),
        (403, 3, later(), "whatsapp_business_messaging"),
        (403, 10, later(), "whatsapp_business_messaging"),
        (403, 200, later(), "whatsapp_business_messaging"),
        (403, 299, later(), "whatsapp_business_messaging"),
        (403, 131_005, later(), "whatsapp_business_messaging"),
        (400, 4, after(60), "too often"),
        (400, 80_007, after(60), "too often"),
        (429, 130_429, after(2), "too fast"),
        (400, 131_056, after(6), "this customer"),
        (400, 131_047, refused(false), "24 hours"),
        (400, 131_026, refused(true), "no WhatsApp"),
        (400, 131_049, refused(false), "marketing"),
        (400, 131_048, refused(false), "quality"),
        (400, 131_050, refused(false), "no marketing"),
        (400, 131_051, refused(false), "type of message"),
        (400, 131_052, later(), "file"),
        (400, 131_053, later(), "file"),
        (400, 131_042, later(), "payment"),
        (400, 131_030, refused(false), "test number"),
        (400, 132_000, refused(false), "template"),
        (400, 132_069, refused(false), "template"),
        (400, 130_472, refused(false), "experiment"),
        (400, 133_010, later(), "register"),
        (400, 368, later(), "blocked"),
        (403, 131_031, later(), "blocked"),
        // By the code, whatever the status: so says Meta.
        (500, 1, later(), "fault of its own"),
        (503, 2, later(), "fault of its own"),
        (500, 131_000, later(), "fault of its own"),
        (500, 131_016, later(), "down"),
        (429, 131_048, refused(false), "131048"),
        (503, 131_047, refused(false), "131047"),
        // Codes of which nothing is known.
        (400, 100, refused(false), "100"),
        (404, 999_999, refused(false), "999999"),
        (500, 999_999, Ending::Unknown, "999999"),
        (503, 999_999, later(), "999999"),
        (429, 999_999, later(), "999999"),
    ];
    check_each(rows.map(|(status, code, expected, words)| (Fault::Error(status, code), expected, words))).await;
}

#[tokio::test]
async fn each_failure_of_the_wire_has_its_outcome() {
    let later = || Ending::NotSent(Retry::Later);
    check_each([
        (Fault::Html(429, Some(7)), Ending::NotSent(Retry::After(SignedDuration::from_secs(7))), "429"),
        (Fault::Html(429, None), later(), "429"),
        (Fault::Html(503, None), later(), "503"),
        (Fault::Html(302, None), later(), "302"),
        (Fault::Html(404, None), later(), "404"),
        (Fault::Html(407, None), later(), "407"),
        (Fault::Html(500, None), Ending::Unknown, "500"),
        (Fault::Html(502, None), Ending::Unknown, "502"),
        (Fault::Html(504, None), Ending::Unknown, "504"),
        (Fault::Html(200, None), Ending::Unknown, "not the graph api's"),
        (Fault::HalfAnswer, Ending::Unknown, "not the graph api's"),
        (Fault::NoMessage, Ending::Unknown, "names no message"),
        (Fault::Reset, Ending::Unknown, ""),
        (Fault::ShowThenReset, Ending::Unknown, ""),
    ])
    .await;
}

#[tokio::test]
async fn who_gets_too_much_is_left_in_peace_for_longer_each_time() {
    let fake = with_customer().await;
    let whatsapp = connect(&fake);
    fake.fail_next_sends(2, Fault::Error(400, 131_056));
    for (attempts, seconds) in [(1, 6), (11, 66)] {
        let error = whatsapp.send(&Outbound { attempts, ..part(ANNA, "Ещё") }).await.expect_err("too many");
        assert_eq!(ending(&error), Ending::NotSent(Retry::After(SignedDuration::from_secs(seconds))));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_leaves_the_outcome_unknown() {
    let fake = with_customer().await;
    let waits = Waits { answer: Duration::from_secs(1), ..short_waits() };
    let whatsapp = WhatsApp::new(&settings(&fake.api_url, &fake.token), waits).unwrap();
    for (fault, shown) in [(Fault::Hang, 0), (Fault::ShowThenHang, 1)] {
        fake.fail_next_sends(1, fault);
        let error = whatsapp.send(&part(ANNA, "тайна")).await.expect_err("no answer");
        assert_eq!(ending(&error), Ending::Unknown);
        assert_eq!(fake.replies(ANNA).len(), shown);
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let fake = with_customer().await;
    let whatsapp = connect(&fake);
    whatsapp.send(&part(ANNA, "раз")).await.unwrap();
    fake.go_down().await;
    // A connection kept from the first send would be reset now, and leave the outcome unknown.
    let refused = whatsapp.send(&part(ANNA, "два")).await.expect_err("nobody listens");
    assert_eq!(ending(&refused), Ending::NotSent(Retry::Later), "{refused}");
    fake.come_up().await;
    whatsapp.send(&part(ANNA, "три")).await.unwrap();
    assert_eq!(fake.replies(ANNA), ["раз", "три"]);

    let with_tls = fake.api_url.replace("http://", "https://");
    let whatsapp = WhatsApp::new(&settings(&with_tls, &fake.token), short_waits()).unwrap();
    let no_handshake = whatsapp.send(&part(ANNA, "четыре")).await.expect_err("it speaks no TLS");
    assert_eq!(ending(&no_handshake), Ending::NotSent(Retry::Later), "{no_handshake}");
}

#[tokio::test]
async fn three_choices_are_buttons_and_more_are_a_list() {
    let fake = with_customer().await;
    let whatsapp = connect(&fake);
    let offer = |text: &str, titles: &[&str]| Outbound { buttons: buttons(titles), ..part(ANNA, text) };
    whatsapp.send(&offer("Это всё?", &["Да", "Позвать человека"])).await.unwrap();
    whatsapp.send(&offer("Оцените", &["1", "2", "3", "4", "5"])).await.unwrap();
    whatsapp.send(&offer("How did we do?", &["1", "2", "3", "a title that is too long"])).await.unwrap();
    assert_eq!(fake.replies(ANNA), ["Это всё?", "Оцените", "How did we do?"]);

    let sent: Vec<Value> = fake.calls().into_iter().map(|call| call["interactive"].clone()).collect();
    let reply = |title: &str| json!({ "type": "reply", "reply": { "id": format!("to {title}"), "title": title } });
    let action = json!({ "buttons": [reply("Да"), reply("Позвать человека")] });
    assert_eq!(sent[0], json!({ "type": "button", "body": { "text": "Это всё?" }, "action": action }));
    assert_eq!((&sent[1]["type"], &sent[1]["action"]["button"]), (&json!("list"), &json!("Выбрать")));
    let rows = sent[1]["action"]["sections"][0]["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[4]), (5, &json!({ "id": "to 5", "title": "5" })));
    assert_eq!(sent[2]["action"]["button"], "Choose");
    assert_eq!(sent[2]["action"]["sections"][0]["rows"][3]["title"], "a title that is too ");
}

#[tokio::test]
async fn whatsapps_own_rules_are_told_apart() {
    let fake = with_customer().await;
    let whatsapp = connect(&fake);
    let limits = whatsapp.limits();
    assert_eq!((limits.text_units, limits.idempotent), (4096, false));
    assert_eq!((limits.buttons, limits.buttoned_units), (10, 1024));
    assert_eq!(limits.window, Some(SignedDuration::from_hours(24)));
    let pace = limits.pace.unwrap();
    // What may go out in any minute stays far below the burst of 45 that is owed back afterwards.
    assert_eq!((pace.account_per_second.get(), pace.burst.get(), pace.between.as_secs()), (20, 10, 6));

    whatsapp.send(&part(ANNA, &"я".repeat(4096))).await.expect("4096 fit");
    whatsapp.send(&part(ANNA, &"😀".repeat(2048))).await.expect("4096 units fit, however they are counted");
    let longer = whatsapp.send(&part(ANNA, &"я".repeat(4097))).await.expect_err("4097 do not");
    assert_eq!(ending(&longer), Ending::Refused { unreachable: false });
    let stranger = whatsapp.send(&part("79990000001", "Здравствуйте")).await.expect_err("no such number");
    assert_eq!(ending(&stranger), Ending::Refused { unreachable: true });
    let calls = fake.calls().len();
    for nowhere in ["", "visitor", "12 34", "RU."] {
        let web = whatsapp.send(&part(nowhere, "Здравствуйте")).await.expect_err("not an address of whatsapp");
        assert_eq!(ending(&web), Ending::Refused { unreachable: true }, "{nowhere}");
    }
    assert_eq!(fake.calls().len(), calls, "nothing went out for these");
    fake.window_closes(ANNA);
    let late = whatsapp.send(&part(ANNA, "Здравствуйте")).await.expect_err("25 hours later");
    assert_eq!(ending(&late), Ending::Refused { unreachable: false });
    assert!(late.to_string().contains("24 hours"), "{late}");
    fake.customer_writes(ANNA, "Я снова здесь");
    whatsapp.send(&part(ANNA, "Здравствуйте")).await.expect("the window is open again");
}

#[tokio::test]
async fn typing_is_shown_under_the_newest_message_and_its_failure_is_nobodys_concern() {
    let fake = with_customer().await;
    let whatsapp = connect(&fake);
    whatsapp.show_typing(&address(ANNAS_ID)).await;
    assert!(fake.calls().is_empty(), "nothing of theirs is known yet");

    let newest = ["Где заказ?", "Алло"].map(|text| fake.customer_writes(ANNA, text));
    for id in &newest {
        let event = InboundEvent::Message(MessageText::new("Алло"));
        let update = Inbound { message_id: Some(id.clone()), ..Inbound::new(address(ANNAS_ID), id, event) };
        whatsapp.stored(&update).await;
    }
    let receipt = InboundEvent::Deleted { message_ids: vec![] };
    let silent = Inbound { message_id: Some("wamid.x".to_owned()), ..Inbound::new(address(ANNAS_ID), "x", receipt) };
    whatsapp.stored(&silent).await;
    assert!(fake.calls().is_empty(), "that it is stored makes it not read yet");
    whatsapp.show_typing(&address(ANNAS_ID)).await;
    let expected = json!({
        "messaging_product": "whatsapp", "status": "read", "message_id": newest[1], "typing_indicator": { "type": "text" },
    });
    assert_eq!(fake.calls(), [expected]);
    assert_eq!(fake.shown_typing(), [newest[1].clone()]);
    fake.fail_next_sends(1, Fault::Error(500, 131_000));
    whatsapp.show_typing(&address(ANNAS_ID)).await;
    assert_eq!(fake.calls().len(), 2);
}

fn attachment(remote: &str) -> Attachment {
    Attachment {
        kind: AttachmentKind::Photo,
        remote: remote.to_owned(),
        name: None,
        mime: None,
        size: None,
        seconds: None,
        transcript: None,
    }
}

async fn fetched(whatsapp: &WhatsApp, remote: &str) -> Result<Vec<u8>, FetchError> {
    let stream = whatsapp.fetch(&attachment(remote)).await?;
    stream.try_fold(Vec::new(), |whole, chunk| async move { Ok([whole, chunk.to_vec()].concat()) }).await
}

#[tokio::test]
async fn a_file_is_read_piece_by_piece_with_the_token() {
    let fake = FakeWhatsApp::start().await;
    let whatsapp = connect(&fake);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let file = fake.file(&bytes);
    assert_eq!(fetched(&whatsapp, &file).await.unwrap(), bytes);
    let gone = fetched(&whatsapp, "77777").await.expect_err("nobody sent it");
    assert!(matches!(gone, FetchError::Gone { .. }), "{gone}");
    let odd = fetched(&whatsapp, "../files?x=1").await.expect_err("no way out of the path");
    assert!(matches!(odd, FetchError::Gone { .. }), "{odd}");
    for fault in [Fault::Error(500, 131_000), Fault::Error(401, 190), Fault::Html(502, None), Fault::Reset] {
        fake.fail_next_file(fault);
        let error = fetched(&whatsapp, &file).await.expect_err("it fails");
        assert!(matches!(error, FetchError::NotNow { .. }), "{fault:?}: {error}");
        assert!(!error.to_string().contains("EAAfake"), "{error}");
    }
    let stranger = WhatsApp::new(&settings(&fake.api_url, "EAAother"), short_waits()).unwrap();
    assert!(matches!(fetched(&stranger, &file).await, Err(FetchError::NotNow { .. })));
    assert_eq!(fetched(&whatsapp, &file).await.unwrap().len(), bytes.len(), "after all that it works");
}

fn signed(signature: &str) -> HashMap<String, String> {
    HashMap::from([("x-hub-signature-256".to_owned(), signature.to_owned())])
}

#[test]
fn a_webhook_without_metas_signature_is_forged() {
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    // The vector of the reference, computed with another library.
    let vector = "sha256=09eceea024af6e6343b760cc9bd3ae7c056938dd636e24e92109eb8219500384";
    let whatsapp = offline();
    assert_eq!(whatsapp.decode(&signed(vector), body).unwrap(), []);
    assert_eq!(whatsapp.decode(&signed(&vector.replace("09ece", "09ECE")), body).unwrap(), []);
    let other_body = br#"{"object":"whatsapp_business_account", "entry":[]}"#;
    assert!(matches!(whatsapp.decode(&signed(vector), other_body), Err(DecodeError::Forged)), "every byte counts");
    for wrong in ["", "sha256=", &vector[7..], &vector[..20], &format!("{vector}0"), &vector.replace("09e", "19e")] {
        assert!(matches!(whatsapp.decode(&signed(wrong), body), Err(DecodeError::Forged)), "{wrong}");
    }
    assert!(matches!(whatsapp.decode(&HashMap::new(), body), Err(DecodeError::Forged)));
    let mut without = settings("http://127.0.0.1:9/v24.0", "EAAtoken");
    without.app_secret = String::new().into();
    let without = WhatsApp::new(&without, short_waits()).unwrap();
    // HMAC-SHA256 of the body with an empty key: what anybody can compute.
    let empty = "sha256=704eb71c28bbe7c091ca5b8f9446c2bceec023435f33ff17e7fb9634d46333bc";
    for given in [vector, empty] {
        assert!(matches!(without.decode(&signed(given), body), Err(DecodeError::Forged)), "no secret, no webhook");
    }
}

#[test]
fn the_webhooks_address_is_ours_where_the_token_is() {
    let asked = |mode: &str, token: &str| {
        let parameters = [("hub.mode", mode), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        offline().handshake(&HashMap::from(parameters))
    };
    assert_eq!(asked("subscribe", VERIFY).as_deref(), Some("1158201444"));
    for (mode, token) in [("subscribe", ""), ("subscribe", "typed in"), ("unsubscribe", VERIFY), ("", VERIFY)] {
        assert_eq!(asked(mode, token), None, "{mode} {token}");
    }
    assert_eq!(offline().handshake(&HashMap::new()), None);
    let mut without = settings("http://127.0.0.1:9/v24.0", "EAAtoken");
    without.verify_token = String::new().into();
    let without = WhatsApp::new(&without, short_waits()).unwrap();
    let empty = [("hub.mode", "subscribe"), ("hub.verify_token", ""), ("hub.challenge", "1")];
    assert_eq!(without.handshake(&empty.map(|(name, value)| (name.to_owned(), value.to_owned())).into()), None);
}

#[tokio::test]
async fn doctor_learns_the_number_or_what_is_wrong() {
    let fake = FakeWhatsApp::start().await;
    assert_eq!(connect(&fake).check().await.unwrap(), "+1 555-078-3881 Мята");
    assert_eq!((connect(&fake).kind(), connect(&fake).account()), (ChannelKind::WhatsApp, ACCOUNT));
    assert!(connect(&fake).poll(None).await.is_none(), "it pushes");

    let stranger = WhatsApp::new(&settings(&fake.api_url, "EAAother"), short_waits()).unwrap();
    let error = stranger.check().await.expect_err("an unknown token");
    assert!(matches!(error, WhatsAppError::Refused(_)), "{error}");
    assert!(error.to_string().contains("whatsapp.token"), "{error}");
    let mut elsewhere = settings(&fake.api_url, &fake.token);
    elsewhere.phone_number_id = "5".to_owned();
    let error = WhatsApp::new(&elsewhere, short_waits()).unwrap().check().await.expect_err("another number");
    assert!(matches!(error, WhatsAppError::Refused(_)), "{error}");
    fake.go_down().await;
    let error = connect(&fake).check().await.expect_err("nobody listens");
    assert!(matches!(error, WhatsAppError::Unreachable(_)), "{error}");
    assert!(!error.to_string().contains("EAAfake"), "{error}");
}

#[test]
fn settings_that_can_not_work_are_refused() {
    for (url, token) in
        [("http://127.0.0.1:9", "EAA\nx"), ("http://127.0.0.1:9", "EAA ключ\u{7f}"), ("mailto:x", "EAA")]
    {
        let refused = WhatsApp::new(&settings(url, token), short_waits());
        assert!(matches!(refused, Err(WhatsAppError::Setting(_))), "{url} {token}");
    }
}
