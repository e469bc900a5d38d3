//! What updates say, kind by kind.

use firstline::domain::channel::{
    Address, Attachment, AttachmentKind, ChannelKind, Inbound, InboundEvent, Press, SharedContact,
};
use firstline::domain::text::{Language, MessageText};
use firstline::ports::channel::{Channel, DecodeError};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SECRET, headers, offline};

/// What the adapter makes of an update of this kind.
pub(super) fn decode(kind: &str, content: &Value) -> Result<Option<Inbound>, DecodeError> {
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
        message_id: Some("5".to_owned()),
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

/// A private message with this content.
fn private(content: Value) -> Value {
    let mut message = json!({
        "message_id": 5, "date": 1_700_000_000, "chat": { "id": 11, "type": "private" },
        "from": { "id": 11, "is_bot": false, "first_name": "Анна", "language_code": "ru" },
    });
    if let Value::Object(content) = content {
        message.as_object_mut().unwrap().extend(content);
    }
    message
}

fn inbound(content: Value) -> Option<Inbound> {
    decode("message", &private(content)).unwrap()
}

/// What a private message with this content says.
fn event(content: Value) -> Option<InboundEvent> {
    inbound(content).map(|inbound| inbound.event)
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
        (json!({ "contact": { "first_name": "Анна" } }), "contact"),
        (json!({ "hologram_of_2030": {} }), "message"),
    ] {
        assert_eq!(event(content), Some(InboundEvent::Unsupported(word.to_owned())));
    }
    let message = |text: &str| Some(InboundEvent::Message(MessageText::new(text)));
    assert_eq!(event(json!({ "photo": [file], "caption": "Пришло разбитым" })), message("[фото] Пришло разбитым"));
    assert_eq!(event(json!({ "video_note": file, "caption": "It is broken" })), message("[video note] It is broken"));
    assert_eq!(event(json!({ "document": file, "caption": "12345" })), message("[файл] 12345"));
    assert_eq!(event(json!({ "photo": [file], "caption": "/start" })), message("[photo] /start"));
    assert_eq!(event(json!({ "pinned_message": {} })), None);
    assert_eq!(event(json!({ "message_auto_delete_timer_changed": {} })), None);
}

#[test]
fn files_come_with_what_is_told_of_them() {
    let sizes = json!([
        { "file_id": "small", "width": 90, "height": 90, "file_size": 1_000 },
        { "file_id": "large", "width": 1280, "height": 960, "file_size": 90_000 },
        { "file_id": "middle", "width": 320, "height": 240 },
    ]);
    let file = |kind, remote: &str| Attachment {
        kind,
        remote: remote.to_owned(),
        name: None,
        mime: None,
        size: None,
        seconds: None,
        transcript: None,
    };
    let named = json!({ "file_id": "d", "file_name": "чек.pdf", "mime_type": "application/pdf", "file_size": 5 });
    let document = Attachment {
        name: Some("чек.pdf".to_owned()),
        mime: Some("application/pdf".to_owned()),
        size: Some(5),
        ..file(AttachmentKind::Document, "d")
    };
    let spoken = json!({ "file_id": "v", "duration": 7, "mime_type": "audio/ogg" });
    let voice = Attachment { mime: Some("audio/ogg".to_owned()), seconds: Some(7), ..file(AttachmentKind::Voice, "v") };
    let plain = json!({ "file_id": "x" });
    for (content, expected) in [
        (json!({ "photo": sizes }), Attachment { size: Some(90_000), ..file(AttachmentKind::Photo, "large") }),
        (json!({ "document": named }), document),
        (json!({ "voice": spoken }), voice),
        (json!({ "audio": plain }), file(AttachmentKind::Audio, "x")),
        (json!({ "video": plain }), file(AttachmentKind::Video, "x")),
        (json!({ "video_note": plain }), file(AttachmentKind::Video, "x")),
        (json!({ "animation": plain, "document": named }), file(AttachmentKind::Video, "x")),
        (json!({ "sticker": plain }), file(AttachmentKind::Sticker, "x")),
    ] {
        assert_eq!(inbound(content.clone()).unwrap().attachments, [expected], "{content}");
    }
    for strange in [json!({ "photo": [] }), json!({ "photo": 5 }), json!({ "voice": { "duration": 7 } })] {
        let read = inbound(strange).unwrap();
        assert!(read.attachments.is_empty() && matches!(read.event, InboundEvent::Unsupported(_)));
    }
}

#[test]
fn of_an_album_more_follows() {
    let photo = json!([{ "file_id": "x" }]);
    assert!(inbound(json!({ "photo": photo, "media_group_id": "7" })).unwrap().more_follows);
    assert!(!inbound(json!({ "photo": photo })).unwrap().more_follows);
}

#[test]
fn places_are_words() {
    let message = |text: &str| Some(InboundEvent::Message(MessageText::new(text)));
    let at = json!({ "latitude": 55.75, "longitude": 37.61 });
    assert_eq!(event(json!({ "location": at })), message("[геопозиция] 55.75, 37.61"));
    let venue = json!({ "location": at, "title": "Мята", "address": "Тверская, 1" });
    let expected = message("[место] Мята, Тверская, 1 (55.75, 37.61)");
    assert_eq!(event(json!({ "venue": venue, "location": at })), expected);
    assert_eq!(event(json!({ "venue": { "location": at } })), message("[место] 55.75, 37.61"));
}

#[test]
fn what_was_passed_on_is_marked_and_is_no_command() {
    let message = |text: &str| Some(InboundEvent::Message(MessageText::new(text)));
    let origin = json!({ "type": "hidden_user", "sender_user_name": "Кто-то", "date": 1 });
    assert_eq!(
        event(json!({ "text": "Вам положена скидка 90%", "forward_origin": origin })),
        message("[переслано] Вам положена скидка 90%")
    );
    assert_eq!(event(json!({ "text": "/start x", "forward_origin": origin })), message("[forwarded] /start x"));
}

#[test]
fn a_contact_is_ones_own_only_where_telegram_says_whose_it_is() {
    let contact = |extra: Value| {
        let mut contact = json!({ "phone_number": "+79990000000", "first_name": "Анна", "last_name": "Петрова" });
        contact.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        event(json!({ "contact": contact }))
    };
    let expected = |is_own| {
        let name = Some("Анна Петрова".to_owned());
        Some(InboundEvent::Contact(SharedContact { phone: "+79990000000".to_owned(), name, is_own }))
    };
    assert_eq!(contact(json!({ "user_id": 11 })), expected(true));
    assert_eq!(contact(json!({ "user_id": 12 })), expected(false), "somebody else's");
    assert_eq!(contact(json!({})), expected(false), "from an address book");
    assert_eq!(contact(json!({ "user_id": "11" })), expected(false));
}

#[test]
fn an_edit_names_the_message_and_has_its_own_time() {
    let edit = |content: Value| {
        let mut message = private(content);
        message["edit_date"] = json!(1_700_000_060);
        decode("edited_message", &message).unwrap()
    };
    let edited = |text: &str| InboundEvent::Edited { message_id: "5".to_owned(), text: MessageText::new(text) };
    let said = edit(json!({ "text": "/start Номер М-2" })).unwrap();
    assert_eq!((said.event, said.message_id), (edited("/start Номер М-2"), None));
    assert_eq!(said.sent_at, Some(Timestamp::from_second(1_700_000_060).unwrap()));
    let photo = json!([{ "file_id": "x" }]);
    assert_eq!(edit(json!({ "photo": photo, "caption": "Вот" })).unwrap().event, edited("[фото] Вот"));
    assert_eq!(edit(json!({ "photo": photo })).unwrap().event, edited("[photo]"));
    let at = json!({ "latitude": 55.75, "longitude": 37.61 });
    assert_eq!(edit(json!({ "location": at })), None, "who moves says nothing new");
}

#[test]
fn a_tap_says_what_stood_on_the_button() {
    let from = json!({ "id": 11, "is_bot": false, "first_name": "Анна", "language_code": "ru" });
    let chat = json!({ "id": 11, "type": "private" });
    let keyboard = json!({ "inline_keyboard": [[
        { "text": "сайт", "url": "https://myata.example" }, { "text": "Позвать человека", "callback_data": "human" },
    ]] });
    let message = json!({ "message_id": 8, "date": 1, "chat": chat, "reply_markup": keyboard });
    let tap = |message: &Value, data: &str| {
        decode("callback_query", &json!({ "id": "q1", "from": from, "message": message, "data": data })).unwrap()
    };
    let press = |payload: &str, title: Option<&str>| {
        InboundEvent::Pressed(Press {
            payload: payload.to_owned(),
            title: title.map(str::to_owned),
            acknowledge: Some("q1 8".to_owned()),
        })
    };
    let tapped = tap(&message, "human").unwrap();
    assert_eq!((tapped.event, tapped.from.external.as_str()), (press("human", Some("Позвать человека")), "11"));
    assert_eq!((tapped.display_name.as_deref(), tapped.language), (Some("Анна"), Some(Language::Ru)));
    // Of a message that is too old Telegram tells no more than its number.
    let old = json!({ "message_id": 8, "date": 0, "chat": chat });
    assert_eq!(tap(&old, "human").unwrap().event, press("human", None));
    assert_eq!(tap(&message, "gone").unwrap().event, press("gone", None));
    let group = json!({ "message_id": 8, "date": 1, "chat": { "id": -5, "type": "group" } });
    assert_eq!(tap(&group, "human"), None);
    let game = json!({ "id": "q1", "from": from, "message": message, "game_short_name": "chess" });
    assert_eq!(decode("callback_query", &game).unwrap(), None);
}

#[test]
fn a_group_that_moved_is_told_from_both_sides() {
    let group = json!({ "id": -5, "type": "group" });
    let to = InboundEvent::Moved { to: "-100500".to_owned() };
    let old = decode("message", &json!({ "chat": group, "migrate_to_chat_id": -100_500 })).unwrap().unwrap();
    let new = json!({ "chat": { "id": -100_500, "type": "supergroup" }, "migrate_from_chat_id": -5 });
    let new = decode("message", &new).unwrap().unwrap();
    for moved in [old, new] {
        assert_eq!((moved.event, moved.from.external.as_str()), (to.clone(), "-5"));
    }
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
    let keys = [
        "chat",
        "id",
        "type",
        "text",
        "caption",
        "from",
        "date",
        "photo",
        "new_chat_member",
        "status",
        "first_name",
        "message",
        "message_id",
        "data",
        "contact",
        "location",
        "business_connection_id",
        "message_ids",
        "reply_markup",
    ];
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
        kind in prop::sample::select(vec![
            "message", "my_chat_member", "edited_message", "callback_query", "business_message", "business_connection",
            "edited_business_message", "deleted_business_messages",
        ]),
        content in json_value(),
    ) {
        match decode(kind, &content) {
            Ok(None) | Err(DecodeError::Malformed(_)) => {}
            Ok(Some(inbound)) => {
                let chat = inbound.from.external.split('@').next().unwrap();
                prop_assert!(chat.parse::<i64>().is_ok_and(|chat| chat > 0));
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
