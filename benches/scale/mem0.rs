//! The same memories and questions given to mem0, with the Qdrant that its Python client has inside and without a model.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use comfy_table::Table;
use firstline::adapters::qdrant::EdgeIndex;
use firstline::ports::index::{Point, Query, Scope, SearchIndex, Shelf};
use serde_json::{Value, json};

use super::memories::{Memories, fingerprint};
use super::{PORTION, load};

const MEMORIES: usize = 10_000;
const SEARCHES: usize = 200;

/// Adds and searches what lies in its directory, vectors included; prints seconds for one of each.
const PYTHON: &str = r#"
import json, os, sys, time
place = sys.argv[1]
os.environ.update(MEM0_TELEMETRY="False", MEM0_DIR=place + "/mem0", OPENAI_API_KEY="none")
import numpy
from mem0 import Memory
lines = [json.loads(line) for line in open(place + "/lines.jsonl")]
vectors = numpy.fromfile(place + "/vectors.f32", dtype="float32").reshape(len(lines), -1)
store = {"path": place + "/qdrant", "on_disk": True, "embedding_model_dims": vectors.shape[1], "collection_name": "memories"}
memory = Memory.from_config({"vector_store": {"provider": "qdrant", "config": store}, "history_db_path": place + "/history.db"})
class Given:
    config = memory.embedding_model.config
    def embed(self, text, action=None):
        return self.vector
    def embed_batch(self, texts, action=None):
        return [self.vector for _ in texts]
given = memory.embedding_model = Given()
spent = {"add": [], "search": []}
for line, vector in zip(lines, vectors):
    given.vector = vector.tolist()
    begun = time.perf_counter()
    if line["work"] == "add":
        memory.add(line["text"], user_id=line["customer"], infer=False)
    else:
        memory.search(line["text"], filters={"user_id": line["customer"]}, top_k=10, threshold=0.0)
    spent[line["work"]].append(time.perf_counter() - begun)
print(json.dumps({work: sum(times) / len(times) for work, times in spent.items()}))
"#;

/// Prints both, and how many times faster we are; says so where there is no mem0.
pub(crate) async fn compare(python: &str) {
    let has_mem0 = Command::new(python).args(["-c", "import mem0"]).output().is_ok_and(|run| run.status.success());
    if !has_mem0 {
        println!("mem0 skipped: {python} has no package mem0ai (FIRSTLINE_PYTHON names another Python)");
        return;
    }
    println!("load before: {}", load());
    let memories = Memories::of(MEMORIES);
    // A fact has no words around it, as a memory of mem0 has none; an exchange has.
    let (fact, search) = ours(&memories, |point| Point { around: None, ..point }).await;
    let (exchange, _) = ours(&memories, |point| point).await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    write(&memories, dir.path());
    let run = Command::new(python).args(["-c", PYTHON]).arg(dir.path()).output().expect("Python runs");
    let told: Value = serde_json::from_slice(&run.stdout)
        .unwrap_or_else(|_| panic!("mem0 failed: {}", String::from_utf8_lossy(&run.stderr)));
    println!("load after:  {}", load());
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["10,000 memories of 100 customers", "ours ms", "mem0 ms", "times faster"]);
    for (what, work, ours) in
        [("add a fact", "add", fact), ("add an exchange", "add", exchange), ("search", "search", search)]
    {
        let (ours, theirs) = (ours.as_secs_f64() * 1e3, told[work].as_f64().unwrap_or_default() * 1e3);
        table.add_row([what.to_owned(), format!("{ours:.3}"), format!("{theirs:.3}"), format!("{:.0}", theirs / ours)]);
    }
    println!("\n{table}");
}

/// Time for one memory added, in the product's portions and each made to survive a power cut, and for one search.
async fn ours(memories: &Memories, of_kind: impl Fn(Point) -> Point) -> (Duration, Duration) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (index, _) = EdgeIndex::open(dir.path(), Some(fingerprint())).await.expect("an index");
    let mut points: Vec<Point> = (0..MEMORIES).map(|number| of_kind(memories.point(number))).collect();
    let begun = Instant::now();
    while !points.is_empty() {
        let rest = points.split_off(points.len().min(PORTION));
        index.upsert(Shelf::Memory, std::mem::replace(&mut points, rest)).await.expect("memories are written");
        index.flush().await.expect("and stay");
    }
    let adding = begun.elapsed();
    let questions: Vec<Query> = (0..SEARCHES).map(|number| memories.query(number)).collect();
    let begun = Instant::now();
    for query in questions {
        assert!(!index.search(query).await.expect("the index answers").is_empty());
    }
    let searching = begun.elapsed();
    index.close().await.expect("the index closes");
    (adding / u32::try_from(MEMORIES).expect("few"), searching / u32::try_from(SEARCHES).expect("few"))
}

/// The work as lines, and its vectors beside.
fn write(memories: &Memories, dir: &Path) {
    let adds = (0..MEMORIES).map(|number| {
        let Point { customer, text, dense, .. } = memories.point(number);
        ("add", customer, text, dense)
    });
    let searches = (0..SEARCHES).map(|number| {
        let Query { scope, text, dense, .. } = memories.query(number);
        let Scope::Customer(customer) = scope else { unreachable!("questions are asked of a customer's memory") };
        ("search", Some(customer), text, dense)
    });
    let (mut lines, mut vectors) = (String::new(), Vec::new());
    for (work, customer, text, dense) in adds.chain(searches) {
        let customer = customer.map(|customer| customer.to_string());
        lines.push_str(&json!({ "work": work, "customer": customer, "text": text }).to_string());
        lines.push('\n');
        vectors.extend(dense.into_iter().flatten().flat_map(f32::to_le_bytes));
    }
    fs::write(dir.join("lines.jsonl"), lines).expect("the work is written");
    fs::write(dir.join("vectors.f32"), vectors).expect("and its vectors");
}
