//! Every request that the adapter makes, held against MAX's own description of its API.

use firstline::adapters::max::Max;
use firstline::config::MaxMode;
use firstline::domain::channel::{Attachment, AttachmentKind};
use firstline::domain::outbox::Outbound;
use firstline::ports::channel::Channel;
use serde_json::{Value, json};

use super::{ANA, connect, part, settings, short_waits, with_customer};
use crate::support::schema::Description;
use crate::wire::telegram::buttons;

/// How the description writes a path that was called.
fn described(name: &str) -> (String, String) {
    let (method, path) = name.split_once(' ').unwrap();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let path = match segments.as_slice() {
        ["chats", _, "actions"] => "/chats/{chatId}/actions".to_owned(),
        ["videos", _] => "/videos/{videoToken}".to_owned(),
        _ => path.to_owned(),
    };
    (method.to_owned(), path)
}

#[tokio::test]
async fn every_request_is_as_max_describes_it() {
    let Some(description) = Description::open("max-bot-api.yaml") else { return };
    let fake = with_customer().await;
    let max = connect(&fake);
    max.check().await.unwrap();
    max.prepare("").await.unwrap();
    fake.customer_writes(ANA, "Где заказ?");
    fake.customer_taps(ANA, "csat:5", &Value::Null);
    let polled = max.poll(None).await.unwrap().unwrap();
    max.poll(Some(&polled.cursor.unwrap().position)).await.unwrap().unwrap();
    for update in &polled.updates {
        max.stored(update).await;
    }
    max.show_typing(&part("11", "").to).await;
    max.send(&part("11", &"я".repeat(4000))).await.unwrap();
    for titles in [&["1", "2", "3", "4", "5"][..], &["Позвать человека"]] {
        max.send(&Outbound { buttons: buttons(titles), ..part("11", "Как вам?") }).await.unwrap();
    }
    fake.keeps_file("film", b"bytes");
    let film = Attachment {
        kind: AttachmentKind::Video,
        remote: "video:film".to_owned(),
        name: None,
        mime: None,
        size: None,
        seconds: None,
        transcript: None,
    };
    max.fetch(&film).await.map(drop).unwrap();
    let pushed = Max::new(&settings(&fake, MaxMode::Webhook), short_waits()).unwrap();
    pushed.prepare("https://help.example").await.unwrap();
    connect(&fake).prepare("").await.unwrap();

    let mut seen: Vec<String> = Vec::new();
    for call in fake.all_calls().into_iter().filter(|call| !call.name.ends_with("/files")) {
        let (method, path) = described(&call.name);
        let faults = description.faults(&method, &path, call.query.keys().map(String::as_str), &call.body);
        assert_eq!(faults, [""; 0], "{method} {path}: {}", call.body);
        seen.push(format!("{method} {path}"));
    }
    seen.sort_unstable();
    seen.dedup();
    let all = [
        "DELETE /subscriptions",
        "GET /me",
        "GET /subscriptions",
        "GET /updates",
        "GET /videos/{videoToken}",
        "POST /answers",
        "POST /chats/{chatId}/actions",
        "POST /messages",
        "POST /subscriptions",
    ];
    assert_eq!(seen, all, "each call was made");
}

/// A check that finds nothing wrong with anything would find nothing wrong with us.
#[test]
fn the_description_tells_wrong_from_right() {
    let Some(description) = Description::open("max-bot-api.yaml") else { return };
    let button = |button: Value| {
        let keyboard = json!({ "type": "inline_keyboard", "payload": { "buttons": [[button]] } });
        json!({ "text": null, "attachments": [keyboard], "link": null })
    };
    let right = [
        ("POST", "/messages", json!({ "text": "да", "attachments": null, "link": null })),
        ("POST", "/messages", button(json!({ "type": "callback", "text": "5", "payload": "csat:5" }))),
        ("POST", "/chats/{chatId}/actions", json!({ "action": "typing_on" })),
    ];
    for (method, path, body) in right {
        assert_eq!(description.faults(method, path, [], &body), [""; 0], "{body}");
    }
    let wrong = [
        ("POST", "/messages", json!({ "text": "да" })),
        ("POST", "/messages", json!({ "text": "я".repeat(4001), "attachments": null, "link": null })),
        ("POST", "/messages", json!({ "text": "да", "attachments": null, "link": { "type": "quote", "mid": "1" } })),
        ("POST", "/messages", button(json!({ "type": "callback", "text": "5" }))),
        ("POST", "/messages", button(json!({ "type": "hologram", "text": "5" }))),
        ("POST", "/subscriptions", json!({ "url": "https://help.example", "secret": "1 2" })),
        ("POST", "/chats/{chatId}/actions", json!({ "action": "dance" })),
        ("POST", "/nowhere", json!({})),
        ("GET", "/me", json!({})),
    ];
    for (method, path, body) in wrong {
        assert_ne!(description.faults(method, path, [], &body), [""; 0], "{method} {path} {body}");
    }
    assert_ne!(description.faults("GET", "/updates", ["since"], &Value::Null), [""; 0]);
}
