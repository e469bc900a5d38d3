//! Use cases: async, drive the engine through the ports.
//!
//! Knows no vendor, no HTTP and no SQL. Each function takes the [`Ctx`] first.

pub mod compose;
pub mod deliver;
pub mod draft;
pub mod errands;
pub mod handoff;
pub mod identity;
pub mod import;
pub mod indexing;
pub mod ingest;
pub mod knowledge;
pub mod learn;
pub mod ledger;
mod once;
pub mod operator;
pub mod pace;
pub mod poll;
pub mod privacy;
pub mod proof;
pub mod recall;
pub mod search;
pub mod timers;
pub mod turn;
pub mod visitor;
pub mod wake;

use std::sync::Arc;

use crate::config::Config;
use crate::domain::channel::{Address, ChannelKind};
use crate::domain::id::{BootId, Ids};
use crate::engine::triage::{Classifier, Triage};
use crate::ports::channel::Channel;
use crate::ports::clock::Clock;
use crate::ports::index::IndexError;
use crate::ports::model::{ChatModel, EmbedError};
use crate::ports::store::{Claim, Store, StoreError, Timing};
use crate::prompt::{Phrases, Prompts};
use errands::Errands;
use knowledge::KnowledgeBase;
use pace::Paces;
use search::Search;
use wake::Wake;

/// Everything a use case may need, put together in one place ([`crate::app`]) and passed first.
pub struct Ctx {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The index derived from it, with its embedder.
    pub search: Search,
    /// The language model, where one is configured.
    pub model: Option<Arc<dyn ChatModel>>,
    /// The channels that are on.
    pub channels: Vec<Arc<dyn Channel>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Ids,
    /// This start of this process.
    pub boot: BootId,
    /// The settings.
    pub config: Config,
    /// Wakes workers and pages; carries no data, and nothing depends on it for correctness.
    pub wake: Wake,
    /// How fast channels are sent to.
    pub paces: Paces,
    /// What is done beside, for which nobody waits.
    pub errands: Errands,
    /// The articles.
    pub knowledge: KnowledgeBase,
    /// Prompts, phrases and triage rules.
    pub words: Arc<Words>,
}

/// What a support lead writes in `prompts/`.
pub struct Words {
    /// Labels, rules, thresholds and queues.
    pub triage: Triage,
    /// The trained classifier, where it can be read; it serves with the embedder that it was trained with.
    pub classifier: Option<&'static Classifier>,
    /// What the bot says by itself.
    pub phrases: Phrases,
    /// Templates of model tasks.
    pub prompts: Prompts,
}

/// Whether a tick found work: a worker asks again at once if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something was done.
    Worked,
    /// There was nothing to do.
    Idle,
}

/// A use case that could not be finished: the step, and what failed in it.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The store did not do it.
    #[error("{step} failed in the store")]
    Store {
        /// Which step.
        step: &'static str,
        /// Why.
        source: StoreError,
    },
    /// The embedder gave no vectors.
    #[error("vectors are missing")]
    Embedder(#[source] EmbedError),
    /// The index did not do it.
    #[error("{step} failed in the index")]
    Index {
        /// Which step.
        step: &'static str,
        /// Why.
        source: IndexError,
    },
    /// Others changed the customer's ledger again and again while it was read.
    #[error("the customer's ledger does not stand still")]
    Busy,
}

impl FlowError {
    /// Names the step for a failure of the store.
    pub fn store(step: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { step, source }
    }

    /// Names the step for a failure of the index.
    pub fn index(step: &'static str) -> impl FnOnce(IndexError) -> Self {
        move |source| Self::Index { step, source }
    }
}

impl Ctx {
    /// The channel that serves an address.
    pub fn channel(&self, address: &Address) -> Option<&Arc<dyn Channel>> {
        self.channels.iter().find(|channel| channel.kind() == address.channel && channel.account() == address.account)
    }

    /// Kinds of channels on which an unknown send may be repeated.
    pub fn idempotent_channels(&self) -> Vec<ChannelKind> {
        self.channels.iter().filter(|channel| channel.limits().idempotent).map(|channel| channel.kind()).collect()
    }

    /// Time-outs of ingest.
    pub fn timing(&self) -> Timing {
        Timing {
            quiet: self.config.turn.quiet,
            quiet_most: self.config.turn.quiet_most,
            reply_within: self.config.turn.reply_within,
            episode_after: self.config.episode.after,
            episode_messages: self.config.episode.messages,
        }
    }

    /// A claim of this process.
    pub fn claim(&self) -> Claim {
        Claim { boot: self.boot, lease_for: self.config.turn.lease }
    }
}
