//! The files of the embedded index: what survives, what is noticed, what is deleted.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use firstline::adapters::qdrant::{EdgeIndex, Opened};
use firstline::domain::id::CustomerId;
use firstline::ports::index::{IndexError, Point, Query, Scope, SearchIndex, Shelf};
use firstline::ports::model::Fingerprint;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::contract::{ask, customers, fingerprint, found, id, knowledge, memory};

async fn open(dir: &Path) -> (EdgeIndex, Opened) {
    EdgeIndex::open(dir, Some(fingerprint())).await.unwrap()
}

/// A directory in memory, where there is one: on a disk, making writes durable takes most of the time.
pub(crate) fn temporary() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn with_vector(point: Point) -> Point {
    let around = Some(format!("{} beside", point.text));
    Point { dense: Some(vec![0.6, 0.8]), around, ..point }
}

/// An index of a hundred points and one more, closed.
async fn filled(dir: &Path) {
    let (index, opened) = open(dir).await;
    assert_eq!(opened, Opened::Fresh("there was none".to_owned()));
    let [anna, _] = customers();
    let points = (0..100).map(|number| with_vector(memory(number, anna, &format!("plate {number}")))).collect();
    index.upsert(Shelf::Memory, points).await.unwrap();
    // A second write of the same points: their numbers are above those of a log that starts anew.
    let again = (0..100).map(|number| with_vector(memory(number, anna, &format!("cup {number}")))).collect();
    index.upsert(Shelf::Memory, again).await.unwrap();
    index.upsert(Shelf::Knowledge, vec![with_vector(knowledge(1, "lamp"))]).await.unwrap();
    index.close().await.unwrap();
}

/// Everything of [`filled`] is there and can be changed.
async fn check_filled(index: &EdgeIndex, what: &str) -> Result<(), IndexError> {
    let [anna, _] = customers();
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 100, "{what}");
    let mut ids = index.ids(Shelf::Memory).await.unwrap();
    ids.sort();
    assert_eq!(ids, (0..100).map(id).collect::<Vec<_>>(), "{what}");
    assert_eq!(found(index, ask(Scope::Customer(anna), "cups 42")).await[0], 42, "{what}");
    assert_eq!(found(index, ask(Scope::Knowledge(None), "lamps")).await, [1], "{what}");
    let dense = Query { dense: Some(vec![1.0, 0.0]), ..ask(Scope::Customer(anna), "") };
    assert_eq!(found(index, dense).await.len(), 10, "{what}");
    check_usable(index, anna, what).await
}

async fn check_usable(index: &EdgeIndex, anna: CustomerId, what: &str) -> Result<(), IndexError> {
    for number in [7, 500] {
        index.upsert(Shelf::Memory, vec![with_vector(memory(number, anna, "teapot"))]).await?;
    }
    index.upsert(Shelf::Knowledge, vec![with_vector(knowledge(1, "curtain"))]).await?;
    assert_eq!(found(index, ask(Scope::Customer(anna), "teapots")).await, [7, 500], "{what}");
    assert_eq!(found(index, ask(Scope::Knowledge(None), "curtains")).await, [1], "{what}");
    index.flush().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_are_kept_and_opening_is_quick() {
    // On the disk, because of the times.
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    let started = Instant::now();
    let (index, opened) = open(dir.path()).await;
    println!("opening 101 points took {:?}", started.elapsed());
    assert_eq!(opened, Opened::Existing);
    let build = index.name().to_owned();
    check_filled(&index, "reopened").await.unwrap();
    let mut flushing = Duration::ZERO;
    for _ in 0..10 {
        index.upsert(Shelf::Memory, vec![memory(7, customers()[0], "teapot")]).await.unwrap();
        let started = Instant::now();
        index.flush().await.unwrap();
        flushing += started.elapsed();
    }
    println!("a flush took {:?}", flushing / 10);
    index.close().await.unwrap();
    println!("the files take {} KiB of the disk", kib(dir.path()));
    assert!(kib(dir.path()) < 12 * 1024);
    let (index, _) = open(dir.path()).await;
    assert_eq!(index.name(), build);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_embedder_or_version_builds_the_index_anew() {
    let dir = temporary();
    filled(dir.path()).await;
    let (index, opened) = EdgeIndex::open(dir.path(), None).await.unwrap();
    assert_eq!(opened, Opened::Fresh("it was made with hand-made with 2 dimensions, not no embedder".to_owned()));
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 0);
    let [anna, _] = customers();
    index.upsert(Shelf::Memory, vec![memory(1, anna, "cup")]).await.unwrap();
    assert_eq!(found(&index, ask(Scope::Customer(anna), "cups")).await, [1]);
    let vector = Query { dense: Some(vec![1.0, 0.0]), ..ask(Scope::Customer(anna), "cup") };
    assert!(matches!(index.search(vector).await, Err(IndexError::Refused(_))));
    let first_build = index.name().to_owned();
    index.close().await.unwrap();

    let other = Fingerprint { model: "another".to_owned(), dimensions: 3 };
    let (index, opened) = EdgeIndex::open(dir.path(), Some(other)).await.unwrap();
    assert!(matches!(opened, Opened::Fresh(why) if why.contains("another with 3 dimensions")));
    assert_ne!(index.name(), first_build);
    index.close().await.unwrap();

    let manifest = dir.path().join("manifest.json");
    let mut told: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    told["version"] = 0.into();
    fs::write(&manifest, told.to_string()).unwrap();
    let (_, opened) = open(dir.path()).await;
    assert!(matches!(opened, Opened::Fresh(why) if why.contains("version 0")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_opening_is_refused_and_harms_nothing() {
    let dir = temporary();
    filled(dir.path()).await;
    let (index, _) = open(dir.path()).await;
    for embedder in [Some(fingerprint()), None] {
        let error = EdgeIndex::open(dir.path(), embedder).await.unwrap_err();
        assert!(error.to_string().contains("another process"), "{error}");
    }
    check_filled(&index, "after the second opening").await.unwrap();
    drop(index);
    assert_eq!(open(dir.path()).await.1, Opened::Existing);
}

/// What a disk, a backup or a person can do to a file.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Truncate,
    Halve,
    Garble,
    Delete,
}

impl Harm {
    const ALL: [Harm; 4] = [Harm::Truncate, Harm::Halve, Harm::Garble, Harm::Delete];
}

fn harm(dir: &Path, content: &Content, harm: Harm) {
    let file = dir.join(&content.name);
    let set_len = |length| fs::File::options().write(true).open(&file).unwrap().set_len(length).unwrap();
    match harm {
        Harm::Truncate => set_len(0),
        Harm::Halve => set_len(content.length / 2),
        Harm::Garble => fs::write(&file, vec![0xa5; content.bytes.len() + 64]).unwrap(),
        Harm::Delete => fs::remove_file(file).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_a_file_the_index_opens_and_works() {
    let original = temporary();
    filled(original.path()).await;
    let contents = contents(original.path());
    assert!(contents.len() > 20);
    let (mut outcomes, mut faults) = (Vec::new(), Vec::new());
    for content in contents.iter().filter(|content| !content.name.ends_with("lock")) {
        let name = &content.name;
        // Both shelves are of the same kinds of files, so one harm each is enough for the smaller.
        let harms = if name.starts_with("knowledge") { &Harm::ALL[..1] } else { &Harm::ALL };
        for kind in harms {
            let dir = temporary();
            write_all(&contents, dir.path());
            harm(dir.path(), content, *kind);
            let what = format!("{kind:?} {}", name.display());
            let dir_path = dir.path().to_owned();
            let checked = tokio::spawn(async move { check_harmed(&dir_path, &what).await }).await;
            match checked {
                Ok(outcome) => outcomes.push(outcome),
                Err(_) => faults.push(format!("{kind:?} {}", name.display())),
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    let (emptied, later) = (count(Outcome::Emptied), count(Outcome::FailedLater));
    println!("of {} harms {emptied} emptied the index at once and {later} at the next start", outcomes.len());
    assert!(emptied > 80 && later < 5, "{emptied} {later}");
}

/// Either everything is there, or the index is empty and says so. A fault that shows only when something is written is
/// allowed to fail that write, if the next opening knows.
async fn check_harmed(dir: &Path, what: &str) -> Outcome {
    let (index, opened) = open(dir).await;
    let worked = match &opened {
        Opened::Existing => check_filled(&index, what).await,
        Opened::Restored(why) => panic!("{what}: there is no snapshot: {why}"),
        Opened::Fresh(why) => {
            assert!(why.starts_with("corrupt") || what.ends_with("manifest.json"), "{what}: {why}");
            assert_eq!(index.count(Shelf::Memory).await.unwrap(), 0, "{what}");
            check_usable(&index, customers()[0], what).await
        }
    };
    if worked.is_err() {
        drop(index);
        let (index, opened) = open(dir).await;
        assert_ne!(opened, Opened::Existing, "{what}");
        check_usable(&index, customers()[0], what).await.unwrap();
        return Outcome::FailedLater;
    }
    index.close().await.unwrap();
    assert_eq!(open(dir).await.1, Opened::Existing, "{what}");
    if opened == Opened::Existing { Outcome::Unharmed } else { Outcome::Emptied }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Unharmed,
    Emptied,
    FailedLater,
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { dirs.push(path) } else { files.push(path.strip_prefix(dir).unwrap().to_owned()) }
        }
    }
    files.sort();
    files
}

/// What a file holds, without the zeros that most of them end in, and its length.
struct Content {
    name: PathBuf,
    bytes: Vec<u8>,
    length: u64,
}

fn contents(dir: &Path) -> Vec<Content> {
    let read = |name: PathBuf| {
        let mut bytes = fs::read(dir.join(&name)).unwrap();
        let length = bytes.len() as u64;
        let zeros =
            bytes.rchunks(4096).take_while(|chunk| **chunk == [0; 4096][..chunk.len()]).map(<[u8]>::len).sum::<usize>();
        bytes.truncate(bytes.len() - zeros);
        Content { name, bytes, length }
    };
    files(dir).into_iter().map(read).collect()
}

fn write_all(contents: &[Content], dir: &Path) {
    for content in contents {
        let path = dir.join(&content.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &content.bytes).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_len(content.length).unwrap();
    }
}

/// What the files take of the disk; most are longer than what was written to them.
fn kib(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    files(dir).iter().map(|name| fs::metadata(dir.join(name)).unwrap().blocks() / 2).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_customer_leaves_no_trace_in_the_files() {
    let dir = temporary();
    let [anna, boris] = customers();
    let (index, _) = open(dir.path()).await;
    for customer in [anna, boris] {
        let first = if customer == anna { 0 } else { 50 };
        let points = (first..first + 50).map(|number| with_vector(memory(number, customer, "cup"))).collect();
        index.upsert(Shelf::Memory, points).await.unwrap();
    }
    index.flush().await.unwrap();
    assert!(mentions(dir.path(), anna) > 0 && mentions(dir.path(), boris) > 0);
    index.forget(anna).await.unwrap();
    assert_eq!(mentions(dir.path(), anna), 0);
    index.close().await.unwrap();
    assert_eq!(mentions(dir.path(), anna), 0);
    let (index, opened) = open(dir.path()).await;
    assert_eq!(opened, Opened::Existing);
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 50);
    assert_eq!(found(&index, ask(Scope::Customer(boris), "cups")).await.len(), 10);
}

/// Files that hold the customer's id.
fn mentions(dir: &Path, customer: CustomerId) -> usize {
    let id = customer.to_string().into_bytes();
    let holds = |content: &Content| {
        let mut rest = content.bytes.as_slice();
        while let Some(at) = rest.iter().position(|byte| *byte == id[0]) {
            rest = &rest[at..];
            if rest.starts_with(&id) {
                return true;
            }
            rest = &rest[1..];
        }
        false
    };
    contents(dir).iter().filter(|content| holds(content)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_does_not_grow_without_end() {
    let dir = temporary();
    let wide = || Some(Fingerprint { model: "wide".to_owned(), dimensions: 2048 });
    let (index, _) = EdgeIndex::open(dir.path(), wide()).await.unwrap();
    let [anna, _] = customers();
    let point = |number| Point { dense: Some(vec![0.1; 2048]), ..memory(number, anna, "cup") };
    // 25 MiB of writes to the same points, against 16 files of 1 MiB that are kept.
    for _ in 0..100 {
        index.upsert(Shelf::Memory, (0..25).map(point).collect()).await.unwrap();
        index.flush().await.unwrap();
    }
    let logs = files(dir.path()).iter().filter(|name| name.to_string_lossy().contains("/wal/closed-")).count();
    assert!((1..=17).contains(&logs), "{logs}");
    index.upsert(Shelf::Memory, vec![Point { text: "lamp".to_owned(), ..point(3) }]).await.unwrap();
    assert_eq!(found(&index, ask(Scope::Customer(anna), "lamps")).await, [3]);
    index.close().await.unwrap();
    let (index, opened) = EdgeIndex::open(dir.path(), wide()).await.unwrap();
    assert_eq!(opened, Opened::Existing);
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), 25);
    assert_eq!(found(&index, ask(Scope::Customer(anna), "lamps")).await, [3]);
}

/// Writes and flushes in a process of its own until it is killed; says how far it came after each flush.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_flushed_survives_the_death_of_the_process() {
    if let Some(dir) = std::env::var_os("FIRSTLINE_TEST_INDEX_WRITER") {
        return write_until_killed(Path::new(&dir)).await;
    }
    let dir = temporary();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["files::what_was_flushed_survives_the_death_of_the_process", "--exact", "--nocapture"])
        .env("FIRSTLINE_TEST_INDEX_WRITER", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let flushed: u64 = lines.filter_map(|line| line.strip_prefix("flushed ")?.parse().ok()).find(|n| *n >= 60).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let (index, opened) = open(dir.path()).await;
    assert_eq!(opened, Opened::Existing);
    let [anna, _] = customers();
    let query = Query { limit: 10_000, ..ask(Scope::Customer(anna), "cup") };
    let found = found(&index, query).await;
    assert!((0..flushed).all(|number| found.contains(&number)), "{flushed} were flushed, {} found", found.len());
    check_usable(&index, anna, "after the death").await.unwrap();
}

async fn write_until_killed(dir: &Path) {
    let (index, _) = open(dir).await;
    let [anna, _] = customers();
    for number in 0.. {
        index.upsert(Shelf::Memory, vec![with_vector(memory(number, anna, "cup"))]).await.unwrap();
        if number % 5 == 4 {
            index.flush().await.unwrap();
            println!("flushed {}", number + 1);
        }
    }
}

/// Breaks the largest file of a shelf.
fn break_a_file(dir: &Path, shelf: &str) {
    let files: Vec<PathBuf> = files(&dir.join(shelf)).into_iter().map(|file| dir.join(shelf).join(file)).collect();
    let largest = files.iter().max_by_key(|file| fs::metadata(file).unwrap().len()).unwrap();
    for file in files.iter().filter(|file| *file == largest || file.ends_with("segment.json")) {
        fs::write(file, b"broken").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_files_are_replaced_by_a_snapshot() {
    let dir = temporary();
    filled(dir.path()).await;
    let [anna, _] = customers();
    let (index, _) = open(dir.path()).await;
    let (long_ago, first_name) = (Timestamp::UNIX_EPOCH, index.name().to_owned());
    let name = index.snapshot(Timestamp::MAX).await.unwrap().expect("there was none");
    assert_ne!(name, first_name);
    assert_eq!(index.snapshot(long_ago).await.unwrap(), None, "one was taken since");
    assert_eq!(index.snapshot(Timestamp::MAX).await.unwrap(), None, "nothing has changed since");
    // What comes later is not in it.
    index.upsert(Shelf::Memory, vec![with_vector(memory(900, anna, "saucepan"))]).await.unwrap();
    index.close().await.unwrap();

    break_a_file(dir.path(), "memory");
    let (index, opened) = open(dir.path()).await;
    assert!(matches!(&opened, Opened::Restored(why) if why.starts_with("corrupt")), "{opened:?}");
    assert_eq!(index.name(), name);
    check_filled(&index, "restored").await.unwrap();
    assert_eq!(found(&index, ask(Scope::Customer(anna), "saucepans")).await, Vec::<u64>::new());
    index.close().await.unwrap();

    // It is used up: what breaks again is built anew.
    break_a_file(dir.path(), "memory");
    let (index, opened) = open(dir.path()).await;
    assert!(matches!(&opened, Opened::Fresh(why) if why.starts_with("corrupt")), "{opened:?}");
    index.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_is_no_hiding_place() {
    let dir = temporary();
    filled(dir.path()).await;
    let [anna, _] = customers();
    let (index, _) = open(dir.path()).await;
    index.snapshot(Timestamp::MAX).await.unwrap().unwrap();
    assert!(mentions(&dir.path().join("snapshot"), anna) > 0, "the snapshot has her key");
    index.forget(anna).await.unwrap();
    index.flush().await.unwrap();
    assert_eq!(mentions(dir.path(), anna), 0);
    assert!(!dir.path().join("snapshot").exists());
    assert!(index.snapshot(Timestamp::MAX).await.unwrap().is_some(), "a new one is taken");
    assert_eq!(mentions(dir.path(), anna), 0);
    index.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_can_not_be_used_is_passed_over() {
    for broken in ["snapshot/memory", "snapshot/manifest.json", "snapshot/knowledge"] {
        let dir = temporary();
        filled(dir.path()).await;
        let (index, _) = open(dir.path()).await;
        index.snapshot(Timestamp::MAX).await.unwrap().unwrap();
        index.close().await.unwrap();
        let path = dir.path().join(broken);
        if path.is_dir() {
            break_a_file(dir.path(), broken);
        } else {
            fs::write(path, b"broken").unwrap();
        }
        break_a_file(dir.path(), "memory");
        let (index, opened) = open(dir.path()).await;
        assert!(matches!(opened, Opened::Fresh(_)), "{broken}: {opened:?}");
        check_usable(&index, customers()[0], broken).await.unwrap();
        index.close().await.unwrap();
        assert_eq!(open(dir.path()).await.1, Opened::Existing, "{broken}");
    }
}
