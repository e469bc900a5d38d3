//! What runs inside the binary with weights of its own: the sentence encoder. No network, no files, no set-up.
//!
//! The weights are in `models/embedder`, made by the script there, and are part of the executable.

mod embedder;
mod encoder;
mod vocabulary;

pub use embedder::EmbeddedEmbedder;
