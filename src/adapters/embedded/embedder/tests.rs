//! The encoder against the reference in `models/embedder/golden.json`, and what any text must not break.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::adapters::embedded::vocabulary::LONGEST;

#[derive(Deserialize)]
struct Golden {
    role: String,
    text: String,
    tokens: Vec<u32>,
    vector: Vec<f32>,
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("../../../../models/embedder/golden.json")).unwrap()
}

fn role(golden: &Golden) -> EmbedRole {
    if golden.role == "query" { EmbedRole::Query } else { EmbedRole::Passage }
}

/// One for all tests: loading takes its time without optimisation.
fn embedder() -> EmbeddedEmbedder {
    static ONE: std::sync::OnceLock<EmbeddedEmbedder> = std::sync::OnceLock::new();
    ONE.get_or_init(|| EmbeddedEmbedder::with_threads(2).unwrap()).clone()
}

fn tokens(text: &str) -> Vec<u32> {
    embedder().inner.vocabulary.tokens(text)
}

async fn embed(texts: &[&str], role: EmbedRole) -> Vec<Vec<f32>> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    embedder().embed(&texts, role).await.unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn tokens_are_those_of_the_reference() {
    for case in golden() {
        let whole = stints(std::slice::from_ref(&case.text), role(&case));
        assert_eq!(tokens(&whole[0][0]), case.tokens, "{}", case.text);
    }
}

#[tokio::test]
async fn vectors_are_those_of_the_reference() {
    for case in golden() {
        let vectors = embed(&[&case.text], role(&case)).await;
        assert_eq!(vectors[0].len(), WIDTH);
        let near = cosine(&vectors[0], &case.vector);
        let apart = vectors[0].iter().zip(&case.vector).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(near > 0.998 && apart < 0.01, "{}: cosine {near}, largest difference {apart}", case.text);
    }
}

#[tokio::test]
async fn a_text_has_one_vector_whatever_is_beside_it() {
    let cases = golden();
    let texts: Vec<&str> = cases.iter().map(|case| case.text.as_str()).collect();
    let repeated: Vec<&str> = texts.iter().copied().cycle().take(texts.len() * 4).collect();
    let together = embed(&repeated, EmbedRole::Query).await;
    assert_eq!(together.len(), repeated.len());
    for (text, vector) in texts.iter().zip(&together) {
        assert_eq!(&embed(&[text], EmbedRole::Query).await[0], vector, "{text}");
    }
    assert_eq!(together[..texts.len()], together[texts.len() * 3..]);
}

#[tokio::test]
async fn the_role_matters_and_the_space_around_does_not() {
    let query = embed(&["возврат", "  возврат\n", "воз\u{1}врат"], EmbedRole::Query).await;
    assert_eq!(query[0], query[1]);
    assert_eq!(query[0], query[2]);
    assert_ne!(query[0], embed(&["возврат"], EmbedRole::Passage).await[0]);
}

#[tokio::test]
async fn what_means_the_same_is_near_in_either_language() {
    let russian =
        ["как вернуть товар?", "забыл пароль", "где мой заказ?", "сколько стоит доставка?", "позовите человека"];
    let english = [
        "how do I return an item?",
        "I forgot my password",
        "where is my order?",
        "what does delivery cost?",
        "call a human",
    ];
    let (russian, english) = (embed(&russian, EmbedRole::Query).await, embed(&english, EmbedRole::Query).await);
    for (number, text) in russian.iter().enumerate() {
        let near: Vec<f32> = english.iter().map(|other| cosine(text, other)).collect();
        let best = (0..near.len()).max_by(|a, b| near[*a].total_cmp(&near[*b])).unwrap();
        assert_eq!(best, number, "{near:?}");
    }
}

#[tokio::test]
async fn a_question_is_nearest_to_its_own_answer() {
    let questions = ["как вернуть товар?", "забыл пароль", "сколько стоит привезти заказ?"];
    let passages = [
        "Вернуть покупку можно в течение 14 дней после получения, если она не была в употреблении.",
        "Чтобы восстановить доступ, нажмите «Забыли пароль?» на странице входа.",
        "Доставка по Москве стоит 300 рублей.",
    ];
    let (questions, passages) = (embed(&questions, EmbedRole::Query).await, embed(&passages, EmbedRole::Passage).await);
    for (number, question) in questions.iter().enumerate() {
        let near: Vec<f32> = passages.iter().map(|passage| cosine(question, passage)).collect();
        let best = (0..near.len()).max_by(|a, b| near[*a].total_cmp(&near[*b])).unwrap();
        assert_eq!(best, number, "{near:?}");
    }
}

#[tokio::test]
async fn nothing_is_too_long_or_too_short() {
    let long = "вернуть товар ".repeat(100_000);
    let unbroken = "я".repeat(1_000_000);
    let emoji = "👩‍👩‍👧‍👦".repeat(10_000);
    let blank = " ".repeat(1_000_000);
    let texts = ["", "\u{0}", "\u{301}", "𓀀𓀁", "中文 العربية ไทย", &long, &unbroken, &emoji, &blank];
    let vectors = embed(&texts, EmbedRole::Passage).await;
    assert_eq!(vectors.len(), texts.len());
    assert_eq!(vectors[0], vectors[8], "blanks are nothing");
    assert_eq!(tokens(&long).len(), LONGEST);
    assert!(embed(&[], EmbedRole::Query).await.is_empty());
}

#[test]
fn a_long_text_is_cut_where_the_reference_would_cut_it() {
    let words = "Вернуть товар надлежащего качества можно в течение четырнадцати дней. ";
    let (cut, longer) = (tokens(&words.repeat(80)), tokens(&words.repeat(2_000)));
    assert_eq!(cut.len(), LONGEST);
    assert_eq!(cut, longer);
}

#[test]
fn what_customers_write_can_not_be_a_special_token() {
    for text in ["<s>", "</s>", "<pad>", "<mask>"] {
        let tokens = tokens(text);
        assert!(tokens[1..tokens.len() - 1].iter().all(|token| *token >= 4), "{text}: {tokens:?}");
    }
}

#[test]
fn characters_without_a_piece_are_one_unknown() {
    assert_eq!(tokens("订单 где"), [tokens("订")[..3].to_vec(), tokens("где")[1..].to_vec()].concat());
}

#[test]
fn a_letter_and_its_accent_are_one() {
    assert_eq!(tokens("чи\u{306}").len(), tokens("чй").len());
    assert_eq!(tokens("моде\u{308}м, твои\u{306}"), tokens("модём, твой"));
    assert_eq!(tokens("№5 ﬁ ½"), tokens("No5 fi 1\u{2044}2"));
}

#[tokio::test]
async fn a_question_does_not_wait_for_a_whole_import() {
    let embedder = EmbeddedEmbedder::with_threads(1).unwrap();
    let import: Vec<String> = (0..40).map(|number| format!("{number} {}", "о доставке ".repeat(300))).collect();
    let importing = embedder.embed(&import, EmbedRole::Passage);
    let asking = async {
        tokio::task::yield_now().await;
        embedder.embed(&["где заказ".to_owned()], EmbedRole::Query).await
    };
    tokio::select! {
        biased;
        _ = importing => panic!("the import went first"),
        asked = asking => assert_eq!(asked.unwrap().len(), 1),
    }
}

#[tokio::test]
async fn a_caller_who_leaves_returns_the_thread() {
    let embedder = EmbeddedEmbedder::with_threads(1).unwrap();
    let long = vec!["о доставке ".repeat(300); 20];
    for _ in 0..5 {
        tokio::select! {
            biased;
            () = async { for _ in 0..3 { tokio::task::yield_now().await } } => {}
            _ = embedder.embed(&long, EmbedRole::Passage) => panic!("too fast to leave"),
        }
    }
    assert_eq!(embedder.embed(&["ok".to_owned()], EmbedRole::Query).await.unwrap().len(), 1);
}

#[test]
fn damaged_weights_are_refused() {
    assert!(Vocabulary::read(b"").is_none());
    assert!(Vocabulary::read(&VOCABULARY[..VOCABULARY.len() - 1]).is_none());
    let pieces = embedder().inner.vocabulary.len();
    assert!(Encoder::read(NETWORK, &WORDS[1..], pieces).is_err());
    assert!(Encoder::read(NETWORK, WORDS, pieces - 1).is_err());
    assert!(Encoder::read(&NETWORK[..1000], WORDS, pieces).is_err());
}

proptest! {
    #[test]
    fn any_text_has_tokens(text in "\\PC{0,40}|[а-яё a-z0-9.,!?\u{301}\u{200d}\u{2581}\u{1f600}\u{0}\n]{0,80}") {
        let tokens = tokens(&text);
        let most = u32::try_from(embedder().inner.vocabulary.len()).unwrap() + 4;
        prop_assert!(tokens.len() >= 2 && tokens.len() <= LONGEST);
        prop_assert!(tokens.iter().all(|token| *token < most));
        prop_assert_eq!((tokens[0], tokens[tokens.len() - 1]), (0, 2));
    }
}
