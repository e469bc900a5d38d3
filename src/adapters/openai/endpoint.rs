//! One OpenAI-compatible endpoint: a request goes out once, and what comes back is an answer or a [`Fault`].
//!
//! The vendor's client retries by itself, loses the status of errors that are not in `OpenAI`'s own shape, and logs bodies
//! that it can't read. [`OneTry`] stands under it and takes all three away: it sends once, tells failures apart itself,
//! and lets nothing but well-formed JSON through.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::types::chat::CreateChatCompletionRequest;
use async_openai::types::embeddings::CreateEmbeddingRequest;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;
use serde_json::Value;
use url::Url;

use super::SetupError;
use super::fault::Fault;
use crate::adapters::http_client;

/// Longest answer that is read, in bytes: 64 vectors of 4096 numbers fit with room to spare.
const LONGEST_ANSWER: usize = 32 << 20;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An endpoint, with its key.
pub(super) struct Endpoint {
    client: Client<Address>,
}

impl Endpoint {
    /// Prepares requests to `url` that take at most `within`; an empty `key` sends none.
    pub(super) fn new(url: &Url, key: &SecretString, within: Duration) -> Result<Self, SetupError> {
        let address = Address::new(url, key)?;
        let http = http_client(url, within).map_err(SetupError::Tls)?;
        let client = Client::build(http.clone(), address).with_http_service(OneTry { http });
        Ok(Self { client })
    }

    /// Asks for a completion.
    pub(super) async fn chat(&self, request: CreateChatCompletionRequest) -> Result<Value, Fault> {
        self.client.chat().create_byot(request).await.map_err(fault)
    }

    /// Asks for vectors.
    pub(super) async fn embeddings(&self, request: CreateEmbeddingRequest) -> Result<Value, Fault> {
        self.client.embeddings().create_byot(request).await.map_err(fault)
    }

    /// Asks for the list of models.
    pub(super) async fn models(&self) -> Result<Value, Fault> {
        self.client.models().list_byot().await.map_err(fault)
    }
}

/// Where requests go and what they carry. Reads nothing from the environment, unlike the vendor's own.
#[derive(Debug, Clone)]
struct Address {
    base: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    key: SecretString,
}

impl Address {
    fn new(url: &Url, key: &SecretString) -> Result<Self, SetupError> {
        let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        let mut headers = HeaderMap::new();
        if !key.expose_secret().is_empty() {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
                .map_err(|_| SetupError::Key { endpoint: shown(url) })?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        Ok(Self { base: base.as_str().trim_end_matches('/').to_owned(), query, headers, key: key.clone() })
    }
}

impl Config for Address {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        self.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// An address for people: without user, password and query.
pub(super) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// The transport under the vendor's client.
#[derive(Clone)]
struct OneTry {
    http: reqwest::Client,
}

impl tower_service::Service<HttpRequestFactory> for OneTry {
    type Response = reqwest::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<reqwest::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let http = self.http.clone();
        Box::pin(async move {
            let request = request.build().await?;
            let answer = send(&http, request).await?;
            Ok(http::Response::new(answer).into())
        })
    }
}

/// Sends once; gives the body of a success, which is JSON.
async fn send(http: &reqwest::Client, request: reqwest::Request) -> Result<Vec<u8>, Fault> {
    let mut response = http.execute(request).await.map_err(|error| Fault::of_transport(&error))?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Fault::of_transport(&error))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Fault::Down("the answer has no end".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    if !response.status().is_success() {
        return Err(Fault::of_answer(response.status().as_u16(), response.headers(), &body));
    }
    if serde_json::from_slice::<IgnoredAny>(&body).is_err() {
        return Err(Fault::Down("the answer is not JSON".to_owned()));
    }
    Ok(body)
}

/// Takes our fault out of the vendor's error. The vendor's own words are left out: they may quote a body.
fn fault(error: OpenAIError) -> Fault {
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(_) => Fault::Rejected("the request can't be built".to_owned()),
        },
        OpenAIError::Reqwest(error) => Fault::of_transport(&error),
        _ => Fault::Rejected("the request can't be built".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str, key: &str) -> Result<Address, SetupError> {
        Address::new(&Url::parse(url).unwrap(), &SecretString::from(key))
    }

    #[test]
    fn paths_are_put_after_the_base_and_before_the_query() {
        let azure = address("https://myata.example/openai/v1/?api-version=7#x", "").unwrap();
        assert_eq!(azure.url("/models"), "https://myata.example/openai/v1/models");
        assert_eq!(azure.query(), [("api-version", "7")]);
        assert_eq!(address("http://127.0.0.1:1", "").unwrap().url("/models"), "http://127.0.0.1:1/models");
        assert!(azure.headers().is_empty(), "no key is sent where none is set");
    }

    #[test]
    fn a_key_is_checked_at_start_and_shown_nowhere() {
        let error = address("http://user:pass@127.0.0.1:1/v1", "sk-тайна\n").unwrap_err().to_string();
        assert!(error.contains("http://127.0.0.1:1/v1"), "{error}");
        assert!(!error.contains("тайна") && !error.contains("pass"), "{error}");
        let good = format!("{:?}", address("http://127.0.0.1:1/v1", "sk-secret").unwrap());
        assert!(!good.contains("secret\""), "{good}");
        assert!(!good.contains("sk-"), "{good}");
    }
}
