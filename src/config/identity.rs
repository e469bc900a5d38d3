//! `[identity]`: how long a proof holds, and where links lead.

use jiff::SignedDuration;
use serde::Deserialize;

/// `[identity]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each setting is described in config.toml, once")]
pub struct Identity {
    pub proof_days: u32,
    pub link_within: SignedDuration,
    pub telegram_bot: String,
    pub max_bot: String,
    pub whatsapp_number: String,
}

impl Identity {
    /// For how long a number proves who has it; `None` is for ever.
    pub fn proof_holds(&self) -> Option<SignedDuration> {
        super::RetentionConfig::kept(self.proof_days)
    }

    /// What is wrong. All of it goes into addresses that customers open.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for (key, name) in [("telegram_bot", &self.telegram_bot), ("max_bot", &self.max_bot)] {
            if name.len() > 64 || !name.chars().all(is_name) {
                faults.push(format!("identity.{key}: must be the bot's name without @: letters, digits and _"));
            }
        }
        let number = &self.whatsapp_number;
        if number.len() > 15 || !number.chars().all(|c| c.is_ascii_digit()) {
            faults.push("identity.whatsapp_number: must be the number itself with its country, digits only".to_owned());
        }
        if !self.link_within.is_positive() {
            faults.push("identity.link_within: must be longer than nothing".to_owned());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn names_in_links_are_checked() {
        let with = |name: &str, value: &str| {
            Config::load(None, std::iter::once((format!("FIRSTLINE__IDENTITY__{name}"), value.to_owned())))
        };
        assert_eq!(Config::defaults().identity.proof_holds().unwrap().as_hours(), 365 * 24);
        assert!(with("PROOF_DAYS", "0").unwrap().identity.proof_holds().is_none());
        assert!(with("WHATSAPP_NUMBER", "79991234567").is_ok());
        for (name, value, told) in [
            ("TELEGRAM_BOT", "@mint", "identity.telegram_bot"),
            ("MAX_BOT", "a/b", "identity.max_bot"),
            ("WHATSAPP_NUMBER", "+7 999", "identity.whatsapp_number"),
            ("LINK_WITHIN", "0s", "identity.link_within"),
        ] {
            assert!(with(name, value).unwrap_err().to_string().contains(told), "{name}");
        }
    }
}
