//! What Telegram has beside words, against the real binary: albums, buttons, and an account that the bot answers for.

use serde_json::{Value, json};

use crate::support::fake_telegram::FakeTelegram;
use crate::support::product::Product;
use crate::{Desk, ROUTINE, SOON};

const CHAT: i64 = 4712;
const OWNER: i64 = 900;

fn start(telegram: &FakeTelegram, kept: &std::path::Path, more: &[(&str, &str)]) -> Product {
    let settings =
        [("FIRSTLINE__TELEGRAM__API_URL", &*telegram.api_url), ("FIRSTLINE__TELEGRAM__TOKEN", &telegram.token)];
    Product::start(kept, &[&settings, more].concat())
}

#[tokio::test]
async fn an_album_is_one_turn_and_the_customer_is_asked_once_how_it_was() {
    let telegram = FakeTelegram::start().await;
    let kept = tempfile::tempdir().unwrap();
    let product = start(&telegram, kept.path(), &[("FIRSTLINE__CSAT__ASK", "true")]);
    telegram.deliver_twice(true);

    telegram.customer_writes(CHAT, ROUTINE);
    telegram.wait_for_replies(CHAT, 1, SOON).await;
    assert_eq!(telegram.buttons(CHAT), [("Позвать человека".to_owned(), "human".to_owned())]);
    telegram.customer_taps(CHAT, "human");
    let replies = telegram.wait_for_replies(CHAT, 2, SOON).await;
    assert!(replies[1].contains("коллеге"), "{replies:?}");
    assert!(telegram.wait(SOON, || telegram.buttons(CHAT).is_empty()).await, "the choice is made");

    let mut desk = Desk::new(&product);
    desk.log_in(&product.password).await;
    let waiting = desk.only_waiting().await;
    desk.acts(&waiting, "reply", "Здравствуйте! Слушаю вас.").await;
    desk.acts(&waiting, "resolve", "").await;
    let replies = telegram.wait_for_replies(CHAT, 4, SOON).await;
    assert!(replies[3].contains("от 1 (плохо) до 5"), "{replies:?}");
    let titles: Vec<String> = telegram.buttons(CHAT).into_iter().map(|(title, _)| title).collect();
    assert_eq!(titles, ["1", "2", "3", "4", "5"]);
    let (_, five) = telegram.buttons(CHAT).pop().unwrap();
    telegram.customer_taps(CHAT, &five);
    let replies = telegram.wait_for_replies(CHAT, 5, SOON).await;
    assert_eq!(replies[4], "Спасибо за оценку.");

    telegram.customer_sends_album(CHAT, "Посылка пришла разбитой, вот что внутри", &["a", "b", "c"]);
    telegram.wait_for_replies(CHAT, 6, SOON).await;
    telegram.wait_until_read(SOON).await;
    let second = desk.only_waiting().await;
    desk.page_with(&second, &["[фото] Посылка пришла разбитой"]).await;
    assert_eq!(telegram.replies(CHAT).len(), 6, "one answer to all of it: {:?}", telegram.replies(CHAT));
}

#[tokio::test]
async fn the_bot_answers_for_an_account_until_its_owner_writes() {
    let telegram = FakeTelegram::start().await;
    let kept = tempfile::tempdir().unwrap();
    let _product = start(&telegram, kept.path(), &[]);
    telegram.connects("c1", OWNER, true);
    telegram.writes_to_account("c1", CHAT, false, ROUTINE);
    let replies = telegram.wait_for_replies(CHAT, 1, SOON).await;
    assert!(replies[0].contains("390 ₽"), "{replies:?}");
    assert!(telegram.calls("sendMessage").iter().all(|call| call["business_connection_id"] == "c1"));

    telegram.writes_to_account("c1", CHAT, true, "Здравствуйте, дальше отвечу я");
    telegram.writes_to_account("c1", CHAT, false, "Какие есть способы оплаты?");
    telegram.wait_until_read(SOON).await;
    // Whoever has written to the bot itself is answered meanwhile, in its own name.
    telegram.customer_writes(CHAT + 1, ROUTINE);
    telegram.wait_for_replies(CHAT + 1, 1, SOON).await;
    assert!(telegram.calls("sendMessage").last().unwrap().get("business_connection_id").is_none());
    assert_eq!(telegram.replies(CHAT).len(), 1, "the owner has the chat: {:?}", telegram.replies(CHAT));
}

/// Posts what the web chat posts.
async fn posts(product: &Product, path: &str, token: Option<&str>, body: Value) -> Value {
    let request = reqwest::Client::new().post(format!("{}/widget/v1/{path}", product.url)).json(&body);
    let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap()
}

#[tokio::test]
async fn who_goes_on_from_the_web_chat_is_known_and_a_friend_who_gets_the_link_is_asked() {
    let telegram = FakeTelegram::start().await;
    let kept = tempfile::tempdir().unwrap();
    let product = start(&telegram, kept.path(), &[("FIRSTLINE__IDENTITY__TELEGRAM_BOT", "mint_bot")]);
    telegram.deliver_twice(true);
    let session = posts(&product, "session", None, json!({})).await;
    let token = session["visitor_token"].as_str().unwrap();
    let said = json!({ "client_msg_id": "0b6e7f1c-8a55-4c1e-9d39-6b3f1c2a7e10", "text": "Меня зовут Анна, номер заказа М-123456", "language": "ru" });
    posts(&product, "messages", Some(token), said).await;
    let link = async || {
        let links = posts(&product, "links", Some(token), json!({ "language": "ru" })).await["links"].take();
        let url = links[0]["url"].as_str().unwrap().to_owned();
        url.strip_prefix("https://t.me/mint_bot?start=").unwrap().to_owned()
    };

    telegram.customer_writes(CHAT, &format!("/start {}", link().await));
    telegram.wait_for_replies(CHAT, 1, SOON).await;
    let known = async |chat: i64| {
        let mut command = product.command();
        command.env("FIRSTLINE__TELEGRAM__API_URL", &telegram.api_url);
        command.env("FIRSTLINE__TELEGRAM__TOKEN", &telegram.token);
        let customer = format!("telegram:{chat}");
        let output = command.args(["--json", "customer", "show", "--customer", &customer]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let wait_until_merged = async |chat: i64, addresses: usize| {
        let began = std::time::Instant::now();
        while known(chat).await["addresses"].as_array().unwrap().len() < addresses {
            assert!(began.elapsed() < SOON, "{:?}", telegram.replies(chat));
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    wait_until_merged(CHAT, 2).await;
    assert_eq!(known(CHAT).await["merges"][0]["by"], "proof:link");

    // Somebody who was here before opens a second one.
    telegram.customer_writes(CHAT + 1, ROUTINE);
    telegram.wait_for_replies(CHAT + 1, 1, SOON).await;
    telegram.customer_writes(CHAT + 1, &format!("/start {}", link().await));
    let asks = || telegram.replies(CHAT + 1).iter().any(|reply| reply.contains("оба становятся одним"));
    assert!(telegram.wait(SOON, asks).await, "{:?}", telegram.replies(CHAT + 1));
    assert_eq!(known(CHAT + 1).await["addresses"].as_array().unwrap().len(), 1);
    let offered = ("Это я".to_owned(), "link:mine".to_owned());
    assert!(telegram.wait(SOON, || telegram.buttons(CHAT + 1).contains(&offered)).await);
    telegram.customer_taps(CHAT + 1, "link:mine");
    wait_until_merged(CHAT + 1, 3).await;
}
