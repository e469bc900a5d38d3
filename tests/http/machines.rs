//! Webhooks, health and figures: what machines ask.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Served, TELEGRAM_SECRET, problem, serve};

async fn push(served: &Served, secret: Option<&str>, body: &str) -> Response {
    let mut request = served.request(Method::POST, "/telegram/myata_bot").body(body.to_owned());
    if let Some(secret) = secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    request.send().await.unwrap()
}

fn update(id: &str, text: &str) -> String {
    json!({ "id": id, "chat": "77", "text": text, "name": "Пётр" }).to_string()
}

async fn figure(served: &Served, name: &str) -> i64 {
    let text = served.get("/metrics").await.text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("firstline_{name} ")).map(str::to_owned));
    line.unwrap_or_else(|| panic!("{name} is among the figures")).parse().unwrap()
}

#[tokio::test]
async fn a_forged_webhook_is_refused_and_stores_nothing() {
    let served = serve().await;
    for secret in [None, Some("guess"), Some("")] {
        let response = push(&served, secret, &update("1", "hello")).await;
        assert_eq!(problem(response, StatusCode::UNAUTHORIZED).await["code"], "forged");
    }
    assert!(served.ctx.store.queue(10).await.unwrap().is_empty());
    assert_eq!(figure(&served, "webhooks_forged_total").await, 3);
}

#[tokio::test]
async fn a_signed_webhook_is_stored_once_before_it_is_acknowledged() {
    let served = serve().await;
    for _ in 0..2 {
        assert_eq!(push(&served, Some(TELEGRAM_SECRET), &update("1", "hello")).await.status(), StatusCode::OK);
    }
    let queue = served.ctx.store.queue(10).await.unwrap();
    assert_eq!(queue.len(), 1);
    assert_eq!(queue[0].conversation.last_seq, 1);
    assert_eq!(queue[0].customer.display_name.as_deref(), Some("Пётр"));
}

#[tokio::test]
async fn an_update_that_can_never_be_read_is_not_asked_for_again() {
    let served = serve().await;
    assert_eq!(push(&served, Some(TELEGRAM_SECRET), "{").await.status(), StatusCode::OK);
    assert_eq!(figure(&served, "webhooks_malformed_total").await, 1);
    assert!(served.ctx.store.queue(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn webhooks_of_others_and_huge_ones_are_refused() {
    let served = serve().await;
    let request = served.request(Method::POST, "/telegram/other_bot");
    let request = request.header("X-Telegram-Bot-Api-Secret-Token", TELEGRAM_SECRET).body(update("1", "hello"));
    problem(request.send().await.unwrap(), StatusCode::NOT_FOUND).await;
    let huge = push(&served, Some(TELEGRAM_SECRET), &update("1", &"x".repeat(4_300_000))).await;
    problem(huge, StatusCode::PAYLOAD_TOO_LARGE).await;
}

#[tokio::test]
async fn while_the_store_is_down_nothing_is_acknowledged_and_nothing_is_lost() {
    let served = serve().await;
    let visitor = served.visitor().await;
    served.break_store().await;

    let refused = visitor.says("hello").await;
    assert!(refused.headers().contains_key("retry-after"));
    let document = problem(refused, StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(!document.to_string().contains("table"), "internal text stays inside: {document}");
    let session = served.request(Method::POST, "/widget/v1/session").json(&json!({})).send().await.unwrap();
    problem(session, StatusCode::SERVICE_UNAVAILABLE).await;
    let webhook = push(&served, Some(TELEGRAM_SECRET), &update("1", "hello")).await;
    problem(webhook, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(served.get("/desk/login").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(served.get("/").await.status(), StatusCode::OK, "the start page says what is wrong");

    let ready = served.get("/readyz").await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.text().await.unwrap(), "not ready: the store does not answer\n");
    assert_eq!(served.get("/healthz").await.status(), StatusCode::OK);
    assert_eq!(figure(&served, "store_up").await, 0);

    served.mend_store().await;
    assert_eq!(served.get("/readyz").await.status(), StatusCode::OK);
    assert_eq!(visitor.says("hello").await.status(), StatusCode::ACCEPTED);
    let back: Value = visitor.comes_back().await;
    assert_eq!(back["messages"].as_array().unwrap().len(), 1, "the refused one left nothing behind");
    assert_eq!(push(&served, Some(TELEGRAM_SECRET), &update("1", "hello")).await.status(), StatusCode::OK);
    assert_eq!(served.ctx.store.queue(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn figures_follow_what_happens() {
    let served = serve().await;
    let visitor = served.visitor().await;
    visitor.says("hello").await;
    assert_eq!(figure(&served, "unanswered").await, 1);
    assert_eq!(figure(&served, "web_messages_total").await, 1);
    served.turn("hi", Vec::new(), None).await;
    assert_eq!((figure(&served, "unanswered").await, figure(&served, "owed").await), (0, 1));
    served.deliver().await;
    assert_eq!(figure(&served, "owed").await, 0);
    visitor.says("a person, please").await;
    served.bot_hands_off("a colleague will come", firstline::domain::handoff::Package::default(), 3).await;
    assert_eq!(figure(&served, "queued").await, 1);
    let text = served.get("/metrics").await.text().await.unwrap();
    assert_eq!(text.matches("# TYPE ").count(), text.matches("# HELP ").count());
}
