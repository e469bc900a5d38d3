//! The directories of the index: one for each embedder that it was made with, so that the old one serves while the new
//! one is being filled.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::adapters::qdrant::{EdgeIndex, Opened};
use crate::config::Config;
use crate::flow::search::{Search, Searcher};
use crate::ports::model::{Embedder, Fingerprint};

/// In the directory of an index that holds everything, with all its vectors.
const COMPLETE: &str = "complete";

/// In the directory of an index that served on without its embedder: what came since has no vectors.
const WORDS_ONLY: &str = "words-only";

/// Opens what serves: the index of `embedder`, or, where that has never been filled and another one has, the other one,
/// while the new one is being filled. `embedder_of` finds the embedder of the other one, if it is still to be had.
///
/// # Errors
/// Where a directory can't be used.
pub(super) async fn open(
    config: &Config,
    embedder: Option<Arc<dyn Embedder>>,
    embedder_of: impl Fn(&Fingerprint) -> Option<Arc<dyn Embedder>>,
) -> anyhow::Result<Search> {
    let ours = directory(config, embedder.as_deref());
    if ours.join(WORDS_ONLY).exists() {
        fs::remove_dir_all(&ours).with_context(|| format!("{} can't be deleted", ours.display()))?;
    }
    let earlier = if ours.join(COMPLETE).exists() { None } else { earlier(config, &ours, embedder_of).await? };
    let index = open_in(&ours, embedder.as_deref().map(Embedder::fingerprint)).await?;
    let new = Searcher { index: Arc::new(index), embedder };
    let Some(earlier) = earlier else {
        mark(&ours, COMPLETE)?;
        return Ok(Search::new(new, None));
    };
    Ok(Search::new(earlier, Some(new)))
}

/// Opens the index of `embedder` alone, for a command.
///
/// # Errors
/// Where its directory can't be used, for example because a process serves from it.
pub(super) async fn open_one(config: &Config, embedder: Option<&dyn Embedder>) -> anyhow::Result<EdgeIndex> {
    open_in(&directory(config, embedder), embedder.map(Embedder::fingerprint)).await
}

/// The index of `embedder` holds everything: the next start begins with it, and the others are deleted.
///
/// # Errors
/// Where the directory can't be written.
pub(super) fn completed(config: &Config, embedder: Option<&dyn Embedder>) -> anyhow::Result<()> {
    let ours = directory(config, embedder);
    mark(&ours, COMPLETE)?;
    for other in others(config, &ours) {
        fs::remove_dir_all(&other).with_context(|| format!("{} can't be deleted", other.display()))?;
    }
    Ok(())
}

/// An index that another embedder filled. Without that embedder it is searched by words.
async fn earlier(
    config: &Config,
    ours: &Path,
    embedder_of: impl Fn(&Fingerprint) -> Option<Arc<dyn Embedder>>,
) -> anyhow::Result<Option<Searcher>> {
    for dir in others(config, ours) {
        let was_filled = dir.join(COMPLETE).exists() || dir.join(WORDS_ONLY).exists();
        let Some(made_with) = EdgeIndex::made_with(&dir).filter(|_| was_filled) else { continue };
        let embedder = made_with.as_ref().and_then(&embedder_of);
        if made_with.is_some() && embedder.is_none() {
            mark(&dir, WORDS_ONLY)?;
        }
        let opened = EdgeIndex::open(&dir, made_with).await;
        let (index, opened) = opened.with_context(|| format!("the index in {} can't be opened", dir.display()))?;
        if opened == Opened::Existing {
            return Ok(Some(Searcher { index: Arc::new(index), embedder }));
        }
    }
    Ok(None)
}

async fn open_in(dir: &Path, made_with: Option<Fingerprint>) -> anyhow::Result<EdgeIndex> {
    let opened = EdgeIndex::open(dir, made_with).await;
    let (index, opened) = opened.with_context(|| format!("the index in {} can't be opened", dir.display()))?;
    if let Opened::Fresh(reason) = opened {
        tracing::info!(%reason, "the index is being built from the store");
    }
    Ok(index)
}

fn root(config: &Config) -> PathBuf {
    config.data.dir.join("index")
}

/// `index/multilingual-e5-small-384`; `index/words` without an embedder.
fn directory(config: &Config, embedder: Option<&dyn Embedder>) -> PathBuf {
    let Some(Fingerprint { model, dimensions }) = embedder.map(Embedder::fingerprint) else {
        return root(config).join("words");
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
    root(config).join(format!("{}-{dimensions}", model.chars().map(plain).collect::<String>()))
}

/// The directories of all embedders.
pub(super) fn all(config: &Config) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root(config)) else { return Vec::new() };
    let mut all: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    all.retain(|path| path.is_dir());
    all.sort();
    all
}

/// The directories beside `ours`.
fn others(config: &Config, ours: &Path) -> Vec<PathBuf> {
    let mut others = all(config);
    others.retain(|path| path != ours);
    others
}

fn mark(dir: &Path, name: &str) -> anyhow::Result<()> {
    fs::write(dir.join(name), []).with_context(|| format!("{} can't be written", dir.display()))
}
