//! The erasure of a customer, from the store, from the indexes and from the files, with a proof.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{indexes, open_store, open_store_beside};
use crate::adapters::qdrant::{EdgeIndex, Filled};
use crate::config::Config;
use crate::domain::id::CustomerId;
use crate::ports::index::SearchIndex;
use crate::ports::privacy::Erased;
use crate::ports::store::Store;

/// How long a process that serves is given to take a customer out of its index.
const HEARD_WITHIN: Duration = Duration::from_mins(1);

/// How often it is asked.
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// Shortest text that is looked for, in bytes: shorter ones stand in files by chance.
const SHORTEST_TRACE: usize = 12;

/// How many texts are looked for.
const TRACES: usize = 200;

/// What of a text is looked for, in characters: a long one may be split over pages.
const BEGINNING: usize = 40;

/// What an erasure did, to be handed to whoever asked for it.
#[derive(Debug, Clone, Serialize)]
pub struct Certificate {
    /// The key that the customer had, when it was done, how many rows went.
    #[serde(flatten)]
    pub erased: Erased,
    /// Rows that are still found under the key. It must be 0.
    pub rows_left: usize,
    /// How many indexes have let go of the customer.
    pub indexes: usize,
    /// How many of the customer's own texts were looked for in the files.
    pub texts_sought: usize,
    /// Files in which one was found. It must be empty.
    pub found_in: Vec<PathBuf>,
}

impl Certificate {
    /// Whether nothing was found.
    pub fn holds(&self) -> bool {
        self.rows_left == 0 && self.found_in.is_empty()
    }
}

/// Erases a customer and looks for what is left. `None` if nobody has that key, nor ever had. A process that serves from the
/// same directory takes part: its index is its own.
///
/// # Errors
/// Where the store, an index or a file can't be read or written; it is safe to ask again.
pub async fn erase(config: &Config, customer: CustomerId, now: Timestamp) -> anyhow::Result<Option<Certificate>> {
    let store = open_store_beside(config).await?;
    let export = store.export(customer).await.context("what is held can't be read")?;
    let traces = export.as_ref().map(Traces::of).unwrap_or_default();
    let Some(erased) = store.erase(customer, now).await.context("the customer can't be erased")? else {
        return Ok(None);
    };
    forget_uploads(config, export.as_ref()).context("a file of the customer can't be deleted")?;
    let indexes = forgotten_by_indexes(config, &*store, &erased).await?;
    let left = store.export(customer).await.context("what is left can't be read")?;
    let rows_left = left.as_ref().and_then(Value::as_object).into_iter().flatten();
    let rows_left = rows_left.filter_map(|(_, rows)| rows.as_array()).map(Vec::len).sum();
    let dir = config.data.dir.clone();
    let sought = traces.0.len();
    let found_in = tokio::task::spawn_blocking(move || traces.found_in(&dir)).await?;
    let found_in = found_in.context("a file of the data directory can't be read")?;
    Ok(Some(Certificate { erased, rows_left, indexes, texts_sought: sought, found_in }))
}

/// Deletes the files that the customer sent by the web chat: each visitor has a directory of their own.
fn forget_uploads(config: &Config, export: Option<&Value>) -> io::Result<()> {
    let files = export.and_then(|export| export.get("attachments")).and_then(Value::as_array);
    let remotes = files.into_iter().flatten().filter_map(|file| file.get("remote")?.as_str());
    for owner in remotes.filter_map(|remote| Some(remote.split_once('/')?.0)) {
        // A key of another channel names nothing there.
        if owner.len() == 32 && owner.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            match fs::remove_dir_all(config.uploads_dir().join(owner)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Lets every index forget the customer, on the server and under the data directory: by ourselves, or by the process that
/// holds it.
async fn forgotten_by_indexes(config: &Config, store: &dyn Store, erased: &Erased) -> anyhow::Result<usize> {
    let mut count = forgotten_on_server(config, store, erased).await?;
    for dir in indexes::all(config) {
        let Some(made_with) = EdgeIndex::made_with(&dir) else {
            // It is built anew at the next start, and not from a copy that has the customer in it.
            EdgeIndex::drop_snapshot(&dir).context("the snapshot of a broken index can't be deleted")?;
            continue;
        };
        match EdgeIndex::open(&dir, made_with).await {
            Ok((index, _)) => {
                for key in &erased.keys {
                    index.forget(*key).await.context("the index can't forget the customer")?;
                }
                index.close().await.context("the index can't be closed")?;
            }
            Err(_) => heard(store, || EdgeIndex::name_in(&dir), erased, &dir.display().to_string()).await?,
        }
        count += 1;
    }
    Ok(count)
}

/// A process that applies changes just now may write once more what it has read before: it is waited for.
async fn forgotten_on_server(config: &Config, store: &dyn Store, erased: &Erased) -> anyhow::Result<usize> {
    let Some(server) = indexes::server(config)? else { return Ok(0) };
    // Opened as its owner, if nobody else has it: then nobody writes to the index meanwhile.
    let alone = open_store(config).await.ok();
    let kept = server.kept().await.context("the indexes on the server can't be listed")?;
    for index in &kept {
        let is_ours = match &alone {
            Some(alone) => alone.applies_changes(index.name()).await.context("the store can't be asked")?,
            None => false,
        };
        for key in &erased.keys {
            server.forget(index, *key).await.context("the index on the server can't forget the customer")?;
        }
        // On SQLite nobody tells whether one that is not full, or is of another version, is written to at all.
        let is_served = index.filled() != Filled::Partly && index.made_with().is_some();
        if !is_ours && (alone.is_some() || is_served) {
            heard(store, || Some(index.name().to_owned()), erased, server.address()).await?;
        }
    }
    Ok(kept.len())
}

/// Waits until the process that holds an index has taken the customer out.
async fn heard(
    store: &dyn Store,
    name: impl Fn() -> Option<String>,
    erased: &Erased,
    place: &str,
) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + HEARD_WITHIN;
    while tokio::time::Instant::now() < deadline {
        if let Some(name) = name()
            && store.index_position(&name).await.context("positions can't be read")? >= erased.change
        {
            return Ok(());
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    bail!(
        "the rows are erased, but the process that serves from {place} has not let go of the customer yet: ask again, or \
         stop it first"
    )
}

/// Texts by which a customer would be found in a file.
#[derive(Debug, Clone, Default)]
struct Traces(Vec<String>);

impl Traces {
    /// The longest texts of an export.
    fn of(export: &Value) -> Self {
        const WORDS: [(&str, &str); 5] = [
            ("messages", "text"),
            ("facts", "value"),
            ("episodes", "summary"),
            ("addresses", "external"),
            ("customers", "display_name"),
        ];
        let rows = |table| export.get(table).and_then(Value::as_array).into_iter().flatten();
        let words = WORDS.into_iter().flat_map(|(table, column)| rows(table).filter_map(move |row| row.get(column)));
        let mut texts: Vec<&str> =
            words.filter_map(Value::as_str).filter(|text| text.len() >= SHORTEST_TRACE).collect();
        texts.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        texts.dedup();
        let beginning = |text: &str| text.chars().take(BEGINNING).collect();
        Self(texts.into_iter().take(TRACES).map(beginning).collect())
    }

    /// The files under `dir` in which one of them stands. Blocks.
    fn found_in(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut left = vec![dir.to_owned()];
        while let Some(dir) = left.pop() {
            for entry in fs::read_dir(dir)? {
                let path = entry?.path();
                if path.is_dir() {
                    left.push(path);
                } else if self.stand_in(&path)? {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// A file that vanishes meanwhile holds nothing.
    fn stand_in(&self, path: &Path) -> io::Result<bool> {
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            content => {
                let content = content?;
                Ok(self.0.iter().any(|text| memchr::memmem::find(&content, text.as_bytes()).is_some()))
            }
        }
    }
}
