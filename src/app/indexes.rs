//! Where indexes are kept, in directories or on a server: one for each embedder that they were made with, so that the old
//! one serves while the new one is being filled.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::adapters::clock::SystemClock;
use crate::adapters::qdrant::{self, EdgeIndex, Filled, Opened, QdrantServer};
use crate::config::Config;
use crate::flow::search::{Search, Searcher};
use crate::ports::clock::Clock as _;
use crate::ports::index::SearchIndex;
use crate::ports::model::{Embedder, Fingerprint};

/// In the directory of an index that holds everything, with all its vectors.
const COMPLETE: &str = "complete";

/// In the directory of an index that served on without its embedder: what came since has no vectors.
const WORDS_ONLY: &str = "words-only";

/// How long other processes are given to see that the new index is full, before the earlier one is deleted under them.
const SEEN_BY_OTHERS_WITHIN: Duration = Duration::from_secs(2);

/// Where indexes are kept.
enum Place {
    /// In the directories below this one; one process at a time.
    Here(PathBuf),
    /// On a server, for several processes.
    There(QdrantServer),
}

/// An index that is kept.
struct Kept {
    at: At,
    filled: Filled,
    /// `None` where this version can't use it.
    made_with: Option<MadeWith>,
}

/// The embedder of an index; `None`: words alone.
struct MadeWith(Option<Fingerprint>);

enum At {
    Directory(PathBuf),
    Server(qdrant::Kept),
}

/// Opens what serves: the index of `embedder`, or, where that has never been filled and another one has, the other one,
/// while the new one is being filled. `embedder_of` finds the embedder of the other one, if it is still to be had.
///
/// # Errors
/// Where a directory or the server can't be used.
pub(super) async fn open(
    config: &Config,
    embedder: Option<Arc<dyn Embedder>>,
    embedder_of: impl Fn(&Fingerprint) -> Option<Arc<dyn Embedder>>,
) -> anyhow::Result<Search> {
    let place = Place::of(config)?;
    let fingerprint = embedder.as_deref().map(Embedder::fingerprint);
    let (mut ours, others) = place.kept(fingerprint.as_ref()).await?;
    if let Some(words_only) = ours.take_if(|ours| ours.filled == Filled::WordsOnly) {
        place.delete(&words_only).await?;
    }
    let is_full = ours.is_some_and(|ours| ours.filled == Filled::Wholly);
    let earlier = if is_full {
        place.delete_outdated(&others).await?;
        None
    } else {
        place.earlier(others, embedder_of).await?
    };
    let new = Searcher { index: place.open_saying(fingerprint.clone()).await?, embedder };
    let Some(earlier) = earlier else {
        place.mark(fingerprint.as_ref(), Filled::Wholly).await?;
        return Ok(Search::new(new, None));
    };
    Ok(Search::new(earlier, Some(new)))
}

/// Opens the index of `embedder` alone, for a command.
///
/// # Errors
/// Where it can't be used: a directory, for example, because a process serves from it.
pub(super) async fn open_one(config: &Config, embedder: Option<&dyn Embedder>) -> anyhow::Result<Arc<dyn SearchIndex>> {
    Place::of(config)?.open_saying(embedder.map(Embedder::fingerprint)).await
}

/// The index of `embedder` holds everything: the next start begins with it, and the others are deleted.
///
/// # Errors
/// Where the directory or the server can't be written.
pub(super) async fn completed(config: &Config, embedder: Option<&dyn Embedder>) -> anyhow::Result<()> {
    let place = Place::of(config)?;
    let fingerprint = embedder.map(Embedder::fingerprint);
    place.mark(fingerprint.as_ref(), Filled::Wholly).await?;
    if matches!(place, Place::There(_)) {
        tokio::time::sleep(SEEN_BY_OTHERS_WITHIN).await;
    }
    let (_, others) = place.kept(fingerprint.as_ref()).await?;
    for other in others.iter().filter(|other| other.is_over()) {
        place.delete(other).await?;
    }
    Ok(())
}

/// The server, where one is configured.
///
/// # Errors
/// Where its address or key can't be used.
pub(super) fn server(config: &Config) -> anyhow::Result<Option<QdrantServer>> {
    let server = config.index.is_server().then(|| QdrantServer::new(&config.index));
    server.transpose().context("index.url: the server can't be used")
}

/// The directories of all embedders.
pub(super) fn all(config: &Config) -> Vec<PathBuf> {
    directories(&root(config))
}

impl Place {
    fn of(config: &Config) -> anyhow::Result<Self> {
        Ok(server(config)?.map_or_else(|| Self::Here(root(config)), Self::There))
    }

    /// The index of this embedder, if there is one, and the others.
    async fn kept(&self, embedder: Option<&Fingerprint>) -> anyhow::Result<(Option<Kept>, Vec<Kept>)> {
        let all: Vec<(bool, Kept)> = match self {
            Self::Here(root) => {
                let ours = directory(root, embedder);
                directories(root).into_iter().map(|dir| (dir == ours, Kept::in_directory(dir))).collect()
            }
            Self::There(server) => {
                let kept = server.kept().await.context("index.url: the indexes on the server can't be listed")?;
                kept.into_iter().map(|kept| (server.is_of(&kept, embedder), Kept::on_server(kept))).collect()
            }
        };
        let (ours, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(is_ours, _)| *is_ours);
        Ok((ours.into_iter().next().map(|(_, kept)| kept), others.into_iter().map(|(_, kept)| kept).collect()))
    }

    async fn open(&self, embedder: Option<Fingerprint>) -> anyhow::Result<(Arc<dyn SearchIndex>, Opened)> {
        match self {
            Self::Here(root) => {
                let dir = directory(root, embedder.as_ref());
                let opened = EdgeIndex::open(&dir, embedder).await;
                let (index, opened) =
                    opened.with_context(|| format!("the index in {} can't be opened", dir.display()))?;
                Ok((Arc::new(index), opened))
            }
            Self::There(server) => {
                let opened = server.open(embedder, SystemClock.now()).await;
                let (index, opened) = opened.context("index.url: the index can't be opened")?;
                Ok((Arc::new(index), opened))
            }
        }
    }

    /// Opens an index, and says so where it begins with nothing.
    async fn open_saying(&self, embedder: Option<Fingerprint>) -> anyhow::Result<Arc<dyn SearchIndex>> {
        let (index, opened) = self.open(embedder).await?;
        match opened {
            Opened::Existing => {}
            Opened::Restored(reason) => tracing::warn!(%reason, "the index goes on from its snapshot"),
            Opened::Fresh(reason) => tracing::info!(%reason, "the index is being built from the store"),
        }
        Ok(index)
    }

    /// An index that another embedder filled. Without that embedder it is searched by words.
    async fn earlier(
        &self,
        others: Vec<Kept>,
        embedder_of: impl Fn(&Fingerprint) -> Option<Arc<dyn Embedder>>,
    ) -> anyhow::Result<Option<Searcher>> {
        for Kept { made_with, filled, .. } in others {
            let Some(MadeWith(made_with)) = made_with.filter(|_| filled != Filled::Partly) else { continue };
            let embedder = made_with.as_ref().and_then(&embedder_of);
            if made_with.is_some() && embedder.is_none() {
                self.mark(made_with.as_ref(), Filled::WordsOnly).await?;
            }
            if let (index, Opened::Existing | Opened::Restored(_)) = self.open(made_with).await? {
                return Ok(Some(Searcher { index, embedder }));
            }
        }
        Ok(None)
    }

    /// Records how far the index of an embedder is.
    async fn mark(&self, embedder: Option<&Fingerprint>, filled: Filled) -> anyhow::Result<()> {
        match self {
            Self::Here(root) => {
                let dir = directory(root, embedder);
                let name = match filled {
                    Filled::Partly => return Ok(()),
                    Filled::Wholly => COMPLETE,
                    Filled::WordsOnly => WORDS_ONLY,
                };
                fs::write(dir.join(name), []).with_context(|| format!("{} can't be written", dir.display()))
            }
            Self::There(server) => {
                let marked = server.set_filled(embedder, filled).await;
                marked.context("index.url: how far the index is can't be written")
            }
        }
    }

    /// Deletes what another version has left on a server: its processes had time to end since the start that filled ours.
    async fn delete_outdated(&self, others: &[Kept]) -> anyhow::Result<()> {
        for other in others.iter().filter(|other| other.made_with.is_none() && matches!(other.at, At::Server(_))) {
            self.delete(other).await?;
        }
        Ok(())
    }

    async fn delete(&self, kept: &Kept) -> anyhow::Result<()> {
        match (self, &kept.at) {
            (_, At::Directory(dir)) => {
                fs::remove_dir_all(dir).with_context(|| format!("{} can't be deleted", dir.display()))
            }
            (Self::There(server), At::Server(kept)) => {
                server.delete(kept).await.context("index.url: an earlier index can't be deleted")
            }
            (Self::Here(_), At::Server(_)) => Ok(()),
        }
    }
}

impl Kept {
    fn in_directory(dir: PathBuf) -> Self {
        let filled = if dir.join(WORDS_ONLY).exists() {
            Filled::WordsOnly
        } else if dir.join(COMPLETE).exists() {
            Filled::Wholly
        } else {
            Filled::Partly
        };
        Self { filled, made_with: EdgeIndex::made_with(&dir).map(MadeWith), at: At::Directory(dir) }
    }

    fn on_server(kept: qdrant::Kept) -> Self {
        Self { filled: kept.filled(), made_with: kept.made_with().map(MadeWith), at: At::Server(kept) }
    }

    /// Nobody needs it when another one is full. A directory is ours; on a server, another process may be filling it.
    fn is_over(&self) -> bool {
        match &self.at {
            At::Directory(_) => true,
            At::Server(kept) => self.filled != Filled::Partly || kept.is_given_up(SystemClock.now()),
        }
    }
}

fn root(config: &Config) -> PathBuf {
    config.data.dir.join("index")
}

/// `index/multilingual-e5-small-384`; `index/words` without an embedder.
fn directory(root: &Path, embedder: Option<&Fingerprint>) -> PathBuf {
    let Some(Fingerprint { model, dimensions }) = embedder else { return root.join("words") };
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
    root.join(format!("{}-{dimensions}", model.chars().map(plain).collect::<String>()))
}

fn directories(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut all: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    all.retain(|path| path.is_dir());
    all.sort();
    all
}
