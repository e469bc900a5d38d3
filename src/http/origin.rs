//! Which web pages may talk to us.

use axum::http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::config::Config;

/// Sites that may embed the widget, and our own address.
pub(crate) struct Origins {
    /// Our public address, where it is configured.
    own: Option<String>,
    /// Sites that may embed the widget and call its API.
    embedding: Vec<String>,
}

impl Origins {
    pub(crate) fn new(config: &Config) -> Self {
        let embedding = config.web.origins.iter().filter_map(|site| normal(site)).collect();
        Self { own: normal(&config.server.public_url), embedding }
    }

    /// The page that made the request is ours: its origin is our public address, or the address it asked for.
    /// A request without an origin was not made by a page of another site.
    pub(crate) fn is_own(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return true;
        };
        let Some(origin) = origin.to_str().ok().and_then(normal) else {
            return false;
        };
        let asked = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let asked = asked.into_iter().flat_map(|host| [format!("http://{host}"), format!("https://{host}")]);
        self.own.as_ref() == Some(&origin) || asked.filter_map(|url| normal(&url)).any(|own| own == origin)
    }

    /// The page may use the widget's API: it is ours, or on the list.
    pub(crate) fn may_chat(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).and_then(normal);
        self.is_own(headers) || origin.is_some_and(|origin| self.embedding.contains(&origin))
    }

    /// The sources of `frame-ancestors` for the chat.
    pub(crate) fn frame_ancestors(&self) -> String {
        std::iter::once("'self'").chain(self.embedding.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    }

    /// We are reached over TLS: cookies are for TLS only.
    pub(crate) fn is_secure(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.starts_with("https://"))
    }
}

/// Headers that let the page of an allowed origin read an answer.
pub(crate) fn allow_reading(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
}

/// An origin as browsers write it: scheme, host and a port that is not the usual one. `None` for what is no web page's
/// origin, such as `null`.
fn normal(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let mut config = Config::defaults();
        config.web.origins = vec!["https://Shop.example/".to_owned(), "nonsense; default-src *".to_owned()];
        config.server.public_url = "https://help.example/".to_owned();
        Origins::new(&config)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn our_pages_and_listed_sites_may_chat_and_nobody_else() {
        for (origin, own, chat) in [
            ("https://help.example", true, true),
            ("http://127.0.0.1:8080", true, true),
            ("https://shop.example", false, true),
            ("http://shop.example", false, false),
            ("https://shop.example.evil.example", false, false),
            ("http://127.0.0.1:9999", false, false),
            ("null", false, false),
            ("file://", false, false),
        ] {
            let headers = headers(&[("host", "127.0.0.1:8080"), ("origin", origin)]);
            assert_eq!(origins().is_own(&headers), own, "{origin}");
            assert_eq!(origins().may_chat(&headers), chat, "{origin}");
        }
        assert!(origins().may_chat(&headers(&[("host", "127.0.0.1:8080")])), "no page at all");
    }

    #[test]
    fn what_is_configured_can_add_nothing_else_to_the_policy() {
        assert_eq!(origins().frame_ancestors(), "'self' https://shop.example");
        assert!(origins().is_secure());
    }
}
