//! `[web]`: what its values must be.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// Shortest secret, in bytes: RFC 7518 wants the key of HS256 to be no shorter than its hash.
const SHORTEST_SECRET: usize = 32;

/// `[web]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each setting is described in config.toml, once")]
pub struct Web {
    pub origins: Vec<String>,
    pub secret: SecretString,
    pub secret_file: PathBuf,
}

impl Web {
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let length = self.secret.expose_secret().len();
        if (1..SHORTEST_SECRET).contains(&length) {
            faults.push(format!(
                "web.secret: has {length} bytes, at least {SHORTEST_SECRET} are needed: take the output of `openssl rand -hex 32`"
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_secret_that_could_be_guessed_is_refused() {
        for (length, faults) in [(0, 0), (1, 1), (31, 1), (32, 0)] {
            let mut web = Config::defaults().web;
            web.secret = "x".repeat(length).into();
            assert_eq!(web.faults().len(), faults, "{length}");
        }
    }
}
