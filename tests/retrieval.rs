//! How well the articles answer what customers type: search and confidence over the real index and the demo shop's articles,
//! measured on `eval/retrieval/retrieval.yaml`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what a test can't go on without")]

use std::fmt::Write as _;
use std::path::Path;

use firstline::adapters::articles::read_articles;
use firstline::adapters::embedded::EmbeddedEmbedder;
use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::knowledge::FoundSection;
use firstline::domain::text::Language;
use firstline::engine::lexical::confident;
use firstline::engine::triage::Triage;
use firstline::flow::knowledge::KnowledgeBase;
use firstline::ports::model::Embedder;
use serde::Deserialize;

/// Cases that the rule was made with; a part of them was held out.
const TUNED: &str = "eval/retrieval/retrieval.yaml";

/// Questions of somebody who had not read the articles, on which a part of the rule was chosen.
const WORDINGS: &str = "eval/retrieval/wordings.yaml";

/// Questions of somebody else who had not read the articles: nothing was tuned on them.
const BLIND: &str = "eval/retrieval/blind.yaml";

/// How many sections the search is asked for.
const LIMIT: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    r#in: String,
    #[serde(default)]
    article: Vec<String>,
    #[serde(default)]
    unanswerable: bool,
    #[serde(default)]
    held_out: bool,
}

/// A case with what was found for it.
struct Searched {
    case: Case,
    language: Language,
    found: Vec<FoundSection>,
}

impl Searched {
    fn is_right(&self, section: &FoundSection) -> bool {
        self.case.article.iter().any(|id| section.article == format!("{}/{id}", self.language))
    }

    /// Whether a right article is among the first `most` articles.
    fn hit(&self, most: usize) -> bool {
        let mut seen: Vec<&str> = Vec::new();
        for section in &self.found {
            if !seen.contains(&section.article.as_str()) {
                seen.push(&section.article);
            }
            if seen.len() > most {
                return false;
            }
            if self.is_right(section) {
                return true;
            }
        }
        false
    }
}

/// What the rule does with a set of cases.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    answerable: usize,
    answered: usize,
    wrong: usize,
    unanswerable: usize,
    invented: usize,
}

impl Tally {
    fn of<'a>(cases: impl Iterator<Item = &'a Searched>, least_coverage: f32, least_margin: f32) -> Self {
        let mut tally = Self::default();
        for searched in cases {
            let answer = confident(&searched.found, least_coverage, least_margin).map(|at| &searched.found[at]);
            if searched.case.unanswerable {
                tally.unanswerable += 1;
                tally.invented += usize::from(answer.is_some());
            } else {
                tally.answerable += 1;
                tally.answered += usize::from(answer.is_some());
                tally.wrong += usize::from(answer.is_some_and(|section| !searched.is_right(section)));
            }
        }
        tally
    }

    fn share_answered(&self) -> f64 {
        share(self.answered, self.answerable)
    }

    fn share_wrong(&self) -> f64 {
        share(self.wrong, self.answered)
    }

    fn share_invented(&self) -> f64 {
        share(self.invented, self.unanswerable)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred cases")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

async fn search_all(embedder: Option<&dyn Embedder>, file: &str) -> Vec<Searched> {
    let cases = std::fs::read_to_string(file).unwrap();
    let cases: Vec<Case> = serde_saphyr::from_str(&cases).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = EdgeIndex::open(dir.path(), embedder.map(Embedder::fingerprint)).await.unwrap();
    let knowledge = KnowledgeBase::default();
    let late = knowledge.sync(&index, embedder, read_articles(Path::new("knowledge")).unwrap()).await.unwrap();
    assert_eq!(late, 0, "every section has its vector");
    let mut all = Vec::new();
    for case in cases {
        assert_eq!(case.article.is_empty(), case.unanswerable, "{}", case.r#in);
        let language = Language::detect(&case.r#in).unwrap();
        let found = knowledge.search(&index, embedder, &case.r#in, Some(language), LIMIT).await.unwrap();
        all.push(Searched { case, language, found });
    }
    index.close().await.unwrap();
    all
}

/// What the rule must do with a half of the cases: the least share answered, the most wrong of those, and the most of the
/// unanswerable answered.
struct Bounds {
    answered: f64,
    wrong: f64,
    invented: f64,
}

#[track_caller]
fn check(all: &[Searched], held_out: bool, bounds: &Bounds) {
    let triage = include_str!("../prompts/triage.toml");
    let answer = Triage::parse(triage, "prompts/triage.toml").unwrap().answer;
    let cases = all.iter().filter(|it| it.case.held_out == held_out);
    let tally = Tally::of(cases, answer.least_coverage, answer.least_margin);
    assert!(tally.share_answered() >= bounds.answered, "{tally:?}");
    assert!(tally.share_wrong() <= bounds.wrong, "{tally:?}");
    assert!(tally.share_invented() <= bounds.invented, "{tally:?}");
}

#[track_caller]
fn check_hits(all: &[Searched], bounds: [(Language, f64, f64); 2]) {
    for (language, first, third) in bounds {
        let cases = answerable(all, language, None);
        assert!(hits(&cases, 1) >= first, "{language}: {}", hits(&cases, 1));
        assert!(hits(&cases, 3) >= third, "{language}: {}", hits(&cases, 3));
    }
}

#[tokio::test]
async fn articles_answer_what_customers_type() {
    let all = search_all(None, TUNED).await;
    println!("{}\n{}", report(&all), details(&all));
    check(&all, false, &Bounds { answered: 0.78, wrong: 0.05, invented: 0.05 });
    // Fewer cases, and none of them tuned for: one or two more may fail.
    check(&all, true, &Bounds { answered: 0.72, wrong: 0.08, invented: 0.08 });
    check_hits(&all, [(Language::Ru, 0.88, 0.95), (Language::En, 0.85, 0.93)]);
}

#[tokio::test]
async fn meaning_answers_more_at_no_more_mistakes() {
    let embedder = EmbeddedEmbedder::load().unwrap();
    let all = search_all(Some(&embedder), TUNED).await;
    println!("{}\n{}", report(&all), details(&all));
    check(&all, false, &Bounds { answered: 0.90, wrong: 0.03, invented: 0.05 });
    check(&all, true, &Bounds { answered: 0.86, wrong: 0.03, invented: 0.05 });
    check_hits(&all, [(Language::Ru, 0.96, 0.98), (Language::En, 0.95, 0.98)]);
}

#[tokio::test]
async fn questions_of_who_has_not_read_the_articles() {
    // What was measured, less two or three questions: it must not get worse unseen.
    let wordings = Bounds { answered: 0.27, wrong: 0.06, invented: 0.05 };
    check_blind(WORDINGS, &wordings, [(Language::Ru, 0.80, 0.92), (Language::En, 0.82, 0.92)]).await;
    let blind = Bounds { answered: 0.45, wrong: 0.06, invented: 0.05 };
    check_blind(BLIND, &blind, [(Language::Ru, 0.84, 0.93), (Language::En, 0.76, 0.93)]).await;
}

async fn check_blind(file: &str, bounds: &Bounds, hits: [(Language, f64, f64); 2]) {
    let embedder = EmbeddedEmbedder::load().unwrap();
    let mut all = search_all(Some(&embedder), file).await;
    for searched in &mut all {
        searched.case.held_out = true;
    }
    println!("{file}\n{}", report(&all));
    check(&all, true, bounds);
    check_hits(&all, hits);
}

/// Cases in a language that have an answer; of both sets where none is named.
fn answerable(all: &[Searched], language: Language, held_out: Option<bool>) -> Vec<&Searched> {
    let of_set = |it: &&Searched| held_out.is_none_or(|held_out| it.case.held_out == held_out);
    all.iter().filter(|it| it.language == language && !it.case.unanswerable).filter(of_set).collect()
}

/// The share of cases with a right article among the first `most`.
fn hits(cases: &[&Searched], most: usize) -> f64 {
    share(cases.iter().filter(|it| it.hit(most)).count(), cases.len())
}

/// The table for people: run with `-- --nocapture`.
fn report(all: &[Searched]) -> String {
    let mut out = String::from("search            cases  hit@1  hit@3\n");
    for language in Language::ALL {
        for held_out in [false, true] {
            let cases = answerable(all, language, Some(held_out));
            let set = if held_out { "held out" } else { "tuned" };
            let _ = writeln!(
                out,
                "{language} {set:<14} {:>5} {:>5.0}% {:>5.0}%",
                cases.len(),
                hits(&cases, 1) * 100.0,
                hits(&cases, 3) * 100.0
            );
        }
    }
    out.push_str("\nleast    margin   answered  wrong  unanswerable answered | held out: the same\n");
    for coverage in [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8] {
        for margin in [0.0, 0.03, 0.05, 0.08] {
            let _ = write!(out, "{coverage:<8} {margin:<8}");
            for held_out in [false, true] {
                let tally = Tally::of(all.iter().filter(|it| it.case.held_out == held_out), coverage, margin);
                let _ = write!(
                    out,
                    " {:>7.1}% {:>5.1}% {:>5.1}%  |",
                    tally.share_answered() * 100.0,
                    tally.share_wrong() * 100.0,
                    tally.share_invented() * 100.0
                );
            }
            out.push('\n');
        }
    }
    out
}

/// What was found for each tuned case; those that were held out are not to be looked at.
fn details(all: &[Searched]) -> String {
    let mut out = String::new();
    for searched in all.iter().filter(|it| !it.case.held_out) {
        let kind = if searched.case.unanswerable { "none" } else { "some" };
        let _ = writeln!(out, "{kind} {} {:?}", searched.case.r#in, searched.case.article);
        for section in searched.found.iter().take(5) {
            let right = if searched.is_right(section) { '+' } else { ' ' };
            let _ = writeln!(
                out,
                "  {right} {:.3} {:.3} {:.3} {} #{}",
                section.confidence, section.coverage, section.score, section.article, section.section
            );
        }
    }
    out
}
