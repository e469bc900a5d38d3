//! What we say to language models, and what the bot says by itself: templates, their typed contexts, and the reading of
//! what comes back.
//!
//! Pure: files are read once, at start; no model is known here. Each task has one template with two blocks: `system` is
//! the same for every call, so that servers can cache it; `user` holds what changes.

mod context;
mod data;
pub mod phrases;
mod render;
mod reply;
mod schema;

pub use context::{AnswerContext, EpisodeContext, FactKey, PackageContext, RepairContext};
pub use phrases::{Phrase, Phrases};
pub use render::{PromptError, PromptErrors, Prompts, Rendered};
pub use reply::{EpisodeDraft, ReplyError, parse_answer, parse_episode, parse_package};
pub use schema::{answer_schema, episode_schema, package_schema};
