//! How well questions find their articles, on public FAQ sets: words alone, meaning alone, both fused as the product does.
//!
//! `FIRSTLINE_DATA_DIR=… cargo bench --bench retrieval`, where `faq/` lies in the directory; without it, everything is
//! skipped and counted. `FIRSTLINE_TRACKS=tau2,yandex` measures those sets only. The embedder is the embedded one, or that
//! at `FIRSTLINE_EMBEDDER_URL` (`FIRSTLINE_EMBEDDER_NAME`, `FIRSTLINE_EMBEDDER_DIMENSIONS`, default `e5` with 384), asked
//! with `query: ` and `passage: `. The index and the path through the ports are the product's own. Figures are shares of
//! questions with a right article among the first one and five, with Wilson's 95 % interval.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "figures are for people, and a bench has no settings"
)]

#[path = "support/embedder.rs"]
mod support;

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::knowledge::{Article, Section};
use firstline::domain::text::Language;
use firstline::engine::fusion::{self, Legs, Weights};
use firstline::flow::knowledge::KnowledgeBase;
use firstline::ports::index::{Query, Scope, SearchIndex};
use firstline::ports::model::{EmbedError, EmbedRole, Embedder, Fingerprint};
use serde::Deserialize;
use support::embedder;

/// Directory, track, and the language of the articles that the track searches.
const TRACKS: &[(&str, &str, Option<Language>)] = &[
    ("ms_alchemy_ru", "ru", None),
    ("ms_alchemy_ru", "en2ru", None),
    ("ms_partner_faq_ru", "ru", None),
    ("yandex_billing", "ru", Some(Language::Ru)),
    ("yandex_billing", "en", Some(Language::En)),
    ("yandex_billing", "en2ru", Some(Language::Ru)),
    ("yandex_billing", "ru2en", Some(Language::En)),
    ("tau2_bank_en", "title", None),
    ("bitext_en_share_alike", "en", None),
];

/// How many articles are asked for.
const MOST: usize = 5;
/// Candidates of each leg, as the product asks for.
const CANDIDATES: usize = 50;

/// Weights to choose from.
const MEANINGS: &[f32] = &[20.0, 30.0, 40.0, 50.0, 60.0, 80.0];
const FOREIGN: &[f32] = &[1.0, 0.5, 0.25, 0.1, 0.0];

#[derive(Deserialize)]
struct Document {
    id: String,
    lang: Language,
    text: String,
}

#[derive(Deserialize)]
struct Asked {
    id: String,
    text: String,
}

/// A track's questions with what was found for them.
struct Track {
    set: &'static str,
    name: &'static str,
    /// The questions are in another language than the articles.
    foreign: bool,
    answers: Vec<Answered>,
}

struct Answered {
    /// Articles by the product's own search.
    found: Vec<bool>,
    /// Every candidate's scores, and whether it is right.
    candidates: Vec<(Legs, bool)>,
}

#[tokio::main]
async fn main() {
    let Some(data) = env::var_os("FIRSTLINE_DATA_DIR").map(|dir| PathBuf::from(dir).join("faq")) else {
        println!("{} tracks skipped: FIRSTLINE_DATA_DIR is not set", TRACKS.len());
        return;
    };
    let embedder = Remembering { embedder: embedder(), vectors: Mutex::default() };
    println!("embedder: {}", embedder.fingerprint().model);
    let only = env::var("FIRSTLINE_TRACKS").unwrap_or_default();
    let mut tracks = Vec::new();
    for (set, track, language) in TRACKS.iter().filter(|(set, ..)| only.split(',').any(|part| set.contains(part))) {
        tracks.push(measure(&data, set, track, *language, &embedder).await);
    }
    println!(
        "\n{:<22} {:<6} {:>5} {:>15} {:>15} {:>15}  hit@5 of both",
        "set", "track", "cases", "words", "meaning", "both"
    );
    for track in &tracks {
        let words = track.hits(|answered, most| answered.hit(most, |legs| legs.words, |legs| legs.words > 0.0));
        let meaning = track.hits(|answered, most| {
            answered.hit(most, |legs| legs.meaning.unwrap_or(-1.0), |legs| legs.meaning.is_some())
        });
        let both = track.hits(|answered, most| answered.found.iter().take(most).any(|right| *right));
        let (low, high) = wilson(both.1, track.answers.len());
        println!(
            "{:<22} {:<6} {:>5} {} {} {}  {low:.3} to {high:.3}",
            track.set,
            track.name,
            track.answers.len(),
            track.shown(words),
            track.shown(meaning),
            track.shown(both)
        );
    }
    leave_one_out(&tracks);
}

/// Tracks of one set share its articles, and each is worth embedding once.
struct Remembering {
    embedder: Box<dyn Embedder>,
    vectors: Mutex<HashMap<(EmbedRole, String), Vec<f32>>>,
}

#[async_trait]
impl Embedder for Remembering {
    async fn embed(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
        let key = |text: &String| (role, text.clone());
        let new: Vec<String> = {
            let known = self.vectors.lock().expect("nobody panics with the vectors in hand");
            texts.iter().filter(|text| !known.contains_key(&key(text))).cloned().collect()
        };
        let vectors = self.embedder.embed(&new, role).await?;
        let mut known = self.vectors.lock().expect("nobody panics with the vectors in hand");
        known.extend(new.iter().map(key).zip(vectors));
        Ok(texts.iter().filter_map(|text| known.get(&key(text)).cloned()).collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        self.embedder.fingerprint()
    }
}

async fn measure(
    data: &Path,
    set: &'static str,
    name: &'static str,
    language: Option<Language>,
    embedder: &dyn Embedder,
) -> Track {
    let dir = data.join(set);
    let documents: Vec<Document> = lines(&dir.join("corpus.jsonl"));
    let articles = documents.into_iter().filter(|it| language.is_none_or(|language| it.lang == language)).map(article);
    let asked: Vec<Asked> = lines(&dir.join(format!("queries_{name}.jsonl")));
    let right = right_articles(&dir.join(format!("qrels_{name}.tsv")));
    let place = tempfile::tempdir().expect("a temporary directory");
    let articles: Vec<Article> = articles.collect();
    let (index, _) = EdgeIndex::open(place.path(), Some(embedder.fingerprint())).await.expect("an index");
    let knowledge = KnowledgeBase::default();
    let late = knowledge.sync(&index, Some(embedder), articles).await.expect("articles are indexed");
    assert_eq!(late, 0, "the embedder failed");
    let mut answers = Vec::new();
    for Asked { id, text } in asked {
        let Some(right) = right.get(&id) else { continue };
        let is_right = |article: &str| article.split_once('/').is_some_and(|(_, id)| right.contains(id));
        let found = knowledge.search(&index, Some(embedder), &text, None, MOST).await.expect("a search");
        let found = found.iter().map(|section| is_right(&section.article)).collect();
        let dense = embedder.embed(std::slice::from_ref(&text), EmbedRole::Query).await.expect("a vector").pop();
        let query = Query { scope: Scope::Knowledge(None), text, dense, limit: CANDIDATES };
        let hits = index.search(query).await.expect("a search");
        let candidates = hits.iter().map(|hit| {
            let article = hit.payload["article"].as_str().unwrap_or_default();
            (Legs { words: hit.words, meaning: hit.meaning }, is_right(article))
        });
        answers.push(Answered { found, candidates: candidates.collect() });
    }
    index.close().await.expect("the index closes");
    println!("{set} {name}: {} questions", answers.len());
    let foreign = name.contains('2');
    Track { set, name, foreign, answers }
}

/// The sets have no titles, because the titles are the questions.
fn article(document: Document) -> Article {
    Article {
        id: document.id,
        file: PathBuf::new(),
        title: String::new(),
        language: document.lang,
        tags: Vec::new(),
        questions: Vec::new(),
        updated: jiff::civil::Date::constant(2026, 1, 1),
        sections: vec![Section { heading: String::new(), text: document.text }],
    }
}

fn lines<T: for<'a> Deserialize<'a>>(path: &Path) -> Vec<T> {
    let text = fs::read_to_string(path).expect("the set is there");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of the set")).collect()
}

fn right_articles(path: &Path) -> HashMap<String, HashSet<String>> {
    let mut right: HashMap<String, HashSet<String>> = HashMap::new();
    for line in fs::read_to_string(path).expect("the set is there").lines().skip(1) {
        let mut fields = line.split('\t').map(str::to_owned);
        if let (Some(question), Some(article)) = (fields.next(), fields.next()) {
            right.entry(question).or_default().insert(article);
        }
    }
    right
}

impl Answered {
    /// Whether a right article is among the first `most` by `score`, of those that the leg has found.
    fn hit(&self, most: usize, score: impl Fn(&Legs) -> f32, has: impl Fn(&Legs) -> bool) -> bool {
        let mut ranking: Vec<(f32, bool)> =
            self.candidates.iter().filter(|(legs, _)| has(legs)).map(|(legs, right)| (score(legs), *right)).collect();
        ranking.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranking.iter().take(most).any(|(_, right)| *right)
    }

    fn fused_hit(&self, most: usize, foreign: bool, weights: Weights) -> bool {
        let legs: Vec<Legs> = self.candidates.iter().map(|(legs, _)| *legs).collect();
        fusion::ranking(&legs, foreign, weights).iter().take(most).any(|(place, _)| self.candidates[*place].1)
    }
}

impl Track {
    /// Questions with a right article first, and among the first five.
    fn hits(&self, hit: impl Fn(&Answered, usize) -> bool) -> (usize, usize) {
        let count = |most| self.answers.iter().filter(|answered| hit(answered, most)).count();
        (count(1), count(5))
    }

    fn shown(&self, (first, five): (usize, usize)) -> String {
        format!("  {:.3} / {:.3}", share(first, self.answers.len()), share(five, self.answers.len()))
    }

    /// The square of the standard error of how much more `a` finds among the first five than `b`.
    fn variance_of_difference(&self, a: Weights, b: Weights) -> f64 {
        let hit = |answered: &Answered, weights| f64::from(u8::from(answered.fused_hit(5, self.foreign, weights)));
        let differences: Vec<f64> = self.answers.iter().map(|answered| hit(answered, a) - hit(answered, b)).collect();
        let number = count(differences.len());
        let mean = differences.iter().sum::<f64>() / number;
        differences.iter().map(|difference| (difference - mean).powi(2)).sum::<f64>() / number / number
    }

    fn share_at_five(&self, weights: Weights) -> f64 {
        share(self.fused(weights).1, self.answers.len())
    }

    fn fused(&self, weights: Weights) -> (usize, usize) {
        self.hits(|answered, most| answered.fused_hit(most, self.foreign, weights))
    }
}

/// For each set: the weights that the others choose, and what they find in the one left out.
fn leave_one_out(tracks: &[Track]) {
    let grid: Vec<Weights> = MEANINGS
        .iter()
        .flat_map(|meaning| {
            FOREIGN.iter().map(|words| Weights { meaning: *meaning, foreign_words: *words, ..Weights::E5 })
        })
        .collect();
    let mut sets: Vec<&str> = tracks.iter().map(|track| track.set).collect();
    sets.dedup();
    println!(
        "\nset left out: weights that the others choose (meaning, foreign words), what they find in it (hit@1 / hit@5)"
    );
    for out in &sets {
        let others: Vec<&Track> = tracks.iter().filter(|track| track.set != *out).collect();
        let Some(chosen) = chosen(&grid, &others) else { return };
        print!("{out:<22} {:>5} {:>4}:", chosen.meaning, chosen.foreign_words);
        for track in tracks.iter().filter(|track| track.set == *out) {
            print!(" {}{}", track.name, track.shown(track.fused(chosen)));
        }
        println!();
    }
    let all: Vec<&Track> = tracks.iter().collect();
    if let Some(Weights { meaning, foreign_words, .. }) = chosen(&grid, &all) {
        println!("{:<22} {meaning:>5} {foreign_words:>4}", "none");
    }
    println!("\nhit@5 by weights (meaning, foreign words)");
    for weights in grid {
        print!("{:>5} {:>4}", weights.meaning, weights.foreign_words);
        for track in tracks {
            print!("  {:.3}", track.share_at_five(weights));
        }
        println!();
    }
}

/// By the rule of one standard error: of the weights that can't be told from the best, asked the same questions, those that
/// lean most on words. Tracks count alike, however many questions they have.
fn chosen(grid: &[Weights], tracks: &[&Track]) -> Option<Weights> {
    let sum = |weights: &Weights| -> f64 { tracks.iter().map(|track| track.share_at_five(*weights)).sum() };
    let best = grid.iter().copied().max_by(|a, b| sum(a).total_cmp(&sum(b)))?;
    let is_as_good = |weights: &Weights| {
        let variance: f64 = tracks.iter().map(|track| track.variance_of_difference(best, *weights)).sum();
        sum(&best) - sum(weights) <= variance.sqrt()
    };
    let good = grid.iter().copied().filter(is_as_good);
    good.min_by(|a, b| a.meaning.total_cmp(&b.meaning).then(a.foreign_words.total_cmp(&b.foreign_words)))
}

/// Wilson's 95 % interval of a share.
fn wilson(part: usize, whole: usize) -> (f64, f64) {
    const Z: f64 = 1.96;
    let count = count(whole.max(1));
    let share = share(part, whole);
    let middle = share + Z * Z / (2.0 * count);
    let half = Z * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
    let scale = 1.0 + Z * Z / count;
    ((middle - half) / scale, (middle + half) / scale)
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred questions")]
fn count(number: usize) -> f64 {
    number as f64
}
