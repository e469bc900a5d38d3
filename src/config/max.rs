//! `[max]`: how updates come, and whether the settings can be used.

use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::{Max, is_loopback};

/// How MAX's updates come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaxMode {
    /// We ask.
    Polling,
    /// They post.
    Webhook,
}

impl Max {
    /// A token is configured.
    pub fn is_on(&self) -> bool {
        !self.token.expose_secret().is_empty()
    }

    /// What is wrong, without the secrets. `public_url` is where we are reached from outside.
    pub(super) fn fault(&self, public_url: &str) -> Option<String> {
        if !self.is_on() {
            return None;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let secret = self.secret.expose_secret();
        let is_secret = (5..=256).contains(&secret.len()) && secret.chars().all(is_plain);
        if self.account.is_empty() || self.account.len() > 64 || !self.account.chars().all(is_plain) {
            Some("max.account: must be 1 to 64 letters, digits, _ or -: it stands in the webhook's address".to_owned())
        } else if !secret.is_empty() && !is_secret {
            Some("max.secret: must be 5 to 256 letters, digits, _ or -, or empty to have one made up".to_owned())
        } else if !self.subscribed_again_after.is_positive() {
            Some("max.subscribed_again_after: must be longer than nothing".to_owned())
        } else if self.api_url.scheme() != "https" && !is_loopback(&self.api_url) {
            Some("max.api_url: must begin with https://: the token goes there".to_owned())
        } else if self.mode == MaxMode::Webhook && !is_loopback(&self.api_url) {
            fault_of_public(public_url)
        } else {
            None
        }
    }
}

/// MAX posts to https only, and to these ports.
fn fault_of_public(public_url: &str) -> Option<String> {
    let Some(public) = Url::parse(public_url).ok().filter(|url| url.scheme() == "https") else {
        return Some("max.mode: \"webhook\" needs server.public_url with https://".to_owned());
    };
    let port = public.port_or_known_default().unwrap_or_default();
    let is_posted_to = matches!(port, 80 | 443 | 8080 | 8443 | 16384..=32383);
    (!is_posted_to).then(|| {
        format!("max.mode: MAX posts to the ports 80, 443, 8080, 8443 and 16384 to 32383 only, not to {port}: change server.public_url")
    })
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError, MaxMode};

    fn with(set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let token = ("FIRSTLINE__MAX__TOKEN".to_owned(), "very-secret".to_owned());
        let set = set.iter().map(|(name, value)| (format!("FIRSTLINE__{name}"), (*value).to_owned()));
        Config::load(None, std::iter::once(token).chain(set))
    }

    #[test]
    fn settings_of_max_are_checked() {
        assert!(!Config::defaults().max.is_on());
        let config = with(&[]).unwrap();
        assert_eq!((config.max.mode, config.max.account.as_str()), (MaxMode::Polling, "max"));
        assert!(!format!("{config:?}{}", config.redacted()).contains("very-secret"));
        let webhook = ("MAX__MODE", "webhook");
        for (set, told) in [
            (&[("MAX__ACCOUNT", "a/b")][..], "max.account"),
            (&[("MAX__SECRET", "1234")], "max.secret"),
            (&[("MAX__SECRET", "с пробелом")], "max.secret"),
            (&[("MAX__SUBSCRIBED_AGAIN_AFTER", "0s")], "max.subscribed_again_after"),
            (&[("MAX__API_URL", "http://max.example")], "max.api_url"),
            (&[webhook], "needs server.public_url"),
            (&[webhook, ("SERVER__PUBLIC_URL", "http://help.example")], "needs server.public_url"),
            (&[webhook, ("SERVER__PUBLIC_URL", "https://help.example:9000")], "not to 9000"),
        ] {
            let error = with(set).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("very-secret"), "{set:?}: {error}");
        }
        for public in ["https://help.example", "https://help.example:8443", "https://help.example:20000"] {
            with(&[webhook, ("SERVER__PUBLIC_URL", public)]).unwrap();
        }
        let here = [webhook, ("MAX__API_URL", "http://127.0.0.1:9"), ("SERVER__PUBLIC_URL", "http://127.0.0.1:8080")];
        with(&here).unwrap();
    }
}
