//! How updates come: subscriptions for those that are posted, long polls for those that we ask for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::update::{self, integer};
use super::{Max, MaxError, outcome};
use crate::domain::channel::{ChannelKind, Cursor};
use crate::ports::Retry;
use crate::ports::channel::{PollError, Polled};

/// The kinds of updates asked for.
const UPDATES: [&str; 7] = [
    "message_created",
    "message_callback",
    "message_edited",
    "message_removed",
    "bot_started",
    "bot_stopped",
    "dialog_removed",
];

/// The shortest time between two polls: MAX allows two a second.
const BETWEEN_POLLS: Duration = Duration::from_millis(500);

/// What is known of how updates come.
#[derive(Default)]
pub(super) struct Receiving {
    /// This process has subscribed: the secret at MAX is ours. A list of subscriptions does not show it.
    has_subscribed: AtomicBool,
    /// Before which no poll may begin.
    next_poll: Mutex<Option<Instant>>,
}

impl Max {
    /// Has MAX post updates to us, where it does not yet. Subscriptions add up, so what this Firstline had under another
    /// account name is ended; those of others, and of other hosts, are left alone.
    ///
    /// # Errors
    /// [`MaxError`]; also where there is no secret.
    pub(super) async fn subscribe(&self, public_url: &str) -> Result<(), MaxError> {
        let secret = self.secret.expose_secret();
        if secret.is_empty() {
            return Err(MaxError::Setting("max.secret: a webhook needs one".to_owned()));
        }
        let ours = Url::parse(&format!("{public_url}/max/{}", self.account))
            .map_err(|_| MaxError::Setting("server.public_url is no address".to_owned()))?;
        let all = self.subscriptions().await?;
        let is_there = all.iter().any(|one| one.url == ours.as_str() && one.brings_all());
        if !is_there || !self.receiving.has_subscribed.load(Ordering::Relaxed) {
            let body = json!({ "url": ours.as_str(), "secret": secret, "update_types": UPDATES });
            self.api.post(&["subscriptions"], &[], &body, self.waits.answer).await?;
            if self.receiving.has_subscribed.swap(true, Ordering::Relaxed) {
                tracing::warn!("max had stopped to post updates here, and was told to go on");
            }
        }
        for stale in all.iter().filter(|one| one.url != ours.as_str() && one.is_firstlines_at(Some(&ours))) {
            self.unsubscribe(stale).await?;
        }
        Ok(())
    }

    /// Ends what Firstline has subscribed to, so that updates can be polled: while anything is subscribed, polls bring
    /// nothing.
    ///
    /// # Errors
    /// [`MaxError`]; also where MAX posts to something else, which is not ours to end.
    pub(super) async fn unsubscribe_all(&self) -> Result<(), MaxError> {
        let (ours, others): (Vec<_>, Vec<_>) =
            self.subscriptions().await?.into_iter().partition(|one| one.is_firstlines_at(None));
        for one in &ours {
            self.unsubscribe(one).await?;
        }
        match others.first() {
            None => Ok(()),
            Some(other) => Err(MaxError::Setting(format!(
                "max posts this bot's updates to {}: end that (DELETE /subscriptions), or set max.mode to \"webhook\"",
                Url::parse(&other.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
            ))),
        }
    }

    async fn subscriptions(&self) -> Result<Vec<Subscription>, MaxError> {
        let told = self.api.get(&["subscriptions"], &[], self.waits.answer).await?;
        let Some(list) = told["subscriptions"].as_array() else {
            return Err(MaxError::Refused("the answer is not a list of subscriptions; check max.api_url".to_owned()));
        };
        Ok(list.iter().filter_map(Subscription::read).collect())
    }

    async fn unsubscribe(&self, one: &Subscription) -> Result<(), MaxError> {
        self.api.delete(&["subscriptions"], &[("url", &one.url)], self.waits.answer).await?;
        Ok(())
    }

    /// Asks for updates behind `cursor`, which commits everything before it.
    pub(super) async fn get_updates(&self, cursor: Option<&str>) -> Result<Polled, PollError> {
        self.receiving.keep_pace().await;
        let news = self.waits.news.as_secs();
        let (timeout, types) = (news.to_string(), UPDATES.join(","));
        let mut query = vec![("limit", "100"), ("timeout", &timeout), ("types", &types)];
        // Without a marker MAX begins behind what was committed last: what we have is known by its key.
        match cursor.map(|position| (position, position.parse::<i64>())) {
            Some((position, Ok(_))) => query.push(("marker", position)),
            Some((_, Err(_))) => {
                tracing::warn!("the stored position at max is not a number; reading all that waits there");
            }
            None => {}
        }
        let within = Duration::from_secs(news) + self.waits.answer;
        let answer = self.api.get(&["updates"], &query, within).await.map_err(|error| outcome::of_poll(&error))?;
        let Some(updates) = answer["updates"].as_array() else {
            return Err(PollError {
                why: "the answer is not a list of updates; check max.api_url".to_owned(),
                retry: Retry::Later,
            });
        };
        Ok(self.read_all(updates, &answer["marker"]))
    }

    /// Reads a batch. The marker goes past everything in it, understood or not. A batch without one comes again, and is
    /// known again.
    fn read_all(&self, updates: &[Value], marker: &Value) -> Polled {
        let mut polled = Polled { updates: Vec::new(), cursor: None, malformed: 0 };
        for value in updates {
            match update::read(&self.account, &self.token, value) {
                Ok(read) => polled.updates.extend(read.map(|read| self.heard(read))),
                Err(fault) => {
                    tracing::warn!(%fault, "an update of max can't be read");
                    polled.malformed += 1;
                }
            }
        }
        polled.cursor = integer(marker).map(|marker| Cursor {
            channel: ChannelKind::Max,
            account: self.account.clone(),
            position: marker.to_string(),
        });
        polled
    }
}

impl Receiving {
    async fn keep_pace(&self) {
        let mut next = self.next_poll.lock().await;
        if let Some(next) = *next {
            sleep_until(next).await;
        }
        *next = Some(Instant::now() + BETWEEN_POLLS);
    }
}

/// Where MAX posts updates.
struct Subscription {
    url: String,
    kinds: Vec<String>,
}

impl Subscription {
    fn read(value: &Value) -> Option<Self> {
        let kinds = value["update_types"].as_array().into_iter().flatten();
        let kinds = kinds.filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
        Some(Self { url: value["url"].as_str()?.to_owned(), kinds })
    }

    /// Without a list, every kind is posted.
    fn brings_all(&self) -> bool {
        self.kinds.is_empty() || UPDATES.iter().all(|kind| self.kinds.iter().any(|brought| brought == kind))
    }

    /// A Firstline made it, by its path; at the host and port of `at`, where that is given.
    fn is_firstlines_at(&self, at: Option<&Url>) -> bool {
        let place = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
        let Ok(url) = Url::parse(&self.url) else { return false };
        let mut path = url.path().rsplit('/').skip(1);
        path.next() == Some("max") && at.is_none_or(|at| place(at) == place(&url))
    }
}
