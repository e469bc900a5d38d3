//! The search index's contract, and what becomes of harmed files.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "what a test can't go on without"
)]

#[path = "index/contract.rs"]
mod contract;
#[path = "index/erasure.rs"]
mod erasure;
#[path = "index/files.rs"]
mod files;
#[path = "index/parts.rs"]
mod parts;
#[path = "index/recall.rs"]
mod recall;
#[path = "index/server.rs"]
mod server;
#[path = "index/switch.rs"]
mod switch;

mod support;
