//! The beginning of the story over MAX's wire format.

use crate::support::fake_max::{FakeMax, Fault};
use crate::support::product::{Product, free_port};
use crate::{ROUTINE, SOON};

const ANA: i64 = 4711;
const SEND: &str = "POST /messages";

#[tokio::test]
async fn a_customer_of_max_is_answered_by_polling() {
    let max = FakeMax::start().await;
    // What an earlier Firstline subscribed to would keep polls empty.
    max.subscribe("https://help.example/max/max", &[]);
    let kept = tempfile::tempdir().unwrap();
    let settings = [("FIRSTLINE__MAX__API_URL", &*max.api_url), ("FIRSTLINE__MAX__TOKEN", &max.token)];
    let _product = Product::start(kept.path(), &settings);
    max.deliver_twice(true);
    first_contact(&max).await;
    too_many_requests_are_waited_out(&max).await;
    max.wait_until_read(SOON).await;
    assert_eq!(max.replies(ANA).len(), 2, "nothing is said twice");
}

#[tokio::test]
async fn a_customer_of_max_is_answered_by_webhook_also_after_max_stopped_to_post() {
    let max = FakeMax::start().await;
    let kept = tempfile::tempdir().unwrap();
    let port = free_port();
    let public = format!("http://127.0.0.1:{port}");
    let settings = [
        ("FIRSTLINE__MAX__API_URL", &*max.api_url),
        ("FIRSTLINE__MAX__TOKEN", &max.token),
        ("FIRSTLINE__MAX__MODE", "webhook"),
        ("FIRSTLINE__MAX__SUBSCRIBED_AGAIN_AFTER", "200ms"),
        ("FIRSTLINE__SERVER__PUBLIC_URL", &public),
    ];
    let _product = Product::start_on(port, kept.path(), &settings);
    // Each update comes twice: a webhook whose answer got lost is posted again.
    max.deliver_twice(true);
    first_contact(&max).await;
    let ours = format!("{public}/max/max");
    assert_eq!(max.subscriptions(), std::slice::from_ref(&ours));

    max.drops_subscriptions();
    too_many_requests_are_waited_out(&max).await;
    max.wait_until_read(SOON).await;
    assert_eq!(max.subscriptions(), [ours]);
    assert_eq!(max.replies(ANA).len(), 2, "nothing is said twice");
    let kept_secret = std::fs::read_to_string(kept.path().join("max.secret")).unwrap();
    let made = max.calls("POST /subscriptions");
    assert_eq!(made.len(), 2, "once at the start, once when it was lost");
    assert!(made.iter().all(|call| call.body["secret"] == kept_secret.as_str()));
    assert!(max.calls("GET /updates").is_empty());
}

async fn first_contact(max: &FakeMax) {
    max.customer_writes(ANA, ROUTINE);
    let replies = max.wait_for_replies(ANA, 1, SOON).await;
    assert!(replies[0].contains("Вам отвечает бот «Мята»"), "a machine says that it is one: {replies:?}");
    assert!(replies[0].contains("390 ₽") && replies[0].contains("Источник:"), "{replies:?}");
    let actions = format!("POST /chats/{}/actions", FakeMax::dialog(ANA));
    let shown = || max.calls(&actions).iter().any(|call| call.body["action"] == "typing_on");
    assert!(max.wait(SOON, shown).await, "typing is shown");
}

async fn too_many_requests_are_waited_out(max: &FakeMax) {
    max.fail_next(SEND, 1, Fault::TooMany(Some(1)));
    max.customer_writes(ANA, "Меня зовут Анна, номер заказа М-123456. Позовите, пожалуйста, человека");
    let replies = max.wait_for_replies(ANA, 2, SOON).await;
    assert!(replies[1].contains("коллеге"), "{replies:?}");
    assert_eq!(max.calls(SEND).len(), 3, "one refused, two sent");
}
