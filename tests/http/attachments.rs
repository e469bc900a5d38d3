//! Files that visitors send: taken for what they are, shown to whom they belong, gone when they should be.

use std::time::{Duration, SystemTime};

use firstline::adapters::clock::SystemClock;
use firstline::ports::clock::Clock as _;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Served, Visitor, problem, serve, serve_with};

/// A picture of four dots.
pub(crate) const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x02\x08\x02\0\0\0\xfd\xd4\x9as\0\0\0\x10IDATx\xdac\x08\
    ;\xb9\x1e\x88\x18 \x14\x0012\x079\x89\xe54N\0\0\0\0IEND\xaeB`\x82";

async fn upload(served: &Served, visitor: &Visitor<'_>, name: &str, bytes: &[u8]) -> Response {
    let request = served.request(Method::POST, "/widget/v1/attachments").bearer_auth(&visitor.token);
    request.header("X-File-Name", name).body(bytes.to_vec()).send().await.unwrap()
}

async fn uploaded(served: &Served, visitor: &Visitor<'_>, name: &str, bytes: &[u8]) -> String {
    let response = upload(served, visitor, name, bytes).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    response.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn sends(visitor: &Visitor<'_>, text: &str, files: &[&str]) -> Response {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, files.concat().as_bytes());
    let body = json!({ "client_msg_id": id, "text": text, "attachment_ids": files });
    visitor.post_message(&body).send().await.unwrap()
}

async fn looks_at(served: &Served, visitor: &Visitor<'_>, id: &str) -> Response {
    let path = format!("/widget/v1/attachments/{id}");
    served.request(Method::GET, &path).bearer_auth(&visitor.token).send().await.unwrap()
}

/// The files of the newest message.
async fn newest_files(visitor: &Visitor<'_>) -> Vec<Value> {
    let session = visitor.comes_back().await;
    let newest = session["messages"].as_array().unwrap().last().unwrap().clone();
    newest["attachments"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_file_stands_with_its_message_and_is_shown_to_its_visitor_alone() {
    let served = serve().await;
    let (anna, other) = (served.visitor().await, served.visitor().await);
    let picture = uploaded(&served, &anna, "%D1%87%D0%B0%D1%88%D0%BA%D0%B0.png", PNG).await;
    let paper = uploaded(&served, &anna, "act.txt", "Акт о браке".as_bytes()).await;
    assert_eq!(sends(&anna, "Пришла разбитой", &[&picture, &paper]).await.status(), StatusCode::ACCEPTED);
    assert_eq!(sends(&anna, "Пришла разбитой", &[&picture, &paper]).await.status(), StatusCode::ACCEPTED, "sent again");

    let files = newest_files(&anna).await;
    let about: Vec<Value> = files.iter().map(|file| json!([file["kind"], file["name"], file["shown"]])).collect();
    assert_eq!(about, [json!(["photo", "чашка.png", true]), json!(["document", "act.txt", false])]);
    let messages = anna.comes_back().await["messages"].as_array().unwrap().len();
    assert_eq!(messages, 1, "the second attempt changed nothing");

    let id = files[0]["id"].as_str().unwrap();
    let shown = looks_at(&served, &anna, id).await;
    let headers = shown.headers().clone();
    assert_eq!((shown.status(), &headers["content-type"]), (StatusCode::OK, &"image/png".parse().unwrap()));
    assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert_eq!(headers["content-disposition"], "attachment");
    assert_eq!(shown.bytes().await.unwrap(), PNG);
    let paper = looks_at(&served, &anna, files[1]["id"].as_str().unwrap()).await;
    assert_eq!(paper.headers()["content-type"], "application/octet-stream", "a browser draws pictures only");
    assert_eq!(looks_at(&served, &other, id).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_needs_no_words_and_goes_with_one_visitor_only() {
    let served = serve().await;
    let (anna, other) = (served.visitor().await, served.visitor().await);
    let picture = uploaded(&served, &anna, "a.png", PNG).await;
    let stolen = problem(sends(&other, "", &[&picture]).await, StatusCode::BAD_REQUEST).await;
    assert!(stolen["detail"].as_str().unwrap().contains("no such file of this visitor"), "{stolen}");
    assert_eq!(sends(&anna, "", &[&picture]).await.status(), StatusCode::ACCEPTED);
    assert_eq!(newest_files(&anna).await.len(), 1);
    let session = anna.comes_back().await;
    assert_eq!(session["messages"][0]["text"], "", "the picture says it");
    for wrong in ["", "../../firstline.db", &"0".repeat(32)] {
        assert_eq!(sends(&anna, "и ещё", &[wrong]).await.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(sends(&anna, "", &[]).await.status(), StatusCode::BAD_REQUEST);
    let many = vec![picture.as_str(); 11];
    assert_eq!(sends(&anna, "", &many).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_too_large_too_often_or_could_be_run_is_refused() {
    let served = serve_with(|config| (config.web.file_megabytes, config.web.files_per_hour) = (1, 6)).await;
    let anna = served.visitor().await;
    let large =
        problem(upload(&served, &anna, "a.png", &vec![0; 1_048_577]).await, StatusCode::PAYLOAD_TOO_LARGE).await;
    assert!(large["detail"].as_str().unwrap().contains("1048576 bytes"), "{large}");
    let page = b"<!doctype html><script>alert(1)</script>";
    for (name, bytes) in [("a.png", &page[..]), ("a.txt", b"#!/bin/sh\nrm -rf /\n"), ("a.pdf", b"MZ\x90\0\x03\0")] {
        let refused = upload(&served, &anna, name, bytes).await;
        assert_eq!(refused.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{name}");
    }
    assert_eq!(upload(&served, &anna, "a.txt", b"").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(upload(&served, &anna, "a.png", PNG).await.status(), StatusCode::CREATED);
    let often = upload(&served, &anna, "a.png", PNG).await;
    assert_eq!(often.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(often.headers().contains_key("retry-after"));
    let nobody = served.request(Method::POST, "/widget/v1/attachments").body(PNG).send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_no_message_came_for_is_swept_and_the_rest_stays() {
    let served = serve().await;
    let anna = served.visitor().await;
    let (sent, waits) = (uploaded(&served, &anna, "a.png", PNG).await, uploaded(&served, &anna, "b.png", PNG).await);
    sends(&anna, "вот", &[&sent]).await;
    let in_hours = |hours| SystemTime::from(SystemClock.now()) + Duration::from_hours(hours);
    assert_eq!(firstline::http::sweep_uploads(&served.ctx.config, in_hours(23)).unwrap(), 0);
    assert_eq!(firstline::http::sweep_uploads(&served.ctx.config, in_hours(25)).unwrap(), 1);
    let id = newest_files(&anna).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(looks_at(&served, &anna, &id).await.status(), StatusCode::OK);
    assert_eq!(sends(&anna, "и вот", &[&waits]).await.status(), StatusCode::BAD_REQUEST);

    let mut forgetful = served.ctx.config.clone();
    forgetful.retention.transcripts = 30;
    assert_eq!(firstline::http::sweep_uploads(&forgetful, in_hours(24 * 29)).unwrap(), 0);
    assert_eq!(firstline::http::sweep_uploads(&forgetful, in_hours(24 * 31)).unwrap(), 1);
    assert_eq!(looks_at(&served, &anna, &id).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_tap_says_what_stands_on_the_button() {
    let served = serve().await;
    let anna = served.visitor().await;
    let tap = |pressed: Value, text: &str| {
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{pressed}{text}").as_bytes());
        anna.post_message(&json!({ "client_msg_id": id, "text": text, "pressed": pressed })).send()
    };
    assert_eq!(tap(json!("human"), "Позвать человека").await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(anna.comes_back().await["messages"][0]["text"], "Позвать человека");
    for (pressed, text) in [(json!(""), "Да"), (json!("x".repeat(65)), "Да"), (json!("human"), "")] {
        let refused = tap(pressed.clone(), text).await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{pressed} {text}");
    }
}
