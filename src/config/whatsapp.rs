//! `[whatsapp]`: whether it is on, and whether what Meta wants is there.

use secrecy::ExposeSecret;

use super::WhatsApp;

impl WhatsApp {
    /// A token is configured.
    pub fn is_on(&self) -> bool {
        !self.token.expose_secret().is_empty()
    }

    /// What is wrong, without the secrets. All of it: each thing is fetched from another page at Meta.
    pub(super) fn faults(&self, public_url: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.is_on() {
            return faults;
        }
        let id = &self.phone_number_id;
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_digit()) {
            faults.push(
                "whatsapp.phone_number_id: must be Meta's id of the number, digits only; not the number".to_owned(),
            );
        }
        if self.app_secret.expose_secret().is_empty() {
            faults.push("whatsapp.app_secret: is needed to know Meta's webhooks from forged ones".to_owned());
        }
        if self.verify_token.expose_secret().is_empty() {
            faults.push("whatsapp.verify_token: make one up, and type the same at Meta with the webhook".to_owned());
        }
        // Messages come by webhook only, and Meta posts to https only.
        if !public_url.starts_with("https://") && self.api_url.host_str() == Some("graph.facebook.com") {
            faults.push(
                "whatsapp.token: messages come by webhook, which needs server.public_url with https://".to_owned(),
            );
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    fn with(set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let set = set.iter().map(|(name, value)| (format!("FIRSTLINE__{name}"), (*value).to_owned()));
        Config::load(None, set)
    }

    const ALL: [(&str, &str); 5] = [
        ("WHATSAPP__TOKEN", "EAAvery-secret"),
        ("WHATSAPP__APP_SECRET", "very-secret-too"),
        ("WHATSAPP__VERIFY_TOKEN", "very-secret-as-well"),
        ("WHATSAPP__PHONE_NUMBER_ID", "106540352242922"),
        ("SERVER__PUBLIC_URL", "https://help.example.com"),
    ];

    #[test]
    fn whatsapp_is_off_until_it_has_a_token_and_then_wants_everything() {
        assert!(!Config::defaults().whatsapp.is_on());
        assert!(with(&ALL).unwrap().whatsapp.is_on());
        let error = with(&ALL[..1]).unwrap_err().to_string();
        for named in ["phone_number_id: ", "app_secret: ", "verify_token: ", "server.public_url"] {
            assert!(error.contains(named), "{named} is not in {error}");
        }
        for id in ["", "+7 999", "мята"] {
            let mut set = ALL;
            set[3].1 = id;
            assert!(with(&set).unwrap_err().to_string().contains("whatsapp.phone_number_id"), "{id}");
        }
        let mut set = ALL;
        set[4] = ("WHATSAPP__API_URL", "http://127.0.0.1:9/v24.0");
        assert!(with(&set).is_ok(), "a server of one's own needs no https");
    }

    #[test]
    fn its_secrets_are_not_printed_and_may_stand_in_files() {
        let config = with(&ALL).unwrap();
        let shown = format!("{config:?}{}", config.redacted());
        assert!(!shown.contains("very-secret"), "{shown}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from-a-file\n").unwrap();
        let mut set = ALL.to_vec();
        set.push(("WHATSAPP__APP_SECRET_FILE", file.path().to_str().unwrap()));
        let config = with(&set).unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(&config.whatsapp.app_secret), "from-a-file");
    }
}
