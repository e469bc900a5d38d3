//! A customer on WhatsApp who shows no phone, against the real binary. Everything comes twice, and in no order.

use std::path::Path;

use reqwest::{Client, StatusCode};
use serde_json::json;

use super::support::fake_whatsapp::webhook::{escaped, signature};
use super::support::fake_whatsapp::{FakeWhatsApp, Fault};
use super::support::product::{Product, free_port};
use super::{Desk, ROUTINE, SOON};

const ANNA: &str = "79991234567";
const ANNAS_ID: &str = "RU.13491208655302741918";
const VERIFY: &str = "typed in on both sides";

/// The product with this fake as its WhatsApp, and its webhook's address.
fn start(whatsapp: &FakeWhatsApp, kept: &Path) -> (Product, String) {
    let port = free_port();
    let public = format!("http://127.0.0.1:{port}");
    let settings = [
        ("FIRSTLINE__SERVER__PUBLIC_URL", &*public),
        ("FIRSTLINE__WHATSAPP__API_URL", &whatsapp.api_url),
        ("FIRSTLINE__WHATSAPP__TOKEN", &whatsapp.token),
        ("FIRSTLINE__WHATSAPP__PHONE_NUMBER_ID", &whatsapp.phone_number_id),
        ("FIRSTLINE__WHATSAPP__APP_SECRET", &whatsapp.app_secret),
        ("FIRSTLINE__WHATSAPP__VERIFY_TOKEN", VERIFY),
    ];
    let product = Product::start_on(port, kept, &settings);
    let hook = format!("{public}/whatsapp/{}", whatsapp.phone_number_id);
    (product, hook)
}

#[tokio::test]
async fn the_story_on_whatsapp() {
    let whatsapp = FakeWhatsApp::start().await;
    let kept = tempfile::tempdir().unwrap();
    let (product, hook) = start(&whatsapp, kept.path());
    let refused = whatsapp.set_webhook(&hook, "guessed").await.expect_err("another token");
    assert!(refused.starts_with("403"), "{refused}");
    whatsapp.set_webhook(&hook, VERIFY).await.unwrap();
    whatsapp.deliver_twice(true);
    whatsapp.tells_statuses(&["read", "sent", "delivered"]);
    whatsapp.introduce(ANNA, "a.", Some(ANNAS_ID), true);

    whatsapp.customer_writes(ANNA, ROUTINE);
    let replies = whatsapp.wait_for_replies(ANNA, 1, SOON).await;
    assert!(replies[0].contains("390 ₽") && replies[0].contains("Источник:"), "{replies:?}");
    assert_eq!(whatsapp.calls().last().unwrap()["recipient"], ANNAS_ID, "she has no phone to write to");
    whatsapp.wait_until_read(SOON).await;

    whatsapp.fail_next_sends(1, Fault::Error(429, 130_429));
    whatsapp.customer_writes(ANNA, "Меня зовут Анна, номер заказа М-123456. Позовите, пожалуйста, человека");
    let replies = whatsapp.wait_for_replies(ANNA, 2, SOON).await;
    assert!(replies[1].contains("коллеге"), "{replies:?}");

    let mut desk = Desk::new(&product);
    desk.log_in(&product.password).await;
    let waiting = desk.only_waiting().await;
    desk.acts(&waiting, "take", "").await;
    whatsapp.customer_sends(ANNA, json!({ "type": "image", "image": { "id": "1", "caption": "Вот фото" } }));
    desk.page_with(&waiting, &["[фото] Вот фото"]).await;
    desk.acts(&waiting, "reply", "Анна, здравствуйте! Вижу фото.").await;
    let replies = whatsapp.wait_for_replies(ANNA, 3, SOON).await;
    assert_eq!(replies[2], "Анна, здравствуйте! Вижу фото.");

    forged_and_foreign(&whatsapp, &hook).await;
    whatsapp.wait_until_read(SOON).await;
    assert_eq!(whatsapp.replies(ANNA).len(), 3, "nothing is said twice: {:?}", whatsapp.replies(ANNA));
    assert_eq!(desk.waiting().await, Vec::<String>::new(), "nobody else has come in");
}

/// Neither what Meta did not sign nor what is another number's comes in.
async fn forged_and_foreign(whatsapp: &FakeWhatsApp, hook: &str) {
    let body = |number: &str| {
        let message = json!({ "from": "79990000005", "id": "wamid.forged", "timestamp": "1790000000", "type": "text",
            "text": { "body": "Позовите человека" } });
        let value = json!({ "metadata": { "phone_number_id": number }, "messages": [message] });
        escaped(&json!({ "entry": [{ "changes": [{ "field": "messages", "value": value }] }] }))
    };
    let client = Client::builder().no_proxy().build().unwrap();
    let post = |body: String, secret: &str| {
        client.post(hook).header("X-Hub-Signature-256", signature(secret, &body)).body(body).send()
    };
    let forged = post(body(&whatsapp.phone_number_id), "guessed").await.unwrap();
    assert_eq!(forged.status(), StatusCode::UNAUTHORIZED);
    let foreign = post(body("999"), &whatsapp.app_secret).await.unwrap();
    assert_eq!(foreign.status(), StatusCode::OK, "there is nothing to send again");
}
