//! What webhooks say, kind by kind.

use firstline::domain::channel::{
    Attachment, AttachmentKind, DeliveryReport, DeliveryState, Inbound, InboundEvent, Press, SharedContact,
};
use firstline::domain::text::MessageText;
use firstline::ports::channel::{Channel, DecodeError};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ACCOUNT, ANNA, ANNAS_ID, SECRET, address, offline, signed};
use crate::support::fake_whatsapp::webhook::signature;

/// What the adapter makes of a body.
pub(super) fn decode(body: &Value) -> Result<Vec<Inbound>, DecodeError> {
    decode_bytes(&body.to_string())
}

pub(super) fn decode_bytes(body: &str) -> Result<Vec<Inbound>, DecodeError> {
    offline().decode(&signed(&signature(SECRET, body)), body.as_bytes())
}

/// A change of a number, as a whole body.
fn body_of(number: &str, field: &str, value: Value) -> Value {
    let metadata = json!({ "display_phone_number": "15550783881", "phone_number_id": number });
    let mut whole = json!({ "messaging_product": "whatsapp", "metadata": metadata });
    merge(&mut whole, value);
    json!({ "object": "whatsapp_business_account",
        "entry": [{ "id": "419561257915477", "changes": [{ "value": whole, "field": field }] }] })
}

pub(super) fn body(value: Value) -> Value {
    body_of(ACCOUNT, "messages", value)
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

/// A message of Anna's, known by phone alone.
pub(super) fn message(content: Value) -> Value {
    let mut message = json!({ "from": ANNA, "id": "wamid.A=", "timestamp": "1749416383" });
    merge(&mut message, content);
    message
}

pub(super) fn contacts() -> Value {
    json!([{ "profile": { "name": " Анна П. " }, "wa_id": ANNA }])
}

fn all(content: Value) -> Vec<Inbound> {
    decode(&body(json!({ "contacts": contacts(), "messages": [message(content)] }))).unwrap()
}

fn one(content: Value) -> Inbound {
    let mut all = all(content);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn words(text: &str) -> InboundEvent {
    InboundEvent::Message(MessageText::new(text))
}

fn unseen(what: &str) -> InboundEvent {
    InboundEvent::Unsupported(what.to_owned())
}

#[test]
fn a_text_is_read_with_all_that_is_told() {
    let expected = Inbound {
        message_id: Some("wamid.A=".to_owned()),
        sent_at: Some(Timestamp::from_second(1_749_416_383).unwrap()),
        display_name: Some("Анна П.".to_owned()),
        phone: Some(format!("+{ANNA}")),
        ..Inbound::new(address(ANNA), "wamid.A=", words("Где мой заказ?"))
    };
    let text = json!({ "type": "text", "text": { "body": "Где мой заказ?", "of": "the year 2027" }, "context": { "id": "wamid.0" } });
    assert_eq!(one(text.clone()), expected);
    // Meta escapes: the signature is over those bytes, the words come out whole.
    let plain = body(json!({ "contacts": contacts(), "messages": [message(text)] }));
    let escaped = crate::support::fake_whatsapp::webhook::escaped(&plain);
    assert!(escaped.is_ascii());
    assert_eq!(decode_bytes(&escaped).unwrap(), [expected]);
}

#[test]
fn what_is_not_needed_may_be_missing_or_strange() {
    let text = json!({ "type": "text", "text": { "body": "Алло" } });
    for (contacts, extra) in [
        (json!([]), json!({ "timestamp": null })),
        (json!(17), json!({ "timestamp": "вчера", "context": "x", "group_id": null })),
        (json!([{ "profile": { "name": [] } }]), json!({ "timestamp": {}, "referral": 5, "errors": [1] })),
        (json!([null, {}, { "wa_id": "5" }]), json!({ "timestamp": "99999999999999999999", "from_user_id": 9 })),
    ] {
        let mut message = message(text.clone());
        merge(&mut message, extra);
        let read = decode(&body(json!({ "contacts": contacts, "messages": [message] }))).unwrap();
        assert_eq!(read.len(), 1, "{read:?}");
        assert_eq!((&read[0].event, &read[0].from), (&words("Алло"), &address(ANNA)));
        assert_eq!((read[0].sent_at, read[0].display_name.as_deref()), (None, None));
    }
    let number = json!({ "type": "text", "text": { "body": "Алло" }, "timestamp": 1_749_416_383 });
    assert!(one(number).sent_at.is_some(), "a number is a time as well");
}

fn file(kind: AttachmentKind, name: Option<&str>, mime: &str) -> Attachment {
    Attachment {
        kind,
        remote: "1003383421387256".to_owned(),
        name: name.map(str::to_owned),
        mime: Some(mime.to_owned()),
        size: None,
        seconds: None,
        transcript: None,
    }
}

#[test]
fn files_come_with_what_is_needed_to_fetch_them() {
    let media = |kind: &str, mime: &str, extra: Value| {
        let mut media = json!({ "id": "1003383421387256", "mime_type": mime, "sha256": "SfInY0gGKTsJ=" });
        merge(&mut media, extra);
        one(json!({ "type": kind, kind: media }))
    };
    let plain = json!({});
    for (kind, mime, extra, event, attachment) in [
        ("image", "image/jpeg", plain.clone(), unseen("photo"), file(AttachmentKind::Photo, None, "image/jpeg")),
        (
            "image",
            "image/jpeg",
            json!({ "caption": "Пришло разбитым" }),
            words("[фото] Пришло разбитым"),
            file(AttachmentKind::Photo, None, "image/jpeg"),
        ),
        (
            "video",
            "video/mp4",
            json!({ "caption": "It is broken" }),
            words("[video] It is broken"),
            file(AttachmentKind::Video, None, "video/mp4"),
        ),
        (
            "video",
            "video/mp4",
            json!({ "caption": " " }),
            unseen("video"),
            file(AttachmentKind::Video, None, "video/mp4"),
        ),
        (
            "audio",
            "audio/ogg; codecs=opus",
            json!({ "voice": true }),
            unseen("voice"),
            file(AttachmentKind::Voice, None, "audio/ogg; codecs=opus"),
        ),
        (
            "audio",
            "audio/mpeg",
            json!({ "voice": false }),
            unseen("audio"),
            file(AttachmentKind::Audio, None, "audio/mpeg"),
        ),
        ("audio", "audio/mpeg", plain.clone(), unseen("audio"), file(AttachmentKind::Audio, None, "audio/mpeg")),
        (
            "document",
            "application/pdf",
            json!({ "filename": "чек.pdf" }),
            unseen("document"),
            file(AttachmentKind::Document, Some("чек.pdf"), "application/pdf"),
        ),
        (
            "document",
            "application/pdf",
            json!({ "filename": "чек.pdf", "caption": "Чек" }),
            words("[файл] Чек"),
            file(AttachmentKind::Document, Some("чек.pdf"), "application/pdf"),
        ),
        (
            "sticker",
            "image/webp",
            json!({ "animated": true }),
            unseen("sticker"),
            file(AttachmentKind::Sticker, None, "image/webp"),
        ),
    ] {
        let read = media(kind, mime, extra);
        assert_eq!((read.event, read.attachments), (event, vec![attachment]), "{kind}");
    }
    let without = one(json!({ "type": "image", "image": { "caption": "Вот" } }));
    assert_eq!((without.event, without.attachments), (words("[фото] Вот"), vec![]), "a file without an id");
}

#[test]
fn places_and_baskets_are_told_in_words() {
    let place = json!({ "type": "location", "location": {
        "name": "Филц", "address": "ул. Лесная, 101", "latitude": 37.442_214_965_82, "longitude": -122.161_659,
        "url": "https://philz.example/",
    } });
    assert_eq!(one(place).event, words("[геопозиция] Филц, ул. Лесная, 101, 37.44221, -122.16166"));
    let named = json!({ "type": "location", "location": { "name": "Philz Coffee", "address": "" } });
    assert_eq!(one(named).event, words("[location] Philz Coffee"));
    let bare = json!({ "type": "location", "location": { "latitude": 55, "longitude": 37.5 } });
    assert_eq!(one(bare).event, words("[геопозиция] 55.00000, 37.50000"));
    assert_eq!(one(json!({ "type": "location", "location": {} })).event, unseen("location"));
    let order = json!({ "type": "order", "order": { "catalog_id": "19", "text": "", "product_items": [
        { "product_retailer_id": "di9ozbzfi4", "quantity": 2, "item_price": 30.5, "currency": "USD" },
        { "product_retailer_id": "nqryix03ez" }, { "quantity": 5 },
    ] } });
    let Inbound { event: InboundEvent::Message(text), .. } = one(order) else { panic!("it is words") };
    assert!(text.as_str().ends_with("] 2 × di9ozbzfi4, 30.5 USD; 1 × nqryix03ez"), "{}", text.as_str());
    assert_eq!(one(json!({ "type": "order", "order": { "text": "" } })).event, unseen("message"));
    let asked = json!({ "type": "text", "text": { "body": "Есть другой цвет?" },
        "context": { "from": "15550783881", "id": "wamid.0", "referred_product": { "product_retailer_id": "di9" } } });
    assert_eq!(one(asked).event, words("[товар di9] Есть другой цвет?"));
    let by_advertisement = json!({ "type": "text", "text": { "body": "Можно подробнее?" },
        "referral": { "source_type": "ad", "headline": "Скидка 90 %", "ctwa_clid": "Aff" } });
    assert_eq!(one(by_advertisement).event, words("Можно подробнее?"), "the advertisement's words are not theirs");
}

#[test]
fn a_contact_is_their_own_only_where_meta_says_so() {
    let shared = |phone: &str, name: Option<&str>, is_own| {
        InboundEvent::Contact(SharedContact { phone: phone.to_owned(), name: name.map(str::to_owned), is_own })
    };
    let contact = |phone: &str, wa_id: &str| json!({ "name": { "formatted_name": "Лусия Гомес" }, "phones": [{ "phone": phone, "wa_id": wa_id }] });
    let other = json!({ "type": "contacts", "contacts": [contact("+1 (983) 555-2319", "19835552319")] });
    assert_eq!(one(other).event, shared("+1 (983) 555-2319", Some("Лусия Гомес"), false));
    let own = json!({ "type": "contacts", "contacts": [contact("+7 999 123-45-67", ANNA)] });
    assert_eq!(one(own).event, shared("+7 999 123-45-67", Some("Лусия Гомес"), true));
    let phone = json!({ "vcard": "BEGIN:VCARD", "phones": [{ "phone": "+79990000000" }] });
    for (origin, is_own) in [("contact_request", true), ("other", false)] {
        let asked = json!({ "type": "contacts", "origin": origin, "contacts": [phone] });
        assert_eq!(one(asked).event, shared("+79990000000", None, is_own), "{origin}");
    }
    let nameless = json!({ "type": "contacts", "contacts": [{ "phones": [{ "type": "CELL" }] }] });
    assert_eq!(one(nameless).event, unseen("contact"));
    let phoneless = json!({ "type": "contacts", "contacts": [{ "name": { "first_name": "Лусия" } }] });
    assert_eq!(one(phoneless).event, words("[контакт] Лусия"));

    let several = all(json!({ "type": "contacts", "contacts": [contact("1", "1"), 5, contact("2", "2"), {}] }));
    let told: Vec<_> = several.iter().map(|inbound| (inbound.external_id.as_str(), &inbound.event)).collect();
    let expected = [shared("1", Some("Лусия Гомес"), false), shared("2", Some("Лусия Гомес"), false)];
    assert_eq!(told, [("wamid.A=", &expected[0]), ("wamid.A=:1", &expected[1])]);
    assert!(several.iter().all(|inbound| inbound.message_id.as_deref() == Some("wamid.A=")));
}

#[test]
fn taps_bring_back_what_the_button_was_made_with() {
    let press = |payload: &str, title: Option<&str>| {
        InboundEvent::Pressed(Press { payload: payload.to_owned(), title: title.map(str::to_owned), acknowledge: None })
    };
    let reply = |content: Value| {
        one(json!({ "type": "interactive", "context": { "id": "wamid.0" }, "interactive": content })).event
    };
    let tapped = json!({ "type": "button_reply", "button_reply": { "id": "csat:x:5", "title": "Отлично" } });
    assert_eq!(reply(tapped), press("csat:x:5", Some("Отлично")));
    let row =
        json!({ "type": "list_reply", "list_reply": { "id": "row", "title": "Экспресс", "description": "Завтра" } });
    assert_eq!(reply(row), press("row", Some("Экспресс")));
    assert_eq!(reply(json!({ "type": "nfm_reply", "nfm_reply": { "body": "Sent" } })), unseen("message"));
    assert_eq!(reply(json!({ "type": "button_reply", "button_reply": { "title": "x" } })), unseen("message"));
    let button = |content: Value| one(json!({ "type": "button", "button": content })).event;
    assert_eq!(button(json!({ "payload": "stop", "text": "Отписаться" })), press("stop", Some("Отписаться")));
    assert_eq!(button(json!({ "text": "Да" })), press("Да", Some("Да")));
    assert_eq!(button(json!({})), unseen("message"));
}

#[test]
fn edits_and_deletions_name_the_message() {
    let edited = |content: Value| all(json!({ "type": "edit", "edit": content }));
    let text = json!({ "original_message_id": "wamid.0", "message": { "type": "text", "text": { "body": "М-2" } } });
    let event = InboundEvent::Edited { message_id: "wamid.0".to_owned(), text: MessageText::new("М-2") };
    assert_eq!(edited(text)[0].event, event);
    let photo = json!({ "id": "9", "caption": "Вот оно" });
    let photo = json!({ "original_message_id": "wamid.0", "message": { "type": "image", "image": photo } });
    let event =
        InboundEvent::Edited { message_id: "wamid.0".to_owned(), text: MessageText::new("[фото] Вот оно") };
    assert_eq!(edited(photo)[0].event, event);
    for nothing in [json!({}), json!({ "original_message_id": "wamid.0" }), json!({ "message": { "type": "text" } })] {
        assert_eq!(edited(nothing), []);
    }
    let nested = json!({ "original_message_id": "wamid.0", "message": { "type": "edit", "edit": {} } });
    assert_eq!(edited(nested), []);
    let revoked = one(json!({ "type": "revoke", "revoke": { "original_message_id": "wamid.0" } }));
    assert_eq!(revoked.event, InboundEvent::Deleted { message_ids: vec!["wamid.0".to_owned()] });
    assert_eq!(revoked.external_id, "wamid.A=");
    assert_eq!(all(json!({ "type": "revoke", "revoke": {} })), []);
}

#[test]
fn what_is_unknown_is_answered_and_what_is_nobodys_is_left_out() {
    let error = json!([{ "code": 131_051, "title": "Message type unknown", "error_data": { "details": "x" } }]);
    for content in [
        json!({ "type": "unsupported", "errors": error }),
        json!({ "type": "unknown" }),
        json!({ "type": "hologram", "hologram": { "id": "9" } }),
        json!({}),
        json!({ "type": 7 }),
        json!({ "type": "text" }),
        json!({ "type": "text", "text": { "body": { "not": "a text" } } }),
        json!({ "type": "text", "text": { "body": " " } }),
    ] {
        assert_eq!(one(content.clone()).event, unseen("message"), "{content}");
    }
    assert_eq!(one(json!({ "type": "request_welcome" })).event, InboundEvent::Started { payload: None });
    for content in [
        json!({ "type": "reaction", "reaction": { "message_id": "wamid.0", "emoji": "👍" } }),
        json!({ "type": "reaction", "reaction": { "message_id": "wamid.0" } }),
        json!({ "type": "text", "text": { "body": "Всем привет" }, "group_id": "HBgL" }),
        json!({ "type": "system", "system": { "type": "customer_identity_changed", "body": "x" } }),
    ] {
        assert_eq!(all(content.clone()), [], "{content}");
    }
    let standby = body_of(
        ACCOUNT,
        "standby",
        json!({ "messages": [message(json!({ "type": "text", "text": { "body": "a" } }))] }),
    );
    assert_eq!(decode(&standby).unwrap(), []);
    for field in ["message_template_status_update", "account_update", "user_preferences", "phone_number_quality_update"]
    {
        let news = json!({ "entry": [{ "changes": [{ "field": field, "value": { "event": "APPROVED" } }] }] });
        assert_eq!(decode(&news).unwrap(), [], "{field}");
    }
    assert_eq!(decode(&body(json!({ "errors": [{ "code": 130_429 }, {}] }))).unwrap(), []);
}

#[test]
fn what_a_person_of_ours_wrote_on_the_phone_takes_the_chat_over() {
    let echo = |content: Value| {
        let mut echo = json!({ "from": "15550783881", "to": ANNA, "id": "wamid.E", "timestamp": "1749416383" });
        merge(&mut echo, content);
        decode(&body_of(ACCOUNT, "smb_message_echoes", json!({ "message_echoes": [echo] }))).unwrap()
    };
    let read = echo(json!({ "type": "text", "text": { "body": "Привезём в четверг" } }));
    assert_eq!(read[0].event, InboundEvent::TakenOver(MessageText::new("Привезём в четверг")));
    assert_eq!((&read[0].from, read[0].external_id.as_str()), (&address(ANNA), "wamid.E"));
    let read = echo(json!({ "type": "image", "image": { "id": "9" }, "to_user_id": ANNAS_ID }));
    assert_eq!(read[0].event, InboundEvent::TakenOver(MessageText::new("[photo]")));
    assert_eq!(read[0].from, address(ANNAS_ID));
    assert_eq!(echo(json!({ "type": "revoke", "revoke": { "original_message_id": "wamid.0" } })), []);
}

/// Who is moved where by a batch, under which key.
fn moves(read: &[Inbound]) -> Vec<(&str, &str, &str)> {
    let mut found = Vec::new();
    for inbound in read {
        if let InboundEvent::Moved { to } = &inbound.event {
            found.push((inbound.from.external.as_str(), to.as_str(), inbound.external_id.as_str()));
        }
    }
    found
}

#[test]
fn a_person_is_known_by_the_id_that_meta_gave_them() {
    let text = json!({ "type": "text", "text": { "body": "Алло" }, "from_user_id": ANNAS_ID });
    // Phone and id: what was known by the phone is known by the id from now on, and then they write.
    let both = all(text.clone());
    let told = moves(&both);
    assert_eq!(told.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), [(ANNA, ANNAS_ID)]);
    assert!(
        !told[0].2.contains(ANNA) && told[0].2.len() == 64,
        "the key outlives an erasure and names nobody: {told:?}"
    );
    assert_eq!((both.len(), &both[1].from, &both[1].event), (2, &address(ANNAS_ID), &words("Алло")));
    assert_eq!(both[0].sent_at, both[1].sent_at);
    // The same key with the next message: the store takes it once.
    let mut next = text.clone();
    next["id"] = json!("wamid.B=");
    assert_eq!(moves(&all(next)), moves(&both));

    // A person with a user name: no phone anywhere.
    let mut hidden = message(text);
    hidden.as_object_mut().unwrap().remove("from");
    let contact = json!([{ "profile": { "name": "Анна", "username": "anna" }, "user_id": ANNAS_ID }]);
    let read = decode(&body(json!({ "contacts": contact, "messages": [hidden.clone()] }))).unwrap();
    assert_eq!((read.len(), &read[0].from), (1, &address(ANNAS_ID)));
    assert_eq!(read[0].display_name.as_deref(), Some("Анна"));
    // Only the contact bears the id.
    hidden.as_object_mut().unwrap().remove("from_user_id");
    let read = decode(&body(json!({ "contacts": contact, "messages": [hidden] }))).unwrap();
    assert_eq!(read[0].from, address(ANNAS_ID));

    // Several people in one change: each has their own name.
    let people = json!([
        { "profile": { "name": "Пётр" }, "wa_id": "5", "user_id": "RU.5" }, { "profile": { "name": "Анна" }, "user_id": ANNAS_ID },
    ]);
    let of = |id: &str, user: &str| json!({ "id": id, "from_user_id": user, "type": "text", "text": { "body": id } });
    let read =
        decode(&body(json!({ "contacts": people, "messages": [of("w1", ANNAS_ID), of("w2", "RU.5")] }))).unwrap();
    let named: Vec<_> = read.iter().filter_map(|inbound| inbound.display_name.as_deref()).collect();
    assert_eq!(named, ["Анна", "Пётр"]);
}

#[test]
fn changed_numbers_and_ids_move_the_address() {
    let system = |content: Value, extra: Value| {
        let mut message = message(json!({ "type": "system", "system": content }));
        merge(&mut message, extra);
        decode(&body(json!({ "messages": [message] }))).unwrap()
    };
    let new_number =
        json!({ "type": "user_changed_number", "body": "User Анна changed from 1 to 2", "wa_id": "79990000002" });
    let read = system(new_number.clone(), json!({}));
    let told = moves(&read);
    assert_eq!(told.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), [(ANNA, "79990000002")]);
    assert!(read[0].sent_at.is_some());
    let with_id = system(new_number, json!({ "from_user_id": ANNAS_ID }));
    assert_eq!(moves(&with_id).len(), 1, "an id is never moved to a phone: {with_id:?}");

    let new_id = json!({ "type": "user_changed_user_id", "body": "x", "user_id": "RU.2" });
    let read = system(new_id.clone(), json!({ "from_user_id": ANNAS_ID }));
    let told = moves(&read);
    assert_eq!(told.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), [(ANNAS_ID, "RU.2"), (ANNA, "RU.2")]);
    assert_ne!(told[0].2, told[1].2, "two updates, two keys");
    let mut previous = new_id.clone();
    previous["previous_user_id"] = json!("RU.0");
    let read = system(previous, json!({ "from": null }));
    assert_eq!(moves(&read).iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), [("RU.0", "RU.2")]);
    assert_eq!(system(new_id, json!({ "from": null, "from_user_id": "RU.2" })), [], "nothing has changed");
    assert_eq!(system(json!({ "type": "user_changed_number" }), json!({})), []);

    let update = |ids: Value| {
        let update = json!([{ "wa_id": ANNA, "detail": "x", "user_id": ids, "timestamp": "1749416383" }, {}]);
        decode(&body_of(ACCOUNT, "user_id_update", json!({ "user_id_update": update })))
    };
    let read = update(json!({ "previous": ANNAS_ID, "current": "RU.2" })).unwrap();
    let told = moves(&read);
    assert_eq!(told.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), [(ANNAS_ID, "RU.2")]);
    let back = update(json!({ "previous": "RU.2", "current": ANNAS_ID })).unwrap();
    assert_ne!(moves(&back)[0].2, told[0].2, "there and back are two updates");
    assert!(matches!(update(json!({ "previous": ANNA, "current": "RU.2" })), Err(DecodeError::Malformed(_))));
}

fn status(content: Value) -> Inbound {
    let mut status = json!({ "id": "wamid.out", "timestamp": "1749416383", "recipient_id": ANNA });
    merge(&mut status, content);
    let mut read = decode(&body(json!({ "statuses": [status] }))).unwrap();
    assert_eq!(read.len(), 1);
    read.remove(0)
}

fn report(content: Value) -> DeliveryReport {
    match status(content).event {
        InboundEvent::Receipt(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statuses_tell_how_far_a_message_has_come() {
    let whole = json!({ "status": "delivered", "recipient_user_id": ANNAS_ID, "biz_opaque_callback_data": "msg_7/0",
        "pricing": { "billable": true, "pricing_model": "PMP", "category": "service", "type": "regular" } });
    let read = status(whole.clone());
    assert_eq!((read.from, read.external_id.as_str()), (address(ANNAS_ID), "wamid.out:delivered"));
    assert!(read.sent_at.is_some());
    let expected = DeliveryReport {
        provider_id: "wamid.out".to_owned(),
        dedupe_key: Some("msg_7/0".to_owned()),
        state: DeliveryState::Delivered,
        why: None,
        unreachable: false,
        billed: Some("service".to_owned()),
    };
    assert_eq!(report(whole), expected);
    for free in [
        json!({ "billable": false, "category": "service" }),
        json!({ "billable": true, "category": "service", "type": "free_entry_point" }),
        json!({ "billable": true }),
        json!(5),
    ] {
        assert_eq!(report(json!({ "status": "sent", "pricing": free })).billed, None, "{free}");
    }

    // In whatever order they come, the furthest is what holds.
    let order = ["read", "sent", "played", "delivered"].map(|name| report(json!({ "status": name })).state);
    assert_eq!(order.iter().max(), Some(&DeliveryState::Read));
    assert_eq!(order, [DeliveryState::Read, DeliveryState::Sent, DeliveryState::Read, DeliveryState::Delivered]);
    assert!(DeliveryState::Failed > DeliveryState::Read, "that it failed is the last word");
    assert_ne!(status(json!({ "status": "read" })).external_id, status(json!({ "status": "played" })).external_id);
    for unknown in ["deleted", "warning", "of_2030"] {
        let read = decode(&body(json!({ "statuses": [{ "id": "wamid.out", "status": unknown }] })));
        assert_eq!(read.unwrap(), [], "{unknown}");
    }
}

#[test]
fn a_failure_is_told_by_its_code_and_by_nobodys_words() {
    let failed = |errors: Value| report(json!({ "status": "failed", "recipient_id": null, "errors": errors }));
    let error = |code: i64| json!([{ "code": code, "title": "тайна", "message": "тайна", "error_data": { "details": "тайна" } }]);
    for (code, unreachable, words) in [
        (131_026, true, "131026: the customer can't get it"),
        (131_047, false, "24 hours"),
        (131_049, false, "marketing"),
        (131_056, false, "this customer"),
        (777, false, "777: see Meta's list"),
    ] {
        let report = failed(error(code));
        let why = report.why.unwrap();
        assert!(why.contains(words) && !why.contains("тайна"), "{why}");
        assert_eq!((report.state, report.unreachable), (DeliveryState::Failed, unreachable), "{code}");
    }
    assert_eq!(failed(json!([])).why, None);
    assert_eq!(report(json!({ "status": "sent", "errors": error(131_026) })).why, None, "it did not fail");
    // Failures may come without the receiver: the message is known by its id.
    assert_eq!(status(json!({ "status": "failed", "recipient_id": null })).from, address(""));
}

#[test]
fn one_body_holds_many_changes_and_those_of_others_are_left_out() {
    let text = |id: &str| message(json!({ "id": id, "type": "text", "text": { "body": id } }));
    let mut whole = body(json!({ "contacts": contacts(), "messages": [text("w1"), text("w2")] }));
    let more = [
        body_of("999", "messages", json!({ "messages": [text("others")] })),
        body(json!({ "messages": [{ "type": "text" }, text("w3")], "statuses": [{ "id": "wamid.out" }] })),
        json!({ "entry": [null, { "changes": 5 }, { "changes": [{ "value": { "messages": [] } }] }] }),
    ];
    for more in more {
        whole["entry"].as_array_mut().unwrap().extend(more["entry"].as_array().unwrap().clone());
    }
    let ids: Vec<String> = decode(&whole).unwrap().into_iter().map(|inbound| inbound.external_id).collect();
    assert_eq!(ids, ["w1", "w2", "w3"]);
    assert_eq!(decode(&body_of("999", "messages", json!({ "messages": [text("others")] }))).unwrap(), []);
}

#[test]
fn a_signed_body_that_can_not_be_read_is_malformed_and_not_quoted() {
    let nameless = body(json!({ "messages": [{ "id": "w1", "type": "text", "text": { "body": "тайна" } }] }));
    let keyless = body(json!({ "messages": [{ "from": ANNA, "type": "text", "text": { "body": "тайна" } }] }));
    let homeless = json!({ "entry": [{ "changes": [{ "value": { "messages": [{ "text": "тайна" }] } }] }] });
    let odd = body(json!({ "messages": ["тайна"] }));
    let bodies = [nameless, keyless, homeless, odd].map(|body| body.to_string());
    let texts = ["", "{", "[]", "17", "{}", r#"{"entry":"тайна"}"#].map(str::to_owned);
    for body in bodies.into_iter().chain(texts) {
        match decode_bytes(&body) {
            Err(DecodeError::Malformed(why)) => assert!(!why.contains("тайна"), "{why}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}
