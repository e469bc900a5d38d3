//! Memories without number, the same in every process: their texts are the demo articles' words in their own frequencies.

use firstline::adapters::articles::read_articles;
use firstline::config::Config;
use firstline::domain::id::{CustomerId, Ids};
use firstline::domain::text::Language;
use firstline::engine::words::words;
use firstline::ports::index::{Point, Query, Scope};
use firstline::ports::model::Fingerprint;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use uuid::Uuid;

/// As long as the embedded encoder's vectors.
const DIMENSIONS: usize = 384;

/// Memories of one customer.
const EACH: usize = 100;

/// Candidates of each leg, as the product asks for.
const CANDIDATES: usize = 100;

/// The embedder that the vectors pass for.
pub(crate) fn fingerprint() -> Fingerprint {
    Fingerprint { model: "given".to_owned(), dimensions: DIMENSIONS }
}

/// So many memories.
pub(crate) struct Memories {
    customers: Vec<CustomerId>,
    words: Vec<String>,
}

impl Memories {
    pub(crate) fn of(number: usize) -> Self {
        let ids = Ids::seeded(7);
        let customers = (0..number.div_ceil(EACH)).map(|_| CustomerId::fresh(&ids, Timestamp::UNIX_EPOCH));
        let articles = read_articles(&Config::defaults().knowledge.dir).expect("the demo's articles");
        let sections = articles.iter().flat_map(|article| &article.sections);
        Self { customers: customers.collect(), words: sections.flat_map(|section| words(&section.text)).collect() }
    }

    /// The memory of this number: customers take turns, as they do in life.
    pub(crate) fn point(&self, number: usize) -> Point {
        let mut chance = StdRng::seed_from_u64(number as u64);
        let text = self.text(&mut chance, 20);
        let around = format!("{text} {}", self.text(&mut chance, 60));
        Point {
            id: Uuid::from_u128(number as u128 + 1),
            customer: Some(self.customers[number % self.customers.len()]),
            language: Language::Ru,
            text,
            around: Some(around),
            dense: Some(vector(&mut chance)),
            payload: json!({ "unit": Uuid::from_u128(number as u128), "kind": "exchange", "at": number }),
        }
    }

    /// The question of this number, of a customer at random.
    pub(crate) fn query(&self, number: usize) -> Query {
        let mut chance = StdRng::seed_from_u64(!(number as u64));
        let customer = self.customers[chance.random_range(0..self.customers.len())];
        let text = self.text(&mut chance, 6);
        Query { scope: Scope::Customer(customer), text, dense: Some(vector(&mut chance)), limit: CANDIDATES }
    }

    /// About so many words.
    fn text(&self, chance: &mut StdRng, about: usize) -> String {
        let number = chance.random_range(about / 2..about * 3 / 2);
        let words = (0..number).map(|_| self.words[chance.random_range(0..self.words.len())].as_str());
        words.collect::<Vec<_>>().join(" ")
    }
}

fn vector(chance: &mut StdRng) -> Vec<f32> {
    (0..DIMENSIONS).map(|_| chance.random_range(-1.0..1.0)).collect()
}
