//! What we send, held against a vendor's own description of its API (OpenAPI 3.0).
//!
//! The descriptions are not ours to ship: `FIRSTLINE_SPECS_DIR` names a directory that has them. Where it is not set, a test
//! says that it was skipped.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of it")]

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// Reads `file` of the directory, as it stands there; `None` where there is no directory.
///
/// # Panics
/// Where the directory has no such file, or it can't be read.
pub fn document(file: &str) -> Option<Value> {
    let Some(directory) = std::env::var_os("FIRSTLINE_SPECS_DIR").map(PathBuf::from) else {
        // Not by `eprintln!`, which is shown for tests that fail only.
        let _ = writeln!(std::io::stderr(), "SKIPPED: 1 wire test, for want of {file} in FIRSTLINE_SPECS_DIR");
        return None;
    };
    let text = std::fs::read_to_string(directory.join(file)).expect("the description is there");
    Some(serde_saphyr::from_str(&text).expect("the description is YAML"))
}

/// A vendor's description.
pub struct Description {
    document: Value,
}

impl Description {
    /// As [`document`].
    pub fn open(file: &str) -> Option<Self> {
        let mut document = document(file)?;
        in_json_schema(&mut document);
        by_discriminator(&mut document);
        Some(Self { document })
    }

    /// What is wrong with a request: `path` as the description has it, with braces.
    pub fn faults<'a>(
        &self,
        method: &str,
        path: &str,
        query: impl IntoIterator<Item = &'a str>,
        body: &Value,
    ) -> Vec<String> {
        let operation = &self.document["paths"][path][method.to_lowercase()];
        if operation.is_null() {
            return vec![format!("there is no {method} {path}")];
        }
        let known = operation["parameters"].as_array().cloned().unwrap_or_default();
        let known = |name: &&str| known.iter().any(|known| known["in"] == "query" && known["name"] == *name);
        let unknown = query.into_iter().filter(|name| !known(name));
        let mut faults: Vec<String> =
            unknown.map(|name| format!("{name} is no parameter of {method} {path}")).collect();
        match operation.pointer("/requestBody/content/application~1json/schema") {
            None if body.is_null() => {}
            None => faults.push(format!("{method} {path} takes no body")),
            Some(schema) => faults.extend(self.faults_of(schema, body)),
        }
        faults
    }

    fn faults_of(&self, schema: &Value, body: &Value) -> Vec<String> {
        let whole = json!({ "allOf": [schema], "components": self.document["components"] });
        let validator = jsonschema::validator_for(&whole).expect("the description has a schema");
        validator.iter_errors(body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
    }
}

/// OpenAPI 3.0 says `nullable` where JSON Schema says that null is another type.
fn in_json_schema(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(in_json_schema),
        Value::Object(fields) => {
            fields.values_mut().for_each(in_json_schema);
            if fields.remove("nullable") == Some(json!(true)) {
                *value = json!({ "anyOf": [std::mem::take(value), { "type": "null" }] });
            }
        }
        _ => {}
    }
}

/// A schema with a discriminator stands for those that it maps to: each is chosen by the field's value. What builds on the
/// schema itself (`allOf`) finds it under another name.
fn by_discriminator(document: &mut Value) {
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    let discriminated = schemas.iter().filter(|(_, schema)| schema["discriminator"]["mapping"].is_object());
    let discriminated: Vec<String> = discriminated.map(|(name, _)| name.clone()).collect();
    for name in discriminated {
        let (whole, base) = (reference(&name), reference(&format!("{name}.base")));
        for schema in schemas.values_mut() {
            let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
            for part in parts.into_iter().flatten().filter(|part| **part == whole) {
                *part = base.clone();
            }
        }
        let mut schema = schemas[&name].take();
        let chosen = chosen(&schema["discriminator"], &base);
        if let Some(fields) = schema.as_object_mut() {
            fields.retain(|key, _| !matches!(key.as_str(), "discriminator" | "oneOf"));
        }
        schemas.insert(format!("{name}.base"), schema);
        schemas.insert(name, chosen);
    }
}

fn chosen(discriminator: &Value, base: &Value) -> Value {
    let field = discriminator["propertyName"].as_str().expect("a discriminator names a field");
    let mapping = discriminator["mapping"].as_object().cloned().unwrap_or_default();
    let when = |value: Value| Value::Object(Map::from_iter([("properties".to_owned(), json!({ field: value }))]));
    let known: Vec<&String> = mapping.keys().collect();
    let each =
        mapping.iter().map(|(key, schema)| json!({ "if": when(json!({ "const": key })), "then": { "$ref": schema } }));
    let parts: Vec<Value> = [base.clone(), when(json!({ "enum": known }))].into_iter().chain(each).collect();
    json!({ "allOf": parts })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
