//! Firstline: a memory-rich AI first line of support for messengers.
//!
//! `ARCHITECTURE.md` has the map and the invariants; each module says at its top what it is for.

pub mod adapters;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod eval;
pub mod flow;
pub mod http;
pub mod ports;
pub mod prompt;
pub mod telemetry;
pub mod train;
pub mod worker;
