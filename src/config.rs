//! Settings: what they are, where they come from, and what is wrong with them. No logic.
//!
//! `config.toml` is compiled in as the defaults, overlaid by the file given with `--config` and by the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Host, Url};

mod identity;
mod index;
mod masked;
mod max;
mod retention;
mod web;
mod whatsapp;

pub use identity::Identity;
pub use max::MaxMode;
pub use web::{Side, Web};

/// The defaults, as the user reads them.
pub const DEFAULTS: &str = include_str!("../config.toml");

/// Prefix of environment variables that set something: `FIRSTLINE__SECTION__KEY`.
const ENVIRONMENT: &str = "FIRSTLINE__";

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each setting is described in config.toml, once")]
pub struct Config {
    pub server: Server,
    pub data: Data,
    pub store: StoreConfig,
    pub index: Index,
    pub company: Company,
    pub knowledge: Knowledge,
    pub prompts: Prompts,
    pub turn: Turn,
    pub episode: Episode,
    pub retention: RetentionConfig,
    pub handoff: HandoffConfig,
    pub csat: Csat,
    pub outbox: Outbox,
    pub limits: Limits,
    pub disclosure: Disclosure,
    pub budget: Budget,
    pub egress: Egress,
    #[serde(default)]
    pub model: Vec<Model>,
    #[serde(default)]
    pub examiner: Vec<Model>,
    pub model_calls: ModelCalls,
    pub embedder: Embedder,
    pub web: Web,
    pub identity: Identity,
    pub telegram: Telegram,
    pub whatsapp: WhatsApp,
    pub max: Max,
    pub log: Log,
    /// What was read, secrets masked: for people to look at.
    #[serde(skip)]
    shown: toml::Table,
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "each setting is described in config.toml, once")]
        pub struct $name { $(pub $field: $type),+ })+
    };
}

sections! {
    /// `[server]`
    Server { listen: SocketAddr, public_url: String }
    /// `[data]`
    Data { dir: PathBuf }
    /// `[store]`
    StoreConfig { url: SecretString }
    /// `[index]`
    Index { url: String, key: SecretString, key_file: PathBuf, prefix: String, within: SignedDuration, snapshot_every: SignedDuration }
    /// `[knowledge]`
    Knowledge { dir: PathBuf, check_every: SignedDuration }
    /// `[prompts]`
    Prompts { dir: PathBuf }
    /// `[turn]`
    Turn {
        quiet: SignedDuration,
        quiet_most: SignedDuration,
        reply_within: SignedDuration,
        lease: SignedDuration,
        window: usize,
        workers: usize,
        failures: i64,
    }
    /// `[episode]`
    Episode { after: SignedDuration, messages: i64, from_model: Vec<String> }
    /// `[retention]`, in days; 0 is for ever
    RetentionConfig { transcripts: u32, episodes: u32, attributes: u32, preferences: u32, claims: u32, promises: u32 }
    /// `[handoff]`
    HandoffConfig { unclaimed_notice_after: SignedDuration }
    /// `[csat]`
    Csat { ask: bool }
    /// `[outbox]`
    Outbox { workers: usize, unknown_after: SignedDuration }
    /// `[limits]`
    Limits { message_chars: usize, messages_per_day: i64, web_per_minute: u32 }
    /// `[disclosure]`
    Disclosure { again_after: SignedDuration }
    /// `[budget]`
    Budget { prompt_tokens: usize, memory_tokens: usize, knowledge_tokens: usize, reply_tokens: u32 }
    /// `[egress]`
    Egress { allow: EgressPolicy }
    /// `[model_calls]`
    ModelCalls {
        within: SignedDuration,
        attempts: u32,
        breaker_failures: u32,
        breaker_rest: SignedDuration,
        at_once: usize,
    }
    /// `[embedder]`
    Embedder {
        kind: EmbedderKind,
        url: String,
        name: String,
        dimensions: usize,
        key: SecretString,
        key_file: PathBuf,
        query_prefix: String,
        passage_prefix: String,
        within: SignedDuration,
    }
    /// `[telegram]`
    Telegram {
        token: SecretString,
        token_file: PathBuf,
        mode: TelegramMode,
        secret: SecretString,
        secret_file: PathBuf,
        api_url: Url,
    }
    /// `[whatsapp]`
    WhatsApp {
        phone_number_id: String,
        token: SecretString,
        token_file: PathBuf,
        app_secret: SecretString,
        app_secret_file: PathBuf,
        verify_token: SecretString,
        verify_token_file: PathBuf,
        api_url: Url,
    }
    /// `[max]`
    Max {
        token: SecretString,
        token_file: PathBuf,
        mode: MaxMode,
        account: String,
        secret: SecretString,
        secret_file: PathBuf,
        subscribed_again_after: SignedDuration,
        api_url: Url,
        ca_file: PathBuf,
    }
    /// `[log]`
    Log { filter: String, format: LogFormat }
}

/// `[company]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each setting is described in config.toml, once")]
pub struct Company {
    pub name: String,
    #[serde(with = "jiff::fmt::serde::tz::required")]
    pub timezone: TimeZone,
    pub hosts: Vec<String>,
}

/// One `[[model]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each setting is described in config.toml, once")]
pub struct Model {
    pub url: Url,
    pub name: String,
    #[serde(default)]
    pub key: SecretString,
    #[serde(default)]
    pub key_file: PathBuf,
    #[serde(default = "attempt_within")]
    pub attempt_within: SignedDuration,
    #[serde(default)]
    pub price_read: f64,
    #[serde(default)]
    pub price_written: f64,
}

fn attempt_within() -> SignedDuration {
    SignedDuration::from_secs(30)
}

/// Where models may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EgressPolicy {
    /// Anywhere.
    Any,
    /// On loopback only.
    None,
}

/// What turns texts into vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbedderKind {
    /// The encoder in this program.
    Embedded,
    /// An OpenAI-compatible endpoint.
    Endpoint,
    /// Nothing: search goes by words.
    None,
}

/// How Telegram's updates come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TelegramMode {
    /// We ask.
    Polling,
    /// They post.
    Webhook,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What is wrong with the settings: every fault that was found, each with its place and its mend.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

impl Config {
    /// Reads the settings: defaults, then `file`, then those `variables` that are ours.
    ///
    /// # Errors
    /// [`ConfigError`] with file:line:column, or the variable's name.
    pub fn load(file: Option<&Path>, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut merged = parse_table(DEFAULTS, "the built-in config.toml")?;
        if let Some(path) = file {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigError(vec![format!("{name}: can't be read: {error}")]))?;
            merge(&mut merged, parse_table(&text, &name)?);
            Self::deserialize(merged.clone()).map_err(|error| fault_in_file(&error, &text, &name))?;
        }
        for (variable, value) in variables {
            let Some(path) = variable.strip_prefix(ENVIRONMENT) else {
                continue;
            };
            set_variable(&mut merged, path, &value);
            Self::deserialize(merged.clone())
                .map_err(|error| ConfigError(vec![format!("environment variable {variable}: {}", error.message())]))?;
        }
        let shown = masked::masked(&merged);
        let mut config = Self::deserialize(merged).map_err(|error| ConfigError(vec![error.to_string()]))?;
        config.shown = shown;
        config.read_secret_files()?;
        config.validate()?;
        Ok(config)
    }

    /// The defaults, for tests.
    ///
    /// # Panics
    /// If `config.toml` is not what this module reads: a test would say so.
    pub fn defaults() -> Self {
        Self::load(None, std::iter::empty()).expect("the built-in config.toml is right")
    }

    fn read_secret_files(&mut self) -> Result<(), ConfigError> {
        let mut pairs = vec![
            ("index.key_file", &self.index.key_file, &mut self.index.key),
            ("embedder.key_file", &self.embedder.key_file, &mut self.embedder.key),
            ("telegram.token_file", &self.telegram.token_file, &mut self.telegram.token),
            ("telegram.secret_file", &self.telegram.secret_file, &mut self.telegram.secret),
            ("whatsapp.token_file", &self.whatsapp.token_file, &mut self.whatsapp.token),
            ("whatsapp.app_secret_file", &self.whatsapp.app_secret_file, &mut self.whatsapp.app_secret),
            ("whatsapp.verify_token_file", &self.whatsapp.verify_token_file, &mut self.whatsapp.verify_token),
            ("max.token_file", &self.max.token_file, &mut self.max.token),
            ("max.secret_file", &self.max.secret_file, &mut self.max.secret),
            ("web.secret_file", &self.web.secret_file, &mut self.web.secret),
        ];
        pairs.extend(self.model.iter_mut().map(|model| ("model.key_file", &model.key_file, &mut model.key)));
        pairs.extend(self.examiner.iter_mut().map(|model| ("examiner.key_file", &model.key_file, &mut model.key)));
        for (name, path, secret) in pairs {
            if !path.as_os_str().is_empty() {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| ConfigError(vec![format!("{name}: {} can't be read: {error}", path.display())]))?;
                *secret = SecretString::from(text.trim().to_owned());
            }
        }
        Ok(())
    }

    /// Checks what the types can't.
    fn validate(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        for (name, length) in [
            ("turn.lease", self.turn.lease),
            ("turn.reply_within", self.turn.reply_within),
            ("model_calls.within", self.model_calls.within),
            ("episode.after", self.episode.after),
            ("index.within", self.index.within),
        ] {
            if length <= SignedDuration::ZERO {
                faults.push(format!("{name}: must be longer than nothing"));
            }
        }
        if self.turn.workers == 0 || self.outbox.workers == 0 {
            faults.push("turn.workers, outbox.workers: at least one is needed".to_owned());
        }
        if self.turn.quiet > self.turn.quiet_most {
            faults.push("turn.quiet: must not be longer than turn.quiet_most".to_owned());
        }
        if self.embedder.kind == EmbedderKind::Endpoint {
            if self.embedder.name.is_empty() || self.embedder.dimensions == 0 {
                faults.push("embedder: an endpoint needs url, name and dimensions".to_owned());
            }
            if let Err(error) = Url::parse(&self.embedder.url) {
                faults.push(format!("embedder.url: {error}"));
            }
        } else if !self.embedder.url.is_empty() {
            faults.push("embedder.url: is used with kind = \"endpoint\" only: set that, or leave url empty".to_owned());
        }
        faults.extend(self.index.fault());
        if self.egress.allow == EgressPolicy::None {
            let parsed = |name, url: &str| Url::parse(url).ok().map(|url| (name, url));
            let parsed = [parsed("embedder.url", &self.embedder.url), parsed("index.url", &self.index.url)];
            let models = self.model.iter().map(|model| ("model.url", &model.url));
            let urls = models.chain(self.examiner.iter().map(|model| ("examiner.url", &model.url)));
            for (name, url) in urls.chain(parsed.iter().flatten().map(|(name, url)| (*name, url))) {
                if !is_loopback(url) {
                    faults.push(format!(
                        "{name}: {} is not on this machine, and egress.allow is \"none\": use a loopback address or allow \"any\"",
                        url.host_str().unwrap_or("the address")
                    ));
                }
            }
        }
        if self.telegram.is_on()
            && self.telegram.mode == TelegramMode::Webhook
            && !self.server.public_url.starts_with("https://")
            && self.telegram.api_url.host_str() == Some("api.telegram.org")
        {
            faults.push("telegram.mode: \"webhook\" needs server.public_url with https://".to_owned());
        }
        faults.extend(self.whatsapp.faults(&self.server.public_url));
        faults.extend(self.max.fault(&self.server.public_url));
        faults.extend(self.web.faults());
        faults.extend(self.identity.faults());
        if faults.is_empty() { Ok(()) } else { Err(ConfigError(faults)) }
    }

    /// The settings as `config check` prints them, secrets masked.
    pub fn redacted(&self) -> &toml::Table {
        &self.shown
    }

    /// Where files of the web chat's visitors lie.
    pub fn uploads_dir(&self) -> PathBuf {
        self.data.dir.join("uploads")
    }

    /// Where SQLite's file is, when no other store is configured.
    pub fn sqlite_file(&self) -> PathBuf {
        self.data.dir.join("firstline.db")
    }
}

impl StoreConfig {
    /// PostgreSQL's address, where one is configured.
    pub fn postgres(&self) -> Option<&str> {
        Some(self.url.expose_secret()).filter(|url| !url.is_empty())
    }
}

impl Telegram {
    /// A token is configured.
    pub fn is_on(&self) -> bool {
        !self.token.expose_secret().is_empty()
    }
}

/// The address leads to this very machine, without asking a name server.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn parse_table(text: &str, name: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| fault_in_file(&error, text, name))
}

/// Says file:line:column: where TOML tells it, or where the key stands that the message names.
fn fault_in_file(error: &toml::de::Error, text: &str, name: &str) -> ConfigError {
    let place = error.span().map(|span| span.start).or_else(|| place_of_key(error, text));
    let place = place.map_or_else(|| name.to_owned(), |at| format!("{name}:{}", line_and_column(text, at)));
    ConfigError(vec![format!("{place}: {}", error.message())])
}

/// Where the key stands that a fault of types names: the merged settings carry no places, the file's text does.
fn place_of_key(error: &toml::de::Error, text: &str) -> Option<usize> {
    let words = error.to_string();
    let quoted = |before: &str| words.split_once(before).and_then(|(_, rest)| rest.split_once('`')).map(|(key, _)| key);
    let mut path: Vec<&str> = quoted("\nin `").map(|path| path.split('.').collect()).unwrap_or_default();
    path.extend(quoted("unknown field `"));
    let document = toml::de::DeTable::parse(text).ok()?;
    key_in_table(document.get_ref(), &path)
}

fn key_in_table(table: &toml::de::DeTable<'_>, path: &[&str]) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    let deeper = match value.get_ref() {
        toml::de::DeValue::Table(table) => key_in_table(table, rest),
        toml::de::DeValue::Array(items) => items.iter().find_map(|item| key_in_table(item.get_ref().as_table()?, rest)),
        _ => None,
    };
    deeper.or(Some(key.span().start))
}

/// Both counted from 1, columns in characters.
fn line_and_column(text: &str, at: usize) -> String {
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    format!("{line}:{column}")
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Sets one value from the environment: TOML where it parses as TOML, else text.
fn set_variable(table: &mut toml::Table, path: &str, value: &str) {
    let path = path.to_ascii_lowercase();
    let (section, key) = path.split_once("__").unwrap_or((&path, ""));
    let section = table.entry(section).or_insert_with(|| toml::Table::new().into());
    let Some(section) = section.as_table_mut() else {
        return;
    };
    let is_text = section.get(key).is_some_and(toml::Value::is_str);
    let parsed = format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
    let value = match parsed {
        Some(parsed) if !is_text => parsed,
        _ => toml::Value::String(value.to_owned()),
    };
    section.insert(key.to_owned(), value);
}

#[cfg(test)]
mod tests {
    use super::masked::MASK;
    use super::*;

    fn fault(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mine.toml");
        std::fs::write(&file, text).unwrap();
        let words = Config::load(Some(&file), std::iter::empty()).unwrap_err().to_string();
        words.replace(&dir.path().display().to_string(), "")
    }

    fn with_variable(name: &str, value: &str) -> Result<Config, ConfigError> {
        Config::load(None, [(name.to_owned(), value.to_owned())].into_iter())
    }

    #[test]
    fn faults_name_file_line_and_column() {
        assert!(fault("[turn]\nworkers = \"many\"\n").starts_with("/mine.toml:2:1: invalid type"), "type");
        assert!(fault("[turn]\nwrokers = 2\n").starts_with("/mine.toml:2:1: unknown field `wrokers`"), "key");
        assert!(fault("\n[trun]\nworkers = 2\n").starts_with("/mine.toml:2:2: unknown field `trun`"), "section");
        assert!(fault("[turn\n").starts_with("/mine.toml:1:"), "syntax");
        assert!(fault("[turn]\nquiet = \"soon\"\n").starts_with("/mine.toml:2:1:"), "length of time");
        assert!(
            fault("[[model]]\nurl = \"http://127.0.0.1:1/v1\"\n").starts_with("/mine.toml:1:3: missing field"),
            "model"
        );
    }

    #[test]
    fn variables_override_and_their_faults_name_them() {
        let config = with_variable("FIRSTLINE__TURN__QUIET", "2s").unwrap();
        assert_eq!(config.turn.quiet, SignedDuration::from_secs(2));
        assert_eq!(with_variable("FIRSTLINE__TURN__WORKERS", "3").unwrap().turn.workers, 3);
        let token = with_variable("FIRSTLINE__TELEGRAM__TOKEN", "123").unwrap().telegram.token;
        assert_eq!(token.expose_secret(), "123", "a text that looks like a number stays text");
        let error = with_variable("FIRSTLINE__TURN__WROKERS", "3").unwrap_err().to_string();
        assert!(error.contains("FIRSTLINE__TURN__WROKERS"), "{error}");
        assert!(with_variable("FIRSTLINE_TEST_ALL", "1").is_ok(), "variables of others are left alone");
    }

    #[test]
    fn without_egress_models_must_be_here() {
        let model = |url: &str| format!("[egress]\nallow = \"none\"\n[[model]]\nurl = \"{url}\"\nname = \"m\"\n");
        let error = fault(&model("https://api.example.com/v1"));
        assert!(error.contains("api.example.com is not on this machine"), "{error}");
        for here in ["http://127.0.0.1:8091/v1", "http://[::1]:1/v1", "http://localhost/v1"] {
            let merged = toml::from_str::<toml::Table>(&model(here)).unwrap();
            let mut table: toml::Table = DEFAULTS.parse().unwrap();
            merge(&mut table, merged);
            Config::deserialize(table).unwrap().validate().unwrap();
        }
        let embedder = "[egress]\nallow = \"none\"\n[embedder]\nkind = \"endpoint\"\nurl = \"http://10.0.0.5/v1\"\nname = \"e\"\ndimensions = 3\n";
        assert!(fault(embedder).contains("embedder.url: 10.0.0.5"), "a private network is not this machine");
        let index = "[egress]\nallow = \"none\"\n[index]\nurl = \"http://qdrant:6334\"\n";
        assert!(fault(index).contains("index.url: qdrant is not on this machine"));
        let here = [("FIRSTLINE__EGRESS__ALLOW", "none"), ("FIRSTLINE__INDEX__URL", "http://[::1]:6334")];
        let here = here.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(Config::load(None, here).unwrap().index.is_server());
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = with_variable("FIRSTLINE__TELEGRAM__TOKEN", "123:very-secret").unwrap();
        assert!(!format!("{config:?}").contains("very-secret"));
        assert_eq!(config.redacted()["telegram"]["token"].as_str(), Some(MASK));
        assert_eq!(config.redacted()["telegram"]["secret"].as_str(), Some(""), "what is not set is seen not to be");
        let config = with_variable("FIRSTLINE__STORE__URL", "postgres://me:very-secret@db/firstline").unwrap();
        assert!(!config.redacted().to_string().contains("very-secret"));
        let config = with_variable("FIRSTLINE__EMBEDDER__URL", "http://me:very-secret@127.0.0.1/v1");
        let shown = config.map_or_else(|error| error.to_string(), |config| config.redacted().to_string());
        assert!(!shown.contains("very-secret"));
    }
}
