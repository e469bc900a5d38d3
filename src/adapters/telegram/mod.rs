//! Telegram's Bot API: polling or webhook in, plain text out, in the bot's own name or in that of a business account.
//!
//! Of teloxide this uses the client, the payloads and the names of things. Not its dispatcher, which forgets updates in a
//! crash; not its types for updates, which are older than what Telegram sends; and not its way to send a request, which
//! hides the HTTP status and sleeps ten seconds over every 5xx.

mod business;
mod call;
mod chat;
mod content;
mod fetch;
mod outcome;
mod update;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq;
use teloxide::Bot;
use teloxide::payloads::{
    AnswerCallbackQuery, DeleteWebhook, EditMessageReplyMarkup, GetMe, GetUpdates, GetUpdatesSetters, SendChatAction,
    SendMessage, SendMessageSetters, SetWebhook, SetWebhookSetters,
};
use teloxide::types::{
    AllowedUpdate, BusinessConnectionId, CallbackQueryId, ChatAction, ChatId, InlineKeyboardButton,
    InlineKeyboardMarkup, LinkPreviewOptions, MessageId, ReplyMarkup,
};
use url::Url;

pub use super::call::Waits;

use self::business::Connections;
use self::call::call;
use self::chat::Chat;
use self::update::{Read, Tap};
use crate::config::{self, TelegramMode};
use crate::domain::channel::{Address, Attachment, Button, ChannelKind, Cursor, Inbound, InboundEvent};
use crate::domain::keyboard::rows;
use crate::domain::outbox::Outbound;
use crate::ports::Retry;
use crate::ports::channel::{
    ByteStream, Channel, DecodeError, FetchError, Limits, Pace, PollError, Polled, Receipt, SendError,
};

/// Longest text of one message, in UTF-16 units.
const TEXT_UNITS: usize = 4096;

/// Buttons of one message: more than anybody reads.
const BUTTONS: usize = 30;

/// About what the FAQ of bots asks for: thirty messages a second, and one a second to a chat, where short bursts are let
/// through. Whoever is faster gets a 429.
const PACE: Pace = Pace {
    account_per_second: NonZeroU32::new(30).expect("it is not zero"),
    between: SignedDuration::from_secs(1),
    burst: NonZeroU32::new(3).expect("it is not zero"),
};

/// The header in which Telegram repeats the secret that the webhook was set with.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// For how long after a customer's newest message the bot may answer in somebody's name.
const BUSINESS_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// How long a sign ("typing", a tap that was noticed) may take.
const SIGN_WITHIN: Duration = Duration::from_secs(5);

/// The kinds of updates asked for. A setting that is changed at Telegram holds only for updates to come.
const UPDATES: [AllowedUpdate; 8] = [
    AllowedUpdate::Message,
    AllowedUpdate::EditedMessage,
    AllowedUpdate::MyChatMember,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::BusinessConnection,
    AllowedUpdate::BusinessMessage,
    AllowedUpdate::EditedBusinessMessage,
    AllowedUpdate::DeletedBusinessMessages,
];

/// Connections of a webhook at a time. Telegram keeps the order within a chat; few connections are plenty, since an update
/// is answered as soon as it is stored.
const WEBHOOK_CONNECTIONS: u8 = 8;

/// Why Telegram could not be set up or asked; each message says what mends it.
#[derive(Debug, thiserror::Error)]
pub enum TelegramError {
    /// A setting can't be used.
    #[error("{0}")]
    Setting(&'static str),
    /// Telegram, or what stands in front of it, is not there.
    #[error("telegram can't be reached: {0}; check the network, the proxy (HTTPS_PROXY) and telegram.api_url")]
    Unreachable(String),
    /// The bot is not known to Telegram.
    #[error("telegram does not know this token; copy it from @BotFather to telegram.token")]
    UnknownToken,
    /// Telegram said no, in its own words.
    #[error("telegram refused: {0}")]
    Refused(String),
}

/// One bot on Telegram.
pub struct Telegram {
    bot: Bot,
    account: String,
    secret: SecretString,
    mode: TelegramMode,
    waits: Waits,
    connections: Connections,
}

impl Telegram {
    /// Takes the settings; nothing is sent yet. `config.secret` is what webhooks are verified with: while it is empty,
    /// every webhook counts as forged.
    ///
    /// # Errors
    /// [`TelegramError::Setting`].
    pub fn new(config: &config::Telegram, waits: Waits) -> Result<Self, TelegramError> {
        let token = config.token.expose_secret();
        let account = account_of(token).ok_or(TelegramError::Setting(
            "telegram.token: must look like 123456789:AAE…; copy it from @BotFather as it is",
        ))?;
        if config.api_url.cannot_be_a_base() {
            return Err(TelegramError::Setting("telegram.api_url: must look like https://api.telegram.org"));
        }
        let mut client = teloxide::net::default_reqwest_settings()
            .connect_timeout(Duration::from_secs(10))
            // A connection of its own for each call: one that was kept, and died meanwhile, would turn a send that never
            // left into one that nobody can tell the end of. It costs two round trips.
            .pool_max_idle_per_host(0)
            .tcp_keepalive(Duration::from_secs(15));
        if config::is_loopback(&config.api_url) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|_| TelegramError::Setting("the HTTP client can't be built"))?;
        Ok(Self {
            account: account.to_owned(),
            bot: Bot::with_client(token, client).set_api_url(config.api_url.clone()),
            secret: config.secret.clone(),
            mode: config.mode,
            waits,
            connections: Connections::default(),
        })
    }

    /// Asks who we are: the bot's `@name`, for `doctor`.
    ///
    /// # Errors
    /// [`TelegramError`].
    pub async fn check(&self) -> Result<String, TelegramError> {
        let me = call(&self.bot, &GetMe::new(), self.waits.answer).await?;
        let name = me["username"].as_str().map(|name| format!("@{name}"));
        Ok(name.unwrap_or_else(|| self.account.clone()))
    }

    /// Has Telegram post updates to `address`, with the secret of the settings; polling is refused from then on.
    ///
    /// # Errors
    /// [`TelegramError`]; also where there is no secret.
    pub async fn set_webhook(&self, address: &Url) -> Result<(), TelegramError> {
        let secret = self.secret.expose_secret();
        if secret.is_empty() {
            return Err(TelegramError::Setting("telegram.secret: a webhook needs one"));
        }
        let webhook = SetWebhook::new(address.clone())
            .secret_token(secret)
            .max_connections(WEBHOOK_CONNECTIONS)
            .allowed_updates(UPDATES);
        call(&self.bot, &webhook, self.waits.answer).await?;
        Ok(())
    }

    /// Ends the webhook, so that updates can be polled; those that wait stay. To be called before the first poll: while a
    /// webhook is set, Telegram answers polls with a conflict.
    ///
    /// # Errors
    /// [`TelegramError`].
    pub async fn delete_webhook(&self) -> Result<(), TelegramError> {
        call(&self.bot, &DeleteWebhook::new(), self.waits.answer).await?;
        Ok(())
    }

    async fn get_updates(&self, cursor: Option<&str>) -> Result<Polled, PollError> {
        let news = self.waits.news.as_secs();
        let mut request =
            GetUpdates::new().timeout(u32::try_from(news).unwrap_or(u32::MAX)).allowed_updates(UPDATES).limit(100);
        // Without an offset Telegram begins with the oldest update that nobody confirmed: what we have is known by its id.
        request.offset = cursor.and_then(|position| position.parse().ok());
        if request.offset.is_none() && cursor.is_some() {
            tracing::warn!("the stored position at telegram is not a number; reading all that waits there");
        }
        let answer = call(&self.bot, &request, Duration::from_secs(news) + self.waits.answer).await;
        let Value::Array(updates) = answer.map_err(|error| outcome::of_poll(&error))? else {
            return Err(PollError {
                why: "the answer is not a list of updates; check telegram.api_url".to_owned(),
                retry: Retry::Later,
            });
        };
        self.read_all(&updates)
    }

    /// What is the loop's to hear; the rest is ours.
    fn heard(&self, read: Read) -> Option<Inbound> {
        match read {
            Read::Inbound(inbound) => Some(inbound),
            Read::Connection(connection) => {
                tracing::info!(may_reply = connection.may_reply, "a business connection of telegram has changed");
                self.connections.hear(connection);
                None
            }
        }
    }

    /// Tells Telegram that a tap was noticed, and takes the buttons away: the choice is made.
    async fn acknowledge(&self, chat: Option<Chat>, tap: Tap) {
        let noticed = AnswerCallbackQuery::new(CallbackQueryId(tap.query));
        if let Err(error) = call(&self.bot, &noticed, SIGN_WITHIN).await {
            tracing::debug!(%error, "a tap was not acknowledged");
        }
        let message = tap.message.and_then(|message| message.try_into().ok());
        if let (Some(chat), Some(message)) = (chat, message) {
            let mut bare = EditMessageReplyMarkup::new(ChatId(chat.id), MessageId(message));
            bare.business_connection_id = chat.connection.map(BusinessConnectionId);
            if let Err(error) = call(&self.bot, &bare, SIGN_WITHIN).await {
                tracing::debug!(%error, "the buttons of a message were not taken away");
            }
        }
    }

    /// Reads a batch. The cursor goes past everything that has an id, understood or not.
    fn read_all(&self, updates: &[Value]) -> Result<Polled, PollError> {
        let mut polled = Polled { updates: Vec::new(), cursor: None, malformed: 0 };
        // Not compared to the cursor of before: after a week of silence Telegram begins anew, with a random number.
        let last = updates.iter().filter_map(update::id).max();
        for value in updates {
            match update::read(&self.account, value) {
                Ok(read) => polled.updates.extend(read.and_then(|read| self.heard(read))),
                Err(fault) => {
                    tracing::warn!(update.id = update::id(value), %fault, "an update of telegram can't be read");
                    polled.malformed += 1;
                }
            }
        }
        if last.is_none() && !updates.is_empty() {
            // The next poll would bring the same at once, again and again.
            return Err(PollError {
                why: "the updates have no ids; check telegram.api_url".to_owned(),
                retry: Retry::Later,
            });
        }
        polled.cursor = last.map(|last| Cursor {
            channel: ChannelKind::Telegram,
            account: self.account.clone(),
            position: last.saturating_add(1).to_string(),
        });
        Ok(polled)
    }
}

#[async_trait]
impl Channel for Telegram {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Telegram
    }

    /// The bot's id, which is the token up to the colon: a new token of the same bot is the same account.
    fn account(&self) -> &str {
        &self.account
    }

    fn limits(&self) -> Limits {
        Limits { pace: Some(PACE), buttons: BUTTONS, ..Limits::text(TEXT_UNITS) }
    }

    async fn prepare(&self, public_url: &str) -> Result<(), PollError> {
        let failed = |error: TelegramError| PollError { why: error.to_string(), retry: Retry::Later };
        match self.mode {
            TelegramMode::Polling => self.delete_webhook().await.map_err(failed),
            TelegramMode::Webhook => {
                let address = format!("{public_url}/telegram/{}", self.account);
                let address = address.parse().map_err(|_| PollError {
                    why: "server.public_url is no address".to_owned(),
                    retry: Retry::Never,
                })?;
                self.set_webhook(&address).await.map_err(failed)
            }
        }
    }

    /// In somebody's name the bot may write for a day after the customer; in its own, always.
    fn window(&self, to: &Address) -> Option<SignedDuration> {
        Chat::of(to).and_then(|chat| chat.connection).map(|_| BUSINESS_WINDOW)
    }

    /// Sends plain text, without a parse mode: there is no markup that could break, and no link preview.
    async fn send(&self, part: &Outbound) -> Result<Receipt, SendError> {
        let chat = Chat::of(&part.to).ok_or_else(|| SendError::Refused {
            why: "the address is not a telegram chat id".to_owned(),
            unreachable: true,
        })?;
        if let Some(connection) = &chat.connection {
            self.connections.open(&self.bot, connection, self.waits.answer).await?;
        }
        let no_preview = LinkPreviewOptions {
            is_disabled: true,
            url: None,
            prefer_small_media: false,
            prefer_large_media: false,
            show_above_text: false,
        };
        let mut message = SendMessage::new(ChatId(chat.id), part.text.as_str()).link_preview_options(no_preview);
        message.business_connection_id = chat.connection.clone().map(BusinessConnectionId);
        message.reply_markup = keyboard(&part.buttons);
        let sent = call(&self.bot, &message, self.waits.answer).await.map_err(outcome::of_send);
        if let (Err(SendError::Refused { .. }), Some(connection)) = (&sent, &chat.connection) {
            self.connections.doubt(connection);
        }
        Ok(Receipt { provider_id: sent?["message_id"].as_i64().map(|id| id.to_string()) })
    }

    /// Telegram shows it for five seconds, or until the next message.
    async fn show_typing(&self, to: &Address) {
        let Some(chat) = Chat::of(to) else { return };
        let mut typing = SendChatAction::new(ChatId(chat.id), ChatAction::Typing);
        typing.business_connection_id = chat.connection.map(BusinessConnectionId);
        if let Err(error) = call(&self.bot, &typing, SIGN_WITHIN).await {
            tracing::debug!(%error, "typing was not shown");
        }
    }

    async fn stored(&self, update: &Inbound) {
        if let InboundEvent::Pressed(press) = &update.event
            && let Some(key) = &press.acknowledge
        {
            self.acknowledge(Chat::of(&update.from), Tap::read(key)).await;
        }
    }

    async fn fetch(&self, attachment: &Attachment) -> Result<ByteStream, FetchError> {
        fetch::open(&self.bot, attachment, self.waits.answer).await
    }

    /// Asks for updates from `cursor` on. Telegram forgets what stands before it, so it must be the stored position: a
    /// process that dies before it has stored what it read reads it again.
    async fn poll(&self, cursor: Option<&str>) -> Option<Result<Polled, PollError>> {
        match self.mode {
            TelegramMode::Polling => Some(self.get_updates(cursor).await),
            TelegramMode::Webhook => None,
        }
    }

    /// One update of a webhook. A malformed one should be answered with success all the same: Telegram would send it again
    /// and again, and hold back the others.
    fn decode(&self, headers: &HashMap<String, String>, body: &[u8]) -> Result<Vec<Inbound>, DecodeError> {
        let secret = self.secret.expose_secret().as_bytes();
        let given = headers.get(SECRET_HEADER).map_or(&[][..], String::as_bytes);
        if secret.is_empty() || !bool::from(secret.ct_eq(given)) {
            return Err(DecodeError::Forged);
        }
        let update: Value = serde_json::from_slice(body).map_err(|error| {
            DecodeError::Malformed(format!("not JSON at line {}, column {}", error.line(), error.column()))
        })?;
        let read = update::read(&self.account, &update).map_err(|fault| DecodeError::Malformed(fault.to_string()))?;
        Ok(read.and_then(|read| self.heard(read)).into_iter().collect())
    }
}

fn keyboard(buttons: &[Button]) -> Option<ReplyMarkup> {
    let button = |button: &Button| InlineKeyboardButton::callback(&button.title, &button.payload);
    let rows = rows(buttons).map(|row| row.iter().map(button).collect::<Vec<_>>());
    (!buttons.is_empty()).then(|| InlineKeyboardMarkup::new(rows).into())
}

/// The bot's id in its token.
fn account_of(token: &str) -> Option<&str> {
    let (id, key) = token.split_once(':')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    (is_key && !id.is_empty() && id.chars().all(|c| c.is_ascii_digit())).then_some(id)
}
