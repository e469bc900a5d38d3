//! The language model and the embedder against a fake server that fails in every way servers do.

use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use firstline::adapters::openai::{OpenAiChat, OpenAiEmbedder, probe_embedder, probe_model};
use firstline::config::{self, Config};
use firstline::ports::Retry;
use firstline::ports::model::{ChatError, ChatModel, ChatReply, ChatRequest, EmbedRole, Embedder};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use crate::support::fake_model::{DIMENSIONS, FakeModel, MODEL, Reply};

/// Words that must stay out of logs and errors.
const PRIVATE: &str = "my card is 4111-1111";
const KEY: &str = "sk-very-secret";

fn model_at(url: &str, name: &str) -> config::Model {
    config::Model {
        url: Url::parse(url).unwrap(),
        name: name.to_owned(),
        key: SecretString::from(KEY),
        key_file: std::path::PathBuf::new(),
        attempt_within: SignedDuration::from_secs(10),
        price_read: 0.0,
        price_written: 0.0,
    }
}

fn calls() -> config::ModelCalls {
    Config::defaults().model_calls
}

fn request() -> ChatRequest {
    ChatRequest {
        task: "answer",
        system: "Be brief.".to_owned(),
        user: PRIVATE.to_owned(),
        schema: json!({"type": "object"}),
        max_tokens: 100,
        deadline: SignedDuration::from_secs(40),
    }
}

/// Asks a list of fakes, named `one`, `two`, …
async fn ask(models: &[&FakeModel]) -> Result<ChatReply, ChatError> {
    chat(models, &calls()).complete(&request()).await
}

fn chat(models: &[&FakeModel], calls: &config::ModelCalls) -> OpenAiChat {
    let named = models.iter().zip(["one", "two", "three"]);
    let models: Vec<_> = named.map(|(fake, name)| model_at(&fake.url(), name)).collect();
    OpenAiChat::new(&models, calls).unwrap()
}

fn fine() -> Reply {
    Reply::draft("Да.", &["A1"])
}

#[tokio::test]
async fn a_good_answer_comes_with_its_figures() {
    let fake = FakeModel::start();
    fake.say(fine());
    let reply = ask(&[&fake]).await.unwrap();
    assert_eq!(reply.model, "one");
    assert!(reply.json.contains("Да."));
    assert_eq!(reply.tokens_in, u64::try_from("Be brief.".len() + PRIVATE.len()).unwrap());
    assert!(reply.tokens_out > 0 && reply.took > SignedDuration::ZERO);
    let asks = fake.asks();
    assert_eq!(asks.len(), 1);
    assert_eq!(asks[0].authorization.as_deref(), Some("Bearer sk-very-secret"));
    assert_eq!((asks[0].system.as_str(), asks[0].user.as_str()), ("Be brief.", PRIVATE));
    assert_eq!(asks[0].task.as_deref(), Some("answer"));
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for fault in [
        Reply::Status(500),
        Reply::Status(503),
        Reply::Garbage("<html>".to_owned()),
        Reply::Garbage("[1, 2]".to_owned()),
        Reply::Cut,
        Reply::Empty,
        Reply::Status(429),
    ] {
        let fake = FakeModel::start();
        fake.say(fault.clone());
        fake.say(fine());
        assert!(ask(&[&fake]).await.is_ok(), "{fault:?}");
        assert_eq!(fake.asks().len(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn attempts_are_counted_over_all_models_and_made_in_order() {
    let (one, two) = (FakeModel::start(), FakeModel::start());
    for fake in [&one, &two] {
        fake.answer(|_| Reply::Status(500));
    }
    let error = ask(&[&one, &two]).await.unwrap_err();
    assert_eq!((one.asks().len(), two.asks().len()), (2, 1));
    assert!(
        matches!(&error, ChatError::Unavailable(why) if why.contains("one: status 500 (attempts: 2); two: status 500")),
        "{error}"
    );
}

#[tokio::test]
async fn the_next_model_answers_when_the_first_can_not() {
    for fault in [
        Reply::Status(500),
        Reply::Status(401),
        Reply::Status(404),
        Reply::Refusal,
        Reply::Finished("{".to_owned(), "length"),
        Reply::Busy("3600".to_owned()),
        Reply::Redirect("http://127.0.0.1:1/v1".to_owned()),
    ] {
        let (one, two) = (FakeModel::start(), FakeModel::start());
        one.say(fault.clone());
        two.say(fine());
        let reply = ask(&[&one, &two]).await.unwrap();
        assert_eq!(reply.model, "two", "{fault:?}");
        assert_eq!(one.asks().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let chat = OpenAiChat::new(&[model_at(&format!("http://{closed}/v1"), "gone")], &calls()).unwrap();
    let error = chat.complete(&request()).await.unwrap_err();
    assert!(
        matches!(&error, ChatError::Unavailable(why) if why.contains("gone: can't connect: Connection refused")),
        "{error}"
    );
}

#[tokio::test]
async fn an_address_of_another_kind_says_why() {
    let chat = OpenAiChat::new(&[model_at("ftp://127.0.0.1/v1", "lost")], &calls()).unwrap();
    let error = chat.complete(&request()).await.unwrap_err();
    assert!(matches!(&error, ChatError::Refused(why) if why.contains("http://")), "{error}");
}

#[tokio::test]
async fn a_refusal_of_the_key_is_not_repeated_and_says_the_mend() {
    for status in [401, 403, 404] {
        let fake = FakeModel::start();
        fake.answer(move |_| Reply::Status(status));
        let error = ask(&[&fake]).await.unwrap_err();
        assert!(matches!(&error, ChatError::Refused(why) if why.contains("check")), "{error}");
        assert_eq!(fake.asks().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_unusable_answer_is_malformed_and_not_asked_for_again() {
    for reply in [
        Reply::Finished("{\"reply\": \"Да".to_owned(), "length"),
        Reply::Finished(String::new(), "content_filter"),
        Reply::Refusal,
    ] {
        let fake = FakeModel::start();
        fake.answer(move |_| reply.clone());
        let error = ask(&[&fake]).await.unwrap_err();
        assert!(matches!(error, ChatError::Malformed(_)), "{error}");
        assert_eq!(fake.asks().len(), 1);
    }
    let fake = FakeModel::start();
    fake.answer(|_| Reply::Empty);
    let error = ask(&[&fake]).await.unwrap_err();
    assert!(matches!(error, ChatError::Malformed(_)), "{error}");
}

#[tokio::test]
async fn a_wanted_wait_is_kept() {
    let fake = FakeModel::start();
    fake.say(Reply::Busy("1".to_owned()));
    fake.say(fine());
    let began = Instant::now();
    ask(&[&fake]).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "the server asked for a second");
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_ends_the_call_at_once_and_later_calls_know_it() {
    let fake = FakeModel::start();
    fake.answer(|_| Reply::Busy("3600".to_owned()));
    let chat = chat(&[&fake], &calls());
    for _ in 0..2 {
        let error = chat.complete(&request()).await.unwrap_err();
        assert!(matches!(error, ChatError::Unavailable(_)), "{error}");
    }
    assert_eq!(fake.asks().len(), 1);
}

#[tokio::test]
async fn the_deadline_holds_whatever_the_model_does() {
    let fake = FakeModel::start();
    fake.answer(|_| Reply::Hang);
    let chat = chat(&[&fake], &calls());
    let began = Instant::now();
    let hurried = ChatRequest { deadline: SignedDuration::from_millis(300), ..request() };
    let error = chat.complete(&hurried).await.unwrap_err();
    assert!(matches!(&error, ChatError::Unavailable(why) if why.contains("timed out")), "{error}");
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert!(began.elapsed() < Duration::from_secs(8), "an attempt of ten seconds must be cut");
    assert_eq!(fake.asks().len(), 1);
}

#[tokio::test]
async fn a_model_that_hangs_costs_one_attempt_and_not_the_call() {
    let (one, two) = (FakeModel::start(), FakeModel::start());
    one.answer(|_| Reply::Hang);
    two.say(fine());
    let mut first = model_at(&one.url(), "one");
    first.attempt_within = SignedDuration::from_millis(200);
    let chat = OpenAiChat::new(&[first, model_at(&two.url(), "two")], &calls()).unwrap();
    assert_eq!(chat.complete(&request()).await.unwrap().model, "two");
}

#[tokio::test]
async fn the_breaker_opens_rests_and_closes() {
    let fake = FakeModel::start();
    for _ in 0..3 {
        fake.say(Reply::Status(500));
    }
    let rest = SignedDuration::from_millis(400);
    let calls = config::ModelCalls { attempts: 1, breaker_failures: 2, breaker_rest: rest, ..calls() };
    let chat = chat(&[&fake], &calls);
    for _ in 0..2 {
        chat.complete(&request()).await.unwrap_err();
    }
    let error = chat.complete(&request()).await.unwrap_err();
    assert!(
        matches!(&error, ChatError::Unavailable(why) if why.contains("rests after failures, the last: status 500")),
        "{error}"
    );
    assert_eq!(fake.asks().len(), 2, "an open breaker keeps requests away");
    // The rest is a length of real time: these are not synchronised with anything, they wait for it to pass.
    tokio::time::sleep(Duration::from_millis(450)).await;
    chat.complete(&request()).await.unwrap_err();
    chat.complete(&request()).await.unwrap_err();
    assert_eq!(fake.asks().len(), 3, "one probe, and its failure opens the breaker again");
    tokio::time::sleep(Duration::from_millis(450)).await;
    fake.answer(|_| fine());
    chat.complete(&request()).await.unwrap();
    chat.complete(&request()).await.unwrap();
    assert_eq!(fake.asks().len(), 5);
}

#[tokio::test]
async fn a_caller_that_goes_away_during_a_probe_does_not_jam_the_breaker() {
    let fake = FakeModel::start();
    fake.say(Reply::Status(500));
    let calls = config::ModelCalls { attempts: 1, breaker_failures: 1, breaker_rest: SignedDuration::ZERO, ..calls() };
    let chat = chat(&[&fake], &calls);
    chat.complete(&request()).await.unwrap_err();
    let (gate, abandoned) = (fake.hold(), request());
    tokio::select! {
        _ = chat.complete(&abandoned) => panic!("the gate is shut"),
        () = gate.arrived() => {}
    }
    gate.release();
    fake.answer(|_| fine());
    chat.complete(&request()).await.unwrap();
}

#[tokio::test]
async fn at_most_so_many_calls_run_at_a_time() {
    let fake = FakeModel::start();
    fake.answer(|_| fine());
    let gates: Vec<_> = (0..2).map(|_| fake.hold()).collect();
    let calls = config::ModelCalls { at_once: 2, ..calls() };
    let chat = chat(&[&fake], &calls);
    let request = request();
    let all = async { tokio::join!(chat.complete(&request), chat.complete(&request), chat.complete(&request)) };
    let watch = async {
        for gate in &gates {
            gate.arrived().await;
        }
        assert_eq!(fake.asks().len(), 2, "the third waits its turn");
        gates.into_iter().for_each(crate::support::fake_model::Gate::release);
    };
    let ((one, two, three), ()) = tokio::join!(all, watch);
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(fake.asks().len(), 3);
}

#[tokio::test]
async fn refused_parameters_are_left_out_and_remembered() {
    let fake = FakeModel::start();
    fake.answer(|ask| {
        let refuse = |name: &str| {
            Reply::Error(400, json!({"error": {"message": format!("Unsupported parameter: '{name}'"), "param": name}}))
        };
        for name in ["response_format", "max_tokens", "temperature"] {
            if ask.body.get(name).is_some() {
                return refuse(name);
            }
        }
        fine()
    });
    let calls = config::ModelCalls { attempts: 1, ..calls() };
    let chat = chat(&[&fake], &calls);
    chat.complete(&request()).await.unwrap();
    assert_eq!(fake.asks().len(), 4, "three refusals, then the answer");
    chat.complete(&request()).await.unwrap();
    let asks = fake.asks();
    assert_eq!(asks.len(), 5, "nothing is refused twice");
    assert!(asks[4].system.contains("JSON Schema"), "the schema stands in the prompt instead");
    assert_eq!(asks[4].body["max_completion_tokens"], 100);
}

#[tokio::test]
async fn a_request_that_is_refused_for_itself_says_so() {
    let fake = FakeModel::start();
    fake.answer(|_| Reply::Error(400, json!({"error": {"message": "maximum context length is 4096 tokens"}})));
    let error = ask(&[&fake]).await.unwrap_err();
    assert!(matches!(&error, ChatError::Refused(why) if why.contains("prompt_tokens")), "{error}");
    assert_eq!(fake.asks().len(), 1);
}

#[tokio::test]
async fn a_redirect_carries_no_prompt_away() {
    let (fake, elsewhere) = (FakeModel::start(), FakeModel::start());
    elsewhere.answer(|_| fine());
    let target = format!("{}/chat/completions", elsewhere.url());
    fake.answer(move |_| Reply::Redirect(target.clone()));
    let error = ask(&[&fake]).await.unwrap_err();
    assert!(matches!(&error, ChatError::Refused(why) if why.contains("redirect")), "{error}");
    assert!(elsewhere.asks().is_empty());
}

/// Everything that is logged on this thread while `work` runs, down to the finest level.
async fn logged(work: impl Future<Output = ()>) -> String {
    // Another test may be the first at a line of the log while nobody listens, and the line would be silent from then on.
    static LISTENS: Once = Once::new();
    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    LISTENS.call_once(|| {
        let to_nobody = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(std::io::sink);
        let _ = tracing::subscriber::set_global_default(to_nobody.finish());
    });
    let guard = tracing::subscriber::set_default(subscriber);
    work.await;
    drop(guard);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn neither_words_nor_keys_reach_errors_logs_or_debug() {
    let fake = FakeModel::start();
    let echo = || json!({"error": {"message": format!("bad request: {PRIVATE}, {KEY}"), "code": 400}});
    let lines = logged(async {
        for reply in [
            Reply::Garbage(format!("you said: {PRIVATE}")),
            Reply::Garbage(format!("{{\"choices\": \"{PRIVATE}\"}}")),
            Reply::Finished(PRIVATE.to_owned(), "length"),
            Reply::Error(400, echo()),
            Reply::Error(401, echo()),
            Reply::Error(429, echo()),
            Reply::Error(500, echo()),
            Reply::Text(PRIVATE.to_owned()),
        ] {
            fake.answer(move |_| reply.clone());
            let chat = chat(&[&fake], &calls());
            let said = format!("{:?} {chat:?}", chat.complete(&request()).await.map(|reply| reply.model));
            assert!(!said.contains("4111") && !said.contains("very-secret"), "{said}");
        }
    })
    .await;
    assert!(lines.contains("the model did not answer"), "{lines}");
    assert!(!lines.contains("4111") && !lines.contains("very-secret"), "{lines}");
}

#[tokio::test]
async fn each_attempt_leaves_its_figures_in_the_log() {
    let fake = FakeModel::start();
    fake.say(Reply::Status(500));
    fake.say(fine());
    let lines = logged(async {
        ask(&[&fake]).await.unwrap();
    })
    .await;
    let line = |words: &str| lines.lines().find(|line| line.contains(words)).unwrap_or_default();
    let failed = line("the model did not answer");
    assert!(failed.contains("adapter.openai.chat{model=\"one\" task=\"answer\" attempt=1 latency_ms="), "{lines}");
    let answered = line("the model answered");
    assert!(answered.contains("attempt=2 latency_ms=") && answered.contains("tokens_in="), "{lines}");
}

fn embedder_at(fake: &FakeModel) -> config::Embedder {
    config::Embedder {
        kind: config::EmbedderKind::Endpoint,
        url: fake.url(),
        name: MODEL.to_owned(),
        dimensions: DIMENSIONS,
        key: SecretString::from(KEY),
        key_file: std::path::PathBuf::new(),
        query_prefix: "query: ".to_owned(),
        passage_prefix: "passage: ".to_owned(),
        within: SignedDuration::from_secs(10),
    }
}

fn embedder(fake: &FakeModel) -> OpenAiEmbedder {
    OpenAiEmbedder::new(&embedder_at(fake)).unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn texts_are_embedded_in_batches_and_in_order() {
    let fake = FakeModel::start();
    let many: Vec<String> = (0..150).map(|number| format!("text {number}")).collect();
    let vectors = embedder(&fake).embed(&many, EmbedRole::Passage).await.unwrap();
    assert_eq!(fake.embedded().iter().map(Vec::len).collect::<Vec<_>>(), [64, 64, 22]);
    for (text, vector) in many.iter().zip(&vectors) {
        assert_eq!(*vector, crate::support::fake_model::vector(&format!("passage: {text}")));
    }
    assert_eq!(vectors.len(), 150);
}

#[tokio::test]
async fn a_text_is_embedded_once_for_each_role() {
    let fake = FakeModel::start();
    let embedder = embedder(&fake);
    let asked = texts(&["доставка", "возврат", "доставка"]);
    let first = embedder.embed(&asked, EmbedRole::Query).await.unwrap();
    assert_eq!(first[0], first[2]);
    assert_ne!(first[0], first[1]);
    assert_eq!(fake.embedded(), [texts(&["query: доставка", "query: возврат"])]);
    assert_eq!(embedder.embed(&asked, EmbedRole::Query).await.unwrap(), first);
    assert_eq!(fake.embedded().len(), 1, "the second time nothing is sent");
    let passages = embedder.embed(&asked[..1], EmbedRole::Passage).await.unwrap();
    assert_ne!(passages[0], first[0]);
    assert_eq!(fake.embedded()[1], texts(&["passage: доставка"]));
}

#[tokio::test]
async fn an_embedder_is_asked_twice_at_most() {
    for fault in [Reply::Status(500), Reply::Cut, Reply::Garbage("?".to_owned()), Reply::Busy("0".to_owned())] {
        let fake = FakeModel::start();
        fake.fail_embedding(fault);
        assert_eq!(embedder(&fake).embed(&texts(&["да"]), EmbedRole::Query).await.unwrap().len(), 1);
        assert_eq!(fake.embedded().len(), 2);
    }
    let fake = FakeModel::start();
    for _ in 0..3 {
        fake.fail_embedding(Reply::Status(500));
    }
    let error = embedder(&fake).embed(&texts(&["да"]), EmbedRole::Query).await.unwrap_err();
    assert_eq!((error.retry, fake.embedded().len()), (Retry::Later, 2));
}

#[tokio::test]
async fn an_embedder_that_refuses_is_not_asked_again() {
    let fake = FakeModel::start();
    fake.fail_embedding(Reply::Status(401));
    let error = embedder(&fake).embed(&texts(&["да"]), EmbedRole::Query).await.unwrap_err();
    assert_eq!((error.retry, fake.embedded().len()), (Retry::Never, 1));
    assert!(error.why.contains("key_file"), "{error}");
    fake.fail_embedding(Reply::Busy("60".to_owned()));
    let error = embedder(&fake).embed(&texts(&["да"]), EmbedRole::Query).await.unwrap_err();
    assert_eq!(error.retry, Retry::After(SignedDuration::from_secs(60)));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_embedded_by_its_beginning() {
    let fake = FakeModel::start();
    fake.fail_embedding(Reply::Error(
        500,
        json!({"error": {"message": "input (1432 tokens) is too large to process"}}),
    ));
    let long = vec!["слово ".repeat(600)];
    assert_eq!(embedder(&fake).embed(&long, EmbedRole::Query).await.unwrap().len(), 1);
    assert_eq!(fake.embedded()[1][0].chars().count(), 1000);
}

#[tokio::test]
async fn vectors_of_the_wrong_length_are_refused() {
    let fake = FakeModel::start();
    let settings = config::Embedder { dimensions: 384, ..embedder_at(&fake) };
    let embedder = OpenAiEmbedder::new(&settings).unwrap();
    let error = embedder.embed(&texts(&["да"]), EmbedRole::Query).await.unwrap_err();
    assert!(error.why.contains("128") && error.why.contains("384"), "{error}");
    assert_eq!(error.retry, Retry::Never);
    assert_ne!(embedder.fingerprint(), self::embedder(&fake).fingerprint());
    fake.fail_embedding(Reply::Text(json!({"data": []}).to_string()));
    let error = self::embedder(&fake).embed(&texts(&["да"]), EmbedRole::Query).await.unwrap_err();
    assert!(error.why.contains("0 vectors came for 1 texts"), "{error}");
}

#[tokio::test]
async fn doctor_tells_what_works_and_what_does_not() {
    let fake = FakeModel::start();
    fake.answer(|_| Reply::json(&json!({"ready": true})));
    let good = probe_model(&model_at(&fake.url(), MODEL)).await;
    assert!(good.len() == 2 && good.iter().all(|check| check.found.is_ok()), "{good:?}");
    assert!(good[0].found.as_ref().unwrap().contains("lists the model"), "{good:?}");
    let other = probe_model(&model_at(&fake.url(), "another")).await;
    assert!(other[0].found.as_ref().unwrap().contains("but: fake"), "{other:?}");
    let wrong_path = probe_model(&model_at(fake.url().trim_end_matches("/v1"), MODEL)).await;
    assert!(wrong_path[1].found.as_ref().unwrap_err().contains("/v1"), "{wrong_path:?}");
    let gone = fake.url();
    let vectors = probe_embedder(&embedder_at(&fake)).await;
    assert!(vectors[0].found.is_ok(), "{vectors:?}");
    drop(fake);
    let down = probe_model(&model_at(&gone, MODEL)).await;
    assert!(down.len() == 1 && down[0].found.as_ref().unwrap_err().contains("running"), "{down:?}");
    assert!(probe_embedder(&Config::defaults().embedder).await.is_empty());
}

#[test]
fn settings_are_checked_at_start() {
    assert!(OpenAiChat::new(&[], &calls()).is_err());
    let mut model = model_at("http://127.0.0.1:1/v1", "m");
    model.key = SecretString::from("sk-broken\nkey");
    let error = OpenAiChat::new(&[model], &calls()).unwrap_err().to_string();
    assert!(!error.contains("broken"), "{error}");
    assert!(OpenAiEmbedder::new(&Config::defaults().embedder).is_err());
}
