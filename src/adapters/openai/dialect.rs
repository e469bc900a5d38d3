//! What an endpoint understands, learnt from its refusals, and requests and answers in that dialect.

use async_openai::types::chat::{
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage, CreateChatCompletionRequest, ResponseFormat,
    ResponseFormatJsonSchema,
};
use serde::Deserialize;
use serde_json::Value;

use super::fault::{Fault, Parameter};
use super::tokens::count_tokens;
use crate::ports::model::ChatRequest;

/// Which parameters a model takes. Begins with what most servers take; a refusal takes one away, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    schema: bool,
    max_tokens: bool,
    temperature: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { schema: true, max_tokens: true, temperature: true }
    }
}

impl Dialect {
    /// The dialect without a parameter.
    pub(super) fn without(mut self, parameter: Parameter) -> Self {
        *match parameter {
            Parameter::Schema => &mut self.schema,
            Parameter::MaxTokens => &mut self.max_tokens,
            Parameter::Temperature => &mut self.temperature,
        } = false;
        self
    }

    /// The request in this dialect.
    #[expect(
        deprecated,
        reason = "all servers but OpenAI's newest models know max_tokens, and many ignore its successor"
    )]
    pub(super) fn request(self, model: &str, ask: &ChatRequest) -> CreateChatCompletionRequest {
        let mut system = ask.system.clone();
        if !self.schema {
            system.push_str(
                "\n\nReply with one JSON object and nothing else: no words around it, no code fence. \
                 The object follows this JSON Schema:\n",
            );
            system.push_str(&ask.schema.to_string());
        }
        let format = || ResponseFormatJsonSchema {
            description: None,
            name: ask.task.to_owned(),
            schema: ask.schema.clone(),
            strict: Some(true),
        };
        CreateChatCompletionRequest {
            model: model.to_owned(),
            messages: vec![
                ChatCompletionRequestSystemMessage::from(system.as_str()).into(),
                ChatCompletionRequestUserMessage::from(ask.user.as_str()).into(),
            ],
            response_format: self.schema.then(|| ResponseFormat::JsonSchema { json_schema: format() }),
            max_tokens: self.max_tokens.then_some(ask.max_tokens),
            max_completion_tokens: (!self.max_tokens).then_some(ask.max_tokens),
            temperature: self.temperature.then_some(0.0),
            ..CreateChatCompletionRequest::default()
        }
    }
}

/// A usable answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// The text as it came.
    pub(super) text: String,
    /// Tokens read; counted by us where the server does not say.
    pub(super) tokens_in: u64,
    /// Tokens written; counted by us where the server does not say.
    pub(super) tokens_out: u64,
}

/// What we read of a completion. The vendor's type demands more than some servers send.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// Reads the answer to `ask`.
pub(super) fn read(value: Value, ask: &ChatRequest) -> Result<Answer, Fault> {
    let completion: Completion =
        serde_json::from_value(value).map_err(|_| Fault::Down("the answer is not a completion".to_owned()))?;
    let choice = completion.choices.into_iter().next().ok_or(Fault::Empty)?;
    let unusable = |why: &str| Err(Fault::Unusable(why.to_owned()));
    match choice.finish_reason.as_deref() {
        Some("length") => return unusable("the answer was cut off at its longest allowed length"),
        Some("content_filter") => return unusable("the provider's content filter kept the answer back"),
        _ => {}
    }
    if choice.message.refusal.is_some_and(|refusal| !refusal.is_empty()) {
        return unusable("the model declined to answer");
    }
    let text = choice.message.content.filter(|text| !text.trim().is_empty()).ok_or(Fault::Empty)?;
    let counted = |text: &str| u64::try_from(count_tokens(text)).unwrap_or(u64::MAX);
    let (tokens_in, tokens_out) = match completion.usage {
        Some(usage) => (usage.prompt_tokens, usage.completion_tokens),
        None => (counted(&ask.system) + counted(&ask.user), counted(&text)),
    };
    Ok(Answer { text, tokens_in, tokens_out })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;

    fn ask() -> ChatRequest {
        ChatRequest {
            task: "answer",
            system: "Be brief.".to_owned(),
            user: "Hello".to_owned(),
            schema: json!({"type": "object"}),
            max_tokens: 7,
            deadline: SignedDuration::from_secs(1),
        }
    }

    #[test]
    fn a_request_in_the_common_dialect() {
        let sent = serde_json::to_value(Dialect::default().request("m", &ask())).unwrap();
        assert_eq!(
            sent,
            json!({
                "model": "m",
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
                "response_format": {"type": "json_schema", "json_schema":
                    {"name": "answer", "schema": {"type": "object"}, "strict": true}},
                "max_tokens": 7,
                "temperature": 0.0,
            })
        );
    }

    #[test]
    fn a_request_to_a_server_that_takes_none_of_it() {
        let dialect =
            Dialect::default().without(Parameter::Schema).without(Parameter::MaxTokens).without(Parameter::Temperature);
        let sent = serde_json::to_value(dialect.request("m", &ask())).unwrap();
        assert_eq!(sent["max_completion_tokens"], 7);
        for absent in ["max_tokens", "temperature", "response_format"] {
            assert!(sent.get(absent).is_none(), "{absent}");
        }
        let system = sent["messages"][0]["content"].as_str().unwrap();
        assert!(system.starts_with("Be brief.") && system.ends_with(r#"{"type":"object"}"#), "{system}");
    }

    #[test]
    fn answers_without_usage_are_counted() {
        let value = json!({"choices": [{"message": {"content": "{\"reply\": 1}"}}]});
        let answer = read(value, &ask()).unwrap();
        assert_eq!(answer.text, "{\"reply\": 1}");
        assert!(answer.tokens_in > 2 && answer.tokens_out > 2);
    }

    #[test]
    fn unusable_answers_are_told_apart() {
        let choice = |message: Value, finish: &str| json!({"choices": [{"message": message, "finish_reason": finish}]});
        for value in [
            choice(json!({"content": "{"}), "length"),
            choice(json!({"content": "x"}), "content_filter"),
            choice(json!({"content": null, "refusal": "no"}), "stop"),
        ] {
            assert!(matches!(read(value, &ask()), Err(Fault::Unusable(_))));
        }
        for value in [
            json!({"choices": []}),
            json!({}),
            choice(json!({"content": null}), "stop"),
            choice(json!({"content": " "}), "stop"),
        ] {
            assert_eq!(read(value, &ask()), Err(Fault::Empty));
        }
        assert!(matches!(read(json!([1]), &ask()), Err(Fault::Down(_))));
    }
}
