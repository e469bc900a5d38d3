//! The story of one customer over Telegram's wire format, against the real binary: once polled, once by webhook. The
//! operator works at the desk, over HTTP. And what is another's on WhatsApp's wire, and the beginning on MAX's.
#![allow(clippy::unwrap_used, reason = "what a test can't go on without")]

mod support;
#[path = "story/whatsapp.rs"]
mod whatsapp;

mod story {
    pub(super) mod max;
    pub(super) mod telegram;
}

use std::collections::HashMap;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT_LANGUAGE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};

use support::fake_telegram::{FakeTelegram, Fault};
use support::product::{Product, free_port};

const CHAT: i64 = 4711;
const SOON: Duration = Duration::from_secs(30);
const PASSWORD: &str = "чашка у окна стоит";
const ROUTINE: &str = "Сколько стоит доставка курьером по Москве?";

#[tokio::test]
async fn the_story_by_polling() {
    let telegram = FakeTelegram::start().await;
    let kept = tempfile::tempdir().unwrap();
    let settings =
        [("FIRSTLINE__TELEGRAM__API_URL", &*telegram.api_url), ("FIRSTLINE__TELEGRAM__TOKEN", &telegram.token)];
    let product = Product::start(kept.path(), &settings);
    story(&telegram, &product).await;
    assert_eq!(telegram.webhook(), None);
}

#[tokio::test]
async fn the_story_by_webhook() {
    let telegram = FakeTelegram::start().await;
    let kept = tempfile::tempdir().unwrap();
    let port = free_port();
    let public = format!("http://127.0.0.1:{port}");
    let settings = [
        ("FIRSTLINE__TELEGRAM__API_URL", &*telegram.api_url),
        ("FIRSTLINE__TELEGRAM__TOKEN", &telegram.token),
        ("FIRSTLINE__TELEGRAM__MODE", "webhook"),
        ("FIRSTLINE__SERVER__PUBLIC_URL", &public),
    ];
    let product = Product::start_on(port, kept.path(), &settings);
    // Each update comes twice: a webhook whose answer got lost is posted again.
    telegram.deliver_twice(true);
    story(&telegram, &product).await;
    assert!(telegram.webhook().is_some_and(|url| url.starts_with(&public)));
    let kept_secret = std::fs::read_to_string(kept.path().join("telegram.secret")).unwrap();
    assert_eq!(telegram.calls("setWebhook")[0]["secret_token"], kept_secret);
    assert!(telegram.calls("getUpdates").is_empty());
}

async fn story(telegram: &FakeTelegram, product: &Product) {
    // The messenger's own name is no name to greet by: what is known is what was said.
    telegram.introduce(CHAT, "a.", "", "ru");
    first_contact(telegram).await;
    too_many_requests_are_waited_out(telegram).await;

    let mut desk = Desk::new(product);
    desk.log_in(&product.password).await;
    let first = desk.only_waiting().await;
    desk.acts(&first, "take", "").await;
    desk.acts(&first, "resolve", "").await;
    desk.page_with(&first, &["class=\"owner resolved\"", "<dd>М-123456", "<dd>Анна"]).await;

    comes_back_angry(telegram).await;
    let second = desk.only_waiting().await;
    let page = desk.page(&second).await;
    let package = between(&page, "id=\"package\"", "</details>");
    assert!(package.contains("Анна") && package.contains("М-123456"), "{package}");

    a_person_answers(telegram, &mut desk, &second).await;
    telegram.wait_until_read(SOON).await;
}

async fn first_contact(telegram: &FakeTelegram) {
    telegram.customer_writes(CHAT, ROUTINE);
    let replies = telegram.wait_for_replies(CHAT, 1, SOON).await;
    assert!(replies[0].contains("Вам отвечает бот «Мята»"), "a machine says that it is one: {replies:?}");
    assert!(replies[0].contains("390 ₽") && replies[0].contains("Источник:"), "{replies:?}");
    let shown = || telegram.calls("sendChatAction").iter().any(|call| call["action"] == "typing");
    assert!(telegram.wait(SOON, shown).await, "typing is shown");
}

async fn too_many_requests_are_waited_out(telegram: &FakeTelegram) {
    let calls = telegram.calls("sendMessage").len();
    telegram.fail_next_sends(1, Fault::TooMany(2));
    telegram.customer_writes(CHAT, "Меня зовут Анна, номер заказа М-123456. Позовите, пожалуйста, человека");
    assert!(telegram.wait(SOON, || telegram.calls("sendMessage").len() > calls).await, "the bot tries to answer");
    let refused = Instant::now();
    let replies = telegram.wait_for_replies(CHAT, 2, SOON).await;
    assert!(refused.elapsed() > Duration::from_secs(1), "two seconds were asked for: {:?}", refused.elapsed());
    assert_eq!(telegram.calls("sendMessage").len(), calls + 2, "one refused, one sent");
    assert!(replies[1].contains("коллеге"), "{replies:?}");
    assert!(!replies[1].contains("Вам отвечает бот"), "that was said at the first contact: {replies:?}");
}

async fn comes_back_angry(telegram: &FakeTelegram) {
    telegram.customer_writes(CHAT, "Это безобразие! Третий раз пишу, деньги так и не вернули. Сколько можно?!");
    let replies = telegram.wait_for_replies(CHAT, 3, SOON).await;
    assert!(replies[2].contains("М-123456"), "{replies:?}");
    assert!(!replies[2].contains("напишите, пожалуйста, номер заказа"), "{replies:?}");
}

async fn a_person_answers(telegram: &FakeTelegram, desk: &mut Desk, conversation: &str) {
    desk.acts(conversation, "take", "").await;
    desk.acts(conversation, "reply", "Анна, здравствуйте! Проверяю возврат.").await;
    telegram.wait_for_replies(CHAT, 4, SOON).await;

    telegram.customer_writes(CHAT, "Спасибо. И напомните, сколько стоит доставка курьером по Москве?");
    desk.page_with(conversation, &["И напомните"]).await;
    desk.acts(conversation, "reply", "При заказе от 5 000 ₽ бесплатно.").await;
    telegram.wait_for_replies(CHAT, 5, SOON).await;
    desk.acts(conversation, "release", "").await;

    telegram.customer_writes(CHAT, "Какие есть способы оплаты?");
    let replies = telegram.wait_for_replies(CHAT, 6, SOON).await;
    assert_eq!(replies[3], "Анна, здравствуйте! Проверяю возврат.");
    assert_eq!(replies[4], "При заказе от 5 000 ₽ бесплатно.", "the bot is silent in a person's conversation");
    assert!(replies[5].contains("Источник:"), "given back, the bot answers: {replies:?}");
    assert_eq!(replies.len(), 6, "nothing is said twice: {replies:?}");
}

/// An operator's browser without a window.
struct Desk {
    url: String,
    client: Client,
    cookies: HashMap<String, String>,
}

impl Desk {
    fn new(product: &Product) -> Self {
        // The default provider is chosen once in a process; whoever comes second finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { url: product.url.clone(), client, cookies: HashMap::new() }
    }

    async fn log_in(&mut self, one_time: &str) {
        let csrf = hidden(&self.get("/desk/login").await, "csrf");
        let answer = self.post("/desk/login", &[("csrf", &csrf), ("login", "admin"), ("password", one_time)]).await;
        assert_eq!(answer.headers()[LOCATION], "/desk/password", "a one-time password must be changed");
        let csrf = hidden(&self.get("/desk/password").await, "csrf");
        let answer = self.post("/desk/password", &[("csrf", &csrf), ("new", PASSWORD), ("again", PASSWORD)]).await;
        assert_eq!(answer.headers()[LOCATION], "/desk");
    }

    /// The one conversation that waits for a person.
    async fn only_waiting(&mut self) -> String {
        let ids = self.waiting().await;
        let [id] = &ids[..] else { panic!("one waits, not {}", ids.len()) };
        id.clone()
    }

    /// The conversations that wait for a person.
    async fn waiting(&mut self) -> Vec<String> {
        let page = self.get("/desk").await;
        let waiting = between(&page, "id=\"waiting\"", "</section>");
        waiting.split("href=\"/desk/c/").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    async fn page(&mut self, conversation: &str) -> String {
        self.get(&format!("/desk/c/{conversation}")).await
    }

    /// Loads a conversation's page until it holds all of that: learning and delivery go on in the background.
    async fn page_with(&mut self, conversation: &str, words: &[&str]) {
        let began = Instant::now();
        loop {
            let page = self.page(conversation).await;
            let missing: Vec<&&str> = words.iter().filter(|words| !page.contains(**words)).collect();
            if missing.is_empty() {
                return;
            }
            assert!(began.elapsed() < SOON, "the page does not come to hold {missing:?}: {page}");
        }
    }

    async fn acts(&mut self, conversation: &str, action: &str, text: &str) {
        let page = self.page(conversation).await;
        let (csrf, key) = (hidden(&page, "csrf"), hidden(&page, "action_id"));
        let fields = [("csrf", &*csrf), ("action_id", &key), ("action", action), ("text", text)];
        let answer = self.post(&format!("/desk/c/{conversation}/act"), &fields).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{action}");
    }

    async fn get(&mut self, path: &str) -> String {
        let answer = self.request(Method::GET, path, String::new()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request(Method::POST, path, body).await
    }

    async fn request(&mut self, method: Method, path: &str, body: String) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.request(method, format!("{}{path}", self.url)).header(COOKIE, cookies.join("; "));
        let request = request.header("content-type", "application/x-www-form-urlencoded").header(ACCEPT_LANGUAGE, "ru");
        let answer = request.body(body).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        answer
    }
}

/// The value of the first hidden field of that name.
fn hidden(page: &str, name: &str) -> String {
    between(page, &format!("name=\"{name}\" value=\""), "\"").to_owned()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} behind {start}")).0
}
