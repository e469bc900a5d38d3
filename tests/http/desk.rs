//! The desk: who gets in, what they see, and what their presses do.

use firstline::domain::conversation::Ownership;
use firstline::domain::handoff::{Package, PackageLine};
use firstline::domain::id::ConversationId;
use firstline::domain::memory::{FactKind, Stance, Statement};
use firstline::domain::message::{Author, Citation};
use firstline::domain::outbox::SendOutcome;
use firstline::flow::ledger;
use jiff::SignedDuration;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::support::{Browser, PASSWORD, Served, hidden, leads_to, serve, serve_with};

async fn log_in(browser: &mut Browser<'_>, login: &str, password: &str) -> Response {
    let page = browser.page("/desk/login").await;
    let csrf = hidden(&page, "csrf");
    browser.post("/desk/login", &[("csrf", &csrf), ("login", login), ("password", password)]).await
}

/// A customer whom the bot has passed to people.
async fn waiting_customer(served: &Served) -> ConversationId {
    let visitor = served.visitor().await;
    visitor.says("Позовите человека").await;
    served.bot_hands_off("Зову коллегу", Package::default(), 3).await;
    served.conversation().await
}

#[tokio::test]
async fn the_desk_is_for_operators() {
    let served = serve().await;
    let mut stranger = Browser::new(&served);
    let response = stranger.get("/desk").await;
    assert_eq!(leads_to(&response), "/desk/login?next=%2Fdesk");
    for path in ["/desk/password", "/desk/c/conv_0", "/desk/c/conv_0?all=1"] {
        assert!(leads_to(&stranger.get(path).await).starts_with("/desk/login?next="), "{path}");
    }
    let events = stranger.request(Method::GET, "/desk/events").header("accept", "text/event-stream");
    assert_eq!(events.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let act = stranger.post("/desk/c/conv_0/act", &[("action", "take")]).await;
    assert!(leads_to(&act).starts_with("/desk/login"));
}

#[tokio::test]
async fn the_session_cookie_is_strict_fresh_and_ends() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let mut browser = Browser::new(&served);
    // A token that somebody planted beforehand is not the one that becomes good.
    browser.cookies.insert("firstline_desk".into(), "planted".into());
    let response = log_in(&mut browser, "anna", PASSWORD).await;
    assert_eq!(leads_to(&response), "/desk");
    let cookies: Vec<&str> =
        response.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("firstline_desk=")).unwrap();
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(session.contains(flag), "{session}");
    }
    assert!(!session.contains("Secure"), "not over TLS");
    let token = browser.cookies["firstline_desk"].clone();
    assert!(token.len() == 64 && token != "planted");
    assert!(served.ctx.store.session(&token, served.ctx.clock.now()).await.unwrap().is_none(), "only its hash is kept");
    assert!(browser.page("/desk").await.contains("Анна"));

    served.clock.advance(SignedDuration::from_hours(11));
    assert_eq!(browser.get("/desk").await.status(), StatusCode::OK);
    served.clock.advance(SignedDuration::from_mins(61));
    assert!(leads_to(&browser.get("/desk").await).starts_with("/desk/login"), "twelve hours are over");
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let served = serve_with(|config| config.server.public_url = "https://help.example".into()).await;
    served.operator("anna", "Анна").await;
    let mut browser = Browser::new(&served);
    let response = log_in(&mut browser, "anna", PASSWORD).await;
    let cookies = response.headers().get_all("set-cookie").iter();
    let session = cookies.map(|cookie| cookie.to_str().unwrap()).find(|cookie| cookie.starts_with("__Host-")).unwrap();
    assert!(session.contains("; Secure") && session.contains("Path=/") && !session.contains("Domain"), "{session}");
}

#[tokio::test]
async fn logging_in_leads_back_to_our_own_page_only() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    for (next, expected) in
        [("/desk/c/conv_1", "/desk/c/conv_1"), ("https://evil.example", "/desk"), ("//evil", "/desk")]
    {
        let mut browser = Browser::new(&served);
        let csrf = hidden(&browser.page("/desk/login").await, "csrf");
        let fields = [("csrf", csrf.as_str()), ("login", "anna"), ("password", PASSWORD), ("next", next)];
        assert_eq!(leads_to(&browser.post("/desk/login", &fields).await), expected);
    }
}

#[tokio::test]
async fn logging_out_ends_the_session_for_good() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let mut browser = served.at_desk("anna").await;
    let old = browser.cookies.clone();
    let csrf = hidden(&browser.page("/desk").await, "csrf");
    let response = browser.post("/desk/logout", &[("csrf", &csrf)]).await;
    assert_eq!(leads_to(&response), "/desk/login");
    assert!(!browser.cookies.contains_key("firstline_desk"));
    browser.cookies = old;
    assert!(leads_to(&browser.get("/desk").await).starts_with("/desk/login"), "the old cookie is worth nothing");
}

#[tokio::test]
async fn a_form_without_its_token_does_nothing() {
    let served = serve().await;
    let anna = served.operator("anna", "Анна").await;
    let conversation = waiting_customer(&served).await;
    let mut browser = served.at_desk("anna").await;
    let csrf = hidden(&browser.page("/desk").await, "csrf");
    let path = format!("/desk/c/{conversation}/act");
    for token in ["", "0", &csrf[1..], &csrf.to_uppercase()] {
        let fields = [("csrf", token), ("action_id", "k1"), ("action", "take")];
        assert_eq!(browser.post(&path, &fields).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(browser.post("/desk/logout", &[("csrf", token)]).await.status(), StatusCode::FORBIDDEN);
        let fields = [("csrf", token), ("new", "a new phrase 7"), ("again", "a new phrase 7"), ("current", PASSWORD)];
        assert_eq!(browser.post("/desk/password", &fields).await.status(), StatusCode::FORBIDDEN);
    }
    let good = [("csrf", csrf.as_str()), ("action_id", "k1"), ("action", "take")];
    let foreign = browser.form(&path, &good).header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "a page of another site");
    let owner = async || served.ctx.store.conversation(conversation).await.unwrap().unwrap().ownership;
    assert_eq!(owner().await, Ownership::Queued);
    browser.post(&path, &good).await;
    assert_eq!(owner().await, Ownership::Human(anna));
}

#[tokio::test]
async fn a_log_in_form_is_tied_to_its_browser() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let csrf = hidden(&Browser::new(&served).page("/desk/login").await, "csrf");
    let mut other = Browser::new(&served);
    let fields = [("csrf", csrf.as_str()), ("login", "anna"), ("password", PASSWORD)];
    assert_eq!(other.post("/desk/login", &fields).await.status(), StatusCode::FORBIDDEN);
    let untied = [("csrf", ""), ("login", "anna"), ("password", PASSWORD)];
    assert_eq!(Browser::new(&served).post("/desk/login", &untied).await.status(), StatusCode::FORBIDDEN);
    assert!(!other.cookies.contains_key("firstline_desk"));
}

#[tokio::test]
async fn guessing_becomes_slow_and_the_right_password_waits_too() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let mut browser = Browser::new(&served);
    for _ in 0..6 {
        let wrong = log_in(&mut browser, "anna", "wrong password").await;
        assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    }
    let refused = log_in(&mut browser, "anna", PASSWORD).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert!(!browser.cookies.contains_key("firstline_desk"));
    served.clock.advance(SignedDuration::from_secs(1));
    log_in(&mut browser, "anna", "wrong password").await;
    let refused = log_in(&mut browser, "ANNA", "wrong password").await;
    assert_eq!(refused.headers()["retry-after"], "2", "longer, however the login is written");
    let stranger = log_in(&mut browser, "nobody", "wrong password").await;
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED, "another login is not held up yet");
    served.clock.advance(SignedDuration::from_secs(2));
    assert_eq!(leads_to(&log_in(&mut browser, "anna", PASSWORD).await), "/desk");
}

#[tokio::test]
async fn an_unknown_login_is_told_the_same_as_a_known_one() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let mut pages = Vec::new();
    for login in ["anna", "nobody"] {
        let mut browser = Browser::new(&served);
        let page = log_in(&mut browser, login, "wrong password").await.text().await.unwrap();
        pages.push(page.replace(login, "").replace(&hidden(&page, "csrf"), ""));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn a_one_time_password_opens_nothing_but_the_change_of_it() {
    let served = serve().await;
    let one_time = "k7wd-93mf-xq2a";
    served.operator_with("anna", "Анна", one_time, true).await;
    let conversation = waiting_customer(&served).await;
    let mut browser = Browser::new(&served);
    assert_eq!(leads_to(&log_in(&mut browser, "anna", one_time).await), "/desk/password");
    for path in ["/desk", &format!("/desk/c/{conversation}")] {
        assert_eq!(leads_to(&browser.get(path).await), "/desk/password", "{path}");
    }
    let csrf = hidden(&browser.page("/desk/password").await, "csrf");
    let take = [("csrf", csrf.as_str()), ("action_id", "k1"), ("action", "take")];
    assert_eq!(leads_to(&browser.post(&format!("/desk/c/{conversation}/act"), &take).await), "/desk/password");
    for (new, again) in [
        ("short", "short"),
        ("a phrase of mine", "another phrase"),
        (one_time, one_time),
        ("anna-anna-1", "anna-anna-1"),
    ] {
        let fields = [("csrf", csrf.as_str()), ("new", new), ("again", again)];
        assert_eq!(browser.post("/desk/password", &fields).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "{new}");
    }
    let before = browser.cookies.clone();
    let fields = [("csrf", csrf.as_str()), ("new", "a phrase of mine"), ("again", "a phrase of mine")];
    assert_eq!(leads_to(&browser.post("/desk/password", &fields).await), "/desk");
    assert_eq!(browser.get("/desk").await.status(), StatusCode::OK);
    browser.cookies = before;
    assert!(leads_to(&browser.get("/desk").await).starts_with("/desk/login"), "earlier sessions are over");
    let mut again = Browser::new(&served);
    assert_eq!(log_in(&mut again, "anna", one_time).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(leads_to(&log_in(&mut again, "anna", "a phrase of mine").await), "/desk");
}

#[tokio::test]
async fn changing_a_password_takes_the_current_one() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let mut browser = served.at_desk("anna").await;
    let csrf = hidden(&browser.page("/desk/password").await, "csrf");
    let change = |current: &'static str| {
        [
            ("csrf", csrf.clone()),
            ("current", current.to_owned()),
            ("new", "a phrase of mine".to_owned()),
            ("again", "a phrase of mine".to_owned()),
        ]
    };
    for (current, expected) in [("wrong", StatusCode::UNPROCESSABLE_ENTITY), (PASSWORD, StatusCode::SEE_OTHER)] {
        let fields = change(current);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.post("/desk/password", &fields).await.status(), expected);
    }
}

#[tokio::test]
async fn a_double_press_says_it_once() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let conversation = waiting_customer(&served).await;
    let mut browser = served.at_desk("anna").await;
    let page = browser.page(&format!("/desk/c/{conversation}")).await;
    let (csrf, key) = (hidden(&page, "csrf"), hidden(&page, "action_id"));
    let path = format!("/desk/c/{conversation}/act");
    let fields = [("csrf", csrf.as_str()), ("action_id", &key), ("action", "reply"), ("text", "Здравствуйте!")];
    for _ in 0..2 {
        assert_eq!(leads_to(&browser.post(&path, &fields).await), format!("/desk/c/{conversation}#write"));
    }
    let said = served.ctx.store.transcript(conversation, 0, 100).await.unwrap();
    assert_eq!(said.iter().filter(|message| matches!(message.author, Author::Operator(_))).count(), 1);
    for action in ["release", "resolve"] {
        for _ in 0..2 {
            let fields = [("csrf", csrf.as_str()), ("action_id", action), ("action", action)];
            assert_eq!(leads_to(&browser.post(&path, &fields).await), "/desk", "{action}");
        }
    }
}

#[tokio::test]
async fn what_a_colleague_holds_is_not_taken_away_and_no_word_is_lost() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let boris = served.operator("boris", "Борис").await;
    let conversation = waiting_customer(&served).await;
    let mut anna = served.at_desk("anna").await;
    let page = anna.page(&format!("/desk/c/{conversation}")).await;
    served.at_desk("boris").await.acts(conversation, "take", "").await;
    // Anna's page is from before.
    let (csrf, key) = (hidden(&page, "csrf"), hidden(&page, "action_id"));
    let fields = [("csrf", csrf.as_str()), ("action_id", &key), ("action", "reply"), ("text", "Мой длинный ответ")];
    let refused = anna.post(&format!("/desk/c/{conversation}/act"), &fields).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let refused = refused.text().await.unwrap();
    assert!(refused.contains("Мой длинный ответ</textarea>") && refused.contains("Борис"));
    let found = served.ctx.store.conversation(conversation).await.unwrap().unwrap();
    assert_eq!(found.ownership, Ownership::Human(boris));
    // Neither the take, nor the close, nor the return is offered; a note is.
    let page = anna.page(&format!("/desk/c/{conversation}")).await;
    for action in ["take", "release", "resolve"] {
        assert!(!page.contains(&format!("value=\"{action}\"")), "{action}");
    }
    assert_eq!(
        leads_to(&anna.acts(conversation, "note", "Это мой клиент").await),
        format!("/desk/c/{conversation}#write")
    );
}

#[tokio::test]
async fn the_queue_has_everybody_in_the_right_place() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    served.operator("boris", "Борис").await;
    let (mut anna, mut boris) = (served.at_desk("anna").await, served.at_desk("boris").await);
    assert!(anna.page("/desk").await.contains("href=\"/chat\""), "an empty desk says how to begin");
    for words in ["mine", "others", "waiting", "bot"] {
        let update = json!({ "id": words, "chat": words, "text": format!("I am {words}"), "name": words }).to_string();
        served.telegram(update).await;
        if words == "bot" {
            continue;
        }
        let priority = if words == "waiting" { 1 } else { 5 };
        served.bot_hands_off("wait", Package::default(), priority).await;
        let conversation = newest(&served).await;
        match words {
            "mine" => drop(anna.acts(conversation, "take", "").await),
            "others" => drop(boris.acts(conversation, "take", "").await),
            _ => {}
        }
    }
    served.clock.advance(SignedDuration::from_mins(7));
    let page = anna.page("/desk").await;
    for id in ["waiting", "mine", "others", "bot"] {
        let (_, section) = page.split_once(&format!("<section class=\"queue-section\" id=\"{id}\"")).unwrap();
        let section = section.split_once("</section>").unwrap().0;
        assert_eq!(section.matches("<li id=\"e-").count(), 1, "{id}");
        assert!(section.contains(&format!("<strong>{id}</strong>")), "{id}");
        assert_eq!(section.contains("waits 7 min"), id == "waiting", "{id}");
        assert_eq!(section.contains("Борис"), id == "others", "{id}");
        assert_eq!(section.contains("Urgent"), id == "waiting", "{id}");
    }
}

async fn newest(served: &Served) -> ConversationId {
    let queue = served.ctx.store.queue(10).await.unwrap();
    queue.iter().map(|entry| entry.conversation.id).max().unwrap()
}

#[tokio::test]
async fn a_conversation_shows_package_sources_notes_and_what_did_not_arrive() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let visitor = served.visitor().await;
    visitor.says("Где мой заказ М-1001?").await;
    let citation =
        Citation { source: "ru/order-tracking".into(), title: "Как отследить заказ".into() };
    served.bot_answers("Статус виден в кабинете.", vec![citation]).await;
    visitor.says("Не видно! Позовите человека").await;
    let conversation = served.conversation().await;
    let said = served.ctx.store.transcript(conversation, 0, 10).await.unwrap();
    let package = Package {
        wants: vec![PackageLine {
            text: "Узнать, где заказ М-1001".into(), messages: vec![said[0].id, said[2].id]
        }],
        suggested_reply: "Сейчас посмотрю ваш заказ.".into(),
        ..Package::default()
    };
    served.turn("Зову коллегу.", Vec::new(), None).await;
    served.settle_all(|| SendOutcome::Unknown { why: "no answer in 10 s".into() }).await;
    visitor.says("Ау!").await;
    served.bot_hands_off("Коллега ответит здесь.", package, 2).await;

    let mut browser = served.at_desk("anna").await;
    browser.acts(conversation, "note", "Звонил на склад").await;
    let page = browser.page(&format!("/desk/c/{conversation}")).await;
    for expected in [
        "Узнать, где заказ М-1001",
        "href=\"#m-1\"",
        "href=\"#m-3\"",
        "id=\"m-1\"",
        "id=\"m-3\"",
        "Как отследить заказ",
        "Сейчас посмотрю ваш заказ.",
        "no answer in 10 s",
        "line note",
        "Звонил на склад",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains("being-sent"), "all that was owed is settled");
    assert_eq!(browser.get("/desk/c/conv_00000000000000000000000000000000").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_open_page_hears_of_changes() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let browser = served.at_desk("anna").await;
    let request = browser.request(Method::GET, "/desk/events").header("accept", "text/event-stream");
    let mut events = request.send().await.unwrap();
    let mut heard = async || {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(20), events.chunk()).await.expect("news");
        String::from_utf8(chunk.unwrap().unwrap().to_vec()).unwrap()
    };
    // A browser passes over an event without data.
    assert!(heard().await.starts_with("event: changed\ndata: look\n"), "the page may be older than the stream");
    served.visitor().await.says("hello").await;
    assert!(heard().await.starts_with("event: changed"));
}

#[tokio::test]
async fn facts_are_amended_and_memory_is_switched_at_the_desk() {
    let served = serve().await;
    served.operator("anna", "Анна").await;
    let conversation = waiting_customer(&served).await;
    let store = &served.ctx.store;
    let found = store.conversation(conversation).await.unwrap().unwrap();
    let source = store.transcript(conversation, 0, 1).await.unwrap().remove(0);
    let now = served.ctx.clock.now();
    let states = |key: &str, value: &str, due_at| Statement {
        key: key.to_owned(),
        value: value.to_owned(),
        stance: Stance::Stated,
        kind: FactKind::Attribute,
        confidence: 0.9,
        source: source.id,
        valid_at: now,
        due_at,
    };
    let said = vec![states("city", "Казань", None), states("promise", "Перезвоним", Some(now))];
    ledger::enter(&**store, &served.ctx.ids, found.customer, said, now).await.unwrap();
    served.clock.advance(SignedDuration::from_secs(60));

    let mut browser = served.at_desk("anna").await;
    let page = browser.page(&format!("/desk/c/{conversation}")).await;
    assert!(page.contains("Казань") && page.contains("Kept") && page.contains("due <time"), "{page}");
    let csrf = hidden(&page, "csrf");
    let path = format!("/desk/c/{conversation}/memory");
    let facts = async || store.facts(found.customer).await.unwrap();
    let fact = async |key: &str| facts().await.into_iter().find(|fact| fact.key == key).unwrap().id.to_string();
    let (city, promise) = (fact("city").await, fact("promise").await);
    let refused = browser.post(&path, &[("csrf", ""), ("what", "never"), ("fact", &city)]).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    for bad in [[("what", "never"), ("fact", "x")], [("what", "burn"), ("fact", &city)]] {
        let fields = [("csrf", csrf.as_str()), bad[0], bad[1]];
        assert_eq!(browser.post(&path, &fields).await.status(), StatusCode::BAD_REQUEST);
    }
    for (what, fact) in [("ended", &promise), ("never", &city), ("never", &city)] {
        let fields = [("csrf", csrf.as_str()), ("what", what), ("fact", fact)];
        assert_eq!(leads_to(&browser.post(&path, &fields).await), format!("/desk/c/{conversation}#memory"));
    }
    assert_eq!(facts().await, []);
    let page = browser.page(&format!("/desk/c/{conversation}")).await;
    assert!(page.contains("city: Казань ✗") && page.contains("promise: Перезвоним ✓"), "colleagues see it: {page}");

    browser.post(&path, &[("csrf", &csrf), ("what", "off")]).await;
    let remembered = async || store.customer(found.customer).await.unwrap().unwrap().remembered;
    assert!(!remembered().await);
    assert!(browser.page(&format!("/desk/c/{conversation}")).await.contains("Memory is off"));
    browser.post(&path, &[("csrf", &csrf), ("what", "on")]).await;
    assert!(remembered().await);
    let looks = store.accesses(found.customer, 10).await.unwrap();
    assert_eq!(looks.len(), 1, "who looked is noted");
    assert_eq!((looks[0].who.as_str(), looks[0].what.as_str()), ("anna", "desk"));
}
