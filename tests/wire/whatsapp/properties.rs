//! Whatever a webhook holds, reading it ends well.

use firstline::domain::channel::InboundEvent;
use firstline::ports::channel::{Channel, DecodeError};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::updates::{body, contacts, decode, decode_bytes, message};
use super::{ACCOUNT, ANNAS_ID, offline, signed};

/// Good bodies, to be broken.
fn good() -> Vec<Value> {
    let with = |content: Value| body(json!({ "contacts": contacts(), "messages": [message(content)] }));
    vec![
        with(json!({ "type": "text", "text": { "body": "Алло" }, "from_user_id": ANNAS_ID })),
        with(json!({ "type": "audio", "audio": { "id": "9", "voice": true, "mime_type": "audio/ogg" } })),
        with(json!({ "type": "location", "location": { "latitude": 1.5, "longitude": 2, "name": "x" } })),
        with(
            json!({ "type": "contacts", "contacts": [{ "name": { "formatted_name": "x" }, "phones": [{ "phone": "1" }] }] }),
        ),
        with(json!({ "type": "interactive", "interactive": { "list_reply": { "id": "a", "title": "b" } } })),
        with(json!({ "type": "order", "order": { "product_items": [{ "product_retailer_id": "a", "quantity": 1 }] } })),
        with(
            json!({ "type": "edit", "edit": { "original_message_id": "a", "message": { "type": "text", "text": { "body": "b" } } } }),
        ),
        with(json!({ "type": "system", "system": { "type": "user_changed_number", "wa_id": "5" } })),
        body(
            json!({ "statuses": [{ "id": "a", "status": "failed", "errors": [{ "code": 131_026 }], "pricing": {} }] }),
        ),
        body(json!({ "user_id_update": [{ "user_id": { "previous": "A.1", "current": "A.2" } }] })),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,9}".prop_map(Value::from),
        prop::sample::select(vec!["text", "edit", "system", ACCOUNT, ANNAS_ID, "contact_request"])
            .prop_map(Value::from),
    ];
    let keys = [
        "entry",
        "changes",
        "value",
        "metadata",
        "phone_number_id",
        "messages",
        "statuses",
        "contacts",
        "errors",
        "id",
        "from",
        "from_user_id",
        "type",
        "text",
        "body",
        "image",
        "caption",
        "edit",
        "message",
        "system",
        "wa_id",
        "field",
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(keys.to_vec()), inner), 0..8)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// All places in a value, itself included.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, inner)| places(inner, &format!("{at}/{key}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, inner)| places(inner, &format!("{at}/{place}"), found));
        }
        _ => {}
    }
}

/// Whatever comes of a body, it can be stored: keys are there, and no address is a wild one.
fn check_read(body: &Value) -> Result<(), TestCaseError> {
    match decode(body) {
        Err(DecodeError::Malformed(_)) => {}
        Err(DecodeError::Forged) => prop_assert!(false, "it is signed"),
        Ok(read) => {
            for inbound in read {
                prop_assert!(!inbound.external_id.is_empty());
                prop_assert_eq!(&inbound.from.account, ACCOUNT);
                let is_report = matches!(inbound.event, InboundEvent::Receipt(_));
                prop_assert!(is_report || !inbound.from.external.is_empty());
                prop_assert!(inbound.from.external.len() <= 160);
                if let InboundEvent::Message(text) = inbound.event {
                    prop_assert!(!text.as_str().trim().is_empty());
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_signed_is_read_or_told_malformed(value in any_value()) {
        check_read(&value)?;
        check_read(&body(json!({ "contacts": [value], "messages": [value], "statuses": [value], "message_echoes": [value] })))?;
    }

    #[test]
    fn a_good_body_with_a_broken_place_does_no_harm(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        instead in any_value(),
    ) {
        let mut bodies = good();
        let body = &mut bodies[which.index(good().len())];
        let mut found = Vec::new();
        places(body, "", &mut found);
        *body.pointer_mut(&found[place.index(found.len())]).unwrap() = instead;
        check_read(body)?;
    }

    #[test]
    fn bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let unsigned = offline().decode(&signed("sha256=00"), &bytes);
        prop_assert!(matches!(unsigned, Err(DecodeError::Forged)));
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(matches!(decode_bytes(&text), Err(DecodeError::Malformed(_))));
    }
}
