//! A shelf so large that parts of it are closed: nothing is lost, forgotten things stay forgotten, and it opens again.

use std::fs;
use std::path::{Path, PathBuf};

use firstline::adapters::qdrant::{EdgeIndex, Opened};
use firstline::domain::id::CustomerId;
use firstline::ports::index::{Point, Query, Scope, SearchIndex, Shelf};
use firstline::ports::model::Fingerprint;

use crate::contract::{ask, customers, found, memory};
use crate::files::temporary;

/// Long vectors, so that few points are much: 12,000 of them are more than a part that is still open may hold.
const DIMENSIONS: usize = 384;
const POINTS: u128 = 12_000;

/// Anna's are the even numbers.
fn of(number: u128) -> CustomerId {
    customers()[usize::from(number % 2 == 1)]
}

fn point(number: u128) -> Point {
    let mut dense = vec![0.0; DIMENSIONS];
    dense[usize::try_from(number).unwrap() % DIMENSIONS] = 1.0;
    Point { dense: Some(dense), ..memory(number, of(number), &format!("cup {number}")) }
}

async fn check(index: &EdgeIndex, there: &[u128], gone: &[u128]) {
    for number in there {
        let query = Query { dense: point(*number).dense, ..ask(Scope::Customer(of(*number)), &format!("{number}")) };
        assert_eq!(found(index, query).await[0], u64::try_from(*number).unwrap());
    }
    for number in gone {
        assert!(found(index, ask(Scope::Customer(of(*number)), &format!("{number}"))).await.is_empty(), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_parts_lose_nothing() {
    let dir = temporary();
    let embedder = Fingerprint { model: "long".to_owned(), dimensions: DIMENSIONS };
    let (index, _) = EdgeIndex::open(dir.path(), Some(embedder.clone())).await.unwrap();
    let numbers: Vec<u128> = (0..POINTS).collect();
    for portion in numbers.chunks(2_000) {
        index.upsert(Shelf::Memory, portion.iter().copied().map(point).collect()).await.unwrap();
        index.flush().await.unwrap();
    }
    let segments = || fs::read_dir(dir.path().join("memory/segments")).unwrap().count();
    assert!(segments() > 1, "no part was closed");
    check(&index, &[0, 1, 9_999, 11_999], &[POINTS]).await;

    // What lies in a closed part is replaced and removed like anything else.
    let [anna, _] = customers();
    index.upsert(Shelf::Memory, vec![memory(2, anna, "teapot")]).await.unwrap();
    index.remove(Shelf::Memory, vec![point(4).id]).await.unwrap();
    index.flush().await.unwrap();
    assert_eq!(found(&index, ask(Scope::Customer(anna), "teapot")).await, [2]);
    check(&index, &[6, 8], &[2, 4]).await;
    let name = index.name().to_owned();
    index.close().await.unwrap();

    let harmed = temporary();
    copy(dir.path(), harmed.path());
    fs::remove_dir_all(largest(&harmed.path().join("memory/segments")).join("vector_storage-dense")).unwrap();
    let (_, opened) = EdgeIndex::open(harmed.path(), Some(embedder.clone())).await.unwrap();
    assert!(matches!(opened, Opened::Fresh(why) if why.starts_with("corrupt")));
    drop(harmed);

    let (index, opened) = EdgeIndex::open(dir.path(), Some(embedder)).await.unwrap();
    assert_eq!((opened, index.name()), (Opened::Existing, name.as_str()));
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), usize::try_from(POINTS).unwrap() - 1);
    check(&index, &[6, 11_999], &[2, 4]).await;
    index.forget(anna).await.unwrap();
    check(&index, &[1, 11_999], &[0, 6, 11_998]).await;
    assert_eq!(index.count(Shelf::Memory).await.unwrap(), usize::try_from(POINTS).unwrap() / 2);
    index.close().await.unwrap();
}

/// The largest directory in `dir`: the first part that was closed.
fn largest(dir: &Path) -> PathBuf {
    let parts = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    parts.max_by_key(|path| size(path)).unwrap()
}

/// Bytes in a directory.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
