//! How well questions find the messages that answer them, through the product's own index, keys and ranking: on support
//! histories of our own, which lie in `eval/memory/histories`, and on LoCoMo (protocol LRE-v1).
//!
//! `cargo bench --bench recall`. LoCoMo is measured where `memory/locomo/locomo10.json` lies in `FIRSTLINE_DATA_DIR`, and
//! skipped and counted elsewhere. The embedder is the embedded one, or that at `FIRSTLINE_EMBEDDER_URL`
//! (`FIRSTLINE_EMBEDDER_NAME`, `FIRSTLINE_EMBEDDER_DIMENSIONS`, default `e5` with 384), asked with `query: ` and
//! `passage: `. Vectors are kept in the target directory, by what they are of.
//!
//! Every conversation is a customer and every message a memory.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "figures are for people, and a bench has no settings"
)]

mod histories;
mod locomo;
mod measure;

#[path = "../support/embedder.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use firstline::adapters::qdrant::EdgeIndex;
use firstline::domain::id::{CustomerId, Ids};
use firstline::domain::text::Language;
use firstline::engine::fusion::Weights;
use firstline::engine::recall::{self, Candidate};
use firstline::engine::words::{is_stop_word, words};
use firstline::eval::histories::{Keys, Kind};
use firstline::flow::indexing::MEMORY_CANDIDATES;
use firstline::ports::index::{Hit, Point, Query, Scope, SearchIndex, Shelf};
use firstline::ports::model::{EmbedRole, Embedder};
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rust_stemmers::{Algorithm, Stemmer};
use sha2::{Digest, Sha256};
use support::embedder;
use uuid::Uuid;

/// One conversation, with what is asked of it.
struct Conversation {
    /// The number in its name.
    number: u32,
    language: Language,
    turns: Vec<Turn>,
    /// Sentences about it, each with the turns it was read out of.
    facts: Vec<(String, Vec<usize>)>,
    questions: Vec<Question>,
}

struct Turn {
    keys: Keys,
    /// In the form in which a prompt would hold it.
    tokens: usize,
}

struct Question {
    text: String,
    /// Turns that answer it.
    gold: BTreeSet<usize>,
    /// What makes it hard, where the set says so.
    kind: Option<Kind>,
}

/// What one way of searching found: for every question of every conversation, all turns, best first.
type Rankings = Vec<Vec<Vec<usize>>>;
/// For every question of every conversation, what the legs say.
type Candidates = Vec<Vec<Vec<Candidate<usize>>>>;

#[tokio::main]
async fn main() {
    let embedder = embedder();
    let fingerprint = embedder.fingerprint();
    println!("embedder {}", fingerprint.model);
    let mut vectors = Vectors::open(&*embedder);
    let weights = Weights::of(&fingerprint.model);
    histories::run(&mut vectors, weights).await;
    locomo::run(&mut vectors, weights).await;
}

/// The vectors of an embedder, kept in a file: each is worth making once.
struct Vectors<'a> {
    embedder: &'a dyn Embedder,
    file: File,
    known: HashMap<[u8; 32], Vec<f32>>,
    /// How many were not in the file.
    made: usize,
}

impl<'a> Vectors<'a> {
    /// Texts embedded at a time.
    const BATCH: usize = 64;
    /// So many new ones are told of: they take their time.
    const TOLD: usize = 1000;

    fn open(embedder: &'a dyn Embedder) -> Self {
        let fingerprint = embedder.fingerprint();
        let name = Uuid::new_v5(&Uuid::NAMESPACE_URL, fingerprint.model.as_bytes());
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("recall-{name}-{}.vectors", fingerprint.dimensions));
        let record = 32 + 4 * fingerprint.dimensions;
        let mut bytes = fs::read(&path).unwrap_or_default();
        // An interrupted run leaves part of a record.
        bytes.truncate(bytes.len() / record * record);
        let known = bytes.chunks_exact(record).map(|record| {
            let (key, vector) = record.split_at(32);
            let vector = vector.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            (key.try_into().expect("32 bytes"), vector)
        });
        let known = known.collect();
        let file = OpenOptions::new().create(true).append(true).open(path).expect("the target directory is writable");
        file.set_len(bytes.len() as u64).expect("the file can be cut");
        Self { embedder, file, known, made: 0 }
    }

    async fn of(&mut self, texts: &[String], role: EmbedRole) -> Vec<Vec<f32>> {
        let key = |text: &String| -> [u8; 32] { Sha256::digest(format!("{role:?}\n{text}")).into() };
        let new: BTreeSet<&String> = texts.iter().filter(|text| !self.known.contains_key(&key(text))).collect();
        let new: Vec<String> = new.into_iter().cloned().collect();
        for batch in new.chunks(Self::BATCH) {
            for (text, vector) in batch.iter().zip(self.embedder.embed(batch, role).await.expect("vectors")) {
                let bytes = vector.iter().flat_map(|value| value.to_le_bytes());
                let record: Vec<u8> = key(text).into_iter().chain(bytes).collect();
                self.file.write_all(&record).expect("the target directory is writable");
                self.known.insert(key(text), vector);
                self.made += 1;
                if self.made.is_multiple_of(Self::TOLD) {
                    eprintln!("{} new texts embedded", self.made);
                }
            }
        }
        texts.iter().map(|text| self.known[&key(text)].clone()).collect()
    }
}

/// Searches for every question, by words alone and by all legs.
async fn search(conversations: &[Conversation], vectors: &mut Vectors<'_>, facts: bool) -> (Candidates, Candidates) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let (index, _) = EdgeIndex::open(place.path(), Some(vectors.embedder.fingerprint())).await.expect("an index");
    let ids = Ids::seeded(1);
    let mut customers = Vec::new();
    for conversation in conversations {
        let customer = CustomerId::fresh(&ids, Timestamp::UNIX_EPOCH);
        let mut points: Vec<(Point, String)> = conversation.turns(customer).collect();
        if facts {
            points.extend(conversation.facts(customer));
        }
        let (mut points, meant): (Vec<Point>, Vec<String>) = points.into_iter().unzip();
        for (point, vector) in points.iter_mut().zip(vectors.of(&meant, EmbedRole::Passage).await) {
            point.dense = Some(vector);
        }
        index.upsert(Shelf::Memory, points).await.expect("points are written");
        customers.push(customer);
    }
    let (mut words, mut all) = (Vec::new(), Vec::new());
    for (conversation, customer) in conversations.iter().zip(customers) {
        let texts: Vec<String> = conversation.questions.iter().map(|question| question.text.clone()).collect();
        let (mut by_words, mut by_all) = (Vec::new(), Vec::new());
        for (text, dense) in texts.iter().zip(vectors.of(&texts, EmbedRole::Query).await) {
            let scope = Scope::Customer(customer);
            let query = Query { scope, text: text.clone(), dense: None, limit: MEMORY_CANDIDATES };
            by_words.push(candidates(index.search(query.clone()).await.expect("a search")));
            by_all.push(candidates(index.search(Query { dense: Some(dense), ..query }).await.expect("a search")));
        }
        words.push(by_words);
        all.push(by_all);
    }
    index.close().await.expect("the index closes");
    (words, all)
}

/// A fact of several turns is a key of each.
fn candidates(hits: Vec<Hit>) -> Vec<Candidate<usize>> {
    let of = |hit: Hit| {
        let turns: Vec<usize> = serde_json::from_value(hit.payload.clone()).expect("our own payload");
        let (words, around, meaning) = (hit.words, hit.around, hit.meaning);
        turns.into_iter().map(move |memory| Candidate { memory, words, around, meaning, fading: None })
    };
    hits.into_iter().flat_map(of).collect()
}

fn rankings(conversations: &[Conversation], candidates: &Candidates, weights: Weights) -> Rankings {
    let all = conversations.iter().zip(candidates).map(|(conversation, asked)| {
        let each = asked.iter().enumerate().map(|(number, candidates)| {
            let ranking = recall::ranking(candidates, Timestamp::UNIX_EPOCH, weights);
            conversation.whole(number, ranking.into_iter().map(|(turn, _)| turn))
        });
        each.collect()
    });
    all.collect()
}

impl Conversation {
    fn turns(&self, customer: CustomerId) -> impl Iterator<Item = (Point, String)> {
        self.turns.iter().enumerate().map(move |(place, turn)| {
            let Keys { text, around, meant } = turn.keys.clone();
            (self.point(customer, &format!("turn {place}"), text, Some(around), &[place]), meant)
        })
    }

    fn facts(&self, customer: CustomerId) -> impl Iterator<Item = (Point, String)> {
        self.facts.iter().enumerate().map(move |(number, (sentence, turns))| {
            (self.point(customer, &format!("fact {number}"), sentence.clone(), None, turns), sentence.clone())
        })
    }

    fn point(&self, customer: CustomerId, name: &str, text: String, around: Option<String>, turns: &[usize]) -> Point {
        let id = Uuid::new_v5(&customer.uuid(), name.as_bytes());
        let payload = serde_json::to_value(turns).expect("numbers are JSON");
        Point { id, customer: Some(customer), language: self.language, text, around, dense: None, payload }
    }

    /// The ranking of question `number`, and after it the turns that it leaves out.
    fn whole(&self, number: usize, ranking: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut whole: Vec<usize> = ranking.collect();
        let found: BTreeSet<usize> = whole.iter().copied().collect();
        whole.extend(self.shuffled(number).into_iter().filter(|turn| !found.contains(turn)));
        whole
    }

    /// All turns in an order that says nothing, the same for every run. What a run does not find must not come in the
    /// order of time: what matters for long is said early, and would be found by finding nothing.
    fn shuffled(&self, number: usize) -> Vec<usize> {
        let mut turns: Vec<usize> = (0..self.turns.len()).collect();
        turns.shuffle(&mut StdRng::seed_from_u64(number as u64));
        turns
    }

    /// BM25 as the reference's line to beat: stems of the conversation's language without stop words, one conversation's
    /// own statistics.
    fn by_stems(&self) -> Vec<Vec<usize>> {
        const K: f64 = 1.2;
        const B: f64 = 0.75;
        let documents: Vec<Vec<String>> =
            self.turns.iter().map(|turn| stems(self.language, &turn.keys.meant)).collect();
        let all = documents.len() as f64;
        let usual = documents.iter().map(Vec::len).sum::<usize>() as f64 / all;
        let mut occurs: BTreeMap<&str, BTreeMap<usize, f64>> = BTreeMap::new();
        for (place, document) in documents.iter().enumerate() {
            for stem in document {
                *occurs.entry(stem).or_default().entry(place).or_default() += 1.0;
            }
        }
        let ranking = |(number, question): (usize, &Question)| {
            let mut scores = vec![0.0_f64; documents.len()];
            for stem in stems(self.language, &question.text) {
                let Some(places) = occurs.get(stem.as_str()) else { continue };
                let with = places.len() as f64;
                let rare = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
                for (place, times) in places {
                    let length = documents[*place].len() as f64 / usual;
                    scores[*place] += rare * times * (K + 1.0) / (times + K * (1.0 - B + B * length));
                }
            }
            let mut ranking = self.shuffled(number);
            ranking.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
            ranking
        };
        self.questions.iter().enumerate().map(ranking).collect()
    }
}

/// The reference's.
#[rustfmt::skip]
const STOP_WORDS: &str = " a an the and or but if of to in on at by for with about from as is are was were be been being am \
    do does did doing have has had having i me my we our you your he him his she her it its they them their this that \
    these those what which who whom whose when where why how can could would should will shall may might must not no nor \
    so than too very just s t d ll m re ve ";

fn stems(language: Language, text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let (stemmer, words): (Stemmer, Vec<String>) = match language {
        Language::Ru => (Stemmer::create(Algorithm::Russian), words(&lower)),
        Language::En => {
            let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            (Stemmer::create(Algorithm::English), words.map(str::to_owned).collect())
        }
    };
    let says_nothing = |word: &str| match language {
        Language::Ru => is_stop_word(word),
        Language::En => STOP_WORDS.contains(&format!(" {word} ")),
    };
    words.iter().filter(|word| !says_nothing(word)).map(|word| stemmer.stem(word).into_owned()).collect()
}

/// Four characters are a token, by the protocol.
fn tokens(text: &str) -> usize {
    let letters = text.chars().count();
    let whole = letters / 4;
    // The nearest number, of two as near the even one.
    let rounded = match letters % 4 {
        0 | 1 => whole,
        2 => whole + whole % 2,
        _ => whole + 1,
    };
    rounded.max(1)
}
