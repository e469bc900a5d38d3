//! The story of one customer in headless Chromium, against the real binary: answered, remembered, handed over, answered
//! by a person, given back.
//!
//! With `FIRSTLINE_SCREENSHOTS=directory` a picture is kept of each scene.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::unused_async,
    reason = "what a test can't go on without"
)]

#[path = "support/product.rs"]
mod product;

#[path = "support/browser.rs"]
mod browser;

use browser::{Driver, Page, Window};
use product::Product;

const ROUTINE: &str = "Сколько стоит доставка курьером по Москве?";
const ANSWER: &str = "390 ₽";
/// Marks the messages that are there: the others are new.
const MARK: &str = "document.querySelectorAll('.message').forEach((one) => { one.dataset.before = 'yes'; })";
const NEW_PASSWORD: &str = "чашка у окна стоит";

#[tokio::test]
async fn a_customer_never_repeats_himself_and_an_operator_never_starts_cold() {
    let Some(driver) = Driver::start().await else { return };
    let kept = tempfile::tempdir().unwrap();
    let product = Product::start(kept.path(), &[]);

    let visitor = driver.open("visitor", "ru", Window::Desktop).await;
    a_routine_question_is_answered_with_its_source(&product, &visitor).await;
    say(&visitor, "Меня зовут Анна, номер заказа М-123456. Позовите, пожалуйста, человека").await;
    visitor.sees("#who[data-who=queued]", "").await;
    visitor.picture("chat-queued").await;

    let desk = driver.open("operator", "ru", Window::Desktop).await;
    logs_in_with_the_one_time_password(&product, &desk).await;
    takes_and_closes_the_first_conversation(&desk).await;
    visitor.sees("#who[data-who=resolved]", "").await;

    // The browser was closed in between; what it kept is all that ties the visitor to the first conversation.
    visitor.close().await;
    let visitor = driver.open("visitor", "ru", Window::Desktop).await;
    comes_back_angry_and_is_not_asked_again(&product, &visitor).await;

    // A second session: nothing of the first one's tab is known here.
    let colleague = driver.open("colleague", "ru", Window::Desktop).await;
    log_in(&product, &colleague, NEW_PASSWORD).await;
    finds_the_package_in_the_queue(&product, &colleague).await;
    a_person_answers_and_the_bot_is_silent(&visitor, &colleague).await;
    given_back_the_bot_answers(&visitor, &colleague).await;

    everything_fits_on_a_phone(&product, &driver).await;
    for page in [visitor, desk, colleague] {
        page.close().await;
    }
}

/// Writes a message in the chat, sends it, and sees it stored.
async fn say(page: &Page, text: &str) {
    page.fill("#field", text).await;
    page.click("#send").await;
    page.sees(".message.customer:not(.sending):not(.waiting) .bubble", text).await;
}

async fn a_routine_question_is_answered_with_its_source(product: &Product, visitor: &Page) {
    visitor.goto(&format!("{}/chat", product.url)).await;
    visitor.sees(".message.bot", "Отвечаю я, бот").await;
    visitor.picture("chat-empty").await;
    say(visitor, ROUTINE).await;
    visitor.sees(".message.bot .bubble", ANSWER).await;
    visitor.sees(".message.bot .source", "Сколько стоит доставка курьером по Москве").await;
    let told = visitor.text("#log").await;
    assert!(told.contains("Вам отвечает бот «Мята»"), "the first answer says that a machine gives it: {told}");
    visitor.picture("chat-answered").await;
}

async fn log_in(product: &Product, desk: &Page, password: &str) {
    desk.goto(&format!("{}/desk", product.url)).await;
    desk.fill("input[name=login]", "admin").await;
    desk.fill("input[name=password]", password).await;
    desk.picture("log-in").await;
    desk.click(".card button").await;
}

async fn logs_in_with_the_one_time_password(product: &Product, desk: &Page) {
    log_in(product, desk, &product.password).await;
    desk.sees("main[data-page=password] .hint", "одноразовому паролю").await;
    desk.fill("input[name=new]", NEW_PASSWORD).await;
    desk.fill("input[name=again]", NEW_PASSWORD).await;
    desk.picture("new-password").await;
    desk.click(".card button").await;
    desk.sees("main[data-page=queue]", "").await;
}

async fn takes_and_closes_the_first_conversation(desk: &Page) {
    desk.sees("#waiting .entry", "Позовите, пожалуйста, человека").await;
    desk.sees("#waiting .entry", "Просит человека").await;
    desk.click("#waiting .entry a").await;
    desk.sees("main[data-page=conversation] .package", "М-123456").await;
    desk.click("button[value=take]").await;
    desk.sees(".owner.mine", "").await;
    let conversation = desk.url().await;
    desk.click("button[value=resolve]").await;
    desk.sees("main[data-page=queue] .nothing", "").await;
    desk.goto(&conversation).await;
    desk.sees(".owner.resolved", "").await;
    // What was learnt stands beside the conversation, each fact with its message. It is learnt in the background, so the
    // page is what is waited for.
    desk.sees_after_reloads("aside .facts", "М-123456").await;
    desk.sees("aside .facts", "Анна").await;
    desk.sees("aside .facts .to-message", "№").await;
}

async fn comes_back_angry_and_is_not_asked_again(product: &Product, visitor: &Page) {
    visitor.goto(&format!("{}/chat", product.url)).await;
    visitor.sees(".message.customer", ROUTINE).await;
    visitor.run(MARK).await;
    say(visitor, "Это безобразие! Третий раз пишу, деньги за заказ так и не вернули. Сколько можно?!").await;
    visitor.sees(".message.bot:not([data-before]) .bubble", "М-123456").await;
    visitor.sees("#who[data-who=queued]", "").await;
    let told = visitor.text("#log").await;
    let notice = told.rsplit("Сколько можно?!").next().unwrap();
    assert!(!notice.contains("напишите, пожалуйста, номер заказа"), "it is known already: {notice}");
    visitor.picture("chat-angry").await;
}

async fn finds_the_package_in_the_queue(product: &Product, desk: &Page) {
    desk.sees("#waiting .entry", "Анна").await;
    desk.goto(&format!("{}/desk", product.url)).await;
    desk.sees("#waiting .entry .last", "Это безобразие!").await;
    desk.picture("queue").await;
    desk.click("#waiting .entry a").await;
    desk.sees(".package", "Анна").await;
    desk.sees(".package", "М-123456").await;
    desk.sees(".conversation-head h1", "Анна").await;
    desk.run("scrollTo(0, 0)").await;
    desk.picture("conversation").await;
}

async fn a_person_answers_and_the_bot_is_silent(visitor: &Page, desk: &Page) {
    visitor.run("window.neverReloaded = true").await;
    desk.click("button[value=take]").await;
    desk.sees(".owner.mine", "").await;
    visitor.sees("#who[data-who=human]", "").await;
    desk.fill("#text", "Анна, здравствуйте! Вижу заказ М-123456, проверяю возврат.").await;
    desk.click("button[value=reply]").await;
    visitor.sees(".message.operator .bubble", "проверяю возврат").await;
    desk.sees(".timeline .line.operator", "проверяю возврат").await;

    // A question that the bot could answer at once.
    say(visitor, "Спасибо. И напомните, сколько стоит доставка курьером по Москве?").await;
    desk.sees(".timeline .line.customer", "И напомните").await;
    desk.fill("#text", "Доставка при заказе от 5 000 ₽ бесплатная. Деньги вернутся сегодня.").await;
    desk.click("button[value=reply]").await;
    visitor.sees(".message.operator .bubble", "Деньги вернутся сегодня").await;
    visitor.picture("chat-person").await;
    desk.picture("conversation-mine").await;
}

async fn given_back_the_bot_answers(visitor: &Page, desk: &Page) {
    desk.click("button[value=release]").await;
    desk.sees("#bot .entry", "Анна").await;
    visitor.sees("#who[data-who=bot]", "").await;
    visitor.run(MARK).await;
    say(visitor, "Какие есть способы оплаты?").await;
    visitor.sees(".message.bot:not([data-before]) .source", "").await;
    let told = visitor.text("#log").await;
    let (_, with_person) = told.split_once("И напомните").unwrap();
    let (before, _) = with_person.split_once("Какие есть способы оплаты?").unwrap();
    assert!(!before.contains("Бот"), "the bot spoke in a person's conversation: {before}");
    assert_eq!(visitor.run("return window.neverReloaded === true").await, true, "all this came without a reload");
    visitor.picture("chat-bot-again").await;
}

async fn everything_fits_on_a_phone(product: &Product, driver: &Driver) {
    let phone = driver.open("phone", "ru", Window::Phone).await;
    phone.goto(&format!("{}/chat", product.url)).await;
    say(&phone, ROUTINE).await;
    phone.sees(".message.bot .bubble", ANSWER).await;
    phone.fits("chat").await;
    phone.picture("phone-chat").await;
    say(&phone, "Позовите, пожалуйста, человека").await;
    phone.sees("#who[data-who=queued]", "").await;
    phone.picture("phone-queued").await;
    log_in(product, &phone, NEW_PASSWORD).await;
    phone.sees("#waiting .entry", "Позовите").await;
    phone.fits("queue").await;
    phone.picture("phone-queue").await;
    phone.click("#waiting .entry a").await;
    phone.sees(".package", "").await;
    phone.fits("conversation").await;
    phone.run("scrollTo(0, 0)").await;
    phone.picture("phone-conversation").await;
    phone.goto(&product.url).await;
    phone.fits("start page").await;
    phone.picture("phone-start").await;
    phone.close().await;
}
