//! One call of the Bot API: one HTTP request, and what became of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use teloxide::Bot;
use teloxide::requests::Payload;
use url::Url;

use crate::adapters::call;
use crate::adapters::http_client::innermost;

/// Why a call brought no result.
pub(super) type CallError = call::CallError<Refusal>;

/// An answer that is not a success.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status, which Telegram's `error_code` repeats.
    pub(super) status: u16,
    /// Telegram's own words; `None` where something else answered, such as a proxy.
    pub(super) description: Option<String>,
    /// Seconds.
    pub(super) retry_after: Option<u32>,
    /// The id that the chat has now, a group that became a supergroup.
    pub(super) migrated_to: Option<i64>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.description {
            Some(description) => write!(f, "{} {description}", self.status),
            None => write!(f, "{} without a word of telegram", self.status),
        }
    }
}

/// What every answer of the Bot API is wrapped in.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    retry_after: Option<u32>,
    #[serde(default)]
    migrate_to_chat_id: Option<i64>,
}

/// Makes exactly one request; the answer must be there, whole, `within` this time.
pub(super) async fn call<P>(bot: &Bot, payload: &P, within: Duration) -> Result<Value, CallError>
where
    P: Payload + Serialize + Sync,
{
    let request = bot.client().post(address(bot, P::NAME)).timeout(within).json(payload);
    let response = request.send().await;
    let response = response.map_err(|error| CallError::of_request(error.is_builder() || error.is_connect(), &error))?;
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after").and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    // An answer that breaks off says as much as its status does.
    let body = response.bytes().await.map_err(|error| innermost(&error));
    let answer = body.and_then(|body| {
        serde_json::from_slice::<Answer>(&body).map_err(|_| "an answer that is not the bot api's".to_owned())
    });
    match answer {
        Ok(answer) if answer.ok => Ok(answer.result),
        Err(why) if (200..300).contains(&status) => Err(CallError::NoAnswer(why)),
        Err(_) => Err(CallError::Refused(Refusal { status, description: None, retry_after: wait, migrated_to: None })),
        Ok(Answer { description, parameters, .. }) => Err(CallError::Refused(Refusal {
            status,
            description: Some(description.chars().filter(|c| !c.is_control()).take(200).collect()),
            retry_after: parameters.as_ref().and_then(|parameters| parameters.retry_after).or(wait),
            migrated_to: parameters.and_then(|parameters| parameters.migrate_to_chat_id),
        })),
    }
}

fn address(bot: &Bot, method: &str) -> Url {
    let mut address = bot.api_url();
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().push(&format!("bot{}", bot.token())).push(method);
    }
    address
}
