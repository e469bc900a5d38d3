//! What replies must look like, as JSON Schema. Only what every server understands in its strict mode; the order of
//! fields is the order in which a model writes them: what it is about and what it stands on come before the words, and whether
//! a person is needed comes once it is seen whether there are any.

use serde_json::{Map, Value, json};

use super::context::FactKey;
use crate::domain::memory::{Outcome, Trend};
use crate::domain::turn::Label;

/// The labels that a model may give: all but the one that policy adds.
pub(super) fn labels() -> impl Iterator<Item = Label> {
    Label::ALL.into_iter().filter(|label| *label != Label::Complex)
}

/// For `answer`.
pub fn answer_schema() -> Value {
    let labels: Vec<&str> = labels().map(Label::name).collect();
    object([
        ("labels", list(&json!({"type": "string", "enum": labels}))),
        ("citations", list(&text())),
        ("reply", text()),
        ("asks_back", json!({"type": "boolean"})),
        ("needs_human", json!({"type": "boolean"})),
        ("why", text()),
        ("confidence", json!({"type": "number"})),
    ])
}

/// For `package`.
pub fn package_schema() -> Value {
    let lines = || list(&object([("text", text()), ("messages", list(&json!({"type": "integer"})))]));
    object([
        ("customer", lines()),
        ("wants", lines()),
        ("tried", lines()),
        ("open_questions", lines()),
        ("promises", lines()),
        ("mood", text()),
        ("suggested_reply", text()),
    ])
}

/// For `episode`, with the keys under which something may be remembered.
pub fn episode_schema(keys: &[FactKey]) -> Value {
    let keys: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    let outcomes = [Outcome::AnsweredByBot, Outcome::AnsweredByHuman, Outcome::Unanswered].map(Outcome::name);
    let outcomes: Vec<&str> = outcomes.into_iter().chain(["unknown"]).collect();
    let fact = object([
        ("message", json!({"type": "integer"})),
        ("key", json!({"type": "string", "enum": keys})),
        ("value", text()),
        ("confidence", json!({"type": "number"})),
    ]);
    let ended = object([
        ("message", json!({"type": "integer"})),
        ("fact", json!({"type": "integer"})),
        ("never_so", json!({"type": "boolean"})),
    ]);
    let promise = object([("message", json!({"type": "integer"})), ("what", text()), ("due", text())]);
    let trends = [Trend::Better, Trend::Same, Trend::Worse].map(Trend::name);
    object([
        ("summary", text()),
        ("mood", text()),
        ("trend", json!({"type": "string", "enum": trends})),
        ("outcome", json!({"type": "string", "enum": outcomes})),
        ("facts", list(&fact)),
        ("ended", list(&ended)),
        ("promises", list(&promise)),
    ])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let names = fields.each_ref().map(|(name, _)| Value::from(*name));
    let properties: Map<String, Value> = fields.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": Value::from_iter(names),
        "additionalProperties": false,
    })
}

fn list(of: &Value) -> Value {
    json!({"type": "array", "items": of})
}

fn text() -> Value {
    json!({"type": "string"})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every object in a strict schema closes itself and demands all its fields.
    fn assert_strict(schema: &Value) {
        if schema["type"] == "object" {
            assert_eq!(schema["additionalProperties"], false);
            let properties = schema["properties"].as_object().unwrap();
            let required: Vec<&str> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert_eq!(properties.keys().collect::<Vec<_>>(), required);
            properties.values().for_each(assert_strict);
        } else if schema["type"] == "array" {
            assert_strict(&schema["items"]);
        }
    }

    #[test]
    fn schemas_are_strict_and_keep_their_order() {
        let keys = [FactKey { name: "city".to_owned(), meaning: String::new() }];
        for schema in [answer_schema(), package_schema(), episode_schema(&keys)] {
            assert_strict(&schema);
        }
        let written = answer_schema().to_string();
        let place = |field: &str| written.find(&format!("\"{field}\":{{")).unwrap();
        assert!(place("labels") < place("citations") && place("citations") < place("reply"), "{written}");
        assert!(place("reply") < place("confidence"));
        assert!(!written.contains("complex"), "policy's own label is not for a model");
    }
}
