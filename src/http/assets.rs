//! Styles, scripts and pictures, compiled in. Pages name them with the hash of their content, so that browsers may
//! keep them for ever.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::problem::Problem;
use super::{Site, secret};
use crate::config::Web;

struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

macro_rules! assets {
    ($($name:literal: $kind:literal),+ $(,)?) => {
        [$(Asset { name: $name, kind: $kind, content: include_str!(concat!("assets/", $name)) }),+]
    };
}

static ASSETS: [Asset; 11] = assets! {
    "base.css": "text/css; charset=utf-8",
    "chat.css": "text/css; charset=utf-8",
    "chat.js": "text/javascript; charset=utf-8",
    "demo.css": "text/css; charset=utf-8",
    "desk.css": "text/css; charset=utf-8",
    "desk.js": "text/javascript; charset=utf-8",
    "feed.js": "text/javascript; charset=utf-8",
    "files.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
    "start.css": "text/css; charset=utf-8",
    "widget.js": "text/javascript; charset=utf-8",
};

/// Changes with any asset.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all: String = ASSETS.iter().map(|asset| asset.content).collect();
    secret::token_hash(&all)[..12].to_owned()
});

/// Where a page finds an asset.
pub(super) fn url(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// `GET /assets/{version}/{name}`
pub(super) async fn get(Path((version, name)): Path<(String, String)>) -> Response {
    // A page of another version than ours, in the middle of an update, gets what we have, and keeps it for a minute.
    let keep = if version == *VERSION { "public, max-age=31536000, immutable" } else { "public, max-age=60" };
    asset(&name, keep)
}

/// Where the widget's script has the site's settings put in.
const SETTINGS: &str = "const configured = {};";

/// `GET /widget.js`: under a name that sites can write down, with how it looks as the settings say.
pub(super) async fn widget(State(site): State<Arc<Site>>) -> Response {
    let Web { color, side, title, avatar, .. } = &site.ctx.config.web;
    let configured = json!({ "color": color, "side": side, "title": title, "avatar": avatar });
    let script = ASSETS.iter().find(|asset| asset.name == "widget.js").map_or("", |asset| asset.content);
    let script = script.replacen(SETTINGS, &format!("const configured = {configured};"), 1);
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, script).into_response()
}

/// `GET /favicon.ico`
pub(super) async fn favicon() -> Response {
    asset("mark.svg", "public, max-age=86400")
}

fn asset(name: &str, keep: &'static str) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => {
            ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, keep)], asset.content).into_response()
        }
        None => Problem::not_found().into_response(),
    }
}
