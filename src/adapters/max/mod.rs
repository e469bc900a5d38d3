//! MAX's Bot API: polling or webhook in, plain text out.
//!
//! A thin client of the ten calls that are needed: the protocol is that of <https://dev.max.ru/docs-api> and of the schema in
//! max-messenger/api-schema. Times are milliseconds.

mod call;
mod contact;
mod content;
mod fetch;
mod outcome;
mod receive;
mod update;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::header::HeaderValue;
use reqwest::{Certificate, Client, ClientBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

pub use super::call::Waits;

use self::call::Api;
use self::receive::Receiving;
use self::update::{Read, integer};
use super::http_client::settings;
use super::public_address::PublicOnly;
use crate::config::{self, MaxMode, is_loopback};
use crate::domain::channel::{Address, Attachment, Button, ChannelKind, Inbound, InboundEvent};
use crate::domain::keyboard::rows;
use crate::domain::outbox::Outbound;
use crate::ports::Retry;
use crate::ports::channel::{
    ByteStream, Channel, DecodeError, FetchError, Limits, Pace, PollError, Polled, Receipt, SendError,
};

/// Longest text of one message. MAX counts characters, we count UTF-16 units, which are never fewer.
const TEXT_UNITS: usize = 4000;

/// Buttons of one message: MAX takes thirty rows.
const BUTTONS: usize = 30;

/// How fast MAX takes messages: thirty a second of one bot, two a second into one dialog.
const PACE: Pace = Pace {
    account_per_second: std::num::NonZeroU32::new(30).unwrap(),
    between: SignedDuration::from_millis(500),
    burst: std::num::NonZeroU32::MIN,
};

/// The header in which MAX repeats the secret that it was subscribed with.
const SECRET_HEADER: &str = "x-max-bot-api-secret";

/// How long a sign ("typing", "seen", a tap that was noticed) may take.
const SIGN_WITHIN: Duration = Duration::from_secs(5);

/// How long a file may take, and how long no piece of it may come.
const FILE_WITHIN: Duration = Duration::from_mins(10);
const PIECE_WITHIN: Duration = Duration::from_secs(20);

/// What the customer is shown for a moment when a tap was noticed: in no language.
const NOTICED: &str = "✓";

/// So many dialogs are remembered by number; more than that, and it begins anew.
const MOST_CHATS: usize = 50_000;

/// Why MAX could not be set up or asked; each message says what mends it.
#[derive(Debug, thiserror::Error)]
pub enum MaxError {
    /// A setting can't be used.
    #[error("{0}")]
    Setting(String),
    /// MAX, or what stands in front of it, is not there.
    #[error(
        "max can't be reached: {0}; check the network, the proxy (HTTPS_PROXY), max.api_url, and max.ca_file: the chain of max ends at the Russian Trusted Root CA"
    )]
    Unreachable(String),
    /// The bot is not known to MAX.
    #[error("max does not know this token; copy it from business.max.ru to max.token as it is")]
    UnknownToken,
    /// MAX said no, in its own words.
    #[error("max refused: {0}")]
    Refused(String),
}

/// One bot on MAX.
pub struct Max {
    api: Api,
    /// For files, which lie elsewhere.
    files: Client,
    account: String,
    token: SecretString,
    secret: SecretString,
    mode: MaxMode,
    subscribed_again_after: SignedDuration,
    waits: Waits,
    receiving: Receiving,
    /// The dialog of each customer who was heard of lately.
    chats: Mutex<HashMap<i64, i64>>,
}

impl Max {
    /// Takes the settings; nothing is sent yet. `config.secret` is what webhooks are verified with: while it is empty,
    /// every webhook counts as forged.
    ///
    /// # Errors
    /// [`MaxError::Setting`].
    pub fn new(config: &config::Max, waits: Waits) -> Result<Self, MaxError> {
        let setting = |words: &str| MaxError::Setting(words.to_owned());
        let token = header_of(config.token.expose_secret())
            .ok_or_else(|| setting("max.token: must be the token alone, without \"Bearer\" and without blanks"))?;
        if config.api_url.cannot_be_a_base() {
            return Err(setting("max.api_url: must look like https://platform-api2.max.ru"));
        }
        let certificates = certificates(&config.ca_file)?;
        let build = |builder: ClientBuilder| {
            let trusting =
                if certificates.is_empty() { builder } else { builder.tls_certs_merge(certificates.clone()) };
            trusting.build().map_err(|error| MaxError::Setting(format!("the HTTP client can't be built: {error}")))
        };
        // A connection of its own for each call: one that was kept, and died meanwhile, would turn a send that never left
        // into one that nobody can tell the end of. It costs two round trips.
        let client = build(settings(&config.api_url, waits.answer).pool_max_idle_per_host(0))?;
        let mut files = settings(&config.api_url, FILE_WITHIN).read_timeout(PIECE_WITHIN);
        if !is_loopback(&config.api_url) {
            files = files.dns_resolver(PublicOnly);
        }
        Ok(Self {
            files: build(files)?,
            api: Api { client, root: config.api_url.clone(), token },
            account: config.account.clone(),
            token: config.token.clone(),
            secret: config.secret.clone(),
            mode: config.mode,
            subscribed_again_after: config.subscribed_again_after,
            waits,
            receiving: Receiving::default(),
            chats: Mutex::default(),
        })
    }

    /// Asks who we are: the bot's `@name`, for `doctor`.
    ///
    /// # Errors
    /// [`MaxError`].
    pub async fn check(&self) -> Result<String, MaxError> {
        let me = self.api.get(&["me"], &[], self.waits.answer).await?;
        let name =
            me["username"].as_str().map(|name| format!("@{name}")).or_else(|| update::words_of(&me["first_name"]));
        name.ok_or_else(|| MaxError::Refused("the answer names no bot; check max.api_url".to_owned()))
    }

    /// What was heard, its dialog remembered.
    fn heard(&self, read: Read) -> Inbound {
        self.remember(read.user, read.chat);
        read.inbound
    }

    fn remember(&self, user: i64, chat: Option<i64>) {
        let Some(chat) = chat else { return };
        let mut chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        if chats.len() >= MOST_CHATS {
            chats.clear();
        }
        chats.insert(user, chat);
    }

    /// Shows a sign in the customer's dialog, where its number is known.
    async fn show(&self, action: &str, to: &Address) {
        let user = to.external.parse::<i64>().ok();
        let chat = user.and_then(|user| self.chats.lock().unwrap_or_else(PoisonError::into_inner).get(&user).copied());
        let Some(chat) = chat else { return };
        let body = json!({ "action": action });
        let shown = self.api.post(&["chats", &chat.to_string(), "actions"], &[], &body, SIGN_WITHIN).await;
        if let Err(error) = shown {
            tracing::debug!(action, %error, "a sign was not shown");
        }
    }

    /// Tells MAX that a tap was noticed.
    async fn acknowledge(&self, callback: &str) {
        let (query, body) = ([("callback_id", callback)], json!({ "notification": NOTICED }));
        if let Err(error) = self.api.post(&["answers"], &query, &body, SIGN_WITHIN).await {
            tracing::debug!(%error, "a tap was not acknowledged");
        }
    }
}

#[async_trait]
impl Channel for Max {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Max
    }

    /// The configured name: neither the token nor a webhook's body tells which bot it is.
    fn account(&self) -> &str {
        &self.account
    }

    fn limits(&self) -> Limits {
        Limits { pace: Some(PACE), buttons: BUTTONS, ..Limits::text(TEXT_UNITS) }
    }

    /// May be called any number of times: what is as it should be is left so.
    async fn prepare(&self, public_url: &str) -> Result<(), PollError> {
        let prepared = match self.mode {
            MaxMode::Polling => self.unsubscribe_all().await,
            MaxMode::Webhook => self.subscribe(public_url).await,
        };
        prepared.map_err(|error| {
            let retry = if matches!(error, MaxError::UnknownToken) { Retry::Never } else { Retry::Later };
            PollError { why: error.to_string(), retry }
        })
    }

    /// MAX ends a subscription after eight hours in which nobody answered it.
    fn prepared_again_after(&self) -> Option<SignedDuration> {
        Some(self.subscribed_again_after)
    }

    /// Sends plain text, without a format: there is no markup that could break, and no link preview. What is not set is
    /// sent as null, since the schema demands that it is there.
    async fn send(&self, part: &Outbound) -> Result<Receipt, SendError> {
        let user = part.to.external.parse::<i64>().map_err(|_| SendError::Refused {
            why: "the address is not a user of max".to_owned(),
            unreachable: true,
        })?;
        let query = [("user_id", part.to.external.as_str()), ("disable_link_preview", "true")];
        let body = json!({ "text": part.text.as_str(), "attachments": keyboard(&part.buttons), "link": null });
        let sent = self.api.post(&["messages"], &query, &body, self.waits.answer).await.map_err(outcome::of_send)?;
        self.remember(user, integer(&sent["message"]["recipient"]["chat_id"]));
        Ok(Receipt { provider_id: update::words_of(&sent["message"]["body"]["mid"]) })
    }

    async fn show_typing(&self, to: &Address) {
        self.show("typing_on", to).await;
    }

    /// Asks for updates from `cursor` on. MAX forgets what stands before it, so it must be the stored position: a process
    /// that dies before it has stored what it read reads it again.
    async fn poll(&self, cursor: Option<&str>) -> Option<Result<Polled, PollError>> {
        match self.mode {
            MaxMode::Polling => Some(self.get_updates(cursor).await),
            MaxMode::Webhook => None,
        }
    }

    async fn stored(&self, update: &Inbound) {
        match &update.event {
            InboundEvent::Pressed(press) => {
                if let Some(callback) = &press.acknowledge {
                    self.acknowledge(callback).await;
                }
            }
            InboundEvent::Message(_) | InboundEvent::Unsupported(_) | InboundEvent::Contact(_) => {
                self.show("mark_seen", &update.from).await;
            }
            _ => {}
        }
    }

    async fn fetch(&self, attachment: &Attachment) -> Result<ByteStream, FetchError> {
        let address = match attachment.remote.strip_prefix(fetch::FILM) {
            None => attachment.remote.clone(),
            Some(token) => {
                let told = self.api.get(&["videos", token], &[], self.waits.answer).await;
                fetch::address_of_film(&told.map_err(|error| outcome::of_fetch(&error))?)?
            }
        };
        fetch::open(&self.files, &address, is_loopback(&self.api.root)).await
    }

    /// One update of a webhook. A malformed one should be answered with success all the same: MAX would send it again for
    /// hours, and then no more of anything.
    fn decode(&self, headers: &HashMap<String, String>, body: &[u8]) -> Result<Vec<Inbound>, DecodeError> {
        let secret = self.secret.expose_secret().as_bytes();
        let given = headers.get(SECRET_HEADER).map_or(&[][..], String::as_bytes);
        if secret.is_empty() || !bool::from(secret.ct_eq(given)) {
            return Err(DecodeError::Forged);
        }
        let update: Value = serde_json::from_slice(body).map_err(|error| {
            DecodeError::Malformed(format!("not JSON at line {}, column {}", error.line(), error.column()))
        })?;
        let read = update::read(&self.account, &self.token, &update);
        let read = read.map_err(|fault| DecodeError::Malformed(fault.to_string()))?;
        Ok(read.map(|read| self.heard(read)).into_iter().collect())
    }
}

/// Null where there is nothing.
fn keyboard(buttons: &[Button]) -> Value {
    if buttons.is_empty() {
        return Value::Null;
    }
    let button = |button: &Button| json!({ "type": "callback", "text": button.title, "payload": button.payload });
    let rows: Vec<Vec<Value>> = rows(buttons).map(|row| row.iter().map(button).collect()).collect();
    json!([{ "type": "inline_keyboard", "payload": { "buttons": rows } }])
}

/// The token as a header. A blank in it is a "Bearer" or a mistake.
fn header_of(token: &str) -> Option<HeaderValue> {
    let is_token = !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
    let mut header = HeaderValue::from_str(token).ok().filter(|_| is_token)?;
    header.set_sensitive(true);
    Some(header)
}

/// The certificates in `file`; none where none is named.
fn certificates(file: &Path) -> Result<Vec<Certificate>, MaxError> {
    if file.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let fault = |words: String| MaxError::Setting(format!("max.ca_file: {}: {words}", file.display()));
    let pem = std::fs::read(file).map_err(|error| fault(format!("can't be read: {error}")))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(fault("holds no certificate in PEM".to_owned())),
    }
}
