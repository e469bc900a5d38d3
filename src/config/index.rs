//! `[index]`: whether a Qdrant server holds the index, and whether its address can be used.

use url::Url;

use super::Index;

/// Longest prefix of a Qdrant server's collections, in characters.
const LONGEST_PREFIX: usize = 40;

impl Index {
    /// A Qdrant server is configured.
    pub fn is_server(&self) -> bool {
        !self.url.is_empty()
    }

    /// What is wrong, without the key.
    pub(super) fn fault(&self) -> Option<String> {
        if !self.is_server() {
            return None;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if self.prefix.is_empty() || self.prefix.len() > LONGEST_PREFIX || !self.prefix.chars().all(is_plain) {
            return Some(format!("index.prefix: must be 1 to {LONGEST_PREFIX} letters, digits, _ or -"));
        }
        match Url::parse(&self.url) {
            Err(error) => Some(format!("index.url: {error}")),
            Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {
                Some("index.url: must be like http://127.0.0.1:6334, the gRPC address of a Qdrant server".to_owned())
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                Some("index.url: the server takes no password in its address: set index.key".to_owned())
            }
            Ok(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    fn with(set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(None, set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_address_and_the_prefix_of_an_index_server_are_checked() {
        assert!(!Config::defaults().index.is_server(), "the index is in our own process unless told otherwise");
        for (url, told) in [
            ("localhost:6334", "index.url: must be like"),
            ("127.0.0.1:6334", "index.url: "),
            ("grpc://127.0.0.1:6334", "index.url: must be like"),
            ("http://me:very-secret@127.0.0.1:6334", "index.url: the server takes no password"),
        ] {
            let error = with(&[("FIRSTLINE__INDEX__URL", url)]).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("very-secret"), "{url}: {error}");
        }
        for prefix in ["", "a b", "склад", &"x".repeat(41)] {
            let error = {
                let set = [("FIRSTLINE__INDEX__URL", "http://127.0.0.1:6334"), ("FIRSTLINE__INDEX__PREFIX", prefix)];
                with(&set).unwrap_err().to_string()
            };
            assert!(error.contains("index.prefix: must be"), "{prefix}: {error}");
        }
        let config = with(&[("FIRSTLINE__INDEX__KEY", "very-secret")]).unwrap();
        assert!(!format!("{config:?}{}", config.redacted()).contains("very-secret"));
    }
}
