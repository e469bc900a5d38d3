//! Visitors whom their site knows, and what they do without a word: writing, reading, logging out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firstline::domain::channel::{Address, ChannelKind};
use firstline::domain::handoff::Package;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Browser, Served, Visitor, hidden, problem, serve, serve_with};

const SECRET: &str = "what only the shop and firstline know";

async fn served() -> Served {
    serve_with(|config| config.web.secret = SECRET.into()).await
}

/// A token as the shop's server makes it.
#[expect(clippy::needless_pass_by_value, reason = "what json! makes is written in place")]
fn jwt(served: &Served, claims: Value) -> String {
    let mut payload = json!({ "exp": served.ctx.clock.now().as_second() + 600 });
    payload.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn identified<'a>(served: &'a Served, token: Option<&str>, subject: &str) -> (Visitor<'a>, Value) {
    let jwt = jwt(served, json!({ "sub": subject }));
    let session = served.session(json!({ "visitor_token": token, "user_jwt": jwt })).await;
    (served.visitor_of(session["visitor_token"].as_str().unwrap()), session)
}

fn texts(session: &Value) -> Vec<&str> {
    session["messages"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect()
}

async fn post(served: &Served, path: &str, token: &str, body: Value) -> reqwest::Response {
    served.request(Method::POST, path).bearer_auth(token).json(&body).send().await.unwrap()
}

#[tokio::test]
async fn a_known_visitor_finds_everything_on_every_device() {
    let served = served().await;
    let stranger = served.visitor().await;
    stranger.says("before I logged in").await;
    let (phone, session) = identified(&served, Some(&stranger.token), "42").await;
    assert_eq!(session["known"], true);
    assert_eq!(texts(&session), ["before I logged in"]);
    assert_ne!(phone.token, stranger.token, "the stranger's token is let go of");
    assert_eq!(stranger.says("again").await.status(), StatusCode::UNAUTHORIZED);
    phone.says("from my phone").await;

    let (desk, session) = identified(&served, None, "42").await;
    assert_eq!(texts(&session), ["before I logged in", "from my phone"]);
    served.bot_answers("an answer", Vec::new()).await;
    assert_eq!(texts(&desk.comes_back().await).last(), Some(&"an answer"));
    let (same, _) = identified(&served, Some(&desk.token), "42").await;
    assert_eq!(same.token, desk.token, "who is known already stays who they are");
}

#[tokio::test]
async fn two_who_turn_out_to_be_one_are_merged() {
    let served = served().await;
    let (phone, _) = identified(&served, None, "42").await;
    phone.says("from my phone").await;
    let stranger = served.visitor().await;
    stranger.says_as("6f1c9a52-3d0e-4c8e-9a55-0b8f3f6c2a11", "from another browser").await;
    let mut events = phone.listens(1).await;
    let (_, session) = identified(&served, Some(&stranger.token), "42").await;
    assert_eq!(texts(&session), ["from my phone", "from another browser"]);
    let address = Address { channel: ChannelKind::Web, account: "site".into(), external: "user-42".into() };
    let customer = served.ctx.store.customer_at(&address).await.unwrap().unwrap();
    let merges = served.ctx.store.merges(customer).await.unwrap();
    assert_eq!((merges.len(), merges[0].by.as_str(), merges[0].whole), (1, "jwt", customer));
    assert_eq!(events.next_of("message").await.data["text"], "from another browser", "an open page is told");
}

#[tokio::test]
async fn the_next_person_at_the_browser_sees_nothing_of_the_one_before() {
    let served = served().await;
    let (anna, _) = identified(&served, None, "anna").await;
    anna.says("a secret of Anna").await;

    // Another one whom the site knows, in the same browser, without a log-out in between.
    let (boris, session) = identified(&served, Some(&anna.token), "boris").await;
    assert_eq!(texts(&session), [""; 0]);
    assert_eq!(anna.says("still here").await.status(), StatusCode::UNAUTHORIZED, "the token is let go of");
    boris.says("a secret of Boris").await;

    let stranger: Value = post(&served, "/widget/v1/logout", &boris.token, json!({})).await.json().await.unwrap();
    assert_eq!((texts(&stranger), &stranger["known"]), (vec![], &json!(false)));
    assert_ne!(stranger["visitor_token"], boris.token.as_str());
    let gone = served.session(json!({ "visitor_token": boris.token })).await;
    assert_eq!(texts(&gone), [""; 0], "the old token opens nothing");
    assert_eq!(post(&served, "/widget/v1/logout", &boris.token, json!({})).await.status(), StatusCode::UNAUTHORIZED);

    let (_, session) = identified(&served, stranger["visitor_token"].as_str(), "anna").await;
    assert_eq!(texts(&session), ["a secret of Anna"], "and who comes back finds what is theirs");
}

#[tokio::test]
async fn a_token_that_is_not_the_sites_changes_nothing() {
    let served = served().await;
    let refused = async |jwt: &str| {
        let request = served.request(Method::POST, "/widget/v1/session").json(&json!({ "user_jwt": jwt }));
        problem(request.send().await.unwrap(), StatusCode::UNPROCESSABLE_ENTITY).await
    };
    let good = jwt(&served, json!({ "sub": "whose-words" }));
    let other = jwt(&served, json!({ "sub": "another" }));
    let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    let fault = refused(&forged).await;
    assert_eq!(fault["code"], "identity");
    assert!(!fault.to_string().contains("whose") && !fault.to_string().contains(SECRET), "{fault}");
    let late = jwt(&served, json!({ "sub": "42", "exp": served.ctx.clock.now().as_second() + 25 * 3600 }));
    assert!(refused(&late).await["detail"].as_str().unwrap().contains("24 hours"));
    served.clock.advance(SignedDuration::from_mins(11));
    assert!(refused(&good).await["detail"].as_str().unwrap().contains("expired"));
    // Without a secret nobody's word counts.
    let open = serve().await;
    let request = open.request(Method::POST, "/widget/v1/session").json(&json!({ "user_jwt": good }));
    let fault = problem(request.send().await.unwrap(), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(fault["detail"].as_str().unwrap().contains("[web] secret"));
}

#[tokio::test]
async fn what_the_site_vouches_for_is_known_from_the_first_message_on() {
    let served = served().await;
    let claims = json!({ "sub": "42", "name": "Анна К.", "phone": "8 916 123-45-67", "phone_verified": true,
        "email": "anna@shop.example", "email_verified": false });
    let session = served.session(json!({ "user_jwt": jwt(&served, claims) })).await;
    let visitor = served.visitor_of(session["visitor_token"].as_str().unwrap());
    visitor.says("hello").await;
    let customer = served.ctx.store.conversation(served.conversation().await).await.unwrap().unwrap().customer;
    let shown = served.ctx.store.customer(customer).await.unwrap().unwrap().display_name;
    assert_eq!(shown.as_deref(), Some("Анна К."));
    let stated = served.ctx.store.ledger(customer).await.unwrap().statements;
    let stated: Vec<(&str, &str)> = stated.iter().map(|one| (one.key.as_str(), one.value.as_str())).collect();
    assert_eq!(stated, [("phone", "+79161234567")], "what is not verified is no proof");
}

#[tokio::test]
async fn each_side_sees_the_other_write_and_read() {
    let served = served().await;
    let operator = served.operator("maria", "Мария").await;
    let visitor = served.visitor().await;
    visitor.says("hello").await;
    served.bot_hands_off("A colleague will answer.", Package::default(), 3).await;
    let conversation = served.conversation().await;
    let mut desk = served.at_desk("maria").await;

    // Whoever does not have the conversation writes for nobody.
    assert_eq!(signs(&mut desk, &conversation.to_string()).await, StatusCode::NO_CONTENT);
    desk.acts(conversation, "take", "").await;
    let mut events = visitor.listens(0).await;
    assert_eq!(events.next_of("status").await.data["who"], "human", "and nobody is said to be writing");
    assert_eq!(signs(&mut desk, &conversation.to_string()).await, StatusCode::NO_CONTENT);
    assert_eq!(events.next_of("typing").await.data, json!({ "on": true }));
    desk.acts(conversation, "reply", "Здравствуйте").await;
    served.deliver().await;
    let reply = events.next_of("message").await;
    assert_eq!(reply.data["text"], "Здравствуйте");

    let page = async |desk: &mut Browser<'_>| desk.page(&format!("/desk/c/{conversation}")).await;
    assert!(page(&mut desk).await.contains("id=\"writing\" hidden"));
    assert_eq!(post(&served, "/widget/v1/typing", &visitor.token, json!({})).await.status(), StatusCode::NO_CONTENT);
    assert!(page(&mut desk).await.contains("id=\"writing\" >"), "the desk sees it");
    served.clock.advance(SignedDuration::from_secs(7));
    assert!(page(&mut desk).await.contains("id=\"writing\" hidden"), "for some seconds");

    assert!(!page(&mut desk).await.contains("tick read"));
    let read = post(&served, "/widget/v1/read", &visitor.token, json!({ "position": reply.id })).await;
    assert_eq!(read.status(), StatusCode::NO_CONTENT);
    assert!(page(&mut desk).await.contains("tick read"));
    assert_eq!(served.ctx.store.operators().await.unwrap()[0].id, operator);
}

/// The operator's page tells that they are writing.
async fn signs(desk: &mut Browser<'_>, conversation: &str) -> StatusCode {
    let page = desk.page(&format!("/desk/c/{conversation}")).await;
    let path = format!("/desk/c/{conversation}/typing");
    desk.post(&path, &[("csrf", &hidden(&page, "csrf"))]).await.status()
}

#[tokio::test]
async fn signs_are_limited_and_need_a_token() {
    let served = served().await;
    let visitor = served.visitor().await;
    for path in ["/widget/v1/typing", "/widget/v1/read"] {
        let body = json!({ "position": 1 });
        problem(post(&served, path, &"0".repeat(64), body.clone()).await, StatusCode::UNAUTHORIZED).await;
        let mut refused = None;
        for _ in 0..100 {
            let response = post(&served, path, &visitor.token, body.clone()).await;
            if response.status() != StatusCode::NO_CONTENT {
                refused = Some(response);
                break;
            }
        }
        problem(refused.expect("there is a limit"), StatusCode::TOO_MANY_REQUESTS).await;
        let foreign =
            served.request(Method::POST, path).bearer_auth(&visitor.token).header("origin", "https://evil.example");
        problem(foreign.json(&body).send().await.unwrap(), StatusCode::FORBIDDEN).await;
    }
    let mut desk = Browser::new(&served);
    let gone = desk.post("/desk/c/conv_0/typing", &[("csrf", "x")]).await;
    assert_eq!(gone.status(), StatusCode::SEE_OTHER, "who is not logged in writes to nobody");
}
