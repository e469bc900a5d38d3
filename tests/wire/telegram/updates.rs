//! What updates say, kind by kind.

use firstline::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
use firstline::domain::text::{Language, MessageText};
use firstline::ports::channel::{Channel, DecodeError};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SECRET, headers, offline};

/// What the adapter makes of an update of this kind.
fn decode(kind: &str, content: &Value) -> Result<Option<Inbound>, DecodeError> {
    let body = json!({ "update_id": 77, kind: content }).to_string();
    let mut decoded = offline().decode(&headers(SECRET), body.as_bytes())?;
    assert!(decoded.len() <= 1);
    Ok(decoded.pop())
}

#[test]
fn a_text_message_is_read_with_all_that_is_told() {
    let content = json!({
        "message_id": 5, "date": 1_700_000_000, "chat": { "id": 11, "type": "private", "first_name": "Анна" },
        "from": { "id": 11, "is_bot": false, "first_name": " Анна", "last_name": "Петрова ", "language_code": "en-GB" },
        "text": "Где мой заказ?", "rich_message": { "of": "the year 2027" },
    });
    let inbound = decode("message", &content).unwrap().unwrap();
    let from = Address { channel: ChannelKind::Telegram, account: "42".to_owned(), external: "11".to_owned() };
    let expected = Inbound {
        sent_at: Some(Timestamp::from_second(1_700_000_000).unwrap()),
        display_name: Some("Анна Петрова".to_owned()),
        language: Some(Language::En),
        ..Inbound::new(from, "77", InboundEvent::Message(MessageText::new("Где мой заказ?")))
    };
    assert_eq!(inbound, expected);
}

#[test]
fn what_is_not_needed_may_be_missing_or_strange() {
    for extra in
        [json!({}), json!({ "from": 17, "date": "вчера" }), json!({ "from": { "first_name": [], "language_code": 5 } })]
    {
        let mut content = json!({ "chat": { "id": 11 }, "text": "Алло" });
        content.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let inbound = decode("message", &content).unwrap().unwrap();
        assert_eq!(inbound.event, InboundEvent::Message(MessageText::new("Алло")), "{content}");
        assert_eq!((inbound.sent_at, inbound.display_name, inbound.language), (None, None, None), "{content}");
    }
}

/// What a private message with this content says.
fn event(content: Value) -> Option<InboundEvent> {
    let mut message = json!({
        "message_id": 5, "date": 1_700_000_000, "chat": { "id": 11, "type": "private" },
        "from": { "id": 11, "is_bot": false, "first_name": "Анна", "language_code": "ru" },
    });
    if let Value::Object(content) = content {
        message.as_object_mut().unwrap().extend(content);
    }
    decode("message", &message).unwrap().map(|inbound| inbound.event)
}

#[test]
fn opening_the_chat_is_not_a_message() {
    for (text, payload) in
        [("/start", None), ("/start ", None), ("/start 3fZk-x_9", Some("3fZk-x_9")), ("/start@myata_help_bot", None)]
    {
        let payload = payload.map(str::to_owned);
        assert_eq!(event(json!({ "text": text })), Some(InboundEvent::Started { payload }), "{text}");
    }
    for (text, words) in [
        ("/start Где мой заказ?", "Где мой заказ?"),
        ("/start where is my order", "where is my order"),
        ("/started", "/started"),
        ("/help", "/help"),
        ("не /start", "не /start"),
    ] {
        assert_eq!(event(json!({ "text": text })), Some(InboundEvent::Message(MessageText::new(words))), "{text}");
    }
}

#[test]
fn what_the_bot_can_not_see_is_named() {
    let file = json!({ "file_id": "x" });
    for (content, word) in [
        (json!({ "photo": [file] }), "photo"),
        (json!({ "voice": file }), "voice"),
        (json!({ "video_note": file }), "video_note"),
        (json!({ "animation": file, "document": file }), "animation"),
        (json!({ "document": file, "caption": " " }), "document"),
        (json!({ "sticker": file }), "sticker"),
        (json!({ "venue": {}, "location": {} }), "venue"),
        (json!({ "contact": { "phone_number": "+79990000000" } }), "contact"),
        (json!({ "hologram_of_2030": {} }), "message"),
    ] {
        assert_eq!(event(content), Some(InboundEvent::Unsupported(word.to_owned())));
    }
    let message = |text: &str| Some(InboundEvent::Message(MessageText::new(text)));
    assert_eq!(event(json!({ "photo": [file], "caption": "Пришло разбитым" })), message("[фото] Пришло разбитым"));
    assert_eq!(event(json!({ "video_note": file, "caption": "It is broken" })), message("[video note] It is broken"));
    assert_eq!(event(json!({ "document": file, "caption": "12345" })), message("[файл] 12345"));
    assert_eq!(event(json!({ "pinned_message": {} })), None);
    assert_eq!(event(json!({ "message_auto_delete_timer_changed": {} })), None);
}

#[test]
fn others_updates_are_left_out() {
    let private = json!({ "id": 11, "type": "private" });
    let group = json!({ "id": -100, "type": "supergroup" });
    let member = |status: &str, chat: &Value| json!({ "chat": chat, "new_chat_member": { "status": status } });
    for (kind, content) in [
        ("message", json!({ "chat": group, "text": "Привет" })),
        ("message", json!({ "chat": { "id": -5 }, "text": "Привет" })),
        ("message", json!({ "chat": private, "from": { "is_bot": true, "first_name": "Бот" }, "text": "Привет" })),
        ("edited_message", json!({ "chat": private, "text": "Исправлено" })),
        ("channel_post", json!({ "chat": { "id": -7, "type": "channel" }, "text": "Новости" })),
        ("callback_query", json!({ "id": "1", "data": "x" })),
        ("my_chat_member", member("member", &private)),
        ("my_chat_member", member("kicked", &group)),
        ("kind_of_2030", json!({})),
    ] {
        assert_eq!(decode(kind, &content).unwrap(), None, "{kind} {content}");
    }
    let blocked = decode("my_chat_member", &member("kicked", &private)).unwrap().unwrap();
    assert_eq!((blocked.event, blocked.from.external.as_str()), (InboundEvent::Blocked, "11"));
}

fn json_value() -> impl Strategy<Value = Value> {
    let keys =
        ["chat", "id", "type", "text", "caption", "from", "date", "photo", "new_chat_member", "status", "first_name"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,9}".prop_map(Value::from),
        Just(json!("private")),
        Just(json!("/start")),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(keys.to_vec()), inner), 0..8)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_telegram_sends_is_read_or_told_malformed(
        kind in prop::sample::select(vec!["message", "my_chat_member", "edited_message"]),
        content in json_value(),
    ) {
        match decode(kind, &content) {
            Ok(None) | Err(DecodeError::Malformed(_)) => {}
            Ok(Some(inbound)) => {
                prop_assert!(inbound.from.external.parse::<i64>().is_ok_and(|chat| chat > 0));
                prop_assert_eq!(inbound.external_id, "77");
            }
            Err(DecodeError::Forged) => prop_assert!(false, "it is signed"),
        }
    }

    #[test]
    fn bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(matches!(offline().decode(&headers(SECRET), &bytes), Err(DecodeError::Malformed(_))));
    }
}
