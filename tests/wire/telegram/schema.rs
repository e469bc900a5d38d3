//! Every request that the adapter makes, held against a description of the Bot API: `telegram-bot-api.json` in the directory
//! that `FIRSTLINE_SPECS_DIR` names (`api.json` of the repository PaulSonOfLars/telegram-bot-api-spec).

use firstline::adapters::telegram::Telegram;
use firstline::config::TelegramMode;
use firstline::domain::outbox::Outbound;
use firstline::ports::channel::Channel;
use serde_json::{Value, json};

use super::files::file;
use super::{CHAT, buttons, connect, part, poll, settings, short_waits, with_customer};
use crate::support::schema::document;

/// The description.
struct BotApi(Value);

impl BotApi {
    fn open() -> Option<Self> {
        document("telegram-bot-api.json").map(Self)
    }

    /// What is wrong with a call of a method, whose name may be in any case.
    fn faults(&self, method: &str, parameters: &Value) -> Vec<String> {
        let methods = self.0["methods"].as_object().unwrap();
        match methods.iter().find(|(name, _)| name.eq_ignore_ascii_case(method)) {
            None => vec![format!("there is no {method}")],
            Some((name, described)) => self.faults_of_fields(name, &described["fields"], parameters),
        }
    }

    /// What is wrong with an object that should have these fields.
    fn faults_of_fields(&self, at: &str, fields: &Value, given: &Value) -> Vec<String> {
        let Some(given) = given.as_object() else { return vec![format!("{at} is no object")] };
        let fields = fields.as_array().map(Vec::as_slice).unwrap_or_default();
        let known = |name: &str| fields.iter().find(|field| field["name"] == name);
        let missing = fields.iter().filter(|field| field["required"] == true && !given.contains_key(name_of(field)));
        let mut faults: Vec<String> = missing.map(|field| format!("{at}.{} is missing", name_of(field))).collect();
        for (name, value) in given {
            let at = format!("{at}.{name}");
            match known(name) {
                None => faults.push(format!("{at} is not known")),
                Some(field) => faults.extend(self.faults_of_types(&at, &field["types"], value)),
            }
        }
        faults
    }

    /// What is wrong with a value that should be of one of these types.
    fn faults_of_types(&self, at: &str, types: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        for kind in types.as_array().unwrap().iter().filter_map(Value::as_str) {
            let found = self.faults_of_type(at, kind, value);
            if found.is_empty() {
                return found;
            }
            faults.extend(found);
        }
        faults
    }

    fn faults_of_type(&self, at: &str, kind: &str, value: &Value) -> Vec<String> {
        let fault_unless = |is_right: bool| if is_right { Vec::new() } else { vec![format!("{at} is no {kind}")] };
        if let Some(items) = kind.strip_prefix("Array of ") {
            let Some(values) = value.as_array() else { return fault_unless(false) };
            return values.iter().flat_map(|value| self.faults_of_type(at, items, value)).collect();
        }
        match kind {
            "Integer" => fault_unless(value.is_i64() || value.is_u64()),
            "String" => fault_unless(value.is_string()),
            "Boolean" => fault_unless(value.is_boolean()),
            "Float" => fault_unless(value.is_number()),
            name => {
                let described = &self.0["types"][name];
                match described["subtypes"].as_array() {
                    Some(_) => self.faults_of_types(at, &described["subtypes"], value),
                    None => self.faults_of_fields(at, &described["fields"], value),
                }
            }
        }
    }
}

fn name_of(field: &Value) -> &str {
    field["name"].as_str().unwrap()
}

#[tokio::test]
async fn every_request_is_as_the_bot_api_describes_it() {
    let Some(description) = BotApi::open() else { return };
    let fake = with_customer().await;
    let telegram = connect(&fake);
    telegram.check().await.unwrap();
    telegram.prepare("").await.unwrap();
    fake.connects("c", 900, true);
    fake.writes_to_account("c", 21, false, "Где заказ?");
    for chat in ["11", "21@c"] {
        let part = Outbound {
            buttons: buttons(&["Позвать человека"]), ..part(chat, "Уточните, пожалуйста")
        };
        telegram.show_typing(&part.to).await;
        telegram.send(&part).await.unwrap();
    }
    let tap = |chat: i64, extra: Value| {
        let mut message = json!({ "message_id": 3, "date": 1, "chat": { "id": chat, "type": "private" } });
        message.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "id": "q", "from": { "id": chat, "is_bot": false }, "message": message, "data": "human" })
    };
    fake.push("callback_query", tap(CHAT, json!({})));
    fake.push("callback_query", tap(21, json!({ "business_connection_id": "c" })));
    let polled = poll(&telegram, None).await.unwrap();
    poll(&telegram, Some(&polled.cursor.unwrap().position)).await.unwrap();
    for update in &polled.updates {
        telegram.stored(update).await;
    }
    fake.keeps_file("x", b"bytes".to_vec());
    telegram.fetch(&file("x", None)).await.map(drop).unwrap();
    connect(&fake).send(&part("21@c", "Снова")).await.unwrap();
    let pushed = Telegram::new(&settings(&fake.api_url, &fake.token, TelegramMode::Webhook), short_waits()).unwrap();
    pushed.prepare("https://help.example").await.unwrap();

    let mut seen = Vec::new();
    for (method, parameters) in fake.all_calls() {
        let parameters = if parameters.is_null() { json!({}) } else { parameters };
        assert_eq!(description.faults(&method, &parameters), [""; 0], "{method} {parameters}");
        seen.push(method);
    }
    seen.sort_unstable();
    seen.dedup();
    let all = [
        "answercallbackquery",
        "deletewebhook",
        "editmessagereplymarkup",
        "getbusinessconnection",
        "getfile",
        "getme",
        "getupdates",
        "sendchataction",
        "sendmessage",
        "setwebhook",
    ];
    assert_eq!(seen, all, "each call was made");
}

/// A check that finds nothing wrong with anything would find nothing wrong with us.
#[test]
fn the_description_tells_wrong_from_right() {
    let Some(description) = BotApi::open() else { return };
    let keyboard =
        |button: Value| json!({ "chat_id": 1, "text": "да", "reply_markup": { "inline_keyboard": [[button]] } });
    let right = [
        ("SendMessage", json!({ "chat_id": 1, "text": "да" })),
        ("sendmessage", json!({ "chat_id": "@name", "text": "да" })),
        ("sendMessage", keyboard(json!({ "text": "5", "callback_data": "csat:5" }))),
        ("getMe", json!({})),
    ];
    for (method, parameters) in right {
        assert_eq!(description.faults(method, &parameters), [""; 0], "{method} {parameters}");
    }
    let wrong = [
        ("sendMessage", json!({ "chat_id": 1 })),
        ("sendMessage", json!({ "chat_id": 1.5, "text": "да" })),
        ("sendMessage", json!({ "chat_id": 1, "text": "да", "colour": "red" })),
        ("sendMessage", keyboard(json!({ "callback_data": "csat:5" }))),
        ("sendMessage", keyboard(json!({ "text": "5", "payload": "csat:5" }))),
        ("sendMessage", json!({ "chat_id": 1, "text": "да", "reply_markup": { "inline_keyboard": [5] } })),
        ("sendHologram", json!({})),
    ];
    for (method, parameters) in wrong {
        assert_ne!(description.faults(method, &parameters), [""; 0], "{method} {parameters}");
    }
}
