//! `/chat`: the page on which customers write, by itself or inside the widget's frame.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::words::ChatWords;
use super::{Asked, Site, pages};
use crate::domain::text::Language;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/chat", get(chat))
}

#[derive(Deserialize, Default)]
struct Wanted {
    /// Anything: the page is inside the widget's frame.
    #[serde(default)]
    embed: Option<String>,
    /// The language that the embedding site wants.
    #[serde(default)]
    lang: Option<String>,
    /// Which of our sites.
    #[serde(default)]
    site: Option<String>,
}

#[derive(Serialize)]
struct ChatView {
    embedded: bool,
    company: String,
    /// What the page's script needs, as JSON.
    settings: String,
}

/// Read by the page's script.
#[derive(Serialize)]
struct Settings<'a> {
    company: &'a str,
    language: &'static str,
    embedded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    site_key: Option<String>,
    message_chars: usize,
    words: Both,
}

#[derive(Serialize)]
struct Both {
    ru: &'static ChatWords,
    en: &'static ChatWords,
}

async fn chat(State(site): State<Arc<Site>>, query: Asked<Wanted>, headers: HeaderMap) -> Response {
    let wanted = query.map(|Query(wanted)| wanted).unwrap_or_default();
    let language = wanted.lang.as_deref().and_then(Language::from_code).unwrap_or_else(|| pages::language(&headers));
    let config = &site.ctx.config;
    let settings = Settings {
        company: &config.company.name,
        language: language.code(),
        embedded: wanted.embed.is_some(),
        site_key: wanted.site,
        message_chars: config.limits.message_chars,
        words: Both { ru: &ChatWords::RUSSIAN, en: &ChatWords::ENGLISH },
    };
    let settings = serde_json::to_string(&settings).expect("strings and numbers can be written");
    let view = ChatView { embedded: wanted.embed.is_some(), company: config.company.name.clone(), settings };
    let mut response = site.pages.render("chat.html", language, ChatWords::of(language), view);
    let policy = pages::content_policy("'none'", &site.origins.frame_ancestors());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
