//! What updates say, kind by kind. The bodies leave out what the vendor's own examples leave out.

use firstline::domain::channel::{Attachment, AttachmentKind, Inbound, InboundEvent, Press, SharedContact};
use firstline::domain::text::{Language, MessageText};
use firstline::ports::channel::{Channel, DecodeError};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SECRET, address, headers, offline};

const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=cell:79990000000\r\nFN:Иван Петров\r\nEND:VCARD\r\n";
/// Of the card above, with the token `max-token`.
const PROOF: &str = "cabdc4605b7015ce9492570220a386eef52a9aad05f5feec11db93ec1f84ecd6";

fn decode(update: &Value) -> Result<Option<Inbound>, DecodeError> {
    let mut decoded = offline().decode(&headers(SECRET), update.to_string().as_bytes())?;
    assert!(decoded.len() <= 1);
    Ok(decoded.pop())
}

/// `base` with these fields instead.
fn with(base: Value, fields: Value) -> Value {
    match (base, fields) {
        (Value::Object(mut base), Value::Object(fields)) => {
            for (name, value) in fields {
                let earlier = base.remove(&name).unwrap_or_default();
                base.insert(name, with(earlier, value));
            }
            Value::Object(base)
        }
        (_, fields) => fields,
    }
}

fn ana() -> Value {
    json!({ "user_id": 123_456_789, "first_name": "Анна", "last_name": "Петрова", "name": "Анна Петрова", "is_bot": false })
}

fn created() -> Value {
    json!({
        "update_type": "message_created", "timestamp": 1_775_025_604_499_i64, "user_locale": "ru",
        "message": {
            "sender": ana(), "timestamp": 1_775_053_255_737_i64,
            "recipient": { "chat_id": 182_182_182, "chat_type": "dialog", "user_id": 229_229_229 },
            "body": { "mid": "mid.ffffbdb48e6c3775", "seq": 116_327_994_376_978_687_i64, "text": "Где мой заказ?" },
        },
    })
}

fn removed() -> Value {
    json!({
        "update_type": "message_removed", "timestamp": 1_775_025_604_499_i64,
        "message_id": "mid.ffffbdb48e6c3775", "chat_id": 182_182_182, "user_id": 123_456_789,
    })
}

fn tapped() -> Value {
    json!({
        "update_type": "message_callback", "timestamp": 1_775_025_604_499_i64, "user_locale": "ru",
        "callback": { "timestamp": 1_775_026_702_210_i64, "callback_id": "f9LHodD0", "payload": "csat:5", "user": ana() },
        "message": {
            "sender": { "user_id": 229_229_229, "is_bot": true },
            "recipient": { "chat_id": 182_182_182, "chat_type": "dialog", "user_id": 123_456_789 },
            "body": {
                "mid": "mid.ours", "seq": 7, "text": "Оцените ответ",
                "attachments": [{ "type": "inline_keyboard", "payload": { "buttons": [[
                    { "type": "callback", "text": "Плохо", "payload": "csat:1" },
                    { "type": "callback", "text": "Отлично", "payload": "csat:5" },
                ]] } }],
            },
        },
    })
}

fn dialog(kind: &str) -> Value {
    json!({
        "update_type": kind, "timestamp": 1_775_025_604_499_i64, "chat_id": 182_182_182, "user": ana(), "user_locale": "en",
    })
}

fn message(text: &str) -> InboundEvent {
    InboundEvent::Message(MessageText::new(text))
}

/// What a message with this body says.
fn event(body: Value) -> InboundEvent {
    received(body).event
}

fn received(body: Value) -> Inbound {
    let body = with(json!({ "mid": "mid.1", "seq": 1 }), body);
    let mut update = created();
    update["message"]["body"] = body;
    decode(&update).unwrap().unwrap()
}

#[test]
fn a_text_message_is_read_with_all_that_is_told() {
    let inbound = decode(&created()).unwrap().unwrap();
    let key = "message_created:mid.ffffbdb48e6c3775";
    let expected = Inbound {
        message_id: Some("mid.ffffbdb48e6c3775".to_owned()),
        sent_at: Some(Timestamp::from_millisecond(1_775_053_255_737).unwrap()),
        display_name: Some("Анна Петрова".to_owned()),
        language: Some(Language::Ru),
        ..Inbound::new(address("123456789"), key, message("Где мой заказ?"))
    };
    assert_eq!(inbound, expected);
    // A post that is repeated, and only says the time anew, is the same message.
    let repeated = decode(&with(created(), json!({ "timestamp": 5 }))).unwrap().unwrap();
    assert_eq!(repeated.external_id, key);
}

#[test]
fn what_is_not_needed_may_be_missing_or_strange() {
    let bare = json!({ "sender": { "user_id": 5 }, "body": { "text": "Алло" } });
    let mut keys = Vec::new();
    for extra in [
        json!({}),
        json!({ "recipient": null, "timestamp": "вчера" }),
        json!({ "sender": { "user_id": "5", "name": 7, "first_name": [] }, "link": 17 }),
        json!({ "body": { "mid": 17, "seq": 1.5e300, "attachments": null, "markup": "?" }, "recipient": { "chat_id": 9 } }),
    ] {
        let update = json!({ "update_type": "message_created", "message": with(bare.clone(), extra) });
        let inbound = decode(&update).unwrap().unwrap();
        assert_eq!((&inbound.event, inbound.from.external.as_str()), (&message("Алло"), "5"), "{update}");
        assert_eq!((inbound.message_id, inbound.sent_at, inbound.language), (None, None, None), "{update}");
        assert_eq!(decode(&update).unwrap().unwrap().external_id, inbound.external_id);
        keys.push(inbound.external_id);
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 4, "what has no id is told apart by what it says");
    let name = |person: Value| {
        decode(&with(created(), json!({ "message": { "sender": with(json!({ "name": null }), person) } })))
            .unwrap()
            .unwrap()
            .display_name
    };
    assert_eq!(name(json!({})).as_deref(), Some("Анна Петрова"));
    assert_eq!(name(json!({ "last_name": null })).as_deref(), Some("Анна"));
    assert_eq!(name(json!({ "first_name": " ", "last_name": "" })), None);
}

#[test]
fn other_updates_of_a_dialog_are_read() {
    let inbound = decode(&removed()).unwrap().unwrap();
    let message_ids = vec!["mid.ffffbdb48e6c3775".to_owned()];
    assert_eq!(inbound.event, InboundEvent::Deleted { message_ids });
    assert_eq!((inbound.from.external.as_str(), inbound.message_id), ("123456789", None));

    let edit = with(created(), json!({ "update_type": "message_edited", "message": { "body": { "text": "Где?" } } }));
    let inbound = decode(&edit).unwrap().unwrap();
    let message_id = "mid.ffffbdb48e6c3775".to_owned();
    assert_eq!(inbound.event, InboundEvent::Edited { message_id, text: MessageText::new("Где?") });
    assert_eq!(inbound.external_id, "message_edited:mid.ffffbdb48e6c3775:1775025604499");
    assert_eq!(inbound.sent_at.unwrap().as_millisecond(), 1_775_025_604_499, "when it was changed");
    let photo = json!({ "message": { "body": { "text": "", "attachments": [{ "type": "image" }] } } });
    let Some(InboundEvent::Edited { text, .. }) = decode(&with(edit.clone(), photo)).unwrap().map(|read| read.event)
    else {
        panic!("an edit")
    };
    assert_eq!(text.as_str(), "[photo]");
    let nameless = with(edit, json!({ "message": { "body": { "mid": null } } }));
    assert!(matches!(decode(&nameless), Err(DecodeError::Malformed(_))));

    let started = |payload: Value| decode(&with(dialog("bot_started"), payload)).unwrap().unwrap();
    let inbound = started(json!({ "payload": "3fZk-x_9" }));
    assert_eq!(inbound.event, InboundEvent::Started { payload: Some("3fZk-x_9".to_owned()) });
    assert_eq!((inbound.language, inbound.display_name.as_deref()), (Some(Language::En), Some("Анна Петрова")));
    assert_eq!(inbound.external_id, "bot_started:1775025604499:182182182:123456789");
    for payload in [json!({}), json!({ "payload": null }), json!({ "payload": "" })] {
        assert_eq!(started(payload).event, InboundEvent::Started { payload: None });
    }
    // Where the user is left out, as in one of the vendor's examples, its id stands beside.
    let flat = with(dialog("bot_started"), json!({ "user": null, "user_id": 123_456_789 }));
    assert_eq!(decode(&flat).unwrap().unwrap().from, address("123456789"));
    for kind in ["bot_stopped", "dialog_removed"] {
        let inbound = decode(&dialog(kind)).unwrap().unwrap();
        assert_eq!((inbound.event, inbound.from), (InboundEvent::Blocked, address("123456789")), "{kind}");
    }
}

#[test]
fn a_tap_is_read_also_where_its_message_is_gone() {
    let press = |title: Option<&str>| {
        InboundEvent::Pressed(Press {
            payload: "csat:5".to_owned(),
            title: title.map(str::to_owned),
            acknowledge: Some("f9LHodD0".to_owned()),
        })
    };
    let inbound = decode(&tapped()).unwrap().unwrap();
    assert_eq!((inbound.event, inbound.from), (press(Some("Отлично")), address("123456789")));
    assert_eq!(inbound.external_id, "message_callback:f9LHodD0:1775026702210");
    let gone = decode(&with(tapped(), json!({ "message": null }))).unwrap().unwrap();
    assert_eq!((gone.event, gone.from), (press(None), address("123456789")));
    let long = with(tapped(), json!({ "callback": { "callback_id": "x".repeat(1000) } }));
    let key = decode(&long).unwrap().unwrap().external_id;
    assert!(key.len() < 200 && key.starts_with("message_callback#"), "{key}");
    let bare = with(tapped(), json!({ "callback": { "payload": null, "callback_id": null, "timestamp": null } }));
    let Some(InboundEvent::Pressed(press)) = decode(&bare).unwrap().map(|read| read.event) else { panic!("a tap") };
    assert_eq!((press.payload.as_str(), press.acknowledge), ("", None));
}

#[test]
fn what_was_sent_along_is_named_and_can_be_fetched() {
    let url = "https://i.oneme.ru/file";
    let payload = json!({ "url": url, "token": "tok" });
    let file = |kind, remote: &str| Attachment {
        kind,
        remote: remote.to_owned(),
        name: None,
        mime: None,
        size: None,
        seconds: None,
        transcript: None,
    };
    for (attachment, word, expected) in [
        (
            json!({ "type": "image", "payload": { "photo_id": 1, "token": "tok", "url": url } }),
            "photo",
            file(AttachmentKind::Photo, url),
        ),
        (
            json!({ "type": "audio", "payload": payload, "transcription": "Где мой заказ" }),
            "voice",
            Attachment {
                transcript: Some(MessageText::new("Где мой заказ")), ..file(AttachmentKind::Voice, url)
            },
        ),
        (
            json!({ "type": "audio", "payload": payload, "transcription": null }),
            "voice",
            file(AttachmentKind::Voice, url),
        ),
        (
            json!({ "type": "video", "payload": payload, "duration": 7, "width": 1, "height": 1 }),
            "video",
            Attachment { seconds: Some(7), ..file(AttachmentKind::Video, "video:tok") },
        ),
        (json!({ "type": "video", "payload": { "url": url } }), "video", file(AttachmentKind::Video, url)),
        (
            json!({ "type": "file", "payload": payload, "filename": "чек.pdf", "size": 5_000_000_000_u64 }),
            "document",
            Attachment {
                name: Some("чек.pdf".to_owned()),
                size: Some(5_000_000_000),
                ..file(AttachmentKind::Document, url)
            },
        ),
        (
            json!({ "type": "sticker", "payload": { "url": url, "code": "c" }, "width": 1, "height": 1 }),
            "sticker",
            file(AttachmentKind::Sticker, url),
        ),
    ] {
        let inbound = received(json!({ "attachments": [attachment] }));
        assert_eq!(inbound.event, InboundEvent::Unsupported(word.to_owned()), "{attachment}");
        assert_eq!(inbound.attachments, [expected], "{attachment}");
    }
    let image = json!({ "type": "image", "payload": payload });
    let both = received(json!({ "text": "Пришло разбитым", "attachments": [image, image, { "type": "file" }] }));
    assert_eq!(both.event, message("[фото] [файл] Пришло разбитым"));
    assert_eq!(both.attachments.len(), 2, "a file without an address can't be fetched");
    assert_eq!(event(json!({ "text": "It is broken", "attachments": [image] })), message("[photo] It is broken"));
}

#[test]
fn what_is_no_file_is_told_in_words() {
    let place = json!({ "type": "location", "latitude": 55.751_244, "longitude": 37.618_423 });
    assert_eq!(event(json!({ "attachments": [place] })), message("[геопозиция] 55.751244, 37.618423"));
    assert_eq!(
        event(json!({ "text": "Here", "attachments": [place] })),
        message("Here\n[location] 55.751244, 37.618423")
    );
    for nothing in
        [json!([]), json!(null), json!([{ "type": "share", "payload": { "url": "https://x.example" } }]), json!(17)]
    {
        assert_eq!(event(json!({ "text": "Вот", "attachments": nothing })), message("Вот"));
        assert_eq!(event(json!({ "attachments": nothing })), InboundEvent::Unsupported("message".to_owned()));
    }
    for unknown in [json!({ "type": "hologram" }), json!({ "type": "location", "latitude": "север" }), json!(17)] {
        assert_eq!(event(json!({ "attachments": [unknown] })), InboundEvent::Unsupported("attachment".to_owned()));
    }
    let forward = |text: Value| {
        let link = json!({ "type": "forward", "chat_id": -695, "message": {
            "mid": "mid.2", "seq": 2, "text": text, "attachments": [{ "type": "image", "payload": { "url": "https://i.oneme.ru/1" } }],
        } });
        decode(&with(created(), json!({ "message": { "body": null, "link": link } }))).unwrap().unwrap()
    };
    let forwarded = forward(json!("Ваш заказ отменён"));
    assert_eq!(forwarded.event, message("[фото] [переслано] Ваш заказ отменён"));
    assert_eq!(forwarded.attachments.len(), 1);
    assert_eq!(forward(json!(null)).event, InboundEvent::Unsupported("photo".to_owned()));
    let quoted = json!({ "type": "reply", "message": { "mid": "mid.3", "text": "Оцените ответ" } });
    let reply = decode(&with(created(), json!({ "message": { "link": quoted } }))).unwrap().unwrap();
    assert_eq!(reply.event, message("Где мой заказ?"), "what is replied to was said before");
}

#[test]
fn a_contact_is_a_proof_only_where_max_signed_it_and_it_is_the_senders() {
    let shared = |payload: Value| {
        let signed = json!({ "vcf_info": CARD, "max_info": ana(), "hash": PROOF });
        event(json!({ "attachments": [{ "type": "contact", "payload": with(signed, payload) }] }))
    };
    let contact = |is_own| {
        let (phone, name) = ("79990000000".to_owned(), Some("Иван Петров".to_owned()));
        InboundEvent::Contact(SharedContact { phone, name, is_own })
    };
    assert_eq!(shared(json!({})), contact(true));
    assert_eq!(shared(json!({ "hash": PROOF.to_uppercase() })), contact(true));
    for forged in [
        json!({ "hash": null }),
        json!({ "hash": "" }),
        json!({ "hash": &PROOF[..62] }),
        json!({ "hash": PROOF.replace('c', "d") }),
        json!({ "max_info": null }),
        json!({ "max_info": { "user_id": 5 } }),
    ] {
        assert_eq!(shared(forged.clone()), contact(false), "{forged}");
    }
    let other = CARD.replace("79990000000", "79990000001");
    let InboundEvent::Contact(other) = shared(json!({ "vcf_info": other })) else { panic!("a contact") };
    assert!(!other.is_own && other.phone.ends_with('1'), "the number is part of what is signed");
    let InboundEvent::Contact(bare) = shared(json!({ "vcf_info": CARD.replace("\r\n", "\n") })) else {
        panic!("a contact")
    };
    assert!(!bare.is_own, "so are the ends of lines");

    let bare = shared(json!({ "vcf_info": "tel:tel:+79990000000", "max_info": { "first_name": "Анна" } }));
    let expected = SharedContact { phone: "+79990000000".to_owned(), name: Some("Анна".to_owned()), is_own: false };
    assert_eq!(bare, InboundEvent::Contact(expected));
    for without in ["", "BEGIN:VCARD\r\nFN:Иван\r\nTEL:\r\nEND:VCARD"] {
        assert_eq!(shared(json!({ "vcf_info": without })), InboundEvent::Unsupported("contact".to_owned()));
    }
    let spoken =
        json!({ "text": "Мой номер", "attachments": [{ "type": "contact", "payload": { "vcf_info": CARD } }] });
    assert_eq!(event(spoken), message("[контакт] Мой номер"));
}

#[test]
fn others_updates_are_left_out() {
    let group = json!({ "recipient": { "chat_id": -70_801_090_403_050_i64, "chat_type": "chat", "user_id": null } });
    for update in [
        with(created(), json!({ "message": group })),
        with(created(), json!({ "message": { "recipient": { "chat_id": -5, "chat_type": null } } })),
        with(created(), json!({ "message": { "recipient": { "chat_type": "channel" }, "sender": null } })),
        with(created(), json!({ "message": { "sender": { "is_bot": true } } })),
        with(created(), json!({ "update_type": "message_edited", "message": { "sender": { "is_bot": true } } })),
        with(removed(), json!({ "chat_id": -5 })),
        with(tapped(), json!({ "message": group })),
        dialog("bot_added"),
        dialog("dialog_cleared"),
        dialog("dialog_muted"),
        dialog("user_added"),
        dialog("kind_of_2030"),
    ] {
        assert_eq!(decode(&update).unwrap(), None, "{update}");
    }
    for update in [
        with(created(), json!({ "message": { "sender": null } })),
        with(removed(), json!({ "user_id": null })),
        with(removed(), json!({ "message_id": null })),
        with(tapped(), json!({ "callback": { "user": null } })),
        with(dialog("bot_stopped"), json!({ "user": null })),
        json!({ "update_type": null }),
    ] {
        assert!(matches!(decode(&update), Err(DecodeError::Malformed(_))), "{update}");
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,9}".prop_map(Value::from),
        Just(json!("dialog")),
        Just(json!("forward")),
        Just(json!("contact")),
        Just(json!("9223372036854775808")),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let keys = [
        "message",
        "callback",
        "user",
        "sender",
        "recipient",
        "body",
        "link",
        "attachments",
        "payload",
        "type",
        "text",
        "mid",
        "user_id",
        "chat_id",
        "chat_type",
        "timestamp",
        "vcf_info",
        "latitude",
        "buttons",
        "name",
        "callback_id",
        "message_id",
    ];
    leaf().prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(keys.to_vec()), inner), 0..8)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// Every place in a value.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        places(child, &format!("{at}/{key}"), found);
    }
}

fn valid() -> Vec<Value> {
    let contact = json!({ "type": "contact", "payload": { "vcf_info": CARD, "max_info": ana(), "hash": PROOF } });
    let files = json!([
        contact,
        { "type": "location", "latitude": 55.7, "longitude": 37.6 },
        { "type": "audio", "payload": { "url": "https://i.oneme.ru/1", "token": "t" }, "transcription": "да", "duration": 3 },
        { "type": "file", "payload": { "url": "https://i.oneme.ru/2" }, "filename": "a", "size": 1 },
    ]);
    let link = json!({ "type": "forward", "message": { "text": "Переслано", "attachments": files } });
    vec![
        created(),
        with(created(), json!({ "message": { "body": { "text": null, "attachments": files }, "link": link } })),
        with(created(), json!({ "update_type": "message_edited" })),
        removed(),
        tapped(),
        with(dialog("bot_started"), json!({ "payload": "x" })),
        dialog("bot_stopped"),
    ]
}

/// Read, left out or malformed; and if read, with an address that a send can use.
fn holds(update: &Value) -> Result<(), TestCaseError> {
    match decode(update) {
        Ok(None) | Err(DecodeError::Malformed(_)) => {}
        Ok(Some(inbound)) => {
            prop_assert!(inbound.from.external.parse::<i64>().is_ok());
            prop_assert!(!inbound.external_id.is_empty() && inbound.external_id.len() <= 200);
            prop_assert_eq!(decode(update).unwrap().unwrap(), inbound);
        }
        Err(DecodeError::Forged) => prop_assert!(false, "it is signed"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_max_sends_is_read_or_told_malformed(
        kind in prop::sample::select(vec![
            "message_created", "message_edited", "message_removed", "message_callback", "bot_started", "bot_stopped", "?",
        ]),
        content in json_value(),
    ) {
        holds(&with(json!({ "update_type": kind }), content))?;
    }

    #[test]
    fn an_update_of_which_anything_is_changed_does_no_harm(
        update in prop::sample::select(valid()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), leaf()), 1..4),
    ) {
        let mut update = update;
        for (place, value) in changes {
            let mut found = Vec::new();
            places(&update, "", &mut found);
            *update.pointer_mut(&found[place.index(found.len())]).unwrap() = value;
        }
        holds(&update)?;
    }

    #[test]
    fn bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(matches!(offline().decode(&headers(SECRET), &bytes), Err(DecodeError::Malformed(_))));
    }
}
