//! The other end of the web chat's API, for the terminal: one session with a running Firstline on this machine.

use std::time::Duration;

use eventsource_stream::Eventsource;
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::http_client;

/// How long a request may take.
const WITHIN: Duration = Duration::from_secs(10);

/// How long one stream of events is read before it is opened anew.
const STREAM_FOR: Duration = Duration::from_hours(6);

/// A session of the terminal client.
pub struct TerminalClient {
    base: Url,
    token: String,
    calls: reqwest::Client,
    streams: reqwest::Client,
}

/// What the server says of a session.
#[derive(Debug, Deserialize)]
struct Session {
    visitor_token: String,
    position: i64,
    messages: Vec<Line>,
}

/// A message as the customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// Where it stands in the feed.
    pub position: i64,
    /// `customer`, `bot` or `operator`.
    pub author: String,
    /// The operator's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The words.
    pub text: String,
    /// What they stand on.
    #[serde(default)]
    pub sources: Vec<LineSource>,
}

/// What a session tells as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message became visible.
    Line(Line),
    /// Who has the conversation: `bot`, `queued`, `human` or `resolved`.
    Status(String),
}

/// Who has the conversation, on the wire.
#[derive(Deserialize)]
struct Status {
    who: String,
}

/// A source of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LineSource {
    /// What to show.
    pub title: String,
}

/// Why the terminal can't talk.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Nobody listens.
    #[error("no Firstline answers at {0}: start one with `firstline` in another terminal")]
    NotRunning(Url),
    /// It answers something else than it should.
    #[error("the Firstline at {place} refused: {why}")]
    Refused {
        /// Where.
        place: Url,
        /// What it said.
        why: String,
    },
}

impl TerminalClient {
    /// Begins a session as the customer `name`; returns what was said so far and the position in the feed.
    ///
    /// # Errors
    /// [`TerminalError`].
    pub async fn connect(base: Url, name: &str) -> Result<(Self, Vec<Line>, i64), TerminalError> {
        let client = |within| {
            http_client(&base, within)
                .map_err(|error| TerminalError::Refused { place: base.clone(), why: error.to_string() })
        };
        let (calls, streams) = (client(WITHIN)?, client(STREAM_FOR)?);
        let mut terminal = Self { base, token: String::new(), calls, streams };
        let session: Session = terminal.post("widget/v1/session", &json!({ "terminal": name })).await?;
        terminal.token = session.visitor_token;
        Ok((terminal, session.messages, session.position))
    }

    /// Says something.
    ///
    /// # Errors
    /// [`TerminalError`].
    pub async fn say(&self, text: &str) -> Result<(), TerminalError> {
        // The id is ours for one attempt only: a person who sees an error types again.
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{:?}{text}", std::time::Instant::now()).as_bytes());
        let body = json!({ "client_msg_id": id, "text": text });
        let _: serde_json::Value = self.post("widget/v1/messages", &body).await?;
        Ok(())
    }

    /// Messages as they become visible after `position`, and who has the conversation; ends when the connection does.
    ///
    /// # Errors
    /// [`TerminalError`].
    pub async fn lines(&self, position: i64) -> Result<impl Stream<Item = Heard> + Send + use<>, TerminalError> {
        let mut url = self.url("widget/v1/events");
        url.query_pairs_mut().append_pair("after", &position.to_string());
        let answer = self.streams.get(url).bearer_auth(&self.token).send().await;
        let answer = self.checked(answer).await?;
        let chunks = stream::unfold(answer, |mut answer| async move {
            let chunk = answer.chunk().await.transpose()?;
            Some((chunk, answer))
        });
        Ok(chunks.eventsource().filter_map(|event| async move {
            let event = event.ok()?;
            match event.event.as_str() {
                "message" => serde_json::from_str(&event.data).ok().map(Heard::Line),
                "status" => serde_json::from_str(&event.data).ok().map(|status: Status| Heard::Status(status.who)),
                _ => None,
            }
        }))
    }

    async fn post<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, TerminalError> {
        let request = self.calls.post(self.url(path)).bearer_auth(&self.token).json(body);
        let answer = self.checked(request.send().await).await?;
        answer.json().await.map_err(|error| self.refused(error.to_string()))
    }

    async fn checked(
        &self,
        answer: Result<reqwest::Response, reqwest::Error>,
    ) -> Result<reqwest::Response, TerminalError> {
        match answer {
            Err(error) if error.is_connect() => Err(TerminalError::NotRunning(self.base.clone())),
            Err(error) => Err(self.refused(error.to_string())),
            Ok(answer) if answer.status().is_success() => Ok(answer),
            Ok(answer) => {
                let status = answer.status();
                let problem: serde_json::Value = answer.json().await.unwrap_or_default();
                let title = problem["title"].as_str().unwrap_or_default();
                let detail = problem["detail"].as_str().unwrap_or_default();
                Err(self.refused(format!("{status} {title} {detail}").trim().to_owned()))
            }
        }
    }

    fn refused(&self, why: String) -> TerminalError {
        TerminalError::Refused { place: self.base.clone(), why }
    }

    fn url(&self, path: &str) -> Url {
        self.base.join(path).unwrap_or_else(|_| self.base.clone())
    }
}
