//! The search index on Qdrant: in our own process, or on a server.

mod bm25;
mod edge;
mod layout;
mod same;
mod server;
mod shard;
mod snapshot;

pub use edge::{EdgeIndex, Opened};
pub use server::{Filled, Kept, QdrantServer, ServerIndex};
