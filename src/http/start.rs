//! `/`: what runs here and what is off; `/demo`: the widget on a sample page; `/language/{code}`: the switch.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::pages::{self, LANGUAGE_COOKIE};
use super::words::SiteWords;
use super::{Asked, Site, fault};
use crate::domain::channel::ChannelKind;
use crate::domain::text::Language;
use crate::ports::index::Shelf;

/// How long a part may take to say how it is.
const LOOK_WITHIN: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/", get(start)).route("/demo", get(demo)).route("/language/{code}", get(switch_language))
}

/// One part of Firstline, as the start page shows it.
#[derive(Debug, PartialEq, Serialize)]
struct Part {
    name: &'static str,
    state: State3,
    text: String,
    /// What to do about it, where something is to be done.
    how: Option<&'static str>,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State3 {
    On,
    Off,
    Attention,
}

#[derive(Serialize)]
struct StartView {
    company: String,
    version: &'static str,
    parts: Vec<Part>,
}

async fn start(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let language = pages::language(&headers);
    let words = SiteWords::of(language);
    let (store, operators) = store_parts(&site, words).await;
    let parts = vec![
        store,
        model(&site, words),
        embedder(&site, words),
        index(&site, words).await,
        knowledge(&site, words).await,
        operators,
        chat(&site, words),
        telegram(&site, words),
        whatsapp(&site, words),
        max(&site, words),
    ];
    let view = StartView { company: site.ctx.config.company.name.clone(), version: env!("CARGO_PKG_VERSION"), parts };
    site.pages.render("start.html", language, words, view)
}

fn on(name: &'static str, text: impl Into<String>) -> Part {
    Part { name, state: State3::On, text: text.into(), how: None }
}

fn off(name: &'static str, text: &str, how: &'static str) -> Part {
    Part { name, state: State3::Off, text: text.to_owned(), how: Some(how) }
}

fn attention(name: &'static str, text: &str, how: Option<&'static str>) -> Part {
    Part { name, state: State3::Attention, text: text.to_owned(), how }
}

async fn store_parts(site: &Site, words: &SiteWords) -> (Part, Part) {
    let is_postgres = site.ctx.config.store.postgres().is_some();
    let kind = if is_postgres { words.store_postgres } else { words.store_sqlite };
    match tokio::time::timeout(LOOK_WITHIN, site.ctx.store.operators()).await {
        Ok(Ok(operators)) => {
            let people = match operators.len() {
                0 => attention(words.part_desk, words.operators_none, Some(words.operators_how)),
                count => on(words.part_desk, words.operators_count.replace("{count}", &count.to_string())),
            };
            (on(words.part_store, kind), people)
        }
        Ok(Err(_)) | Err(_) => {
            (attention(words.part_store, words.store_down, None), attention(words.part_desk, words.store_down, None))
        }
    }
}

fn model(site: &Site, words: &SiteWords) -> Part {
    match &site.ctx.model {
        Some(model) => on(words.part_model, model.name()),
        None => off(words.part_model, words.model_off, words.model_how),
    }
}

fn embedder(site: &Site, words: &SiteWords) -> Part {
    match &site.ctx.search.serving().embedder {
        Some(embedder) => on(words.part_embedder, embedder.fingerprint().model),
        None => off(words.part_embedder, words.embedder_off, words.embedder_how),
    }
}

async fn index(site: &Site, words: &SiteWords) -> Part {
    let kind = if site.ctx.config.index.is_server() { words.index_server } else { words.index_here };
    match tokio::time::timeout(LOOK_WITHIN, site.ctx.search.serving().index.count(Shelf::Memory)).await {
        Ok(Ok(_)) => on(words.part_index, kind),
        Ok(Err(_)) | Err(_) => attention(words.part_index, words.index_down, None),
    }
}

async fn knowledge(site: &Site, words: &SiteWords) -> Part {
    match tokio::time::timeout(LOOK_WITHIN, site.ctx.search.serving().index.count(Shelf::Knowledge)).await {
        Ok(Ok(count)) if count > 0 => {
            on(words.part_knowledge, words.knowledge_count.replace("{count}", &count.to_string()))
        }
        _ => attention(words.part_knowledge, words.knowledge_empty, Some(words.knowledge_how)),
    }
}

fn chat(site: &Site, words: &SiteWords) -> Part {
    let sites = &site.ctx.config.web.origins;
    if sites.is_empty() {
        Part { how: Some(words.chat_how), ..on(words.part_chat, words.chat_own) }
    } else {
        on(words.part_chat, words.chat_embedded.replace("{sites}", &sites.join(", ")))
    }
}

fn telegram(site: &Site, words: &SiteWords) -> Part {
    match site.ctx.channels.iter().find(|channel| channel.kind() == ChannelKind::Telegram) {
        Some(channel) => on(words.part_telegram, channel.account()),
        None => off(words.part_telegram, words.telegram_off, words.telegram_how),
    }
}

/// With the note that Russian law wants wherever the name of Meta's product is shown.
fn whatsapp(site: &Site, words: &SiteWords) -> Part {
    match site.ctx.channels.iter().find(|channel| channel.kind() == ChannelKind::WhatsApp) {
        Some(channel) => Part { how: Some(words.whatsapp_note), ..on(words.part_whatsapp, channel.account()) },
        None => off(words.part_whatsapp, words.whatsapp_off, words.whatsapp_how),
    }
}

fn max(site: &Site, words: &SiteWords) -> Part {
    match site.ctx.channels.iter().find(|channel| channel.kind() == ChannelKind::Max) {
        Some(channel) => on(words.part_max, channel.account()),
        None => off(words.part_max, words.max_off, words.max_how),
    }
}

#[derive(Serialize)]
struct DemoView {
    company: String,
    /// Where the widget's script is, as another site writes it.
    script: String,
    prices: [&'static str; 3],
}

async fn demo(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let language = pages::language(&headers);
    let config = &site.ctx.config;
    let address = match config.server.public_url.trim_end_matches('/') {
        "" => format!("http://{}", config.server.listen),
        public => public.to_owned(),
    };
    let view = DemoView {
        company: config.company.name.clone(),
        script: format!("{address}/widget.js"),
        prices: ["1 290", "4 900", "3 450"],
    };
    let mut response = site.pages.render("demo.html", language, SiteWords::of(language), view);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, pages::content_policy("'self'", "'none'", "'self' data:"));
    response
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    back: Option<String>,
}

/// Keeps the chosen language for a year and goes back to where the switch was pressed.
async fn switch_language(
    State(site): State<Arc<Site>>,
    Path(code): Path<String>,
    query: Asked<Back>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = Language::from_code(&code) else {
        return fault(&site, &headers, StatusCode::NOT_FOUND);
    };
    let back = query.ok().and_then(|Query(query)| query.back).filter(|path| is_local_path(path));
    let back = back.and_then(|path| HeaderValue::try_from(path).ok()).unwrap_or(HeaderValue::from_static("/"));
    let secure = if site.origins.is_secure() { "; Secure" } else { "" };
    let cookie = format!("{LANGUAGE_COOKIE}={language}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000{secure}");
    let cookie = HeaderValue::try_from(cookie).expect("a language's code is plain ASCII");
    (StatusCode::SEE_OTHER, [(header::LOCATION, back), (header::SET_COOKIE, cookie)]).into_response()
}

/// A path of ours: nothing that a browser could read as another site's address.
pub(super) fn is_local_path(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain && path.starts_with('/') && !path.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_gone_back_to() {
        for (path, expected) in [
            ("/", true),
            ("/desk/c/conv_1?all=1#m-3", true),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example", false),
            ("/a\r\nSet-Cookie: x=1", false),
            ("", false),
        ] {
            assert_eq!(is_local_path(path), expected, "{path:?}");
        }
    }
}
