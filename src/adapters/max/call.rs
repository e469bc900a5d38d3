//! One call of the Bot API: one HTTP request, and what became of it.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method};
use serde_json::Value;
use url::Url;

use crate::adapters::call;
use crate::adapters::http_client::innermost;

/// Why a call brought no result.
pub(super) type CallError = call::CallError<Refusal>;

/// An answer that is not a success.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// MAX's own name of the fault, such as `verify.token`; `None` where something else answered, such as a proxy.
    pub(super) code: Option<String>,
    /// MAX's own words. They may quote what was sent, so they are not told where a customer's words were.
    pub(super) message: String,
    /// Seconds.
    pub(super) retry_after: Option<u32>,
}

impl Refusal {
    /// The status and the code: what can be told whatever was sent.
    pub(super) fn brief(&self) -> String {
        match &self.code {
            Some(code) => format!("{} {code}", self.status),
            None => format!("{} without a word of max", self.status),
        }
    }

    /// MAX does not know the token.
    pub(super) fn is_unknown_token(&self) -> bool {
        self.code.as_ref().is_some_and(|code| self.status == 401 || code == "verify.token")
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.brief())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

/// The Bot API, as one bot.
pub(super) struct Api {
    pub(super) client: Client,
    pub(super) root: Url,
    /// Sent as it is, without `Bearer`; marked as sensitive.
    pub(super) token: HeaderValue,
}

impl Api {
    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        within: Duration,
    ) -> Result<Value, CallError> {
        self.call(Method::GET, self.address(path, query), None, within).await
    }

    pub(super) async fn post(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: &Value,
        within: Duration,
    ) -> Result<Value, CallError> {
        self.call(Method::POST, self.address(path, query), Some(body), within).await
    }

    pub(super) async fn delete(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        within: Duration,
    ) -> Result<Value, CallError> {
        self.call(Method::DELETE, self.address(path, query), None, within).await
    }

    /// Makes exactly one request; the answer must be there, whole, `within` this time.
    async fn call(
        &self,
        method: Method,
        address: Url,
        body: Option<&Value>,
        within: Duration,
    ) -> Result<Value, CallError> {
        let mut request = self.client.request(method, address).timeout(within).header(AUTHORIZATION, &self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await;
        let response =
            response.map_err(|error| CallError::of_request(error.is_builder() || error.is_connect(), &error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
        // An answer that breaks off says as much as its status does.
        let body = response.bytes().await.map_err(|error| innermost(&error));
        let answer = body.and_then(|body| {
            serde_json::from_slice::<Value>(&body).map_err(|_| "an answer that is not the bot api's".to_owned())
        });
        let is_success = (200..300).contains(&status);
        match answer {
            Ok(answer) if is_success && answer["success"] != false => Ok(answer),
            Err(why) if is_success => Err(CallError::NoAnswer(why)),
            answer => Err(CallError::Refused(refusal(status, &answer.unwrap_or_default(), retry_after))),
        }
    }

    fn address(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut address = self.root.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        address
    }
}

/// `{"code": …, "message": …}`, or `{"success": false, "message": …}`, which has no code.
fn refusal(status: u16, answer: &Value, retry_after: Option<u32>) -> Refusal {
    let words = |value: &Value| {
        let words = value.as_str().unwrap_or_default();
        words.chars().filter(|c| !c.is_control()).take(200).collect::<String>()
    };
    let unsuccessful = (answer["success"] == false).then(|| "unsuccessful".to_owned());
    let code = Some(words(&answer["code"])).filter(|code| !code.is_empty()).or(unsuccessful);
    Refusal { status, code, message: words(&answer["message"]), retry_after }
}
