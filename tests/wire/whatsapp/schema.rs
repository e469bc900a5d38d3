//! What the adapter sends, against Meta's own description of its API: `whatsapp-cloud-api.yaml` in the directory that
//! `FIRSTLINE_SPECS_DIR` names (`business-messaging-api_v23.0.yaml` of the repository facebook/openapi). It is Meta's, so it
//! is not kept here, and may always be absent.

use firstline::domain::channel::{Inbound, InboundEvent};
use firstline::domain::outbox::Outbound;
use firstline::domain::text::MessageText;
use firstline::ports::channel::Channel;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::{ANNA, ANNAS_ID, address, connect, part, with_customer};
use crate::support::schema::document;
use crate::wire::telegram::buttons;

/// Fields that are younger than the description.
const YOUNGER: [&str; 3] = ["biz_opaque_callback_data", "recipient", "typing_indicator"];

/// What checks values of the schema with that name.
fn validator(schemas: &Value, name: &str) -> Validator {
    let root = json!({ "$ref": format!("#/components/schemas/{name}"), "components": { "schemas": joined(schemas, schemas) } });
    jsonschema::validator_for(&root).unwrap()
}

/// The same with each `allOf` joined into one object: the description closes one half of it against the fields of the
/// other, which nothing could pass.
fn joined(value: &Value, schemas: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| joined(item, schemas)).collect(),
        Value::Object(fields) => {
            let mut whole = Map::new();
            for (key, inner) in fields.iter().filter(|(key, _)| *key != "allOf") {
                whole.insert(key.clone(), joined(inner, schemas));
            }
            for half in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let half = half["$ref"].as_str().and_then(|name| schemas.get(name.rsplit('/').next()?)).unwrap_or(half);
                join(&mut whole, joined(half, schemas));
            }
            Value::Object(whole)
        }
        other => other.clone(),
    }
}

fn join(whole: &mut Map<String, Value>, half: Value) {
    let Value::Object(half) = half else { return };
    for (key, value) in half {
        match (whole.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => join(known, Value::Object(more)),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}

/// A body as the description can know it: without what is younger, and with a phone in the place of an id.
fn known(body: &Value) -> Value {
    let mut known = body.clone();
    let fields = known.as_object_mut().unwrap();
    if fields.contains_key("recipient") {
        fields.insert("to".to_owned(), ANNA.into());
    }
    for field in YOUNGER {
        fields.remove(field);
    }
    known
}

fn faults(validator: &Validator, body: &Value) -> Vec<String> {
    validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[tokio::test]
async fn every_body_is_what_meta_describes() {
    let Some(description) = document("whatsapp-cloud-api.yaml") else { return };
    let schemas = &description["components"]["schemas"];
    let fake = with_customer().await;
    let whatsapp = connect(&fake);
    for to in [ANNA, ANNAS_ID] {
        whatsapp.send(&part(to, "Заказ в пути: https://myata.example")).await.unwrap();
    }
    let messages = validator(schemas, "TextMessage");
    for body in fake.calls() {
        assert_eq!(faults(&messages, &known(&body)), Vec::<String>::new(), "{body}");
        for needed in ["messaging_product", "recipient_type", "to", "type", "text"] {
            let mut without = known(&body);
            without.as_object_mut().unwrap().remove(needed);
            assert!(!messages.is_valid(&without), "{needed} is asked for");
        }
        let mut more = known(&body);
        more["text"]["of_2030"] = json!(1);
        assert!(!messages.is_valid(&more), "what is not described does not pass");
    }

    let interactive = validator(schemas, "InteractiveMessage");
    for titles in [&["Позвать человека"][..], &["1", "2", "3", "4", "5"]] {
        whatsapp.send(&Outbound { buttons: buttons(titles), ..part(ANNA, "Как вам?") }).await.unwrap();
        let body = known(&fake.calls().pop().unwrap());
        assert_eq!(faults(&interactive, &body), Vec::<String>::new(), "{body}");
    }
    assert!(!interactive.is_valid(&json!({ "messaging_product": "whatsapp", "to": ANNA, "type": "interactive" })));

    let id = fake.customer_writes(ANNA, "Алло");
    let event = InboundEvent::Message(MessageText::new("Алло"));
    whatsapp.stored(&Inbound { message_id: Some(id.clone()), ..Inbound::new(address(ANNA), id, event) }).await;
    whatsapp.show_typing(&address(ANNA)).await;
    let read = fake.calls().pop().unwrap();
    let marks = validator(schemas, "MarkMessageRequestPayload");
    assert_eq!(faults(&marks, &known(&read)), Vec::<String>::new());
    assert!(!marks.is_valid(&json!({ "messaging_product": "whatsapp", "status": "read" })));
}
