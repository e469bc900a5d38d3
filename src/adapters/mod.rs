//! The edges: the only homes of vendor crates. Each module implements ports over one of them.

pub mod articles;
pub mod clock;
pub mod embedded;
pub mod history;
pub mod max;
pub mod openai;
pub mod qdrant;
pub mod store;
pub mod telegram;
pub mod terminal;
pub mod webchat;
pub mod whatsapp;

mod call;
mod http_client;
mod public_address;

pub use http_client::{http_client, install_crypto};
