//! What holds for every page: headers, languages, escaping.

use std::collections::HashMap;

use firstline::domain::channel::ChannelKind;
use firstline::domain::handoff::{Package, PackageAuthor, PackageEpisode, PackageLine};
use firstline::domain::id::{ConversationId, EpisodeId, FactId};
use firstline::domain::memory::{Episode, Fact, FactKind, LedgerChange, Outcome, Trend};
use firstline::domain::message::Citation;
use firstline::domain::outbox::SendOutcome;
use firstline::ports::ledger::{Entry, EpisodeCommit, Learning};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Served, hidden, serve, serve_with};

/// What an attacker would like a page to run.
const HOSTILE: &str = r#"<script>alert(1)</script>"'><img src=x onerror=alert(1)>{{ 7*6191 }}"#;

/// Traces of it that must stand in no page: anything that a browser would take for markup.
const TRACES: [&str; 3] = ["<script>alert", "<img src=x", "\"'><"];

#[tokio::test]
async fn every_page_says_what_it_may_load() {
    let served = serve_with(|config| config.web.origins = vec!["https://shop.example".into()]).await;
    served.operator("anna", "Анна").await;
    let mut desk = served.at_desk("anna").await;
    let visitor = served.visitor().await;
    visitor.says("hello").await;
    let conversation = served.conversation().await;
    for path in ["/", "/chat", "/demo", "/desk", "/desk/password", &format!("/desk/c/{conversation}"), "/nowhere"] {
        let response = desk.get(path).await;
        let headers = response.headers().clone();
        let policy: HashMap<String, String> = headers["content-security-policy"]
            .to_str()
            .unwrap()
            .split("; ")
            .map(|rule| rule.split_once(' ').unwrap())
            .map(|(name, sources)| (name.to_owned(), sources.to_owned()))
            .collect();
        assert_eq!(policy["default-src"], "'none'", "{path}");
        assert_eq!(policy["script-src"], "'self'", "{path}");
        assert_eq!(policy["style-src"], "'self'", "{path}");
        assert_eq!(policy["form-action"], "'self'", "{path}");
        assert_eq!(policy["base-uri"], "'none'", "{path}");
        let ancestors = if path == "/chat" { "'self' https://shop.example" } else { "'none'" };
        assert_eq!(policy["frame-ancestors"], ancestors, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        let page = response.text().await.unwrap();
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick"), "{path}");
        for script in page.split("<script").skip(1) {
            let (attributes, content) = script.split_once('>').unwrap();
            assert!(attributes.contains(" src=\"/") && content.starts_with("</script>"), "{path}: {attributes}");
        }
    }
}

#[tokio::test]
async fn pages_name_assets_that_are_there_and_may_be_kept() {
    let served = serve().await;
    for path in ["/", "/chat", "/demo", "/desk/login"] {
        let page = served.get(path).await.text().await.unwrap();
        let assets: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
        assert!(assets.len() >= 3, "{path}");
        for asset in assets {
            let response = served.get(asset).await;
            assert_eq!(response.status(), StatusCode::OK, "{asset}");
            assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"), "{asset}");
        }
    }
    let widget = served.get("/widget.js").await;
    assert!(widget.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
    assert_eq!(served.get("/assets/x/../../Cargo.toml").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pages_speak_the_language_that_is_asked_for_or_chosen() {
    let served = serve().await;
    let page = |path: &'static str, language: &'static str| {
        let request = served.request(Method::GET, path).header("accept-language", language);
        async { request.send().await.unwrap().text().await.unwrap() }
    };
    for (path, russian, english) in [
        ("/", "Что включено", "What is on"),
        ("/chat", "Позвать человека", "Call a person"),
        ("/demo", "Чашка", "Dew cup"),
        ("/desk/login", "Вход для операторов", "log-in"),
        ("/nowhere", "Такой страницы нет", "There is no such page"),
    ] {
        let (ru, en) = (page(path, "ru-RU,ru;q=0.9,en;q=0.5").await, page(path, "en-GB,en;q=0.9").await);
        assert!(ru.contains("lang=\"ru\"") && ru.contains(russian), "{path}");
        assert!(en.contains("lang=\"en\"") && en.contains(english), "{path}");
    }
    let chosen = served.get("/language/en?back=/desk/login").await;
    assert_eq!(chosen.headers()["location"], "/desk/login");
    let cookie = chosen.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let kept = served.request(Method::GET, "/").header("accept-language", "ru").header("cookie", cookie);
    assert!(kept.send().await.unwrap().text().await.unwrap().contains("What is on"));
    let elsewhere = served.get("/language/en?back=//evil.example").await;
    assert_eq!(elsewhere.headers()["location"], "/");
}

#[tokio::test]
async fn what_people_write_is_text_on_every_page() {
    let served = serve_with(|config| config.company.name = HOSTILE.into()).await;
    served.operator("anna", HOSTILE).await;
    let conversation = hostile_conversation(&served).await;
    let mut desk = served.at_desk("anna").await;
    desk.acts(conversation, "note", HOSTILE).await;
    let refused = desk.acts(conversation, "reply", &HOSTILE.repeat(100)).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.unwrap();
    assert_text_only(&refused, "a refused reply");

    let mut shown = 0;
    for path in ["/", "/chat", "/demo", "/desk", "/desk/password", &format!("/desk/c/{conversation}")] {
        for language in ["ru", "en"] {
            let request = desk.request(Method::GET, path).header("accept-language", language);
            let page = request.send().await.unwrap().text().await.unwrap();
            assert_text_only(&page, path);
            shown += page.matches("&lt;script&gt;alert").count();
        }
    }
    assert!(shown > 40, "the hostile words are there: {shown}");
    let path = format!("/desk/login?next={HOSTILE}");
    assert_text_only(&served.get(&path).await.text().await.unwrap(), "log-in");
    let login = served.get("/desk/login").await;
    let tie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let csrf = hidden(&login.text().await.unwrap(), "csrf");
    let fields = [("csrf", csrf.as_str()), ("login", HOSTILE), ("password", "x"), ("next", HOSTILE)];
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let wrong = served.request(Method::POST, "/desk/login").header("cookie", tie).body(body);
    let wrong = wrong.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert_text_only(&wrong.text().await.unwrap(), "a wrong log-in");
}

fn assert_text_only(page: &str, what: &str) {
    for trace in TRACES {
        assert!(!page.contains(trace), "{what}: {trace}");
    }
    assert!(!page.contains("43337"), "{what}: a template was rendered twice");
}

/// A conversation with hostile words wherever words can be.
async fn hostile_conversation(served: &Served) -> ConversationId {
    let update = json!({ "id": "1", "chat": "7", "text": HOSTILE, "name": HOSTILE }).to_string();
    served.telegram(update).await;
    let citation = Citation { source: HOSTILE.into(), title: HOSTILE.into() };
    served.turn(HOSTILE, vec![citation], None).await;
    served.settle_all(|| SendOutcome::Dead { why: HOSTILE.into(), unreachable: false }).await;
    let store = &served.ctx.store;
    let conversation = store.queue(10).await.unwrap()[0].conversation.clone();
    let message = store.transcript(conversation.id, 0, 1).await.unwrap()[0].id;
    let (ids, now) = (&served.ctx.ids, served.ctx.clock.now());
    let fact = Fact {
        id: FactId::fresh(ids, now),
        customer: conversation.customer,
        key: HOSTILE.into(),
        value: HOSTILE.into(),
        kind: FactKind::Claim,
        confidence: 0.9,
        source: message,
        valid_at: now,
        invalid_at: None,
        recorded_at: now,
        superseded_at: None,
        due_at: None,
    };
    let change = LedgerChange { learnt: vec![fact], superseded: Vec::new() };
    let number = store.ledger(conversation.customer).await.unwrap().number;
    let commit = EpisodeCommit {
        episode: Episode {
            id: EpisodeId::fresh(ids, now),
            customer: conversation.customer,
            conversation: conversation.id,
            from_seq: 1,
            to_seq: 2,
            channel: ChannelKind::Telegram,
            summary: HOSTILE.into(),
            outcome: Outcome::AnsweredByBot,
            mood: HOSTILE.into(),
            trend: Trend::Worse,
            started_at: now,
            ended_at: now,
        },
        entry: Entry { customer: conversation.customer, number, statements: Vec::new(), change },
    };
    assert_eq!(store.commit_episode(&commit, now).await.unwrap(), Learning::Stored);
    let again = json!({ "id": "2", "chat": "7", "text": HOSTILE, "name": HOSTILE }).to_string();
    served.telegram(again).await;
    let line = || vec![PackageLine { text: HOSTILE.into(), messages: vec![message] }];
    let package = Package {
        written_by: PackageAuthor::Model,
        customer: line(),
        wants: line(),
        tried: line(),
        open_questions: line(),
        mood: HOSTILE.into(),
        promises: line(),
        episodes: vec![PackageEpisode { id: commit.episode.id, ended_at: now, summary: HOSTILE.into() }],
        suggested_reply: HOSTILE.into(),
    };
    served.bot_hands_off(HOSTILE, package, 1).await;
    conversation.id
}
