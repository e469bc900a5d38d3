//! The search index on Qdrant.

mod bm25;
mod edge;
mod shard;

pub use edge::{EdgeIndex, Opened};
