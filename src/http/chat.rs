//! `/chat`: the page on which customers write, by itself or inside the widget's frame.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::theme::Color;
use super::words::ChatWords;
use super::{Asked, Site, pages};
use crate::domain::channel::ChannelKind;
use crate::domain::text::Language;
use crate::flow::proof;

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
    /// The colour that the embedding page wants, without `#`.
    #[serde(default)]
    color: Option<String>,
}

#[derive(Serialize)]
struct ChatView {
    embedded: bool,
    title: String,
    avatar: String,
    /// Of the style sheet that makes shades of it; the usual colours without one.
    color: Option<String>,
    /// What files the visitor may choose.
    accept: String,
    /// What the page's script needs, as JSON.
    settings: String,
}

/// Read by the page's script.
#[derive(Serialize)]
struct Settings<'a> {
    company: &'a str,
    title: &'a str,
    greeting: Greeting<'a>,
    file_bytes: u64,
    /// Where the visitor can go on.
    elsewhere: Vec<&'static str>,
    language: &'static str,
    embedded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    site_key: Option<String>,
    message_chars: usize,
    words: Both,
}

/// What the bot greets with; the usual words where it is empty.
#[derive(Serialize)]
struct Greeting<'a> {
    ru: &'a str,
    en: &'a str,
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
    let web = &config.web;
    let title = if web.title.is_empty() { &config.company.name } else { &web.title };
    let settings = Settings {
        company: &config.company.name,
        title,
        greeting: Greeting { ru: &web.greeting_ru, en: &web.greeting_en },
        file_bytes: web.file_bytes(),
        elsewhere: proof::elsewhere(&site.ctx, ChannelKind::Web).map(|channel| channel.kind().name()).collect(),
        language: language.code(),
        embedded: wanted.embed.is_some(),
        site_key: wanted.site,
        message_chars: config.limits.message_chars,
        words: Both { ru: &ChatWords::RUSSIAN, en: &ChatWords::ENGLISH },
    };
    let settings = serde_json::to_string(&settings).expect("strings and numbers can be written");
    let color = wanted.color.as_deref().and_then(Color::parse).or_else(|| Color::parse(&web.color));
    let first = || title.chars().next().map(String::from).unwrap_or_default();
    let view = ChatView {
        embedded: wanted.embed.is_some(),
        title: title.clone(),
        avatar: if web.avatar.is_empty() { first() } else { web.avatar.clone() },
        color: color.map(Color::hex),
        accept: super::widget::ACCEPT.to_owned(),
        settings,
    };
    let mut response = site.pages.render("chat.html", language, ChatWords::of(language), view);
    // A visitor's own pictures are shown from what the page has fetched.
    let policy = pages::content_policy("'none'", &site.origins.frame_ancestors(), "'self' data: blob:");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
