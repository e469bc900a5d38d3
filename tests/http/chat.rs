//! The chat's API, as its page and a terminal client use it.

use firstline::domain::channel::{Address, ChannelKind};
use firstline::domain::message::Citation;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Event, problem, serve, serve_with};

const ID: &str = "6f1c9a52-3d0e-4c8e-9a55-0b8f3f6c2a11";

#[tokio::test]
async fn a_visitor_comes_back_and_finds_everything() {
    let served = serve().await;
    let visitor = served.visitor().await;
    assert_eq!(visitor.says("Сколько стоит доставка?").await.status(), StatusCode::ACCEPTED);
    let citation =
        |section: &str| Citation { source: "ru/delivery".into(), title: format!("Доставка: {section}") };
    served.bot_answers("299 ₽ по Москве.", vec![citation("Москва"), citation("Москва")]).await;

    let back = visitor.comes_back().await;
    assert_eq!(back["visitor_token"], visitor.token.as_str());
    let said: Vec<(&str, &str)> = messages(&back);
    assert_eq!(said, [("customer", "Сколько стоит доставка?"), ("bot", "299 ₽ по Москве.")]);
    assert_eq!(back["messages"][1]["sources"], json!([{ "source": "ru/delivery", "title": "Доставка: Москва" }]));
    assert_eq!(back["position"], back["messages"][1]["position"]);
    assert_eq!(back["status"], json!({ "who": "bot" }));
}

fn messages(session: &Value) -> Vec<(&str, &str)> {
    let messages = session["messages"].as_array().unwrap().iter();
    messages.map(|one| (one["author"].as_str().unwrap(), one["text"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn visitors_are_strangers_to_each_other() {
    let served = serve().await;
    let (ana, bob) = (served.visitor().await, served.visitor().await);
    assert_ne!(ana.token, bob.token);
    assert_eq!(ana.token.len(), 64);
    ana.says("secret of Ana").await;
    bob.says_as(ID, "hello").await;
    assert_eq!(messages(&bob.comes_back().await), [("customer", "hello")]);
    // A token that nobody was given opens a new session, not an old one.
    let made_up = served.session(json!({ "visitor_token": "0".repeat(64) })).await;
    assert_ne!(made_up["visitor_token"], "0".repeat(64));
    assert_eq!(made_up["messages"], json!([]));
}

#[tokio::test]
async fn the_token_itself_is_not_stored() {
    let served = serve().await;
    let visitor = served.visitor().await;
    assert!(served.ctx.store.visitor(&visitor.token).await.unwrap().is_none());
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_stored_once() {
    let served = serve().await;
    let visitor = served.visitor().await;
    let first: Value = visitor.says_as(ID, "hello").await.json().await.unwrap();
    let again = visitor.says_as(ID, "hello").await;
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    assert_eq!(messages(&visitor.comes_back().await).len(), 1);
    // The same id of another visitor is another message.
    let other = served.visitor().await;
    let theirs: Value = other.says_as(ID, "hello").await.json().await.unwrap();
    assert_ne!(theirs["id"], first["id"]);
    // However the id is written.
    let shouted = visitor.says_as(&ID.to_uppercase(), "hello").await;
    assert_eq!(shouted.json::<Value>().await.unwrap(), first);
}

#[tokio::test]
async fn a_stream_that_breaks_loses_and_repeats_nothing() {
    let served = serve().await;
    let visitor = served.visitor().await;
    let mut whole = visitor.listens(0).await;
    let mut told = Vec::new();
    let mut position = 0;
    for round in 0..4 {
        // Every round the connection is a new one, some of the messages come while there is none.
        visitor.says(&format!("question {round}")).await;
        let mut events = visitor.listens(position).await;
        served.bot_answers(&format!("answer {round}"), Vec::new()).await;
        let reads = if round % 2 == 0 { 2 } else { 1 };
        for _ in 0..reads {
            let event = events.next_of("message").await;
            position = event.id.unwrap();
            told.push(event.data["text"].as_str().unwrap().to_owned());
        }
    }
    let mut events = visitor.listens(position).await;
    while told.len() < 8 {
        told.push(events.next_of("message").await.data["text"].as_str().unwrap().to_owned());
    }
    let expected: Vec<String> = (0..4).flat_map(|n| [format!("question {n}"), format!("answer {n}")]).collect();
    assert_eq!(told, expected);
    let mut in_one_piece = Vec::new();
    for _ in 0..8 {
        in_one_piece.push(whole.next_of("message").await.data["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(in_one_piece, expected);
}

#[tokio::test]
async fn events_tell_who_answers_and_who_is_writing() {
    let served = serve().await;
    served.operator("maria", "Мария").await;
    let visitor = served.visitor().await;
    let mut events = visitor.listens(0).await;
    assert_eq!(events.next_of("status").await.data, json!({ "who": "bot" }));
    visitor.says("hello").await;
    assert_eq!(events.next_of("typing").await.data, json!({ "on": true }));
    served.bot_hands_off("A colleague will answer.", firstline::domain::handoff::Package::default(), 3).await;
    assert_eq!(events.next_of("message").await.data["author"], "bot");
    let mut desk = served.at_desk("maria").await;
    desk.acts(served.conversation().await, "reply", "Здравствуйте, это Мария").await;
    served.deliver().await;
    let reply = events.next_of("message").await;
    assert_eq!((&reply.data["author"], &reply.data["name"]), (&json!("operator"), &json!("Мария")));
    desk.acts(served.conversation().await, "note", "the customer must not read this").await;
    desk.acts(served.conversation().await, "resolve", "").await;
    loop {
        let Event { name, data, .. } = events.next().await.unwrap();
        assert_ne!(name, "message", "a note is for colleagues: {data}");
        if data == json!({ "who": "resolved" }) {
            break;
        }
    }
}

#[tokio::test]
async fn typing_carries_no_position_and_is_not_told_again() {
    let served = serve().await;
    let visitor = served.visitor().await;
    visitor.says("hello").await;
    served.bot_answers("hi", Vec::new()).await;
    let mut events = visitor.listens(0).await;
    for expected in ["message", "message", "status"] {
        let event = events.next().await.unwrap();
        assert_eq!((event.name.as_str(), event.id.is_some()), (expected, expected == "message"));
    }
}

#[tokio::test]
async fn other_sites_are_kept_out_and_listed_ones_let_in() {
    let served = serve_with(|config| config.web.origins = vec!["https://shop.example".into()]).await;
    let post = |origin: String| {
        let request = served.request(Method::POST, "/widget/v1/session").header("origin", origin);
        async { request.json(&json!({})).send().await.unwrap() }
    };
    for stranger in ["https://evil.example", "null", "https://shop.example.evil.example"] {
        assert_eq!(problem(post(stranger.into()).await, StatusCode::FORBIDDEN).await["code"], "origin");
    }
    let listed = post("https://shop.example".into()).await;
    assert_eq!(listed.status(), StatusCode::OK);
    assert_eq!(listed.headers()["access-control-allow-origin"], "https://shop.example");
    assert!(listed.headers().get_all("vary").iter().any(|vary| vary == "Origin"));
    assert!(!listed.headers().contains_key("access-control-allow-credentials"));
    assert_eq!(post(served.url("")).await.status(), StatusCode::OK, "our own page");

    let preflight = served.request(Method::OPTIONS, "/widget/v1/messages").header("origin", "https://shop.example");
    let preflight = preflight.header("access-control-request-method", "POST").send().await.unwrap();
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    assert!(preflight.headers()["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
    let preflight = served.request(Method::OPTIONS, "/widget/v1/messages").header("origin", "https://evil.example");
    let refused = preflight.send().await.unwrap();
    assert!(!refused.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn too_many_messages_wait_their_turn() {
    let served = serve_with(|config| config.limits.web_per_minute = 3).await;
    let visitor = served.visitor().await;
    for number in 0..3 {
        assert_eq!(visitor.says(&format!("{number} words")).await.status(), StatusCode::ACCEPTED);
    }
    let refused = visitor.says("one too many").await;
    assert_eq!(refused.headers()["retry-after"], "20");
    assert_eq!(problem(refused, StatusCode::TOO_MANY_REQUESTS).await["code"], "rate_limited");
    // Another visitor from the same address is the same address.
    let other = served.visitor().await;
    assert_eq!(other.says("hello").await.status(), StatusCode::TOO_MANY_REQUESTS);
    served.clock.advance(SignedDuration::from_secs(20));
    assert_eq!(visitor.says("one too many").await.status(), StatusCode::ACCEPTED);
    assert_eq!(messages(&visitor.comes_back().await).len(), 4);
}

#[tokio::test]
async fn behind_a_proxy_visitors_are_told_apart() {
    let served = serve_with(|config| {
        config.limits.web_per_minute = 1;
        config.server.public_url = "https://help.example".into();
    })
    .await;
    let session = |address: &str| {
        let request = served.request(Method::POST, "/widget/v1/session").header("x-forwarded-for", address);
        async { request.json(&json!({})).send().await.unwrap().status() }
    };
    assert_eq!(session("203.0.113.1").await, StatusCode::OK);
    assert_eq!(session("203.0.113.1").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(session("203.0.113.2").await, StatusCode::OK);
    assert_eq!(session("198.51.100.1, 203.0.113.2").await, StatusCode::TOO_MANY_REQUESTS, "made-up entries don't help");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_stores_nothing() {
    let served = serve_with(|config| config.limits.message_chars = 10).await;
    let visitor = served.visitor().await;
    let long = visitor.says("одиннадцать").await;
    let long = problem(long, StatusCode::PAYLOAD_TOO_LARGE).await;
    assert_eq!(long["code"], "too_long");
    assert!(long["detail"].as_str().unwrap().contains("10"), "{long}");
    assert_eq!(visitor.says("😀😀😀😀😀😀😀😀😀😀").await.status(), StatusCode::ACCEPTED, "ten characters");
    let huge = visitor.says(&"x".repeat(100_000)).await;
    assert_eq!(problem(huge, StatusCode::PAYLOAD_TOO_LARGE).await["code"], "too_long");
    for (body, why) in [
        (json!({ "client_msg_id": ID, "text": " \n " }), "blank"),
        (json!({ "client_msg_id": "1", "text": "hi" }), "no uuid"),
        (json!({ "client_msg_id": ID }), "no text"),
        (json!({ "client_msg_id": ID, "text": "hi", "author": "operator" }), "unknown field"),
        (json!({ "client_msg_id": ID, "text": ["hi"] }), "no string"),
    ] {
        let refused = visitor.post_message(&body).send().await.unwrap();
        let refused = problem(refused, StatusCode::BAD_REQUEST).await;
        assert!(!refused.to_string().contains("hi\""), "{why}: nobody's words are repeated: {refused}");
    }
    let text = served.request(Method::POST, "/widget/v1/messages").bearer_auth(&visitor.token).body("hi");
    problem(text.send().await.unwrap(), StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    assert_eq!(messages(&visitor.comes_back().await).len(), 1);
}

#[tokio::test]
async fn without_a_known_token_nothing_is_taken_or_told() {
    let served = serve().await;
    for authorization in [None, Some("Bearer 0".to_owned()), Some(format!("Bearer {}", "0".repeat(64)))] {
        for (method, path) in [(Method::POST, "/widget/v1/messages"), (Method::GET, "/widget/v1/events")] {
            let mut request = served.request(method, path).json(&json!({ "client_msg_id": ID, "text": "hi" }));
            if let Some(authorization) = &authorization {
                request = request.header("authorization", authorization);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            problem(response, StatusCode::UNAUTHORIZED).await;
        }
    }
    let token = served.visitor().await.token;
    let in_url = served.get(&format!("/widget/v1/events?token={token}")).await;
    assert_eq!(in_url.status(), StatusCode::UNAUTHORIZED, "no URL holds a token");
}

#[tokio::test]
async fn the_terminal_is_for_programs_on_this_machine() {
    let served = serve().await;
    let body = json!({ "terminal": "Ana" });
    let session = served.session(body.clone()).await;
    let token = session["visitor_token"].as_str().unwrap();
    let address = Address { channel: ChannelKind::Terminal, account: "local".into(), external: "ana".into() };
    let message = json!({ "client_msg_id": ID, "text": "hello" });
    let said = served.request(Method::POST, "/widget/v1/messages").bearer_auth(token).json(&message);
    assert_eq!(said.send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert!(served.ctx.store.conversation_at(&address).await.unwrap().is_some());
    assert_eq!(messages(&served.session(body.clone()).await), [("customer", "hello")], "Ana is Ana again");

    for (header, value) in
        [("x-forwarded-for", "203.0.113.1"), ("host", "help.example"), ("origin", &served.url("")), ("via", "1.1 p")]
    {
        let request = served.request(Method::POST, "/widget/v1/session").header(header, value).json(&body);
        let refused = request.send().await.unwrap();
        assert_eq!(problem(refused, StatusCode::FORBIDDEN).await["code"], "terminal", "{header}");
    }
    let odd = served.request(Method::POST, "/widget/v1/session").json(&json!({ "terminal": "../ana" }));
    problem(odd.send().await.unwrap(), StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn a_stop_ends_open_streams() {
    let served = serve().await;
    let visitor = served.visitor().await;
    let mut events = visitor.listens(0).await;
    events.next_of("status").await;
    served.stop.cancel();
    assert_eq!(events.next().await, None);
}
