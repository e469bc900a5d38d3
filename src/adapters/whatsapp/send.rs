//! What a message of ours is made of.

use serde_json::{Value, json};

use crate::domain::channel::Button;
use crate::domain::outbox::Outbound;
use crate::domain::text::Language;

/// Buttons that stand under a message. More choices than that are a list behind one button.
const UNDER: usize = 3;

/// Longest title of a choice, in characters; what is longer is cut.
const TITLE: usize = 20;

/// The type of a message, and what stands under that name.
pub(super) fn content(part: &Outbound) -> (&'static str, Value) {
    if part.buttons.is_empty() {
        return ("text", json!({ "body": part.text.as_str(), "preview_url": false }));
    }
    let body = json!({ "text": part.text.as_str() });
    let interactive = if part.buttons.len() <= UNDER {
        let button = |button: &Button| json!({ "type": "reply", "reply": choice(button) });
        let buttons: Vec<Value> = part.buttons.iter().map(button).collect();
        json!({ "type": "button", "body": body, "action": { "buttons": buttons } })
    } else {
        let rows: Vec<Value> = part.buttons.iter().map(choice).collect();
        let choose = match Language::detect(part.text.as_str()).unwrap_or(Language::Ru) {
            Language::Ru => "Выбрать",
            Language::En => "Choose",
        };
        json!({ "type": "list", "body": body, "action": { "button": choose, "sections": [{ "rows": rows }] } })
    };
    ("interactive", interactive)
}

fn choice(button: &Button) -> Value {
    json!({ "id": button.payload, "title": button.title.chars().take(TITLE).collect::<String>() })
}
