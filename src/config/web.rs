//! `[web]`: what its values must be.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

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
    pub color: String,
    pub side: Side,
    pub title: String,
    pub avatar: String,
    pub greeting_ru: String,
    pub greeting_en: String,
    pub file_megabytes: u32,
    pub files_per_hour: u32,
}

/// Where the widget's button is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Below on the left.
    Left,
    /// Below on the right.
    Right,
}

/// Characters that fit into the round beside the title.
const LONGEST_AVATAR: usize = 2;

impl Web {
    /// Longest file of a visitor.
    pub fn file_bytes(&self) -> u64 {
        u64::from(self.file_megabytes) * 1_048_576
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let length = self.secret.expose_secret().len();
        if (1..SHORTEST_SECRET).contains(&length) {
            faults.push(format!(
                "web.secret: has {length} bytes, at least {SHORTEST_SECRET} are needed: take the output of `openssl rand -hex 32`"
            ));
        }
        let digits = self.color.strip_prefix('#').unwrap_or("");
        let is_color = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !(self.color.is_empty() || is_color) {
            faults.push("web.color: six hexadecimal digits after a #, as in \"#0b6e5f\", or nothing".to_owned());
        }
        if self.avatar.chars().count() > LONGEST_AVATAR {
            faults.push(format!("web.avatar: at most {LONGEST_AVATAR} characters fit"));
        }
        if self.file_megabytes == 0 || self.files_per_hour == 0 {
            faults.push("web.file_megabytes, web.files_per_hour: must be at least 1".to_owned());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_color_is_a_color() {
        for (color, faults) in [("", 0), ("#0B6e5f", 0), ("0b6e5f", 1), ("#0b6", 1), ("teal", 1), ("#0b6e5f;}", 1)] {
            let mut web = Config::defaults().web;
            web.color = color.to_owned();
            assert_eq!(web.faults().len(), faults, "{color}");
        }
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_refused() {
        for (length, faults) in [(0, 0), (1, 1), (31, 1), (32, 0)] {
            let mut web = Config::defaults().web;
            web.secret = "x".repeat(length).into();
            assert_eq!(web.faults().len(), faults, "{length}");
        }
    }
}
