//! Pages: templates, escaping, headers.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::{assets, cookie};
use crate::domain::text::Language;

/// The cookie that keeps the language somebody chose.
pub(crate) const LANGUAGE_COOKIE: &str = "firstline_language";

macro_rules! templates {
    ($($name:literal),+ $(,)?) => { [$(($name, include_str!(concat!("templates/", $name)))),+] };
}

const TEMPLATES: [(&str, &str); 11] = templates![
    "base.html",
    "chat.html",
    "conversation.html",
    "demo.html",
    "desk.html",
    "fault.html",
    "login.html",
    "macros.html",
    "password.html",
    "queue.html",
    "start.html",
];

/// The template environment: everything that is put into a page is escaped, and a name that is not given is a fault.
pub(crate) struct Pages(Environment<'static>);

impl Pages {
    /// Parses all templates.
    ///
    /// # Panics
    /// If one of them can't be parsed: a test would say so.
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.expect("the usual delimiters are right"));
        environment.add_function("asset", |name: &str| Value::from_safe_string(assets::url(name)));
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).expect("the embedded templates parse");
        }
        Self(environment)
    }

    /// Renders a page. `words` is the table of its language, `view` what it shows.
    pub(crate) fn render(
        &self,
        name: &str,
        language: Language,
        words: &'static impl Serialize,
        view: impl Serialize,
    ) -> Response {
        let other = if language == Language::Ru { Language::En } else { Language::Ru };
        let view = context! {
            language => language.code(),
            other_language => other.code(),
            w => Value::from(Serde(words)),
            v => Value::from(Serde(view)),
        };
        let rendered = self.0.get_template(name).and_then(|template| template.render(view));
        match rendered {
            Ok(text) => Html(text).into_response(),
            Err(error) => {
                tracing::error!(page = name, error = &error as &dyn std::error::Error, "a page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The language of a page: what was chosen, else the first that the browser asks for and we speak, else English.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let chosen = cookie::read(headers, LANGUAGE_COOKIE).and_then(Language::from_code);
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|list| list.to_str().ok()).unwrap_or_default();
    chosen.or_else(|| asked.split(',').find_map(|one| Language::from_code(one.trim()))).unwrap_or(Language::En)
}

/// Headers of every answer; a handler that has set one of them knows better.
pub(crate) fn protect(headers: &mut HeaderMap) {
    let policy = content_policy("'none'", "'none'", "'self' data:");
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (
            header::HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
        ),
    ] {
        headers.entry(name).or_insert(value);
    }
}

/// What our pages may load: their own scripts, styles and pictures, and nothing from anywhere else; what they may show
/// in a frame, who may show them in one, and where pictures come from.
pub(crate) fn content_policy(frames: &str, frame_ancestors: &str, pictures: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src {pictures}; \
         frame-src {frames}; form-action 'self'; base-uri 'none'; frame-ancestors {frame_ancestors}"
    );
    HeaderValue::try_from(policy).expect("origins are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_what_was_chosen_then_what_the_browser_asks_for() {
        for (chosen, asked, expected) in [
            (None, None, Language::En),
            (None, Some("de-DE,ru;q=0.8,en;q=0.7"), Language::Ru),
            (None, Some("en-GB,en;q=0.9,ru;q=0.8"), Language::En),
            (Some("firstline_language=ru"), Some("en"), Language::Ru),
            (Some("firstline_language=xx"), Some("ru"), Language::Ru),
        ] {
            let mut headers = HeaderMap::new();
            chosen.map(|value| headers.insert(header::COOKIE, value.parse().unwrap()));
            asked.map(|value| headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap()));
            assert_eq!(language(&headers), expected, "{chosen:?} {asked:?}");
        }
    }
}
