//! The triage classifier that is shipped, against the labelled messages beside it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what a test can't go on without, and figures for people who read a failure"
)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use firstline::adapters::embedded::EmbeddedEmbedder;
use firstline::domain::turn::Label;
use firstline::engine::triage::{Classifier, Triage};
use firstline::ports::model::{EmbedRole, Embedder};
use firstline::train::rows::{self, Row, Rows};
use firstline::train::vectors::Vectors;
use firstline::train::{fit, measure, session};

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/triage")
}

fn vectors() -> &'static Vectors {
    static VECTORS: LazyLock<Vectors> =
        LazyLock::new(|| Vectors::read(&std::fs::read(dir().join("vectors.bin")).unwrap()).unwrap());
    &VECTORS
}

fn triage() -> Triage {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/triage.toml");
    Triage::parse(&std::fs::read_to_string(file).unwrap(), "prompts/triage.toml").unwrap()
}

/// What the classifier may learn from, and the test.
fn kept() -> &'static Rows {
    static KEPT: LazyLock<Rows> = LazyLock::new(|| {
        let mut rows = rows::read(&dir()).unwrap();
        session::leave_out_alike(&mut rows, vectors());
        rows
    });
    &KEPT
}

/// A few messages of two authors in both languages, every label among them.
fn few() -> Vec<Row> {
    let of = |author: &'static str| kept().train.iter().filter(move |row| row.author == author).step_by(9).take(60);
    of("a").chain(of("d")).cloned().collect()
}

#[test]
fn the_sides_of_the_split_share_no_author_and_no_trade() {
    let rows = rows::read(&dir()).unwrap();
    assert!(rows.train.len() >= 2_500 && rows.test.len() >= 700, "{} and {}", rows.train.len(), rows.test.len());
    for row in &rows.test {
        let shared = rows.train.iter().find(|other| other.author == row.author || other.trade == row.trade);
        assert!(shared.is_none(), "{} of {} is on both sides", row.trade, row.author);
    }
}

#[test]
fn nothing_learnt_is_like_a_message_of_the_test() {
    let all = rows::read(&dir()).unwrap();
    assert!(kept().train.len() < all.train.len(), "the check finds something");
    assert_eq!(session::alike_to_test(kept(), vectors()).len(), 0);
}

#[test]
fn the_shipped_classifier_was_trained_on_these_messages() {
    let classifier = Classifier::built_in().unwrap();
    assert_eq!(classifier.head().rows, rows::digest(&kept().train), "run `firstline triage train` and build again");
    let (embedder, dimensions) = vectors().fingerprint();
    assert!(classifier.reads(embedder, dimensions));
    let bytes = std::fs::read(dir().join("classifier.bin")).unwrap();
    assert_eq!(classifier.to_bytes(), bytes, "what is read is what is written");
}

#[test]
fn training_is_the_same_to_the_byte() {
    let rows = few();
    let trained = || fit::fit(&rows, &kept().articles, vectors(), &mut |_| {}).unwrap().classifier.to_bytes();
    let first = trained();
    assert_eq!(first, trained());
    let read = Classifier::read(&first).unwrap();
    assert_eq!(read.to_bytes(), first);
    // The figures of this training on any machine: a processor that rounds in its own way would show here.
    assert_eq!(checksum(&first), CHECKSUM_OF_FEW);
}

/// Changes with the messages, the lexicon, the features and the way of training; never with the machine.
const CHECKSUM_OF_FEW: &str = "6753e65c840f54bb5b2dacdd3b7397203d9a3476ef098e365ea3115b93e608b6";

fn checksum(bytes: &[u8]) -> String {
    firstline::domain::text::hex(&bytes[bytes.len() - 32..])
}

#[test]
fn a_damaged_file_is_told_from_a_good_one() {
    let bytes = std::fs::read(dir().join("classifier.bin")).unwrap();
    let told = |bytes: &[u8]| Classifier::read(bytes).unwrap_err().to_string();
    assert!(told(&[]).contains("cut off"));
    assert!(told(&bytes[..bytes.len() - 1]).contains("checksum"));
    assert!(told(b"something else that is long enough to hold a checksum").contains("other bytes"));
    let mut other = bytes.clone();
    other[4] ^= 1;
    assert!(told(&other).contains("another version"));
    let mut flipped = bytes;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    assert!(told(&flipped).contains("checksum"));
}

#[test]
fn any_text_has_scores() {
    let classifier = Classifier::built_in().unwrap();
    let some = vectors().get(&kept().train[0].text).unwrap();
    let nothing = vec![0.0; some.len()];
    for text in ["", " ", "\u{200b}", "😀", "a", &"слово ".repeat(3_000), "\0\n\r", "1234567890"] {
        for vector in [&some, &nothing] {
            let scores = classifier.scores(text, vector, Some(0.8)).unwrap();
            assert!(scores.iter().all(|score| score.raw.is_finite() && (0.0..=1.0).contains(&score.probability)));
        }
    }
    let broken = vec![f32::NAN; some.len()];
    let scores = classifier.scores("позовите оператора", &broken, None).unwrap();
    assert!(
        scores.iter().all(|score| (0.0..=1.0).contains(&score.probability)),
        "a vector of no numbers counts as none"
    );
    assert_eq!(classifier.scores("x", &some[1..], None), None, "a vector of another length");
}

/// The gate: what the classifier and the rules do with messages of authors and of trades that they never saw.
#[test]
fn figures_on_the_test_hold() {
    let classifier = Classifier::built_in().unwrap();
    let figures = session::on_test(&triage(), classifier, kept(), vectors()).unwrap();
    for (language, of) in [("ru", &figures.ru), ("en", &figures.en)] {
        eprintln!("{language}: macro-F1 {:.3}, missed {:?}, needless {:?}", of.macro_f1, of.missed, of.needless);
        let human = of.labels.iter().find(|label| label.label == Label::HumanRequest).unwrap();
        assert!(human.support >= 30, "{language}: too few to tell anything");
    }
    eprintln!("critical {:?}, calibration {:.3}", figures.all.critical_missed, figures.all.calibration_error);
    assert!(figures.ru.macro_f1 >= 0.90 && figures.en.macro_f1 >= 0.90);
    assert!(figures.all.missed.share <= 0.05 && figures.all.needless.share <= 0.15);
    assert_eq!(figures.all.critical_missed.count, 0, "a rule in prompts/triage.toml is missing");
    assert!(figures.all.calibration_error <= 0.05);
}

/// Messages that must reach a person whatever else happens, as customers may write them; a list to add to. The classifier
/// and the rules together keep none of them.
#[tokio::test]
async fn nothing_on_the_critical_list_is_kept_from_people() {
    let rows = rows::read_file(&dir().join("critical.jsonl")).unwrap();
    assert!(rows.len() >= 120);
    let embedder = EmbeddedEmbedder::load().unwrap();
    let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
    let vectors = embedder.embed(&texts, EmbedRole::Query).await.unwrap();
    let (triage, classifier) = (triage(), Classifier::built_in().unwrap());
    let kept = rows.iter().zip(&vectors).filter(|(row, vector)| {
        // Near the company's business, where danger is said in passing.
        let scores = classifier.scores(&row.text, vector, Some(0.85)).unwrap();
        !measure::judge(&triage, row, scores).handed_over
    });
    let kept: Vec<&str> = kept.map(|(row, _)| row.text.as_str()).collect();
    assert!(kept.is_empty(), "{kept:#?}");
}
