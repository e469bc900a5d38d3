//! Nouns and rules of a support desk: no async, no IO, no vendor types.
//!
//! Everything here is plain data with the functions that keep it true. Types that are stored as documents derive
//! `serde`; everything else about storage, wire formats and the clock lives outside.

pub mod channel;
pub mod conversation;
pub mod csat;
pub mod customer;
pub mod handoff;
pub mod id;
pub mod keyboard;
pub mod knowledge;
pub mod memory;
pub mod message;
pub mod outbox;
pub mod past;
pub mod proof;
pub mod split;
pub mod text;
pub mod turn;
