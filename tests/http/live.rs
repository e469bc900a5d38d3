//! The pages in a real browser: what their scripts make of the API, and that nothing in them needs a looser policy.

use firstline::domain::handoff::Package;
use firstline::domain::message::{Author, Citation};
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::browser::{Driver, Page, Window};
use crate::support::{PASSWORD, serve, serve_with};

const HOSTILE: &str = "<img src=x onerror=\"window.hurt=1\"> javascript:alert(1) https://myata.example/a\"b";

#[tokio::test(flavor = "multi_thread")]
async fn the_chat_carries_a_conversation_through_everything() {
    let served = serve().await;
    let Some(driver) = Driver::start().await else { return };
    let browser = driver.open("anybody", "en", Window::Desktop).await;
    browser.goto(&served.url("/chat")).await;
    browser.until("document.querySelector('.message.bot')").await;
    assert!(served.ctx.store.queue(10).await.unwrap().is_empty(), "looking at the page is no conversation");

    // A question and its answer: words are text, addresses are links, sources have names.
    browser.press("#field", "How much is delivery?").await;
    browser.click("#send").await;
    browser.until("document.querySelector('.message.customer .under time')").await;
    browser.until("document.querySelector('.typing')").await;
    served.bot_answers(HOSTILE, vec![Citation { source: "en/delivery".into(), title: HOSTILE.into() }]).await;
    browser.until("document.querySelector('.sources') && !document.querySelector('.typing')").await;
    assert_eq!(browser.eval("document.querySelectorAll('#log img').length + (window.hurt ?? 0)").await, 0);
    assert_eq!(
        browser.eval("[...document.querySelectorAll('.bubble a')].map((link) => [link.href, link.rel])").await,
        json!([["https://myata.example/a", "noopener noreferrer nofollow"]])
    );

    // Back after a reload, in the other language as well.
    browser.goto(&served.url("/chat")).await;
    browser.until("document.querySelectorAll('.message').length === 3").await;
    browser.click("#language").await;
    browser.until("document.documentElement.lang === 'ru'").await;
    assert_eq!(browser.eval("document.getElementById('call').textContent").await, "Позвать человека");
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "nothing breaks the content policy");

    // Without a connection what is written waits, survives a reload, and is stored once.
    browser.offline(true).await;
    browser.press("#field", "written in a tunnel").await;
    browser.click("#send").await;
    browser.until("document.querySelector('.message.waiting')").await;
    browser.until("document.getElementById('banner').textContent").await;
    browser.offline(false).await;
    browser
        .until("!document.querySelector('.message.waiting') && !document.getElementById('banner').textContent")
        .await;
    let conversation = served.conversation().await;
    let said = served.ctx.store.transcript(conversation, 0, 100).await.unwrap();
    let of_customer = said.iter().filter(|message| message.author == Author::Customer);
    assert_eq!(
        of_customer.map(|message| message.text.as_str()).collect::<Vec<_>>(),
        ["How much is delivery?", "written in a tunnel"]
    );
    assert_eq!(browser.eval("document.querySelectorAll('.message.customer').length").await, 2);
    assert_eq!(browser.eval("JSON.parse(localStorage.getItem('firstline.outbox'))").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_is_live_and_keeps_what_is_being_written() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let Some(driver) = Driver::start().await else { return };
    let browser = driver.open("anybody", "en", Window::Desktop).await;
    let visitor = served.visitor().await;
    visitor.says("I want a person").await;
    browser.goto(&served.url("/desk")).await;
    browser.press("[name=login]", "anna").await;
    browser.press("[name=password]", PASSWORD).await;
    browser.click(".card .button").await;
    browser.until("document.querySelector('#bot .entry')").await;

    // The queue moves by itself.
    let conversation = served.conversation().await;
    served.bot_hands_off("A colleague will come.", Package::default(), 1).await;
    browser.until("document.querySelector('#waiting .entry.urgent') && document.title.startsWith('(1)')").await;
    browser.click("#waiting .entry a").await;
    browser.until("document.querySelector('.timeline')").await;

    // The customer writes while the operator does: neither disturbs the other.
    browser.eval("window.same = 'page'").await;
    browser.press("#text", "Hello, Anna here.").await;
    visitor.says("Are you there?").await;
    browser.until("document.getElementById('m-3')").await;
    assert_eq!(
        browser.eval("[text.value, document.activeElement.id, window.same]").await,
        json!(["Hello, Anna here.", "text", "page"])
    );
    let control_enter = "\u{e009}\u{e007}";
    browser.press("#text", control_enter).await;
    browser
        .until("document.querySelector('.line.operator .being-sent') && !document.getElementById('text').value")
        .await;
    assert_eq!(browser.eval("document.querySelector('.owner').className").await, "owner mine");
    served.deliver().await;
    browser.until("!document.querySelector('.being-sent')").await;

    // A second reply on the same page is a second reply, a note is a note.
    browser.press("#text", "Anything else?").await;
    browser.press("#text", control_enter).await;
    browser.until("document.querySelectorAll('.line.operator').length === 2").await;
    browser.press("#text", "asked twice").await;
    browser.click("#write [value=note]").await;
    browser.until("document.querySelector('.line.note')").await;
    assert_eq!(browser.eval("window.same").await, "page");
    browser.click(".actions [value=resolve]").await;
    browser.until("location.pathname === '/desk' && document.querySelector('.nothing, #waiting')").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    // The session ends elsewhere: the page goes to the log-in, and the draft is there afterwards.
    browser.goto(&served.url(&format!("/desk/c/{conversation}"))).await;
    browser.press("#text", "not lost").await;
    browser.devtools("Network.clearBrowserCookies", json!({})).await;
    // It may have gone already: any news of the conversation makes the page ask, and the answer is the log-in.
    browser.eval("document.querySelector('#write [value=note]')?.click()").await;
    browser.until("document.querySelector('main')?.dataset.page === 'login'").await;
    browser.press("[name=login]", "anna").await;
    browser.press("[name=password]", PASSWORD).await;
    browser.click(".card .button").await;
    browser.until("document.getElementById('text')?.value === 'not lost'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_opens_on_listed_sites_only() {
    let shop = MockServer::start().await;
    let stranger = MockServer::start().await;
    let served = serve_with(|config| config.web.origins = vec![shop.uri()]).await;
    let Some(driver) = Driver::start().await else { return };
    let browser = driver.open("anybody", "en", Window::Desktop).await;
    let page = format!("<!doctype html><body><h1>A shop</h1><script src=\"{}\"></script>", served.url("/widget.js"));
    for site in [&shop, &stranger] {
        // As strict as a site can be that lets us in at all.
        let policy = format!("default-src 'none'; script-src {0}; frame-src {0}", served.url(""));
        let answer = ResponseTemplate::new(200).insert_header("content-security-policy", policy);
        Mock::given(method("GET")).respond_with(answer.set_body_raw(page.clone(), "text/html")).mount(site).await;
    }

    browser.goto(&shop.uri()).await;
    browser.until("document.querySelector('firstline-widget')").await;
    let mut changes = served.ctx.wake.changes();
    press_button(&browser).await;
    // The open chat has the keyboard; what is typed goes to it, and through it to us.
    browser.until("document.activeElement.tagName === 'FIRSTLINE-WIDGET'").await;
    type_until_stored(&browser, &mut changes).await;
    let said = served.ctx.store.transcript(served.conversation().await, 0, 10).await.unwrap();
    assert!("hello".contains(said[0].text.as_str()));

    browser.complaints().await;
    browser.goto(&stranger.uri()).await;
    browser.until("document.querySelector('firstline-widget')").await;
    press_button(&browser).await;
    let refusal = loop {
        let complaints = browser.complaints().await;
        if let Some(refusal) = complaints.into_iter().find(|words| words.contains("frame-ancestors")) {
            break refusal;
        }
    };
    assert!(refusal.contains(&served.address.to_string()), "{refusal}");
}

/// The button is in a closed tree of its own: only a pointer reaches it.
async fn press_button(browser: &Page) {
    let place = browser.eval("[innerWidth - 50, innerHeight - 50]").await;
    for kind in ["mousePressed", "mouseReleased"] {
        let press = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
        browser.devtools("Input.dispatchMouseEvent", press).await;
    }
}

/// Types a letter and Enter again and again until the chat, which takes its time to load, has sent one.
async fn type_until_stored(
    browser: &Page,
    changes: &mut tokio::sync::broadcast::Receiver<firstline::domain::id::ConversationId>,
) {
    for _ in 0..200 {
        browser.devtools("Input.insertText", json!({ "text": "h" })).await;
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { "\r" } else { "" };
            let press =
                json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": text });
            browser.devtools("Input.dispatchKeyEvent", press).await;
        }
        if tokio::time::timeout(std::time::Duration::from_millis(100), changes.recv()).await.is_ok() {
            return;
        }
    }
    panic!("nothing that is typed arrives");
}
