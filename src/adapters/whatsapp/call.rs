//! One call of the Graph API: one HTTP request, and what became of it.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::WhatsAppError;
use crate::adapters::call;
use crate::adapters::http_client::{http_client_of_sends, innermost};

/// Why a call brought no result.
pub(super) type CallError = call::CallError<Refusal>;

/// An answer that is not a success.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// Meta's own word; `None` where something else answered, such as a proxy.
    pub(super) told: Option<Told>,
    /// Seconds.
    pub(super) retry_after: Option<u32>,
}

/// The `error` of an answer of the Graph API.
#[derive(Debug)]
pub(super) struct Told {
    /// What went wrong; the same codes stand in statuses.
    pub(super) code: i64,
    /// Meta's description, without numbers by which somebody could be known.
    pub(super) words: String,
}

/// The API, as one phone number of ours uses it.
pub(super) struct Graph {
    http: reqwest::Client,
    base: Url,
    bearer: HeaderValue,
    within: Duration,
}

impl Graph {
    /// Prepares requests below `base` that take at most `within`.
    pub(super) fn new(base: &Url, token: &SecretString, within: Duration) -> Result<Self, WhatsAppError> {
        if base.cannot_be_a_base() {
            return Err(WhatsAppError::Setting("whatsapp.api_url: must look like https://graph.facebook.com/v24.0"));
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| WhatsAppError::Setting("whatsapp.token: must be letters and digits; copy it as it is"))?;
        bearer.set_sensitive(true);
        let http = http_client_of_sends(base, within).map_err(|_| {
            WhatsAppError::Setting("the HTTP client can't be built: does this machine have CA certificates?")
        })?;
        Ok(Self { http, base: base.clone(), bearer, within })
    }

    /// Asks for a node of the graph.
    pub(super) async fn get(&self, node: &str, parameters: &[(&str, &str)]) -> Result<Value, CallError> {
        let mut url = self.url(&[node]);
        url.query_pairs_mut().extend_pairs(parameters);
        self.json(self.http.get(url)).await
    }

    /// Has an edge of a node do something.
    pub(super) async fn post(&self, node: &str, edge: &str, body: &Value) -> Result<Value, CallError> {
        self.json(self.http.post(self.url(&[node, edge])).json(body)).await
    }

    /// Opens a file at an address that the API gave; all of it must be there `within` this time. The token goes along, so
    /// the address must be one of TLS, or on the host that the configuration names.
    pub(super) async fn open(&self, address: &Url, within: Duration) -> Result<Response, CallError> {
        if address.scheme() != "https" && address.origin() != self.base.origin() {
            return Err(CallError::NoConnection("the file's address is not safe for the token".to_owned()));
        }
        let response = self.send(self.http.get(address.clone()).timeout(within)).await?;
        let status = response.status();
        if !status.is_success() {
            let refusal = Refusal { status: status.as_u16(), told: None, retry_after: retry_after(&response) };
            return Err(CallError::Refused(refusal));
        }
        Ok(response)
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, CallError> {
        let sent = request.header(AUTHORIZATION, self.bearer.clone()).send().await;
        sent.map_err(|error| CallError::of_request(error.is_builder() || error.is_connect(), &error))
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, CallError> {
        let response = self.send(request.timeout(self.within)).await?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        // An answer that breaks off says as much as its status does.
        let body = response.bytes().await.map_err(|error| innermost(&error));
        let answer = body.and_then(|body| {
            serde_json::from_slice::<Value>(&body).map_err(|_| "an answer that is not the graph api's".to_owned())
        });
        if status.is_success() {
            return match answer {
                Ok(answer) if answer.is_object() => Ok(answer),
                Ok(_) => Err(CallError::NoAnswer("an answer that is not the graph api's".to_owned())),
                Err(why) => Err(CallError::NoAnswer(why)),
            };
        }
        let told = answer.ok().and_then(|answer| Told::read(&answer));
        Err(CallError::Refused(Refusal { status: status.as_u16(), told, retry_after }))
    }
}

impl Told {
    fn read(answer: &Value) -> Option<Self> {
        let error = answer.get("error")?;
        let code = error.get("code")?.as_i64()?;
        Some(Self { code, words: plain(error["message"].as_str().unwrap_or_default()) })
    }
}

fn retry_after(response: &Response) -> Option<u32> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

/// Words of an error, short and without long numbers: a phone may be quoted in them.
fn plain(words: &str) -> String {
    let mut plain = String::new();
    for word in words.chars().filter(|c| !c.is_control()).take(200).collect::<String>().split_inclusive(' ') {
        let is_number = word.chars().filter(char::is_ascii_digit).count() > 4;
        plain.push_str(if is_number { "… " } else { word });
    }
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_below_the_base_and_leave_it_by_no_trick() {
        let graph = |base: &str| {
            let base = base.parse().unwrap();
            Graph::new(&base, &SecretString::from("EAAtoken".to_owned()), Duration::from_secs(1)).unwrap()
        };
        for base in ["http://127.0.0.1:9/v24.0", "http://127.0.0.1:9/v24.0/"] {
            assert_eq!(graph(base).url(&["106", "messages"]).as_str(), "http://127.0.0.1:9/v24.0/106/messages");
        }
        let odd = graph("http://127.0.0.1:9/v24.0").url(&["../x?y=/z"]);
        assert_eq!(odd.as_str(), "http://127.0.0.1:9/v24.0/..%2Fx%3Fy=%2Fz");
    }

    #[test]
    fn words_of_an_error_name_nobody() {
        assert_eq!(plain("(#100) Invalid parameter"), "(#100) Invalid parameter");
        assert_eq!(plain("Recipient +79990000000 is\n not valid"), "Recipient … is not valid");
        assert_eq!(plain(&"я".repeat(900)).chars().count(), 200);
    }
}
