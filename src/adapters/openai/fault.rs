//! Why one request brought nothing, told from what the endpoint did. Never holds a word of a prompt or a reply.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

/// What became of one request that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Not reached, cut, timed out, or broken inside: another try may do.
    #[error("{0}")]
    Down(String),
    /// Overloaded, or over our rate; it may say when to come back.
    #[error("{why}")]
    Busy {
        /// The status, in words.
        why: String,
        /// What the endpoint asks for.
        after: Option<Duration>,
    },
    /// Refused until somebody mends the settings.
    #[error("{0}")]
    Refused(String),
    /// There is no such address or model (404).
    #[error("it knows no such address or model: check name, and that url ends as the server wants, usually in /v1")]
    NotFound,
    /// This one request is refused; others may pass.
    #[error("{0}")]
    Rejected(String),
    /// The prompt, or a text, is longer than the model takes.
    #[error(
        "the text is longer than the model takes: lower [budget] prompt_tokens, or start the model with a longer context"
    )]
    TooLong,
    /// The endpoint does not know a parameter of ours.
    #[error("the endpoint does not take {0}")]
    Unsupported(Parameter),
    /// An answer came, and there is nothing in it.
    #[error("the answer is empty")]
    Empty,
    /// An answer came that can't be used, and the same question would bring the same again.
    #[error("{0}")]
    Unusable(String),
}

/// A parameter that not every endpoint takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// `response_format` with a JSON Schema.
    Schema,
    /// `max_tokens`, which newer models of `OpenAI` want as `max_completion_tokens`.
    MaxTokens,
    /// `temperature`, which reasoning models fix.
    Temperature,
}

impl std::fmt::Display for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Parameter::Schema => "response_format",
            Parameter::MaxTokens => "max_tokens",
            Parameter::Temperature => "temperature",
        })
    }
}

impl Fault {
    /// Says why nothing came over the wire. The address is left out: it may carry a password.
    pub(super) fn of_transport(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Fault::timed_out();
        }
        if error.is_builder() {
            return Fault::Rejected("its address can't be used: url must begin with http:// or https://".to_owned());
        }
        let mut cause: &dyn Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        // Before there is a connection nothing of ours is on the way that a cause could quote: it names the host that is
        // not known, the port that nobody listens on, the certificate that is not trusted.
        let io = cause.downcast_ref::<std::io::Error>();
        Fault::Down(match (error.is_connect(), io) {
            (true, _) => format!("can't connect: {cause}"),
            (false, Some(io)) => format!("the connection was cut: {}", io.kind()),
            (false, None) => "the connection was cut".to_owned(),
        })
    }

    /// Nothing came in time.
    pub(super) fn timed_out() -> Self {
        Fault::Down("timed out".to_owned())
    }

    /// Reads an answer that is not a success. The body decides between kinds and is never quoted: some endpoints repeat
    /// the prompt in it.
    pub(super) fn of_answer(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let complaint = Complaint::read(body);
        if complaint.is_about_length() {
            return Fault::TooLong;
        }
        match status {
            300..=399 => Fault::Refused(format!(
                "it answers with a redirect ({status}), which is never followed: put the final address into url"
            )),
            400 | 422 => complaint.parameter().map_or_else(
                || Fault::Rejected(format!("it does not accept the request ({status})")),
                Fault::Unsupported,
            ),
            401 | 403 => Fault::Refused(format!("it refuses the key ({status}): check key or key_file")),
            402 => Fault::Refused("it wants to be paid first (402): top up the account".to_owned()),
            404 | 405 | 410 => Fault::NotFound,
            429 if complaint.has("insufficient_quota") => {
                Fault::Refused("the account's quota is used up (429): top it up".to_owned())
            }
            408 | 425 | 429 | 500..=599 => {
                let after = wanted_wait(headers);
                let why = format!("status {status}");
                if status == 429 || after.is_some() { Fault::Busy { why, after } } else { Fault::Down(why) }
            }
            _ => Fault::Rejected(format!("it does not accept the request ({status})")),
        }
    }
}

/// What an endpoint complains of, in lower case. Every server words and nests it in its own way.
struct Complaint(String);

impl Complaint {
    fn read(body: &[u8]) -> Self {
        let text = match serde_json::from_slice::<Value>(body) {
            // OpenAI, vLLM, llama.cpp: {"error": {"message", "param", "code"}}; Ollama: {"error": "…"}; others: {"detail": …}.
            Ok(value) => value.get("error").or_else(|| value.get("detail")).unwrap_or(&value).to_string(),
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        };
        Self(text.to_lowercase())
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    fn is_about_length(&self) -> bool {
        [
            "context_length",
            "context length",
            "context size",
            "exceed_context",
            "too large to process",
            "too many tokens",
        ]
        .iter()
        .any(|sign| self.has(sign))
    }

    fn parameter(&self) -> Option<Parameter> {
        let refused = ["unsupported", "not support", "does not support", "unknown", "unrecognized", "not permitted"]
            .iter()
            .any(|sign| self.has(sign));
        if ["response_format", "json_schema", "grammar", "guided"].iter().any(|sign| self.has(sign)) {
            Some(Parameter::Schema)
        } else if refused && self.has("max_tokens") {
            Some(Parameter::MaxTokens)
        } else if refused && self.has("temperature") {
            Some(Parameter::Temperature)
        } else {
            None
        }
    }
}

/// How long an endpoint wants us to wait: seconds, or a date, read against the date that the same answer carries.
fn wanted_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wanted = text(RETRY_AFTER)?;
    if let Ok(seconds) = wanted.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = |text: &str| rfc2822::parse(text).ok().map(|date| date.timestamp());
    let (then, now): (Timestamp, Timestamp) = (date(wanted)?, date(text(DATE)?)?);
    Some(Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, body: &str) -> Fault {
        Fault::of_answer(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn parameters_are_told_apart_in_the_words_of_each_server() {
        let openai = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#;
        assert_eq!(fault(400, openai), Fault::Unsupported(Parameter::MaxTokens));
        let openai = r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0 with this model.","param":"temperature","code":"unsupported_value"}}"#;
        assert_eq!(fault(400, openai), Fault::Unsupported(Parameter::Temperature));
        let gateway = r#"{"error":{"message":"This response_format type is unavailable now","code":400}}"#;
        assert_eq!(fault(400, gateway), Fault::Unsupported(Parameter::Schema));
        let llama = r#"{"error":{"code":400,"message":"failed to parse grammar","type":"invalid_request_error"}}"#;
        assert_eq!(fault(400, llama), Fault::Unsupported(Parameter::Schema));
        assert_eq!(
            fault(422, r#"{"detail":"json_schema: extra fields not permitted"}"#),
            Fault::Unsupported(Parameter::Schema)
        );
        assert!(matches!(fault(400, r#"{"error":"messages must not be empty"}"#), Fault::Rejected(_)));
    }

    #[test]
    fn a_prompt_that_is_too_long_is_not_taken_for_a_refused_parameter() {
        let vllm = r#"{"error":{"message":"'max_tokens' is too large: 600. This model's maximum context length is 4096 tokens and your request has 4000 input tokens","type":"BadRequestError","code":400}}"#;
        assert_eq!(fault(400, vllm), Fault::TooLong);
        let llama = r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#;
        assert_eq!(fault(400, llama), Fault::TooLong);
        let llama =
            r#"{"error":{"code":500,"message":"input (600 tokens) is too large to process","type":"server_error"}}"#;
        assert_eq!(fault(500, llama), Fault::TooLong);
    }

    #[test]
    fn the_body_is_never_quoted() {
        for status in [302, 400, 401, 402, 403, 404, 408, 418, 422, 429, 500, 503] {
            let said = fault(status, r#"{"error":{"message":"you sent: my card is 4111"}}"#);
            assert!(!format!("{said} {said:?}").contains("4111"), "{status}: {said:?}");
        }
    }

    #[test]
    fn money_and_keys_are_for_people_to_mend() {
        assert!(matches!(fault(401, ""), Fault::Refused(why) if why.contains("key_file")));
        assert_eq!(fault(404, "<html>"), Fault::NotFound);
        assert!(matches!(fault(429, r#"{"error":{"code":"insufficient_quota"}}"#), Fault::Refused(_)));
        assert_eq!(fault(429, "{}"), Fault::Busy { why: "status 429".to_owned(), after: None });
        assert_eq!(fault(502, "bad gateway"), Fault::Down("status 502".to_owned()));
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date() {
        let wait = |retry: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, retry.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            wanted_wait(&headers)
        };
        assert_eq!(wait("2", None), Some(Duration::from_secs(2)));
        assert_eq!(wait("0.5", None), Some(Duration::from_millis(500)));
        assert_eq!(wait("-3", None), None);
        assert_eq!(wait("soon", None), None);
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:09 GMT", Some(date)), Some(Duration::from_secs(9)));
        assert_eq!(wait("Wed, 21 Oct 2026 07:27:00 GMT", Some(date)), Some(Duration::ZERO));
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:09 GMT", None), None);
    }
}
