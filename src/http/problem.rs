//! What a client is told when something did not work: RFC 9457, `application/problem+json`. Internal text stays inside.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::Serialize;

use crate::ports::store::StoreError;

/// Seconds after which a client may try again when the store did not answer.
const STORE_RETRY_SECONDS: i64 = 2;

/// A refusal with its reason, in words that a developer of a client can act on.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    retry_after: Option<i64>,
}

/// The document as it is sent.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    /// The last part of `type`, for clients that match on it.
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl Problem {
    /// A problem of its own kind; `code` never changes once published.
    pub(crate) fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, detail: None, retry_after: None }
    }

    /// Says more, without anybody's words in it.
    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The request itself is wrong.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", "the request is not valid").detail(detail)
    }

    /// There is no such place.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    /// Too many requests; another may come after `wait`.
    pub(crate) fn too_many(wait: SignedDuration) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests");
        Self { retry_after: Some(whole_seconds(wait)), ..problem }
    }

    /// The store did not answer: nothing was done, and the same request may be sent again.
    pub(crate) fn store(error: &StoreError) -> Self {
        tracing::error!(error = error as &dyn std::error::Error, "the store failed under a request");
        let problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "nothing was stored; send the same request again",
        );
        Self { retry_after: Some(STORE_RETRY_SECONDS), ..problem }
    }
}

/// Seconds for `Retry-After`: rounded up, at least one.
pub(crate) fn whole_seconds(wait: SignedDuration) -> i64 {
    (wait.as_secs() + i64::from(wait.subsec_nanos() > 0)).max(1)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: format!("urn:firstline:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail.as_deref(),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
