//! WhatsApp's Cloud API: signed webhooks in, plain text out.
//!
//! A client of our own: few calls are needed, and the crates that there are know less than Meta sends today. WhatsApp can't be
//! told to show text as it is: `*word*` becomes bold, and no word is lost. Templates are not sent, so nobody is written to
//! whose window has closed.

mod call;
mod message;
mod newest;
mod outcome;
mod person;
mod send;
mod update;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use url::Url;

use self::call::{CallError, Graph};
use self::newest::Newest;
use crate::adapters::http_client::innermost;
use crate::config;
use crate::domain::channel::{Address, Attachment, ChannelKind, Inbound};
use crate::domain::outbox::Outbound;
use crate::domain::text::hex;
use crate::ports::channel::{ByteStream, Channel, DecodeError, FetchError, Limits, Pace, Receipt, SendError};

/// The header with the signature: `sha256=` and the HMAC of the body as it came, in hexadecimal.
const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// What WhatsApp carries.
const LIMITS: Limits = Limits {
    // Meta says "characters", and not which: no text has more of any kind than of UTF-16 units.
    text_units: 4096,
    // Nothing on a send tells two of the same apart.
    idempotent: false,
    window: Some(SignedDuration::from_hours(24)),
    // Three as buttons, more as a list.
    buttons: 10,
    buttoned_units: 1024,
    pace: Some(Pace {
        // 80 in and out together, but 20 for a number that is on a phone as well: we can't tell which one is ours, and
        // no support writes faster.
        account_per_second: NonZeroU32::new(20).expect("more than none"),
        // What is sent to one customer faster than once in six seconds is owed back. A burst of 45 is said to pass; ten are
        // more than a person reads, and leave room for what else is sent from the number.
        between: SignedDuration::from_secs(6),
        burst: NonZeroU32::new(10).expect("more than none"),
    }),
};

/// How long we wait for Meta.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// For the answer to a call.
    pub answer: Duration,
    /// For all of a file: its address lives for five minutes.
    pub file: Duration,
    /// For typing to be shown.
    pub typing: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { answer: Duration::from_secs(15), file: Duration::from_mins(5), typing: Duration::from_secs(5) }
    }
}

/// Why WhatsApp could not be set up or asked; each message says what mends it.
#[derive(Debug, thiserror::Error)]
pub enum WhatsAppError {
    /// A setting can't be used.
    #[error("{0}")]
    Setting(&'static str),
    /// Meta, or what stands in front of it, is not there.
    #[error("whatsapp can't be reached: {0}; check the network, the proxy (HTTPS_PROXY) and whatsapp.api_url")]
    Unreachable(String),
    /// Meta said no: the code, and what it means.
    #[error("whatsapp refused: {0}")]
    Refused(String),
}

/// One number on WhatsApp.
pub struct WhatsApp {
    graph: Graph,
    account: String,
    app_secret: SecretString,
    verify_token: SecretString,
    newest: Newest,
    waits: Waits,
}

impl WhatsApp {
    /// Takes the settings; nothing is sent yet. While `config.app_secret` is empty, every webhook counts as forged.
    ///
    /// # Errors
    /// [`WhatsAppError::Setting`].
    pub fn new(config: &config::WhatsApp, waits: Waits) -> Result<Self, WhatsAppError> {
        Ok(Self {
            graph: Graph::new(&config.api_url, &config.token, waits.answer)?,
            account: config.phone_number_id.clone(),
            app_secret: config.app_secret.clone(),
            verify_token: config.verify_token.clone(),
            newest: Newest::default(),
            waits,
        })
    }

    /// Asks who we are: the number and the name that customers see, for `doctor`.
    ///
    /// # Errors
    /// [`WhatsAppError`].
    pub async fn check(&self) -> Result<String, WhatsAppError> {
        let number = self.graph.get(&self.account, &[("fields", "display_phone_number,verified_name")]).await?;
        let number = ["display_phone_number", "verified_name"].map(|key| number[key].as_str().unwrap_or_default());
        Ok(number.join(" ").trim().to_owned()).map(|told| if told.is_empty() { self.account.clone() } else { told })
    }

    /// The signature is Meta's, compared in constant time.
    fn is_signed(&self, headers: &HashMap<String, String>, body: &[u8]) -> bool {
        let secret = self.app_secret.expose_secret();
        let given = headers.get(SIGNATURE_HEADER).and_then(|given| given.strip_prefix("sha256=")).unwrap_or_default();
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
        let expected = hex(&mac.chain_update(body).finalize().into_bytes());
        !secret.is_empty() && bool::from(expected.as_bytes().ct_eq(given.to_ascii_lowercase().as_bytes()))
    }

    /// Where a file lies for the next five minutes.
    async fn address_of(&self, media: &str) -> Result<Url, FetchError> {
        let found = self.graph.get(media, &[("phone_number_id", &self.account)]).await;
        let found = found.map_err(|error| outcome::of_fetch(&error))?;
        let address = found["url"].as_str().and_then(|address| address.parse().ok());
        address.ok_or_else(|| FetchError::NotNow { why: "meta tells no address of the file".to_owned() })
    }
}

#[async_trait]
impl Channel for WhatsApp {
    fn kind(&self) -> ChannelKind {
        ChannelKind::WhatsApp
    }

    /// Meta's id of our phone number, which a new token or app does not change.
    fn account(&self) -> &str {
        &self.account
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    /// Sends text without a preview of links. The dedupe key comes back in statuses: by it a send is found of which no
    /// answer came.
    async fn send(&self, part: &Outbound) -> Result<Receipt, SendError> {
        let Some(field) = person::field_of(&part.to.external) else {
            let why = "the address is neither a phone nor an id of WhatsApp".to_owned();
            return Err(SendError::Refused { why, unreachable: true });
        };
        let (kind, content) = send::content(part);
        let body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            field: part.to.external,
            "type": kind,
            kind: content,
            "biz_opaque_callback_data": part.dedupe_key,
        });
        let answer = self.graph.post(&self.account, "messages", &body).await;
        let answer = answer.map_err(|error| outcome::of_send(error, part.attempts))?;
        match answer.pointer("/messages/0/id").and_then(Value::as_str) {
            Some(id) => Ok(Receipt { provider_id: Some(id.to_owned()) }),
            None => Err(SendError::Unknown { why: "the answer names no message".to_owned() }),
        }
    }

    /// Shows typing for 25 seconds or until the answer, and the customer's newest message as read: WhatsApp has no one
    /// without the other. So a message turns blue when an answer to it is begun, not before.
    async fn show_typing(&self, to: &Address) {
        let Some(message) = self.newest.of(&to.external) else { return };
        let body = json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message,
            "typing_indicator": { "type": "text" },
        });
        match tokio::time::timeout(self.waits.typing, self.graph.post(&self.account, "messages", &body)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "typing was not shown"),
            Err(_) => tracing::debug!("typing was not shown in time"),
        }
    }

    /// Answers Meta's question with its challenge, where it bears the token that was typed in on both sides.
    fn handshake(&self, parameters: &HashMap<String, String>) -> Option<String> {
        let expected = self.verify_token.expose_secret().as_bytes();
        let given = parameters.get("hub.verify_token").map_or(&[][..], String::as_bytes);
        let is_ours = !expected.is_empty() && bool::from(expected.ct_eq(given));
        let asks = parameters.get("hub.mode").is_some_and(|mode| mode == "subscribe");
        if is_ours && asks { parameters.get("hub.challenge").cloned() } else { None }
    }

    /// Remembers the message, so that typing can be shown as an answer to it.
    async fn stored(&self, update: &Inbound) {
        if let Some(message) = &update.message_id
            && update.event.transcript_text().is_some()
        {
            self.newest.put(&update.from.external, message);
        }
    }

    async fn fetch(&self, attachment: &Attachment) -> Result<ByteStream, FetchError> {
        let address = self.address_of(&attachment.remote).await?;
        let response = self.graph.open(&address, self.waits.file).await.map_err(|error| outcome::of_fetch(&error))?;
        Ok(Box::pin(stream::try_unfold(response, |mut response| async move {
            let chunk = response.chunk().await;
            let chunk = chunk.map_err(|error| outcome::of_fetch(&CallError::NoAnswer(innermost(&error))))?;
            Ok(chunk.map(|chunk| (chunk, response)))
        })))
    }

    /// What a webhook holds of our number. A malformed body should be answered with success all the same: Meta would send it
    /// again for seven days.
    fn decode(&self, headers: &HashMap<String, String>, body: &[u8]) -> Result<Vec<Inbound>, DecodeError> {
        if !self.is_signed(headers, body) {
            return Err(DecodeError::Forged);
        }
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            DecodeError::Malformed(format!("not JSON at line {}, column {}", error.line(), error.column()))
        })?;
        let read = update::read(&self.account, &body)
            .ok_or_else(|| DecodeError::Malformed("it holds no list of entries".to_owned()))?;
        if read.others > 0 {
            tracing::warn!(changes = read.others, "what came for other numbers of whatsapp was left out");
        }
        for code in read.faults {
            tracing::warn!(code, why = outcome::of_status(code).0, "whatsapp tells of a fault");
        }
        match (read.updates.is_empty(), read.unread) {
            (_, 0) => {}
            (true, unread) => return Err(DecodeError::Malformed(format!("none of {unread} things in it can be read"))),
            (false, unread) => tracing::warn!(unread, "a part of a webhook of whatsapp can't be read"),
        }
        Ok(read.updates)
    }
}
